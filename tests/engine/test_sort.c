/* Sorting by digits beside the C library's qsort. */
#include "engine/base/sort.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 8192 };

static uint64_t keys[KEYS_MAX], spare[KEYS_MAX], expected[KEYS_MAX];

static int
key_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t
random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

START_TEST(keys_of_every_kind_come_out_as_qsort_has_them)
{
    /* Which bits may differ: all, few, only the upper or the lower half, none. */
    const uint64_t masks[] = {UINT64_MAX,
                              UINT64_C(0x00000fff00ffffff),
                              UINT64_C(0xffffffff00000000),
                              UINT64_C(0x00000000ffffffff),
                              UINT64_C(0x8000000000000001),
                              UINT64_C(0x0000000300000fff),
                              0};
    uint64_t random = 0x2545f4914f6cdd1du * (uint64_t)(_i + 1);
    printf("seed %d\n", _i);
    for (size_t kind = 0; kind < sizeof(masks) / sizeof(masks[0]); kind++) {
        const size_t counts[] = {0, 1, 2, 31, 33, 200, random_next(&random) % KEYS_MAX, KEYS_MAX};
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            for (size_t k = 0; k < counts[i]; k++) {
                keys[k] =
                    (random_next(&random) & masks[kind]) | (~masks[kind] & 0x5a5a5a5a5a5a5a5a);
            }
            memcpy(expected, keys, sizeof(keys));
            qsort(expected, counts[i], sizeof(keys[0]), key_compare);
            sort_keys(keys, spare, counts[i]);
            ck_assert_int_eq(memcmp(keys, expected, counts[i] * sizeof(keys[0])), 0);
            sort_keys(keys, spare, counts[i]); /* what is in order stays so */
            ck_assert_int_eq(memcmp(keys, expected, counts[i] * sizeof(keys[0])), 0);
        }
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sort");
    TCase *tc = tcase_create("sort");
    tcase_add_loop_test(tc, keys_of_every_kind_come_out_as_qsort_has_them, 0, 10);
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
