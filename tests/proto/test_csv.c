/* Tables as spreadsheets write them, and their rows as changes (SPEC R44). */
#include "proto/csv.h"

#include <check.h>

static struct arena *arena;

static void
setup(void)
{
    arena = arena_new();
}

static void
teardown(void)
{
    arena_free(arena);
}

static void
expect_cells(struct span *rest, const char *const *cells)
{
    struct csv_row row;
    ck_assert_int_eq(csv_row(rest, arena, &row), RC_OK);
    for (uint32_t i = 0; cells[i] != NULL; i++) {
        ck_assert_uint_lt(i, row.count);
        ck_assert_msg(span_equal_cstr(row.cells[i], cells[i]), "cell %u is '%.*s', not '%s'", i,
                      span_fmt(row.cells[i]), cells[i]);
    }
}

START_TEST(quotes_commas_line_ends_and_blanks_are_read)
{
    struct span rest =
        span_cstr("a, b ,\"c,d\"\r\n\n\"say \"\"hi\"\"\",\"two\nlines\",\" kept \"\rlast,,\n");
    struct csv_row row;
    expect_cells(&rest, (const char *const[]){"a", "b", "c,d", NULL});
    expect_cells(&rest, (const char *const[]){"say \"hi\"", "two\nlines", " kept ", NULL});
    expect_cells(&rest, (const char *const[]){"last", "", "", NULL});
    ck_assert_int_eq(csv_row(&rest, arena, &row), RC_END);
}
END_TEST

START_TEST(a_quote_that_is_never_closed_is_told)
{
    struct span rest = span_cstr("a,\"b\nc");
    struct csv_row row;
    ck_assert_int_eq(csv_row(&rest, arena, &row), RC_INVALID);
}
END_TEST

START_TEST(a_mark_goes_and_cp932_is_read)
{
    struct span text;
    ck_assert(csv_text(span_cstr("\xef\xbb\xbfid,地域"), arena, &text));
    ck_assert(span_equal_cstr(text, "id,地域"));
    ck_assert(csv_text(span_cstr("id,\x92\x6e\x88\xe6,\x81\x6a\x87\x40"), arena, &text));
    ck_assert(
        span_equal_cstr(text, "id,地域,）①")); /* NEC's circled one is CP932's, not Shift_JIS's */
    ck_assert(!csv_text(span_cstr("id,\xff\xff"), arena, &text));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("csv");
    TCase *tc = tcase_create("csv");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, quotes_commas_line_ends_and_blanks_are_read);
    tcase_add_test(tc, a_quote_that_is_never_closed_is_told);
    tcase_add_test(tc, a_mark_goes_and_cp932_is_read);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
