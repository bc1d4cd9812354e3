/* backup, compact: a copy elsewhere, and a copy that takes the original's place. */
#include "tools/steplog/commands.h"
#include "tools/steplog/copy.h"
#include "tools/steplog/facts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int
failed(const char *doing, const char *path)
{
    fprintf(stderr, "steplog: cannot %s %s: %s\n", doing, path, strerror(errno));
    return EXIT_FAILED;
}

static int
backup(struct reader *reader, const char *destination)
{
    struct fresh fresh = {0};
    uint64_t bytes = 0, events = 0, digest = 0;
    int code = copy_log(reader, destination, &fresh, &bytes);
    if (code == EXIT_DONE) {
        code = fresh_fold(&fresh, reader->zones, NULL, NULL, &events, &digest);
    }
    if (code == EXIT_DONE) {
        code = fresh_finish(&fresh);
    }
    if (code == EXIT_DONE) {
        json_t *facts = json_object();
        json_object_set_new(facts, "backup", json_string(fresh.destination));
        facts_set_count(facts, "events", events);
        facts_set_count(facts, "bytes", bytes);
        facts_set_digest(facts, digest);
        facts_print(reader, facts);
    }
    fresh_close(&fresh);
    return code;
}

int
command_backup(const struct invocation *invocation)
{
    struct reader reader;
    int code = reader_open(&reader, invocation, 1);
    if (code == EXIT_DONE) {
        code = backup(&reader, reader_argument(&reader));
    }
    reader_close(&reader);
    return code;
}

/* ---- compact ---- */

struct compacting {
    char *directory; /* real path */
    char *data, *lock, *claim, *name;
    int claim_fd, lock_fd;
    struct stat before;
    struct fresh fresh;
    struct arena *arena;
    struct event claimed; /* the newest claim in the log; its spans are in the arena */
    bool has_claim;
};

/* The claim is held from beginning to end: no daemon starts on files that are about to change. */
static int
take_claim(struct compacting *compacting)
{
    compacting->claim_fd = open(compacting->claim, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (compacting->claim_fd < 0) {
        return failed("open", compacting->claim);
    }
    if (flock(compacting->claim_fd, LOCK_EX | LOCK_NB) != 0) {
        fprintf(stderr,
                "steplog: a daemon has %s; stop it first - "
                "not yet: compacting beside a running daemon\n",
                compacting->directory);
        return EXIT_REFUSED;
    }
    return stat(compacting->data, &compacting->before) == 0 ? EXIT_DONE
                                                            : failed("look at", compacting->data);
}

static enum rc
keep_claim(void *context, const struct event *event)
{
    struct compacting *compacting = context;
    if (event->kind == EVENT_CLAIMED) {
        arena_reset(compacting->arena);
        compacting->has_claim = true;
        compacting->claimed = *event;
        compacting->claimed.u.claimed.machine =
            arena_span(compacting->arena, event->u.claimed.machine);
        compacting->claimed.u.claimed.path = arena_span(compacting->arena, event->u.claimed.path);
        compacting->claimed.u.claimed.version =
            arena_span(compacting->arena, event->u.claimed.version);
    } else if (event->kind == EVENT_RELEASED) {
        compacting->claimed.u.claimed.former_claim = 0; /* a held directory stays held, no other */
    }
    return RC_OK;
}

static enum rc
append_claim(struct compacting *compacting)
{
    struct log *log = compacting->fresh.log;
    struct event *claimed = &compacting->claimed;
    struct buf bytes = {0}, events = {0}, row = {0};
    static const uint8_t no_salt[EVENT_SALT_BYTES];
    claimed->seq = log_newest(log) + 1;
    claimed->at_ms = log_newest_time(log);
    if (getrandom(claimed->u.claimed.run_id, LOG_RUN_ID_BYTES, 0) != LOG_RUN_ID_BYTES) {
        return RC_IO;
    }
    event_encode(claimed, no_salt, &bytes, &row);
    log_events_add(&events, buf_span(&bytes));
    log_set_run_id(log, claimed->u.claimed.run_id);
    const struct log_batch batch = {
        .time_ms = claimed->at_ms, .event_count = 1, .events = buf_span(&events)};
    enum rc rc = log_append(log, &batch, claimed->seq);
    buf_fini(&bytes);
    buf_fini(&events);
    buf_fini(&row);
    return rc;
}

/* The data file becomes another one (SPEC R45): the claim is renewed, so that the next start knows it.
 * A directory that is itself a copy, not yet claimed where it is, stays one. */
static int
renew_claim(struct compacting *compacting)
{
    struct event *claimed = &compacting->claimed;
    if (!compacting->has_claim || claimed->u.claimed.inode != compacting->before.st_ino ||
        !span_equal_cstr(claimed->u.claimed.path, compacting->directory)) {
        return EXIT_DONE;
    }
    int code = fresh_reopen(&compacting->fresh, LOG_CLAIM);
    if (code == EXIT_DONE) {
        struct log_place place = log_place(compacting->fresh.log); /* moving it keeps both */
        claimed->u.claimed.inode = place.inode;
        claimed->u.claimed.birth_ns = place.birth_ns;
        enum rc rc = append_claim(compacting);
        code = rc == RC_OK ? EXIT_DONE : reader_failed(rc, log_error(compacting->fresh.log));
    }
    return code;
}

/* LMDB's lock file speaks of the old data file: it must go with it, and so nobody may be reading. */
static int
lock_out_readers(struct compacting *compacting)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    compacting->lock_fd = open(compacting->lock, O_RDWR | O_CLOEXEC);
    if (compacting->lock_fd < 0) {
        return errno == ENOENT ? EXIT_DONE : failed("open", compacting->lock);
    }
    if (fcntl(compacting->lock_fd, F_SETLK, &lock) == 0) {
        return EXIT_DONE;
    }
    lock.l_type = F_WRLCK;
    pid_t pid = fcntl(compacting->lock_fd, F_GETLK, &lock) == 0 ? lock.l_pid : 0;
    fprintf(stderr, "steplog: process %ld reads this log; end it first\n", (long)pid);
    return EXIT_REFUSED;
}

