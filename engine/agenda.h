/* agenda - what is due and whose turn it is: the wheel, the queues and what is held, following the rows.
 *
 * Shape    agenda_begin() arms everything that waits; from then on agenda_follow() sees every event that was
 *          applied. What has come due moves into the queues by agenda_expire(), and agenda_next() gives the
 *          owner to be judged: the most urgent class first, and of that friend whatever comes first in
 *          SPEC R5's order. Queues and lists hold hints; the rows are the truth.
 * Units    UTC milliseconds.
 * Errors   out of memory ends the process.
 * Owner    inside struct engine; nothing of it reaches the digest, all of it is rebuilt from rows. It
 *          writes the rows' `queued` marks and nothing else.
 */
#ifndef ENGINE_AGENDA_H
#define ENGINE_AGENDA_H

#include "engine/due.h"
#include "engine/held.h"

struct turn;

struct agenda {
    struct state *state;
    struct due due;
    struct held held;
    bool passed_over;   /* some enrolment came due while it was paused, and is in no queue */
    uint32_t look_from; /* from here on enrolments are looked at for such; NO_ID: none is */
};

void agenda_begin(struct agenda *agenda, struct state *state, int64_t now_ms);
void agenda_end(struct agenda *agenda);

void agenda_follow(struct agenda *agenda, const struct event *event);
/* Queues whatever of a friend is due: what waited while a request was in flight, or is left. */
void agenda_look_at(struct agenda *agenda, uint32_t friend, int64_t now_ms);
/* Moves a share of what has come due out of the wheel, and of what may go on after a pause. Broadcasts
 * begin at once. */
void agenda_expire(struct agenda *agenda, struct turn *turn);
/* The owner whose turn it is; false when nothing may be taken now. */
bool agenda_next(struct agenda *agenda, int64_t now_ms, struct owner *out_owner,
                 uint32_t *out_friend);
/* As engine_next_due(). */
int64_t agenda_next_due(const struct agenda *agenda, int64_t now_ms);

#endif
