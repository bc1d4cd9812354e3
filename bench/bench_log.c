/* bench_log - the event log beside the raw disk and raw LMDB, in one run (PERFORMANCE P3, P4, P10, P13).
 *
 *   durable    inputs decided, applied, encoded, committed by the writer thread; one pass is one group, at
 *              most one more gathers while it is committed. Control: MDB_APPEND of as many bytes per event,
 *              one record an event, as many a transaction
 *   commit     one event alone, from append to durable. Control: append of 4 KiB + fdatasync.
 *              And an open loop: events on a schedule, from their instant to durable; the loop's longest pass
 *   replay     log to state, and decode alone. Controls: a cursor's scan over the same events stored one per
 *              record; msgpack-c's object decoder on the same events
 *   disk       bytes the data file grew by, an event, beside the event's own
 *   backup     commits beside `steplog backup`. Control: commits without
 *   peers      with --peers: ours beside Redis, PostgreSQL, beanstalkd and BullMQ (bench/peers.sh)
 *
 * Medians of ROUNDS; ours and the control take turns. Replay, decode and their controls wait for nothing and
 * are timed by the processor, the rest by the clock. --json prints an object a line.
 *
 *   bench_log [--json] [--dir DIR] [--friends N] [--peers DIR_WITH_THEIR_SOCKETS]
 */
#include "bench/bench_world.h"
#include "bench/log_house.h"
#include "bench/peers.h"
#include "bench/raw.h"

#include "daemon/replay.h"
#include "proto/line_message.h"

#include <inttypes.h>
#include <msgpack.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ROUNDS = 5,
    SLICE_US = 300000, /* of ours, then as much of the control, in each round */
    SAMPLES_MAX = 1 << 20,
    OPEN_RATE = 50000, /* events a second on a schedule */
    OPEN_US = 1000000,
};

static bool as_json;
static char root[192];

static const size_t GROUPS[] = {1, 10, 100, 1000, 10000};
enum { GROUP_COUNT = sizeof(GROUPS) / sizeof(GROUPS[0]) };

/* ---- figures ---- */

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
quantile(double *values, size_t count, double q)
{
    qsort(values, count, sizeof(*values), by_value);
    size_t at = (size_t)(q * (double)count);
    return values[at < count ? at : count - 1];
}

/* target: what PERFORMANCE.md asks of the ratio, "" for none. */
static void
print_figure(const char *metric, size_t n, double value, const char *unit, const char *peer,
             double peer_value, const char *target)
{
    double ratio = peer_value > 0 ? value / peer_value : 0;
    if (as_json) {
        printf("{\"bench\":\"log\",\"metric\":\"%s\",\"n\":%zu,\"value\":%.4f,\"unit\":\"%s\","
               "\"peer\":\"%s\",\"peer_value\":%.4f,\"ratio\":%.4f}\n",
               metric, n, value, unit, peer, peer_value, ratio);
    } else {
        printf("%-22s %8zu %12.4g %-9s %12.4g %8.2f  %-9s %s\n", metric, n, value, unit, peer_value,
               ratio, target, peer);
    }
}

/* ---- ours ---- */

struct growth { /* of the data file, over all that was appended */
    uint64_t bytes, events;
};

/* Events a second, in passes of so many; the file grows meanwhile. */
static double
ours_durable(struct house *house, size_t group, struct growth *growth, size_t *out_per_pass)
{
    uint64_t used_before, used_after, map;
    bench_check(log_wait(house->log) == RC_OK, "log_wait");
    log_map(house->log, &used_before, &map);
    int64_t began_us = bench_now_us();
    uint64_t count = 0;
    while (bench_now_us() - began_us < SLICE_US) {
        uint64_t before = core_state(house->core)->seq;
        *out_per_pass = house_schedule(house, group);
        count += *out_per_pass;
        bench_check(core_flush(house->core) == RC_OK, "core_flush");
        while (log_durable(house->log) < before) { /* so that groups do not gather to larger ones */
            house_wait(house);
        }
    }
    bench_check(log_wait(house->log) == RC_OK, "log_wait");
    int64_t us = bench_now_us() - began_us;
    log_map(house->log, &used_after, &map);
    growth->bytes += used_after - used_before;
    growth->events += count;
    return (double)count * 1e6 / (double)us;
}

