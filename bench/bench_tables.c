/* bench_tables - what a friend costs in memory, how long growing holds everything up, and how long a state
 * takes to come back from its checkpoint: friends in a scenario of 7 steps with the first one pending.
 *
 *   memory      bytes of the tables by kind, and what the process really took, wheel included
 *   growth      the longest time the events of one friend took, of wall clock and of the processor
 *   save        the state as a checkpoint, durable
 *   load        the checkpoint into tables: read, summed, every row and list checked
 *   wake        the wheel made from the rows
 *   cat         control: the same file read in blocks of 1 MiB and nothing else
 *
 * Times of loading are medians of five rounds in the page cache. --named gives every friend a name of its
 * own and a field. --json prints an object a line.
 *
 *   bench_tables [--json] [--named] [--friends N] [--dir DIR]
 */
#include "bench/bench_world.h"

#include "daemon/zones.h"
#include "engine/engine.h"
#include "engine/tables.h"
#include "proto/definition.h"
#include "store/checkpoint.h"
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, STEPS = 7, MEGABYTE = 1 << 20 };

static const char SHOP[] =
    "account: {zone: Asia/Tokyo, window: off}\n"
    "fields: {points: number}\n"
    "templates: {T: text}\n"
    "scenarios: {S: {steps: {a: {when: day 1 at 19:00, send: T}, b: {when: day 2 at 19:00, send: "
    "T},"
    " c: {when: day 3 at 19:00, send: T}, d: {when: day 4 at 19:00, send: T},"
    " e: {when: day 5 at 19:00, send: T}, f: {when: day 6 at 19:00, send: T},"
    " g: {when: day 7 at 19:00, send: T}}}}\n";

static const struct engine_calls NO_CALLS;
static struct zones *zones;

/* Of the processor: a busy machine shall not count. */
static int64_t
cpu_us(void)
{
    struct timespec spent;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return (int64_t)spent.tv_sec * 1000000 + spent.tv_nsec / 1000;
}

static double
ms_since(int64_t began_us)
{
    return (double)(cpu_us() - began_us) / 1000;
}

static size_t
rss_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    bench_check(file != NULL && fscanf(file, "%*u %lu", &pages) == 1, "no /proc/self/statm");
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- making friends ---- */

struct making {
    struct engine *engine;
    uint64_t seq, random;
    bool named;
};

static void
apply(struct making *making, struct event event)
{
    uint64_t before = event.kind == EVENT_FRIEND_ADDED || event.friend == NO_ID
                          ? 0
                          : state_friend(engine_state(making->engine), event.friend)->newest_seq;
    event.seq = ++making->seq;
    event.at_ms = BENCH_START_MS;
    event.friend_prev = before;
    engine_apply(making->engine, &event);
}

static struct definitions *
compile(void)
{
    const struct source_file file = {span_cstr("shop.yaml"), span_cstr(SHOP)};
    struct diagnostics diagnostics;
    struct definitions *definitions = NULL;
    diagnostics_init(&diagnostics);
    bench_check(definition_compile(&file, 1, NULL, zones_source(zones), NULL, &diagnostics,
                                   &definitions) == RC_OK,
                "the definitions do not compile");
    diagnostics_fini(&diagnostics);
    return definitions;
}

