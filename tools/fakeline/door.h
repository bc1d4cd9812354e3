/* door - fakeline's HTTP door: LINE's endpoints, and /fakeline/… to look behind the scenes.
 *
 * Shape    translates between http requests and platform: reads the clock, answers late or never where
 *          a fault says so, sends webhooks. docs/api.md lists the calls.
 * Units    X-Stepd-Time in UTC milliseconds; faults wait in real time.
 * Errors   /fakeline/… answers {"error":{"code","message"}}.
 * Owner    door_open() and door_close(); the platform is borrowed.
 */
#ifndef FAKELINE_DOOR_H
#define FAKELINE_DOOR_H

#include "tools/fakeline/platform.h"

#include <stdio.h>

struct ev_loop;
struct door;

/* record: where each request and its answer goes (tools/common/exchange.h); NULL: nowhere. Borrowed. */
MUST_USE enum rc door_open(struct ev_loop *loop, struct platform *platform, uint16_t port,
                           FILE *record, struct door **out_door);
void door_close(struct door *door);
uint16_t door_port(const struct door *door);

#endif
