/* gate - a disk that commits only when the test lets it, behind a log with a writer thread.
 *
 * Shape    gated_log() opens a log over memory; commits come to the gate, in the writer's thread, and stand
 *          there until let() lets them through or fail_at says that one fails. No test waits for a clock.
 * Units    commits, counted from 1; microseconds of a clock that the test moves.
 * Errors   Check's assertions.
 * Owner    the log owns the gate: it is gone with log_close().
 */
#ifndef TESTS_STORE_GATE_H
#define TESTS_STORE_GATE_H

#include "store/log_backend.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>

enum { COMMITS_MAX = 64 };

/* A backend over a log in memory. Every write waits at the gate until it is let through. */
struct gate {
    struct log_backend backend;
    struct log_backend *memory;
    pthread_mutex_t lock; /* for all that follows, and for the memory */
    pthread_cond_t moved;
    uint32_t let_through; /* commits that may pass */
    uint32_t arrived;     /* commits that came to the gate */
    uint32_t fail_at;     /* this commit fails; 0: none */
    uint32_t batches[COMMITS_MAX];
};

static struct gate *gate;

static inline enum rc
gate_write(struct log_backend *backend, const struct log_write *const *writes, uint32_t count)
{
    struct gate *self = (struct gate *)backend;
    pthread_mutex_lock(&self->lock);
    ck_assert_uint_lt(self->arrived, COMMITS_MAX);
    uint32_t commit = self->arrived++;
    self->batches[commit] = count;
    pthread_cond_broadcast(&self->moved);
    while (commit >= self->let_through) {
        pthread_cond_wait(&self->moved, &self->lock);
    }
    bool fails = self->fail_at == commit + 1;
    self->backend.write_what = fails ? "the disk is gone" : "";
    enum rc rc = fails ? RC_IO : self->memory->write(self->memory, writes, count);
    pthread_mutex_unlock(&self->lock);
    return rc;
}

static inline enum rc
gate_read_batch(struct log_backend *backend, enum log_seek seek, uint64_t seq,
                struct buf *out_bytes, uint64_t *out_key)
{
    struct gate *self = (struct gate *)backend;
    pthread_mutex_lock(&self->lock);
    enum rc rc = self->memory->read_batch(self->memory, seek, seq, out_bytes, out_key);
    pthread_mutex_unlock(&self->lock);
    return rc;
}

static inline enum rc
gate_read_content(struct log_backend *backend, uint64_t seq, struct buf *out_row)
{
    struct gate *self = (struct gate *)backend;
    pthread_mutex_lock(&self->lock);
    enum rc rc = self->memory->read_content(self->memory, seq, out_row);
    pthread_mutex_unlock(&self->lock);
    return rc;
}

static inline enum rc
gate_read_batches(struct log_backend *backend, struct log_rows *out_rows)
{
    struct gate *self = (struct gate *)backend;
    pthread_mutex_lock(&self->lock);
    enum rc rc = self->memory->read_batches(self->memory, out_rows);
    pthread_mutex_unlock(&self->lock);
    return rc;
}

static inline enum rc
gate_read_contents(struct log_backend *backend, struct log_rows *out_rows)
{
    struct gate *self = (struct gate *)backend;
    pthread_mutex_lock(&self->lock);
    enum rc rc = self->memory->read_contents(self->memory, out_rows);
    pthread_mutex_unlock(&self->lock);
    return rc;
}

static inline enum rc
gate_read_id(struct log_backend *backend, const struct log_id *id, int64_t *out_time_ms)
{
    struct gate *self = (struct gate *)backend;
    pthread_mutex_lock(&self->lock);
    enum rc rc = self->memory->read_id(self->memory, id, out_time_ms);
    pthread_mutex_unlock(&self->lock);
    return rc;
}

static inline void
gate_room(struct log_backend *backend, uint64_t *out_used_bytes, uint64_t *out_map_bytes)
{
    (void)backend;
    *out_used_bytes = 0;
    *out_map_bytes = UINT64_MAX;
}

static inline void
gate_close(struct log_backend *backend)
{
    struct gate *self = (struct gate *)backend;
    self->memory->close(self->memory);
    pthread_cond_destroy(&self->moved);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static int64_t gate_now_us; /* what the log takes for the time */

static inline int64_t
gate_clock(void)
{
    return gate_now_us;
}

/* A log whose commits wait at the gate. */
static inline struct log *
gated_log(void)
{
    gate = calloc(1, sizeof(*gate));
    gate->backend = (struct log_backend){.write = gate_write,
                                         .read_batch = gate_read_batch,
                                         .read_content = gate_read_content,
                                         .read_batches = gate_read_batches,
                                         .read_contents = gate_read_contents,
                                         .read_id = gate_read_id,
                                         .room = gate_room,
                                         .close = gate_close,
                                         .what = "",
                                         .write_what = ""};
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->moved, NULL);
    ck_assert_int_eq(log_memory_open(&gate->memory), RC_OK);
    const struct log_options options = {
        .mode = LOG_CLAIM, .writer_thread = true, .mono_us = gate_clock};
    struct log *log = NULL;
    ck_assert_int_eq(log_open_backend(&gate->backend, &options, &log), RC_OK);
    log_set_run_id(log, (const uint8_t *)"run-id-of-a-test");
    return log;
}

/* Lets so many commits through, those before included. */
static inline void
let(uint32_t commits)
{
    pthread_mutex_lock(&gate->lock);
    gate->let_through = commits;
    pthread_cond_broadcast(&gate->moved);
    pthread_mutex_unlock(&gate->lock);
}

/* Waits until so many commits have come to the gate. */
static inline void
commits_arrive(uint32_t commits)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->arrived < commits) {
        pthread_cond_wait(&gate->moved, &gate->lock);
    }
    pthread_mutex_unlock(&gate->lock);
}

#endif
