/* Scenarios: who starts, when each step is due, how an enrolment ends. */
#include "engine/reminder.h"
#include "engine/tables.h"

static const struct scenario *
scenario_of(const struct state *state, uint32_t scenario)
{
    return &state->definitions->scenarios[scenario];
}

/* What the friend's `tz` says; NULL: nothing, or nothing that exists. */
static const struct zone *
own_zone(const struct state *state, uint32_t friend)
{
    const struct zone_source *zones = &state->definitions->zones;
    const struct field_value value = state_value(state, friend, state->definitions->tz_field);
    return value.text == NULL ? NULL : zones->lookup(zones->context, span_cstr(value.text));
}

const struct zone *
scenario_zone(const struct state *state, const struct scenario *scenario, uint32_t friend)
{
    const struct definitions *definitions = state->definitions;
    if (!scenario->friend_zone) {
        return scenario->zone;
    }
    const struct zone *zone = own_zone(state, friend);
    return zone != NULL ? zone : definitions->account.zone;
}

const char *
state_unknown_zone(const struct state *state, uint32_t friend)
{
    const struct definitions *definitions = state->definitions;
    if (definitions->tz_field == NO_ID || definitions->zones.lookup == NULL) {
        return NULL; /* nothing in force yet */
    }
    const char *name = state_value(state, friend, definitions->tz_field).text;
    return name == NULL || name[0] == '\0' || own_zone(state, friend) != NULL ? NULL : name;
}

void
scenario_zone_changed(struct turn *turn, uint32_t friend)
{
    const struct state *state = turn->state;
    for (uint32_t i = state_friend(state, friend)->first_enrolment; i != NO_ID;) {
        uint32_t next = state_enrolment(state, i)->next;
        const struct scenario *scenario = scenario_of(state, state_enrolment(state, i)->scenario);
        if (scenario->friend_zone) {
            scenario_replan(turn, i, 0, REASON_ZONE);
        }
        i = next;
    }
}

/* SPEC R3: only the first day-0 clock step decides, once, by the minute. */
static bool
day0_is_late(const struct scenario *scenario, const struct zone *zone, int64_t start_ms)
{
    int32_t start_min = civil_local_second(zone, start_ms) / 60;
    for (uint32_t i = 0; i < scenario->step_count; i++) {
        const struct timing *timing = &scenario->steps[i].timing;
        if (timing->kind == TIMING_DAY_AT && timing->days == 0) {
            return timing->at_min < start_min;
        }
    }
    return false;
}

static int64_t
clock_due(const struct scenario *scenario, const struct zone *zone, const struct timing *timing,
          int64_t start_ms, uint32_t shift_days)
{
    int64_t day = civil_local_day(zone, start_ms) + timing->days + shift_days;
    int64_t due_ms = civil_instant(zone, day, timing->at_min * 60);
    if (timing->days == 0 && shift_days == 0 && due_ms < start_ms) {
        bool same_minute = timing->at_min == civil_local_second(zone, start_ms) / 60;
        bool send_now =
            scenario->late_day0 == LATE_DAY0_SEND_NOW && day0_is_late(scenario, zone, start_ms);
        return same_minute || send_now ? start_ms : due_ms;
    }
    return due_ms;
}

/* The due instant of a step (SPEC R2, R32). prev_ms: delivery of the step before; DUE_UNKNOWN_YET
 * while it is open. */
static int64_t
step_due(const struct state *state, const struct scenario *scenario, const struct step *step,
         const struct enrolment *row, int64_t prev_ms)
{
    const struct timing *timing = &step->timing;
    const struct zone *zone = scenario_zone(state, scenario, row->friend);
    int64_t start_ms = row->start_ms;
    switch (timing->kind) {
    case TIMING_NOW:
        return prev_ms;
    case TIMING_AFTER_START:
        return start_ms + timing->delay_ms;
    case TIMING_AFTER_PREVIOUS:
        return prev_ms == DUE_UNKNOWN_YET ? DUE_UNKNOWN_YET : prev_ms + timing->delay_ms;
    case TIMING_DAY_AT:
        return clock_due(scenario, zone, timing, start_ms,
                         state_enrolment_more(state, row)->shift_days);
    case TIMING_DAYS_AFTER_PREVIOUS_AT:
        if (prev_ms == DUE_UNKNOWN_YET) {
            return DUE_UNKNOWN_YET;
        }
        return civil_instant(zone, civil_local_day(zone, prev_ms) + timing->days,
                             timing->at_min * 60);
    case TIMING_DAYS_BEFORE_GOAL_AT:
    case TIMING_BEFORE_GOAL:
        return reminder_due(zone, timing, state_enrolment_more(state, row)->goal_ms);
    }
    return DUE_UNKNOWN_YET;
}

