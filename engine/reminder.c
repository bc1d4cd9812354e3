/* Reminders: started, moved, cancelled, and their steps in the order they come due (SPEC R32). */
#include "engine/reminder.h"

#include "engine/tables.h"

enum { LAST_MINUTE = 23 * 60 + 59 }; /* of a goal that is a date without a time */

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
reminder_stale_ms(const struct state *state, const struct enrolment *row, const struct step *step)
{
    int64_t stale_ms = row->due_ms + step->grace_ms;
    int64_t goal_ms = state_enrolment_more(state, row)->goal_ms;
    if (row->due_ms == goal_ms) {
        goal_ms += MS_PER_MINUTE; /* due at the goal itself is in time (SPEC R6) */
    }
    return stale_ms < goal_ms ? stale_ms : goal_ms;
}

int64_t
reminder_goal_of_field(const struct state *state, uint32_t friend, uint32_t reminder,
                       uint32_t field)
{
    const struct field_value value = state_value(state, friend, field);
    if (!value.set) {
        return REMINDER_NO_GOAL;
    }
    if (state->definitions->fields[field].type == FIELD_DATE) {
        return civil_instant(scenario_zone(state, &state->definitions->scenarios[reminder], friend),
                             value.number, LAST_MINUTE * 60);
    }
    return value.number;
}

/* Steps already past are skipped, not sent late. */
static void
skip_past(struct turn *turn, uint32_t enrolment, int64_t now_ms)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    const struct scenario *reminder = definition_of(turn->state, row);
    const struct step *step;
    while ((step = scenario_next_step(turn->state, reminder, enrolment, NO_ID)) != NULL) {
        int64_t due_ms = engine_step_due(turn->state, enrolment, step);
        if (due_ms >= now_ms) {
            return;
        }
        struct event skipped = scenario_step_event(turn, EVENT_STEP_SKIPPED, enrolment, step->id,
                                                   due_ms, REASON_PAST_AT_START);
        turn_emit(turn, &skipped);
    }
}

static uint32_t
find(const struct state *state, uint32_t friend, uint32_t reminder, uint64_t key)
{
    uint32_t i = state_friend(state, friend)->first_enrolment;
    for (; i != NO_ID; i = state_enrolment(state, i)->next) {
        const struct enrolment *row = state_enrolment(state, i);
        if (row->scenario == reminder && state_enrolment_more(state, row)->key == key) {
            break;
        }
    }
    return i;
}

/* What is still to come under the goal that is given up. */
static void
cancel_times(struct turn *turn, uint32_t enrolment, struct source source)
{
    const struct scenario *reminder =
        definition_of(turn->state, state_enrolment(turn->state, enrolment));
    for (uint32_t i = 0; i < reminder->step_count; i++) {
        const struct step *step = &reminder->steps[i];
        const struct enrolment *row = state_enrolment(turn->state, enrolment);
        bool waits = row->phase == ENROLMENT_WAITING && row->step == step->id;
        if (!waits && !engine_step_is_ahead(turn->state, enrolment, step)) {
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
    bool in_delivery = state_enrolment(turn->state, enrolment)->phase == ENROLMENT_IN_DELIVERY;
    struct event moved =
        scenario_step_event(turn, EVENT_GOAL_MOVED, enrolment, NO_ID, 0, REASON_NONE);
    moved.source = source;
    moved.u.step.goal_ms = goal_ms;
    turn_emit(turn, &moved);
    skip_past(turn, enrolment, turn->now_ms);
    if (!in_delivery) { /* otherwise its outcome plans the next */
        scenario_advance(turn, enrolment, turn->now_ms);
    }
}

static void
start(struct turn *turn, uint32_t friend, uint32_t reminder, uint64_t key, int64_t goal_ms,
      struct source source)
{
    const struct enrolling as = {
        .start_ms = turn->start_ms, .goal_ms = goal_ms, .key = key, .links = turn->links};
    uint32_t enrolment = scenario_enrol(turn, friend, reminder, &as, source);
    if (enrolment == NO_ID) {
        return;
    }
    skip_past(turn, enrolment, turn->start_ms);
    scenario_advance(turn, enrolment, turn->start_ms);
}

/* False: refused, and said. */
static bool
may_start(struct turn *turn, uint32_t friend, uint32_t reminder, int64_t goal_ms,
          struct source source)
{
    const struct friend_row *row = state_friend(turn->state, friend);
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
    } else if (state_enrolment_more(turn->state, state_enrolment(turn->state, running))->goal_ms !=
               goal_ms) {
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
    for (uint32_t i = state_friend(state, friend)->first_enrolment; i != NO_ID;) {
        const struct enrolment *row = state_enrolment(state, i);
        uint32_t next = row->next;
        if (row->scenario == reminder &&
            (key == REMINDER_KEY_ANY || state_enrolment_more(state, row)->key == key)) {
            scenario_stop(turn, i, REASON_STOPPED, source);
        }
        i = next;
    }
}
