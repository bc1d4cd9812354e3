/* tzif - the system's zone files (RFC 8536) to zone tables.
 *
 * Shape    the version 2+ block plus its POSIX footer, extended to the year 2200.
 * Units    as engine/civil.h.
 * Errors   RC_CORRUPT for bytes that are no zone file, RC_NO_MEMORY.
 * Owner    zones are heap; tzif_free() frees one. Reading the file is the caller's (daemon/zones.h).
 */
#ifndef PROTO_TZIF_H
#define PROTO_TZIF_H

#include "engine/base/rc.h"
#include "engine/base/span.h"
#include "engine/civil.h"

MUST_USE enum rc tzif_parse(struct span bytes, const char *name, struct zone **out_zone);
void tzif_free(struct zone *zone);

#endif
