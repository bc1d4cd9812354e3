/* Rows that are erased, and the mark that a log put back from a backup is known by. */
#include "store/log_mark.h"
#include "tests/store/log_helpers.h"

#include <fcntl.h>

/* Appends one event with these rows gone and, where `row` is not NULL, with a row of its own. */
static void
append_erasing(struct log *log, const uint64_t *erase, uint32_t erase_count, const char *row)
{
    struct buf events = {0};
    log_events_add(&events, span_cstr("x"));
    const struct log_content content = {log_newest(log) + 1, span_cstr(row)};
    const struct log_batch batch = {.time_ms = START_MS,
                                    .event_count = 1,
                                    .events = buf_span(&events),
                                    .content = &content,
                                    .content_count = row == NULL ? 0 : 1,
                                    .erase = erase,
                                    .erase_count = erase_count};
    ck_assert_int_eq(log_append(log, &batch, log_newest(log) + 1), RC_OK);
    buf_fini(&events);
}

static const char *
row_of(struct log *log, uint64_t seq)
{
    static char text[32];
    struct buf row = {0};
    enum rc rc = log_read_content(log, seq, &row);
    snprintf(text, sizeof(text), "%s", rc == RC_OK ? buf_cstr(&row) : rc_name(rc));
    buf_fini(&row);
    return text;
}

START_TEST(erased_rows_are_gone_and_the_others_stay)
{
    struct log *log = claim(_i);
    append_erasing(log, NULL, 0, "one");
    append_erasing(log, NULL, 0, "two");
    append_erasing(log, NULL, 0, "three");
    const uint64_t erase[] = {3, 1, 77}; /* in any order; what is not there is gone already */
    append_erasing(log, erase, 3, "four");
    const char *const gone = rc_name(RC_NOT_FOUND);
    ck_assert_str_eq(row_of(log, 1), gone);
    ck_assert_str_eq(row_of(log, 2), "two");
    ck_assert_str_eq(row_of(log, 3), gone);
    ck_assert_str_eq(row_of(log, 4), "four");
    append_erasing(log, erase, 3, NULL);
    ck_assert_str_eq(row_of(log, 2), "two");
    log_close(log);
}
END_TEST

START_TEST(a_row_may_go_with_the_commit_that_brought_it)
{
    struct log *log = claim(_i);
    const uint64_t own = 1;
    append_erasing(log, &own, 1, "one");
    ck_assert_str_eq(row_of(log, 1), rc_name(RC_NOT_FOUND));
    log_close(log);
}
END_TEST

/* ---- the mark ---- */

static void
copy_file(const char *from, const char *to)
{
    struct buf command = {0}; /* cp keeps the inode of a file that is there */
    buf_printf(&command, "cp %s/%s %s/%s", directory, from, directory, to);
    ck_assert_int_eq(system(buf_cstr(&command)), 0);
    buf_fini(&command);
}

static bool
reopened_is_replaced(void)
{
    struct log *log = claim(ON_DISK);
    bool replaced = log_place(log).replaced;
    log_close(log);
    return replaced;
}

START_TEST(an_older_data_file_put_back_in_place_is_noticed)
{
    three_batches();
    ck_assert(!reopened_is_replaced());
    copy_file("log/data.mdb", "backup");
    struct log *log = claim(ON_DISK);
    uint64_t inode = log_place(log).inode;
    ck_assert_int_eq(append(log, 2, START_MS), RC_OK);
    log_close(log);
    ck_assert(!reopened_is_replaced());

    copy_file("backup", "log/data.mdb");
    log = claim(ON_DISK);
    ck_assert_uint_eq(log_place(log).inode, inode); /* nothing else tells */
    ck_assert(log_place(log).replaced);
    ck_assert_int_eq(append(log, 1, START_MS), RC_OK);
    log_close(log);
    ck_assert(!reopened_is_replaced()); /* this is what the directory holds now */
}
END_TEST

START_TEST(another_history_of_the_same_length_is_noticed)
{
    three_batches();
    copy_file("log/data.mdb", "backup");
    struct log *log = claim(ON_DISK);
    ck_assert_int_eq(append(log, 2, START_MS), RC_OK);
    log_close(log);
    copy_file("log/data.mdb", "one");
    copy_file("backup", "log/data.mdb");
    log = claim(ON_DISK);
    ck_assert_int_eq(append(log, 2, START_MS + 1), RC_OK);
    log_close(log);

    copy_file("one", "log/data.mdb");
    ck_assert(reopened_is_replaced());
}
END_TEST

/* A crash between commit and mark leaves an older mark; somebody may delete or damage the file. */
START_TEST(an_older_missing_or_damaged_mark_says_nothing)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/claim.lock", directory);
    three_batches();
    copy_file("claim.lock", "mark");
    struct log *log = claim(ON_DISK);
    ck_assert_int_eq(append(log, 2, START_MS), RC_OK);
    log_close(log);
    switch (_i) {
    case 0:
        copy_file("mark", "claim.lock");
        break;
    case 1:
        ck_assert_int_eq(unlink(path), 0);
        break;
    case 2:
        ck_assert_int_eq(truncate(path, 10), 0);
        break;
    default: {
        int fd = open(path, O_RDWR);
        ck_assert_int_eq(pwrite(fd, "\xff", 1, 8), 1);
        close(fd);
        break;
    }
    }
    ck_assert(!reopened_is_replaced());
}
END_TEST

START_TEST(a_mark_reads_back_as_written)
{
    char path[128];
    uint8_t bytes[32];
    snprintf(path, sizeof(path), "%s/mark", directory);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    const struct log_mark mark = {12, 0x1122334455667788};
    log_mark_write(fd, &mark);
    ck_assert_uint_eq(log_mark_read(fd).seq, 12);
    ck_assert_uint_eq(log_mark_read(fd).checksum, 0x1122334455667788);
    /* docs/format.md shows these bytes. */
    ck_assert_int_eq(pread(fd, bytes, sizeof(bytes), 0), 30);
    ck_assert_mem_eq(
        bytes, "stpc\x00\x01\x00\x00\x00\x00\x00\x00\x00\x0c\x11\x22\x33\x44\x55\x66\x77\x88", 22);
    close(fd);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("log_mark");
    TCase *tc = tcase_create("rows and marks");
    tcase_add_checked_fixture(tc, setup, remove_directory);
    tcase_add_loop_test(tc, erased_rows_are_gone_and_the_others_stay, 0, BACKENDS);
    tcase_add_loop_test(tc, a_row_may_go_with_the_commit_that_brought_it, 0, BACKENDS);
    tcase_add_test(tc, an_older_data_file_put_back_in_place_is_noticed);
    tcase_add_test(tc, another_history_of_the_same_length_is_noticed);
    tcase_add_loop_test(tc, an_older_missing_or_damaged_mark_says_nothing, 0, 4);
    tcase_add_test(tc, a_mark_reads_back_as_written);
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
