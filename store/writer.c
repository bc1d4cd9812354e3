#include "store/writer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    /* One commit's worth: what waits behind it waits for one more fsync, so it is not for ever. */
    COMMIT_PASSES_MAX = 1024,
    COMMIT_BYTES_MAX = 4 * 1024 * 1024,
    JOBS_SPARE_MAX = 64, /* kept for reuse after a burst */
    JOB_BYTES_SPARE_MAX = LOG_BATCH_BYTES_MAX,
};

/* One queued write with all it points to. The caller makes and frees it; in between, from being queued
 * until it is counted durable, the thread reads it. */
struct job {
    struct job *next; /* under the lock once queued */
    struct log_write write;
    uint64_t last_seq;
    int64_t queued_us;
    size_t bytes;
    struct buf data; /* the batches, then the content rows */
    struct log_value *values;
    uint32_t value_capacity;
    struct log_content *content;
    uint32_t content_capacity;
    struct log_id *ids;
    uint32_t id_capacity;
    uint64_t *erase;
    uint32_t erase_capacity;
};

struct writer {
    struct log_backend *backend; /* changes under the lock, while nothing is queued */
    int64_t (*mono_us)(void);
    int wake_fd;
    pthread_t thread;

    /* The caller's: all that is not yet polled as durable, oldest first, and spare ones. */
    struct job *oldest, *newest, *spare;
    uint32_t spare_count;
    struct log_backlog backlog;

    pthread_mutex_t lock; /* for what follows, and for job.next */
    pthread_cond_t queued, moved;
    struct job *unwritten; /* the first that is not in a commit */
    uint64_t durable_seq;
    enum rc failed;
    bool stopping, ended;
};

/* ---- jobs ---- */

static void
job_free(struct job *job)
{
    if (job != NULL) {
        buf_fini(&job->data);
        free(job->values);
        free(job->content);
        free(job->ids);
        free(job->erase);
        free(job);
    }
}

static struct job *
job_take(struct writer *writer)
{
    struct job *job = writer->spare;
    if (job == NULL) {
        return calloc(1, sizeof(*job));
    }
    writer->spare = job->next;
    writer->spare_count--;
    return job;
}

static void
job_give_back(struct writer *writer, struct job *job)
{
    if (writer->spare_count >= JOBS_SPARE_MAX || job->data.capacity > JOB_BYTES_SPARE_MAX) {
        job_free(job);
        return;
    }
    job->next = writer->spare;
    writer->spare = job;
    writer->spare_count++;
}

static bool
job_reserve(struct job *job, uint32_t content_count, uint32_t id_count)
{
    if (content_count > job->content_capacity) {
        struct log_content *content = realloc(job->content, content_count * sizeof(*content));
        if (content == NULL) {
            return false;
        }
        job->content = content;
        job->content_capacity = content_count;
    }
    if (id_count > job->id_capacity) {
        struct log_id *ids = realloc(job->ids, id_count * sizeof(*ids));
        if (ids == NULL) {
            return false;
        }
        job->ids = ids;
        job->id_capacity = id_count;
    }
    return true;
}

static bool
job_reserve_values(struct job *job, uint32_t value_count)
{
    if (value_count > job->value_capacity) {
        struct log_value *values = realloc(job->values, value_count * sizeof(*values));
        if (values == NULL) {
            return false;
        }
        job->values = values;
        job->value_capacity = value_count;
    }
    return true;
}

static bool
job_reserve_erase(struct job *job, uint32_t erase_count)
{
    if (erase_count > job->erase_capacity) {
        uint64_t *erase = realloc(job->erase, erase_count * sizeof(*erase));
        if (erase == NULL) {
            return false;
        }
        job->erase = erase;
        job->erase_capacity = erase_count;
    }
    return true;
}

