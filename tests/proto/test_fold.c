/* Width, case and kana alike (SPEC R29). */
#include "proto/fold.h"

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

START_TEST(what_is_alike_folds_to_the_same)
{
    static const char *const ROWS[][2] = {
        {"AIバーテンダー", "aiばーてんだー"},
        {"ＡＩばーてんだー", "aiばーてんだー"},
        {"ﾊﾞｰﾃﾝﾀﾞｰ", "ばーてんだー"},
        {"ヴァイオリン", "ゔぁいおりん"},
        {"㈱ツバメ", "(株)つばめ"},
        {"Straße", "strasse"},
        {"か\xe3\x82\x99", "が"},
        {"学々ヽヾ", "学々ゝゞ"},
        {"", ""},
        {"①２３", "123"},
        {"ヷ", "ヷ"}, /* has no hiragana */
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct span once = fold_text(span_cstr(ROWS[i][0]), arena);
        ck_assert_msg(span_equal_cstr(once, ROWS[i][1]), "%s became %.*s", ROWS[i][0],
                      span_fmt(once));
        ck_assert(span_equal(fold_text(once, arena), once));
    }
}
END_TEST

START_TEST(bytes_that_are_no_text_stay_as_they_are)
{
    struct span broken = span_cstr("ab\xff\xfe");
    ck_assert(span_equal(fold_text(broken, arena), broken));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("fold");
    TCase *tc = tcase_create("fold");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_is_alike_folds_to_the_same);
    tcase_add_test(tc, bytes_that_are_no_text_stay_as_they_are);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
