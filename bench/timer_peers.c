#include "bench/timer_peers.h"

#include <errno.h>
#include <ev.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

const char *const PEER_NAMES[PEER_COUNT] = {"binary heap", "libev", "libevent"};

struct entry {
    int64_t due_ms;
    uint32_t owner;
};

struct peer {
    enum peer_kind kind;
    size_t capacity, armed;
    size_t fired;
    /* the heap */
    struct entry *entries;
    uint32_t *places; /* by owner */
    /* libev */
    struct ev_loop *loop;
    struct ev_timer *ev_timers;
    /* libevent */
    struct event_base *base;
    struct event *events;
    int64_t began_ms;
};

static void
need(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "bench_wheel: %s\n", what);
        exit(1);
    }
}

static void *
touched(size_t bytes)
{
    void *memory = malloc(bytes);
    need(memory != NULL, "no memory");
    memset(memory, 1, bytes);
    return memory;
}

uint64_t
digest_add(uint64_t digest, int64_t due_ms, uint32_t owner)
{
    return (digest ^ (uint64_t)due_ms ^ (uint64_t)owner << 40) * 0x100000001b3u;
}

/* ---- the clock of libev and libevent: while it is virtual, theirs is ours ---- */

static bool clock_is_virtual;
static int64_t clock_virtual_ms;

int
clock_gettime(clockid_t id, struct timespec *out) /* in place of the C library's */
{
    bool monotonic = id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE;
    if (clock_is_virtual && (monotonic || id == CLOCK_REALTIME)) {
        out->tv_sec = clock_virtual_ms / 1000;
        out->tv_nsec = clock_virtual_ms % 1000 * 1000000;
        return 0;
    }
    return (int)syscall(SYS_clock_gettime, id, out);
}

/* ---- the heap ---- */

static bool
before(struct entry a, struct entry b)
{
    return a.due_ms < b.due_ms || (a.due_ms == b.due_ms && a.owner < b.owner);
}

static void
heap_set(struct peer *heap, size_t place, struct entry entry)
{
    heap->entries[place] = entry;
    heap->places[entry.owner] = (uint32_t)place;
}

