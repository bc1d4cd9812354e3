/* What a rehearsal expects: lists of rows, each written in one way (LANGUAGE 13 "expect"). */
#include "proto/not_yet.h"
#include "proto/words.h"
#include "tools/stepctl/rehearsal.h"
#include "tools/stepctl/rehearsal_words.h"
#include <stdlib.h>

struct expect {
    const struct rehearsal *rehearsal;
    const struct yaml_node *node;
    struct diagnostics *diagnostics;
    struct rehearsal_rows *rows;
    enum rehearsal_list list;
};

static void
wrong(const struct expect *expect, struct span word, const char *text)
{
    struct span shown = word.len > 0 ? word : expect->node->text;
    yaml_error(expect->diagnostics, yaml_mark_of(expect->node, shown), shown, "%s", text);
}

/* Takes "with '...'" off the end of a delivery's row. */
static bool
take_with(const struct expect *expect, struct span rest, struct span *out_with)
{
    *out_with = (struct span){0};
    if (rest.len == 0) {
        return true;
    }
    struct span word = rehearsal_raw_word(&rest);
    struct span quoted = rehearsal_raw_word(&rest);
    if (!span_equal_cstr(word, "with") || quoted.len < 3 || quoted.data[0] != '\'' ||
        rest.len > 0) {
        wrong(expect, word, "only with 'part of the text' may follow reply or push");
        return false;
    }
    *out_with = rehearsal_unquoted(expect->rehearsal->arena, quoted);
    return true;
}

