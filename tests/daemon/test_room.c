#include "daemon/room.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

/* A disk of the test's: what it says when it is asked. */
struct disk {
    enum rc rc;
    uint64_t free_bytes;
};

static enum rc
ask_disk(void *context, const char *directory, uint64_t *out_bytes)
{
    const struct disk *disk = context;
    ck_assert_str_eq(directory, "data");
    if (disk->rc == RC_OK) {
        *out_bytes = disk->free_bytes;
    }
    return disk->rc;
}

static struct log *
log_in_memory(void)
{
    struct log *log = NULL;
    const struct log_options options = {.mode = LOG_CLAIM};
    ck_assert_int_eq(log_open(NULL, &options, &log), RC_OK);
    return log;
}

START_TEST(there_is_room_down_to_the_watermark)
{
    struct log *log = log_in_memory();
    struct disk disk = {.free_bytes = 64 * MIB};
    struct room room;
    room_init(&room, "data", 64 * MIB, ask_disk, &disk);
    ck_assert(!room_look(&room, log));
    ck_assert(!room.is_short);
    disk.free_bytes = 64 * MIB - 1;
    ck_assert(room_look(&room, log)); /* it changed */
    ck_assert(room.is_short);
    ck_assert_str_eq(room.why, "disk: 63 MiB free, needs 64 MiB; free space or move the data "
                               "directory");
    ck_assert(!room_look(&room, log));
    log_close(log);
}
END_TEST

START_TEST(it_comes_back_a_quarter_above_the_watermark)
{
    struct log *log = log_in_memory();
    struct disk disk = {.free_bytes = 10 * MIB};
    struct room room;
    room_init(&room, "data", 64 * MIB, ask_disk, &disk);
    ck_assert(room_look(&room, log));
    disk.free_bytes = 80 * MIB - 1;
    ck_assert(!room_look(&room, log));
    ck_assert(room.is_short);
    disk.free_bytes = 80 * MIB;
    ck_assert(room_look(&room, log));
    ck_assert(!room.is_short);
    ck_assert_str_eq(room.why, "");
    disk.free_bytes = 64 * MIB; /* and stays down to the watermark */
    ck_assert(!room_look(&room, log));
    log_close(log);
}
END_TEST

START_TEST(a_disk_that_cannot_be_written_or_asked_has_no_room)
{
    static const struct {
        enum rc rc;
        const char *why;
    } rows[] = {{RC_REFUSED, "mounted read-only"},
                {RC_NOT_FOUND, "the data directory is gone"},
                {RC_IO, "does not tell"}};
    struct log *log = log_in_memory();
    struct disk disk = {.rc = rows[_i].rc};
    struct room room;
    room_init(&room, "data", 0, ask_disk, &disk);
    ck_assert(room_look(&room, log));
    ck_assert_ptr_nonnull(strstr(room.why, rows[_i].why));
    disk.rc = RC_OK;
    ck_assert(room_look(&room, log));
    ck_assert(!room.is_short);
    log_close(log);
}
END_TEST

static void
append_bytes(struct log *log, size_t bytes)
{
    struct buf event = {0}, events = {0};
    ck_assert_ptr_nonnull(buf_reserve(&event, bytes));
    memset(event.data, 'x', bytes);
    log_events_add(&events, buf_span(&event));
    struct log_batch batch = {.event_count = 1, .events = buf_span(&events)};
    ck_assert_int_eq(log_append(log, &batch, log_newest(log) + 1), RC_OK);
    buf_fini(&event);
    buf_fini(&events);
}

/* A tiny map fills up: read-only comes while an append still fits, and a larger map mends it. */
START_TEST(a_full_map_is_seen_before_an_append_fails)
{
    char directory[] = "room-test-XXXXXX", command[64];
    ck_assert_ptr_nonnull(mkdtemp(directory));
    struct log_options options = {.mode = LOG_CLAIM, .map_bytes = 4 * MIB};
    struct log *log = NULL;
    struct room room;
    struct disk disk = {.free_bytes = 1000 * MIB};
    room_init(&room, "data", MIB, ask_disk, &disk);
    ck_assert_int_eq(log_open(directory, &options, &log), RC_OK);
    log_set_run_id(log, (const uint8_t *)"run-id-of-a-test");
    uint32_t appends = 0;
    while (!room_look(&room, log)) {
        append_bytes(log, 100000);
        appends++;
    }
    ck_assert_uint_gt(appends, 20);
    ck_assert_ptr_nonnull(strstr(room.why, "of its map of 4 MiB, needs 1 MiB"));
    append_bytes(log, 100000); /* the room to stop is still there */
    log_close(log);

    options.map_bytes = 8 * MIB;
    ck_assert_int_eq(log_open(directory, &options, &log), RC_OK);
    ck_assert(room_look(&room, log));
    ck_assert(!room.is_short);
    ck_assert_uint_eq(log_newest(log), appends + 1);
    log_close(log);
    snprintf(command, sizeof(command), "rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(the_systems_own_answer)
{
    struct log *log = log_in_memory();
    struct room room;
    room_init(&room, ".", 1, NULL, NULL);
    ck_assert(!room_look(&room, log));
    room_init(&room, "no/such/directory", 1, NULL, NULL);
    ck_assert(room_look(&room, log));
    ck_assert_ptr_nonnull(strstr(room.why, "gone"));
    room_init(&room, ".", UINT64_MAX / 2, NULL, NULL);
    ck_assert(room_look(&room, log));
    log_close(log);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("room");
    TCase *tc = tcase_create("room");
    tcase_add_test(tc, there_is_room_down_to_the_watermark);
    tcase_add_test(tc, it_comes_back_a_quarter_above_the_watermark);
    tcase_add_loop_test(tc, a_disk_that_cannot_be_written_or_asked_has_no_room, 0, 3);
    tcase_add_test(tc, a_full_map_is_seen_before_an_append_fails);
    tcase_add_test(tc, the_systems_own_answer);
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
