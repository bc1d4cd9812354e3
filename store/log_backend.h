/* log_backend - where a log keeps its bytes: on disk or in memory, behind one set of functions.
 *
 * Shape    log.c owns the meaning (numbers, checksums, expiry); a backend keeps rows and gives them
 *          back. A write takes batches that follow each other; it is all or nothing and, on disk, durable
 *          when it returns.
 * Units    event numbers; UTC milliseconds.
 * Errors   RC_NOT_FOUND for rows that are not there; RC_FENCED when the newest batch is not the one
 *          the caller knows; otherwise what the storage said, RC_FULL and RC_IO first.
 * Owner    log_backend.close() frees it. Rows are copied into the caller's buffers.
 * Threads  one thread writes, another may read meanwhile; each has its own text for what went wrong.
 */
#ifndef STORE_LOG_BACKEND_H
#define STORE_LOG_BACKEND_H

#include "store/log.h"
#include "store/log_mark.h"
#include "store/log_rows.h"

/* A remembered id is kept as 128 bits of checksum: fixed keys, and no text of anybody's. */
struct log_id {
    uint8_t bytes[16];
};

/* One encoded batch of a write. */
struct log_value {
    uint64_t key; /* its first number */
    size_t bytes;
};

/* What one append brings: all of it, or nothing, is in one commit. */
struct log_write {
    uint64_t newest_key; /* first number of the batch that must be the newest; 0: none */
    struct span batches; /* the values, one after the other */
    const struct log_value *values;
    uint32_t value_count;
    const struct log_content *content;
    uint32_t content_count;
    const uint64_t *erase; /* rows of content to delete, after those above are in */
    uint32_t erase_count;
    struct log_mark mark; /* kept beside the log once the write is durable */
    const struct log_id *ids;
    uint32_t id_count;
    int64_t time_ms;          /* remembered with the ids */
    int64_t forget_before_ms; /* ids remembered before this may go, a few a write */
};

enum log_seek {
    LOG_SEEK_FROM, /* the first batch whose key is >= the number */
    LOG_SEEK_HOLD, /* the last batch whose key is <= the number */
};

struct log_backend {
    enum rc (*write)(struct log_backend *backend, const struct log_write *const *writes,
                     uint32_t count);
    enum rc (*read_batch)(struct log_backend *backend, enum log_seek seek, uint64_t seq,
                          struct buf *out_bytes, uint64_t *out_key);
    enum rc (*read_content)(struct log_backend *backend, uint64_t seq, struct buf *out_row);
    /* The rows of the window that out_rows was begun with, as many as fit. RC_OK also when there are none. */
    enum rc (*read_batches)(struct log_backend *backend, struct log_rows *out_rows);
    enum rc (*read_contents)(struct log_backend *backend, struct log_rows *out_rows);
    enum rc (*read_id)(struct log_backend *backend, const struct log_id *id, int64_t *out_time_ms);
    /* How much of what may ever be kept is in use. */
    void (*room)(struct log_backend *backend, uint64_t *out_used_bytes, uint64_t *out_map_bytes);
    void (*close)(struct log_backend *backend);
    size_t page_bytes; /* values lie in pages of so many bytes (store/cut.h); 0: they do not */
    uint64_t inode, birth_ns;
    struct log_mark mark; /* as found when it was opened */
    /* What the storage said about the last failed reading (or opening) and the last failed writing;
     * "" for nothing. */
    const char *what, *write_what;
};

/* Appends the reason to out_error when it fails. */
MUST_USE enum rc log_lmdb_open(const char *directory, const struct log_options *options,
                               struct buf *out_error, struct log_backend **out_backend);
MUST_USE enum rc log_memory_open(struct log_backend **out_backend);

/* A log over a backend of the caller's own, which is taken: for tests with slow and failing disks. */
MUST_USE enum rc log_open_backend(struct log_backend *backend, const struct log_options *options,
                                  struct log **out_log);

/* What a log stands on: for the files of store/ that read or write it as a whole. */
struct log_backend *log_backend_of(struct log *log);

/* Two logs that end with the same batch, all of it durable, change what they stand on. The second has no
 * writer thread. */
void log_trade(struct log *log, struct log *other);

#endif
