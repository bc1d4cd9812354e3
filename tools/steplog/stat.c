/* stat: what the log consists of, how fast it grows, and how much room is left. */
#include "daemon/instant.h"
#include "store/measure.h"
#include "tools/common/table.h"
#include "tools/steplog/commands.h"
#include "tools/steplog/facts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { KIND_NUMBERS = 256, OTHER_KINDS = 0 };

struct tally {
    uint64_t events, bytes;
};

struct day {
    int64_t day; /* since 1970-01-01, in the account's zone */
    struct tally tally;
};

struct counting {
    const struct zone *zone;
    struct tally all, kinds[KIND_NUMBERS];
    uint64_t batches;
    int64_t first_ms, last_ms;
    struct day *days; /* in order of appearance: the log's own order */
    size_t day_count, day_capacity;
};

static int64_t
day_of(const struct counting *counting, int64_t at_ms)
{
    if (!instant_in_range(at_ms)) {
        return 0; /* a machine without a clock: 1970 */
    }
    return civil_day_number(civil_local(counting->zone, at_ms).date);
}

static struct tally *
tally_of_day(struct counting *counting, int64_t day)
{
    if (counting->day_count > 0 && counting->days[counting->day_count - 1].day == day) {
        return &counting->days[counting->day_count - 1].tally;
    }
    if (counting->day_count == counting->day_capacity) {
        counting->day_capacity = counting->day_capacity == 0 ? 64 : counting->day_capacity * 2;
        counting->days = realloc(counting->days, counting->day_capacity * sizeof(*counting->days));
        assert(counting->days != NULL);
    }
    counting->days[counting->day_count] = (struct day){.day = day};
    return &counting->days[counting->day_count++].tally;
}

static void
count(struct tally *tally, uint64_t bytes)
{
    tally->events++;
    tally->bytes += bytes;
}

static void
count_batch(struct counting *counting, const struct log_batch_view *batch)
{
    enum { LENGTH_BYTES = 4 };
    struct tally *day = tally_of_day(counting, day_of(counting, batch->time_ms));
    struct span rest = batch->events, bytes;
    counting->batches++;
    counting->first_ms = counting->batches == 1 ? batch->time_ms : counting->first_ms;
    counting->last_ms = batch->time_ms;
    for (uint64_t seq = batch->first_seq; log_events_next(&rest, &bytes) == RC_OK; seq++) {
        struct event_decoded decoded = {0};
        enum rc rc = event_decode(bytes, seq, batch->time_ms, &decoded);
        unsigned kind = rc == RC_OK ? (unsigned)decoded.event.kind : OTHER_KINDS;
        count(&counting->kinds[kind < KIND_NUMBERS ? kind : OTHER_KINDS], bytes.len + LENGTH_BYTES);
        count(&counting->all, bytes.len + LENGTH_BYTES);
        count(day, bytes.len + LENGTH_BYTES);
    }
}

static int
count_log(const struct reader *reader, struct counting *counting)
{
    struct log_cursor *cursor = NULL;
    struct log_batch_view batch;
    enum rc rc = log_cursor_open(reader->log, 1, &cursor);
    while (rc == RC_OK && (rc = log_cursor_next(cursor, &batch)) == RC_OK) {
        count_batch(counting, &batch);
    }
    log_cursor_close(cursor);
    return rc == RC_END ? EXIT_DONE : reader_failed(rc, log_error(reader->log));
}

/* Bytes of events a day over the last seven days, or since the first when that is later. */
static uint64_t
growth(const struct counting *counting)
{
    enum { DAYS = 7 };
    uint64_t bytes = 0, days = 0;
    int64_t last = counting->day_count > 0 ? counting->days[counting->day_count - 1].day : 0;
    for (size_t i = counting->day_count; i-- > 0;) {
        if (counting->days[i].day > last - DAYS && counting->days[i].day <= last) {
            bytes += counting->days[i].tally.bytes;
            days = (uint64_t)(last - counting->days[i].day + 1) > days
                       ? (uint64_t)(last - counting->days[i].day + 1)
                       : days;
        }
    }
    return days == 0 ? 0 : bytes / days;
}