/* Copies the write with everything it borrows. */
static enum rc
job_fill(struct job *job, const struct log_write *write)
{
    if (!job_reserve(job, write->content_count, write->id_count) ||
        !job_reserve_erase(job, write->erase_count) ||
        !job_reserve_values(job, write->value_count)) {
        return RC_NO_MEMORY;
    }
    buf_clear(&job->data);
    buf_append_span(&job->data, write->batches);
    for (uint32_t i = 0; i < write->content_count; i++) {
        buf_append_span(&job->data, write->content[i].row);
    }
    if (job->data.rc != RC_OK) {
        return job->data.rc;
    }
    const uint8_t *at = job->data.data + write->batches.len; /* it stands still now */
    for (uint32_t i = 0; i < write->content_count; i++) {
        size_t len = write->content[i].row.len;
        job->content[i] = (struct log_content){write->content[i].seq, span_of(at, len)};
        at += len;
    }
    for (uint32_t i = 0; i < write->value_count; i++) {
        job->values[i] = write->values[i];
    }
    for (uint32_t i = 0; i < write->id_count; i++) {
        job->ids[i] = write->ids[i];
    }
    for (uint32_t i = 0; i < write->erase_count; i++) {
        job->erase[i] = write->erase[i];
    }
    job->write = *write;
    job->write.erase = job->erase;
    job->write.batches = span_of(job->data.data, write->batches.len);
    job->write.values = job->values;
    job->write.content = job->content;
    job->write.ids = job->ids;
    job->bytes = job->data.len + write->id_count * sizeof(*job->ids);
    return RC_OK;
}

/* ---- the thread ---- */

/* What goes into the next commit: all that has gathered, up to the bounds. Under the lock. */
static uint32_t
gather(struct writer *writer, const struct log_write **writes, uint64_t *out_last_seq)
{
    uint32_t count = 0;
    size_t bytes = 0;
    struct job *job = writer->unwritten;
    while (job != NULL && count < COMMIT_PASSES_MAX &&
           (count == 0 || bytes + job->bytes <= COMMIT_BYTES_MAX)) {
        writes[count++] = &job->write;
        bytes += job->bytes;
        *out_last_seq = job->last_seq;
        job = job->next;
    }
    writer->unwritten = job;
    return count;
}

static void
wake(const struct writer *writer)
{
    const uint64_t one = 1;
    ssize_t written = write(writer->wake_fd, &one, sizeof(one));
    assert(written == sizeof(one) || errno == EAGAIN); /* full: it is readable all the more */
    (void)written;
}

static void *
run(void *context)
{
    struct writer *writer = context;
    const struct log_write *writes[COMMIT_PASSES_MAX];
    pthread_mutex_lock(&writer->lock);
    while (writer->failed == RC_OK) {
        if (writer->unwritten == NULL) {
            if (writer->stopping) {
                break;
            }
            pthread_cond_wait(&writer->queued, &writer->lock);
            continue;
        }
        uint64_t last_seq = 0;
        uint32_t count = gather(writer, writes, &last_seq);
        pthread_mutex_unlock(&writer->lock);
        enum rc rc = writer->backend->write(writer->backend, writes, count);
        pthread_mutex_lock(&writer->lock);
        if (rc == RC_OK) {
            writer->durable_seq = last_seq;
        }
        writer->failed = rc;
        pthread_cond_signal(&writer->moved);
        wake(writer);
    }
    writer->ended = true;
    pthread_cond_signal(&writer->moved);
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* The caller's signals are the caller's. */
static enum rc
start_thread(struct writer *writer)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&writer->thread, NULL, run, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code == 0 ? RC_OK : RC_IO;
}

/* ---- the caller ---- */

static void
writer_free(struct writer *writer)
{
    while (writer->oldest != NULL) {
        struct job *next = writer->oldest->next;
        job_free(writer->oldest);
        writer->oldest = next;
    }
    while (writer->spare != NULL) {
        struct job *next = writer->spare->next;
        job_free(writer->spare);
        writer->spare = next;
    }
    pthread_cond_destroy(&writer->moved);
    pthread_cond_destroy(&writer->queued);
    pthread_mutex_destroy(&writer->lock);
    if (writer->wake_fd >= 0) {
        close(writer->wake_fd);
    }
    free(writer);
}

