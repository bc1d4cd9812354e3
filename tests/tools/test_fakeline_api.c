/* LINE's side of the Messaging API, one call at a time: who is refused, with which words, and what is accepted. */
#include "tools/fakeline/line_api.h"
#include "tools/fakeline/webhook_events.h"

#include <check.h>
#include <stdlib.h>

#define PUSH "/v2/bot/message/push"
#define MULTICAST "/v2/bot/message/multicast"
#define REPLY "/v2/bot/message/reply"
#define MESSAGES "\"messages\":[{\"type\":\"text\",\"text\":\"a\"}]"
#define PUSH_U1 "{\"to\":\"U1\"," MESSAGES "}"
#define KEY "11111111-2222-4333-8444-555555555555"

enum { START_MS = 1780000000 };

static struct platform platform;
static struct api_call call;     /* what the next call is made of */
static struct api_answer answer; /* of the last call */

static void
set_up(void)
{
    platform_init(&platform, 7);
    platform.token = "good";
    call = (struct api_call){.method = "POST",
                             .path = PUSH,
                             .authorization = "Bearer good",
                             .content_type = "application/json",
                             .now_ms = START_MS};
    answer = (struct api_answer){0};
}

static void
tear_down(void)
{
    json_decref(answer.body);
    platform_fini(&platform);
}

static unsigned
ask(const char *path, const char *body)
{
    json_decref(answer.body);
    call.path = path;
    call.body = span_cstr(body);
    line_api_answer(&platform, &call, &answer);
    return answer.status;
}

static unsigned
get(const char *path)
{
    call.method = "GET";
    unsigned status = ask(path, "");
    call.method = "POST";
    return status;
}

static const char *
message(void)
{
    const char *text = json_string_value(json_object_get(answer.body, "message"));
    return text == NULL ? "(none)" : text;
}

static const char *
sent_id(size_t index)
{
    const json_t *sent = json_object_get(answer.body, "sentMessages");
    return json_string_value(json_object_get(json_array_get(sent, index), "id"));
}

static json_t *
rows_after(const struct rows *rows, size_t after)
{
    struct buf text = {0};
    rows_list(rows, after, "rows", &text);
    json_t *list = json_loadb((const char *)text.data, text.len, 0, NULL);
    buf_fini(&text);
    return list;
}

static size_t
accepted_count(void)
{
    return accepted_rows(platform.accepted)->count;
}

static void
declare(const char *id, const char *text)
{
    const char *problem = NULL;
    json_t *declaration = json_loads(text, 0, NULL);
    ck_assert_int_eq(users_declare(platform.users, id, declaration, &problem), RC_OK);
    json_decref(declaration);
}

static void
fault(const char *text)
{
    const char *problem = NULL;
    json_t *row = json_loads(text, 0, NULL);
    ck_assert_int_eq(faults_add(platform.faults, row, &problem), RC_OK);
    json_decref(row);
}

/* ---- the outer form ---- */

START_TEST(wrong_or_missing_token_is_401)
{
    call.authorization = "Bearer bad";
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 401);
    call.authorization = NULL;
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 401);
    call.authorization = "Basic good";
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 401);
    ck_assert_ptr_nonnull(strstr(message(), "Authentication failed due to the following reason: "));
    ck_assert_uint_eq(accepted_count(), 0);
    platform.token = NULL; /* any will do, but one there must be */
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 401);
    call.authorization = "Bearer whatever";
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 200);
}
END_TEST

START_TEST(wrong_media_type_is_415)
{
    call.content_type = "text/plain";
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 415);
    ck_assert_str_eq(message(), "The content type, text/plain, is not supported");
    call.content_type = NULL;
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 415);
    call.content_type = "\xff\xfe";
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 415);
    call.content_type = "application/jsonp";
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 415);
    call.content_type = "Application/JSON; charset=utf-8";
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 200);
}
END_TEST

