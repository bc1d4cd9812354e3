#include "store/log_lmdb.h"

#include "store/batch.h"
#include "store/data_directory.h"
#include "store/log_mark.h"
#include "store/unborn.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* LMDB as it is safe (docs/adr/0001, docs/format.md): synchronous commits, no WRITEMAP, no NOSYNC, no
 * DUPSORT, a large sparse map, transactions that never outlive one call, one open a process. */
enum {
    FILE_MODE = 0600,
    SEQ_BYTES = 8,
    TIME_BYTES = 8,
    ID_BYTES = sizeof(struct log_id),
    FORGET_MIN = 8, /* ids forgotten with a write, beside two for every new one */
};
#define MAP_BYTES_DEFAULT ((size_t)64 << 30)
#define READER_CHECK_MS INT64_C(60000)
static const char *const TABLE_NAMES[TABLE_COUNT] = {"batches", "content", "ids", "id_times"};

struct lmdb {
    struct log_backend backend;
    MDB_env *env;
    MDB_dbi tables[TABLE_COUNT];
    char *directory;
    int claim_fd;               /* holds the lock; -1: not ours */
    int64_t readers_checked_ms; /* the writing thread's */
};

static struct lmdb *
lmdb_of(struct log_backend *backend)
{
    return (struct lmdb *)backend;
}

static enum rc
rc_from_lmdb(int code)
{
    switch (code) {
    case MDB_SUCCESS:
        return RC_OK;
    case MDB_NOTFOUND:
    case ENOENT:
        return RC_NOT_FOUND;
    case MDB_KEYEXIST:
        return RC_EXISTS;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
        return RC_FULL;
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_BAD_TXN:
        return RC_CORRUPT;
    case MDB_VERSION_MISMATCH:
        return RC_NEWER;
    case EACCES:
    case EPERM:
    case EROFS:
        return RC_REFUSED;
    case EAGAIN:
    case EBUSY:
        return RC_BUSY;
    case ENOMEM:
        return RC_NO_MEMORY;
    default:
        return RC_IO;
    }
}

/* LMDB's own words, but for what people meet. */
static const char *
words_of(int code)
{
    switch (code) {
    case MDB_SUCCESS:
        return "";
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return "log/data.mdb is no log of stepd's, or its first page is damaged; a backup restores "
               "it";
    default:
        return mdb_strerror(code);
    }
}

/* Keeps what LMDB said for log_error(). */
static enum rc
said(struct lmdb *lmdb, int code)
{
    lmdb->backend.what = words_of(code);
    return rc_from_lmdb(code);
}

static enum rc
said_writing(struct lmdb *lmdb, int code)
{
    lmdb->backend.write_what = code == MDB_SUCCESS ? "" : mdb_strerror(code);
    return rc_from_lmdb(code);
}

enum rc
log_lmdb_rc(int code, const char **out_what)
{
    if (out_what != NULL) {
        *out_what = code == MDB_SUCCESS ? "" : mdb_strerror(code);
    }
    return rc_from_lmdb(code);
}

static MDB_val
val_of(const void *data, size_t len)
{
    /* LMDB takes no const, but writes only through what it hands out itself */
    return (MDB_val){.mv_size = len, .mv_data = (void *)(uintptr_t)data};
}

/* ---- writing ---- */

static int
put_number(MDB_txn *txn, MDB_dbi table, uint64_t seq, struct span value, unsigned flags)
{
    uint8_t bytes[SEQ_BYTES];
    big_endian_put(bytes, seq, sizeof(bytes));
    MDB_val key = val_of(bytes, sizeof(bytes)), data = val_of(value.data, value.len);
    return mdb_put(txn, table, &key, &data, flags);
}

/* The key of the time index: time, then id, so that the oldest come first. */
static void
id_time_key(uint8_t out[TIME_BYTES + ID_BYTES], int64_t time_ms, const struct log_id *id)
{
    big_endian_put(out, (uint64_t)time_ms, TIME_BYTES);
    memcpy(out + TIME_BYTES, id->bytes, ID_BYTES);
}

