/* A day without any answer of LINE, and what an operator makes of it (SPEC R48). */
#include "daemon/replay.h"
#include "tests/daemon/fixture.h"

static const char SHOP[] =
    "account: {zone: Asia/Tokyo}\n"
    "templates: {T_own: '{{name|you}}, news', T_all: news, T_goal: 'at {{goal}}'}\n"
    "fields: {visit: datetime}\n"
    "friend_add: {new: {do: [ {field: visit = 2026-06-01 12:00}, %s ]}}\n"
    "scenarios:\n"
    "  S_own: {steps: {a: {when: 1h after start, send: T_own}}}\n"
    "  S_all: {steps: {a: {when: 1h after start, send: T_all}}}\n"
    "reminders: {R: {steps: {a: {when: 1h before, send: T_goal}}}}\n";

/* Three friends, and LINE says nothing from before their message is due until its key is at its end. */
static void
open_silent_day(const char *action)
{
    char shop[1000];
    snprintf(shop, sizeof(shop), SHOP, action);
    fixture_open();
    apply_yaml(shop);
    follows("Uanna"); /* 2026-06-01 10:00 */
    follows("Uberta");
    follows("Ucleo");
    fixture.silent = true;
    advance_to("2026-06-02 12:00:00");
    ck_assert_uint_eq(fixture.accepted_count, 0);
    ck_assert_uint_gt(fixture.push_count, 100); /* it was tried again and again */
    fixture.silent = false;
}

static void
open_each_their_own(void)
{
    open_silent_day("{start: S_own}");
}

static void
open_all_the_same(void)
{
    open_silent_day("{start: S_all}");
}

static void
open_reminders(void)
{
    open_silent_day("{remind: R, goal: visit}");
}

static void
expect_value(const json_t *answer, const char *path, const char *wanted)
{
    ck_assert_msg(strcmp(value_at(answer, path), wanted) == 0, "%s is %s, not %s", path,
                  value_at(answer, path), wanted);
}

static size_t
unknown_count(void)
{
    json_t *answer = call_api("GET", "/v1/deliveries/unknown", "", NULL);
    size_t count = json_array_size(json_object_get(answer, "deliveries"));
    json_decref(answer);
    return count;
}

/* The number of the friend's unknown delivery, as it is listed. */
static json_int_t
delivery_of(json_int_t friend)
{
    json_t *answer = call_api("GET", "/v1/deliveries/unknown", "", NULL), *row;
    json_int_t delivery = 0;
    size_t i;
    json_array_foreach(json_object_get(answer, "deliveries"), i, row)
    {
        if (json_integer_value(json_object_get(row, "friend")) == friend) {
            delivery = json_integer_value(json_object_get(row, "delivery"));
        }
    }
    json_decref(answer);
    ck_assert_int_gt(delivery, 0);
    return delivery;
}

static json_t *
decide(json_int_t delivery, const char *verb, const char *body, unsigned *out_status)
{
    char path[100];
    snprintf(path, sizeof(path), "/v1/deliveries/%lld/%s", (long long)delivery, verb);
    json_t *answer = call_api("POST", path, body, out_status);
    fixture_settle(&fixture);
    return answer;
}

static void
expect_decided(json_int_t delivery, const char *verb, const char *body, size_t events)
{
    unsigned status;
    json_t *answer = decide(delivery, verb, body, &status);
    ck_assert_uint_eq(status, 200);
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "events")), events);
    json_decref(answer);
}

static void
expect_refused(json_int_t delivery, const char *verb, const char *body, const char *words)
{
    unsigned status;
    json_t *answer = decide(delivery, verb, body, &status);
    ck_assert_uint_eq(status, 409);
    ck_assert_msg(strstr(value_at(answer, "error.message"), words) != NULL, "%s",
                  value_at(answer, "error.message"));
    json_decref(answer);
}

START_TEST(they_are_listed_with_what_an_operator_needs_to_decide)
{
    json_t *answer = call_api("GET", "/v1/deliveries/unknown", "", NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "deliveries")), 3);
    expect_value(answer, "deliveries.0.user_id", "Uanna");
    expect_value(answer, "deliveries.0.due", "2026-06-01T11:00:00.000+09:00");
    expect_value(answer, "deliveries.0.first_sent", "2026-06-01T11:00:00.000+09:00");
    expect_value(answer, "deliveries.0.templates.0", "T_own");
    expect_value(answer, "deliveries.0.source", "S_own/a");
    expect_value(answer, "deliveries.0.why", "no answer");
    expect_value(answer, "deliveries.0.not_anew", "null");
    expect_value(answer, "dropped", "0");
    json_decref(answer);
}
END_TEST

