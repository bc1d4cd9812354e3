/* log_helpers - a directory of its own for each test, and logs with events "e1", "e2", ... in it.
 *
 * Shape    static functions, for the two files of tests about the log. LMDB must not cross a fork, so logs
 *          are opened inside the test's own process.
 * Units    UTC milliseconds.
 * Errors   Check's assertions.
 * Owner    setup() makes the directory, remove_directory() removes it.
 */
#ifndef TESTS_STORE_LOG_HELPERS_H
#define TESTS_STORE_LOG_HELPERS_H

#include "store/log.h"
#include "tests/scratch.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ON_DISK, IN_MEMORY, BACKENDS };
#define START_MS INT64_C(1780000000000)

static char directory[64];
static const uint8_t run_id[LOG_RUN_ID_BYTES] = "run-id-of-a-test";

static inline void
setup(void)
{
    strcpy(directory, "log-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static inline void
remove_directory(void)
{
    scratch_remove(directory);
}

static inline struct log *
open_with(int backend, struct log_options options)
{
    struct log *log = NULL;
    enum rc rc = log_open(backend == IN_MEMORY ? NULL : directory, &options, &log);
    ck_assert_msg(rc == RC_OK, "log_open: %s: %s", rc_name(rc), log_error(NULL));
    if (options.mode == LOG_CLAIM) {
        log_set_run_id(log, run_id);
    }
    return log;
}

static inline struct log *
claim(int backend)
{
    return open_with(backend, (struct log_options){.mode = LOG_CLAIM});
}

/* Appends `count` events "e1", "e2", ... by their numbers. */
static inline enum rc
append(struct log *log, uint32_t count, int64_t time_ms)
{
    struct buf events = {0}, text = {0};
    uint64_t first = log_newest(log) + 1;
    for (uint32_t i = 0; i < count; i++) {
        buf_clear(&text);
        buf_printf(&text, "e%llu", (unsigned long long)(first + i));
        log_events_add(&events, buf_span(&text));
    }
    struct log_batch batch = {
        .time_ms = time_ms, .event_count = count, .events = buf_span(&events)};
    enum rc rc = log_append(log, &batch, first);
    buf_fini(&events);
    buf_fini(&text);
    return rc;
}

/* Reads from `from` to the end; how many events were seen, and what ended it. */
static inline uint64_t
read_all(struct log *log, uint64_t from, enum rc *out_rc)
{
    struct log_cursor *cursor = NULL;
    struct log_batch_view view;
    uint64_t count = 0;
    ck_assert_int_eq(log_cursor_open(log, from, &cursor), RC_OK);
    while ((*out_rc = log_cursor_next(cursor, &view)) == RC_OK) {
        struct span rest = view.events, event;
        uint64_t seq = view.first_seq;
        while (log_events_next(&rest, &event) == RC_OK) {
            char expected[32];
            snprintf(expected, sizeof(expected), "e%llu", (unsigned long long)seq++);
            ck_assert_msg(span_equal_cstr(event, expected), "not %s: %.*s", expected,
                          span_fmt(event));
            count++;
        }
        ck_assert_uint_eq(seq, view.first_seq + view.event_count);
        ck_assert_mem_eq(view.run_id, run_id, LOG_RUN_ID_BYTES);
    }
    log_cursor_close(cursor);
    return count;
}

/* Opens for reading and reads everything; what was noticed, and where. */
static inline enum rc
noticed(const char *place)
{
    struct log *log = NULL;
    const struct log_options options = {.mode = LOG_READ};
    enum rc rc = log_open(directory, &options, &log);
    if (rc != RC_OK) {
        ck_assert_msg(strstr(log_error(NULL), place) != NULL, "%s", log_error(NULL));
        return rc;
    }
    struct log_cursor *cursor;
    struct log_batch_view view;
    ck_assert_int_eq(log_cursor_open(log, 1, &cursor), RC_OK);
    while ((rc = log_cursor_next(cursor, &view)) == RC_OK) {
    }
    if (rc != RC_END) {
        ck_assert_msg(strstr(log_error(log), place) != NULL, "%s", log_error(log));
    }
    log_cursor_close(cursor);
    log_close(log);
    return rc;
}

/* Three batches of two events each: 1, 3, 5. */
static inline void
three_batches(void)
{
    struct log *log = claim(ON_DISK);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(append(log, 2, START_MS + i), RC_OK);
    }
    log_close(log);
}

#endif
