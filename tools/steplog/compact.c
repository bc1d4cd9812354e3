/* compact: the log written anew inside its directory, then put in the place of the old one. Who holds the claim
 * makes the exchange: the daemon, when one runs, else we. */
#include "daemon/core.h"
#include "daemon/random.h"
#include "daemon/restore.h"
#include "store/checkpoint.h"
#include "store/data_directory.h"
#include "tools/common/http_call.h"
#include "tools/steplog/commands.h"
#include "tools/steplog/copy.h"
#include "tools/steplog/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum {
    ASKED_AT_MOST = 20,       /* times, the copy brought up to date before each */
    NEARLY_THERE = 64 * 1024, /* bytes of a turn after which the daemon is asked */
    TURNS_BEFORE_ASKING = 5,  /* where it is never less: the daemon takes far more */
    PAUSE_MS = 200,           /* before it is asked again */
    CONFLICT = 409,
    BUSY = 503,
};

struct compacting {
    char *directory; /* real path */
    struct reader reader;
    struct copy copy;
    struct engine *engine; /* the state as of the copy's first turn */
    char *socket;          /* of the daemon that holds the claim; NULL: nobody does */
    uint64_t bytes_before;
    json_int_t held_ms;
    struct buf refusal; /* what the daemon said last when it did not take the copy */
};

static int
failed_with(struct buf *error)
{
    fprintf(stderr, "steplog: %s\n", buf_cstr(error));
    return EXIT_FAILED;
}

static uint64_t
size_of_log(const struct compacting *compacting)
{
    struct stat file = {0};
    char *data = path_join(compacting->directory, DATA_DIRECTORY_LOG "/data.mdb");
    (void)stat(data, &file);
    free(data);
    return (uint64_t)file.st_size;
}

/* ---- who holds it ---- */

/* The holder's own words end with the name of its socket. */
static int
find_daemon(struct compacting *compacting, const struct invocation *invocation)
{
    static const char MARK[] = "socket ";
    struct buf holder = {0};
    const char *given = invocation_option(invocation, "socket");
    int code = EXIT_DONE;
    if (data_directory_held(compacting->directory, &holder)) {
        const char *told = strstr(buf_cstr(&holder), MARK);
        const char *socket = given != NULL ? given : told != NULL ? told + strlen(MARK) : NULL;
        if (socket != NULL) {
            compacting->socket = strdup(socket);
        } else {
            fprintf(stderr, "steplog: another process has %s%s%s; end it first\n",
                    compacting->directory, holder.len > 0 ? ": " : "", buf_cstr(&holder));
            code = EXIT_REFUSED;
        }
    }
    buf_fini(&holder);
    return code;
}

/* Without a daemon the claim is ours from beginning to end: none starts on files that are about to change. */
static int
open_log(struct compacting *compacting, const struct invocation *invocation)
{
    struct buf error = {0};
    int code = find_daemon(compacting, invocation);
    if (code == EXIT_DONE) {
        code = reader_open_as(&compacting->reader, invocation, compacting->directory,
                              compacting->socket == NULL ? LOG_CLAIM : LOG_READ);
    }
    if (code == EXIT_DONE && data_directory_can_exchange(compacting->directory, &error) != RC_OK) {
        code = failed_with(&error);
    }
    buf_fini(&error);
    compacting->bytes_before = size_of_log(compacting);
    return code;
}

/* ---- the copy ---- */

/* Read back and folded before anything is put in place; what came since is then a few bytes. */
static int
write_copy(struct compacting *compacting)
{
    struct copy *copy = &compacting->copy;
    char *name = path_join(compacting->directory, "compact");
    int code = copy_open(copy, &compacting->reader, name);
    free(name);
    if (code == EXIT_DONE) {
        code = copy_turn(copy);
    }
    if (code == EXIT_DONE) {
        code = fresh_fold(&copy->fresh, compacting->reader.zones, compacting->engine);
    }
    for (int i = 0; code == EXIT_DONE && i < TURNS_BEFORE_ASKING; i++) {
        code = copy_turn(copy);
        if (copy->turn_bytes < NEARLY_THERE) {
            break;
        }
    }
    return code;
}

