/* Draws: every answer is possible, shares hold, and a replay asks for nothing. */
#include "tests/engine/shop.h"

#include <check.h>
#include <stdlib.h>

START_TEST(the_ends_of_the_random_range_are_the_ends_of_the_answers)
{
    const struct draw dice = {.kind = DRAW_NUMBER, .low = -1, .high = 6};
    ck_assert_int_eq(draw_answer(&dice, 0), -1);
    ck_assert_int_eq(draw_answer(&dice, UINT64_MAX), 6);
    const struct draw one = {.kind = DRAW_NUMBER, .low = 5, .high = 5};
    ck_assert_int_eq(draw_answer(&one, UINT64_MAX / 2), 5);
    const struct draw all = {.kind = DRAW_NUMBER, .low = INT64_MIN, .high = INT64_MAX};
    ck_assert(draw_answer(&all, 0) == INT64_MIN);
    ck_assert(draw_answer(&all, UINT64_MAX) == INT64_MAX);
    const struct draw words = {.kind = DRAW_WORD, .count = 3};
    ck_assert_int_eq(draw_answer(&words, 0), 0);
    ck_assert_int_eq(draw_answer(&words, UINT64_MAX / 2), 1);
    ck_assert_int_eq(draw_answer(&words, UINT64_MAX), 2);
}
END_TEST

START_TEST(cases_come_as_often_as_their_shares_say)
{
    static const uint32_t shares[] = {1, 3, 6};
    const struct draw split = {.kind = DRAW_CASE, .shares = shares, .count = 3};
    uint32_t times[3] = {0};
    for (uint64_t i = 0; i < 10000; i++) {
        times[draw_answer(&split, i * (UINT64_MAX / 10000) + 7)]++;
    }
    ck_assert_uint_le(times[0] - 999, 2);
    ck_assert_uint_le(times[1] - 2999, 2);
    ck_assert_uint_le(times[2] - 5999, 2);
}
END_TEST

static int asked;

static int64_t
always_the_second(void *context, const struct draw *draw)
{
    (void)context;
    asked++;
    ck_assert_uint_eq(draw->count, 2);
    return 1;
}

START_TEST(a_replay_gives_the_same_state_without_asking)
{
    static const uint32_t shares[] = {1, 1};
    const struct engine_calls calls = {.body_hash = shop_body_hash, .draw = always_the_second};
    struct shop shop;
    shop_open(&shop);
    engine_free(shop.engine);
    shop.engine = engine_new(&calls);
    struct split_case cases[] = {{1, shop_tag(&shop, TAG_VIP, true)},
                                 {1, shop_tag(&shop, TAG_BOUGHT, true)}};
    struct action split = {.kind = ACTION_SPLIT,
                           .u.split = {.cases = cases, .shares = shares, .case_count = 2}};
    shop.definitions->friend_added = (struct body){&split, 1, false};
    shop_apply(&shop);
    const struct input follow = {.kind = INPUT_FOLLOW,
                                 .at_ms = shop.now_ms,
                                 .u.act = {.user_id = span_cstr("U1"), .line_at_ms = shop.now_ms}};
    asked = 0;
    engine_handle(shop.engine, &follow, &shop.events);
    ck_assert_int_eq(asked, 1);
    ck_assert(state_has_tag(engine_state(shop.engine), 0, TAG_BOUGHT));
    ck_assert(!state_has_tag(engine_state(shop.engine), 0, TAG_VIP));

    static const struct engine_calls silent = {.body_hash = shop_body_hash};
    struct engine *replayed = engine_new(&silent); /* asking would crash */
    for (uint32_t i = 0; i < shop.events.count; i++) {
        engine_apply(replayed, &shop.events.items[i]);
    }
    ck_assert(state_digest(engine_state(replayed)) == state_digest(engine_state(shop.engine)));
    engine_free(replayed);
    shop_close(&shop);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("draw");
    TCase *tc = tcase_create("draw");
    tcase_add_test(tc, the_ends_of_the_random_range_are_the_ends_of_the_answers);
    tcase_add_test(tc, cases_come_as_often_as_their_shares_say);
    tcase_add_test(tc, a_replay_gives_the_same_state_without_asking);
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
