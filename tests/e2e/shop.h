/* shop - the definitions that the end-to-end tests run: one of everything that is built.
 *
 * Shape    a YAML text; every template's first word is its own name (harness.h compares by it).
 * Units    as LANGUAGE has them; zone Asia/Tokyo, window 09:00-21:00.
 * Errors   none: stepctl check finds no error in it.
 * Owner    a constant.
 */
#ifndef TESTS_E2E_SHOP_H
#define TESTS_E2E_SHOP_H

static const char SHOP[] = //
    "account:\n"
    "  name: e2e\n"
    "  zone: Asia/Tokyo\n"
    "  window: 09:00-21:00\n"
    "tags:\n"
    "  all: [answered, beginner, expert, read]\n"
    "fields:\n"
    "  area: text\n"
    "templates:\n"
    "  T_hello: T_hello {{name|guest}}\n"
    "  T_back: T_back\n"
    "  T_nudge: T_nudge\n"
    "  T_last: T_last\n"
    "  T_coupon: T_coupon\n"
    "  T_thanks: T_thanks {{area|somewhere}}\n"
    "  T_story: T_story\n"
    "  T_beginner: T_beginner\n"
    "  T_expert: T_expert\n"
    "  T_after: T_after\n"
    "  T_hours: T_hours\n"
    "  T_stock: T_stock\n"
    "friend_add:\n"
    "  new: {do: [ {start: S_welcome} ]}\n"
    "  existing: {send: T_back}\n"
    "scenarios:\n"
    "  S_welcome:\n"
    "    steps:\n"
    "      hello: {when: now, send: T_hello}\n"
    "      nudge: {when: 1h after start, if: not tag:answered, send: T_nudge}\n"
    "      last: {when: day 1 at 12:00, if: not tag:answered, send: T_last}\n"
    "  S_story:\n"
    "    lane: nurture\n"
    "    steps:\n"
    "      story: {when: day 1 at 19:00, send: T_story}\n"
    "      second:\n"
    "        when: day 3 at 19:00\n"
    "        choose:\n"
    "          - if: tag:beginner and not tag:expert\n"
    "            send: T_beginner\n"
    "          - send: T_expert\n"
    "      after: {when: 30m after previous, send: T_after}\n"
    "      done: {when: now, do: [ {tag: +read} ]}\n"
    "buttons:\n"
    "  survey_beginner:\n"
    "    do: [ {tag: [+answered, +beginner]}, {field: area = 関東}, {send: [T_coupon, T_thanks]},"
    " {start: S_story} ]\n"
    "  survey_expert:\n"
    "    do: [ {tag: [+answered, +expert]}, {send: T_coupon}, {start: S_story} ]\n"
    "auto_replies:\n"
    "  hours: {exact: 営業時間, send: T_hours}\n"
    "  stock: {contains: [在庫, 入荷], send: T_stock}\n";

#endif
