/* bench_backbone - the figures of the whole road, with the real programs over HTTP:
 *
 *   webhooks   signed bodies of one event, answered 200 (durable), a second
 *   steps      all due at one instant: taken, logged, sent, accepted by fakeline, a second
 *   lateness   at 1,000 steps a second on a real clock: from the due instant to fakeline's accept
 *   memory     of stepd with many friends in a scenario of 7 steps
 *
 * (friends' profiles are not fetched meanwhile) and beside them two controls of the same minute and machine: how often its disk can be made sure of,
 * and how many requests fakeline takes from this very program without a daemon in between.
 *
 *   bench_backbone [--json] [--friends N] [--webhooks N] [--dir DIR]
 */
#include "bench/bench_world.h"

#include "proto/signature.h"
#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CONNECTIONS = 32,
    EVENTS_A_BODY = 100,
    RATE = 1000,           /* steps a second for lateness */
    RATE_SECONDS = 10,     /* for so long */
    STEP_DELAY_MS = 20000, /* between a start and its step: 20s in ONE_STEP */
};

struct figures {
    double fsyncs_per_s, fakeline_per_s;
    double webhooks_per_s, steps_per_s;
    int64_t late_p50_us, late_p99_us, late_max_us;
    long steps_early;
    double rss_empty_mib, rss_mib, bytes_a_friend;
};

/* ---- bodies ----------------------------------------------------------------------------------- */

static void
append_event(struct buf *body, const char *type, unsigned user, unsigned serial, int64_t at_ms)
{
    buf_printf(body,
               "{\"type\":\"%s\",\"mode\":\"active\",\"timestamp\":%" PRId64
               ",\"webhookEventId\":\"01BENCH%019u\",\"deliveryContext\":{\"isRedelivery\":false},"
               "\"source\":{\"type\":\"user\",\"userId\":\"U%032x\"},",
               type, at_ms, serial, user);
    if (strcmp(type, "follow") == 0) {
        buf_printf(body, "\"follow\":{\"isUnblocked\":false}}");
    } else {
        buf_printf(body,
                   "\"message\":{\"type\":\"text\",\"id\":\"%u\",\"quoteToken\":\"q\",\"text\":"
                   "\"こんにちは\"}}",
                   serial);
    }
}

static void
sign(struct request *request)
{
    signature_make(span_cstr(BENCH_SECRET), buf_span(&request->body), request->signature);
}

struct follows {
    int64_t at_ms; /* timestamp of the first event */
    unsigned count, first_user;
    bool one_a_millisecond; /* else all at at_ms */
};

/* Body number i of a crowd that follows, EVENTS_A_BODY at a time. */
static void
make_follows(void *context, unsigned i, struct request *request)
{
    const struct follows *follows = context;
    buf_printf(&request->body, "{\"destination\":\"%s\",\"events\":[", BENCH_BOT);
    for (unsigned k = i * EVENTS_A_BODY; k < (i + 1) * EVENTS_A_BODY && k < follows->count; k++) {
        buf_append_cstr(&request->body, k % EVENTS_A_BODY == 0 ? "" : ",");
        append_event(&request->body, "follow", follows->first_user + k, follows->first_user + k,
                     follows->at_ms + (follows->one_a_millisecond ? k : 0));
    }
    buf_append_cstr(&request->body, "]}");
    sign(request);
}

static void
make_message(void *context, unsigned i, struct request *request)
{
    const int64_t *at_ms = context;
    buf_printf(&request->body, "{\"destination\":\"%s\",\"events\":[", BENCH_BOT);
    append_event(&request->body, "message", 1 + i % 1000, 100000000 + i, *at_ms);
    buf_append_cstr(&request->body, "]}");
    sign(request);
}

static void
make_push(void *context, unsigned i, struct request *request)
{
    (void)context;
    buf_printf(&request->body,
               "{\"to\":\"U%032x\",\"messages\":[{\"type\":\"text\",\"text\":\"T_step\"}]}", i);
    snprintf(request->authorization, sizeof(request->authorization), "Bearer %s", BENCH_TOKEN);
}

/* All of a crowd, and everything it causes at once. */
static void
crowd_follows(struct bench_world *world, struct follows *follows)
{
    unsigned bodies = (follows->count + EVENTS_A_BODY - 1) / EVENTS_A_BODY;
    bench_pump(world->webhook_url, bodies, CONNECTIONS, make_follows, follows);
}

/* ---- the figures ------------------------------------------------------------------------------ */

