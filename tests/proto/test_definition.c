#include "tests/proto/definition_fixture.h"

#include <check.h>
#include <stdlib.h>

static void
assert_printed(const char *text, const char *expected)
{
    struct fixture fixture = compile_text(text);
    ck_assert_str_eq(buf_cstr(&fixture.printed), expected);
    ck_assert_int_eq(fixture.rc, fixture.diagnostics.error_count > 0 ? RC_INVALID : RC_OK);
    fixture_fini(&fixture);
}

/* --- LANGUAGE 12, word for word where it concerns what is built --- */

START_TEST(mistakes_are_shown_as_the_language_page_shows_them)
{
    static const char *const ROWS[][2] = {
        {"scenarios:\n"
         "  S:\n"
         "    steps:\n"
         "      nudge:\n"
         "        when: now\n"
         "        sned: T_story\n",
         "shop.yaml:6:9: error: unknown key 'sned' in step 'nudge' - did you mean 'send'?\n"
         "    6 |         sned: T_story\n"
         "      |         ^~~~\n"
         "shop.yaml: 1 error; nothing was changed\n"},
        {"tags: {x: [beginner]}\n"
         "buttons:\n"
         "  b:\n"
         "    if: not tag:beginer and tag:beginner\n"
         "    do: []\n",
         "shop.yaml:4:13: error: no tag 'beginer' - did you mean 'beginner'?\n"
         "    4 |     if: not tag:beginer and tag:beginner\n"
         "      |             ^~~~~~~~~~~\n"
         "shop.yaml: 1 error; nothing was changed\n"},
        {"scenarios:\n"
         "  S_story:\n"
         "    steps:\n"
         "     a:\n"
         "      when: day 3 19:00\n"
         "      do: []\n"
         "     b:\n"
         "      when: 2 days\n"
         "      do: []\n",
         "shop.yaml:5:19: error: expected 'at' before the time: write 'day 3 at 19:00'\n"
         "    5 |       when: day 3 19:00\n"
         "      |                   ^~~~~\n"
         "shop.yaml:8:13: error: not a timing; write '2d after start', '2d after previous', "
         "'day 2 at 10:00' or '2 days after previous at 10:00'\n"
         "    8 |       when: 2 days\n"
         "      |             ^~~~~~\n"
         "shop.yaml: 2 errors; nothing was changed\n"},
        {"templates: {T_story: a}\n"
         "scenarios:\n"
         "  S_welcome:\n"
         "   steps:\n"
         "    nudge: {when: now, send: T_story}\n"
         "    offer:\n"
         "      when: now\n"
         "      send: T_story\n"
         "      choose: [{send: T_story}]\n"
         "    nudge:\n"
         "      when: now\n",
         "shop.yaml:8:7: error: step 'offer' has both 'send' and 'choose'; a body has one of send, "
         "do, choose, split: put the message into 'do'\n"
         "    8 |       send: T_story\n"
         "      |       ^~~~\n"
         "shop.yaml:10:5: error: duplicate step 'nudge' in scenario 'S_welcome' (first at line 5)\n"
         "   10 |     nudge:\n"
         "      |     ^~~~~\n"
         "shop.yaml: 2 errors; nothing was changed\n"},
        {"fields: {pain: text}\n"
         "templates:\n"
         "  T_hello: {{name}}さん、こんにちは\n"
         "  T_long: [一, 二, 三, 四, 五, 六]\n"
         "  T_pain: '{{pain}}でお困りですか'\n"
         "account:\n"
         "  window: 09:00-25:00\n",
         "shop.yaml:3:12: error: a text with {{...}} here must be in quotes: "
         "\"{{name}}さん、こんにちは\"\n"
         "    3 |   T_hello: {{name}}さん、こんにちは\n"
         "      |            ^~~~~~~~\n"
         "shop.yaml:4:27: error: a message has at most 5 objects (LINE); this is the 6th\n"
         "    4 |   T_long: [一, 二, 三, 四, 五, 六]\n"
         "      |                                ^~\n"
         "shop.yaml:5:12: warning: 'pain' may be empty here and has no fallback: write "
         "{{pain|...}}\n"
         "    5 |   T_pain: '{{pain}}でお困りですか'\n"
         "      |            ^~~~~~~~\n"
         "shop.yaml:7:17: error: not a time; 00:00 to 24:00, two digits each\n"
         "    7 |   window: 09:00-25:00\n"
         "      |                 ^~~~~\n"
         "shop.yaml: 3 errors, 1 warning; nothing was changed\n"},
        {"fields: {pain: text}\n"
         "templates: {T: 'x {{pain}}'}\n",
         "shop.yaml:2:19: warning: 'pain' may be empty here and has no fallback: write "
         "{{pain|...}}\n"
         "    2 | templates: {T: 'x {{pain}}'}\n"
         "      |                   ^~~~~~~~\n"
         "shop.yaml: 1 warning\n"},
    };
    assert_printed(ROWS[_i][0], ROWS[_i][1]);
}
END_TEST

