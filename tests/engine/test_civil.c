/* Calendar arithmetic against a plain day counter, and time zones made by hand. */
#include "engine/civil.h"

#include <check.h>
#include <stdio.h>

/* 2026-03-29 01:00 UTC: 02:00 becomes 03:00. 2026-10-25 01:00 UTC: 03:00 becomes 02:00. */
#define SPRING_S INT64_C(1774746000)
#define AUTUMN_S INT64_C(1792890000)
#define SPRING_DAY INT64_C(20541)
#define AUTUMN_DAY INT64_C(20751)

static int64_t berlin_at_s[] = {SPRING_S, AUTUMN_S};
static int32_t berlin_offset_s[] = {3600, 7200, 3600};
static const struct zone BERLIN = {
    .transition_count = 2, .at_s = berlin_at_s, .offset_s = berlin_offset_s};

static int32_t tokyo_offset_s[] = {9 * 3600};
static const struct zone TOKYO = {.offset_s = tokyo_offset_s};

/* Samoa left out the whole of 2011-12-30: from -10:00 to +14:00 at 10:00 UTC. */
#define SAMOA_S INT64_C(1325239200)
#define SAMOA_SKIPPED_DAY INT64_C(15338)
static int64_t samoa_at_s[] = {SAMOA_S};
static int32_t samoa_offset_s[] = {-10 * 3600, 14 * 3600};
static const struct zone SAMOA = {
    .transition_count = 1, .at_s = samoa_at_s, .offset_s = samoa_offset_s};

static const struct zone *const ZONES[] = {&TOKYO, &BERLIN, &SAMOA};

static int32_t
hm(int32_t hour, int32_t minute)
{
    return hour * 3600 + minute * 60;
}

static uint64_t
random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

START_TEST(every_day_from_1900_to_2200_goes_round)
{
    const int32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = civil_day_number((struct civil_date){1900, 1, 1});
    ck_assert_int_eq(day, -25567);
    for (int32_t year = 1900; year <= 2200; year++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int32_t month = 1; month <= 12; month++) {
            int32_t length = lengths[month - 1] + (month == 2 && leap ? 1 : 0);
            for (int32_t d = 1; d <= length; d++, day++) {
                struct civil_date date = {year, month, d};
                ck_assert(civil_date_valid(date));
                ck_assert_int_eq(civil_day_number(date), day);
                struct civil_date back = civil_date_of(day);
                ck_assert_int_eq(back.year, year);
                ck_assert_int_eq(back.month, month);
                ck_assert_int_eq(back.day, d);
            }
            ck_assert(!civil_date_valid((struct civil_date){year, month, length + 1}));
        }
    }
}
END_TEST

START_TEST(impossible_dates_are_refused)
{
    const struct civil_date bad[] = {{2026, 0, 1},   {2026, 13, 1}, {2026, 1, 0}, {2026, 4, 31},
                                     {2026, 2, 29},  {2100, 2, 29}, {0, 1, 1},    {10000, 1, 1},
                                     {2026, -1, 10}, {2026, 1, -5}, {-4, 2, 28}};
    ck_assert(!civil_date_valid(bad[_i]));
}
END_TEST

START_TEST(an_instant_is_told_in_local_words)
{
    /* 2026-03-29 00:59:59.987 UTC, one moment before the clocks change. */
    struct civil_time before = civil_local(&BERLIN, SPRING_S * 1000 - 13);
    ck_assert_int_eq(before.date.year, 2026);
    ck_assert_int_eq(before.date.month, 3);
    ck_assert_int_eq(before.date.day, 29);
    ck_assert_int_eq(before.hour, 1);
    ck_assert_int_eq(before.minute, 59);
    ck_assert_int_eq(before.second, 59);
    ck_assert_int_eq(before.millisecond, 987);
    ck_assert_int_eq(before.weekday, 0);
    ck_assert_int_eq(before.offset_s, 3600);
    struct civil_time after = civil_local(&BERLIN, SPRING_S * 1000);
    ck_assert_int_eq(after.hour, 3);
    ck_assert_int_eq(after.offset_s, 7200);
    /* Before 1970 the millisecond still counts upwards. */
    struct civil_time old = civil_local(&TOKYO, -1);
    ck_assert_int_eq(old.date.year, 1970);
    ck_assert_int_eq(old.hour, 8);
    ck_assert_int_eq(old.second, 59);
    ck_assert_int_eq(old.millisecond, 999);
    ck_assert_int_eq(old.weekday, 4);
    ck_assert_int_eq(civil_local_day(&TOKYO, -INT64_C(9) * MS_PER_HOUR - 1), -1);
}
END_TEST

