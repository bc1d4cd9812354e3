/* The runner: a virtual clock that moves to the next due instant or the next input, whichever is
 * first; the daemon's own core and delivery in between (LANGUAGE 13, SPEC R5). */
#include "tools/stepctl/rehearsal_run.h"

#include "daemon/delivery.h"
#include "proto/words.h"
#include <assert.h>
#include <stdio.h>

enum { PASSES_MAX = 100000, PER_SECOND = 1000000, IN_FLIGHT_MAX = 1000 };

/* A webhook as LINE sent it, for `line redelivers`. */
struct act {
    struct input input;
    struct span token;
};

struct run {
    const struct rehearsal *rehearsal;
    const struct rehearsal_variant *variant;
    enum rehearsal_kill kill;
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct rehearsal_result *result;
    struct clock clock;
    struct log *log;
    struct core *core; /* NULL while the daemon is down */
    struct delivery_desk *desk;
    struct scripted_line *line;
    struct yaml_node *tree;          /* the definitions as edited so far */
    struct definitions *definitions; /* compiled from it; ours */
    struct act *acts;                /* the newest of each friend, by input */
    uint32_t act_count;
    uint64_t random;
    uint32_t webhook_count;
    uint32_t draws_taken;
    bool draws_wrong;  /* told already */
    bool beginning;    /* what the friends of the file are already starts nothing */
    int64_t probed_ms; /* rows of `state` before this instant are read */
};

/* Told with the place of a row; ends the run. */
static enum rc
wrong(struct run *run, const struct yaml_node *node, struct span word, const char *text)
{
    struct span name = word.len > 0 ? word : (node == NULL ? word : node->text);
    struct yaml_mark mark = node == NULL ? (struct yaml_mark){0} : node->mark;
    yaml_error(run->diagnostics, mark, name, "%s '%.*s'", text, span_fmt(name));
    return RC_INVALID;
}

static enum rc
broken(struct run *run, const char *text)
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

static enum rc
start_daemon(struct run *run)
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
        return broken(run, core_error(run->core));
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

/* As kill -9 leaves it: the log as far as it is durable, and what LINE has accepted. */
static void
end_daemon(struct run *run)
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

static enum rc
flush(struct run *run)
{
    return core_flush(run->core) == RC_OK ? RC_OK : broken(run, core_error(run->core));
}

static enum rc
restart(struct run *run)
{
    end_daemon(run);
    return start_daemon(run);
}