/* As LINE makes them: "U" and 32 random hex digits. */
static void
random_id(uint64_t *random, char out[40])
{
    uint64_t half[2];
    for (int i = 0; i < 2; i++) {
        *random += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t mixed = (*random ^ *random >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        half[i] = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    }
    snprintf(out, 40, "U%016" PRIx64 "%016" PRIx64, half[0], half[1]);
}

static void
add_friend(struct making *making, uint32_t friend)
{
    char id[40], name[32];
    random_id(&making->random, id);
    const struct span id_word = span_cstr(id);
    apply(making, (struct event){.kind = EVENT_FRIEND_ADDED,
                                 .friend = friend,
                                 .words = &id_word,
                                 .word_count = 1,
                                 .u.friend_added = {.followed = true}});
    apply(making, (struct event){.kind = EVENT_FOLLOWED,
                                 .friend = friend,
                                 .u.act = {.line_at_ms = BENCH_START_MS - 300, .button = NO_ID}});
    if (making->named) {
        snprintf(name, sizeof(name), "友だち%u", friend);
        const struct span words[] = {span_cstr(name), span_cstr(""), span_cstr("ja")};
        apply(making, (struct event){.kind = EVENT_PROFILE_FETCHED,
                                     .friend = friend,
                                     .words = words,
                                     .word_count = 3,
                                     .u.profile = {.found = true}});
        apply(making, (struct event){.kind = EVENT_FIELD_SET,
                                     .friend = friend,
                                     .u.field = {.field = 0, .number = friend}});
    }
    uint32_t enrolment = tables_next_enrolment(engine_state(making->engine));
    apply(making, (struct event){.kind = EVENT_ENROLMENT_STARTED,
                                 .friend = friend,
                                 .u.step = {.enrolment = enrolment,
                                            .scenario = 0,
                                            .step = NO_ID,
                                            .start_ms = BENCH_START_MS}});
    /* Spread over 30 days, as friends are who came one by one. */
    int64_t due_ms = BENCH_START_MS + (int64_t)(making->random % (30 * UINT64_C(86400000)));
    apply(making, (struct event){.kind = EVENT_STEP_PLANNED,
                                 .friend = friend,
                                 .u.step = {.enrolment = enrolment,
                                            .scenario = 0,
                                            .step = 0,
                                            .due_ms = due_ms,
                                            .base_ms = BENCH_START_MS}});
}

struct figures {
    size_t rss_bytes, wheel_bytes, image_bytes, loaded_rss_bytes;
    double make_ms, wake_ms, save_ms, load_ms, cat_ms;
    int64_t longest_us, longest_cpu_us;
};

static void
fill(struct making *making, uint32_t friends, struct figures *out)
{
    struct definitions *definitions = compile();
    apply(making, (struct event){.kind = EVENT_DEFINITIONS_APPLIED,
                                 .friend = NO_ID,
                                 .u.definitions = {.definitions = definitions}});
    definitions_release(definitions);
    int64_t before_us = bench_now_us(), before_cpu_us = cpu_us(), began_us = before_cpu_us;
    for (uint32_t friend = 0; friend < friends; friend ++) {
        add_friend(making, friend);
        int64_t now_us = bench_now_us(), now_cpu_us = cpu_us();
        if (now_us - before_us > out->longest_us) {
            out->longest_us = now_us - before_us;
        }
        if (now_cpu_us - before_cpu_us > out->longest_cpu_us) {
            out->longest_cpu_us = now_cpu_us - before_cpu_us;
        }
        before_us = now_us;
        before_cpu_us = now_cpu_us;
    }
    out->make_ms = ms_since(began_us);
}

/* ---- the checkpoint ---- */

static void
put_image(void *context, const void *data, size_t len)
{
    checkpoint_put(context, data, len);
}

struct filling {
    const struct state *state;
};

static void
fill_checkpoint(void *context, struct checkpoint_writer *writer)
{
    const struct stream_sink sink = {.put = put_image, .context = writer};
    image_write(((const struct filling *)context)->state, &sink);
}

static enum rc
get_image(void *context, void *out, size_t bytes)
{
    return checkpoint_get(context, out, bytes);
}

static enum rc
confirm(void *context, const char **out_why)
{
    return checkpoint_close(context, out_why);
}

static struct definitions *loaded_definitions;

static enum rc
known_definitions(void *context, struct span canonical, struct definitions **out_definitions)
{
    (void)context;
    (void)canonical;
    *out_definitions = definitions_retain(loaded_definitions);
    return RC_OK;
}

static double
save(const char *directory, const struct state *state, size_t *out_bytes)
{
    struct buf error = {0};
    struct checkpoint head = {.state_version = STATE_VERSION, .seq = state->seq};
    int64_t began_us = cpu_us();
    bench_check(checkpoint_write(directory, &head, fill_checkpoint, &(struct filling){state},
                                 &error) == RC_OK,
                buf_cstr(&error));
    *out_bytes = head.image_bytes;
    buf_fini(&error);
    return ms_since(began_us);
}

static double
load(const char *directory, uint64_t seq, struct engine *engine)
{
    struct checkpoint head;
    struct checkpoint_reader *reader;
    const char *why = "";
    int64_t began_us = cpu_us();
    bench_check(checkpoint_open(directory, seq, &head, &reader, &why) == RC_OK, why);
    const struct image_source source = {
        .bytes = {.get = get_image, .context = reader, .bytes = head.image_bytes},
        .confirm = confirm,
        .definitions = known_definitions,
        .context = reader};
    bench_check(engine_load(engine, &source, &why) == RC_OK, why);
    return ms_since(began_us);
}

static double
cat(const char *path)
{
    static uint8_t block[MEGABYTE];
    int64_t began_us = cpu_us();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (read(fd, block, sizeof(block)) > 0) {
    }
    close(fd);
    return ms_since(began_us);
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof(values[0]), by_value);
    return values[ROUNDS / 2];
}

static void
measure_loading(const char *directory, uint64_t seq, uint64_t digest, struct figures *out)
{
    double loads[ROUNDS], cats[ROUNDS];
    struct buf path = {0};
    checkpoint_path(directory, seq, &path);
    for (int i = 0; i < ROUNDS; i++) {
        malloc_trim(0);
        size_t before = rss_bytes();
        struct engine *engine = engine_new(&NO_CALLS);
        loads[i] = load(directory, seq, engine);
        cats[i] = cat(buf_cstr(&path));
        out->loaded_rss_bytes = rss_bytes() - before;
        bench_check(state_digest(engine_state(engine)) == digest, "the digests differ");
        engine_free(engine);
    }
    unlink(buf_cstr(&path));
    buf_fini(&path);
    out->load_ms = median(loads);
    out->cat_ms = median(cats);
}

