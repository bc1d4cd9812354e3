#include "store/measure.h"

#include "store/log_lmdb.h"

static uint64_t
pages_of(const MDB_stat *stat)
{
    return stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages;
}

/* LMDB keeps its free pages in table 0: each row is a list, its length first. */
static int
count_free(MDB_txn *txn, uint64_t *out_pages)
{
    enum { FREE_TABLE = 0 };
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int code = mdb_cursor_open(txn, FREE_TABLE, &cursor);
    while (code == MDB_SUCCESS &&
           (code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        size_t pages = 0;
        if (value.mv_size >= sizeof(pages)) {
            memcpy(&pages, value.mv_data, sizeof(pages));
        }
        *out_pages += pages;
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

/* One line a reader, after a line of headings. */
static int
count_reader(const char *line, void *context)
{
    uint32_t *count = context;
    *count += line[strspn(line, " ")] >= '0' && line[strspn(line, " ")] <= '9';
    return 0;
}

static int
measure(const struct lmdb_parts *parts, MDB_txn *txn, struct log_measure *out)
{
    MDB_envinfo info;
    MDB_stat env, batches, content, ids;
    uint64_t free_pages = 0;
    uint32_t readers = 0;
    int code = mdb_env_info(parts->env, &info);
    code = code != MDB_SUCCESS ? code : mdb_env_stat(parts->env, &env);
    code = code != MDB_SUCCESS ? code : mdb_stat(txn, parts->tables[TABLE_BATCHES], &batches);
    code = code != MDB_SUCCESS ? code : mdb_stat(txn, parts->tables[TABLE_CONTENT], &content);
    code = code != MDB_SUCCESS ? code : mdb_stat(txn, parts->tables[TABLE_IDS], &ids);
    code = code != MDB_SUCCESS ? code : count_free(txn, &free_pages);
    if (code == MDB_SUCCESS) {
        (void)mdb_reader_list(parts->env, count_reader, &readers);
        *out = (struct log_measure){.map_bytes = info.me_mapsize,
                                    .file_bytes = (info.me_last_pgno + 1) * env.ms_psize,
                                    .free_bytes = free_pages * env.ms_psize,
                                    .content_bytes = pages_of(&content) * env.ms_psize,
                                    .batch_rows = batches.ms_entries,
                                    .content_rows = content.ms_entries,
                                    .id_rows = ids.ms_entries,
                                    .readers = readers > 0 ? readers - 1 : 0 /* ourselves */,
                                    .readers_max = info.me_maxreaders};
    }
    return code;
}

enum rc
log_measure(struct log *log, struct log_measure *out_measure)
{
    struct lmdb_parts parts;
    MDB_txn *txn = NULL;
    if (!log_lmdb_parts(log_backend_of(log), &parts)) {
        return RC_REFUSED;
    }
    int code = mdb_txn_begin(parts.env, NULL, MDB_RDONLY, &txn);
    if (code == MDB_SUCCESS) {
        code = measure(&parts, txn, out_measure);
        mdb_txn_abort(txn);
    }
    return log_lmdb_rc(code, NULL);
}
