/* Tables line up by what a terminal shows, and show what a terminal would obey. */
#include "tools/common/table.h"

#include <check.h>
#include <stdlib.h>

static struct table *
two_columns(void)
{
    struct table *table = table_new();
    table_column(table, "friend", TABLE_LEFT);
    table_column(table, "n", TABLE_RIGHT);
    return table;
}

static void
add(struct table *table, const char *name, int number)
{
    table_row(table);
    table_cell_cstr(table, name);
    table_cell_printf(table, "%d", number);
}

START_TEST(wide_characters_count_two_columns)
{
    struct table *table = two_columns();
    struct buf out = {0};
    add(table, "佐藤さん", 7);
    add(table, "bob", 12);
    table_print(table, false, &out);
    ck_assert_str_eq(buf_cstr(&out), "friend     n\n"
                                     "佐藤さん   7\n"
                                     "bob       12\n");
    buf_fini(&out);
    table_free(table);
}
END_TEST

START_TEST(no_line_ends_in_blanks)
{
    struct table *table = table_new();
    struct buf out = {0};
    table_column(table, "a", TABLE_LEFT);
    table_column(table, "b", TABLE_LEFT);
    table_row(table);
    table_cell_cstr(table, "long enough");
    table_row(table);
    table_cell_cstr(table, "x");
    table_cell_cstr(table, "");
    table_row(table);
    table_cell_cstr(table, "x");
    table_cell_cstr(table, "wider than its heading");
    table_print(table, false, &out);
    ck_assert_str_eq(buf_cstr(&out), "a            b\n"
                                     "long enough\n"
                                     "x\n"
                                     "x            wider than its heading\n");
    ck_assert_uint_eq(table_row_count(table), 3);
    buf_fini(&out);
    table_free(table);
}
END_TEST

START_TEST(control_characters_are_shown_and_not_obeyed)
{
    struct table *table = two_columns();
    struct buf out = {0};
    table_row(table);
    table_cell_cstr(table, "a\x1b[31mb\nc\xc2\x9b");
    table_print(table, true, &out);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "a\\x1b[31mb\\nc\\u9b"));
    buf_fini(&out);
    table_free(table);
}
END_TEST

START_TEST(colour_does_not_move_columns)
{
    struct table *table = two_columns();
    struct buf out = {0};
    add(table, "x", 1);
    table_style(table, STYLE_BAD);
    add(table, "y", 22);
    table_print(table, true, &out);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "x        \x1b[31m1\x1b[0m\n"));
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "y       22\n"));
    buf_fini(&out);
    table_free(table);
}
END_TEST

START_TEST(a_spreadsheet_gets_what_was_given_and_computes_nothing)
{
    struct table *table = table_new();
    table_column(table, "name", TABLE_LEFT);
    table_column(table, "score", TABLE_RIGHT);
    table_row(table);
    table_cell_cstr(table, "山田, \"太郎\"");
    table_cell_printf(table, "%d", -3);
    table_row(table);
    table_cell_cstr(table, "=1+1");
    table_cell_none(table);
    table_row(table);
    table_cell_cstr(table, "-");
    table_cell_cstr(table, "二行\nです");
    struct buf out = {0};
    table_print_csv(table, &out);
    ck_assert_str_eq(buf_cstr(&out), "\xef\xbb\xbfname,score\r\n"
                                     "\"山田, \"\"太郎\"\"\",-3\r\n"
                                     "\"'=1+1\",\r\n"
                                     "\"'-\",\"二行\nです\"\r\n");
    buf_fini(&out);
    table_free(table);
}
END_TEST

START_TEST(a_table_without_headings_prints_none)
{
    struct table *table = table_new();
    struct buf out = {0};
    table_column(table, NULL, TABLE_LEFT);
    table_row(table);
    table_cell_cstr(table, NULL);
    table_print(table, false, &out);
    ck_assert_str_eq(buf_cstr(&out), "-\n");
    buf_fini(&out);
    table_free(table);
}
END_TEST

START_TEST(bytes_that_are_no_text_count_one_column_each)
{
    ck_assert_uint_eq(terminal_width(span_of("\xff\xfe", 2)), 2);
    ck_assert_uint_eq(terminal_width(span_cstr("か\xe3\x82\x99")), 2); /* combining mark */
    ck_assert_uint_eq(terminal_width(span_cstr("ｶ")), 1);              /* half width */
}
END_TEST

START_TEST(no_color_says_no_even_on_a_terminal)
{
    setenv("NO_COLOR", "1", 1);
    ck_assert(!terminal_has_colour(1, false));
    unsetenv("NO_COLOR");
    ck_assert(!terminal_has_colour(1, true));
    ck_assert_str_eq(terminal_begin(false, STYLE_BAD), "");
    ck_assert_str_eq(terminal_end(false, STYLE_BAD), "");
}
END_TEST

START_TEST(the_first_language_variable_that_is_set_decides)
{
    unsetenv("LC_ALL");
    unsetenv("LC_MESSAGES");
    setenv("LANG", "ja_JP.UTF-8", 1);
    ck_assert(terminal_is_japanese());
    setenv("LC_ALL", "C.UTF-8", 1);
    ck_assert(!terminal_is_japanese());
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("table");
    TCase *tcase = tcase_create("table");
    tcase_add_test(tcase, wide_characters_count_two_columns);
    tcase_add_test(tcase, no_line_ends_in_blanks);
    tcase_add_test(tcase, control_characters_are_shown_and_not_obeyed);
    tcase_add_test(tcase, colour_does_not_move_columns);
    tcase_add_test(tcase, a_spreadsheet_gets_what_was_given_and_computes_nothing);
    tcase_add_test(tcase, a_table_without_headings_prints_none);
    tcase_add_test(tcase, bytes_that_are_no_text_count_one_column_each);
    tcase_add_test(tcase, no_color_says_no_even_on_a_terminal);
    tcase_add_test(tcase, the_first_language_variable_that_is_set_decides);
    suite_add_tcase(suite, tcase);
    return suite;
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
