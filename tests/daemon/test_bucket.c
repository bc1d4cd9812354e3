#include "daemon/bucket.h"

#include <check.h>
#include <stdlib.h>

static uint32_t
take_all(struct bucket *bucket, int64_t now_ms)
{
    uint32_t taken = 0;
    while (bucket_take(bucket, now_ms)) {
        taken++;
    }
    return taken;
}

START_TEST(full_bucket_gives_its_burst_at_once_and_no_more)
{
    struct bucket bucket;
    bucket_init(&bucket, 100, 7, 5000);

    ck_assert_uint_eq(take_all(&bucket, 5000), 7);
    ck_assert(!bucket_take(&bucket, 5009));
    ck_assert(bucket_take(&bucket, 5010));
}
END_TEST

START_TEST(long_rest_fills_up_to_the_burst_only)
{
    struct bucket bucket;
    bucket_init(&bucket, UINT32_MAX, 3, INT64_MIN);
    take_all(&bucket, INT64_MIN);

    ck_assert_uint_eq(take_all(&bucket, INT64_MAX), 3);
}
END_TEST

START_TEST(clock_that_steps_back_brings_nothing)
{
    struct bucket bucket;
    bucket_init(&bucket, 10, 1, 10000);
    ck_assert(bucket_take(&bucket, 10000));

    ck_assert(!bucket_take(&bucket, 2000));
    ck_assert_int_eq(bucket_next(&bucket, 2000), 10100);
    ck_assert(!bucket_take(&bucket, 10099)); /* the way back is not counted a second time */
    ck_assert(bucket_take(&bucket, 10100));
}
END_TEST

START_TEST(bucket_without_rate_or_burst_says_never)
{
    struct bucket bucket;
    bucket_init(&bucket, 0, 1, 0);
    ck_assert_int_eq(bucket_next(&bucket, 0), 0);
    ck_assert(bucket_take(&bucket, 0));
    ck_assert_int_eq(bucket_next(&bucket, 0), INT64_MAX);

    bucket_init(&bucket, 5, 0, 0);
    ck_assert(!bucket_take(&bucket, 1000000));
    ck_assert_int_eq(bucket_next(&bucket, 0), INT64_MAX);
}
END_TEST

/* Whoever waits for bucket_next() each time gets exactly the rate, with no drift over 2000 tokens. */
START_TEST(next_is_exact_at_rates_that_do_not_divide_a_second)
{
    const uint32_t rates[] = {1, 3, 7, 60, 999, 1000, 1001, 2000, 100000};
    uint32_t rate = rates[_i];
    uint32_t burst = 2 + rate / 1000;
    struct bucket bucket;
    bucket_init(&bucket, rate, burst, 0);

    int64_t now_ms = 0;
    for (int64_t count = 0; count < 2000; count++) {
        int64_t next_ms = bucket_next(&bucket, now_ms);
        if (next_ms > now_ms) {
            struct bucket early = bucket;
            ck_assert_msg(!bucket_take(&early, next_ms - 1), "rate %u, token %d", rate, (int)count);
        }
        ck_assert_msg(bucket_take(&bucket, next_ms), "rate %u, token %d", rate, (int)count);
        now_ms = next_ms;
        int64_t refilled = count + 1 - burst;
        ck_assert_int_eq(now_ms, refilled <= 0 ? 0 : (refilled * 1000 + rate - 1) / rate);
    }
}
END_TEST

/* The plain twin: the definition itself, over every pair of takes. */
START_TEST(no_span_gets_more_than_burst_plus_rate)
{
    unsigned seed = (unsigned)_i + 1;
    srandom(seed);
    uint32_t rate = 1 + (uint32_t)random() % 3000;
    uint32_t burst = 1 + (uint32_t)random() % 50;
    enum { TAKES = 600 };
    int64_t taken_ms[TAKES];
    struct bucket bucket;
    bucket_init(&bucket, rate, burst, 0);

    int64_t now_ms = 0;
    for (int count = 0; count < TAKES;) {
        if (bucket_take(&bucket, now_ms)) {
            taken_ms[count++] = now_ms;
        } else {
            now_ms += 1 + random() % 9;
        }
    }
    for (int first = 0; first < TAKES; first++) {
        for (int last = first; last < TAKES; last++) {
            int64_t span_ms = taken_ms[last] - taken_ms[first];
            int64_t count = last - first + 1;
            ck_assert_msg((count - burst) * 1000 <= span_ms * rate,
                          "seed %u: %d tokens in %d ms at %u/s, burst %u", seed, (int)count,
                          (int)span_ms, rate, burst);
        }
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("bucket");
    TCase *t = tcase_create("bucket");
    tcase_add_test(t, full_bucket_gives_its_burst_at_once_and_no_more);
    tcase_add_test(t, long_rest_fills_up_to_the_burst_only);
    tcase_add_test(t, clock_that_steps_back_brings_nothing);
    tcase_add_test(t, bucket_without_rate_or_burst_says_never);
    tcase_add_loop_test(t, next_is_exact_at_rates_that_do_not_divide_a_second, 0, 9);
    tcase_add_loop_test(t, no_span_gets_more_than_burst_plus_rate, 0, 20);
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
