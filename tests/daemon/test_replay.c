/* The log folded: what was recorded comes back as it was, up to where it was asked for, and damage stops it
 * with the place. */
#include "daemon/replay.h"
#include "daemon/zones.h"
#include "proto/event.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct log *log_of_test;
static struct arena *arena;
static const uint8_t salt[EVENT_SALT_BYTES] = "salt of the test";

/* Replay decides nothing, so it renders nothing. */
static const struct engine_calls NO_CALLS;

struct seen {
    uint32_t before, after;
    uint64_t seqs[64];
    struct event last;
    uint32_t stop_at;
};

static void
setup(void)
{
    const struct log_options options = {.mode = LOG_CLAIM};
    const uint8_t run_id[LOG_RUN_ID_BYTES] = {1};
    ck_assert_int_eq(log_open(NULL, &options, &log_of_test), RC_OK);
    log_set_run_id(log_of_test, run_id);
    arena = arena_new();
}

static void
teardown(void)
{
    log_close(log_of_test);
    arena_free(arena);
}

/* How the words reach the log. */
enum words { WORDS_KEPT, WORDS_ERASED, WORDS_DAMAGED };

static void
append_events(struct event *events, uint32_t count, int64_t time_ms, enum words words)
{
    struct buf framed = {0}, one = {0}, rows[8] = {{0}};
    struct log_content content[8];
    uint32_t content_count = 0;
    uint64_t first = log_newest(log_of_test) + 1;
    for (uint32_t i = 0; i < count; i++) {
        events[i].seq = first + i;
        buf_clear(&one);
        event_encode(&events[i], salt, &one, &rows[i]);
        log_events_add(&framed, buf_span(&one));
        if (rows[i].len > 0 && words != WORDS_ERASED) {
            rows[i].data[rows[i].len - 1] ^= words == WORDS_DAMAGED;
            content[content_count++] = (struct log_content){first + i, buf_span(&rows[i])};
        }
    }
    const struct log_batch batch = {.time_ms = time_ms,
                                    .event_count = count,
                                    .events = buf_span(&framed),
                                    .content = content,
                                    .content_count = content_count};
    ck_assert_int_eq(log_append(log_of_test, &batch, first), RC_OK);
    for (uint32_t i = 0; i < count; i++) {
        buf_fini(&rows[i]);
    }
    buf_fini(&framed);
    buf_fini(&one);
}

static struct event
friend_added(uint32_t friend, const struct span *user_id)
{
    struct event event = {.kind = EVENT_FRIEND_ADDED, .friend = friend};
    event.words = user_id;
    event.word_count = 1;
    event.u.friend_added.followed = true;
    return event;
}

static enum rc
before(void *context, const struct event *event)
{
    struct seen *seen = context;
    seen->seqs[seen->before++] = event->seq;
    return seen->before == seen->stop_at ? RC_REFUSED : RC_OK;
}

static enum rc
after(void *context, const struct event *event)
{
    struct seen *seen = context;
    seen->after++;
    seen->last = *event;
    return RC_OK;
}

static enum rc
run(struct seen *seen, struct replay_options options, const char *error_with)
{
    struct buf error = {0};
    options.log = log_of_test;
    options.before = before;
    options.after = after;
    options.context = seen;
    enum rc rc = replay_run(&options, &error);
    ck_assert_msg(strstr(buf_cstr(&error), error_with) != NULL, "not '%s': %s", error_with,
                  buf_cstr(&error));
    buf_fini(&error);
    return rc;
}

static const struct span ids[] = {{(const uint8_t *)"Uaaa", 4}, {(const uint8_t *)"Ubbb", 4}};

/* Batches at 1000, 2000 and 3000 with two events each; the second batch of each friend has words. */
static void
three_batches(void)
{
    for (int i = 0; i < 3; i++) {
        struct event events[] = {friend_added((uint32_t)i, &ids[i % 2]),
                                 {.kind = EVENT_TAG_ADDED, .friend = (uint32_t)i}};
        events[1].friend_prev = log_newest(log_of_test) + 1;
        append_events(events, 2, 1000 * (i + 1), WORDS_KEPT);
    }
}

START_TEST(every_event_is_observed_in_order)
{
    struct seen seen = {0};
    three_batches();
    ck_assert_int_eq(run(&seen, (struct replay_options){0}, ""), RC_OK);
    ck_assert_uint_eq(seen.before, 6);
    ck_assert_uint_eq(seen.after, 6);
    for (uint64_t i = 0; i < 6; i++) {
        ck_assert_uint_eq(seen.seqs[i], i + 1);
    }
    ck_assert_uint_eq(seen.last.friend_prev, 5);
    ck_assert_int_eq(seen.last.at_ms, 3000);
}
END_TEST

