/* chunk - the whole log in pieces: how backup, compact, export and verify read it, and how a new one is filled.
 *
 * Shape    a chunk is some whole batches, every content row in the range of their numbers, and, once the
 *          batches are at an end, remembered ids. It is read in one reader transaction that ends with the
 *          call, so a copy of any size holds up no page of a running daemon for longer than a chunk.
 *          The end is exact: nothing more of any kind was there in one and the same transaction. A call after
 *          the end looks again, so that a copy can follow a log that grows.
 *          Batches are checked as by a log_cursor, content rows only for lying within the log.
 * Units    about CHUNK_BYTES a chunk; event numbers; UTC milliseconds.
 * Errors   RC_END; RC_AGAIN at the end: content that was read is erased by now: log_chunks_erase_too(), then on;
 *          RC_CORRUPT and RC_NEWER with the place in log_chunks_error(); RC_REFUSED for a log in memory.
 * Owner    open/close. A chunk is borrowed from its reader until its next call.
 */
#ifndef STORE_CHUNK_H
#define STORE_CHUNK_H

#include "store/log.h"

enum { CHUNK_BYTES = 1 << 20, REMEMBERED_BYTES = 16 };

struct log_chunks;

struct chunk_batch {
    struct log_batch_view view;
    struct span bytes; /* the batch as it lies on disk */
};

struct chunk_id { /* a webhook id or idempotency key, as a checksum */
    uint8_t sum[REMEMBERED_BYTES];
    int64_t time_ms; /* when it was remembered */
};

struct log_chunk {
    const struct chunk_batch *batches;
    const struct log_content *content;
    const struct chunk_id *ids;
    uint32_t batch_count, content_count, id_count;
    size_t bytes; /* of all of these */
};

MUST_USE enum rc log_chunks_open(struct log *log, struct log_chunks **out_chunks);
/* What a log has more than a copy of its beginning. RC_REFUSED: it is no such copy. *out_chunks is also set then. */
MUST_USE enum rc log_chunks_open_after(struct log *log, struct log *copy,
                                       struct log_chunks **out_chunks);
MUST_USE enum rc log_chunks_next(struct log_chunks *chunks, struct log_chunk *out_chunk);
const char *log_chunks_error(const struct log_chunks *chunks);
void log_chunks_close(struct log_chunks *chunks);

/* After RC_AGAIN: deletes from the copy, made of the chunks so far, the content rows that the log has no more.
 * RC_CORRUPT when there are none. */
MUST_USE enum rc log_chunks_erase_too(struct log_chunks *chunks, struct log *copy,
                                      uint64_t *out_rows);

/* Puts a chunk into a log opened with LOG_CLAIM, in one commit, behind what it has. The log does not know what
 * came in this way: close it, then open it again. */
MUST_USE enum rc log_chunk_write(struct log *log, const struct log_chunk *chunk,
                                 const char **out_what);

/* The bytes of a batch as log_append() would have written it: for a log that comes back from text.
 * *checksum is that of the batch before, then that of this one. */
MUST_USE enum rc chunk_batch_encode(const struct log_batch_view *view, uint64_t *checksum,
                                    struct buf *out_bytes);

#endif
