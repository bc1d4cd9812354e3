/* Reminders: started, moved, cancelled, and their steps in the order they come due (SPEC R32). */
#include "engine/reminder.h"

#include "engine/tables.h"

enum { LAST_MINUTE = 23 * 60 + 59 }; /* of a goal that is a date without a time */

/* Where an enrolment stands among its steps: by due instant, then as written (SPEC R5). */
struct position {
    int64_t due_ms;
    uint32_t place;
};

static bool
position_before(struct position a, struct position b)
{
    return a.due_ms != b.due_ms ? a.due_ms < b.due_ms : a.place < b.place;
}

static const struct scenario *
definition_of(const struct state *state, const struct enrolment *row)
{
    return &state->definitions->scenarios[row->scenario];
}

int64_t
reminder_due(const struct zone *zone, const struct timing *timing, int64_t goal_ms)
{
    if (timing->kind == TIMING_BEFORE_GOAL) {
        return goal_ms - timing->delay_ms;
    }
    int64_t day = civil_local_day(zone, goal_ms) - timing->days;
    return civil_instant(zone, day, timing->at_min * 60);
}

int64_t
reminder_stale_ms(const struct enrolment *row, const struct step *step)
{
    int64_t stale_ms = row->due_ms + step->grace_ms;
    int64_t goal_ms = row->goal_ms;
    if (row->due_ms == goal_ms) {
        goal_ms += MS_PER_MINUTE; /* due at the goal itself is in time (SPEC R6) */
    }
    return stale_ms < goal_ms ? stale_ms : goal_ms;
}

int64_t
reminder_goal_of_field(const struct state *state, uint32_t friend, uint32_t reminder,
                       uint32_t field)
{
    const struct value_row *value = state_value(state, friend, field);
    if (value == NULL) {
        return REMINDER_NO_GOAL;
    }
    if (state->definitions->fields[field].type == FIELD_DATE) {
        return civil_instant(state->definitions->scenarios[reminder].zone, value->number,
                             LAST_MINUTE * 60);
    }
    return value->number;
}

static struct position
position_of(const struct scenario *reminder, const struct enrolment *row, uint32_t place)
{
    return (struct position){
        reminder_due(reminder->zone, &reminder->steps[place].timing, row->goal_ms), place};
}

/* What is decided ends with the row's own step. */
static struct position
standing(const struct scenario *reminder, const struct enrolment *row)
{
    struct position at = {.due_ms = row->due_ms, .place = UINT32_MAX};
    (void)scenario_step(reminder, row->step, &at.place); /* a removed one counts by its due alone */
    return at;
}

bool
reminder_step_is_ahead(const struct state *state, uint32_t enrolment, const struct step *step)
{
    const struct enrolment *row = &state->enrolments[enrolment];
    const struct scenario *reminder = definition_of(state, row);
    uint32_t place = (uint32_t)(step - reminder->steps);
    return !state_step_is_delivered(row, step->id) &&
           position_before(standing(reminder, row), position_of(reminder, row, place));
}

/* The first undelivered step behind a position; its place, or step_count. */
static uint32_t
next_after(const struct scenario *reminder, const struct enrolment *row, struct position after)
{
    uint32_t next = reminder->step_count;
    for (uint32_t i = 0; i < reminder->step_count; i++) {
        struct position at = position_of(reminder, row, i);
        if (!state_step_is_delivered(row, reminder->steps[i].id) && position_before(after, at) &&
            (next == reminder->step_count ||
             position_before(at, position_of(reminder, row, next)))) {
            next = i;
        }
    }
    return next;
}

static void
plan_after(struct turn *turn, uint32_t enrolment, struct position after)
{
    const struct enrolment *row = &turn->state->enrolments[enrolment];
    const struct scenario *reminder = definition_of(turn->state, row);
    uint32_t next = next_after(reminder, row, after);
    if (next == reminder->step_count) {
        scenario_finish(turn, enrolment);
        return;
    }
    scenario_plan(turn, enrolment, &reminder->steps[next], position_of(reminder, row, next).due_ms);
}

/* Steps already past are skipped, not sent late. */
static void
skip_past(struct turn *turn, uint32_t enrolment, int64_t now_ms)
{
    struct position at = {.due_ms = INT64_MIN};
    for (;;) {
        const struct enrolment *row = &turn->state->enrolments[enrolment];
        const struct scenario *reminder = definition_of(turn->state, row);
        uint32_t next = next_after(reminder, row, at);
        if (next == reminder->step_count || position_of(reminder, row, next).due_ms >= now_ms) {
            return;
        }
        at = position_of(reminder, row, next);
        struct event skipped =
            scenario_step_event(turn, EVENT_STEP_SKIPPED, enrolment, reminder->steps[next].id,
                                at.due_ms, REASON_PAST_AT_START);
        turn_emit(turn, &skipped);
    }
}

void
reminder_advance(struct turn *turn, uint32_t enrolment)
{
    const struct enrolment *row = &turn->state->enrolments[enrolment];
    plan_after(turn, enrolment, standing(definition_of(turn->state, row), row));
}

