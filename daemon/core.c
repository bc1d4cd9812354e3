#include "daemon/core.h"

#include "proto/event.h"
#include "proto/fold.h"
#include "proto/line_message.h"
#include "proto/link_token.h"
#include "store/exchange.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { MACHINE_BYTES_MAX = 64 };

struct effect {
    uint64_t seq; /* runs when this number is durable */
    core_effect_fn fn;
    void *context;
};

struct core {
    struct core_options options;
    char *directory;
    struct engine *engine;
    struct events pass;       /* the events of the pass under way */
    struct buf events;        /* the same, encoded */
    struct buf content_bytes; /* their content rows, one after the other */
    struct log_content *content;
    uint32_t content_count, content_capacity;
    struct span *ids; /* in the pass's arena: they go with its batch */
    uint32_t id_count;
    struct effect *effects; /* a queue, in order of seq */
    uint32_t effect_head, effect_count, effect_capacity;
    uint64_t batch_count;
    struct tail tail;   /* of passes that are over */
    uint64_t *erasures; /* events whose words go; in the pass's arena */
    uint32_t erasure_count;
    int64_t newest_found_ms; /* the latest time that core_open() found */
    struct restored restored;
    bool claimed;
    bool flushing;
    bool failed;
    struct buf error;
};

static int64_t
draw(void *context, const struct draw *question)
{
    const struct core *core = context;
    uint64_t random;
    if (core->options.draw != NULL) {
        return core->options.draw(core->options.draw_context, question);
    }
    core->options.random(core->options.random_context, &random, sizeof(random));
    return draw_answer(question, random);
}

/* Runs what waited for this number. Effects may register further ones. */
static void
run_effects(struct core *core, uint64_t durable_seq)
{
    while (core->effect_head < core->effect_count &&
           core->effects[core->effect_head].seq <= durable_seq) {
        struct effect effect = core->effects[core->effect_head++];
        effect.fn(effect.context);
    }
    if (core->effect_head == core->effect_count) {
        core->effect_head = 0;
        core->effect_count = 0;
    }
}

static void
on_durable(void *context, uint64_t durable_seq)
{
    struct core *core = context;
    tail_drop(&core->tail, durable_seq);
    if (!core->flushing) { /* else the flush runs them when its pass is over */
        run_effects(core, durable_seq);
    }
}

/* "" where the machine has none. */
static void
read_machine_id(const char *path, char *out, size_t room)
{
    out[0] = '\0';
    FILE *file = fopen(path != NULL ? path : "/etc/machine-id", "re");
    if (file != NULL) {
        if (fgets(out, (int)room, file) == NULL) {
            out[0] = '\0';
        }
        fclose(file);
        out[strcspn(out, "\n")] = '\0';
    }
}

/* Where we are, as a claim says it; the machine's name is in `machine`. */
static struct input
place_input(const struct core *core, char machine[MACHINE_BYTES_MAX])
{
    struct input input = {.kind = INPUT_CLAIM, .at_ms = clock_now_ms(core->options.clock)};
    struct log_place place = log_place(core->options.log);
    read_machine_id(core->options.machine_id, machine, MACHINE_BYTES_MAX);
    input.u.claim.inode = place.inode;
    input.u.claim.birth_ns = place.birth_ns;
    input.u.claim.replaced = place.replaced;
    input.u.claim.machine = span_cstr(machine);
    input.u.claim.path = span_cstr(core->directory);
    return input;
}

/* An event with a new run id. */
static enum rc
claim(struct core *core, bool renewed)
{
    char machine[MACHINE_BYTES_MAX];
    struct input input = place_input(core, machine);
    input.u.claim.renewed = renewed;
    core->options.random(core->options.random_context, input.u.claim.run_id,
                         sizeof(input.u.claim.run_id));
    log_set_run_id(core->options.log, input.u.claim.run_id);
    uint32_t count = 0;
    core->claimed = true;
    (void)core_input(core, &input, &count);
    enum rc rc = core_flush(core);
    if (rc == RC_OK) {
        rc = log_wait(core->options.log);
        core->failed = rc != RC_OK;
    }
    return rc;
}

enum rc
core_claim(struct core *core)
{
    assert(!core->claimed);
    return claim(core, false);
}

enum rc
core_exchange(struct core *core, struct buf *error)
{
    struct exchange *exchange = NULL;
    char machine[MACHINE_BYTES_MAX];
    const struct input here = place_input(core, machine);
    bool claimed_here = core->claimed || engine_is_claimed_at(core->engine, &here);
    enum rc rc = core_flush(core);
    if (rc != RC_OK) {
        return rc;
    }
    rc = exchange_begin(core->options.log, &exchange, error);
    if (rc != RC_OK) {
        core->failed = log_poll(core->options.log) != RC_OK;
        return rc;
    }
    if (claimed_here) {
        rc = claim(core, true);
    }
    if (rc == RC_OK) {
        rc = exchange_finish(exchange, error);
    }
    exchange_close(exchange);
    core->failed = rc != RC_OK; /* memory knows of a claim that the log in place has not */
    return rc;
}

