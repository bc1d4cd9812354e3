/* The scripted LINE keeps LINE's own rules: keys, tokens, and what is accepted once. */
#include "tools/stepctl/rehearsal_line.h"

#include "engine/civil.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena *arena;
static struct scripted_line *line;
static struct line_answer heard;
static int heard_count;

static void
done(void *context, const struct line_answer *answer)
{
    (void)context;
    heard = *answer;
    heard_count++;
}

static void
setup(void)
{
    arena = arena_new();
    line = scripted_line_new(arena);
    heard_count = 0;
    heard = (struct line_answer){0};
}

static void
teardown(void)
{
    scripted_line_free(line);
    arena_free(arena);
}

static uint32_t
ask(const struct line_request *request)
{
    struct line_client *client = scripted_line_client(line);
    int before = heard_count;
    client->send(client, request, done, NULL);
    ck_assert_int_eq(heard_count, before); /* never from within send() */
    ck_assert_uint_eq(scripted_line_answer(line), 1);
    ck_assert_int_eq(heard_count, before + 1);
    return heard.transport == LINE_ANSWERED ? heard.status : 0;
}

static uint32_t
push(const char *key, int64_t now_ms)
{
    return ask(&(struct line_request){.endpoint = LINE_PUSH,
                                      .body = span_cstr("{\"to\":\"A\",\"messages\":[]}"),
                                      .retry_key = span_cstr(key),
                                      .now_ms = now_ms});
}

static uint32_t
reply(const char *token, int64_t now_ms)
{
    char body[128];
    snprintf(body, sizeof(body), "{\"replyToken\":\"%s\",\"messages\":[]}", token);
    return ask(
        &(struct line_request){.endpoint = LINE_REPLY, .body = span_cstr(body), .now_ms = now_ms});
}

static uint32_t
accepted_count(void)
{
    uint32_t count = 0;
    (void)scripted_line_accepted(line, &count);
    return count;
}

START_TEST(a_key_is_accepted_once_in_a_day)
{
    ck_assert_uint_eq(push("k1", 0), 200);
    ck_assert_uint_eq(push("k1", MS_PER_DAY - 1), 409);
    ck_assert_uint_eq(push("k2", MS_PER_DAY - 1), 200);
    ck_assert_uint_eq(accepted_count(), 2);
    ck_assert_uint_eq(push("k1", MS_PER_DAY), 200); /* LINE has forgotten it: a second message */
    ck_assert_uint_eq(accepted_count(), 3);
}
END_TEST

