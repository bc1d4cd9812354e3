#include "daemon/replay.h"

#include "proto/event.h"

#include <assert.h>
#include <inttypes.h>

/* So many events are decoded before the first of them is applied: time for the rows they are about to
 * come into the cache. */
enum { WINDOW = 16 };

struct replay {
    const struct replay_options *options;
    struct log_cursor *cursor;
    struct arena *arena; /* the words of one event */
    struct buf *error;
    struct event_decoded window[WINDOW];
};

static enum rc
fail(const struct replay *replay, enum rc rc, uint64_t seq, const char *why)
{
    buf_printf(replay->error, "event %" PRIu64 ": %s", seq, why);
    return rc;
}

/* An unknown kind is no failure: what every event begins with is known. */
static enum rc
decode(struct span bytes, uint64_t seq, int64_t at_ms, struct event_decoded *out)
{
    enum rc rc = event_decode(bytes, seq, at_ms, out);
    return rc == RC_NOT_YET ? RC_OK : rc;
}

static enum rc
attach_words(const struct replay *replay, struct event_decoded *decoded)
{
    uint64_t seq = decoded->event.seq;
    struct span row = {0};
    if (!decoded->has_words) {
        return RC_OK;
    }
    enum rc rc = log_cursor_content(replay->cursor, seq, &row);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return fail(replay, rc, seq, log_error(replay->options->log));
    }
    arena_reset(replay->arena);
    rc = event_attach_words(decoded, row, replay->arena);
    return rc == RC_OK ? RC_OK : fail(replay, rc, seq, "its words do not match their checksum");
}

static enum rc
compile_definitions(const struct replay *replay, struct event *event)
{
    if (event->word_count == 0) {
        return fail(replay, RC_CORRUPT, event->seq, "the definitions applied here are missing");
    }
    enum rc rc = definition_from_canonical(event->words[0], replay->options->zones,
                                           &event->u.definitions.definitions);
    if (rc != RC_OK) {
        return fail(replay, rc, event->seq, "the definitions applied here cannot be read");
    }
    const struct definitions *definitions = event->u.definitions.definitions;
    if (memcmp(definitions->hash, event->u.definitions.hash, sizeof(definitions->hash)) != 0) {
        definitions_release(event->u.definitions.definitions);
        return fail(replay, RC_CORRUPT, event->seq, "the definitions are not those applied here");
    }
    return RC_OK;
}

static enum rc
observe(const struct replay *replay, replay_fn fn, const struct event *event)
{
    return fn == NULL ? RC_OK : fn(replay->options->context, event);
}

bool
replay_stop_agrees(const struct state *state, const struct event *stopped)
{
    enum { FIRST_STATE_VERSION = 1 };
    uint32_t version = stopped->u.stopped.state_version;
    version = version == 0 ? FIRST_STATE_VERSION : version;
    return version != STATE_VERSION || state_digest(state) == stopped->u.stopped.digest;
}

static enum rc
check_stop(const struct replay *replay, const struct event *event)
{
    const struct replay_options *options = replay->options;
    if (!options->check_stops || event->kind != EVENT_STOPPED ||
        replay_stop_agrees(engine_state(options->engine), event)) {
        return RC_OK;
    }
    buf_printf(replay->error,
               "event %" PRIu64 ": the stop recorded digest %016" PRIx64
               ", replay gives %016" PRIx64,
               event->seq, event->u.stopped.digest, state_digest(engine_state(options->engine)));
    return RC_CORRUPT;
}

static enum rc
fold_event(const struct replay *replay, struct event_decoded *decoded)
{
    const struct replay_options *options = replay->options;
    struct event *event = &decoded->event;
    enum rc rc = attach_words(replay, decoded);
    if (rc != RC_OK) {
        return rc;
    }
    bool compiled = event->kind == EVENT_DEFINITIONS_APPLIED && options->engine != NULL;
    if (compiled) {
        rc = compile_definitions(replay, event);
        if (rc != RC_OK) {
            return rc;
        }
    }
    rc = check_stop(replay, event);
    if (rc == RC_OK) {
        rc = observe(replay, options->before, event);
    }
    if (rc == RC_OK && options->engine != NULL) {
        engine_apply(options->engine, event);
    }
    if (rc == RC_OK) {
        rc = observe(replay, options->after, event);
    }
    if (compiled) {
        definitions_release(event->u.definitions.definitions);
    }
    return rc;
}

/* Decodes the next events of the batch, up to a window of them or the one to stop at. RC_OK: there may be
 * more; RC_END: there is none to fold. */