START_TEST(replay_stops_at_a_number)
{
    three_batches();
    for (uint64_t until = 1; until <= 7; until++) {
        struct seen seen = {0};
        ck_assert_int_eq(run(&seen, (struct replay_options){.until_seq = until}, ""), RC_OK);
        ck_assert_uint_eq(seen.after, until < 6 ? until : 6);
    }
}
END_TEST

START_TEST(observing_can_begin_inside_a_batch)
{
    struct seen seen = {0};
    three_batches();
    ck_assert_int_eq(run(&seen, (struct replay_options){.from_seq = 4}, ""), RC_OK);
    ck_assert_uint_eq(seen.before, 3);
    ck_assert_uint_eq(seen.seqs[0], 4);
}
END_TEST

START_TEST(replay_stops_after_a_time)
{
    three_batches();
    const struct {
        int64_t until_ms;
        uint32_t events;
    } rows[] = {{999, 0}, {1000, 2}, {1999, 2}, {2000, 4}, {9000, 6}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct seen seen = {0};
        ck_assert_int_eq(run(&seen, (struct replay_options){.until_ms = rows[i].until_ms}, ""),
                         RC_OK);
        ck_assert_uint_eq(seen.after, rows[i].events);
    }
}
END_TEST

START_TEST(an_observer_stops_replay_with_its_own_code)
{
    struct seen seen = {.stop_at = 3};
    three_batches();
    ck_assert_int_eq(run(&seen, (struct replay_options){0}, ""), RC_REFUSED);
    ck_assert_uint_eq(seen.before, 3);
    ck_assert_uint_eq(seen.after, 2);
}
END_TEST

START_TEST(erased_words_are_replayed_as_erased)
{
    struct seen seen = {0};
    struct event event = friend_added(0, &ids[0]);
    append_events(&event, 1, 1000, WORDS_ERASED);
    ck_assert_int_eq(run(&seen, (struct replay_options){0}, ""), RC_OK);
    ck_assert(seen.last.words_erased);
    ck_assert_uint_eq(seen.last.word_count, 0);
}
END_TEST

START_TEST(damaged_words_stop_replay_and_name_the_event)
{
    struct seen seen = {0};
    three_batches();
    struct event event = friend_added(3, &ids[0]);
    append_events(&event, 1, 4000, WORDS_DAMAGED);
    ck_assert_int_eq(run(&seen, (struct replay_options){0}, "event 7: its words"), RC_CORRUPT);
    ck_assert_uint_eq(seen.after, 6);
}
END_TEST

static void
append_bytes(const uint8_t *bytes, size_t len)
{
    struct buf framed = {0};
    log_events_add(&framed, span_of(bytes, len));
    const struct log_batch batch = {.time_ms = 5000, .event_count = 1, .events = buf_span(&framed)};
    ck_assert_int_eq(log_append(log_of_test, &batch, log_newest(log_of_test) + 1), RC_OK);
    buf_fini(&framed);
}

START_TEST(bytes_that_are_no_event_stop_replay)
{
    const uint8_t bytes[] = {0x92, 0x1e};
    struct seen seen = {0};
    three_batches();
    append_bytes(bytes, sizeof(bytes));
    ck_assert_int_eq(run(&seen, (struct replay_options){0}, "event 7: its bytes are no event"),
                     RC_CORRUPT);
}
END_TEST

START_TEST(an_unknown_kind_is_handed_on_and_keeps_the_chain)
{
    const uint8_t bytes[] = {0x94, 127, 2, 1, 0xc0};
    struct engine *engine = engine_new(&NO_CALLS);
    struct seen seen = {0};
    three_batches();
    append_bytes(bytes, sizeof(bytes));
    ck_assert_int_eq(run(&seen, (struct replay_options){.engine = engine}, ""), RC_OK);
    ck_assert_uint_eq(seen.last.kind, 127);
    ck_assert_uint_eq(engine_state(engine)->seq, 7);
    ck_assert_uint_eq(state_friend(engine_state(engine), 2)->newest_seq, 7);
    engine_free(engine);
}
END_TEST

START_TEST(the_engine_knows_what_the_log_says)
{
    struct engine *engine = engine_new(&NO_CALLS);
    struct seen seen = {0};
    three_batches();
    ck_assert_int_eq(run(&seen, (struct replay_options){.engine = engine}, ""), RC_OK);
    const struct state *state = engine_state(engine);
    ck_assert_uint_eq(state->seq, 6);
    ck_assert_uint_eq(state->friends.count, 3);
    ck_assert_uint_eq(state_find_friend(state, ids[1]), 1);
    ck_assert_uint_eq(state_friend(state, 1)->newest_seq, 4);
    engine_free(engine);
}
END_TEST

