/* One request to many: the list in the event, and that taking many at once gives each friend what taking one
 * by one gives them (SPEC R46). */
#include "tests/engine/random_life.h"

#include <check.h>

/* --- the list --- */

static struct arena *arena;
static struct crowd packed, unpacked;

static void
open_arena(void)
{
    arena = arena_new();
}

static void
close_arena(void)
{
    arena_free(arena);
}

static void
random_crowd(uint64_t *seed)
{
    uint64_t friend = next_random(seed) % 100;
    packed.count = 1 + (uint32_t)(next_random(seed) % CROWD_MAX);
    for (uint32_t i = 0; i < packed.count; i++) {
        packed.friends[i] = friend;
        packed.previous[i] = next_random(seed) >> next_random(seed) % 64;
        packed.numbers[i] = next_random(seed) % 3 == 0 ? next_random(seed) : 1;
        packed.extra[i] = next_random(seed) % 5 == 0 ? next_random(seed) : 0;
        friend += 1 + next_random(seed) % (1 + next_random(seed) % 9);
    }
}

START_TEST(a_list_comes_back_as_it_was)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < 200; round++) {
        random_crowd(&seed);
        struct span list = crowd_pack(&packed, arena);
        ck_assert(crowd_unpack(list, &unpacked));
        ck_assert_uint_eq(unpacked.count, packed.count);
        size_t bytes = packed.count * sizeof(uint64_t);
        ck_assert_int_eq(memcmp(unpacked.friends, packed.friends, bytes), 0);
        ck_assert_int_eq(memcmp(unpacked.previous, packed.previous, bytes), 0);
        ck_assert_int_eq(memcmp(unpacked.numbers, packed.numbers, bytes), 0);
        ck_assert_int_eq(memcmp(unpacked.extra, packed.extra, bytes), 0);
    }
}
END_TEST

/* Whatever bytes: refused, or a list that is one. Never more than it says, never out of order. */
START_TEST(damaged_lists_are_refused_or_hold_together)
{
    uint64_t seed = (uint64_t)_i + 77;
    for (int round = 0; round < 500; round++) {
        random_crowd(&seed);
        struct span list = crowd_pack(&packed, arena);
        uint8_t *bytes = arena_alloc(arena, list.len);
        memcpy(bytes, list.data, list.len);
        for (int i = 0; i < 3; i++) {
            bytes[next_random(&seed) % list.len] = (uint8_t)next_random(&seed);
        }
        size_t len = next_random(&seed) % 2 ? list.len : next_random(&seed) % (list.len + 1);
        if (!crowd_unpack(span_of(bytes, len), &unpacked)) {
            continue;
        }
        ck_assert_uint_ge(unpacked.count, 1);
        ck_assert_uint_le(unpacked.count, CROWD_MAX);
        for (uint32_t i = 1; i < unpacked.count; i++) {
            ck_assert_uint_lt(unpacked.friends[i - 1], unpacked.friends[i]);
        }
    }
}
END_TEST

/* PERFORMANCE P13: at most 5 bytes a friend of a broadcast, outcome included. */
START_TEST(neighbours_cost_next_to_nothing_and_a_random_half_few_bytes)
{
    uint64_t seed = 5;
    packed.count = CROWD_MAX;
    for (uint32_t i = 0; i < CROWD_MAX; i++) {
        packed.friends[i] = 7000 + i;
        packed.previous[i] = 100000 + 6 * i;
        packed.numbers[i] = 7000 + i;
        packed.extra[i] = 0;
    }
    ck_assert_uint_le(crowd_pack(&packed, arena).len, 60);
    uint64_t friend = 7000;
    for (uint32_t i = 0; i < CROWD_MAX; i++) { /* every other one, by chance; the chain agrees */
        friend += 1 + next_random(&seed) % 3;
        packed.friends[i] = friend;
        packed.previous[i] = 123456789;
        packed.numbers[i] = friend;
    }
    ck_assert_uint_le(crowd_pack(&packed, arena).len, 5 * CROWD_MAX / 2);
}
END_TEST

/* --- the twin --- */

enum { FRIENDS = 120, LINES_MAX = 4096 };

struct line {
    uint32_t friend, template;
    int64_t at_ms;
};
struct life {
    struct line lines[LINES_MAX];
    uint32_t count;
    uint32_t requests;
    uint32_t used, delivered[SCENARIOS_MAX];
    uint32_t lost; /* ended without a message */
};
static struct life alone, together;

static void
note(struct life *life, const struct event *event)
{
    struct crowd crowd;
    if (crowd_is_in(event)) {
        ck_assert(crowd_unpack(event->u.delivery.crowd, &crowd));
        for (uint32_t i = 0; i < crowd.count; i++) {
            struct event single;
            crowd_single(event, &crowd, i, &single);
            note(life, &single);
        }
        return;
    }
    life->lost += event->kind == EVENT_STEP_SKIPPED || event->kind == EVENT_DELIVERY_CANCELLED;
    for (uint32_t i = 0; event->kind == EVENT_DELIVERY_INTENDED && i < event->u.delivery.item_count;
         i++) {
        ck_assert_uint_lt(life->count, LINES_MAX);
        life->lines[life->count++] =
            (struct line){event->friend, event->u.delivery.items[i].template, event->at_ms};
    }
}