static void
heap_up(struct peer *heap, size_t place, struct entry entry)
{
    while (place > 0 && before(entry, heap->entries[(place - 1) / 2])) {
        heap_set(heap, place, heap->entries[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    heap_set(heap, place, entry);
}

static void
heap_down(struct peer *heap, size_t place, struct entry entry)
{
    for (size_t child = 2 * place + 1; child < heap->armed; child = 2 * place + 1) {
        child += child + 1 < heap->armed && before(heap->entries[child + 1], heap->entries[child]);
        if (!before(heap->entries[child], entry)) {
            break;
        }
        heap_set(heap, place, heap->entries[child]);
        place = child;
    }
    heap_set(heap, place, entry);
}

static void
heap_remove(struct peer *heap, size_t place)
{
    struct entry last = heap->entries[--heap->armed];
    if (place == heap->armed) {
        return;
    }
    if (place > 0 && before(last, heap->entries[(place - 1) / 2])) {
        heap_up(heap, place, last);
    } else {
        heap_down(heap, place, last);
    }
}

static size_t
heap_expire(struct peer *heap, int64_t from_ms, int64_t until_ms, int64_t step_ms, uint64_t *digest)
{
    size_t fired = 0;
    for (int64_t now_ms = from_ms; now_ms <= until_ms; now_ms += step_ms) {
        while (heap->armed > 0 && heap->entries[0].due_ms <= now_ms) {
            *digest = digest_add(*digest, heap->entries[0].due_ms, heap->entries[0].owner);
            heap_remove(heap, 0);
            fired++;
        }
    }
    return fired;
}

/* ---- libev and libevent ---- */

static void
on_ev(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ((struct peer *)ev_userdata(loop))->fired++;
}

static void
on_event(evutil_socket_t fd, short events, void *context)
{
    (void)fd;
    (void)events;
    ((struct peer *)context)->fired++;
}

static void
libs_arm(struct peer *peer, const int64_t *due_ms, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t delay_ms = due_ms[i] - peer->began_ms;
        if (peer->kind == PEER_LIBEV) {
            ev_timer_init(&peer->ev_timers[i], on_ev, (double)delay_ms / 1000, 0);
            ev_timer_start(peer->loop, &peer->ev_timers[i]);
        } else {
            struct timeval delay = {delay_ms / 1000, delay_ms % 1000 * 1000};
            event_assign(&peer->events[i], peer->base, -1, 0, on_event, peer);
            event_add(&peer->events[i], &delay);
        }
    }
}

static void
libs_disarm(struct peer *peer, const uint32_t *owners, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (peer->kind == PEER_LIBEV) {
            ev_timer_stop(peer->loop, &peer->ev_timers[owners[i]]);
        } else {
            event_del(&peer->events[owners[i]]);
        }
    }
}

static size_t
libs_expire(struct peer *peer, int64_t until_ms)
{
    peer->fired = 0;
    clock_virtual_ms = until_ms + 1000;
    if (peer->kind == PEER_LIBEV) {
        ev_run(peer->loop, EVRUN_NOWAIT);
    } else {
        event_base_loop(peer->base, EVLOOP_NONBLOCK);
    }
    return peer->fired;
}

/* ---- any of them ---- */

struct peer *
peer_new(enum peer_kind kind, size_t count, int64_t now_ms)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    need(peer != NULL, "no memory");
    *peer = (struct peer){.kind = kind, .capacity = count, .began_ms = now_ms};
    clock_is_virtual = kind != PEER_HEAP;
    clock_virtual_ms = now_ms;
    switch (kind) {
    case PEER_HEAP:
        peer->entries = touched(count * sizeof(struct entry));
        peer->places = touched(count * sizeof(uint32_t));
        break;
    case PEER_LIBEV:
        peer->loop = ev_loop_new(EVFLAG_NOENV);
        need(peer->loop != NULL, "libev will not start");
        ev_set_userdata(peer->loop, peer);
        peer->ev_timers = touched(count * sizeof(struct ev_timer));
        memset(peer->ev_timers, 0, count * sizeof(struct ev_timer));
        break;
    case PEER_LIBEVENT:
        peer->base = event_base_new();
        need(peer->base != NULL, "libevent will not start");
        peer->events = touched(count * sizeof(struct event));
        memset(peer->events, 0, count * sizeof(struct event));
        break;
    case PEER_COUNT:
        break;
    }
    return peer;
}

void
peer_free(struct peer *peer)
{
    if (peer->loop != NULL) {
        ev_loop_destroy(peer->loop);
    }
    if (peer->base != NULL) {
        event_base_free(peer->base);
    }
    free(peer->entries);
    free(peer->places);
    free(peer->ev_timers);
    free(peer->events);
    free(peer);
    clock_is_virtual = false;
}

void
peer_arm(struct peer *peer, const int64_t *due_ms, size_t count)
{
    if (peer->kind != PEER_HEAP) {
        libs_arm(peer, due_ms, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        heap_up(peer, peer->armed++, (struct entry){due_ms[i], i});
    }
}

void
peer_disarm(struct peer *peer, const uint32_t *owners, size_t count)
{
    if (peer->kind != PEER_HEAP) {
        libs_disarm(peer, owners, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        heap_remove(peer, peer->places[owners[i]]);
    }
}

size_t
peer_expire(struct peer *peer, int64_t from_ms, int64_t until_ms, int64_t step_ms, uint64_t *digest)
{
    if (peer->kind != PEER_HEAP) {
        return libs_expire(peer, until_ms);
    }
    return heap_expire(peer, from_ms, until_ms, step_ms, digest);
}

double
peer_bytes(const struct peer *peer)
{
    switch (peer->kind) {
    case PEER_HEAP:
        return sizeof(struct entry) + sizeof(uint32_t);
    case PEER_LIBEV:
        return sizeof(struct ev_timer) + 16; /* and its node in the heap: the time and a pointer */
    case PEER_LIBEVENT:
        return sizeof(struct event) + sizeof(void *);
    case PEER_COUNT:
        break;
    }
    return 0;
}
