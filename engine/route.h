/* route - ways to become a friend, each with its own link and QR code: what opening one sets off (SPEC R28).
 *
 * Shape    a scan is recorded whoever made it. It takes effect with the follow that comes next, within a
 *          day, behind or instead of the friend-add body; and at once for a friend, where the route runs
 *          any time. Who opens a link and never follows is a number that nothing is sent to.
 * Units    UTC milliseconds; ids.
 * Errors   none.
 * Owner    definitions are the set's.
 */
#ifndef ENGINE_ROUTE_H
#define ENGINE_ROUTE_H

#include "engine/turn.h"

struct route {
    bool ignores_friend_add; /* friend_add: ignore */
    bool any_time;           /* run: any_time; else with a follow only */
    bool
        operates_scenario; /* its body starts, stops, pauses or resumes one: the friend-add one is not */
    struct body body;
};

void route_decide(struct turn *turn, const struct input *input);
/* The route by which a friend follows who scanned one since they were last heard of; NO_ID: none.
 * before_ms: LINE's instant of the follow or unfollow before this one, 0 for none. */
uint32_t route_of_follow(const struct turn *turn, uint32_t friend, int64_t before_ms);
/* The friend came by it: recorded, and its body run into the answer under way. */
void route_take(struct turn *turn, uint32_t friend, uint32_t route);

#endif