START_TEST(body_over_2_mb_is_413)
{
    size_t bytes = 2 * 1024 * 1024 + 1;
    char *body = malloc(bytes + 1);
    memset(body, ' ', bytes);
    memcpy(body, PUSH_U1, strlen(PUSH_U1));
    body[bytes] = '\0';
    ck_assert_uint_eq(ask(PUSH, body), 413);
    body[bytes - 1] = '\0';
    ck_assert_uint_eq(ask(PUSH, body), 200);
    free(body);
}
END_TEST

START_TEST(body_that_is_no_json_object_is_400)
{
    const char *const wrong[] = {"", "{", "[]", "7", "{\"to\":\"U1\",\"to\":\"U2\"," MESSAGES "}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_uint_eq(ask(PUSH, wrong[i]), 400);
    }
    ck_assert_uint_eq(accepted_count(), 0);
}
END_TEST

START_TEST(wrong_path_or_method_is_404)
{
    ck_assert_uint_eq(ask("/v2/bot/message/pus", PUSH_U1), 404);
    ck_assert_str_eq(message(), "Not found");
    ck_assert_uint_eq(get(PUSH), 404);
    call.method = "P\xff";
    ck_assert_uint_eq(ask("/\xff", PUSH_U1), 404); /* noted, and no harm done */
    ck_assert_uint_eq(platform.requests.count, 3);
}
END_TEST

START_TEST(each_answer_has_a_request_id_of_its_own)
{
    char first[REQUEST_ID_BYTES];
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 200);
    memcpy(first, answer.request_id, sizeof(first));
    ck_assert_uint_eq(strlen(first), 36);
    ck_assert_uint_eq(ask(PUSH, "{"), 400);
    ck_assert_str_ne(answer.request_id, first);
}
END_TEST

/* ---- push ---- */

START_TEST(push_is_accepted_and_tells_the_message_ids_in_order)
{
    ck_assert_uint_eq(ask(PUSH, "{\"to\":\"U1\",\"messages\":[{\"type\":\"text\",\"text\":\"a\"},"
                                "{\"type\":\"location\",\"title\":\"t\",\"address\":\"b\","
                                "\"latitude\":1,\"longitude\":2}]}"),
                      200);
    const json_t *sent = json_object_get(answer.body, "sentMessages");
    ck_assert_uint_eq(json_array_size(sent), 2);
    ck_assert_uint_eq(strlen(sent_id(0)), 18);
    ck_assert_str_ne(sent_id(0), sent_id(1));
    ck_assert_ptr_nonnull(json_object_get(json_array_get(sent, 0), "quoteToken"));
    ck_assert_ptr_null(json_object_get(json_array_get(sent, 1), "quoteToken"));

    json_t *list = rows_after(accepted_rows(platform.accepted), 0);
    const json_t *row = json_array_get(json_object_get(list, "rows"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(row, "endpoint")), "push");
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(row, "to"), 0)), "U1");
    ck_assert_str_eq(json_string_value(json_object_get(row, "request_id")), answer.request_id);
    ck_assert_int_eq(json_integer_value(json_object_get(row, "at_ms")), START_MS);
    ck_assert_uint_eq(json_array_size(json_object_get(row, "messages")), 2);
    ck_assert(json_is_true(json_object_get(row, "delivered")));
    json_decref(list);
}
END_TEST

START_TEST(push_without_a_recipient_is_400)
{
    const char *const wrong[] = {"{" MESSAGES "}", "{\"to\":\"\"," MESSAGES "}",
                                 "{\"to\":[\"U1\"]," MESSAGES "}", "{\"to\":null," MESSAGES "}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_uint_eq(ask(PUSH, wrong[i]), 400);
        ck_assert_str_eq(message(),
                         "The property, 'to', in the request body is invalid (line: -, column: -)");
    }
}
END_TEST

START_TEST(push_to_an_unknown_user_is_400)
{
    declare("U1", "{\"unknown\":true}");
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 400);
    ck_assert_str_eq(message(), "Failed to send messages");
    ck_assert_uint_eq(accepted_count(), 0);
}
END_TEST