static struct definitions *
compile(struct zones *zones)
{
    const struct source_file file = {
        span_cstr("shop.yaml"),
        span_cstr("account: {name: shop, zone: Asia/Tokyo}\ntags: {all: [vip]}\n")};
    struct diagnostics diagnostics;
    struct definitions *definitions = NULL;
    diagnostics_init(&diagnostics);
    enum rc rc =
        definition_compile(&file, 1, NULL, zones_source(zones), NULL, &diagnostics, &definitions);
    ck_assert_msg(rc == RC_OK, "%s",
                  diagnostics.count > 0 ? diagnostics.items[0].message : rc_name(rc));
    diagnostics_fini(&diagnostics);
    return definitions;
}

/* Logs the definitions with a hash that is theirs or not, and replays them into an engine. */
static enum rc
replay_definitions(enum words words, uint8_t wrong_by, const char *error_with, bool *out_in_force)
{
    struct zones *zones = zones_new(NULL);
    struct definitions *definitions = compile(zones);
    struct engine *engine = engine_new(&NO_CALLS);
    const struct span parts[] = {definitions->canonical, span_cstr("author")};
    struct event event = {.kind = EVENT_DEFINITIONS_APPLIED, .friend = NO_ID};
    event.words = parts;
    event.word_count = 2;
    memcpy(event.u.definitions.hash, definitions->hash, sizeof(definitions->hash));
    event.u.definitions.hash[0] ^= wrong_by;
    append_events(&event, 1, 1000, words);

    struct seen seen = {0};
    enum rc rc = run(&seen, (struct replay_options){.engine = engine, .zones = zones_source(zones)},
                     error_with);
    const struct state *state = engine_state(engine);
    *out_in_force = state->definitions_seq == 1 &&
                    memcmp(state->definitions->hash, definitions->hash, 16) == 0 &&
                    names_find(&state->definitions->tag_names, span_cstr("vip")) != NO_ID;
    engine_free(engine);
    definitions_release(definitions);
    zones_free(zones);
    return rc;
}

START_TEST(definitions_in_the_log_come_into_force)
{
    bool in_force = false;
    ck_assert_int_eq(replay_definitions(WORDS_KEPT, 0, "", &in_force), RC_OK);
    ck_assert(in_force);
}
END_TEST

START_TEST(other_definitions_than_were_applied_stop_replay)
{
    bool in_force;
    ck_assert_int_eq(replay_definitions(WORDS_KEPT, 1, "event 1: the definitions", &in_force),
                     RC_CORRUPT);
    ck_assert(!in_force);
}
END_TEST

START_TEST(definitions_that_are_gone_stop_replay)
{
    bool in_force;
    ck_assert_int_eq(replay_definitions(WORDS_ERASED, 0, "event 1: the definitions", &in_force),
                     RC_CORRUPT);
    ck_assert(!in_force);
}
END_TEST

START_TEST(one_event_can_be_read_by_its_number)
{
    struct event event;
    three_batches();
    ck_assert_int_eq(replay_read_event(log_of_test, 3, arena, &event), RC_OK);
    ck_assert_uint_eq(event.seq, 3);
    ck_assert_int_eq(event.at_ms, 2000);
    ck_assert_int_eq(event.kind, EVENT_FRIEND_ADDED);
    ck_assert(span_equal_cstr(event.words[0], "Ubbb"));
    ck_assert_int_eq(replay_read_event(log_of_test, 4, arena, &event), RC_OK);
    ck_assert_int_eq(event.kind, EVENT_TAG_ADDED);
    ck_assert_uint_eq(event.friend_prev, 3);
    ck_assert_int_eq(replay_read_event(log_of_test, 7, arena, &event), RC_NOT_FOUND);
    ck_assert_int_eq(replay_read_event(log_of_test, 0, arena, &event), RC_NOT_FOUND);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("replay");
    TCase *tc = tcase_create("replay");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_event_is_observed_in_order);
    tcase_add_test(tc, replay_stops_at_a_number);
    tcase_add_test(tc, observing_can_begin_inside_a_batch);
    tcase_add_test(tc, replay_stops_after_a_time);
    tcase_add_test(tc, an_observer_stops_replay_with_its_own_code);
    tcase_add_test(tc, erased_words_are_replayed_as_erased);
    tcase_add_test(tc, damaged_words_stop_replay_and_name_the_event);
    tcase_add_test(tc, bytes_that_are_no_event_stop_replay);
    tcase_add_test(tc, an_unknown_kind_is_handed_on_and_keeps_the_chain);
    tcase_add_test(tc, the_engine_knows_what_the_log_says);
    tcase_add_test(tc, definitions_in_the_log_come_into_force);
    tcase_add_test(tc, other_definitions_than_were_applied_stop_replay);
    tcase_add_test(tc, definitions_that_are_gone_stop_replay);
    tcase_add_test(tc, one_event_can_be_read_by_its_number);
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
