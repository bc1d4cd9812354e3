/* timer_peers - what a wheel could have been: other keepers of timers, for bench_wheel to run beside it.
 *
 * Shape    each keeps one timer an owner. The heap is the control: a plain binary heap of 16-byte entries
 *          with an index that says where each owner stands, in exact order. libev and libevent run as
 *          they are used, a struct a timer and a callback; their clock is made to jump.
 * Units    UTC milliseconds; owners are 0 to count - 1.
 * Errors   a peer that loses a timer or fires one early ends the program; so does want of memory.
 * Owner    peer_new()/peer_free().
 */
#ifndef BENCH_TIMER_PEERS_H
#define BENCH_TIMER_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum peer_kind { PEER_HEAP, PEER_LIBEV, PEER_LIBEVENT, PEER_COUNT };
extern const char *const PEER_NAMES[PEER_COUNT];

struct peer;

/* With room for count timers, touched beforehand. */
struct peer *peer_new(enum peer_kind kind, size_t count, int64_t now_ms);
void peer_free(struct peer *peer);

void peer_arm(struct peer *peer, const int64_t *due_ms, size_t count); /* owner i at due_ms[i] */
void peer_disarm(struct peer *peer, const uint32_t *owners, size_t count);

/* Runs the clock from from_ms to until_ms in steps of step_ms; libev and libevent take it in one jump,
 * which is kinder to them. Returns how many timers fired; the heap adds each to *digest, in order. */
size_t peer_expire(struct peer *peer, int64_t from_ms, int64_t until_ms, int64_t step_ms,
                   uint64_t *digest);

/* Bytes held for a timer. */
double peer_bytes(const struct peer *peer);

/* A fingerprint that depends on the order. */
uint64_t digest_add(uint64_t digest, int64_t due_ms, uint32_t owner);

#endif