int
log_lmdb_remember(const MDB_dbi tables[TABLE_COUNT], MDB_txn *txn, const struct log_id *id,
                  int64_t time_ms)
{
    uint8_t bytes[TIME_BYTES + ID_BYTES];
    MDB_val key = val_of(id->bytes, ID_BYTES), old, none = {0};
    int code = mdb_get(txn, tables[TABLE_IDS], &key, &old);
    if (code == MDB_SUCCESS && old.mv_size == TIME_BYTES) { /* known before, and long ago */
        id_time_key(bytes, (int64_t)big_endian_get(old.mv_data, TIME_BYTES), id);
        MDB_val stale = val_of(bytes, sizeof(bytes));
        code = mdb_del(txn, tables[TABLE_ID_TIMES], &stale, NULL);
    }
    if (code != MDB_SUCCESS && code != MDB_NOTFOUND) {
        return code;
    }
    id_time_key(bytes, time_ms, id);
    MDB_val time_key = val_of(bytes, sizeof(bytes)), time = val_of(bytes, TIME_BYTES);
    code = mdb_put(txn, tables[TABLE_IDS], &key, &time, 0);
    return code != MDB_SUCCESS ? code : mdb_put(txn, tables[TABLE_ID_TIMES], &time_key, &none, 0);
}

/* Drops the oldest ids, a bounded number of them, while they are older than the limit. */
static int
forget_ids(struct lmdb *lmdb, MDB_txn *txn, int64_t before_ms, uint32_t most)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int code = mdb_cursor_open(txn, lmdb->tables[TABLE_ID_TIMES], &cursor);
    while (code == MDB_SUCCESS && most-- > 0) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
        if (code != MDB_SUCCESS || key.mv_size != TIME_BYTES + ID_BYTES ||
            (int64_t)big_endian_get(key.mv_data, TIME_BYTES) >= before_ms) {
            break;
        }
        MDB_val id = val_of((const uint8_t *)key.mv_data + TIME_BYTES, ID_BYTES);
        code = mdb_del(txn, lmdb->tables[TABLE_IDS], &id, NULL);
        if (code == MDB_SUCCESS || code == MDB_NOTFOUND) {
            code = mdb_cursor_del(cursor, 0);
        }
    }
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

/* Somebody else wrote, or the lock file was removed under us: never append to what we do not know. */
static enum rc
check_newest(struct lmdb *lmdb, MDB_txn *txn, uint64_t newest_key)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int code = mdb_cursor_open(txn, lmdb->tables[TABLE_BATCHES], &cursor);
    if (code == MDB_SUCCESS) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
        mdb_cursor_close(cursor);
    }
    if (code != MDB_SUCCESS && code != MDB_NOTFOUND) {
        return said_writing(lmdb, code);
    }
    uint64_t found = 0;
    if (code == MDB_SUCCESS) {
        found = key.mv_size == SEQ_BYTES ? big_endian_get(key.mv_data, SEQ_BYTES) : UINT64_MAX;
    }
    lmdb->backend.write_what = found == newest_key ? "" : "another process appended to this log";
    return found == newest_key ? RC_OK : RC_FENCED;
}

static int
erase_rows(struct lmdb *lmdb, MDB_txn *txn, const struct log_write *write)
{
    int code = MDB_SUCCESS;
    for (uint32_t i = 0; code == MDB_SUCCESS && i < write->erase_count; i++) {
        uint8_t bytes[SEQ_BYTES];
        big_endian_put(bytes, write->erase[i], sizeof(bytes));
        MDB_val key = val_of(bytes, sizeof(bytes));
        code = mdb_del(txn, lmdb->tables[TABLE_CONTENT], &key, NULL);
        code = code == MDB_NOTFOUND ? MDB_SUCCESS : code; /* gone before, or never there */
    }
    return code;
}

