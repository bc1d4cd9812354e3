/* allowance - asks LINE how many messages the month has and how many are used (SPEC R11).
 *
 * Shape    at the start, every six hours, and every ten minutes while LINE refuses messages for it: two
 *          questions, one input. What LINE knows beyond our own count was used elsewhere: by staff in its
 *          manager. allowance_spent(): LINE has refused one; nothing that is paid for is taken until
 *          an answer shows room.
 * Units    UTC milliseconds on the daemon's clock.
 * Errors   none: while LINE does not answer, what was known last holds.
 * Owner    the delivery desk; borrows core, client and pacing.
 */
#ifndef DAEMON_ALLOWANCE_H
#define DAEMON_ALLOWANCE_H

#include "daemon/core.h"
#include "daemon/line_client.h"
#include "daemon/pacing.h"

struct allowance;

struct allowance *allowance_new(struct core *core, struct line_client *client,
                                struct pacing *pacing);
void allowance_free(struct allowance *allowance);
void allowance_pump(struct allowance *allowance);
void allowance_spent(struct allowance *allowance);
uint32_t allowance_in_flight(const struct allowance *allowance);
int64_t allowance_next(const struct allowance *allowance);

#endif
