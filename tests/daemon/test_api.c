#include "tests/daemon/fixture.h"

#define ANNA "U0000000000000000000000000000000a"
#define BERT "U0000000000000000000000000000000b"

static const char SHOP[] =
    "account: {name: A shop}\n"
    "tags:\n"
    "  all: [vip, answered]\n"
    "fields: {area: text, points: number, birthday: date, goal: datetime}\n"
    "templates: {T_hello: Hello, T_nudge: Still there?, T_late: Bye}\n"
    "friend_add:\n"
    "  new: {do: [ {start: S_welcome} ]}\n"
    "scenarios:\n"
    "  S_welcome:\n"
    "    steps:\n"
    "      hello: {when: now, send: T_hello}\n"
    "      nudge: {when: 1h after start, if: 'not tag:answered', send: T_nudge}\n"
    "      late: {when: day 1 at 12:00, send: T_late}\n"
    "broadcasts:\n"
    "  B: {at: 2026-06-10 12:00, to: 'not tag:answered', send: T_late}\n";

static void
open_shop(void)
{
    fixture_open();
    apply_yaml(SHOP);
}

static void
expect(const json_t *tree, const char *path, const char *wanted)
{
    ck_assert_msg(strcmp(value_at(tree, path), wanted) == 0, "%s is %s, not %s", path,
                  value_at(tree, path), wanted);
}

static void
expect_error(const char *method, const char *path, const char *body, unsigned status,
             const char *code)
{
    unsigned got;
    uint64_t before = core_state(fixture.core)->seq;
    json_t *answer = call_api(method, path, body, &got);
    ck_assert_msg(got == status, "%s %s %s: %u", method, path, body, got);
    expect(answer, "error.code", code);
    ck_assert_uint_eq(core_state(fixture.core)->seq, before);
    json_decref(answer);
}

/* --- errors have one form and change nothing --- */

static const struct {
    const char *method, *path, *body;
    unsigned status;
    const char *code;
} WRONG[] = {
    {"GET", "/", "", 404, "not_found"},
    {"GET", "/v1/nothing", "", 404, "not_found"},
    {"GET", "/v1/friends/", "", 404, "not_found"},
    {"GET", "/v1/friends/0/x/why", "", 404, "not_found"},
    {"DELETE", "/v1/friends", "", 404, "not_found"},
    {"GET", "/v1/friends/99", "", 404, "not_found"},
    {"GET", "/v1/friends/Unobody", "", 404, "not_found"},
    {"GET", "/v1/friends/99999999999999999999", "", 404, "not_found"},
    {"GET", "/v1/scenarios/S_nothing", "", 404, "not_found"},
    {"POST", "/v1/friends/0/tags", "", 400, "invalid"},
    {"POST", "/v1/friends/0/tags", "[]", 400, "invalid"},
    {"POST", "/v1/friends/0/tags", "{\"add\":[\"vip\"],\"add\":[\"vip\"]}", 400, "invalid"},
    {"POST", "/v1/friends/0/tags", "{\"ad\":[\"vip\"]}", 400, "invalid"},
    {"POST", "/v1/friends/0/tags", "{\"add\":\"vip\"}", 400, "invalid"},
    {"POST", "/v1/friends/0/tags", "{\"add\":[7]}", 400, "invalid"},
    {"POST", "/v1/friends/0/tags", "{\"add\":[\"vip\",\"nope\"]}", 404, "not_found"},
    {"POST", "/v1/friends/0/fields", "{\"set\":{\"nope\":1}}", 404, "not_found"},
    {"POST", "/v1/friends/0/fields", "{\"set\":{\"area\":7}}", 400, "invalid"},
    {"POST", "/v1/friends/0/fields", "{\"set\":{\"points\":\"7\"}}", 400, "invalid"},
    {"POST", "/v1/friends/0/fields", "{\"set\":{\"points\":1.5}}", 400, "invalid"},
    {"POST", "/v1/friends/0/fields", "{\"set\":{\"birthday\":\"2026-02-29\"}}", 400, "invalid"},
    {"POST", "/v1/friends/0/fields", "{\"set\":{\"goal\":\"2026-06-10\"}}", 400, "invalid"},
    {"POST", "/v1/friends/0/fields", "{\"set\":{\"area\":\"x\",\"points\":\"7\"}}", 400, "invalid"},
    {"POST", "/v1/scenarios/S_welcome/start", "{}", 400, "invalid"},
    {"POST", "/v1/scenarios/S_welcome/cap", "{\"limit\":0}", 400, "invalid"},
    {"POST", "/v1/scenarios/S_nothing/cap", "{\"limit\":3}", 404, "not_found"},
    {"POST", "/v1/broadcasts/B_x/cancel", "{}", 404, "not_found"},
    {"POST", "/v1/broadcasts/B/fit", "{\"fit\":\"half\"}", 400, "invalid"},
    {"POST", "/v1/broadcasts/B/cancel", "{\"why\":1}", 400, "invalid"},
    {"POST", "/v1/quota", "{\"limit\":-1}", 400, "invalid"},
    {"POST", "/v1/quota", "{\"limit\":\"7\"}", 400, "invalid"},
    {"POST", "/v1/quota", "{\"limit\":7,\"x\":1}", 400, "invalid"},
    {"POST", "/v1/scenarios/S_welcome/start", "{\"friend\":-1}", 404, "not_found"},
    {"POST", "/v1/scenarios/S_welcome/start", "{\"friend\":0,\"at_step\":\"x\"}", 404, "not_found"},
    {"POST", "/v1/scenarios/S_welcome/start", "{\"friend\":0,\"at_step\":2}", 400, "invalid"},
    {"POST", "/v1/clock", "{\"advance_to\":\"soon\"}", 400, "invalid"},
    {"POST", "/v1/clock", "{\"advance_to\":\"2026-06-01 09:59\"}", 400, "invalid"},
    {"POST", "/v1/clock", "{\"advance_to\":\"2200-01-01 00:00\"}", 400, "invalid"},
    {"POST", "/v1/definitions", "{}", 400, "invalid"},
    {"POST", "/v1/definitions", "{\"files\":[{\"name\":\"a\"}]}", 400, "invalid"},
};