/* Passes until nothing more is to be done at this instant. */
static enum rc
settle(struct run *run)
{
    bool killed = run->kill != KILL_SENT;
    for (int pass = 0; run->core != NULL && pass < PASSES_MAX; pass++) {
        bool more = delivery_pump(run->desk);
        if (flush(run) != RC_OK) {
            return RC_CORRUPT;
        }
        if (!killed && scripted_line_may_cut(run->line)) {
            killed = true; /* accepted, and nobody hears it */
            enum rc rc = restart(run);
            if (rc != RC_OK) {
                return rc;
            }
            continue;
        }
        if (run->draws_wrong) {
            return RC_INVALID;
        }
        if (scripted_line_answer(run->line) == 0 && !more) {
            return flush(run);
        }
    }
    return run->core == NULL ? RC_OK : broken(run, "it does not come to rest");
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

/* Everything due up to and at the instant, each at its own time. Timers due at an instant come
 * before its inputs (SPEC R5). */
static enum rc
advance(struct run *run, int64_t to_ms)
{
    int idle = 0;
    while (run->core != NULL) {
        int64_t now_ms = run->clock.now_ms, next_ms = delivery_next(run->desk);
        if (next_ms > to_ms) {
            break;
        }
        idle = next_ms <= now_ms ? idle + 1 : 0;
        if (idle > 1000) {
            return broken(run, "something stays due and is never taken");
        }
        if (next_ms > now_ms) {
            read_probes(run, next_ms);
            set_clock(run, next_ms);
        }
        enum rc rc = settle(run);
        if (rc != RC_OK) {
            return rc;
        }
    }
    read_probes(run, to_ms);
    set_clock(run, to_ms);
    return settle(run);
}

/* inputs */

static enum rc
decide(struct run *run, struct input *input)
{
    uint32_t count = 0;
    enum rc rc = RC_OK;
    input->at_ms = run->clock.now_ms;
    input->quiet = run->beginning;
    (void)core_input(run->core, input, &count);
    if (run->kill == KILL_DECIDED && input->kind != INPUT_CLAIM) {
        rc = flush(run);
        rc = rc == RC_OK ? restart(run) : rc;
    }
    return rc == RC_OK ? settle(run) : rc;
}

static enum rc
find_friend(struct run *run, const struct yaml_node *node, struct span who, uint32_t *out_friend)
{
    *out_friend = state_find_friend(core_state(run->core), who);
    return *out_friend == NO_ID ? wrong(run, node, who, "no friend yet:") : RC_OK;
}

static struct act *
find_act(struct run *run, struct span who)
{
    for (uint32_t i = 0; i < run->act_count; i++) {
        if (span_equal(run->acts[i].input.u.act.user_id, who)) {
            return &run->acts[i];
        }
    }
    run->acts = arena_grow(run->arena, run->acts, run->act_count, sizeof(*run->acts));
    run->acts[run->act_count] = (struct act){.input.u.act.user_id = who};
    return &run->acts[run->act_count++];
}

/* One webhook at the daemon's door: known ids start nothing (SPEC R41). */
static enum rc
receive(struct run *run, const struct act *act)
{
    bool known = false;
    if (run->core == NULL) {
        return RC_OK; /* nobody answers; LINE may come again */
    }
    if (act->token.len > 0) {
        scripted_line_issue(run->line, act->token, act->input.u.act.user_id, run->clock.now_ms);
    }
    if (core_check_id(run->core, act->input.u.act.webhook_id, &known) != RC_OK) {
        return broken(run, core_error(run->core));
    }
    struct input input = act->input;
    return known ? RC_OK : decide(run, &input);
}

static struct span
numbered(struct run *run, const char *prefix)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%s%06u", prefix, run->webhook_count);
    return arena_span(run->arena, span_of(text, (size_t)len));
}

static enum rc
do_scan(struct run *run, const struct rehearsal_input *row)
{
    uint32_t route = names_find(&run->definitions->route_names, row->route);
    if (run->core == NULL) {
        return RC_OK; /* the page is down as well */
    }
    if (route == NO_ID) {
        return wrong(run, row->node, row->route, "no route");
    }
    struct input input = {.kind = INPUT_SCAN, .u.scan = {.user_id = row->who, .route = route}};
    return decide(run, &input);
}

static enum rc
do_act(struct run *run, const struct rehearsal_input *row)
{
    enum rc rc = row->route.len > 0 ? do_scan(run, row) : RC_OK;
    if (rc != RC_OK) {
        return rc;
    }
    struct act *act = find_act(run, row->who);
    run->webhook_count++;
    struct input input = {.u.act = {.user_id = row->who,
                                    .webhook_id = numbered(run, "webhook"),
                                    .line_at_ms = run->clock.now_ms}};
    act->token = numbered(run, "token");
    if (row->verb == VERB_FOLLOWS || row->verb == VERB_UNBLOCKS) {
        input.kind = INPUT_FOLLOW;
        input.u.act.unblocked = row->verb == VERB_UNBLOCKS;
    } else if (row->verb == VERB_BLOCKS) {
        input.kind = INPUT_UNFOLLOW;
        act->token = (struct span){0};
    } else if (row->verb == VERB_SAYS) {
        input.kind = INPUT_MESSAGE;
        input.u.act.type = span_cstr("text");
        input.u.act.message_id = numbered(run, "message");
        input.u.act.text = row->what;
    } else {
        input.kind = INPUT_POSTBACK;
        input.u.act.data = row->what;
    }
    input.u.act.reply_token = act->token;
    act->input = input;
    return receive(run, act);
}

