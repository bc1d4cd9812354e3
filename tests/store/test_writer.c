/* The writer thread: order, what gathers meanwhile, failures, a kill. Its disk is one that commits only
 * when the test lets it, so nothing here waits for a clock. */
#include "tests/store/gate.h"
#include "tests/store/log_helpers.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

/* As the loop does: waits for the wake-up, then polls. */
static enum rc
wake_and_poll(struct log *log)
{
    struct pollfd fd = {.fd = log_wake_fd(log), .events = POLLIN};
    ck_assert_int_eq(poll(&fd, 1, 30000), 1);
    return log_poll(log);
}

struct told {
    uint64_t durable;
    uint32_t times;
};

static void
note_durable(void *context, uint64_t seq)
{
    struct told *told = context;
    ck_assert_uint_gt(seq, told->durable); /* forward only */
    told->durable = seq;
    told->times++;
}

START_TEST(an_append_returns_before_it_is_durable_and_the_callback_tells_when_it_is)
{
    struct log *log = gated_log();
    struct told told = {0};
    log_on_durable(log, note_durable, &told);
    ck_assert_int_eq(append(log, 3, START_MS), RC_OK);
    ck_assert_uint_eq(log_newest(log), 3);
    ck_assert_uint_eq(log_durable(log), 0);
    ck_assert_int_eq(log_poll(log), RC_OK);
    ck_assert_uint_eq(told.times, 0);

    let(1);
    ck_assert_int_eq(wake_and_poll(log), RC_OK);
    ck_assert_uint_eq(log_durable(log), 3);
    ck_assert_uint_eq(told.durable, 3);
    log_close(log);
}
END_TEST

/* Counted, not timed: the loop's thread goes through any number of appends while one commit stands. */
START_TEST(what_gathers_during_one_commit_goes_into_the_next)
{
    struct log *log = gated_log();
    struct told told = {0};
    log_on_durable(log, note_durable, &told);
    ck_assert_int_eq(append(log, 1, START_MS), RC_OK);
    commits_arrive(1);
    for (uint32_t i = 0; i < 500; i++) {
        ck_assert_int_eq(append(log, 2, START_MS + i), RC_OK);
    }
    let(1);
    commits_arrive(2);
    ck_assert_uint_eq(gate->batches[0], 1);
    ck_assert_uint_eq(gate->batches[1], 500);
    ck_assert_int_eq(log_poll(log), RC_OK);
    ck_assert_uint_eq(told.durable, 1);
    let(2);
    ck_assert_int_eq(log_wait(log), RC_OK);
    ck_assert_uint_eq(told.durable, 1001);
    ck_assert_uint_eq(told.times, 2);

    enum rc rc;
    ck_assert_uint_eq(read_all(log, 1, &rc), 1001); /* in order, chained */
    ck_assert_int_eq(rc, RC_END);
    log_close(log);
}
END_TEST

/* More events than a batch may hold: the webhook ids of a pass and all its events are in one commit, or a
 * crash between two would leave ids known whose events are lost. */
START_TEST(a_pass_of_several_batches_is_in_one_commit)
{
    struct log *log = gated_log();
    struct buf events = {0}, big = {0};
    ck_assert_ptr_nonnull(buf_reserve(&big, 200 * 1024));
    memset(big.data, 'x', big.len);
    for (int i = 0; i < 3; i++) {
        log_events_add(&events, buf_span(&big));
    }
    const struct span id = span_cstr("01HXA");
    struct log_batch batch = {.time_ms = START_MS,
                              .event_count = 3,
                              .events = buf_span(&events),
                              .ids = &id,
                              .id_count = 1};
    ck_assert_int_eq(log_append(log, &batch, 1), RC_OK);
    let(1);
    ck_assert_int_eq(log_wait(log), RC_OK);
    ck_assert_uint_eq(gate->arrived, 1);
    ck_assert_uint_eq(log_durable(log), 3);

    struct log_cursor *cursor;
    struct log_batch_view view;
    uint32_t batches = 0;
    ck_assert_int_eq(log_cursor_open(log, 1, &cursor), RC_OK);
    while (log_cursor_next(cursor, &view) == RC_OK) {
        ck_assert_uint_eq(view.first_seq, ++batches);
    }
    ck_assert_uint_eq(batches, 3);
    log_cursor_close(cursor);
    buf_fini(&events);
    buf_fini(&big);
    log_close(log);
}
END_TEST

