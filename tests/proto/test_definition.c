#include "proto/describe.h"
#include "proto/line_message.h"
#include "proto/yaml_tree.h"
#include "tests/proto/definition_fixture.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

/* Everything that is built, once. */
static const char SHOP[] =
    "account:\n"
    "  name: キャンプ用品店\n"
    "  zone: Asia/Tokyo\n"
    "  window: 09:00-21:00\n"
    "  grace: 24h\n"
    "  reply_unknown: push\n"
    "  classes:\n"
    "    transactional: {window: 08:00-21:00}\n"
    "tags:\n"
    "  購入: [bought, vip]\n"
    "  回答: [answered, beginner]\n"
    "fields:\n"
    "  area: text\n"
    "  points: {type: number, start: 10, min: 0}\n"
    "  birthday: date\n"
    "  visit: datetime\n"
    "templates:\n"
    "  T_hello: 'こんにちは、{{name|お客様}}さん。{{points}}点、{{area|お住まい}}\"'\n"
    "  T_intro:\n"
    "    - はじめまして\n"
    "    - {image: https://example.jp/a.jpg, preview: https://example.jp/a_s.jpg}\n"
    "    - {sticker: 446/1988}\n"
    "  T_q1:\n"
    "    - text: どんな味?\n"
    "      quick: {辛口: q1:dry, 店へ: https://example.jp/}\n"
    "  T_card: {folder: 購入後, messages: [{type: flex, altText: '{{name}}さんへ', contents: "
    "{type: "
    "bubble, body: {type: box, layout: vertical, contents: [{type: text, text: '123', flex: 1, "
    "wrap: "
    "true}]}}}]}\n"
    "friend_add:\n"
    "  new: {do: [{start: S_welcome}]}\n"
    "  existing: {do: [{tag: [+vip, -bought]}, {send: T_hello, if: tag:answered}]}\n"
    "scenarios:\n"
    "  S_welcome:\n"
    "    title: ようこそ\n"
    "    steps:\n"
    "      form: {when: now, send: [T_intro, T_hello]}\n"
    "      nudge:\n"
    "        when: 1h30m after start\n"
    "        if: not tag:answered\n"
    "        otherwise: stop\n"
    "        send: {text: 'まだですか'}\n"
    "        class: transactional\n"
    "      last: {when: day 3 at 19:00, send: T_q1, window: off, grace: 1h, priority: 5}\n"
    "  S_story:\n"
    "    lane: nurture\n"
    "    zone: Etc/UTC\n"
    "    reentry: never\n"
    "    late_day0: skip\n"
    "    class: transactional\n"
    "    window: 22:00-06:00\n"
    "    grace: 2d\n"
    "    priority: -1\n"
    "    steps:\n"
    "      one:\n"
    "        when: 2d after previous\n"
    "        choose:\n"
    "          - {if: tag:vip and (tag:bought or tag:beginner), send: T_card}\n"
    "          - do: [{tag: +vip}]\n"
    "      two:\n"
    "        when: 1 day after previous at 09:00\n"
    "        do:\n"
    "          - field: points - 3\n"
    "          - field: area = '関 東'\n"
    "          - field: birthday = 2000-02-29\n"
    "          - field: visit = 2026-06-13 14:00\n"
    "          - field: clear area\n"
    "          - stop: S_welcome\n"
    "          - stop: lane main\n"
    "          - {start: S_welcome, at_step: last}\n"
    "          - stop: all\n"
    "auto_replies:\n"
    "  bartender: {exact: ' AIバーテンダー ', send: T_q1}\n"
    "  stock: {contains: [在庫, 入荷], if: not tag:vip, continue: yes, send: T_hello}\n"
    "  rest: {any: yes, send: {text: 営業時間外です}}\n"
    "buttons:\n"
    "  q1: {choices: [dry, sweet], if: tag:vip, do: [{tag: +answered}]}\n";

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

/* --- what comes out --- */

static const struct step *
step_named(const struct definitions *definitions, const char *scenario, const char *step)
{
    const struct scenario *found =
        &definitions->scenarios[names_find(&definitions->scenario_names, span_cstr(scenario))];
    return scenario_step(found, names_find(&found->step_names, span_cstr(step)), NULL);
}

