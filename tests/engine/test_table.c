/* A table's rows: they stay where they are, and a block read from elsewhere is like rows added. */
#include "engine/table.h"

#include <check.h>
#include <string.h>

struct row {
    uint32_t next;
    uint32_t more;
    uint64_t number;
};
/* In long loops: Check's own assertions write a file at every call. */
#define require(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg("case %d: %s", _i, #condition);                                           \
        }                                                                                          \
    } while (0)

enum { ROWS = 5 * TABLE_CHUNK_ROWS + 7 };

START_TEST(a_row_stays_where_it_is_while_the_table_grows)
{
    static struct row *where[ROWS];
    struct table table;
    table_init(&table, sizeof(struct row));
    for (uint32_t i = 0; i < ROWS; i++) {
        require(table_add(&table) == i);
        where[i] = table_at(&table, i);
        if (where[i]->number != 0 || where[i]->more != 0) {
            ck_abort_msg("row %u is not zero", i);
        }
        *where[i] = (struct row){.number = i * UINT64_C(3), .more = i};
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        if (where[i] != table_at(&table, i) || where[i]->number != i * UINT64_C(3)) {
            ck_abort_msg("row %u moved", i);
        }
    }
    ck_assert_uint_eq(table.count, ROWS);
    table_fini(&table);
}
END_TEST

START_TEST(a_block_of_rows_grows_on_in_chunks)
{
    const uint32_t sizes[] = {1, TABLE_CHUNK_ROWS, 3 * TABLE_CHUNK_ROWS + 1};
    struct table table;
    table_init(&table, sizeof(struct row));
    struct row *block = table_add_block(&table, sizes[_i]);
    for (uint32_t i = 0; i < sizes[_i]; i++) {
        block[i].number = i;
    }
    for (uint32_t i = sizes[_i]; i < 6 * TABLE_CHUNK_ROWS; i++) {
        require(table_add(&table) == i);
        ((struct row *)table_at(&table, i))->number = i;
    }
    for (uint32_t i = 0; i < table.count; i++) {
        if (((struct row *)table_at(&table, i))->number != i) {
            ck_abort_msg("row %u", i);
        }
    }
    ck_assert_ptr_eq(block, table_at(&table, 0));
    table_fini(&table);
}
END_TEST

/* Beside its twin: an array of lists, and a stack of rows given back. */
START_TEST(rows_are_taken_and_given_back_in_an_order_that_is_known_before)
{
    enum { LISTS = 5, TAKEN_MAX = 400 };
    static uint32_t lists[LISTS][TAKEN_MAX], counts[LISTS], stack[TAKEN_MAX];
    uint32_t heads[LISTS], stacked = 0, ever = 0;
    uint64_t seed = 88172645463325252 + (uint64_t)_i;
    struct table table;
    table_init(&table, sizeof(struct row));
    for (uint32_t i = 0; i < LISTS; i++) {
        heads[i] = NO_ROW;
        counts[i] = 0;
    }
    for (int step = 0; step < 20000; step++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        uint32_t list = (uint32_t)(seed >> 8) % LISTS, count = counts[list];
        if (seed % 100 < (step / 3000 % 2 == 0 ? 60u : 40u) && count < TAKEN_MAX / LISTS) {
            uint32_t expected = stacked > 0 ? stack[--stacked] : ever++;
            require(table_next(&table) == expected);
            require(table_take(&table) == expected);
            struct row *row = table_at(&table, expected);
            require(row->next == NO_ROW && row->number == 0 && row->more == 0);
            row->number = seed;
            table_append(&table, &heads[list], expected);
            lists[list][counts[list]++] = expected;
        } else if (count > 0) {
            uint32_t at = (uint32_t)(seed >> 32) % count, index = lists[list][at];
            table_unlink(&table, &heads[list], index);
            table_give(&table, index);
            stack[stacked++] = index;
            memmove(&lists[list][at], &lists[list][at + 1], (count - at - 1) * sizeof(uint32_t));
            counts[list]--;
        }
        uint32_t index = heads[list];
        for (uint32_t i = 0; i < counts[list]; i++, index = *table_link(&table, index)) {
            require(index == lists[list][i]);
        }
        require(index == NO_ROW);
    }
    ck_assert_uint_eq(table.count, ever);
    table_fini(&table);
}
END_TEST

START_TEST(no_rows_are_a_table_too)
{
    struct table table;
    table_init(&table, sizeof(struct row));
    ck_assert_ptr_null(table_add_block(&table, 0));
    ck_assert_uint_eq(table_bytes(&table), 0);
    ck_assert_uint_eq(table_add(&table), 0);
    table_fini(&table);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("table");
    TCase *tcase = tcase_create("table");
    tcase_add_test(tcase, a_row_stays_where_it_is_while_the_table_grows);
    tcase_add_loop_test(tcase, a_block_of_rows_grows_on_in_chunks, 0, 3);
    tcase_add_loop_test(tcase, rows_are_taken_and_given_back_in_an_order_that_is_known_before, 0,
                        4);
    tcase_add_test(tcase, no_rows_are_a_table_too);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
