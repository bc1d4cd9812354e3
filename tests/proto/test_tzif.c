/* Zone files against the C library's own reading of them, and against damage. */
#include "proto/tzif.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const NAMES[] = {
    "Asia/Tokyo",           "America/New_York",   "Australia/Lord_Howe", "Pacific/Apia",
    "Europe/Dublin",        "Africa/Casablanca",  "America/Sao_Paulo",   "Asia/Gaza",
    "America/Scoresbysund", "Asia/Kathmandu",     "Antarctica/Troll",    "UTC",
    "America/Nuuk",         "Pacific/Kiritimati", "Europe/London",       "Asia/Taipei",
};
enum { NAME_COUNT = sizeof(NAMES) / sizeof(NAMES[0]), FILE_MAX = 65536 };

static uint8_t file_bytes[FILE_MAX];

static struct span
file_read(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return (struct span){0};
    }
    size_t len = fread(file_bytes, 1, sizeof(file_bytes), file);
    fclose(file);
    return span_of(file_bytes, len);
}

static struct zone *
zone_read(const char *name)
{
    struct span bytes = file_read(name);
    ck_assert_msg(bytes.len > 0, "no zone file for %s: is tzdata installed?", name);
    struct zone *zone = NULL;
    ck_assert_int_eq(tzif_parse(bytes, name, &zone), RC_OK);
    ck_assert_str_eq(zone->name, name);
    return zone;
}

static uint64_t
random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void
compare_with_libc(const struct zone *zone, int64_t at_s)
{
    time_t at = (time_t)at_s;
    struct tm tm;
    ck_assert_ptr_nonnull(localtime_r(&at, &tm));
    struct civil_time own = civil_local(zone, at_s * 1000);
    ck_assert_msg(own.date.year == tm.tm_year + 1900 && own.date.month == tm.tm_mon + 1 &&
                      own.date.day == tm.tm_mday && own.hour == tm.tm_hour &&
                      own.minute == tm.tm_min && own.second == tm.tm_sec &&
                      own.weekday == tm.tm_wday && own.offset_s == tm.tm_gmtoff,
                  "%s at %lld: offset %d, libc has %ld", zone->name, (long long)at_s, own.offset_s,
                  tm.tm_gmtoff);
}

START_TEST(zones_agree_with_the_c_library)
{
    struct zone *zone = zone_read(NAMES[_i]);
    setenv("TZ", NAMES[_i], 1);
    tzset();
    uint64_t seed = (uint64_t)time(NULL) << 8 | (uint64_t)_i;
    printf("%s: seed %llu, %u transitions\n", NAMES[_i], (unsigned long long)seed,
           zone->transition_count);
    uint64_t random = seed;
    const int64_t from_s = -INT64_C(2208988800); /* 1900 */
    const int64_t to_s = INT64_C(7258118400);    /* 2200; the C library follows the footer too */
    for (int i = 0; i < 5000; i++) {
        compare_with_libc(zone,
                          from_s + (int64_t)(random_next(&random) % (uint64_t)(to_s - from_s)));
    }
    for (uint32_t i = 0; i < zone->transition_count; i++) {
        if (zone->at_s[i] > from_s && zone->at_s[i] < to_s) {
            compare_with_libc(zone, zone->at_s[i] - 1);
            compare_with_libc(zone, zone->at_s[i]);
        }
    }
    tzif_free(zone);
}
END_TEST

START_TEST(tables_ascend_and_every_transition_changes_something)
{
    struct zone *zone = zone_read(NAMES[_i]);
    for (uint32_t i = 0; i < zone->transition_count; i++) {
        ck_assert_int_ne(zone->offset_s[i], zone->offset_s[i + 1]);
        ck_assert(i == 0 || zone->at_s[i - 1] < zone->at_s[i]);
    }
    struct zone *again = zone_read(NAMES[_i]);
    ck_assert_uint_eq(zone->hash, again->hash);
    tzif_free(again);
    struct zone *other = zone_read(NAMES[(_i + 1) % NAME_COUNT]);
    ck_assert_uint_ne(zone->hash, other->hash);
    tzif_free(other);
    tzif_free(zone);
}
END_TEST

/* ---- files made by hand ---- */

static size_t
put(uint8_t *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    }
    return bytes;
}

/* A version 2 file with an empty first block, one type and no transition, and a footer. */
static struct span
file_with_footer(const char *footer)
{
    uint8_t *out = file_bytes;
    for (int block = 0; block < 2; block++) {
        memset(out, 0, 44);
        memcpy(out, "TZif2", 5);
        put(out + 36, 1, 4); /* types */
        put(out + 40, 4, 4); /* characters */
        out += 44;
        out += put(out, 0, 6);
        memcpy(out, "LMT", 4);
        out += 4;
    }
    out += snprintf((char *)out, 256, "\n%s\n", footer);
    return span_of(file_bytes, (size_t)(out - file_bytes));
}

