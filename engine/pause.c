/* Pausing and resuming, one enrolment or a whole scenario (SPEC R22). Nothing is decided while a pause
 * lasts: only its end says whether steps are skipped or moved. */
#include "engine/tables.h"
#include "engine/turn.h"

bool
state_is_paused(const struct state *state, const struct enrolment *enrolment)
{
    uint32_t scenario = enrolment->scenario;
    return state_enrolment_more(state, enrolment)->paused_ms != 0 ||
           state->definitions->scenarios[scenario].disabled ||
           (scenario < state->scenario_capacity && state->scenario_counts[scenario].paused_ms != 0);
}

static void
change(struct turn *turn, uint32_t friend, uint32_t enrolment, uint32_t scenario, bool paused,
       int64_t shift_ms, struct source source)
{
    struct event changed = {
        .kind = EVENT_PAUSE_CHANGED,
        .friend = friend,
        .source = source,
        .u.pause = {
            .enrolment = enrolment, .scenario = scenario, .paused = paused, .shift_ms = shift_ms}};
    turn_emit(turn, &changed);
}

void
pause_enrolment(struct turn *turn, uint32_t enrolment, struct source source)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    if (state_enrolment_more(turn->state, row)->paused_ms == 0) {
        change(turn, row->friend, enrolment, row->scenario, true, 0, source);
    }
}

void
pause_resume_enrolment(struct turn *turn, uint32_t enrolment, bool shift, struct source source)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    int64_t paused_ms = state_enrolment_more(turn->state, row)->paused_ms;
    if (paused_ms == 0) {
        return;
    }
    int64_t shift_ms = shift ? turn->now_ms - paused_ms : 0;
    change(turn, row->friend, enrolment, row->scenario, false, shift_ms, source);
    if (shift_ms > 0) {
        scenario_replan(turn, enrolment, shift_ms, REASON_PAUSED);
    }
    if (!state_is_paused(turn->state, state_enrolment(turn->state, enrolment))) {
        scenario_catch_up(turn, enrolment);
    }
}

static void
catch_up_all(struct turn *turn, uint32_t scenario)
{
    /* Rows that a finish starts behind this one begin now and have nothing to make up for. */
    uint32_t count = turn->state->enrolments.count;
    for (uint32_t i = 0; i < count; i++) {
        const struct enrolment *row = state_enrolment(turn->state, i);
        if (row->phase != ENROLMENT_FREE && row->scenario == scenario &&
            !state_is_paused(turn->state, row)) {
            scenario_catch_up(turn, i);
        }
    }
}

void
pause_scenario(struct turn *turn, uint32_t scenario, bool paused, struct source source)
{
    const struct state *state = turn->state;
    bool was =
        scenario < state->scenario_capacity && state->scenario_counts[scenario].paused_ms != 0;
    if (was == paused) {
        return;
    }
    change(turn, NO_ID, NO_ID, scenario, paused, 0, source);
    if (!paused) {
        catch_up_all(turn, scenario);
    }
}

void
pause_definitions_changed(struct turn *turn, const struct definitions *before)
{
    const struct definitions *after = turn->state->definitions;
    for (uint32_t i = 0; i < before->scenario_names.count; i++) {
        if (before->scenarios[i].disabled && !after->scenarios[i].disabled) {
            catch_up_all(turn, i);
        }
    }
}

void
pause_apply(struct state *state, const struct event *event)
{
    int64_t since_ms = event->u.pause.paused ? event->at_ms : 0;
    if (event->u.pause.enrolment == NO_ID) {
        tables_scenario_counts(state, event->u.pause.scenario)->paused_ms = since_ms;
        return;
    }
    if (event->u.pause.enrolment < state->enrolments.count) {
        struct enrolment *row = tables_enrolment(state, event->u.pause.enrolment);
        if (row->phase == ENROLMENT_FREE) {
            return;
        }
        tables_enrolment_more(state, row)->paused_ms = since_ms;
        tables_settle_enrolment(state, row);
        row->start_ms += event->u.pause.shift_ms;
    }
}
