/* Reminders, triggers and dates: what lives as an enrolment beside scenarios (SPEC R18, R32, R34, R35). */
#include "engine/reminder.h"
#include "tests/engine/image_buf.h"
#include "tests/engine/shop.h"

#include <check.h>
#include <stdio.h>

enum { F_BIRTHDAY, F_VISIT, FIELD_COUNT };
enum { S_REMINDER, S_TRIGGER, S_DATE, S_OTHER };
enum { B_PLAN, B_OFF };

static struct shop shop;
static struct field fields[FIELD_COUNT] = {{.type = FIELD_DATE}, {.type = FIELD_DATETIME}};
static struct action acts[2];
static struct button buttons[2];
static struct trigger_rule rules[4];

static void
rule(uint32_t n, uint32_t trigger, enum trigger_on_kind kind, uint32_t id, bool cancels)
{
    rules[n] = (struct trigger_rule){{kind, id, NO_ID, 0}, trigger, cancels};
    shop.definitions->trigger_rules = rules;
    shop.definitions->trigger_rule_count = n + 1;
}

static void
remind_button(void)
{
    static struct name names[2];
    acts[B_PLAN] = (struct action){
        .kind = ACTION_REMIND, .u.remind = {.reminder = S_REMINDER, .key = 5, .field = F_VISIT}};
    acts[B_OFF] =
        (struct action){.kind = ACTION_CANCEL, .u.remind = {.reminder = S_REMINDER, .key = NO_ID}};
    for (uint32_t i = 0; i < 2; i++) {
        names[i] = (struct name){i == B_PLAN ? "plan" : "off", true};
        buttons[i] = (struct button){.body = {&acts[i], 1, false}};
    }
    shop.definitions->button_names = (struct names){names, 2};
    shop.definitions->buttons = buttons;
}

static void
open_shop(void)
{
    shop_open(&shop);
    shop.definitions->field_names = shop_names(&shop, FIELD_COUNT);
    shop.definitions->fields = fields;
    static const enum scenario_kind KINDS[] = {KIND_REMINDER, KIND_TRIGGER, KIND_DATE};
    for (uint32_t i = 0; i < 3; i++) {
        shop.scenarios[i].kind = KINDS[i];
        shop.scenarios[i].lane = NO_ID;
    }
    shop.scenarios[S_DATE].date = (struct date){F_BIRTHDAY, 0, 9 * 60, true};
    remind_button();
}

static void
close_shop(void)
{
    shop_close(&shop);
}

static struct timing
days_before(int32_t days, int32_t hour)
{
    return (struct timing){.kind = TIMING_DAYS_BEFORE_GOAL_AT, .days = days, .at_min = hour * 60};
}

static struct timing
before_goal(int64_t ms)
{
    return (struct timing){.kind = TIMING_BEFORE_GOAL, .delay_ms = ms};
}

static void
set_number(uint32_t field, int64_t number)
{
    shop_input(&shop, (struct input){.kind = INPUT_FIELD,
                                     .u.field = {.friend = 0, .field = field, .number = number}});
}

static void
set_tag(uint32_t tag, bool add)
{
    shop_input(&shop, (struct input){.kind = INPUT_TAG, .u.tag = {0, tag, add}});
}

static void
tap(const char *data)
{
    shop_input(&shop, (struct input){.kind = INPUT_POSTBACK,
                                     .u.act = {.user_id = span_cstr("U1"),
                                               .line_at_ms = shop.now_ms,
                                               .data = span_cstr(data)}});
}

static void
follow(void)
{
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
}

static const struct enrolment *
only_enrolment(void)
{
    const struct state *state = engine_state(shop.engine);
    uint32_t first = state_friend(state, 0)->first_enrolment;
    ck_assert_uint_ne(first, NO_ID);
    ck_assert_uint_eq(state_enrolment(state, first)->next, NO_ID);
    return state_enrolment(state, first);
}

/* Replay of the events, and an image of the state, have the digest of the life that was lived. */
static void
assert_replays(void)
{
    static const struct engine_calls calls = {.body_hash = shop_body_hash};
    struct engine *again = engine_new(&calls);
    for (uint32_t i = 0; i < shop.events.count; i++) {
        engine_apply(again, &shop.events.items[i]);
    }
    ck_assert_uint_eq(state_digest(engine_state(again)), state_digest(engine_state(shop.engine)));
    engine_free(again);
}

