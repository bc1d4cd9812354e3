/* Reports through the API: what a scenario did, step by step, and friends by two dimensions. */
#include "tests/daemon/fixture.h"

static const char SHOP[] = "tags: {all: [vip, bought]}\n"
                           "fields: {area: text, points: {type: number, start: 1}}\n"
                           "marks: [new, done]\n"
                           "templates: {T_a: a, T_b: b, T_c: c}\n"
                           "account: {zone: Asia/Tokyo}\n"
                           "friend_add: {new: {do: [ {start: S} ]}}\n"
                           "conversions: {CV: {count: every, do: [ {tag: +bought} ]}}\n"
                           "links: {L: {to: 'https://example.jp/', track: liff}}\n"
                           "routes: {qr: {do: [ {tag: +vip} ]}}\n"
                           "scenarios:\n"
                           "  S:\n"
                           "    steps:\n"
                           "      a: {when: now, send: T_a}\n"
                           "      b: {when: 1h after start, if: not tag:vip, send: T_b}\n"
                           "      c: {when: 2h after start, send: T_c}\n";

static const char *const WHO[] = {"Uanna", "Ubert", "Ucarl"};

static void
post(const char *path, const char *body)
{
    json_decref(call_api("POST", path, body, NULL));
    fixture_settle(&fixture);
}

/* Three friends; Anna is a VIP, Bert leaves after b, Carl comes a day later. */
static void
open_shop(void)
{
    fixture_open();
    apply_yaml(SHOP);
    follows(WHO[0]);
    follows(WHO[1]);
    post("/v1/friends/0/tags", "{\"add\":[\"vip\"]}");
    post("/v1/friends/0/fields", "{\"set\":{\"area\":\"関東\",\"points\":5}}");
    post("/v1/friends/1/fields", "{\"set\":{\"area\":\"関西\"}}");
    advance_to("2026-06-01 11:30:00");
    ck_assert_uint_eq(post_webhook(event_body(WHO[1], "unfollow", "")), 200);
    fixture_settle(&fixture);
    advance_to("2026-06-02 10:00:00");
    follows(WHO[2]);
    post("/v1/friends/2/conversions/CV", "{}");
    advance_to("2026-06-02 13:00:00");
}

static void
query(const char *name, const char *value)
{
    size_t i = 0;
    while (fixture.queries[i][0] != NULL) {
        i++;
    }
    fixture.queries[i][0] = name;
    fixture.queries[i][1] = value;
}

static void
expect(json_t *answer, const char *path, const char *wanted)
{
    ck_assert_msg(strcmp(value_at(answer, path), wanted) == 0, "%s is %s, not %s", path,
                  value_at(answer, path), wanted);
}

START_TEST(a_scenario_is_told_step_by_step)
{
    json_t *answer = call_api("GET", "/v1/reports/scenarios/S", "", NULL);
    expect(answer, "entered", "3");
    expect(answer, "active", "0");
    expect(answer, "left_by.finished", "2");
    expect(answer, "left_by.blocked_by_friend", "1");
    expect(answer, "converted.0.conversion", "CV");
    expect(answer, "converted.0.friends", "1");
    expect(answer, "steps.0.step", "a");
    expect(answer, "steps.0.sent_reply", "3");
    expect(answer, "steps.0.blocked_24h", "1");
    expect(answer, "steps.1.sent_push", "2");
    expect(answer, "steps.1.skipped", "1");
    expect(answer, "steps.1.skipped_by.condition", "1");
    expect(answer, "steps.2.sent_push", "2");
    expect(answer, "steps.2.cancelled_by.blocked_by_friend", "1");
    json_decref(answer);
}
END_TEST

START_TEST(a_report_is_of_the_days_it_is_asked_for)
{
    query("from", "2026-06-02");
    query("until", "2026-06-02");
    json_t *answer = call_api("GET", "/v1/reports/scenarios/S", "", NULL);
    expect(answer, "entered", "1");
    expect(answer, "steps.0.sent_reply", "1");
    expect(answer, "steps.0.blocked_24h", "0");
    expect(answer, "steps.1.skipped", "0");
    json_decref(answer);
    fixture.queries[0][1] = "2026-06-03";
    answer = call_api("GET", "/v1/reports/scenarios/S", "", NULL);
    expect(answer, "entered", "0");
    json_decref(answer);
    fixture.queries[0][1] = "yesterday";
    unsigned status;
    json_decref(call_api("GET", "/v1/reports/scenarios/S", "", &status));
    ck_assert_uint_eq(status, 400);
}
END_TEST

