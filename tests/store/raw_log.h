/* raw_log - logs made batch by batch, with any bytes: what damage, gaps and other versions leave behind.
 *
 * Shape    raw_log_read() gives every batch of a log as the bytes it is kept in; raw_log_begin(), _batch(),
 *          _content() and _end() put such bytes into a data directory without looking at them.
 * Units    event numbers.
 * Errors   Check's assertions.
 * Owner    raw_log_begin() opens, raw_log_end() closes; buffers are the caller's.
 */
#ifndef TESTS_STORE_RAW_LOG_H
#define TESTS_STORE_RAW_LOG_H

#include "store/batch.h"

#include <check.h>
#include <lmdb.h>

struct raw_log {
    MDB_env *env;
    MDB_txn *txn;
};

typedef void (*raw_batch_fn)(void *context, uint64_t key, struct span bytes);
typedef void (*raw_content_fn)(void *context, uint64_t seq, struct span row);

/* Every batch in order, each followed by its content rows. */
static inline void
raw_log_read(struct log *log, raw_batch_fn on_batch, raw_content_fn on_content, void *context)
{
    struct log_cursor *cursor = NULL;
    struct log_batch_view view;
    struct buf bytes = {0};
    uint64_t before = 0;
    enum rc rc;
    ck_assert_int_eq(log_cursor_open(log, 1, &cursor), RC_OK);
    while ((rc = log_cursor_next(cursor, &view)) == RC_OK) {
        struct batch_header header = {.first_seq = view.first_seq,
                                      .event_count = view.event_count,
                                      .time_ms = view.time_ms,
                                      .checksum_before = before};
        memcpy(header.run_id, view.run_id, LOG_RUN_ID_BYTES);
        buf_clear(&bytes);
        before = batch_encode(&header, view.events, &bytes);
        ck_assert_uint_eq(before, view.checksum);
        on_batch(context, view.first_seq, buf_span(&bytes));
        for (uint64_t seq = view.first_seq; seq < view.first_seq + view.event_count; seq++) {
            struct span row;
            rc = log_cursor_content(cursor, seq, &row);
            ck_assert(rc == RC_OK || rc == RC_NOT_FOUND);
            if (rc == RC_OK && on_content != NULL) {
                on_content(context, seq, row);
            }
        }
    }
    ck_assert_int_eq(rc, RC_END);
    buf_fini(&bytes);
    log_cursor_close(cursor);
}

static inline void
raw_log_begin(struct raw_log *raw, const char *directory)
{
    struct log *log = NULL;
    char path[256];
    const struct log_options options = {.mode = LOG_CLAIM};
    snprintf(path, sizeof(path), "%s/log", directory);
    ck_assert_int_eq(log_open(directory, &options, &log), RC_OK); /* makes the tables */
    log_close(log);
    ck_assert_int_eq(mdb_env_create(&raw->env), 0);
    ck_assert_int_eq(mdb_env_set_maxdbs(raw->env, 16), 0);
    ck_assert_int_eq(mdb_env_set_mapsize(raw->env, (size_t)1 << 30), 0);
    ck_assert_int_eq(mdb_env_open(raw->env, path, MDB_NOSYNC, 0600), 0);
    ck_assert_int_eq(mdb_txn_begin(raw->env, NULL, 0, &raw->txn), 0);
}

static inline void
raw_log_put(struct raw_log *raw, const char *table, uint64_t key, struct span bytes)
{
    MDB_dbi dbi;
    uint8_t number[8];
    big_endian_put(number, key, sizeof(number));
    MDB_val name = {.mv_size = sizeof(number), .mv_data = number};
    MDB_val value = {.mv_size = bytes.len, .mv_data = (void *)(uintptr_t)bytes.data};
    ck_assert_int_eq(mdb_dbi_open(raw->txn, table, 0, &dbi), 0);
    ck_assert_int_eq(mdb_put(raw->txn, dbi, &name, &value, 0), 0);
}

static inline void
raw_log_batch(void *raw, uint64_t key, struct span bytes)
{
    raw_log_put(raw, "batches", key, bytes);
}

static inline void
raw_log_content(void *raw, uint64_t seq, struct span row)
{
    raw_log_put(raw, "content", seq, row);
}

static inline void
raw_log_end(struct raw_log *raw)
{
    ck_assert_int_eq(mdb_txn_commit(raw->txn), 0);
    mdb_env_close(raw->env);
}

#endif