/* A whole template as LINE would get it, every value replaced by its place. */
static json_t *
render(const struct definitions *definitions, const char *name)
{
    const struct template *template =
        &definitions->templates[names_find(&definitions->template_names, span_cstr(name))];
    struct buf json = {0};
    buf_append_byte(&json, '[');
    for (uint32_t i = 0; i <= template->insertion_count; i++) {
        buf_append_span(&json, template->parts[i]);
        if (i < template->insertion_count) {
            buf_printf(&json, "<%u>", i);
        }
    }
    buf_append_byte(&json, ']');
    json_error_t error;
    json_t *parsed = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(parsed != NULL, "%s: %s", error.text, buf_cstr(&json));
    ck_assert_uint_eq(json_array_size(parsed), template->object_count);
    buf_fini(&json);
    return parsed;
}

static void
assert_renders(const struct definitions *definitions, const char *name, const char *expected)
{
    json_t *got = render(definitions, name);
    json_t *wanted = json_loads(expected, 0, NULL);
    ck_assert_ptr_nonnull(wanted);
    char *shown = json_dumps(got, JSON_COMPACT);
    ck_assert_msg(json_equal(got, wanted), "%s is %s", name, shown);
    free(shown);
    json_decref(got);
    json_decref(wanted);
}

START_TEST(templates_become_the_objects_of_line)
{
    struct fixture shop = compile_text(SHOP);
    ck_assert_str_eq(buf_cstr(&shop.printed), "");
    const struct definitions *d = shop.definitions;
    assert_renders(d, "T_hello",
                   "[{\"type\":\"text\",\"text\":\"こんにちは、<0>さん。<1>点、<2>\\\"\"}]");
    assert_renders(d, "T_intro",
                   "[{\"type\":\"text\",\"text\":\"はじめまして\"},"
                   "{\"type\":\"image\",\"originalContentUrl\":\"https://example.jp/a.jpg\","
                   "\"previewImageUrl\":\"https://example.jp/a_s.jpg\"},"
                   "{\"type\":\"sticker\",\"packageId\":\"446\",\"stickerId\":\"1988\"}]");
    assert_renders(d, "T_q1",
                   "[{\"type\":\"text\",\"text\":\"どんな味?\",\"quickReply\":{\"items\":["
                   "{\"type\":\"action\",\"action\":{\"type\":\"postback\",\"label\":\"辛口\","
                   "\"data\":\"q1:dry\",\"displayText\":\"辛口\"}},"
                   "{\"type\":\"action\",\"action\":{\"type\":\"uri\",\"label\":\"店へ\","
                   "\"uri\":\"https://example.jp/\"}}]}}]");
    assert_renders(
        d, "T_card",
        "[{\"type\":\"flex\",\"altText\":\"<0>さんへ\",\"contents\":{\"type\":\"bubble\","
        "\"body\":{\"type\":\"box\",\"layout\":\"vertical\",\"contents\":[{\"type\":"
        "\"text\",\"text\":\"123\",\"flex\":1,\"wrap\":true}]}}}]");
    assert_renders(d, "S_welcome/nudge", "[{\"type\":\"text\",\"text\":\"まだですか\"}]");
    const struct template *hello =
        &d->templates[names_find(&d->template_names, span_cstr("T_hello"))];
    ck_assert_uint_eq(hello->insertion_count, 3);
    ck_assert_int_eq(hello->insertions[0].kind, INSERTION_NAME);
    ck_assert(span_equal_cstr(hello->insertions[0].fallback, "お客様"));
    ck_assert_int_eq(hello->insertions[1].kind, INSERTION_FIELD);
    ck_assert_uint_eq(hello->insertions[1].field, names_find(&d->field_names, span_cstr("points")));
    ck_assert_uint_eq(hello->insertions[1].fallback.len, 0);
    fixture_fini(&shop);
}
END_TEST

