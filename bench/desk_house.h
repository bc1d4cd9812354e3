/* desk_house - engine, log and delivery desk in one process, without doors, for bench_delivery.
 *
 * Shape    house_open() claims a fresh log on disk and puts definitions in force; friends follow by the
 *          thousand; house_pass() is one pass of the daemon's loop. LINE is any line_client; house_line() is
 *          one that accepts everything at once and notes when it was asked.
 * Units    UTC milliseconds on the house's clock; microseconds of the wall clock where the name says so.
 * Errors   what cannot be ends the program with a line on stderr.
 * Owner    one house at a time.
 */
#ifndef BENCH_DESK_HOUSE_H
#define BENCH_DESK_HOUSE_H

#include "daemon/delivery.h"
#include "daemon/zones.h"

struct house {
    struct clock clock;
    struct zones *zones;
    struct core *core;
    struct delivery_desk *desk; /* NULL until house_line() or house_deliver() */
    uint8_t random;
};

/* A question to LINE, as house_line() heard it. */
struct house_asked {
    enum line_endpoint endpoint;
    int64_t at_us;   /* wall clock */
    uint32_t number; /* of the friend: "U%u"; of a multicast the first */
};
typedef void (*house_heard_fn)(void *context, const struct house_asked *asked);

/* parent: where the log's directory is made. real: on the machine's clock, else from at_ms on. */
void house_open(struct house *house, const char *parent, bool real, int64_t at_ms,
                const char *yaml);
void house_close(struct house *house);

/* count friends "U%u" from `first` on; the i-th follows at line_at_ms + i * apart_us / 1000. */
void house_follow(struct house *house, uint32_t first, uint32_t count, int64_t line_at_ms,
                  int64_t apart_us);
void house_says(struct house *house, uint32_t friend, const char *text);

/* A desk that talks to this client. */
void house_deliver(struct house *house, struct line_client *client, uint32_t in_flight_max,
                   const uint32_t per_second[LINE_ENDPOINT_COUNT]);
/* A client whose answers come with house_answer(): 200 to everything. */
struct line_client *house_line(house_heard_fn heard, void *context);
/* Answers what has been at LINE for round_trip_us; returns how many are left. */
uint32_t house_answer(int64_t round_trip_us);

/* Takes, sends, makes durable what the pass decided. True: there is more to do at once. */
bool house_pass(struct house *house);
/* Until the log is durable to its end. */
void house_wait(struct house *house);
uint64_t house_log_bytes(const struct house *house);

#endif
