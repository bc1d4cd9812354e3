/* Answers, conversions, bookings and rosters through the API (SPEC R30, R36, R39, R57). */
#include "tests/daemon/fixture.h"

#define ANNA "U0000000000000000000000000000000a"
#define BERT "U0000000000000000000000000000000b"

static const char SHOP[] =
    "tags: {all: [done]}\n"
    "templates: {T_done: 'Thanks {{form:F}}'}\n"
    "forms:\n"
    "  F:\n"
    "    limit: once\n"
    "    questions:\n"
    "      size: {ask: a, type: choice, required: yes, options: {s: Small, l: Large}}\n"
    "      people: {ask: b, type: number}\n"
    "    on_submit: {do: [ {tag: +done}, {send: T_done} ]}\n"
    "conversions: {CV: {count: first, do: [ {tag: +done} ]}}\n"
    "calendars: {nails: {slot: 1h, capacity: 1, book_until: 24h before}}\n"
    "events: {seminar: {slots: {main: 2026-06-10 20:00}, capacity: 5}}\n";

static void
open_shop(void)
{
    fixture_open();
    apply_yaml(SHOP);
    follows(ANNA);
    follows(BERT);
}

static void
expect(const char *method, const char *path, const char *body, const char *member,
       const char *wanted)
{
    json_t *answer = call_api(method, path, body, NULL);
    ck_assert_msg(strcmp(value_at(answer, member), wanted) == 0, "%s %s: %s is %s, not %s", method,
                  path, member, value_at(answer, member), wanted);
    json_decref(answer);
}

START_TEST(an_answer_is_taken_once_and_answered_by_a_push)
{
    const char *path = "/v1/forms/F/answers";
    expect("POST", path, "{\"friend\":\"" ANNA "\",\"answers\":{\"size\":\"s\",\"people\":3}}",
           "accepted", "true");
    fixture_settle(&fixture);
    ck_assert_uint_eq(fixture.push_count, 1);
    ck_assert_ptr_nonnull(strstr(fixture.last_body, "Thanks /f/F"));
    expect("POST", path, "{\"friend\":0,\"answers\":{\"size\":\"l\"}}", "reason", "limit");
    expect("GET", "/v1/friends/0", "", "tags.0", "done");
}
END_TEST

START_TEST(a_key_that_was_seen_does_nothing)
{
    const char *path = "/v1/friends/" ANNA "/conversions/CV";
    expect("POST", path, "{\"key\":\"order-1\"}", "counted", "true");
    uint64_t before = core_state(fixture.core)->seq;
    expect("POST", path, "{\"key\":\"order-1\"}", "duplicate", "true");
    ck_assert_uint_eq(core_state(fixture.core)->seq, before);
    expect("POST", path, "{\"key\":\"order-2\"}", "counted", "false"); /* count: first */
}
END_TEST

START_TEST(a_booking_is_made_moved_cancelled_and_on_the_roster)
{
    expect("POST", "/v1/friends/0/bookings",
           "{\"calendar\":\"nails\",\"slot\":\"2026-06-13 14:00\"}", "booked", "true");
    expect("POST", "/v1/friends/1/bookings",
           "{\"calendar\":\"nails\",\"slot\":\"2026-06-13 14:00\"}", "reason", "full");
    expect("POST", "/v1/friends/1/bookings",
           "{\"calendar\":\"nails\",\"slot\":\"2026-06-13 10:00\"}", "booked", "true");
    fixture.query_name = "day";
    fixture.query_value = "2026-06-13";
    expect("GET", "/v1/calendars/nails/roster", "", "bookings.0.user_id", BERT);
    expect("GET", "/v1/calendars/nails/roster", "", "bookings.1.user_id", ANNA);
    expect("PATCH", "/v1/friends/0/bookings/nails", "{\"slot\":\"2026-06-14 14:00\"}", "changed",
           "true");
    expect("GET", "/v1/calendars/nails/roster", "", "bookings.1", "absent");
    fixture.query_name = NULL;
    expect("DELETE", "/v1/friends/0/bookings/nails", "", "cancelled", "true");
    expect("DELETE", "/v1/friends/0/bookings/nails", "", "reason", "no_booking");
    expect("POST", "/v1/friends/0/bookings", "{\"calendar\":\"seminar\",\"slot\":\"main\"}",
           "booked", "true");
    expect("GET", "/v1/calendars/seminar/roster", "", "bookings.0.slot", "main");
}
END_TEST

