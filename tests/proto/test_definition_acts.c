/* Forms, calendars, events, conversions and notices: what is wrong is said with its place and remedy. */
#include "engine/calendar.h"
#include "engine/form.h"
#include "proto/form_answers.h"
#include "tests/proto/definition_fixture.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *text, *message;
} WRONG[] = {
    {"forms: {F: {limit: twice, questions: {q: {ask: x, type: text}}}}\n",
     "shop.yaml:1:20: error: a limit is any, once or a number from 1 on"},
    {"forms: {F: {deadline: tomorrow, questions: {q: {ask: x, type: text}}}}\n",
     "shop.yaml:1:23: error: not a date and time; write 2026-06-30 23:59"},
    {"forms: {F: {title: x}}\n", "shop.yaml:1:9: error: form 'F' needs 'questions'"},
    {"forms: {F: {questions: {q: {type: text}}}}\n",
     "shop.yaml:1:25: error: question 'q' has no 'ask'"},
    {"forms: {F: {questions: {q: {ask: x, type: txt}}}}\n",
     "shop.yaml:1:43: error: unknown word 'txt' - did you mean 'text'?"},
    {"forms: {F: {questions: {q: {ask: x, type: choice}}}}\n",
     "shop.yaml:1:25: error: question 'q' has no 'options' to choose from"},
    {"forms: {F: {questions: {q: {ask: x, type: text, options: {a: b}}}}}\n",
     "error: only choice and choices have 'options'"},
    {"fields: {n: number}\nforms: {F: {questions: {q: {ask: x, type: text, into: n}}}}\n",
     "shop.yaml:2:55: error: 'n' cannot keep an answer of type text"},
    {"forms: {F: {questions: {q: {ask: x, type: text, into: pian}}}}\nfields: {pain: text}\n",
     "shop.yaml:1:55: error: no field 'pian' - did you mean 'pain'?"},
    {"forms: {F: {questions: {q: {ask: x, type: choice, options: {a: {capacity: 0}}}}}}\n",
     "error: not a number from 1 on"},
    {"forms: {F: {onsubmit: {send: {text: x}}, questions: {q: {ask: x, type: text}}}}\n",
     "shop.yaml:1:13: error: unknown key 'onsubmit' in form 'F' - did you mean 'on_submit'?"},
    {"calendars: {c: {slot: 1h}}\n", "shop.yaml:1:13: error: calendar 'c' has no 'capacity'"},
    {"calendars: {c: {capacity: 1}}\n", "shop.yaml:1:13: error: calendar 'c' has no 'slot'"},
    {"calendars: {c: {capacity: 1, slot: 2d}}\n",
     "shop.yaml:1:36: error: a slot lasts from 1m to 1d"},
    {"calendars: {c: {capacity: 1, slot: 1h, hours: mo-sat 10:00-19:00}}\n",
     "shop.yaml:1:47: error: not opening hours; write 'mon-sat 10:00-19:00 or sun 10:00-15:00'"},
    {"calendars: {c: {capacity: 1, slot: 1h, closed: [2026-06-31]}}\n",
     "shop.yaml:1:49: error: not closed days; write 2026-08-13 or 2026-08-13..2026-08-16"},
    {"calendars: {c: {capacity: 1, slot: 1h, book_until: yesterday}}\n",
     "shop.yaml:1:52: error: not a deadline; write '2h before', 'the day before at 18:00' or "
     "'2026-06-10 18:00'"},
    {"events: {e: {slots: {main: 2026-06-10 20:00}}}\n",
     "shop.yaml:1:22: error: slot 'main' has no 'capacity'"},
    {"events: {e: {capacity: 2}}\n", "shop.yaml:1:10: error: event 'e' needs 'slots'"},
    {"events: {c: {capacity: 2, slots: {main: 2026-06-10 20:00}}}\n"
     "calendars: {c: {capacity: 1, slot: 1h}}\n",
     "shop.yaml:1:10: error: 'c' is a calendar already"},
    {"conversions: {c: {count: always, send: {text: x}}}\n",
     "shop.yaml:1:26: error: unknown word 'always'; write one of every, first"},
    {"conversions: {c: {count: first}}\n", "shop.yaml:1:15: error: conversion 'c' does nothing"},
    {"notify: {staff: {fax: 03}}\n", "shop.yaml:1:18: error: unknown key 'fax' in 'staff'"},
    {"notify: {staff: {mail: a@b}}\nbuttons: {b: {do: [ {notify: x, to: stuff} ]}}\n",
     "no place under 'notify' 'stuff' - did you mean 'staff'?"},
    {"buttons: {b: {do: [ {convert: CV} ]}}\n", "error: no conversion 'CV'"},
    {"buttons: {b: {do: [ {book: nails 2026-06-13 14:00} ]}}\n", "error: no calendar 'nails'"},
    {"calendars: {c: {capacity: 1, slot: 1h}}\nbuttons: {b: {do: [ {book: c} ]}}\n",
     "error: write the calendar and when: book: c 2026-06-13 14:00"},
    {"templates: {T: 'x {{form:F}}'}\n", "shop.yaml:1:26: error: no form 'F'"},
    {"templates: {T: 'x {{answer:q}}'}\n", "error: no question 'q'"},
    {"templates: {T: 'x {{calendar:c}}'}\n", "error: no calendar 'c'"},
};

