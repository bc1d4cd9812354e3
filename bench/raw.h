/* raw - the controls of bench_log: LMDB with one record an event, and a file with no database at all.
 *
 * Shape    raw_durable() and raw_syncs() write for a slice of time, as a program without checksums, chain,
 *          state or thread would; raw_copy() stores given events, raw_scan() walks over all of them.
 * Units    microseconds of the monotonic clock; bytes.
 * Errors   a control that fails ends the program with a line on stderr.
 * Owner    raw_open()/raw_close(); the files lie in the directory given.
 */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H

#include "engine/base/span.h"
#include <lmdb.h>
#include <sys/types.h>

struct raw {
    MDB_env *env;
    MDB_dbi table;
    MDB_txn *txn; /* of raw_copy(), between two commits */
    uint64_t next;
    int fd; /* of the file that is appended to without any database */
    off_t at;
};

void raw_open(struct raw *raw, const char *directory);
void raw_close(struct raw *raw);

/* Events a second: `group` records of `bytes` each with MDB_APPEND in a synchronous transaction. */
double raw_durable(struct raw *raw, size_t group, size_t bytes, int64_t slice_us);
/* Appends 4 KiB and makes sure of it, again and again; the time of each. Returns how many. */
size_t raw_syncs(struct raw *raw, int64_t slice_us, double *out_us);

/* Empties the table and fills it with the events of raw_copy(), up to raw_copied(); not synced. */
void raw_clear(struct raw *raw);
void raw_copy(struct raw *raw, struct span value);
void raw_copied(struct raw *raw);
/* Records a second, every byte of them looked at. */
double raw_scan(struct raw *raw);

#endif