static json_t *
json_tally(const char *name, const char *value, const struct tally *tally)
{
    return json_pack("{s:s,s:I,s:I}", name, value, "events", (json_int_t)tally->events, "bytes",
                     (json_int_t)tally->bytes);
}

static json_t *
kinds_of(const struct counting *counting)
{
    json_t *rows = json_array();
    for (unsigned kind = 0; kind < KIND_NUMBERS; kind++) {
        const char *name = event_kind_name((enum event_kind)kind);
        if (counting->kinds[kind].events > 0) {
            json_array_append_new(
                rows, json_tally("kind", name == NULL ? "unknown" : name, &counting->kinds[kind]));
        }
    }
    return rows;
}

static json_t *
days_of(const struct counting *counting)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < counting->day_count; i++) {
        char text[INSTANT_TEXT_BYTES];
        json_array_append_new(rows,
                              json_tally("day", instant_print_date(counting->days[i].day, text),
                                         &counting->days[i].tally));
    }
    return rows;
}

static json_t *
totals_of(const struct counting *counting, const struct log_measure *measure)
{
    json_t *facts = json_object();
    facts_set_count(facts, "events", counting->all.events);
    facts_set_count(facts, "event_bytes", counting->all.bytes);
    facts_set_count(facts, "batches", counting->batches);
    facts_set_count(facts, "growth_bytes_a_day", growth(counting));
    facts_set_count(facts, "with_words", measure->content_rows);
    facts_set_count(facts, "word_bytes", measure->content_bytes);
    facts_set_count(facts, "remembered_ids", measure->id_rows);
    facts_set_count(facts, "file_bytes", measure->file_bytes);
    facts_set_count(facts, "free_bytes", measure->free_bytes);
    facts_set_count(facts, "map_bytes", measure->map_bytes);
    facts_set_count(facts, "readers", measure->readers);
    facts_set_count(facts, "readers_max", measure->readers_max);
    return facts;
}

static void
print_rows(const struct reader *reader, const char *heading, const char *key, const json_t *rows)
{
    struct table *table = table_new();
    table_column(table, heading, TABLE_LEFT);
    table_column(table, "events", TABLE_RIGHT);
    table_column(table, "bytes", TABLE_RIGHT);
    size_t i;
    const json_t *row;
    json_array_foreach(rows, i, row)
    {
        table_row(table);
        table_cell_cstr(table, json_string_value(json_object_get(row, key)));
        table_cell_printf(table, "%" JSON_INTEGER_FORMAT,
                          json_integer_value(json_object_get(row, "events")));
        table_cell_printf(table, "%" JSON_INTEGER_FORMAT,
                          json_integer_value(json_object_get(row, "bytes")));
    }
    struct buf out = {0};
    bool refused = invocation_has(reader->invocation, "no-color");
    table_print(table, terminal_has_colour(STDOUT_FILENO, refused), &out);
    printf("\n%s", buf_cstr(&out));
    buf_fini(&out);
    table_free(table);
}

static void
print_stat(const struct reader *reader, const struct counting *counting,
           const struct log_measure *measure)
{
    json_t *facts = totals_of(counting, measure), *kinds = kinds_of(counting),
           *days = days_of(counting);
    if (reader_wants_json(reader)) {
        json_object_set(facts, "kinds", kinds);
        json_object_set(facts, "days", days);
        facts_print(reader, facts);
    } else {
        facts_print(reader, facts);
        print_rows(reader, "kind", "kind", kinds);
        print_rows(reader, "day", "day", days);
    }
    json_decref(kinds);
    json_decref(days);
}

int
command_stat(const struct invocation *invocation)
{
    struct reader reader;
    struct counting counting = {0};
    struct log_measure measure;
    int code = reader_open(&reader, invocation, 0);
    if (code == EXIT_DONE) {
        code = reader_find_names(&reader);
    }
    if (code == EXIT_DONE) {
        counting.zone = reader.zone;
        code = count_log(&reader, &counting);
    }
    if (code == EXIT_DONE) {
        enum rc rc = log_measure(reader.log, &measure);
        code = rc == RC_OK ? EXIT_DONE : reader_failed(rc, "cannot measure the log");
    }
    if (code == EXIT_DONE) {
        print_stat(&reader, &counting, &measure);
    }
    free(counting.days);
    reader_close(&reader);
    return code;
}
