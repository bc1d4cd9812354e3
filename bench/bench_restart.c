/* bench_restart - how long a restart takes to come to its state, in one process, with everything in the
 * page cache: friends in a scenario of 7 steps, each with a name, a tag, a field and a pending step.
 *
 *   replay      the whole log, verified, decoded, applied
 *   checkpoint  the checkpoint read, its checksum, rows and digest checked, every list walked
 *   wake        the wheel armed and the queues filled from the rows
 *   save        the state to bytes, written and durable
 *   cat         control: the same file read in blocks of 1 MiB and nothing else
 *
 * Medians of three rounds; --json prints an object a line.
 *
 *   bench_restart [--json] [--friends N] [--dir DIR]
 */
#include "bench/bench_world.h"

#include "daemon/core.h"
#include "daemon/zones.h"
#include "store/checkpoint.h"
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROUNDS = 3, FRIENDS_A_PASS = 1000 };

static const char SHOP[] =
    "account: {zone: Asia/Tokyo, window: off}\n"
    "tags: {all: [vip]}\n"
    "fields: {area: text}\n"
    "templates: {T: text}\n"
    "friend_add: {new: {do: [ {start: S} ]}}\n"
    "scenarios: {S: {steps: {a: {when: day 1 at 19:00, send: T}, b: {when: day 2 at 19:00, send: "
    "T},"
    " c: {when: day 3 at 19:00, send: T}, d: {when: day 4 at 19:00, send: T},"
    " e: {when: day 5 at 19:00, send: T}, f: {when: day 6 at 19:00, send: T},"
    " g: {when: day 7 at 19:00, send: T}}}}\n";

struct restart {
    char dir[192];
    struct zones *zones;
    struct clock clock;
    uint8_t random;
};

struct figures {
    double replay_ms, checkpoint_ms, wake_ms, save_ms, cat_ms;
    uint64_t events, log_bytes, checkpoint_bytes, table_bytes;
};

static const struct engine_calls NO_CALLS;

static void
draw(void *context, void *out, size_t bytes)
{
    struct restart *restart = context;
    memset(out, ++restart->random, bytes);
}

static struct log *
open_log(const struct restart *restart, enum log_mode mode)
{
    struct log *log = NULL;
    const struct log_options options = {.mode = mode, .now_ms = BENCH_START_MS};
    bench_check(log_open(restart->dir, &options, &log) == RC_OK, log_error(NULL));
    return log;
}

static struct definitions *
compile(struct restart *restart)
{
    const struct source_file file = {span_cstr("shop.yaml"), span_cstr(SHOP)};
    struct diagnostics diagnostics;
    struct definitions *definitions = NULL;
    diagnostics_init(&diagnostics);
    bench_check(definition_compile(&file, 1, NULL, zones_source(restart->zones), NULL, &diagnostics,
                                   &definitions) == RC_OK,
                "the definitions do not compile");
    diagnostics_fini(&diagnostics);
    return definitions;
}

static void
handle(struct core *core, struct input input)
{
    uint32_t count;
    input.at_ms = BENCH_START_MS;
    (void)core_input(core, &input, &count);
}

/* One friend as a webhook, an answer of LINE and two calls of an operator would make it. */
static void
add_friend(struct core *core, uint32_t friend)
{
    char id[40], webhook[40], name[32];
    snprintf(id, sizeof(id), "U%032x", friend);
    snprintf(webhook, sizeof(webhook), "01BENCH%019u", friend);
    snprintf(name, sizeof(name), "友だち%u", friend);
    handle(core, (struct input){.kind = INPUT_FOLLOW,
                                .u.act = {.user_id = span_cstr(id),
                                          .webhook_id = span_cstr(webhook),
                                          .line_at_ms = BENCH_START_MS}});
    handle(core,
           (struct input){.kind = INPUT_PROFILE,
                          .u.profile = {.friend = friend, .found = true, .name = span_cstr(name)}});
    if (friend % 2 == 0) {
        handle(core, (struct input){.kind = INPUT_TAG, .u.tag = {friend, 0, true}});
    }
    handle(core, (struct input){.kind = INPUT_FIELD,
                                .u.field = {.friend = friend, .text = span_cstr("関東")}});
}