struct event
scenario_step_event(const struct turn *turn, enum event_kind kind, uint32_t enrolment,
                    uint32_t step, int64_t due_ms, enum reason reason)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    return (struct event){.kind = kind,
                          .friend = row->friend,
                          .u.step = {.enrolment = enrolment,
                                     .scenario = row->scenario,
                                     .step = step,
                                     .due_ms = due_ms,
                                     .reason = reason}};
}

/* A day-0 step already past under late_day0: skip. */
static bool
is_skipped_day0(const struct scenario *scenario, const struct zone *zone, const struct step *step,
                int64_t start_ms, int64_t due_ms)
{
    return scenario->late_day0 == LATE_DAY0_SKIP && step->timing.kind == TIMING_DAY_AT &&
           step->timing.days == 0 && due_ms < start_ms && day0_is_late(scenario, zone, start_ms);
}

void
scenario_finish(struct turn *turn, uint32_t enrolment)
{
    struct event ended =
        scenario_step_event(turn, EVENT_ENROLMENT_ENDED, enrolment, NO_ID, 0, REASON_FINISHED);
    const struct body *body = &scenario_of(turn->state, ended.u.step.scenario)->on_finish;
    struct source source = {SOURCE_FINISH, ended.u.step.scenario, 0};
    struct outbox outbox = {0}; /* stays empty: such a body sends nothing */
    turn_emit(turn, &ended);
    if (turn->depth < TURN_DEPTH_MAX) {
        turn->depth++;
        action_run(turn, ended.friend, body, source, NO_ID, &outbox);
        turn->depth--;
    }
}

/* May it happen in this very turn? What sends needs an act of the friend to answer; a trigger that
 * sends nothing follows at once in any turn (SPEC R10, R27). */
static bool
goes_at_once(const struct turn *turn, const struct enrolment *row, const struct step *step)
{
    if (turn->depth >= TURN_DEPTH_MAX || turn->resuming || state_is_paused(turn->state, row)) {
        return false;
    }
    return (turn->answer.open && turn->answer.friend == row->friend) ||
           (scenario_of(turn->state, row->scenario)->kind == KIND_TRIGGER &&
            !step->body.has_message);
}

static void
plan(struct turn *turn, uint32_t enrolment, const struct step *step, int64_t due_ms,
     int64_t base_ms, enum reason reason)
{
    struct event planned =
        scenario_step_event(turn, EVENT_STEP_PLANNED, enrolment, step->id, due_ms, reason);
    planned.u.step.base_ms = base_ms;
    turn_emit(turn, &planned);
}

void
scenario_plan(struct turn *turn, uint32_t enrolment, const struct step *step, int64_t due_ms,
              int64_t base_ms)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    bool at_once = due_ms <= turn->now_ms && goes_at_once(turn, row, step);
    plan(turn, enrolment, step, due_ms, base_ms, REASON_NONE);
    if (at_once) {
        turn->depth++;
        step_answer(turn, enrolment);
        turn->depth--;
    }
}

const struct step *
scenario_next_step(const struct state *state, const struct scenario *version, uint32_t enrolment,
                   uint32_t but_step)
{
    const struct enrolment *row = state_enrolment(state, enrolment);
    const struct step *next = NULL;
    int64_t next_ms = 0;
    for (uint32_t i = 0; i < version->step_count; i++) {
        const struct step *step = &version->steps[i];
        if (step->id == but_step || state_step_decided(state, enrolment, step->id)) {
            continue;
        }
        if (version->kind != KIND_REMINDER) {
            return step;
        }
        int64_t due_ms = step_due(state, version, step, row, DUE_UNKNOWN_YET);
        if (next == NULL || due_ms < next_ms) { /* theirs is the order of their instants */
            next = step;
            next_ms = due_ms;
        }
    }
    return next;
}

