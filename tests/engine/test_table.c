/* A table's rows: they stay where they are, and a block read from elsewhere is like rows added. */
#include "engine/table.h"

#include <check.h>
#include <string.h>

struct row {
    uint64_t number;
    uint32_t more;
};
enum { ROWS = 5 * TABLE_CHUNK_ROWS + 7 };

START_TEST(a_row_stays_where_it_is_while_the_table_grows)
{
    static struct row *where[ROWS];
    struct table table;
    table_init(&table, sizeof(struct row));
    for (uint32_t i = 0; i < ROWS; i++) {
        ck_assert_uint_eq(table_add(&table), i);
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
        ck_assert_uint_eq(table_add(&table), i);
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
    tcase_add_test(tcase, no_rows_are_a_table_too);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