static enum rc
fill_window(struct replay *replay, struct span *rest, uint64_t *seq, int64_t at_ms,
            uint32_t *out_count)
{
    const struct replay_options *options = replay->options;
    struct span bytes;
    *out_count = 0;
    while (*out_count < WINDOW) {
        if (options->until_seq != 0 && *seq > options->until_seq) {
            return RC_END;
        }
        enum rc rc = log_events_next(rest, &bytes);
        if (rc == RC_OK && *seq >= options->from_seq) {
            struct event_decoded *decoded = &replay->window[*out_count];
            rc = decode(bytes, *seq, at_ms, decoded);
            if (rc == RC_OK && options->engine != NULL) {
                engine_expect(options->engine, &decoded->event);
            }
            *out_count += rc == RC_OK;
        }
        if (rc != RC_OK) {
            return rc;
        }
        *seq += 1;
    }
    return RC_OK;
}

/* RC_END when the event to stop at was reached. */
static enum rc
fold_batch(struct replay *replay, const struct log_batch_view *batch)
{
    const struct replay_options *options = replay->options;
    if (options->until_ms != 0 && batch->time_ms > options->until_ms) {
        return RC_END;
    }
    struct span rest = batch->events;
    uint64_t seq = batch->first_seq;
    enum rc read = RC_OK;
    while (read == RC_OK) {
        uint32_t count;
        read = fill_window(replay, &rest, &seq, batch->time_ms, &count);
        for (uint32_t i = 0; i < count; i++) { /* also those before one that cannot be read */
            enum rc rc = fold_event(replay, &replay->window[i]);
            if (rc != RC_OK) {
                return rc;
            }
        }
    }
    if (read != RC_END) {
        return fail(replay, read, seq,
                    read == RC_NEWER ? "written by a newer version of stepd"
                                     : "its bytes are no event");
    }
    return options->until_seq != 0 && seq > options->until_seq ? RC_END : RC_OK;
}

enum rc
replay_run(const struct replay_options *options, struct buf *out_error)
{
    struct replay replay = {.options = options, .error = out_error};
    bool tail = options->engine != NULL && options->from_seq > 1;
    assert(!tail || options->from_seq == engine_state(options->engine)->seq + 1);
    assert(options->engine != NULL || !options->check_stops);
    /* A tail is read from the batch before it, so that the cursor sees that it continues that one. */
    uint64_t open_seq = tail ? options->from_seq - 1 : options->from_seq;
    enum rc rc = log_cursor_open(options->log, open_seq, &replay.cursor);
    if (rc != RC_OK) {
        buf_append_cstr(out_error, log_error(options->log));
        return rc;
    }
    replay.arena = arena_new();
    for (;;) {
        struct log_batch_view batch;
        rc = log_cursor_next(replay.cursor, &batch);
        if (rc == RC_END) {
            break;
        }
        if (rc != RC_OK) {
            buf_append_cstr(out_error, log_error(options->log));
            break;
        }
        rc = fold_batch(&replay, &batch);
        if (rc != RC_OK) {
            break;
        }
    }
    arena_free(replay.arena);
    log_cursor_close(replay.cursor);
    return rc == RC_END ? RC_OK : rc;
}

static enum rc
find_event(struct log_cursor *cursor, uint64_t seq, struct span *out_bytes, int64_t *out_at_ms)
{
    struct log_batch_view batch;
    enum rc rc = log_cursor_next(cursor, &batch);
    if (rc != RC_OK) {
        return rc == RC_END ? RC_NOT_FOUND : rc;
    }
    *out_at_ms = batch.time_ms;
    struct span rest = batch.events;
    for (uint64_t at = batch.first_seq; at <= seq; at++) {
        rc = log_events_next(&rest, out_bytes);
        if (rc != RC_OK) {
            return rc == RC_END ? RC_NOT_FOUND : rc;
        }
    }
    return RC_OK;
}

enum rc
replay_read_event(struct log *log, uint64_t seq, struct arena *arena, struct event *out_event)
{
    struct log_cursor *cursor = NULL;
    struct event_decoded decoded;
    struct span bytes, row = {0};
    int64_t at_ms = 0;
    if (seq == 0) {
        return RC_NOT_FOUND;
    }
    enum rc rc = log_cursor_open(log, seq, &cursor);
    if (rc == RC_OK) {
        rc = find_event(cursor, seq, &bytes, &at_ms);
    }
    if (rc == RC_OK) {
        rc = decode(arena_span(arena, bytes), seq, at_ms, &decoded);
    }
    if (rc == RC_OK && decoded.has_words) {
        rc = log_cursor_content(cursor, seq, &row);
        rc = rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    if (rc == RC_OK) {
        rc = event_attach_words(&decoded, arena_span(arena, row), arena);
    }
    if (rc == RC_OK) {
        *out_event = decoded.event;
    }
    log_cursor_close(cursor);
    return rc;
}
