/* The runner: a virtual clock that moves to the next due instant or the next input, whichever is
 * first; the daemon's own core and delivery in between (LANGUAGE 13, SPEC R5). */
#include "tools/stepctl/rehearsal_play.h"

#include "daemon/delivery.h"
#include <assert.h>

enum { PASSES_MAX = 100000, PER_SECOND = 1000000, IN_FLIGHT_MAX = 1000 };

enum rc
run_wrong(struct run *run, const struct yaml_node *node, struct span word, const char *text)
{
    struct span name = word.len > 0 ? word : (node == NULL ? word : node->text);
    struct yaml_mark mark = node == NULL ? (struct yaml_mark){0} : node->mark;
    yaml_error(run->diagnostics, mark, name, "%s '%.*s'", text, span_fmt(name));
    return RC_INVALID;
}

enum rc
run_broken(struct run *run, const char *text)
{
    struct span now = rehearsal_instant(run->arena, run->rehearsal->zone, run->clock.now_ms);
    const struct yaml_mark whole = {.file = &run->rehearsal->unread, .line = 1, .column = 1};
    yaml_error(run->diagnostics, whole, (struct span){0}, "the daemon went wrong at %.*s: %s",
               span_fmt(now), text);
    return RC_CORRUPT;
}

/* The same run ids and salts every time: a rehearsal is repeatable to the byte. */
static void
draw(void *context, void *out, size_t bytes)
{
    struct run *run = context;
    uint8_t *at = out;
    for (size_t i = 0; i < bytes; i++) {
        run->random = run->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        at[i] = (uint8_t)(run->random >> 56);
    }
}

/* What the file says the random source says; without enough of it the file is wrong. */
static int64_t
say(void *context, const struct draw *question)
{
    struct run *run = context;
    int64_t answer = -1;
    const struct yaml_node *node = NULL;
    if (!rehearsal_draw(&run->rehearsal->draws, &run->draws_taken, question, &answer, &node) &&
        !run->draws_wrong) {
        struct span now = rehearsal_instant(run->arena, run->rehearsal->zone, run->clock.now_ms);
        struct yaml_mark mark = node == NULL ? run->rehearsal->draws.mark : node->mark;
        struct span word = node == NULL ? run->rehearsal->draws.word : node->text;
        yaml_error(run->diagnostics, mark, word,
                   node == NULL ? "not enough 'draws': one more is drawn at %.*s"
                                : "this cannot be what is drawn at %.*s",
                   span_fmt(now));
        run->draws_wrong = true;
    }
    return answer;
}

/* the daemon's life */

enum rc
run_start_daemon(struct run *run)
{
    const struct core_options options = {.log = run->log,
                                         .clock = &run->clock,
                                         .zones = run->rehearsal->zones,
                                         .directory = "",
                                         .random = draw,
                                         .random_context = run,
                                         .draw = say,
                                         .draw_context = run,
                                         .public_url = "https://pages.example"};
    enum rc rc = core_open(&options, &run->core);
    if (rc != RC_OK) {
        return run_broken(run, core_error(run->core));
    }
    const struct delivery_options desk = {
        .core = run->core,
        .client = scripted_line_client(run->line),
        .in_flight_max = IN_FLIGHT_MAX,
        .per_second =
            {[LINE_PUSH] = PER_SECOND, [LINE_MULTICAST] = PER_SECOND, [LINE_REPLY] = PER_SECOND},
        .fetch_profiles = false,
        .jitter_seed = 1};
    run->desk = delivery_new(&desk);
    delivery_resume(run->desk);
    return RC_OK;
}

void
run_end_daemon(struct run *run)
{
    if (run->core == NULL) {
        return;
    }
    scripted_line_forget(run->line);
    delivery_free(run->desk);
    run->desk = NULL;
    run->log = core_release_log(run->core);
    core_close(run->core);
    run->core = NULL;
}

enum rc
run_flush(struct run *run)
{
    return core_flush(run->core) == RC_OK ? RC_OK : run_broken(run, core_error(run->core));
}

enum rc
run_restart(struct run *run)
{
    run_end_daemon(run);
    return run_start_daemon(run);
}

