#include "store/exchange.h"

#include "store/chunk.h"
#include "store/data_directory.h"
#include "store/log_lmdb.h"

#include <stdlib.h>
#include <sys/stat.h>

struct exchange {
    struct log *log;
    struct log *other; /* the copy; once traded, what the log stood on before */
    struct buf directory, part;
    bool finished;
};

/* Opening it to write would make what is not there. */
static enum rc
find_copy(struct exchange *exchange, struct buf *error)
{
    struct buf path = {0};
    struct stat file;
    buf_printf(&path, "%s/" DATA_DIRECTORY_LOG "/data.mdb", buf_cstr(&exchange->part));
    bool found = stat(buf_cstr(&path), &file) == 0;
    buf_fini(&path);
    if (!found) {
        buf_append_cstr(error, "there is no copy to go on with; 'steplog compact' makes one");
    }
    return found ? RC_OK : RC_NOT_FOUND;
}

static enum rc
open_copy(struct exchange *exchange, size_t map_bytes, struct buf *error)
{
    const struct log_options options = {.mode = LOG_CLAIM, .map_bytes = map_bytes};
    enum rc rc = log_open(buf_cstr(&exchange->part), &options, &exchange->other);
    if (rc != RC_OK) {
        buf_append_cstr(error, log_error(NULL));
    }
    return rc;
}

/* Puts behind the copy what the log has more. */
static enum rc
copy_tail(struct exchange *exchange, struct buf *error)
{
    struct log_chunks *chunks = NULL;
    struct log_chunk chunk;
    size_t bytes = 0;
    const char *what = "";
    enum rc rc = log_chunks_open_after(exchange->log, exchange->other, &chunks);
    while (rc == RC_OK && (rc = log_chunks_next(chunks, &chunk)) == RC_OK) {
        rc = log_chunk_write(exchange->other, &chunk, &what);
        bytes += chunk.bytes;
        if (rc == RC_OK && bytes > EXCHANGE_TAIL_BYTES_MAX) {
            what = "the copy is too far behind";
            rc = RC_AGAIN;
        }
    }
    if (rc != RC_END) {
        buf_append_cstr(error, what[0] != '\0'  ? what
                               : chunks != NULL ? log_chunks_error(chunks)
                                                : rc_name(rc));
    }
    log_chunks_close(chunks);
    return rc == RC_END ? RC_OK : rc;
}

enum rc
exchange_begin(struct log *log, struct exchange **out_exchange, struct buf *error)
{
    struct lmdb_parts parts;
    uint64_t used, map_bytes;
    if (!log_lmdb_parts(log_backend_of(log), &parts)) {
        buf_append_cstr(error, "a log in memory has no files");
        return RC_REFUSED;
    }
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL) {
        return RC_NO_MEMORY;
    }
    exchange->log = log;
    buf_append_cstr(&exchange->directory, parts.directory);
    buf_printf(&exchange->part, "%s/" DATA_DIRECTORY_COMPACT, parts.directory);
    log_map(log, &used, &map_bytes);
    enum rc rc = find_copy(exchange, error);
    if (rc == RC_OK) {
        rc = log_wait(log);
    }
    if (rc == RC_OK) {
        rc = open_copy(exchange, (size_t)map_bytes, error);
    }
    if (rc == RC_OK) {
        rc = copy_tail(exchange, error);
    }
    if (rc == RC_OK) { /* it has got more than it knows of */
        log_close(exchange->other);
        exchange->other = NULL;
        rc = open_copy(exchange, (size_t)map_bytes, error);
    }
    if (rc == RC_OK) {
        log_trade(log, exchange->other);
        *out_exchange = exchange;
    } else {
        exchange_close(exchange);
    }
    return rc;
}

enum rc
exchange_finish(struct exchange *exchange, struct buf *error)
{
    enum rc rc = log_wait(exchange->log);
    if (rc == RC_OK) {
        rc = data_directory_exchange(buf_cstr(&exchange->directory), buf_cstr(&exchange->part),
                                     error);
    }
    if (rc == RC_OK) {
        log_lmdb_exchanged(log_backend_of(exchange->log), log_backend_of(exchange->other));
        exchange->finished = true;
    }
    return rc;
}

void
exchange_close(struct exchange *exchange)
{
    if (exchange == NULL) {
        return;
    }
    log_close(exchange->other);
    if (exchange->finished) {
        (void)data_directory_remove(buf_cstr(&exchange->part)); /* else the next claim does it */
    }
    buf_fini(&exchange->directory);
    buf_fini(&exchange->part);
    free(exchange);
}