START_TEST(an_override_is_not_bound_by_deadlines)
{
    expect("POST", "/v1/friends/0/bookings",
           "{\"calendar\":\"nails\",\"slot\":\"2026-06-02 09:00\"}", "reason", "deadline");
    expect("POST", "/v1/friends/0/bookings",
           "{\"calendar\":\"nails\",\"slot\":\"2026-06-02 09:00\",\"override\":true}", "booked",
           "true");
}
END_TEST

static const struct {
    const char *method, *path, *body;
    unsigned status;
} REFUSED[] = {
    {"POST", "/v1/forms/G/answers", "{\"friend\":0,\"answers\":{}}", 404},
    {"POST", "/v1/forms/F/answers", "{\"friend\":9,\"answers\":{\"size\":\"s\"}}", 404},
    {"POST", "/v1/forms/F/answers", "{\"friend\":0,\"answers\":{}}", 400},
    {"POST", "/v1/forms/F/answers", "{\"friend\":0,\"answers\":{\"size\":true}}", 400},
    {"POST", "/v1/forms/F/answers", "{\"friend\":0,\"answers\":{\"size\":[1]}}", 400},
    {"POST", "/v1/forms/F/answers", "{\"friend\":0,\"answer\":{\"size\":\"s\"}}", 400},
    {"POST", "/v1/forms/F/answers", "{\"friend\":0,\"answers\":{\"size\":\"s\"},\"key\":7}", 400},
    {"POST", "/v1/friends/0/conversions/CX", "{}", 404},
    {"POST", "/v1/friends/0/conversions/", "{}", 404},
    {"POST", "/v1/friends/0/conversions/CV/x", "{}", 404},
    {"POST", "/v1/friends/0/bookings", "{\"calendar\":\"nails\",\"slot\":\"soon\"}", 400},
    {"POST", "/v1/friends/0/bookings", "{\"calendar\":\"nails\"}", 400},
    {"POST", "/v1/friends/0/bookings", "{\"calendar\":\"seminar\",\"slot\":\"late\"}", 404},
    {"PATCH", "/v1/friends/0/bookings/hair", "{\"slot\":\"2026-06-13 14:00\"}", 404},
    {"GET", "/v1/friends/0/bookings/nails", "", 404},
};

START_TEST(what_is_wrong_is_refused_and_changes_nothing)
{
    unsigned status;
    uint64_t before = core_state(fixture.core)->seq;
    json_decref(call_api(REFUSED[_i].method, REFUSED[_i].path, REFUSED[_i].body, &status));
    ck_assert_msg(status == REFUSED[_i].status, "%s %s: %u", REFUSED[_i].path, REFUSED[_i].body,
                  status);
    ck_assert_uint_eq(core_state(fixture.core)->seq, before);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("api_acts");
    TCase *t = tcase_create("api_acts");
    tcase_add_checked_fixture(t, open_shop, fixture_close);
    tcase_add_test(t, an_answer_is_taken_once_and_answered_by_a_push);
    tcase_add_test(t, a_key_that_was_seen_does_nothing);
    tcase_add_test(t, a_booking_is_made_moved_cancelled_and_on_the_roster);
    tcase_add_test(t, an_override_is_not_bound_by_deadlines);
    tcase_add_loop_test(t, what_is_wrong_is_refused_and_changes_nothing, 0,
                        sizeof(REFUSED) / sizeof(REFUSED[0]));
    suite_add_tcase(s, t);
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