/* One mistake a row: the file, and the message. */
START_TEST(each_mistake_has_its_message)
{
    static const char *const ROWS[][2] = {
        {"scenaros: {}\n", "unknown key 'scenaros' - did you mean 'scenarios'?"},
        {"[a, b]\n", "a definition file is a mapping of sections, as 'scenarios:'"},
        {"tags: x\n", "section 'tags' must be a mapping (key: value)"},
        {"tags: {x: [a], y: [b, a]}\n", "duplicate tag 'a' (first at line 1)"},
        {"tags: {x: [+a]}\n",
         "'+a' cannot be an id: letters, digits, _ - . and not only digits, at "
         "most 200 bytes"},
        {"fields: {a: txet}\n", "unknown word 'txet' - did you mean 'text'?"},
        {"fields: {a: {start: 3}}\n", "field 'a' has no 'type'"},
        {"fields: {a: {type: text, min: 3}}\n",
         "only a field of type number has 'start' and 'min'"},
        {"fields: {a: {type: number, start: -1, min: 0}}\n", "'start' is below 'min'"},
        {"fields: {name: text}\n", "every friend has 'name' already; give the field another id"},
        {"account: {zone: Asia/Tokio}\n",
         "no time zone 'Asia/Tokio'; write an IANA name such as Asia/Tokyo"},
        {"account: {classes: {transactional: {per_day: 1}}}\n",
         "'per_day' binds marketing only (R13); leave it out here"},
        {"account: {classes: {marketing: {grace: soon}}}\n",
         "not a duration; write 2d, 1h30m or 90s"},
        {"account: {quota: many}\n", "not a whole number"},
        {"account: {quota: -1}\n", "a quota is a number from 0 to 1000000000"},
        {"account: {quota: 5, quota_reserve: 6}\n",
         "the reserve is larger than the quota of 5: no marketing would ever go"},
        {"account: {per_day: 0}\n", "messages a day is a number from 1 to 1000000000"},
        {"scenarios: {S: {cap: 0, steps: {a: {when: now, do: []}}}}\n",
         "a cap is a number from 1 to 1000000000"},
        {"broadcasts: {B: {to: everyone, do: []}}\n",
         "broadcast 'B' has no 'at': write at: 2026-06-15 15:00"},
        {"broadcasts: {B: {at: 2026-06-15, to: everyone, do: []}}\n",
         "not an instant; write 2026-06-15 15:00"},
        {"broadcasts: {B: {at: 2026-06-15 15:00, do: []}}\n",
         "broadcast 'B' has no 'to': write a condition, or everyone"},
        {"broadcasts: {B: {at: 2026-06-15 15:00, to: 'tag:vpi', do: []}}\ntags: {x: [vip]}\n",
         "no tag 'vpi' - did you mean 'vip'?"},
        {"broadcasts: {B: {at: 2026-06-15 15:00, to: everyone, fit: parital, do: []}}\n",
         "unknown word 'parital' - did you mean 'partial'?"},
        {"scenarios: {S: {steps: {a: {when: now, do: []}}}}\n"
         "broadcasts: {S: {at: 2026-06-15 15:00, to: everyone, do: []}}\n",
         "'S' is a scenario already; these share their ids"},
        {"account: {grace: soon}\n", "not a duration; write 2d, 1h30m or 90s"},
        {"account: {window: 09:00-09:00}\n", "this window is never open; write off for no window"},
        {"account: {window: 09:00 - 10:00}\n",
         "not a window; write it without blanks: 09:00-10:00"},
        {"account: {window: always}\n", "not a window; write 09:00-21:00 or off"},
        {"templates: {T: []}\n", "an empty message; LINE refuses it"},
        {"templates: {T: ''}\n", "an empty message; LINE refuses it"},
        {"templates: {T: {folder: x}}\n", "template 'T' has no 'messages'"},
        {"templates: {T: '{{nmae}}'}\n", "no field 'nmae' to insert - did you mean 'name'?"},
        {"templates: {T: 'a {{name'}\n", "'{{' is never closed"},
        {"templates: {T: [{sticker: x}]}\n", "not a sticker; write PACKAGE/STICKER, as 446/1988"},
        {"templates: {T: [{image: 'http://a'}]}\n", "not a link; write https://..."},
        {"templates: {T: [{txt: a}]}\n",
         "unknown key 'txt' in template 'T' - did you mean 'text'?"},
        {"templates: {T: [{text: a, quick: {x: q9}}]}\n", "no button 'q9'"},
        {"templates: {T: [{text: a, quick: {x: 'q1:dri'}}]}\n"
         "buttons: {q1: {choices: [dry, wet], do: []}}\n",
         "button 'q1' has no choice 'dri' - did you mean 'dry'?"},
        {"friend_add: {new: {send: T_x}}\n", "no template 'T_x'"},
        {"friend_add: {new: {}}\n", "'new' does nothing; write one of send, do, choose, split"},
        {"friend_add: {nwe: {do: []}}\n",
         "unknown key 'nwe' in 'friend_add' - did you mean 'new'?"},
        {"friend_add: {new: {do: [{tag: vip}]}}\ntags: {x: [vip]}\n",
         "write +vip to add the tag, -vip to remove it"},
        {"friend_add: {new: {do: [{tga: +vip}]}}\n",
         "unknown key 'tga' in an action - did you mean 'tag'?"},
        {"friend_add: {new: {do: [{start: S}]}}\n", "no scenario 'S'"},
        {"friend_add: {new: {do: [{stop: all, start: S}]}}\n",
         "an action has one verb; this has 'stop' and 'start': make two of it"},
        {"friend_add: {new: {do: [send]}}\n", "an action is a verb and its object, as 'send: T_a'"},
        {"friend_add: {new: {do: [{field: x=1}]}}\nfields: {x: number}\n",
         "write 'x = value', 'x + 10', 'x - 3' or 'clear x'"},
        {"friend_add: {new: {do: [{field: x = 二十}]}}\nfields: {x: number}\n",
         "'x' is a number; '二十' is none"},
        {"friend_add: {new: {do: [{field: x + 1}]}}\nfields: {x: date}\n",
         "'x' is a date; only numbers are added and subtracted"},
        {"friend_add: {new: {do: [{field: x = tomorrow}]}}\nfields: {x: date}\n",
         "'x' is a date; write 2026-06-01"},
        {"friend_add: {new: {choose: [{do: []}, {do: []}]}}\n",
         "only the last case may have no 'if'; what follows is never reached"},
        {"scenarios: {S: {steps: {a: {do: []}}}}\n", "step 'a' has no 'when'"},
        {"scenarios: {S: {title: x}}\n", "scenario 'S' has no 'steps'"},
        {"scenarios: {S: {steps: {a: {when: 31 days after previous at 10:00, do: []}}}}\n",
         "1 to 30 days after the previous step (R2)"},
        {"scenarios: {S: {steps: {a: {when: day 1 at, do: []}}}}\n",
         "the time is missing: write 'day 1 at 10:00'"},
        {"scenarios: {S: {steps: {a: {when: day 1 at 10:00 sharp, do: []}}}}\n",
         "nothing may follow the time"},
        {"scenarios: {S: {steps: {a: {when: now, otherwise: halt, do: []}}}}\n",
         "unknown word 'halt'; write one of skip, stop"},
        {"scenarios: {S: {steps: {a: {when: now, class: makreting, do: []}}}}\n",
         "unknown word 'makreting' - did you mean 'marketing'?"},
        {"auto_replies: {r: {exact: a, any: yes, do: []}}\n",
         "auto-reply 'r' needs one of exact, contains, prefix, any; it has 2"},
        {"auto_replies: {r: {do: []}}\n",
         "auto-reply 'r' needs one of exact, contains, prefix, any; it has 0"},
        {"auto_replies: {r: {any: 'no', do: []}}\n", "write 'any: yes', or another match"},
        {"buttons: {b: {choices: dry, do: []}}\n", "'choices' must be a list: [dry, sweet]"},
        {"friend_add: {new: {do: [{score: 5}]}}\n", "not a change of the score; write +10 or -3"},
        {"friend_add: {new: {do: [{draw: hand}]}}\n",
         "'draw' needs what to draw from: 'from: [rock, paper, scissors]'"},
        {"friend_add: {new: {do: [{draw: hand, from: [a]}, {tag: +x, if: 'draw:hnad = a'}]}}\n"
         "tags: {t: [x]}\n",
         "nothing is drawn as 'hnad' - did you mean 'hand'?"},
        {"templates: {T: '{{draw:hand}}'}\n", "no action draws 'draw:hand'"},
        {"friend_add: {new: {split: [{do: []}]}}\n", "a case of 'split' needs its 'share'"},
        {"friend_add: {new: {split: [{share: 0, do: []}]}}\n",
         "a share is a number from 1 to 1000000"},
        {"friend_add: {new: {do: [{field: x + random 6..1}]}}\nfields: {x: number}\n",
         "not a range; write 'random 1..6'"},
        {"friend_add: {new: {do: [{field: x = 7 days later}]}}\nfields: {x: datetime}\n",
         "not a later time; write '7 days later at 23:59'"},
        {"friend_add: {new: {do: [{field: 'x = {{choice}}'}]}}\nfields: {x: date}\n",
         "only texts and numbers can be inserted into a field"},
        {"friend_add: {new: {send: 'T_{{choice}}_b'}}\ntemplates: {T_a_c: x}\n",
         "no template's name can become 'T_{{choice}}_b'"},
        {"friend_add: {new: {do: [{goto: b}]}}\n", "'goto' belongs into a step of a scenario"},
        {"friend_add: {new: {do: [{end: scenario}]}}\n",
         "'end' belongs into a step of a scenario; elsewhere write 'stop: S'"},
        {"scenarios: {S: {steps: {a: {when: now, do: []}, b: {when: now, do: [{goto: a}]}}}}\n",
         "'goto' leads forward only; 'a' comes before 'b', and a delivered step is never delivered "
         "again (R26)"},
        {"scenarios: {S: {steps: {a: {when: now, otherwise: goto a, do: []}}}}\n",
         "'goto' leads forward only, not from 'a' to itself (R26)"},
        {"scenarios: {S: {on_finish: {do: [{start: S}]}, steps: {a: {when: now, do: []}}}}\n",
         "scenario 'S' starts itself at its end and would never finish"},
        {"scenarios: {S: {on_finish: {send: {text: x}}, steps: {a: {when: now, do: []}}}}\n",
         "not yet: messages in 'on_finish' (R25); make them the last step"},
        {"rich_menus: {m: {image: a.png, areas: {0 0 2500: x}}}\n",
         "not an area; write x, y, width and height: 0 0 1250 843"},
        {"rich_menus: {m: {image: a.png, areas: {1250 0 1251 843: 'https://a.jp/'}}}\n",
         "an area lies within 2500 x 1686 pixels (LINE)"},
        {"rich_menus: {m: {image: a.png, areas: {0 0 1 1: jankem:rock}}}\n"
         "buttons: {janken: {choices: [rock], do: []}}\n",
         "no button 'jankem' - did you mean 'janken'?"},
        {"rich_menus: {m: {areas: {0 0 1 1: m}}}\n", "rich menu 'm' has no 'image'"},
        {"rich_menus: {m: {image: a.png}}\n", "rich menu 'm' has no 'areas'"},
        {"rich_menus: {m: {default: yes, image: a, areas: {0 0 1 1: m}}, n: {default: yes, image: "
         "b, "
         "areas: {0 0 1 1: m}}}\n",
         "only one rich menu can be the default"},
        {"buttons: {b: {limit: twice, do: []}}\n",
         "unknown word 'twice'; write one of any, once, once per choice, once per day"},
        {"auto_replies: {r: {any: yes, during: frday, do: []}}\n",
         "not hours; write 'mon-fri 09:00-18:00', 'sat, sun or 18:00-09:00'"},
        {"auto_replies: {r: {any: yes, valid: 2026-06-30..2026-06-01, do: []}}\n",
         "not a period; write 2026-06-01..2026-06-30, one end may be missing"},
    };
    struct fixture fixture = compile_text(ROWS[_i][0]);
    ck_assert_msg(fixture.diagnostics.error_count == 1, "%s", buf_cstr(&fixture.printed));
    ck_assert_str_eq(fixture.diagnostics.items[0].message, ROWS[_i][1]);
    fixture_fini(&fixture);
}
END_TEST
enum { MISTAKES = 69 };

