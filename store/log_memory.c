#include "store/id_table.h"

#include <stdlib.h>

/* Rows in ascending order of their number; both tables grow at the end, content may lose rows. */
struct row {
    uint64_t seq;
    uint8_t *data;
    size_t len;
};
struct rows {
    struct row *items;
    size_t count, capacity;
};

struct memory {
    struct log_backend backend;
    struct rows batches, content;
    struct id_table ids;
};

static struct memory *
memory_of(struct log_backend *backend)
{
    return (struct memory *)backend;
}

static bool
rows_reserve(struct rows *rows, size_t more)
{
    if (rows->count + more <= rows->capacity) {
        return true;
    }
    size_t capacity = 2 * (rows->count + more);
    struct row *items = realloc(rows->items, capacity * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    rows->items = items;
    rows->capacity = capacity;
    return true;
}

static bool
rows_add(struct rows *rows, uint64_t seq, struct span bytes)
{
    uint8_t *data = malloc(bytes.len + 1);
    if (data == NULL) {
        return false;
    }
    memcpy(data, bytes.data, bytes.len);
    rows->items[rows->count++] = (struct row){seq, data, bytes.len};
    return true;
}

static void
rows_cut(struct rows *rows, size_t count)
{
    while (rows->count > count) {
        free(rows->items[--rows->count].data);
    }
}

static void
rows_fini(struct rows *rows)
{
    rows_cut(rows, 0);
    free(rows->items);
}

/* The place of the first row whose number is >= seq. */
static size_t
rows_from(const struct rows *rows, uint64_t seq)
{
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->items[middle].seq < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void
rows_drop(struct rows *rows, uint64_t seq)
{
    size_t at = rows_from(rows, seq);
    if (at == rows->count || rows->items[at].seq != seq) {
        return;
    }
    free(rows->items[at].data);
    rows->count--;
    memmove(&rows->items[at], &rows->items[at + 1], (rows->count - at) * sizeof(rows->items[0]));
}

static enum rc
write_one(struct memory *memory, const struct log_write *write)
{
    size_t batches = memory->batches.count, contents = memory->content.count;
    uint64_t newest = batches == 0 ? 0 : memory->batches.items[batches - 1].seq;
    if (newest != write->newest_key) {
        return RC_FENCED;
    }
    bool ok = rows_reserve(&memory->batches, write->value_count) &&
              rows_reserve(&memory->content, write->content_count) &&
              id_table_reserve(&memory->ids, write->id_count, write->forget_before_ms) == RC_OK;
    const uint8_t *batch = write->batches.data;
    for (uint32_t i = 0; ok && i < write->value_count; i++) {
        const struct log_value *value = &write->values[i];
        ok = rows_add(&memory->batches, value->key, span_of(batch, value->bytes));
        batch += value->bytes;
    }
    for (uint32_t i = 0; ok && i < write->content_count; i++) {
        ok = rows_add(&memory->content, write->content[i].seq, write->content[i].row);
    }
    if (!ok) {
        rows_cut(&memory->batches, batches);
        rows_cut(&memory->content, contents);
        return RC_NO_MEMORY;
    }
    for (uint32_t i = 0; i < write->erase_count; i++) {
        rows_drop(&memory->content, write->erase[i]);
    }
    for (uint32_t i = 0; i < write->id_count; i++) {
        id_table_put(&memory->ids, &write->ids[i], write->time_ms);
    }
    return RC_OK;
}

/* Several are all or nothing only on disk: after a failure nobody looks at this memory any more. */
static enum rc
memory_write(struct log_backend *backend, const struct log_write *const *writes, uint32_t count)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < count; i++) {
        rc = write_one(memory_of(backend), writes[i]);
    }
    return rc;
}

static enum rc
copy_row(const struct row *row, struct buf *out)
{
    buf_clear(out);
    buf_append(out, row->data, row->len);
    return out->rc;
}

static enum rc
memory_read_batch(struct log_backend *backend, enum log_seek seek, uint64_t seq,
                  struct buf *out_bytes, uint64_t *out_key)
{
    const struct rows *rows = &memory_of(backend)->batches;
    size_t at = rows_from(rows, seq);
    if (seek == LOG_SEEK_HOLD && (at == rows->count || rows->items[at].seq > seq)) {
        if (at == 0) {
            return RC_NOT_FOUND;
        }
        at--;
    }
    if (at == rows->count) {
        return RC_NOT_FOUND;
    }
    enum rc rc = copy_row(&rows->items[at], out_bytes);
    if (rc == RC_OK) {
        *out_key = rows->items[at].seq;
    }
    return rc;
}

static enum rc
memory_read_content(struct log_backend *backend, uint64_t seq, struct buf *out_row)
{
    const struct rows *rows = &memory_of(backend)->content;
    size_t at = rows_from(rows, seq);
    if (at == rows->count || rows->items[at].seq != seq) {
        return RC_NOT_FOUND;
    }
    return copy_row(&rows->items[at], out_row);
}

static enum rc
read_rows(const struct rows *rows, struct log_rows *out_rows)
{
    for (size_t at = rows_from(rows, out_rows->from);
         at < rows->count && rows->items[at].seq <= out_rows->to; at++) {
        const struct row *row = &rows->items[at];
        if (!log_rows_add(out_rows, row->seq, span_of(row->data, row->len))) {
            break;
        }
    }
    return out_rows->bytes.rc;
}

static enum rc
memory_read_batches(struct log_backend *backend, struct log_rows *out_rows)
{
    return read_rows(&memory_of(backend)->batches, out_rows);
}

static enum rc
memory_read_contents(struct log_backend *backend, struct log_rows *out_rows)
{
    return read_rows(&memory_of(backend)->content, out_rows);
}

static enum rc
memory_read_id(struct log_backend *backend, const struct log_id *id, int64_t *out_time_ms)
{
    return id_table_find(&memory_of(backend)->ids, id, out_time_ms) ? RC_OK : RC_NOT_FOUND;
}

static void
memory_room(struct log_backend *backend, uint64_t *out_used_bytes, uint64_t *out_map_bytes)
{
    (void)backend;
    *out_used_bytes = 0;
    *out_map_bytes = UINT64_MAX;
}

static void
memory_close(struct log_backend *backend)
{
    struct memory *memory = memory_of(backend);
    rows_fini(&memory->batches);
    rows_fini(&memory->content);
    id_table_fini(&memory->ids);
    free(memory);
}

enum rc
log_memory_open(struct log_backend **out_backend)
{
    struct memory *memory = calloc(1, sizeof(*memory));
    if (memory == NULL) {
        return RC_NO_MEMORY;
    }
    memory->backend = (struct log_backend){
        .write = memory_write,
        .read_batch = memory_read_batch,
        .read_content = memory_read_content,
        .read_batches = memory_read_batches,
        .read_contents = memory_read_contents,
        .read_id = memory_read_id,
        .close = memory_close,
        .room = memory_room,
        .what = "",
        .write_what = "",
    };
    *out_backend = &memory->backend;
    return RC_OK;
}