static void
fill(struct restart *restart, uint32_t friends)
{
    const struct core_options options = {.log = open_log(restart, LOG_CLAIM),
                                         .clock = &restart->clock,
                                         .zones = zones_source(restart->zones),
                                         .directory = restart->dir,
                                         .random = draw,
                                         .random_context = restart};
    struct core *core = NULL;
    bench_check(core_open(&options, &core) == RC_OK, "the core does not open");
    struct definitions *definitions = compile(restart);
    handle(core, (struct input){.kind = INPUT_DEFINITIONS,
                                .u.definitions = {.definitions = definitions}});
    definitions_release(definitions);
    for (uint32_t friend = 0; friend < friends; friend ++) {
        add_friend(core, friend);
        if ((friend + 1) % FRIENDS_A_PASS == 0 || friend + 1 == friends) {
            bench_check(core_flush(core) == RC_OK, "the log does not take them");
        }
    }
    core_close(core);
}

static double
ms_since(int64_t began_us)
{
    return (double)(bench_now_us() - began_us) / 1000;
}

static double
cat(const char *path, uint64_t *out_bytes)
{
    static uint8_t block[1 << 20];
    int64_t began_us = bench_now_us();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *out_bytes = 0;
    for (ssize_t got; (got = read(fd, block, sizeof(block))) > 0;) {
        *out_bytes += (uint64_t)got;
    }
    close(fd);
    return ms_since(began_us);
}

/* Comes to the state; with the directory, from its checkpoint. */
static double
restore(struct restart *restart, const char *directory, struct engine **out_engine)
{
    struct log *log = open_log(restart, LOG_READ);
    struct buf error = {0};
    struct restored restored;
    const struct restore_options options = {
        .log = log, .zones = zones_source(restart->zones), .directory = directory};
    int64_t began_us = bench_now_us();
    *out_engine = engine_new(&NO_CALLS);
    enum rc rc = restore_run(&options, *out_engine, &restored, &error);
    double ms = ms_since(began_us);
    bench_check(rc == RC_OK, buf_cstr(&error));
    bench_check((restored.checkpoint_seq != 0) == (directory != NULL), "the wrong way was taken");
    buf_fini(&error);
    log_close(log);
    return ms;
}

