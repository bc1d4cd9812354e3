/* log - the event log: batches of events, appended, durable, read back verified.
 *
 * Shape    the events of one pass, encoded by the caller, are one or more batches, under consecutive
 *          numbers that start at 1. With them travel, in one commit, content rows (words kept apart
 *          from the events, keyed by event number) and ids to remember against duplicates.
 *          log_append() may return before durability; log_durable() says how far it has come and the
 *          callback tells when that moves. docs/format.md has the bytes of a batch. With a writer thread
 *          an append only queues, and what gathered during one commit goes into the next; without one the
 *          commit follows at once. Reads see what is committed: RC_AGAIN for what is still queued.
 * Units    UTC milliseconds; numbers of events; at most LOG_BATCH_BYTES_MAX of events a batch.
 * Errors   RC_BUSY (another daemon holds it), RC_CORRUPT (bytes that fail their check: the place is in
 *          log_error()), RC_NEWER, RC_FENCED (expected_seq is not the next number), RC_FULL, RC_IO.
 *          After a failed append the log is dead: every further call fails and the daemon stops. A
 *          writer's failure shows in log_poll() and in the next append; what follows it is never written.
 * Owner    opaque. Spans handed out are borrowed until the next call on the same cursor or log.
 * Threads  one thread calls; the writer thread is inside. Readers in other processes may open the same
 *          log with LOG_READ.
 */
#ifndef STORE_LOG_H
#define STORE_LOG_H

#include "engine/base/buf.h"

enum { LOG_BATCH_BYTES_MAX = 256 * 1024, LOG_RUN_ID_BYTES = 16 };

struct log;
struct log_cursor;

enum log_mode {
    LOG_READ,  /* look, beside a running daemon or without */
    LOG_CLAIM, /* the one writer: takes the lock, creates what is missing */
};

struct log_options {
    enum log_mode mode;
    size_t map_bytes;         /* size of the sparse map; 0: the default of 64 GiB */
    int64_t now_ms;           /* LOG_CLAIM: for the expiry of remembered ids */
    bool writer_thread;       /* LOG_CLAIM on disk: commit in a thread of its own */
    int64_t (*mono_us)(void); /* the clock of log_backlog.oldest_wait_us; NULL: always 0 */
    const char *holder; /* LOG_CLAIM: who we are, written into the claim for others; NULL: nobody */
};

/* directory NULL: a log in memory, for rehearsals and tests, with the same behaviour. */
MUST_USE enum rc log_open(const char *directory, const struct log_options *options,
                          struct log **out_log);
/* Writes what is queued first, unless the log is dead. */
void log_close(struct log *log);

/* What went wrong last, with its place, for people. Empty when nothing did. NULL asks for the last
 * log_open() of this thread that failed. */
const char *log_error(const struct log *log);

/* What tells this log from a copy or an older state of it (SPEC R45). In memory all is zero. */
struct log_place {
    uint64_t inode;    /* of the data file */
    uint64_t birth_ns; /* when that file was made; 0 where the file system does not say */
    bool replaced; /* the directory has held another log, or more of this one, than it does now */
};
struct log_place log_place(const struct log *log);

/* The run id stamped on every batch appended from now on. Must be set before the first append. */
void log_set_run_id(struct log *log, const uint8_t run_id[LOG_RUN_ID_BYTES]);

struct log_content {
    uint64_t seq; /* ascending within a batch */
    struct span row;
};

struct log_batch {
    int64_t time_ms;
    uint32_t event_count;
    struct span
        events; /* event_count encoded events, each preceded by its length (docs/format.md) */
    const struct log_content *content;
    uint32_t content_count;
    const struct span *ids; /* webhook ids and idempotency keys to remember */
    uint32_t id_count;
    const uint64_t *erase; /* events whose content rows go with this commit (SPEC R50, R51) */
    uint32_t erase_count;
};

uint64_t log_newest(const struct log *log);     /* number of the newest event appended; 0: none */
int64_t log_newest_time(const struct log *log); /* time of the newest batch; 0: none */
uint64_t log_durable(const struct log *log);    /* number up to which it is on stable storage */