bool
core_claimed(const struct core *core)
{
    return core->claimed;
}

enum rc
core_open(const struct core_options *options, struct core **out_core)
{
    struct core *core = calloc(1, sizeof(*core));
    assert(core != NULL);
    core->options = *options;
    core->directory = strdup(options->directory); /* a late claim still names it */
    assert(core->directory != NULL);
    const struct engine_calls calls = {.body_hash = line_messages_hash,
                                       .fold = fold_text,
                                       .link_token = link_token_make,
                                       .draw = draw,
                                       .draw_context = core,
                                       .public_url = span_cstr(options->public_url)};
    core->engine = engine_new(&calls);
    events_init(&core->pass);
    *out_core = core; /* also on failure: for core_error() */

    const struct restore_options restore = {.log = options->log,
                                            .zones = options->zones,
                                            .directory = options->checkpoints,
                                            .note = options->note,
                                            .note_context = options->note_context};
    enum rc rc = restore_run(&restore, core->engine, &core->restored, &core->error);
    if (rc != RC_OK) {
        core->failed = true;
        return rc;
    }
    int64_t now_ms = clock_now_ms(options->clock);
    core->newest_found_ms = core_state(core)->latest_ms;
    log_on_durable(options->log, on_durable, core);
    engine_wake(core->engine, now_ms);
    return options->claim_later ? RC_OK : core_claim(core);
}

void
core_close(struct core *core)
{
    if (core == NULL) {
        return;
    }
    log_close(core_release_log(core));
    free(core->effects);
    free(core->directory);
    free(core->content);
    buf_fini(&core->events);
    buf_fini(&core->content_bytes);
    buf_fini(&core->error);
    tail_fini(&core->tail);
    events_fini(&core->pass);
    engine_free(core->engine);
    free(core);
}

struct log *
core_release_log(struct core *core)
{
    struct log *log = core->options.log;
    core->options.log = NULL;
    if (log != NULL) {
        log_on_durable(log, NULL, NULL);
    }
    return log;
}

const char *
core_error(const struct core *core)
{
    if (core->error.len > 0) {
        return buf_cstr((struct buf *)(uintptr_t)&core->error);
    }
    return core->options.log == NULL ? "" : log_error(core->options.log);
}

struct engine *
core_engine(struct core *core)
{
    return core->engine;
}

const struct state *
core_state(const struct core *core)
{
    return engine_state(core->engine);
}

struct log *
core_log(struct core *core)
{
    return core->options.log;
}

struct clock *
core_clock(struct core *core)
{
    return core->options.clock;
}

const struct restored *
core_restored(const struct core *core)
{
    return &core->restored;
}

bool
core_failed(const struct core *core)
{
    return core->failed;
}

bool
core_clock_behind(const struct core *core)
{
    return core->newest_found_ms > clock_now_ms(core->options.clock);
}

int64_t
core_newest_found_ms(const struct core *core)
{
    return core->newest_found_ms;
}

const struct event *
core_input(struct core *core, const struct input *input, uint32_t *out_count)
{
    uint32_t before = core->pass.count;
    assert(core->claimed);
    engine_handle(core->engine, input, &core->pass);
    *out_count = core->pass.count - before;
    return core->pass.items + before;
}

enum rc
core_check_id(struct core *core, struct span id, bool *out_known)
{
    *out_known = false;
    if (id.len == 0) {
        return RC_OK;
    }
    for (uint32_t i = 0; i < core->id_count; i++) {
        if (span_equal(core->ids[i], id)) {
            *out_known = true;
            return RC_OK;
        }
    }
    enum rc rc = log_knows_id(core->options.log, id, out_known);
    if (rc != RC_OK || *out_known) {
        return rc;
    }
    core->ids = arena_grow(core->pass.arena, core->ids, core->id_count, sizeof(*core->ids));
    core->ids[core->id_count++] = arena_span(core->pass.arena, id);
    return RC_OK;
}

void
core_erase(struct core *core, uint64_t seq)
{
    core->erasures =
        arena_grow(core->pass.arena, core->erasures, core->erasure_count, sizeof(*core->erasures));
    core->erasures[core->erasure_count++] = seq;
}

enum rc
core_take(struct core *core, const struct take_permit *permit, struct taken *out_taken)
{
    assert(core->claimed);
    return engine_take(core->engine, clock_now_ms(core->options.clock), permit, &core->pass,
                       out_taken);
}

bool
core_work(struct core *core)
{
    return engine_work(core->engine, clock_now_ms(core->options.clock), &core->pass);
}

void
core_after(struct core *core, core_effect_fn fn, void *context)
{
    uint64_t seq = core_state(core)->seq;
    if (core->effect_head == core->effect_count && log_durable(core->options.log) >= seq) {
        fn(context);
        return;
    }
    if (core->effect_count == core->effect_capacity) {
        core->effect_capacity = core->effect_capacity == 0 ? 64 : core->effect_capacity * 2;
        core->effects = realloc(core->effects, core->effect_capacity * sizeof(*core->effects));
        assert(core->effects != NULL);
    }
    core->effects[core->effect_count++] = (struct effect){seq, fn, context};
}

