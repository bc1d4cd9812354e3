/* checkpoint: the log folded by a process of its own, and the state written down for the next restart. */
#include "store/checkpoint.h"
#include "daemon/restore.h"
#include "proto/words.h"
#include "tools/steplog/commands.h"
#include "tools/steplog/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { EVERY_DEFAULT_MS = 5 * 60 * 1000, EVENTS_AT_MOST = 1000000, LOOK_MS = 1000 };

/* One log, folded as far as it went, and what was last written of it. */
struct follower {
    struct reader reader;
    const char *directory;
    struct engine *engine;
    struct restored restored;
    uint64_t saved_seq;
    int64_t saved_ms;
};

static int64_t
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
note(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "steplog: %s\n", text);
}

static struct restore_options
options_of(const struct follower *follower)
{
    return (struct restore_options){.log = follower->reader.log,
                                    .zones = zones_source(follower->reader.zones),
                                    .directory = follower->directory,
                                    .note = note};
}

/* Opens the log and comes to its end, from the newest good checkpoint. */
static int
follower_open(struct follower *follower, const struct invocation *invocation)
{
    *follower =
        (struct follower){.engine = reader_engine(), .directory = reader_directory(invocation, 0)};
    int code = reader_open(&follower->reader, invocation, 0);
    if (code != EXIT_DONE) {
        return code;
    }
    struct buf error = {0};
    const struct restore_options options = options_of(follower);
    enum rc rc = restore_run(&options, follower->engine, &follower->restored, &error);
    if (rc != RC_OK) {
        code = reader_failed(rc, buf_cstr(&error));
    }
    follower->saved_seq = follower->restored.checkpoint_seq;
    follower->saved_ms = now_ms();
    buf_fini(&error);
    return code;
}

static void
follower_close(struct follower *follower)
{
    engine_free(follower->engine);
    reader_close(&follower->reader);
}

static void
print_saved(const struct follower *follower, uint64_t bytes)
{
    const struct state *state = engine_state(follower->engine);
    uint64_t digest = state_digest(state);
    if (reader_wants_json(&follower->reader)) {
        printf("{\"event\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"digest\":\"%016" PRIx64
               "\",\"after\":%" PRIu64 "}\n",
               state->seq, bytes, digest, follower->saved_seq);
    } else {
        printf("checkpoint of event %" PRIu64 ": %" PRIu64 " bytes, digest %016" PRIx64 ", %" PRIu64
               " events after %s%" PRIu64 "\n",
               state->seq, bytes, digest, state->seq - follower->saved_seq,
               follower->saved_seq == 0 ? "event " : "the checkpoint of event ",
               follower->saved_seq);
    }
    fflush(stdout);
}

static int
follower_save(struct follower *follower)
{
    uint64_t seq = engine_state(follower->engine)->seq, bytes = 0;
    struct buf error = {0};
    int code = EXIT_DONE;
    if (seq == follower->saved_seq) {
        follower->saved_ms = now_ms();
        return EXIT_DONE;
    }
    const struct restore_options options = options_of(follower);
    enum rc rc = restore_save(&options, follower->engine, &bytes, &error);
    if (rc == RC_OK) {
        print_saved(follower, bytes);
        follower->saved_seq = seq;
        follower->saved_ms = now_ms();
    } else {
        code = reader_failed(rc, buf_cstr(&error));
    }
    buf_fini(&error);
    return code;
}

/* Comes to the end of the log; writes when it is time. */
static int
follower_turn(struct follower *follower, int64_t every_ms)
{
    struct buf error = {0};
    const struct restore_options options = options_of(follower);
    enum rc rc = restore_follow(&options, follower->engine, &error);
    int code = rc == RC_OK ? EXIT_DONE : reader_failed(rc, buf_cstr(&error));
    uint64_t grown = engine_state(follower->engine)->seq - follower->saved_seq;
    if (code == EXIT_DONE &&
        (grown >= EVENTS_AT_MOST || now_ms() - follower->saved_ms >= every_ms)) {
        code = follower_save(follower);
    }
    buf_fini(&error);
    return code;
}

static int
follow(struct follower *follower, const struct invocation *invocation, int64_t every_ms)
{
    int code = EXIT_DONE;
    while (code == EXIT_DONE) {
        const struct timespec pause = {.tv_sec = LOOK_MS / 1000, .tv_nsec = LOOK_MS % 1000 * 1000};
        nanosleep(&pause, NULL);
        if (reader_is_left_behind(&follower->reader)) {
            follower_close(follower);
            code = follower_open(follower, invocation);
        } else {
            code = follower_turn(follower, every_ms);
        }
    }
    return code;
}

static int
drop(const struct invocation *invocation)
{
    struct reader reader;
    uint32_t count = 0;
    int code = reader_open(&reader, invocation, 0); /* that it is a data directory */
    if (code == EXIT_DONE) {
        enum rc rc = checkpoint_drop(reader_directory(invocation, 0), UINT64_MAX, &count);
        if (rc == RC_OK) {
            printf("checkpoints deleted: %" PRIu32 "\n", count);
        } else {
            code = reader_failed(rc, "a checkpoint cannot be deleted");
        }
    }
    reader_close(&reader);
    return code;
}

int
command_checkpoint(const struct invocation *invocation)
{
    const char *every = invocation_option(invocation, "every");
    int64_t every_ms = EVERY_DEFAULT_MS;
    if (every != NULL && (!words_duration(span_cstr(every), &every_ms) || every_ms == 0)) {
        return usage_error(invocation->program, "--every wants a duration such as 5m, not '%s'",
                           every);
    }
    if (invocation_has(invocation, "drop")) {
        return drop(invocation);
    }
    struct follower follower;
    int code = follower_open(&follower, invocation);
    if (code == EXIT_DONE && engine_state(follower.engine)->seq == follower.saved_seq) {
        printf("event %" PRIu64 " is the newest and needs no checkpoint\n", follower.saved_seq);
        fflush(stdout);
    } else if (code == EXIT_DONE) {
        code = follower_save(&follower);
    }
    if (code == EXIT_DONE && (every != NULL || invocation_has(invocation, "follow"))) {
        code = follow(&follower, invocation, every_ms);
    }
    follower_close(&follower);
    return code;
}