static enum rc
do_redeliver(struct run *run, const struct rehearsal_input *row)
{
    struct act *act = find_act(run, row->who);
    if (act->input.u.act.webhook_id.len == 0) {
        return wrong(run, row->node, row->who, "nothing to deliver again for");
    }
    act->input.u.act.redelivered = true;
    return receive(run, act);
}

static enum rc
set_tags(struct run *run, const struct yaml_node *node, uint32_t friend,
         const struct rehearsal_change *tags, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t tag = names_find(&run->definitions->tag_names, tags[i].name);
        if (tag == NO_ID) {
            return wrong(run, node, tags[i].name, "no tag");
        }
        struct input input = {.kind = INPUT_TAG,
                              .u.tag = {.friend = friend, .tag = tag, .add = tags[i].add}};
        enum rc rc = decide(run, &input);
        if (rc != RC_OK) {
            return rc;
        }
    }
    return RC_OK;
}

static bool
value_of(const struct run *run, enum field_type type, struct span text, int64_t *out_number)
{
    switch (type) {
    case FIELD_NUMBER:
        return words_number(text, out_number);
    case FIELD_DATE:
        return words_date(text, out_number);
    case FIELD_DATETIME:
        return words_datetime(text, run->rehearsal->zone, out_number);
    case FIELD_TEXT:
    case FIELD_IMAGE:
    case FIELD_FILE:
        return true;
    }
    return false;
}

static enum rc
set_fields(struct run *run, const struct yaml_node *node, uint32_t friend,
           const struct rehearsal_change *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t field = names_find(&run->definitions->field_names, fields[i].name);
        if (field == NO_ID) {
            return wrong(run, node, fields[i].name, "no field");
        }
        enum field_type type = run->definitions->fields[field].type;
        struct input input = {
            .kind = INPUT_FIELD,
            .u.field = {.friend = friend, .field = field, .clear = fields[i].value.len == 0}};
        if (!input.u.field.clear && !value_of(run, type, fields[i].value, &input.u.field.number)) {
            return wrong(run, node, fields[i].value, "not a value of this field:");
        }
        if (type == FIELD_TEXT || type == FIELD_IMAGE || type == FIELD_FILE) {
            input.u.field.text = fields[i].value;
        }
        enum rc rc = decide(run, &input);
        if (rc != RC_OK) {
            return rc;
        }
    }
    return RC_OK;
}

static enum rc
add_score(struct run *run, uint32_t friend, int64_t by)
{
    struct input input = {.kind = INPUT_SCORE, .u.score = {.friend = friend, .by = by}};
    return decide(run, &input);
}

static enum rc
set_finished(struct run *run, const struct rehearsal_friend *row, uint32_t friend)
{
    for (uint32_t i = 0; i < row->finished_count; i++) {
        uint32_t scenario = names_find(&run->definitions->scenario_names, row->finished[i]);
        if (scenario == NO_ID) {
            return wrong(run, row->node, row->finished[i], "no scenario");
        }
        struct input input = {.kind = INPUT_FINISHED,
                              .u.scenario = {.friend = friend, .scenario = scenario}};
        enum rc rc = decide(run, &input);
        if (rc != RC_OK) {
            return rc;
        }
    }
    return RC_OK;
}

