/* steplog_fixture - a data directory with a few events in it, and the program run over it.
 *
 * Shape    static functions for the tests of steplog. The log stays open (claimed by the test's own process)
 *          until close_log(), so that what works beside a daemon is tested beside one.
 * Units    UTC milliseconds; exit codes.
 * Errors   Check's assertions.
 * Owner    setup() makes the directory, teardown() removes it.
 */
#ifndef TESTS_TOOLS_STEPLOG_FIXTURE_H
#define TESTS_TOOLS_STEPLOG_FIXTURE_H

#include "engine/engine.h"
#include "engine/image.h"
#include "proto/event.h"
#include "store/log.h"
#include "tests/scratch.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    EXIT_GOOD = 0,
    EXIT_BAD = 1,
    EXIT_WRONG_USE = 2,
    EXIT_NOTHING = 3,
    EXIT_NO_ANSWER = 4,
    EXIT_NOT_NOW = 5,
};
#define AT_MS INT64_C(1780276500000) /* 2026-06-01 10:15 in Tokyo */

static char directory[64];
static struct log *log_of_test;
static struct engine *engine;
static struct buf output;
static const uint8_t salt[EVENT_SALT_BYTES] = "salt of the test";
static const struct engine_calls NO_CALLS;

/* One event a batch; the engine follows, so that its digest can be recorded. */
static void
append(struct event event, const char *word)
{
    struct buf bytes = {0}, row = {0}, framed = {0};
    const struct span words[] = {span_cstr(word)};
    event.seq = log_newest(log_of_test) + 1;
    event.at_ms = AT_MS + (int64_t)event.seq * 1000;
    event.words = words;
    event.word_count = word == NULL ? 0 : 1;
    if (event.friend != NO_ID && event.friend < engine_state(engine)->friends.count) {
        event.friend_prev = state_friend(engine_state(engine), event.friend)->newest_seq;
    }
    event_encode(&event, salt, &bytes, &row);
    log_events_add(&framed, buf_span(&bytes));
    const struct span id = span_of(&event.seq, sizeof(event.seq));
    const struct log_content content = {event.seq, buf_span(&row)};
    const struct log_batch batch = {.time_ms = event.at_ms,
                                    .event_count = 1,
                                    .events = buf_span(&framed),
                                    .content = &content,
                                    .content_count = row.len > 0,
                                    .ids = &id,
                                    .id_count = 1};
    ck_assert_int_eq(log_append(log_of_test, &batch, event.seq), RC_OK);
    engine_apply(engine, &event);
    buf_fini(&bytes);
    buf_fini(&row);
    buf_fini(&framed);
}

static inline void
append_stop(uint64_t wrong_by)
{
    struct event stopped = {.kind = EVENT_STOPPED, .friend = NO_ID};
    stopped.u.stopped.state_version = STATE_VERSION;
    stopped.u.stopped.digest = state_digest(engine_state(engine)) ^ wrong_by;
    stopped.u.stopped.state_version = STATE_VERSION;
    append(stopped, NULL);
}

/* 1 claimed, 2 and 4 friends, 3 and 5 tags, 6 a message, 7 a delivery with a token. */
static void
setup(void)
{
    const struct log_options options = {.mode = LOG_CLAIM};
    const uint8_t run_id[LOG_RUN_ID_BYTES] = {7};
    strcpy(directory, "steplog-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(log_open(directory, &options, &log_of_test), RC_OK);
    log_set_run_id(log_of_test, run_id);
    engine = engine_new(&NO_CALLS);

    struct event claimed = {.kind = EVENT_CLAIMED, .friend = NO_ID};
    claimed.u.claimed.path = span_cstr("/somewhere");
    append(claimed, NULL);
    for (uint32_t friend = 0; friend < 2; friend ++) {
        struct event added = {.kind = EVENT_FRIEND_ADDED, .friend = friend};
        struct event tagged = {.kind = EVENT_TAG_ADDED,
                               .friend = friend,
                               .source = {SOURCE_OPERATOR, 1000, 0},
                               .u.tag = {.tag = 4}};
        append(added, friend == 0 ? "Uaaaa" : "Ubbbb");
        append(tagged, NULL);
    }
    struct event message = {.kind = EVENT_MESSAGE_RECEIVED, .friend = 0};
    message.u.act.button = message.u.act.choice = NO_ID;
    append(message, "こんにちは");
    struct event planned = {.kind = EVENT_DELIVERY_PLANNED, .friend = 1};
    planned.u.delivery.item_count = 2;
    planned.u.delivery.items[0] = (struct delivery_item){.template = 3, .enrolment = NO_ID};
    planned.u.delivery.items[1] = (struct delivery_item){.template = 5, .enrolment = NO_ID};
    append(planned, "canary-token");
}

static inline void
close_log(void)
{
    log_close(log_of_test);
    log_of_test = NULL;
}

static void
teardown(void)
{
    close_log();
    engine_free(engine);
    buf_fini(&output);
    scratch_remove(directory);
}

/* Runs "steplog ARGUMENTS" with both streams in `output`; returns its exit code. */
static int
run(const char *arguments)
{
    char command[512], block[4096];
    snprintf(command, sizeof(command), "bin/steplog %s 2>&1", arguments);
    buf_clear(&output);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    for (size_t got; (got = fread(block, 1, sizeof(block), pipe)) > 0;) {
        buf_append(&output, block, got);
    }
    int status = pclose(pipe);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static inline int
run_in(const char *command, const char *more)
{
    char arguments[256];
    snprintf(arguments, sizeof(arguments), "%s -d %s %s", command, directory, more);
    return run(arguments);
}

static inline void
assert_says(const char *text)
{
    ck_assert_msg(strstr(buf_cstr(&output), text) != NULL, "no '%s' in:\n%s", text,
                  buf_cstr(&output));
}

static inline void
assert_silent_about(const char *text)
{
    ck_assert_msg(strstr(buf_cstr(&output), text) == NULL, "'%s' in:\n%s", text, buf_cstr(&output));
}

static inline size_t
lines(void)
{
    size_t count = 0;
    for (const char *at = buf_cstr(&output); *at != '\0'; at++) {
        count += *at == '\n';
    }
    return count;
}

#endif
