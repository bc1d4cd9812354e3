/* Cross analysis: two ways of parting friends against each other, inside a segment (SPEC R52). */
#include "daemon/api_call.h"

#include "engine/cross.h"
#include "engine/segment.h"
#include "engine/tables.h"
#include "proto/words.h"

#include <string.h>

/* "tag:a, route:b, score >= 3": each a set of its own. */
static bool
read_conditions(struct api_call *call, const char *text, struct cross_axis *out_axis)
{
    const struct inquiry inquiry = {.state = call->state, .now_ms = api_now_ms(call)};
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        struct span words = span_of(text, length);
        struct condition condition;
        struct buf error = {0};
        enum rc rc =
            definition_condition(words, call->definitions, call->api->arena, &condition, &error);
        if (rc != RC_OK || out_axis->count == CROSS_SETS_MAX) {
            api_error(call->reply, API_INVALID, "tag:a,tag:b", "%s",
                      rc != RC_OK ? buf_cstr(&error) : "more conditions than a table has rows");
            buf_fini(&error);
            return false;
        }
        buf_fini(&error);
        out_axis->sets[out_axis->count++] =
            (struct cross_set){.label = arena_span(call->api->arena, words_trim(words)),
                               .members = segment_members(&inquiry, &condition)};
        text += length + (text[length] == ',');
    }
    return true;
}

/* False: refused, and said. */
static bool
read_axis(struct api_call *call, const char *name, struct cross_axis *out_axis)
{
    const char *text = api_query(call, name);
    struct arena *arena = call->api->arena;
    uint32_t field;
    bool fits = true;
    out_axis->count = 0;
    if (text == NULL) {
        api_error(call->reply, API_INVALID, "rows=field:area&columns=tag:bought", "'%s' is missing",
                  name);
        return false;
    }
    if (strncmp(text, "field:", 6) == 0 && strcspn(text, " ,=<>!") == strlen(text)) {
        if (!api_name(call, &call->definitions->field_names, "field", text + 6, &field)) {
            return false;
        }
        fits = cross_by_field(call->state, field, arena, out_axis);
    } else if (strcmp(text, "mark") == 0) {
        fits = cross_by_mark(call->state, out_axis);
    } else if (strcmp(text, "added:month") == 0 || strcmp(text, "added:day") == 0) {
        fits = cross_by_added(call->state, text[6] == 'm', arena, out_axis);
    } else {
        return read_conditions(call, text, out_axis);
    }
    if (!fits) {
        cross_axis_fini(out_axis);
        api_error(call->reply, API_INVALID, NULL, "'%s' has more than %d different values", text,
                  CROSS_SETS_MAX);
    }
    return fits;
}

static json_t *
labels_json(const struct cross_axis *axis)
{
    json_t *labels = json_array();
    for (uint32_t i = 0; i < axis->count; i++) {
        struct span label = axis->sets[i].label;
        json_array_append_new(labels, label.len == 0 ? json_null() : api_span(label));
    }
    return labels;
}

/* What a cell holds: friends, those of them who made a conversion, or the sum of a number field. */
struct wanted {
    uint32_t conversion, field; /* NO_ID: not asked for */
};

static bool
read_wanted(struct api_call *call, struct wanted *out)
{
    const char *text = api_query(call, "value");
    *out = (struct wanted){NO_ID, NO_ID};
    if (text == NULL || strcmp(text, "friends") == 0) {
        return true;
    }
    if (strncmp(text, "converted:", 10) == 0) {
        return api_name(call, &call->definitions->conversion_names, "conversion", text + 10,
                        &out->conversion);
    }
    if (strncmp(text, "sum:", 4) == 0) {
        if (!api_name(call, &call->definitions->field_names, "field", text + 4, &out->field)) {
            return false;
        }
        if (state_field_type(call->state, out->field) == FIELD_NUMBER) {
            return true;
        }
    }
    api_error(call->reply, API_INVALID, NULL,
              "'value' is friends, converted:CV or sum:x with a number field");
    return false;
}

static json_t *
cells_json(struct api_call *call, const struct cross_axis *rows, const struct cross_axis *columns,
           const struct bitmap *within, const struct wanted *wanted)
{
    size_t count = (size_t)rows->count * columns->count;
    int64_t *cells = arena_alloc(call->api->arena, (count + 1) * sizeof(*cells));
    if (wanted->field != NO_ID) {
        cross_sum(call->state, rows, columns, within, wanted->field, cells);
    } else {
        cross_count(rows, columns, within, (uint64_t *)cells);
    }
    json_t *list = json_array();
    for (uint32_t r = 0; r < rows->count; r++) {
        json_t *row = json_array();
        for (uint32_t c = 0; c < columns->count; c++) {
            json_array_append_new(row, json_integer(cells[r * columns->count + c]));
        }
        json_array_append_new(list, row);
    }
    return list;
}

/* Within the query's segment, and among those who made the conversion where that is asked for. */
static bool
read_within(struct api_call *call, const struct wanted *wanted, struct bitmap **out_within)
{
    const struct state *state = call->state;
    if (!api_query_members(call, out_within)) {
        return false;
    }
    if (wanted->conversion != NO_ID) {
        const struct bitmap *converted = wanted->conversion < state->conversion_capacity
                                             ? state->converted[wanted->conversion]
                                             : NULL;
        set_keep(out_within, converted);
    }
    return true;
}

void
api_get_cross_report(struct api_call *call)
{
    struct cross_axis *rows = arena_alloc(call->api->arena, sizeof(*rows));
    struct cross_axis *columns = arena_alloc(call->api->arena, sizeof(*columns));
    struct bitmap *within = NULL;
    struct wanted wanted;
    if (read_wanted(call, &wanted) && read_within(call, &wanted, &within) &&
        read_axis(call, "rows", rows) && read_axis(call, "columns", columns)) {
        json_t *cells = cells_json(call, rows, columns, within, &wanted);
        api_ok(call, API_NOW,
               json_pack("{s:o,s:o,s:o}", "rows", labels_json(rows), "columns",
                         labels_json(columns), "cells", cells));
    }
    cross_axis_fini(rows);
    cross_axis_fini(columns);
    set_free(within);
}