START_TEST(a_wrong_call_is_told_and_changes_nothing)
{
    follows(ANNA);
    expect_error(WRONG[_i].method, WRONG[_i].path, WRONG[_i].body, WRONG[_i].status,
                 WRONG[_i].code);
}
END_TEST

START_TEST(a_wrong_number_in_the_query_is_told)
{
    fixture.query_name = "limit";
    const char *const wrong[] = {"0", "-1", "x", "", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        fixture.query_value = wrong[i];
        expect_error("GET", "/v1/friends", "", 400, "invalid");
    }
}
END_TEST

START_TEST(a_real_clock_is_not_moved)
{
    fixture.clock.virtual_time = false;
    expect_error("POST", "/v1/clock", "{\"advance_to\":\"2030-01-01 00:00\"}", 403, "refused");
}
END_TEST

START_TEST(a_stopping_daemon_reads_on_and_changes_nothing)
{
    follows(ANNA);
    fixture.standing.stopping = true;
    expect_error("POST", "/v1/friends/0/tags", "{\"add\":[\"vip\"]}", 503, "stopping");
    json_decref(call_api("GET", "/v1/friends/0", "", NULL));
}
END_TEST

/* --- status, friends --- */

START_TEST(status_tells_what_is)
{
    follows(ANNA);
    snprintf(fixture.standing.held, sizeof(fixture.standing.held), "clock");
    json_t *status = call_api("GET", "/v1/status", "", NULL);
    expect(status, "account", "A shop");
    expect(status, "now", "2026-06-01T10:00:00.000+09:00");
    expect(status, "virtual", "true");
    expect(status, "held", "clock");
    expect(status, "bot_user_id", FIXTURE_BOT);
    expect(status, "friends.count", "1");
    expect(status, "enrolments", "1");
    expect(status, "next_due", "2026-06-01T11:00:00.000+09:00");
    expect(status, "deliveries.sent_reply", "1");
    expect(status, "webhooks.accepted", "1");
    expect(status, "definitions.applied_at", "2026-06-01T10:00:00.000+09:00");
    expect(status, "digest", "absent"); /* a full pass over the state: asked for by itself */
    json_decref(status);
}
END_TEST

