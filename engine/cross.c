#include "engine/cross.h"

#include "engine/tables.h"

#include <assert.h>
#include <roaring/roaring.h>
#include <stdio.h>

static const roaring_bitmap_t *
set_of(const struct bitmap *set)
{
    return (const roaring_bitmap_t *)set;
}

void
cross_axis_fini(struct cross_axis *axis)
{
    for (uint32_t i = 0; i < axis->count; i++) {
        set_free(axis->sets[i].members);
    }
    axis->count = 0;
}

/* The set of a label, made where there is none; NULL: there are too many. Axes are short, and friends
 * of one label stand together often: the one found last is looked at first. */
static struct cross_set *
set_for(struct cross_axis *axis, struct span label, uint32_t *last, struct arena *arena)
{
    if (*last < axis->count && span_equal(axis->sets[*last].label, label)) {
        return &axis->sets[*last];
    }
    for (uint32_t i = 0; i < axis->count; i++) {
        if (span_equal(axis->sets[i].label, label)) {
            *last = i;
            return &axis->sets[i];
        }
    }
    if (axis->count == CROSS_SETS_MAX) {
        return NULL;
    }
    *last = axis->count;
    axis->sets[axis->count] = (struct cross_set){.label = arena_span(arena, label)};
    return &axis->sets[axis->count++];
}

enum { LABEL_BYTES = 48 };

static struct span
date_label(int64_t day, bool by_month, char text[LABEL_BYTES])
{
    struct civil_date date = civil_date_of(day);
    int length =
        by_month ? snprintf(text, LABEL_BYTES, "%04d-%02d", date.year, date.month)
                 : snprintf(text, LABEL_BYTES, "%04d-%02d-%02d", date.year, date.month, date.day);
    return span_of(text, (size_t)length);
}

static struct span
field_label(const struct state *state, uint32_t friend, uint32_t field, char text[LABEL_BYTES])
{
    const struct field_value value = state_value(state, friend, field);
    const struct field *definition = &state->definitions->fields[field];
    int64_t number = value.set ? value.number : definition->start;
    if (!value.set && !definition->has_start) {
        return (struct span){0};
    }
    switch (definition->type) {
    case FIELD_NUMBER:
        return span_of(text, (size_t)snprintf(text, LABEL_BYTES, "%lld", (long long)number));
    case FIELD_DATE:
        return date_label(number, false, text);
    case FIELD_DATETIME:
        return date_label(civil_local_day(state->definitions->account.zone, number), false, text);
    case FIELD_TEXT:
    case FIELD_IMAGE:
    case FIELD_FILE:
        break;
    }
    return span_cstr(value.text);
}

/* Every friend into the set of its label, in ascending order. */
static bool
put(struct cross_axis *axis, uint32_t friend, struct span label, uint32_t *last,
    struct arena *arena)
{
    struct cross_set *set = set_for(axis, label, last, arena);
    if (set == NULL) {
        return false;
    }
    set_add_all(&set->members, &friend, 1);
    return true;
}

bool
cross_by_field(const struct state *state, uint32_t field, struct arena *arena,
               struct cross_axis *out_axis)
{
    uint32_t last = 0;
    char text[LABEL_BYTES];
    out_axis->count = 0;
    for (uint32_t friend = 0; friend < state->friends.count; friend ++) {
        if (!put(out_axis, friend, field_label(state, friend, field, text), &last, arena)) {
            return false;
        }
    }
    return true;
}

bool
cross_by_mark(const struct state *state, struct cross_axis *out_axis)
{
    out_axis->count = 0;
    uint32_t marks = state->definitions->mark_names.count;
    if (marks + 1 > CROSS_SETS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i <= marks; i++) { /* the last: none */
        const char *name = i < marks ? names_text(&state->definitions->mark_names, i) : "";
        out_axis->sets[out_axis->count++] = (struct cross_set){.label = span_cstr(name)};
    }
    for (uint32_t friend = 0; friend < state->friends.count; friend ++) {
        uint32_t mark = state_friend_more(state, friend)->mark;
        set_add_all(&out_axis->sets[mark < marks ? mark : marks].members, &friend, 1);
    }
    return true;
}