START_TEST(one_commit_is_never_without_bound)
{
    struct log *log = gated_log();
    struct buf events = {0}, big = {0};
    ck_assert_ptr_nonnull(buf_reserve(&big, LOG_BATCH_BYTES_MAX - 64));
    memset(big.data, 'x', big.len);
    log_events_add(&events, buf_span(&big));
    for (uint64_t seq = 1; seq <= 40; seq++) { /* 10 MiB */
        struct log_batch batch = {
            .time_ms = START_MS, .event_count = 1, .events = buf_span(&events)};
        ck_assert_int_eq(log_append(log, &batch, seq), RC_OK);
    }
    let(COMMITS_MAX);
    ck_assert_int_eq(log_wait(log), RC_OK);
    ck_assert_uint_eq(log_durable(log), 40);
    for (uint32_t i = 0; i < gate->arrived; i++) {
        ck_assert_uint_le(gate->batches[i], 16); /* 4 MiB */
    }
    buf_fini(&events);
    buf_fini(&big);
    log_close(log);
}
END_TEST

START_TEST(a_failure_in_the_middle_fails_all_that_follows)
{
    struct log *log = gated_log();
    struct told told = {0};
    log_on_durable(log, note_durable, &told);
    gate->fail_at = 2;
    ck_assert_int_eq(append(log, 2, START_MS), RC_OK);
    commits_arrive(1);
    ck_assert_int_eq(append(log, 2, START_MS), RC_OK);
    ck_assert_int_eq(append(log, 2, START_MS), RC_OK);
    let(1);
    commits_arrive(2);
    ck_assert_int_eq(append(log, 2, START_MS), RC_OK); /* behind the one that will fail */
    let(COMMITS_MAX);
    ck_assert_int_eq(log_wait(log), RC_IO);
    ck_assert_uint_eq(told.durable, 2);
    ck_assert_uint_eq(log_durable(log), 2);
    ck_assert_ptr_nonnull(strstr(log_error(log), "the disk is gone"));

    ck_assert_int_eq(append(log, 1, START_MS), RC_IO);
    ck_assert_int_eq(log_poll(log), RC_IO);
    bool known;
    ck_assert_int_eq(log_knows_id(log, span_cstr("x"), &known), RC_IO);
    ck_assert_uint_eq(gate->arrived, 2); /* nothing was written after it */
    ck_assert_uint_eq(told.durable, 2);
    log_close(log);
}
END_TEST

START_TEST(an_append_after_a_failure_that_nobody_polled_fails_as_well)
{
    struct log *log = gated_log();
    gate->fail_at = 1;
    let(1);
    ck_assert_int_eq(append(log, 1, START_MS), RC_OK);
    struct pollfd fd = {.fd = log_wake_fd(log), .events = POLLIN};
    ck_assert_int_eq(poll(&fd, 1, 30000), 1);
    ck_assert_int_eq(append(log, 1, START_MS), RC_IO);
    ck_assert_uint_eq(log_durable(log), 0);
    log_close(log);
}
END_TEST

START_TEST(ids_and_words_of_a_queued_batch)
{
    struct log *log = gated_log();
    struct buf events = {0}, row = {0};
    log_events_add(&events, span_cstr("e1"));
    struct span ids[] = {span_cstr("01HXA")};
    const struct log_content content[] = {{1, span_cstr("words")}};
    struct log_batch batch = {.time_ms = START_MS,
                              .event_count = 1,
                              .events = buf_span(&events),
                              .content = content,
                              .content_count = 1,
                              .ids = ids,
                              .id_count = 1};
    ck_assert_int_eq(log_append(log, &batch, 1), RC_OK);
    bool known = false;
    for (int i = 0; i < 2; i++) { /* while it is queued, and when it is stored */
        ck_assert_int_eq(log_knows_id(log, span_cstr("01HXA"), &known), RC_OK);
        ck_assert(known);
        ck_assert_int_eq(log_knows_id(log, span_cstr("01HXB"), &known), RC_OK);
        ck_assert(!known);
        ck_assert_int_eq(log_read_content(log, 1, &row), i == 0 ? RC_AGAIN : RC_OK);
        ck_assert_int_eq(log_read_content(log, 2, &row), RC_NOT_FOUND);
        enum rc rc;
        ck_assert_uint_eq(read_all(log, 1, &rc), (uint64_t)i);
        ck_assert_int_eq(rc, i == 0 ? RC_AGAIN : RC_END);
        let(1);
        ck_assert_int_eq(log_wait(log), RC_OK);
    }
    ck_assert(span_equal_cstr(buf_span(&row), "words"));
    buf_fini(&events);
    buf_fini(&row);
    log_close(log);
}
END_TEST

