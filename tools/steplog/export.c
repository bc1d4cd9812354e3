/* export: the log as text, a JSON object a line; docs/format.md says what each line holds. */
#include "store/chunk.h"
#include "tools/steplog/commands.h"
#include "tools/steplog/progress.h"
#include "tools/steplog/reader.h"
#include "tools/steplog/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct exporting {
    struct reader *reader;
    struct arena *arena; /* the words of one event */
    bool words;          /* false: nobody's words, but the definitions' */
    uint64_t newest, batches, checksum;
    struct progress progress;
};

static void
print_line(json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
}

static void
print_batch(const struct log_batch_view *batch)
{
    char run_id[2 * LOG_RUN_ID_BYTES + 1];
    text_hex(span_of(batch->run_id, LOG_RUN_ID_BYTES), run_id);
    print_line(json_pack("{s:I,s:i,s:I,s:s}", "batch", (json_int_t)batch->first_seq, "count",
                         (int)batch->event_count, "at_ms", (json_int_t)batch->time_ms, "run_id",
                         run_id));
}

/* The event for people, and beside it its bytes and the row of its words as they are. */
static enum rc
print_event(struct exporting *exporting, struct span bytes, uint64_t seq, int64_t at_ms,
            struct span row)
{
    struct event_decoded decoded = {0};
    enum rc rc = event_decode(bytes, seq, at_ms, &decoded);
    if (rc != RC_OK && rc != RC_NOT_YET) {
        return rc;
    }
    bool keep = exporting->words || decoded.event.kind == EVENT_DEFINITIONS_APPLIED;
    arena_reset(exporting->arena);
    rc = !decoded.has_words
             ? RC_OK
             : event_attach_words(&decoded, keep ? row : (struct span){0}, exporting->arena);
    if (rc != RC_OK) {
        return rc;
    }
    json_t *json =
        event_to_json(&decoded.event, exporting->reader->definitions, exporting->reader->zone);
    json_object_set_new(json, "bytes", text_base64(bytes));
    if (keep && row.len > 0) {
        json_object_set_new(json, "row", text_base64(row));
    }
    print_line(json);
    return RC_OK;
}

static enum rc
print_chunk(struct exporting *exporting, const struct log_chunk *chunk, struct buf *error)
{
    uint32_t row = 0;
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < chunk->batch_count; i++) {
        const struct log_batch_view *batch = &chunk->batches[i].view;
        struct span rest = batch->events, bytes;
        uint64_t seq = batch->first_seq;
        print_batch(batch);
        for (; log_events_next(&rest, &bytes) == RC_OK; seq++) {
            bool has_row = row < chunk->content_count && chunk->content[row].seq == seq;
            rc = print_event(exporting, bytes, seq, batch->time_ms,
                             has_row ? chunk->content[row].row : (struct span){0});
            row += has_row;
            if (rc != RC_OK) {
                buf_printf(error, "event %" PRIu64 ": %s", seq,
                           rc == RC_NEWER ? "written by a newer version of stepd"
                                          : "it or its words do not match their checksum");
                return rc;
            }
        }
        exporting->batches++;
        exporting->newest = seq - 1;
        exporting->checksum = batch->checksum;
        progress_show(&exporting->progress, seq, 0);
    }
    for (uint32_t i = 0; i < chunk->id_count; i++) {
        char sum[2 * REMEMBERED_BYTES + 1];
        text_hex(span_of(chunk->ids[i].sum, REMEMBERED_BYTES), sum);
        print_line(json_pack("{s:s,s:I}", "id", sum, "at_ms", (json_int_t)chunk->ids[i].time_ms));
    }
    return RC_OK;
}

static enum rc
print_chunks(struct exporting *exporting, struct buf *error)
{
    struct log_chunks *chunks = NULL;
    struct log_chunk chunk;
    enum rc rc = log_chunks_open(exporting->reader->log, &chunks);
    while (rc == RC_OK && (rc = log_chunks_next(chunks, &chunk)) == RC_OK) {
        rc = print_chunk(exporting, &chunk, error);
    }
    if (chunks != NULL && error->len == 0) {
        buf_append_cstr(error, log_chunks_error(chunks));
    }
    log_chunks_close(chunks);
    /* Words erased behind us: they are in the text, as they are in an older backup. Say it by failing. */
    return rc == RC_END ? RC_OK : rc;
}

/* The last line, by which a cut-off file is known and an import can be held against the original. */
static int
print_end(struct exporting *exporting)
{
    struct engine *engine = reader_engine();
    struct buf error = {0};
    const struct replay_options options = {.log = exporting->reader->log,
                                           .engine = engine,
                                           .zones = zones_source(exporting->reader->zones),
                                           .until_seq = exporting->newest};
    enum rc rc = replay_run(&options, &error);
    if (rc == RC_OK) {
        char checksum[17], digest[17];
        snprintf(checksum, sizeof(checksum), "%016" PRIx64, exporting->checksum);
        snprintf(digest, sizeof(digest), "%016" PRIx64, state_digest(engine_state(engine)));
        print_line(json_pack("{s:I,s:I,s:s,s:s}", "end", (json_int_t)exporting->newest, "batches",
                             (json_int_t)exporting->batches, "checksum", checksum, "digest",
                             digest));
    }
    int code = rc == RC_OK ? EXIT_DONE : reader_failed(rc, buf_cstr(&error));
    buf_fini(&error);
    engine_free(engine);
    return code;
}

static int
export_log(struct exporting *exporting)
{
    struct buf error = {0};
    print_line(json_pack("{s:s,s:i,s:b}", "export", "stepd", "version", TEXT_VERSION, "words",
                         (int)exporting->words));
    progress_begin(&exporting->progress, "exporting", log_newest(exporting->reader->log));
    enum rc rc = print_chunks(exporting, &error);
    progress_end(&exporting->progress);
    int code = rc == RC_OK ? EXIT_DONE : reader_failed(rc, buf_cstr(&error));
    buf_fini(&error);
    if (code == EXIT_DONE && exporting->newest > 0) {
        code = print_end(exporting);
    }
    if (code == EXIT_DONE && (fflush(stdout) != 0 || ferror(stdout) != 0)) {
        code = reader_failed(RC_IO, "the text cannot be written");
    }
    return code;
}

int
command_export(const struct invocation *invocation)
{
    struct reader reader;
    int code = reader_open(&reader, invocation, 0);
    if (code == EXIT_DONE) {
        code = reader_find_names(&reader);
    }
    if (code == EXIT_DONE) {
        struct exporting exporting = {.reader = &reader,
                                      .arena = arena_new(),
                                      .words = !invocation_has(invocation, "no-words")};
        code = export_log(&exporting);
        arena_free(exporting.arena);
    }
    reader_close(&reader);
    return code;
}