START_TEST(what_is_wrong_is_said)
{
    struct fixture fixture = compile_text(WRONG[_i].text);
    ck_assert_int_eq(fixture.rc, RC_INVALID);
    ck_assert_msg(strstr(buf_cstr(&fixture.printed), WRONG[_i].message) != NULL, "%s\nsaid:\n%s",
                  WRONG[_i].text, buf_cstr(&fixture.printed));
    fixture_fini(&fixture);
}
END_TEST

static const char SHOP[] =
    "fields: {day: date}\n"
    "templates: {T: '{{answer:F/size}} {{answer:note|none}} {{slot}} {{form:F}} {{calendar:c}}'}\n"
    "forms:\n"
    "  F:\n"
    "    questions:\n"
    "      size: {ask: a, type: choices, required: yes, options: {s: Small, m: Middle, l: Large}}\n"
    "      note: {ask: b, type: text}\n"
    "      when: {ask: c, type: date, into: day}\n"
    "      people: {ask: d, type: number}\n"
    "      mail: {ask: e, type: mail}\n"
    "      tel: {ask: f, type: tel}\n"
    "calendars:\n"
    "  c: {slot: 30m, capacity: 2, hours: 'mon, wed-fri 10:00-19:00 or sun', closed: 2026-01-01,\n"
    "      book_until: 3 days before at 18:00, cancel_until: the day at 09:00}\n"
    "events:\n"
    "  e: {slots: {main: {at: 2026-06-10 20:00, capacity: 5, book_until: 90m before}}}\n";

START_TEST(hours_and_deadlines_are_read)
{
    struct fixture fixture = compile_text(SHOP);
    ck_assert_msg(fixture.rc == RC_OK, "%s", buf_cstr(&fixture.printed));
    const struct calendar *c = &fixture.definitions->calendars[0];
    ck_assert_uint_eq(c->hours_count, 2);
    ck_assert_uint_eq(c->hours[0].days, 0x1d); /* Monday, Wednesday to Friday */
    ck_assert_int_eq(c->hours[0].from_min, 600);
    ck_assert_uint_eq(c->hours[1].days, 0x40);
    ck_assert_int_eq(c->hours[1].to_min, 1440);
    ck_assert_int_eq(c->book_until.days, 3);
    ck_assert_int_eq(c->cancel_until.kind, DEADLINE_DAYS_BEFORE_AT);
    ck_assert_int_eq(c->cancel_until.days, 0);
    const struct event_slot *slot = &fixture.definitions->calendars[1].slots[0];
    ck_assert_int_eq(slot->book_until.before_ms, 90 * MS_PER_MINUTE);
    ck_assert_uint_eq(slot->capacity, 5);
    fixture_fini(&fixture);
}
END_TEST

