#include "store/chunk.h"

#include "engine/base/arena.h"
#include "store/batch.h"
#include "store/log_lmdb.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SEQ_BYTES = 8, TIME_BYTES = 8, ID_KEY_BYTES = TIME_BYTES + REMEMBERED_BYTES };

struct log_chunks {
    struct lmdb_parts parts;
    struct arena *arena; /* the chunk handed out last */
    struct chunk_batch *batches;
    struct log_content *content;
    struct chunk_id *ids;
    struct log_chunk chunk;
    bool any; /* a batch was read: last is it */
    struct batch_view last;
    uint64_t content_next; /* content rows are read from this number on */
    uint64_t content_rows; /* so many were read */
    bool any_id;
    uint8_t id_key[ID_KEY_BYTES]; /* the id read last */
    bool ended;
    struct buf error;
};

static MDB_val
val_of(const void *data, size_t len)
{
    return (MDB_val){.mv_size = len, .mv_data = (void *)(uintptr_t)data};
}

static enum rc
fail(struct log_chunks *chunks, enum rc rc, uint64_t seq, const char *why)
{
    buf_clear(&chunks->error);
    buf_printf(&chunks->error, "batch at event %" PRIu64 ": %s", seq, why);
    return rc;
}

static enum rc
said(struct log_chunks *chunks, int code)
{
    const char *what;
    enum rc rc = log_lmdb_rc(code, &what);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        buf_clear(&chunks->error);
        buf_printf(&chunks->error, "reading the log: %s", what);
    }
    return rc;
}

enum rc
log_chunks_open(struct log *log, struct log_chunks **out_chunks)
{
    struct lmdb_parts parts;
    if (!log_lmdb_parts(log_backend_of(log), &parts)) {
        return RC_REFUSED;
    }
    struct log_chunks *chunks = calloc(1, sizeof(*chunks));
    if (chunks == NULL) {
        return RC_NO_MEMORY;
    }
    chunks->parts = parts;
    chunks->arena = arena_new();
    chunks->content_next = 1;
    *out_chunks = chunks;
    return RC_OK;
}

void
log_chunks_close(struct log_chunks *chunks)
{
    if (chunks != NULL) {
        arena_free(chunks->arena);
        buf_fini(&chunks->error);
        free(chunks);
    }
}

const char *
log_chunks_error(const struct log_chunks *chunks)
{
    return chunks->error.len == 0 ? "" : (const char *)chunks->error.data;
}

static uint64_t
next_seq(const struct log_chunks *chunks)
{
    return chunks->any ? chunks->last.header.first_seq + chunks->last.header.event_count : 1;
}

/* One batch from under the cursor. */
static enum rc
take_batch(struct log_chunks *chunks, const MDB_val *key, const MDB_val *value)
{
    struct log_chunk *chunk = &chunks->chunk;
    if (key->mv_size != SEQ_BYTES) {
        return fail(chunks, RC_CORRUPT, next_seq(chunks), "a key of the batches is no number");
    }
    uint64_t seq = big_endian_get(key->mv_data, SEQ_BYTES);
    struct span bytes = arena_span(chunks->arena, span_of(value->mv_data, value->mv_size));
    struct batch_view view;
    const char *why = NULL;
    enum rc rc = batch_decode(bytes, seq, &view, &why);
    if (rc != RC_OK) {
        return fail(chunks, rc, seq, why);
    }
    why = chunks->any ? batch_follows(&view, &chunks->last)
          : seq != 1  ? "events before it are missing"
                      : NULL;
    if (why != NULL) {
        return fail(chunks, RC_CORRUPT, seq, why);
    }
    chunks->any = true;
    chunks->last = view;
    chunks->batches =
        arena_grow(chunks->arena, chunks->batches, chunk->batch_count, sizeof(*chunks->batches));
    struct chunk_batch *out = &chunks->batches[chunk->batch_count++];
    *out = (struct chunk_batch){.view = {.first_seq = seq,
                                         .event_count = view.header.event_count,
                                         .time_ms = view.header.time_ms,
                                         .events = view.events,
                                         .checksum = view.checksum},
                                .bytes = bytes};
    memcpy(out->view.run_id, view.header.run_id, LOG_RUN_ID_BYTES);
    chunk->bytes += bytes.len;
    return RC_OK;
}

