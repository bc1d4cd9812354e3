/* import: a log from the text that export wrote, into a new directory, and proof that it is the same one. */
#include "tools/steplog/commands.h"
#include "tools/steplog/facts.h"
#include "tools/steplog/fresh.h"
#include "tools/steplog/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct importing {
    struct fresh fresh;
    struct arena *arena; /* the chunk being gathered */
    struct chunk_batch *batches;
    struct log_content *content;
    struct chunk_id *ids;
    struct log_chunk chunk;
    struct log_batch_view open; /* the batch whose events are coming; event_count 0: none */
    uint32_t open_events;       /* so many have come */
    struct buf events, bytes;
    uint64_t next_seq, checksum, batch_total;
    bool ended;
    char end_checksum[17], end_digest[17]; /* what the original's were */
    const char *why;
};

static bool
refuse(struct importing *importing, const char *why)
{
    importing->why = why;
    return false;
}

static bool
flush_chunk(struct importing *importing)
{
    importing->chunk.batches = importing->batches;
    importing->chunk.content = importing->content;
    importing->chunk.ids = importing->ids;
    const char *what;
    enum rc rc = log_chunk_write(importing->fresh.log, &importing->chunk, &what);
    arena_reset(importing->arena);
    importing->chunk = (struct log_chunk){0};
    importing->batches = NULL;
    importing->content = NULL;
    importing->ids = NULL;
    return rc == RC_OK || refuse(importing, what);
}

/* Every event of the open batch has come: it gets the bytes it had. */
static bool
close_batch(struct importing *importing)
{
    importing->open.events = buf_span(&importing->events);
    buf_clear(&importing->bytes);
    if (chunk_batch_encode(&importing->open, &importing->checksum, &importing->bytes) != RC_OK) {
        return refuse(importing, "out of memory");
    }
    struct log_chunk *chunk = &importing->chunk;
    importing->batches = arena_grow(importing->arena, importing->batches, chunk->batch_count,
                                    sizeof(*importing->batches));
    importing->batches[chunk->batch_count++] =
        (struct chunk_batch){.view = importing->open,
                             .bytes = arena_span(importing->arena, buf_span(&importing->bytes))};
    chunk->bytes += importing->bytes.len;
    importing->next_seq = importing->open.first_seq + importing->open.event_count;
    importing->batch_total++;
    importing->open.event_count = 0;
    return chunk->bytes < CHUNK_BYTES || flush_chunk(importing);
}

static bool
take_batch(struct importing *importing, const json_t *line)
{
    json_int_t first = json_integer_value(json_object_get(line, "batch"));
    json_int_t count = json_integer_value(json_object_get(line, "count"));
    if (importing->open.event_count != 0) {
        return refuse(importing, "the batch before lacks events");
    }
    if (first < 1 || (uint64_t)first != importing->next_seq || count < 1 || count > UINT32_MAX) {
        return refuse(importing, "this batch is not the next");
    }
    importing->open =
        (struct log_batch_view){.first_seq = (uint64_t)first,
                                .event_count = (uint32_t)count,
                                .time_ms = json_integer_value(json_object_get(line, "at_ms"))};
    importing->open_events = 0;
    buf_clear(&importing->events);
    return text_from_hex(json_string_value(json_object_get(line, "run_id")), importing->open.run_id,
                         LOG_RUN_ID_BYTES) ||
           refuse(importing, "this batch has no run id");
}

static bool
take_event(struct importing *importing, const json_t *line)
{
    const json_t *row = json_object_get(line, "row");
    struct span bytes;
    uint64_t seq = importing->open.first_seq + importing->open_events;
    if (importing->open.event_count == 0 ||
        json_integer_value(json_object_get(line, "seq")) != (json_int_t)seq) {
        return refuse(importing, "this event is not the next");
    }
    if (!text_from_base64(json_string_value(json_object_get(line, "bytes")), importing->arena,
                          &bytes)) {
        return refuse(importing, "this event has no bytes");
    }
    log_events_add(&importing->events, bytes);
    if (importing->events.len > LOG_BATCH_BYTES_MAX) {
        return refuse(importing, "this batch has more bytes than one may have");
    }
    if (row != NULL) {
        struct log_chunk *chunk = &importing->chunk;
        importing->content = arena_grow(importing->arena, importing->content, chunk->content_count,
                                        sizeof(*importing->content));
        struct log_content *content = &importing->content[chunk->content_count];
        content->seq = seq;
        if (!text_from_base64(json_string_value(row), importing->arena, &content->row)) {
            return refuse(importing, "the words of this event cannot be read");
        }
        chunk->content_count++;
        chunk->bytes += content->row.len;
    }
    importing->open_events++;
    return importing->open_events < importing->open.event_count || close_batch(importing);
}

static bool
take_id(struct importing *importing, const json_t *line)
{
    struct log_chunk *chunk = &importing->chunk;
    importing->ids =
        arena_grow(importing->arena, importing->ids, chunk->id_count, sizeof(*importing->ids));
    struct chunk_id *id = &importing->ids[chunk->id_count];
    id->time_ms = json_integer_value(json_object_get(line, "at_ms"));
    if (!text_from_hex(json_string_value(json_object_get(line, "id")), id->sum, REMEMBERED_BYTES)) {
        return refuse(importing, "this remembered id is none");
    }
    chunk->id_count++;
    chunk->bytes += sizeof(*id);
    /* a batch that is still open keeps its words in the arena */
    return importing->open.event_count != 0 || chunk->bytes < CHUNK_BYTES || flush_chunk(importing);
}