START_TEST(the_digest_is_the_states_as_of_its_event)
{
    char digest[17], event[24];
    follows(ANNA);
    snprintf(digest, sizeof(digest), "%016llx",
             (unsigned long long)state_digest(core_state(fixture.core)));
    snprintf(event, sizeof(event), "%llu", (unsigned long long)core_state(fixture.core)->seq);
    json_t *answer = call_api("GET", "/v1/digest", "", NULL);
    expect(answer, "digest", digest);
    expect(answer, "event", event);
    ck_assert_int_ge(json_integer_value(json_object_get(answer, "held_us")), 0);
    json_decref(answer);
}
END_TEST

START_TEST(before_anything_is_applied_status_says_so)
{
    fixture_close();
    fixture_open();
    fixture.standing.bot_user_id[0] = '\0';
    json_t *status = call_api("GET", "/v1/status", "", NULL);
    expect(status, "definitions", "null");
    expect(status, "account", "null");
    expect(status, "bot_user_id", "null");
    expect(status, "held", "null");
    expect(status, "next_due", "null");
    json_decref(status);
}
END_TEST

START_TEST(friends_come_in_pages)
{
    char id[40];
    for (int i = 0; i < 5; i++) {
        snprintf(id, sizeof(id), "U%032d", i);
        follows(id);
    }
    fixture.query_name = "limit";
    fixture.query_value = "3";
    json_t *page = call_api("GET", "/v1/friends", "", NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(page, "friends")), 3);
    expect(page, "next", "2");
    json_decref(page);

    fixture.query_name = "after";
    fixture.query_value = "2";
    page = call_api("GET", "/v1/friends", "", NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(page, "friends")), 2);
    expect(page, "friends.0.number", "3");
    expect(page, "next", "null");
    json_decref(page);
}
END_TEST

START_TEST(a_friend_is_found_by_number_and_by_line_id)
{
    follows(ANNA);
    const char *const paths[] = {"/v1/friends/0", "/v1/friends/" ANNA};
    json_t *friend = call_api("GET", paths[_i], "", NULL);
    expect(friend, "user_id", ANNA);
    expect(friend, "scenarios.0.scenario", "S_welcome");
    expect(friend, "scenarios.0.step", "nudge");
    expect(friend, "scenarios.0.due", "2026-06-01T11:00:00.000+09:00");
    expect(friend, "scenarios.0.state", "waiting");
    expect(friend, "scenarios.0.deferred", "null");
    json_decref(friend);
}
END_TEST

START_TEST(tags_are_added_and_removed_by_the_caller)
{
    follows(ANNA);
    json_t *answer =
        call_api("POST", "/v1/friends/0/tags", "{\"add\":[\"vip\",\"answered\"]}", NULL);
    expect(answer, "tags", "[\"vip\",\"answered\"]");
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "events")), 2);
    json_decref(answer);
    answer = call_api("POST", "/v1/friends/" ANNA "/tags", "{\"remove\":[\"vip\"]}", NULL);
    expect(answer, "tags", "[\"answered\"]");
    json_decref(answer);
}
END_TEST

START_TEST(fields_are_read_by_their_type)
{
    follows(ANNA);
    json_t *answer = call_api("POST", "/v1/friends/0/fields",
                              "{\"set\":{\"area\":\"関東\",\"points\":-7,"
                              "\"birthday\":\"1990-02-28\",\"goal\":\"2026-06-10 23:59\"}}",
                              NULL);
    expect(answer, "fields.area", "関東");
    expect(answer, "fields.points", "-7");
    expect(answer, "fields.birthday", "1990-02-28");
    expect(answer, "fields.goal", "2026-06-10T23:59:00.000+09:00");
    json_decref(answer);
    answer = call_api("POST", "/v1/friends/0/fields", "{\"clear\":[\"area\",\"goal\"]}", NULL);
    expect(answer, "fields.area", "absent");
    expect(answer, "fields.points", "-7");
    json_decref(answer);
}
END_TEST

/* --- scenarios, next --- */

