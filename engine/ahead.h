/* ahead - an engine run through time that has not come yet, with nobody behind it (`stepctl simulate`).
 *
 * Shape    the same decide and apply as ever; what they want sent is answered "sent" at once, at its own
 *          instant. The engine is a copy: nothing here knows a log or a line to LINE.
 * Units    UTC milliseconds.
 * Errors   none.
 * Owner    borrows the engine, which must be awake (engine_wake()).
 */
#ifndef ENGINE_AHEAD_H
#define ENGINE_AHEAD_H

#include "engine/engine.h"

struct ahead {
    int64_t until_ms;
    /* Every event, in order, once it is applied; valid during the call. May be NULL. */
    void (*seen)(void *context, const struct event *event);
    void *context;
    uint64_t deliveries; /* answered so far */
};

/* From an instant, which is not earlier than any event of the engine, to ahead->until_ms. */
void engine_run_ahead(struct engine *engine, int64_t from_ms, struct ahead *ahead);

#endif
