/* The sections reminders, triggers, dates and marks: what they compile to, and what is refused. */
#include "tests/proto/definition_fixture.h"

#include <check.h>
#include <stdlib.h>

static const char GOOD[] = "tags: {t: [vip]}\n"
                           "fields: {points: {type: number, start: 0}, birthday: date}\n"
                           "marks: [open, done]\n"
                           "buttons: {go: {choices: [a, b], do: [{mark: done}]}}\n"
                           "scenarios: {S: {steps: {one: {when: now, send: {text: x}}}}}\n"
                           "reminders:\n"
                           "  R:\n"
                           "    steps:\n"
                           "      three: {when: 3 days before at 08:00, send: {text: '{{goal}}'}}\n"
                           "      day: {when: the day at 20:00, send: {text: x}}\n"
                           "      left: {when: 1h30m before, send: {text: x}}\n"
                           "triggers:\n"
                           "  T:\n"
                           "    on: [follow, 'tapped:go:b', field:points reaches 20]\n"
                           "    after: 72h\n"
                           "    cancel_on: event:purchase\n"
                           "    once: yes\n"
                           "    do: [{remind: R, goal: birthday, key: k}, {cancel: R}]\n"
                           "dates:\n"
                           "  D: {when: 7 days before birthday at 12:00, repeat: yearly, "
                           "send: {text: x}}\n";

START_TEST(the_four_sections_compile_to_enrolments_of_their_kind)
{
    struct fixture fixture = compile_text(GOOD);
    ck_assert_msg(fixture.definitions != NULL, "%s", buf_cstr(&fixture.printed));
    const struct definitions *d = fixture.definitions;
    uint32_t r = names_find(&d->scenario_names, span_cstr("R"));
    uint32_t t = names_find(&d->scenario_names, span_cstr("T"));
    uint32_t date = names_find(&d->scenario_names, span_cstr("D"));
    ck_assert_int_eq(d->scenarios[r].kind, KIND_REMINDER);
    ck_assert_int_eq(d->scenarios[r].steps[0].message_class, CLASS_TRANSACTIONAL);
    ck_assert_int_eq(d->scenarios[r].steps[0].timing.days, 3);
    ck_assert_int_eq(d->scenarios[r].steps[1].timing.days, 0);
    ck_assert_int_eq(d->scenarios[r].steps[2].timing.delay_ms, 90 * MS_PER_MINUTE);
    ck_assert_int_eq(d->scenarios[t].kind, KIND_TRIGGER);
    ck_assert(d->scenarios[t].once);
    ck_assert_int_eq(scenario_only_step(&d->scenarios[t])->timing.delay_ms, 72 * MS_PER_HOUR);
    ck_assert_str_eq(names_text(&d->scenarios[t].step_names, 0), "");
    ck_assert_uint_eq(d->trigger_rule_count, 4);
    ck_assert_int_eq(d->trigger_rules[1].on.kind, ON_TAPPED);
    ck_assert_uint_eq(d->trigger_rules[1].on.sub, 1);
    ck_assert_int_eq(d->trigger_rules[2].on.number, 20);
    ck_assert(d->trigger_rules[3].cancels);
    ck_assert_int_eq(d->scenarios[date].date.days, -7);
    ck_assert(d->scenarios[date].date.yearly);
    fixture_fini(&fixture);
}
END_TEST

START_TEST(the_canonical_form_gives_the_same_set_again)
{
    struct fixture fixture = compile_text(GOOD);
    struct definitions *again = NULL;
    ck_assert_int_eq(
        definition_from_canonical(fixture.definitions->canonical, FIXTURE_ZONES, &again), RC_OK);
    const struct definitions *d = fixture.definitions;
    ck_assert_uint_eq(again->trigger_rule_count, d->trigger_rule_count);
    for (uint32_t i = 0; i < d->trigger_rule_count; i++) {
        ck_assert_int_eq(again->trigger_rules[i].on.kind, d->trigger_rules[i].on.kind);
        ck_assert_uint_eq(again->trigger_rules[i].on.id, d->trigger_rules[i].on.id);
        ck_assert_uint_eq(again->trigger_rules[i].scenario, d->trigger_rules[i].scenario);
    }
    for (uint32_t i = 0; i < d->scenario_names.count; i++) {
        ck_assert(scenario_same_schedule(&again->scenarios[i], &d->scenarios[i]));
    }
    ck_assert_uint_eq(again->key_names.count, d->key_names.count);
    ck_assert_uint_eq(again->mark_names.count, 2);
    definitions_release(again);
    fixture_fini(&fixture);
}
END_TEST

