/* crowd - many friends in one event: who they are, their back-chains, and what differs between them.
 *
 * Shape    an event about many friends holds the list as bytes (event.u.delivery.crowd): four columns, friends
 *          ascending, each written as differences, or differences of differences where that is shorter, runs
 *          of zeros as one number. A broadcast to neighbours costs a few bytes a chunk, to a random
 *          half of all friends two bytes a friend.
 * Units    friends are indexes; `previous` are numbers of events, 0 for none, as event.friend_prev.
 * Errors   false for bytes that are no such list, or of more than CROWD_MAX friends.
 * Owner    the caller's struct; packed bytes live in the arena.
 */
#ifndef ENGINE_CROWD_H
#define ENGINE_CROWD_H

#include "engine/base/arena.h"
#include "engine/event.h"

enum { CROWD_MAX = 500 }; /* LINE's most for one multicast (FACTS 2) */

/* What the number about each friend is, by the kind of the event:
 * DELIVERIES_INTENDED  the enrolment whose step it is, or the planned delivery it is (u.delivery.member)
 * DELIVERIES_OUTCOME   enum delivery_result */
enum crowd_member { CROWD_OF_STEP = 1, CROWD_OF_PLANNED = 2 }; /* reaches disk */

struct crowd {
    uint32_t count;
    uint64_t friends[CROWD_MAX];
    uint64_t previous[CROWD_MAX];
    uint64_t numbers[CROWD_MAX];
    /* INTENDED: due so much later than the event's due_ms (wraps); OUTCOME: the delivery's number */
    uint64_t extra[CROWD_MAX];
};

struct span crowd_pack(const struct crowd *crowd, struct arena *arena);
bool crowd_unpack(struct span list, struct crowd *out_crowd);

/* Is it an event about many? Its friend is NO_ID. */
bool crowd_is_in(const struct event *event);
/* What the event says of its n-th friend, as an event about that friend alone: DELIVERY_INTENDED or
 * DELIVERY_OUTCOME. */
void crowd_single(const struct event *event, const struct crowd *crowd, uint32_t n,
                  struct event *out_single);
/* The same by friend; false: the friend is not among them. An event about one comes back as it is. */
bool crowd_event_of(const struct event *event, uint32_t friend, struct event *out_single);

#endif
