/* take - what is due and may go is judged and intended: one owner, or many of one content (SPEC R46, R47).
 *
 * Shape    take_next() goes through what agenda says may go next until something was decided: of one friend
 *          what comes first in rank, of a common content as many as a request holds.
 * Units    UTC milliseconds, the turn's.
 * Errors   none.
 * Owner    borrows both; rows of what was taken live in the events' arena.
 */
#ifndef ENGINE_TAKE_H
#define ENGINE_TAKE_H

#include "engine/agenda.h"
#include "engine/turn.h"

/* False: nothing that may go now is due. */
bool take_next(struct turn *turn, struct agenda *agenda, const struct take_permit *permit,
               struct taken *out_taken);

#endif
