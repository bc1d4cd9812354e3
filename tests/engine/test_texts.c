/* Texts and their index beside plain twins: an array of strings with how often each is held. */
#include "engine/texts.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { KINDS = 3000, ROUNDS = 200000 };

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

static struct span
text_of(uint32_t kind, char *bytes, size_t room)
{
    int len = snprintf(bytes, room, "%u-", kind);
    uint32_t longer = kind % 17 == 0 ? kind % 900 : kind % 40;
    memset(bytes + len, 'x', longer);
    return span_of(bytes, (size_t)len + longer);
}

START_TEST(a_text_is_stored_once_and_as_long_as_it_is_held)
{
    int seed = _i;
    uint64_t state = 0x2545f4914f6cdd1d + (uint64_t)_i;
    struct texts texts;
    static uint32_t held[KINDS], numbers[KINDS];
    uint32_t distinct = 0;
    memset(held, 0, sizeof(held));
    texts_init(&texts);
    for (int i = 0; i < ROUNDS; i++) {
        char bytes[1024];
        uint32_t kind = random_below(&state, KINDS);
        struct span text = text_of(kind, bytes, sizeof(bytes));
        require(texts_find(&texts, text) == (held[kind] > 0 ? numbers[kind] : TEXT_NONE));
        /* First it grows, then it shrinks, over and over. */
        bool add = random_below(&state, 10) < (i / 20000 % 2 == 0 ? 7u : 3u);
        if (add) {
            uint32_t number = texts_hold(&texts, text);
            require(held[kind] == 0 || number == numbers[kind]);
            distinct += held[kind]++ == 0;
            numbers[kind] = number;
        } else if (held[kind] > 0) {
            texts_drop(&texts, numbers[kind]);
            distinct -= --held[kind] == 0;
        }
        require(texts.count == distinct && texts.index.count == distinct);
    }
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        char bytes[1024];
        struct span text = text_of(kind, bytes, sizeof(bytes));
        struct span got = texts_get(&texts, held[kind] > 0 ? numbers[kind] : TEXT_NONE);
        require(span_equal(got, held[kind] > 0 ? text : (struct span){0}));
        require(held[kind] == 0 || got.data[got.len] == 0);
    }
    require(texts.block_count <= 3); /* places are used again */
    texts_fini(&texts);
}
END_TEST

static bool
holds_words(const struct texts *texts, const char *words)
{
    for (uint32_t i = 0; i < texts->block_count; i++) {
        for (size_t at = 0; at + strlen(words) <= TEXT_BLOCK_BYTES; at++) {
            if (memcmp(texts->blocks[i] + at, words, strlen(words)) == 0) {
                return true;
            }
        }
    }
    return false;
}

START_TEST(a_text_nobody_holds_leaves_nothing_behind)
{
    struct texts texts;
    texts_init(&texts);
    uint32_t first = texts_hold(&texts, span_cstr("山田花子"));
    ck_assert_uint_eq(texts_hold(&texts, span_cstr("山田花子")), first);
    texts_drop(&texts, first);
    ck_assert(holds_words(&texts, "花子"));
    texts_drop(&texts, first);
    ck_assert(!holds_words(&texts, "花子"));
    ck_assert_uint_eq(texts_hold(&texts, span_cstr("佐藤一郎")), first); /* same size */
    texts_fini(&texts);
}
END_TEST

START_TEST(replacing_a_text_by_itself_keeps_it)
{
    struct texts texts;
    uint32_t slot = TEXT_NONE;
    texts_init(&texts);
    texts_replace(&texts, &slot, span_cstr("関東"));
    texts_replace(&texts, &slot, texts_get(&texts, slot));
    ck_assert(span_equal_cstr(texts_get(&texts, slot), "関東"));
    texts_replace(&texts, &slot, (struct span){0});
    ck_assert_uint_eq(slot, TEXT_NONE);
    ck_assert_uint_eq(texts.count, 0);
    texts_fini(&texts);
}
END_TEST

