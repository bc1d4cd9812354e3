#include "tests/engine/shop.h"

#include <check.h>

static struct shop shop;

static void
open_shop(void)
{
    shop_open(&shop);
    shop.definitions->friend_added = shop_start(&shop, 0);
    shop.definitions->friend_unblocked = shop_start(&shop, 0);
}

static void
close_shop(void)
{
    shop_close(&shop);
}

START_TEST(the_first_step_goes_by_reply_and_the_next_on_its_second_by_push)
{
    shop_step(&shop, 0, NOW, shop_send(&shop, T_HELLO));
    shop_step(&shop, 0, after_start(MS_PER_HOUR), shop_send(&shop, T_SECOND));
    shop_apply(&shop);
    shop.now_ms = jst(6, 1, 10, 15, 0);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);

    const struct delivery *row = shop_take(&shop);
    ck_assert_ptr_nonnull(row);
    ck_assert_int_eq(row->how, HOW_REPLY);
    shop_outcome(&shop, row, RESULT_SENT);

    ck_assert_int_eq(engine_next_due(shop.engine, shop.now_ms), jst(6, 1, 11, 15, 0));
    shop.now_ms = jst(6, 1, 11, 15, 0) - 1;
    ck_assert_ptr_null(shop_take(&shop));
    shop.now_ms++;
    row = shop_take(&shop);
    ck_assert_ptr_nonnull(row);
    ck_assert_int_eq(row->how, HOW_PUSH);
    ck_assert_uint_eq(row->items[0].template, T_SECOND);
}
END_TEST

START_TEST(a_second_request_for_a_friend_waits_for_the_first_outcome)
{
    shop_step(&shop, 0, after_start(MS_PER_HOUR), shop_send(&shop, T_HELLO));
    shop_step(&shop, 2, after_start(MS_PER_HOUR), shop_send(&shop, T_SECOND));
    shop.definitions->friend_added.action_count = 1;
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    shop_input(&shop, (struct input){.kind = INPUT_START_SCENARIO,
                                     .u.scenario = {.scenario = 2, .at_step = NO_ID}});
    shop.now_ms += MS_PER_HOUR;
    struct delivery first = *shop_take(&shop);
    ck_assert_uint_eq(first.items[0].template, T_HELLO);
    ck_assert_ptr_null(shop_take(&shop));
    shop_outcome(&shop, &first, RESULT_SENT);
    const struct delivery *second = shop_take(&shop);
    ck_assert_ptr_nonnull(second);
    ck_assert_uint_eq(second->items[0].template, T_SECOND);
}
END_TEST

START_TEST(a_step_whose_condition_fails_is_skipped_and_the_next_is_judged_anew)
{
    struct step *step = shop_step(&shop, 0, after_start(1000), shop_send(&shop, T_HELLO));
    step->condition = shop_has(&shop, TAG_VIP, false);
    shop_step(&shop, 0, after_start(2000), shop_send(&shop, T_SECOND));
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    ck_assert_uint_eq(shop_until(&shop, shop.now_ms + 5000), 1);
    const struct event *skipped = shop_event(&shop, EVENT_STEP_SKIPPED, 0);
    ck_assert_ptr_nonnull(skipped);
    ck_assert_int_eq(skipped->u.step.reason, REASON_CONDITION);
    ck_assert_int_eq(shop_event(&shop, EVENT_ENROLMENT_ENDED, 0)->u.step.reason, REASON_FINISHED);
}
END_TEST