static enum rc
do_scenario(struct run *run, const struct rehearsal_input *row, uint32_t friend)
{
    const struct definitions *definitions = run->definitions;
    uint32_t scenario = names_find(&definitions->scenario_names, row->what);
    if (scenario == NO_ID || definitions->scenarios[scenario].kind != KIND_SCENARIO) {
        return wrong(run, row->node, row->what, "no scenario");
    }
    struct input input = {.kind =
                              row->verb == VERB_START ? INPUT_START_SCENARIO : INPUT_STOP_SCENARIO,
                          .u.scenario = {.friend = friend, .scenario = scenario, .at_step = NO_ID}};
    if (row->at_step.len > 0) { /* the step's name, or its place from 1 */
        const struct scenario *about = &definitions->scenarios[scenario];
        int64_t place = 0;
        input.u.scenario.at_step = names_find(&about->step_names, row->at_step);
        if (input.u.scenario.at_step == NO_ID && words_number(row->at_step, &place) && place >= 1 &&
            place <= (int64_t)about->step_count) {
            input.u.scenario.at_step = about->steps[place - 1].id;
        }
        if (input.u.scenario.at_step == NO_ID) {
            return wrong(run, row->node, row->at_step, "no step");
        }
    }
    return decide(run, &input);
}

static enum rc
do_pause(struct run *run, const struct rehearsal_input *row, uint32_t friend)
{
    uint32_t scenario = names_find(&run->definitions->scenario_names, row->what);
    if (scenario == NO_ID) {
        return wrong(run, row->node, row->what, "no scenario");
    }
    struct input input = {
        .kind = row->verb == VERB_PAUSE ? INPUT_PAUSE : INPUT_RESUME,
        .u.scenario = {.friend = friend, .scenario = scenario, .shift = row->shift}};
    return decide(run, &input);
}

static enum rc
do_mark(struct run *run, const struct rehearsal_input *row, uint32_t friend)
{
    uint32_t mark = names_find(&run->definitions->mark_names, row->what);
    if (mark == NO_ID && !span_equal_cstr(row->what, "none")) {
        return wrong(run, row->node, row->what, "no mark");
    }
    struct input input = {.kind = INPUT_MARK, .u.mark = {.friend = friend, .mark = mark}};
    return decide(run, &input);
}

static enum rc
put_in_force(struct run *run, struct definitions *definitions)
{
    if (run->definitions != NULL) {
        definitions_release(run->definitions);
    }
    run->definitions = definitions;
    struct input input = {
        .kind = INPUT_DEFINITIONS,
        .u.definitions = {.definitions = definitions, .author_name = span_cstr("rehearsal")}};
    return decide(run, &input);
}

static enum rc
do_apply(struct run *run, const struct rehearsal_input *row)
{
    const struct rehearsal *rehearsal = run->rehearsal;
    for (uint32_t i = 0; i < rehearsal->edit_count; i++) {
        const struct rehearsal_edit *edit = &rehearsal->edits[i];
        if (!span_equal(edit->name, row->what)) {
            continue;
        }
        struct definitions *definitions = NULL;
        run->tree = rehearsal_merge(run->arena, run->tree, edit->tree);
        enum rc rc = rehearsal_compile(rehearsal, run->tree, run->definitions, edit->mark,
                                       edit->name, run->diagnostics, &definitions);
        return rc == RC_OK ? put_in_force(run, definitions) : RC_INVALID;
    }
    return wrong(run, row->node, row->what, "no edit");
}

static const struct state *
state_of(void *context)
{
    const struct run *run = context;
    return core_state(run->core);
}

static enum rc
decide_one(void *context, struct input *input)
{
    return decide(context, input);
}

static enum rc
do_import(struct run *run, const struct rehearsal_input *row)
{
    const struct rehearsal *rehearsal = run->rehearsal;
    const struct rehearsal_importer importer = {.definitions = run->definitions,
                                                .arena = run->arena,
                                                .diagnostics = run->diagnostics,
                                                .state = state_of,
                                                .decide = decide_one,
                                                .context = run};
    for (uint32_t i = 0; i < rehearsal->table_count; i++) {
        if (span_equal(rehearsal->tables[i].name, row->what)) {
            return rehearsal_import(&importer, &rehearsal->tables[i]);
        }
    }
    return wrong(run, row->node, row->what, "no table under 'csv':");
}