static void
add_content(struct core *core, uint64_t seq, size_t from)
{
    if (core->content_bytes.len == from) {
        return;
    }
    if (core->content_count == core->content_capacity) {
        core->content_capacity = core->content_capacity == 0 ? 64 : core->content_capacity * 2;
        core->content = realloc(core->content, core->content_capacity * sizeof(*core->content));
        assert(core->content != NULL);
    }
    /* An offset for now: the buffer may move until the batch is whole. */
    core->content[core->content_count++] = (struct log_content){
        .seq = seq, .row = {.data = NULL, .len = core->content_bytes.len - from}};
}

/* Encodes one event behind those gathered, and its content row, if any, behind theirs. */
static void
encode(struct core *core, const struct event *event)
{
    uint8_t salt[EVENT_SALT_BYTES] = {0};
    if (event->word_count > 0) {
        core->options.random(core->options.random_context, salt, sizeof(salt));
    }
    size_t content_from = core->content_bytes.len;
    size_t opened = log_events_open(&core->events);
    event_encode(event, salt, &core->events, &core->content_bytes);
    log_events_close(&core->events, opened);
    add_content(core, event->seq, content_from);
}

static enum rc
append(struct core *core)
{
    assert(core->events.rc == RC_OK && core->content_bytes.rc == RC_OK);
    size_t at = 0;
    for (uint32_t i = 0; i < core->content_count; i++) {
        core->content[i].row.data = core->content_bytes.data + at;
        at += core->content[i].row.len;
    }
    const struct log_batch batch = {.time_ms = core_state(core)->at_ms,
                                    .event_count = core->pass.count,
                                    .events = buf_span(&core->events),
                                    .content = core->content,
                                    .content_count = core->content_count,
                                    .ids = core->ids,
                                    .id_count = core->id_count,
                                    .erase = core->erasures,
                                    .erase_count = core->erasure_count};
    core->batch_count++;
    return log_append(core->options.log, &batch, log_newest(core->options.log) + 1);
}

static enum rc
flush_events(struct core *core)
{
    buf_clear(&core->events);
    buf_clear(&core->content_bytes);
    core->content_count = 0;
    for (uint32_t i = 0; i < core->pass.count; i++) {
        encode(core, &core->pass.items[i]);
    }
    return core->pass.count == 0 ? RC_OK : append(core);
}

static bool
is_notice(const struct core *core, const struct event *event)
{
    const struct state *state = core_state(core);
    return event->kind == EVENT_NOTIFIED || (event->kind == EVENT_FIELD_SET &&
                                             event->u.field.field == state->definitions->tz_field &&
                                             state_unknown_zone(state, event->friend) != NULL);
}

static void
tell_notices(const struct core *core)
{
    for (uint32_t i = 0; core->options.notice != NULL && i < core->pass.count; i++) {
        if (is_notice(core, &core->pass.items[i])) {
            core->options.notice(core->options.notice_context, &core->pass.items[i],
                                 core_state(core)->definitions);
        }
    }
}

/* What the log's writer has still to write. */
static void
keep_tail(struct core *core)
{
    uint64_t durable = log_durable(core->options.log);
    for (uint32_t i = 0; i < core->pass.count; i++) {
        if (core->pass.items[i].seq > durable) {
            tail_add(&core->tail, &core->pass.items[i]);
        }
    }
}

bool
core_tail(const struct core *core, uint64_t seq, struct tail_event *out_event)
{
    const struct events *pass = &core->pass;
    if (pass->count > 0 && seq >= pass->items[0].seq) {
        assert(seq - pass->items[0].seq < pass->count);
        *out_event = tail_event_of(&pass->items[seq - pass->items[0].seq]);
        return true;
    }
    const struct tail_event *found = tail_find(&core->tail, seq);
    if (found != NULL) {
        *out_event = *found;
    }
    return found != NULL;
}

enum rc
core_flush(struct core *core)
{
    if (core->failed) {
        return RC_IO;
    }
    core->flushing = true;
    enum rc rc = flush_events(core);
    core->flushing = false;
    if (rc != RC_OK) {
        core->failed = true; /* memory has run ahead of the log: only a new start mends that */
        return rc;
    }
    tell_notices(core);
    keep_tail(core);
    events_clear(&core->pass);
    core->ids = NULL;
    core->id_count = 0;
    core->erasures = NULL;
    core->erasure_count = 0;
    run_effects(core, log_durable(core->options.log));
    return RC_OK;
}

enum rc
core_poll(struct core *core)
{
    enum rc rc = log_poll(core->options.log);
    if (rc != RC_OK) {
        core->failed = true;
    }
    return rc;
}

bool
core_log_slow(const struct core *core)
{
    struct log_backlog backlog = log_backlog(core->options.log);
    return backlog.bytes >= CORE_BACKLOG_BYTES_MAX || backlog.oldest_wait_us > CORE_BACKLOG_WAIT_US;
}

uint64_t
core_batch_count(const struct core *core)
{
    return core->batch_count;
}
