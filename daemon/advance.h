/* advance - moves a virtual clock from one due instant to the next (DESIGN 8).
 *
 * Shape    advance_begin() names a target; advance_pass(), once a pass, moves the clock when the instant
 *          it stands at has nothing left undone: nothing to take, nothing not yet durable, no request
 *          at LINE. At the target it calls done. One advance at a time.
 * Units    UTC milliseconds on the virtual clock.
 * Errors   RC_BUSY: one is under way. done(context, false): the daemon stops before it arrived.
 * Owner    the caller embeds the struct; borrows core and desk.
 */
#ifndef DAEMON_ADVANCE_H
#define DAEMON_ADVANCE_H

#include "daemon/delivery.h"

typedef void (*advance_done_fn)(void *context, bool arrived);

struct advance {
    struct core *core;
    struct delivery_desk *desk;
    bool active;
    int64_t to_ms;
    advance_done_fn done;
    void *context;
};

void advance_init(struct advance *advance, struct core *core, struct delivery_desk *desk);
MUST_USE enum rc advance_begin(struct advance *advance, int64_t to_ms, advance_done_fn done,
                               void *context);
/* After delivery_pump() and core_flush(). True: the clock moved, the pass is to be run again now. */
bool advance_pass(struct advance *advance);
/* Ends it where it stands; without effect when none is under way. */
void advance_cancel(struct advance *advance);

#endif
