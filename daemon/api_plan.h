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
json_t *plan_make(const struct state *state, const struct definitions *after, int64_t now_ms);

/* Appends what the set means for friends on the way, step by step (SPEC R26):
 * {"change":"moves","kind":"step","id":"S/b","detail":"142 friends get it ..."}. */
void plan_add_moves(json_t *rows, const struct state *state, const struct definitions *after,
                    int64_t now_ms);

#endif