START_TEST(outside_its_window_a_step_waits_for_the_opening)
{
    struct step *step = shop_step(&shop, 0, after_start(MS_PER_HOUR), shop_send(&shop, T_HELLO));
    step->window = (struct window){9 * 60, 21 * 60};
    shop_apply(&shop);
    shop.now_ms = jst(6, 1, 20, 30, 0);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    ck_assert_uint_eq(shop_until(&shop, jst(6, 2, 8, 59, 59)), 0);
    const struct event *deferred = shop_event(&shop, EVENT_STEP_DEFERRED, 0);
    ck_assert_ptr_nonnull(deferred);
    ck_assert_int_eq(deferred->u.step.due_ms, jst(6, 1, 21, 30, 0));
    ck_assert_int_eq(deferred->u.step.until_ms, jst(6, 2, 9, 0, 0));
    ck_assert_uint_eq(shop_until(&shop, jst(6, 2, 9, 0, 0)), 1);
}
END_TEST

START_TEST(a_step_deferred_by_the_window_is_judged_again_at_the_real_send)
{
    struct step *step = shop_step(&shop, 0, after_start(MS_PER_HOUR), shop_send(&shop, T_HELLO));
    step->window = (struct window){9 * 60, 21 * 60};
    step->condition = shop_has(&shop, TAG_BOUGHT, true);
    shop_apply(&shop);
    shop.now_ms = jst(6, 1, 20, 30, 0);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    shop_until(&shop, jst(6, 1, 23, 0, 0));
    shop_input(&shop, (struct input){.kind = INPUT_TAG, .u.tag = {0, TAG_BOUGHT, true}});
    ck_assert_uint_eq(shop_until(&shop, jst(6, 2, 12, 0, 0)), 0);
    ck_assert_int_eq(shop_event(&shop, EVENT_STEP_SKIPPED, 0)->at_ms, jst(6, 2, 9, 0, 0));
}
END_TEST

START_TEST(beyond_grace_a_message_is_stale_and_a_step_without_one_still_happens)
{
    struct step *step = shop_step(&shop, 0, after_start(1000), shop_send(&shop, T_HELLO));
    step->grace_ms = MS_PER_HOUR;
    step = shop_step(&shop, 0, after_start(2000), shop_tag(&shop, TAG_VIP, true));
    step->grace_ms = MS_PER_HOUR;
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    shop.now_ms += 1000 + MS_PER_HOUR; /* the daemon was down; exactly at due + grace */
    ck_assert_uint_eq(shop_deliver(&shop), 0);
    ck_assert_int_eq(shop_event(&shop, EVENT_STEP_SKIPPED, 0)->u.step.reason, REASON_STALE);
    ck_assert(state_has_tag(engine_state(shop.engine), 0, TAG_VIP));
}
END_TEST

START_TEST(a_late_day_0_shifts_skips_or_sends_as_the_scenario_says)
{
    const enum late_day0 how = (enum late_day0)_i;
    shop.scenarios[0].late_day0 = how;
    shop_step(&shop, 0, day_at(0, 21, 0), shop_send(&shop, T_HELLO));
    shop_step(&shop, 0, day_at(1, 7, 30), shop_send(&shop, T_SECOND));
    shop_apply(&shop);
    shop.now_ms = jst(6, 1, 21, 1, 0);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    uint32_t at_once = shop_deliver(&shop);
    int64_t next_ms = engine_next_due(shop.engine, shop.now_ms);
    switch (how) {
    case LATE_DAY0_SHIFT:
        ck_assert_uint_eq(at_once, 0);
        ck_assert_int_eq(next_ms, jst(6, 2, 21, 0, 0));
        break;
    case LATE_DAY0_SKIP:
        ck_assert_uint_eq(at_once, 0);
        ck_assert_int_eq(next_ms, jst(6, 2, 7, 30, 0));
        ck_assert_int_eq(shop_event(&shop, EVENT_STEP_SKIPPED, 0)->u.step.reason, REASON_LATE_DAY0);
        break;
    case LATE_DAY0_SEND_NOW:
        ck_assert_uint_eq(at_once, 1);
        ck_assert_int_eq(next_ms, jst(6, 2, 7, 30, 0));
        break;
    }
}
END_TEST

