/* log_house - a small shop over a real log, that schedules: each of its friends starts a scenario of one step,
 * then each stops it, and so on.
 *
 * Shape    the daemon's core with its engine, over a log on disk with a writer thread. The clock stands still.
 * Units    bytes; events.
 * Errors   whatever goes wrong ends the bench.
 * Owner    house_open(); core_close(house.core) and zones_free(house.zones) end it.
 */
#ifndef BENCH_LOG_HOUSE_H
#define BENCH_LOG_HOUSE_H

#include "daemon/core.h"
#include "daemon/zones.h"

struct house {
    struct zones *zones;
    struct clock clock;
    struct core *core;
    struct log *log;
    uint32_t friends, next;
    bool starting; /* each friend starts the scenario, then each stops it */
    uint64_t inputs;
};

void house_open(struct house *house, const char *directory, uint32_t friends);
/* Decides and applies inputs until there are so many events in the pass; how many there are. */
size_t house_schedule(struct house *house, size_t events);
/* Until the log has something to tell, and hears it. */
void house_wait(struct house *house);
/* The mean bytes of an event, its length included, over a round of starts and stops. */
size_t house_event_bytes(struct house *house);
/* The same of the durable events from a number on. */
double house_bytes_since(struct house *house, uint64_t from);

#endif
