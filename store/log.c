#include "store/log_inside.h"

#include "engine/base/checksum.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define ID_MS (LOG_ID_DAYS * INT64_C(86400000))
static const uint64_t ID_SEED = 0x73746570642d6964; /* "stepd-id": a second, independent sum */

/* What the last failed log_open() said: there is no log yet to ask. */
static _Thread_local char open_error[512];

enum rc
log_fail_at(struct log *log, enum rc rc, uint64_t seq, const char *why)
{
    buf_clear(&log->error);
    buf_printf(&log->error, "batch at event %" PRIu64 ": %s", seq, why);
    return rc;
}

enum rc
log_fail_in_storage(struct log *log, enum rc rc, const char *doing)
{
    buf_clear(&log->error);
    buf_printf(&log->error, "%s: %s", doing,
               log->backend->what[0] != '\0' ? log->backend->what : rc_name(rc));
    return rc;
}

/* Memory has run ahead of what is stored: nothing may follow (DESIGN 5). */
static enum rc
die(struct log *log, enum rc rc)
{
    const char *what = log->backend->write_what;
    log->dead = rc;
    buf_clear(&log->error);
    buf_printf(&log->error, "appending: %s", what[0] != '\0' ? what : rc_name(rc));
    return rc;
}

/* Reads and checks the newest batch: what the next one must follow. */
static enum rc
find_newest(struct log *log)
{
    uint64_t key;
    enum rc rc =
        log->backend->read_batch(log->backend, LOG_SEEK_HOLD, UINT64_MAX, &log->scratch, &key);
    if (rc == RC_NOT_FOUND) {
        return RC_OK;
    }
    if (rc != RC_OK) {
        return log_fail_in_storage(log, rc, "reading the newest batch");
    }
    const char *why = NULL;
    rc = batch_decode(buf_span(&log->scratch), key, &log->newest, &why);
    if (rc != RC_OK) {
        return log_fail_at(log, rc, key, why);
    }
    log->newest.events = (struct span){0}; /* the bytes go with the next append */
    log->any = true;
    log->durable = batch_last_seq(&log->newest);
    if (log->newest.header.time_ms > log->now_ms) {
        log->now_ms = log->newest.header.time_ms;
    }
    return RC_OK;
}

/* Batches are chained by their checksums, so one batch in its place stands for all before it. */
static enum rc
check_mark(struct log *log)
{
    const struct log_mark *mark = &log->backend->mark;
    if (mark->seq == 0) {
        return RC_OK;
    }
    uint64_t key;
    struct batch_view view;
    const char *why = NULL;
    enum rc rc =
        log->backend->read_batch(log->backend, LOG_SEEK_HOLD, mark->seq, &log->scratch, &key);
    if (rc == RC_NOT_FOUND) {
        log->replaced = true;
        return RC_OK;
    }
    if (rc != RC_OK) {
        return log_fail_in_storage(log, rc, "reading the batch last marked");
    }
    rc = batch_decode(buf_span(&log->scratch), key, &view, &why);
    if (rc != RC_OK) {
        return log_fail_at(log, rc, key, why);
    }
    log->replaced = batch_last_seq(&view) != mark->seq || view.checksum != mark->checksum;
    return RC_OK;
}

static struct log *
new_log(enum log_mode mode, const struct log_options *options)
{
    struct log *log = calloc(1, sizeof(*log));
    if (log != NULL) {
        log->mode = mode;
        log->now_ms = options->now_ms;
    }
    return log;
}

/* The backend is open, or rc says why not: the rest of opening. */
static enum rc
begin(struct log *log, enum rc rc, const struct log_options *options, bool threaded,
      struct log **out_log)
{
    if (rc == RC_OK) {
        cut_init(&log->cut, log->backend->page_bytes);
        rc = find_newest(log);
    }
    if (rc == RC_OK) {
        rc = check_mark(log);
    }
    if (rc == RC_OK && threaded) {
        rc = writer_start(log->backend, log->durable, options->mono_us, &log->writer);
        if (rc != RC_OK) {
            buf_append_cstr(&log->error, "the writer thread cannot be started");
        }
    }
    if (rc != RC_OK) {
        const char *error = buf_cstr(&log->error);
        size_t len = strnlen(error, sizeof(open_error) - 1);
        memcpy(open_error, error, len);
        open_error[len] = '\0';
        log_close(log);
        return rc;
    }
    *out_log = log;
    return RC_OK;
}

