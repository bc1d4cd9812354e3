/* The daemon over a log whose commits stand at a gate: the loop goes on, effects wait, and more than a
 * bounded amount is not taken in. */
#include "daemon/replay.h"
#include "tests/daemon/fixture.h"
#include "tests/store/gate.h"

#include <poll.h>

enum { FRIENDS = 100 }; /* as many replies as may leave at one instant */
#define ANNA "U0000000000000000000000000000000a"
#define BERT "U0000000000000000000000000000000b"
static const char GREETING[] = "templates: {T_hello: T_hello}\n"
                               "tags: {all: [vip]}\n"
                               "friend_add: {new: {send: T_hello}}\n";

/* The daemon with a greeting in force; from now on every commit stands. */
static void
open_house(void)
{
    gate_now_us = 1;
    struct log *log = gated_log();
    let(COMMITS_MAX);
    fixture_open_with(log);
    /* not by apply_yaml(), which runs one pass only */
    json_t *body = json_pack("{s:[{s:s,s:s}]}", "files", "name", "t.yaml", "text", GREETING);
    char *text = json_dumps(body, 0);
    json_decref(call_api("POST", "/v1/definitions", text, NULL));
    free(text);
    json_decref(body);
    ck_assert_int_eq(log_wait(core_log(fixture.core)), RC_OK);
    let(gate->arrived);
}

static void
close_house(void)
{
    let(COMMITS_MAX);
    fixture_close();
}

/* As the station does when the log wakes it: sometimes for nothing. */
static enum rc
wake(void)
{
    struct pollfd fd = {.fd = log_wake_fd(core_log(fixture.core)), .events = POLLIN};
    ck_assert_int_eq(poll(&fd, 1, 30000), 1);
    return core_poll(fixture.core);
}

/* All that waits is let through, and all that it causes. */
static void
catch_up(void)
{
    let(COMMITS_MAX);
    while (log_durable(core_log(fixture.core)) < core_state(fixture.core)->seq) {
        ck_assert_int_eq(wake(), RC_OK);
        fixture_settle(&fixture);
    }
}

static unsigned
follow(const char *friend_id)
{
    return post_webhook(event_body(friend_id, "follow", ""));
}

/* Counted, not timed: while one commit stands, the loop makes its passes. */
START_TEST(the_loop_goes_on_while_a_commit_stands)
{
    struct fixture *f = &fixture;
    uint64_t durable = log_durable(core_log(f->core));
    uint32_t commits = gate->arrived;
    for (int i = 0; i < FRIENDS; i++) {
        char friend_id[40];
        snprintf(friend_id, sizeof(friend_id), "U%032x", i);
        ck_assert_uint_eq(follow(friend_id), 200);
        (void)fixture_pass(f);
        ck_assert_int_eq(core_poll(f->core), RC_OK);
    }
    commits_arrive(commits + 1);
    ck_assert_uint_eq(log_durable(core_log(f->core)), durable);
    ck_assert_uint_gt(core_state(f->core)->seq, durable + 3 * FRIENDS);
    ck_assert_uint_eq(f->call_count, 0); /* nothing left the process */

    catch_up();
    ck_assert_uint_eq(f->reply_count, FRIENDS);
}
END_TEST

START_TEST(a_log_that_does_not_keep_up_takes_nothing_in)
{
    struct fixture *f = &fixture;
    ck_assert_uint_eq(follow(ANNA), 200);
    (void)fixture_pass(f);
    gate_now_us += CORE_BACKLOG_WAIT_US + 1;
    ck_assert(core_log_slow(f->core));

    uint64_t decided = core_state(f->core)->seq;
    ck_assert_uint_eq(follow(BERT), 503);
    ck_assert_uint_eq(webhook_counts(f->webhook).refused_busy, 1);
    unsigned status;
    json_t *answer = call_api("POST", "/v1/friends/0/tags", "{\"add\":[\"vip\"]}", &status);
    ck_assert_uint_eq(status, 503);
    ck_assert_str_eq(value_at(answer, "error.code"), "busy");
    json_decref(answer);
    ck_assert(!fixture_pass(f)); /* Anna's greeting is due, and not taken */
    ck_assert_int_eq(delivery_next(f->desk), INT64_MAX);
    ck_assert_uint_eq(core_state(f->core)->seq, decided);

    answer = call_api("GET", "/v1/status", "", NULL); /* reads are served */
    ck_assert_str_eq(value_at(answer, "log.backlog.slow"), "true");
    ck_assert_str_ne(value_at(answer, "log.backlog.batches"), "0");
    ck_assert_str_eq(value_at(answer, "log.backlog.oldest_ms"), "1500");
    json_decref(answer);

    catch_up();
    ck_assert(!core_log_slow(f->core));
    ck_assert_uint_eq(follow(BERT), 200);
    fixture_settle(f);
    catch_up();
    ck_assert_uint_eq(f->reply_count, 2);
}
END_TEST

