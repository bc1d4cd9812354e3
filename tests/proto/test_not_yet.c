#include "proto/not_yet.h"
#include "tests/proto/definition_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A whole file around a word of an area; NULL for areas that no definition file reaches. */
static const char *
frame_of(enum not_yet_area area)
{
    switch (area) {
    case NOT_YET_SECTION:
        return "%s: {x: y}\n";
    case NOT_YET_ACCOUNT_KEY:
        return "account: {%s: 7}\n";
    case NOT_YET_FIELD_KEY:
        return "fields: {f: {type: text, %s: yes}}\n";
    case NOT_YET_SCENARIO_KEY:
        return "scenarios: {S: {%s: other, steps: {a: {when: now, send: {text: x}}}}}\n";
    case NOT_YET_STEP_KEY:
        return "scenarios: {S: {steps: {a: {when: now, %s: b, send: {text: x}}}}}\n";
    case NOT_YET_BODY:
        return "friend_add: {new: {%s: [{send: {text: x}}]}}\n";
    case NOT_YET_ACTION:
        return "friend_add: {new: {do: [{%s: x}]}}\n";
    case NOT_YET_MODIFIER:
        return "friend_add: {new: {do: [{send: {text: x}, %s: other}]}}\n";
    case NOT_YET_CONDITION:
        return "buttons: {b: {if: '%s', send: {text: x}}}\n";
    case NOT_YET_INSERTION:
        return "templates: {T: 'a {{%s:x}}'}\n";
    case NOT_YET_AUTO_REPLY_KEY:
        return "auto_replies: {r: {any: yes, %s: other, send: {text: x}}}\n";
    case NOT_YET_BUTTON_KEY:
        return "buttons: {b: {%s: {send: {text: x}}, send: {text: y}}}\n";
    case NOT_YET_AUDIENCE:
        return "broadcasts: {b: {at: 2026-06-01 10:00, to: everyone, audience: %s, send: {text: "
               "x}}}\n";
    case NOT_YET_QUESTION_TYPE:
        return "forms: {F: {questions: {q: {ask: x, type: %s}}}}\n";
    case NOT_YET_CALENDAR_KEY:
        return "calendars: {c: {slot: 1h, capacity: 1, %s: other}}\n";
    case NOT_YET_ON:
        return "triggers: {t: {on: '%s:x', send: {text: x}}}\n";
    case NOT_YET_REMINDER_KEY:
        return "reminders: {R: {%s: no, steps: {a: {when: 1h before, send: {text: x}}}}}\n";
    case NOT_YET_NOTHING:
    case NOT_YET_INPUT:
    case NOT_YET_EXPECT:
    case NOT_YET_STEPCTL:
        return NULL;
    }
    return NULL;
}

static void
put_word(const char *frame, const char *word, struct buf *out)
{
    const char *at = strstr(frame, "%s");
    buf_append(out, frame, (size_t)(at - frame));
    buf_append_cstr(out, word);
    buf_append_cstr(out, at + 2);
}

static void
assert_not_yet(const struct not_yet *row, const char *text)
{
    struct fixture fixture = compile_text(text);
    struct buf expected = {0};
    buf_printf(&expected, "not yet: %s (%s)", row->what, row->rule);
    ck_assert_msg(fixture.diagnostics.error_count == 1, "%s%s", text, buf_cstr(&fixture.printed));
    ck_assert_str_eq(fixture.diagnostics.items[0].message, buf_cstr(&expected));
    ck_assert_uint_eq(fixture.diagnostics.items[0].line, 1);
    ck_assert_int_eq(fixture.rc, RC_INVALID);
    ck_assert_ptr_null(fixture.definitions);
    buf_fini(&expected);
    fixture_fini(&fixture);
}

START_TEST(every_row_used_in_a_file_is_an_error_that_says_so)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < not_yet_count; i++) {
        const struct not_yet *row = &not_yet_rows[i];
        const char *frame = frame_of(row->area);
        if (frame != NULL) {
            struct buf text = {0};
            /* A within stands behind a fact; every other condition begins with its word. */
            bool within = row->area == NOT_YET_CONDITION && strcmp(row->word, "within") == 0;
            put_word(frame, within ? "tag:t within" : row->word, &text);
            if (within) {
                buf_append_cstr(&text, "tags: {f: [t]}\n");
            }
            assert_not_yet(row, buf_cstr(&text));
            buf_fini(&text);
            used++;
        }
    }
    ck_assert_uint_gt(used, 0);
}
END_TEST

START_TEST(the_value_that_is_built_may_be_written_out)
{
    struct fixture fixture =
        compile_text("account: {quota_reserve: 0, per_day: none, per_week: none}\n"
                     "fields: {f: {type: text, unique: no}}\n"
                     "scenarios:\n"
                     "  S: {pin: no, enabled: yes, cap: none, start: by action,"
                     " steps: {a: {when: now, do: [{send: {text: x}, once: no}]}}}\n"
                     "auto_replies: {r: {any: yes, fold: no, send: {text: x}}}\n"
                     "buttons: {b: {limit: any, send: {text: x}}}\n");
    ck_assert_str_eq(buf_cstr(&fixture.printed), "");
    ck_assert_int_eq(fixture.rc, RC_OK);
    fixture_fini(&fixture);
}
END_TEST

START_TEST(rows_are_unique_and_complete)
{
    for (uint32_t i = 0; i < not_yet_count; i++) {
        const struct not_yet *row = &not_yet_rows[i];
        ck_assert_ptr_eq(not_yet_find(row->area, span_cstr(row->word)), row);
        ck_assert_int_eq(row->rule[0], 'R');
        ck_assert_uint_gt(strlen(row->what), 0);
    }
    ck_assert_ptr_null(not_yet_find(NOT_YET_ACTION, span_cstr("send")));
    ck_assert_ptr_null(not_yet_find(NOT_YET_NOTHING, span_cstr("score")));
}
END_TEST

/* docs/language.md has a row for each word of the language: | where | `word` | what | rule |. */
START_TEST(every_row_of_the_language_stands_in_its_reference)
{
    static char page[1 << 17];
    FILE *file = fopen(STEPD_SOURCE_DIR "/docs/language.md", "r");
    ck_assert_msg(file != NULL, "docs/language.md cannot be read");
    size_t len = fread(page, 1, sizeof(page) - 1, file);
    fclose(file);
    page[len] = '\0';
    uint32_t rows = 0;
    for (const char *at = strstr(page, "## 14. Not there yet"); at != NULL;
         at = strstr(at, "\n| ")) {
        rows += at[0] == '\n';
        at++;
    }
    uint32_t expected = 1; /* the heading */
    for (uint32_t i = 0; i < not_yet_count; i++) {
        const struct not_yet *row = &not_yet_rows[i];
        if (row->area == NOT_YET_STEPCTL) {
            continue;
        }
        char line[512];
        snprintf(line, sizeof(line), " | `%s` | %s | %s |", row->word, row->what, row->rule);
        ck_assert_msg(strstr(page, line) != NULL, "docs/language.md lacks a row:%s", line);
        expected++;
    }
    ck_assert_msg(rows == expected, "docs/language.md tells of %u things, not %u", rows, expected);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("not_yet");
    TCase *tc = tcase_create("not_yet");
    tcase_add_test(tc, every_row_used_in_a_file_is_an_error_that_says_so);
    tcase_add_test(tc, the_value_that_is_built_may_be_written_out);
    tcase_add_test(tc, rows_are_unique_and_complete);
    tcase_add_test(tc, every_row_of_the_language_stands_in_its_reference);
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