enum rc
log_open(const char *directory, const struct log_options *options, struct log **out_log)
{
    bool in_memory = directory == NULL;
    struct log *log = new_log(in_memory ? LOG_CLAIM : options->mode, options);
    if (log == NULL) {
        return RC_NO_MEMORY;
    }
    enum rc rc = in_memory ? log_memory_open(&log->backend)
                           : log_lmdb_open(directory, options, &log->error, &log->backend);
    bool threaded = options->writer_thread && options->mode == LOG_CLAIM && !in_memory;
    return begin(log, rc, options, threaded, out_log);
}

enum rc
log_open_backend(struct log_backend *backend, const struct log_options *options,
                 struct log **out_log)
{
    struct log *log = new_log(options->mode, options);
    if (log == NULL) {
        backend->close(backend);
        return RC_NO_MEMORY;
    }
    log->backend = backend;
    return begin(log, RC_OK, options, options->writer_thread, out_log);
}

void
log_close(struct log *log)
{
    if (log == NULL) {
        return;
    }
    writer_stop(log->writer);
    if (log->backend != NULL) {
        log->backend->close(log->backend);
    }
    buf_fini(&log->error);
    buf_fini(&log->scratch);
    id_table_fini(&log->queued_ids);
    free(log->ids);
    free(log->values);
    free(log);
}

const char *
log_error(const struct log *log)
{
    if (log == NULL) {
        return open_error;
    }
    return log->error.len == 0 ? "" : (const char *)log->error.data; /* printf ends it with a NUL */
}

struct log_backend *
log_backend_of(struct log *log)
{
    return log->backend;
}

void
log_trade(struct log *log, struct log *other)
{
    struct log_backend *backend = log->backend;
    assert(log->durable == log_newest(log) && log_newest(other) == log_newest(log));
    assert(other->writer == NULL);
    if (log->writer != NULL) {
        writer_turn_to(log->writer, other->backend);
    }
    log->backend = other->backend;
    other->backend = backend;
}

struct log_place
log_place(const struct log *log)
{
    return (struct log_place){.inode = log->backend->inode,
                              .birth_ns = log->backend->birth_ns,
                              .replaced = log->replaced};
}

void
log_set_run_id(struct log *log, const uint8_t run_id[LOG_RUN_ID_BYTES])
{
    memcpy(log->run_id, run_id, LOG_RUN_ID_BYTES);
    log->run_id_set = true;
}

uint64_t
log_newest(const struct log *log)
{
    return log->any ? batch_last_seq(&log->newest) : 0;
}

int64_t
log_newest_time(const struct log *log)
{
    return log->any ? log->newest.header.time_ms : 0;
}

uint64_t
log_durable(const struct log *log)
{
    return log->durable;
}

static struct log_id
id_of(struct span id)
{
    struct log_id out;
    big_endian_put(out.bytes, checksum_of(id.data, id.len), 8);
    big_endian_put(out.bytes + 8, checksum_seeded(id.data, id.len, ID_SEED), 8);
    return out;
}

static enum rc
hash_ids(struct log *log, const struct log_batch *batch)
{
    if (batch->id_count > log->id_capacity) {
        struct log_id *ids = realloc(log->ids, batch->id_count * sizeof(*ids));
        if (ids == NULL) {
            return RC_NO_MEMORY;
        }
        log->ids = ids;
        log->id_capacity = batch->id_count;
    }
    for (uint32_t i = 0; i < batch->id_count; i++) {
        log->ids[i] = id_of(batch->ids[i]);
    }
    return RC_OK;
}

/* The ids of a queued batch are known before they can be read back. */
static enum rc
remember_queued(struct log *log, const struct log_write *write, uint64_t seq)
{
    enum rc rc = id_table_reserve(&log->queued_ids, write->id_count, (int64_t)(log->durable + 1));
    for (uint32_t i = 0; rc == RC_OK && i < write->id_count; i++) {
        id_table_put(&log->queued_ids, &write->ids[i], (int64_t)seq);
    }
    return rc;
}