START_TEST(steps_inherit_window_grace_class_and_priority)
{
    struct fixture shop = compile_text(SHOP);
    const struct definitions *d = shop.definitions;
    const struct step *form = step_named(d, "S_welcome", "form");
    const struct step *nudge = step_named(d, "S_welcome", "nudge");
    const struct step *last = step_named(d, "S_welcome", "last");
    const struct step *two = step_named(d, "S_story", "two");
    ck_assert_int_eq(form->message_class, CLASS_MARKETING);
    ck_assert_int_eq(form->window.open_min, 9 * 60); /* the account's */
    ck_assert_int_eq(form->grace_ms, 24 * MS_PER_HOUR);
    ck_assert_int_eq(form->priority, 0);
    ck_assert_int_eq(nudge->message_class, CLASS_TRANSACTIONAL);
    ck_assert_int_eq(nudge->window.open_min, 8 * 60); /* of its class */
    ck_assert_int_eq(last->window.open_min, -1);      /* its own */
    ck_assert_int_eq(last->grace_ms, MS_PER_HOUR);
    ck_assert_int_eq(last->priority, 5);
    ck_assert_int_eq(two->message_class, CLASS_TRANSACTIONAL); /* the scenario's */
    ck_assert_int_eq(two->window.open_min, 22 * 60);
    ck_assert_int_eq(two->grace_ms, 2 * MS_PER_DAY);
    ck_assert_int_eq(two->priority, -1);
    fixture_fini(&shop);
}
END_TEST

START_TEST(an_empty_account_has_the_documented_defaults)
{
    struct fixture fixture =
        compile_text("scenarios: {S: {steps: {a: {when: now, send: {text: x}}}}}\n");
    const struct definitions *d = fixture.definitions;
    ck_assert_ptr_null(d->account.name);
    ck_assert_str_eq(d->account.zone->name, "Asia/Tokyo");
    ck_assert_int_eq(d->account.grace_ms, 48 * MS_PER_HOUR);
    ck_assert(!d->account.reply_unknown_push);
    const struct step *step = step_named(d, "S", "a");
    ck_assert_int_eq(step->window.open_min, -1);
    ck_assert_int_eq(step->otherwise, OTHERWISE_SKIP);
    ck_assert_int_eq(d->scenarios[0].reentry, REENTRY_IF_NOT_ACTIVE);
    ck_assert_int_eq(d->scenarios[0].late_day0, LATE_DAY0_SHIFT);
    ck_assert_str_eq(names_text(&d->lane_names, d->scenarios[0].lane), "main");
    fixture_fini(&fixture);
}
END_TEST

static void
assert_described(const struct definitions *d, const char *scenario, const char *step,
                 const char *timing, const char *condition, const char *body)
{
    const struct step *found = step_named(d, scenario, step);
    struct buf text = {0};
    describe_timing(&found->timing, &text);
    ck_assert_str_eq(buf_cstr(&text), timing);
    buf_clear(&text);
    describe_condition(d, &found->condition, &text);
    ck_assert_str_eq(buf_cstr(&text), condition);
    buf_clear(&text);
    describe_body(d, &found->body, &text);
    ck_assert_str_eq(buf_cstr(&text), body);
    buf_fini(&text);
}

static void
assert_shop_described(const struct definitions *d)
{
    assert_described(d, "S_welcome", "form", "now", "everyone", "send [T_intro, T_hello]");
    assert_described(d, "S_welcome", "nudge", "1h30m after start", "not tag:answered",
                     "send S_welcome/nudge");
    assert_described(d, "S_welcome", "last", "day 3 at 19:00", "everyone", "send T_q1");
    assert_described(
        d, "S_story", "one", "2d after previous", "everyone",
        "choose [if tag:vip and (tag:bought or tag:beginner): send T_card | tag +vip]");
    assert_described(d, "S_story", "two", "1 day after previous at 09:00", "everyone",
                     "field points - 3; field area = 関 東; field birthday = 2000-02-29; "
                     "field visit = 2026-06-13 14:00; field clear area; stop S_welcome; "
                     "stop lane main; start S_welcome at_step last; stop all");
}