START_TEST(a_backlog_of_many_bytes_takes_nothing_in)
{
    struct fixture *f = &fixture;
    static char text[6000], extra[7000];
    memset(text, 'x', 5000);
    snprintf(extra, sizeof(extra), ",\"message\":{\"type\":\"text\",\"id\":\"1\",\"text\":\"%s\"}",
             text);
    unsigned status = 200;
    uint32_t taken = 0;
    while (status == 200) {
        static char body[9000];
        int len = snprintf(body, sizeof(body), "%s", event_body(ANNA, "message", ""));
        snprintf(body + len - 3, sizeof(body) - (size_t)len, "%s}]}", extra);
        status = post_webhook(body);
        ck_assert_int_eq(core_flush(f->core), RC_OK);
        ck_assert_uint_lt(++taken, 20000);
    }
    ck_assert_uint_eq(status, 503);
    struct log_backlog backlog = log_backlog(core_log(f->core));
    ck_assert_uint_ge(backlog.bytes, CORE_BACKLOG_BYTES_MAX);
    ck_assert_uint_lt(backlog.bytes, CORE_BACKLOG_BYTES_MAX + 20000);
}
END_TEST

START_TEST(a_failed_commit_fails_the_core_and_releases_nothing)
{
    struct fixture *f = &fixture;
    gate->fail_at = gate->arrived + 1;
    ck_assert_uint_eq(follow(ANNA), 200);
    (void)fixture_pass(f);
    let(COMMITS_MAX);
    enum rc rc = RC_OK;
    while (rc == RC_OK) {
        rc = wake();
    }
    ck_assert_int_eq(rc, RC_IO);
    ck_assert(core_failed(f->core));
    ck_assert_ptr_nonnull(strstr(core_error(f->core), "the disk is gone"));
    ck_assert_uint_eq(f->call_count, 0);
    ck_assert_uint_eq(follow(BERT), 503);
    ck_assert_int_ne(core_flush(f->core), RC_OK);
}
END_TEST

START_TEST(a_repeated_webhook_is_a_duplicate_while_the_first_is_not_durable)
{
    char body[2000];
    snprintf(body, sizeof(body), "%s", event_body(ANNA, "follow", ""));
    for (uint64_t times = 0; times < 3; times++) {
        ck_assert_uint_eq(post_webhook(body), 200);
        ck_assert_uint_eq(webhook_counts(fixture.webhook).duplicates, times);
        ck_assert_int_eq(core_flush(fixture.core), RC_OK);
    }
}
END_TEST

/* Sent and taken back while the disk stands: in passes of their own, and in one. */
START_TEST(an_unsend_finds_a_message_that_is_not_durable_and_waits_for_nothing)
{
    struct fixture *f = &fixture;
    struct buf row = {0};
    struct event unsent;
    ck_assert_uint_eq(follow(ANNA), 200);
    ck_assert_int_eq(core_flush(f->core), RC_OK);
    uint64_t durable = log_durable(core_log(f->core));
    ck_assert_uint_eq(
        post_webhook(event_body(
            ANNA, "message", ",\"message\":{\"type\":\"text\",\"id\":\"5\",\"text\":\"canary\"}")),
        200);
    uint64_t message = core_state(f->core)->seq;
    if (_i == 0) {
        ck_assert_int_eq(core_flush(f->core), RC_OK);
        ck_assert_uint_eq(follow(BERT), 200); /* somebody else's events in between */
        ck_assert_int_eq(core_flush(f->core), RC_OK);
    }
    ck_assert_uint_eq(post_webhook(event_body(ANNA, "unsend", ",\"unsend\":{\"messageId\":\"5\"}")),
                      200);
    uint64_t unsend = core_state(f->core)->seq;
    ck_assert_uint_eq(log_durable(core_log(f->core)), durable);
    catch_up();
    struct arena *arena = arena_new();
    ck_assert_int_eq(replay_read_event(core_log(f->core), unsend, arena, &unsent), RC_OK);
    ck_assert_int_eq(unsent.kind, EVENT_MESSAGE_UNSENT);
    ck_assert_uint_eq(unsent.u.act.message, message);
    ck_assert_int_eq(log_read_content(core_log(f->core), message, &row), RC_NOT_FOUND);
    buf_fini(&row);
    arena_free(arena);
}
END_TEST

