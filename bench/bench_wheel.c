/* bench_wheel - the wheel beside a plain binary heap, libev and libevent, in one run (PERFORMANCE targets
 * P1 and P2).
 *
 *     bench_wheel [--json] [--libs] [--huge] [TIMERS...]      default: 1000000 10000000
 *
 * Timers at random over 30 days are armed, a tenth is disarmed at random, then the clock runs through
 * the month in steps of one second; wheel and heap must fire the same in the same order. The wheel's
 * figures are those of a user: disarming writes into the owner's row (32 bytes), and expiring looks at
 * the row of each. libev and libevent run at a million, with --libs at every size; --huge adds
 * 100,000,000. All memory is touched beforehand. Medians of five rounds of processor time. */
#include "bench/bench_world.h"
#include "bench/timer_peers.h"
#include "engine/wheel.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5, BATCH = 1024, ROWS_AHEAD = 16, IN_CACHE = 512 };
#define DAY_MS INT64_C(86400000)
#define MONTH_MS (30 * DAY_MS)
#define START_MS INT64_C(1763769600000)
#define NOT_DUE INT64_MIN

struct row { /* the owner's: what the wheel's entries are held against */
    int64_t due_ms;
    int64_t others[3];
};

/* Processor time: a busy machine shall not count. */
static double
now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double
ns_each(double seconds, size_t count)
{
    return seconds * 1e9 / (double)count;
}

static uint64_t
random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void *
memory(size_t bytes)
{
    void *memory = malloc(bytes);
    bench_check(memory != NULL, "memory");
    return memory;
}

static size_t
heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
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
median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof(double), double_compare);
    return values[ROUNDS / 2];
}

static bool as_json;
static struct bench_machine machine;

static void
print_figure(const char *metric, size_t n, const char *unit, double value, const char *peer,
             double peer_value)
{
    if (as_json) {
        printf("{\"bench\":\"wheel\",\"metric\":\"%s\",\"n\":%zu,\"value\":%.4g,\"unit\":\"%s\"",
               metric, n, value, unit);
        if (peer != NULL) {
            printf(",\"peer\":\"%s\",\"peer_value\":%.4g,\"ratio\":%.4g", peer, peer_value,
                   value / peer_value);
        }
        printf(",\"machine\":\"%s, %d cores, Linux %s\"}\n", machine.cpu, machine.cores,
               machine.kernel);
    } else if (peer != NULL) {
        printf("%-26s %10.2f %-4s %12s %10.2f %8.3f\n", metric, value, unit, peer, peer_value,
               value / peer_value);
    } else {
        printf("%-26s %10.2f %s\n", metric, value, unit);
    }
    fflush(stdout);
}

/* ---- what everybody is given ---- */

struct scene {
    size_t count, disarm_count;
    int64_t *due_ms;    /* by owner */
    uint32_t *disarmed; /* owners, each once, in disorder */
    struct row *rows;   /* of the wheel's user */
};

static void
scene_init(struct scene *scene, size_t count)
{
    *scene = (struct scene){.count = count,
                            .disarm_count = count / 10,
                            .due_ms = memory(count * sizeof(int64_t)),
                            .disarmed = memory(count * sizeof(uint32_t)),
                            .rows = memory(count * sizeof(struct row))};
    uint64_t random = 88172645463325252u;
    for (size_t i = 0; i < count; i++) {
        scene->due_ms[i] = START_MS + (int64_t)(random_next(&random) % (uint64_t)MONTH_MS);
        scene->disarmed[i] = (uint32_t)i;
    }
    for (size_t i = 0; i < scene->disarm_count; i++) { /* the first tenth of a shuffle */
        size_t other = i + random_next(&random) % (count - i);
        uint32_t owner = scene->disarmed[i];
        scene->disarmed[i] = scene->disarmed[other];
        scene->disarmed[other] = owner;
    }
}

static void
scene_fini(struct scene *scene)
{
    free(scene->due_ms);
    free(scene->disarmed);
    free(scene->rows);
}

static void
rows_fill(struct scene *scene)
{
    for (size_t i = 0; i < scene->count; i++) {
        scene->rows[i] = (struct row){.due_ms = scene->due_ms[i]};
    }
}

/* ---- a month, as the wheel keeps it ---- */

struct month {
    double arm_ns, disarm_ns, cached_ns, expire_ns, bytes;
    uint64_t digest;
    size_t fired;
};

/* Entries that came out and whose rows are on their way from memory: each is looked at when 16 more have
 * come. */
struct fetching {
    struct wheel_entry entries[ROWS_AHEAD];
    size_t begun, done;
};