/* Plans the first step that is not decided; leaves the one at hand. */
static void
plan_next(struct turn *turn, uint32_t enrolment, int64_t prev_ms)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    const struct scenario *scenario = scenario_of(turn->state, row->scenario);
    const struct step *step;
    while ((step = scenario_next_step(turn->state, scenario, enrolment, row->step)) != NULL) {
        int64_t due_ms = step_due(turn->state, scenario, step, row, prev_ms);
        if (is_skipped_day0(scenario, scenario_zone(turn->state, scenario, row->friend), step,
                            row->start_ms, due_ms)) {
            struct event skipped = scenario_step_event(turn, EVENT_STEP_SKIPPED, enrolment,
                                                       step->id, due_ms, REASON_LATE_DAY0);
            turn_emit(turn, &skipped);
            prev_ms = due_ms;
            continue;
        }
        if (step->timing.kind == TIMING_NOW && due_ms > turn->now_ms) {
            due_ms = turn->now_ms; /* the one before was passed over ahead of its time */
        }
        scenario_plan(turn, enrolment, step, due_ms, prev_ms);
        return;
    }
    scenario_finish(turn, enrolment);
}

/* The step that a `goto:` under way leads to; NULL: there is none, or it was taken out meanwhile. */
static const struct step *
target_of(const struct state *state, const struct enrolment *row, uint32_t *out_place)
{
    uint32_t redirect = state_enrolment_more(state, row)->redirect;
    return redirect == NO_ID
               ? NULL
               : scenario_step(scenario_of(state, row->scenario), redirect, out_place);
}

/* The steps that a `goto:` leaves out. Returns what the next one counts from (SPEC R2). */
static int64_t
pass_over(struct turn *turn, uint32_t enrolment, int64_t prev_ms)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    const struct scenario *scenario = scenario_of(turn->state, row->scenario);
    uint32_t target = 0;
    if (target_of(turn->state, row, &target) == NULL) {
        return prev_ms;
    }
    for (uint32_t i = 0; i < target; i++) {
        const struct step *step = &scenario->steps[i];
        if (!engine_step_is_ahead(turn->state, enrolment, step)) {
            continue;
        }
        int64_t due_ms = step_due(turn->state, scenario, step, row, prev_ms);
        struct event skipped =
            scenario_step_event(turn, EVENT_STEP_SKIPPED, enrolment, step->id, due_ms, REASON_GOTO);
        turn_emit(turn, &skipped);
        prev_ms = due_ms;
    }
    return prev_ms;
}

/* `end: scenario`: what would have followed is cancelled; that is no finish. */
static void
end(struct turn *turn, uint32_t enrolment, int64_t prev_ms)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    const struct scenario *scenario = scenario_of(turn->state, row->scenario);
    for (uint32_t i = 0; i < scenario->step_count; i++) {
        const struct step *step = &scenario->steps[i];
        if (!engine_step_is_ahead(turn->state, enrolment, step)) {
            continue;
        }
        int64_t due_ms = step_due(turn->state, scenario, step, row, prev_ms);
        prev_ms = DUE_UNKNOWN_YET;
        if (due_ms != DUE_UNKNOWN_YET) {
            struct event cancelled = scenario_step_event(turn, EVENT_STEP_CANCELLED, enrolment,
                                                         step->id, due_ms, REASON_ENDED);
            turn_emit(turn, &cancelled);
        }
    }
    struct event ended =
        scenario_step_event(turn, EVENT_ENROLMENT_ENDED, enrolment, NO_ID, 0, REASON_ENDED);
    turn_emit(turn, &ended);
}

void
scenario_advance(struct turn *turn, uint32_t enrolment, int64_t prev_ms)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    if (!edit_cancel_removed(turn, enrolment)) {
        scenario_stop(turn, enrolment, REASON_REMOVED, (struct source){0});
    } else if (scenario_of(turn->state, row->scenario)->kind == KIND_DATE) {
        date_advance(turn, enrolment);
    } else if (row->ending) {
        end(turn, enrolment, prev_ms);
    } else {
        plan_next(turn, enrolment, pass_over(turn, enrolment, prev_ms));
    }
}

void
scenario_redirect(struct turn *turn, uint32_t enrolment, uint32_t step)
{
    struct event redirected =
        scenario_step_event(turn, EVENT_STEP_REDIRECTED, enrolment, step, 0, REASON_NONE);
    turn_emit(turn, &redirected);
}