struct footer_case {
    const char *footer;
    int32_t year, month, day, hour, minute; /* UTC */
    int32_t offset_s;
};

/* Each pair of lines stands at both sides of a change. */
static const struct footer_case FOOTERS[] = {
    {"JST-9", 2150, 7, 1, 0, 0, 32400},
    {"<-03>3", 2150, 7, 1, 0, 0, -10800},
    {"<+0545>-5:45", 2030, 1, 1, 0, 0, 20700},
    {"<-013005>+1:30:05", 2030, 1, 1, 0, 0, -5405},
    /* Month, week, weekday: 2199-03-31 and 2199-10-27 are last Sundays. */
    {"CET-1CEST,M3.5.0,M10.5.0/3", 2199, 3, 31, 0, 59, 3600},
    {"CET-1CEST,M3.5.0,M10.5.0/3", 2199, 3, 31, 1, 0, 7200},
    {"CET-1CEST,M3.5.0,M10.5.0/3", 2199, 10, 27, 0, 59, 7200},
    {"CET-1CEST,M3.5.0,M10.5.0/3", 2199, 10, 27, 1, 0, 3600},
    /* The United States' dates where none are given: 2030-03-10 and 2030-11-03. */
    {"EST5EDT", 2030, 3, 10, 6, 59, -18000},
    {"EST5EDT", 2030, 3, 10, 7, 0, -14400},
    {"EST5EDT", 2030, 11, 3, 5, 59, -14400},
    {"EST5EDT", 2030, 11, 3, 6, 0, -18000},
    /* J60 is 1 March in every year, and 59 (from 0) is 29 February in a leap year. */
    {"AAA0BBB,J60/0,J300/0", 2028, 2, 29, 23, 59, 0},
    {"AAA0BBB,J60/0,J300/0", 2028, 3, 1, 0, 0, 3600},
    {"AAA0BBB,J60/0,J300/0", 2027, 2, 28, 23, 59, 0},
    {"AAA0BBB,J60/0,J300/0", 2027, 3, 1, 0, 0, 3600},
    {"AAA0BBB,59/0,300/0", 2028, 2, 28, 23, 59, 0},
    {"AAA0BBB,59/0,300/0", 2028, 2, 29, 0, 0, 3600},
    /* Before midnight: on the Saturday at 23:00 local standard time, 2030-03-30. */
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2030, 3, 31, 0, 59, -7200},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2030, 3, 31, 1, 0, -3600},
    /* Beyond the day: 50 hours after the fourth Thursday of March 2030 began (28 March). */
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", 2030, 3, 29, 23, 59, 7200},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", 2030, 3, 30, 0, 0, 10800},
    /* Winter time as the exception, and the southern half of the world. */
    {"IST-1GMT0,M10.5.0,M3.5.0/1", 2030, 7, 1, 0, 0, 3600},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", 2030, 1, 1, 0, 0, 0},
    {"NZST-12NZDT,M9.5.0,M4.1.0/3", 2030, 1, 1, 0, 0, 46800},
    {"NZST-12NZDT,M9.5.0,M4.1.0/3", 2030, 7, 1, 0, 0, 43200},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2030, 1, 1, 0, 0, 39600},
    /* Summer time all year round. */
    {"XXX3EDT4,0/0,J365/23", 2030, 12, 31, 23, 59, -14400},
    {"EST5EDT,0/0,J365/25", 2030, 1, 1, 12, 0, -14400},
    {"EST5EDT,0/0,J365/25", 2031, 1, 1, 5, 0, -14400},
};
enum { FOOTER_COUNT = sizeof(FOOTERS) / sizeof(FOOTERS[0]) };

START_TEST(every_form_of_footer_is_understood)
{
    const struct footer_case *c = &FOOTERS[_i];
    struct zone *zone = NULL;
    ck_assert_int_eq(tzif_parse(file_with_footer(c->footer), "Test", &zone), RC_OK);
    int64_t day = civil_day_number((struct civil_date){c->year, c->month, c->day});
    int64_t at_ms = day * MS_PER_DAY + c->hour * MS_PER_HOUR + c->minute * MS_PER_MINUTE;
    ck_assert_msg(civil_local(zone, at_ms).offset_s == c->offset_s, "%s: %d", c->footer,
                  civil_local(zone, at_ms).offset_s);
    tzif_free(zone);
}
END_TEST