/* Holds the entry that has waited longest against its row. */
static void
row_fire(struct fetching *fetching, struct row *rows, struct month *month)
{
    struct wheel_entry entry = fetching->entries[fetching->done++ % ROWS_AHEAD];
    struct row *row = &rows[entry.owner];
    if (row->due_ms == entry.due_ms) {
        row->due_ms = NOT_DUE;
        month->digest = digest_add(month->digest, entry.due_ms, entry.owner);
        month->fired++;
    }
}

static void
wheel_fire(struct wheel *wheel, struct row *rows, int64_t now_ms, struct fetching *fetching,
           struct month *month)
{
    static struct wheel_entry out[BATCH];
    size_t taken = wheel_expire(wheel, now_ms, out, BATCH);
    for (size_t i = 0; i < taken; i++) {
        if (fetching->begun - fetching->done == ROWS_AHEAD) {
            row_fire(fetching, rows, month);
        }
        __builtin_prefetch(&rows[out[i].owner], 1);
        fetching->entries[fetching->begun++ % ROWS_AHEAD] = out[i];
    }
}

static struct wheel *
wheel_armed(const struct scene *scene)
{
    struct wheel *wheel = wheel_new(&mem_heap, START_MS);
    for (uint32_t i = 0; i < scene->count; i++) {
        if (wheel_arm(wheel, scene->due_ms[i], i) != RC_OK) {
            bench_check(false, "memory");
        }
    }
    return wheel;
}

/* Disarms half of them as they lie, and half in groups whose rows were just looked at. */
static void
wheel_disarm(struct scene *scene, struct month *out)
{
    size_t half = scene->disarm_count / 2;
    double begun_s = now_s();
    for (size_t i = 0; i < half; i++) {
        scene->rows[scene->disarmed[i]].due_ms = NOT_DUE;
    }
    out->disarm_ns = ns_each(now_s() - begun_s, half);

    volatile int64_t seen = 0;
    double cached_s = 0;
    for (size_t group = half; group < scene->disarm_count; group += IN_CACHE) {
        size_t end =
            group + IN_CACHE < scene->disarm_count ? group + IN_CACHE : scene->disarm_count;
        for (size_t i = group; i < end; i++) {
            seen += scene->rows[scene->disarmed[i]].due_ms;
        }
        begun_s = now_s();
        for (size_t i = group; i < end; i++) {
            scene->rows[scene->disarmed[i]].due_ms = NOT_DUE;
        }
        cached_s += now_s() - begun_s;
    }
    (void)seen; /* it was only to be read */
    out->cached_ns = ns_each(cached_s, scene->disarm_count - half);
}

static void
wheel_month(struct scene *scene, struct month *out)
{
    rows_fill(scene);
    wheel_free(wheel_armed(scene)); /* touches its memory */
    size_t bytes_before = heap_bytes();
    double begun_s = now_s();
    struct wheel *wheel = wheel_armed(scene);
    out->arm_ns = ns_each(now_s() - begun_s, scene->count);
    out->bytes = (double)(heap_bytes() - bytes_before) / (double)scene->count;
    wheel_disarm(scene, out);

    struct fetching fetching = {0};
    begun_s = now_s();
    for (int64_t now_ms = START_MS; now_ms <= START_MS + MONTH_MS; now_ms += 1000) {
        while (wheel_next(wheel) <= now_ms) {
            wheel_fire(wheel, scene->rows, now_ms, &fetching, out);
        }
    }
    while (fetching.done < fetching.begun) {
        row_fire(&fetching, scene->rows, out);
    }
    out->expire_ns = ns_each(now_s() - begun_s, out->fired);
    bench_check(out->fired == scene->count - scene->disarm_count, "every timer fires once");
    wheel_free(wheel);
}

static void
peer_month(enum peer_kind kind, const struct scene *scene, struct month *out)
{
    struct peer *peer = peer_new(kind, scene->count, START_MS);
    double begun_s = now_s();
    peer_arm(peer, scene->due_ms, scene->count);
    out->arm_ns = ns_each(now_s() - begun_s, scene->count);
    begun_s = now_s();
    peer_disarm(peer, scene->disarmed, scene->disarm_count);
    out->disarm_ns = ns_each(now_s() - begun_s, scene->disarm_count);
    begun_s = now_s();
    out->fired = peer_expire(peer, START_MS, START_MS + MONTH_MS, 1000, &out->digest);
    out->expire_ns = ns_each(now_s() - begun_s, out->fired);
    out->bytes = peer_bytes(peer);
    bench_check(out->fired == scene->count - scene->disarm_count, "every timer fires once");
    peer_free(peer);
}

static struct month
month_median(const struct month months[ROUNDS])
{
    struct month result = {0};
    double values[ROUNDS];
#define MEDIAN(field)                                                                              \
    do {                                                                                           \
        for (size_t i = 0; i < ROUNDS; i++) {                                                      \
            values[i] = months[i].field;                                                           \
        }                                                                                          \
        result.field = median(values);                                                             \
    } while (0)
    MEDIAN(arm_ns);
    MEDIAN(disarm_ns);
    MEDIAN(cached_ns);
    MEDIAN(expire_ns);
    MEDIAN(bytes);
#undef MEDIAN
    return result;
}

