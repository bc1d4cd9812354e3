/* bench_wheel - the wheel beside a plain binary heap, in one run (PERFORMANCE targets P1 and P2).
 *
 * A million timers at random over 30 days are armed, then the clock runs through them in steps of one
 * second. Both structures see the same timers. Medians of five rounds; --json prints an object a line. */
#include "engine/wheel.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5, BATCH = 4096 };
#define DAYS_MS (INT64_C(30) * 86400000)
#define START_MS INT64_C(1763769600000)

/* Processor time: a busy machine shall not count. */
static double
now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void
fail(const char *what)
{
    fprintf(stderr, "bench_wheel: %s\n", what);
    exit(1);
}

/* ---- the control: a binary heap of whole entries ---- */

struct heap {
    struct wheel_entry *items;
    size_t count;
};

static bool
before(struct wheel_entry a, struct wheel_entry b)
{
    return a.due_ms < b.due_ms || (a.due_ms == b.due_ms && a.owner < b.owner);
}

static void
heap_arm(struct heap *heap, struct wheel_entry entry)
{
    size_t i = heap->count++;
    while (i > 0 && before(entry, heap->items[(i - 1) / 2])) {
        heap->items[i] = heap->items[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap->items[i] = entry;
}

static struct wheel_entry
heap_take(struct heap *heap)
{
    struct wheel_entry first = heap->items[0];
    struct wheel_entry last = heap->items[--heap->count];
    size_t i = 0;
    for (size_t child = 1; child < heap->count; child = 2 * i + 1) {
        child += child + 1 < heap->count && before(heap->items[child + 1], heap->items[child]);
        if (!before(heap->items[child], last)) {
            break;
        }
        heap->items[i] = heap->items[child];
        i = child;
    }
    heap->items[i] = last;
    return first;
}

/* ---- one round ---- */

struct figures {
    double arm_ns, expire_ns, longest_ms, bytes;
};

static uint64_t
digest_add(uint64_t digest, struct wheel_entry entry)
{
    return (digest ^ (uint64_t)entry.due_ms ^ (uint64_t)entry.owner << 40) * 0x100000001b3u;
}

static uint64_t
run_wheel(const struct wheel_entry *timers, size_t count, int64_t span_ms, bool timed,
          struct figures *out)
{
    static struct wheel_entry taken[BATCH];
    struct wheel *wheel = wheel_new(&mem_heap, START_MS);
    double begun_s = now_s();
    for (size_t i = 0; i < count; i++) {
        if (wheel_arm(wheel, timers[i].due_ms, timers[i].owner) != RC_OK) {
            fail("no memory");
        }
    }
    double armed_s = now_s();
    out->bytes = (double)wheel_bytes(wheel) / (double)count;
    uint64_t digest = 0;
    double longest_s = 0;
    for (int64_t now_ms = START_MS; now_ms <= START_MS + span_ms; now_ms += 1000) {
        while (wheel_next(wheel) <= now_ms) {
            double call_s = timed ? now_s() : 0;
            size_t n = wheel_expire(wheel, now_ms, taken, BATCH);
            call_s = timed ? now_s() - call_s : 0;
            longest_s = call_s > longest_s ? call_s : longest_s;
            for (size_t i = 0; i < n; i++) {
                digest = digest_add(digest, taken[i]);
            }
        }
    }
    out->arm_ns = (armed_s - begun_s) * 1e9 / (double)count;
    out->expire_ns = (now_s() - armed_s) * 1e9 / (double)count;
    out->longest_ms = longest_s * 1e3;
    wheel_free(wheel);
    return digest;
}

static uint64_t
run_heap(const struct wheel_entry *timers, size_t count, int64_t span_ms, struct figures *out)
{
    struct heap heap = {.items = malloc(count * sizeof(struct wheel_entry))};
    if (heap.items == NULL) {
        fail("no memory");
    }
    memset(heap.items, 1, count * sizeof(struct wheel_entry)); /* touched beforehand */
    double begun_s = now_s();
    for (size_t i = 0; i < count; i++) {
        heap_arm(&heap, timers[i]);
    }
    double armed_s = now_s();
    uint64_t digest = 0;
    for (int64_t now_ms = START_MS; now_ms <= START_MS + span_ms; now_ms += 1000) {
        while (heap.count > 0 && heap.items[0].due_ms <= now_ms) {
            digest = digest_add(digest, heap_take(&heap));
        }
    }
    *out = (struct figures){.arm_ns = (armed_s - begun_s) * 1e9 / (double)count,
                            .expire_ns = (now_s() - armed_s) * 1e9 / (double)count,
                            .bytes = sizeof(struct wheel_entry)};
    free(heap.items);
    return digest;
}

/* ---- medians and the table ---- */

static int
double_compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
median(const struct figures *rounds, size_t field_offset)
{
    double values[ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++) {
        memcpy(&values[i], (const char *)&rounds[i] + field_offset, sizeof(double));
    }
    qsort(values, ROUNDS, sizeof(double), double_compare);
    return values[ROUNDS / 2];
}

static void
print_figure(bool json, const char *scene, const char *metric, size_t n, const char *unit,
             double wheel, double heap)
{
    double ratio = heap > 0 ? wheel / heap : 0;
    if (json) {
        printf("{\"bench\":\"wheel\",\"scene\":\"%s\",\"metric\":\"%s\",\"n\":%zu,\"value\":%.3f,"
               "\"unit\":\"%s\",\"peer\":\"binary heap\",\"peer_value\":%.3f,\"ratio\":%.3f}\n",
               scene, metric, n, wheel, unit, heap, ratio);
    } else {
        printf("%-12s %-16s %10.2f %10.2f %8.2f  %s\n", scene, metric, wheel, heap, ratio, unit);
    }
}

static void
run_scene(bool json, const char *scene, size_t count, int64_t span_ms)
{
    struct wheel_entry *timers = malloc(count * sizeof(*timers));
    if (timers == NULL) {
        fail("no memory");
    }
    uint64_t random = 88172645463325252u;
    for (size_t i = 0; i < count; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        timers[i] =
            (struct wheel_entry){START_MS + (int64_t)(random % (uint64_t)span_ms), (uint32_t)i};
    }
    struct figures wheel[ROUNDS];
    struct figures heap[ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++) {
        /* Both must tell the same story, else the figures mean nothing. */
        if (run_wheel(timers, count, span_ms, false, &wheel[i]) !=
            run_heap(timers, count, span_ms, &heap[i])) {
            fail("the wheel and the heap disagree");
        }
        /* Once more with a watch on every call, which would weigh on the other figures. */
        struct figures watched;
        run_wheel(timers, count, span_ms, true, &watched);
        wheel[i].longest_ms = watched.longest_ms;
    }
    free(timers);
#define MEDIAN(rounds, field) median(rounds, offsetof(struct figures, field))
    print_figure(json, scene, "arm", count, "ns", MEDIAN(wheel, arm_ns), MEDIAN(heap, arm_ns));
    print_figure(json, scene, "expire", count, "ns", MEDIAN(wheel, expire_ns),
                 MEDIAN(heap, expire_ns));
    print_figure(json, scene, "bytes_per_timer", count, "B", MEDIAN(wheel, bytes),
                 MEDIAN(heap, bytes));
    print_figure(json, scene, "longest_tick_ms", count, "ms", MEDIAN(wheel, longest_ms), 0);
#undef MEDIAN
}

int
main(int argc, char **argv)
{
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    size_t count = argc > 1 + json ? strtoull(argv[1 + json], NULL, 10) : 1000000;
    if (count == 0) {
        fprintf(stderr, "usage: bench_wheel [--json] [TIMERS]\n");
        return 2;
    }
    if (!json) {
        printf("%zu timers, medians of %d rounds\n", count, ROUNDS);
        printf("%-12s %-16s %10s %10s %8s\n", "scene", "metric", "wheel", "heap", "ratio");
    }
    run_scene(json, "30 days", count, DAYS_MS);
    run_scene(json, "one instant", count, 1);
    return 0;
}
