#include "proto/words.h"

#include <check.h>
#include <stdlib.h>

START_TEST(durations_add_up_their_units)
{
    static const struct {
        const char *text;
        int64_t ms;
    } ROWS[] = {{"2d", 2 * MS_PER_DAY},
                {"1h30m", 90 * MS_PER_MINUTE},
                {"90s", 90 * MS_PER_SECOND},
                {"1w", 7 * MS_PER_DAY},
                {"0s", 0},
                {"48h", 48 * MS_PER_HOUR}};
    int64_t ms = -1;
    ck_assert(words_duration(span_cstr(ROWS[_i].text), &ms));
    ck_assert_int_eq(ms, ROWS[_i].ms);
}
END_TEST

START_TEST(what_is_no_duration_is_refused)
{
    static const char *const ROWS[] = {"",       "2",    "d",   "2x",   "2 d",
                                       "1m30h",  "1h1h", "-1h", "1.5h", "99999999999999999999d",
                                       "36526d", "2d "};
    int64_t ms = -1;
    ck_assert_msg(!words_duration(span_cstr(ROWS[_i]), &ms), "'%s' was taken", ROWS[_i]);
    ck_assert_int_eq(ms, -1);
}
END_TEST

START_TEST(times_have_two_digits_and_end_at_24)
{
    int32_t minute = -1;
    ck_assert(words_time(span_cstr("00:00"), &minute) && minute == 0);
    ck_assert(words_time(span_cstr("19:05"), &minute) && minute == 19 * 60 + 5);
    ck_assert(words_time(span_cstr("24:00"), &minute) && minute == 1440);
    static const char *const NONE[] = {"24:01", "25:00", "9:00", "09:60", "09-00", "09:000", ""};
    for (size_t i = 0; i < sizeof(NONE) / sizeof(NONE[0]); i++) {
        ck_assert_msg(!words_time(span_cstr(NONE[i]), &minute), "'%s' was taken", NONE[i]);
    }
}
END_TEST

START_TEST(dates_must_exist)
{
    int64_t day = 0;
    ck_assert(words_date(span_cstr("1970-01-02"), &day) && day == 1);
    ck_assert(words_date(span_cstr("2028-02-29"), &day));
    ck_assert(!words_date(span_cstr("2026-02-29"), &day));
    ck_assert(!words_date(span_cstr("2026-13-01"), &day));
    ck_assert(!words_date(span_cstr("2026-1-01"), &day));
    ck_assert(!words_date(span_cstr("0026-01-01"), &day));
}
END_TEST

START_TEST(datetimes_are_local_to_their_zone)
{
    int32_t offset[] = {9 * 3600};
    struct zone tokyo = {.offset_s = offset};
    int64_t ms = 0;
    ck_assert(words_datetime(span_cstr("1970-01-01 09:00"), &tokyo, &ms) && ms == 0);
    ck_assert(words_datetime(span_cstr("1970-01-01 09:00:02"), &tokyo, &ms) && ms == 2000);
    ck_assert(!words_datetime(span_cstr("1970-01-01 09:00:60"), &tokyo, &ms));
    ck_assert(!words_datetime(span_cstr("1970-01-01"), &tokyo, &ms));
    ck_assert(!words_datetime(span_cstr("1970-01-01T09:00"), &tokyo, &ms));
}
END_TEST

START_TEST(windows_are_two_times_or_off)
{
    struct window window = {0};
    ck_assert(words_window(span_cstr("09:00-21:00"), &window));
    ck_assert_int_eq(window.open_min, 540);
    ck_assert_int_eq(window.close_min, 1260);
    ck_assert(words_window(span_cstr("22:00-06:00"), &window));
    ck_assert(words_window(span_cstr("off"), &window) && window.open_min == -1);
    ck_assert(!words_window(span_cstr("09:00-09:00"), &window));
    ck_assert(!words_window(span_cstr("09:00 - 21:00"), &window));
    ck_assert(!words_window(span_cstr("09:00"), &window));
}
END_TEST

