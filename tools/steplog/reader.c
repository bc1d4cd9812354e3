#include "tools/steplog/reader.h"

#include "daemon/instant.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const char *
reader_directory(const struct invocation *invocation, unsigned own)
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
reader_open_as(struct reader *reader, const struct invocation *invocation, const char *directory,
               enum log_mode mode)
{
    *reader = (struct reader){.invocation = invocation, .directory = directory};
    const struct log_options options = {.mode = mode, .holder = "steplog"};
    enum rc rc = log_open(directory, &options, &reader->log);
    if (rc != RC_OK) {
        return reader_failed(rc, log_error(NULL));
    }
    reader->zones = zones_new(NULL);
    reader->zone = reader_zone(reader, NULL);
    return EXIT_DONE;
}

int
reader_open(struct reader *reader, const struct invocation *invocation, unsigned own)
{
    const char *directory = reader_directory(invocation, own);
    if (directory == NULL) {
        *reader = (struct reader){.invocation = invocation};
        return usage_error(invocation->program, "which data directory? give -d DIR");
    }
    return reader_open_as(reader, invocation, directory, LOG_READ);
}

bool
reader_is_left_behind(const struct reader *reader)
{
    struct buf path = {0};
    struct stat file;
    buf_printf(&path, "%s/log/data.mdb", reader->directory);
    bool other =
        stat(buf_cstr(&path), &file) == 0 && (uint64_t)file.st_ino != log_place(reader->log).inode;
    buf_fini(&path);
    return other;
}

int
reader_keep_up(struct reader *reader)
{
    const struct log_options options = {.mode = LOG_READ};
    if (!reader_is_left_behind(reader)) {
        return EXIT_DONE;
    }
    log_close(reader->log);
    reader->log = NULL;
    enum rc rc = log_open(reader->directory, &options, &reader->log);
    return rc == RC_OK ? EXIT_DONE : reader_failed(rc, log_error(NULL));
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

enum rc
reader_take_names(struct reader *reader, const struct event *event)
{
    struct definitions *definitions = NULL;
    if (event->kind != EVENT_DEFINITIONS_APPLIED || event->word_count == 0) {
        return RC_OK;
    }
    enum rc rc =
        definition_from_canonical(event->words[0], zones_source(reader->zones), &definitions);
    if (rc == RC_OK) {
        definitions_release(reader->definitions);
        reader->definitions = definitions;
        reader->zone = reader_zone(reader, definitions);
    }
    return rc;
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
    if (rc == RC_OK) {
        rc = reader_take_names(reader, &event);
    }
    arena_free(arena);
    return rc == RC_OK ? EXIT_DONE : reader_failed(rc, "the definitions in the log cannot be read");
}

int
reader_place(struct reader *reader, const char *option, uint64_t *out_seq, int64_t *out_ms)
{
    const char *text = invocation_option(reader->invocation, option);
    if (text == NULL || (read_number(text, out_seq) && *out_seq > 0)) {
        return EXIT_DONE;
    }
    if (reader->definitions == NULL) {
        int code = reader_find_names(reader);
        if (code != EXIT_DONE) {
            return code;
        }
    }
    if (instant_parse(span_cstr(text), reader->zone, out_ms) != RC_OK) {
        return usage_error(reader->invocation->program,
                           "--%s wants an event's number or a time such as "
                           "'2026-06-01 12:00', not '%s'",
                           option, text);
    }
    *out_seq = 0;
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