void
scenario_replan(struct turn *turn, uint32_t enrolment, int64_t shift_ms, enum reason reason)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    const struct scenario *scenario = scenario_of(turn->state, row->scenario);
    if (row->phase != ENROLMENT_WAITING) {
        return; /* what follows is planned with the outcome */
    }
    const struct step *step = scenario_next_step(turn->state, scenario, enrolment, NO_ID);
    if (step == NULL) {
        scenario_finish(turn, enrolment);
        return;
    }
    int64_t base_ms = state_base(turn->state, row) + shift_ms;
    int64_t due_ms = step_due(turn->state, scenario, step, row, base_ms);
    if (step->id != row->step || due_ms != row->due_ms) {
        plan(turn, enrolment, step, due_ms, base_ms, reason);
    }
}

bool
scenario_next_is_due(const struct turn *turn, uint32_t enrolment)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    const struct scenario *scenario = scenario_of(turn->state, row->scenario);
    if (scenario->kind != KIND_SCENARIO || row->ending || state_is_paused(turn->state, row)) {
        return false;
    }
    const struct step *next = target_of(turn->state, row, NULL);
    if (next == NULL) {
        next = scenario_next_step(turn->state, scenario, enrolment, row->step);
    }
    return next != NULL && step_due(turn->state, scenario, next, row, turn->now_ms) <= turn->now_ms;
}

int64_t
scenario_step_due(const struct state *state, const struct scenario *version, uint32_t enrolment,
                  const struct step *step)
{
    const struct enrolment *row = state_enrolment(state, enrolment);
    bool next = row->phase == ENROLMENT_WAITING &&
                scenario_next_step(state, version, enrolment, NO_ID) == step;
    return step_due(state, version, step, row, next ? state_base(state, row) : DUE_UNKNOWN_YET);
}

int64_t
engine_step_due(const struct state *state, uint32_t enrolment, const struct step *step)
{
    const struct enrolment *row = state_enrolment(state, enrolment);
    if (row->phase == ENROLMENT_WAITING && row->step == step->id) {
        return row->due_ms;
    }
    return step_due(state, scenario_of(state, row->scenario), step, row, DUE_UNKNOWN_YET);
}

bool
engine_step_is_ahead(const struct state *state, uint32_t enrolment, const struct step *step)
{
    return step->id != state_enrolment(state, enrolment)->step &&
           !state_step_decided(state, enrolment, step->id);
}

/* When the row's step would have gone out, had nobody paused it (SPEC R7). */
static int64_t
going_out_ms(const struct turn *turn, const struct enrolment *row)
{
    const struct scenario *scenario = scenario_of(turn->state, row->scenario);
    const struct step *step = scenario_step(scenario, row->step, NULL);
    if (row->deferred != REASON_NONE || step == NULL || !step->body.has_message) {
        return state_wake(turn->state, row);
    }
    return window_next_open(step->window, scenario_zone(turn->state, scenario, row->friend),
                            state_wake(turn->state, row));
}

void
scenario_catch_up(struct turn *turn, uint32_t enrolment)
{
    const uint64_t started_seq = state_enrolment(turn->state, enrolment)->started_seq;
    bool outer = turn->resuming;
    turn->resuming = true;
    edit_follow(turn, enrolment); /* what would have gone out is what the newest edit says */
    for (;;) {
        const struct enrolment *row = state_enrolment(turn->state, enrolment);
        if (row->phase != ENROLMENT_WAITING || row->started_seq != started_seq ||
            going_out_ms(turn, row) > turn->now_ms) {
            break;
        }
        step_skip(turn, enrolment, REASON_PAUSED);
    }
    turn->resuming = outer;
}

/* Steps that will not come any more, each with its due instant where it has one (SPEC R42). */
static void
cancel_steps(struct turn *turn, uint32_t enrolment, enum reason reason, struct source source)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    const struct scenario *scenario = scenario_of(turn->state, row->scenario);
    for (uint32_t i = 0; i < scenario->step_count; i++) {
        const struct step *step = &scenario->steps[i];
        /* One that is in delivery is on its way and will have its own outcome. */
        int64_t due_ms = engine_step_due(turn->state, enrolment, step);
        if (due_ms == DUE_UNKNOWN_YET || state_step_decided(turn->state, enrolment, step->id)) {
            continue;
        }
        struct event cancelled =
            scenario_step_event(turn, EVENT_STEP_CANCELLED, enrolment, step->id, due_ms, reason);
        cancelled.source = source;
        turn_emit(turn, &cancelled);
    }
}