/* Every content row up to the newest event read. */
static enum rc
take_content(struct log_chunks *chunks, MDB_cursor *cursor)
{
    struct log_chunk *chunk = &chunks->chunk;
    uint8_t from[SEQ_BYTES];
    big_endian_put(from, chunks->content_next, sizeof(from));
    MDB_val key = val_of(from, sizeof(from)), value;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; code == MDB_SUCCESS; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        uint64_t seq =
            key.mv_size == SEQ_BYTES ? big_endian_get(key.mv_data, SEQ_BYTES) : UINT64_MAX;
        if (seq >= next_seq(chunks)) {
            break;
        }
        if (seq < chunks->content_next) { /* damaged pages can lead in a circle */
            return fail(chunks, RC_CORRUPT, seq, "content rows are out of order");
        }
        chunks->content_next = seq + 1;
        struct span row = arena_span(chunks->arena, span_of(value.mv_data, value.mv_size));
        chunks->content = arena_grow(chunks->arena, chunks->content, chunk->content_count,
                                     sizeof(*chunks->content));
        chunks->content[chunk->content_count++] = (struct log_content){.seq = seq, .row = row};
        chunk->bytes += row.len;
    }
    chunks->content_next = next_seq(chunks);
    return code == MDB_SUCCESS || code == MDB_NOTFOUND ? RC_OK : said(chunks, code);
}

