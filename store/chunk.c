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
    uint64_t batch_rows;           /* so many were read */
    uint64_t content_next;         /* content rows are read from this number on */
    uint64_t content_rows;         /* so many were read and are not known to be erased */
    uint8_t id_next[ID_KEY_BYTES]; /* remembered ids are read from this key on */
    uint64_t id_rows;              /* so many were read */
    size_t ids_txn;                /* in this state of the log; 0: none yet */
    bool ids_elsewhere; /* and in others, or not from the first: their number says nothing */
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

/* The batch with which the copy ends, as it is in this log. */
static enum rc
find_end(struct log_chunks *chunks, struct log *log, struct log *copy)
{
    uint64_t key, newest = log_newest(copy);
    struct buf bytes = {0}, of_copy = {0};
    struct batch_view view;
    const char *why = NULL;
    struct log_backend *backend = log_backend_of(log), *copied = log_backend_of(copy);
    enum rc rc = copied->read_batch(copied, LOG_SEEK_HOLD, newest, &of_copy, &key);
    if (rc == RC_OK) {
        rc = backend->read_batch(backend, LOG_SEEK_HOLD, newest, &bytes, &key);
    }
    if (rc == RC_OK) {
        rc = batch_decode(buf_span(&bytes), key, &view, &why);
    }
    if (rc == RC_OK && !span_equal(buf_span(&bytes), buf_span(&of_copy))) {
        rc = fail(chunks, RC_REFUSED, key, "it is another in the copy: that is of another log");
    } else if (rc != RC_OK) {
        rc = fail(chunks, rc, newest, why != NULL ? why : "it cannot be read");
    }
    if (rc == RC_OK) {
        view.events = (struct span){0};
        chunks->any = true;
        chunks->last = view;
        chunks->content_next = newest + 1;
        memset(chunks->id_next, UINT8_MAX, sizeof(chunks->id_next)); /* until a batch has some */
    }
    buf_fini(&bytes);
    buf_fini(&of_copy);
    return rc;
}