START_TEST(broken_footers_are_refused)
{
    const char *const bad[] = {"J",
                               "JST",
                               "JST-25",
                               "JST-25EDT",
                               "JSTxEDT,M3.5.0,M10.5.0",
                               "JST-9x",
                               "<+9-9",
                               "CET-1CEST,",
                               "CET-1CEST,M3.5.0",
                               "CET-1CEST,M3.5.0,",
                               "CET-1CEST,M13.5.0,M10.5.0",
                               "CET-1CEST,M3.6.0,M10.5.0",
                               "CET-1CEST,M3.5.7,M10.5.0",
                               "CET-1CEST,M3.5,M10.5.0",
                               "CET-1CEST,J0,J300",
                               "CET-1CEST,J366,J300",
                               "CET-1CEST,366,300",
                               "CET-1CEST,M3.5.0/168,M10.5.0",
                               "CET-1CEST,M3.5.0/2:60,M10.5.0",
                               "CET-1CEST,M3.5.0,M10.5.0x",
                               "CET-1CE,M3.5.0,M10.5.0",
                               "JST-99999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct zone *zone = NULL;
        ck_assert_msg(tzif_parse(file_with_footer(bad[i]), "Test", &zone) == RC_CORRUPT, "%s",
                      bad[i]);
        ck_assert_ptr_null(zone);
    }
}
END_TEST

START_TEST(a_file_cut_anywhere_is_corrupt)
{
    struct span whole = file_read("America/New_York");
    for (size_t len = 0; len < whole.len; len++) {
        uint8_t *exact = malloc(len + 1); /* the sanitizer sees a read past the end */
        memcpy(exact, whole.data, len);
        struct zone *zone = NULL;
        ck_assert_int_eq(tzif_parse(span_of(exact, len), "Test", &zone), RC_CORRUPT);
        ck_assert_ptr_null(zone);
        free(exact);
    }
}
END_TEST

START_TEST(flipped_bytes_are_refused_or_give_a_sound_table)
{
    struct span whole = file_read("Europe/Dublin");
    uint64_t seed = (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)seed);
    uint64_t random = seed;
    static uint8_t copy[FILE_MAX];
    int refused = 0;
    for (int round = 0; round < 4000; round++) {
        memcpy(copy, whole.data, whole.len);
        for (uint64_t flips = 1 + random_next(&random) % 3; flips > 0; flips--) {
            copy[random_next(&random) % whole.len] = (uint8_t)random_next(&random);
        }
        struct zone *zone = NULL;
        if (tzif_parse(span_of(copy, whole.len), "Test", &zone) != RC_OK) {
            refused++;
            continue;
        }
        bool ascending = true; /* one assertion a zone: Check writes each of them to a file */
        for (uint32_t i = 1; i < zone->transition_count; i++) {
            ascending = ascending && zone->at_s[i - 1] < zone->at_s[i];
        }
        ck_assert(ascending);
        tzif_free(zone);
    }
    ck_assert_int_gt(refused, 100);
}
END_TEST

START_TEST(other_kinds_of_file_are_corrupt)
{
    struct zone *zone = NULL;
    struct span bytes = file_read("zone.tab");
    ck_assert_int_eq(tzif_parse(bytes, "zone.tab", &zone), RC_CORRUPT);
    ck_assert_int_eq(tzif_parse((struct span){0}, "", &zone), RC_CORRUPT);
    bytes = file_with_footer("JST-9");
    file_bytes[4] = 0; /* version 1 has no footer */
    ck_assert_int_eq(tzif_parse(bytes, "Test", &zone), RC_CORRUPT);
    bytes = file_with_footer("JST-9");
    put(file_bytes + 54 + 32, UINT32_MAX, 4); /* four thousand million transitions */
    ck_assert_int_eq(tzif_parse(bytes, "Test", &zone), RC_CORRUPT);
    bytes = file_with_footer("JST-9");
    put(file_bytes + 54 + 28, 1, 4); /* leap seconds */
    ck_assert_int_eq(tzif_parse(bytes, "Test", &zone), RC_CORRUPT);
    bytes = file_with_footer("JST-9");
    put(file_bytes + 54 + 44, 100000, 4); /* an offset of more than a day */
    ck_assert_int_eq(tzif_parse(bytes, "Test", &zone), RC_CORRUPT);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("tzif");
    TCase *tc = tcase_create("tzif");
    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, zones_agree_with_the_c_library, 0, NAME_COUNT);
    tcase_add_loop_test(tc, tables_ascend_and_every_transition_changes_something, 0, NAME_COUNT);
    tcase_add_loop_test(tc, every_form_of_footer_is_understood, 0, FOOTER_COUNT);
    tcase_add_test(tc, broken_footers_are_refused);
    tcase_add_test(tc, a_file_cut_anywhere_is_corrupt);
    tcase_add_test(tc, flipped_bytes_are_refused_or_give_a_sound_table);
    tcase_add_test(tc, other_kinds_of_file_are_corrupt);
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