/* One event alone, again and again: the times from its input to durable. */
static size_t
ours_commits(struct house *house, double *out_us)
{
    size_t count = 0;
    int64_t began_us = bench_now_us(), now_us = began_us;
    while (now_us - began_us < SLICE_US) {
        int64_t from_us = now_us;
        (void)house_schedule(house, 1);
        bench_check(core_flush(house->core) == RC_OK, "core_flush");
        while (log_durable(house->log) < core_state(house->core)->seq) {
            house_wait(house);
        }
        now_us = bench_now_us();
        out_us[count++] = (double)(now_us - from_us);
    }
    return count;
}

struct open_loop {
    int64_t began_us;
    uint64_t first_seq;
    size_t issued, durable;
    double *late_us; /* of each event, from its instant on the schedule to durable */
};

static void
on_durable(void *context, uint64_t seq)
{
    struct open_loop *loop = context;
    int64_t now_us = bench_now_us();
    for (; loop->first_seq + loop->durable <= seq; loop->durable++) {
        int64_t instant_us =
            loop->began_us + (int64_t)(loop->durable * UINT64_C(1000000) / OPEN_RATE);
        loop->late_us[loop->durable] = (double)(now_us - instant_us);
    }
}

/* Events on a schedule. Returns how many; passes_us: the loop's own work in each of its passes. */
static size_t
ours_open_loop(struct house *house, double *late_us, double *passes_us, size_t *out_passes)
{
    struct open_loop loop = {.began_us = bench_now_us(),
                             .first_seq = core_state(house->core)->seq + 1,
                             .late_us = late_us};
    size_t passes = 0;
    log_on_durable(house->log, on_durable, &loop); /* the core has no effects to run here */
    int64_t now_us = loop.began_us;
    while (now_us - loop.began_us < OPEN_US) {
        size_t due = (size_t)((now_us - loop.began_us) * OPEN_RATE / 1000000);
        if (due > loop.issued) {
            loop.issued += house_schedule(house, due - loop.issued);
            bench_check(core_flush(house->core) == RC_OK, "core_flush");
        }
        bench_check(log_poll(house->log) == RC_OK, "log_poll");
        int64_t after_us = bench_now_us();
        passes_us[passes++] = (double)(after_us - now_us);
        struct pollfd fd = {.fd = log_wake_fd(house->log), .events = POLLIN};
        (void)ppoll(&fd, 1, &(struct timespec){.tv_nsec = 50000}, NULL);
        now_us = bench_now_us();
    }
    bench_check(log_wait(house->log) == RC_OK, "log_wait");
    bench_check(loop.durable == loop.issued, "events are missing");
    log_on_durable(house->log, NULL, NULL); /* the loop's numbers go with this call */
    *out_passes = passes;
    return loop.issued;
}

/* ---- the scenes ---- */

static void
bench_durable(struct house *house, struct raw *raw, size_t event_bytes)
{
    static const char *const RATE_TARGETS[] = {">= 0.9", ">= 1.0", ">= 1.15", ">= 1.3", ">= 1.5"};
    static const char *const BYTES_TARGETS[] = {"<= +100 B", "", "<= 1.25", "<= 1.1", "<= 1.1"};
    for (size_t g = 0; g < GROUP_COUNT; g++) {
        double ours[ROUNDS], peers[ROUNDS];
        struct growth growth = {0};
        uint64_t from = core_state(house->core)->seq + 1;
        for (size_t round = 0; round < ROUNDS; round++) {
            size_t per_pass = 0; /* an input may make two events: the control gets as many */
            ours[round] = ours_durable(house, GROUPS[g], &growth, &per_pass);
            peers[round] = raw_durable(raw, per_pass, event_bytes, SLICE_US);
        }
        print_figure("durable_events_per_s", GROUPS[g], quantile(ours, ROUNDS, 0.5), "/s",
                     "one MDB_APPEND an event", quantile(peers, ROUNDS, 0.5), RATE_TARGETS[g]);
        print_figure("bytes_per_event", GROUPS[g], (double)growth.bytes / (double)growth.events,
                     "B", "the event's own bytes", house_bytes_since(house, from),
                     BYTES_TARGETS[g]);
    }
}

