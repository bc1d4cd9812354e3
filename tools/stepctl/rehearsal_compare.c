/* Expected rows against actual ones: multisets, list by list. */
#include "proto/line_message.h"
#include "proto/words.h"
#include "tools/common/terminal.h"
#include "tools/stepctl/rehearsal.h"
#include <stdlib.h>

/* Does the message, as JSON, hold the text? It is escaped in the same way. */
static bool
holds(struct span message, struct span wanted)
{
    if (wanted.len == 0) {
        return true;
    }
    struct buf quoted = {0};
    json_append_string(&quoted, wanted);
    struct buf bare = {0};
    buf_append(&bare, quoted.data + 1, quoted.len - 2);
    bool found = words_find(message, buf_cstr(&bare)) < message.len;
    buf_fini(&quoted);
    buf_fini(&bare);
    return found;
}

static void
add_difference(struct rehearsal_differences *differences, struct arena *arena,
               struct rehearsal_difference difference)
{
    differences->items =
        arena_grow(arena, differences->items, differences->count, sizeof(*differences->items));
    differences->items[differences->count++] = difference;
}

/* Takes one actual row for an expected one. Rows that ask for a text choose first. */
static void
match(const struct rehearsal_rows *expected, const struct rehearsal_rows *actual, bool with_text,
      bool *met, bool *used)
{
    for (uint32_t i = 0; i < expected->count; i++) {
        if ((expected->items[i].with.len > 0) != with_text) {
            continue;
        }
        for (uint32_t j = 0; j < actual->count && !met[i]; j++) {
            if (!used[j] && span_equal(expected->items[i].text, actual->items[j].text) &&
                holds(actual->items[j].with, expected->items[i].with)) {
                met[i] = true;
                used[j] = true;
            }
        }
    }
}

static int
by_text(const void *a, const void *b)
{
    const struct rehearsal_difference *x = a, *y = b;
    if (x->list != y->list) {
        return x->list < y->list ? -1 : 1;
    }
    size_t len = x->text.len < y->text.len ? x->text.len : y->text.len;
    int order = memcmp(x->text.data, y->text.data, len); /* it begins with the instant */
    if (order != 0) {
        return order;
    }
    return x->missing == y->missing ? 0 : x->missing ? -1 : 1;
}

void
rehearsal_compare(const struct rehearsal_variant *variant, const struct rehearsal_result *result,
                  struct arena *arena, struct rehearsal_differences *out_differences)
{
    *out_differences = (struct rehearsal_differences){0};
    for (int list = 0; list < LIST_COUNT; list++) {
        const struct rehearsal_rows *expected = &variant->expected[list];
        const struct rehearsal_rows *actual = &result->rows[list];
        if (!variant->compared[list]) {
            continue;
        }
        bool *met = arena_alloc(arena, expected->count + 1);
        bool *used = arena_alloc(arena, actual->count + 1);
        match(expected, actual, true, met, used);
        match(expected, actual, false, met, used);
        for (uint32_t i = 0; i < expected->count; i++) {
            if (!met[i]) {
                add_difference(out_differences, arena,
                               (struct rehearsal_difference){.list = (enum rehearsal_list)list,
                                                             .missing = true,
                                                             .text = expected->items[i].text,
                                                             .with = expected->items[i].with});
            }
        }
        for (uint32_t j = 0; j < actual->count; j++) {
            if (!used[j]) {
                add_difference(out_differences, arena,
                               (struct rehearsal_difference){.list = (enum rehearsal_list)list,
                                                             .text = actual->items[j].text});
            }
        }
    }
    if (out_differences->count > 1) {
        qsort(out_differences->items, out_differences->count, sizeof(*out_differences->items),
              by_text);
    }
}

void
rehearsal_print_differences(const struct rehearsal_differences *differences, bool colour,
                            struct buf *out)
{
    for (uint32_t i = 0; i < differences->count; i++) {
        const struct rehearsal_difference *row = &differences->items[i];
        if (i == 0 || differences->items[i - 1].list != row->list) {
            buf_printf(out, "  %s:\n", rehearsal_list_name(row->list));
        }
        enum terminal_style style = row->missing ? STYLE_BAD : STYLE_GOOD;
        buf_append_cstr(out, terminal_begin(colour, style));
        buf_printf(out, "  %c %.*s", row->missing ? '-' : '+', span_fmt(row->text));
        if (row->with.len > 0) {
            buf_printf(out, " with '%.*s'", span_fmt(row->with));
        }
        buf_printf(out, "%s\n", terminal_end(colour, style));
    }
}