START_TEST(a_local_time_in_a_gap_is_the_first_instant_after_it)
{
    ck_assert_int_eq(civil_instant(&BERLIN, SPRING_DAY, hm(2, 0)), SPRING_S * 1000);
    ck_assert_int_eq(civil_instant(&BERLIN, SPRING_DAY, hm(2, 30)), SPRING_S * 1000);
    ck_assert_int_eq(civil_instant(&BERLIN, SPRING_DAY, hm(2, 59) + 59), SPRING_S * 1000);
    ck_assert_int_eq(civil_instant(&BERLIN, SPRING_DAY, hm(3, 0)), SPRING_S * 1000);
    ck_assert_int_eq(civil_instant(&BERLIN, SPRING_DAY, hm(1, 59) + 59), SPRING_S * 1000 - 1000);
    for (int32_t hour = 0; hour <= 24; hour++) {
        ck_assert_int_eq(civil_instant(&SAMOA, SAMOA_SKIPPED_DAY, hm(hour, 0)), SAMOA_S * 1000);
    }
    ck_assert_int_eq(civil_instant(&SAMOA, SAMOA_SKIPPED_DAY + 1, hm(0, 1)),
                     SAMOA_S * 1000 + MS_PER_MINUTE);
}
END_TEST

START_TEST(a_doubled_local_time_is_its_first_occurrence)
{
    int64_t first_ms = AUTUMN_S * 1000 - MS_PER_HOUR;
    ck_assert_int_eq(civil_instant(&BERLIN, AUTUMN_DAY, hm(2, 0)), first_ms);
    ck_assert_int_eq(civil_instant(&BERLIN, AUTUMN_DAY, hm(2, 59)), first_ms + 59 * MS_PER_MINUTE);
    /* 03:00 exists once: after both hours. */
    ck_assert_int_eq(civil_instant(&BERLIN, AUTUMN_DAY, hm(3, 0)), first_ms + 2 * MS_PER_HOUR);
}
END_TEST

START_TEST(second_86400_is_the_next_midnight)
{
    ck_assert_int_eq(civil_instant(&TOKYO, 20000, 86400), civil_instant(&TOKYO, 20001, 0));
    ck_assert_int_eq(civil_instant(&TOKYO, 20000, 0), 20000 * MS_PER_DAY - 9 * MS_PER_HOUR);
}
END_TEST

START_TEST(every_local_time_resolves_to_the_first_instant_that_shows_it_or_later)
{
    const struct zone *zone = ZONES[_i];
    int64_t day_at = civil_local_day(zone, zone->transition_count > 0 ? zone->at_s[0] * 1000 : 0);
    for (int64_t day = day_at - 2; day <= day_at + 2; day++) {
        for (int32_t second = 0; second < 86400; second += 900) {
            /* The plain twin: walk the quarters of hours and stop at the first not before. */
            int64_t at_ms = (day - 2) * MS_PER_DAY;
            while (civil_local_day(zone, at_ms) * 86400 + civil_local_second(zone, at_ms) <
                   day * 86400 + second) {
                at_ms += 15 * MS_PER_MINUTE;
            }
            ck_assert_int_eq(civil_instant(zone, day, second), at_ms);
        }
    }
}
END_TEST

static bool
open_at(int16_t open_min, int16_t close_min, int64_t local_ms)
{
    return window_is_open((struct window){open_min, close_min}, &TOKYO, local_ms - 9 * MS_PER_HOUR);
}

START_TEST(a_window_holds_its_start_and_not_its_end)
{
    int64_t midnight = 20000 * MS_PER_DAY;
    ck_assert(!open_at(540, 1260, midnight + 540 * MS_PER_MINUTE - 1));
    ck_assert(open_at(540, 1260, midnight + 540 * MS_PER_MINUTE));
    ck_assert(open_at(540, 1260, midnight + 1260 * MS_PER_MINUTE - 1));
    ck_assert(!open_at(540, 1260, midnight + 1260 * MS_PER_MINUTE));
}
END_TEST