START_TEST(friends_are_parted_by_two_dimensions)
{
    query("rows", "field:area");
    query("columns", "tag:vip,tag:bought");
    json_t *answer = call_api("GET", "/v1/reports/cross", "", NULL);
    expect(answer, "rows.0", "関東");
    expect(answer, "rows.1", "関西");
    expect(answer, "rows.2", "null"); /* Carl has said nothing */
    expect(answer, "columns.0", "tag:vip");
    expect(answer, "cells.0.0", "1");
    expect(answer, "cells.1.0", "0");
    expect(answer, "cells.2.1", "1");
    json_decref(answer);
    fixture.queries[1][1] = "added:month";
    query("value", "sum:points");
    answer = call_api("GET", "/v1/reports/cross", "", NULL);
    expect(answer, "columns.0", "2026-06");
    expect(answer, "cells.0.0", "5");
    expect(answer, "cells.1.0", "1"); /* the start value */
    json_decref(answer);
    fixture.queries[2][1] = "converted:CV";
    answer = call_api("GET", "/v1/reports/cross", "", NULL);
    expect(answer, "cells.0.0", "0");
    expect(answer, "cells.2.0", "1");
    json_decref(answer);
    fixture.queries[2][1] = "friends";
    query("where", "not tag:vip");
    answer = call_api("GET", "/v1/reports/cross", "", NULL);
    expect(answer, "cells.0.0", "0");
    expect(answer, "cells.1.0", "1");
    json_decref(answer);
}
END_TEST

START_TEST(clicks_and_routes_are_counted)
{
    post("/v1/friends/0/clicks/L", "{}");
    post("/v1/friends/0/clicks/L", "{}");
    post("/v1/friends/2/clicks/L", "{}");
    json_t *answer = call_api("GET", "/v1/reports/links", "", NULL);
    expect(answer, "links.0.link", "L");
    expect(answer, "links.0.clicks", "3");
    expect(answer, "links.0.friends", "2");
    expect(answer, "links.0.seconds.known", "0"); /* it was in no message */
    expect(answer, "links.0.seconds.half", "null");
    json_decref(answer);
    post("/v1/routes/qr/scans", "{\"user_id\":\"Udora\"}");
    follows("Udora");
    answer = call_api("GET", "/v1/reports/routes", "", NULL);
    expect(answer, "routes.0.route", "qr");
    expect(answer, "routes.0.scanned", "1");
    expect(answer, "routes.0.taken", "1");
    expect(answer, "routes.0.friends", "1");
    expect(answer, "routes.0.converted.0.friends", "0");
    json_decref(answer);
    query("rows", "route:qr, not route:qr");
    query("columns", "tag:vip");
    answer = call_api("GET", "/v1/reports/cross", "", NULL);
    expect(answer, "rows.1", "not route:qr");
    expect(answer, "cells.0.0", "1");
    expect(answer, "cells.1.0", "1");
    json_decref(answer);
}
END_TEST

START_TEST(what_parts_nobody_is_refused)
{
    unsigned status;
    query("rows", "field:area");
    json_decref(call_api("GET", "/v1/reports/cross", "", &status));
    ck_assert_uint_eq(status, 400);
    query("columns", "tag:vip,bought");
    json_decref(call_api("GET", "/v1/reports/cross", "", &status));
    ck_assert_uint_eq(status, 400);
    fixture.queries[1][1] = "tag:nobody";
    json_decref(call_api("GET", "/v1/reports/cross", "", &status));
    ck_assert_uint_eq(status, 400);
    fixture.queries[1][1] = "mark";
    query("value", "sum:area");
    json_decref(call_api("GET", "/v1/reports/cross", "", &status));
    ck_assert_uint_eq(status, 400);
    fixture.queries[2][1] = "friends";
    json_decref(call_api("GET", "/v1/reports/cross", "", &status));
    ck_assert_uint_eq(status, 200);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("api_reports");
    TCase *tc = tcase_create("reports");
    tcase_add_checked_fixture(tc, open_shop, fixture_close);
    tcase_add_test(tc, a_scenario_is_told_step_by_step);
    tcase_add_test(tc, a_report_is_of_the_days_it_is_asked_for);
    tcase_add_test(tc, friends_are_parted_by_two_dimensions);
    tcase_add_test(tc, clicks_and_routes_are_counted);
    tcase_add_test(tc, what_parts_nobody_is_refused);
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
