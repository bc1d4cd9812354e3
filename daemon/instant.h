/* instant - points in time as people write and read them.
 *
 * Shape    reads "2026-06-01 10:15", with seconds and fractions or without, local to a zone, RFC 3339 with its
 *          own offset, and UTC milliseconds as a number; prints "2026-06-01T10:15:00.000+09:00". Dates
 *          alone are day numbers.
 * Units    UTC milliseconds; day numbers since 1970-01-01. A zone of NULL is Tokyo's (SPEC R1).
 * Errors   RC_INVALID for anything else, for days and hours that do not exist, and for instants outside the
 *          years 2000 to 2199; dates begin with 1900.
 * Owner    the caller's buffers.
 */
#ifndef DAEMON_INSTANT_H
#define DAEMON_INSTANT_H

#include "engine/base/rc.h"
#include "engine/base/span.h"
#include "engine/civil.h"

enum { INSTANT_TEXT_BYTES = 48 };
#define INSTANT_NONE INT64_MIN /* no instant at all: not yet, or never */

MUST_USE enum rc instant_parse(struct span text, const struct zone *zone, int64_t *out_ms);
MUST_USE enum rc instant_parse_date(struct span text, int64_t *out_day);
const char *instant_print(int64_t at_ms, const struct zone *zone, char out[INSTANT_TEXT_BYTES]);
const char *instant_print_date(int64_t day, char out[INSTANT_TEXT_BYTES]);

/* True for instants that instant_parse() takes. */
bool instant_in_range(int64_t at_ms);

#endif