START_TEST(bodies_timings_and_conditions_come_back_as_words)
{
    struct fixture shop = compile_text(SHOP);
    const struct definitions *d = shop.definitions;
    assert_shop_described(d);
    ck_assert_int_eq(step_named(d, "S_welcome", "nudge")->otherwise, OTHERWISE_STOP);
    ck_assert(step_named(d, "S_story", "one")->body.has_message);
    ck_assert(!step_named(d, "S_story", "two")->body.has_message);
    ck_assert_uint_eq(d->friend_unblocked.action_count, 1); /* as `new` */
    ck_assert_uint_eq(d->friend_existing.action_count, 2);
    ck_assert_uint_eq(d->auto_reply_count, 3);
    ck_assert(span_equal_cstr(d->auto_replies[0].texts[0], "AIバーテンダー"));
    ck_assert_int_eq(d->auto_replies[1].match, MATCH_CONTAINS);
    ck_assert_uint_eq(d->auto_replies[1].text_count, 2);
    ck_assert(d->auto_replies[1].continues && !d->auto_replies[2].continues);
    ck_assert_int_eq(d->auto_replies[2].match, MATCH_ANY);
    ck_assert_uint_eq(d->buttons[0].choice_count, 2);
    ck_assert_str_eq(d->buttons[0].choices[1], "sweet");
    fixture_fini(&shop);
}
END_TEST

START_TEST(sections_may_be_spread_over_files_and_ids_may_not)
{
    struct source_file files[] = {
        {.name = span_cstr("10-a.yaml"),
         .text = span_cstr("tags: {x: [a]}\ntemplates: {T: eins}\n")},
        {.name = span_cstr("20-b.yaml"), .text = span_cstr("# none\n")},
        {.name = span_cstr("30-c.yaml"), .text = span_cstr("templates:\n  T2: zwei\n  T: drei\n")}};
    struct fixture two = compile_files(files, 2, NULL);
    ck_assert_int_eq(two.rc, RC_OK);
    struct fixture three = compile_files(files, 3, NULL);
    ck_assert_str_eq(buf_cstr(&three.printed),
                     "30-c.yaml:3:3: error: duplicate template 'T' (first at 10-a.yaml:2)\n"
                     "    3 |   T: drei\n"
                     "      |   ^\n"
                     "30-c.yaml: 1 error; nothing was changed\n");
    files[2].text = span_cstr("templates:\n  T2: zwei\nrehearsal: {any: thing}\n");
    files[0].text = span_cstr("tags: {x: [a]}\nfriend_add: {new: {send: T2}}\n");
    struct fixture spread = compile_files(files, 3, NULL);
    ck_assert_str_eq(buf_cstr(&spread.printed), "");
    fixture_fini(&two);
    fixture_fini(&three);
    fixture_fini(&spread);
}
END_TEST