START_TEST(push_to_who_blocks_is_200_not_delivered_and_not_counted)
{
    declare("U1", "{\"blocked\":true}");
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 200);
    json_t *list = rows_after(accepted_rows(platform.accepted), 0);
    const json_t *row = json_array_get(json_object_get(list, "rows"), 0);
    ck_assert(json_is_false(json_object_get(row, "delivered")));
    json_decref(list);
    ck_assert_uint_eq(accepted_usage(platform.accepted), 0);
}
END_TEST

START_TEST(messages_that_break_a_rule_are_not_accepted)
{
    ck_assert_uint_eq(ask(PUSH, "{\"to\":\"U1\",\"messages\":[{\"type\":\"text\"}]}"), 400);
    ck_assert_str_eq(message(), "The request body has 1 error(s)");
    ck_assert_uint_eq(accepted_count(), 0);
}
END_TEST

/* ---- retry keys ---- */

START_TEST(repeated_key_is_409_with_what_was_answered_first)
{
    call.retry_key = KEY;
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 200);
    char request_id[REQUEST_ID_BYTES], id[MESSAGE_ID_BYTES];
    memcpy(request_id, answer.request_id, sizeof(request_id));
    snprintf(id, sizeof(id), "%s", sent_id(0));
    ck_assert_str_eq(answer.accepted_request_id, "");

    call.now_ms += RETRY_KEY_LIFE_MS - 1;
    declare("U1", "{\"unknown\":true}"); /* accepted is accepted, whatever became of the friend */
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 409);
    ck_assert_str_eq(message(), "The retry key is already accepted");
    ck_assert_str_eq(answer.accepted_request_id, request_id);
    ck_assert_str_ne(answer.request_id, request_id);
    ck_assert_str_eq(sent_id(0), id);
    ck_assert_uint_eq(accepted_count(), 1);
}
END_TEST

START_TEST(key_older_than_24_hours_sends_again)
{
    call.retry_key = KEY;
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 200);
    call.now_ms += RETRY_KEY_LIFE_MS;
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 200);
    ck_assert_uint_eq(accepted_count(), 2);
}
END_TEST

START_TEST(key_of_a_refused_request_may_be_used_again)
{
    call.retry_key = KEY;
    fault("{\"endpoint\":\"push\",\"kind\":\"status\",\"status\":500}");
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 500);
    ck_assert_uint_eq(ask(PUSH, "{\"to\":\"U1\",\"messages\":[]}"), 400);
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 200);
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 409);
}
END_TEST

START_TEST(key_that_is_no_uuid_is_400)
{
    const char *const wrong[] = {"", "1", "11111111222243338444555555555555", KEY "0",
                                 "g1111111-2222-4333-8444-555555555555"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        call.retry_key = wrong[i];
        ck_assert_uint_eq(ask(PUSH, PUSH_U1), 400);
    }
}
END_TEST

/* ---- multicast ---- */

START_TEST(multicast_counts_each_recipient_who_does_not_block)
{
    declare("U2", "{\"blocked\":true}");
    ck_assert_uint_eq(ask(MULTICAST, "{\"to\":[\"U1\",\"U2\",\"U3\"]," MESSAGES "}"), 200);
    ck_assert_uint_eq(json_object_size(answer.body), 0);
    ck_assert_uint_eq(accepted_usage(platform.accepted), 2);
    json_t *list = rows_after(accepted_rows(platform.accepted), 0);
    const json_t *row = json_array_get(json_object_get(list, "rows"), 0);
    ck_assert(json_is_true(json_object_get(row, "delivered")));
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(row, "blocked"), 0)), "U2");
    json_decref(list);
}
END_TEST

static unsigned
multicast_to(size_t count)
{
    struct buf body = {0};
    buf_append_cstr(&body, "{\"to\":[");
    for (size_t i = 0; i < count; i++) {
        buf_printf(&body, "%s\"U%zu\"", i > 0 ? "," : "", i);
    }
    buf_append_cstr(&body, "]," MESSAGES "}");
    unsigned status = ask(MULTICAST, buf_cstr(&body));
    buf_fini(&body);
    return status;
}