START_TEST(mistakes_are_told_with_their_remedy)
{
    static const char *const ROWS[][2] = {
        {"scenarios: {X: {steps: {a: {when: now, send: {text: x}}}}}\n"
         "triggers: {X: {on: follow, send: {text: x}}}\n",
         "'X' is the id of a scenario already; scenarios, reminders, triggers and dates share one "
         "name space"},
        {"reminders: {R: {steps: {a: {when: 3 days, send: {text: x}}}}}\n",
         "not a timing of a reminder; write '3 days before at 08:00', 'the day at 20:00' or "
         "'1h30m before'"},
        {"reminders: {R: {steps: {a: {when: 0 days before at 08:00, send: {text: x}}}}}\n",
         "1 to 3650 days before; write 'the day at …' for none"},
        {"reminders: {R: {steps: {a: {when: the day 08:00, send: {text: x}}}}}\n",
         "expected 'at' before the time: write 'the day at 08:00'"},
        {"reminders: {R: {steps: {a: {when: 1h before, send: {text: x}}}}}\n"
         "friend_add: {new: {do: [{start: R}]}}\n",
         "'R' is a reminder, no scenario"},
        {"reminders: {R: {steps: {a: {when: 1h before, send: {text: x}}}}}\n"
         "friend_add: {new: {do: [{remind: R}]}}\n",
         "'remind' needs a 'goal': a date or datetime field, or 2026-06-13 14:00"},
        {"fields: {n: number}\n"
         "reminders: {R: {steps: {a: {when: 1h before, send: {text: x}}}}}\n"
         "friend_add: {new: {do: [{remind: R, goal: n}]}}\n",
         "'n' is no date; a goal is a date or datetime"},
        {"triggers: {t: {send: {text: x}}}\n", "trigger 't' has no 'on'"},
        {"triggers: {t: {on: [], send: {text: x}}}\n", "an empty list: this never happens"},
        {"triggers: {t: {on: folow, send: {text: x}}}\n",
         "nothing a trigger can be on: 'folow' - did you mean 'follow'?"},
        {"triggers: {t: {on: tapped, send: {text: x}}}\n",
         "'tapped' wants an id behind it: write 'tapped:id'"},
        {"triggers: {t: {on: 'follow:x', send: {text: x}}}\n",
         "'follow' has no id behind it: write 'follow'"},
        {"tags: {f: [a]}\ntriggers: {t: {on: tag:a, send: {text: x}}}\n",
         "write 'tag:x added' or 'tag:x removed'"},
        {"fields: {f: text}\ntriggers: {t: {on: field:f reaches 3, send: {text: x}}}\n",
         "only a number reaches something"},
        {"fields: {f: number}\ntriggers: {t: {on: field:f reaches x, send: {text: x}}}\n",
         "expected a whole number: write 'reaches 20'"},
        {"buttons: {b: {choices: [a], send: {text: x}}}\n"
         "triggers: {t: {on: 'tapped:b:c', send: {text: x}}}\n",
         "no such choice of this button; its 'choices' list them"},
        {"marks: {a: b}\n", "'marks' must be a list: [未対応, 来店済]"},
        {"marks: [a, a]\n", "duplicate mark 'a'"},
        {"marks: [none]\n", "'none' is the absence of a mark"},
        {"friend_add: {new: {do: [{mark: a}]}}\n", "no mark 'a'"},
        {"fields: {b: date}\ndates: {d: {when: b 09:00, send: {text: x}}}\n",
         "expected 'at' before the time: write 'b at 09:00'"},
        {"fields: {b: text}\ndates: {d: {when: b at 09:00, send: {text: x}}}\n", "'b' is no date"},
        {"fields: {b: date}\ndates: {d: {when: 2 days b at 09:00, send: {text: x}}}\n",
         "not a date; write 'birthday at 09:00', '7 days before renewal at 12:00' or "
         "'2 days after joined at 09:00'"},
        {"dates: {d: {send: {text: x}}}\n", "date 'd' has no 'when'"},
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct fixture fixture = compile_text(ROWS[i][0]);
        ck_assert_msg(fixture.diagnostics.error_count == 1, "%s%s", ROWS[i][0],
                      buf_cstr(&fixture.printed));
        ck_assert_str_eq(fixture.diagnostics.items[0].message, ROWS[i][1]);
        ck_assert_uint_gt(fixture.diagnostics.items[0].line, 0);
        fixture_fini(&fixture);
    }
}
END_TEST

START_TEST(a_removed_trigger_keeps_its_id_and_a_name_without_a_step)
{
    struct fixture before = compile_text(GOOD);
    struct fixture after = compile_span(span_cstr("tags: {t: [vip]}\n"), before.definitions);
    ck_assert_ptr_nonnull(after.definitions);
    uint32_t t = names_find(&before.definitions->scenario_names, span_cstr("T"));
    ck_assert_str_eq(names_text(&after.definitions->scenario_names, t), "T");
    ck_assert_str_eq(names_text(&after.definitions->scenarios[t].step_names, 0), "");
    ck_assert_uint_eq(after.definitions->trigger_rule_count, 0);
    fixture_fini(&after);
    fixture_fini(&before);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("definition_enrolled");
    TCase *tcase = tcase_create("sections");
    tcase_add_test(tcase, the_four_sections_compile_to_enrolments_of_their_kind);
    tcase_add_test(tcase, the_canonical_form_gives_the_same_set_again);
    tcase_add_test(tcase, mistakes_are_told_with_their_remedy);
    tcase_add_test(tcase, a_removed_trigger_keeps_its_id_and_a_name_without_a_step);
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