static void
run_month(struct scene *scene, bool libs)
{
    struct month wheel[ROUNDS] = {0};
    struct month peers[PEER_COUNT][ROUNDS] = {0};
    int peer_count = libs ? PEER_COUNT : PEER_HEAP + 1;
    for (int round = 0; round < ROUNDS; round++) {
        wheel_month(scene, &wheel[round]);
        for (int kind = 0; kind < peer_count; kind++) {
            peer_month((enum peer_kind)kind, scene, &peers[kind][round]);
        }
        bench_check(wheel[round].digest == peers[PEER_HEAP][round].digest,
                    "the wheel and the heap fire the same in the same order");
    }
    struct month ours = month_median(wheel);
    for (int kind = 0; kind < peer_count; kind++) {
        struct month theirs = month_median(peers[kind]);
        const char *name = PEER_NAMES[kind];
        print_figure("arm", scene->count, "ns", ours.arm_ns, name, theirs.arm_ns);
        print_figure("disarm", scene->count, "ns", ours.disarm_ns, name, theirs.disarm_ns);
        print_figure("disarm_in_cache", scene->count, "ns", ours.cached_ns, name, theirs.disarm_ns);
        print_figure("expire", scene->count, "ns", ours.expire_ns, name, theirs.expire_ns);
        print_figure("bytes_per_timer", scene->count, "B", ours.bytes, name, theirs.bytes);
    }
}

/* ---- ticks with nothing to do ---- */

static void
run_empty_ticks(const struct scene *scene)
{
    enum { TICKS = 10000000 };
    struct wheel *wheel = wheel_new(&mem_heap, START_MS);
    for (uint32_t i = 0; i < scene->count; i++) {
        bench_check(wheel_arm(wheel, scene->due_ms[i] + DAY_MS, i) == RC_OK, "memory");
    }
    double values[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        struct wheel_entry out;
        double begun_s = now_s();
        for (int tick = 0; tick < TICKS; tick++) {
            bench_check(wheel_next(wheel) > START_MS + tick, "nothing is due");
        }
        values[round] = ns_each(now_s() - begun_s, TICKS);
        bench_check(wheel_expire(wheel, START_MS + TICKS, &out, 1) == 0, "nothing is due");
    }
    print_figure("empty_tick", scene->count, "ns", median(values), NULL, 0);
    wheel_free(wheel);
}

/* ---- memory and time while a third is armed again and again ---- */

static size_t
keep_agreeing(const void *context, struct wheel_entry *entries, size_t count)
{
    const struct row *rows = context;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + ROWS_AHEAD < count) {
            __builtin_prefetch(&rows[entries[i + ROWS_AHEAD].owner]);
        }
        if (rows[entries[i].owner].due_ms == entries[i].due_ms) {
            entries[kept++] = entries[i];
        }
    }
    return kept;
}

/* Sweeps as engine/due.c does. */
static void
run_armed_again(struct scene *scene)
{
    double values[ROUNDS];
    double most = 0;
    for (int round = 0; round < ROUNDS; round++) {
        rows_fill(scene);
        size_t bytes_before = heap_bytes();
        struct wheel *wheel = wheel_armed(scene);
        uint64_t random = 0x9e3779b97f4a7c15u + (uint64_t)round;
        size_t arms = scene->count * 3 / 10 * 10;
        double begun_s = now_s();
        for (size_t i = 0; i < arms; i++) {
            uint32_t owner = (uint32_t)(random_next(&random) % (scene->count * 3 / 10));
            int64_t due_ms = START_MS + (int64_t)(random_next(&random) % (uint64_t)MONTH_MS);
            scene->rows[owner].due_ms = due_ms;
            bench_check(wheel_arm(wheel, due_ms, owner) == RC_OK, "memory");
            if (wheel_count(wheel) > scene->count * 7 / 5 + 8192 && wheel_count(wheel) % 16 == 0) {
                wheel_sweep(wheel, keep_agreeing, scene->rows);
            }
            if (i % 4096 == 0) {
                double bytes = (double)(heap_bytes() - bytes_before) / (double)scene->count;
                most = bytes > most ? bytes : most;
            }
        }
        values[round] = ns_each(now_s() - begun_s, arms);
        wheel_free(wheel);
    }
    print_figure("arm_again", scene->count, "ns", median(values), NULL, 0);
    print_figure("arm_again_bytes_per_timer", scene->count, "B", most, NULL, 0);
}

/* ---- everybody at one instant ---- */

