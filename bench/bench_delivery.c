/* bench_delivery - from the due instant to LINE, with the real engine, log and desk in one process:
 *
 *   taken_per_s             many due at one instant, the same for all: judged, intended, durable
 *   taken_personal_per_s    each their own
 *   first_durable_ms        the first of those
 *   log_bytes_a_friend      intent and outcome
 *   lateness_p50/p99_ms     at 1,000 due a second on a real clock: from the due instant to the request's leaving
 *   burst_identical_drain   at LINE's limits: of 200 multicasts of 500 a second
 *   burst_personal_drain    of 2,000 pushes a second
 *   reply_lateness_*_ms     replies while that personal burst runs
 *   egress_per_s            without limits, over libcurl, to a server that answers at once; outcomes recorded
 *
 * beside controls of the same run: raw appends to LMDB, the disk's own sync, and a bare libcurl multi loop.
 *
 *   bench_delivery [--json] [--friends N] [--runs N] [--dir DIR] [--only taken|lateness|drain|egress]
 */
#include "bench/bench_world.h"
#include "bench/desk_house.h"
#include "bench/raw.h"
#include "daemon/line_client_curl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_MS INT64_C(1938042000000) /* 2031-06-01 10:00 in Tokyo */
enum { RUNS_MAX = 25, CONNECTIONS = 50, ROUND_TRIP_US = 30000, TALKERS = 100 };

static const char COMMON[] = "account: {zone: Asia/Tokyo}\n"
                             "templates: {news: お知らせです, ans: answer}\n"
                             "friend_add: {new: {do: [ {start: S} ]}}\n"
                             "scenarios: {S: {steps: {a: {when: 20s after start, send: news}}}}\n"
                             "auto_replies: {q: {exact: q, send: ans}}\n";
static const char PERSONAL[] = "account: {zone: Asia/Tokyo}\n"
                               "templates: {news: '{{name|お客さま}}へお知らせです', ans: answer}\n"
                               "friend_add: {new: {do: [ {start: S} ]}}\n"
                               "scenarios: {S: {steps: {a: {when: 20s after start, send: news}}}}\n"
                               "auto_replies: {q: {exact: q, send: ans}}\n";
#define DELAY_MS 20000

static const uint32_t LINES_OWN[LINE_ENDPOINT_COUNT] = {0};
static const uint32_t NO_LIMIT_AT_ALL[LINE_ENDPOINT_COUNT] = {
    [LINE_PUSH] = 10000000, [LINE_MULTICAST] = 10000000, [LINE_REPLY] = 10000000};

/* ---- figures ---- */

static bool as_json;

static int
ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double
median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), ascending);
    return values[count / 2];
}

static void
print(const char *metric, uint32_t n, double value, const char *unit, const char *peer,
      double peer_value)
{
    double ratio = peer == NULL ? 0 : value / peer_value;
    if (as_json) {
        printf("{\"bench\":\"delivery\",\"metric\":\"%s\",\"n\":%u,\"value\":%.6g,\"unit\":\"%s\"",
               metric, n, value, unit);
        if (peer != NULL) {
            printf(",\"peer\":\"%s\",\"peer_value\":%.6g,\"ratio\":%.4g", peer, peer_value, ratio);
        }
        printf("}\n");
    } else if (peer != NULL) {
        printf("%-24s n=%-8u %12.6g %-10s %s: %.6g, ratio %.3g\n", metric, n, value, unit, peer,
               peer_value, ratio);
    } else {
        printf("%-24s n=%-8u %12.6g %s\n", metric, n, value, unit);
    }
    fflush(stdout);
}

/* ---- taken ---- */

struct taken_figures {
    double per_s, first_ms, bytes_a_friend;
};

