/* steplog verify over damage at random places: every flipped bit of a batch or a content row is found;
 * any other damage of the file ends in an answer too, never in a signal. CHECK prints the seed. */
#include "tests/tools/steplog_fixture.h"

#include "store/chunk.h"
#include <string.h>
#include <time.h>

enum { VALUES_MAX = 64, FLIPS = 150 };

static uint64_t seed;

static uint32_t
draw(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

static uint8_t *file_bytes;
static size_t file_size;
static struct buf values[VALUES_MAX]; /* every batch and every content row */
static uint32_t value_count;

static void
keep_value(struct span bytes)
{
    ck_assert_uint_lt(value_count, VALUES_MAX);
    buf_append_span(&values[value_count++], bytes);
}

static void
collect_values(void)
{
    struct log_chunks *chunks;
    struct log_chunk chunk;
    ck_assert_int_eq(log_chunks_open(log_of_test, &chunks), RC_OK);
    while (log_chunks_next(chunks, &chunk) == RC_OK) {
        for (uint32_t i = 0; i < chunk.batch_count; i++) {
            keep_value(chunk.batches[i].bytes);
        }
        for (uint32_t i = 0; i < chunk.content_count; i++) {
            keep_value(chunk.content[i].row);
        }
    }
    log_chunks_close(chunks);
}

static int
open_file(void)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/log/data.mdb", directory);
    return open(path, O_RDWR | O_CLOEXEC);
}

static void
setup_file(void)
{
    setup();
    append_stop(0);
    collect_values();
    close_log();
    int fd = open_file();
    struct stat file;
    ck_assert_int_eq(fstat(fd, &file), 0);
    file_size = (size_t)file.st_size;
    file_bytes = malloc(file_size);
    ck_assert_int_eq(pread(fd, file_bytes, file_size, 0), file.st_size);
    close(fd);
    seed = (uint64_t)time(NULL);
    printf("steplog_flips: seed %llu\n", (unsigned long long)seed);
}

static void
teardown_file(void)
{
    free(file_bytes);
    for (uint32_t i = 0; i < value_count; i++) {
        buf_fini(&values[i]);
    }
    value_count = 0;
    teardown();
}

static void
write_file(const uint8_t *bytes)
{
    int fd = open_file();
    ck_assert_int_eq(pwrite(fd, bytes, file_size, 0), (ssize_t)file_size);
    close(fd);
}

/* LMDB keeps older copies of a page: the bit is flipped in all of them, so also in the one that counts. */
static int
flip_everywhere(uint8_t *bytes, const struct buf *value, size_t at, uint8_t bit)
{
    int found = 0;
    uint8_t *from = bytes;
    uint8_t *place;
    while ((place = memmem(from, file_size - (size_t)(from - bytes), value->data, value->len)) !=
           NULL) {
        place[at] ^= bit;
        from = place + value->len;
        found++;
    }
    return found;
}

START_TEST(verify_finds_every_flipped_bit_of_a_batch_or_a_content_row)
{
    uint8_t *damaged = malloc(file_size);
    for (int i = 0; i < FLIPS; i++) {
        const struct buf *value = &values[draw(value_count)];
        size_t at = draw((uint32_t)value->len);
        uint8_t bit = (uint8_t)(1u << draw(8));
        memcpy(damaged, file_bytes, file_size);
        ck_assert_int_gt(flip_everywhere(damaged, value, at, bit), 0);
        write_file(damaged);
        int code = run_in("verify", "");
        ck_assert_msg(code == EXIT_BAD,
                      "byte %zu of a value of %zu, bit %02x: verify ended with %d\n%s", at,
                      value->len, bit, code, buf_cstr(&output));
    }
    free(damaged);
    write_file(file_bytes);
    ck_assert_int_eq(run_in("verify", ""), EXIT_GOOD);
}
END_TEST

START_TEST(damage_anywhere_kills_at_most_the_child_that_reads)
{
    uint8_t *damaged = malloc(file_size);
    int good = 0, bad = 0;
    ck_assert_int_eq(run_in("export", ""), EXIT_GOOD);
    char *text = strdup(buf_cstr(&output));
    for (int i = 0; i < FLIPS; i++) {
        memcpy(damaged, file_bytes, file_size);
        uint32_t times = 1 + draw(4);
        for (uint32_t n = 0; n < times; n++) {
            damaged[draw((uint32_t)file_size)] ^= (uint8_t)(1u << draw(8));
        }
        if (i % 5 == 0) { /* half a page of noise */
            size_t at = draw((uint32_t)(file_size - 2048));
            for (size_t n = 0; n < 2048; n++) {
                damaged[at + n] = (uint8_t)draw(256);
            }
        }
        write_file(damaged);
        int code = run_in("verify", "");
        good += code == EXIT_GOOD;
        bad += code != EXIT_GOOD;
        ck_assert_msg(code == EXIT_GOOD || code == EXIT_BAD || code == EXIT_NOTHING,
                      "verify ended with %d:\n%s", code, buf_cstr(&output));
        if (code == EXIT_GOOD) { /* then nothing that counts has changed */
            ck_assert_int_eq(run_in("export", ""), EXIT_GOOD);
            ck_assert_str_eq(buf_cstr(&output), text);
        }
    }
    free(text);
    printf("steplog_flips: %d found, %d in places that hold nothing\n", bad, good);
    ck_assert_int_gt(bad, 0);
    free(damaged);
}
END_TEST

static Suite *
suite(void)
{
    unsetenv("STEPD_DATA_DIR");
    setenv("LC_ALL", "C.UTF-8", 1);
    Suite *s = suite_create("steplog_flips");
    TCase *tc = tcase_create("flips");
    tcase_add_checked_fixture(tc, setup_file, teardown_file);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, verify_finds_every_flipped_bit_of_a_batch_or_a_content_row);
    tcase_add_test(tc, damage_anywhere_kills_at_most_the_child_that_reads);
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