static int
by_friend(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->friend != y->friend) {
        return x->friend < y->friend ? -1 : 1;
    }
    return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

static void
live(uint64_t seed, bool many, struct life *life)
{
    *life = (struct life){0};
    random_shop(&seed);
    shop.many = many;
    for (uint32_t i = 0; i < FRIENDS; i++) {
        char who[8];
        snprintf(who, sizeof(who), "U%u", i);
        shop_act(&shop, INPUT_FOLLOW, who, NULL);
        if (next_random(&seed) % 4 == 0) { /* several at one instant, others apart */
            (void)shop_until(&shop, shop.now_ms + (int64_t)(next_random(&seed) % 3600000));
        }
    }
    (void)shop_until(&shop, shop.now_ms + 30 * MS_PER_DAY);
    for (uint32_t i = 0; i < shop.events.count; i++) {
        const struct event *event = &shop.events.items[i];
        note(life, event);
        life->requests +=
            event->kind == EVENT_DELIVERY_INTENDED || event->kind == EVENT_DELIVERIES_INTENDED;
    }
    const struct state *state = engine_state(shop.engine);
    life->used = state->quota.used;
    for (uint32_t i = 0; i < SCENARIOS_MAX && i < state->scenario_capacity; i++) {
        life->delivered[i] = state->scenario_counts[i].delivered;
    }
    qsort(life->lines, life->count, sizeof(life->lines[0]), by_friend);
    shop_close(&shop);
}

START_TEST(many_at_once_get_what_they_would_get_one_by_one)
{
    uint64_t seed = (uint64_t)_i * 7919 + 1;
    live(seed, false, &alone);
    live(seed, true, &together);
    ck_assert_msg(alone.count == together.count, "seed %llu: %u and %u messages",
                  (unsigned long long)seed, alone.count, together.count);
    for (uint32_t i = 0; i < alone.count; i++) {
        const struct line *a = &alone.lines[i], *b = &together.lines[i];
        ck_assert_msg(a->friend == b->friend && a->template == b->template && a->at_ms == b->at_ms,
                      "seed %llu: friend %u gets %u, friend %u gets %u", (unsigned long long)seed,
                      a->friend, a->template, b->friend, b->template);
    }
    ck_assert_uint_eq(alone.used, together.used);
    ck_assert_uint_eq(alone.lost, together.lost);
    ck_assert_int_eq(memcmp(alone.delivered, together.delivered, sizeof(alone.delivered)), 0);
    ck_assert_uint_le(together.requests, alone.requests);
}
END_TEST

START_TEST(one_whom_line_refuses_fails_alone)
{
    shop_open(&shop);
    (void)shop_step(&shop, 0, after_start(MS_PER_HOUR), shop_send(&shop, T_HELLO));
    shop.definitions->friend_added = shop_start(&shop, 0);
    shop_apply(&shop);
    shop.many = true;
    shop_act(&shop, INPUT_FOLLOW, "A", NULL);
    shop_act(&shop, INPUT_FOLLOW, "B", NULL);
    shop_act(&shop, INPUT_FOLLOW, "C", NULL);
    shop.now_ms += MS_PER_HOUR;
    const struct delivery *row = shop_take(&shop);
    ck_assert_uint_eq(shop.friend_count, 3);
    uint64_t first = row->intent_seq;
    shop_input(&shop, (struct input){.kind = INPUT_OUTCOME,
                                     .u.outcome = {.friends = shop.friends,
                                                   .friend_count = 3,
                                                   .delivery = first,
                                                   .bad = 1,
                                                   .result = RESULT_RETURNED,
                                                   .code = 400}});
    row = shop_take(&shop);
    ck_assert_uint_eq(shop.friend_count, 2); /* under another number, so another key */
    ck_assert_uint_eq(shop.friends[0], 0);
    ck_assert_uint_eq(shop.friends[1], 2);
    ck_assert_uint_gt(row->intent_seq, first);
    shop_outcome(&shop, row, RESULT_ALONE); /* for whom, LINE does not say: each by itself */
    for (int i = 0; i < 2; i++) {
        row = shop_take(&shop);
        ck_assert_uint_eq(shop.friend_count, 1);
        ck_assert_uint_eq(row->crowd, 0);
        shop_outcome(&shop, row, RESULT_SENT);
    }
    ck_assert_ptr_null(shop_take(&shop));
    shop_close(&shop);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("chunk");
    TCase *tcase = tcase_create("list");
    tcase_add_checked_fixture(tcase, open_arena, close_arena);
    tcase_add_loop_test(tcase, a_list_comes_back_as_it_was, 0, 5);
    tcase_add_loop_test(tcase, damaged_lists_are_refused_or_hold_together, 0, 5);
    tcase_add_test(tcase, neighbours_cost_next_to_nothing_and_a_random_half_few_bytes);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("twin");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, many_at_once_get_what_they_would_get_one_by_one, 0, 60);
    tcase_add_test(tcase, one_whom_line_refuses_fails_alone);
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