/* ---- printing ---- */

static void
print_kinds(const struct state *state, uint32_t friends)
{
    struct state_use uses[STATE_USES_MAX];
    uint32_t count = state_memory(state, uses);
    for (uint32_t i = 0; i < count; i++) {
        if (uses[i].count > 0) {
            printf("  %-18s %10" PRIu64 " of %5.1f bytes, %8.1f MiB, %6.1f bytes a friend\n",
                   uses[i].kind, uses[i].count, (double)uses[i].bytes / (double)uses[i].count,
                   (double)uses[i].bytes / MEGABYTE, (double)uses[i].bytes / friends);
        }
    }
}

static void
print_json(const char *metric, uint32_t n, double value, const char *unit, const char *peer,
           double peer_value)
{
    printf("{\"bench\":\"tables\",\"metric\":\"%s\",\"n\":%u,\"value\":%.3f,\"unit\":\"%s\"",
           metric, n, value, unit);
    if (peer != NULL) {
        printf(",\"peer\":\"%s\",\"peer_value\":%.3f,\"ratio\":%.3f", peer, peer_value,
               value / peer_value);
    }
    printf("}\n");
}

static void
print(const struct figures *f, const struct state *state, uint32_t friends, bool json)
{
    double each = (double)f->rss_bytes / friends;
    if (json) {
        print_json("bytes_per_friend", friends, each, "bytes", "target", 128);
        print_json("rss_bytes", friends, (double)f->rss_bytes, "bytes", NULL, 0);
        print_json("load_ms", friends, f->load_ms, "ms", "cat", f->cat_ms);
        print_json("wake_ms", friends, f->wake_ms, "ms", NULL, 0);
        print_json("longest_growth_us", friends, (double)f->longest_cpu_us, "us", NULL, 0);
        return;
    }
    struct bench_machine machine;
    bench_machine(&machine);
    printf("machine     %s, %d cores, Linux %s\n", machine.cpu, machine.cores, machine.kernel);
    printf("friends     %u, each in a scenario of %d steps with one pending\n", friends, STEPS);
    print_kinds(state, friends);
    printf("memory      %.1f MiB in all, the wheel's %.1f included: %.1f bytes a friend\n",
           (double)f->rss_bytes / MEGABYTE, (double)f->wheel_bytes / MEGABYTE, each);
    printf("growth      %.2f s for all; the longest friend took %.2f ms, %.2f ms of the "
           "processor\n",
           f->make_ms / 1000, (double)f->longest_us / 1000, (double)f->longest_cpu_us / 1000);
    printf("save        %.0f ms for %.1f MiB, durable\n", f->save_ms,
           (double)f->image_bytes / MEGABYTE);
    printf("load        %.0f ms, %.2f times cat's %.0f ms; %.1f MiB afterwards\n", f->load_ms,
           f->load_ms / f->cat_ms, f->cat_ms, (double)f->loaded_rss_bytes / MEGABYTE);
    printf("wake        %.0f ms\n", f->wake_ms);
}

int
main(int argc, char **argv)
{
    bool json = false, named = false;
    unsigned long friends = 1000000;
    const char *parent = ".";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--named") == 0) {
            named = true;
        } else if (strcmp(argv[i], "--friends") == 0 && i + 1 < argc) {
            friends = strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc) {
            parent = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--json] [--named] [--friends N] [--dir DIR]\n", argv[0]);
            return 2;
        }
    }
    bench_check(friends > 0 && friends <= 100000000, "--friends wants a number from 1");
    char directory[192];
    snprintf(directory, sizeof(directory), "%s/bench-tables-XXXXXX", parent);
    bench_check(mkdtemp(directory) != NULL, "no directory can be made there");
    zones = zones_new(NULL);
    struct figures figures = {0};
    size_t before = rss_bytes();
    struct making making = {.engine = engine_new(&NO_CALLS), .random = 1, .named = named};
    fill(&making, (uint32_t)friends, &figures);
    int64_t began_us = cpu_us();
    size_t awake_from = rss_bytes();
    engine_wake(making.engine, BENCH_START_MS);
    figures.wake_ms = ms_since(began_us);
    figures.rss_bytes = rss_bytes() - before;
    figures.wheel_bytes = rss_bytes() - awake_from;
    const struct state *state = engine_state(making.engine);
    uint64_t digest = state_digest(state), seq = state->seq;
    loaded_definitions = definitions_retain(state->definitions);
    figures.save_ms = save(directory, state, &figures.image_bytes);
    if (!json) {
        fflush(stdout);
    }
    measure_loading(directory, seq, digest, &figures);
    print(&figures, state, (uint32_t)friends, json);
    engine_free(making.engine);
    definitions_release(loaded_definitions);
    zones_free(zones);
    rmdir(directory);
    return 0;
}