static int
swap_files(struct compacting *compacting)
{
    int code = fresh_settle(&compacting->fresh);
    if (code == EXIT_DONE) {
        code = lock_out_readers(compacting);
    }
    if (code != EXIT_DONE) {
        return code;
    }
    char *data = path_join(compacting->fresh.part, "data.mdb");
    if (rename(data, compacting->data) != 0) {
        code = failed("put in place", data);
    } else if (unlink(compacting->lock) != 0 && errno != ENOENT) {
        code = failed("remove", compacting->lock);
    } else if (!path_sync(compacting->directory)) {
        code = failed("sync", compacting->directory);
    }
    free(data);
    return code;
}

static void
print_compacted(const struct reader *reader, const struct compacting *compacting, uint64_t events,
                uint64_t digest)
{
    struct stat after = {0};
    (void)stat(compacting->data, &after);
    json_t *facts = json_object();
    facts_set_count(facts, "events", events);
    facts_set_count(facts, "bytes_before", (uint64_t)compacting->before.st_size);
    facts_set_count(facts, "bytes_after", (uint64_t)after.st_size);
    facts_set_digest(facts, digest);
    facts_print(reader, facts);
    fputs("Words erased before now are not in this file any more; older checkpoints and backups "
          "may still hold them.\n",
          stderr);
}

static int
compact(struct reader *reader, struct compacting *compacting)
{
    uint64_t bytes = 0, events = 0, digest = 0;
    int code = copy_log(reader, compacting->name, &compacting->fresh, &bytes);
    if (code == EXIT_DONE) {
        code =
            fresh_fold(&compacting->fresh, reader->zones, keep_claim, compacting, &events, &digest);
    }
    if (code == EXIT_DONE) {
        code = renew_claim(compacting);
    }
    log_close(
        reader->log); /* LMDB's locks are the process's: none may be left when we ask for them */
    reader->log = NULL;
    if (code == EXIT_DONE) {
        code = swap_files(compacting);
    }
    if (code == EXIT_DONE) {
        print_compacted(reader, compacting, events, digest);
    }
    return code;
}

static int
open_and_compact(const struct invocation *invocation, const char *directory)
{
    struct compacting compacting = {.directory = realpath(directory, NULL),
                                    .claim_fd = -1,
                                    .lock_fd = -1,
                                    .arena = arena_new()};
    if (compacting.directory == NULL) {
        arena_free(compacting.arena);
        return failed("find", directory);
    }
    compacting.data = path_join(compacting.directory, "data.mdb");
    compacting.lock = path_join(compacting.directory, "lock.mdb");
    compacting.claim = path_join(compacting.directory, "claim.lock");
    compacting.name = path_join(compacting.directory, "compact");

    struct reader reader;
    int code = reader_open(&reader, invocation, 0);
    if (code == EXIT_DONE) {
        code = take_claim(&compacting);
    }
    if (code == EXIT_DONE) {
        code = compact(&reader, &compacting);
    }
    reader_close(&reader);
    fresh_close(&compacting.fresh);
    if (compacting.lock_fd >= 0) {
        close(compacting.lock_fd);
    }
    if (compacting.claim_fd >= 0) {
        close(compacting.claim_fd);
    }
    char *paths[] = {compacting.directory, compacting.data, compacting.lock, compacting.claim,
                     compacting.name};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        free(paths[i]);
    }
    arena_free(compacting.arena);
    return code;
}

int
command_compact(const struct invocation *invocation)
{
    const char *directory = reader_directory(invocation, 0);
    return directory == NULL ? usage_error(invocation->program, "which data directory? give -d DIR")
                             : open_and_compact(invocation, directory);
}
