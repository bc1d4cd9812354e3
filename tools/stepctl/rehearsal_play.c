/* The inputs of a rehearsal, each put to the daemon as whoever does it would. */
#include "tools/stepctl/rehearsal_play.h"

#include "proto/words.h"
#include <stdio.h>

static enum rc
decide(struct run *run, struct input *input)
{
    uint32_t count = 0;
    enum rc rc = RC_OK;
    input->at_ms = run->clock.now_ms;
    input->quiet = run->beginning;
    (void)core_input(run->core, input, &count);
    if (run->kill == KILL_DECIDED && input->kind != INPUT_CLAIM) {
        rc = run_flush(run);
        rc = rc == RC_OK ? run_restart(run) : rc;
    }
    return rc == RC_OK ? run_settle(run) : rc;
}

static enum rc
find_friend(struct run *run, const struct yaml_node *node, struct span who, uint32_t *out_friend)
{
    *out_friend = state_find_friend(core_state(run->core), who);
    return *out_friend == NO_ID ? run_wrong(run, node, who, "no friend yet:") : RC_OK;
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
        return run_broken(run, core_error(run->core));
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
        return run_wrong(run, row->node, row->route, "no route");
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
        return run_wrong(run, row->node, row->who, "nothing to deliver again for");
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
            return run_wrong(run, node, tags[i].name, "no tag");
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
            return run_wrong(run, node, fields[i].name, "no field");
        }
        enum field_type type = run->definitions->fields[field].type;
        struct input input = {
            .kind = INPUT_FIELD,
            .u.field = {.friend = friend, .field = field, .clear = fields[i].value.len == 0}};
        if (!input.u.field.clear && !value_of(run, type, fields[i].value, &input.u.field.number)) {
            return run_wrong(run, node, fields[i].value, "not a value of this field:");
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
            return run_wrong(run, row->node, row->finished[i], "no scenario");
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
        return run_wrong(run, row->node, row->what, "no scenario");
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
            return run_wrong(run, row->node, row->at_step, "no step");
        }
    }
    return decide(run, &input);
}

static enum rc
do_pause(struct run *run, const struct rehearsal_input *row, uint32_t friend)
{
    uint32_t scenario = names_find(&run->definitions->scenario_names, row->what);
    if (scenario == NO_ID) {
        return run_wrong(run, row->node, row->what, "no scenario");
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
        return run_wrong(run, row->node, row->what, "no mark");
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
    return run_wrong(run, row->node, row->what, "no edit");
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
    return run_wrong(run, row->node, row->what, "no table under 'csv':");
}

/* operator quota 10, operator cap S 5 */
static enum rc
do_pressure(struct run *run, const struct rehearsal_input *row)
{
    struct input input = {.kind = INPUT_QUOTA, .u.quota = {.limit = (uint32_t)row->number}};
    if (row->verb == VERB_CAP) {
        uint32_t scenario = names_find(&run->definitions->scenario_names, row->what);
        if (scenario == NO_ID) {
            return run_wrong(run, row->node, row->what, "no scenario");
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
        return run_wrong(run, row->node, row->what, "no broadcast");
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
        return run_wrong(run, row->node, row->node->text, "the daemon is down:");
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
            return run_wrong(run, row->node, row->node->text, "the daemon is down already:");
        }
        run_end_daemon(run);
    } else if (run->core != NULL) {
        return run_wrong(run, row->node, row->node->text, "the daemon is up already:");
    }
    if (row->verb == VERB_DOWN) {
        return RC_OK;
    }
    enum rc rc = run_start_daemon(run);
    return rc == RC_OK ? run_settle(run) : rc;
}

enum rc
run_play(struct run *run, const struct rehearsal_input *row)
{
    enum rc rc = run_advance(run, row->at_ms);
    if (rc == RC_OK && run->kill == KILL_BEFORE_INPUT && run->core != NULL) {
        rc = run_restart(run);
        rc = rc == RC_OK ? run_settle(run) : rc;
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

enum rc
run_begin(struct run *run)
{
    const struct rehearsal *rehearsal = run->rehearsal;
    enum rc rc = run_start_daemon(run);
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
