/* verify: the log held against everything it says about itself. */
#include "store/chunk.h"
#include "tools/steplog/commands.h"
#include "tools/steplog/facts.h"
#include "tools/steplog/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct verifying {
    const struct engine *engine;
    uint64_t events, with_words, erased, unknown, stops;
    uint64_t wrong_stop; /* the first whose digest is another; 0: none */
    uint64_t recorded, replayed;
    json_t *erased_kinds; /* how many events of each kind have lost their words */
    struct progress progress;
};

static enum rc
verify_event(void *context, const struct event *event)
{
    struct verifying *verifying = context;
    verifying->events++;
    verifying->with_words += event->word_count > 0;
    if (event->words_erased) {
        const char *kind = event_kind_name(event->kind);
        kind = kind == NULL ? "unknown" : kind;
        json_int_t count = json_integer_value(json_object_get(verifying->erased_kinds, kind));
        json_object_set_new(verifying->erased_kinds, kind, json_integer(count + 1));
        verifying->erased++;
    }
    verifying->unknown += event_kind_name(event->kind) == NULL;
    if (event->kind == EVENT_STOPPED) {
        const struct state *state = engine_state(verifying->engine);
        verifying->stops++;
        if (verifying->wrong_stop == 0 && !replay_stop_agrees(state, event)) {
            verifying->wrong_stop = event->seq;
            verifying->recorded = event->u.stopped.digest;
            verifying->replayed = state_digest(state);
        }
    }
    progress_show(&verifying->progress, event->seq, 0);
    return RC_OK;
}

/* What is erased, by the kind of event whose words are gone. */
static void
set_erased(const struct reader *reader, json_t *facts, json_t *kinds)
{
    if (reader_wants_json(reader)) {
        json_object_set(facts, "erased_kinds", kinds);
        return;
    }
    const char *kind;
    json_t *count;
    json_object_foreach(kinds, kind, count)
    {
        char name[64];
        snprintf(name, sizeof(name), "  of %s", kind);
        json_object_set(facts, name, count);
    }
}

static int
judge(const struct reader *reader, const struct verifying *verifying)
{
    json_t *facts = json_object();
    json_object_set_new(facts, "good", json_boolean(verifying->wrong_stop == 0));
    facts_set_count(facts, "events", verifying->events);
    facts_set_count(facts, "with_words", verifying->with_words);
    facts_set_count(facts, "erased", verifying->erased);
    set_erased(reader, facts, verifying->erased_kinds);
    facts_set_count(facts, "unknown_kinds", verifying->unknown);
    facts_set_count(facts, "stops_checked", verifying->stops);
    facts_set_digest(facts, state_digest(engine_state(verifying->engine)));
    facts_print(reader, facts);
    if (verifying->wrong_stop == 0) {
        return EXIT_DONE;
    }
    fprintf(stderr,
            "steplog: event %" PRIu64 ": the stop recorded digest %016" PRIx64
            ", replay gives %016" PRIx64 "\n",
            verifying->wrong_stop, verifying->recorded, verifying->replayed);
    return EXIT_FAILED;
}

/* A content row must belong to an event that has words. (That every event's words match their hash was
 * seen in the replay; a row that is missing counts as erased.) */
static enum rc
check_chunk(const struct log_chunk *chunk, struct buf *error)
{
    uint32_t row = 0;
    for (uint32_t i = 0; i < chunk->batch_count; i++) {
        const struct log_batch_view *batch = &chunk->batches[i].view;
        struct span rest = batch->events, bytes;
        for (uint64_t seq = batch->first_seq; log_events_next(&rest, &bytes) == RC_OK; seq++) {
            struct event_decoded decoded;
            enum rc rc = event_decode(bytes, seq, batch->time_ms, &decoded);
            if (row == chunk->content_count || chunk->content[row].seq != seq) {
                continue;
            }
            row++;
            if (rc == RC_OK && !decoded.has_words) {
                buf_printf(error, "event %" PRIu64 ": there are words for it, and it has none",
                           seq);
                return RC_CORRUPT;
            }
        }
    }
    return RC_OK;
}

static enum rc
check_rows(struct log *log, struct progress *progress, struct buf *error)
{
    struct log_chunks *chunks = NULL;
    struct log_chunk chunk;
    enum rc rc = log_chunks_open(log, &chunks);
    while (rc == RC_OK && (rc = log_chunks_next(chunks, &chunk)) == RC_OK) {
        rc = check_chunk(&chunk, error);
        if (chunk.batch_count > 0) {
            progress_show(progress, chunk.batches[chunk.batch_count - 1].view.first_seq, 0);
        }
    }
    if (chunks != NULL && error->len == 0) {
        buf_append_cstr(error, log_chunks_error(chunks));
    }
    log_chunks_close(chunks);
    return rc == RC_END ? RC_OK : rc;
}

/* LMDB falls back by one commit, and says nothing, when the page that names the newest is damaged. */
static enum rc
check_newest(const struct log *log, struct buf *error)
{
    if (!log_place(log).replaced) {
        return RC_OK;
    }
    buf_printf(error,
               "the directory has held another log, or more of this one than the %" PRIu64
               " events it holds now: it was put back from a copy, or its newest pages are damaged",
               log_newest(log));
    return RC_CORRUPT;
}

/* Words erased while we look are no damage, but rows that are fewer than their table says are. */
static enum rc
check_all_rows(struct log *log, struct progress *progress, struct buf *error)
{
    enum { TRIES = 5 };
    enum rc rc = RC_AGAIN;
    for (int i = 0; rc == RC_AGAIN && i < TRIES; i++) {
        buf_clear(error);
        rc = check_rows(log, progress, error);
    }
    return rc;
}

static int
verify_log(struct reader *reader)
{
    struct engine *engine = reader_engine();
    struct buf error = {0};
    struct verifying verifying = {.engine = engine, .erased_kinds = json_object()};
    const struct replay_options options = {.log = reader->log,
                                           .engine = engine,
                                           .zones = zones_source(reader->zones),
                                           .before = verify_event,
                                           .context = &verifying};
    progress_begin(&verifying.progress, "replaying", log_newest(reader->log));
    enum rc rc = replay_run(&options, &error);
    if (rc == RC_OK) {
        verifying.progress.doing = "looking at words";
        rc = check_all_rows(reader->log, &verifying.progress, &error);
    }
    if (rc == RC_OK) {
        rc = check_newest(reader->log, &error);
    }
    progress_end(&verifying.progress);
    int code = rc == RC_OK ? judge(reader, &verifying) : reader_failed(rc, buf_cstr(&error));
    json_decref(verifying.erased_kinds);
    buf_fini(&error);
    engine_free(engine);
    return code;
}

static int
verify(const struct invocation *invocation)
{
    struct reader reader;
    int code = reader_open(&reader, invocation, 0);
    if (code == EXIT_DONE) {
        code = verify_log(&reader);
    }
    reader_close(&reader);
    return code;
}

/* LMDB trusts its pages: damage outside the batches can end the process that reads them. So another
 * process reads, forked before anything is open, and its end is part of the answer. */
int
command_verify(const struct invocation *invocation)
{
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        return reader_failed(RC_IO, "cannot start a process to check with");
    }
    if (child == 0) {
        int code = verify(invocation);
        fflush(stdout);
        _exit(code);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
    }
    if (WIFEXITED(status)) {
        return WEXITSTATUS(status);
    }
    fprintf(stderr, "steplog: reading the data file ended with signal %d (%s): it is damaged\n",
            WTERMSIG(status), strsignal(WTERMSIG(status)));
    return EXIT_FAILED;
}
