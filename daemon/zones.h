/* zones - the system's time zones, read from /usr/share/zoneinfo on first use and kept.
 *
 * Shape    zones_source() is what proto/definition.h asks for.
 * Units    as engine/civil.h.
 * Errors   NULL for a name that is no zone file (or tries to leave the directory).
 * Owner    zones live until zones_free(); definitions point into them.
 */
#ifndef DAEMON_ZONES_H
#define DAEMON_ZONES_H

#include "proto/definition.h"

struct zones;

/* directory NULL: /usr/share/zoneinfo, or $TZDIR. */
struct zones *zones_new(const char *directory);
void zones_free(struct zones *zones);
struct zone_source zones_source(struct zones *zones);

#endif