START_TEST(why_waits_until_what_it_tells_can_be_read)
{
    struct fixture *f = &fixture;
    ck_assert_uint_eq(follow(ANNA), 200);
    ck_assert_int_eq(core_flush(f->core), RC_OK);
    const struct api_request request = {
        .method = "GET", .path = "/v1/friends/0/why", .query = fixture_query, .query_context = f};
    struct api_reply reply;
    api_answer(f->api, &request, &reply);
    ck_assert_int_eq(reply.when, API_WHEN_READABLE);
    json_decref(reply.body);
    catch_up();
    api_answer(f->api, &request, &reply);
    ck_assert_int_eq(reply.when, API_NOW);
    ck_assert_str_eq(value_at(reply.body, "deliveries.0.outcome"), "sent");
    json_decref(reply.body);
}
END_TEST

START_TEST(without_room_the_api_refuses_what_changes_and_says_why)
{
    struct fixture *f = &fixture;
    f->standing.read_only = true;
    snprintf(f->standing.held, sizeof(f->standing.held), "disk: 1 MiB free, needs 64 MiB");
    ck_assert_uint_eq(follow(ANNA), 503);
    unsigned status;
    json_t *answer = call_api("POST", "/v1/friends/0/tags", "{\"add\":[\"vip\"]}", &status);
    ck_assert_uint_eq(status, 503);
    ck_assert_str_eq(value_at(answer, "error.code"), "read_only");
    ck_assert_ptr_nonnull(strstr(value_at(answer, "error.message"), "1 MiB free"));
    json_decref(answer);
    answer = call_api("GET", "/v1/status", "", NULL);
    ck_assert_str_eq(value_at(answer, "read_only"), "true");
    json_decref(answer);
    f->standing.read_only = false;
    ck_assert_uint_eq(follow(ANNA), 200);
}
END_TEST

START_TEST(a_core_opened_without_room_appends_nothing_until_it_claims)
{
    struct log *log = NULL;
    const struct log_options log_options = {.mode = LOG_CLAIM};
    ck_assert_int_eq(log_open(NULL, &log_options, &log), RC_OK);
    const struct core_options options = {.log = log,
                                         .clock = &fixture.clock,
                                         .zones = zones_source(fixture.zones),
                                         .directory = "",
                                         .claim_later = true,
                                         .random = fixture_random,
                                         .random_context = &fixture};
    struct core *core;
    ck_assert_int_eq(core_open(&options, &core), RC_OK);
    ck_assert(!core_claimed(core));
    ck_assert_int_eq(core_flush(core), RC_OK);
    ck_assert_uint_eq(log_newest(log), 0);
    ck_assert_int_eq(core_claim(core), RC_OK);
    ck_assert(core_claimed(core));
    ck_assert_uint_eq(log_newest(log), 1);
    core_close(core);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("slow_log");
    TCase *tc = tcase_create("slow_log");
    tcase_add_checked_fixture(tc, open_house, close_house);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, the_loop_goes_on_while_a_commit_stands);
    tcase_add_test(tc, a_log_that_does_not_keep_up_takes_nothing_in);
    tcase_add_test(tc, a_backlog_of_many_bytes_takes_nothing_in);
    tcase_add_test(tc, a_failed_commit_fails_the_core_and_releases_nothing);
    tcase_add_test(tc, a_repeated_webhook_is_a_duplicate_while_the_first_is_not_durable);
    tcase_add_loop_test(tc, an_unsend_finds_a_message_that_is_not_durable_and_waits_for_nothing, 0,
                        2);
    tcase_add_test(tc, why_waits_until_what_it_tells_can_be_read);
    tcase_add_test(tc, without_room_the_api_refuses_what_changes_and_says_why);
    tcase_add_test(tc, a_core_opened_without_room_appends_nothing_until_it_claims);
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