static int
put_rows(struct lmdb *lmdb, MDB_txn *txn, const struct log_write *write)
{
    int code = MDB_SUCCESS;
    const uint8_t *batch = write->batches.data;
    for (uint32_t i = 0; code == MDB_SUCCESS && i < write->value_count; i++) {
        const struct log_value *value = &write->values[i];
        code = put_number(txn, lmdb->tables[TABLE_BATCHES], value->key,
                          span_of(batch, value->bytes), MDB_APPEND);
        batch += value->bytes;
    }
    for (uint32_t i = 0; code == MDB_SUCCESS && i < write->content_count; i++) {
        const struct log_content *content = &write->content[i];
        code = put_number(txn, lmdb->tables[TABLE_CONTENT], content->seq, content->row, MDB_APPEND);
    }
    if (code == MDB_SUCCESS) {
        code = erase_rows(lmdb, txn, write);
    }
    for (uint32_t i = 0; code == MDB_SUCCESS && i < write->id_count; i++) {
        code = log_lmdb_remember(lmdb->tables, txn, &write->ids[i], write->time_ms);
    }
    if (code == MDB_SUCCESS) {
        code = forget_ids(lmdb, txn, write->forget_before_ms, FORGET_MIN + 2 * write->id_count);
    }
    return code;
}

static enum rc
lmdb_write(struct log_backend *backend, const struct log_write *const *writes, uint32_t count)
{
    struct lmdb *lmdb = lmdb_of(backend);
    int64_t now_ms = writes[count - 1]->time_ms;
    MDB_txn *txn = NULL;
    enum rc rc = said_writing(lmdb, mdb_txn_begin(lmdb->env, NULL, 0, &txn));
    if (rc != RC_OK) {
        goto done;
    }
    rc = check_newest(lmdb, txn, writes[0]->newest_key);
    for (uint32_t i = 0; rc == RC_OK && i < count; i++) {
        rc = said_writing(lmdb, put_rows(lmdb, txn, writes[i]));
    }
    if (rc != RC_OK) {
        goto done;
    }
    rc = said_writing(lmdb, mdb_txn_commit(txn));
    txn = NULL; /* commit frees the transaction even when it fails */
    if (rc == RC_OK) {
        log_mark_write(lmdb->claim_fd, &writes[count - 1]->mark);
    }
    if (rc == RC_OK && now_ms - lmdb->readers_checked_ms >= READER_CHECK_MS) {
        lmdb->readers_checked_ms = now_ms; /* a killed reader keeps pages from reuse */
        mdb_reader_check(lmdb->env, NULL);
    }

done:
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    return rc;
}

/* ---- reading ---- */

static int
seek_batch(MDB_cursor *cursor, enum log_seek seek, uint64_t seq, MDB_val *key, MDB_val *value)
{
    uint8_t bytes[SEQ_BYTES];
    big_endian_put(bytes, seq, sizeof(bytes));
    *key = val_of(bytes, sizeof(bytes));
    int code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (seek == LOG_SEEK_FROM) {
        return code;
    }
    if (code == MDB_SUCCESS && key->mv_size == sizeof(bytes) &&
        memcmp(key->mv_data, bytes, sizeof(bytes)) == 0) {
        return code;
    }
    return code == MDB_SUCCESS || code == MDB_NOTFOUND
               ? mdb_cursor_get(cursor, key, value, code == MDB_SUCCESS ? MDB_PREV : MDB_LAST)
               : code;
}

static enum rc
lmdb_read_batch(struct log_backend *backend, enum log_seek seek, uint64_t seq,
                struct buf *out_bytes, uint64_t *out_key)
{
    struct lmdb *lmdb = lmdb_of(backend);
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    enum rc rc = said(lmdb, mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn));
    if (rc != RC_OK) {
        return rc;
    }
    rc = said(lmdb, mdb_cursor_open(txn, lmdb->tables[TABLE_BATCHES], &cursor));
    if (rc == RC_OK) {
        rc = said(lmdb, seek_batch(cursor, seek, seq, &key, &value));
        if (rc == RC_OK && key.mv_size != SEQ_BYTES) {
            lmdb->backend.what = "a key of the batches is no number";
            rc = RC_CORRUPT;
        }
        if (rc == RC_OK) {
            buf_clear(out_bytes);
            buf_append(out_bytes, value.mv_data, value.mv_size);
            rc = out_bytes->rc;
            *out_key = big_endian_get(key.mv_data, SEQ_BYTES);
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return rc;
}

static enum rc
get_row(struct lmdb *lmdb, enum log_table table, const void *key, size_t key_len, struct buf *out)
{
    MDB_txn *txn = NULL;
    enum rc rc = said(lmdb, mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn));
    if (rc != RC_OK) {
        return rc;
    }
    MDB_val wanted = val_of(key, key_len), value;
    rc = said(lmdb, mdb_get(txn, lmdb->tables[table], &wanted, &value));
    if (rc == RC_OK) {
        buf_clear(out);
        buf_append(out, value.mv_data, value.mv_size);
        rc = out->rc;
    }
    mdb_txn_abort(txn);
    return rc;
}

