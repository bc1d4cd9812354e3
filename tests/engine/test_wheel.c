/* The wheel beside its plain twins: order, to the millisecond, whatever the instants and the clock. */
#include "tests/engine/wheel_twin.h"

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
        for (int64_t sweeps = random_below(&random, 4); sweeps > 0; sweeps--) {
            wheel_sweep(wheel, keep_agreeing, due_of);
        }
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

START_TEST(years_ahead_is_as_exact_as_tomorrow)
{
    printf("seed %d\n", _i);
    uint64_t random = 0x510e527fu * (uint64_t)(_i + 1);
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    struct twin twin = {0};
    for (uint32_t i = 0; i < 30000; i++) {
        /* Birthdays of a hundred years, bunched within minutes, beside the next weeks. */
        int64_t ahead_ms = random_below(&random, 3) == 0 ? random_below(&random, 20 * DAY_MS)
                                                         : random_below(&random, 100) * YEAR_MS +
                                                               random_below(&random, 90000);
        struct wheel_entry entry = {T0 + ahead_ms, (uint32_t)random_next(&random)};
        arm(wheel, entry.due_ms, entry.owner);
        twin_insert(&twin, entry);
    }
    ck_assert(wheel_check(wheel));
    for (int64_t now_ms = T0; twin.count > 0;) {
        ck_assert_int_eq(wheel_next(wheel), twin.items[0].due_ms);
        now_ms = twin.items[0].due_ms + random_below(&random, YEAR_MS / 2);
        drain_beside_twin(wheel, &twin, now_ms, 500);
        require(wheel_check(wheel));
    }
    wheel_free(wheel);
    free(twin.block);
}
END_TEST

START_TEST(who_is_armed_again_while_firing_fires_again_and_never_early)
{
    enum { OWNERS = 200 };
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    int64_t due_of[OWNERS];
    uint64_t random = 0xc0ffee;
    for (uint32_t owner = 0; owner < OWNERS; owner++) {
        due_of[owner] = T0 + (int64_t)owner % 7;
        arm(wheel, due_of[owner], owner);
    }
    int64_t now_ms = T0;
    uint32_t fired = 0;
    while (fired < 1000000) {
        struct wheel_entry out[32];
        size_t taken = wheel_expire(wheel, now_ms, out, 32);
        for (size_t i = 0; i < taken; i++) {
            require(out[i].due_ms <= now_ms && out[i].due_ms == due_of[out[i].owner]);
            fired++;
            /* At once, soon, or in a while; and the row says which. */
            due_of[out[i].owner] = now_ms + 1 + (INT64_C(1) << random_below(&random, 20));
            arm(wheel, due_of[out[i].owner], out[i].owner);
        }
        if (wheel_next(wheel) > now_ms) {
            now_ms = wheel_next(wheel);
        }
    }
    ck_assert_uint_eq(wheel_count(wheel), OWNERS);
    ck_assert(wheel_check(wheel));
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

START_TEST(the_clock_may_go_back_a_day_or_to_1970_and_nothing_comes_early_or_twice)
{
    enum { COUNT = 5000 };
    const int64_t back_to_ms[] = {T0 - DAY_MS, 0, INT64_MIN};
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    struct twin twin = {0};
    uint64_t random = 5 + (uint64_t)_i;
    for (uint32_t i = 0; i < COUNT; i++) {
        struct wheel_entry entry = {T0 + random_below(&random, 2 * DAY_MS), i};
        arm(wheel, entry.due_ms, entry.owner);
        twin_insert(&twin, entry);
    }
    drain_beside_twin(wheel, &twin, T0 + DAY_MS, 100);
    size_t left = twin.count;
    struct wheel_entry out[8];
    /* The clock is wrong: the wheel holds still, and takes what is armed meanwhile as due. */
    ck_assert_uint_eq(wheel_expire(wheel, back_to_ms[_i], out, 8), 0);
    struct wheel_entry meanwhile = {back_to_ms[_i] + (_i == 2 ? 0 : 1000), COUNT};
    arm(wheel, meanwhile.due_ms, meanwhile.owner);
    ck_assert_int_eq(wheel_next(wheel), meanwhile.due_ms);
    ck_assert_uint_eq(wheel_expire(wheel, back_to_ms[_i], out, 8), 1);
    ck_assert_uint_eq(out[0].owner, COUNT);
    ck_assert_uint_eq(wheel_count(wheel), left);
    /* It is right again, and the second day comes as if nothing had been. */
    drain_beside_twin(wheel, &twin, T0 + 3 * DAY_MS, 100);
    ck_assert_uint_eq(twin.count, 0);
    ck_assert_uint_eq(wheel_count(wheel), 0);
    wheel_free(wheel);
    free(twin.block);
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

START_TEST(an_empty_wheel_is_quiet)
{
    struct wheel *wheel = wheel_new(&mem_heap, T0);
    struct wheel_entry out[1];
    ck_assert_int_eq(wheel_next(wheel), INT64_MAX);
    ck_assert_uint_eq(wheel_expire(wheel, INT64_MAX, out, 1), 0);
    ck_assert_uint_eq(wheel_sweep(wheel, keep_agreeing, NULL), 0);
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
    tcase_add_loop_test(tc, borders_of_slots_hold_to_the_millisecond, 0, 4);
    tcase_add_loop_test(tc, years_ahead_is_as_exact_as_tomorrow, 0, 3);
    tcase_add_test(tc, who_is_armed_again_while_firing_fires_again_and_never_early);
    tcase_add_test(tc, what_is_armed_for_the_past_comes_first_and_at_once);
    tcase_add_test(tc, the_clock_may_jump_a_year_over_thousands_of_entries);
    tcase_add_loop_test(tc, the_clock_may_go_back_a_day_or_to_1970_and_nothing_comes_early_or_twice,
                        0, 3);
    tcase_add_test(tc, the_ends_of_time_are_instants_like_others);
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