static void
bench_commits(struct house *house, struct raw *raw, double *samples, double *passes)
{
    double ours[ROUNDS], peers[ROUNDS], p50[ROUNDS], p99[ROUNDS], stall[ROUNDS], worst = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t count = ours_commits(house, samples);
        ours[round] = quantile(samples, count, 0.99) / 1e3;
        count = raw_syncs(raw, SLICE_US, samples);
        peers[round] = quantile(samples, count, 0.99) / 1e3;
    }
    double peer = quantile(peers, ROUNDS, 0.5);
    print_figure("commit_p99_ms", 1, quantile(ours, ROUNDS, 0.5), "ms", "append + fdatasync p99",
                 peer, "<= 2");
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t pass_count, count = ours_open_loop(house, samples, passes, &pass_count);
        p50[round] = quantile(samples, count, 0.5) / 1e3;
        p99[round] = quantile(samples, count, 0.99) / 1e3;
        stall[round] = quantile(passes, pass_count, 0.999) / 1e3;
        double longest = quantile(passes, pass_count, 1.0) / 1e3;
        worst = longest > worst ? longest : worst;
    }
    print_figure("open_loop_p50_ms", OPEN_RATE, quantile(p50, ROUNDS, 0.5), "ms", "", 0, "<= 1 ms");
    print_figure("open_loop_p99_ms", OPEN_RATE, quantile(p99, ROUNDS, 0.5), "ms",
                 "append + fdatasync p99", peer, "<= 4");
    print_figure("pass_p999_ms", OPEN_RATE, quantile(stall, ROUNDS, 0.5), "ms", "", 0, "<= 1 ms");
    print_figure("pass_max_ms", OPEN_RATE, worst, "ms", "", 0, "");
}

/* Events a second of ours beside jobs a second of theirs: to schedule one step takes us two events. */
static void
bench_peers(struct house *house, const char *directory, size_t event_bytes)
{
    static const size_t PEER_GROUPS[] = {100, 1000};
    static const char *const TARGETS[PEER_COUNT][2] = {
        {">= 3", ">= 15"}, {">= 3", ">= 15"}, {"", ""}, {"", ">= 50"}};
    struct peers peers;
    peers_open(&peers, directory);
    for (size_t g = 0; g < 2; g++) {
        double ours[ROUNDS], theirs[PEER_COUNT][ROUNDS];
        for (size_t round = 0; round < ROUNDS; round++) {
            struct growth growth = {0};
            size_t per_pass;
            ours[round] = ours_durable(house, PEER_GROUPS[g], &growth, &per_pass);
            for (enum peer peer = PEER_REDIS; peer < PEER_COUNT; peer++) {
                if (peer_is_there(&peers, peer)) {
                    theirs[peer][round] =
                        peer_durable(&peers, peer, PEER_GROUPS[g], event_bytes, SLICE_US);
                }
            }
        }
        double rate = quantile(ours, ROUNDS, 0.5);
        for (enum peer peer = PEER_REDIS; peer < PEER_COUNT; peer++) {
            if (peer_is_there(&peers, peer)) {
                print_figure("durable_events_per_s", PEER_GROUPS[g], rate, "/s", peer_name(peer),
                             quantile(theirs[peer], ROUNDS, 0.5), TARGETS[peer][g]);
            }
        }
    }
    peers_close(&peers);
}

static pid_t
start_backup(const char *steplog, size_t round)
{
    char data[256], destination[256];
    snprintf(data, sizeof(data), "%s/log", root);
    snprintf(destination, sizeof(destination), "%s/backup-%zu", root, round);
    fflush(stdout); /* or the child prints it too */
    pid_t child = fork();
    bench_check(child >= 0, "fork");
    if (child == 0) {
        bench_check(freopen("/dev/null", "w", stdout) != NULL, "/dev/null");
        execl(steplog, steplog, "backup", "-d", data, destination, (char *)NULL);
        _exit(127);
    }
    return child;
}