START_TEST(the_canonical_form_gives_the_same_set_also_of_removed_templates)
{
    struct fixture first = compile_text(SHOP);
    struct fixture second = compile_span(span_cstr("forms: {F: {questions: {note: {ask: b, "
                                                   "type: text}}}}\n"),
                                         first.definitions);
    ck_assert_msg(second.rc == RC_OK, "%s", buf_cstr(&second.printed));
    struct definitions *again = NULL;
    ck_assert_int_eq(
        definition_from_canonical(second.definitions->canonical, FIXTURE_ZONES, &again), RC_OK);
    const struct template *was = &second.definitions->templates[0], *is = &again->templates[0];
    ck_assert_uint_eq(is->insertion_count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_int_eq(is->insertions[i].kind, was->insertions[i].kind);
        ck_assert_uint_eq(is->insertions[i].field, was->insertions[i].field);
    }
    ck_assert_uint_eq(is->insertions[0].form, 0);
    ck_assert_uint_eq(is->insertions[1].form, NO_ID);
    ck_assert(span_equal_cstr(is->insertions[1].fallback, "none"));
    ck_assert_uint_eq(again->question_names.count, 6);
    ck_assert_uint_eq(again->slot_names.count, 1);
    definitions_release(again);
    fixture_fini(&second);
    fixture_fini(&first);
}
END_TEST

/* --- answers by name --- */

static const struct {
    const char *given[3][2]; /* question, value */
    const char *error;       /* NULL: good */
    uint32_t count;
} ANSWERS[] = {
    {{{"size", "m"}}, NULL, 1},
    {{{"note", "x"}, {"size", "l,s"}}, NULL, 3},
    {{{"size", "s"}, {"note", ""}}, NULL, 1},
    {{{"size", "s"}, {"when", "2026-06-10"}, {"people", "-2"}}, NULL, 3},
    {{{"size", "s"}, {"mail", "a@b.jp"}, {"tel", "03-1234-5678"}}, NULL, 3},
    {{{"note", "x"}}, "question 'size' wants an answer", 0},
    {{{"size", ""}}, "question 'size' wants an answer", 0},
    {{{"size", "xl"}}, "question 'size' is to be one of its options", 0},
    {{{"size", "s,s"}}, "question 'size' is to be choices that differ", 0},
    {{{"size", "s"}, {"colour", "red"}}, "the form has no question 'colour'", 0},
    {{{"size", "s"}, {"size", "m"}}, "question 'size' is answered twice", 0},
    {{{"size", "s"}, {"people", "two"}}, "question 'people' is to be a whole number", 0},
    {{{"size", "s"}, {"when", "2026-06-31"}}, "question 'when' is to be a date, 2026-06-10", 0},
    {{{"size", "s"}, {"mail", "a b@c"}}, "question 'mail' is to be a mail address", 0},
    {{{"size", "s"}, {"tel", "call me"}}, "question 'tel' is to be a telephone number", 0},
};

START_TEST(answers_are_read_by_their_questions_types)
{
    struct fixture fixture = compile_text(SHOP);
    struct arena *arena = arena_new();
    struct form_given given[3];
    uint32_t count = 0;
    for (; count < 3 && ANSWERS[_i].given[count][0] != NULL; count++) {
        given[count] = (struct form_given){span_cstr(ANSWERS[_i].given[count][0]),
                                           span_cstr(ANSWERS[_i].given[count][1])};
    }
    struct input input = {0};
    struct buf error = {0};
    enum rc rc = form_answers_read(fixture.definitions, 0, given, count, arena, &input, &error);
    if (ANSWERS[_i].error == NULL) {
        ck_assert_int_eq(rc, RC_OK);
        ck_assert_uint_eq(input.u.form.answer_count, ANSWERS[_i].count);
        ck_assert_uint_eq(input.u.form.answers[0].question, 0); /* the form's order */
    } else {
        ck_assert_int_eq(rc, RC_INVALID);
        ck_assert_str_eq(buf_cstr(&error), ANSWERS[_i].error);
    }
    buf_fini(&error);
    arena_free(arena);
    fixture_fini(&fixture);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("definition_acts");
    TCase *t = tcase_create("definition_acts");
    tcase_add_loop_test(t, what_is_wrong_is_said, 0, sizeof(WRONG) / sizeof(WRONG[0]));
    tcase_add_test(t, hours_and_deadlines_are_read);
    tcase_add_test(t, the_canonical_form_gives_the_same_set_also_of_removed_templates);
    tcase_add_loop_test(t, answers_are_read_by_their_questions_types, 0,
                        sizeof(ANSWERS) / sizeof(ANSWERS[0]));
    suite_add_tcase(s, t);
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
