/* station - the loop: one pass an iteration, the timer for what is due next, signals, the clock watched.
 *
 * Shape    a pass takes and sends what may go (delivery_pump), ends the batch (core_flush), moves a virtual
 *          clock (advance) and arms the next wake-up. SIGTERM or SIGINT: nothing more is taken, what is
 *          in flight comes home, a clean stop is recorded. A second signal ends the process at once.
 *          Without room on the disk nothing is taken in or sent until there is (read-only); a daemon
 *          that was started so claims its log then.
 * Units    UTC milliseconds on the daemon's clock; seconds of real time for the heartbeat and the stop.
 * Errors   a failed log ends the run: memory has run ahead of it (DESIGN 5).
 * Owner    station_new()/station_free(); borrows everything given. Writes the standing.
 */
#ifndef DAEMON_STATION_H
#define DAEMON_STATION_H

#include "daemon/advance.h"
#include "daemon/room.h"
#include "daemon/standing.h"

struct ev_loop;
struct station;

struct station_options {
    struct ev_loop *loop;
    struct core *core;
    struct delivery_desk *desk;
    struct line_client *client; /* for the bot's own user id */
    struct advance *advance;
    struct room *room; /* looked at every second; NULL: there is always room */
    struct standing *standing;
};

struct station *station_new(const struct station_options *options);
void station_free(struct station *station);

/* Runs until a clean stop (RC_OK) or a failed log (RC_IO). */
MUST_USE enum rc station_run(struct station *station);

#endif
