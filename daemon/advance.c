#include "daemon/advance.h"

#include <assert.h>

void
advance_init(struct advance *advance, struct core *core, struct delivery_desk *desk)
{
    *advance = (struct advance){.core = core, .desk = desk};
}

enum rc
advance_begin(struct advance *advance, int64_t to_ms, advance_done_fn done, void *context)
{
    if (advance->active) {
        return RC_BUSY;
    }
    advance->active = true;
    advance->to_ms = to_ms;
    advance->done = done;
    advance->context = context;
    return RC_OK;
}

static void
finish(struct advance *advance, bool arrived)
{
    advance->active = false;
    advance->done(advance->context, arrived);
}

bool
advance_pass(struct advance *advance)
{
    if (!advance->active) {
        return false;
    }
    struct clock *clock = core_clock(advance->core);
    int64_t now_ms = clock_now_ms(clock), next_ms = delivery_next(advance->desk);
    bool undone = delivery_in_flight(advance->desk) > 0 ||
                  log_durable(core_log(advance->core)) < core_state(advance->core)->seq;
    if (undone) {
        return false; /* LINE's answer, or the log, wakes the loop */
    }
    if (next_ms <= now_ms) {
        return true; /* the pump stopped at its bound; the clock stands still for it */
    }
    bool arrives = next_ms > advance->to_ms;
    enum rc rc = clock_set(clock, arrives ? advance->to_ms : next_ms);
    assert(rc == RC_OK); /* forward only, and nobody else moves it */
    if (arrives) {
        finish(advance, true);
    }
    return !arrives;
}

void
advance_cancel(struct advance *advance)
{
    if (advance->active) {
        finish(advance, false);
    }
}
