/* held - a data directory that was copied or restored: what is known of its former life (SPEC R45).
 *
 * Shape    the engine says that sending is held (state.claim); this says to people why, and what waits.
 * Units    UTC milliseconds.
 * Errors   RC_NOT_FOUND when nothing is held; else what reading the log said.
 * Owner    spans live in the caller's arena or in the state until the next apply.
 */
#ifndef DAEMON_HELD_H
#define DAEMON_HELD_H

#include "daemon/core.h"

struct held_gap {
    const char *differs; /* what is another now: "machine", "path", "data file", "newest event" */
    struct span machine, path;
    int64_t claimed_ms;   /* the last claim of the former life */
    int64_t newest_ms;    /* its newest event */
    uint32_t due_count;   /* steps and answers due by now, and requests of unknown fate */
    int64_t due_since_ms; /* the first of them; INSTANT_NONE when there is none */
};

bool held_by_claim(const struct core *core);
MUST_USE enum rc held_look(struct core *core, struct arena *arena, struct held_gap *out_gap);
/* One sentence, with times in `zone`. */
void held_text(const struct held_gap *gap, const struct zone *zone, struct buf *out);

#endif