START_TEST(edits_replace_add_and_remove_whole_things)
{
    static const char FILE_TEXT[] =
        "tags: {x: [a]}\n"
        "templates: {T1: eins, T2: zwei}\n"
        "rehearsal:\n"
        "  v2: {templates: {T1: neu, T2: none, T3: drei}, buttons: {b: {send: T3}}}\n"
        "  v3: {templates: {T3: none}}\n";
    struct source_file file = {.name = span_cstr("shop.yaml"), .text = span_cstr(FILE_TEXT)};
    struct fixture first = compile_files(&file, 1, NULL);
    struct arena *arena = arena_new();
    struct yaml_node *tree = yaml_tree_parse(&file, arena, &first.diagnostics);
    const struct yaml_node *edits[] = {yaml_get(yaml_get(tree, "rehearsal"), "v2"),
                                       yaml_get(yaml_get(tree, "rehearsal"), "v3")};
    struct definitions *second = NULL;
    ck_assert_int_eq(definition_compile_edited(&file, 1, edits, 1, first.definitions, FIXTURE_ZONES,
                                               "rehearsal", &first.diagnostics, &second),
                     RC_OK);
    assert_renders(second, "T1", "[{\"type\":\"text\",\"text\":\"neu\"}]");
    assert_renders(second, "T3", "[{\"type\":\"text\",\"text\":\"drei\"}]");
    ck_assert_uint_eq(names_find(&second->template_names, span_cstr("T2")), NO_ID);
    ck_assert_uint_eq(names_find(&second->button_names, span_cstr("b")), 0);
    struct definitions *third = NULL;
    ck_assert_int_eq(definition_compile_edited(&file, 1, edits, 2, second, FIXTURE_ZONES,
                                               "rehearsal", &first.diagnostics, &third),
                     RC_INVALID); /* button b still sends T3 */
    ck_assert_ptr_null(third);
    ck_assert_uint_eq(first.diagnostics.items[0].line, 4);
    definitions_release(second);
    arena_free(arena);
    fixture_fini(&first);
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

/* --- the canonical form --- */

static struct definitions *
replay(const struct definitions *definitions)
{
    struct definitions *again = NULL;
    ck_assert_int_eq(definition_from_canonical(definitions->canonical, FIXTURE_ZONES, &again),
                     RC_OK);
    ck_assert_int_eq(memcmp(again->hash, definitions->hash, sizeof(again->hash)), 0);
    ck_assert(span_equal(again->canonical, definitions->canonical));
    return again;
}

static void
assert_names_equal(const struct names *a, const struct names *b)
{
    ck_assert_uint_eq(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        ck_assert_str_eq(a->items[i].text, b->items[i].text);
        ck_assert_int_eq(a->items[i].in_force, b->items[i].in_force);
    }
}

static void
assert_sets_equal(const struct definitions *a, const struct definitions *b)
{
    assert_names_equal(&a->tag_names, &b->tag_names);
    assert_names_equal(&a->field_names, &b->field_names);
    assert_names_equal(&a->template_names, &b->template_names);
    assert_names_equal(&a->lane_names, &b->lane_names);
    assert_names_equal(&a->scenario_names, &b->scenario_names);
    assert_names_equal(&a->button_names, &b->button_names);
    assert_names_equal(&a->auto_reply_names, &b->auto_reply_names);
    for (uint32_t i = 0; i < a->field_names.count; i++) {
        ck_assert_int_eq(a->fields[i].type, b->fields[i].type);
        ck_assert_int_eq(a->fields[i].start, b->fields[i].start);
        ck_assert_int_eq(a->fields[i].has_min, b->fields[i].has_min);
    }
    for (uint32_t i = 0; i < a->template_names.count; i++) {
        ck_assert_uint_eq(a->templates[i].object_count, b->templates[i].object_count);
        ck_assert_uint_eq(a->templates[i].insertion_count, b->templates[i].insertion_count);
        for (uint32_t j = 0; j <= a->templates[i].insertion_count; j++) {
            ck_assert(span_equal(a->templates[i].parts[j], b->templates[i].parts[j]));
        }
    }
    for (uint32_t i = 0; i < a->scenario_names.count; i++) {
        ck_assert(scenario_same_schedule(&a->scenarios[i], &b->scenarios[i]));
        assert_names_equal(&a->scenarios[i].step_names, &b->scenarios[i].step_names);
        for (uint32_t j = 0; j < a->scenarios[i].step_count; j++) {
            const struct step *x = &a->scenarios[i].steps[j];
            const struct step *y = &b->scenarios[i].steps[j];
            ck_assert_int_eq(x->window.open_min, y->window.open_min);
            ck_assert_int_eq(x->grace_ms, y->grace_ms);
            ck_assert_int_eq(x->message_class, y->message_class);
            ck_assert_int_eq(x->priority, y->priority);
        }
    }
    ck_assert_uint_eq(a->auto_reply_count, b->auto_reply_count);
}

START_TEST(what_the_log_kept_compiles_to_the_same_set)
{
    struct fixture shop = compile_text(SHOP);
    struct definitions *again = replay(shop.definitions);
    assert_sets_equal(shop.definitions, again);
    assert_shop_described(again);
    definitions_release(again);
    fixture_fini(&shop);
}
END_TEST

START_TEST(the_same_files_give_the_same_hash_and_layout_does_not_count)
{
    struct fixture a = compile_text("tags: {x: [a]}\n");
    struct fixture b = compile_text("# a comment\ntags:\n  x:\n    - 'a'\n");
    struct fixture c = compile_text("tags: {x: [b]}\n");
    ck_assert_int_eq(memcmp(a.definitions->hash, b.definitions->hash, 16), 0);
    ck_assert_int_ne(memcmp(a.definitions->hash, c.definitions->hash, 16), 0);
    fixture_fini(&a);
    fixture_fini(&b);
    fixture_fini(&c);
}
END_TEST

START_TEST(ids_stay_with_their_names_through_edits)
{
    static const char *const EDITS[] = {
        "tags: {x: [a, b]}\ntemplates: {T1: eins, T2: 'zwei {{name}}'}\nfields: {n: number}\n"
        "scenarios: {S: {steps: {k: {when: now, send: T1}, l: {when: now, send: T2}}}}\n",
        "tags: {x: [c, b]}\ntemplates: {T3: drei}\n"
        "scenarios: {R: {lane: q, steps: {k: {when: now, send: T3}}},"
        " S: {steps: {m: {when: now, send: T3}, l: {when: now, send: T3}}}}\n",
        "tags: {x: [a]}\ntemplates: {T2: neu, T3: drei}\n"
        "scenarios: {S: {steps: {k: {when: now, send: {text: hier}}}}}\n"};
    struct fixture sets[3];
    for (int i = 0; i < 3; i++) {
        sets[i] = compile_span(span_cstr(EDITS[i]), i == 0 ? NULL : sets[i - 1].definitions);
        ck_assert_str_eq(buf_cstr(&sets[i].printed), "");
        struct definitions *again = replay(sets[i].definitions);
        assert_sets_equal(sets[i].definitions, again);
        definitions_release(again);
    }
    const struct definitions *last = sets[2].definitions;
    static const char *const TAGS[] = {"a", "b", "c"};
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_str_eq(last->tag_names.items[i].text, TAGS[i]);
        ck_assert_int_eq(last->tag_names.items[i].in_force, i == 0);
    }
    ck_assert_uint_eq(names_find(&last->tag_names, span_cstr("b")), NO_ID);
    ck_assert_uint_eq(names_find(&last->scenario_names, span_cstr("S")), 0);
    ck_assert_uint_eq(last->scenarios[1].step_count, 0); /* R is gone, its name is not */
    ck_assert_str_eq(last->scenarios[1].step_names.items[0].text, "k");
    static const char *const STEPS[] = {"k", "l", "m"};
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_str_eq(last->scenarios[0].step_names.items[i].text, STEPS[i]);
    }
    ck_assert_int_eq(last->fields[0].type, FIELD_NUMBER); /* removed, and still readable */
    /* A removed template stays rendered as it was last, a changed one is new. */
    ck_assert(
        span_equal_cstr(last->templates[0].parts[0], "{\"type\":\"text\",\"text\":\"eins\"}"));
    ck_assert(!last->template_names.items[0].in_force);
    ck_assert(span_equal_cstr(last->templates[1].parts[0], "{\"type\":\"text\",\"text\":\"neu\"}"));
    const struct template *removed = &sets[1].definitions->templates[1];
    ck_assert_uint_eq(removed->insertion_count, 1);
    ck_assert(span_equal_cstr(removed->parts[0], "{\"type\":\"text\",\"text\":\"zwei "));
    for (int i = 0; i < 3; i++) {
        fixture_fini(&sets[i]);
    }
}
END_TEST