START_TEST(a_scenario_is_started_refused_and_stopped)
{
    follows(ANNA);
    json_t *answer = call_api("POST", "/v1/scenarios/S_welcome/start", "{\"friend\":0}", NULL);
    expect(answer, "started", "false");
    expect(answer, "reason", "active");
    json_decref(answer);
    answer = call_api("POST", "/v1/scenarios/S_welcome/stop", "{\"friend\":\"" ANNA "\"}", NULL);
    expect(answer, "stopped", "true");
    json_decref(answer);
    answer = call_api("POST", "/v1/scenarios/S_welcome/stop", "{\"friend\":0}", NULL);
    expect(answer, "stopped", "false");
    expect(answer, "events", "[]");
    json_decref(answer);
    answer = call_api("POST", "/v1/scenarios/S_welcome/start",
                      "{\"friend\":0,\"at_step\":\"late\"}", NULL);
    expect(answer, "started", "true");
    expect(answer, "reason", "null");
    json_decref(answer);
    answer = call_api("GET", "/v1/scenarios/S_welcome", "", NULL);
    expect(answer, "running", "1");
    expect(answer, "steps.2.waiting", "1");
    expect(answer, "steps.1.waiting", "0");
    expect(answer, "steps.1.when", "1h after start");
    expect(answer, "steps.1.if", "not tag:answered");
    expect(answer, "steps.0.if", "null");
    json_decref(answer);
}
END_TEST

START_TEST(next_gives_the_soonest_in_due_order)
{
    char id[40];
    for (int i = 0; i < 30; i++) { /* each a minute later than the one before, so each due later */
        snprintf(id, sizeof(id), "U%032d", i);
        follows(id);
        fixture.clock.now_ms += 60000;
    }
    fixture.query_name = "limit";
    fixture.query_value = "7";
    json_t *answer = call_api("GET", "/v1/next", "", NULL);
    const json_t *rows = json_object_get(answer, "next");
    ck_assert_uint_eq(json_array_size(rows), 7);
    for (size_t i = 0; i < 7; i++) {
        ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(rows, i), "friend")),
                         (json_int_t)i);
    }
    expect(answer, "next.6.due", "2026-06-01T11:06:00.000+09:00");
    expect(answer, "next.6.source", "S_welcome/nudge");
    expect(answer, "next.6.templates", "[\"T_nudge\"]");
    expect(answer, "more", "true");
    json_decref(answer);

    fixture.query_name = "friend";
    fixture.query_value = "29";
    answer = call_api("GET", "/v1/next", "", NULL);
    expect(answer, "next.0.friend", "29");
    expect(answer, "more", "false");
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "next")), 1);
    json_decref(answer);
}
END_TEST

/* Rows are used again from the last one freed, so that here the soonest stands last. */
START_TEST(next_finds_the_soonest_wherever_they_stand)
{
    char id[40], body[40];
    for (int i = 0; i < 30; i++) {
        snprintf(id, sizeof(id), "U%032d", i);
        follows(id);
    }
    for (int i = 0; i < 30; i++) {
        snprintf(body, sizeof(body), "{\"friend\":%d}", i);
        json_decref(call_api("POST", "/v1/scenarios/S_welcome/stop", body, NULL));
    }
    for (int i = 0; i < 30; i++) { /* 7 and 30 have no common factor: each friend once */
        snprintf(body, sizeof(body), "{\"friend\":%d,\"at_step\":\"nudge\"}", i * 7 % 30);
        json_decref(call_api("POST", "/v1/scenarios/S_welcome/start", body, NULL));
        fixture.clock.now_ms += 60000;
    }
    fixture.query_name = "limit";
    fixture.query_value = "11";
    json_t *answer = call_api("GET", "/v1/next", "", NULL);
    const json_t *rows = json_object_get(answer, "next");
    ck_assert_uint_eq(json_array_size(rows), 11);
    for (int i = 0; i < 11; i++) {
        const json_t *row = json_array_get(rows, (size_t)i);
        ck_assert_int_eq(json_integer_value(json_object_get(row, "friend")), i * 7 % 30);
    }
    json_decref(answer);
}
END_TEST

/* --- the clock --- */

START_TEST(advancing_sends_each_step_at_its_own_instant)
{
    follows(ANNA);
    ck_assert_uint_eq(fixture.reply_count, 1);
    advance_to("2026-06-01 10:59:59");
    ck_assert_uint_eq(fixture.push_count, 0);
    advance_to("2026-06-03 00:00");
    ck_assert_uint_eq(fixture.push_count, 2);
    json_t *why = call_api("GET", "/v1/friends/0/why", "", NULL);
    expect(why, "deliveries.1.at", "2026-06-01T11:00:00.000+09:00");
    expect(why, "deliveries.2.at", "2026-06-02T12:00:00.000+09:00");
    expect(why, "deliveries.2.late_ms", "0");
    json_decref(why);
    json_t *clock = call_api("GET", "/v1/clock", "", NULL);
    expect(clock, "now", "2026-06-03T00:00:00.000+09:00");
    json_decref(clock);
}
END_TEST

