/* Forgetting a friend and unsending a message: the words are gone everywhere, the log still folds to the
 * same state (SPEC R50, R51). Words that must not survive begin with "canary". */
#include "daemon/replay.h"
#include "engine/state.h"
#include "tests/daemon/fixture.h"

#include <unistd.h>

#define ANNA "Ucanary000000000000000000000000a"
#define BERT "U0000000000000000000000000000000b"

static const char SHOP[] =
    "account: {name: A shop}\n"
    "tags: {all: [vip]}\n"
    "fields: {area: text, points: number, birthday: date, goal: datetime}\n"
    "templates: {T_hello: 'Hello {{name|you}} of {{area|somewhere}}', T_nudge: Still there?}\n"
    "friend_add:\n"
    "  new: {do: [ {start: S_welcome} ]}\n"
    "scenarios:\n"
    "  S_welcome:\n"
    "    steps:\n"
    "      hello: {when: now, send: T_hello}\n"
    "      nudge: {when: 1h after start, send: T_nudge}\n"
    "      again: {when: 2h after start, send: T_hello}\n";

static char directory[64];

static void
setup(void)
{
    strcpy(directory, "forget-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    fixture_begin();
    fixture_start(directory, directory, NULL);
    apply_yaml(SHOP);
}

static void
teardown(void)
{
    char command[100];
    fixture_close();
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    ck_assert_int_eq(system(command), 0);
}

static void
restart(void)
{
    fixture_kill();
    fixture_start(directory, directory, NULL);
}

static void
writes(const char *friend_id, const char *message_id, const char *text)
{
    char extra[300];
    snprintf(extra, sizeof(extra), ",\"message\":{\"type\":\"text\",\"id\":\"%s\",\"text\":\"%s\"}",
             message_id, text);
    ck_assert_uint_eq(post_webhook(event_body(friend_id, "message", extra)), 200);
    fixture_settle(&fixture);
}

static void
unsends(const char *friend_id, const char *message_id)
{
    char extra[100];
    snprintf(extra, sizeof(extra), ",\"unsend\":{\"messageId\":\"%s\"}", message_id);
    ck_assert_uint_eq(post_webhook(event_body(friend_id, "unsend", extra)), 200);
    fixture_settle(&fixture);
}

static void
profile(uint32_t friend, const char *name)
{
    const struct input input = {.kind = INPUT_PROFILE,
                                .at_ms = clock_now_ms(&fixture.clock),
                                .u.profile = {.friend = friend,
                                              .found = true,
                                              .name = span_cstr(name),
                                              .picture = span_cstr("https://canary/picture"),
                                              .language = span_cstr("ja")}};
    uint32_t count;
    (void)core_input(fixture.core, &input, &count);
    fixture_settle(&fixture);
}

/* A life with words of every kind; friend 0, and a second one who stays. */
static void
live(void)
{
    follows(ANNA);
    follows(BERT);
    profile(0, "canary Anna");
    writes(ANNA, "100", "canary text");
    writes(BERT, "200", "harmless");
    ck_assert_uint_eq(
        post_webhook(event_body(ANNA, "postback", ",\"postback\":{\"data\":\"canary tap\"}")), 200);
    json_decref(call_api("POST", "/v1/friends/0/tags", "{\"add\":[\"vip\"]}", NULL));
    json_decref(call_api("POST", "/v1/friends/0/fields",
                         "{\"set\":{\"area\":\"canary town\",\"points\":7,"
                         "\"birthday\":\"1990-01-02\",\"goal\":\"2026-06-10 23:59\"}}",
                         NULL));
    ck_assert_uint_eq(post_webhook("no JSON, yet a canary"), 200);
    advance_to("2026-06-01 12:00"); /* the second hello holds name and area */
}

static json_t *
forget(const char *friend, unsigned status)
{
    char path[100];
    unsigned got;
    snprintf(path, sizeof(path), "/v1/friends/%s/forget", friend);
    json_t *answer = call_api("POST", path, "{}", &got);
    ck_assert_uint_eq(got, status);
    return answer;
}

static bool
holds(struct span bytes, const char *text)
{
    return memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

/* How many content rows hold this text; and no event itself may, ever. */
static uint32_t
rows_with(const char *text)
{
    struct log *log = core_log(fixture.core);
    struct log_cursor *cursor;
    struct log_batch_view batch;
    struct buf row = {0};
    uint32_t count = 0;
    for (uint64_t seq = 1; seq <= log_newest(log); seq++) {
        if (log_read_content(log, seq, &row) == RC_OK && holds(buf_span(&row), text)) {
            count++;
        }
    }
    buf_fini(&row);
    ck_assert_int_eq(log_cursor_open(log, 1, &cursor), RC_OK);
    while (log_cursor_next(cursor, &batch) == RC_OK) {
        ck_assert_msg(!holds(batch.events, text), "'%s' stands in an event", text);
    }
    log_cursor_close(cursor);
    return count;
}

/* ---- replay ---- */

static const struct engine_calls NO_CALLS;

struct folding {
    struct engine *engine;
    uint32_t stops, erased;
};

static enum rc
look(void *context, const struct event *event)
{
    struct folding *folding = context;
    folding->erased += event->words_erased;
    if (event->kind == EVENT_STOPPED) {
        folding->stops++;
        ck_assert_uint_eq(state_digest(engine_state(folding->engine)), event->u.stopped.digest);
    }
    return RC_OK;
}

/* Replays the log: every stop's digest and the live one must come out. Returns what is erased. */
static uint32_t
replay_equals_live(uint32_t stops)
{
    struct buf error = {0};
    struct folding folding = {.engine = engine_new(&NO_CALLS)};
    const struct replay_options options = {.log = core_log(fixture.core),
                                           .engine = folding.engine,
                                           .zones = zones_source(fixture.zones),
                                           .before = look,
                                           .context = &folding};
    ck_assert_msg(replay_run(&options, &error) == RC_OK, "%s", buf_cstr(&error));
    ck_assert_uint_eq(state_digest(engine_state(folding.engine)),
                      state_digest(core_state(fixture.core)));
    ck_assert_uint_eq(folding.stops, stops);
    engine_free(folding.engine);
    buf_fini(&error);
    return folding.erased;
}

static void
record_stop(void)
{
    const struct input input = {.kind = INPUT_STOP, .at_ms = clock_now_ms(&fixture.clock)};
    uint32_t count;
    (void)core_input(fixture.core, &input, &count);
    ck_assert_int_eq(core_flush(fixture.core), RC_OK);
}

/* ---- forgetting ---- */

/* In the state's texts, held or left behind. */
static bool
texts_contain(const struct texts *texts, const char *word)
{
    for (uint32_t i = 0; i < texts->block_count; i++) {
        if (memmem(texts->blocks[i], TEXT_BLOCK_BYTES, word, strlen(word)) != NULL) {
            return true;
        }
    }
    return false;
}

START_TEST(a_forgotten_friends_words_are_in_no_row_and_not_in_the_state)
{
    live();
    const struct state *state = core_state(fixture.core);
    ck_assert(texts_contain(&state->texts, "canary"));
    ck_assert_uint_gt(rows_with("canary"), 6);
    json_t *answer = forget("0", 200);
    ck_assert_str_eq(value_at(answer, "done"), "true");
    json_decref(answer);
    ck_assert_uint_eq(rows_with("canary"), 0);
    ck_assert_uint_eq(rows_with("harmless"), 1);
    ck_assert_ptr_null(state_line_id(state, 0, (char[LINE_ID_ROOM]){0}));
    ck_assert_ptr_null(state_name(state, 0));
    ck_assert(!texts_contain(&state->texts, "canary"));
    json_t *friend = call_api("GET", "/v1/friends/0", "", NULL);
    ck_assert_str_eq(value_at(friend, "user_id"), "null");
    ck_assert_str_eq(value_at(friend, "name"), "null");
    ck_assert_str_eq(value_at(friend, "forgotten"), "true");
    ck_assert_str_eq(value_at(friend, "tags.0"), "vip"); /* numbers stay */
    ck_assert_str_eq(value_at(friend, "fields.points"), "7");
    ck_assert_str_eq(value_at(friend, "fields.birthday"), "absent");
    ck_assert_str_eq(value_at(friend, "fields.goal"), "absent");
    ck_assert_str_eq(value_at(friend, "fields.area"), "absent");
    json_decref(friend);
}
END_TEST

/* The date is nowhere: neither as digits in words nor as a number in an event. */
START_TEST(dates_are_words_that_can_be_erased)
{
    const char day_1990_01_02[] = "7306";
    const uint8_t packed[] = {0xcd, 0x1c, 0x8a}; /* 7306 in msgpack */
    live();
    ck_assert_uint_eq(rows_with(day_1990_01_02), 1);
    struct log_cursor *cursor;
    struct log_batch_view batch;
    ck_assert_int_eq(log_cursor_open(core_log(fixture.core), 1, &cursor), RC_OK);
    while (log_cursor_next(cursor, &batch) == RC_OK) {
        ck_assert_ptr_null(memmem(batch.events.data, batch.events.len, packed, sizeof(packed)));
    }
    log_cursor_close(cursor);
    json_t *friend = call_api("GET", "/v1/friends/0", "", NULL);
    ck_assert_str_eq(value_at(friend, "fields.birthday"), "1990-01-02");
    ck_assert_str_eq(value_at(friend, "fields.goal"), "2026-06-10T23:59:00.000+09:00");
    json_decref(friend);
    json_decref(forget("0", 200));
    ck_assert_uint_eq(rows_with(day_1990_01_02), 0);
}
END_TEST

START_TEST(the_log_folds_to_the_same_state_before_and_after)
{
    live();
    record_stop(); /* its digest was made while the words were known */
    replay_equals_live(1);
    json_decref(forget("0", 200));
    record_stop();
    ck_assert_uint_gt(replay_equals_live(2), 6);
    restart();
    ck_assert_uint_gt(replay_equals_live(2), 6);
    ck_assert(state_friend(core_state(fixture.core), 0)->forgotten);
    ck_assert_uint_eq(rows_with("canary"), 0);
}
END_TEST

START_TEST(a_later_follow_by_the_same_person_is_a_new_friend)
{
    live();
    json_decref(forget(ANNA, 200));
    json_decref(forget(ANNA, 404)); /* nobody has that id now */
    uint32_t asked = fixture.reply_count;
    follows(ANNA);
    ck_assert_uint_eq(core_state(fixture.core)->friends.count, 3);
    ck_assert_uint_eq(fixture.reply_count, asked + 1);
    json_t *friend = call_api("GET", "/v1/friends/" ANNA, "", NULL);
    ck_assert_str_eq(value_at(friend, "number"), "2");
    ck_assert_str_eq(value_at(friend, "tags"), "[]");
    json_decref(friend);
    replay_equals_live(0);
    restart();
    ck_assert_uint_eq(state_find_friend(core_state(fixture.core), span_cstr(ANNA)), 2);
}
END_TEST

START_TEST(nothing_more_is_sent_to_a_forgotten_friend_or_learnt_of_it)
{
    follows(ANNA);
    json_decref(forget("0", 200));
    ck_assert_uint_eq(state_friend(core_state(fixture.core), 0)->first_enrolment, NO_ID);
    uint32_t asked = fixture.push_count + fixture.reply_count;
    advance_to("2026-06-01 14:00");
    ck_assert_uint_eq(fixture.push_count + fixture.reply_count, asked);
    profile(0, "canary late"); /* LINE's answer to an older question */
    ck_assert_uint_eq(rows_with("canary"), 0);
    json_t *why = call_api("GET", "/v1/friends/0/why", "", NULL);
    ck_assert_str_eq(value_at(why, "deliveries.1.outcome"), "cancelled");
    ck_assert_str_eq(value_at(why, "deliveries.1.reason"), "forgotten");
    json_decref(why);
    unsigned status;
    json_decref(call_api("POST", "/v1/friends/0/fields", "{\"set\":{\"area\":\"x\"}}", &status));
    ck_assert_uint_eq(status, 409);
    json_decref(call_api("POST", "/v1/friends/0/tags", "{\"add\":[\"vip\"]}", &status));
    ck_assert_uint_eq(status, 409);
    json_t *started = call_api("POST", "/v1/scenarios/S_welcome/start", "{\"friend\":0}", NULL);
    ck_assert_str_eq(value_at(started, "started"), "false");
    ck_assert_str_eq(value_at(started, "reason"), "forgotten");
    json_decref(started);
}
END_TEST

START_TEST(a_request_under_way_is_booked_unknown_and_never_repeated)
{
    follows(ANNA);
    fixture.status = 500;
    ck_assert_int_eq(
        advance_begin(&fixture.advance, FIXTURE_START_MS + MS_PER_HOUR, fixture_arrived, &fixture),
        RC_OK);
    while (fixture.push_count == 0) {
        fixture_pass(&fixture);
    }
    if (_i == 1) { /* it has failed once and rests */
        fixture_answer(&fixture);
    }
    json_decref(forget("0", 200));
    fixture_answer(&fixture);
    fixture.status = 200;
    fixture_settle(&fixture);
    advance_to("2026-06-01 18:00");
    ck_assert_uint_eq(fixture.push_count, 1);
    ck_assert_uint_eq(delivery_in_flight(fixture.desk), 0);
    json_t *why = call_api("GET", "/v1/friends/0/why", "", NULL);
    bool found = false;
    for (size_t i = 0; i < json_array_size(json_object_get(why, "deliveries")); i++) {
        const json_t *row = json_array_get(json_object_get(why, "deliveries"), i);
        found = found || strcmp(value_at(row, "outcome"), "unknown") == 0;
    }
    ck_assert(found);
    json_decref(why);
    ck_assert_uint_eq(rows_with("canary"), 0);
    replay_equals_live(0);
}
END_TEST

/* Longer than one pass erases, with a kill after each pass. */
START_TEST(a_long_life_is_forgotten_share_by_share_through_every_kill)
{
    enum { MESSAGES = 1300 };
    follows(ANNA);
    follows(BERT);
    for (int i = 0; i < MESSAGES; i++) {
        ck_assert_uint_eq(post_webhook(event_body(ANNA, "message",
                                                  ",\"message\":{\"type\":\"text\",\"id\":\"7\","
                                                  "\"text\":\"canary\"}")),
                          200);
    }
    fixture_settle(&fixture);
    json_t *answer = forget("0", 200);
    ck_assert_str_eq(value_at(answer, "done"), "false");
    json_decref(answer);
    uint32_t kills = 0;
    while (core_state(fixture.core)->forgetting.friend != NO_ID) {
        uint32_t left = rows_with("canary");
        unsigned status;
        json_decref(call_api("POST", "/v1/friends/1/forget", "{}", &status));
        ck_assert_uint_eq(status, 409); /* one after the other */
        fixture_pass(&fixture);
        ck_assert_uint_lt(rows_with("canary"), left);
        restart();
        ck_assert_uint_lt(kills++, 10);
    }
    ck_assert_uint_gt(kills, 0);
    ck_assert_uint_eq(rows_with("canary"), 0);
    replay_equals_live(0);
}
END_TEST

START_TEST(of_strangers_nothing_is_kept)
{
    const char body[] = "{\"destination\":\"" FIXTURE_BOT "\",\"events\":[{\"type\":\"message\","
                        "\"mode\":\"active\",\"timestamp\":1780275600000,\"webhookEventId\":\"w1\","
                        "\"source\":{\"type\":\"group\",\"groupId\":\"canary\",\"userId\":\"" ANNA
                        "\"},\"message\":{\"type\":\"text\",\"id\":\"1\",\"text\":\"canary\"}}]}";
    ck_assert_uint_eq(post_webhook(body), 200);
    fixture_settle(&fixture);
    ck_assert_uint_eq(rows_with("canary"), 0);
}
END_TEST

/* ---- unsending ---- */

START_TEST(an_unsent_message_is_erased_and_the_fact_stays)
{
    follows(BERT);
    writes(BERT, "1", "harmless one");
    writes(BERT, "2", "canary");
    writes(BERT, "3", "harmless two");
    record_stop();
    unsends(BERT, "2");
    ck_assert_uint_eq(rows_with("canary"), 0);
    ck_assert_uint_eq(rows_with("harmless"), 2);
    struct arena *arena = arena_new();
    struct event unsent, message;
    uint64_t newest = state_friend(core_state(fixture.core), 0)->newest_seq;
    ck_assert_int_eq(replay_read_event(core_log(fixture.core), newest, arena, &unsent), RC_OK);
    ck_assert_int_eq(unsent.kind, EVENT_MESSAGE_UNSENT);
    ck_assert_int_eq(
        replay_read_event(core_log(fixture.core), unsent.u.act.message, arena, &message), RC_OK);
    ck_assert_int_eq(message.kind, EVENT_MESSAGE_RECEIVED);
    ck_assert(message.words_erased);
    arena_free(arena);
    ck_assert_uint_eq(replay_equals_live(1), 1);
}
END_TEST

START_TEST(an_unsend_of_what_is_not_known_is_recorded_only)
{
    const char *const who[] = {BERT, BERT, ANNA}; /* no such message; another's; no such friend */
    const char *const which[] = {"77", "1", "2"};
    follows(BERT);
    follows("U000000000000000000000000000000cc");
    writes("U000000000000000000000000000000cc", "1", "harmless");
    uint32_t friends = core_state(fixture.core)->friends.count;
    unsends(who[_i], which[_i]);
    ck_assert_uint_eq(rows_with("harmless"), 1);
    ck_assert_uint_eq(core_state(fixture.core)->friends.count, friends);
    struct arena *arena = arena_new();
    struct event unsent;
    uint64_t newest = core_state(fixture.core)->seq;
    ck_assert_int_eq(replay_read_event(core_log(fixture.core), newest, arena, &unsent), RC_OK);
    ck_assert_int_eq(unsent.kind, EVENT_MESSAGE_UNSENT);
    ck_assert_uint_eq(unsent.u.act.message, 0);
    arena_free(arena);
}
END_TEST

/* LINE repeats after an outage: both may come in one body, and again. */
START_TEST(a_message_and_its_unsend_in_one_body_leave_no_words)
{
    static const char EVENT[] = "\"mode\":\"active\",\"timestamp\":1780275600000,"
                                "\"source\":{\"type\":\"user\",\"userId\":\"" BERT "\"}";
    char body[1000];
    follows(BERT);
    snprintf(
        body, sizeof(body),
        "{\"destination\":\"" FIXTURE_BOT "\",\"events\":["
        "{\"type\":\"message\",\"webhookEventId\":\"w1\",%s,"
        "\"message\":{\"type\":\"text\",\"id\":\"5\",\"text\":\"canary\"}},"
        "{\"type\":\"unsend\",\"webhookEventId\":\"w2\",%s,\"unsend\":{\"messageId\":\"5\"}}]}",
        EVENT, EVENT);
    ck_assert_uint_eq(post_webhook(body), 200);
    fixture_settle(&fixture);
    ck_assert_uint_eq(rows_with("canary"), 0);
    uint64_t newest = core_state(fixture.core)->seq;
    ck_assert_uint_eq(post_webhook(body), 200);
    fixture_settle(&fixture);
    ck_assert_uint_eq(core_state(fixture.core)->seq, newest);
    ck_assert_uint_eq(webhook_counts(fixture.webhook).duplicates, 2);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("forget");
    TCase *tc = tcase_create("words that go");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_forgotten_friends_words_are_in_no_row_and_not_in_the_state);
    tcase_add_test(tc, dates_are_words_that_can_be_erased);
    tcase_add_test(tc, the_log_folds_to_the_same_state_before_and_after);
    tcase_add_test(tc, a_later_follow_by_the_same_person_is_a_new_friend);
    tcase_add_test(tc, nothing_more_is_sent_to_a_forgotten_friend_or_learnt_of_it);
    tcase_add_loop_test(tc, a_request_under_way_is_booked_unknown_and_never_repeated, 0, 2);
    tcase_add_test(tc, a_long_life_is_forgotten_share_by_share_through_every_kill);
    tcase_add_test(tc, of_strangers_nothing_is_kept);
    tcase_add_test(tc, an_unsent_message_is_erased_and_the_fact_stays);
    tcase_add_loop_test(tc, an_unsend_of_what_is_not_known_is_recorded_only, 0, 3);
    tcase_add_test(tc, a_message_and_its_unsend_in_one_body_leave_no_words);
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