/* True while the row is still the life it was. */
static bool
enrolment_lives(const struct state *state, uint32_t enrolment, uint64_t started_seq)
{
    const struct enrolment *row = state_enrolment(state, enrolment);
    return row->phase != ENROLMENT_FREE && row->started_seq == started_seq;
}

void
scenario_stop(struct turn *turn, uint32_t enrolment, enum reason reason, struct source source)
{
    uint64_t started_seq = state_enrolment(turn->state, enrolment)->started_seq;
    if (reason != REASON_REMOVED) {
        edit_follow(turn, enrolment);
        if (!enrolment_lives(turn->state, enrolment, started_seq)) {
            return; /* nothing of it was left in the newest definitions */
        }
        cancel_steps(turn, enrolment, reason, source);
    }
    struct event ended =
        scenario_step_event(turn, EVENT_ENROLMENT_ENDED, enrolment, NO_ID, 0, reason);
    ended.source = source;
    turn_emit(turn, &ended);
}

void
scenario_refuse(struct turn *turn, uint32_t friend, uint32_t scenario, enum reason reason,
                struct source source)
{
    struct event refused = {
        .kind = EVENT_START_REFUSED,
        .friend = friend,
        .source = source,
        .u.step = {.enrolment = NO_ID, .scenario = scenario, .step = NO_ID, .reason = reason}};
    turn_emit(turn, &refused);
}

/* Its last step is on its way: there is nothing left to decide, so it is in nobody's way. */
static bool
is_over(const struct state *state, uint32_t enrolment)
{
    const struct enrolment *row = state_enrolment(state, enrolment);
    return row->phase == ENROLMENT_IN_DELIVERY && !row->ending &&
           scenario_next_step(state, scenario_of(state, row->scenario), enrolment, row->step) ==
               NULL;
}

/* Ends what was in the way of a start. */
static void
clear(struct turn *turn, uint32_t enrolment, enum reason reason, struct source source)
{
    if (is_over(turn->state, enrolment)) {
        scenario_finish(turn, enrolment);
    } else {
        scenario_stop(turn, enrolment, reason, source);
    }
}

static uint32_t
in_lane(const struct state *state, uint32_t friend, uint32_t lane)
{
    uint32_t i = state_friend(state, friend)->first_enrolment;
    while (i != NO_ID) {
        const struct scenario *scenario = scenario_of(state, state_enrolment(state, i)->scenario);
        if (scenario->kind == KIND_SCENARIO && scenario->lane == lane) {
            break;
        }
        i = state_enrolment(state, i)->next;
    }
    return i;
}

/* SPEC R20, R21: may it start, and what has to end for it. False: refused. */
static bool
make_room(struct turn *turn, uint32_t friend, uint32_t scenario, struct source source)
{
    const struct state *state = turn->state;
    const struct scenario *definition = scenario_of(state, scenario);
    if (state_friend(state, friend)->forgotten) {
        scenario_refuse(turn, friend, scenario, REASON_FORGOTTEN, source);
        return false;
    }
    bool always = turn->restart_scenarios || definition->reentry == REENTRY_ALWAYS;
    if (state_is_blocked(state, friend)) {
        scenario_refuse(turn, friend, scenario, state_block_reason(state, friend), source);
        return false;
    }
    int64_t day = civil_local_day(scenario_zone(state, definition, friend), turn->start_ms);
    if (definition->has_valid && (day < definition->first_day || day > definition->last_day)) {
        scenario_refuse(turn, friend, scenario, REASON_OUTSIDE_VALIDITY, source);
        return false;
    }
    if (!always && definition->reentry == REENTRY_NEVER &&
        state_has_entered(state, friend, scenario)) {
        scenario_refuse(turn, friend, scenario, REASON_REENTRY, source);
        return false;
    }
    uint32_t running = state_enrolment_in(state, friend, scenario);
    if (running != NO_ID) {
        edit_follow(turn, running); /* an edit may have left nothing of it */
        running = state_enrolment_in(state, friend, scenario);
    }
    if (running != NO_ID) {
        if (!always && !is_over(state, running)) {
            scenario_refuse(turn, friend, scenario, REASON_ACTIVE, source);
            return false;
        }
        clear(turn, running, REASON_RESTARTED, source);
        return true;
    }
    uint32_t other;
    while ((other = in_lane(state, friend, definition->lane)) != NO_ID) {
        clear(turn, other, REASON_SWITCHED, source);
    }
    return true;
}

