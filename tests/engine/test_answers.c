/* What a message and a tap set off: auto-replies, buttons, actions and fields. */
#include "tests/engine/shop.h"

#include <check.h>

static struct shop shop;
static struct auto_reply rules[3];
static struct span words[3];

static void
open_shop(void)
{
    shop_open(&shop);
    shop.definitions->auto_replies = rules;
    shop.definitions->auto_reply_names = shop_names(&shop, 3);
}

static void
close_shop(void)
{
    shop_close(&shop);
}

static void
add_rule(enum match_kind match, const char *text, uint32_t template)
{
    uint32_t id = shop.definitions->auto_reply_count++;
    words[id] = span_cstr(text);
    rules[id] = (struct auto_reply){.id = id,
                                    .match = match,
                                    .texts = &words[id],
                                    .text_count = match == MATCH_ANY ? 0 : 1,
                                    .body = shop_send(&shop, template)};
}

/* The template of the answer to a text; NO_ID when there is none. */
static uint32_t
answer_to(const char *text)
{
    shop_act(&shop, INPUT_MESSAGE, "U1", text);
    const struct delivery *row = shop_take(&shop);
    if (row == NULL) {
        return NO_ID;
    }
    uint32_t template = row->items[0].template;
    shop_outcome(&shop, row, RESULT_SENT);
    return template;
}

START_TEST(the_first_rule_that_matches_answers_and_no_other)
{
    add_rule(MATCH_EXACT, "在庫", T_HELLO);
    add_rule(MATCH_CONTAINS, "在庫", T_SECOND);
    add_rule(MATCH_ANY, "", T_THIRD);
    shop_apply(&shop);
    ck_assert_uint_eq(answer_to("在庫"), T_HELLO);
    ck_assert_uint_eq(answer_to("在庫ありますか"), T_SECOND);
    ck_assert_uint_eq(answer_to("こんにちは"), T_THIRD);
    ck_assert_uint_eq(shop_count(&shop, EVENT_DELIVERY_PLANNED), 3);
}
END_TEST

START_TEST(outer_blanks_are_trimmed_full_width_ones_too_and_case_is_exact)
{
    add_rule(MATCH_EXACT, "AI", T_HELLO);
    shop_apply(&shop);
    ck_assert_uint_eq(answer_to(" AI "), T_HELLO);
    ck_assert_uint_eq(answer_to("\xe3\x80\x80"
                                "AI\n\xe3\x80\x80"),
                      T_HELLO);
    ck_assert_uint_eq(answer_to("ai"), NO_ID);
    ck_assert_uint_eq(answer_to("A I"), NO_ID);
    ck_assert_uint_eq(answer_to("  "), NO_ID);
}
END_TEST

START_TEST(a_prefix_longer_than_the_text_does_not_match)
{
    add_rule(MATCH_PREFIX, "abc", T_HELLO);
    shop_apply(&shop);
    ck_assert_uint_eq(answer_to("ab"), NO_ID);
    ck_assert_uint_eq(answer_to("abcd"), T_HELLO);
}
END_TEST

START_TEST(a_rule_that_continues_lets_later_ones_answer_in_the_same_reply)
{
    add_rule(MATCH_ANY, "", T_HELLO);
    add_rule(MATCH_ANY, "", T_SECOND);
    rules[0].continues = true;
    shop_apply(&shop);
    shop_act(&shop, INPUT_MESSAGE, "U1", "x");
    const struct delivery *row = shop_take(&shop);
    ck_assert_uint_eq(row->item_count, 2);
}
END_TEST

