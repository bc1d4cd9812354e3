/* When a request may leave, and what LINE's answers change about that (SPEC R47, R48). */
#include "daemon/pacing.h"

#include <check.h>

static struct pacing pacing;
static const uint32_t LINES_OWN[LINE_ENDPOINT_COUNT] = {0};

static void
begin(uint32_t window_max)
{
    pacing_init(&pacing, LINES_OWN, window_max, 7, 0);
}

static bool
may(enum line_endpoint endpoint, int64_t now_ms)
{
    return pacing_next(&pacing, endpoint, now_ms) <= now_ms;
}

/* A request that is answered at once. */
static void
ask(enum line_endpoint endpoint, enum pacing_news news, int64_t now_ms)
{
    struct pacing_stamp stamp = pacing_depart(&pacing, endpoint, now_ms);
    pacing_return(&pacing, endpoint, stamp, news, -1, now_ms);
}

/* As many as may leave at once, none answered. */
static uint32_t
fill(enum line_endpoint endpoint, int64_t now_ms)
{
    uint32_t count = 0;
    while (may(endpoint, now_ms)) {
        (void)pacing_depart(&pacing, endpoint, now_ms);
        count++;
    }
    return count;
}

START_TEST(each_endpoint_keeps_to_lines_rate_for_it)
{
    begin(1000);
    uint32_t pushes = 0, multicasts = 0;
    for (int64_t now_ms = 0; now_ms < 10000; now_ms++) {
        for (; may(LINE_PUSH, now_ms); pushes++) {
            ask(LINE_PUSH, NEWS_GOOD, now_ms);
        }
        for (; may(LINE_MULTICAST, now_ms); multicasts++) {
            ask(LINE_MULTICAST, NEWS_GOOD, now_ms);
        }
    }
    ck_assert_uint_ge(pushes, 20000 - 2);
    ck_assert_uint_le(pushes, 20000 + 2000 / 20 + 2);
    ck_assert_uint_ge(multicasts, 2000 - 2);
    ck_assert_uint_le(multicasts, 2000 + 200 / 20 + 2);
}
END_TEST

START_TEST(one_bad_answer_among_good_ones_stops_nobody)
{
    begin(10);
    for (int64_t now_ms = 0; now_ms < 1000; now_ms += 10) {
        ck_assert(may(LINE_PUSH, now_ms));
        ask(LINE_PUSH, now_ms % 20 == 0 ? NEWS_BAD : NEWS_GOOD, now_ms);
    }
    ck_assert_uint_eq(fill(LINE_PUSH, 2000), 10);
}
END_TEST

START_TEST(in_an_outage_single_requests_ask_at_growing_intervals)
{
    begin(100);
    int64_t now_ms = 0;
    uint32_t asked = 0;
    while (now_ms < 4 * 3600 * 1000) {
        int64_t next_ms = pacing_next(&pacing, LINE_PUSH, now_ms);
        ck_assert_int_lt(next_ms, INT64_MAX);
        now_ms = next_ms;
        ask(LINE_PUSH, NEWS_BAD, now_ms);
        asked++;
    }
    /* Four to notice it, six that double, then one every 30 to 60 s. */
    ck_assert_uint_ge(asked, 4 * 60);
    ck_assert_uint_le(asked, 4 * 120 + 10);
    ck_assert(!may(LINE_PUSH, now_ms));
    ck_assert(may(LINE_REPLY, now_ms)); /* another endpoint is another matter */
}
END_TEST

START_TEST(answers_that_fail_together_count_as_one_rest)
{
    begin(100);
    struct pacing_stamp stamps[100];
    for (int i = 0; i < 100; i++) {
        stamps[i] = pacing_depart(&pacing, LINE_PUSH, 0);
    }
    for (int i = 0; i < 100; i++) {
        pacing_return(&pacing, LINE_PUSH, stamps[i], NEWS_BAD, -1, 100);
    }
    ck_assert(!may(LINE_PUSH, 100 + 499));
    ck_assert(may(LINE_PUSH, 100 + 1000));
    ck_assert_uint_eq(fill(LINE_PUSH, 100 + 1000), 1); /* one asks whether LINE is well */
}
END_TEST

START_TEST(after_an_outage_the_window_doubles_with_each_round_trip)
{
    begin(100);
    for (int i = 0; i < 4; i++) {
        ask(LINE_PUSH, NEWS_BAD, 0);
    }
    int64_t now_ms = 2000;
    for (uint32_t expected = 1; expected < 100; expected *= 2, now_ms += 1000) {
        struct pacing_stamp stamps[100];
        uint32_t count = 0;
        while (may(LINE_PUSH, now_ms)) {
            stamps[count++] = pacing_depart(&pacing, LINE_PUSH, now_ms);
        }
        ck_assert_uint_eq(count, expected);
        for (uint32_t i = 0; i < count; i++) {
            pacing_return(&pacing, LINE_PUSH, stamps[i], NEWS_GOOD, -1, now_ms + 30);
        }
    }
}
END_TEST

START_TEST(a_rate_limit_slows_the_whole_channel_down)
{
    begin(10);
    struct pacing_stamp first = pacing_depart(&pacing, LINE_PUSH, 0);
    struct pacing_stamp second = pacing_depart(&pacing, LINE_PUSH, 0);
    pacing_return(&pacing, LINE_PUSH, first, NEWS_SLOW, -1, 0);
    ck_assert(!may(LINE_REPLY, 999));
    ck_assert(!may(LINE_PROFILE, 999));
    pacing_return(&pacing, LINE_PUSH, second, NEWS_SLOW, -1, 400); /* left before: no news */
    ck_assert(may(LINE_REPLY, 2000));
    ask(LINE_PUSH, NEWS_SLOW, 2000);
    ck_assert(!may(LINE_PUSH, 2000 + 1999)); /* the second time it is at least twice as long */
}
END_TEST

START_TEST(what_line_says_about_waiting_is_heeded_within_reason)
{
    begin(10);
    struct pacing_stamp stamp = pacing_depart(&pacing, LINE_PUSH, 0);
    pacing_return(&pacing, LINE_PUSH, stamp, NEWS_SLOW, 20, 0);
    ck_assert(!may(LINE_PUSH, 19999));
    ck_assert(may(LINE_PUSH, 20000));
    stamp = pacing_depart(&pacing, LINE_PUSH, 20000);
    pacing_return(&pacing, LINE_PUSH, stamp, NEWS_SLOW, 1000000, 20000);
    ck_assert(may(LINE_PUSH, 20000 + 60000));
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("pacing");
    TCase *tcase = tcase_create("pacing");
    tcase_add_test(tcase, each_endpoint_keeps_to_lines_rate_for_it);
    tcase_add_test(tcase, one_bad_answer_among_good_ones_stops_nobody);
    tcase_add_test(tcase, in_an_outage_single_requests_ask_at_growing_intervals);
    tcase_add_test(tcase, answers_that_fail_together_count_as_one_rest);
    tcase_add_test(tcase, after_an_outage_the_window_doubles_with_each_round_trip);
    tcase_add_test(tcase, a_rate_limit_slows_the_whole_channel_down);
    tcase_add_test(tcase, what_line_says_about_waiting_is_heeded_within_reason);
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