enum rc
writer_start(struct log_backend *backend, uint64_t durable_seq, int64_t (*mono_us)(void),
             struct writer **out_writer)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        return RC_NO_MEMORY;
    }
    writer->backend = backend;
    writer->mono_us = mono_us;
    writer->durable_seq = durable_seq;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->queued, NULL);
    pthread_cond_init(&writer->moved, NULL);
    writer->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum rc rc = writer->wake_fd < 0 ? RC_IO : start_thread(writer);
    if (rc != RC_OK) {
        writer_free(writer);
        return rc;
    }
    *out_writer = writer;
    return RC_OK;
}

void
writer_stop(struct writer *writer)
{
    if (writer == NULL) {
        return;
    }
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    pthread_cond_signal(&writer->queued);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    writer_free(writer);
}

enum rc
writer_queue(struct writer *writer, const struct log_write *write, uint64_t last_seq)
{
    struct job *job = job_take(writer);
    if (job == NULL) {
        return RC_NO_MEMORY;
    }
    enum rc rc = job_fill(job, write);
    if (rc != RC_OK) {
        job_free(job);
        return rc;
    }
    job->next = NULL;
    job->last_seq = last_seq;
    job->queued_us = writer->mono_us == NULL ? 0 : writer->mono_us();
    pthread_mutex_lock(&writer->lock);
    rc = writer->failed;
    if (rc == RC_OK) {
        if (writer->newest != NULL) {
            writer->newest->next = job;
        } else {
            writer->oldest = job;
        }
        writer->newest = job;
        if (writer->unwritten == NULL) {
            writer->unwritten = job;
            pthread_cond_signal(&writer->queued);
        }
    }
    pthread_mutex_unlock(&writer->lock);
    if (rc != RC_OK) {
        job_free(job);
        return rc;
    }
    writer->backlog.batches++;
    writer->backlog.bytes += job->bytes;
    return RC_OK;
}

int
writer_wake_fd(const struct writer *writer)
{
    return writer->wake_fd;
}

/* Lets go of what is durable: the thread does not look at it any more. */
static void
drop_durable(struct writer *writer, uint64_t durable_seq)
{
    while (writer->oldest != NULL && writer->oldest->last_seq <= durable_seq) {
        struct job *job = writer->oldest;
        writer->oldest = job->next;
        if (writer->oldest == NULL) {
            writer->newest = NULL;
        }
        writer->backlog.batches--;
        writer->backlog.bytes -= job->bytes;
        job_give_back(writer, job);
    }
}

static enum rc
tell(struct writer *writer, bool wait, uint64_t *out_durable_seq)
{
    uint64_t wanted = writer->newest == NULL ? 0 : writer->newest->last_seq, waker;
    (void)!read(writer->wake_fd, &waker, sizeof(waker)); /* before looking: no wake is lost */
    pthread_mutex_lock(&writer->lock);
    while (wait && !writer->ended && writer->durable_seq < wanted) {
        pthread_cond_wait(&writer->moved, &writer->lock);
    }
    uint64_t durable_seq = writer->durable_seq;
    enum rc failed = writer->failed;
    pthread_mutex_unlock(&writer->lock);
    drop_durable(writer, durable_seq);
    *out_durable_seq = durable_seq;
    return failed;
}

enum rc
writer_poll(struct writer *writer, uint64_t *out_durable_seq)
{
    return tell(writer, false, out_durable_seq);
}

enum rc
writer_wait(struct writer *writer, uint64_t *out_durable_seq)
{
    return tell(writer, true, out_durable_seq);
}

void
writer_turn_to(struct writer *writer, struct log_backend *backend)
{
    pthread_mutex_lock(&writer->lock);
    assert(writer->unwritten == NULL && writer->oldest == NULL);
    writer->backend = backend;
    pthread_mutex_unlock(&writer->lock);
}

struct log_backlog
writer_backlog(const struct writer *writer)
{
    struct log_backlog backlog = writer->backlog;
    if (writer->oldest != NULL && writer->mono_us != NULL) {
        backlog.oldest_wait_us = writer->mono_us() - writer->oldest->queued_us;
    }
    return backlog;
}
