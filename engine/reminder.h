/* reminder - steps counted back from a goal: a booked slot, a coupon's last day (SPEC R32).
 *
 * Shape    a reminder is a struct scenario of KIND_REMINDER; one that runs is an enrolment with a goal
 *          and a key. A friend may have several of the same reminder at once: the key tells them apart.
 *          Steps go in the order of their due instants. Only decide functions call these.
 * Units    UTC milliseconds. A key is the id of a name in definitions.key_names, or
 *          REMINDER_KEY_OWN with any number of the caller's below it, such as a booking's.
 * Errors   none; a start that cannot be is recorded as refused.
 * Owner    rows are the state's.
 */
#ifndef ENGINE_REMINDER_H
#define ENGINE_REMINDER_H

#include "engine/turn.h"

#define REMINDER_KEY_OWN (UINT64_C(1) << 63)
#define REMINDER_KEY_ANY UINT64_MAX /* reminder_cancel(): every key */
#define REMINDER_NO_GOAL INT64_MIN  /* refused with no_goal */

/* Starts it. One that runs with this key is moved to the goal: what was not delivered yet is planned
 * anew; with the same goal nothing changes. */
void reminder_start(struct turn *turn, uint32_t friend, uint32_t reminder, uint64_t key,
                    int64_t goal_ms, struct source source);
/* Starts it anew with all its steps, delivered ones too (SPEC R39: a changed booking). */
void reminder_restart(struct turn *turn, uint32_t friend, uint32_t reminder, uint64_t key,
                      int64_t goal_ms, struct source source);
/* Its undelivered steps are cancelled by `source`. */
void reminder_cancel(struct turn *turn, uint32_t friend, uint32_t reminder, uint64_t key,
                     struct source source);

/* The goal that a friend's date or datetime field says; REMINDER_NO_GOAL when it is empty. A date
 * without a time is its day's 23:59. */
int64_t reminder_goal_of_field(const struct state *state, uint32_t friend, uint32_t reminder,
                               uint32_t field);

/* For scenario.c and step.c. */

/* When a step counted back from a goal is due. */
int64_t reminder_due(const struct zone *zone, const struct timing *timing, int64_t goal_ms);
/* From when on a step may not be sent any more: grace, at the latest the goal. */
int64_t reminder_stale_ms(const struct state *state, const struct enrolment *row,
                          const struct step *step);

#endif
