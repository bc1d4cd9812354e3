/* definition_shop - one file with everything in it that is built, and what is known of it.
 *
 * Shape    SHOP compiles without a word; assert_shop_described() holds what came of it, however it was come by,
 *          against the words it was written in.
 * Units    as proto/definition.h.
 * Errors   a Check assertion.
 * Owner    the test.
 */
#ifndef TESTS_PROTO_DEFINITION_SHOP_H
#define TESTS_PROTO_DEFINITION_SHOP_H

#include "proto/describe.h"
#include "tests/proto/definition_fixture.h"

#include <check.h>

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

static inline const struct step *
step_named(const struct definitions *definitions, const char *scenario, const char *step)
{
    const struct scenario *found =
        &definitions->scenarios[names_find(&definitions->scenario_names, span_cstr(scenario))];
    return scenario_step(found, names_find(&found->step_names, span_cstr(step)), NULL);
}

static inline void
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

static inline void
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

#endif
