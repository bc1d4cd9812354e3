/* Reading a log: one batch after the other, each held against the one before. */
#include "store/log_inside.h"

#include <stdlib.h>

enum { BATCHES_BYTES = 256 * 1024, ROWS_BYTES = 64 * 1024 }; /* read ahead by a cursor */

struct log_cursor {
    struct log *log;
    uint64_t from_seq;
    bool started;
    struct batch_view last;  /* once started */
    struct buf bytes;        /* the first batch */
    struct log_rows batches; /* those after it */
    struct log_rows rows;    /* of content, of the batch last read */
    size_t rows_bytes_max;
};

enum rc
log_cursor_open(struct log *log, uint64_t from_seq, struct log_cursor **out_cursor)
{
    if (log->dead != RC_OK) {
        return log->dead;
    }
    struct log_cursor *cursor = calloc(1, sizeof(*cursor));
    if (cursor == NULL) {
        return RC_NO_MEMORY;
    }
    cursor->log = log;
    cursor->from_seq = from_seq == 0 ? 1 : from_seq;
    *out_cursor = cursor;
    return RC_OK;
}

/* The first batch of a cursor must hold the number asked for; a log begins at 1. */
static enum rc
check_start(struct log_cursor *cursor, const struct batch_view *view)
{
    if (batch_last_seq(view) >= cursor->from_seq) {
        return RC_OK;
    }
    uint64_t key;
    struct buf next = {0};
    struct log_backend *backend = cursor->log->backend;
    enum rc rc = backend->read_batch(backend, LOG_SEEK_FROM, cursor->from_seq, &next, &key);
    buf_fini(&next);
    if (rc == RC_OK) {
        return log_fail_at(cursor->log, RC_CORRUPT, key, "events before it are missing");
    }
    return rc == RC_NOT_FOUND ? RC_END : log_fail_in_storage(cursor->log, rc, "reading");
}

/* Many small batches come in one transaction. */
static enum rc
read_ahead(struct log_cursor *cursor, struct span *out_bytes, uint64_t *out_key)
{
    struct log_backend *backend = cursor->log->backend;
    if (log_rows_next(&cursor->batches, out_key, out_bytes)) {
        return RC_OK;
    }
    log_rows_begin(&cursor->batches, cursor->last.header.first_seq + 1, UINT64_MAX, BATCHES_BYTES);
    enum rc rc = backend->read_batches(backend, &cursor->batches);
    if (rc != RC_OK) {
        return rc;
    }
    return log_rows_next(&cursor->batches, out_key, out_bytes) ? RC_OK : RC_NOT_FOUND;
}

static enum rc
read_next(struct log_cursor *cursor, struct span *out_bytes, uint64_t *out_key)
{
    struct log_backend *backend = cursor->log->backend;
    if (cursor->started) {
        return read_ahead(cursor, out_bytes, out_key);
    }
    enum rc rc =
        backend->read_batch(backend, LOG_SEEK_HOLD, cursor->from_seq, &cursor->bytes, out_key);
    if (rc == RC_NOT_FOUND) {
        rc = backend->read_batch(backend, LOG_SEEK_FROM, cursor->from_seq, &cursor->bytes, out_key);
        rc = rc == RC_OK
                 ? log_fail_at(cursor->log, RC_CORRUPT, *out_key, "events before it are missing")
                 : rc;
    }
    *out_bytes = buf_span(&cursor->bytes);
    return rc;
}

enum rc
log_cursor_next(struct log_cursor *cursor, struct log_batch_view *out_batch)
{
    struct log *log = cursor->log;
    uint64_t key = 0;
    struct span bytes;
    if (log->dead != RC_OK) {
        return log->dead;
    }
    enum rc rc = read_next(cursor, &bytes, &key);
    if (rc == RC_NOT_FOUND) {
        return log_is_queued(log,
                             cursor->started ? batch_last_seq(&cursor->last) + 1 : cursor->from_seq)
                   ? RC_AGAIN
                   : RC_END;
    }
    if (rc != RC_OK) {
        return key != 0 ? rc : log_fail_in_storage(log, rc, "reading a batch");
    }
    struct batch_view view;
    const char *why = NULL;
    rc = batch_decode(bytes, key, &view, &why);
    if (rc != RC_OK) {
        return log_fail_at(log, rc, key, why);
    }
    if (!cursor->started) {
        rc = check_start(cursor, &view);
        if (rc != RC_OK) {
            return rc == RC_END && log_is_queued(log, cursor->from_seq) ? RC_AGAIN : rc;
        }
    } else if ((why = batch_follows(&view, &cursor->last)) != NULL) {
        return log_fail_at(log, RC_CORRUPT, key, why);
    }
    cursor->started = true;
    cursor->last = view;
    cursor->rows.to = 0; /* rows of the batch before */
    *out_batch = (struct log_batch_view){
        .first_seq = view.header.first_seq,
        .event_count = view.header.event_count,
        .time_ms = view.header.time_ms,
        .events = view.events,
        .checksum = view.checksum,
    };
    memcpy(out_batch->run_id, view.header.run_id, LOG_RUN_ID_BYTES);
    return RC_OK;
}

/* Whoever asks for one row may be after that one only; whoever asks again walks through the batch. */
enum rc
log_cursor_content(struct log_cursor *cursor, uint64_t seq, struct span *out_row)
{
    struct log *log = cursor->log;
    if (log->dead != RC_OK) {
        return log->dead;
    }
    if (!log_rows_cover(&cursor->rows, seq)) {
        uint64_t last = cursor->started ? batch_last_seq(&cursor->last) : seq;
        log_rows_begin(&cursor->rows, seq, last > seq ? last : seq, cursor->rows_bytes_max);
        cursor->rows_bytes_max = ROWS_BYTES;
        enum rc rc = log->backend->read_contents(log->backend, &cursor->rows);
        if (rc != RC_OK) {
            cursor->rows.to = 0;
            return log_fail_in_storage(log, rc, "reading content");
        }
    }
    if (log_rows_find(&cursor->rows, seq, out_row)) {
        return RC_OK;
    }
    if (log_is_queued(log, seq)) {
        cursor->rows.to = 0; /* it may be there when we are asked again */
        return RC_AGAIN;
    }
    return RC_NOT_FOUND;
}

void
log_cursor_close(struct log_cursor *cursor)
{
    if (cursor == NULL) {
        return;
    }
    buf_fini(&cursor->bytes);
    log_rows_fini(&cursor->batches);
    log_rows_fini(&cursor->rows);
    free(cursor);
}