static bool
take_end(struct importing *importing, const json_t *line)
{
    const char *checksum = json_string_value(json_object_get(line, "checksum"));
    const char *digest = json_string_value(json_object_get(line, "digest"));
    if (importing->open.event_count != 0 ||
        json_integer_value(json_object_get(line, "end")) != (json_int_t)importing->next_seq - 1 ||
        checksum == NULL || digest == NULL) {
        return refuse(importing, "the end does not fit what came before it");
    }
    snprintf(importing->end_checksum, sizeof(importing->end_checksum), "%s", checksum);
    snprintf(importing->end_digest, sizeof(importing->end_digest), "%s", digest);
    importing->ended = true;
    return flush_chunk(importing);
}

static bool
take_head(struct importing *importing, const json_t *line)
{
    const char *word = json_string_value(json_object_get(line, "export"));
    if (word == NULL || strcmp(word, "stepd") != 0) {
        return refuse(importing, "this is no export of a log");
    }
    return json_integer_value(json_object_get(line, "version")) == TEXT_VERSION ||
           refuse(importing, "written by a newer version of steplog");
}

static bool
take_line(struct importing *importing, const json_t *line, uint64_t number)
{
    if (number == 1) {
        return take_head(importing, line);
    }
    if (importing->ended) {
        return refuse(importing, "there is something after the end");
    }
    if (json_object_get(line, "bytes") != NULL) {
        return take_event(importing, line);
    }
    if (json_object_get(line, "batch") != NULL) {
        return take_batch(importing, line);
    }
    if (json_object_get(line, "id") != NULL) {
        return take_id(importing, line);
    }
    return json_object_get(line, "end") != NULL
               ? take_end(importing, line)
               : refuse(importing, "this line is none of an export");
}

static int
read_lines(struct importing *importing, FILE *file)
{
    char *text = NULL;
    size_t capacity = 0;
    ssize_t len;
    uint64_t number = 0;
    while (importing->why == NULL && (len = getline(&text, &capacity, file)) > 0) {
        json_t *line = json_loadb(text, (size_t)len, 0, NULL);
        number++;
        if (line == NULL) {
            importing->why = "this is no JSON object";
        } else if (take_line(importing, line, number)) {
            importing->why = NULL;
        }
        json_decref(line);
    }
    free(text);
    if (importing->why == NULL && !importing->ended) {
        importing->why = "the file ends too early";
    }
    if (importing->why == NULL) {
        return EXIT_DONE;
    }
    fprintf(stderr, "steplog: line %" PRIu64 ": %s\n", number, importing->why);
    return EXIT_FAILED;
}

/* Reads the new log back, folds it, and holds it against what the export says of the original. */
static int
prove(struct importing *importing, struct reader *reader)
{
    struct engine *engine = reader_engine();
    int code = fresh_fold(&importing->fresh, reader->zones, engine);
    uint64_t events = engine_state(engine)->seq, digest = state_digest(engine_state(engine));
    engine_free(engine);
    if (code != EXIT_DONE) {
        return code;
    }
    char checksum_text[17], digest_text[17];
    snprintf(checksum_text, sizeof(checksum_text), "%016" PRIx64, importing->checksum);
    snprintf(digest_text, sizeof(digest_text), "%016" PRIx64, digest);
    if (strcmp(checksum_text, importing->end_checksum) != 0) {
        return reader_failed(RC_CORRUPT, "the events are not those that were exported");
    }
    if (strcmp(digest_text, importing->end_digest) != 0) {
        return reader_failed(RC_CORRUPT, "the state is not that of the log that was exported");
    }
    json_t *facts = json_object();
    facts_set_count(facts, "events", events);
    facts_set_count(facts, "batches", importing->batch_total);
    facts_set_digest(facts, digest);
    facts_print(reader, facts);
    return EXIT_DONE;
}

static int
import_file(FILE *file, const char *destination, struct reader *reader)
{
    struct importing importing = {.arena = arena_new(), .next_seq = 1};
    int code = fresh_open(&importing.fresh, destination);
    if (code == EXIT_DONE) {
        code = read_lines(&importing, file);
    }
    if (code == EXIT_DONE) {
        code = prove(&importing, reader);
    }
    if (code == EXIT_DONE) {
        code = fresh_finish(&importing.fresh);
    }
    fresh_close(&importing.fresh);
    buf_fini(&importing.events);
    buf_fini(&importing.bytes);
    arena_free(importing.arena);
    return code;
}

int
command_import(const struct invocation *invocation)
{
    const char *name = invocation->arguments[0];
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    if (file == NULL) {
        fprintf(stderr, "steplog: cannot open %s: %s\n", name, strerror(errno));
        return EXIT_NOT_FOUND;
    }
    struct reader reader = {.invocation = invocation, .zones = zones_new(NULL)};
    int code = import_file(file, invocation->arguments[1], &reader);
    reader_close(&reader);
    if (file != stdin) {
        fclose(file);
    }
    return code;
}
