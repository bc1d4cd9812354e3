/* The wheel's bounds: memory, work a call, sweeps, a million at once, and no memory at all. */
#include "tests/engine/wheel_twin.h"

START_TEST(a_sweep_drops_every_entry_that_disagrees_and_no_other)
{
    int64_t due_of[ROWS];
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    uint64_t random = 7;
    for (int round = 0; round < 30; round++) {
        for (uint32_t owner = 0; owner < ROWS; owner++) {
            /* Some in the past, some so far ahead that they take two words. */
            due_of[owner] = T0 + random_below(&random, 2 * SPAN_MS) - DAY_MS;
            arm(wheel, due_of[owner], owner);
        }
    }
    ck_assert_uint_eq(wheel_count(wheel), 30 * ROWS);
    size_t dropped = 0;
    for (int call = 0; call < 500 && dropped < 29 * ROWS; call++) {
        dropped += wheel_sweep(wheel, keep_agreeing, due_of);
        ck_assert(wheel_check(wheel));
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

START_TEST(a_sweep_comes_round_to_everything_while_more_is_armed)
{
    enum { COUNT = 20000 };
    static int64_t due_of[COUNT];
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    uint64_t random = 3;
    for (uint32_t owner = 0; owner < COUNT; owner++) {
        due_of[owner] = T0 + DAY_MS + random_below(&random, 30 * DAY_MS);
        arm(wheel, due_of[owner], owner);
        arm(wheel, due_of[owner] + 1, owner); /* stale from the beginning */
    }
    size_t stale = COUNT;
    for (int call = 0; stale > 0; call++) {
        ck_assert_int_lt(call, 2 * COUNT / 100 + 200);
        stale -= wheel_sweep(wheel, keep_agreeing, due_of);
        for (int i = 0; i < 100; i++) {
            uint32_t owner = (uint32_t)random_below(&random, COUNT);
            arm(wheel, due_of[owner], owner); /* agrees, and lies at the back of some list */
        }
        require(call % 16 != 0 || wheel_check(wheel));
    }
    wheel_free(wheel);
}
END_TEST

/* What engine/due.c does: from 7/5 of the rows on, every sixteenth arming sweeps a chunk. */
START_TEST(arming_the_same_owners_for_ever_keeps_memory_bounded)
{
    enum { COUNT = 100000 };
    static int64_t due_of[COUNT];
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    const size_t empty_bytes = wheel_bytes(wheel);
    uint64_t random = 11;
    for (uint32_t i = 0; i < COUNT * 10; i++) {
        uint32_t owner = i < COUNT ? i : (uint32_t)random_below(&random, COUNT / 3);
        due_of[owner] = T0 + DAY_MS + random_below(&random, 30 * DAY_MS);
        arm(wheel, due_of[owner], owner);
        if (wheel_count(wheel) > COUNT * 7 / 5 && wheel_count(wheel) % 16 == 0) {
            wheel_sweep(wheel, keep_agreeing, due_of);
        }
        /* Chunks that are not full: one a slot in use, and the spare ones. */
        require(wheel_bytes(wheel) < empty_bytes + COUNT * 12 + 400 * 2048);
    }
    ck_assert(wheel_check(wheel));
    wheel_free(wheel);
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
            wheel_sweep(wheel, keep_all, NULL);
            ck_assert(wheel_check(wheel));
        }
    }
    ck_assert_uint_eq(wheel_count(wheel), 0);
    wheel_free(wheel);
    free(twin.block);
}
END_TEST

START_TEST(what_is_armed_amid_the_run_goes_back_into_slots_when_it_gets_much)
{
    printf("seed %d\n", _i);
    uint64_t random = 0x3c6ef372u * (uint64_t)(_i + 1);
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    struct twin twin = {0};
    /* A few entries over hours: one slot, sorted as soon as the first of them is due. */
    for (uint32_t i = 0; i < 1000; i++) {
        struct wheel_entry entry = {T0 + 1 + random_below(&random, 4 * 3600000), i};
        arm(wheel, entry.due_ms, entry.owner);
        twin_insert(&twin, entry);
    }
    int64_t now_ms = twin.items[0].due_ms;
    drain_beside_twin(wheel, &twin, now_ms, 10);
    /* Then many more amid these, at random or all at one instant, some of them for the past. */
    for (uint32_t i = 0; i < 30000; i++) {
        struct wheel_entry entry = {.owner = 1000 + i};
        entry.due_ms = random_below(&random, 10) == 0 ? now_ms - random_below(&random, DAY_MS)
                       : _i % 2 == 0                  ? now_ms + random_below(&random, 4 * 3600000)
                                                      : now_ms + 3600000;
        arm(wheel, entry.due_ms, entry.owner);
        twin_insert(&twin, entry);
        require(i % 1024 != 0 || wheel_check(wheel));
        if (i % 5000 == 0) {
            drain_beside_twin(wheel, &twin, now_ms, 100);
            now_ms += random_below(&random, 100000);
        }
    }
    while (twin.count > 0) {
        now_ms += random_below(&random, 600000);
        drain_beside_twin(wheel, &twin, now_ms, 1000);
        require(wheel_check(wheel));
    }
    ck_assert_uint_eq(wheel_count(wheel), 0);
    wheel_free(wheel);
    free(twin.block);
}
END_TEST