/* All are due now; each pass takes a share and hands its batch to the log. */
static struct taken_figures
measure_taken(const char *dir, const char *yaml, uint32_t friends)
{
    struct house house;
    house_open(&house, dir, false, START_MS, yaml);
    house_follow(&house, 0, friends, START_MS, 0);
    house_deliver(&house, house_line(NULL, NULL), 2 * friends, NO_LIMIT_AT_ALL);
    uint64_t bytes_before = house_log_bytes(&house);
    uint64_t seq_before = core_state(house.core)->seq;
    bench_check(clock_set(&house.clock, START_MS + DELAY_MS) == RC_OK, "the clock");
    int64_t began_us = bench_now_us(), first_us = 0;
    /* The clock stands, so the buckets would give one burst: time is moved a millisecond a pass. */
    for (int64_t at_ms = START_MS + DELAY_MS; delivery_counts(house.desk).intended < friends;) {
        (void)house_pass(&house);
        if (core_log_slow(house.core)) {
            house_wait(&house);
        }
        if (first_us == 0 && log_durable(core_log(house.core)) > seq_before) {
            first_us = bench_now_us() - began_us;
        }
        bench_check(clock_set(&house.clock, ++at_ms) == RC_OK, "the clock");
    }
    house_wait(&house);
    int64_t us = bench_now_us() - began_us;
    first_us = first_us == 0 ? us : first_us;
    (void)house_answer(0);
    bench_check(core_flush(house.core) == RC_OK, "the log");
    house_wait(&house);
    (void)house_answer(0);
    bench_check(delivery_counts(house.desk).sent_push == friends, "not all were sent");
    struct taken_figures figures = {.per_s = friends * 1e6 / (double)us,
                                    .first_ms = (double)first_us / 1e3,
                                    .bytes_a_friend =
                                        (double)(house_log_bytes(&house) - bytes_before) / friends};
    house_close(&house);
    return figures;
}

/* A control's directory, made anew and removed with its files. */
static void
open_raw(struct raw *raw, const char *dir, char path[static 256])
{
    snprintf(path, 256, "%s/stepd-bench-raw-%d", dir, (int)getpid());
    bench_check(mkdir(path, 0700) == 0, "a directory");
    raw_open(raw, path);
}

static void
close_raw(struct raw *raw, const char *path)
{
    char command[300];
    raw_close(raw);
    snprintf(command, sizeof(command), "rm -rf '%s'", path);
    bench_check(system(command) == 0, "removing the control's files");
}

static void
bench_taken(const char *dir, uint32_t friends, int runs)
{
    double common[RUNS_MAX], first[RUNS_MAX], bytes[RUNS_MAX], own[RUNS_MAX], control[RUNS_MAX];
    uint32_t personal = friends / 5 + 1;
    for (int i = 0; i < runs; i++) {
        struct taken_figures figures = measure_taken(dir, COMMON, friends);
        common[i] = figures.per_s;
        first[i] = figures.first_ms;
        bytes[i] = figures.bytes_a_friend;
        own[i] = measure_taken(dir, PERSONAL, personal).per_s;
        struct raw raw;
        char path[256];
        open_raw(&raw, dir, path);
        control[i] = raw_durable(&raw, 10000, 100, 500000);
        close_raw(&raw, path);
    }
    double raw_per_s = median(control, runs);
    print("taken_per_s", friends, median(common, runs), "1/s", "raw LMDB appends of 10000",
          raw_per_s);
    print("taken_personal_per_s", personal, median(own, runs), "1/s", "raw LMDB appends of 10000",
          raw_per_s);
    print("first_durable_ms", friends, median(first, runs), "ms", NULL, 0);
    print("log_bytes_a_friend", friends, median(bytes, runs), "B", NULL, 0);
}

/* ---- lateness and drains on a real clock ---- */

struct lateness {
    int64_t due_ms, apart_us;
    uint32_t count;
    double *late_ms;
    uint32_t heard, early;
    int64_t asked_us; /* of the newest message that wants a reply */
    double reply_ms[4096];
    uint32_t replies;
};

static void
hear(void *context, const struct house_asked *asked)
{
    struct lateness *lateness = context;
    if (asked->endpoint == LINE_REPLY) {
        if (lateness->replies < 4096) {
            lateness->reply_ms[lateness->replies++] =
                (double)(asked->at_us - lateness->asked_us) / 1e3;
        }
        return;
    }
    if (lateness->late_ms == NULL || asked->number >= lateness->count) {
        return;
    }
    int64_t due_us =
        lateness->due_ms * 1000 + (int64_t)asked->number * lateness->apart_us / 1000 * 1000;
    double late_ms = (double)(asked->at_us - due_us) / 1e3;
    lateness->early += late_ms < 0;
    lateness->late_ms[asked->number] = late_ms;
    lateness->heard++;
}