START_TEST(a_zone_that_has_gone_falls_back_on_replay_only)
{
    static const char GONE[] =
        "{\"version\":1,\"ids\":{\"tags\":[],\"fields\":[],\"templates\":[],\"lanes\":[\"main\"],"
        "\"scenarios\":[\"S\"],\"buttons\":[],\"auto_replies\":[],"
        "\"steps\":{\"S\":[\"a\"]}},"
        "\"types\":[],\"removed\":{},\"tree\":{\"account\":{\"zone\":\"Etc/UTC\"},\"scenarios\":{"
        "\"S\":{\"zone\":\"Mars/Olympus\",\"steps\":{\"a\":{\"when\":\"now\",\"do\":[]}}}}}}";
    struct definitions *definitions = NULL;
    ck_assert_int_eq(definition_from_canonical(span_cstr(GONE), FIXTURE_ZONES, &definitions),
                     RC_OK);
    ck_assert_str_eq(definitions->scenarios[0].zone->name, "Etc/UTC");
    definitions_release(definitions);
}
END_TEST

static const struct zone *
no_zone(void *context, struct span name)
{
    (void)context;
    (void)name;
    return NULL;
}

START_TEST(without_any_zone_files_what_the_log_kept_still_compiles)
{
    struct fixture shop = compile_text(SHOP);
    struct definitions *again = NULL;
    struct zone_source none = {.lookup = no_zone};
    ck_assert_int_eq(definition_from_canonical(shop.definitions->canonical, none, &again), RC_OK);
    ck_assert_str_eq(again->account.zone->name, "Asia/Tokyo");
    assert_shop_described(again);
    definitions_release(again);
    fixture_fini(&shop);
}
END_TEST

