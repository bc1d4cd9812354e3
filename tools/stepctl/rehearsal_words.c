/* The small words of rehearsal rows: instants, words in quotes, rows in their one way of writing. */
#include "tools/stepctl/rehearsal_words.h"
#include "proto/words.h"
#include "tools/stepctl/rehearsal.h"
#include <stdio.h>

const char *
rehearsal_list_name(enum rehearsal_list list)
{
    switch (list) {
    case LIST_DELIVERIES:
        return "deliveries";
    case LIST_UNSENT:
        return "unsent";
    case LIST_HELD:
        return "held";
    case LIST_PENDING:
        return "pending";
    case LIST_REFUSED:
        return "refused";
    case LIST_NOTIFIED:
        return "notified";
    case LIST_AUDIENCE:
        return "audience";
    case LIST_IMPORTS:
        return "imports";
    case LIST_ROSTERS:
        return "rosters";
    case LIST_QUOTA:
        return "quota";
    case LIST_STATE:
        return "state";
    }
    return "?";
}

void
rehearsal_rows_add(struct rehearsal_rows *rows, struct arena *arena, struct rehearsal_row row)
{
    rows->items = arena_grow(arena, rows->items, rows->count, sizeof(*rows->items));
    rows->items[rows->count++] = row;
}

struct span
rehearsal_instant(struct arena *arena, const struct zone *zone, int64_t at_ms)
{
    char text[96];
    struct civil_time local = civil_local(zone, at_ms);
    int len = snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d:%02d", local.date.year,
                       local.date.month, local.date.day, local.hour, local.minute, local.second);
    return arena_span(arena, span_of(text, (size_t)len));
}

struct span
rehearsal_raw_word(struct span *rest)
{
    *rest = words_trim(*rest);
    size_t len = 0;
    bool quoted = false;
    while (len < rest->len && (quoted || rest->data[len] != ' ')) {
        quoted = quoted != (rest->data[len] == '\'');
        len++;
    }
    struct span word = span_of(rest->data, len);
    *rest = words_trim(span_of(rest->data + len, rest->len - len));
    return word;
}

struct span
rehearsal_unquoted(struct arena *arena, struct span word)
{
    uint8_t *text = arena_alloc(arena, word.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] != '\'') {
            text[len++] = word.data[i];
        }
    }
    return span_of(text, len);
}

bool
rehearsal_parse_instant(const struct rehearsal *rehearsal, const struct yaml_node *node,
                        struct span *rest, struct diagnostics *diagnostics, int64_t *out_ms)
{
    *rest = words_trim(*rest);
    struct span whole = *rest;
    struct span date = words_next(rest), time = words_next(rest);
    size_t end = time.len > 0 ? (size_t)(time.data - whole.data) + time.len : date.len;
    if (words_datetime(span_of(whole.data, end), rehearsal->zone, out_ms)) {
        *rest = words_trim(span_of(whole.data + end, whole.len - end));
        return true;
    }
    yaml_error(diagnostics, yaml_mark_of(node, date), date,
               "not an instant; write '2026-06-01 10:15:00' in the account's zone");
    return false;
}