bool
cross_by_added(const struct state *state, bool by_month, struct arena *arena,
               struct cross_axis *out_axis)
{
    const struct zone *zone = state->definitions->account.zone;
    uint32_t last = 0;
    char text[LABEL_BYTES];
    out_axis->count = 0;
    for (uint32_t friend = 0; friend < state->friends.count; friend ++) {
        int64_t day = civil_local_day(zone, state_friend(state, friend)->added_ms);
        if (!put(out_axis, friend, date_label(day, by_month, text), &last, arena)) {
            return false;
        }
    }
    return true;
}

/* Calls fn with the members of each cell; a set that nobody is in is NULL. */
typedef void (*cell_fn)(void *context, uint32_t cell, const roaring_bitmap_t *row,
                        const roaring_bitmap_t *column);

static void
each_cell(const struct cross_axis *rows, const struct cross_axis *columns,
          const struct bitmap *within, cell_fn fn, void *context)
{
    for (uint32_t r = 0; r < rows->count; r++) {
        const struct bitmap *members = rows->sets[r].members;
        roaring_bitmap_t *row = NULL;
        if (members != NULL) {
            row = within == NULL ? roaring_bitmap_copy(set_of(members))
                                 : roaring_bitmap_and(set_of(members), set_of(within));
            assert(row != NULL);
        }
        for (uint32_t c = 0; c < columns->count; c++) {
            const struct bitmap *column = columns->sets[c].members;
            if (row != NULL && column != NULL) {
                fn(context, r * columns->count + c, row, set_of(column));
            }
        }
        if (row != NULL) {
            roaring_bitmap_free(row);
        }
    }
}

static void
count_cell(void *context, uint32_t cell, const roaring_bitmap_t *row,
           const roaring_bitmap_t *column)
{
    ((uint64_t *)context)[cell] = roaring_bitmap_and_cardinality(row, column);
}

void
cross_count(const struct cross_axis *rows, const struct cross_axis *columns,
            const struct bitmap *within, uint64_t *out_cells)
{
    memset(out_cells, 0, (size_t)rows->count * columns->count * sizeof(*out_cells));
    each_cell(rows, columns, within, count_cell, out_cells);
}

struct summing {
    const struct state *state;
    uint32_t field;
    int64_t *cells;
};

static void
sum_cell(void *context, uint32_t cell, const roaring_bitmap_t *row, const roaring_bitmap_t *column)
{
    struct summing *summing = context;
    const struct field *field = &summing->state->definitions->fields[summing->field];
    roaring_bitmap_t *members = roaring_bitmap_and(row, column);
    roaring_uint32_iterator_t each;
    assert(members != NULL);
    roaring_init_iterator(members, &each);
    for (; each.has_value; roaring_advance_uint32_iterator(&each)) {
        const struct field_value value =
            state_value(summing->state, each.current_value, summing->field);
        int64_t number = value.set ? value.number : field->has_start ? field->start : 0;
        if (__builtin_add_overflow(summing->cells[cell], number, &summing->cells[cell])) {
            summing->cells[cell] = number > 0 ? INT64_MAX : INT64_MIN; /* as scores do */
        }
    }
    roaring_bitmap_free(members);
}

void
cross_sum(const struct state *state, const struct cross_axis *rows,
          const struct cross_axis *columns, const struct bitmap *within, uint32_t field,
          int64_t *out_cells)
{
    struct summing summing = {state, field, out_cells};
    memset(out_cells, 0, (size_t)rows->count * columns->count * sizeof(*out_cells));
    each_cell(rows, columns, within, sum_cell, &summing);
}