START_TEST(what_is_no_canonical_form_is_corrupt)
{
    static const struct {
        const char *text;
        enum rc rc;
    } ROWS[] = {{"", RC_CORRUPT},
                {"{}", RC_CORRUPT},
                {"[]", RC_CORRUPT},
                {"{\"version\":2}", RC_NEWER},
                {"{\"version\":1}", RC_CORRUPT},
                {"{\"version\":1,\"ids\":{\"tags\":[1]}}", RC_CORRUPT}};
    struct definitions *definitions = NULL;
    ck_assert_int_eq(
        definition_from_canonical(span_cstr(ROWS[_i].text), FIXTURE_ZONES, &definitions),
        ROWS[_i].rc);
    ck_assert_ptr_null(definitions);
}
END_TEST

/* --- hostile files --- */

static uint64_t
draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* A byte lost, changed, doubled or swapped for one that means something. */
static size_t
mutate(uint64_t *seed, char *text, size_t len)
{
    static const char MEANING[] = "{}[]:-#'\"|>&*!%@\n\t \\\xff\xe3(),=+";
    size_t at = draw(seed) % len;
    switch (draw(seed) % 4) {
    case 0:
        memmove(text + at, text + at + 1, len - at - 1);
        return len - 1;
    case 1:
        text[at] = (char)draw(seed);
        return len;
    case 2:
        memmove(text + at + 1, text + at, len - at);
        return len + 1;
    default:
        text[at] = MEANING[draw(seed) % (sizeof(MEANING) - 1)];
        return len;
    }
}

START_TEST(a_file_with_changed_bytes_is_compiled_or_refused_with_its_places)
{
    enum { ROUNDS = 150 };
    uint64_t seed = (uint64_t)_i + 1;
    char text[sizeof(SHOP) + 64];
    for (int round = 0; round < ROUNDS; round++) {
        size_t len = sizeof(SHOP) - 1;
        memcpy(text, SHOP, len);
        for (uint64_t changes = 1 + draw(&seed) % 8; changes > 0; changes--) {
            len = mutate(&seed, text, len);
        }
        struct fixture fixture = compile_span(span_of(text, len), NULL);
        ck_assert_msg((fixture.rc == RC_OK) == (fixture.diagnostics.error_count == 0),
                      "seed %d round %d", _i + 1, round);
        for (uint32_t i = 0; i < fixture.diagnostics.count; i++) {
            ck_assert_uint_gt(fixture.diagnostics.items[i].line, 0);
            ck_assert_uint_gt(fixture.diagnostics.items[i].column, 0);
        }
        if (fixture.rc == RC_OK) {
            struct definitions *again = replay(fixture.definitions);
            assert_sets_equal(fixture.definitions, again);
            definitions_release(again);
        }
        fixture_fini(&fixture);
    }
}
END_TEST

START_TEST(a_canonical_form_with_changed_bytes_is_taken_or_corrupt)
{
    uint64_t seed = (uint64_t)_i + 1000;
    struct fixture shop = compile_text(SHOP);
    struct span canonical = shop.definitions->canonical;
    char *text = malloc(canonical.len + 64);
    for (int round = 0; round < 100; round++) {
        size_t len = canonical.len;
        memcpy(text, canonical.data, len);
        for (uint64_t changes = 1 + draw(&seed) % 4; changes > 0; changes--) {
            len = mutate(&seed, text, len);
        }
        struct definitions *definitions = NULL;
        enum rc rc = definition_from_canonical(span_of(text, len), FIXTURE_ZONES, &definitions);
        ck_assert_msg((rc == RC_OK) == (definitions != NULL), "seed %d round %d", _i + 1000, round);
        definitions_release(definitions);
    }
    free(text);
    fixture_fini(&shop);
}
END_TEST