/* Closed, whole, and the owner's: whoever holds the claim opens it next. */
static int
hand_over(struct compacting *compacting)
{
    struct buf error = {0};
    int code = fresh_settle(&compacting->copy.fresh);
    if (code == EXIT_DONE &&
        data_directory_give(compacting->copy.fresh.part, compacting->directory, &error) != RC_OK) {
        code = failed_with(&error);
    }
    buf_fini(&error);
    return code;
}

/* ---- the exchange ---- */

static int
exchange_ourselves(struct compacting *compacting)
{
    struct clock clock;
    struct core *core = NULL;
    struct buf error = {0};
    struct log *log = compacting->reader.log;
    clock_init_virtual(&clock, log_newest_time(log));
    const struct core_options options = {.log = log,
                                         .clock = &clock,
                                         .zones = zones_source(compacting->reader.zones),
                                         .directory = compacting->directory,
                                         .checkpoints = compacting->directory,
                                         .claim_later = true,
                                         .random = random_draw};
    compacting->reader.log = NULL; /* the core's from now on */
    enum rc rc = core_open(&options, &core);
    int code = rc == RC_OK ? hand_over(compacting) : reader_failed(rc, core_error(core));
    if (code == EXIT_DONE && core_exchange(core, &error) != RC_OK) {
        code = failed_with(&error);
    }
    core_close(core);
    buf_fini(&error);
    return code;
}

static void
keep_refusal(struct compacting *compacting, const json_t *answer, unsigned status)
{
    const json_t *error = json_object_get(answer, "error");
    const char *message = json_string_value(json_object_get(error, "message"));
    buf_clear(&compacting->refusal);
    buf_printf(&compacting->refusal, "%s (HTTP %u)", message == NULL ? "no reason given" : message,
               status);
}

static int
say_unanswered(const struct compacting *compacting, enum rc rc, struct buf *error)
{
    fprintf(stderr, "steplog: no answer on %s: %s; %s\n", compacting->socket, buf_cstr(error),
            rc == RC_IO ? "the log in place is the former one or the new one, whole: start the "
                          "daemon, then compact again"
                        : "--socket names another");
    return EXIT_UNREACHABLE;
}

/* *out_again: it wants the copy nearer to its log, or is busy. */
static int
ask_daemon(struct compacting *compacting, bool *out_again)
{
    struct buf error = {0};
    json_t *body = json_object(), *answer = NULL;
    unsigned status = 0;
    int code = EXIT_DONE;
    const struct http_call call = {.socket_path = compacting->socket,
                                   .method = "POST",
                                   .url = "http://stepd/v1/log/exchange",
                                   .body = body};
    enum rc rc = http_call(&call, &status, &answer, &error);
    if (rc != RC_OK) {
        code = say_unanswered(compacting, rc, &error);
    } else if (status >= 300) {
        keep_refusal(compacting, answer, status);
        code = EXIT_REFUSED;
    } else {
        compacting->held_ms = json_integer_value(json_object_get(answer, "held_ms"));
    }
    *out_again = status == CONFLICT || status == BUSY;
    json_decref(body);
    json_decref(answer);
    buf_fini(&error);
    return code;
}

/* Gives it a moment, then brings the copy up to date. */
static int
catch_up(struct compacting *compacting)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    nanosleep(&pause, NULL);
    int code = fresh_reopen(&compacting->copy.fresh);
    if (code == EXIT_DONE) {
        code = copy_turn(&compacting->copy);
    }
    return code == EXIT_DONE ? hand_over(compacting) : code;
}

