/* Columns beside a plain twin: one row a friend and field that says what the value is. */
#include "engine/columns.h"

#include <check.h>
#include <stdlib.h>

enum { FIELDS = 3, FRIENDS = 3 * COLUMN_CHUNK_ROWS, ROUNDS = 60000 };
enum kind { NOTHING, NUMBER, TEXT };
struct plain {
    enum kind kind;
    int64_t number;
    uint32_t text;
};
static struct plain twin[FIELDS][FRIENDS];

#define require(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg("seed %d: %s", seed, #condition);                                         \
        }                                                                                          \
    } while (0)

static uint32_t
random_below(uint64_t *state, uint32_t bound)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state % bound);
}

static void
compare(const struct columns *columns, int seed)
{
    for (uint32_t field = 0; field < FIELDS; field++) {
        uint32_t numbers = 0, texts = 0;
        for (uint32_t friend = 0; friend < FRIENDS; friend ++) {
            const struct plain *plain = &twin[field][friend];
            int64_t number = -1;
            uint32_t text = 77;
            require(columns_number(columns, field, friend, &number) == (plain->kind == NUMBER));
            require(columns_text(columns, field, friend, &text) == (plain->kind == TEXT));
            require(number == (plain->kind == NUMBER ? plain->number : -1));
            require(text == (plain->kind == TEXT ? plain->text : 77));
            numbers += plain->kind == NUMBER;
            texts += plain->kind == TEXT;
        }
        require(field >= columns->count || columns->numbers[field].set_count == numbers);
        require(field >= columns->count || columns->texts[field].set_count == texts);
    }
}

/* What a scan reads: bits and values of whole chunks. */
static void
compare_chunks(const struct columns *columns, int seed)
{
    for (uint32_t i = 0; i < FIELDS * FRIENDS / COLUMN_CHUNK_ROWS; i++) {
        uint32_t field = i % FIELDS, chunk = i / FIELDS;
        const struct column_numbers *numbers = columns_number_chunk(columns, field, chunk);
        const struct column_texts *texts = columns_text_chunk(columns, field, chunk);
        for (uint32_t j = 0; j < COLUMN_CHUNK_ROWS; j++) {
            const struct plain *plain = &twin[field][chunk * COLUMN_CHUNK_ROWS + j];
            bool number = numbers != NULL && (numbers->present[j / 64] >> j % 64 & 1) != 0;
            bool text = texts != NULL && (texts->present[j / 64] >> j % 64 & 1) != 0;
            require(number == (plain->kind == NUMBER) && text == (plain->kind == TEXT));
            require(numbers == NULL ||
                    (numbers->is_wide ? ((const struct column_wide *)numbers)->values[j]
                                      : ((const struct column_narrow *)numbers)->values[j]) ==
                        (number ? plain->number : 0));
            require(texts == NULL || texts->values[j] == (text ? plain->text : 0));
        }
    }
}

START_TEST(values_are_what_was_put_last)
{
    int seed = _i;
    uint64_t state = 0x9e3779b97f4a7c15 + (uint64_t)_i;
    struct columns columns;
    columns_init(&columns);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t field = random_below(&state, FIELDS);
        /* The middle chunk is visited rarely, so that it comes and goes. */
        uint32_t friend = random_below(&state, 50) == 0
                              ? COLUMN_CHUNK_ROWS + random_below(&state, 4)
                              : random_below(&state, 2) * 2 * COLUMN_CHUNK_ROWS +
                                    random_below(&state, COLUMN_CHUNK_ROWS);
        struct plain *plain = &twin[field][friend];
        switch (random_below(&state, 4)) {
        case 0:
            *plain = (struct plain){NOTHING, 0, 0};
            columns_drop(&columns, field, friend);
            break;
        case 1:
            *plain = (struct plain){TEXT, 0, random_below(&state, 9)};
            columns_put_text(&columns, field, friend, plain->text);
            break;
        default:
            *plain = (struct plain){NUMBER, (int64_t)random_below(&state, 1000) - 500, 0};
            if (random_below(&state, 5000) == 0) { /* from then on the chunk is a wide one */
                plain->number *= INT32_MAX;
            }
            columns_put_number(&columns, field, friend, plain->number);
            break;
        }
        if (i % (ROUNDS / 4) == 0) {
            compare(&columns, seed);
        }
    }
    compare(&columns, seed);
    compare_chunks(&columns, seed);
    columns_fini(&columns);
}
END_TEST

START_TEST(a_column_nobody_has_a_value_in_takes_no_chunk)
{
    struct columns columns;
    columns_init(&columns);
    ck_assert_ptr_null(columns_number_chunk(&columns, 0, 0));
    columns_put_number(&columns, 2, 9 * COLUMN_CHUNK_ROWS, 5);
    size_t with_one = columns_bytes(&columns);
    ck_assert_ptr_null(columns_number_chunk(&columns, 2, 8));
    ck_assert_ptr_nonnull(columns_number_chunk(&columns, 2, 9));
    ck_assert_ptr_null(columns_number_chunk(&columns, 2, 1000));
    columns_drop(&columns, 2, 9 * COLUMN_CHUNK_ROWS);
    columns_drop(&columns, 7, 3);
    ck_assert_ptr_null(columns_number_chunk(&columns, 2, 9));
    ck_assert_uint_eq(columns_bytes(&columns), with_one - sizeof(struct column_narrow));
    columns_fini(&columns);
}
END_TEST

static double
bytes_each(int64_t number)
{
    struct columns columns;
    columns_init(&columns);
    for (uint32_t friend = 0; friend < 64 * COLUMN_CHUNK_ROWS; friend ++) {
        columns_put_number(&columns, 0, friend, number);
    }
    double each = (double)columns_bytes(&columns) / (64 * COLUMN_CHUNK_ROWS);
    columns_fini(&columns);
    return each;
}

START_TEST(a_number_of_every_friend_takes_four_bytes_and_a_bit_or_eight)
{
    double narrow = bytes_each(INT32_MAX), wide = bytes_each((int64_t)INT32_MAX + 1);
    ck_assert(narrow > 4 && narrow < 4.14);
    ck_assert(wide > 8 && wide < 8.14);
    ck_assert(bytes_each(INT32_MIN) < 4.14 && bytes_each(INT64_MIN) > 8);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("columns");
    TCase *tcase = tcase_create("columns");
    tcase_add_loop_test(tcase, values_are_what_was_put_last, 0, 3);
    tcase_add_test(tcase, a_column_nobody_has_a_value_in_takes_no_chunk);
    tcase_add_test(tcase, a_number_of_every_friend_takes_four_bytes_and_a_bit_or_eight);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