START_TEST(steps_of_a_reminder_go_as_they_come_due_not_as_they_are_written)
{
    shop_step(&shop, S_REMINDER, days_before(0, 20), shop_send(&shop, T_HELLO));
    shop_step(&shop, S_REMINDER, before_goal(MS_PER_HOUR), shop_send(&shop, T_SECOND));
    shop_apply(&shop);
    follow();
    set_number(F_VISIT, jst(6, 3, 19, 0, 0)); /* the day at 20:00 is after the goal */
    tap("plan");
    ck_assert_int_eq(only_enrolment()->due_ms, jst(6, 3, 18, 0, 0));
    shop_until(&shop, jst(6, 4, 0, 0, 0));
    ck_assert_uint_eq(shop_count(&shop, EVENT_DELIVERY_INTENDED), 1);
    const struct event *skipped = shop_event(&shop, EVENT_STEP_SKIPPED, 0);
    ck_assert_int_eq(skipped->u.step.reason, REASON_STALE);
    ck_assert_int_eq(skipped->u.step.due_ms, jst(6, 3, 20, 0, 0));
    assert_replays();
}
END_TEST

START_TEST(a_goal_that_moves_while_a_step_is_on_its_way_does_not_send_it_again)
{
    shop_step(&shop, S_REMINDER, days_before(1, 12), shop_send(&shop, T_HELLO));
    shop_step(&shop, S_REMINDER, before_goal(MS_PER_HOUR), shop_send(&shop, T_SECOND));
    shop_apply(&shop);
    follow();
    set_number(F_VISIT, jst(6, 3, 19, 0, 0));
    tap("plan");
    shop.now_ms = jst(6, 2, 12, 0, 0);
    const struct delivery *row = shop_take(&shop);
    ck_assert_ptr_nonnull(row);
    set_number(F_VISIT, jst(6, 5, 19, 0, 0));
    tap("plan");
    shop_outcome(&shop, row, RESULT_SENT);
    ck_assert_int_eq(only_enrolment()->due_ms, jst(6, 5, 18, 0, 0));
    ck_assert_uint_eq(shop_count(&shop, EVENT_STEP_CANCELLED), 1);
    shop_until(&shop, jst(6, 8, 0, 0, 0));
    ck_assert_uint_eq(shop_count(&shop, EVENT_DELIVERY_INTENDED), 2);
    assert_replays();
}
END_TEST

START_TEST(a_reminder_without_a_goal_or_of_a_blocked_friend_is_refused)
{
    shop_step(&shop, S_REMINDER, before_goal(0), shop_send(&shop, T_HELLO));
    shop_apply(&shop);
    follow();
    tap("plan");
    ck_assert_int_eq(shop_event(&shop, EVENT_START_REFUSED, 0)->u.step.reason, REASON_NO_GOAL);
    set_number(F_VISIT, jst(6, 3, 19, 0, 0));
    shop.now_ms += 1000;
    shop_act(&shop, INPUT_UNFOLLOW, "U1", NULL);
    tap("plan");
    ck_assert_int_eq(shop_event(&shop, EVENT_START_REFUSED, 1)->u.step.reason,
                     REASON_BLOCKED_BY_FRIEND);
}
END_TEST

START_TEST(a_step_due_at_the_goal_is_in_time_for_its_minute_and_no_longer)
{
    shop_step(&shop, S_REMINDER, before_goal(0), shop_send(&shop, T_HELLO));
    shop_apply(&shop);
    follow();
    set_number(F_VISIT, jst(6, 3, 19, 0, 0));
    tap("plan");
    shop.now_ms = jst(6, 3, 19, 0, 0) + (_i == 0 ? MS_PER_MINUTE - 1 : MS_PER_MINUTE);
    ck_assert_uint_eq(shop_deliver(&shop), _i == 0 ? 1 : 0);
}
END_TEST

START_TEST(a_trigger_in_an_act_answers_it_and_after_an_operator_pushes)
{
    shop_step(&shop, S_TRIGGER, after_start(0), shop_send(&shop, T_SECOND));
    rule(0, S_TRIGGER, ON_TAG_ADDED, TAG_VIP, false);
    shop.definitions->friend_added = shop_tag(&shop, TAG_VIP, true);
    shop_apply(&shop);
    follow();
    const struct delivery *row = shop_take(&shop);
    ck_assert_int_eq(row->how, HOW_REPLY);
    ck_assert_int_eq(row->message_class, CLASS_RESPONSE);
    shop_outcome(&shop, row, RESULT_SENT);
    set_tag(TAG_VIP, false);
    set_tag(TAG_VIP, true);
    row = shop_take(&shop);
    ck_assert_int_eq(row->how, HOW_PUSH);
    ck_assert_int_eq(row->message_class, CLASS_MARKETING);
    assert_replays();
}
END_TEST

