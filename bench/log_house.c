#include "bench/log_house.h"

#include "bench/bench_world.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static void
draw_random(void *context, void *out, size_t bytes)
{
    (void)context;
    bench_check(getrandom(out, bytes, 0) == (ssize_t)bytes, "getrandom");
}

static void
put_in_force(struct house *house, const char *yaml)
{
    const struct source_file file = {.name = span_cstr("bench.yaml"), .text = span_cstr(yaml)};
    struct diagnostics diagnostics;
    struct definitions *definitions = NULL;
    diagnostics_init(&diagnostics);
    enum rc rc = definition_compile(&file, 1, core_state(house->core)->definitions,
                                    zones_source(house->zones), NULL, &diagnostics, &definitions);
    bench_check(rc == RC_OK, "the definitions");
    struct input input = {.kind = INPUT_DEFINITIONS, .at_ms = clock_now_ms(&house->clock)};
    input.u.definitions.definitions = definitions;
    uint32_t count;
    (void)core_input(house->core, &input, &count);
    definitions_release(definitions);
    diagnostics_fini(&diagnostics);
}

static void
follow(struct house *house, uint32_t number)
{
    char id[40];
    snprintf(id, sizeof(id), "U%032x", number);
    struct input input = {.kind = INPUT_FOLLOW, .at_ms = clock_now_ms(&house->clock)};
    input.u.act.user_id = span_cstr(id);
    input.u.act.line_at_ms = input.at_ms;
    uint32_t count;
    (void)core_input(house->core, &input, &count);
}

void
house_open(struct house *house, const char *directory, uint32_t friends)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/log", directory);
    *house = (struct house){.zones = zones_new(NULL), .friends = friends, .starting = true};
    clock_init_virtual(&house->clock, BENCH_START_MS);
    const struct log_options log_options = {.mode = LOG_CLAIM,
                                            .now_ms = BENCH_START_MS,
                                            .writer_thread = true,
                                            .mono_us = bench_now_us};
    bench_check(log_open(path, &log_options, &house->log) == RC_OK, "log_open");
    const struct core_options options = {.log = house->log,
                                         .clock = &house->clock,
                                         .zones = zones_source(house->zones),
                                         .directory = path,
                                         .random = draw_random};
    bench_check(core_open(&options, &house->core) == RC_OK, "core_open");
    put_in_force(house, "account: {zone: Asia/Tokyo, window: off}\n"
                        "templates: {T: T}\n"
                        "scenarios: {S: {steps: {a: {when: 30d after start, send: T}}}}\n");
    for (uint32_t i = 0; i < friends; i++) {
        follow(house, i);
        if (i % 1000 == 999) {
            bench_check(core_flush(house->core) == RC_OK, "core_flush");
        }
    }
    bench_check(core_flush(house->core) == RC_OK && log_wait(house->log) == RC_OK, "the friends");
}

size_t
house_schedule(struct house *house, size_t events)
{
    size_t produced = 0;
    while (produced < events) {
        struct input input = {
            .kind = house->starting ? INPUT_START_SCENARIO : INPUT_STOP_SCENARIO,
            .at_ms = clock_now_ms(&house->clock),
            .author = 1000,
            .u.scenario = {.friend = house->next, .scenario = 0, .at_step = NO_ID}};
        uint32_t count;
        (void)core_input(house->core, &input, &count);
        bench_check(count > 0, "an input without an event");
        produced += count;
        house->inputs++;
        /* a stride, so that rows are not visited in order */
        house->next = (house->next + 7919) % house->friends;
        house->starting = house->next == 0 ? !house->starting : house->starting;
    }
    return produced;
}

void
house_wait(struct house *house)
{
    struct pollfd fd = {.fd = log_wake_fd(house->log), .events = POLLIN};
    (void)poll(&fd, 1, 1000);
    bench_check(log_poll(house->log) == RC_OK, "log_poll");
}

size_t
house_event_bytes(struct house *house)
{
    uint64_t from = core_state(house->core)->seq + 1, inputs = house->inputs;
    while (house->inputs < inputs + 2 * (uint64_t)house->friends) { /* each starts, each stops */
        (void)house_schedule(house, 1000);
        bench_check(core_flush(house->core) == RC_OK, "core_flush");
    }
    bench_check(log_wait(house->log) == RC_OK, "log_wait");
    return (size_t)house_bytes_since(house, from);
}

double
house_bytes_since(struct house *house, uint64_t from)
{
    struct log_cursor *cursor;
    struct log_batch_view batch;
    uint64_t events = 0, bytes = 0;
    enum rc rc = log_cursor_open(house->log, from, &cursor);
    while (rc == RC_OK && (rc = log_cursor_next(cursor, &batch)) == RC_OK) {
        if (batch.first_seq >= from) {
            events += batch.event_count;
            bytes += batch.events.len;
        }
    }
    bench_check(rc == RC_END && events > 0, "reading back");
    log_cursor_close(cursor);
    return (double)bytes / (double)events;
}