START_TEST(a_text_over_5000_units_is_refused)
{
    struct buf text = {0};
    buf_append_cstr(&text, "templates:\n  T: '");
    for (int i = 0; i < 2500; i++) {
        buf_append_cstr(&text, "😀");
    }
    size_t exact = text.len;
    buf_append_cstr(&text, "'\n");
    struct fixture fits = compile_span(buf_span(&text), NULL);
    ck_assert_str_eq(buf_cstr(&fits.printed), "");
    text.len = exact;
    buf_append_cstr(&text, "x'\n");
    struct fixture over = compile_span(buf_span(&text), NULL);
    ck_assert_uint_eq(over.diagnostics.error_count, 1);
    ck_assert_str_eq(over.diagnostics.items[0].message,
                     "a text of 5001 characters; LINE takes at most 5000");
    fixture_fini(&fits);
    fixture_fini(&over);
    buf_fini(&text);
}
END_TEST

START_TEST(a_body_beyond_a_limit_that_is_not_there_is_a_warning)
{
    struct fixture fixture = compile_text("buttons: {b: {over_limit: {do: []}, do: []}}\n");
    ck_assert_ptr_nonnull(fixture.definitions);
    ck_assert_uint_eq(fixture.diagnostics.warning_count, 1);
    ck_assert_str_eq(fixture.diagnostics.items[0].message,
                     "'over_limit' without a limit is never reached; write 'limit: once'");
    fixture_fini(&fixture);
}
END_TEST