static int
exchange_by_daemon(struct compacting *compacting)
{
    int code = hand_over(compacting);
    bool again = true;
    for (int i = 0; code == EXIT_DONE && again; i++) {
        code = ask_daemon(compacting, &again);
        if (again && i < ASKED_AT_MOST) {
            code = catch_up(compacting);
        } else if (code == EXIT_REFUSED) {
            fprintf(stderr, "steplog: the daemon does not take the compacted log: %s\n",
                    buf_cstr(&compacting->refusal));
        }
    }
    return code;
}

/* ---- what else holds erased words ---- */

/* A checkpoint of the state as it was copied knows nothing of words that were erased before; all older
 * ones may, and are not needed then. */
static int
renew_checkpoint(struct compacting *compacting, uint32_t *out_dropped)
{
    struct log *log = NULL;
    struct buf error = {0}, path = {0};
    uint64_t bytes, seq = engine_state(compacting->engine)->seq;
    const struct log_options log_options = {.mode = LOG_READ};
    enum rc rc = log_open(compacting->directory, &log_options, &log);
    if (rc != RC_OK) {
        buf_append_cstr(&error, log_error(NULL));
    }
    const struct restore_options options = {.log = log, .directory = compacting->directory};
    if (rc == RC_OK && seq > 0) {
        rc = restore_save(&options, compacting->engine, &bytes, &error);
    }
    if (rc == RC_OK && seq > 0) {
        checkpoint_path(compacting->directory, seq, &path);
        rc = data_directory_give_file(buf_cstr(&path), compacting->directory, &error);
    }
    if (rc == RC_OK) {
        rc = checkpoint_drop(compacting->directory, seq, out_dropped);
    }
    int code = rc == RC_OK ? EXIT_DONE : reader_failed(rc, buf_cstr(&error));
    log_close(log);
    buf_fini(&path);
    buf_fini(&error);
    return code;
}

static void
print_compacted(const struct compacting *compacting, uint32_t dropped)
{
    const struct state *state = engine_state(compacting->engine);
    json_t *facts = json_object();
    facts_set_count(facts, "events", state->seq);
    facts_set_count(facts, "bytes_before", compacting->bytes_before);
    facts_set_count(facts, "bytes_after", size_of_log(compacting));
    facts_set_digest(facts, state_digest(state));
    facts_set_count(facts, "checkpoints_dropped", dropped);
    if (compacting->socket != NULL) {
        facts_set_count(facts, "daemon_held_ms", (uint64_t)compacting->held_ms);
    }
    facts_print(&compacting->reader, facts);
    copy_note_erased(&compacting->copy, "'steplog compact' again removes them");
    fputs("Words erased before this began are in no file of this directory any more; backups may "
          "still hold them.\n",
          stderr);
}

static int
compact(struct compacting *compacting, const struct invocation *invocation)
{
    uint32_t dropped = 0;
    int code = open_log(compacting, invocation);
    if (code == EXIT_DONE) {
        code = write_copy(compacting);
    }
    if (code == EXIT_DONE) {
        code = compacting->socket != NULL ? exchange_by_daemon(compacting)
                                          : exchange_ourselves(compacting);
    }
    if (code == EXIT_DONE) {
        code = renew_checkpoint(compacting, &dropped);
    }
    if (code == EXIT_DONE) {
        print_compacted(compacting, dropped);
    }
    copy_close(&compacting->copy);
    reader_close(&compacting->reader); /* the last to have the former file open: it is freed here */
    return code;
}

int
command_compact(const struct invocation *invocation)
{
    const char *directory = reader_directory(invocation, 0);
    if (directory == NULL) {
        return usage_error(invocation->program, "which data directory? give -d DIR");
    }
    struct compacting compacting = {.directory = realpath(directory, NULL)};
    if (compacting.directory == NULL) {
        return reader_failed(RC_NOT_FOUND, "there is no such data directory");
    }
    compacting.engine = reader_engine();
    int code = compact(&compacting, invocation);
    engine_free(compacting.engine);
    buf_fini(&compacting.refusal);
    free(compacting.socket);
    free(compacting.directory);
    return code;
}
