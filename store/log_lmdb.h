/* log_lmdb - what the files beside log_lmdb.c need of an open environment: chunks and measures.
 *
 * Shape    the environment and its tables, to be used in transactions that end with the call.
 * Units    none.
 * Errors   false for a log in memory, which has no environment.
 * Owner    everything stays the backend's.
 */
#ifndef STORE_LOG_LMDB_H
#define STORE_LOG_LMDB_H

#include "store/log_backend.h"
#include <lmdb.h>

enum log_table { TABLE_BATCHES, TABLE_CONTENT, TABLE_IDS, TABLE_ID_TIMES, TABLE_COUNT };

struct lmdb_parts {
    MDB_env *env;
    MDB_dbi tables[TABLE_COUNT];
    const char *directory;
};

bool log_lmdb_parts(struct log_backend *backend, struct lmdb_parts *out_parts);

/* The files of two open logs are in each other's directories now: so are their claims. */
void log_lmdb_exchanged(struct log_backend *one, struct log_backend *other);

/* Puts an id into both its tables; one that was known before is known as of now. What LMDB says. */
int log_lmdb_remember(const MDB_dbi tables[TABLE_COUNT], MDB_txn *txn, const struct log_id *id,
                      int64_t time_ms);

/* Translates what LMDB says; *out_what (may be NULL) gets its words, "" for success. */
enum rc log_lmdb_rc(int code, const char **out_what);

#endif