static uint32_t
find(const struct state *state, uint32_t friend, uint32_t reminder, uint64_t key)
{
    uint32_t i = state->friends[friend].first_enrolment;
    while (i != NO_ID &&
           (state->enrolments[i].scenario != reminder || state->enrolments[i].key != key)) {
        i = state->enrolments[i].next;
    }
    return i;
}

/* What is still to come under the goal that is given up. */
static void
cancel_times(struct turn *turn, uint32_t enrolment, struct source source)
{
    const struct scenario *reminder =
        definition_of(turn->state, &turn->state->enrolments[enrolment]);
    for (uint32_t i = 0; i < reminder->step_count; i++) {
        const struct step *step = &reminder->steps[i];
        const struct enrolment *row = &turn->state->enrolments[enrolment];
        bool waits = row->phase == ENROLMENT_WAITING && row->step == step->id;
        if (!waits && !reminder_step_is_ahead(turn->state, enrolment, step)) {
            continue;
        }
        struct event cancelled =
            scenario_step_event(turn, EVENT_STEP_CANCELLED, enrolment, step->id,
                                engine_step_due(turn->state, enrolment, step), REASON_RESCHEDULED);
        cancelled.source = source;
        turn_emit(turn, &cancelled);
    }
}

static void
move(struct turn *turn, uint32_t enrolment, int64_t goal_ms, struct source source)
{
    cancel_times(turn, enrolment, source);
    bool in_delivery = turn->state->enrolments[enrolment].phase == ENROLMENT_IN_DELIVERY;
    struct event moved =
        scenario_step_event(turn, EVENT_GOAL_MOVED, enrolment, NO_ID, 0, REASON_NONE);
    moved.source = source;
    moved.u.step.goal_ms = goal_ms;
    turn_emit(turn, &moved);
    skip_past(turn, enrolment, turn->now_ms);
    if (!in_delivery) { /* otherwise its outcome plans the next */
        plan_after(turn, enrolment,
                   (struct position){.due_ms = turn->now_ms - 1, .place = UINT32_MAX});
    }
}

static void
start(struct turn *turn, uint32_t friend, uint32_t reminder, uint64_t key, int64_t goal_ms,
      struct source source)
{
    const struct enrolment as = {
        .start_ms = turn->start_ms, .goal_ms = goal_ms, .key = key, .links = turn->links};
    uint32_t enrolment = scenario_enrol(turn, friend, reminder, &as, source);
    if (enrolment == NO_ID) {
        return;
    }
    skip_past(turn, enrolment, turn->start_ms);
    plan_after(turn, enrolment,
               (struct position){.due_ms = turn->start_ms - 1, .place = UINT32_MAX});
}

/* False: refused, and said. */
static bool
may_start(struct turn *turn, uint32_t friend, uint32_t reminder, int64_t goal_ms,
          struct source source)
{
    const struct friend_row *row = &turn->state->friends[friend];
    enum reason reason = row->forgotten ? REASON_FORGOTTEN
                         : state_is_blocked(turn->state, friend)
                             ? state_block_reason(turn->state, friend)
                         : goal_ms == REMINDER_NO_GOAL ? REASON_NO_GOAL
                                                       : REASON_NONE;
    if (reason != REASON_NONE) {
        scenario_refuse(turn, friend, reminder, reason, source);
    }
    return reason == REASON_NONE;
}

void
reminder_start(struct turn *turn, uint32_t friend, uint32_t reminder, uint64_t key, int64_t goal_ms,
               struct source source)
{
    if (!may_start(turn, friend, reminder, goal_ms, source)) {
        return;
    }
    uint32_t running = find(turn->state, friend, reminder, key);
    if (running == NO_ID) {
        start(turn, friend, reminder, key, goal_ms, source);
    } else if (turn->state->enrolments[running].goal_ms != goal_ms) {
        move(turn, running, goal_ms, source);
    }
}

void
reminder_restart(struct turn *turn, uint32_t friend, uint32_t reminder, uint64_t key,
                 int64_t goal_ms, struct source source)
{
    if (!may_start(turn, friend, reminder, goal_ms, source)) {
        return;
    }
    uint32_t running = find(turn->state, friend, reminder, key);
    if (running != NO_ID) {
        scenario_stop(turn, running, REASON_RESCHEDULED, source);
    }
    start(turn, friend, reminder, key, goal_ms, source);
}

void
reminder_cancel(struct turn *turn, uint32_t friend, uint32_t reminder, uint64_t key,
                struct source source)
{
    const struct state *state = turn->state;
    for (uint32_t i = state->friends[friend].first_enrolment; i != NO_ID;) {
        uint32_t next = state->enrolments[i].next;
        if (state->enrolments[i].scenario == reminder &&
            (key == REMINDER_KEY_ANY || state->enrolments[i].key == key)) {
            scenario_stop(turn, i, REASON_STOPPED, source);
        }
        i = next;
    }
}
