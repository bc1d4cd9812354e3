#include "bench/raw.h"

#include "bench/bench_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_BYTES ((size_t)64 << 30)
enum { COPIES_A_COMMIT = 10000 };

void
raw_open(struct raw *raw, const char *directory)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/raw", directory);
    bench_check(mkdir(path, 0700) == 0, "mkdir");
    MDB_txn *txn;
    bench_check(mdb_env_create(&raw->env) == 0 && mdb_env_set_mapsize(raw->env, MAP_BYTES) == 0 &&
                    mdb_env_open(raw->env, path, 0, 0600) == 0 &&
                    mdb_txn_begin(raw->env, NULL, 0, &txn) == 0 &&
                    mdb_dbi_open(txn, NULL, 0, &raw->table) == 0 && mdb_txn_commit(txn) == 0,
                "the control's LMDB");
    raw->next = 1;
    raw->txn = NULL;
    snprintf(path, sizeof(path), "%s/append", directory);
    raw->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bench_check(raw->fd >= 0, "the control's file");
    raw->at = 0;
}

static void
raw_put(struct raw *raw, MDB_txn *txn, struct span value)
{
    uint8_t key[8];
    for (int i = 0; i < 8; i++) {
        key[i] = (uint8_t)(raw->next >> (56 - 8 * i));
    }
    MDB_val k = {8, key}, v = {value.len, (void *)(uintptr_t)value.data};
    bench_check(mdb_put(txn, raw->table, &k, &v, MDB_APPEND) == 0, "mdb_put");
    raw->next++;
}

double
raw_durable(struct raw *raw, size_t group, size_t bytes, int64_t slice_us)
{
    static const uint8_t value[4096];
    int64_t began_us = bench_now_us(), us = 0;
    uint64_t count = 0;
    while (us < slice_us) {
        MDB_txn *txn;
        bench_check(mdb_txn_begin(raw->env, NULL, 0, &txn) == 0, "mdb_txn_begin");
        for (size_t i = 0; i < group; i++) {
            raw_put(raw, txn, span_of(value, bytes));
        }
        bench_check(mdb_txn_commit(txn) == 0, "mdb_txn_commit");
        count += group;
        us = bench_now_us() - began_us;
    }
    return (double)count * 1e6 / (double)us;
}

size_t
raw_syncs(struct raw *raw, int64_t slice_us, double *out_us)
{
    static const uint8_t block[4096];
    size_t count = 0;
    int64_t began_us = bench_now_us(), now_us = began_us;
    while (now_us - began_us < slice_us) {
        int64_t from_us = now_us;
        bench_check(pwrite(raw->fd, block, sizeof(block), raw->at) == sizeof(block) &&
                        fdatasync(raw->fd) == 0,
                    "append + fdatasync");
        raw->at += (off_t)sizeof(block);
        now_us = bench_now_us();
        out_us[count++] = (double)(now_us - from_us);
    }
    return count;
}

void
raw_clear(struct raw *raw)
{
    MDB_txn *txn;
    bench_check(mdb_env_set_flags(raw->env, MDB_NOSYNC, 1) == 0 &&
                    mdb_txn_begin(raw->env, NULL, 0, &txn) == 0 &&
                    mdb_drop(txn, raw->table, 0) == 0 && mdb_txn_commit(txn) == 0,
                "mdb_drop");
    raw->next = 1;
}

void
raw_copy(struct raw *raw, struct span value)
{
    if (raw->next % COPIES_A_COMMIT == 0) {
        raw_copied(raw);
    }
    bench_check(raw->txn != NULL || mdb_txn_begin(raw->env, NULL, 0, &raw->txn) == 0,
                "mdb_txn_begin");
    raw_put(raw, raw->txn, value);
}

void
raw_copied(struct raw *raw)
{
    bench_check(raw->txn == NULL || mdb_txn_commit(raw->txn) == 0, "mdb_txn_commit");
    raw->txn = NULL;
}

double
raw_scan(struct raw *raw)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    uint64_t count = 0;
    uint64_t local = 0;
    int64_t began_us = bench_cpu_us();
    bench_check(mdb_txn_begin(raw->env, NULL, MDB_RDONLY, &txn) == 0 &&
                    mdb_cursor_open(txn, raw->table, &cursor) == 0,
                "the control's cursor");
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        const uint8_t *bytes = value.mv_data;
        for (size_t i = 0; i < value.mv_size; i += 8) {
            local += bytes[i];
        }
        count++;
    }
    bench_check(count == 0 || local > 0, "a scan of nothing"); /* so that the bytes are read */
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return (double)count / ((double)(bench_cpu_us() - began_us) / 1e6);
}

void
raw_close(struct raw *raw)
{
    mdb_env_close(raw->env);
    close(raw->fd);
}
