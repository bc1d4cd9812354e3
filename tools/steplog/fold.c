/* replay, verify: the log folded to a state, and held against what it says about itself. */
#include "daemon/instant.h"
#include "tools/common/table.h"
#include "tools/steplog/commands.h"
#include "tools/steplog/reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Prints {"name": value} pairs as lines for people, or as they are. Takes the object. */
static void
print_facts(const struct reader *reader, json_t *facts)
{
    if (reader_wants_json(reader)) {
        json_dumpf(facts, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(facts);
        return;
    }
    struct table *table = table_new();
    table_column(table, NULL, TABLE_LEFT);
    table_column(table, NULL, TABLE_LEFT);
    const char *key;
    json_t *value;
    json_object_foreach(facts, key, value)
    {
        table_row(table);
        table_cell_cstr(table, key);
        if (json_is_string(value)) {
            table_cell_cstr(table, json_string_value(value));
        } else if (json_is_boolean(value)) {
            table_cell_cstr(table, json_is_true(value) ? "yes" : "no");
        } else {
            table_cell_printf(table, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        }
    }
    struct buf out = {0};
    table_print(table, false, &out);
    fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
    table_free(table);
    json_decref(facts);
}

static json_t *
json_digest(uint64_t digest)
{
    char text[17];
    snprintf(text, sizeof(text), "%016" PRIx64, digest);
    return json_string(text);
}

static void
set_count(json_t *facts, const char *name, uint64_t count)
{
    json_object_set_new(facts, name, json_integer((json_int_t)count));
}

static json_t *
facts_of(const struct reader *reader, const struct state *state)
{
    uint64_t blocked = 0, values = 0, enrolments = 0, planned = 0, intended = 0, tags = 0;
    for (uint32_t i = 0; i < state->friend_count; i++) {
        blocked += state->friends[i].blocked;
        for (uint32_t v = state->friends[i].first_value; v != NO_ID; v = state->values[v].next) {
            values++;
        }
    }
    for (uint32_t i = 0; i < state->enrolment_count; i++) {
        enrolments += state->enrolments[i].phase != ENROLMENT_FREE;
    }
    for (uint32_t i = 0; i < state->delivery_count; i++) {
        planned += state->deliveries[i].phase == DELIVERY_PLANNED;
        intended += state->deliveries[i].phase == DELIVERY_INTENDED;
    }
    for (uint32_t i = 0; i < state->definitions->tag_names.count; i++) {
        tags += state_tag_count(state, i);
    }
    json_t *facts = json_object();
    struct buf at = {0};
    event_instant_text(state->at_ms, reader_zone(reader, state->definitions), &at);
    set_count(facts, "events", state->seq);
    json_object_set_new(facts, "at", json_string(state->seq == 0 ? "-" : buf_cstr(&at)));
    set_count(facts, "friends", state->friend_count);
    set_count(facts, "friends_blocked", blocked);
    set_count(facts, "tags_given", tags);
    set_count(facts, "fields_set", values);
    set_count(facts, "enrolments", enrolments);
    set_count(facts, "deliveries_planned", planned);
    set_count(facts, "deliveries_intended", intended);
    set_count(facts, "definitions_event", state->definitions_seq);
    set_count(facts, "claims", state->run_count);
    json_object_set_new(facts, "digest", json_digest(state_digest(state)));
    buf_fini(&at);
    return facts;
}

/* --until: the number of an event, or an instant in the account's zone. */
static int
read_until(struct reader *reader, struct replay_options *options)
{
    const char *until = invocation_option(reader->invocation, "until");
    if (until == NULL || (read_number(until, &options->until_seq) && options->until_seq > 0)) {
        return EXIT_DONE;
    }
    int code = reader_find_names(reader);
    if (code != EXIT_DONE) {
        return code;
    }
    if (instant_parse(span_cstr(until), reader->zone, &options->until_ms) != RC_OK) {
        return usage_error(reader->invocation->program,
                           "--until wants an event's number or a time such as "
                           "'2026-06-01 12:00', not '%s'",
                           until);
    }
    return EXIT_DONE;
}

static int
replay_and_print(struct reader *reader)
{
    struct engine *engine = reader_engine();
    struct buf error = {0};
    struct replay_options options = {
        .log = reader->log, .engine = engine, .zones = zones_source(reader->zones)};
    int code = read_until(reader, &options);
    if (code == EXIT_DONE) {
        enum rc rc = replay_run(&options, &error);
        if (rc == RC_OK) {
            print_facts(reader, facts_of(reader, engine_state(engine)));
        } else {
            code = reader_failed(rc, buf_cstr(&error));
        }
    }
    buf_fini(&error);
    engine_free(engine);
    return code;
}

int
command_replay(const struct invocation *invocation)
{
    struct reader reader;
    int code = reader_open(&reader, invocation, 0);
    if (code == EXIT_DONE) {
        code = replay_and_print(&reader);
    }
    reader_close(&reader);
    return code;
}

/* ---- verify ---- */

struct verifying {
    const struct engine *engine;
    uint64_t newest;
    uint64_t events, with_words, erased, unknown, stops;
    uint64_t wrong_stop; /* the first whose digest is another; 0: none */
    uint64_t recorded, replayed;
    bool progress;
};

static enum rc
verify_event(void *context, const struct event *event)
{
    enum { PROGRESS_EVENTS = 65536 };
    struct verifying *verifying = context;
    verifying->events++;
    verifying->with_words += event->word_count > 0;
    verifying->erased += event->words_erased;
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
    if (verifying->progress && verifying->events % PROGRESS_EVENTS == 0) {
        fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " events", verifying->events,
                verifying->newest);
    }
    return RC_OK;
}

static int
judge(const struct reader *reader, const struct verifying *verifying)
{
    json_t *facts = json_object();
    json_object_set_new(facts, "good", json_boolean(verifying->wrong_stop == 0));
    set_count(facts, "events", verifying->events);
    set_count(facts, "with_words", verifying->with_words);
    set_count(facts, "erased", verifying->erased);
    set_count(facts, "unknown_kinds", verifying->unknown);
    set_count(facts, "stops_checked", verifying->stops);
    json_object_set_new(facts, "digest",
                        json_digest(state_digest(engine_state(verifying->engine))));
    print_facts(reader, facts);
    if (verifying->wrong_stop == 0) {
        return EXIT_DONE;
    }
    fprintf(stderr,
            "steplog: event %" PRIu64 ": the stop recorded digest %016" PRIx64
            ", replay gives %016" PRIx64 "\n",
            verifying->wrong_stop, verifying->recorded, verifying->replayed);
    return EXIT_FAILED;
}

static int
verify(const struct invocation *invocation)
{
    struct reader reader;
    int code = reader_open(&reader, invocation, 0);
    if (code != EXIT_DONE) {
        reader_close(&reader);
        return code;
    }
    struct engine *engine = reader_engine();
    struct buf error = {0};
    struct verifying verifying = {
        .engine = engine, .newest = log_newest(reader.log), .progress = isatty(STDERR_FILENO) != 0};
    const struct replay_options options = {.log = reader.log,
                                           .engine = engine,
                                           .zones = zones_source(reader.zones),
                                           .before = verify_event,
                                           .context = &verifying};
    enum rc rc = replay_run(&options, &error);
    if (verifying.progress) {
        fputs("\r\033[K", stderr);
    }
    code = rc == RC_OK ? judge(&reader, &verifying) : reader_failed(rc, buf_cstr(&error));
    buf_fini(&error);
    engine_free(engine);
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