struct instant {
    double first_ms, all_ms, longest_ms, p999_ms;
};

/* woken: the caller sleeps until wheel_next(), and so comes a little ahead; else it comes when due. */
static void
one_instant(const struct scene *scene, bool woken, double *slices, size_t slices_max,
            struct instant *out)
{
    static struct wheel_entry taken[BATCH];
    const int64_t due_ms = START_MS + 3 * DAY_MS;
    struct wheel *wheel = wheel_new(&mem_heap, START_MS);
    for (uint32_t i = 0; i < scene->count; i++) {
        /* 7919 is prime to the counts: every owner once, in disorder. */
        bench_check(wheel_arm(wheel, due_ms, (uint32_t)((uint64_t)i * 7919 % scene->count)) ==
                        RC_OK,
                    "memory");
    }
    while (woken && wheel_next(wheel) < due_ms) {
        (void)wheel_expire(wheel, wheel_next(wheel), taken, BATCH);
    }
    size_t fired = 0;
    size_t slice = 0;
    double begun_s = now_s();
    double before_s = begun_s;
    *out = (struct instant){0};
    while (fired < scene->count) {
        size_t count = wheel_expire(wheel, due_ms, taken, BATCH);
        for (size_t i = 0; i < count; i++) {
            bench_check(taken[i].owner == fired + i, "owners come in order");
        }
        double after_s = now_s();
        if (fired == 0 && count > 0) {
            out->first_ms = (after_s - begun_s) * 1e3;
        }
        fired += count;
        bench_check(slice < slices_max, "few slices");
        slices[slice++] = (after_s - before_s) * 1e3;
        before_s = after_s;
    }
    out->all_ms = (before_s - begun_s) * 1e3;
    qsort(slices, slice, sizeof(double), double_compare);
    out->longest_ms = slices[slice - 1];
    out->p999_ms = slices[(slice - 1) * 999 / 1000];
    wheel_free(wheel);
}

static void
run_instant(const struct scene *scene)
{
    size_t slices_max = scene->count / 100 + 1000;
    double *slices = memory(slices_max * sizeof(double));
    double first[ROUNDS], first_woken[ROUNDS], all[ROUNDS], longest[ROUNDS], p999[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        struct instant instant;
        one_instant(scene, true, slices, slices_max, &instant);
        first_woken[round] = instant.first_ms;
        one_instant(scene, false, slices, slices_max, &instant);
        first[round] = instant.first_ms;
        all[round] = instant.all_ms;
        longest[round] = instant.longest_ms;
        p999[round] = instant.p999_ms;
    }
    free(slices);
    print_figure("instant_first_ms", scene->count, "ms", median(first), NULL, 0);
    print_figure("instant_first_woken_ms", scene->count, "ms", median(first_woken), NULL, 0);
    print_figure("instant_all_ms", scene->count, "ms", median(all), NULL, 0);
    print_figure("tick_p999_ms", scene->count, "ms", median(p999), NULL, 0);
    print_figure("longest_tick_ms", scene->count, "ms", median(longest), NULL, 0);
}

static void
run(size_t count, bool libs)
{
    struct scene scene;
    if (!as_json) {
        printf("\n%zu timers\n%-26s %10s %-4s %12s %10s %8s\n", count, "metric", "wheel", "",
               "peer", "value", "ratio");
    }
    scene_init(&scene, count);
    run_month(&scene, libs);
    run_empty_ticks(&scene);
    run_armed_again(&scene);
    run_instant(&scene);
    scene_fini(&scene);
}

int
main(int argc, char **argv)
{
    size_t counts[16] = {1000000, 10000000};
    int count = 0;
    bool libs = false;
    bool huge = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            as_json = true;
        } else if (strcmp(argv[i], "--libs") == 0) {
            libs = true;
        } else if (strcmp(argv[i], "--huge") == 0) {
            huge = true;
        } else if (strtoull(argv[i], NULL, 10) >= 10000 && count < 15) {
            counts[count++] = strtoull(argv[i], NULL, 10);
        } else {
            fprintf(stderr,
                    "usage: bench_wheel [--json] [--libs] [--huge] [TIMERS, 10000 at least]...\n");
            return 2;
        }
    }
    count = count == 0 ? 2 : count;
    if (huge) {
        counts[count++] = 100000000;
    }
    /* What was freed stays at hand, so that every round but the first finds its memory touched. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, INT32_MAX);
    mallopt(M_TOP_PAD, 16 << 20);
    bench_machine(&machine);
    if (!as_json) {
        printf("machine: %s, %d cores, Linux %s; medians of %d rounds\n", machine.cpu,
               machine.cores, machine.kernel, ROUNDS);
    }
    for (int i = 0; i < count; i++) {
        run(counts[i], libs || counts[i] <= 1000000);
    }
    return 0;
}
