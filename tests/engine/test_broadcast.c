/* A broadcast goes through all friends a slice a pass, and a restart in between changes nothing. */
#include "tests/engine/shop.h"

#include <check.h>
#include <stdio.h>

enum { MANY = 5000 };

static struct shop shop;

static void
open_shop(void)
{
    shop_open(&shop);
    shop.broadcasts[0].at_ms = jst(6, 2, 12, 0, 0);
    shop.broadcasts[0].to = shop_has(&shop, TAG_VIP, true);
    shop.broadcasts[0].body = shop_send(&shop, T_HELLO);
    shop_apply(&shop);
    for (uint32_t i = 0; i < MANY; i++) {
        char who[16];
        snprintf(who, sizeof(who), "U%04u", i);
        shop_act(&shop, INPUT_FOLLOW, who, NULL);
        if (i % 5 == 0) {
            shop_input(&shop, (struct input){.kind = INPUT_TAG, .u.tag = {i, TAG_VIP, true}});
        }
    }
}

static void
close_shop(void)
{
    shop_close(&shop);
}

/* As a kill -9: another engine, from the events alone. */
static void
restart(void)
{
    static const struct engine_calls calls = {.body_hash = shop_body_hash};
    struct engine *again = engine_new(&calls);
    for (uint32_t i = 0; i < shop.events.count; i++) {
        engine_apply(again, &shop.events.items[i]);
    }
    engine_wake(again, shop.now_ms);
    engine_free(shop.engine);
    shop.engine = again;
}

START_TEST(everybody_gets_it_once_whenever_the_daemon_is_killed)
{
    bool kills = _i == 1;
    shop.now_ms = jst(6, 2, 12, 0, 0);
    struct taken taken;
    uint32_t slices = 0;
    ck_assert_int_eq(engine_next_due(shop.engine, shop.now_ms), shop.now_ms);
    ck_assert_int_eq(engine_take(shop.engine, shop.now_ms, &SHOP_ALONE, &shop.events, &taken),
                     RC_OK);
    for (bool more = true; more; slices++) {
        ck_assert_uint_lt(slices, 1000);
        uint32_t before = shop.events.count;
        more = engine_work(shop.engine, shop.now_ms, &shop.events);
        ck_assert_uint_le(shop.events.count - before, 300); /* bounded */
        if (kills) {
            restart();
        }
    }
    ck_assert_uint_eq(shop_count(&shop, EVENT_BROADCAST_CHOSEN), 3);
    ck_assert_uint_eq(shop_event(&shop, EVENT_BROADCAST_SENDING, 0)->u.broadcast.count, 4000);
    ck_assert_uint_eq(shop_deliver(&shop), 4000);
    for (uint32_t i = 0; i < 4000; i += 400) { /* in friend-id order; every fifth is a vip */
        ck_assert_uint_eq(shop_event(&shop, EVENT_DELIVERY_PLANNED, i)->friend,
                          i / 4 * 5 + i % 4 + 1);
    }
    ck_assert_uint_eq(shop_count(&shop, EVENT_BROADCAST_ENDED), 1);
    ck_assert_uint_eq(shop_until(&shop, jst(6, 9, 0, 0, 0)), 0);
}
END_TEST

START_TEST(a_slice_that_was_cut_in_the_log_goes_on_behind_the_last_delivery)
{
    shop.now_ms = jst(6, 2, 12, 0, 0);
    struct taken taken;
    ck_assert_int_eq(engine_take(shop.engine, shop.now_ms, &SHOP_ALONE, &shop.events, &taken),
                     RC_OK);
    while (shop_event(&shop, EVENT_DELIVERY_PLANNED, 99) == NULL) {
        ck_assert(engine_work(shop.engine, shop.now_ms, &shop.events));
    }
    /* The tail is lost: what came after the hundredth delivery never became durable. */
    uint32_t kept =
        (uint32_t)(shop_event(&shop, EVENT_DELIVERY_PLANNED, 99) - shop.events.items) + 1;
    shop.events.count = kept;
    restart();
    shop_until(&shop, jst(6, 3, 0, 0, 0));
    ck_assert_uint_eq(shop_count(&shop, EVENT_DELIVERY_PLANNED), 4000);
}
END_TEST

START_TEST(terms_are_found_again_in_a_compiled_condition)
{
    /* vip and (bought or vip) and not (vip and bought) */
    const struct condition_op ops[] = {{.kind = CONDITION_TAG, .id = TAG_VIP},
                                       {.kind = CONDITION_TAG, .id = TAG_BOUGHT},
                                       {.kind = CONDITION_TAG, .id = TAG_VIP},
                                       {.kind = CONDITION_OR},
                                       {.kind = CONDITION_AND},
                                       {.kind = CONDITION_TAG, .id = TAG_VIP},
                                       {.kind = CONDITION_TAG, .id = TAG_BOUGHT},
                                       {.kind = CONDITION_AND},
                                       {.kind = CONDITION_NOT},
                                       {.kind = CONDITION_AND}};
    const struct condition condition = {ops, 10};
    const uint32_t counts[] = {1, 1, 1, 4}; /* ops of each term */
    for (uint32_t n = 0; n < 4; n++) {
        struct condition term = condition_term(&condition, n);
        ck_assert_uint_eq(term.op_count, counts[n]);
    }
    ck_assert_ptr_eq(condition_term(&condition, 3).ops, &ops[5]);
    ck_assert_uint_eq(condition_term(&condition, 1).ops[0].id, TAG_BOUGHT);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("broadcast");
    TCase *tcase = tcase_create("slices");
    tcase_add_checked_fixture(tcase, open_shop, close_shop);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, everybody_gets_it_once_whenever_the_daemon_is_killed, 0, 2);
    tcase_add_test(tcase, a_slice_that_was_cut_in_the_log_goes_on_behind_the_last_delivery);
    tcase_add_test(tcase, terms_are_found_again_in_a_compiled_condition);
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