START_TEST(multicast_takes_1_to_500_ids)
{
    ck_assert_uint_eq(multicast_to(0), 400);
    ck_assert_uint_eq(multicast_to(1), 200);
    ck_assert_uint_eq(multicast_to(500), 200);
    ck_assert_uint_eq(multicast_to(501), 400);
    ck_assert_uint_eq(ask(MULTICAST, PUSH_U1), 400); /* no array */
}
END_TEST

START_TEST(multicast_names_the_bad_id_and_sends_to_nobody)
{
    declare("U9", "{\"unknown\":true}");
    ck_assert_uint_eq(ask(MULTICAST, "{\"to\":[\"U1\",\"U9\"]," MESSAGES "}"), 400);
    ck_assert_str_eq(message(),
                     "The property, to[1], in the request body is invalid (line: -, column: -)");
    ck_assert_uint_eq(ask(MULTICAST, "{\"to\":[\"C1\"]," MESSAGES "}"), 400);
    ck_assert_uint_eq(ask(MULTICAST, "{\"to\":[\"U1\",7]," MESSAGES "}"), 400);
    ck_assert_uint_eq(accepted_count(), 0);
}
END_TEST

/* ---- reply ---- */

/* A webhook with a message of U1 at now; its reply token. */
static void
receive_message(const char *token)
{
    json_t *command = json_pack("{s:[{s:s,s:s,s:{s:s}}]}", "events", "type", "message",
                                "replyToken", token, "source", "userId", "U1");
    struct buf body = {0};
    json_t *events = NULL;
    const char *problem = NULL;
    ck_assert_int_eq(webhook_body_make(&platform, command, call.now_ms, &body, &events, &problem),
                     RC_OK);
    buf_fini(&body);
    json_decref(events);
    json_decref(command);
}

#define REPLY_T "{\"replyToken\":\"t\"," MESSAGES "}"

START_TEST(reply_goes_to_the_tokens_user_once_and_is_free)
{
    receive_message("t");
    ck_assert_uint_eq(ask(REPLY, REPLY_T), 200);
    ck_assert_ptr_nonnull(sent_id(0));
    json_t *list = rows_after(accepted_rows(platform.accepted), 0);
    const json_t *row = json_array_get(json_object_get(list, "rows"), 0);
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(row, "to"), 0)), "U1");
    json_decref(list);
    ck_assert_uint_eq(accepted_usage(platform.accepted), 0);
    ck_assert_uint_eq(ask(REPLY, REPLY_T), 400);
    ck_assert_str_eq(message(), "Invalid reply token");
}
END_TEST

START_TEST(reply_token_unknown_or_a_minute_old_is_400)
{
    ck_assert_uint_eq(ask(REPLY, REPLY_T), 400);
    ck_assert_str_eq(message(), "Invalid reply token");
    receive_message("t");
    call.now_ms += TOKEN_LIFE_MS + 1;
    ck_assert_uint_eq(ask(REPLY, REPLY_T), 400);
    call.now_ms -= 1;
    ck_assert_uint_eq(ask(REPLY, REPLY_T), 200);
    ck_assert_uint_eq(ask(REPLY, "{" MESSAGES "}"), 400);
}
END_TEST

START_TEST(refused_reply_leaves_its_token_good)
{
    receive_message("t");
    ck_assert_uint_eq(ask(REPLY, "{\"replyToken\":\"t\",\"messages\":[]}"), 400);
    fault("{\"endpoint\":\"reply\",\"kind\":\"status\",\"status\":500,\"user\":\"U1\"}");
    ck_assert_uint_eq(ask(REPLY, REPLY_T), 500);
    ck_assert_uint_eq(ask(REPLY, REPLY_T), 200);
}
END_TEST

START_TEST(reply_with_a_retry_key_is_400)
{
    receive_message("t");
    call.retry_key = KEY;
    ck_assert_uint_eq(ask(REPLY, REPLY_T), 400);
    call.retry_key = NULL;
    ck_assert_uint_eq(ask(REPLY, REPLY_T), 200);
}
END_TEST

