/* profiles - asks LINE for each friend's name once, soon after the friend is first seen.
 *
 * Shape    friends are numbered densely, so a cursor over them is the queue; what failed comes again
 *          after a rest. A profile LINE does not give (404) is recorded as not found.
 * Units    UTC milliseconds on the daemon's clock.
 * Errors   none: a name that cannot be had is simply not known.
 * Owner    the delivery desk; borrows core, client and pacing.
 */
#ifndef DAEMON_PROFILES_H
#define DAEMON_PROFILES_H

#include "daemon/core.h"
#include "daemon/line_client.h"
#include "daemon/pacing.h"

struct profiles;

struct profiles *profiles_new(struct core *core, struct line_client *client, struct pacing *pacing);
void profiles_free(struct profiles *profiles);
void profiles_pump(struct profiles *profiles);
uint32_t profiles_in_flight(const struct profiles *profiles);
int64_t profiles_next(const struct profiles *profiles);

#endif