/* Appends the events of one pass; the first has number expected_seq = log_newest() + 1. They lie in as many
 * batches as suit the disk, in order, and become durable together with all that came with them, or not at
 * all. Takes any amount: the caller stops taking in when log_backlog() says that the disk does not keep up. */
MUST_USE enum rc log_append(struct log *log, const struct log_batch *batch, uint64_t expected_seq);

/* Called when log_durable() has moved: from within log_append(), log_poll() or log_wait(). */
typedef void (*log_durable_fn)(void *context, uint64_t durable_seq);
void log_on_durable(struct log *log, log_durable_fn fn, void *context);

/* Readable when log_poll() has something to tell; -1 without a writer thread. */
int log_wake_fd(const struct log *log);
/* Moves log_durable() to where the writer is. What the log died of, else RC_OK. */
MUST_USE enum rc log_poll(struct log *log);
/* The same once all that was appended is durable: for the claim, which nothing may overtake. */
MUST_USE enum rc log_wait(struct log *log);

/* What was appended and is not durable as far as log_durable() knows. */
struct log_backlog {
    uint32_t batches;
    size_t bytes;
    int64_t oldest_wait_us;
};
struct log_backlog log_backlog(const struct log *log);

/* How much of the map is in use; an append that does not fit fails with RC_FULL. Free pages inside
 * count as used. In memory: none of a boundless map. */
void log_map(const struct log *log, uint64_t *out_used_bytes, uint64_t *out_map_bytes);

/* Remembered ids: kept for LOG_ID_DAYS, then dropped a few with every append. */
enum { LOG_ID_DAYS = 30 };
MUST_USE enum rc log_knows_id(struct log *log, struct span id, bool *out_known);

/* The content row of one event; RC_NOT_FOUND when there is none (never was, or erased), RC_AGAIN while
 * its batch is queued. */
MUST_USE enum rc log_read_content(struct log *log, uint64_t seq, struct buf *out_row);

/* One batch read back. Everything in it is borrowed from the cursor until its next call. */
struct log_batch_view {
    uint8_t run_id[LOG_RUN_ID_BYTES];
    uint64_t first_seq;
    uint32_t event_count;
    int64_t time_ms;
    struct span events;
    uint64_t checksum;
};

/* Reads forward from the batch that holds from_seq. Every batch is checked: checksum, chain to the
 * batch before (from the second batch on), numbers. A cursor holds no reader slot between calls. */
MUST_USE enum rc log_cursor_open(struct log *log, uint64_t from_seq,
                                 struct log_cursor **out_cursor);
MUST_USE enum rc log_cursor_next(struct log_cursor *cursor,
                                 struct log_batch_view *out_batch); /* RC_END, RC_AGAIN */
/* Content row of an event of the batch last read; RC_NOT_FOUND as log_read_content(). */
MUST_USE enum rc log_cursor_content(struct log_cursor *cursor, uint64_t seq, struct span *out_row);
void log_cursor_close(struct log_cursor *cursor);

/* Appends one encoded event with its length, as log_batch.events wants them. */
enum { LOG_LENGTH_BYTES = 4 };
void log_events_add(struct buf *events, struct span event);
/* The same for an event that is encoded in place, between the two calls. */
size_t log_events_open(struct buf *events);
void log_events_close(struct buf *events, size_t opened);
/* Walks the encoded events of a batch: RC_END after the last, RC_CORRUPT when lengths do not fit. Here to be
 * inlined: replay calls it twice for every event. */
MUST_USE static inline enum rc
log_events_next(struct span *rest, struct span *out_event)
{
    if (rest->len < LOG_LENGTH_BYTES) {
        return rest->len == 0 ? RC_END : RC_CORRUPT;
    }
    const uint8_t *at = rest->data;
    size_t length = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | (size_t)at[3];
    if (length > rest->len - LOG_LENGTH_BYTES) {
        return RC_CORRUPT;
    }
    *out_event = span_of(at + LOG_LENGTH_BYTES, length);
    *rest = span_of(at + LOG_LENGTH_BYTES + length, rest->len - LOG_LENGTH_BYTES - length);
    return RC_OK;
}

#endif
