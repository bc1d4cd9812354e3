/* Quota and caps: what is held costs nothing while it is held, and goes in SPEC R5's order. */
#include "tests/engine/shop.h"

#include <check.h>
#include <stdio.h>

static struct shop shop;

static void
open_shop(void)
{
    shop_open(&shop);
    shop_step(&shop, 0, after_start(MS_PER_HOUR), shop_send(&shop, T_HELLO));
    shop.definitions->friend_added = shop_start(&shop, 0);
}

static void
close_shop(void)
{
    shop_close(&shop);
}

static void
set_quota(uint32_t limit)
{
    shop_input(&shop, (struct input){.kind = INPUT_QUOTA, .u.quota = {.limit = limit}});
}

static void
follow_many(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char who[16];
        snprintf(who, sizeof(who), "U%04u", i);
        shop_act(&shop, INPUT_FOLLOW, who, NULL);
    }
}

START_TEST(the_month_is_counted_in_the_accounts_zone)
{
    shop.now_ms = jst(6, 30, 22, 30, 0);
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "A", NULL); /* due 23:30, still June in Tokyo */
    ck_assert_uint_eq(shop_until(&shop, jst(6, 30, 23, 59, 59)), 1);
    ck_assert_uint_eq(engine_state(shop.engine)->quota.month, 202606);
    ck_assert_uint_eq(engine_state(shop.engine)->quota.used, 1);
    ck_assert_int_eq(engine_state(shop.engine)->quota.until_ms, jst(7, 1, 0, 0, 0));
    shop_act(&shop, INPUT_FOLLOW, "B", NULL);
    ck_assert_uint_eq(shop_until(&shop, jst(7, 1, 1, 0, 0)), 1);
    ck_assert_uint_eq(engine_state(shop.engine)->quota.month, 202607);
    ck_assert_uint_eq(engine_state(shop.engine)->quota.used, 1);
}
END_TEST

START_TEST(what_is_held_is_not_looked_at_again_before_something_is_raised)
{
    shop.definitions->account.has_quota = true;
    shop.definitions->account.quota = 3;
    shop_apply(&shop);
    follow_many(200);
    ck_assert_uint_eq(shop_until(&shop, shop.now_ms + 2 * MS_PER_HOUR), 3);
    ck_assert_uint_eq(shop_count(&shop, EVENT_STEP_HELD), 197);
    uint32_t events = shop.events.count;
    /* The next thing to do is to give up, 48 hours after it was due. */
    ck_assert_int_eq(engine_next_due(shop.engine, shop.now_ms), jst(6, 3, 1, 0, 0));
    ck_assert_uint_eq(shop_until(&shop, jst(6, 2, 23, 0, 0)), 0);
    ck_assert_uint_eq(shop.events.count, events);
    ck_assert_uint_eq(shop_until(&shop, jst(6, 3, 1, 0, 0)), 0);
    ck_assert_uint_eq(shop_count(&shop, EVENT_STEP_SKIPPED), 197);
}
END_TEST

START_TEST(a_raised_quota_lets_go_as_many_as_it_has_room_for)
{
    shop.definitions->account.has_quota = true;
    shop_apply(&shop); /* a quota of 0 */
    follow_many(1500);
    ck_assert_uint_eq(shop_until(&shop, shop.now_ms + 2 * MS_PER_HOUR), 0);
    set_quota(20);
    ck_assert_uint_eq(shop_deliver(&shop), 20);
    set_quota(1400);
    ck_assert_uint_eq(shop_deliver(&shop), 1380);
    for (uint32_t i = 0; i < 1400; i++) { /* all became due at once: in order of creation */
        ck_assert_uint_eq(shop_event(&shop, EVENT_DELIVERY_INTENDED, i)->friend, i);
    }
    set_quota(10000);
    ck_assert_uint_eq(shop_deliver(&shop), 100);
    ck_assert_uint_eq(shop_deliver(&shop), 0);
}
END_TEST

START_TEST(a_refused_push_is_given_back_and_an_unknown_one_is_not)
{
    const enum delivery_result results[] = {RESULT_SENT, RESULT_UNKNOWN, RESULT_FAILED,
                                            RESULT_RETURNED};
    const uint32_t used[] = {1, 1, 0, 0};
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "A", NULL);
    shop.now_ms += MS_PER_HOUR;
    const struct delivery *row = shop_take(&shop);
    ck_assert_uint_eq(engine_state(shop.engine)->quota.used, 1);
    shop_outcome(&shop, row, results[_i]);
    ck_assert_uint_eq(engine_state(shop.engine)->quota.used, used[_i]);
}
END_TEST