START_TEST(the_clock_stands_still_while_line_has_not_answered)
{
    follows(ANNA);
    int64_t due_ms = FIXTURE_START_MS + MS_PER_HOUR;
    ck_assert_int_eq(
        advance_begin(&fixture.advance, due_ms + MS_PER_DAY, fixture_arrived, &fixture), RC_OK);
    for (int i = 0; i < 100; i++) {
        (void)fixture_pass(&fixture); /* LINE says nothing */
    }
    ck_assert_uint_eq(fixture.push_count, 1);
    ck_assert_int_eq(clock_now_ms(&fixture.clock), due_ms);
    ck_assert(!fixture.arrived);
    fixture_settle(&fixture);
    ck_assert(fixture.arrived);
}
END_TEST

START_TEST(only_one_advance_at_a_time)
{
    ck_assert_int_eq(
        advance_begin(&fixture.advance, FIXTURE_START_MS + 1000, fixture_arrived, &fixture), RC_OK);
    ck_assert_int_eq(
        advance_begin(&fixture.advance, FIXTURE_START_MS + 2000, fixture_arrived, &fixture),
        RC_BUSY);
    fixture.arrived = true;
    advance_cancel(&fixture.advance);
    ck_assert(!fixture.arrived);
    fixture_settle(&fixture);
    ck_assert_int_eq(clock_now_ms(&fixture.clock), FIXTURE_START_MS);
}
END_TEST

/* --- why --- */

START_TEST(why_tells_every_message_and_the_rest)
{
    follows(ANNA);
    json_decref(call_api("POST", "/v1/friends/0/tags", "{\"add\":[\"answered\"]}", NULL));
    advance_to("2026-06-01 12:00");
    json_t *why = call_api("GET", "/v1/friends/" ANNA "/why", "", NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(why, "deliveries")), 3);
    expect(why, "deliveries.0.source", "S_welcome/hello");
    expect(why, "deliveries.0.templates", "[\"T_hello\"]");
    expect(why, "deliveries.0.outcome", "sent");
    expect(why, "deliveries.0.how", "reply");
    expect(why, "deliveries.0.rule", "R10");
    expect(why, "deliveries.0.code", "200");
    expect(why, "deliveries.0.request_id", "request-1");
    expect(why, "deliveries.1.source", "S_welcome/nudge");
    expect(why, "deliveries.1.outcome", "skipped");
    expect(why, "deliveries.1.reason", "condition");
    expect(why, "deliveries.1.rule", "R23");
    expect(why, "deliveries.1.due", "2026-06-01T11:00:00.000+09:00");
    expect(why, "deliveries.1.how", "null");
    expect(why, "deliveries.1.late_ms", "null");
    expect(why, "deliveries.2.source", "S_welcome/late");
    expect(why, "deliveries.2.outcome", "pending");
    expect(why, "deliveries.2.at", "null");
    json_decref(why);
}
END_TEST

START_TEST(why_names_what_stopped_a_step)
{
    follows(ANNA);
    json_decref(call_api("POST", "/v1/scenarios/S_welcome/stop", "{\"friend\":0}", NULL));
    json_t *why = call_api("GET", "/v1/friends/0/why", "", NULL);
    expect(why, "deliveries.1.outcome", "cancelled");
    expect(why, "deliveries.1.reason", "operator");
    expect(why, "deliveries.1.rule", "R22");
    expect(why, "deliveries.2.outcome", "cancelled");
    json_decref(why);
}
END_TEST

START_TEST(why_tells_of_a_refused_push_and_of_a_blocked_friend)
{
    follows(ANNA);
    fixture.status = 400;
    advance_to("2026-06-01 11:00");
    ck_assert_uint_eq(post_webhook(event_body(ANNA, "unfollow", "")), 200);
    fixture_settle(&fixture);
    json_t *why = call_api("GET", "/v1/friends/0/why", "", NULL);
    expect(why, "deliveries.1.outcome", "failed");
    expect(why, "deliveries.1.how", "push");
    expect(why, "deliveries.1.code", "400");
    expect(why, "deliveries.1.rule", "R42");
    expect(why, "deliveries.2.outcome", "cancelled");
    expect(why, "deliveries.2.reason", "blocked_by_friend");
    expect(why, "deliveries.2.rule", "R15");
    json_decref(why);
}
END_TEST