/* ---- asking ---- */

START_TEST(profile_is_404_where_line_does_not_show_it)
{
    ck_assert_uint_eq(get("/v2/bot/profile/U1"), 200);
    ck_assert_str_eq(json_string_value(json_object_get(answer.body, "userId")), "U1");
    ck_assert_ptr_nonnull(json_object_get(answer.body, "displayName"));
    declare("U1", "{\"profile\":{\"displayName\":\"花子\"}}");
    ck_assert_uint_eq(get("/v2/bot/profile/U1"), 200);
    ck_assert_str_eq(json_string_value(json_object_get(answer.body, "displayName")), "花子");
    declare("U1", "{\"blocked\":true}");
    ck_assert_uint_eq(get("/v2/bot/profile/U1"), 404);
    ck_assert_str_eq(message(), "Not found");
    declare("U1", "{\"blocked\":false}");
    ck_assert_uint_eq(get("/v2/bot/profile/U1"), 200);
    declare("U1", "{\"unknown\":true}");
    ck_assert_uint_eq(get("/v2/bot/profile/U1"), 404);
    declare("U1", "{\"unknown\":false,\"profile\":null}");
    ck_assert_uint_eq(get("/v2/bot/profile/U1"), 404);
    ck_assert_uint_eq(get("/v2/bot/profile/"), 404);
    ck_assert_uint_eq(get("/v2/bot/profile/\xff"), 404);
}
END_TEST

START_TEST(info_names_the_bot)
{
    ck_assert_uint_eq(get("/v2/bot/info"), 200);
    ck_assert_str_eq(json_string_value(json_object_get(answer.body, "userId")),
                     platform.bot_user_id);
    ck_assert_uint_eq(strlen(platform.bot_user_id), 33);
}
END_TEST

START_TEST(quota_is_kept_and_told)
{
    ck_assert_uint_eq(get("/v2/bot/message/quota"), 200);
    ck_assert_str_eq(json_string_value(json_object_get(answer.body, "type")), "none");
    platform.quota = 3;
    ck_assert_uint_eq(get("/v2/bot/message/quota"), 200);
    ck_assert_int_eq(json_integer_value(json_object_get(answer.body, "value")), 3);

    ck_assert_uint_eq(multicast_to(2), 200);
    ck_assert_uint_eq(multicast_to(2), 429);
    ck_assert_str_eq(message(), "You have reached your monthly limit.");
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 200);
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 429);
    ck_assert_uint_eq(get("/v2/bot/message/quota/consumption"), 200);
    ck_assert_int_eq(json_integer_value(json_object_get(answer.body, "totalUsage")), 3);
}
END_TEST

/* ---- faults ---- */

START_TEST(status_fault_answers_in_lines_stead_and_accepts_nothing)
{
    fault("{\"endpoint\":\"push\",\"kind\":\"status\",\"status\":429,\"message\":\"slow down\"}");
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 429);
    ck_assert_str_eq(message(), "slow down");
    ck_assert_uint_eq(accepted_count(), 0);
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 200);
}
END_TEST

static const struct {
    const char *fault;
    enum fault_kind kind;
    size_t accepted;
    int status_seen;
} kept_answers[] = {
    {"{\"endpoint\":\"push\",\"kind\":\"reset\"}", FAULT_RESET, 0, 0},
    {"{\"endpoint\":\"push\",\"kind\":\"reset_after_accept\"}", FAULT_RESET_AFTER_ACCEPT, 1, 0},
    {"{\"endpoint\":\"push\",\"kind\":\"stall_after_accept\"}", FAULT_STALL_AFTER_ACCEPT, 1, 0},
    {"{\"endpoint\":\"push\",\"kind\":\"delay\",\"delay_ms\":5}", FAULT_DELAY, 1, 200},
};