START_TEST(a_window_may_cross_midnight_or_end_at_it)
{
    int64_t midnight = 20000 * MS_PER_DAY;
    ck_assert(open_at(1320, 360, midnight));
    ck_assert(open_at(1320, 360, midnight + 360 * MS_PER_MINUTE - 1));
    ck_assert(!open_at(1320, 360, midnight + 360 * MS_PER_MINUTE));
    ck_assert(!open_at(1320, 360, midnight + 1320 * MS_PER_MINUTE - 1));
    ck_assert(open_at(1320, 360, midnight + 1320 * MS_PER_MINUTE));
    /* 09:00-24:00 */
    ck_assert(open_at(540, 1440, midnight + MS_PER_DAY - 1));
    ck_assert(!open_at(540, 1440, midnight + MS_PER_DAY));
    ck_assert(open_at(0, 1440, midnight));
}
END_TEST

START_TEST(without_an_opening_time_it_is_always_open)
{
    const struct window always = {.open_min = -1};
    for (int64_t at_ms = 0; at_ms < MS_PER_DAY; at_ms += MS_PER_MINUTE) {
        ck_assert(window_is_open(always, &BERLIN, at_ms));
        ck_assert_int_eq(window_next_open(always, &BERLIN, at_ms), at_ms);
    }
}
END_TEST

START_TEST(an_opening_in_a_gap_waits_for_what_is_left_of_the_window)
{
    int64_t night_ms = civil_instant(&BERLIN, SPRING_DAY, 0);
    /* 02:30-04:00: at 03:00 the window is open already. */
    ck_assert_int_eq(window_next_open((struct window){150, 240}, &BERLIN, night_ms),
                     SPRING_S * 1000);
    /* 02:15-02:45 does not happen that day. */
    ck_assert_int_eq(window_next_open((struct window){135, 165}, &BERLIN, night_ms),
                     civil_instant(&BERLIN, SPRING_DAY + 1, hm(2, 15)));
}
END_TEST

START_TEST(a_window_in_a_doubled_hour_opens_twice)
{
    const struct window window = {120, 150};
    int64_t first_ms = AUTUMN_S * 1000 - MS_PER_HOUR;
    ck_assert_int_eq(window_next_open(window, &BERLIN, first_ms - 1), first_ms);
    ck_assert_int_eq(window_next_open(window, &BERLIN, first_ms + 30 * MS_PER_MINUTE),
                     AUTUMN_S * 1000);
}
END_TEST

START_TEST(the_next_opening_agrees_with_a_walk_by_minutes)
{
    uint64_t random = 0x9e3779b97f4a7c15u + (uint64_t)_i;
    printf("seed %d\n", _i);
    const struct zone *zone = ZONES[_i % 3];
    for (int round = 0; round < 300; round++) {
        struct window window = {.open_min = (int16_t)(random_next(&random) % 1440),
                                .close_min = (int16_t)(random_next(&random) % 1441)};
        if (window.open_min == window.close_min) {
            continue;
        }
        int64_t near_s = zone->transition_count > 0 ? zone->at_s[0] : 0;
        int64_t from_ms =
            near_s * 1000 + (int64_t)(random_next(&random) % (4 * 1440)) * 60000 - 2 * MS_PER_DAY;
        int64_t walk_ms = from_ms;
        while (!window_is_open(window, zone, walk_ms)) {
            walk_ms += MS_PER_MINUTE;
        }
        ck_assert_int_eq(window_next_open(window, zone, from_ms), walk_ms);
        /* Off the full minute the answer is the same, unless it is open already. */
        int64_t odd_ms = window_next_open(window, zone, from_ms - 17);
        ck_assert(odd_ms == walk_ms || odd_ms == from_ms - 17);
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("civil");
    TCase *tc = tcase_create("civil");
    tcase_add_test(tc, every_day_from_1900_to_2200_goes_round);
    tcase_add_loop_test(tc, impossible_dates_are_refused, 0, 11);
    tcase_add_test(tc, an_instant_is_told_in_local_words);
    tcase_add_test(tc, a_local_time_in_a_gap_is_the_first_instant_after_it);
    tcase_add_test(tc, a_doubled_local_time_is_its_first_occurrence);
    tcase_add_test(tc, second_86400_is_the_next_midnight);
    tcase_add_loop_test(tc, every_local_time_resolves_to_the_first_instant_that_shows_it_or_later,
                        0, 3);
    tcase_add_test(tc, a_window_holds_its_start_and_not_its_end);
    tcase_add_test(tc, a_window_may_cross_midnight_or_end_at_it);
    tcase_add_test(tc, without_an_opening_time_it_is_always_open);
    tcase_add_test(tc, an_opening_in_a_gap_waits_for_what_is_left_of_the_window);
    tcase_add_test(tc, a_window_in_a_doubled_hour_opens_twice);
    tcase_add_loop_test(tc, the_next_opening_agrees_with_a_walk_by_minutes, 0, 9);
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