START_TEST(why_gives_the_newest_rows_when_limited)
{
    follows(ANNA);
    advance_to("2026-06-03 00:00");
    fixture.query_name = "limit";
    fixture.query_value = "1";
    json_t *why = call_api("GET", "/v1/friends/0/why", "", NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(why, "deliveries")), 1);
    expect(why, "deliveries.0.source", "S_welcome/late");
    expect(why, "deliveries.0.outcome", "sent");
    json_decref(why);
}
END_TEST

/* --- definitions --- */

static json_t *
post_definitions(const char *yaml, bool dry_run, unsigned *out_status)
{
    json_t *body = json_pack("{s:[{s:s,s:s}],s:b}", "files", "name", "shop.yaml", "text", yaml,
                             "dry_run", (int)dry_run);
    char *text = json_dumps(body, 0);
    json_t *answer = call_api("POST", "/v1/definitions", text, out_status);
    free(text);
    json_decref(body);
    return answer;
}

START_TEST(the_same_definitions_again_are_no_event)
{
    uint64_t before = core_state(fixture.core)->seq;
    json_t *answer = post_definitions(SHOP, false, NULL);
    expect(answer, "changed", "false");
    expect(answer, "plan", "[]");
    ck_assert_uint_eq(core_state(fixture.core)->seq, before);
    json_decref(answer);
}
END_TEST

START_TEST(a_plan_names_what_changes_and_a_dry_run_changes_nothing)
{
    char yaml[2000];
    follows(ANNA);
    snprintf(yaml, sizeof(yaml), "%s", SHOP);
    memcpy(strstr(yaml, "Still"), "Never", 5);
    memcpy(strstr(yaml, "vip, "), "ill, ", 5);
    uint64_t before = core_state(fixture.core)->seq;
    json_t *answer = post_definitions(yaml, true, NULL);
    expect(answer, "changed", "true");
    expect(answer, "seq", "null");
    ck_assert_uint_eq(core_state(fixture.core)->seq, before);
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "plan")), 3);
    json_decref(answer);

    answer = post_definitions(yaml, false, NULL);
    expect(answer, "plan.0.kind", "tag");
    expect(answer, "plan.0.id", "vip");
    expect(answer, "plan.0.change", "removed");
    expect(answer, "plan.1.id", "ill");
    expect(answer, "plan.1.change", "added");
    expect(answer, "plan.2.kind", "template");
    expect(answer, "plan.2.id", "T_nudge");
    expect(answer, "plan.2.change", "changed");
    ck_assert_uint_eq(core_state(fixture.core)->seq, before + 1);
    json_decref(answer);
}
END_TEST

START_TEST(a_plan_says_whom_an_edit_moves)
{
    char yaml[2000];
    unsigned status;
    snprintf(yaml, sizeof(yaml), "%s", SHOP);
    memcpy(strstr(yaml, "1h after"), "2h after", 8);
    follows(ANNA);
    json_t *answer = post_definitions(yaml, _i == 0, &status);
    ck_assert_uint_eq(status, 200);
    expect(answer, "plan.0.kind", "scenario");
    expect(answer, "plan.0.detail", "1 of 3 steps; 1 friend on the way");
    expect(answer, "plan.1.change", "moves");
    expect(answer, "plan.1.id", "S_welcome/nudge");
    expect(answer, "plan.1.detail",
           "1 friend gets it from 2026-06-01 12:00 on instead of 2026-06-01 11:00");
    json_decref(answer);

    bool applied = _i == 1;
    fixture_settle(&fixture); /* the enrolments follow */
    answer = call_api("GET", "/v1/next", "", NULL);
    expect(answer, "next.0.source", "S_welcome/nudge");
    expect(answer, "next.0.due",
           applied ? "2026-06-01T12:00:00.000+09:00" : "2026-06-01T11:00:00.000+09:00");
    json_decref(answer);
    answer = call_api("GET", "/v1/friends/0/why", "", NULL);
    expect(answer, "deliveries.1.rule", applied ? "R26" : "null");
    json_decref(answer);
}
END_TEST