START_TEST(a_quiet_input_sets_nothing_off)
{
    shop_step(&shop, S_TRIGGER, after_start(0), shop_send(&shop, T_SECOND));
    rule(0, S_TRIGGER, ON_TAG_ADDED, TAG_VIP, false);
    shop_apply(&shop);
    follow();
    shop_input(&shop,
               (struct input){.kind = INPUT_TAG, .quiet = true, .u.tag = {0, TAG_VIP, true}});
    ck_assert_uint_eq(shop_count(&shop, EVENT_ENROLMENT_STARTED), 0);
}
END_TEST

/* on vip after 1h, cancelled by bought */
static void
open_delayed(void)
{
    shop_step(&shop, S_TRIGGER, after_start(MS_PER_HOUR), shop_send(&shop, T_SECOND));
    rule(0, S_TRIGGER, ON_TAG_ADDED, TAG_VIP, false);
    rule(1, S_TRIGGER, ON_TAG_ADDED, TAG_BOUGHT, true);
    shop_apply(&shop);
    follow();
    set_tag(TAG_VIP, true);
}

START_TEST(a_new_start_event_restarts_the_clock_and_leaves_one_enrolment)
{
    open_delayed();
    shop.now_ms += 30 * MS_PER_MINUTE;
    set_tag(TAG_VIP, false);
    set_tag(TAG_VIP, true);
    ck_assert_int_eq(only_enrolment()->due_ms, shop.now_ms + MS_PER_HOUR);
    ck_assert_int_eq(only_enrolment()->start_ms, shop.now_ms);
    ck_assert_uint_eq(shop_until(&shop, shop.now_ms + MS_PER_DAY), 1);
    assert_replays();
}
END_TEST

START_TEST(cancel_on_names_what_cancelled)
{
    open_delayed();
    set_tag(TAG_BOUGHT, true);
    const struct event *cancelled = shop_event(&shop, EVENT_STEP_CANCELLED, 0);
    ck_assert_int_eq(cancelled->source.kind, SOURCE_ON);
    ck_assert_uint_eq(cancelled->source.id, ON_TAG_ADDED);
    ck_assert_uint_eq(cancelled->source.sub, TAG_BOUGHT);
    ck_assert_uint_eq(shop_until(&shop, shop.now_ms + MS_PER_DAY), 0);
    assert_replays();
}
END_TEST

START_TEST(what_a_trigger_does_itself_cannot_cancel_it)
{
    struct step *step =
        shop_step(&shop, S_TRIGGER, after_start(0), shop_tag(&shop, TAG_BOUGHT, true));
    rule(0, S_TRIGGER, ON_TAG_ADDED, TAG_VIP, false);
    rule(1, S_TRIGGER, ON_TAG_ADDED, TAG_BOUGHT, true);
    ck_assert(!step->body.has_message);
    shop_apply(&shop);
    follow();
    set_tag(TAG_VIP, true); /* sends nothing: done at once, in the same pass */
    ck_assert_uint_eq(shop_count(&shop, EVENT_STEP_DONE), 1);
    ck_assert_uint_eq(shop_count(&shop, EVENT_STEP_CANCELLED), 0);
    ck_assert_uint_eq(state_friend(engine_state(shop.engine), 0)->first_enrolment, NO_ID);
}
END_TEST

START_TEST(once_is_the_first_time_only)
{
    shop.scenarios[S_TRIGGER].once = true;
    open_delayed();
    shop_until(&shop, shop.now_ms + 2 * MS_PER_HOUR);
    set_tag(TAG_VIP, false);
    set_tag(TAG_VIP, true);
    ck_assert_uint_eq(shop_until(&shop, shop.now_ms + MS_PER_DAY), 0);
    ck_assert_uint_eq(shop_count(&shop, EVENT_ENROLMENT_STARTED), 1);
}
END_TEST

START_TEST(messages_that_set_off_each_other_are_cut_after_some_links)
{
    static struct action both[3];
    static const struct tag_change off = {TAG_VIP, false}, on = {TAG_VIP, true};
    both[0] = *shop_send(&shop, T_SECOND).actions;
    both[1] = (struct action){.kind = ACTION_TAG, .u.tag = {&off, 1}};
    both[2] = (struct action){.kind = ACTION_TAG, .u.tag = {&on, 1}};
    shop_step(&shop, S_TRIGGER, after_start(0), (struct body){both, 3, true});
    rule(0, S_TRIGGER, ON_TAG_ADDED, TAG_VIP, false);
    shop_apply(&shop);
    follow();
    set_tag(TAG_VIP, true);
    ck_assert_uint_eq(shop_until(&shop, shop.now_ms + MS_PER_HOUR), TURN_LINKS_MAX + 1);
    const struct event *refused = shop_event(&shop, EVENT_START_REFUSED, 0);
    ck_assert_int_eq(refused->u.step.reason, REASON_LOOP);
    assert_replays();
}
END_TEST

