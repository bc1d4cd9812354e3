#include "tests/daemon/fixture.h"

#define ANNA "U0000000000000000000000000000000a"

static const char SHOP[] = "account: {name: A shop}\n"
                           "tags: {t: [vip]}\n"
                           "marks: [open, done]\n"
                           "templates: {T_cart: Still there?}\n"
                           "reminders: {R: {steps: {a: {when: 1h before, send: T_cart}}}}\n"
                           "triggers:\n"
                           "  cart: {on: event:cart_add, after: 1h, send: T_cart}\n"
                           "  done: {on: 'mark:done', do: [ {tag: +vip} ]}\n";

static void
open_shop(void)
{
    fixture_open();
    apply_yaml(SHOP);
    follows(ANNA);
}

static void
expect(const json_t *tree, const char *path, const char *wanted)
{
    ck_assert_msg(strcmp(value_at(tree, path), wanted) == 0, "%s is %s, not %s", path,
                  value_at(tree, path), wanted);
}

START_TEST(a_custom_event_sets_off_its_trigger_once_for_each_key)
{
    static const char BODY[] = "{\"name\":\"cart_add\",\"key\":\"order-7\"}";
    json_t *answer = call_api("POST", "/v1/friends/0/events", BODY, NULL);
    expect(answer, "repeated", "false");
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "events")), 3);
    json_decref(answer);
    answer = call_api("POST", "/v1/friends/0/events", BODY, NULL);
    expect(answer, "repeated", "true");
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "events")), 0);
    json_decref(answer);
    answer = call_api("GET", "/v1/friends/0/why", "", NULL);
    expect(answer, "deliveries.0.source", "cart");
    expect(answer, "deliveries.0.due", "2026-06-01T11:00:00.000+09:00");
    json_decref(answer);
}
END_TEST

START_TEST(a_mark_is_set_and_fires_its_trigger)
{
    json_t *answer = call_api("POST", "/v1/friends/0/mark", "{\"mark\":\"done\"}", NULL);
    expect(answer, "mark", "done");
    json_decref(answer);
    answer = call_api("GET", "/v1/friends/0", "", NULL);
    expect(answer, "tags", "[\"vip\"]");
    json_decref(answer);
    json_decref(call_api("POST", "/v1/friends/0/mark", "{\"mark\":null}", NULL));
    ck_assert_uint_eq(state_friend_more(core_state(fixture.core), 0)->mark, NO_ID);
}
END_TEST

static const struct {
    const char *path, *body;
    unsigned status;
} WRONG[] = {
    {"/v1/friends/0/events", "{}", 400},
    {"/v1/friends/0/events", "{\"name\":\"no blanks\"}", 400},
    {"/v1/friends/0/events", "{\"name\":\"a\",\"key\":7}", 400},
    {"/v1/friends/0/events", "{\"name\":\"a\",\"kye\":\"b\"}", 400},
    {"/v1/friends/9/events", "{\"name\":\"a\"}", 404},
    {"/v1/friends/0/mark", "{}", 400},
    {"/v1/friends/0/mark", "{\"mark\":\"nope\"}", 404},
    {"/v1/scenarios/R/start", "{\"friend\":0}", 400},
    {"/v1/scenarios/cart/stop", "{\"friend\":0}", 400},
};

START_TEST(a_wrong_call_is_told_and_changes_nothing)
{
    unsigned status;
    uint64_t before = core_state(fixture.core)->seq;
    json_decref(call_api("POST", WRONG[_i].path, WRONG[_i].body, &status));
    ck_assert_msg(status == WRONG[_i].status, "%s %s: %u", WRONG[_i].path, WRONG[_i].body, status);
    ck_assert_uint_eq(core_state(fixture.core)->seq, before);
}
END_TEST

START_TEST(a_tz_that_is_no_time_zone_is_a_warning_and_no_notice)
{
    static const char *const PLACES[] = {"/v1/friends/0", "/v1/friends/0/why"};
    json_t *answer =
        call_api("POST", "/v1/friends/0/fields", "{\"set\":{\"tz\":\"Mars/Olympus\"}}", NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "events")), 1);
    json_decref(answer);
    for (int i = 0; i < 2; i++) {
        answer = call_api("GET", PLACES[i], "", NULL);
        expect(answer, "warnings.0", "tz 'Mars/Olympus' is no time zone: the account's is used");
        json_decref(answer);
    }
    json_decref(
        call_api("POST", "/v1/friends/0/fields", "{\"set\":{\"tz\":\"Asia/Tokyo\"}}", NULL));
    for (int i = 0; i < 2; i++) {
        answer = call_api("GET", PLACES[i], "", NULL);
        ck_assert_uint_eq(json_array_size(json_object_get(answer, "warnings")), 0);
        json_decref(answer);
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("api_happenings");
    TCase *tcase = tcase_create("calls");
    tcase_add_checked_fixture(tcase, open_shop, fixture_close);
    tcase_add_test(tcase, a_custom_event_sets_off_its_trigger_once_for_each_key);
    tcase_add_test(tcase, a_mark_is_set_and_fires_its_trigger);
    tcase_add_test(tcase, a_tz_that_is_no_time_zone_is_a_warning_and_no_notice);
    tcase_add_loop_test(tcase, a_wrong_call_is_told_and_changes_nothing, 0,
                        sizeof(WRONG) / sizeof(WRONG[0]));
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