static json_t *
post_plan(const char *yaml, const char *plan_id, unsigned *out_status)
{
    json_t *body = json_pack("{s:[{s:s,s:s}],s:s}", "files", "name", "shop.yaml", "text", yaml,
                             "plan_id", plan_id);
    char *text = json_dumps(body, 0);
    json_t *answer = call_api("POST", "/v1/definitions", text, out_status);
    free(text);
    json_decref(body);
    return answer;
}

START_TEST(a_plan_is_refused_once_the_state_has_moved_on)
{
    char yaml[2000];
    unsigned status;
    snprintf(yaml, sizeof(yaml), "%s", SHOP);
    memcpy(strstr(yaml, "1h after"), "2h after", 8);
    follows(ANNA);
    json_t *plan = post_definitions(yaml, true, NULL);
    follows("U0000000000000000000000000000000b"); /* moves as well, and was not told of */
    uint64_t before = core_state(fixture.core)->definitions_seq;
    json_t *answer = post_plan(yaml, json_string_value(json_object_get(plan, "plan_id")), &status);
    ck_assert_uint_eq(status, 409);
    expect(answer, "error.code", "conflict");
    ck_assert_uint_eq(core_state(fixture.core)->definitions_seq, before);
    json_decref(answer);
    json_decref(plan);

    plan = post_definitions(yaml, true, NULL);
    answer = post_plan(yaml, json_string_value(json_object_get(plan, "plan_id")), &status);
    ck_assert_uint_eq(status, 200);
    ck_assert_uint_gt(core_state(fixture.core)->definitions_seq, before);
    json_decref(answer);
    json_decref(plan);
}
END_TEST

START_TEST(a_quota_is_told_and_raised_and_lets_go_what_it_held)
{
    follows(ANNA); /* one reply: free */
    json_decref(call_api("POST", "/v1/quota", "{\"limit\":0}", NULL));
    advance_to("2026-06-01 11:30");
    json_t *answer = call_api("GET", "/v1/quota", "", NULL);
    expect(answer, "limit", "0");
    expect(answer, "used", "0");
    expect(answer, "held", "1");
    expect(answer, "month", "202606");
    json_decref(answer);
    answer = call_api("GET", "/v1/friends/0/why", "", NULL);
    expect(answer, "deliveries.1.outcome", "held");
    expect(answer, "deliveries.1.reason", "quota");
    expect(answer, "deliveries.1.rule", "R11");
    json_decref(answer);

    json_decref(call_api("POST", "/v1/quota", "{\"limit\":1}", NULL));
    fixture_settle(&fixture);
    answer = call_api("GET", "/v1/quota", "", NULL);
    expect(answer, "used", "1");
    expect(answer, "held", "0");
    json_decref(answer);
}
END_TEST

START_TEST(a_broadcast_is_listed_and_called_off_until_it_is_on_its_way)
{
    unsigned status;
    json_t *answer = call_api("GET", "/v1/broadcasts", "", NULL);
    expect(answer, "broadcasts.0.id", "B");
    expect(answer, "broadcasts.0.at", "2026-06-10T12:00:00.000+09:00");
    expect(answer, "broadcasts.0.to", "not tag:answered");
    expect(answer, "broadcasts.0.phase", "waiting");
    json_decref(answer);
    answer = call_api("POST", "/v1/broadcasts/B/fit", "{\"fit\":\"partial\"}", NULL);
    expect(answer, "fit", "partial");
    json_decref(answer);
    follows(ANNA);
    uint32_t pushes = 0;
    if (_i == 0) {
        advance_to("2026-06-10 11:59");
        pushes = fixture.push_count;
        answer = call_api("POST", "/v1/broadcasts/B/cancel", "{}", NULL);
        expect(answer, "phase", "done");
        json_decref(answer);
    }
    advance_to("2026-06-10 12:30");
    answer = call_api("POST", "/v1/broadcasts/B/cancel", "{}", &status);
    ck_assert_uint_eq(status, 409);
    json_decref(answer);
    answer = call_api("GET", "/v1/broadcasts", "", NULL);
    expect(answer, "broadcasts.0.audience", _i == 0 ? "0" : "1");
    json_decref(answer);
    if (_i == 0) {
        ck_assert_uint_eq(fixture.push_count, pushes);
    }
}
END_TEST