/* As the daemon's loop: sleeps until the next instant, the log, or LINE's answer. */
static void
live_a_moment(struct house *house)
{
    bool more = house_pass(house);
    uint32_t at_line = house_answer(ROUND_TRIP_US);
    int64_t wait_ms = delivery_next(house->desk) - clock_now_ms(&house->clock);
    if (more || wait_ms <= 0) {
        return;
    }
    struct pollfd fd = {.fd = log_wake_fd(core_log(house->core)), .events = POLLIN};
    (void)poll(&fd, 1, at_line > 0 || wait_ms > 1 ? 1 : (int)wait_ms);
}

static void
bench_lateness(const char *dir, uint32_t pending)
{
    enum { COUNT = 5000, APART_US = 1000 };
    struct house house;
    static struct lateness lateness;
    lateness = (struct lateness){.apart_us = APART_US, .count = COUNT};
    lateness.late_ms = calloc(COUNT, sizeof(double));
    house_open(&house, dir, true, 0, PERSONAL);
    int64_t now_ms = clock_now_ms(&house.clock);
    house_follow(&house, COUNT, pending, now_ms + 3600000, 0); /* due in an hour */
    now_ms = clock_now_ms(&house.clock);
    lateness.due_ms = now_ms + 1500;
    house_follow(&house, 0, COUNT, lateness.due_ms - DELAY_MS, APART_US);
    house_deliver(&house, house_line(hear, &lateness), 1000, LINES_OWN);
    while (lateness.heard < COUNT) {
        live_a_moment(&house);
    }
    house_close(&house);
    struct raw raw;
    enum { SYNCS_MAX = 20000 };
    static double sync_us[SYNCS_MAX];
    char path[256];
    open_raw(&raw, dir, path);
    size_t syncs = raw_syncs(&raw, 1000000, sync_us);
    close_raw(&raw, path);
    qsort(sync_us, syncs, sizeof(sync_us[0]), ascending);
    qsort(lateness.late_ms, COUNT, sizeof(double), ascending);
    bench_check(lateness.early == 0, "something was early");
    print("lateness_p50_ms", COUNT, lateness.late_ms[COUNT / 2], "ms", "append and fdatasync p50",
          sync_us[syncs / 2] / 1e3);
    print("lateness_p99_ms", COUNT, lateness.late_ms[COUNT * 99 / 100], "ms",
          "append and fdatasync p99", sync_us[syncs * 99 / 100] / 1e3);
    print("lateness_max_ms", COUNT, lateness.late_ms[COUNT - 1], "ms", NULL, 0);
    free(lateness.late_ms);
}

/* All due at one instant, LINE's limits on, LINE 30 ms away: the share of the limit that is used. */
static void
bench_drain(const char *dir, const char *metric, const char *yaml, uint32_t friends,
            double limit_per_s)
{
    struct house house;
    static struct lateness lateness;
    lateness = (struct lateness){0};
    house_open(&house, dir, true, 0, yaml);
    int64_t due_ms = clock_now_ms(&house.clock) + 1000 + friends / 50;
    house_follow(&house, 0, friends, due_ms - DELAY_MS, 0);
    house_follow(&house, friends, TALKERS, due_ms + 3600000, 0); /* nothing else is due for them */
    bench_check(clock_now_ms(&house.clock) < due_ms, "the friends came too slowly");
    const uint32_t under[LINE_ENDPOINT_COUNT] = {
        [LINE_PUSH] = 1950, [LINE_MULTICAST] = 195, [LINE_REPLY] = 1950};
    house_deliver(&house, house_line(hear, &lateness), 100, under);
    int64_t next_message_us = due_ms * 1000 + 20000;
    uint32_t messages = 0;
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    while (delivery_counts(house.desk).sent_push < friends) {
        if (bench_wall_us() >= next_message_us) {
            lateness.asked_us = bench_wall_us();
            house_says(&house, friends + messages++ % TALKERS, "q");
            next_message_us += 50000;
        }
        live_a_moment(&house);
    }
    getrusage(RUSAGE_SELF, &after);
    double seconds = (double)(bench_wall_us() - due_ms * 1000) / 1e6;
    print(metric, friends, friends / seconds / limit_per_s, "of LINE's", NULL, 0);
    if (lateness.replies > 10) {
        qsort(lateness.reply_ms, lateness.replies, sizeof(double), ascending);
        print(yaml == COMMON ? "reply_lateness_p99_ms_in_multicasts" : "reply_lateness_p99_ms",
              lateness.replies, lateness.reply_ms[lateness.replies * 99 / 100], "ms", NULL, 0);
    }
    house_close(&house);
}

