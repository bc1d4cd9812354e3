/* tail, show, friend: events as they are in the log. */
#include "engine/crowd.h"
#include "tools/steplog/commands.h"
#include "tools/steplog/listing.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct tailing {
    struct reader *reader;
    struct listing listing;
    uint64_t next_seq;
};

static enum rc
list_event(void *context, const struct event *event)
{
    struct tailing *tailing = context;
    listing_add(&tailing->listing, event);
    tailing->next_seq = event->seq + 1;
    return reader_take_names(tailing->reader, event);
}

/* Lists what there is from next_seq on. */
static int
list_rest(struct tailing *tailing)
{
    struct buf error = {0};
    const struct replay_options options = {.log = tailing->reader->log,
                                           .from_seq = tailing->next_seq,
                                           .before = list_event,
                                           .context = tailing};
    enum rc rc = replay_run(&options, &error);
    int code = rc == RC_OK ? EXIT_DONE : reader_failed(rc, buf_cstr(&error));
    buf_fini(&error);
    return code;
}

static volatile sig_atomic_t interrupted;

static void
on_signal(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* Looks ten times a second until Ctrl-C, in a transaction of its own each time: nothing is held between. */
static int
follow(struct tailing *tailing)
{
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
    const struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    int code = EXIT_DONE;
    while (code == EXIT_DONE && interrupted == 0) {
        listing_flush(&tailing->listing);
        nanosleep(&pause, NULL);
        code = reader_keep_up(tailing->reader);
        if (code == EXIT_DONE) {
            code = list_rest(tailing);
        }
    }
    return code;
}

static int
tail(struct reader *reader, uint64_t count, bool following)
{
    uint64_t newest = log_newest(reader->log);
    struct tailing tailing = {.reader = reader,
                              .next_seq = newest > count ? newest - count + 1 : 1};
    listing_begin(&tailing.listing, reader, following);
    int code = list_rest(&tailing);
    if (code == EXIT_DONE && following) {
        code = follow(&tailing);
    }
    listing_end(&tailing.listing);
    return code;
}

int
command_tail(const struct invocation *invocation)
{
    const char *given = invocation_option(invocation, "count");
    uint64_t count = 20;
    if (given != NULL && (!read_number(given, &count) || count == 0)) {
        return usage_error(invocation->program, "-n wants a number from 1, not '%s'", given);
    }
    struct reader reader;
    int code = reader_open(&reader, invocation, 0);
    if (code == EXIT_DONE) {
        code = reader_find_names(&reader);
    }
    if (code == EXIT_DONE) {
        code = tail(&reader, count, invocation_has(invocation, "follow"));
    }
    reader_close(&reader);
    return code;
}

static void
print_whole(const struct reader *reader, const struct event *event)
{
    json_t *json = event_to_json(event, reader->definitions, reader->zone);
    json_dumpf(json, stdout, reader_wants_json(reader) ? JSON_COMPACT : JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
}

static int
show_event(const struct reader *reader, uint64_t seq)
{
    struct arena *arena = arena_new();
    struct event event;
    enum rc rc = replay_read_event(reader->log, seq, arena, &event);
    int code = EXIT_DONE;
    if (rc == RC_OK) {
        print_whole(reader, &event);
    } else if (rc == RC_NOT_FOUND) {
        fprintf(stderr, "steplog: there is no event %" PRIu64 "; the newest is %" PRIu64 "\n", seq,
                log_newest(reader->log));
        code = EXIT_NOT_FOUND;
    } else {
        code = reader_failed(rc, log_error(reader->log));
    }
    arena_free(arena);
    return code;
}

int
command_show(const struct invocation *invocation)
{
    struct reader reader;
    uint64_t seq = 0;
    if (!read_number(invocation->arguments[invocation->argument_count - 1], &seq)) {
        return usage_error(invocation->program, "show wants the number of an event, not '%s'",
                           invocation->arguments[invocation->argument_count - 1]);
    }
    int code = reader_open(&reader, invocation, 1);
    if (code == EXIT_DONE) {
        code = reader_find_names(&reader);
    }
    if (code == EXIT_DONE) {
        code = show_event(&reader, seq);
    }
    reader_close(&reader);
    return code;
}

/* The numbers of a friend's events, newest first: a walk of the back-chain, no scan. */
struct chain {
    uint64_t *seqs;
    size_t count, capacity;
};

static enum rc
walk_chain(const struct reader *reader, uint32_t friend, uint64_t newest, struct chain *chain)
{
    struct arena *arena = arena_new();
    enum rc rc = RC_OK;
    for (uint64_t seq = newest; seq != 0 && rc == RC_OK;) {
        struct event event;
        arena_reset(arena);
        rc = replay_read_event(reader->log, seq, arena, &event);
        if (rc == RC_OK && chain->count == chain->capacity) {
            chain->capacity = chain->capacity == 0 ? 256 : chain->capacity * 2;
            chain->seqs = realloc(chain->seqs, chain->capacity * sizeof(*chain->seqs));
            assert(chain->seqs != NULL);
        }
        if (rc == RC_OK) {
            chain->seqs[chain->count++] = seq;
            /* Always smaller: decoding refuses anything else. */
            seq = crowd_event_of(&event, friend, &event) ? event.friend_prev : 0;
        }
    }
    arena_free(arena);
    return rc;
}

static int
list_chain(const struct reader *reader, uint32_t friend, uint64_t newest)
{
    struct chain chain = {0};
    enum rc rc = walk_chain(reader, friend, newest, &chain);
    if (rc == RC_OK) {
        struct listing listing;
        struct arena *arena = arena_new();
        listing_begin(&listing, reader, false);
        for (size_t i = chain.count; i-- > 0 && rc == RC_OK;) {
            struct event event;
            arena_reset(arena);
            rc = replay_read_event(reader->log, chain.seqs[i], arena, &event);
            if (rc == RC_OK) {
                listing_add(&listing, &event);
            }
        }
        listing_end(&listing);
        arena_free(arena);
    }
    free(chain.seqs);
    return rc == RC_OK ? EXIT_DONE : reader_failed(rc, log_error(reader->log));
}

static uint32_t
find_friend(const struct state *state, const char *text)
{
    uint64_t number;
    if (!read_number(text, &number)) {
        return state_find_friend(state, span_cstr(text));
    }
    return number < state->friends.count ? (uint32_t)number : NO_ID;
}

/* The head of the chain and the friend's number are known to the state: rebuild it. */
static int
find_and_list(struct reader *reader)
{
    struct engine *engine = reader_engine();
    struct buf error = {0};
    const struct replay_options options = {
        .log = reader->log, .engine = engine, .zones = zones_source(reader->zones)};
    enum rc rc = replay_run(&options, &error);
    int code = EXIT_DONE;
    if (rc != RC_OK) {
        code = reader_failed(rc, buf_cstr(&error));
    } else {
        const struct state *state = engine_state(engine);
        uint32_t friend = find_friend(state, reader_argument(reader));
        if (friend == NO_ID) {
            fprintf(stderr, "steplog: there is no friend '%s'\n", reader_argument(reader));
            code = EXIT_NOT_FOUND;
        } else {
            reader->definitions = definitions_retain(state->definitions);
            reader->zone = reader_zone(reader, reader->definitions);
            code = list_chain(reader, friend, state_friend(state, friend)->newest_seq);
        }
    }
    buf_fini(&error);
    engine_free(engine);
    return code;
}

int
command_friend(const struct invocation *invocation)
{
    struct reader reader;
    int code = reader_open(&reader, invocation, 1);
    if (code == EXIT_DONE) {
        code = find_and_list(&reader);
    }
    reader_close(&reader);
    return code;
}
