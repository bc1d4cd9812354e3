#include "bench/desk_house.h"

#include "bench/bench_world.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FOLLOWS_A_PASS = 1000 };

static char directory[256];

static void
fill_random(void *context, void *out, size_t bytes)
{
    struct house *house = context;
    memset(out, ++house->random, bytes);
}

static void
apply(struct house *house, const char *yaml)
{
    struct diagnostics diagnostics;
    struct definitions *definitions = NULL;
    struct source_file file = {span_cstr("bench.yaml"), span_cstr(yaml)};
    diagnostics_init(&diagnostics);
    enum rc rc = definition_compile(&file, 1, NULL, zones_source(house->zones), NULL, &diagnostics,
                                    &definitions);
    bench_check(rc == RC_OK, diagnostics.count > 0 ? diagnostics.items[0].message : "definitions");
    struct input input = {.kind = INPUT_DEFINITIONS,
                          .at_ms = clock_now_ms(&house->clock),
                          .u.definitions = {.definitions = definitions}};
    uint32_t count;
    (void)core_input(house->core, &input, &count);
    definitions_release(definitions);
    diagnostics_fini(&diagnostics);
    bench_check(core_flush(house->core) == RC_OK, "the log");
}

void
house_open(struct house *house, const char *parent, bool real, int64_t at_ms, const char *yaml)
{
    *house = (struct house){.zones = zones_new(NULL)};
    if (real) {
        clock_init_real(&house->clock);
    } else {
        clock_init_virtual(&house->clock, at_ms);
    }
    snprintf(directory, sizeof(directory), "%s/stepd-bench-XXXXXX", parent);
    bench_check(mkdtemp(directory) != NULL, "a directory for the log");
    struct log *log = NULL;
    const struct log_options log_options = {.mode = LOG_CLAIM,
                                            .map_bytes = (size_t)4 << 30,
                                            .now_ms = clock_now_ms(&house->clock),
                                            .writer_thread = true,
                                            .mono_us = clock_mono_us};
    bench_check(log_open(directory, &log_options, &log) == RC_OK, "the log");
    const struct core_options options = {.log = log,
                                         .clock = &house->clock,
                                         .zones = zones_source(house->zones),
                                         .directory = directory,
                                         .random = fill_random,
                                         .random_context = house};
    bench_check(core_open(&options, &house->core) == RC_OK, "the core");
    apply(house, yaml);
}

void
house_close(struct house *house)
{
    char path[320];
    delivery_free(house->desk);
    core_close(house->core);
    zones_free(house->zones);
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        (void)unlink(path);
    }
    snprintf(path, sizeof(path), "rm -rf '%s'", directory);
    bench_check(system(path) == 0, "removing the log");
    *house = (struct house){0};
}

static void
act(struct house *house, enum input_kind kind, uint32_t friend, int64_t line_at_ms,
    const char *text)
{
    char who[16];
    snprintf(who, sizeof(who), "U%u", friend);
    struct input input = {.kind = kind,
                          .at_ms = clock_now_ms(&house->clock),
                          .u.act = {.user_id = span_cstr(who),
                                    .reply_token = span_cstr("token"),
                                    .line_at_ms = line_at_ms,
                                    .type = span_cstr("text"),
                                    .text = span_cstr(text)}};
    uint32_t count;
    (void)core_input(house->core, &input, &count);
}

void
house_follow(struct house *house, uint32_t first, uint32_t count, int64_t line_at_ms,
             int64_t apart_us)
{
    for (uint32_t i = 0; i < count; i++) {
        act(house, INPUT_FOLLOW, first + i, line_at_ms + (int64_t)i * apart_us / 1000, "");
        if (i % FOLLOWS_A_PASS == FOLLOWS_A_PASS - 1) {
            bench_check(core_flush(house->core) == RC_OK, "the log");
            if (core_log_slow(house->core)) {
                house_wait(house);
            }
        }
    }
    bench_check(core_flush(house->core) == RC_OK, "the log");
    house_wait(house);
}

void
house_says(struct house *house, uint32_t friend, const char *text)
{
    act(house, INPUT_MESSAGE, friend, clock_now_ms(&house->clock), text);
}

void
house_deliver(struct house *house, struct line_client *client, uint32_t in_flight_max,
              const uint32_t per_second[LINE_ENDPOINT_COUNT])
{
    struct delivery_options options = {
        .core = house->core, .client = client, .in_flight_max = in_flight_max, .jitter_seed = 1};
    memcpy(options.per_second, per_second, sizeof(options.per_second));
    house->desk = delivery_new(&options);
}

/* ---- a LINE that accepts everything ---- */

struct waiting {
    line_done_fn done;
    void *context;
    int64_t at_us;
};
static struct {
    struct line_client client; /* first */
    house_heard_fn heard;
    void *context;
    struct waiting *waiting; /* in the order of asking */
    uint32_t head, count, capacity;
} line;

static void
line_send(struct line_client *client, const struct line_request *request, line_done_fn done,
          void *context)
{
    (void)client;
    struct house_asked asked = {.endpoint = request->endpoint, .at_us = bench_wall_us()};
    const char *to = memchr(request->body.data, 'U', request->body.len);
    asked.number = to == NULL ? 0 : (uint32_t)strtoul(to + 1, NULL, 10);
    if (line.head + line.count == line.capacity) {
        memmove(line.waiting, line.waiting + line.head, line.count * sizeof(*line.waiting));
        line.head = 0;
        if (line.count == line.capacity) {
            line.capacity = line.capacity == 0 ? 1024 : 2 * line.capacity;
            line.waiting = realloc(line.waiting, line.capacity * sizeof(*line.waiting));
            bench_check(line.waiting != NULL, "memory");
        }
    }
    line.waiting[line.head + line.count++] = (struct waiting){done, context, asked.at_us};
    if (line.heard != NULL) {
        line.heard(line.context, &asked);
    }
}

struct line_client *
house_line(house_heard_fn heard, void *context)
{
    free(line.waiting);
    memset(&line, 0, sizeof(line));
    line.client.send = line_send;
    line.heard = heard;
    line.context = context;
    return &line.client;
}

uint32_t
house_answer(int64_t round_trip_us)
{
    const struct line_answer accepted = {
        .transport = LINE_ANSWERED, .status = 200, .body = span_cstr("{}"), .retry_after_s = -1};
    int64_t now_us = round_trip_us == 0 ? INT64_MAX : bench_wall_us() - round_trip_us;
    while (line.count > 0 && line.waiting[line.head].at_us <= now_us) {
        struct waiting next = line.waiting[line.head++];
        line.count--;
        next.done(next.context, &accepted);
    }
    return line.count;
}

bool
house_pass(struct house *house)
{
    bool more = delivery_pump(house->desk);
    bench_check(core_flush(house->core) == RC_OK, "the log");
    bench_check(core_poll(house->core) == RC_OK, "the log");
    return more;
}

void
house_wait(struct house *house)
{
    bench_check(log_wait(core_log(house->core)) == RC_OK, "the log");
    bench_check(core_poll(house->core) == RC_OK, "the log");
}

uint64_t
house_log_bytes(const struct house *house)
{
    uint64_t used_bytes, map_bytes;
    log_map(core_log(house->core), &used_bytes, &map_bytes);
    return used_bytes;
}
