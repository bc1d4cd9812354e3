/* What a scan of a column finds is what asking friend by friend finds. */
#include "engine/column_scan.h"
#include "engine/set_writer.h"
#include "engine/tables.h"

#include <check.h>

enum { FRIENDS = 3 * SET_BLOCK_BITS / 2 + 77, TEXTS = 9 };

static uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static const int64_t ENDS[] = {
    INT64_MIN, INT64_MIN + 1, (int64_t)INT32_MIN - 1, INT32_MIN, -3, 0, 1,
    2,         INT32_MAX,     (int64_t)INT32_MAX + 1, INT64_MAX,
};
enum { END_COUNT = sizeof(ENDS) / sizeof(ENDS[0]) };

/* Numbers (one block of them wide where `wide`) and texts by turns, some friends without either; whole
 * chunks stay empty. */
static void
fill(struct columns *columns, uint64_t *seed, bool wide)
{
    for (uint32_t friend = 0; friend < FRIENDS; friend ++) {
        uint64_t what = next_random(seed);
        if (friend / COLUMN_CHUNK_ROWS % 5 == 3 || what % 4 == 0) {
            continue;
        }
        int64_t number =
            what % 64 == 1 && wide ? ENDS[what / 64 % END_COUNT] : (int64_t)(what / 64 % 7) - 3;
        columns_put_number(columns, 0, friend, number);
        columns_put_text(columns, 1, friend, (uint32_t)(what / 64 % TEXTS) * 1024);
    }
}

static bool
has_number(const struct columns *columns, uint32_t friend, int64_t low, int64_t high, bool unset)
{
    int64_t number;
    return columns_number(columns, 0, friend, &number) ? number >= low && number <= high : unset;
}

/* Frees the set. */
static void
expect(struct bitmap *set, const bool *wanted, int seed)
{
    static uint32_t members[FRIENDS + SET_BLOCK_BITS];
    uint32_t count = set_count(set), next = 0;
    ck_assert_uint_le(count, FRIENDS);
    set_members(set, members);
    for (uint32_t friend = 0; friend < FRIENDS; friend ++) {
        bool found = next < count && members[next] == friend;
        ck_assert_msg(found == wanted[friend], "seed %d, friend %u", seed, friend);
        next += found;
    }
    ck_assert_uint_eq(next, count);
    set_free(set);
}

static bool wanted[FRIENDS];

START_TEST(ranges_find_whose_number_lies_in_them)
{
    uint64_t seed = 0x9e3779b97f4a7c15 + (uint64_t)_i;
    struct columns columns;
    columns_init(&columns);
    fill(&columns, &seed, _i % 2);
    for (int i = 0; i < 6; i++) {
        int64_t low = ENDS[next_random(&seed) % END_COUNT];
        int64_t high = ENDS[next_random(&seed) % END_COUNT];
        bool unset = next_random(&seed) % 2;
        for (uint32_t friend = 0; friend < FRIENDS; friend ++) {
            wanted[friend] = has_number(&columns, friend, low, high, unset);
        }
        expect(column_scan_range(&columns, 0, low, high, unset, FRIENDS), wanted, _i);
    }
    columns_fini(&columns);
}
END_TEST

static bool
is_even(void *context, uint32_t text)
{
    (*(uint32_t *)context)++;
    return text / 1024 % 2 == 0;
}

START_TEST(texts_are_found_by_number_and_by_asking)
{
    uint64_t seed = 0x2545f4914f6cdd1d + (uint64_t)_i;
    struct columns columns;
    columns_init(&columns);
    fill(&columns, &seed, false);
    for (uint32_t text = 0; text < TEXTS * 1024; text += 2048) {
        for (uint32_t friend = 0; friend < FRIENDS; friend ++) {
            uint32_t own;
            wanted[friend] = columns_text(&columns, 1, friend, &own) && own == text;
        }
        expect(column_scan_text(&columns, 1, text, FRIENDS), wanted, _i);
    }
    uint32_t asked = 0;
    for (uint32_t friend = 0; friend < FRIENDS; friend ++) {
        uint32_t own;
        wanted[friend] = columns_text(&columns, 1, friend, &own) ? own / 1024 % 2 == 0 : true;
    }
    expect(column_scan_texts(&columns, 1, is_even, &asked, true, FRIENDS), wanted, _i);
    ck_assert_uint_gt(asked, 0);
    for (uint32_t friend = 0; friend < FRIENDS; friend ++) {
        uint32_t own;
        wanted[friend] = columns_text(&columns, 1, friend, &own);
    }
    expect(column_scan_present(&columns, 1, FRIENDS), wanted, _i);
    columns_fini(&columns);
}
END_TEST

START_TEST(a_field_nobody_has_is_unset_for_all)
{
    struct columns columns;
    columns_init(&columns);
    struct bitmap *nobody = column_scan_range(&columns, 7, 0, 9, false, FRIENDS);
    struct bitmap *everybody = column_scan_range(&columns, 7, 0, 9, true, FRIENDS);
    struct bitmap *one_block = column_scan_range(&columns, 7, 0, 9, true, SET_BLOCK_BITS);
    struct bitmap *of_none = column_scan_range(&columns, 7, 0, 9, true, 0);
    ck_assert_uint_eq(set_count(nobody), 0);
    ck_assert_uint_eq(set_count(everybody), FRIENDS);
    ck_assert_uint_eq(set_count(one_block), SET_BLOCK_BITS);
    ck_assert_uint_eq(set_count(of_none), 0);
    set_free(nobody);
    set_free(everybody);
    set_free(one_block);
    set_free(of_none);
    columns_fini(&columns);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("column_scan");
    TCase *tc = tcase_create("scan");
    tcase_add_loop_test(tc, ranges_find_whose_number_lies_in_them, 0, 2);
    tcase_add_loop_test(tc, texts_are_found_by_number_and_by_asking, 0, 1);
    tcase_add_test(tc, a_field_nobody_has_is_unset_for_all);
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