START_TEST(dates_of_new_definitions_are_planned_in_slices_for_everyone_who_has_the_field)
{
    enum { FRIENDS = 2500 };
    shop_apply(&shop);
    for (uint32_t i = 0; i < FRIENDS; i++) {
        char who[16];
        snprintf(who, sizeof(who), "U%u", i);
        shop_act(&shop, INPUT_FOLLOW, who, NULL);
        shop_input(&shop,
                   (struct input){.kind = INPUT_FIELD,
                                  .u.field = {.friend = i, .field = F_BIRTHDAY, .number = 156}});
    }
    ck_assert_uint_eq(shop_count(&shop, EVENT_ENROLMENT_STARTED), 0); /* the date has no step yet */
    shop_step(&shop, S_DATE, before_goal(0), shop_send(&shop, T_HELLO));
    shop_apply(&shop);
    ck_assert_int_eq(engine_next_due(shop.engine, shop.now_ms), shop.now_ms);
    ck_assert_ptr_null(shop_take(&shop));
    ck_assert_uint_eq(shop_count(&shop, EVENT_DATES_LOOKED_THROUGH), 3);
    ck_assert_uint_eq(shop_count(&shop, EVENT_ENROLMENT_STARTED), FRIENDS);
    ck_assert_int_eq(engine_next_due(shop.engine, shop.now_ms), jst(6, 6, 9, 0, 0));
    assert_replays();
}
END_TEST

START_TEST(the_28th_stands_for_29_february_in_other_years)
{
    shop_step(&shop, S_DATE, before_goal(0), shop_send(&shop, T_HELLO));
    shop_apply(&shop);
    follow();
    set_number(F_BIRTHDAY, civil_day_number((struct civil_date){1992, 2, 29}));
    ck_assert_int_eq(only_enrolment()->due_ms, jst(6, 1, 9, 0, 0) + (INT64_C(272) * MS_PER_DAY));
}
END_TEST

START_TEST(goal_key_mark_and_links_survive_in_the_bytes_of_an_image)
{
    shop_step(&shop, S_REMINDER, days_before(1, 12), shop_send(&shop, T_HELLO));
    shop_step(&shop, S_REMINDER, before_goal(MS_PER_HOUR), shop_send(&shop, T_SECOND));
    shop_apply(&shop);
    follow();
    set_number(F_VISIT, jst(6, 3, 19, 0, 0));
    tap("plan");
    shop_until(&shop, jst(6, 2, 13, 0, 0));
    const struct enrolment *row = only_enrolment();
    const struct enrolment_more *more = state_enrolment_more(engine_state(shop.engine), row);
    ck_assert_int_eq(more->goal_ms, jst(6, 3, 19, 0, 0));
    ck_assert_uint_eq(more->key, 5);
    ck_assert_uint_eq(more->delivered, 1);
    struct buf one = {0}, two = {0};
    image_to_buf(engine_state(shop.engine), &one);
    tap("off");
    image_to_buf(engine_state(shop.engine), &two);
    ck_assert(!span_equal(buf_span(&one), buf_span(&two)));
    ck_assert_uint_eq(state_friend(engine_state(shop.engine), 0)->first_enrolment, NO_ID);
    buf_fini(&one);
    buf_fini(&two);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("enrolled");
    TCase *tcase = tcase_create("one friend");
    tcase_add_checked_fixture(tcase, open_shop, close_shop);
    tcase_add_test(tcase, steps_of_a_reminder_go_as_they_come_due_not_as_they_are_written);
    tcase_add_test(tcase, a_goal_that_moves_while_a_step_is_on_its_way_does_not_send_it_again);
    tcase_add_test(tcase, a_reminder_without_a_goal_or_of_a_blocked_friend_is_refused);
    tcase_add_loop_test(tcase, a_step_due_at_the_goal_is_in_time_for_its_minute_and_no_longer, 0,
                        2);
    tcase_add_test(tcase, a_trigger_in_an_act_answers_it_and_after_an_operator_pushes);
    tcase_add_test(tcase, a_quiet_input_sets_nothing_off);
    tcase_add_test(tcase, a_new_start_event_restarts_the_clock_and_leaves_one_enrolment);
    tcase_add_test(tcase, cancel_on_names_what_cancelled);
    tcase_add_test(tcase, what_a_trigger_does_itself_cannot_cancel_it);
    tcase_add_test(tcase, once_is_the_first_time_only);
    tcase_add_test(tcase, messages_that_set_off_each_other_are_cut_after_some_links);
    tcase_add_test(tcase,
                   dates_of_new_definitions_are_planned_in_slices_for_everyone_who_has_the_field);
    tcase_add_test(tcase, the_28th_stands_for_29_february_in_other_years);
    tcase_add_test(tcase, goal_key_mark_and_links_survive_in_the_bytes_of_an_image);
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