/* What `steplog backup` beside it, at its own rate, does to commits. The control takes as long: on a disk that
 * has slow moments, a short look sees one of them or none. */
static void
bench_backup(struct house *house, const char *steplog, double *samples)
{
    double p50[2][ROUNDS], p99[2][ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        pid_t child = start_backup(steplog, round);
        int status = 0;
        size_t count = 0, slices = 0;
        do {
            count += ours_commits(house, samples + count);
            slices++;
        } while (waitpid(child, &status, WNOHANG) == 0 && count < SAMPLES_MAX / 2);
        bench_check(count < SAMPLES_MAX / 2, "a backup that takes too long");
        bench_check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "steplog backup");
        p50[1][round] = quantile(samples, count, 0.5) / 1e3;
        p99[1][round] = quantile(samples, count, 0.99) / 1e3;
        for (count = 0; slices > 0 && count < SAMPLES_MAX / 2; slices--) {
            count += ours_commits(house, samples + count);
        }
        p50[0][round] = quantile(samples, count, 0.5) / 1e3;
        p99[0][round] = quantile(samples, count, 0.99) / 1e3;
    }
    print_figure("backup_commit_p50_ms", 1, quantile(p50[1], ROUNDS, 0.5), "ms", "without a backup",
                 quantile(p50[0], ROUNDS, 0.5), "");
    print_figure("backup_commit_p99_ms", 1, quantile(p99[1], ROUNDS, 0.5), "ms", "without a backup",
                 quantile(p99[0], ROUNDS, 0.5), "");
}

/* ---- reading back ---- */

static struct log *
open_to_read(void)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/log", root);
    struct log *log = NULL;
    const struct log_options options = {.mode = LOG_READ};
    bench_check(log_open(path, &options, &log) == RC_OK, "log_open to read");
    return log;
}

static double
seconds_since(int64_t began_us)
{
    return (double)(bench_cpu_us() - began_us) / 1e6;
}

/* Calls fn for every event of the log. */
static uint64_t
each_event(struct log *log, void (*fn)(void *context, struct span event), void *context)
{
    struct log_cursor *cursor;
    struct log_batch_view batch;
    uint64_t count = 0;
    enum rc rc = log_cursor_open(log, 1, &cursor);
    while (rc == RC_OK && (rc = log_cursor_next(cursor, &batch)) == RC_OK) {
        struct span rest = batch.events, event;
        while (log_events_next(&rest, &event) == RC_OK) {
            fn(context, event);
            count++;
        }
    }
    bench_check(rc == RC_END, "reading the log");
    log_cursor_close(cursor);
    return count;
}

static void
copy_event(void *context, struct span event)
{
    raw_copy(context, event);
}

struct unpacking {
    msgpack_unpacked result;
    uint64_t sum;
};

static void
unpack_event(void *context, struct span event)
{
    struct unpacking *unpacking = context;
    size_t at = 0;
    bench_check(msgpack_unpack_next(&unpacking->result, (const char *)event.data, event.len, &at) ==
                    MSGPACK_UNPACK_SUCCESS,
                "msgpack-c");
    unpacking->sum += unpacking->result.data.via.array.size;
}

static double
unpack_all(void)
{
    struct log *log = open_to_read();
    struct unpacking unpacking = {0};
    msgpack_unpacked_init(&unpacking.result);
    int64_t began_us = bench_cpu_us();
    uint64_t count = each_event(log, unpack_event, &unpacking);
    double rate = (double)count / seconds_since(began_us);
    msgpack_unpacked_destroy(&unpacking.result);
    log_close(log);
    return rate;
}

/* Events a second; with an engine, *out_digest is what came of it. */
static double
replay(const struct house *house, bool decode_only, uint64_t events, uint64_t *out_digest)
{
    static const struct engine_calls CALLS = {.body_hash = line_messages_hash};
    struct log *log = open_to_read();
    struct engine *engine = decode_only ? NULL : engine_new(&CALLS);
    struct buf error = {0};
    const struct replay_options options = {
        .log = log, .engine = engine, .zones = zones_source(house->zones)};
    int64_t began_us = bench_cpu_us();
    bench_check(replay_run(&options, &error) == RC_OK, "replay_run");
    double rate = (double)events / seconds_since(began_us);
    if (!decode_only) {
        *out_digest = state_digest(engine_state(engine));
        engine_free(engine);
    }
    buf_fini(&error);
    log_close(log);
    return rate;
}