static enum rc
queue_write(struct log *log, const struct log_write *write, uint64_t seq)
{
    enum rc rc = remember_queued(log, write, seq);
    return rc == RC_OK ? writer_queue(log->writer, write, seq) : rc;
}

/* The next events that are best written as one batch: *out_count of them, at least one. */
static struct span
cut_events(const struct log *log, struct span *rest, uint32_t *out_count)
{
    size_t frame = BATCH_HEADER_BYTES + BATCH_CHECKSUM_BYTES;
    size_t best = cut_best(&log->cut, rest->len + frame) - frame;
    best = best < LOG_BATCH_BYTES_MAX ? best : LOG_BATCH_BYTES_MAX;
    struct span before = *rest, after = *rest, event;
    *out_count = 0;
    while (log_events_next(&after, &event) == RC_OK) {
        size_t len = before.len - after.len;
        if (*out_count > 0 && len > best) {
            break;
        }
        *rest = after;
        *out_count += 1;
    }
    return span_of(before.data, before.len - rest->len);
}

static bool
values_reserve(struct log *log)
{
    if (log->value_count == log->value_capacity) {
        uint32_t capacity = log->value_capacity == 0 ? 16 : 2 * log->value_capacity;
        struct log_value *values = realloc(log->values, capacity * sizeof(*values));
        if (values == NULL) {
            return false;
        }
        log->values = values;
        log->value_capacity = capacity;
    }
    return true;
}

/* Encodes the events as batches, one behind the other. *last becomes the header of the last of them. */
static enum rc
encode_batches(struct log *log, const struct log_batch *batch, struct batch_header *last,
               uint64_t *out_checksum)
{
    struct span rest = batch->events;
    uint64_t checksum = log->any ? log->newest.checksum : 0, seq = last->first_seq;
    buf_clear(&log->scratch);
    log->value_count = 0;
    while (rest.len > 0) {
        uint32_t count;
        struct span events = cut_events(log, &rest, &count);
        if (count == 0 || events.len > LOG_BATCH_BYTES_MAX || !values_reserve(log)) {
            return count == 0                         ? RC_CORRUPT
                   : events.len > LOG_BATCH_BYTES_MAX ? RC_TOO_LARGE
                                                      : RC_NO_MEMORY;
        }
        size_t from = log->scratch.len;
        last->first_seq = seq;
        last->event_count = count;
        last->checksum_before = checksum;
        checksum = batch_encode(last, events, &log->scratch);
        log->values[log->value_count++] = (struct log_value){seq, log->scratch.len - from};
        cut_placed(&log->cut, log->scratch.len - from);
        seq += count;
    }
    *out_checksum = checksum;
    return log->scratch.rc;
}

static enum rc
write_batches(struct log *log, const struct log_batch *batch, const struct batch_header *last,
              uint64_t checksum)
{
    uint64_t seq = last->first_seq + last->event_count - 1;
    const struct log_write write = {
        .newest_key = log->any ? log->newest.header.first_seq : 0,
        .batches = buf_span(&log->scratch),
        .values = log->values,
        .value_count = log->value_count,
        .content = batch->content,
        .content_count = batch->content_count,
        .erase = batch->erase,
        .erase_count = batch->erase_count,
        .mark = {seq, checksum},
        .ids = log->ids,
        .id_count = batch->id_count,
        .time_ms = batch->time_ms,
        .forget_before_ms = batch->time_ms - ID_MS,
    };
    const struct log_write *writes[] = {&write};
    enum rc rc = log->writer != NULL ? queue_write(log, &write, seq)
                                     : log->backend->write(log->backend, writes, 1);
    if (rc == RC_OK) {
        log->newest = (struct batch_view){.header = *last, .checksum = checksum};
        log->any = true;
    }
    return rc;
}

/* Takes over what the writer told, and tells it on. */
static enum rc
moved(struct log *log, enum rc rc, uint64_t durable)
{
    if (rc != RC_OK && log->dead == RC_OK) {
        (void)die(log, rc);
    }
    if (durable > log->durable) {
        log->durable = durable;
        if (log->durable_fn != NULL) {
            log->durable_fn(log->durable_context, durable);
        }
    }
    return log->dead;
}