START_TEST(a_tap_runs_its_button_and_unknown_choices_are_recorded_and_do_nothing)
{
    static const char *const choices[] = {"dry", "sweet"};
    struct button button = {
        .choices = choices, .choice_count = 2, .body = shop_tag(&shop, TAG_VIP, true)};
    struct name name = {"q1", true};
    shop.definitions->buttons = &button;
    shop.definitions->button_names = (struct names){&name, 1};
    shop_apply(&shop);
    static const char *const taps[] = {"q1", "q1:", "q1:bitter", "q2:dry", ""};
    for (uint32_t i = 0; i < sizeof(taps) / sizeof(taps[0]); i++) {
        shop_input(&shop, (struct input){.kind = INPUT_POSTBACK,
                                         .u.act = {.user_id = span_cstr("U1"),
                                                   .line_at_ms = shop.now_ms,
                                                   .data = span_cstr(taps[i])}});
        ck_assert(!state_has_tag(engine_state(shop.engine), 0, TAG_VIP));
    }
    shop_input(&shop, (struct input){.kind = INPUT_POSTBACK,
                                     .u.act = {.user_id = span_cstr("U1"),
                                               .line_at_ms = shop.now_ms,
                                               .data = span_cstr("q1:sweet")}});
    ck_assert(state_has_tag(engine_state(shop.engine), 0, TAG_VIP));
    ck_assert_uint_eq(shop_count(&shop, EVENT_TAPPED), 6);
    ck_assert_uint_eq(shop_event(&shop, EVENT_TAPPED, 5)->u.act.choice, 1);
}
END_TEST

START_TEST(a_tag_that_is_there_is_not_added_again)
{
    shop_apply(&shop);
    shop_act(&shop, INPUT_MESSAGE, "U1", "x");
    for (int i = 0; i < 3; i++) {
        shop_input(&shop, (struct input){.kind = INPUT_TAG, .u.tag = {0, TAG_VIP, true}});
    }
    ck_assert_uint_eq(shop_count(&shop, EVENT_TAG_ADDED), 1);
}
END_TEST

START_TEST(a_subtraction_below_the_minimum_is_refused)
{
    struct field points = {.type = FIELD_NUMBER, .has_start = true, .start = 5, .has_min = true};
    struct action spend = {.kind = ACTION_FIELD,
                           .u.field = {.change = FIELD_CHANGE_SUBTRACT, .number = 3}};
    shop.definitions->fields = &points;
    shop.definitions->field_names = shop_names(&shop, 1);
    add_rule(MATCH_ANY, "", T_HELLO);
    rules[0].body = (struct body){&spend, 1, false};
    shop_apply(&shop);
    answer_to("spend");
    ck_assert_int_eq(state_value(engine_state(shop.engine), 0, 0).number, 2);
    answer_to("spend");
    ck_assert_int_eq(state_value(engine_state(shop.engine), 0, 0).number, 2);
}
END_TEST

START_TEST(an_act_older_than_thirty_days_is_recorded_and_answers_nothing)
{
    add_rule(MATCH_ANY, "", T_HELLO);
    shop_apply(&shop);
    shop_input(&shop, (struct input){.kind = INPUT_MESSAGE,
                                     .u.act = {.user_id = span_cstr("U1"),
                                               .type = span_cstr("text"),
                                               .text = span_cstr("x"),
                                               .line_at_ms = shop.now_ms - 31 * MS_PER_DAY}});
    ck_assert_int_eq(shop_event(&shop, EVENT_MESSAGE_RECEIVED, 0)->u.act.reason, REASON_OLD);
    ck_assert_ptr_null(shop_take(&shop));
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("answers");
    TCase *tcase = tcase_create("acts");
    tcase_add_checked_fixture(tcase, open_shop, close_shop);
    tcase_add_test(tcase, the_first_rule_that_matches_answers_and_no_other);
    tcase_add_test(tcase, outer_blanks_are_trimmed_full_width_ones_too_and_case_is_exact);
    tcase_add_test(tcase, a_prefix_longer_than_the_text_does_not_match);
    tcase_add_test(tcase, a_rule_that_continues_lets_later_ones_answer_in_the_same_reply);
    tcase_add_test(tcase, a_tap_runs_its_button_and_unknown_choices_are_recorded_and_do_nothing);
    tcase_add_test(tcase, a_tag_that_is_there_is_not_added_again);
    tcase_add_test(tcase, a_subtraction_below_the_minimum_is_refused);
    tcase_add_test(tcase, an_act_older_than_thirty_days_is_recorded_and_answers_nothing);
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