START_TEST(a_mark_sends_nothing_and_a_resend_sends_once)
{
    json_int_t anna = delivery_of(0), berta = delivery_of(1), cleo = delivery_of(2);
    expect_decided(anna, "mark", "{\"result\":\"sent\"}", 1);
    expect_decided(berta, "mark", "{\"result\":\"failed\"}", 1);
    ck_assert_uint_eq(fixture.accepted_count, 0);
    expect_decided(cleo, "resend", "{}", 2);
    ck_assert_uint_eq(fixture.accepted_count, 1);
    ck_assert_uint_eq(unknown_count(), 0);

    json_t *answer = call_api("GET", "/v1/quota", "", NULL);
    expect_value(answer, "used", "3"); /* anna's, cleo's of unknown fate, cleo's anew */
    json_decref(answer);

    expect_decided(anna, "mark", "{\"result\":\"sent\"}", 0); /* the same again */
    expect_decided(cleo, "resend", "{}", 0);
    ck_assert_uint_eq(fixture.accepted_count, 1);
    expect_refused(anna, "resend", "{}", "an operator decided 'sent'");
    expect_refused(cleo, "mark", "{\"result\":\"failed\"}", "an operator decided 'sent anew'");
    expect_refused(1, "resend", "{}", "not one whose outcome is unknown");
    ck_assert_uint_eq(fixture.accepted_count, 1);
}
END_TEST

START_TEST(a_decision_is_an_event_with_its_author)
{
    json_t *answer = decide(delivery_of(0), "mark", "{\"result\":\"sent\"}", NULL);
    json_int_t seq = json_integer_value(json_array_get(json_object_get(answer, "events"), 0));
    struct arena *arena = arena_new();
    struct event event;
    ck_assert_int_eq(replay_read_event(core_log(fixture.core), (uint64_t)seq, arena, &event),
                     RC_OK);
    ck_assert_int_eq(event.kind, EVENT_DELIVERY_DECIDED);
    ck_assert_int_eq(event.source.kind, SOURCE_OPERATOR);
    ck_assert_uint_eq(event.source.id, fixture.uid);
    arena_free(arena);
    json_decref(answer);
    answer = call_api("GET", "/v1/friends/Uanna/why", "", NULL);
    expect_value(answer, "deliveries.0.outcome", "sent");
    expect_value(answer, "deliveries.0.presumed", "true");
    json_decref(answer);
}
END_TEST

START_TEST(what_would_reach_nobody_is_not_sent_anew)
{
    json_int_t anna = delivery_of(0);
    json_decref(call_api("POST", "/v1/friends/Uanna/block", "{\"blocked\":true}", NULL));
    expect_refused(anna, "resend", "{}", "nothing reaches the friend");
    expect_decided(anna, "mark", "{\"result\":\"failed\"}", 1);
    ck_assert_uint_eq(fixture.accepted_count, 0);
}
END_TEST

START_TEST(a_reminder_that_names_its_goal_is_not_sent_anew)
{
    json_t *answer = call_api("GET", "/v1/deliveries/unknown", "", NULL);
    expect_value(answer, "deliveries.0.templates.0", "T_goal");
    ck_assert_str_ne(value_at(answer, "deliveries.0.not_anew"), "null");
    json_decref(answer);
    expect_refused(delivery_of(0), "resend", "{}", "the goal of a reminder");
}
END_TEST

START_TEST(a_shared_request_is_decided_for_all_or_for_one)
{
    json_int_t anna = delivery_of(0);
    json_t *answer = call_api("GET", "/v1/deliveries/unknown", "", NULL);
    expect_value(answer, "deliveries.0.together", "3");
    json_decref(answer);
    ck_assert_int_eq(delivery_of(2), anna);
    expect_decided(anna, "mark", "{\"result\":\"sent\",\"friend\":\"Uberta\"}", 1);
    ck_assert_uint_eq(unknown_count(), 2);
    expect_decided(anna, "resend", "{}", 4);
    ck_assert_uint_eq(unknown_count(), 0);
    ck_assert_uint_eq(fixture.accepted_count, 1); /* one request, of two friends */
    ck_assert_ptr_nonnull(strstr(fixture.last_body, "Uanna"));
    ck_assert_ptr_nonnull(strstr(fixture.last_body, "Ucleo"));
    ck_assert_ptr_null(strstr(fixture.last_body, "Uberta"));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("api_unknown");
    TCase *tc = tcase_create("each their own");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, open_each_their_own, fixture_close);
    tcase_add_test(tc, they_are_listed_with_what_an_operator_needs_to_decide);
    tcase_add_test(tc, a_mark_sends_nothing_and_a_resend_sends_once);
    tcase_add_test(tc, a_decision_is_an_event_with_its_author);
    tcase_add_test(tc, what_would_reach_nobody_is_not_sent_anew);
    suite_add_tcase(s, tc);
    tc = tcase_create("reminder");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, open_reminders, fixture_close);
    tcase_add_test(tc, a_reminder_that_names_its_goal_is_not_sent_anew);
    suite_add_tcase(s, tc);
    tc = tcase_create("shared");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, open_all_the_same, fixture_close);
    tcase_add_test(tc, a_shared_request_is_decided_for_all_or_for_one);
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
