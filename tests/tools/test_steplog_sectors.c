/* A last transaction of which a sector never reached the disk, or reached it as something else (RELIABILITY C5):
 * every sector it wrote, one after the other, is put back to what was there before, set to zeros, or has a bit
 * flipped. What verify then calls good is the log as of this transaction, to the last byte; everything else is
 * called damaged, the log as of the transaction before too: the mark beside it knows of this one. */
#include "tests/tools/steplog_fixture.h"

#include <string.h>

enum { SECTOR = 512, WAYS = 3, BATCHES_BEFORE = 40 };

struct image {
    uint8_t *bytes;
    size_t size;
    char *text; /* the log in it, exported */
};

static char data_file[128];

/* From where the two differ on. */
static const char *
difference(const char *got, const char *wanted)
{
    while (*got != '\0' && *got == *wanted) {
        got++;
        wanted++;
    }
    return got;
}

static struct image
take_image(void)
{
    struct image image;
    struct stat file;
    int fd = open(data_file, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(fstat(fd, &file), 0);
    image.size = (size_t)file.st_size;
    image.bytes = malloc(image.size);
    ck_assert_int_eq(pread(fd, image.bytes, image.size, 0), file.st_size);
    close(fd);
    ck_assert_int_eq(run_in("export", ""), EXIT_GOOD);
    image.text = strdup(buf_cstr(&output));
    return image;
}

static void
put_image(const uint8_t *bytes, size_t size)
{
    int fd = open(data_file, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    ck_assert_int_eq(pwrite(fd, bytes, size, 0), (ssize_t)size);
    close(fd);
}

/* Two friends who write in turn, so that pages split and are used again. */
static void
append_message(int i)
{
    char text[200];
    struct event message = {.kind = EVENT_MESSAGE_RECEIVED, .friend = (uint32_t)i % 2};
    message.u.act.button = message.u.act.choice = NO_ID;
    snprintf(text, sizeof(text), "message %d %0150d", i, i);
    append(message, text);
}

/* What stands in the sector at `at` in the way `way`; false when that is what should stand there. */
static bool
spoil(uint8_t *bytes, size_t at, const struct image *before, const struct image *after, int way)
{
    static const uint8_t zeros[SECTOR];
    const uint8_t *former = at + SECTOR <= before->size ? before->bytes + at : zeros;
    switch (way) {
    case 0:
        memcpy(bytes + at, former, SECTOR);
        break;
    case 1:
        memcpy(bytes + at, zeros, SECTOR);
        break;
    default: /* a bit of what this transaction changed in it */
        for (size_t i = at; i < at + SECTOR; i++) {
            if (bytes[i] != former[i - at]) {
                bytes[i] ^= 0x10;
                break;
            }
        }
    }
    return memcmp(bytes + at, after->bytes + at, SECTOR) != 0;
}

/* _i: with words, without. */
START_TEST(every_sector_of_the_last_transaction)
{
    int good = 0, found = 0;
    snprintf(data_file, sizeof(data_file), "%s/log/data.mdb", directory);
    for (int i = 0; i < BATCHES_BEFORE; i++) {
        append_message(i);
    }
    struct image before = take_image();
    if (_i == 0) {
        append_message(BATCHES_BEFORE);
    } else {
        append_stop(0);
    }
    struct image after = take_image();
    close_log();
    ck_assert_str_ne(before.text, after.text);
    uint8_t *bytes = malloc(after.size);
    for (size_t at = 0; at < after.size; at += SECTOR) {
        if (at + SECTOR <= before.size &&
            memcmp(before.bytes + at, after.bytes + at, SECTOR) == 0) {
            continue;
        }
        for (int way = 0; way < WAYS; way++) {
            memcpy(bytes, after.bytes, after.size);
            if (!spoil(bytes, at, &before, &after, way)) {
                continue;
            }
            put_image(bytes, after.size);
            int code = run_in("verify", "");
            ck_assert_msg(code == EXIT_GOOD || code == EXIT_BAD || code == EXIT_NOTHING,
                          "sector at %zu, way %d: verify ended with %d:\n%s", at, way, code,
                          buf_cstr(&output));
            found += code != EXIT_GOOD;
            if (code == EXIT_GOOD) {
                good++;
                code = run_in("export", "");
                ck_assert_msg(code == EXIT_GOOD,
                              "sector at %zu, way %d: export ended with %d:\n%.300s", at, way, code,
                              buf_cstr(&output) + (output.len > 250 ? output.len - 250 : 0));
                ck_assert_msg(strcmp(buf_cstr(&output), after.text) == 0,
                              "sector at %zu, way %d: good, and not this log, but:\n%.300s", at,
                              way, difference(buf_cstr(&output), after.text));
            }
        }
    }
    printf("steplog_sectors: %d spoilt sectors found, %d hold nothing that counts\n", found, good);
    ck_assert_int_gt(found, 20);
    ck_assert_int_gt(good, 0); /* else the whole log was never among them */
    free(bytes);
    free(before.bytes);
    free(before.text);
    free(after.bytes);
    free(after.text);
}
END_TEST

static Suite *
suite(void)
{
    unsetenv("STEPD_DATA_DIR");
    setenv("LC_ALL", "C.UTF-8", 1);
    Suite *s = suite_create("steplog_sectors");
    TCase *tc = tcase_create("sectors");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 160);
    tcase_add_loop_test(tc, every_sector_of_the_last_transaction, 0, 2);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    SRunner *r = srunner_create(suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