START_TEST(a_file_full_of_mistakes_is_answered_soon)
{
    static const char *const PIECES[] = {"  T%d: '{{f}} {{g}} {{f}}'\n", "  T%d: {{x}}\n",
                                         "  T%d: [{text: a, quick: {x: b}}]\n"};
    struct buf text = {0};
    buf_append_cstr(&text, "fields: {f: text}\ntemplates:\n");
    for (int i = 0; text.len < 900 * 1000; i++) {
        char number[16];
        snprintf(number, sizeof(number), "%d", i);
        const char *at = strstr(PIECES[_i], "%d");
        buf_append(&text, PIECES[_i], (size_t)(at - PIECES[_i]));
        buf_append_cstr(&text, number);
        buf_append_cstr(&text, at + 2);
    }
    struct fixture fixture = compile_span(buf_span(&text), NULL);
    ck_assert_int_eq(fixture.rc, RC_INVALID);
    fixture_fini(&fixture);
    buf_fini(&text);
}
END_TEST

START_TEST(many_names_and_many_wrong_references_are_answered_soon)
{
    struct buf text = {0};
    buf_append_cstr(&text, "tags:\n  x:\n");
    for (int i = 0; i < 20000; i++) {
        buf_printf(&text, "   - a_rather_long_tag_name_%d\n", i);
    }
    buf_append_cstr(&text, "friend_add:\n  new:\n    do:\n");
    for (int i = 0; text.len < 1000 * 1000; i++) {
        buf_printf(&text, "     - {tag: +a_rather_long_tug_name_%d, if: 'tag:nome_%d'}\n", i, i);
    }
    struct fixture fixture = compile_span(buf_span(&text), NULL);
    ck_assert_int_eq(fixture.rc, RC_INVALID);
    ck_assert_uint_gt(fixture.diagnostics.error_count, 10000);
    fixture_fini(&fixture);
    buf_fini(&text);
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
    TCase *compiled = tcase_create("compiled");
    tcase_add_test(compiled, templates_become_the_objects_of_line);
    tcase_add_test(compiled, steps_inherit_window_grace_class_and_priority);
    tcase_add_test(compiled, an_empty_account_has_the_documented_defaults);
    tcase_add_test(compiled, bodies_timings_and_conditions_come_back_as_words);
    tcase_add_test(compiled, edits_replace_add_and_remove_whole_things);
    tcase_add_test(compiled, sections_may_be_spread_over_files_and_ids_may_not);
    suite_add_tcase(s, compiled);
    TCase *canonical = tcase_create("canonical");
    tcase_add_test(canonical, what_the_log_kept_compiles_to_the_same_set);
    tcase_add_test(canonical, the_same_files_give_the_same_hash_and_layout_does_not_count);
    tcase_add_test(canonical, ids_stay_with_their_names_through_edits);
    tcase_add_test(canonical, a_zone_that_has_gone_falls_back_on_replay_only);
    tcase_add_test(canonical, without_any_zone_files_what_the_log_kept_still_compiles);
    tcase_add_loop_test(canonical, what_is_no_canonical_form_is_corrupt, 0, 6);
    suite_add_tcase(s, canonical);
    TCase *hostile = tcase_create("hostile");
    tcase_set_timeout(hostile, 60);
    tcase_add_loop_test(hostile, a_file_with_changed_bytes_is_compiled_or_refused_with_its_places,
                        0, 8);
    tcase_add_loop_test(hostile, a_canonical_form_with_changed_bytes_is_taken_or_corrupt, 0, 4);
    tcase_add_test(hostile, many_names_and_many_wrong_references_are_answered_soon);
    tcase_add_loop_test(hostile, a_file_full_of_mistakes_is_answered_soon, 0, 3);
    suite_add_tcase(s, hostile);
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