static void
bench_reading(struct house *house, struct raw *raw)
{
    uint64_t digest = state_digest(core_state(house->core)), replayed = 0;
    uint64_t events = core_state(house->core)->seq;
    core_close(house->core);
    struct log *log = open_to_read();
    raw_clear(raw);
    bench_check(each_event(log, copy_event, raw) == events, "events are missing");
    raw_copied(raw);
    log_close(log);

    double replays[ROUNDS], decodes[ROUNDS], scans[ROUNDS], unpacks[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        replays[round] = replay(house, false, events, &replayed);
        bench_check(replayed == digest, "another digest");
        decodes[round] = replay(house, true, events, NULL);
        scans[round] = raw_scan(raw);
        unpacks[round] = unpack_all();
    }
    double scan = quantile(scans, ROUNDS, 0.5);
    double decode = quantile(decodes, ROUNDS, 0.5);
    print_figure("replay_events_per_s", events, quantile(replays, ROUNDS, 0.5), "/s",
                 "scan of one record an event", scan, ">= 0.35");
    print_figure("decode_events_per_s", events, decode, "/s", "scan of one record an event", scan,
                 ">= 1.0");
    print_figure("decode_events_per_s", events, decode, "/s", "msgpack-c's objects",
                 quantile(unpacks, ROUNDS, 0.5), ">= 3");
}

/* ---- all ---- */

static void
remove_root(void)
{
    char command[256];
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    bench_check(system(command) == 0, "rm");
}

int
main(int argc, char **argv)
{
    uint32_t friends = 50000;
    const char *dir = "/tmp", *peers = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            as_json = true;
        } else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc) {
            dir = argv[++i];
        } else if (strcmp(argv[i], "--peers") == 0 && i + 1 < argc) {
            peers = argv[++i];
        } else if (strcmp(argv[i], "--friends") == 0 && i + 1 < argc) {
            friends = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "usage: %s [--json] [--dir DIR] [--friends N] [--peers DIR]\n",
                    argv[0]);
            return 2;
        }
    }
    char steplog[256];
    const char *slash = strrchr(argv[0], '/');
    snprintf(steplog, sizeof(steplog), "%.*ssteplog",
             slash == NULL ? 0 : (int)(slash + 1 - argv[0]), argv[0]);
    snprintf(root, sizeof(root), "%s/stepd-bench-XXXXXX", dir);
    bench_check(mkdtemp(root) != NULL, "mkdtemp");
    double *samples = calloc(SAMPLES_MAX, sizeof(*samples));
    double *passes = calloc(SAMPLES_MAX, sizeof(*passes));
    bench_check(samples != NULL && passes != NULL, "no memory");
    struct house house;
    struct raw raw;
    house_open(&house, root, friends);
    raw_open(&raw, root);
    size_t event_bytes = house_event_bytes(&house);
    if (!as_json) {
        struct bench_machine machine;
        bench_machine(&machine);
        printf("machine    %s, %d cores, Linux %s\n", machine.cpu, machine.cores, machine.kernel);
        printf("events     %zu bytes each, of %u friends; medians of %d\n\n", event_bytes, friends,
               ROUNDS);
        printf("%-22s %8s %12s %-9s %12s %8s  %-9s %s\n", "metric", "n", "ours", "", "control",
               "ratio", "target", "");
    }
    bench_durable(&house, &raw, event_bytes);
    if (peers != NULL) {
        bench_peers(&house, peers, event_bytes);
    }
    bench_commits(&house, &raw, samples, passes);
    bench_backup(&house, steplog, samples);
    bench_reading(&house, &raw);
    raw_close(&raw);
    zones_free(house.zones);
    free(samples);
    free(passes);
    remove_root();
    return 0;
}