enum rc
log_chunks_open_after(struct log *log, struct log *copy, struct log_chunks **out_chunks)
{
    struct lmdb_parts parts;
    MDB_txn *txn = NULL;
    MDB_stat stat = {0}, batches = {0};
    enum rc rc = log_chunks_open(log, out_chunks);
    if (rc != RC_OK || log_newest(copy) == 0) {
        return rc;
    }
    if (!log_lmdb_parts(log_backend_of(copy), &parts)) {
        return RC_REFUSED;
    }
    rc = said(*out_chunks, mdb_txn_begin(parts.env, NULL, MDB_RDONLY, &txn));
    if (rc == RC_OK) {
        rc = said(*out_chunks, mdb_stat(txn, parts.tables[TABLE_CONTENT], &stat));
        if (rc == RC_OK) {
            rc = said(*out_chunks, mdb_stat(txn, parts.tables[TABLE_BATCHES], &batches));
        }
        mdb_txn_abort(txn);
    }
    (*out_chunks)->content_rows = stat.ms_entries;
    (*out_chunks)->batch_rows = batches.ms_entries;
    (*out_chunks)->ids_elsewhere = true;
    return rc == RC_OK ? find_end(*out_chunks, log, copy) : rc;
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
    chunks->batch_rows++;
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
    if (view.header.time_ms < (int64_t)big_endian_get(chunks->id_next, TIME_BYTES) ||
        chunks->id_next[0] == UINT8_MAX) {
        chunks->ids_elsewhere = true;
        memset(chunks->id_next, 0, sizeof(chunks->id_next));
        big_endian_put(chunks->id_next, (uint64_t)view.header.time_ms, TIME_BYTES);
    }
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

static void
go_behind(uint8_t id_next[ID_KEY_BYTES], const void *key)
{
    memcpy(id_next, key, ID_KEY_BYTES);
    for (size_t i = ID_KEY_BYTES; i-- > 0 && ++id_next[i] == 0;) {
    }
}

/* The two tables of ids say the same: neither has a checksum, so each is the other's. */
static enum rc
check_id(struct log_chunks *chunks, MDB_txn *txn, const uint8_t *time_key)
{
    MDB_val key = val_of(time_key + TIME_BYTES, REMEMBERED_BYTES), time;
    int code = mdb_get(txn, chunks->parts.tables[TABLE_IDS], &key, &time);
    if (code != MDB_SUCCESS && code != MDB_NOTFOUND) {
        return said(chunks, code);
    }
    bool same = code == MDB_SUCCESS && time.mv_size == TIME_BYTES &&
                memcmp(time.mv_data, time_key, TIME_BYTES) == 0;
    return same ? RC_OK
                : fail(chunks, RC_CORRUPT, next_seq(chunks),
                       "the tables of remembered ids contradict each other");
}

static enum rc
read_ids(struct log_chunks *chunks, MDB_txn *txn, bool *out_end)
{
    struct log_chunk *chunk = &chunks->chunk;
    MDB_cursor *cursor = NULL;
    MDB_val key = val_of(chunks->id_next, ID_KEY_BYTES), value;
    chunks->ids_elsewhere =
        chunks->ids_elsewhere || (chunks->ids_txn != 0 && chunks->ids_txn != mdb_txn_id(txn));
    chunks->ids_txn = mdb_txn_id(txn);
    int code = mdb_cursor_open(txn, chunks->parts.tables[TABLE_ID_TIMES], &cursor);
    if (code == MDB_SUCCESS) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    }
    enum rc rc = RC_OK;
    while (code == MDB_SUCCESS && key.mv_size == ID_KEY_BYTES && chunk->bytes < CHUNK_BYTES &&
           (rc = check_id(chunks, txn, key.mv_data)) == RC_OK) {
        const uint8_t *bytes = key.mv_data;
        if (memcmp(bytes, chunks->id_next, ID_KEY_BYTES) < 0) { /* as with content rows */
            mdb_cursor_close(cursor);
            return fail(chunks, RC_CORRUPT, next_seq(chunks), "remembered ids are out of order");
        }
        chunks->ids = arena_grow(chunks->arena, chunks->ids, chunk->id_count, sizeof(*chunks->ids));
        struct chunk_id *id = &chunks->ids[chunk->id_count++];
        id->time_ms = (int64_t)big_endian_get(bytes, TIME_BYTES);
        memcpy(id->sum, bytes + TIME_BYTES, REMEMBERED_BYTES);
        go_behind(chunks->id_next, bytes);
        chunks->id_rows++;
        chunk->bytes += ID_KEY_BYTES;
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    *out_end = code == MDB_NOTFOUND;
    if (rc != RC_OK) {
        return rc;
    }
    if (code == MDB_SUCCESS && key.mv_size != ID_KEY_BYTES) {
        return fail(chunks, RC_CORRUPT, next_seq(chunks), "a remembered id is none");
    }
    return code == MDB_SUCCESS || code == MDB_NOTFOUND ? RC_OK : said(chunks, code);
}

/* A page of which a part is from before may show fewer rows than its table has. */
static enum rc
count_batches(struct log_chunks *chunks, MDB_txn *txn)
{
    MDB_stat stat;
    enum rc rc = said(chunks, mdb_stat(txn, chunks->parts.tables[TABLE_BATCHES], &stat));
    return rc != RC_OK || stat.ms_entries == chunks->batch_rows
               ? rc
               : fail(chunks, RC_CORRUPT, next_seq(chunks),
                      "there are to be more batches than there are");
}

static enum rc
count_ids(struct log_chunks *chunks, MDB_txn *txn)
{
    MDB_stat ids = {0}, times = {0};
    enum rc rc = said(chunks, mdb_stat(txn, chunks->parts.tables[TABLE_IDS], &ids));
    if (rc == RC_OK) {
        rc = said(chunks, mdb_stat(txn, chunks->parts.tables[TABLE_ID_TIMES], &times));
    }
    bool all = chunks->ids_elsewhere || chunks->id_rows == times.ms_entries;
    return rc != RC_OK || (ids.ms_entries == times.ms_entries && all)
               ? rc
               : fail(chunks, RC_CORRUPT, next_seq(chunks),
                      "the tables of remembered ids contradict each other");
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
    if (rc == RC_OK && no_batches && no_ids && chunks->chunk.bytes == 0) {
        rc = count_batches(chunks, txn);
        rc = rc == RC_OK ? count_content(chunks, txn) : rc;
        rc = rc == RC_OK ? count_ids(chunks, txn) : rc;
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

/* ---- what was erased meanwhile ---- */

enum { LOOKED_AT_ONCE = 4096 };

/* Content rows of the copy from *next on: their numbers. */
static enum rc
list_rows(struct log_chunks *chunks, const struct lmdb_parts *copy, uint64_t *next, uint64_t *seqs,
          uint32_t *out_count)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    uint8_t from[SEQ_BYTES];
    big_endian_put(from, *next, sizeof(from));
    MDB_val key = val_of(from, sizeof(from)), value;
    *out_count = 0;
    int code = mdb_txn_begin(copy->env, NULL, MDB_RDONLY, &txn);
    if (code == MDB_SUCCESS) {
        code = mdb_cursor_open(txn, copy->tables[TABLE_CONTENT], &cursor);
    }
    for (MDB_cursor_op op = MDB_SET_RANGE; code == MDB_SUCCESS && *out_count < LOOKED_AT_ONCE;
         op = MDB_NEXT) {
        code = mdb_cursor_get(cursor, &key, &value, op);
        if (code == MDB_SUCCESS && key.mv_size == SEQ_BYTES) {
            seqs[(*out_count)++] = big_endian_get(key.mv_data, SEQ_BYTES);
            *next = seqs[*out_count - 1] + 1;
        }
    }
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    return code == MDB_NOTFOUND ? RC_OK : said(chunks, code);
}

/* Keeps those that the log has no more. */
static enum rc
keep_erased(struct log_chunks *chunks, uint64_t *seqs, uint32_t *count)
{
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(chunks->parts.env, NULL, MDB_RDONLY, &txn);
    uint32_t kept = 0;
    for (uint32_t i = 0; code == MDB_SUCCESS && i < *count; i++) {
        uint8_t number[SEQ_BYTES];
        big_endian_put(number, seqs[i], sizeof(number));
        MDB_val key = val_of(number, sizeof(number)), value;
        code = mdb_get(txn, chunks->parts.tables[TABLE_CONTENT], &key, &value);
        if (code == MDB_NOTFOUND) {
            seqs[kept++] = seqs[i];
            code = MDB_SUCCESS;
        }
    }
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    *count = kept;
    return said(chunks, code);
}

static enum rc
delete_rows(struct log_chunks *chunks, const struct lmdb_parts *copy, const uint64_t *seqs,
            uint32_t count)
{
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(copy->env, NULL, 0, &txn);
    for (uint32_t i = 0; code == MDB_SUCCESS && i < count; i++) {
        uint8_t number[SEQ_BYTES];
        big_endian_put(number, seqs[i], sizeof(number));
        MDB_val key = val_of(number, sizeof(number));
        code = mdb_del(txn, copy->tables[TABLE_CONTENT], &key, NULL);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_txn_commit(txn);
    } else if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    return said(chunks, code);
}

enum rc
log_chunks_erase_too(struct log_chunks *chunks, struct log *copy, uint64_t *out_rows)
{
    struct lmdb_parts parts;
    uint64_t seqs[LOOKED_AT_ONCE], next = 0, erased = 0;
    uint32_t count = LOOKED_AT_ONCE;
    if (!log_lmdb_parts(log_backend_of(copy), &parts)) {
        return RC_REFUSED;
    }
    enum rc rc = RC_OK;
    for (bool more = true; rc == RC_OK && more;) {
        rc = list_rows(chunks, &parts, &next, seqs, &count);
        more = count == LOOKED_AT_ONCE;
        if (rc == RC_OK) {
            rc = keep_erased(chunks, seqs, &count);
        }
        if (rc == RC_OK && count > 0) {
            rc = delete_rows(chunks, &parts, seqs, count);
            erased += count;
            chunks->content_rows -= count;
        }
    }
    *out_rows = erased;
    return rc != RC_OK || erased > 0
               ? rc
               : fail(chunks, RC_CORRUPT, next_seq(chunks), "the content rows are miscounted");
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
        struct log_id id;
        memcpy(id.bytes, chunk->ids[i].sum, sizeof(id.bytes));
        code = log_lmdb_remember(parts.tables, txn, &id, chunk->ids[i].time_ms);
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
