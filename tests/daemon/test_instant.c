#include "daemon/instant.h"

#include <check.h>
#include <stdlib.h>

START_TEST(written_instant_is_read)
{
    const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"2026-06-01T10:15:00+09:00", 1780276500000},
        {"2026-06-01 10:15", 1780276500000},
        {"2026-06-01 10:15:00", 1780276500000},
        {"2026-06-01T01:15:00Z", 1780276500000},
        {"2026-05-31T19:45:00-05:30", 1780276500000},
        {"2026-06-01T10:15:00.250+09:00", 1780276500250},
        {"1780276500250", 1780276500250},
        {"2028-02-29 09:00", 1835395200000},
        {"2000-01-01T00:00Z", 946684800000},
        {"2199-12-31T23:59:59.999Z", 7258118399999},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = -1;
        ck_assert_msg(instant_parse(span_cstr(rows[i].text), NULL, &ms) == RC_OK, "%s",
                      rows[i].text);
        ck_assert_msg(ms == rows[i].ms, "%s: %lld", rows[i].text, (long long)ms);
    }
}
END_TEST

START_TEST(anything_else_is_refused_and_changes_nothing)
{
    const char *rows[] = {
        "",
        "now",
        "2026-06-01",
        "2026-06-31 10:00",
        "2026-13-01 10:00",
        "2026-00-01 10:00",
        "2026-02-29 10:00",
        "2026-06-01 24:00",
        "2026-06-01 10:60",
        "2026-06-01 10:00:60",
        "2026-06-01 10",
        "2026-06-01 10:00 ",
        " 2026-06-01 10:00",
        "2026-06-01 10:00+9",
        "2026-06-01 10:00+24:00",
        "2026-06-01 10:00Zx",
        "2026-06-01 10:00:00.5",
        "26-06-01 10:00",
        "-1780276500250",
        "99999999999999999999999",
        "0",
        "1999-12-31T23:59:59Z",
        "2200-01-01T00:00Z",
        "2026/06/01 10:00",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = 77;
        ck_assert_msg(instant_parse(span_cstr(rows[i]), NULL, &ms) == RC_INVALID, "%s", rows[i]);
        ck_assert_int_eq(ms, 77);
    }
    int64_t ms;
    ck_assert_int_eq(instant_parse(span_of("2026-06-01\0"
                                           "10:00",
                                           16),
                                   NULL, &ms),
                     RC_INVALID);
}
END_TEST

START_TEST(a_local_time_is_local_to_its_zone_and_an_offset_wins)
{
    const struct zone zone = {.offset_s = (int32_t[]){-5 * 3600 - 1800}};
    int64_t ms;
    ck_assert_int_eq(instant_parse(span_cstr("2026-05-31 19:45"), &zone, &ms), RC_OK);
    ck_assert_int_eq(ms, 1780276500000);
    ck_assert_int_eq(instant_parse(span_cstr("2026-06-01T10:15+09:00"), &zone, &ms), RC_OK);
    ck_assert_int_eq(ms, 1780276500000);
}
END_TEST

START_TEST(what_is_printed_reads_back)
{
    const struct zone west = {.offset_s = (int32_t[]){-5 * 3600 - 1800}};
    char text[INSTANT_TEXT_BYTES];
    int64_t ms = 0;
    ck_assert_str_eq(instant_print(1780276500007, NULL, text), "2026-06-01T10:15:00.007+09:00");
    ck_assert_str_eq(instant_print(1780276500007, &west, text), "2026-05-31T19:45:00.007-05:30");
    ck_assert_int_eq(instant_parse(span_cstr(text), NULL, &ms), RC_OK);
    ck_assert_int_eq(ms, 1780276500007);
}
END_TEST

START_TEST(a_date_is_a_day_that_exists)
{
    char text[INSTANT_TEXT_BYTES];
    int64_t day = 77;
    ck_assert_int_eq(instant_parse_date(span_cstr("2026-02-29"), &day), RC_INVALID);
    ck_assert_int_eq(instant_parse_date(span_cstr("2026-02-28 "), &day), RC_INVALID);
    ck_assert_int_eq(day, 77);
    ck_assert_int_eq(instant_parse_date(span_cstr("1970-01-02"), &day), RC_OK);
    ck_assert_int_eq(day, 1);
    ck_assert_str_eq(instant_print_date(day, text), "1970-01-02");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("instant");
    TCase *t = tcase_create("instant");
    tcase_add_test(t, written_instant_is_read);
    tcase_add_test(t, anything_else_is_refused_and_changes_nothing);
    tcase_add_test(t, a_local_time_is_local_to_its_zone_and_an_offset_wins);
    tcase_add_test(t, what_is_printed_reads_back);
    tcase_add_test(t, a_date_is_a_day_that_exists);
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