enum rc
run_settle(struct run *run)
{
    bool killed = run->kill != KILL_SENT;
    for (int pass = 0; run->core != NULL && pass < PASSES_MAX; pass++) {
        bool more = delivery_pump(run->desk);
        if (run_flush(run) != RC_OK) {
            return RC_CORRUPT;
        }
        if (!killed && scripted_line_may_cut(run->line)) {
            killed = true; /* accepted, and nobody hears it */
            enum rc rc = run_restart(run);
            if (rc != RC_OK) {
                return rc;
            }
            continue;
        }
        if (run->draws_wrong) {
            return RC_INVALID;
        }
        if (scripted_line_answer(run->line) == 0 && !more) {
            return run_flush(run);
        }
    }
    return run->core == NULL ? RC_OK : run_broken(run, "it does not come to rest");
}

/* The rows of `state` at instants that are over once the clock goes to before_ms. */
static void
read_probes(struct run *run, int64_t before_ms)
{
    const struct rehearsal_rows *asked = &run->variant->expected[LIST_STATE];
    for (uint32_t i = 0; run->core != NULL && i < asked->count; i++) {
        const struct rehearsal_row *expected = &asked->items[i];
        if (expected->at_ms >= run->probed_ms && expected->at_ms < before_ms) {
            struct rehearsal_row row = rehearsal_state_row(
                core_state(run->core), run->rehearsal->zone, expected, run->arena);
            rehearsal_rows_add(&run->result->rows[LIST_STATE], run->arena, row);
        }
    }
    run->probed_ms = before_ms;
}

static void
set_clock(struct run *run, int64_t now_ms)
{
    enum rc rc = clock_set(&run->clock, now_ms);
    assert(rc == RC_OK);
}

enum rc
run_advance(struct run *run, int64_t to_ms)
{
    int idle = 0;
    while (run->core != NULL) {
        int64_t now_ms = run->clock.now_ms, next_ms = delivery_next(run->desk);
        if (next_ms > to_ms) {
            break;
        }
        idle = next_ms <= now_ms ? idle + 1 : 0;
        if (idle > 1000) {
            return run_broken(run, "something stays due and is never taken");
        }
        if (next_ms > now_ms) {
            read_probes(run, next_ms);
            set_clock(run, next_ms);
        }
        enum rc rc = run_settle(run);
        if (rc != RC_OK) {
            return rc;
        }
    }
    read_probes(run, to_ms);
    set_clock(run, to_ms);
    return run_settle(run);
}

static enum rc
finish(struct run *run)
{
    enum rc rc = run_advance(run, run->rehearsal->until_ms);
    if (rc == RC_OK && run->core == NULL) {
        rc = run_start_daemon(run); /* only to look: nothing more is sent */
    }
    if (rc != RC_OK) {
        return rc;
    }
    read_probes(run, INT64_MAX);
    struct buf error = {0};
    const struct rehearsal_end end = {.rehearsal = run->rehearsal,
                                      .variant = run->variant,
                                      .log = run->log,
                                      .state = core_state(run->core),
                                      .line = run->line,
                                      .arena = run->arena};
    rc = rehearsal_actual(&end, &error, run->result);
    if (rc != RC_OK) {
        rc = run_broken(run, buf_cstr(&error));
    }
    buf_fini(&error);
    return rc;
}

enum rc
rehearsal_run(const struct rehearsal *rehearsal, const struct rehearsal_variant *variant,
              enum rehearsal_kill kill, struct arena *arena, struct diagnostics *diagnostics,
              struct rehearsal_result *out_result)
{
    struct run run = {.rehearsal = rehearsal,
                      .variant = variant,
                      .kill = kill,
                      .arena = arena,
                      .diagnostics = diagnostics,
                      .result = out_result,
                      .tree = rehearsal->tree,
                      .line = scripted_line_new(arena),
                      .random = 20260601,
                      .probed_ms = INT64_MIN};
    *out_result = (struct rehearsal_result){0};
    clock_init_virtual(&run.clock, rehearsal->from_ms);
    const struct log_options options = {.mode = LOG_CLAIM, .now_ms = rehearsal->from_ms};
    enum rc rc = log_open(NULL, &options, &run.log);
    if (rc == RC_OK) {
        rc = run_begin(&run);
        for (uint32_t i = 0; rc == RC_OK && i < variant->inputs.count; i++) {
            rc = run_play(&run, &variant->inputs.items[i]);
        }
        rc = rc == RC_OK ? finish(&run) : rc;
        run_end_daemon(&run);
        log_close(run.log);
    }
    if (run.definitions != NULL) {
        definitions_release(run.definitions);
    }
    scripted_line_free(run.line);
    return rc;
}
