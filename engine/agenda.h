/* agenda - what is due and whose turn it is: the wheel, the queues and what is held, following the rows.
 *
 * Shape    agenda_begin() arms everything that waits; from then on agenda_follow() sees every event that was
 *          applied. What has come due moves into the queues by agenda_expire(), and agenda_next() says
 *          which content goes next, the most urgent class first. Queues and lists hold hints; the rows
 *          are the truth: agenda_take_up() asks them. Of what is due for one friend agenda_best() is what
 *          comes first in SPEC R5's order.
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
    int64_t now_ms;     /* of the call under way */
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
void agenda_queue(void *agenda, struct owner owner);
/* The content that goes next of what such a permit lets go (engine/due.h); false when nothing may be taken
 * now. What is held follows behind the queues when something was raised. */
bool agenda_next(struct agenda *agenda, const struct take_permit *permit,
                 enum message_class *out_class, uint64_t *out_content);
/* An owner has come out of its line: its friend when the row is still due and may be taken, else NO_ID: it is
 * gone, or held again, or it comes again with the outcome of what its friend has in flight. */
uint32_t agenda_take_up(struct agenda *agenda, struct owner owner, int64_t now_ms);
/* The first in rank of everything due for a friend. False when nothing is. */
bool agenda_best(const struct agenda *agenda, uint32_t friend, int64_t now_ms,
                 struct owner *out_owner);
/* As engine_next_due() and engine_next_work(). */
int64_t agenda_next_work(const struct agenda *agenda, int64_t now_ms);
int64_t agenda_next_due(const struct agenda *agenda, int64_t now_ms);

#endif
