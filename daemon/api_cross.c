/* Cross analysis: two ways of parting friends against each other, inside a segment (SPEC R52). */
#include "daemon/api_call.h"

#include "engine/cross.h"
#include "engine/tables.h"

#include <string.h>

enum { TAGS_MAX = CROSS_SETS_MAX };

/* "tag:a,tag:b" */
static bool
read_tags(struct api_call *call, const char *text, struct cross_axis *out_axis)
{
    uint32_t tags[TAGS_MAX], count = 0;
    char name[256];
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        bool is_tag = length > 4 && strncmp(text, "tag:", 4) == 0 && length < sizeof(name);
        if (!is_tag || count == TAGS_MAX) {
            api_error(call->reply, API_INVALID, "tag:a,tag:b",
                      is_tag ? "more than %d tags" : "a list of tags has up to %d like 'tag:a'",
                      TAGS_MAX);
            return false;
        }
        memcpy(name, text + 4, length - 4);
        name[length - 4] = '\0';
        if (!api_name(call, &call->definitions->tag_names, "tag", name, &tags[count])) {
            return false;
        }
        count++;
        text += length + (text[length] == ',');
    }
    return cross_by_tags(call->state, tags, count, out_axis);
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
    if (strncmp(text, "tag:", 4) == 0) {
        return read_tags(call, text, out_axis);
    }
    if (strncmp(text, "field:", 6) == 0) {
        if (!api_name(call, &call->definitions->field_names, "field", text + 6, &field)) {
            return false;
        }
        fits = cross_by_field(call->state, field, arena, out_axis);
    } else if (strcmp(text, "mark") == 0) {
        fits = cross_by_mark(call->state, out_axis);
    } else if (strcmp(text, "added:month") == 0 || strcmp(text, "added:day") == 0) {
        fits = cross_by_added(call->state, text[6] == 'm', arena, out_axis);
    } else {
        api_error(call->reply, API_INVALID, NULL,
                  "'%s' parts nobody; write tag:a,tag:b or field:x or mark or added:month or "
                  "added:day",
                  text);
        return false;
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