/* Steps before at_step count as skipped (SPEC R21). */
static void
skip_to(struct turn *turn, uint32_t enrolment, uint32_t at_step)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    const struct scenario *scenario = scenario_of(turn->state, row->scenario);
    uint32_t place = 0;
    if (at_step == NO_ID || scenario_step(scenario, at_step, &place) == NULL) {
        return;
    }
    for (uint32_t i = 0; i < place; i++) {
        const struct step *step = &scenario->steps[i];
        int64_t due_ms = step_due(turn->state, scenario, step, row, DUE_UNKNOWN_YET);
        struct event skipped = scenario_step_event(turn, EVENT_STEP_SKIPPED, enrolment, step->id,
                                                   due_ms, REASON_AT_STEP);
        turn_emit(turn, &skipped);
        row = state_enrolment(turn->state, enrolment);
    }
}

/* Things set off each other for ever: cut, and said (SPEC R42). */
static bool
is_loop(struct turn *turn, uint32_t friend, uint32_t scenario, struct source source)
{
    if (turn->depth < TURN_DEPTH_MAX && turn->links <= TURN_LINKS_MAX &&
        turn->starts++ < TURN_STARTS_MAX) {
        return false;
    }
    scenario_refuse(turn, friend, scenario, REASON_LOOP, source);
    return true;
}

void
scenario_start(struct turn *turn, uint32_t friend, uint32_t scenario, uint32_t at_step,
               struct source source)
{
    if (is_loop(turn, friend, scenario, source) || !make_room(turn, friend, scenario, source)) {
        return;
    }
    const struct scenario *definition = scenario_of(turn->state, scenario);
    bool shift =
        definition->late_day0 == LATE_DAY0_SHIFT &&
        day0_is_late(definition, scenario_zone(turn->state, definition, friend), turn->start_ms);
    uint32_t enrolment = tables_next_enrolment(turn->state);
    struct event started = {.kind = EVENT_ENROLMENT_STARTED,
                            .friend = friend,
                            .source = source,
                            .u.step = {.enrolment = enrolment,
                                       .scenario = scenario,
                                       .step = NO_ID,
                                       .start_ms = turn->start_ms,
                                       .shift_days = shift ? 1 : 0,
                                       .links = turn->links}};
    turn_emit(turn, &started);
    skip_to(turn, enrolment, at_step);
    plan_next(turn, enrolment, turn->start_ms);
}

void
scenario_note_finished(struct turn *turn, uint32_t friend, uint32_t scenario, struct source source)
{
    struct event ended = {
        .kind = EVENT_ENROLMENT_ENDED,
        .friend = friend,
        .source = source,
        .u.step = {
            .enrolment = NO_ID, .scenario = scenario, .step = NO_ID, .reason = REASON_FINISHED}};
    turn_emit(turn, &ended);
}

uint32_t
scenario_enrol(struct turn *turn, uint32_t friend, uint32_t scenario, const struct enrolling *as,
               struct source source)
{
    if (is_loop(turn, friend, scenario, source)) {
        return NO_ID;
    }
    uint32_t enrolment = tables_next_enrolment(turn->state);
    struct event started = {.kind = EVENT_ENROLMENT_STARTED,
                            .friend = friend,
                            .source = source,
                            .u.step = {.enrolment = enrolment,
                                       .scenario = scenario,
                                       .step = NO_ID,
                                       .start_ms = as->start_ms,
                                       .goal_ms = as->goal_ms,
                                       .key = as->key,
                                       .links = as->links}};
    turn_emit(turn, &started);
    return enrolment;
}

/* apply */

static void
started_apply(struct state *state, const struct event *event)
{
    struct enrolment *row = tables_add_enrolment(state, event->u.step.enrolment, event->friend);
    row->scenario = event->u.step.scenario;
    row->step = NO_ID;
    row->phase = ENROLMENT_WAITING;
    row->started_seq = event->seq;
    row->start_ms = event->u.step.start_ms;
    row->wake = WAKE_NEVER;
    tables_set_due(state, row, INT64_MAX, INT64_MAX);
    if (event->u.step.shift_days != 0 || event->u.step.goal_ms != 0 || event->u.step.key != 0 ||
        event->u.step.links != 0) {
        struct enrolment_more *more = tables_enrolment_more(state, row);
        more->shift_days = event->u.step.shift_days;
        more->goal_ms = event->u.step.goal_ms;
        more->key = event->u.step.key;
        more->links = event->u.step.links;
    }
    tables_set_entered(state, event->friend, event->u.step.scenario);
    struct scenario_counts *counts = tables_scenario_counts(state, event->u.step.scenario);
    counts->running++;
    counts->entered++;
}

