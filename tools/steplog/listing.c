#include "tools/steplog/listing.h"

#include "tools/common/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STREAM_ROWS = 256 }; /* printed together */

static bool
is_one_of(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(key, *keys) == 0) {
            return true;
        }
    }
    return false;
}

/* "T_a+T_b": what people want to know of a delivery's items. */
static void
append_templates(const json_t *items, struct buf *out)
{
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        const json_t *template = json_object_get(item, "template");
        const char *name = json_string_value(template);
        buf_append_cstr(out, i == 0 ? "" : "+");
        if (name != NULL) {
            buf_append_cstr(out, name);
        } else {
            buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(template));
        }
    }
}

static void
append_value(const char *key, json_t *value, struct buf *out)
{
    static const char *const instants[] = {"due", "until", "start", "line_at", "token_at", NULL};
    enum { TO_THE_SECOND = 19 }; /* 2026-06-01T10:15:00 */
    const char *text = json_string_value(value);
    if (text != NULL && is_one_of(key, instants)) {
        buf_append(out, text, strnlen(text, TO_THE_SECOND));
    } else if (text != NULL && text[0] != '\0' && strpbrk(text, " \"\n\t") == NULL) {
        buf_append_cstr(out, text);
    } else if (strcmp(key, "items") == 0) {
        append_templates(value, out);
    } else {
        char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        assert(dumped != NULL);
        buf_append_cstr(out, dumped);
        free(dumped);
    }
}

/* "how=reply due=... text="two words"": what is particular to the event. */
static void
append_details(json_t *object, struct buf *out)
{
    static const char *const columns[] = {"seq",      "at",        "kind", "friend",
                                          "previous", "canonical", NULL};
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (!is_one_of(key, columns)) {
            buf_printf(out, "%s%s=", out->len == 0 ? "" : " ", key);
            append_value(key, value, out);
        }
    }
}

/* Columns of a stream have their width from the first row on. */
static struct table *
begin_table(const struct listing *listing)
{
    enum { SEQ_WIDTH = 8, INSTANT_WIDTH = 19, FRIEND_WIDTH = 6, KIND_WIDTH = 19 };
    const bool heading = !listing->headed, stream = listing->stream;
    struct table *table = table_new();
    table_column(table, heading ? "event" : NULL, TABLE_RIGHT);
    table_column_at_least(table, stream ? SEQ_WIDTH : 0);
    table_column(table, heading ? "at" : NULL, TABLE_LEFT);
    table_column_at_least(table, stream ? INSTANT_WIDTH : 0);
    table_column(table, heading ? "friend" : NULL, TABLE_RIGHT);
    table_column_at_least(table, stream ? FRIEND_WIDTH : 0);
    table_column(table, heading ? "kind" : NULL, TABLE_LEFT);
    table_column_at_least(table, stream ? KIND_WIDTH : 0);
    table_column(table, heading ? "what" : NULL, TABLE_LEFT);
    return table;
}

void
listing_begin(struct listing *listing, const struct reader *reader, bool stream)
{
    *listing = (struct listing){.reader = reader, .stream = stream};
    if (!reader_wants_json(reader)) {
        listing->table = begin_table(listing);
    }
}

static void
print_line(json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
}

void
listing_add(struct listing *listing, const struct event *event)
{
    const struct reader *reader = listing->reader;
    json_t *json = event_to_json(event, reader->definitions, reader->zone);
    if (listing->table == NULL) {
        print_line(json);
        json_decref(json);
        return;
    }
    struct buf details = {0};
    append_details(json, &details);
    const char *kind = json_string_value(json_object_get(json, "kind"));
    table_row(listing->table);
    table_cell_printf(listing->table, "%llu", (unsigned long long)event->seq);
    table_cell_printf(listing->table, "%.19s", json_string_value(json_object_get(json, "at")));
    if (event->friend == NO_ID) {
        table_cell_cstr(listing->table, NULL);
    } else {
        table_cell_printf(listing->table, "%u", event->friend);
    }
    if (kind != NULL) {
        table_cell_cstr(listing->table, kind);
    } else {
        table_cell_printf(listing->table, "kind %d", (int)event->kind);
    }
    table_cell(listing->table, buf_span(&details));
    if (listing->stream && table_row_count(listing->table) == STREAM_ROWS) {
        listing_flush(listing);
    }
    buf_fini(&details);
    json_decref(json);
}

static void
print_table(struct listing *listing)
{
    struct buf out = {0};
    bool refused = invocation_has(listing->reader->invocation, "no-color");
    table_print(listing->table, terminal_has_colour(STDOUT_FILENO, refused), &out);
    fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
    table_free(listing->table);
    listing->table = NULL;
    listing->headed = true;
}

void
listing_flush(struct listing *listing)
{
    if (listing->table != NULL && (table_row_count(listing->table) > 0 || !listing->headed)) {
        print_table(listing);
        listing->table = begin_table(listing);
    }
    fflush(stdout);
}

void
listing_end(struct listing *listing)
{
    if (listing->table != NULL) {
        print_table(listing);
    }
}

void
listing_drop(struct listing *listing)
{
    table_free(listing->table);
    listing->table = NULL;
}