static double
measure_fsync(const char *dir)
{
    char path[256], block[4096] = {0};
    snprintf(path, sizeof(path), "%s/fsync", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bench_check(fd >= 0, "the control file cannot be made");
    int64_t began_us = bench_now_us(), us = 0;
    unsigned count = 0;
    while (us < 2000000) {
        bench_check(pwrite(fd, block, sizeof(block), (off_t)(count % 256) * 4096) == 4096,
                    "pwrite");
        bench_check(fdatasync(fd) == 0, "fdatasync");
        count++;
        us = bench_now_us() - began_us;
    }
    close(fd);
    return (double)count * 1e6 / (double)us;
}

static double
measure_fakeline(struct bench_world *world)
{
    enum { REQUESTS = 10000 };
    char url[96];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/v2/bot/message/push", world->line_port);
    int64_t us = bench_pump(url, REQUESTS, CONNECTIONS, make_push, NULL);
    return REQUESTS * 1e6 / (double)us;
}

static double
measure_webhooks(struct bench_world *world, unsigned count)
{
    bench_start(world, BENCH_VIRTUAL);
    int64_t at_ms = BENCH_START_MS;
    int64_t us = bench_pump(world->webhook_url, count, CONNECTIONS, make_message, &at_ms);
    bench_check(bench_status(world, "webhooks.events") == (int64_t)count, "events are missing");
    bench_stop(world);
    return (double)count * 1e6 / (double)us;
}

static int
by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static const char ONE_STEP[] =
    "account: {zone: Asia/Tokyo, window: off}\n"
    "templates: {T_step: 'T_step {{name|you}}'}\n"
    "friend_add: {new: {do: [ {start: S} ]}}\n"
    "scenarios: {S: {steps: {a: {when: 20s after start, send: T_step}}}}\n";

/* A crowd follows on a real clock, each with one step STEP_DELAY_MS later; when all have got it, out
 * holds for each how late fakeline accepted it, in order. */
static void
measure_crowd(struct bench_world *world, struct follows *follows, int64_t *out_late_us)
{
    bench_start(world, BENCH_REAL);
    bench_apply(world, ONE_STEP);
    crowd_follows(world, follows);
    bench_check(bench_wall_us() / 1000 < follows->at_ms + STEP_DELAY_MS,
                "the friends were not there before their first step");
    bench_wait(world, "deliveries.sent_push", follows->count, STEP_DELAY_MS + 120000);
    size_t got = bench_accepted_us(world, follows->first_user, follows->count, out_late_us);
    bench_check(got == follows->count, "fakeline has not accepted every step");
    for (unsigned i = 0; i < follows->count; i++) {
        int64_t due_ms = follows->at_ms + (follows->one_a_millisecond ? i : 0) + STEP_DELAY_MS;
        out_late_us[i] -= due_ms * 1000;
    }
    qsort(out_late_us, follows->count, sizeof(out_late_us[0]), by_value);
    bench_stop(world);
}

/* All due at one instant: the last one's lateness is the time for all. */
static double
measure_steps(struct bench_world *world, unsigned count)
{
    int64_t *late_us = calloc(count, sizeof(*late_us));
    bench_check(late_us != NULL, "no memory");
    struct follows follows = {.at_ms = bench_wall_us() / 1000, .count = count, .first_user = 1};
    measure_crowd(world, &follows, late_us);
    double steps_per_s = (double)count * 1e6 / (double)late_us[count - 1];
    free(late_us);
    return steps_per_s;
}

static void
measure_lateness(struct bench_world *world, struct figures *figures)
{
    enum { COUNT = RATE * RATE_SECONDS };
    static int64_t late_us[COUNT];
    /* Their webhooks are up to 10 s old, so that the first step is due 10 s from now. */
    struct follows follows = {.at_ms = bench_wall_us() / 1000 - RATE_SECONDS * 1000,
                              .count = COUNT,
                              .first_user = 1,
                              .one_a_millisecond = true};
    measure_crowd(world, &follows, late_us);
    for (unsigned i = 0; i < COUNT; i++) {
        figures->steps_early += late_us[i] < 0;
    }
    figures->late_p50_us = late_us[COUNT / 2];
    figures->late_p99_us = late_us[COUNT * 99 / 100];
    figures->late_max_us = late_us[COUNT - 1];
}

static void
measure_memory(struct bench_world *world, unsigned friends, struct figures *figures)
{
    bench_start(world, BENCH_VIRTUAL);
    struct buf yaml = {0};
    buf_append_cstr(&yaml, "account: {zone: Asia/Tokyo}\n"
                           "templates: {T_step: 'T_step {{name|you}}'}\n"
                           "friend_add: {new: {do: [ {start: S} ]}}\n"
                           "scenarios:\n  S:\n    steps:\n");
    for (int day = 1; day <= 7; day++) {
        buf_printf(&yaml, "      day%d: {when: day %d at 19:00, send: T_step}\n", day, day);
    }
    bench_apply(world, buf_cstr(&yaml));
    buf_fini(&yaml);
    figures->rss_empty_mib = bench_rss_mib(world);
    struct follows follows = {.at_ms = BENCH_START_MS, .count = friends, .first_user = 1};
    crowd_follows(world, &follows);
    bench_check(bench_status(world, "enrolments") == (int64_t)friends, "enrolments are missing");
    figures->rss_mib = bench_rss_mib(world);
    figures->bytes_a_friend =
        (figures->rss_mib - figures->rss_empty_mib) * 1024 * 1024 / (double)friends;
    bench_stop(world);
}

/* ---- printing --------------------------------------------------------------------------------- */

static void
print_text(const struct figures *f, const struct bench_machine *machine, unsigned friends)
{
    printf("machine    %s, %d cores, Linux %s\n", machine->cpu, machine->cores, machine->kernel);
    printf("control    %.0f fdatasync/s of 4 KiB on its disk; fakeline alone %.0f requests/s\n",
           f->fsyncs_per_s, f->fakeline_per_s);
    printf("webhooks   %.0f /s signed, %d connections, answered when durable\n", f->webhooks_per_s,
           CONNECTIONS);
    printf("steps      %.0f /s taken, logged, accepted by fakeline; all due at one instant\n",
           f->steps_per_s);
    printf("lateness   at %d steps/s for %d s: p50 %.1f ms, p99 %.1f ms, max %.1f ms; %ld early\n",
           RATE, RATE_SECONDS, (double)f->late_p50_us / 1e3, (double)f->late_p99_us / 1e3,
           (double)f->late_max_us / 1e3, f->steps_early);
    printf("memory     %.1f MiB of its own (RssAnon) with %u friends in 7 steps; %.1f MiB empty, "
           "%.0f bytes a friend\n",
           f->rss_mib, friends, f->rss_empty_mib, f->bytes_a_friend);
}

static void
print_json(const struct figures *f, const struct bench_machine *machine, unsigned friends)
{
    json_t *json = json_pack(
        "{s:{s:s,s:i,s:s},s:{s:f,s:f},s:f,s:f,s:{s:i,s:f,s:f,s:f,s:I},s:{s:I,s:f,s:f,s:f}}",
        "machine", "cpu", machine->cpu, "cores", machine->cores, "kernel", machine->kernel,
        "control", "fdatasync_per_s", f->fsyncs_per_s, "fakeline_requests_per_s", f->fakeline_per_s,
        "webhooks_per_s", f->webhooks_per_s, "steps_per_s", f->steps_per_s, "lateness",
        "steps_per_s", (int)RATE, "p50_ms", (double)f->late_p50_us / 1e3, "p99_ms",
        (double)f->late_p99_us / 1e3, "max_ms", (double)f->late_max_us / 1e3, "early",
        (json_int_t)f->steps_early, "memory", "friends", (json_int_t)friends, "rss_mib", f->rss_mib,
        "rss_empty_mib", f->rss_empty_mib, "bytes_a_friend", f->bytes_a_friend);
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    printf("%s\n", text);
    free(text);
    json_decref(json);
}

int
main(int argc, char **argv)
{
    unsigned friends = 100000, webhooks = 20000;
    bool as_json = false;
    const char *dir = "/tmp";
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--json") == 0) {
            as_json = true;
        } else if (strcmp(argv[i], "--friends") == 0 && more) {
            friends = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--webhooks") == 0 && more) {
            webhooks = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--dir") == 0 && more) {
            dir = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--json] [--friends N] [--webhooks N] [--dir DIR]\n",
                    argv[0]);
            return 2;
        }
    }
    struct bench_machine machine;
    struct bench_world world;
    struct figures figures = {0};
    bench_machine(&machine);
    bench_open(&world, argv[0], dir);
    figures.fsyncs_per_s = measure_fsync(world.dir);
    figures.fakeline_per_s = measure_fakeline(&world);
    figures.webhooks_per_s = measure_webhooks(&world, webhooks);
    figures.steps_per_s = measure_steps(&world, webhooks);
    measure_lateness(&world, &figures);
    measure_memory(&world, friends, &figures);
    bench_close(&world);
    if (as_json) {
        print_json(&figures, &machine, friends);
    } else {
        print_text(&figures, &machine, friends);
    }
    return 0;
}
