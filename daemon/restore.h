/* restore - the state as of the newest event: the newest good checkpoint and the log after it, or the whole
 * log.
 *
 * Shape    checkpoints are tried newest first; one that is damaged, foreign, of another state version or
 *          later than a log that was replaced is passed over with a note. The digest of every clean stop
 *          passed on the way is checked. restore_save() is the other way: the state into a checkpoint.
 * Units    event numbers.
 * Errors   as replay_run(); RC_CORRUPT also when the log ends before a checkpoint of its own last run:
 *          durable events are gone, and only a person can say what that means.
 * Owner    borrows everything.
 */
#ifndef DAEMON_RESTORE_H
#define DAEMON_RESTORE_H

#include "daemon/replay.h"

struct restore_options {
    struct log *log;
    struct zone_source zones;
    const char *directory;                         /* where checkpoints are; NULL: the log alone */
    void (*note)(void *context, const char *text); /* a checkpoint passed over; may be NULL */
    void *note_context;
};

struct restored {
    uint64_t checkpoint_seq; /* 0: from the first event */
    uint64_t tail_events;    /* applied after it */
};

/* Into a new engine. */
MUST_USE enum rc restore_run(const struct restore_options *options, struct engine *engine,
                             struct restored *out_restored, struct buf *out_error);

/* Applies what the log has got since; the digests of clean stops are checked. */
MUST_USE enum rc restore_follow(const struct restore_options *options, struct engine *engine,
                                struct buf *out_error);

/* Writes a checkpoint of the engine's state, which must be as of the end of a batch of this log.
 * *out_bytes: how large its image is. */
MUST_USE enum rc restore_save(const struct restore_options *options, const struct engine *engine,
                              uint64_t *out_bytes, struct buf *out_error);

#endif
