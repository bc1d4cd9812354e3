/* replay - the log, folded: read, verify, decode, apply.
 *
 * Shape    walks batches from the beginning or from where the engine stands, decodes each event with its words and definitions, and
 *          applies it to an engine; an observer may look at each event before and after. Definitions are
 *          compiled only when there is an engine to hold them. An event of a kind this version does not
 *          know is handed on like any other: the engine counts it and keeps the friend's chain.
 * Units    event numbers and UTC milliseconds.
 * Errors   RC_CORRUPT with the place in out_error; RC_NEWER; the observer's own non-OK code stops it.
 * Owner    borrows everything; spans given to the observer are valid for the call.
 */
#ifndef DAEMON_REPLAY_H
#define DAEMON_REPLAY_H

#include "engine/engine.h"
#include "proto/definition.h"
#include "store/log.h"

typedef enum rc (*replay_fn)(void *context, const struct event *event);

struct replay_options {
    struct log *log;
    struct engine *engine; /* NULL: decode and observe only */
    struct zone_source zones;
    /* 0: from the first. With an engine, the number after the newest it knows: a tail. */
    uint64_t from_seq;
    uint64_t until_seq; /* 0: all */
    int64_t until_ms;   /* 0: all; else events of batches up to and including this time */
    bool check_stops;   /* RC_CORRUPT at a clean stop whose digest the engine does not have */
    replay_fn before;   /* before an event is applied; may be NULL */
    replay_fn after;    /* after it is applied; may be NULL */
    void *context;
};

MUST_USE enum rc replay_run(const struct replay_options *options, struct buf *out_error);

/* False when a clean stop recorded another digest than this state, as of before it, has. A digest of
 * another state version says nothing. */
bool replay_stop_agrees(const struct state *state, const struct event *stopped);

/* Reads one event by number (for walking a friend's chain). Words attached; spans live in the arena.
 * RC_NOT_FOUND for a number that is not in the log; for the rest, log_error() has the words. */
MUST_USE enum rc replay_read_event(struct log *log, uint64_t seq, struct arena *arena,
                                   struct event *out_event);

#endif