START_TEST(fault_says_how_the_answer_is_kept_and_whether_line_accepted)
{
    fault(kept_answers[_i].fault);
    (void)ask(PUSH, PUSH_U1);
    ck_assert_int_eq(answer.fault.kind, kept_answers[_i].kind);
    ck_assert_uint_eq(accepted_count(), kept_answers[_i].accepted);

    json_t *list = rows_after(&platform.requests, 0);
    const json_t *row = json_array_get(json_object_get(list, "rows"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(row, "status")),
                     kept_answers[_i].status_seen);
    ck_assert_str_eq(json_string_value(json_object_get(row, "fault")),
                     fault_kind_name(kept_answers[_i].kind));
    json_decref(list);
}
END_TEST

START_TEST(reset_platform_forgets_all_but_the_account)
{
    call.retry_key = KEY;
    declare("U2", "{\"unknown\":true}");
    fault("{\"endpoint\":\"push\",\"kind\":\"status\",\"times\":9,\"user\":\"U2\"}");
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 200);
    receive_message("t");
    platform_reset(&platform);
    ck_assert_uint_eq(accepted_count(), 0);
    ck_assert_uint_eq(platform.requests.count, 0);
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 200);
    call.retry_key = NULL;
    ck_assert_uint_eq(ask(PUSH, "{\"to\":\"U2\"," MESSAGES "}"), 200);
    ck_assert_uint_eq(ask(REPLY, REPLY_T), 400);
    call.authorization = "Bearer bad";
    ck_assert_uint_eq(ask(PUSH, PUSH_U1), 401);
}
END_TEST

static TCase *
tcase_new(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static Suite *
suite(void)
{
    Suite *suite = suite_create("fakeline api");
    TCase *form = tcase_new(suite, "form");
    tcase_add_test(form, wrong_or_missing_token_is_401);
    tcase_add_test(form, wrong_media_type_is_415);
    tcase_add_test(form, body_over_2_mb_is_413);
    tcase_add_test(form, body_that_is_no_json_object_is_400);
    tcase_add_test(form, wrong_path_or_method_is_404);
    tcase_add_test(form, each_answer_has_a_request_id_of_its_own);

    TCase *push = tcase_new(suite, "push");
    tcase_add_test(push, push_is_accepted_and_tells_the_message_ids_in_order);
    tcase_add_test(push, push_without_a_recipient_is_400);
    tcase_add_test(push, push_to_an_unknown_user_is_400);
    tcase_add_test(push, push_to_who_blocks_is_200_not_delivered_and_not_counted);
    tcase_add_test(push, messages_that_break_a_rule_are_not_accepted);

    TCase *keys = tcase_new(suite, "retry keys");
    tcase_add_test(keys, repeated_key_is_409_with_what_was_answered_first);
    tcase_add_test(keys, key_older_than_24_hours_sends_again);
    tcase_add_test(keys, key_of_a_refused_request_may_be_used_again);
    tcase_add_test(keys, key_that_is_no_uuid_is_400);

    TCase *multicast = tcase_new(suite, "multicast");
    tcase_add_test(multicast, multicast_counts_each_recipient_who_does_not_block);
    tcase_add_test(multicast, multicast_takes_1_to_500_ids);
    tcase_add_test(multicast, multicast_names_the_bad_id_and_sends_to_nobody);

    TCase *reply = tcase_new(suite, "reply");
    tcase_add_test(reply, reply_goes_to_the_tokens_user_once_and_is_free);
    tcase_add_test(reply, reply_token_unknown_or_a_minute_old_is_400);
    tcase_add_test(reply, refused_reply_leaves_its_token_good);
    tcase_add_test(reply, reply_with_a_retry_key_is_400);

    TCase *asking = tcase_new(suite, "asking");
    tcase_add_test(asking, profile_is_404_where_line_does_not_show_it);
    tcase_add_test(asking, info_names_the_bot);
    tcase_add_test(asking, quota_is_kept_and_told);

    TCase *faults = tcase_new(suite, "faults");
    tcase_add_test(faults, status_fault_answers_in_lines_stead_and_accepts_nothing);
    tcase_add_loop_test(faults, fault_says_how_the_answer_is_kept_and_whether_line_accepted, 0, 4);
    tcase_add_test(faults, reset_platform_forgets_all_but_the_account);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
