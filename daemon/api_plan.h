/* api_plan - what a new set of definitions changes, and whom it would move.
 *
 * Shape    the canonical forms of two sets are compared name by name: added, changed, removed. Private to
 *          daemon/api_definitions.c.
 * Units    none.
 * Errors   a canonical form that is no JSON compares as empty.
 * Owner    plan_make() returns a new reference.
 */
#ifndef DAEMON_API_PLAN_H
#define DAEMON_API_PLAN_H

#include "engine/state.h"
#include <jansson.h>

/* [{"change","kind","id","detail"}] from what is in force in the state to `after`. */
json_t *plan_make(const struct state *state, const struct definitions *after);

/* The first scenario whose running enrolments would have to be planned anew (its schedule differs, or it
 * is gone); NO_ID when there is none. out_reason: a word for people. */
uint32_t plan_moved_scenario(const struct state *state, const struct definitions *after,
                             uint32_t *out_running, const char **out_reason);

#endif