START_TEST(day_0_in_the_same_minute_is_not_past_and_goes_with_the_reply)
{
    shop_step(&shop, 0, NOW, shop_send(&shop, T_HELLO));
    shop_step(&shop, 0, day_at(0, 21, 0), shop_send(&shop, T_SECOND));
    shop_apply(&shop);
    shop.now_ms = jst(6, 1, 21, 0, 30);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    const struct delivery *row = shop_take(&shop);
    ck_assert_ptr_nonnull(row);
    ck_assert_int_eq(row->how, HOW_REPLY);
    ck_assert_uint_eq(row->item_count, 2);
}
END_TEST

START_TEST(steps_after_previous_count_from_the_real_delivery)
{
    shop_step(&shop, 0, after_start(MS_PER_HOUR), shop_send(&shop, T_HELLO));
    shop_step(&shop, 0, after_previous(MS_PER_HOUR), shop_send(&shop, T_SECOND));
    shop_apply(&shop);
    int64_t start_ms = shop.now_ms;
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    shop.now_ms = start_ms + MS_PER_HOUR;
    const struct delivery *row = shop_take(&shop);
    shop.now_ms += 7000; /* LINE was slow */
    shop_outcome(&shop, row, RESULT_SENT);
    ck_assert_int_eq(engine_next_due(shop.engine, shop.now_ms), start_ms + 2 * MS_PER_HOUR + 7000);
}
END_TEST

START_TEST(blocking_cancels_every_pending_step_with_its_due_instant)
{
    shop_step(&shop, 0, after_start(MS_PER_HOUR), shop_send(&shop, T_HELLO));
    shop_step(&shop, 0, after_previous(MS_PER_HOUR), shop_send(&shop, T_SECOND));
    shop_step(&shop, 0, day_at(1, 12, 0), shop_send(&shop, T_THIRD));
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    shop.now_ms += 1000;
    shop_act(&shop, INPUT_UNFOLLOW, "U1", NULL);
    /* The one in the middle counts from a step never delivered: it has no due instant. */
    ck_assert_uint_eq(shop_count(&shop, EVENT_STEP_CANCELLED), 2);
    ck_assert_int_eq(shop_event(&shop, EVENT_STEP_CANCELLED, 1)->u.step.due_ms,
                     jst(6, 2, 12, 0, 0));
    ck_assert_uint_eq(shop_until(&shop, jst(7, 1, 0, 0, 0)), 0);
}
END_TEST

START_TEST(an_unblocked_friend_starts_again_from_the_first_step)
{
    shop.scenarios[0].reentry = REENTRY_NEVER; /* SPEC R14 overrides it */
    shop_step(&shop, 0, NOW, shop_send(&shop, T_HELLO));
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    ck_assert_uint_eq(shop_deliver(&shop), 1);
    shop.now_ms += 1000;
    shop_act(&shop, INPUT_UNFOLLOW, "U1", NULL);
    shop.now_ms += 1000;
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    ck_assert_uint_eq(shop_deliver(&shop), 1);
}
END_TEST

START_TEST(an_older_unfollow_than_the_last_known_follow_changes_nothing)
{
    shop_step(&shop, 0, after_start(MS_PER_HOUR), shop_send(&shop, T_HELLO));
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    shop_input(&shop, (struct input){
                          .kind = INPUT_UNFOLLOW,
                          .u.act = {.user_id = span_cstr("U1"), .line_at_ms = shop.now_ms - 1}});
    ck_assert(!state_friend(engine_state(shop.engine), 0)->blocked);
    ck_assert_int_eq(shop_event(&shop, EVENT_UNFOLLOWED, 0)->u.act.reason, REASON_OLD);
    ck_assert_uint_eq(shop_until(&shop, shop.now_ms + MS_PER_HOUR), 1);
}
END_TEST

