/* peers - what people would use instead, as servers to schedule jobs with: Redis, PostgreSQL, beanstalkd,
 * BullMQ (PERFORMANCE P3).
 *
 * Shape    bench/peers.sh starts them, each with every write made sure before its answer, on Unix sockets in
 *          one directory; this speaks to those it finds. A group is as many jobs as are sent before an
 *          answer is waited for: pipelined commands, one statement of many rows, one addBulk.
 * Units    jobs a second; bytes of payload a job.
 * Errors   a peer that is not there is not asked; one that answers wrongly ends the bench.
 * Owner    peers_open()/peers_close().
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum peer { PEER_REDIS, PEER_POSTGRESQL, PEER_BEANSTALKD, PEER_BULLMQ, PEER_COUNT };

struct peers {
    int fds[PEER_COUNT]; /* -1: not there */
    uint64_t next;       /* number of the next job */
};

void peers_open(struct peers *peers, const char *directory);
void peers_close(struct peers *peers);

const char *peer_name(enum peer peer);
bool peer_is_there(const struct peers *peers, enum peer peer);
/* Schedules groups of jobs, due in 1 to 31 days, for so long. */
double peer_durable(struct peers *peers, enum peer peer, size_t group, size_t bytes,
                    int64_t slice_us);

#endif