enum rc
log_append(struct log *log, const struct log_batch *batch, uint64_t expected_seq)
{
    assert(batch->event_count > 0);
    if (log->dead != RC_OK) {
        return log->dead;
    }
    if (log->mode != LOG_CLAIM) {
        return log_fail_at(log, RC_REFUSED, expected_seq, "the log was opened to read");
    }
    assert(log->run_id_set);
    if (expected_seq != log_newest(log) + 1) {
        return log_fail_at(log, RC_FENCED, expected_seq, "it is not the next");
    }
    for (uint32_t i = 0; i < batch->content_count; i++) {
        assert(batch->content[i].seq >= expected_seq + (i > 0 ? 1 : 0));
        assert(batch->content[i].seq - expected_seq < batch->event_count);
        assert(i == 0 || batch->content[i].seq > batch->content[i - 1].seq);
    }

    struct batch_header header = {.first_seq = expected_seq, .time_ms = batch->time_ms};
    uint64_t checksum = 0;
    memcpy(header.run_id, log->run_id, LOG_RUN_ID_BYTES);
    enum rc rc = encode_batches(log, batch, &header, &checksum);
    if (rc == RC_TOO_LARGE) {
        return log_fail_at(log, rc, header.first_seq, "more bytes than a batch may have");
    }
    if (rc == RC_OK) {
        assert(header.first_seq + header.event_count == expected_seq + batch->event_count);
        rc = hash_ids(log, batch);
    }
    if (rc == RC_OK) {
        rc = write_batches(log, batch, &header, checksum);
    }
    if (rc != RC_OK) {
        return die(log, rc);
    }
    if (batch->time_ms > log->now_ms) {
        log->now_ms = batch->time_ms;
    }
    return log->writer != NULL ? RC_OK : moved(log, RC_OK, log_newest(log));
}

int
log_wake_fd(const struct log *log)
{
    return log->writer == NULL ? -1 : writer_wake_fd(log->writer);
}

enum rc
log_poll(struct log *log)
{
    uint64_t durable = log->durable;
    enum rc rc = log->writer == NULL ? RC_OK : writer_poll(log->writer, &durable);
    return moved(log, rc, durable);
}

enum rc
log_wait(struct log *log)
{
    uint64_t durable = log->durable;
    enum rc rc = log->writer == NULL ? RC_OK : writer_wait(log->writer, &durable);
    return moved(log, rc, durable);
}

struct log_backlog
log_backlog(const struct log *log)
{
    return log->writer == NULL ? (struct log_backlog){0} : writer_backlog(log->writer);
}

void
log_map(const struct log *log, uint64_t *out_used_bytes, uint64_t *out_map_bytes)
{
    log->backend->room(log->backend, out_used_bytes, out_map_bytes);
}

void
log_on_durable(struct log *log, log_durable_fn fn, void *context)
{
    log->durable_fn = fn;
    log->durable_context = context;
}

enum rc
log_knows_id(struct log *log, struct span id, bool *out_known)
{
    if (log->dead != RC_OK) {
        return log->dead;
    }
    struct log_id hashed = id_of(id);
    int64_t time_ms = 0, queued_seq;
    if (id_table_find(&log->queued_ids, &hashed, &queued_seq) &&
        (uint64_t)queued_seq > log->durable) {
        *out_known = true;
        return RC_OK;
    }
    enum rc rc = log->backend->read_id(log->backend, &hashed, &time_ms);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return log_fail_in_storage(log, rc, "looking up a remembered id");
    }
    /* rows are dropped a few at a time, so the age decides, not whether it is still there */
    *out_known = rc == RC_OK && time_ms >= log->now_ms - ID_MS;
    return RC_OK;
}

bool
log_is_queued(const struct log *log, uint64_t seq)
{
    return log->writer != NULL && seq > log->durable && seq <= log_newest(log);
}

enum rc
log_read_content(struct log *log, uint64_t seq, struct buf *out_row)
{
    if (log->dead != RC_OK) {
        return log->dead;
    }
    enum rc rc = log->backend->read_content(log->backend, seq, out_row);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return log_fail_in_storage(log, rc, "reading content");
    }
    return rc == RC_NOT_FOUND && log_is_queued(log, seq) ? RC_AGAIN : rc;
}
