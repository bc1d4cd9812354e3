/* Webhook bodies as LINE would make them: what is missing is filled in, what is there stays. */
#include "tools/fakeline/webhook_events.h"

#include <check.h>
#include <stdlib.h>

enum { NOW_MS = 1780000000 };

static struct platform platform;
static struct buf body;
static json_t *events;
static const char *problem;

static void
set_up(void)
{
    platform_init(&platform, 7);
    body = (struct buf){0};
    events = NULL;
}

static void
tear_down(void)
{
    json_decref(events);
    buf_fini(&body);
    platform_fini(&platform);
}

static enum rc
make(const char *text)
{
    json_decref(events);
    events = NULL;
    buf_clear(&body);
    json_t *command = json_loads(text, JSON_ALLOW_NUL, NULL);
    ck_assert_ptr_nonnull(command);
    enum rc rc = webhook_body_make(&platform, command, NOW_MS, &body, &events, &problem);
    json_decref(command);
    return rc;
}

static const char *
text_of(size_t index, const char *name)
{
    return json_string_value(json_object_get(json_array_get(events, index), name));
}

START_TEST(missing_fields_are_filled_in)
{
    ck_assert_int_eq(make("{\"events\":[{\"type\":\"follow\",\"source\":{\"userId\":\"U1\"}}]}"),
                     RC_OK);
    const json_t *event = json_array_get(events, 0);
    ck_assert_uint_eq(strlen(text_of(0, "webhookEventId")), 26);
    ck_assert_str_eq(text_of(0, "mode"), "active");
    ck_assert_int_eq(json_integer_value(json_object_get(event, "timestamp")), NOW_MS);
    ck_assert(
        json_is_false(json_object_get(json_object_get(event, "deliveryContext"), "isRedelivery")));
    ck_assert_str_eq(tokens_user(platform.tokens, text_of(0, "replyToken"), NOW_MS), "U1");

    json_t *sent = json_loadb((const char *)body.data, body.len, 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(sent, "destination")), platform.bot_user_id);
    ck_assert(json_equal(json_object_get(sent, "events"), events));
    json_decref(sent);
}
END_TEST

START_TEST(what_is_given_stays)
{
    ck_assert_int_eq(
        make("{\"destination\":\"Ux\",\"events\":[{\"type\":\"message\",\"mode\":"
             "\"active\",\"timestamp\":5,\"webhookEventId\":\"E\",\"replyToken\":\"T\","
             "\"deliveryContext\":{\"isRedelivery\":true}}]}"),
        RC_OK);
    ck_assert_str_eq(
        (const char *)buf_cstr(&body),
        "{\"destination\":\"Ux\",\"events\":[{\"type\":\"message\",\"mode\":\"active\","
        "\"timestamp\":5,\"webhookEventId\":\"E\",\"replyToken\":\"T\","
        "\"deliveryContext\":{\"isRedelivery\":true}}]}");
    ck_assert_str_eq(tokens_user(platform.tokens, "T", NOW_MS), ""); /* an event of nobody */
}
END_TEST

static const char *const without_token[] = {
    "{\"type\":\"unfollow\"}",
    "{\"type\":\"leave\"}",
    "{\"type\":\"unsend\"}",
    "{\"type\":\"message\",\"mode\":\"standby\"}",
    "{\"type\":\"message\",\"replyToken\":null}",
    "{\"type\":\"accountLink\",\"link\":{\"result\":\"failed\"}}",
    "{}",
};

START_TEST(event_without_a_reply_token_gets_none)
{
    char command[200];
    snprintf(command, sizeof(command), "{\"events\":[%s]}", without_token[_i]);
    ck_assert_int_eq(make(command), RC_OK);
    ck_assert_ptr_null(json_object_get(json_array_get(events, 0), "replyToken"));
}
END_TEST

START_TEST(ids_and_tokens_differ_between_events_and_between_runs)
{
    ck_assert_int_eq(make("{\"events\":[{\"type\":\"follow\"},{\"type\":\"follow\"}]}"), RC_OK);
    ck_assert_str_ne(text_of(0, "webhookEventId"), text_of(1, "webhookEventId"));
    ck_assert_str_ne(text_of(0, "replyToken"), text_of(1, "replyToken"));
    char first[EVENT_ID_BYTES];
    snprintf(first, sizeof(first), "%s", text_of(0, "webhookEventId"));
    platform.ids = (struct ids){.run = 8};
    ck_assert_int_eq(make("{\"events\":[{\"type\":\"follow\"}]}"), RC_OK);
    ck_assert_str_ne(text_of(0, "webhookEventId"), first);
}
END_TEST

START_TEST(no_events_is_a_webhook_too)
{
    ck_assert_int_eq(make("{\"events\":[]}"), RC_OK);
    ck_assert_uint_eq(json_array_size(events), 0);
}
END_TEST

START_TEST(raw_bytes_go_as_they_are)
{
    ck_assert_int_eq(make("{\"raw\":\"{broken \\u0000 \\\\ud83e\"}"), RC_OK);
    ck_assert_uint_eq(body.len, 16);
    ck_assert_mem_eq(body.data, "{broken \0 \\ud83e", 16);
    ck_assert_uint_eq(json_array_size(events), 0);
}
END_TEST

START_TEST(tokens_in_raw_bytes_count_where_they_can_be_read)
{
    ck_assert_int_eq(
        make("{\"raw\":\" {\\\"events\\\":[{\\\"replyToken\\\":\\\"T\\\",\\\"source\\\":"
             "{\\\"userId\\\":\\\"U1\\\"}}]}\"}"),
        RC_OK);
    ck_assert_str_eq(tokens_user(platform.tokens, "T", NOW_MS), "U1");
    ck_assert_uint_eq(json_array_size(events), 1);
}
END_TEST

START_TEST(command_that_makes_no_sense_is_refused)
{
    const char *const wrong[] = {"{}", "{\"events\":{}}", "{\"events\":[7]}", "{\"raw\":7}",
                                 "{\"events\":[],\"destination\":7}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_int_eq(make(wrong[i]), RC_INVALID);
        ck_assert_ptr_nonnull(problem);
        ck_assert_ptr_null(events);
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("fakeline webhook");
    TCase *tcase = tcase_create("webhook");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, missing_fields_are_filled_in);
    tcase_add_test(tcase, what_is_given_stays);
    tcase_add_loop_test(tcase, event_without_a_reply_token_gets_none, 0,
                        (int)(sizeof(without_token) / sizeof(without_token[0])));
    tcase_add_test(tcase, ids_and_tokens_differ_between_events_and_between_runs);
    tcase_add_test(tcase, no_events_is_a_webhook_too);
    tcase_add_test(tcase, raw_bytes_go_as_they_are);
    tcase_add_test(tcase, tokens_in_raw_bytes_count_where_they_can_be_read);
    tcase_add_test(tcase, command_that_makes_no_sense_is_refused);
    suite_add_tcase(suite, tcase);
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
