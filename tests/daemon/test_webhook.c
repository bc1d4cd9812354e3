#include "tests/daemon/fixture.h"

#define ANNA "U0000000000000000000000000000000a"

START_TEST(a_signed_event_is_taken_in)
{
    ck_assert_uint_eq(post_webhook(event_body(ANNA, "follow", "")), 200);

    struct webhook_counts counts = webhook_counts(fixture.webhook);
    ck_assert_uint_eq(counts.accepted, 1);
    ck_assert_uint_eq(counts.events, 1);
    ck_assert_uint_ne(state_find_friend(core_state(fixture.core), span_cstr(ANNA)), NO_ID);
}
END_TEST

START_TEST(a_wrong_or_missing_signature_changes_nothing)
{
    const char *body = event_body(ANNA, "follow", "");
    char signature[SIGNATURE_TEXT_BYTES];
    signature_make(span_cstr("another secret"), span_cstr(body), signature);
    uint64_t before = core_state(fixture.core)->seq;

    ck_assert_uint_eq(webhook_accept(fixture.webhook, span_cstr(body), signature), 401);
    ck_assert_uint_eq(webhook_accept(fixture.webhook, span_cstr(body), NULL), 401);
    ck_assert_uint_eq(webhook_accept(fixture.webhook, span_cstr(body), ""), 401);

    ck_assert_uint_eq(core_state(fixture.core)->seq, before);
    ck_assert_uint_eq(webhook_counts(fixture.webhook).refused_signature, 3);
}
END_TEST

START_TEST(one_byte_changed_after_signing_is_refused)
{
    char body[2000], signature[SIGNATURE_TEXT_BYTES];
    snprintf(body, sizeof(body), "%s", event_body(ANNA, "follow", ""));
    signature_make(span_cstr(FIXTURE_SECRET), span_cstr(body), signature);
    body[strlen(body) - 1] = ' ';
    ck_assert_uint_eq(webhook_accept(fixture.webhook, span_cstr(body), signature), 401);
}
END_TEST

START_TEST(the_same_event_again_is_counted_and_dropped)
{
    char body[2000];
    snprintf(body, sizeof(body), "%s", event_body(ANNA, "follow", ""));
    ck_assert_uint_eq(post_webhook(body), 200);
    if (_i == 1) { /* within one pass, and from the log */
        fixture_settle(&fixture);
    }
    uint64_t before = core_state(fixture.core)->seq;

    ck_assert_uint_eq(post_webhook(body), 200);

    ck_assert_uint_eq(core_state(fixture.core)->seq, before);
    ck_assert_uint_eq(webhook_counts(fixture.webhook).duplicates, 1);
    ck_assert_uint_eq(webhook_counts(fixture.webhook).accepted, 2);
}
END_TEST

START_TEST(an_empty_list_of_events_is_accepted)
{
    uint64_t before = core_state(fixture.core)->seq;
    ck_assert_uint_eq(post_webhook("{\"destination\":\"" FIXTURE_BOT "\",\"events\":[]}"), 200);
    ck_assert_uint_eq(core_state(fixture.core)->seq, before);
}
END_TEST

START_TEST(a_signed_body_that_is_no_json_is_kept_and_accepted)
{
    uint64_t before = core_state(fixture.core)->seq;
    ck_assert_uint_eq(post_webhook("this is no JSON"), 200);
    ck_assert_uint_eq(core_state(fixture.core)->seq, before + 1);
    ck_assert_uint_eq(webhook_counts(fixture.webhook).unreadable, 1);
}
END_TEST

START_TEST(another_bots_events_are_recorded_and_start_nothing)
{
    snprintf(fixture.standing.bot_user_id, sizeof(fixture.standing.bot_user_id), "Uanother");
    ck_assert_uint_eq(post_webhook(event_body(ANNA, "follow", "")), 200);
    ck_assert_uint_eq(webhook_counts(fixture.webhook).foreign, 1);
    ck_assert_uint_eq(core_state(fixture.core)->friends.count, 0);
}
END_TEST

START_TEST(before_the_bot_is_known_every_destination_is_taken)
{
    fixture.standing.bot_user_id[0] = '\0';
    ck_assert_uint_eq(post_webhook(event_body(ANNA, "follow", "")), 200);
    ck_assert_uint_eq(core_state(fixture.core)->friends.count, 1);
}
END_TEST

START_TEST(a_body_over_the_limit_is_413)
{
    size_t bytes = WEBHOOK_BYTES_MAX + 1;
    char *body = malloc(bytes), signature[SIGNATURE_TEXT_BYTES];
    memset(body, ' ', bytes);
    signature_make(span_cstr(FIXTURE_SECRET), span_of(body, bytes), signature);
    ck_assert_uint_eq(webhook_accept(fixture.webhook, span_of(body, bytes), signature), 413);
    ck_assert_uint_eq(webhook_counts(fixture.webhook).refused_size, 1);
    free(body);
}
END_TEST

START_TEST(a_stopping_daemon_answers_503_to_line_and_401_to_strangers)
{
    fixture.standing.stopping = true;
    uint64_t before = core_state(fixture.core)->seq;
    ck_assert_uint_eq(post_webhook(event_body(ANNA, "follow", "")), 503);
    ck_assert_uint_eq(webhook_accept(fixture.webhook, span_cstr("{}"), "x"), 401);
    ck_assert_uint_eq(core_state(fixture.core)->seq, before);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("webhook");
    TCase *tc = tcase_create("accept");
    tcase_add_checked_fixture(tc, fixture_open, fixture_close);
    tcase_add_test(tc, a_signed_event_is_taken_in);
    tcase_add_test(tc, a_wrong_or_missing_signature_changes_nothing);
    tcase_add_test(tc, one_byte_changed_after_signing_is_refused);
    tcase_add_loop_test(tc, the_same_event_again_is_counted_and_dropped, 0, 2);
    tcase_add_test(tc, an_empty_list_of_events_is_accepted);
    tcase_add_test(tc, a_signed_body_that_is_no_json_is_kept_and_accepted);
    tcase_add_test(tc, another_bots_events_are_recorded_and_start_nothing);
    tcase_add_test(tc, before_the_bot_is_known_every_destination_is_taken);
    tcase_add_test(tc, a_body_over_the_limit_is_413);
    tcase_add_test(tc, a_stopping_daemon_answers_503_to_line_and_401_to_strangers);
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
