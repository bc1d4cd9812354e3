/* The wheel beside its plain twins: a sorted array, and rows that remember when they are due. */
#include "engine/wheel.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T0 INT64_C(1763769600000)
#define DAY_MS INT64_C(86400000)
#define YEAR_MS (365 * DAY_MS)
#define SPAN_MS (INT64_C(1) << 36) /* what the slots cover */

/* ---- randomness, memory that fails, and the sorted array ---- */

/* In loops of millions: Check's own assertions write a file at every call. */
#define require(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg("%s", #condition);                                                        \
        }                                                                                          \
    } while (0)

static void
arm(struct wheel *wheel, int64_t due_ms, uint32_t owner)
{
    require(wheel_arm(wheel, due_ms, owner) == RC_OK);
}

static uint64_t
random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int64_t
random_below(uint64_t *state, int64_t bound)
{
    return (int64_t)(random_next(state) % (uint64_t)bound);
}

struct test_mem {
    size_t bytes;    /* held now */
    size_t requests; /* that asked for more */
    size_t fail_at;  /* this request fails, counted from 1; 0: none */
    bool fail_all;
};

static void *
test_resize(void *context, void *block, size_t old_bytes, size_t new_bytes)
{
    struct test_mem *test = context;
    if (new_bytes > 0 && (++test->requests == test->fail_at || test->fail_all)) {
        return NULL;
    }
    test->bytes += new_bytes - old_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_bytes);
}

static int
entry_compare(const void *a, const void *b)
{
    const struct wheel_entry *x = a;
    const struct wheel_entry *y = b;
    if (x->due_ms != y->due_ms) {
        return x->due_ms < y->due_ms ? -1 : 1;
    }
    return x->owner < y->owner ? -1 : x->owner > y->owner;
}

struct twin {
    struct wheel_entry *block; /* what was allocated; items begin where the dropped ones end */
    struct wheel_entry *items;
    size_t count, capacity;
};

