/* Replay is apply alone: a second engine that is only given the events has the same digest after
 * every one of them, and an engine woken from a replay goes on as the first would have. */
#include "tests/engine/random_life.h"

#include <check.h>

/* Events hold no references: the sets live until the test is over. */
static struct definitions *edits[512];
static uint32_t edit_count;

static void
close_all(void)
{
    shop_close(&shop);
    while (edit_count > 0) {
        definitions_release(edits[--edit_count]);
    }
}

/* The same names with other steps at other times: some are gone, some are new. */
static void
random_edit(uint64_t *seed)
{
    struct definitions *other = definitions_new();
    struct arena *arena = other->arena;
    *other = *shop.definitions;
    other->arena = arena;
    other->references = 1;
    struct scenario *scenarios = arena_alloc(arena, SCENARIOS_MAX * sizeof(*scenarios));
    for (uint32_t i = 0; i < SCENARIOS_MAX; i++) {
        scenarios[i] = shop.scenarios[i];
        if (next_random(seed) % 2) {
            continue;
        }
        struct step *steps = arena_alloc(arena, STEPS_MAX * sizeof(*steps));
        uint32_t count = 0, first = (uint32_t)(next_random(seed) % 3);
        for (uint32_t j = 0; j < 6; j++) {
            if (next_random(seed) % 3 == 0) {
                continue;
            }
            uint32_t id = (first + j) % 6;
            steps[count] = shop.steps[i][0];
            steps[count].id = id < 4 ? id : 60 + 3 * id; /* 72 and 75 lie beyond the first word */
            steps[count].timing = random_timing(seed);
            count++;
        }
        scenarios[i].steps = steps;
        scenarios[i].step_count = count;
    }
    other->scenarios = scenarios;
    shop_input(&shop,
               (struct input){.kind = INPUT_DEFINITIONS, .u.definitions = {.definitions = other}});
    ck_assert_uint_lt(edit_count, 512);
    edits[edit_count++] = other;
}

/* A random step of a life, or an edit of what is under way. */
static void
random_step_or_edit(uint64_t *seed)
{
    if (next_random(seed) % 12 == 0) {
        random_edit(seed);
    } else {
        random_step(seed);
    }
}

static void
replay_and_compare(uint64_t seed)
{
    static const struct engine_calls calls = {.body_hash = shop_body_hash};
    struct engine *replayed = engine_new(&calls);
    for (uint32_t i = 0; i < shop.events.count; i++) {
        engine_apply(replayed, &shop.events.items[i]);
    }
    ck_assert_msg(state_digest(engine_state(replayed)) == state_digest(engine_state(shop.engine)),
                  "seed %llu: the digests differ", (unsigned long long)seed);
    engine_free(replayed);
}

START_TEST(the_replayed_digest_equals_the_live_one_after_every_input)
{
    uint64_t first_seed = (uint64_t)_i * 7919 + 1, seed = first_seed;
    random_shop(&seed);
    for (int i = 0; i < 120; i++) {
        random_step_or_edit(&seed);
        replay_and_compare(first_seed);
    }
    close_all();
}
END_TEST

START_TEST(the_digest_is_the_same_at_every_prefix_of_the_log)
{
    static const struct engine_calls calls = {.body_hash = shop_body_hash};
    uint64_t seed = (uint64_t)_i * 104729 + 1;
    random_shop(&seed);
    for (int i = 0; i < 200; i++) {
        random_step_or_edit(&seed);
    }
    struct engine *one = engine_new(&calls), *two = engine_new(&calls);
    for (uint32_t i = 0; i < shop.events.count; i++) {
        engine_apply(one, &shop.events.items[i]);
        if (i % 16 == 0) { /* the second from zero, now and then: quadratic otherwise */
            engine_free(two);
            two = engine_new(&calls);
            for (uint32_t j = 0; j <= i; j++) {
                engine_apply(two, &shop.events.items[j]);
            }
        } else {
            engine_apply(two, &shop.events.items[i]);
        }
        ck_assert_uint_eq(state_digest(engine_state(one)), state_digest(engine_state(two)));
    }
    engine_free(one);
    engine_free(two);
    close_all();
}
END_TEST