static double
save(struct restart *restart, const struct engine *engine)
{
    struct log *log = open_log(restart, LOG_READ);
    struct buf error = {0};
    uint64_t bytes;
    const struct restore_options options = {
        .log = log, .zones = zones_source(restart->zones), .directory = restart->dir};
    int64_t began_us = bench_now_us();
    bench_check(restore_save(&options, engine, &bytes, &error) == RC_OK, buf_cstr(&error));
    double ms = ms_since(began_us);
    buf_fini(&error);
    log_close(log);
    return ms;
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
measure(struct restart *restart, struct figures *out)
{
    double replay[ROUNDS], load[ROUNDS], wake[ROUNDS], saved[ROUNDS], read[ROUNDS];
    struct buf path = {0};
    for (int i = 0; i < ROUNDS; i++) {
        struct engine *replayed, *loaded;
        replay[i] = restore(restart, NULL, &replayed);
        out->events = engine_state(replayed)->seq;
        saved[i] = save(restart, replayed);
        checkpoint_path(restart->dir, out->events, &path);
        read[i] = cat(buf_cstr(&path), &out->checkpoint_bytes);
        uint64_t digest = state_digest(engine_state(replayed));
        engine_free(replayed);
        size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
        load[i] = restore(restart, restart->dir, &loaded);
        out->table_bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
        bench_check(state_digest(engine_state(loaded)) == digest, "the digests differ");
        int64_t began_us = bench_now_us();
        engine_wake(loaded, BENCH_START_MS);
        wake[i] = ms_since(began_us);
        engine_free(loaded);
    }
    buf_fini(&path);
    out->replay_ms = median(replay);
    out->checkpoint_ms = median(load);
    out->wake_ms = median(wake);
    out->save_ms = median(saved);
    out->cat_ms = median(read);
    struct stat file;
    struct buf data = {0};
    buf_printf(&data, "%s/log/data.mdb", restart->dir);
    bench_check(stat(buf_cstr(&data), &file) == 0, "stat");
    out->log_bytes = (uint64_t)file.st_size;
    buf_fini(&data);
}

static void
print(const struct figures *f, uint32_t friends, bool json)
{
    struct bench_machine machine;
    bench_machine(&machine);
    if (json) {
        printf("{\"friends\":%u,\"events\":%" PRIu64 ",\"replay_ms\":%.1f,\"checkpoint_ms\":%.1f,"
               "\"wake_ms\":%.1f,\"save_ms\":%.1f,\"cat_ms\":%.1f,\"log_bytes\":%" PRIu64
               ",\"checkpoint_bytes\":%" PRIu64 ",\"table_bytes\":%" PRIu64
               ",\"cpu\":\"%s\",\"kernel\":\"%s\"}\n",
               friends, f->events, f->replay_ms, f->checkpoint_ms, f->wake_ms, f->save_ms,
               f->cat_ms, f->log_bytes, f->checkpoint_bytes, f->table_bytes, machine.cpu,
               machine.kernel);
        return;
    }
    double mib = 1024.0 * 1024.0;
    printf("machine     %s, %d cores, Linux %s\n", machine.cpu, machine.cores, machine.kernel);
    printf("log         %u friends, %" PRIu64 " events, %.1f MiB\n", friends, f->events,
           (double)f->log_bytes / mib);
    printf("replay      %.0f ms, the whole log: %.2f M events/s\n", f->replay_ms,
           (double)f->events / f->replay_ms / 1000);
    printf("checkpoint  %.0f ms, %.1f times as fast as replay\n", f->checkpoint_ms,
           f->replay_ms / f->checkpoint_ms);
    printf("wake        %.0f ms\n", f->wake_ms);
    printf("cat         %.0f ms for the checkpoint's %.1f MiB (%.0f bytes a friend); loading takes "
           "%.1f times as long\n",
           f->cat_ms, (double)f->checkpoint_bytes / mib, (double)f->checkpoint_bytes / friends,
           f->checkpoint_ms / f->cat_ms);
    printf("size        %.2f of the tables' %.1f MiB in memory\n",
           (double)f->checkpoint_bytes / (double)f->table_bytes, (double)f->table_bytes / mib);
    printf("save        %.0f ms, durable\n", f->save_ms);
}

static void
remove_files(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(path);
}

int
main(int argc, char **argv)
{
    bool json = false;
    unsigned long friends = 100000;
    const char *parent = ".";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--friends") == 0 && i + 1 < argc) {
            friends = strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc) {
            parent = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--json] [--friends N] [--dir DIR]\n", argv[0]);
            return 2;
        }
    }
    bench_check(friends > 0 && friends < 100000000, "--friends wants a number from 1");
    struct restart restart = {.zones = zones_new(NULL)};
    struct figures figures = {0};
    snprintf(restart.dir, sizeof(restart.dir), "%s/bench-restart-XXXXXX", parent);
    bench_check(mkdtemp(restart.dir) != NULL, "no directory can be made there");
    clock_init_virtual(&restart.clock, BENCH_START_MS);
    fill(&restart, (uint32_t)friends);
    measure(&restart, &figures);
    print(&figures, (uint32_t)friends, json);
    remove_files(restart.dir);
    zones_free(restart.zones);
    return 0;
}
