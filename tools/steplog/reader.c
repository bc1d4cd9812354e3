#include "tools/steplog/reader.h"

#include "tools/common/table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *
directory_of(const struct invocation *invocation, unsigned own)
{
    const char *given = invocation_option(invocation, "data");
    if (given != NULL) {
        return given;
    }
    return invocation->argument_count > own ? invocation->arguments[0] : getenv("STEPD_DATA_DIR");
}

int
reader_failed(enum rc rc, const char *what)
{
    fprintf(stderr, "steplog: %s\n", what[0] != '\0' ? what : rc_name(rc));
    return rc == RC_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_FAILED;
}

int
reader_open(struct reader *reader, const struct invocation *invocation, unsigned own)
{
    *reader = (struct reader){.invocation = invocation};
    const char *directory = directory_of(invocation, own);
    if (directory == NULL) {
        return usage_error(invocation->program, "which data directory? give -d DIR");
    }
    reader->directory = directory;
    const struct log_options options = {.mode = LOG_READ};
    enum rc rc = log_open(directory, &options, &reader->log);
    if (rc != RC_OK) {
        return reader_failed(rc, log_error(NULL));
    }
    reader->zones = zones_new(NULL);
    reader->zone = reader_zone(reader, NULL);
    return EXIT_DONE;
}

const struct zone *
reader_zone(const struct reader *reader, const struct definitions *definitions)
{
    if (definitions != NULL && definitions->account.zone != NULL) {
        return definitions->account.zone;
    }
    struct zone_source source = zones_source(reader->zones);
    return source.lookup(source.context, span_cstr("Asia/Tokyo"));
}

void
reader_close(struct reader *reader)
{
    definitions_release(reader->definitions);
    zones_free(reader->zones);
    log_close(reader->log);
}

/* The number of the newest event that applied definitions; 0 when there is none. */
static enum rc
find_definitions(struct log *log, uint64_t *out_seq)
{
    struct log_cursor *cursor = NULL;
    struct log_batch_view batch;
    enum rc rc = log_cursor_open(log, 1, &cursor);
    while (rc == RC_OK && (rc = log_cursor_next(cursor, &batch)) == RC_OK) {
        struct span rest = batch.events, bytes;
        struct event_decoded decoded;
        for (uint64_t seq = batch.first_seq; log_events_next(&rest, &bytes) == RC_OK; seq++) {
            if (event_decode(bytes, seq, batch.time_ms, &decoded) == RC_OK &&
                decoded.event.kind == EVENT_DEFINITIONS_APPLIED) {
                *out_seq = seq;
            }
        }
    }
    log_cursor_close(cursor);
    return rc == RC_END ? RC_OK : rc;
}

int
reader_find_names(struct reader *reader)
{
    uint64_t seq = 0;
    enum rc rc = find_definitions(reader->log, &seq);
    if (rc != RC_OK) {
        return reader_failed(rc, log_error(reader->log));
    }
    if (seq == 0) {
        return EXIT_DONE;
    }
    struct arena *arena = arena_new();
    struct event event;
    rc = replay_read_event(reader->log, seq, arena, &event);
    if (rc == RC_OK && event.word_count > 0) {
        rc = definition_from_canonical(event.words[0], zones_source(reader->zones),
                                       &reader->definitions);
    }
    arena_free(arena);
    if (rc != RC_OK) {
        return reader_failed(rc, "the definitions in the log cannot be read");
    }
    reader->zone = reader_zone(reader, reader->definitions);
    return EXIT_DONE;
}

const char *
reader_argument(const struct reader *reader)
{
    return reader->invocation->arguments[reader->invocation->argument_count - 1];
}

bool
reader_wants_json(const struct reader *reader)
{
    const char *output = invocation_option(reader->invocation, "output");
    return output != NULL && strcmp(output, "json") == 0;
}

bool
read_number(const char *text, uint64_t *out_number)
{
    char *end = NULL;
    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 19) {
        return false;
    }
    *out_number = strtoull(text, &end, 10);
    return true;
}

struct engine *
reader_engine(void)
{
    static const struct engine_calls none;
    return engine_new(&none);
}

/* ---- listing ---- */

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

void
listing_begin(struct listing *listing, const struct reader *reader)
{
    *listing = (struct listing){.reader = reader};
    if (reader_wants_json(reader)) {
        return;
    }
    listing->table = table_new();
    table_column(listing->table, "event", TABLE_RIGHT);
    table_column(listing->table, "at", TABLE_LEFT);
    table_column(listing->table, "friend", TABLE_RIGHT);
    table_column(listing->table, "kind", TABLE_LEFT);
    table_column(listing->table, "what", TABLE_LEFT);
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
    buf_fini(&details);
    json_decref(json);
}

void
listing_end(struct listing *listing)
{
    if (listing->table == NULL) {
        return;
    }
    struct buf out = {0};
    bool refused = invocation_has(listing->reader->invocation, "no-color");
    table_print(listing->table, terminal_has_colour(STDOUT_FILENO, refused), &out);
    fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
    table_free(listing->table);
}