START_TEST(an_engine_woken_from_a_replay_goes_on_as_the_first_would_have)
{
    static const struct engine_calls calls = {.body_hash = shop_body_hash};
    uint64_t first_seed = (uint64_t)_i * 15485863 + 1, seed = first_seed;
    random_shop(&seed);
    for (int i = 0; i < 60; i++) {
        random_step_or_edit(&seed);
    }
    struct engine *woken = engine_new(&calls);
    for (uint32_t i = 0; i < shop.events.count; i++) {
        engine_apply(woken, &shop.events.items[i]);
    }
    engine_wake(woken, shop.now_ms);
    int64_t until_ms = shop.now_ms + 30 * MS_PER_DAY, from_ms = shop.now_ms;
    uint32_t live = shop_until(&shop, until_ms);
    struct engine *first = shop.engine;
    shop.engine = woken;
    shop.now_ms = from_ms;
    uint32_t again = shop_until(&shop, until_ms);
    ck_assert_msg(live == again, "seed %llu: %u deliveries, %u after a restart",
                  (unsigned long long)first_seed, live, again);
    engine_free(first);
    close_all();
}
END_TEST

/* The start of the enrolment that a step's delivery belongs to: the newest when it was planned. */
static uint64_t
life_of(const struct event *intent)
{
    uint64_t planned = intent->u.delivery.delivery != 0 ? intent->u.delivery.delivery : intent->seq;
    uint64_t life = 0;
    for (uint32_t i = 0; i < shop.events.count && shop.events.items[i].seq < planned; i++) {
        const struct event *event = &shop.events.items[i];
        if (event->kind == EVENT_ENROLMENT_STARTED && event->friend == intent->friend &&
            event->u.step.scenario == intent->source.id) {
            life = event->seq;
        }
    }
    return life;
}

START_TEST(nothing_is_early_and_no_step_is_delivered_twice_in_an_enrolment)
{
    uint64_t first_seed = (uint64_t)_i * 32452843 + 1, seed = first_seed;
    random_shop(&seed);
    for (int i = 0; i < 300; i++) {
        random_step_or_edit(&seed);
    }
    for (uint32_t i = 0; i < shop.events.count; i++) {
        const struct event *a = &shop.events.items[i];
        if (a->kind != EVENT_DELIVERY_INTENDED) {
            continue;
        }
        ck_assert_msg(a->at_ms >= a->u.delivery.due_ms, "seed %llu: early",
                      (unsigned long long)first_seed);
        for (uint32_t j = i + 1; j < shop.events.count; j++) {
            const struct event *b = &shop.events.items[j];
            bool returned =
                b->kind == EVENT_DELIVERY_OUTCOME && b->friend == a->friend &&
                (b->u.delivery.result == RESULT_RETURNED || b->u.delivery.result == RESULT_ALONE);
            if (returned) {
                break; /* the same delivery on its other way */
            }
            bool same = b->kind == EVENT_DELIVERY_INTENDED && b->friend == a->friend &&
                        a->source.kind == SOURCE_STEP && b->source.kind == SOURCE_STEP &&
                        a->source.id == b->source.id && a->source.sub == b->source.sub;
            ck_assert_msg(!same || life_of(a) != life_of(b), "seed %llu: a step twice",
                          (unsigned long long)first_seed);
        }
    }
    close_all();
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("replay");
    TCase *tcase = tcase_create("random lives");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, the_replayed_digest_equals_the_live_one_after_every_input, 0, 20);
    tcase_add_loop_test(tcase, the_digest_is_the_same_at_every_prefix_of_the_log, 0, 10);
    tcase_add_loop_test(tcase, an_engine_woken_from_a_replay_goes_on_as_the_first_would_have, 0,
                        40);
    tcase_add_loop_test(tcase, nothing_is_early_and_no_step_is_delivered_twice_in_an_enrolment, 0,
                        40);
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
