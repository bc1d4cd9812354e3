/* writer - the one thread that writes: what gathered during the last commit goes into the next.
 *
 * Shape    writer_queue() takes a copy of one write and returns; the thread commits all that has gathered
 *          (up to a bound) as one transaction and counts it durable. There is no timer: an idle thread begins
 *          at once, a busy one finds more. The caller learns of it from writer_wake_fd() and writer_poll().
 * Units    event numbers; bytes; microseconds of the clock it is given.
 * Errors   the first failed commit is the last: the thread ends, and what was queued behind it is never
 *          written. RC_NO_MEMORY, RC_IO on start.
 * Owner    writer_start()/writer_stop(); borrows the backend, whose write() is the thread's from then on.
 * Threads  one thread calls all of this; the other one is inside.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "store/log_backend.h"

struct writer;

/* durable_seq: up to where the log is durable already. mono_us may be NULL: waits are then 0. */
MUST_USE enum rc writer_start(struct log_backend *backend, uint64_t durable_seq,
                              int64_t (*mono_us)(void), struct writer **out_writer);
/* Waits until everything queued is written (or has failed), then ends the thread. */
void writer_stop(struct writer *writer);

/* Queues a copy of the write; last_seq is the number of its last event. Fails with what the thread
 * failed with, or RC_NO_MEMORY. */
MUST_USE enum rc writer_queue(struct writer *writer, const struct log_write *write,
                              uint64_t last_seq);

/* Readable when writer_poll() has something to tell. */
int writer_wake_fd(const struct writer *writer);

/* How far everything is durable, and why nothing more will be (RC_OK: it goes on). */
MUST_USE enum rc writer_poll(struct writer *writer, uint64_t *out_durable_seq);
/* The same when all that is queued is durable, or nothing more will be. */
MUST_USE enum rc writer_wait(struct writer *writer, uint64_t *out_durable_seq);

/* Goes on with another backend; nothing may be queued. */
void writer_turn_to(struct writer *writer, struct log_backend *backend);

/* What was queued and not yet polled as durable. */
struct log_backlog writer_backlog(const struct writer *writer);

#endif