/* Another goal, another round: of a reminder, what went out does not come again (SPEC R32, R34). */
static void
goal_moved_apply(struct state *state, struct enrolment *row, const struct event *event)
{
    bool reminder = scenario_of(state, row->scenario)->kind == KIND_REMINDER;
    struct enrolment_more *more = tables_enrolment_more(state, row);
    more->goal_ms = event->u.step.goal_ms;
    tables_reset_decided(state, row, reminder ? more->delivered : 0);
    if (row->phase == ENROLMENT_WAITING) {
        row->step = NO_ID;
        tables_set_wake(state, row, WAKE_NEVER, 0);
    }
}

void
enrolment_apply(struct state *state, const struct event *event)
{
    if (event->kind == EVENT_ENROLMENT_STARTED) {
        if (event->u.step.enrolment == tables_next_enrolment(state)) {
            started_apply(state, event);
        }
        return;
    }
    if (event->kind == EVENT_ENROLMENT_ENDED && event->u.step.reason == REASON_FINISHED) {
        tables_set_entered(state, event->friend, event->u.step.scenario);
        tables_set_finished(state, event->friend, event->u.step.scenario);
    }
    if (event->kind == EVENT_START_REFUSED || event->u.step.enrolment >= state->enrolments.count) {
        return;
    }
    struct enrolment *row = tables_enrolment(state, event->u.step.enrolment);
    if (row->phase == ENROLMENT_FREE) {
        return;
    }
    if (event->kind == EVENT_STEP_PLANNED) {
        if (event->u.step.reason == REASON_NONE && row->step != NO_ID &&
            row->step != event->u.step.step) {
            tables_set_decided(state, event->u.step.enrolment, row->step); /* left behind */
        }
        row->step = event->u.step.step;
        row->phase = ENROLMENT_WAITING;
        tables_set_due(state, row, event->u.step.due_ms, event->u.step.base_ms);
        tables_set_wake(state, row, WAKE_AT_DUE, 0);
        row->deferred = REASON_NONE;
        if (row->more != NO_ID) {
            tables_enrolment_more(state, row)->redirect = NO_ID;
        }
    } else if (event->kind == EVENT_STEP_REDIRECTED) {
        tables_enrolment_more(state, row)->redirect = event->u.step.step;
        row->ending = event->u.step.step == NO_ID;
    } else if (event->kind == EVENT_STEP_DEFERRED || event->kind == EVENT_STEP_HELD) {
        tables_set_wake(state, row, WAKE_LATER, event->u.step.until_ms);
        row->deferred = event->u.step.reason;
    } else if (event->kind == EVENT_STEP_SKIPPED || event->kind == EVENT_STEP_DONE) {
        tables_set_decided(state, event->u.step.enrolment, event->u.step.step);
        bool at_hand = row->step == event->u.step.step || row->step == NO_ID;
        if (row->phase == ENROLMENT_WAITING && at_hand) { /* another may be on its way */
            row->step = event->u.step.step;               /* and the next is planned right behind */
            tables_set_wake(state, row, WAKE_NEVER, 0);
        }
        if (event->kind == EVENT_STEP_DONE) {
            tables_set_delivered(state, row, event->u.step.step);
        }
    } else if (event->kind == EVENT_STEP_CANCELLED) {
        tables_set_decided(state, event->u.step.enrolment, event->u.step.step);
    } else if (event->kind == EVENT_GOAL_MOVED) {
        goal_moved_apply(state, row, event);
    } else if (event->kind == EVENT_CLOCK_RESTARTED) {
        row->start_ms = event->u.step.start_ms;
    } else if (event->kind == EVENT_ENROLMENT_ENDED) {
        tables_scenario_counts(state, row->scenario)->running--;
        tables_free_enrolment(state, event->u.step.enrolment);
        return;
    }
    tables_settle_enrolment(state, row);
}