START_TEST(a_cursor_beyond_what_is_stored_is_told_to_come_again)
{
    struct log *log = gated_log();
    let(1);
    ck_assert_int_eq(append(log, 2, START_MS), RC_OK);
    ck_assert_int_eq(log_wait(log), RC_OK);
    ck_assert_int_eq(append(log, 2, START_MS), RC_OK);
    enum rc rc;
    ck_assert_uint_eq(read_all(log, 1, &rc), 2);
    ck_assert_int_eq(rc, RC_AGAIN);
    ck_assert_uint_eq(read_all(log, 3, &rc), 0);
    ck_assert_int_eq(rc, RC_AGAIN);
    ck_assert_uint_eq(read_all(log, 5, &rc), 0);
    ck_assert_int_eq(rc, RC_END);
    let(2);
    log_close(log);
}
END_TEST

START_TEST(the_backlog_says_how_much_waits_and_how_long)
{
    struct log *log = gated_log();
    ck_assert_uint_eq(log_backlog(log).batches, 0);
    gate_now_us = 1000000;
    ck_assert_int_eq(append(log, 1, START_MS), RC_OK);
    commits_arrive(1);
    gate_now_us += 700000;
    ck_assert_int_eq(append(log, 10, START_MS), RC_OK);
    gate_now_us += 900000;
    struct log_backlog backlog = log_backlog(log);
    ck_assert_uint_eq(backlog.batches, 2);
    ck_assert_uint_gt(backlog.bytes, 2 * 58);
    ck_assert_int_eq(backlog.oldest_wait_us, 1600000);

    let(1);
    ck_assert_int_eq(wake_and_poll(log), RC_OK);
    ck_assert_uint_eq(log_backlog(log).batches, 1);
    ck_assert_int_eq(log_backlog(log).oldest_wait_us, 900000);
    let(2);
    ck_assert_int_eq(log_wait(log), RC_OK);
    backlog = log_backlog(log);
    ck_assert_uint_eq(backlog.batches, 0);
    ck_assert_uint_eq(backlog.bytes, 0);
    ck_assert_int_eq(backlog.oldest_wait_us, 0);
    log_close(log);
}
END_TEST

/* ---- on disk ---- */

static struct log *
threaded_log(void)
{
    return open_with(ON_DISK, (struct log_options){.mode = LOG_CLAIM, .writer_thread = true});
}

START_TEST(closing_writes_what_is_queued)
{
    struct log *log = threaded_log();
    for (uint32_t i = 0; i < 300; i++) {
        ck_assert_int_eq(append(log, i % 7 + 1, START_MS + i), RC_OK);
    }
    uint64_t newest = log_newest(log);
    log_close(log);
    log = threaded_log();
    ck_assert_uint_eq(log_newest(log), newest);
    ck_assert_uint_eq(log_durable(log), newest);
    enum rc rc;
    ck_assert_uint_eq(read_all(log, 1, &rc), newest);
    ck_assert_int_eq(rc, RC_END);
    log_close(log);
}
END_TEST

/* The loop's thread reads and looks up ids while the other one writes. */
START_TEST(reading_goes_on_beside_the_writer)
{
    struct log *log = threaded_log();
    for (uint32_t i = 0; i < 200; i++) {
        ck_assert_int_eq(append(log, 3, START_MS + i), RC_OK);
        bool known = true;
        ck_assert_int_eq(log_knows_id(log, span_cstr("nobody's"), &known), RC_OK);
        ck_assert(!known);
        if (i % 20 == 0) {
            uint64_t durable = log_durable(log);
            enum rc rc;
            ck_assert_uint_ge(read_all(log, 1, &rc), durable);
            ck_assert(rc == RC_END || rc == RC_AGAIN);
        }
        ck_assert_int_eq(log_poll(log), RC_OK);
    }
    ck_assert_int_eq(log_wait(log), RC_OK);
    ck_assert_uint_eq(log_durable(log), 600);
    log_close(log);
}
END_TEST

START_TEST(a_full_map_ends_the_log_and_keeps_what_was_acknowledged)
{
    struct log *log = open_with(ON_DISK, (struct log_options){.mode = LOG_CLAIM,
                                                              .writer_thread = true,
                                                              .map_bytes = (size_t)256 * 1024});
    struct told told = {0};
    log_on_durable(log, note_durable, &told);
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < 10000 && rc == RC_OK; i++) {
        rc = append(log, 100, START_MS);
        if (rc == RC_OK && i % 8 == 0) {
            rc = log_wait(log);
        }
    }
    ck_assert_int_eq(rc, RC_FULL);
    ck_assert_uint_gt(told.durable, 0);
    log_close(log);

    log = threaded_log(); /* a larger map, and nothing is lost */
    ck_assert_uint_ge(log_newest(log), told.durable);
    ck_assert_uint_eq(read_all(log, 1, &rc), log_newest(log));
    ck_assert_int_eq(rc, RC_END);
    ck_assert_int_eq(append(log, 1, START_MS), RC_OK);
    ck_assert_int_eq(log_wait(log), RC_OK);
    log_close(log);
}
END_TEST

