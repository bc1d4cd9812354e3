/* instant - an instant as people write it on a command line or in a file of settings.
 *
 * Shape    "2026-06-01 10:15", "2026-06-01T10:15:00.250+09:00", "...Z", or UTC milliseconds as a number.
 *          Without an offset it is Tokyo's time.
 * Units    UTC milliseconds.
 * Errors   RC_INVALID for anything else, for days that do not exist, and outside the years 2000 to 2199.
 * Owner    nothing.
 */
#ifndef DAEMON_INSTANT_H
#define DAEMON_INSTANT_H

#include "engine/base/rc.h"
#include "engine/base/span.h"

MUST_USE enum rc instant_parse(struct span text, int64_t *out_ms);

#endif