START_TEST(a_cap_holds_and_is_raised)
{
    json_t *answer = call_api("POST", "/v1/scenarios/S_welcome/cap", "{\"limit\":1}", NULL);
    expect(answer, "cap", "1");
    expect(answer, "auto_stopped", "false");
    json_decref(answer);
    follows(ANNA);
    answer = call_api("POST", "/v1/scenarios/S_welcome/cap", "{\"limit\":1}", NULL);
    expect(answer, "delivered", "1");
    expect(answer, "auto_stopped", "true");
    json_decref(answer);
    advance_to("2026-06-01 11:30");
    ck_assert_uint_eq(fixture.push_count, 0);
    json_decref(call_api("POST", "/v1/scenarios/S_welcome/cap", "{\"limit\":2}", NULL));
    fixture_settle(&fixture);
    ck_assert_uint_eq(fixture.push_count, 1);
}
END_TEST

START_TEST(wrong_definitions_are_422_with_their_place)
{
    unsigned status;
    uint64_t before = core_state(fixture.core)->seq;
    json_t *answer =
        post_definitions("templates:\n  T_a: A\nbuttons:\n  b: {sned: T_a}\n", false, &status);
    ck_assert_uint_eq(status, 422);
    expect(answer, "ok", "false");
    expect(answer, "diagnostics.0.severity", "error");
    expect(answer, "diagnostics.0.file", "shop.yaml");
    expect(answer, "diagnostics.0.line", "4");
    ck_assert_uint_eq(core_state(fixture.core)->seq, before);
    json_decref(answer);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("api");
    TCase *tc = tcase_create("api");
    tcase_add_checked_fixture(tc, open_shop, fixture_close);
    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, a_wrong_call_is_told_and_changes_nothing, 0,
                        sizeof(WRONG) / sizeof(WRONG[0]));
    tcase_add_test(tc, a_wrong_number_in_the_query_is_told);
    tcase_add_test(tc, a_real_clock_is_not_moved);
    tcase_add_test(tc, a_stopping_daemon_reads_on_and_changes_nothing);
    tcase_add_test(tc, status_tells_what_is);
    tcase_add_test(tc, the_digest_is_the_states_as_of_its_event);
    tcase_add_test(tc, before_anything_is_applied_status_says_so);
    tcase_add_test(tc, friends_come_in_pages);
    tcase_add_loop_test(tc, a_friend_is_found_by_number_and_by_line_id, 0, 2);
    tcase_add_test(tc, tags_are_added_and_removed_by_the_caller);
    tcase_add_test(tc, fields_are_read_by_their_type);
    tcase_add_test(tc, a_scenario_is_started_refused_and_stopped);
    tcase_add_test(tc, next_gives_the_soonest_in_due_order);
    tcase_add_test(tc, next_finds_the_soonest_wherever_they_stand);
    tcase_add_test(tc, advancing_sends_each_step_at_its_own_instant);
    tcase_add_test(tc, the_clock_stands_still_while_line_has_not_answered);
    tcase_add_test(tc, only_one_advance_at_a_time);
    tcase_add_test(tc, why_tells_every_message_and_the_rest);
    tcase_add_test(tc, why_names_what_stopped_a_step);
    tcase_add_test(tc, why_tells_of_a_refused_push_and_of_a_blocked_friend);
    tcase_add_test(tc, why_gives_the_newest_rows_when_limited);
    tcase_add_test(tc, the_same_definitions_again_are_no_event);
    tcase_add_test(tc, a_plan_names_what_changes_and_a_dry_run_changes_nothing);
    tcase_add_loop_test(tc, a_plan_says_whom_an_edit_moves, 0, 2);
    tcase_add_test(tc, a_plan_is_refused_once_the_state_has_moved_on);
    tcase_add_test(tc, a_quota_is_told_and_raised_and_lets_go_what_it_held);
    tcase_add_test(tc, a_cap_holds_and_is_raised);
    tcase_add_loop_test(tc, a_broadcast_is_listed_and_called_off_until_it_is_on_its_way, 0, 2);
    tcase_add_test(tc, wrong_definitions_are_422_with_their_place);
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
