/* held - owners that are due and kept back by a quota or a cap, until something is raised (SPEC R11, R12).
 *
 * Shape    a list beside the due queues, so that what is held costs nothing while it is. Entries are
 *          hints as those of the queues: held_release() looks at the rows, and puts as many as may go
 *          into the queues, in SPEC R5's order: priority, original due, creation.
 * Units    UTC milliseconds.
 * Errors   out of memory ends the process.
 * Owner    inside struct engine; nothing of it reaches the digest, all of it is rebuilt from rows.
 */
#ifndef ENGINE_HELD_H
#define ENGINE_HELD_H

#include "engine/due.h"

struct held {
    struct owner *items;
    uint32_t count, capacity;
    bool wanted; /* something was raised, or given back: look again */
};

struct rank { /* SPEC R5, between messages that are due */
    int32_t priority;
    int64_t due_ms;
    uint64_t created_seq;
};

struct rank rank_of(const struct state *state, struct owner owner);
bool rank_before(const struct rank *a, const struct rank *b);

/* Is the row kept back at this moment, and would it have to stay so? */
bool owner_is_held(const struct state *state, struct owner owner);
bool owner_must_stay(const struct state *state, struct owner owner);
uint32_t owner_whose(const struct state *state, struct owner owner);
bool friend_is_busy(const struct state *state, uint32_t friend);

void held_fini(struct held *held);
void held_add(struct held *held, struct owner owner);
/* Calls put() for each that may go now; false when there was none. */
typedef void (*held_put_fn)(void *context, struct owner owner);
bool held_release(struct held *held, const struct state *state, held_put_fn put, void *context);

#endif