START_TEST(a_start_in_a_busy_lane_is_a_switch_and_in_another_lane_runs_beside)
{
    shop_step(&shop, 0, after_start(MS_PER_HOUR), shop_send(&shop, T_HELLO));
    shop_step(&shop, 1, after_start(MS_PER_HOUR), shop_send(&shop, T_SECOND));
    shop_step(&shop, 2, after_start(MS_PER_HOUR), shop_send(&shop, T_THIRD));
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    for (uint32_t scenario = 1; scenario <= 2; scenario++) {
        shop_input(&shop, (struct input){.kind = INPUT_START_SCENARIO,
                                         .u.scenario = {.scenario = scenario, .at_step = NO_ID}});
    }
    ck_assert_int_eq(shop_event(&shop, EVENT_STEP_CANCELLED, 0)->u.step.reason, REASON_SWITCHED);
    ck_assert_uint_eq(shop_count(&shop, EVENT_STEP_CANCELLED), 1);
    ck_assert_uint_eq(shop_until(&shop, shop.now_ms + MS_PER_HOUR), 2);
}
END_TEST

START_TEST(a_start_while_it_runs_is_refused_or_restarts_as_reentry_says)
{
    shop.scenarios[0].reentry = _i == 0 ? REENTRY_IF_NOT_ACTIVE : REENTRY_ALWAYS;
    shop_step(&shop, 0, after_start(MS_PER_HOUR), shop_send(&shop, T_HELLO));
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    shop.now_ms += 1000;
    shop_input(&shop, (struct input){.kind = INPUT_START_SCENARIO,
                                     .u.scenario = {.scenario = 0, .at_step = NO_ID}});
    ck_assert_uint_eq(shop_count(&shop, EVENT_START_REFUSED), _i == 0 ? 1 : 0);
    int64_t due_ms = engine_next_due(shop.engine, shop.now_ms);
    ck_assert_uint_eq(shop_until(&shop, due_ms + MS_PER_HOUR), 1);
}
END_TEST

START_TEST(an_answer_of_more_than_five_objects_is_one_reply_and_pushes_and_tears_no_template)
{
    shop_step(&shop, 0, NOW, shop_send(&shop, T_HELLO));
    shop_step(&shop, 0, NOW, shop_send(&shop, T_BIG));    /* 1 + 4 objects: the reply */
    shop_step(&shop, 0, NOW, shop_send(&shop, T_SECOND)); /* the rest: one push */
    shop_step(&shop, 0, NOW, shop_send(&shop, T_THIRD));
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    struct delivery first = *shop_take(&shop);
    ck_assert_int_eq(first.how, HOW_REPLY);
    ck_assert_uint_eq(first.item_count, 2);
    shop_outcome(&shop, &first, RESULT_SENT);
    const struct delivery *second = shop_take(&shop);
    ck_assert_int_eq(second->how, HOW_PUSH);
    ck_assert_int_eq(second->message_class, CLASS_RESPONSE);
    ck_assert_uint_eq(second->item_count, 2);
    shop_outcome(&shop, second, RESULT_SENT);
    ck_assert_int_eq(shop_event(&shop, EVENT_ENROLMENT_ENDED, 0)->u.step.reason, REASON_FINISHED);
}
END_TEST

START_TEST(an_answer_taken_after_its_token_aged_is_a_push_of_class_response)
{
    shop_step(&shop, 0, NOW, shop_send(&shop, T_HELLO));
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    shop.now_ms += 50 * MS_PER_SECOND;
    const struct delivery *row = shop_take(&shop);
    ck_assert_int_eq(row->how, HOW_PUSH);
    ck_assert_int_eq(row->message_class, CLASS_RESPONSE);
}
END_TEST

START_TEST(a_returned_reply_is_due_again_as_a_push_under_a_new_intent)
{
    shop_step(&shop, 0, NOW, shop_send(&shop, T_HELLO));
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    struct delivery reply = *shop_take(&shop);
    shop_outcome(&shop, &reply, RESULT_RETURNED);
    const struct delivery *push = shop_take(&shop);
    ck_assert_int_eq(push->how, HOW_PUSH);
    ck_assert_uint_eq(push->seq, reply.seq);
    ck_assert_uint_gt(push->intent_seq, reply.intent_seq);
}
END_TEST

