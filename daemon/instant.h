/* instant - points in time as people write and read them.
 *
 * Shape    reads "2026-06-10 23:59", with seconds or without, in a zone, and RFC 3339 with its own offset;
 *          prints "2026-06-01T10:15:00.000+09:00". Dates alone are day numbers.
 * Units    UTC milliseconds; day numbers since 1970-01-01. A zone of NULL is UTC.
 * Errors   false for anything else, also for days and hours that do not exist; out stays untouched.
 * Owner    the caller's buffers.
 */
#ifndef DAEMON_INSTANT_H
#define DAEMON_INSTANT_H

#include "engine/civil.h"
#include <stddef.h>

enum { INSTANT_TEXT_BYTES = 48 };

bool instant_parse(const char *text, const struct zone *zone, int64_t *out_ms);
bool instant_parse_date(const char *text, int64_t *out_day);
const char *instant_print(int64_t at_ms, const struct zone *zone, char out[INSTANT_TEXT_BYTES]);
const char *instant_print_date(int64_t day, char out[INSTANT_TEXT_BYTES]);

#endif