/* ---- egress ---- */

/* A server that answers every request with 200 {}: one thread, no parsing beyond the length. */
struct peer {
    int fd;
    size_t have;
    char head[4096];
};

static void
serve(struct peer *peer)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    ssize_t got = read(peer->fd, peer->head + peer->have, sizeof(peer->head) - 1 - peer->have);
    if (got <= 0) {
        close(peer->fd);
        peer->fd = -1;
        return;
    }
    peer->have += (size_t)got;
    peer->head[peer->have] = '\0';
    char *end = strstr(peer->head, "\r\n\r\n");
    char *length = end == NULL ? NULL : strcasestr(peer->head, "content-length:");
    if (end == NULL) {
        return;
    }
    size_t whole = (size_t)(end + 4 - peer->head) +
                   (length == NULL ? 0 : strtoul(length + strlen("content-length:"), NULL, 10));
    if (peer->have >= whole) {
        peer->have = 0;
        bench_check(write(peer->fd, answer, sizeof(answer) - 1) == (ssize_t)sizeof(answer) - 1,
                    "the answer");
    }
}

static void *
run_server(void *context)
{
    int door = *(int *)context;
    enum { PEERS = 256 };
    static struct peer peers[PEERS];
    static struct pollfd fds[PEERS + 1];
    for (int i = 0; i < PEERS; i++) {
        peers[i].fd = -1;
    }
    for (;;) {
        fds[0] = (struct pollfd){.fd = door, .events = POLLIN};
        for (int i = 0; i < PEERS; i++) {
            fds[i + 1] = (struct pollfd){.fd = peers[i].fd, .events = POLLIN};
        }
        (void)poll(fds, PEERS + 1, -1);
        for (int i = 0; i < PEERS; i++) {
            if (fds[i + 1].revents != 0 && peers[i].fd >= 0) {
                serve(&peers[i]);
            }
        }
        int fd = (fds[0].revents & POLLIN) != 0 ? accept4(door, NULL, NULL, SOCK_CLOEXEC) : -1;
        for (int i = 0; i < PEERS && fd >= 0; i++) {
            if (peers[i].fd < 0) {
                peers[i] = (struct peer){.fd = fd};
                fd = -1;
            }
        }
    }
    return NULL;
}

static int
open_server(char url[static 64])
{
    static int door;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench_check(door >= 0 && bind(door, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                    listen(door, 128) == 0 &&
                    getsockname(door, (struct sockaddr *)&address, &len) == 0,
                "a server on loopback");
    snprintf(url, 64, "http://127.0.0.1:%d", ntohs(address.sin_port));
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, run_server, &door) == 0, "a thread");
    return door;
}

static void
make_push(void *context, unsigned i, struct request *request)
{
    (void)context;
    buf_printf(
        &request->body,
        "{\"to\":\"U%u\",\"messages\":[{\"type\":\"text\",\"text\":\"お客さまへお知らせです\"}]}",
        i);
    snprintf(request->authorization, sizeof(request->authorization), "Bearer token");
}

static void
on_wake(struct ev_loop *loop, struct ev_io *io, int events)
{
    (void)loop;
    (void)io;
    (void)events;
}

static double cpu_us; /* a delivery, of the newest egress run */

