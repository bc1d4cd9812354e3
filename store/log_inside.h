/* log_inside - what an open log is made of, for the two files that work on it.
 *
 * Shape    log.c opens, appends and looks up single rows; log_cursor.c reads batch after batch. Whoever else
 *          wants something of a log asks store/log.h.
 * Units    as store/log.h.
 * Errors   log_fail_at() and log_fail_in_storage() return the code they are given, and set what log_error()
 *          says.
 * Owner    log.c; a cursor borrows its log.
 */
#ifndef STORE_LOG_INSIDE_H
#define STORE_LOG_INSIDE_H

#include "store/batch.h"
#include "store/cut.h"
#include "store/id_table.h"
#include "store/writer.h"

struct log {
    struct log_backend *backend;
    struct writer *writer; /* NULL: a commit follows its append at once */
    enum log_mode mode;
    enum rc dead; /* RC_OK while alive; else why the log takes nothing more */
    uint8_t run_id[LOG_RUN_ID_BYTES];
    bool run_id_set;
    bool any;      /* newest is a batch */
    bool replaced; /* the mark beside the log names a batch that is not in it */
    struct batch_view newest;
    uint64_t durable; /* number up to which it is on stable storage, as last told */
    int64_t now_ms;   /* the latest time known: at open, then of each batch */
    log_durable_fn durable_fn;
    void *durable_context;
    struct buf error;
    struct buf scratch; /* the batches of one append, encoded */
    struct log_value *values;
    uint32_t value_count, value_capacity;
    struct cut cut;
    struct log_id *ids;
    uint32_t id_capacity;
    struct id_table
        queued_ids; /* with a writer: each id's event, of interest until it is durable */
};

/* A batch is not as it must be. */
MUST_USE enum rc log_fail_at(struct log *log, enum rc rc, uint64_t seq, const char *why);
/* The backend said rc while it was doing that. */
MUST_USE enum rc log_fail_in_storage(struct log *log, enum rc rc, const char *doing);

/* Nothing is stored under this number: is it still on its way? */
bool log_is_queued(const struct log *log, uint64_t seq);

#endif