/* operator quota 10, operator cap S 5 */
static enum rc
do_pressure(struct run *run, const struct rehearsal_input *row)
{
    struct input input = {.kind = INPUT_QUOTA, .u.quota = {.limit = (uint32_t)row->number}};
    if (row->verb == VERB_CAP) {
        uint32_t scenario = names_find(&run->definitions->scenario_names, row->what);
        if (scenario == NO_ID) {
            return wrong(run, row->node, row->what, "no scenario");
        }
        input.kind = INPUT_CAP;
        input.u.cap.scenario = scenario;
        input.u.cap.limit = (uint32_t)row->number;
    }
    return decide(run, &input);
}

/* operator fit B partial, operator cancel B */
static enum rc
do_broadcast(struct run *run, const struct rehearsal_input *row)
{
    uint32_t broadcast = names_find(&run->definitions->broadcast_names, row->what);
    if (broadcast == NO_ID) {
        return wrong(run, row->node, row->what, "no broadcast");
    }
    struct input input = {.kind =
                              row->verb == VERB_FIT ? INPUT_BROADCAST_FIT : INPUT_BROADCAST_CANCEL,
                          .u.broadcast = {.broadcast = broadcast, .partial = row->number == 1}};
    return decide(run, &input);
}

static enum rc
do_operator(struct run *run, const struct rehearsal_input *row)
{
    if (run->core == NULL) {
        return wrong(run, row->node, row->node->text, "the daemon is down:");
    }
    if (row->verb == VERB_APPLY) {
        return do_apply(run, row);
    }
    if (row->verb == VERB_IMPORT) {
        return do_import(run, row);
    }
    if (row->verb == VERB_QUOTA || row->verb == VERB_CAP) {
        return do_pressure(run, row);
    }
    if (row->verb == VERB_FIT || row->verb == VERB_CANCEL) {
        return do_broadcast(run, row);
    }
    uint32_t friend = NO_ID;
    bool whole = row->who.len == 0; /* pause S */
    enum rc rc = whole ? RC_OK : find_friend(run, row->node, row->who, &friend);
    if (rc != RC_OK) {
        return rc;
    }
    if (row->verb == VERB_PAUSE || row->verb == VERB_RESUME) {
        return do_pause(run, row, friend);
    }
    if (row->verb >= VERB_SUBMITS && row->verb <= VERB_CANCELS) {
        struct input input = {0};
        rc = rehearsal_act_input(run->rehearsal, run->definitions, row, friend, run->arena,
                                 run->diagnostics, &input);
        return rc == RC_OK ? decide(run, &input) : rc;
    }
    if (row->verb == VERB_TAG) {
        return set_tags(run, row->node, friend, row->changes, row->change_count);
    }
    if (row->verb == VERB_FIELD) {
        return set_fields(run, row->node, friend, row->changes, row->change_count);
    }
    if (row->verb == VERB_SCORE) {
        return add_score(run, friend, row->number);
    }
    if (row->verb == VERB_DOES) {
        struct input input = {.kind = INPUT_CUSTOM_EVENT,
                              .u.custom_event = {.friend = friend, .name = row->what}};
        return decide(run, &input);
    }
    if (row->verb == VERB_HIDE || row->verb == VERB_BLOCK) {
        struct input input = {.kind = row->verb == VERB_HIDE ? INPUT_LIST : INPUT_BLOCK,
                              .u.list = {.friend = friend, .on = row->on}};
        return decide(run, &input);
    }
    if (row->verb == VERB_MARK) {
        return do_mark(run, row, friend);
    }
    return do_scenario(run, row, friend);
}

static enum rc
do_daemon(struct run *run, const struct rehearsal_input *row)
{
    if (row->verb == VERB_DOWN || row->verb == VERB_KILLS) {
        if (run->core == NULL) {
            return wrong(run, row->node, row->node->text, "the daemon is down already:");
        }
        end_daemon(run);
    } else if (run->core != NULL) {
        return wrong(run, row->node, row->node->text, "the daemon is up already:");
    }
    if (row->verb == VERB_DOWN) {
        return RC_OK;
    }
    enum rc rc = start_daemon(run);
    return rc == RC_OK ? settle(run) : rc;
}

