/* conversion - what counts as a success, told from outside or by an action (SPEC R36).
 *
 * Shape    each telling is an event, also where only the first counts; its body runs when it counts.
 * Units    ids.
 * Errors   none.
 * Owner    definitions are the set's; the set of who converted is the state's.
 */
#ifndef ENGINE_CONVERSION_H
#define ENGINE_CONVERSION_H

#include "engine/turn.h"

struct conversion {
    bool first_only; /* count: first */
    struct body body;
};

/* An act of the friend by itself: what it sends is a push of class response (SPEC R10). */
void conversion_decide(struct turn *turn, const struct input *input);
/* Inside other actions; true when it counted. */
bool conversion_run(struct turn *turn, uint32_t friend, uint32_t conversion, struct source source);
void conversion_apply(struct state *state, const struct event *event);

bool state_has_converted(const struct state *state, uint32_t friend, uint32_t conversion);
/* Friends who did, and how often it counted. */
uint32_t state_converted_count(const struct state *state, uint32_t conversion);
uint32_t state_conversion_total(const struct state *state, uint32_t conversion);

#endif
