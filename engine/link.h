/* link - addresses in messages whose clicks are known: who, when, how long after the delivery (SPEC R36).
 *
 * Shape    a click is told by the page behind the short address. The first click of a friend runs the
 *          link's body, or each does. What a message holds is decided by how the link is tracked: one
 *          address for all, one signed for each friend, or the target itself.
 * Units    UTC milliseconds; ids.
 * Errors   none.
 * Owner    definitions are the set's.
 */
#ifndef ENGINE_LINK_H
#define ENGINE_LINK_H

#include "engine/turn.h"

enum link_track {
    TRACK_PERSONAL, /* https://shop.example/l/L_shop/TOKEN */
    TRACK_LIFF,     /* https://shop.example/l/L_shop: the page learns who it is */
    TRACK_NONE,     /* the target */
};

struct link {
    struct span to; /* the target; never what a query says */
    enum link_track track;
    bool every; /* once: no */
    struct body body;
};

void link_decide(struct turn *turn, const struct input *input);
/* What stands in a message to that friend. */
struct span link_address(struct turn *turn, uint32_t friend, uint32_t link);

#endif