START_TEST(the_longest_texts_fit)
{
    struct texts texts;
    uint32_t numbers[5];
    uint8_t *bytes = calloc(1, TEXT_BYTES_MAX + 1); /* one more is cut off */
    ck_assert_ptr_nonnull(bytes);
    texts_init(&texts);
    for (uint8_t i = 0; i < 5; i++) {
        bytes[0] = i;
        numbers[i] = texts_hold(&texts, span_of(bytes, TEXT_BYTES_MAX + (size_t)i % 2));
    }
    for (uint8_t i = 0; i < 5; i++) {
        struct span text = texts_get(&texts, numbers[i]);
        ck_assert_uint_eq(text.len, TEXT_BYTES_MAX);
        ck_assert_uint_eq(text.data[0], i);
        texts_drop(&texts, numbers[i]);
    }
    ck_assert_uint_eq(texts.count, 0);
    texts_fini(&texts);
    free(bytes);
}
END_TEST

/* The index alone, with keys that collide: numbers are their own keys, and few homes are used. */

static uint64_t
few_homes(const void *context, uint32_t number)
{
    (void)context;
    return number % 7 * 11;
}

static bool
is_number(const void *context, uint32_t number, const void *key)
{
    (void)context;
    return number == *(const uint32_t *)key;
}

static uint64_t
many_homes(const void *context, uint32_t number)
{
    (void)context;
    return number * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

START_TEST(an_index_finds_what_is_in_it_while_it_grows_and_shrinks)
{
    int seed = _i;
    uint64_t state = 0xda942042e4dd58b5 + (uint64_t)_i;
    const struct index_keys keys = {.hash = _i % 2 == 0 ? few_homes : many_homes,
                                    .equals = is_number};
    enum { NUMBERS = 700 };
    bool present[NUMBERS] = {false};
    uint32_t count = 0;
    struct index index = {0};
    for (int i = 0; i < 30000; i++) {
        uint32_t number = random_below(&state, i < 200 ? 60 : NUMBERS);
        uint32_t found = index_find(&index, &keys, keys.hash(NULL, number), &number);
        require(found == (present[number] ? number : INDEX_NONE));
        if (!present[number] && random_below(&state, 3) > 0) {
            index_put(&index, &keys, number);
            present[number] = true;
            count++;
        } else if (present[number] && random_below(&state, 3) == 0) {
            index_remove(&index, &keys, number);
            present[number] = false;
            count--;
        }
        require(index.count == count);
    }
    for (uint32_t number = 0; number < NUMBERS; number++) {
        uint32_t found = index_find(&index, &keys, keys.hash(NULL, number), &number);
        require(found == (present[number] ? number : INDEX_NONE));
    }
    index_fini(&index);
}
END_TEST

START_TEST(growing_moves_a_share_with_every_number)
{
    const struct index_keys keys = {.hash = many_homes, .equals = is_number};
    struct index index = {0};
    for (uint32_t number = 0; number < 20000; number++) {
        struct index before = index;
        index_put(&index, &keys, number);
        bool began = index.now.room != before.now.room;
        ck_assert_msg(!began || before.old.room == 0, "the former move was not done at %u", number);
        ck_assert_msg(index.old.room == 0 || index.moved <= (began ? 0 : before.moved) + 8,
                      "%u slots were moved at once", index.moved - before.moved);
    }
    index_fini(&index);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("texts");
    TCase *tcase = tcase_create("texts");
    tcase_add_loop_test(tcase, a_text_is_stored_once_and_as_long_as_it_is_held, 0, 3);
    tcase_add_test(tcase, a_text_nobody_holds_leaves_nothing_behind);
    tcase_add_test(tcase, replacing_a_text_by_itself_keeps_it);
    tcase_add_test(tcase, the_longest_texts_fit);
    tcase_add_loop_test(tcase, an_index_finds_what_is_in_it_while_it_grows_and_shrinks, 0, 8);
    tcase_add_test(tcase, growing_moves_a_share_with_every_number);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