static double
measure_egress(const char *dir, const char *url, uint32_t friends)
{
    struct house house;
    house_open(&house, dir, false, START_MS, PERSONAL);
    house_follow(&house, 0, friends, START_MS, 0);
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    const struct line_client_curl_options options = {.base_url = url,
                                                     .token = "token",
                                                     .connections_max = CONNECTIONS,
                                                     .connect_timeout_ms = 5000,
                                                     .deadline_ms = 30000};
    struct line_client *client = NULL;
    bench_check(line_client_curl_new(loop, &options, &client) == RC_OK, "the client");
    house_deliver(&house, client, 4 * CONNECTIONS, NO_LIMIT_AT_ALL);
    ev_io wake;
    ev_io_init(&wake, on_wake, log_wake_fd(core_log(house.core)), EV_READ);
    ev_io_start(loop, &wake);
    int64_t at_ms = START_MS + DELAY_MS;
    bench_check(clock_set(&house.clock, at_ms) == RC_OK, "the clock");
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    int64_t began_us = bench_now_us();
    while (delivery_counts(house.desk).sent_push < friends) {
        bool more = house_pass(&house);
        bench_check(clock_set(&house.clock, ++at_ms) == RC_OK, "the clock"); /* for the buckets */
        ev_run(loop, more ? EVRUN_NOWAIT : EVRUN_ONCE);
    }
    house_wait(&house);
    int64_t us = bench_now_us() - began_us;
    getrusage(RUSAGE_THREAD, &after);
    double spent_us = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1e6 +
                      (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) +
                      (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1e6 +
                      (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec);
    cpu_us = spent_us / friends;
    client->free(client);
    ev_io_stop(loop, &wake);
    ev_loop_destroy(loop);
    house_close(&house);
    return friends * 1e6 / (double)us;
}

static void
bench_egress(const char *dir, uint32_t friends, int runs)
{
    char url[64], push_url[128];
    double ours[RUNS_MAX], bare[RUNS_MAX], cpu[RUNS_MAX];
    (void)open_server(url);
    snprintf(push_url, sizeof(push_url), "%s/v2/bot/message/push", url);
    for (int i = 0; i < runs; i++) {
        ours[i] = measure_egress(dir, url, friends);
        cpu[i] = cpu_us;
        bare[i] =
            friends * 1e6 / (double)bench_pump(push_url, friends, CONNECTIONS, make_push, NULL);
    }
    print("egress_per_s", friends, median(ours, runs), "1/s", "bare libcurl multi",
          median(bare, runs));
    print("cpu_us_a_delivery", friends, median(cpu, runs), "us", NULL, 0);
}

int
main(int argc, char **argv)
{
    uint32_t friends = 100000;
    int runs = 5;
    const char *dir = "/tmp", *only = "";
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--json") == 0) {
            as_json = true;
        } else if (strcmp(argv[i], "--friends") == 0 && more) {
            friends = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--runs") == 0 && more) {
            runs = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--dir") == 0 && more) {
            dir = argv[++i];
        } else if (strcmp(argv[i], "--only") == 0 && more) {
            only = argv[++i];
        } else {
            fprintf(stderr,
                    "usage: %s [--json] [--friends N] [--runs N] [--dir DIR] "
                    "[--only taken|lateness|drain|egress]\n",
                    argv[0]);
            return 2;
        }
    }
    if (friends == 0 || runs < 1 || runs > RUNS_MAX) {
        fprintf(stderr, "%s: --friends from 1, --runs from 1 to %d\n", argv[0], RUNS_MAX);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct bench_machine machine;
    bench_machine(&machine);
    if (!as_json) {
        printf("machine: %s, %d cores, Linux %s\n", machine.cpu, machine.cores, machine.kernel);
    }
    bool all = only[0] == '\0';
    if (all || strcmp(only, "taken") == 0) {
        bench_taken(dir, friends, runs);
    }
    if (all || strcmp(only, "lateness") == 0) {
        bench_lateness(dir, friends);
    }
    if (all || strcmp(only, "drain") == 0) {
        bench_drain(dir, "burst_identical_drain", COMMON, friends, 200.0 * 500);
        bench_drain(dir, "burst_personal_drain", PERSONAL, 6000, 2000);
    }
    if (all || strcmp(only, "egress") == 0) {
        bench_egress(dir, 20000, runs);
    }
    return 0;
}