START_TEST(a_token_serves_once_and_for_one_minute)
{
    scripted_line_issue(line, span_cstr("t1"), span_cstr("A"), 1000);
    scripted_line_issue(line, span_cstr("t2"), span_cstr("B"), 1000);
    ck_assert_uint_eq(reply("t1", 1000 + MS_PER_MINUTE), 200);
    ck_assert_uint_eq(reply("t1", 1000 + MS_PER_MINUTE), 400);
    ck_assert_uint_eq(reply("t2", 1001 + MS_PER_MINUTE), 400);
    ck_assert_uint_eq(reply("t3", 1000), 400);
    ck_assert_ptr_nonnull(strstr((const char *)heard.body.data, "Invalid reply token"));
    uint32_t count = 0;
    const struct accepted *accepted = scripted_line_accepted(line, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert(accepted[0].reply && span_equal_cstr(accepted[0].user, "A"));
}
END_TEST

START_TEST(a_redelivered_token_lives_again_unless_it_was_used)
{
    scripted_line_issue(line, span_cstr("used"), span_cstr("A"), 0);
    ck_assert_uint_eq(reply("used", 0), 200);
    scripted_line_issue(line, span_cstr("used"), span_cstr("A"), 5 * MS_PER_MINUTE);
    ck_assert_uint_eq(reply("used", 5 * MS_PER_MINUTE), 400);
    scripted_line_issue(line, span_cstr("late"), span_cstr("A"), 0);
    scripted_line_issue(line, span_cstr("late"), span_cstr("A"), 5 * MS_PER_MINUTE);
    ck_assert_uint_eq(reply("late", 5 * MS_PER_MINUTE), 200);
}
END_TEST

START_TEST(a_retry_key_on_a_reply_is_refused)
{
    scripted_line_issue(line, span_cstr("t"), span_cstr("A"), 0);
    ck_assert_uint_eq(ask(&(struct line_request){.endpoint = LINE_REPLY,
                                                 .body = span_cstr("{\"replyToken\":\"t\"}"),
                                                 .retry_key = span_cstr("k")}),
                      400);
    ck_assert_uint_eq(accepted_count(), 0);
}
END_TEST

static const struct {
    enum line_fault fault;
    uint32_t status, answered, accepted_first, answered_again, accepted_again;
} FAULTS[] = {
    {FAULT_STATUS, 500, 500, 0, 200, 1}, {FAULT_STATUS, 400, 400, 0, 200, 1},
    {FAULT_STATUS, 409, 409, 1, 409, 1}, {FAULT_TIMEOUT, 0, 0, 0, 200, 1},
    {FAULT_DROP, 0, 0, 1, 409, 1},
};

START_TEST(faults_hit_their_friend_and_then_are_over)
{
    scripted_line_fault(line, span_cstr("B"), FAULT_STATUS, 500, 9);
    scripted_line_fault(line, span_cstr("A"), FAULTS[_i].fault, FAULTS[_i].status, 1);
    ck_assert_uint_eq(push("k", 0), FAULTS[_i].answered);
    ck_assert_uint_eq(accepted_count(), FAULTS[_i].accepted_first);
    ck_assert_uint_eq(push("k", 0), FAULTS[_i].answered_again);
    ck_assert_uint_eq(accepted_count(), FAULTS[_i].accepted_again);
}
END_TEST

START_TEST(what_was_accepted_stays_when_the_answer_is_forgotten)
{
    struct line_client *client = scripted_line_client(line);
    const struct line_request request = {
        .endpoint = LINE_PUSH, .body = span_cstr("{\"to\":\"A\"}"), .retry_key = span_cstr("k")};
    client->send(client, &request, done, NULL);
    ck_assert(scripted_line_may_cut(line));
    scripted_line_forget(line);
    ck_assert(!scripted_line_may_cut(line));
    ck_assert_uint_eq(scripted_line_answer(line), 0);
    ck_assert_int_eq(heard_count, 0);
    ck_assert_uint_eq(push("k", 0), 409);
}
END_TEST

START_TEST(many_requests_are_answered_in_order)
{
    struct line_client *client = scripted_line_client(line);
    for (int i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%d", i);
        client->send(client,
                     &(struct line_request){.endpoint = LINE_PUSH,
                                            .body = span_cstr("{\"to\":\"A\"}"),
                                            .retry_key = span_cstr(key)},
                     done, NULL);
    }
    ck_assert_uint_eq(scripted_line_answer(line), 200);
    ck_assert_uint_eq(accepted_count(), 200);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("rehearsal_line");
    TCase *tcase = tcase_create("rehearsal_line");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_key_is_accepted_once_in_a_day);
    tcase_add_test(tcase, a_token_serves_once_and_for_one_minute);
    tcase_add_test(tcase, a_redelivered_token_lives_again_unless_it_was_used);
    tcase_add_test(tcase, a_retry_key_on_a_reply_is_refused);
    tcase_add_loop_test(tcase, faults_hit_their_friend_and_then_are_over, 0,
                        sizeof(FAULTS) / sizeof(FAULTS[0]));
    tcase_add_test(tcase, what_was_accepted_stays_when_the_answer_is_forgotten);
    tcase_add_test(tcase, many_requests_are_answered_in_order);
    suite_add_tcase(suite, tcase);
    return suite;
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