START_TEST(numbers_are_whole_and_fit_64_bits)
{
    int64_t number = 0;
    ck_assert(words_number(span_cstr("-12"), &number) && number == -12);
    ck_assert(words_number(span_cstr("+3"), &number) && number == 3);
    ck_assert(!words_number(span_cstr("99999999999999999999"), &number));
    ck_assert(!words_number(span_cstr("1.5"), &number));
    ck_assert(!words_number(span_cstr("-"), &number));
    ck_assert(!words_number(span_cstr("二十"), &number));
}
END_TEST

START_TEST(ids_are_letters_of_any_script)
{
    ck_assert(words_id(span_cstr("T_購入後-1.2")));
    ck_assert(words_id(span_cstr("がぎぐ")));
    ck_assert(words_id(span_cstr("5a")));
    static const char *const NONE[] = {"",    "-a",  "+a",  "123",  "a b",
                                       "a/b", "a:b", "a'b", "\xff", "😀"};
    for (size_t i = 0; i < sizeof(NONE) / sizeof(NONE[0]); i++) {
        ck_assert_msg(!words_id(span_cstr(NONE[i])), "'%s' was taken", NONE[i]);
    }
}
END_TEST

START_TEST(blanks_of_both_widths_are_trimmed)
{
    ck_assert(span_equal_cstr(words_trim(span_cstr(" \xe3\x80\x80 在庫\xe3\x80\x80 ")), "在庫"));
    ck_assert_uint_eq(words_trim(span_cstr("\xe3\x80\x80 ")).len, 0);
}
END_TEST

START_TEST(words_are_cut_and_taken_one_by_one)
{
    struct span rest = span_cstr("2 days  after previous at 10:00");
    ck_assert(span_equal_cstr(words_next(&rest), "2"));
    ck_assert(!words_take(&rest, "days before"));
    ck_assert(words_take(&rest, "days after previous"));
    ck_assert(span_equal_cstr(words_next(&rest), "at"));
    ck_assert(span_equal_cstr(words_next(&rest), "10:00"));
    ck_assert_uint_eq(words_next(&rest).len, 0);
}
END_TEST

START_TEST(lengths_are_counted_in_four_ways)
{
    struct span text = span_cstr("a年😀");
    ck_assert_uint_eq(words_characters(text), 3);
    ck_assert_uint_eq(words_utf16_units(text), 4);
    ck_assert_uint_eq(words_display_columns(text), 5);
    ck_assert_uint_eq(words_utf8_valid(text), text.len);
    ck_assert_uint_eq(words_utf8_valid(span_of("ab\xe5\xb9", 4)), 2);
}
END_TEST

static const char *
nearest(const char *word, const char *a, const char *b)
{
    struct suggestion suggestion;
    suggestion_begin(&suggestion, span_cstr(word));
    suggestion_offer(&suggestion, span_cstr(a));
    suggestion_offer(&suggestion, span_cstr(b));
    return suggestion_found(&suggestion) ? (const char *)suggestion.best.data : NULL;
}

START_TEST(the_nearest_name_is_suggested_and_a_far_one_is_not)
{
    ck_assert_str_eq(nearest("sned", "send", "seed"),
                     "send"); /* one transposition, not two changes */
    ck_assert_str_eq(nearest("beginer", "expert", "beginner"), "beginner");
    ck_assert_str_eq(nearest("アンケト", "アンケート", "クーポン"), "アンケート");
    ck_assert_ptr_null(nearest("vip", "bought", "twitter"));
    ck_assert_ptr_null(nearest("xy", "ab", "cd"));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("words");
    TCase *tc = tcase_create("words");
    tcase_add_loop_test(tc, durations_add_up_their_units, 0, 6);
    tcase_add_loop_test(tc, what_is_no_duration_is_refused, 0, 12);
    tcase_add_test(tc, times_have_two_digits_and_end_at_24);
    tcase_add_test(tc, dates_must_exist);
    tcase_add_test(tc, datetimes_are_local_to_their_zone);
    tcase_add_test(tc, windows_are_two_times_or_off);
    tcase_add_test(tc, numbers_are_whole_and_fit_64_bits);
    tcase_add_test(tc, ids_are_letters_of_any_script);
    tcase_add_test(tc, blanks_of_both_widths_are_trimmed);
    tcase_add_test(tc, words_are_cut_and_taken_one_by_one);
    tcase_add_test(tc, lengths_are_counted_in_four_ways);
    tcase_add_test(tc, the_nearest_name_is_suggested_and_a_far_one_is_not);
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
