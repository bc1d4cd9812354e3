/* segment - a condition over all friends: who they are, as a set (SPEC R24, R52).
 *
 * Shape    the same postfix that condition.c judges of one friend, as algebra of roaring bitmaps: sets
 *          that the state keeps are used where they lie, `not` costs nothing (it is carried along and
 *          turned into andnot, or by De Morgan into or), and a fact without a quick way to its set is
 *          asked only of those whom the rest of an `and` leaves. Counting makes no set for its last step.
 * Units    friend indexes.
 * Errors   none; running out of memory ends the process (docs/adr/0001).
 * Owner    sets returned belong to the caller: set_free().
 */
#ifndef ENGINE_SEGMENT_H
#define ENGINE_SEGMENT_H

#include "engine/fact.h"

/* Everybody counts, those who block the account too. */
struct bitmap *segment_members(const struct inquiry *inquiry, const struct condition *condition);
uint32_t segment_count(const struct inquiry *inquiry, const struct condition *condition);
/* Those of them to whom something may be sent: who neither block the account nor are forgotten. */
uint32_t segment_count_reachable(const struct inquiry *inquiry, const struct condition *condition);

#endif