START_TEST(new_definitions_take_the_operators_word_back_where_they_change_the_number)
{
    shop.definitions->account.has_quota = true;
    shop.definitions->account.quota = 5;
    shop_apply(&shop);
    set_quota(7);
    ck_assert_uint_eq(state_quota_limit(engine_state(shop.engine)), 7);
    shop_apply(&shop); /* the same set again */
    ck_assert_uint_eq(state_quota_limit(engine_state(shop.engine)), 7);
    struct definitions *other = definitions_new();
    struct arena *arena = other->arena;
    *other = *shop.definitions;
    other->arena = arena;
    other->references = 1;
    other->account.quota = 6;
    shop_input(&shop,
               (struct input){.kind = INPUT_DEFINITIONS, .u.definitions = {.definitions = other}});
    ck_assert_uint_eq(state_quota_limit(engine_state(shop.engine)), 6);
    shop_apply(&shop);
    definitions_release(other);
}
END_TEST

START_TEST(deliveries_under_way_count_to_a_scenarios_cap)
{
    shop.scenarios[0].cap = 2;
    shop_apply(&shop);
    follow_many(4);
    shop.now_ms += MS_PER_HOUR;
    const struct delivery *one = shop_take(&shop), *two = shop_take(&shop);
    ck_assert_ptr_nonnull(one);
    ck_assert_ptr_nonnull(two);
    ck_assert_ptr_null(shop_take(&shop)); /* two in flight: the third waits */
    ck_assert_uint_eq(shop_count(&shop, EVENT_SCENARIO_AUTO_STOPPED), 0);
    shop_outcome(&shop, one, RESULT_FAILED); /* does not count: one more may go */
    const struct delivery *three = shop_take(&shop);
    ck_assert_ptr_nonnull(three);
    shop_outcome(&shop, two, RESULT_SENT);
    ck_assert_uint_eq(shop_count(&shop, EVENT_SCENARIO_AUTO_STOPPED), 0);
    shop_outcome(&shop, three, RESULT_SENT);
    ck_assert_uint_eq(shop_count(&shop, EVENT_SCENARIO_AUTO_STOPPED), 1);
    ck_assert_ptr_null(shop_take(&shop));
    ck_assert(engine_state(shop.engine)->scenario_counts[0].auto_stopped);
}
END_TEST

START_TEST(marketing_pushes_older_than_a_week_are_forgotten)
{
    shop.definitions->account.per_week = 100;
    shop_apply(&shop);
    for (int day = 1; day <= 30; day++) {
        shop.now_ms = jst(6, day, 10, 0, 0);
        if (day == 1) {
            shop_act(&shop, INPUT_FOLLOW, "A", NULL);
        } else {
            shop_input(&shop, (struct input){.kind = INPUT_START_SCENARIO,
                                             .u.scenario = {.at_step = NO_ID}});
        }
        shop_until(&shop, jst(6, day, 20, 0, 0));
    }
    ck_assert_uint_gt(engine_state(shop.engine)->sent.count, 6);
    ck_assert_uint_le(engine_state(shop.engine)->sent.count, 11);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("pressure");
    TCase *tcase = tcase_create("quota and caps");
    tcase_add_checked_fixture(tcase, open_shop, close_shop);
    tcase_add_test(tcase, the_month_is_counted_in_the_accounts_zone);
    tcase_add_test(tcase, what_is_held_is_not_looked_at_again_before_something_is_raised);
    tcase_add_test(tcase, a_raised_quota_lets_go_as_many_as_it_has_room_for);
    tcase_add_loop_test(tcase, a_refused_push_is_given_back_and_an_unknown_one_is_not, 0, 4);
    tcase_add_test(tcase,
                   new_definitions_take_the_operators_word_back_where_they_change_the_number);
    tcase_add_test(tcase, deliveries_under_way_count_to_a_scenarios_cap);
    tcase_add_test(tcase, marketing_pushes_older_than_a_week_are_forgotten);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