static enum rc
play(struct run *run, const struct rehearsal_input *row)
{
    enum rc rc = advance(run, row->at_ms);
    if (rc == RC_OK && run->kill == KILL_BEFORE_INPUT && run->core != NULL) {
        rc = restart(run);
        rc = rc == RC_OK ? settle(run) : rc;
    }
    if (rc != RC_OK) {
        return rc;
    }
    switch (row->verb) {
    case VERB_FOLLOWS:
    case VERB_BLOCKS:
    case VERB_UNBLOCKS:
    case VERB_SAYS:
    case VERB_TAPS:
        return do_act(run, row);
    case VERB_TAG:
    case VERB_FIELD:
    case VERB_START:
    case VERB_STOP:
    case VERB_APPLY:
    case VERB_SCORE:
    case VERB_PAUSE:
    case VERB_RESUME:
    case VERB_QUOTA:
    case VERB_CAP:
    case VERB_FIT:
    case VERB_CANCEL:
    case VERB_SUBMITS:
    case VERB_CONVERTS:
    case VERB_BOOKS:
    case VERB_CHANGES:
    case VERB_CANCELS:
    case VERB_DOES:
    case VERB_MARK:
    case VERB_CLICKS:
    case VERB_HIDE:
    case VERB_BLOCK:
    case VERB_IMPORT:
        return do_operator(run, row);
    case VERB_DOWN:
    case VERB_UP:
    case VERB_KILLS:
        return do_daemon(run, row);
    case VERB_ANSWERS:
        scripted_line_fault(run->line, row->who, row->fault, row->status, row->times);
        return RC_OK;
    case VERB_REDELIVERS:
        return do_redeliver(run, row);
    case VERB_SCANS:
        return do_scan(run, row);
    }
    return RC_OK;
}

/* Who is a friend already: they came before there were definitions, so that nothing started. */
static enum rc
begin(struct run *run)
{
    const struct rehearsal *rehearsal = run->rehearsal;
    enum rc rc = start_daemon(run);
    run->beginning = true;
    for (uint32_t i = 0; rc == RC_OK && i < rehearsal->friend_count; i++) {
        int64_t since_ms = rehearsal->friends[i].since_ms;
        struct input input = {
            .kind = INPUT_FOLLOW,
            .u.act = {.user_id = rehearsal->friends[i].id,
                      .line_at_ms = since_ms == INT64_MIN ? rehearsal->from_ms : since_ms}};
        rc = decide(run, &input);
    }
    if (rc == RC_OK) {
        rc = put_in_force(run, definitions_retain(rehearsal->definitions));
    }
    for (uint32_t i = 0; rc == RC_OK && i < rehearsal->friend_count; i++) {
        const struct rehearsal_friend *row = &rehearsal->friends[i];
        rc = set_tags(run, row->node, i, row->tags, row->tag_count);
        if (rc == RC_OK) {
            rc = set_fields(run, row->node, i, row->fields, row->field_count);
        }
        rc = rc == RC_OK ? add_score(run, i, row->score) : rc;
        rc = rc == RC_OK ? set_finished(run, row, i) : rc;
    }
    run->beginning = false;
    return rc;
}

static enum rc
finish(struct run *run)
{
    enum rc rc = advance(run, run->rehearsal->until_ms);
    if (rc == RC_OK && run->core == NULL) {
        rc = start_daemon(run); /* only to look: nothing more is sent */
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
        rc = broken(run, buf_cstr(&error));
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
        rc = begin(&run);
        for (uint32_t i = 0; rc == RC_OK && i < variant->inputs.count; i++) {
            rc = play(&run, &variant->inputs.items[i]);
        }
        rc = rc == RC_OK ? finish(&run) : rc;
        end_daemon(&run);
        log_close(run.log);
    }
    if (run.definitions != NULL) {
        definitions_release(run.definitions);
    }
    scripted_line_free(run.line);
    return rc;
}