static void
report_durable(void *context, uint64_t seq)
{
    const int *fd = context;
    if (write(*fd, &seq, sizeof(seq)) != sizeof(seq)) {
        _exit(1);
    }
}

/* Appends without end, a few ahead of the disk, and reports what is durable. Never returns. */
static void
append_for_ever(int report_fd)
{
    struct log *log = threaded_log();
    log_on_durable(log, report_durable, &report_fd);
    for (uint32_t i = 0;; i++) {
        if (append(log, i % 5 + 1, START_MS + i) != RC_OK || log_poll(log) != RC_OK) {
            _exit(1);
        }
        if (log_backlog(log).batches > 50 && log_wait(log) != RC_OK) {
            _exit(1);
        }
    }
}

START_TEST(what_was_acknowledged_survives_a_kill_with_the_thread_at_work)
{
    for (uint32_t round = 1; round <= 8; round++) {
        int fds[2];
        ck_assert_int_eq(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(fds[0]);
            append_for_ever(fds[1]);
        }
        close(fds[1]);
        uint64_t acknowledged = 0, more;
        for (uint32_t i = 0; i < round * 7; i++) {
            ck_assert_int_eq(read(fds[0], &acknowledged, sizeof(acknowledged)),
                             sizeof(acknowledged));
        }
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        while (read(fds[0], &more, sizeof(more)) == sizeof(more)) {
            acknowledged = more;
        }
        close(fds[0]);
        struct log *log = threaded_log();
        ck_assert_uint_ge(log_newest(log), acknowledged);
        enum rc rc;
        ck_assert_uint_eq(read_all(log, 1, &rc), log_newest(log));
        ck_assert_int_eq(rc, RC_END);
        log_close(log);
    }
}
END_TEST

START_TEST(the_map_tells_how_full_it_is)
{
    struct log *log =
        open_with(ON_DISK, (struct log_options){.mode = LOG_CLAIM, .map_bytes = (size_t)8 << 20});
    uint64_t before, after, map;
    log_map(log, &before, &map);
    ck_assert_uint_eq(map, (uint64_t)8 << 20);
    for (uint32_t i = 0; i < 20; i++) {
        ck_assert_int_eq(append(log, 1000, START_MS), RC_OK);
    }
    log_map(log, &after, &map);
    ck_assert_uint_gt(after, before + 20 * 6000);
    ck_assert_uint_lt(after, map);
    log_close(log);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("writer");
    TCase *slow = tcase_create("slow disk");
    tcase_set_timeout(slow, 30);
    tcase_add_test(slow, an_append_returns_before_it_is_durable_and_the_callback_tells_when_it_is);
    tcase_add_test(slow, what_gathers_during_one_commit_goes_into_the_next);
    tcase_add_test(slow, a_pass_of_several_batches_is_in_one_commit);
    tcase_add_test(slow, one_commit_is_never_without_bound);
    tcase_add_test(slow, a_failure_in_the_middle_fails_all_that_follows);
    tcase_add_test(slow, an_append_after_a_failure_that_nobody_polled_fails_as_well);
    tcase_add_test(slow, ids_and_words_of_a_queued_batch);
    tcase_add_test(slow, a_cursor_beyond_what_is_stored_is_told_to_come_again);
    tcase_add_test(slow, the_backlog_says_how_much_waits_and_how_long);
    suite_add_tcase(s, slow);

    TCase *disk = tcase_create("disk");
    tcase_add_checked_fixture(disk, setup, remove_directory);
    tcase_set_timeout(disk, 60);
    tcase_add_test(disk, closing_writes_what_is_queued);
    tcase_add_test(disk, reading_goes_on_beside_the_writer);
    tcase_add_test(disk, a_full_map_ends_the_log_and_keeps_what_was_acknowledged);
    tcase_add_test(disk, what_was_acknowledged_survives_a_kill_with_the_thread_at_work);
    tcase_add_test(disk, the_map_tells_how_full_it_is);
    suite_add_tcase(s, disk);
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