static enum rc
lmdb_read_content(struct log_backend *backend, uint64_t seq, struct buf *out_row)
{
    uint8_t key[SEQ_BYTES];
    big_endian_put(key, seq, sizeof(key));
    return get_row(lmdb_of(backend), TABLE_CONTENT, key, sizeof(key), out_row);
}

static enum rc
read_rows(struct lmdb *lmdb, enum log_table table, struct log_rows *out_rows)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    uint8_t first[SEQ_BYTES];
    MDB_val key = val_of(first, sizeof(first)), value;
    big_endian_put(first, out_rows->from, sizeof(first));
    enum rc rc = said(lmdb, mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn));
    if (rc != RC_OK) {
        return rc;
    }
    rc = said(lmdb, mdb_cursor_open(txn, lmdb->tables[table], &cursor));
    if (rc == RC_OK) {
        int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        while (code == MDB_SUCCESS) {
            if (key.mv_size != SEQ_BYTES) {
                lmdb->backend.what = "a key of the log is no number";
                rc = RC_CORRUPT;
                break;
            }
            uint64_t seq = big_endian_get(key.mv_data, SEQ_BYTES);
            if (seq > out_rows->to ||
                !log_rows_add(out_rows, seq, span_of(value.mv_data, value.mv_size))) {
                break;
            }
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
        if (rc == RC_OK && code != MDB_NOTFOUND) {
            rc = said(lmdb, code);
        }
        rc = rc == RC_OK ? out_rows->bytes.rc : rc;
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return rc;
}

static enum rc
lmdb_read_batches(struct log_backend *backend, struct log_rows *out_rows)
{
    return read_rows(lmdb_of(backend), TABLE_BATCHES, out_rows);
}

static enum rc
lmdb_read_contents(struct log_backend *backend, struct log_rows *out_rows)
{
    return read_rows(lmdb_of(backend), TABLE_CONTENT, out_rows);
}

static enum rc
lmdb_read_id(struct log_backend *backend, const struct log_id *id, int64_t *out_time_ms)
{
    struct lmdb *lmdb = lmdb_of(backend);
    struct buf row = {0};
    enum rc rc = get_row(lmdb, TABLE_IDS, id->bytes, ID_BYTES, &row);
    if (rc == RC_OK && row.len != TIME_BYTES) {
        lmdb->backend.what = "a remembered id has no time";
        rc = RC_CORRUPT;
    }
    if (rc == RC_OK) {
        *out_time_ms = (int64_t)big_endian_get(row.data, TIME_BYTES);
    }
    buf_fini(&row);
    return rc;
}

/* Pages on the free list count as used: how many there are is not known without reading it. */
static void
lmdb_room(struct log_backend *backend, uint64_t *out_used_bytes, uint64_t *out_map_bytes)
{
    struct lmdb *lmdb = lmdb_of(backend);
    MDB_envinfo info;
    MDB_stat stat;
    int code = mdb_env_info(lmdb->env, &info);
    assert(code == MDB_SUCCESS); /* they fail on NULL only */
    code = mdb_env_stat(lmdb->env, &stat);
    assert(code == MDB_SUCCESS);
    *out_used_bytes = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
    *out_map_bytes = info.me_mapsize;
}

/* ---- opening ---- */

static void
lmdb_close(struct log_backend *backend)
{
    struct lmdb *lmdb = lmdb_of(backend);
    if (lmdb->env != NULL) {
        mdb_env_close(lmdb->env);
    }
    if (lmdb->claim_fd >= 0) {
        close(lmdb->claim_fd); /* and with it the lock */
    }
    free(lmdb->directory);
    free(lmdb);
}

/* LMDB opens two files by their names, and a rename of their directory must not come between: it is led
 * to them by the open directory. */
static enum rc
open_env(struct lmdb *lmdb, int log_fd, size_t map_bytes, unsigned flags)
{
    struct buf path = {0};
    buf_printf(&path, "/proc/self/fd/%d", log_fd);
    enum rc rc = said(lmdb, mdb_env_create(&lmdb->env));
    if (rc == RC_OK) {
        rc = said(lmdb, mdb_env_set_maxdbs(lmdb->env, TABLE_COUNT));
    }
    if (rc == RC_OK) {
        rc = said(lmdb, mdb_env_set_mapsize(lmdb->env, map_bytes));
    }
    if (rc == RC_OK) {
        rc = said(lmdb, mdb_env_open(lmdb->env, buf_cstr(&path), flags | MDB_NOTLS, FILE_MODE));
    }
    if (rc != RC_OK && lmdb->env != NULL) {
        mdb_env_close(lmdb->env);
        lmdb->env = NULL;
    }
    buf_fini(&path);
    return rc;
}

/* Where the directory cannot be written, LMDB cannot register readers. Reading without is safe only
 * while nobody writes: then our own lock on the claim keeps it so. */
static enum rc
open_read_only(struct lmdb *lmdb, int log_fd, size_t map_bytes)
{
    enum rc rc = open_env(lmdb, log_fd, map_bytes, MDB_RDONLY);
    if (rc != RC_REFUSED) {
        return rc;
    }
    if (data_directory_look(lmdb->directory, &lmdb->claim_fd) == RC_BUSY) {
        lmdb->backend.what = "it is not writable for you and a daemon is writing to it";
        return RC_REFUSED;
    }
    return open_env(lmdb, log_fd, map_bytes, MDB_RDONLY | MDB_NOLOCK);
}

/* Again where compacting exchanged the log and removed the former one in between. */
static enum rc
open_log_files(struct lmdb *lmdb, const struct log_options *options, struct buf *error)
{
    enum { TRIES = 3 };
    size_t map_bytes = options->map_bytes != 0 ? options->map_bytes : MAP_BYTES_DEFAULT;
    enum rc rc = RC_OK;
    for (int i = 0; i < TRIES; i++) {
        int fd;
        rc = data_directory_open_log(lmdb->directory, &fd, error);
        if (rc != RC_OK) {
            return rc;
        }
        rc = options->mode == LOG_CLAIM ? open_env(lmdb, fd, map_bytes, 0)
                                        : open_read_only(lmdb, fd, map_bytes);
        bool moved = rc == RC_NOT_FOUND && !data_directory_log_is(lmdb->directory, fd);
        close(fd);
        if (!moved) {
            break;
        }
    }
    if (rc == RC_NOT_FOUND) {
        buf_printf(error, "there is no log in %s", lmdb->directory);
    }
    return rc;
}

static enum rc
open_tables(struct lmdb *lmdb, bool create)
{
    MDB_txn *txn = NULL;
    enum rc rc = said(lmdb, mdb_txn_begin(lmdb->env, NULL, create ? 0 : MDB_RDONLY, &txn));
    for (uint32_t i = 0; rc == RC_OK && i < TABLE_COUNT; i++) {
        rc = said(lmdb,
                  mdb_dbi_open(txn, TABLE_NAMES[i], create ? MDB_CREATE : 0, &lmdb->tables[i]));
    }
    if (rc == RC_OK) {
        rc = said(lmdb, mdb_txn_commit(txn)); /* also keeps the handles of a reader */
        txn = NULL;
    }
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    return rc;
}

/* LMDB 0.9.24 opens its data file without O_CLOEXEC, twice, and tells of one: look for both. */
static void
close_on_exec(struct lmdb *lmdb)
{
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        struct stat file;
        int fd = atoi(entry->d_name);
        if (fd > 2 && fstat(fd, &file) == 0 && (uint64_t)file.st_ino == lmdb->backend.inode) {
            fcntl(fd, F_SETFD, FD_CLOEXEC);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

static uint64_t
birth_of(int fd)
{
    struct statx file;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &file) != 0 ||
        (file.stx_mask & STATX_BTIME) == 0) {
        return 0;
    }
    return (uint64_t)file.stx_btime.tv_sec * 1000000000u + file.stx_btime.tv_nsec;
}

static enum rc
open_files(struct lmdb *lmdb, const struct log_options *options, struct buf *error)
{
    bool claim = options->mode == LOG_CLAIM;
    enum rc rc = open_log_files(lmdb, options, error);
    if (rc == RC_OK && claim) {
        rc = said(lmdb, mdb_reader_check(lmdb->env, NULL));
    }
    if (rc == RC_OK) {
        rc = open_tables(lmdb, claim);
    }
    int fd = -1;
    struct stat file;
    if (rc == RC_OK) {
        rc = said(lmdb, mdb_env_get_fd(lmdb->env, &fd));
    }
    if (rc == RC_OK && fstat(fd, &file) == 0) {
        lmdb->backend.inode = (uint64_t)file.st_ino;
        lmdb->backend.birth_ns = birth_of(fd);
        close_on_exec(lmdb);
        MDB_stat stat;
        lmdb->backend.page_bytes = mdb_env_stat(lmdb->env, &stat) == 0 ? stat.ms_psize : 0;
    }
    if (rc == RC_OK && claim) {
        rc = data_directory_sync(lmdb->directory);
    }
    if (rc != RC_OK && error->len == 0) {
        buf_printf(error, "cannot open the log in %s: %s", lmdb->directory, lmdb->backend.what);
    }
    return rc;
}

/* The directory is ours before anything in it is touched. */
static enum rc
take_directory(struct lmdb *lmdb, const struct log_options *options, struct buf *error)
{
    struct buf path = {0};
    enum rc rc = data_directory_make(lmdb->directory, error);
    if (rc == RC_OK) {
        rc = data_directory_claim(lmdb->directory, options->holder, &lmdb->claim_fd, error);
    }
    if (rc == RC_OK) {
        lmdb->backend.mark = log_mark_read(lmdb->claim_fd);
        buf_printf(&path, "%s/" DATA_DIRECTORY_LOG "/data.mdb", lmdb->directory);
        unborn_clear(buf_cstr(&path));
        buf_clear(&path);
        buf_printf(&path, "%s/" DATA_DIRECTORY_COMPACT, lmdb->directory);
        (void)data_directory_remove(buf_cstr(&path)); /* busy: somebody is compacting */
    }
    buf_fini(&path);
    return rc;
}

enum rc
log_lmdb_open(const char *directory, const struct log_options *options, struct buf *out_error,
              struct log_backend **out_backend)
{
    struct lmdb *lmdb = calloc(1, sizeof(*lmdb));
    char *own_directory = strdup(directory);
    if (lmdb == NULL || own_directory == NULL) {
        free(lmdb);
        free(own_directory);
        return RC_NO_MEMORY;
    }
    lmdb->claim_fd = -1;
    lmdb->directory = own_directory;
    lmdb->backend = (struct log_backend){
        .write = lmdb_write,
        .read_batch = lmdb_read_batch,
        .read_content = lmdb_read_content,
        .read_batches = lmdb_read_batches,
        .read_contents = lmdb_read_contents,
        .read_id = lmdb_read_id,
        .room = lmdb_room,
        .close = lmdb_close,
        .what = "",
        .write_what = "",
    };
    enum rc rc = RC_OK;
    if (options->mode == LOG_CLAIM) {
        rc = take_directory(lmdb, options, out_error);
    } else { /* before the log: a writer beside us goes on */
        lmdb->backend.mark = data_directory_mark(lmdb->directory);
    }
    if (rc == RC_OK) {
        rc = open_files(lmdb, options, out_error);
    }
    if (rc != RC_OK) {
        lmdb_close(&lmdb->backend);
        return rc;
    }
    *out_backend = &lmdb->backend;
    return RC_OK;
}

bool
log_lmdb_parts(struct log_backend *backend, struct lmdb_parts *out_parts)
{
    if (backend->close != lmdb_close) {
        return false;
    }
    const struct lmdb *lmdb = lmdb_of(backend);
    out_parts->env = lmdb->env;
    out_parts->directory = lmdb->directory;
    memcpy(out_parts->tables, lmdb->tables, sizeof(out_parts->tables));
    return true;
}

void
log_lmdb_exchanged(struct log_backend *one, struct log_backend *other)
{
    struct lmdb *a = lmdb_of(one), *b = lmdb_of(other);
    char *directory = a->directory;
    int claim_fd = a->claim_fd;
    a->directory = b->directory;
    a->claim_fd = b->claim_fd;
    b->directory = directory;
    b->claim_fd = claim_fd;
}
