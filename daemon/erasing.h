/* erasing - words that are to go: found along the friend's chain and deleted with an event (SPEC R50, R51).
 *
 * Shape    state.forgetting says who is being forgotten and where the walk goes on. A pass walks a share
 *          of it; the rows it found go in the commit of the event that says how far it came, so that a
 *          crash repeats at most a share. Unreadable webhook bodies may hold anybody's words: all go.
 * Units    numbers of events.
 * Errors   what reading the log said; nothing is erased in that pass then.
 * Owner    borrows the core.
 */
#ifndef DAEMON_ERASING_H
#define DAEMON_ERASING_H

#include "daemon/core.h"

/* One share of the friend who is being forgotten, if there is one; call once a pass, before
 * core_flush(). True when there is more and it can go on at once. */
bool erasing_pump(struct core *core);

/* The event with which this friend's message was received; 0 when it is not found among the events of
 * the last two days (LINE takes messages back for one). It may be one that is not durable yet. */
MUST_USE enum rc erasing_find_message(struct core *core, struct span user_id,
                                      struct span message_id, uint64_t *out_seq);

#endif