static void
twin_insert(struct twin *twin, struct wheel_entry entry)
{
    size_t dropped = (size_t)(twin->items - twin->block);
    if (dropped + twin->count == twin->capacity) {
        twin->capacity = twin->capacity * 2 + 64;
        twin->block = realloc(twin->block, twin->capacity * sizeof(entry));
        twin->items = twin->block + dropped;
    }
    size_t low = 0;
    size_t high = twin->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (entry_compare(&twin->items[middle], &entry) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    memmove(&twin->items[low + 1], &twin->items[low], (twin->count - low) * sizeof(entry));
    twin->items[low] = entry;
    twin->count++;
}

static void
twin_drop_first(struct twin *twin)
{
    twin->items++;
    twin->count--;
}

/* A due instant of one of the kinds that have ways of their own through the wheel. */
static int64_t
random_due(uint64_t *random, int64_t now_ms)
{
    int64_t digit_ms = INT64_C(1) << 6 * random_below(random, 7);
    switch (random_below(random, 12)) {
    case 0:
        return now_ms - random_below(random, DAY_MS);
    case 1:
        return now_ms;
    case 2:
        return now_ms + random_below(random, 3);
    case 3:
    case 4: /* at the borders of slots */
        return now_ms / digit_ms * digit_ms + digit_ms * random_below(random, 3) - 1 +
               random_below(random, 3);
    case 5:
        return now_ms + random_below(random, SPAN_MS);
    case 6:
        return now_ms + random_below(random, 8 * SPAN_MS);
    case 7:
        return T0 + 3600000; /* everybody at one instant */
    case 8: {
        const int64_t odd[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1, 0, -1,
                               -SPAN_MS,  SPAN_MS * 100, 1};
        return odd[random_below(random, sizeof(odd) / sizeof(odd[0]))];
    }
    default:
        return now_ms + random_below(random, 30 * DAY_MS);
    }
}

static int64_t
random_step(uint64_t *random)
{
    switch (random_below(random, 8)) {
    case 0:
        return 0;
    case 1:
        return -random_below(random, DAY_MS);
    case 2:
        return INT64_C(1) << random_below(random, 37);
    case 3:
        return (INT64_C(1) << 6 * random_below(random, 7)) - 1;
    case 4:
        return random_below(random, 12) == 0 ? YEAR_MS : DAY_MS;
    default:
        return random_below(random, 100000);
    }
}

/* Takes everything that is due, in calls of at most `max`, and holds it against the twin. */
static void
drain_beside_twin(struct wheel *wheel, struct twin *twin, int64_t now_ms, size_t max)
{
    static struct wheel_entry out[4096];
    struct wheel_entry last = {.due_ms = INT64_MAX};
    for (int idle = 0; wheel_next(wheel) <= now_ms && idle < 1000;) {
        size_t taken = wheel_expire(wheel, now_ms, out, max);
        ck_assert_uint_le(taken, max);
        idle = taken == 0 ? idle + 1 : 0;
        for (size_t i = 0; i < taken; i++) {
            require(out[i].due_ms <= now_ms);
            if (twin->count > 0 && entry_compare(&twin->items[0], &out[i]) == 0) {
                last = out[i];
                twin_drop_first(twin);
                continue;
            }
            /* Equal entries come out once or more often, one right after the other. */
            ck_assert_msg(entry_compare(&last, &out[i]) == 0, "%lld/%u came out, %lld/%u was next",
                          (long long)out[i].due_ms, out[i].owner,
                          twin->count > 0 ? (long long)twin->items[0].due_ms : 0,
                          twin->count > 0 ? twin->items[0].owner : 0);
        }
    }
    ck_assert(twin->count == 0 || twin->items[0].due_ms > now_ms);
}

START_TEST(everything_comes_out_in_the_order_of_a_sorted_array)
{
    uint64_t random = 0x2545f4914f6cdd1du * (uint64_t)(_i + 1);
    printf("seed %d\n", _i);
    struct test_mem test = {0};
    const struct mem mem = {.resize = test_resize, .context = &test};
    int64_t now_ms = _i % 5 == 0 ? 0 : T0;
    struct wheel *wheel = wheel_new(&mem, now_ms);
    struct twin twin = {0};
    const int64_t owners = _i % 3 == 0 ? 8 : _i % 3 == 1 ? 100000 : INT64_C(1) << 32;

    for (int step = 0; step < 400; step++) {
        for (int64_t arms = random_below(&random, _i % 2 == 0 ? 12 : 60); arms > 0; arms--) {
            struct wheel_entry entry = {.due_ms = random_due(&random, now_ms),
                                        .owner = (uint32_t)random_below(&random, owners)};
            arm(wheel, entry.due_ms, entry.owner);
            /* One copy in the array: how many the wheel keeps of equal ones is its own affair. */
            if (twin.count == 0 ||
                bsearch(&entry, twin.items, twin.count, sizeof(entry), entry_compare) == NULL) {
                twin_insert(&twin, entry);
            }
        }
        if (twin.count > 0) {
            ck_assert_int_le(wheel_next(wheel), twin.items[0].due_ms);
        } else {
            ck_assert_int_eq(wheel_next(wheel), INT64_MAX);
        }
        int64_t seen_ms = now_ms + random_step(&random);
        now_ms = seen_ms > now_ms ? seen_ms : now_ms;
        static struct wheel_entry none[1];
        ck_assert_uint_eq(wheel_expire(wheel, seen_ms, none, 0), 0);
        drain_beside_twin(wheel, &twin, now_ms, 1 + (size_t)random_below(&random, 50));
        if (step % 8 == 0) {
            ck_assert(wheel_check(wheel));
            ck_assert_uint_eq(wheel_bytes(wheel), test.bytes);
        }
    }
    drain_beside_twin(wheel, &twin, INT64_MAX, 4096);
    ck_assert_uint_eq(twin.count, 0);
    ck_assert_uint_eq(wheel_count(wheel), 0);
    ck_assert(wheel_check(wheel));
    wheel_free(wheel);
    ck_assert_uint_eq(test.bytes, 0);
    free(twin.block);
}
END_TEST

/* ---- the way the daemon uses it: rows are the truth, entries that disagree are dropped ---- */

enum { ROWS = 500 };

static bool
row_agrees(void *context, struct wheel_entry entry)
{
    const int64_t *due_of = context;
    return due_of[entry.owner] == entry.due_ms;
}

static bool
keep_all(void *context, struct wheel_entry entry)
{
    (void)context;
    (void)entry;
    return true;
}

START_TEST(rows_are_served_in_order_whatever_is_armed_again_and_swept)
{
    uint64_t random = 0x9e3779b97f4a7c15u * (uint64_t)(_i + 1);
    printf("seed %d\n", _i);
    int64_t now_ms = T0;
    struct wheel *wheel = wheel_new(&mem_heap, now_ms);
    int64_t due_of[ROWS];
    memset(due_of, 0xff, sizeof(due_of)); /* -1: not due at all */

    for (int step = 0; step < 300; step++) {
        for (int64_t arms = random_below(&random, 40); arms > 0; arms--) {
            uint32_t owner = (uint32_t)random_below(&random, ROWS);
            due_of[owner] = random_due(&random, now_ms);
            if (due_of[owner] != -1) {
                arm(wheel, due_of[owner], owner);
            }
        }
        wheel_sweep(wheel, (size_t)random_below(&random, 300), row_agrees, due_of);
        ck_assert(step % 4 != 0 || wheel_check(wheel));
        int64_t step_ms = random_step(&random);
        now_ms += step_ms > 0 ? step_ms : 0;

        struct wheel_entry last = {.due_ms = INT64_MIN};
        int idle = 0;
        while (wheel_next(wheel) <= now_ms && idle < 1000) {
            struct wheel_entry out[16];
            size_t taken = wheel_expire(wheel, now_ms, out, 16);
            idle = taken == 0 ? idle + 1 : 0;
            for (size_t i = 0; i < taken; i++) {
                require(entry_compare(&last, &out[i]) <= 0);
                last = out[i];
                if (due_of[out[i].owner] == out[i].due_ms) {
                    due_of[out[i].owner] = -1;
                }
            }
        }
        for (uint32_t owner = 0; owner < ROWS; owner++) {
            require(due_of[owner] == -1 || due_of[owner] > now_ms);
        }
    }
    wheel_free(wheel);
}
END_TEST

START_TEST(a_sweep_drops_every_entry_that_disagrees_and_no_other)
{
    int64_t due_of[ROWS];
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    uint64_t random = 7;
    for (int round = 0; round < 30; round++) {
        for (uint32_t owner = 0; owner < ROWS; owner++) {
            /* Some in the past and some beyond the slots, so that the heap is swept as well. */
            due_of[owner] = T0 + random_below(&random, 2 * SPAN_MS) - SPAN_MS / 8;
            arm(wheel, due_of[owner], owner);
        }
    }
    ck_assert_uint_eq(wheel_count(wheel), 30 * ROWS);
    /* An entry that takes the place of a dropped one in the heap is looked at again: up to twice. */
    size_t dropped = 0;
    for (int call = 0; call < 2 * 30 * ROWS / 100 + 20; call++) {
        size_t now_dropped = wheel_sweep(wheel, 100, row_agrees, due_of);
        ck_assert_uint_le(now_dropped, 100);
        ck_assert(wheel_check(wheel));
        dropped += now_dropped;
    }
    ck_assert_uint_eq(dropped, 29 * ROWS);
    ck_assert_uint_eq(wheel_count(wheel), ROWS);
    static struct wheel_entry out[ROWS];
    ck_assert_uint_eq(wheel_expire(wheel, INT64_MAX, out, ROWS), ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        ck_assert_int_eq(out[i].due_ms, due_of[out[i].owner]);
    }
    wheel_free(wheel);
}
END_TEST

START_TEST(arming_the_same_owners_for_ever_keeps_memory_bounded)
{
    int64_t due_of[ROWS];
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    uint64_t random = 11;
    size_t most_bytes = 0;
    for (int round = 0; round < 400; round++) {
        for (uint32_t owner = 0; owner < ROWS; owner++) {
            due_of[owner] = T0 + DAY_MS + random_below(&random, 30 * DAY_MS);
            arm(wheel, due_of[owner], owner);
            /* As many looks as arms: the share of the stale stays below a half or so. */
            wheel_sweep(wheel, 2, row_agrees, due_of);
        }
        if (round == 20) {
            most_bytes = wheel_bytes(wheel) * 3 / 2;
        }
        ck_assert(round < 20 || wheel_bytes(wheel) < most_bytes);
        require(wheel_count(wheel) < 4 * ROWS);
    }
    ck_assert(wheel_check(wheel));
    wheel_free(wheel);
}
END_TEST

/* ---- single cases ---- */

START_TEST(borders_of_slots_hold_to_the_millisecond)
{
    /* 64^k - 1, 64^k, 64^k + 1 after several beginnings, each of them alone and exact. */
    const int64_t starts[] = {0, T0, T0 / SPAN_MS * SPAN_MS - 1, -SPAN_MS - 1};
    int64_t start_ms = starts[_i];
    for (int k = 0; k <= 7; k++) {
        for (int64_t delta = -1; delta <= 1; delta++) {
            struct wheel *wheel = wheel_new(&mem_heap, start_ms);
            int64_t due_ms = start_ms + (INT64_C(1) << 6 * k) + delta;
            struct wheel_entry out[2];
            arm(wheel, due_ms, 3);
            ck_assert_int_eq(wheel_next(wheel), due_ms);
            if (due_ms > start_ms) {
                ck_assert_uint_eq(wheel_expire(wheel, due_ms - 1, out, 2), 0);
            }
            ck_assert_uint_eq(wheel_expire(wheel, due_ms, out, 2), 1);
            ck_assert_int_eq(out[0].due_ms, due_ms);
            ck_assert_int_eq(wheel_next(wheel), INT64_MAX);
            ck_assert(wheel_check(wheel));
            wheel_free(wheel);
        }
    }
}
END_TEST

START_TEST(a_million_in_one_millisecond_come_in_order_and_in_bounded_calls)
{
    enum { COUNT = 1000000, MAX = 500 };
    static bool seen[COUNT];
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    const int64_t due_ms = T0 + 3 * DAY_MS + 1;
    /* 7919 is prime to a million: every owner once, in disorder. */
    for (uint64_t i = 0; i < COUNT; i++) {
        arm(wheel, due_ms, (uint32_t)(i * 7919 % COUNT));
    }
    ck_assert(wheel_check(wheel));
    static struct wheel_entry out[MAX];
    size_t total = 0;
    size_t idle = 0;
    ck_assert_uint_eq(wheel_expire(wheel, due_ms - 1, out, MAX), 0);
    while (wheel_next(wheel) <= due_ms) {
        size_t taken = wheel_expire(wheel, due_ms, out, MAX);
        idle += taken == 0;
        for (size_t i = 0; i < taken; i++) {
            require(out[i].owner == total + i);
            seen[out[i].owner] = true;
        }
        total += taken;
        /* An entry armed for the past meanwhile comes before the rest of the million. */
        if (total == COUNT / 2) {
            arm(wheel, T0, 77);
            ck_assert_uint_eq(wheel_expire(wheel, due_ms, out, 1), 1);
            ck_assert_int_eq(out[0].due_ms, T0);
        }
    }
    ck_assert_uint_eq(total, COUNT);
    /* Bounded: the first pass over a million takes many calls, and yet not too many. */
    ck_assert_uint_gt(idle, 10);
    ck_assert_uint_lt(idle, 200);
    ck_assert(wheel_check(wheel));
    ck_assert(seen[0] && seen[COUNT - 1]);
    wheel_free(wheel);
}
END_TEST

START_TEST(what_is_armed_while_a_big_slot_is_being_opened_finds_its_place)
{
    printf("seed %d\n", _i);
    uint64_t random = 0x1234567u * (uint64_t)(_i + 1);
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    struct twin twin = {0};
    /* 150,000 entries in a minute (or in one millisecond), far enough ahead for one slot. */
    const int64_t from_ms = T0 + 9 * DAY_MS;
    const int64_t spread_ms = _i % 2 == 0 ? 60000 : 1;
    for (uint32_t i = 0; i < 150000; i++) {
        struct wheel_entry entry = {from_ms + (int64_t)i * spread_ms / 150000, i};
        arm(wheel, entry.due_ms, entry.owner);
        twin_insert(&twin, entry);
    }
    int64_t now_ms = from_ms;
    while (twin.count > 0) {
        struct wheel_entry out[700];
        size_t taken = wheel_expire(wheel, now_ms, out, 1 + (size_t)random_below(&random, 700));
        for (size_t i = 0; i < taken; i++) {
            require(entry_compare(&twin.items[0], &out[i]) == 0);
            twin_drop_first(&twin);
        }
        if (wheel_next(wheel) > now_ms) {
            ck_assert(twin.count == 0 || twin.items[0].due_ms > now_ms);
            now_ms += 1 + random_below(&random, 20000);
        }
        for (int64_t arms = twin.count > 1000 ? random_below(&random, 4) : 0; arms > 0; arms--) {
            struct wheel_entry entry = {
                .due_ms = from_ms - 10 + random_below(&random, spread_ms + 20),
                .owner = 200000 + (uint32_t)random_below(&random, 1000000000)};
            arm(wheel, entry.due_ms, entry.owner);
            twin_insert(&twin, entry);
        }
        if (random_below(&random, 40) == 0) {
            wheel_sweep(wheel, 5000, keep_all, NULL);
            ck_assert(wheel_check(wheel));
        }
    }
    ck_assert_uint_eq(wheel_count(wheel), 0);
    wheel_free(wheel);
    free(twin.block);
}
END_TEST

START_TEST(a_million_times_the_same_entry_is_bounded_as_well)
{
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    for (int i = 0; i < 1000000; i++) {
        arm(wheel, T0 + DAY_MS, 5);
    }
    arm(wheel, T0 + DAY_MS, 6);
    struct wheel_entry last = {0};
    int calls = 0;
    for (; wheel_next(wheel) <= T0 + DAY_MS && calls < 1000000; calls++) {
        struct wheel_entry out[64];
        size_t taken = wheel_expire(wheel, T0 + DAY_MS, out, 64);
        if (taken > 0) {
            ck_assert_uint_ge(out[0].owner, last.owner);
            last = out[taken - 1];
        }
    }
    ck_assert_uint_eq(last.owner, 6);
    ck_assert_int_lt(calls, 20000);
    wheel_free(wheel);
}
END_TEST

START_TEST(what_is_armed_for_the_past_comes_first_and_at_once)
{
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    struct wheel_entry out[8];
    arm(wheel, T0 + 100, 1);
    arm(wheel, T0 + 200, 2);
    ck_assert_uint_eq(wheel_expire(wheel, T0 + 150, out, 8), 1);
    arm(wheel, T0 + 50, 9);
    arm(wheel, INT64_MIN, 4);
    arm(wheel, T0 + 50, 3);
    ck_assert_int_eq(wheel_next(wheel), INT64_MIN);
    /* Even when the clock is said to have gone back. */
    ck_assert_uint_eq(wheel_expire(wheel, T0 - YEAR_MS, out, 8), 3);
    ck_assert_uint_eq(out[0].owner, 4);
    ck_assert_uint_eq(out[1].owner, 3);
    ck_assert_uint_eq(out[2].owner, 9);
    ck_assert_uint_eq(wheel_expire(wheel, T0 + 200, out, 8), 1);
    ck_assert_uint_eq(out[0].owner, 2);
    wheel_free(wheel);
}
END_TEST

START_TEST(the_clock_may_jump_a_year_over_thousands_of_entries)
{
    enum { COUNT = 20000 };
    static struct wheel_entry expected[COUNT];
    static struct wheel_entry out[COUNT];
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    uint64_t random = 99;
    for (uint32_t i = 0; i < COUNT; i++) {
        expected[i] = (struct wheel_entry){T0 + random_below(&random, YEAR_MS), i};
        arm(wheel, expected[i].due_ms, i);
    }
    qsort(expected, COUNT, sizeof(expected[0]), entry_compare);
    size_t total = 0;
    while (wheel_next(wheel) <= T0 + YEAR_MS) {
        total += wheel_expire(wheel, T0 + YEAR_MS, out + total, 1000);
    }
    ck_assert_uint_eq(total, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_int_eq(entry_compare(&out[i], &expected[i]), 0);
    }
    /* And the wheel is as good as new for what comes after. */
    arm(wheel, T0 + YEAR_MS + 5, 1);
    ck_assert_uint_eq(wheel_expire(wheel, T0 + YEAR_MS + 4, out, 10), 0);
    ck_assert_uint_eq(wheel_expire(wheel, T0 + YEAR_MS + 5, out, 10), 1);
    ck_assert(wheel_check(wheel));
    wheel_free(wheel);
}
END_TEST

START_TEST(the_ends_of_time_are_instants_like_others)
{
    struct wheel *wheel = wheel_new(&mem_heap, INT64_MIN);
    const int64_t dues[] = {INT64_MIN, INT64_MIN + 64, -1, 0, 1, SPAN_MS, INT64_MAX - 1, INT64_MAX};
    enum { COUNT = sizeof(dues) / sizeof(dues[0]) };
    for (uint32_t i = COUNT; i > 0; i--) {
        arm(wheel, dues[i - 1], UINT32_MAX - i);
    }
    for (size_t i = 0; i < COUNT; i++) {
        struct wheel_entry out[2];
        ck_assert_int_eq(wheel_next(wheel), dues[i]);
        ck_assert_uint_eq(wheel_expire(wheel, dues[i], out, 2), 1);
        ck_assert_int_eq(out[0].due_ms, dues[i]);
        ck_assert(wheel_check(wheel));
    }
    ck_assert_uint_eq(wheel_count(wheel), 0);
    arm(wheel, 5, 5);
    struct wheel_entry out[2];
    ck_assert_uint_eq(wheel_expire(wheel, 5, out, 2), 1);
    wheel_free(wheel);
}
END_TEST

START_TEST(any_failed_allocation_leaves_the_wheel_as_it_was)
{
    printf("seed %d\n", _i);
    for (size_t fail_at = 1; fail_at < 400; fail_at += fail_at < 20 ? 1 : 17) {
        struct test_mem test = {.fail_at = fail_at};
        const struct mem mem = {.resize = test_resize, .context = &test};
        uint64_t random = (uint64_t)_i + 1;
        struct twin twin = {0};
        struct wheel *wheel = wheel_new(&mem, T0);
        if (wheel == NULL) {
            ck_assert_uint_eq(test.bytes, 0);
            continue;
        }
        int refused = 0;
        for (uint32_t i = 0; i < 3000; i++) {
            struct wheel_entry entry = {.due_ms = random_due(&random, T0), .owner = i};
            size_t count = wheel_count(wheel);
            int64_t next_ms = wheel_next(wheel);
            if (wheel_arm(wheel, entry.due_ms, entry.owner) == RC_OK) {
                twin_insert(&twin, entry);
            } else {
                refused++;
                require(wheel_count(wheel) == count);
                require(wheel_next(wheel) == next_ms);
                require(wheel_check(wheel));
            }
        }
        ck_assert_int_eq(refused, test.requests >= fail_at ? 1 : 0);
        ck_assert_uint_eq(wheel_bytes(wheel), test.bytes);
        drain_beside_twin(wheel, &twin, INT64_MAX, 100);
        wheel_free(wheel);
        ck_assert_uint_eq(test.bytes, 0);
        free(twin.block);
    }
}
END_TEST

START_TEST(expiring_and_sweeping_need_no_memory)
{
    struct test_mem test = {0};
    const struct mem mem = {.resize = test_resize, .context = &test};
    uint64_t random = 0xabcdef01u * (uint64_t)(_i + 1);
    printf("seed %d\n", _i);
    struct wheel *wheel = wheel_new(&mem, T0);
    struct twin twin = {0};
    int64_t now_ms = T0;
    for (int step = 0; step < 60; step++) {
        test.fail_all = false;
        for (int i = 0; i < 300; i++) {
            struct wheel_entry entry = {.due_ms = random_due(&random, now_ms),
                                        .owner = (uint32_t)random_next(&random)};
            arm(wheel, entry.due_ms, entry.owner);
            twin_insert(&twin, entry);
        }
        test.fail_all = true;
        now_ms += 1 + random_below(&random, 20 * DAY_MS);
        drain_beside_twin(wheel, &twin, now_ms, 1 + (size_t)random_below(&random, 200));
        ck_assert(wheel_check(wheel));
    }
    wheel_free(wheel);
    free(twin.block);
}
END_TEST

START_TEST(an_empty_wheel_is_quiet)
{
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    struct wheel_entry out[1];
    ck_assert_int_eq(wheel_next(wheel), INT64_MAX);
    ck_assert_uint_eq(wheel_expire(wheel, INT64_MAX, out, 1), 0);
    ck_assert_uint_eq(wheel_sweep(wheel, 1000, row_agrees, NULL), 0);
    ck_assert_uint_eq(wheel_count(wheel), 0);
    ck_assert(wheel_check(wheel));
    wheel_free(wheel);
    wheel_free(NULL);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("wheel");
    TCase *tc = tcase_create("wheel");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, everything_comes_out_in_the_order_of_a_sorted_array, 0, 24);
    tcase_add_loop_test(tc, rows_are_served_in_order_whatever_is_armed_again_and_swept, 0, 10);
    tcase_add_test(tc, a_sweep_drops_every_entry_that_disagrees_and_no_other);
    tcase_add_test(tc, arming_the_same_owners_for_ever_keeps_memory_bounded);
    tcase_add_loop_test(tc, borders_of_slots_hold_to_the_millisecond, 0, 4);
    tcase_add_test(tc, a_million_in_one_millisecond_come_in_order_and_in_bounded_calls);
    tcase_add_loop_test(tc, what_is_armed_while_a_big_slot_is_being_opened_finds_its_place, 0, 4);
    tcase_add_test(tc, a_million_times_the_same_entry_is_bounded_as_well);
    tcase_add_test(tc, what_is_armed_for_the_past_comes_first_and_at_once);
    tcase_add_test(tc, the_clock_may_jump_a_year_over_thousands_of_entries);
    tcase_add_test(tc, the_ends_of_time_are_instants_like_others);
    tcase_add_loop_test(tc, any_failed_allocation_leaves_the_wheel_as_it_was, 0, 2);
    tcase_add_loop_test(tc, expiring_and_sweeping_need_no_memory, 0, 4);
    tcase_add_test(tc, an_empty_wheel_is_quiet);
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
