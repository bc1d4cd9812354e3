/* trigger - what happens because something happened to a friend (SPEC R18, R35).
 *
 * Shape    a trigger is a struct scenario of KIND_TRIGGER with one step; one that has gone off is an
 *          enrolment. Everything it can be `on:` is a struct trigger_on. Events that turn_emit() emits
 *          are seen by trigger_see(), which says what they are; what no event of its own says (an
 *          answered form, a score) is told by trigger_fire(). What fires cancels at once
 *          (`cancel_on`), and starts after the list of actions that fired it (SPEC R27).
 * Units    UTC milliseconds.
 * Errors   none; a loop is cut by a refused start with the reason `loop`.
 * Owner    the queue is the turn's.
 */
#ifndef ENGINE_TRIGGER_H
#define ENGINE_TRIGGER_H

#include "engine/turn.h"

/* It happened to the friend. id, sub, number as struct trigger_on says; "reaches" kinds are told by
 * trigger_number_changed(). */
void trigger_fire(struct turn *turn, uint32_t friend, struct trigger_on happened);
/* A number went from old to now: fires `on` (ON_FIELD_REACHES with its field, ON_SCORE_REACHES …) for
 * every threshold passed upward. */
void trigger_number_changed(struct turn *turn, uint32_t friend, struct trigger_on on, int64_t old,
                            int64_t now);
void trigger_score_changed(struct turn *turn, uint32_t friend, int64_t old, int64_t now);

/* Starts what has fired from `from` on, in that order; the queue is then `from` long. */
void trigger_run_fired(struct turn *turn, uint32_t from);

/* For turn_emit(): what is known before the event is applied, and what it sets off. */
struct trigger_before {
    bool known;
    int64_t number;
    const char *text;
    uint32_t mark;
    bool blocked;
};
struct trigger_before trigger_look(const struct turn *turn, const struct event *event);
void trigger_see(struct turn *turn, const struct event *event, const struct trigger_before *before);

/* A custom event, by an action, the API or a rehearsal (SPEC R35). */
void trigger_custom_event(struct turn *turn, uint32_t friend, struct span name,
                          struct source source);

#endif
