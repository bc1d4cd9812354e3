/* Short addresses that are one friend's own (SPEC R36). */
#include "proto/link_token.h"

#include <check.h>
#include <string.h>

static const uint8_t SECRET[16] = "the first run id", OTHER[16] = "of another log..";

START_TEST(a_token_is_read_back_with_its_own_secret_and_link_only)
{
    static const uint32_t FRIENDS[] = {0, 1, 35, 36, 1000000, UINT32_MAX - 1};
    struct arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(FRIENDS) / sizeof(FRIENDS[0]); i++) {
        uint32_t friend = 7;
        struct span token = link_token_make(SECRET, FRIENDS[i], 3, arena);
        ck_assert(link_token_read(SECRET, 3, token, &friend));
        ck_assert_uint_eq(friend, FRIENDS[i]);
        ck_assert(!link_token_read(OTHER, 3, token, &friend));
        ck_assert(!link_token_read(SECRET, 4, token, &friend));
    }
    arena_free(arena);
}
END_TEST

START_TEST(any_changed_character_makes_it_nobodys)
{
    struct arena *arena = arena_new();
    struct span token = link_token_make(SECRET, 123456, 0, arena);
    uint8_t copy[64];
    uint32_t friend;
    for (size_t i = 0; i < token.len; i++) {
        for (int c = 1; c < 128; c++) {
            memcpy(copy, token.data, token.len);
            copy[i] = (uint8_t)c;
            ck_assert(c == token.data[i] ||
                      !link_token_read(SECRET, 0, span_of(copy, token.len), &friend));
        }
    }
    for (size_t len = 0; len < token.len; len++) {
        ck_assert(!link_token_read(SECRET, 0, span_of(token.data, len), &friend));
    }
    arena_free(arena);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("link_token");
    TCase *tc = tcase_create("link_token");
    tcase_add_test(tc, a_token_is_read_back_with_its_own_secret_and_link_only);
    tcase_add_test(tc, any_changed_character_makes_it_nobodys);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