START_TEST(a_big_slot_is_opened_ahead_and_its_first_entry_is_in_time)
{
    enum { COUNT = 1 << 20 };
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    const int64_t due_ms = T0 + 5 * DAY_MS;
    for (uint32_t i = 0; i < COUNT; i++) {
        arm(wheel, due_ms, i ^ 0x55555);
    }
    struct wheel_entry out[64];
    ck_assert_int_lt(wheel_next(wheel), due_ms);
    ck_assert_int_ge(wheel_next(wheel), due_ms - 100);
    int calls = 0;
    for (; wheel_next(wheel) < due_ms && calls < 1000; calls++) {
        int64_t ahead_ms = wheel_next(wheel);
        ck_assert_uint_eq(wheel_expire(wheel, ahead_ms, out, 64), 0);
        ck_assert(calls % 16 != 0 || wheel_check(wheel));
    }
    ck_assert_int_lt(calls, 100);
    /* What is armed for the meantime still comes first. */
    arm(wheel, due_ms - 1, 7);
    ck_assert_uint_eq(wheel_expire(wheel, due_ms - 1, out, 64), 1);
    /* And now the first calls do not come back with empty hands. */
    for (uint32_t owner = 0; owner < 10000; owner += 64) {
        require(wheel_expire(wheel, due_ms, out, 64) == 64);
        require(out[0].owner == owner && out[63].owner == owner + 63);
    }
    wheel_free(wheel);
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

/* Only a slot of more than 8,192 entries needs memory when it is opened. */
START_TEST(expiring_and_sweeping_a_small_wheel_need_no_memory)
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

START_TEST(without_memory_a_big_slot_waits_and_nothing_is_lost)
{
    struct test_mem test = {0};
    const struct mem mem = {.resize = test_resize, .context = &test};
    struct wheel *wheel = wheel_new(&mem, T0);
    struct twin twin = {0};
    uint64_t random = 0x6a09e667u;
    for (uint32_t i = 0; i < 60000; i++) {
        struct wheel_entry entry = {T0 + 9 * DAY_MS + random_below(&random, DAY_MS), i};
        arm(wheel, entry.due_ms, entry.owner);
        twin_insert(&twin, entry);
    }
    int64_t now_ms = T0 + 11 * DAY_MS;
    size_t waits = 0;
    while (twin.count > 0) {
        struct wheel_entry out[500];
        test.fail_all = random_below(&random, 2) == 0;
        size_t taken = wheel_expire(wheel, now_ms, out, 500);
        waits += taken == 0;
        for (size_t i = 0; i < taken; i++) {
            require(entry_compare(&out[i], &twin.items[0]) == 0);
            twin_drop_first(&twin);
        }
        require(wheel_next(wheel) <= now_ms || twin.count == 0);
        require(waits % 8 != 0 || wheel_check(wheel));
    }
    ck_assert_uint_gt(waits, 0);
    wheel_free(wheel);
    ck_assert_uint_eq(test.bytes, 0);
    free(twin.block);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("wheel bounds");
    TCase *tc = tcase_create("wheel bounds");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_sweep_drops_every_entry_that_disagrees_and_no_other);
    tcase_add_test(tc, a_sweep_comes_round_to_everything_while_more_is_armed);
    tcase_add_test(tc, arming_the_same_owners_for_ever_keeps_memory_bounded);
    tcase_add_test(tc, a_million_in_one_millisecond_come_in_order_and_in_bounded_calls);
    tcase_add_loop_test(tc, what_is_armed_while_a_big_slot_is_being_opened_finds_its_place, 0, 4);
    tcase_add_loop_test(tc, what_is_armed_amid_the_run_goes_back_into_slots_when_it_gets_much, 0,
                        4);
    tcase_add_test(tc, a_big_slot_is_opened_ahead_and_its_first_entry_is_in_time);
    tcase_add_test(tc, a_million_times_the_same_entry_is_bounded_as_well);
    tcase_add_loop_test(tc, any_failed_allocation_leaves_the_wheel_as_it_was, 0, 2);
    tcase_add_loop_test(tc, expiring_and_sweeping_a_small_wheel_need_no_memory, 0, 4);
    tcase_add_test(tc, without_memory_a_big_slot_waits_and_nothing_is_lost);
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