START_TEST(an_outcome_is_booked_once)
{
    shop_step(&shop, 0, NOW, shop_send(&shop, T_HELLO));
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    struct delivery row = *shop_take(&shop);
    shop_outcome(&shop, &row, RESULT_SENT);
    uint32_t count = shop.events.count;
    shop_outcome(&shop, &row, RESULT_SENT);
    ck_assert_uint_eq(shop.events.count, count);
}
END_TEST

START_TEST(a_standby_follow_starts_nothing_and_the_first_active_event_is_an_existing_friend)
{
    shop.definitions->friend_existing = shop_send(&shop, T_ANSWER);
    shop_step(&shop, 0, NOW, shop_send(&shop, T_HELLO));
    shop_apply(&shop);
    shop_input(&shop, (struct input){.kind = INPUT_FOLLOW,
                                     .u.act = {.user_id = span_cstr("U1"),
                                               .line_at_ms = shop.now_ms,
                                               .standby = true}});
    ck_assert_ptr_null(shop_take(&shop));
    shop_act(&shop, INPUT_MESSAGE, "U1", "hello");
    const struct delivery *row = shop_take(&shop);
    ck_assert_ptr_nonnull(row);
    ck_assert_uint_eq(row->items[0].template, T_ANSWER);
    ck_assert_ptr_null(shop_event(&shop, EVENT_ENROLMENT_STARTED, 0));
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("scenario");
    TCase *tcase = tcase_create("one friend");
    tcase_add_checked_fixture(tcase, open_shop, close_shop);
    tcase_add_test(tcase, the_first_step_goes_by_reply_and_the_next_on_its_second_by_push);
    tcase_add_test(tcase, a_second_request_for_a_friend_waits_for_the_first_outcome);
    tcase_add_test(tcase, a_step_whose_condition_fails_is_skipped_and_the_next_is_judged_anew);
    tcase_add_test(tcase, outside_its_window_a_step_waits_for_the_opening);
    tcase_add_test(tcase, a_step_deferred_by_the_window_is_judged_again_at_the_real_send);
    tcase_add_test(tcase, beyond_grace_a_message_is_stale_and_a_step_without_one_still_happens);
    tcase_add_loop_test(tcase, a_late_day_0_shifts_skips_or_sends_as_the_scenario_says, 0, 3);
    tcase_add_test(tcase, day_0_in_the_same_minute_is_not_past_and_goes_with_the_reply);
    tcase_add_test(tcase, steps_after_previous_count_from_the_real_delivery);
    tcase_add_test(tcase, blocking_cancels_every_pending_step_with_its_due_instant);
    tcase_add_test(tcase, an_unblocked_friend_starts_again_from_the_first_step);
    tcase_add_test(tcase, an_older_unfollow_than_the_last_known_follow_changes_nothing);
    tcase_add_test(tcase, a_start_in_a_busy_lane_is_a_switch_and_in_another_lane_runs_beside);
    tcase_add_loop_test(tcase, a_start_while_it_runs_is_refused_or_restarts_as_reentry_says, 0, 2);
    tcase_add_test(
        tcase, an_answer_of_more_than_five_objects_is_one_reply_and_pushes_and_tears_no_template);
    tcase_add_test(tcase, an_answer_taken_after_its_token_aged_is_a_push_of_class_response);
    tcase_add_test(tcase, a_returned_reply_is_due_again_as_a_push_under_a_new_intent);
    tcase_add_test(tcase, an_outcome_is_booked_once);
    tcase_add_test(
        tcase, a_standby_follow_starts_nothing_and_the_first_active_event_is_an_existing_friend);
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
