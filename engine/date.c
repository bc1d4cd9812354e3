/* Dates: days counted from a friend's own date, once or every year (SPEC R34). An enrolment waits for
 * the next one; its goal is that instant. */
#include "engine/turn.h"

enum { FRIENDS_A_SLICE = 1000 };

/* The day of the date in a year; 29 February is the 28th in other years. */
static int64_t
day_in(struct civil_date date, int32_t year)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (date.month == 2 && date.day == 29 && !leap) {
        date.day = 28;
    }
    date.year = year;
    return civil_day_number(date);
}

static int64_t
instant_in(const struct scenario *scenario, struct civil_date date, int32_t year)
{
    int64_t day = day_in(date, year) + scenario->date.days;
    return civil_instant(scenario->zone, day, scenario->date.at_min * 60);
}

/* The first moment of the date at or after from_ms; false: it has none any more. */
static bool
next_moment(const struct state *state, const struct scenario *scenario,
            const struct field_value *value, int64_t from_ms, int64_t *out_ms)
{
    bool dated = state->definitions->fields[scenario->date.field].type == FIELD_DATE;
    struct civil_date date =
        civil_date_of(dated ? value->number : civil_local_day(scenario->zone, value->number));
    int32_t first = date.year;
    if (scenario->date.yearly) {
        /* No later year than the one before the moment could lie in is of interest. */
        int32_t around =
            civil_local(scenario->zone, from_ms).date.year - scenario->date.days / 365 - 2;
        first = around > first ? around : first;
    }
    int32_t last = scenario->date.yearly ? first + 5 : first;
    for (int32_t year = first; year <= last; year++) {
        int64_t at_ms = instant_in(scenario, date, year);
        if (at_ms >= from_ms) {
            *out_ms = at_ms;
            return true;
        }
    }
    return false;
}

static void
plan(struct turn *turn, uint32_t enrolment, int64_t at_ms)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    const struct scenario *scenario = &turn->state->definitions->scenarios[row->scenario];
    if (state_enrolment_more(turn->state, row)->goal_ms != at_ms) {
        struct event moved =
            scenario_step_event(turn, EVENT_GOAL_MOVED, enrolment, NO_ID, 0, REASON_NONE);
        moved.u.step.goal_ms = at_ms;
        turn_emit(turn, &moved);
    }
    scenario_plan(turn, enrolment, scenario_only_step(scenario), at_ms, at_ms);
}

static void
enrol(struct turn *turn, uint32_t friend, uint32_t scenario, int64_t at_ms)
{
    const struct enrolling as = {.start_ms = turn->now_ms, .goal_ms = at_ms};
    uint32_t enrolment = scenario_enrol(turn, friend, scenario, &as, (struct source){0});
    if (enrolment != NO_ID) {
        plan(turn, enrolment, at_ms);
    }
}

/* Brings the friend's enrolment in line with the field. What has come due and waits to be sent is
 * cancelled where the field itself has changed. */
static void
align(struct turn *turn, uint32_t friend, uint32_t id, bool field_changed)
{
    const struct state *state = turn->state;
    const struct scenario *scenario = &state->definitions->scenarios[id];
    const struct field_value value = state_value(state, friend, scenario->date.field);
    uint32_t running = state_enrolment_in(state, friend, id);
    int64_t at_ms = 0;
    bool wanted = value.set && !state_friend(state, friend)->forgotten &&
                  scenario_only_step(scenario) != NULL &&
                  next_moment(state, scenario, &value, turn->now_ms, &at_ms);
    if (running != NO_ID) {
        const struct enrolment *row = state_enrolment(state, running);
        bool came = row->due_ms <= turn->now_ms;
        if (row->phase == ENROLMENT_IN_DELIVERY || (came && !field_changed) ||
            (wanted && state_enrolment_more(state, row)->goal_ms == at_ms)) {
            return;
        }
        if (wanted && !came) {
            plan(turn, running, at_ms);
            return;
        }
        scenario_stop(turn, running, REASON_RESCHEDULED, (struct source){0});
    }
    if (wanted) {
        enrol(turn, friend, id, at_ms);
    }
}

void
date_field_changed(struct turn *turn, uint32_t friend, uint32_t field)
{
    const struct definitions *definitions = turn->state->definitions;
    for (uint32_t i = 0; i < definitions->scenario_names.count; i++) {
        if (definitions->scenarios[i].kind == KIND_DATE &&
            definitions->scenarios[i].date.field == field) {
            align(turn, friend, i, true);
        }
    }
}

void
date_advance(struct turn *turn, uint32_t enrolment)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    const struct scenario *scenario = &turn->state->definitions->scenarios[row->scenario];
    const struct field_value value = state_value(turn->state, row->friend, scenario->date.field);
    int64_t goal_ms = state_enrolment_more(turn->state, row)->goal_ms;
    int64_t at_ms = 0;
    if (scenario->date.yearly && value.set && scenario_only_step(scenario) != NULL &&
        next_moment(turn->state, scenario, &value, goal_ms + 1, &at_ms)) {
        plan(turn, enrolment, at_ms);
    } else {
        scenario_finish(turn, enrolment);
    }
}

static bool
has_dates(const struct definitions *definitions)
{
    for (uint32_t i = 0; i < definitions->scenario_names.count; i++) {
        if (definitions->scenarios[i].kind == KIND_DATE) {
            return true;
        }
    }
    return false;
}

bool
date_is_pending(const struct state *state)
{
    return state->dates_from < state->friends.count && has_dates(state->definitions);
}

bool
date_look_through(struct turn *turn)
{
    const struct state *state = turn->state;
    if (!date_is_pending(state)) {
        return false;
    }
    uint32_t up_to = state->friends.count - state->dates_from > FRIENDS_A_SLICE
                         ? state->dates_from + FRIENDS_A_SLICE
                         : state->friends.count;
    for (uint32_t friend = state->dates_from; friend < up_to; friend ++) {
        turn->starts = 0; /* each friend by itself: no cascade */
        for (uint32_t i = 0; i < state->definitions->scenario_names.count; i++) {
            if (state->definitions->scenarios[i].kind == KIND_DATE) {
                align(turn, friend, i, false);
            }
        }
    }
    struct event looked = {
        .kind = EVENT_DATES_LOOKED_THROUGH, .friend = NO_ID, .u.dates = {.up_to = up_to}};
    turn_emit(turn, &looked);
    return true;
}
