/* Why, with what decided it: conditions with their facts and events, windows; and what is due when. */
#include "tests/daemon/fixture.h"

static const char SHOP[] =
    "tags: {all: [answered]}\n"
    "fields: {points: {type: number, start: 0}}\n"
    "templates: {T_a: a, T_b: b, T_c: c, T_d: d}\n"
    "account: {zone: Asia/Tokyo, window: 09:00-21:00}\n"
    "friend_add: {new: {do: [ {start: S} ]}}\n"
    "buttons: {done: {do: [ {tag: +answered}, {field: points + 5} ]}}\n"
    "scenarios:\n"
    "  S:\n"
    "    steps:\n"
    "      a: {when: now, send: T_a}\n"
    "      b: {when: 1h after start, if: not tag:answered and field:points < 3, send: T_b}\n"
    "      c: {when: 13h after start, send: T_c}\n"
    "      d: {when: day 3 at 12:00, send: T_d}\n";

static void
open_shop(void)
{
    fixture_open();
    apply_yaml(SHOP);
    follows("Uanna"); /* 2026-06-01 10:00 */
}

static json_t *
why(void)
{
    return call_api("GET", "/v1/friends/Uanna/why", "", NULL);
}

static void
expect_value(const json_t *answer, const char *path, const char *wanted)
{
    ck_assert_msg(strcmp(value_at(answer, path), wanted) == 0, "%s is %s, not %s", path,
                  value_at(answer, path), wanted);
}

START_TEST(a_false_condition_is_told_with_its_facts_and_their_events)
{
    advance_to("2026-06-01 10:30:00");
    ck_assert_uint_eq(
        post_webhook(event_body("Uanna", "postback", ",\"postback\":{\"data\":\"done\"}")), 200);
    fixture_settle(&fixture);
    advance_to("2026-06-01 11:00:00");
    json_t *answer = why();
    expect_value(answer, "deliveries.1.source", "S/b");
    expect_value(answer, "deliveries.1.outcome", "skipped");
    expect_value(answer, "deliveries.1.rule", "R23");
    expect_value(answer, "deliveries.1.values.if", "not tag:answered and field:points < 3");
    expect_value(answer, "deliveries.1.because.0.fact", "tag:answered");
    expect_value(answer, "deliveries.1.because.0.value", "true");
    expect_value(answer, "deliveries.1.because.0.at", "2026-06-01T10:30:00.000+09:00");
    expect_value(answer, "deliveries.1.because.1.fact", "field:points < 3");
    expect_value(answer, "deliveries.1.because.1.value", "5");
    ck_assert_str_ne(value_at(answer, "deliveries.1.because.1.event"), "null");
    expect_value(answer, "deliveries.0.because.0", "absent"); /* it was sent */
    json_decref(answer);
}
END_TEST

START_TEST(facts_are_told_as_they_were_and_not_as_they_are)
{
    advance_to("2026-06-01 10:30:00");
    json_decref(call_api("POST", "/v1/friends/Uanna/fields", "{\"set\":{\"points\":9}}", NULL));
    advance_to("2026-06-01 11:00:00");
    json_decref(call_api("POST", "/v1/friends/Uanna/fields", "{\"set\":{\"points\":1}}", NULL));
    json_t *answer = why();
    expect_value(answer, "deliveries.1.because.0.value", "false"); /* never had the tag */
    expect_value(answer, "deliveries.1.because.0.event", "null");
    expect_value(answer, "deliveries.1.because.1.value", "9");
    json_decref(answer);
}
END_TEST

START_TEST(what_waits_for_the_window_says_which)
{
    advance_to("2026-06-01 23:30:00");
    json_t *answer = why();
    expect_value(answer, "deliveries.2.source", "S/c");
    expect_value(answer, "deliveries.2.outcome", "pending");
    expect_value(answer, "deliveries.2.values.window", "09:00-21:00");
    json_decref(answer);
}
END_TEST

START_TEST(what_is_due_is_counted_by_day_and_hour)
{
    follows("Ubert");
    advance_to("2026-06-01 23:30:00"); /* c waits for 09:00; d counts when c is decided */
    fixture.query_name = "days";
    fixture.query_value = "3";
    json_t *answer = call_api("GET", "/v1/due", "", NULL);
    expect_value(answer, "days.0.day", "2026-06-01");
    expect_value(answer, "days.0.weekday", "1"); /* a Monday */
    expect_value(answer, "days.0.total", "0");
    expect_value(answer, "days.1.hours.9", "2");
    expect_value(answer, "days.1.total", "2");
    expect_value(answer, "days.3", "absent");
    json_decref(answer);
    advance_to("2026-06-02 10:00:00");
    answer = call_api("GET", "/v1/due", "", NULL);
    expect_value(answer, "days.2.hours.12", "2");
    json_decref(answer);
    fixture.query_value = "1";
    answer = call_api("GET", "/v1/due", "", NULL);
    expect_value(answer, "later", "2");
    json_decref(answer);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("api_why");
    TCase *tc = tcase_create("why");
    tcase_add_checked_fixture(tc, open_shop, fixture_close);
    tcase_add_test(tc, a_false_condition_is_told_with_its_facts_and_their_events);
    tcase_add_test(tc, facts_are_told_as_they_were_and_not_as_they_are);
    tcase_add_test(tc, what_waits_for_the_window_says_which);
    tcase_add_test(tc, what_is_due_is_counted_by_day_and_hour);
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