static enum rc
read_batches(struct log_chunks *chunks, MDB_txn *txn, bool *out_end)
{
    MDB_cursor *batches = NULL, *content = NULL;
    uint8_t from[SEQ_BYTES];
    /* At a key below the next number lies what was read, or what a damaged log has twice. */
    big_endian_put(from, chunks->any ? chunks->last.header.first_seq + 1 : 0, sizeof(from));
    MDB_val key = val_of(from, sizeof(from)), value;
    enum rc rc = said(chunks, mdb_cursor_open(txn, chunks->parts.tables[TABLE_BATCHES], &batches));
    if (rc == RC_OK) {
        rc = said(chunks, mdb_cursor_open(txn, chunks->parts.tables[TABLE_CONTENT], &content));
    }
    MDB_cursor_op op = MDB_SET_RANGE;
    while (rc == RC_OK && chunks->chunk.bytes < CHUNK_BYTES) {
        rc = said(chunks, mdb_cursor_get(batches, &key, &value, op));
        op = MDB_NEXT;
        if (rc == RC_OK) {
            rc = take_batch(chunks, &key, &value);
        }
        if (rc == RC_OK) {
            rc = take_content(chunks, content);
        }
    }
    *out_end = rc == RC_NOT_FOUND;
    mdb_cursor_close(content);
    mdb_cursor_close(batches);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc
read_ids(struct log_chunks *chunks, MDB_txn *txn, bool *out_end)
{
    struct log_chunk *chunk = &chunks->chunk;
    MDB_cursor *cursor = NULL;
    MDB_val key = val_of(chunks->id_key, ID_KEY_BYTES), value;
    int code = mdb_cursor_open(txn, chunks->parts.tables[TABLE_ID_TIMES], &cursor);
    if (code == MDB_SUCCESS) {
        code = mdb_cursor_get(cursor, &key, &value, chunks->any_id ? MDB_SET_RANGE : MDB_FIRST);
    }
    if (code == MDB_SUCCESS && chunks->any_id && key.mv_size == ID_KEY_BYTES &&
        memcmp(key.mv_data, chunks->id_key, ID_KEY_BYTES) == 0) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    while (code == MDB_SUCCESS && key.mv_size == ID_KEY_BYTES && chunk->bytes < CHUNK_BYTES) {
        if (chunks->any_id && memcmp(key.mv_data, chunks->id_key, ID_KEY_BYTES) <= 0) {
            mdb_cursor_close(cursor);
            return fail(chunks, RC_CORRUPT, next_seq(chunks), "remembered ids are out of order");
        }
        memcpy(chunks->id_key, key.mv_data, ID_KEY_BYTES);
        chunks->any_id = true;
        chunks->ids = arena_grow(chunks->arena, chunks->ids, chunk->id_count, sizeof(*chunks->ids));
        struct chunk_id *id = &chunks->ids[chunk->id_count++];
        id->time_ms = (int64_t)big_endian_get(chunks->id_key, TIME_BYTES);
        memcpy(id->sum, chunks->id_key + TIME_BYTES, REMEMBERED_BYTES);
        chunk->bytes += ID_KEY_BYTES;
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    *out_end = code == MDB_NOTFOUND;
    if (code == MDB_SUCCESS && key.mv_size != ID_KEY_BYTES) {
        return fail(chunks, RC_CORRUPT, next_seq(chunks), "a remembered id is none");
    }
    return code == MDB_SUCCESS || code == MDB_NOTFOUND ? RC_OK : said(chunks, code);
}

/* At the end every content row was seen, or rows were erased behind us, or some belong to no event. */
static enum rc
count_content(struct log_chunks *chunks, MDB_txn *txn)
{
    MDB_stat stat;
    enum rc rc = said(chunks, mdb_stat(txn, chunks->parts.tables[TABLE_CONTENT], &stat));
    if (rc != RC_OK || stat.ms_entries == chunks->content_rows) {
        return rc;
    }
    if (stat.ms_entries < chunks->content_rows) {
        return fail(chunks, RC_AGAIN, next_seq(chunks), "words were erased while it was read");
    }
    return fail(chunks, RC_CORRUPT, next_seq(chunks), "content rows that belong to no event");
}

enum rc
log_chunks_next(struct log_chunks *chunks, struct log_chunk *out_chunk)
{
    if (chunks->ended) {
        return RC_END;
    }
    MDB_txn *txn = NULL;
    enum rc rc = said(chunks, mdb_txn_begin(chunks->parts.env, NULL, MDB_RDONLY, &txn));
    if (rc != RC_OK) {
        return rc;
    }
    arena_reset(chunks->arena);
    chunks->chunk = (struct log_chunk){0};
    chunks->batches = NULL;
    chunks->content = NULL;
    chunks->ids = NULL;
    bool no_batches = false, no_ids = false;
    rc = read_batches(chunks, txn, &no_batches);
    if (rc == RC_OK && no_batches) {
        rc = read_ids(chunks, txn, &no_ids);
    }
    chunks->content_rows += chunks->chunk.content_count;
    if (rc == RC_OK && no_batches && no_ids) {
        chunks->ended = true;
        rc = count_content(chunks, txn);
    }
    mdb_txn_abort(txn);
    if (rc != RC_OK) {
        return rc;
    }
    chunks->chunk.batches = chunks->batches;
    chunks->chunk.content = chunks->content;
    chunks->chunk.ids = chunks->ids;
    *out_chunk = chunks->chunk;
    return chunks->chunk.bytes == 0 ? RC_END : RC_OK;
}

/* ---- writing ---- */

static int
put_number(MDB_txn *txn, MDB_dbi table, uint64_t seq, struct span bytes)
{
    uint8_t number[SEQ_BYTES];
    big_endian_put(number, seq, sizeof(number));
    MDB_val key = val_of(number, sizeof(number)), value = val_of(bytes.data, bytes.len);
    return mdb_put(txn, table, &key, &value, MDB_APPEND);
}

static int
put_id(MDB_txn *txn, const struct lmdb_parts *parts, const struct chunk_id *id)
{
    uint8_t bytes[ID_KEY_BYTES];
    big_endian_put(bytes, (uint64_t)id->time_ms, TIME_BYTES);
    memcpy(bytes + TIME_BYTES, id->sum, REMEMBERED_BYTES);
    MDB_val time_key = val_of(bytes, sizeof(bytes)), none = {0};
    MDB_val key = val_of(id->sum, REMEMBERED_BYTES), time = val_of(bytes, TIME_BYTES);
    int code = mdb_put(txn, parts->tables[TABLE_IDS], &key, &time, 0);
    return code != MDB_SUCCESS ? code
                               : mdb_put(txn, parts->tables[TABLE_ID_TIMES], &time_key, &none, 0);
}

enum rc
log_chunk_write(struct log *log, const struct log_chunk *chunk, const char **out_what)
{
    struct lmdb_parts parts;
    MDB_txn *txn = NULL;
    *out_what = "";
    if (!log_lmdb_parts(log_backend_of(log), &parts)) {
        return RC_REFUSED;
    }
    int code = mdb_txn_begin(parts.env, NULL, 0, &txn);
    for (uint32_t i = 0; code == MDB_SUCCESS && i < chunk->batch_count; i++) {
        code = put_number(txn, parts.tables[TABLE_BATCHES], chunk->batches[i].view.first_seq,
                          chunk->batches[i].bytes);
    }
    for (uint32_t i = 0; code == MDB_SUCCESS && i < chunk->content_count; i++) {
        code = put_number(txn, parts.tables[TABLE_CONTENT], chunk->content[i].seq,
                          chunk->content[i].row);
    }
    for (uint32_t i = 0; code == MDB_SUCCESS && i < chunk->id_count; i++) {
        code = put_id(txn, &parts, &chunk->ids[i]);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_txn_commit(txn);
        txn = NULL;
    }
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    return log_lmdb_rc(code, out_what);
}

enum rc
chunk_batch_encode(const struct log_batch_view *view, uint64_t *checksum, struct buf *out_bytes)
{
    struct batch_header header = {.first_seq = view->first_seq,
                                  .event_count = view->event_count,
                                  .time_ms = view->time_ms,
                                  .checksum_before = *checksum};
    memcpy(header.run_id, view->run_id, LOG_RUN_ID_BYTES);
    *checksum = batch_encode(&header, view->events, out_bytes);
    return out_bytes->rc;
}