static int
by_bytes(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = len == 0 ? 0 : memcmp(x->data, y->data, len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

void
rehearsal_append_sorted(struct arena *arena, struct span list, struct buf *out)
{
    struct span *tags = NULL;
    uint32_t count = 0;
    while (list.len > 0) {
        size_t comma = words_find(list, ",");
        tags = arena_grow(arena, tags, count, sizeof(*tags));
        tags[count++] = span_of(list.data, comma);
        size_t used = comma < list.len ? comma + 1 : comma;
        list = span_of(list.data + used, list.len - used);
    }
    if (count > 1) {
        qsort(tags, count, sizeof(*tags), by_bytes);
    }
    for (uint32_t i = 0; i < count; i++) {
        buf_append_cstr(out, i == 0 ? "" : ",");
        buf_append_span(out, tags[i]);
    }
}

/* "tags=vip,a" with its tags in order, so that two ways of writing a set are one. */
void
rehearsal_append_tags(struct arena *arena, struct span list, struct buf *out)
{
    buf_append_cstr(out, "tags=");
    rehearsal_append_sorted(arena, list, out);
}

/* The words after the friend, joined by single blanks. A state's words keep their quotes, since a
 * field's value may hold blanks. */
static void
append_words(const struct expect *expect, struct span rest, struct buf *text)
{
    struct arena *arena = expect->rehearsal->arena;
    while (rest.len > 0) {
        struct span word = rehearsal_raw_word(&rest);
        buf_append_byte(text, ' ');
        if (expect->list != LIST_STATE) {
            buf_append_span(text, rehearsal_unquoted(arena, word));
        } else if (words_starts_with(word, "tags=")) {
            rehearsal_append_tags(arena, span_of(word.data + 5, word.len - 5), text);
        } else if (words_starts_with(word, "finished=")) {
            buf_append_cstr(text, "finished=");
            rehearsal_append_sorted(arena, span_of(word.data + 9, word.len - 9), text);
        } else {
            buf_append_span(text, word);
        }
    }
}

static void
add_row(const struct expect *expect, int64_t at_ms, struct span who, struct span rest,
        struct span with)
{
    struct arena *arena = expect->rehearsal->arena;
    struct buf text = {0};
    buf_append_span(&text, rehearsal_instant(arena, expect->rehearsal->zone, at_ms));
    buf_append_byte(&text, ' ');
    buf_append_span(&text, who);
    append_words(expect, rest, &text);
    struct rehearsal_row row = {
        .at_ms = at_ms, .text = arena_span(arena, buf_span(&text)), .with = with};
    rehearsal_rows_add(expect->rows, arena, row);
    buf_fini(&text);
}

/* "2026-06-13 nails E" or "seminar/main K,M": what, then who, in any order. */
static void
parse_roster(const struct expect *expect)
{
    const struct yaml_node *node = expect->node;
    if (node->kind != YAML_SCALAR) {
        yaml_error(expect->diagnostics, node->mark, (struct span){0}, "a row is one text");
        return;
    }
    int64_t day;
    struct span rest = node->text;
    struct span what = words_next(&rest);
    struct span calendar = words_date(what, &day) ? words_next(&rest) : (struct span){0};
    struct span who = words_next(&rest);
    size_t slash = words_find(what, "/");
    if ((calendar.len == 0 && slash == what.len) || rest.len > 0) {
        wrong(expect, node->text, "write '2026-06-13 nails A,B' or 'seminar/main A,B'");
        return;
    }
    struct arena *arena = expect->rehearsal->arena;
    struct buf text = {0};
    buf_append_span(&text, what);
    buf_append_cstr(&text, calendar.len > 0 ? " " : "");
    buf_append_span(&text, calendar);
    buf_append_byte(&text, ' ');
    rehearsal_append_sorted(arena, who, &text);
    rehearsal_rows_add(expect->rows, arena,
                       (struct rehearsal_row){.text = arena_span(arena, buf_span(&text))});
    buf_fini(&text);
}

static void
parse_row(const struct expect *expect)
{
    static const uint32_t WORDS_MIN[LIST_COUNT] = {
        [LIST_DELIVERIES] = 3, [LIST_UNSENT] = 4,  [LIST_HELD] = 3,
        [LIST_PENDING] = 2,    [LIST_REFUSED] = 3, [LIST_NOTIFIED] = 1,
        [LIST_QUOTA] = 1,      [LIST_STATE] = 2,   [LIST_AUDIENCE] = 4};
    const struct yaml_node *node = expect->node;
    if (expect->list == LIST_ROSTERS) {
        parse_roster(expect);
        return;
    }
    struct span rest = node->text, with = {0};
    int64_t at_ms = 0;
    if (node->kind != YAML_SCALAR) {
        yaml_error(expect->diagnostics, node->mark, (struct span){0}, "a row is one text");
        return;
    }
    if (!rehearsal_parse_instant(expect->rehearsal, node, &rest, expect->diagnostics, &at_ms)) {
        return;
    }
    uint32_t count = 0;
    struct span words = rest;
    for (; words.len > 0 && count < WORDS_MIN[expect->list]; count++) {
        (void)rehearsal_raw_word(&words);
    }
    if (count < WORDS_MIN[expect->list]) {
        wrong(expect, node->text, "this row ends too early");
        return;
    }
    struct span whos = rehearsal_raw_word(&rest);
    if (expect->list == LIST_DELIVERIES) {
        struct span body = rest;
        (void)rehearsal_raw_word(&body);
        struct span how = rehearsal_raw_word(&body);
        if (!span_equal_cstr(how, "reply") && !span_equal_cstr(how, "push")) {
            wrong(expect, how, "expected reply or push after the templates");
            return;
        }
        rest = span_of(rest.data, (size_t)(how.data - rest.data) + how.len);
        if (!take_with(expect, body, &with)) {
            return;
        }
    }
    while (whos.len > 0) { /* K,M is one row each */
        size_t comma = words_find(whos, ",");
        add_row(expect, at_ms, span_of(whos.data, comma), rest, with);
        size_t used = comma < whos.len ? comma + 1 : comma;
        whos = span_of(whos.data + used, whos.len - used);
    }
}

static bool
find_list(struct span key, enum rehearsal_list *out_list)
{
    for (int i = 0; i < LIST_COUNT; i++) {
        if (span_equal_cstr(key, rehearsal_list_name((enum rehearsal_list)i))) {
            *out_list = (enum rehearsal_list)i;
            return true;
        }
    }
    return false;
}

static void
parse_list(const struct rehearsal *rehearsal, const struct yaml_pair *pair,
           enum rehearsal_list list, struct diagnostics *diagnostics,
           struct rehearsal_variant *variant)
{
    const struct yaml_node *rows = pair->value;
    if (rows->kind != YAML_LIST) {
        yaml_error(diagnostics, pair->key_mark, pair->key, "'%.*s' is a list of rows",
                   span_fmt(pair->key));
        return;
    }
    const struct not_yet *later = not_yet_find(NOT_YET_EXPECT, pair->key);
    if (rows->count > 0 && later != NULL) {
        yaml_error(diagnostics, pair->key_mark, pair->key, "not yet: %s (%s)", later->what,
                   later->rule);
        return;
    }
    variant->compared[list] = true;
    variant->expected[list] = (struct rehearsal_rows){0};
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct expect expect = {.rehearsal = rehearsal,
                                      .node = rows->items[i],
                                      .diagnostics = diagnostics,
                                      .rows = &variant->expected[list],
                                      .list = list};
        parse_row(&expect);
    }
}

void
rehearsal_parse_expect(const struct rehearsal *rehearsal, const struct yaml_node *expect,
                       const struct rehearsal_variant *same, struct diagnostics *diagnostics,
                       struct rehearsal_variant *variant)
{
    if (expect->kind != YAML_MAPPING) {
        yaml_error(diagnostics, expect->mark, (struct span){0},
                   "'expect' holds lists: deliveries, unsent, pending, ...");
        return;
    }
    for (uint32_t i = 0; i < expect->count; i++) {
        const struct yaml_pair *pair = &expect->pairs[i];
        enum rehearsal_list list;
        if (!find_list(pair->key, &list)) {
            yaml_error(diagnostics, pair->key_mark, pair->key, "no list '%.*s' to expect",
                       span_fmt(pair->key));
        } else if (same != NULL && pair->value->kind == YAML_SCALAR &&
                   span_equal_cstr(pair->value->text, "same")) {
            variant->compared[list] = same->compared[list];
            variant->expected[list] = same->expected[list];
        } else {
            parse_list(rehearsal, pair, list, diagnostics, variant);
        }
    }
}