START_TEST(a_step_due_before_the_one_it_waits_for_is_a_warning)
{
    struct fixture fixture = compile_text("scenarios:\n  S:\n    steps:\n"
                                          "      a: {when: 2h after start, do: []}\n"
                                          "      b: {when: 1h after start, do: []}\n");
    ck_assert_int_eq(fixture.rc, RC_OK);
    ck_assert_uint_eq(fixture.diagnostics.warning_count, 1);
    ck_assert_str_eq(fixture.diagnostics.items[0].message,
                     "step 'b' is due before 'a' and will wait for it (R5)");
    fixture_fini(&fixture);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_hides_the_errors_it_would_cause)
{
    struct source_file files[] = {
        {.name = span_cstr("a.yaml"), .text = span_cstr("friend_add: {new: {send: T}}\n")},
        {.name = span_cstr("b.yaml"), .text = span_cstr("templates: {T: 'x}\n")}};
    struct fixture fixture = compile_files(files, 2, NULL);
    ck_assert_uint_eq(fixture.diagnostics.error_count, 1);
    ck_assert_str_eq(fixture.diagnostics.items[0].message, "this quote is never closed");
    fixture_fini(&fixture);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("definition");
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_loop_test(mistakes, mistakes_are_shown_as_the_language_page_shows_them, 0, 6);
    tcase_add_loop_test(mistakes, each_mistake_has_its_message, 0, MISTAKES);
    tcase_add_test(mistakes, a_text_over_5000_units_is_refused);
    tcase_add_test(mistakes, a_body_beyond_a_limit_that_is_not_there_is_a_warning);
    tcase_add_test(mistakes, a_step_due_before_the_one_it_waits_for_is_a_warning);
    tcase_add_test(mistakes, a_file_that_cannot_be_read_hides_the_errors_it_would_cause);
    suite_add_tcase(s, mistakes);
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
