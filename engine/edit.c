/* Live edits: enrolments follow the newest definitions, a slice a pass (SPEC R26). */
#include "engine/tables.h"
#include "engine/turn.h"

enum { EDIT_LOOKED_AT = 16384, EDIT_MOVED = 1024 }; /* rows a slice, at most */

static const struct scenario GONE = {0};

/* The scenario in a set; empty where the set has none of that id, or has it out of force. */
static const struct scenario *
scenario_in(const struct definitions *definitions, uint32_t scenario)
{
    return definitions != NULL && scenario < definitions->scenario_names.count &&
                   definitions->scenario_names.items[scenario].in_force
               ? &definitions->scenarios[scenario]
               : &GONE;
}

bool
edit_moves(const struct definitions *before, const struct definitions *after, uint32_t scenario)
{
    const struct scenario *a = scenario_in(before, scenario), *b = scenario_in(after, scenario);
    return a == &GONE || b == &GONE ? a != b : !scenario_same_schedule(a, b);
}

/* Of another kind now, though of the same id: what runs is not that. */
static bool
is_gone(const struct definitions *before, const struct definitions *after, uint32_t scenario)
{
    const struct scenario *a = scenario_in(before, scenario), *b = scenario_in(after, scenario);
    return b == &GONE || (a != &GONE && a->kind != b->kind);
}

/* Undecided steps that the newest version has no more: they are decided now, for ever. */
static void
cancel_removed(struct turn *turn, uint32_t enrolment, const struct scenario *before,
               const struct scenario *after)
{
    for (uint32_t i = 0; i < before->step_count; i++) {
        const struct enrolment *row = state_enrolment(turn->state, enrolment);
        const struct step *step = &before->steps[i];
        if (scenario_step(after, step->id, NULL) != NULL ||
            state_step_decided(turn->state, enrolment, step->id)) {
            continue;
        }
        struct event cancelled = {
            .kind = EVENT_STEP_CANCELLED,
            .friend = row->friend,
            .u.step = {.enrolment = enrolment,
                       .scenario = row->scenario,
                       .step = step->id,
                       .due_ms = scenario_step_due(turn->state, before, enrolment, step),
                       .reason = REASON_REMOVED}};
        turn_emit(turn, &cancelled);
    }
}

bool
edit_cancel_removed(struct turn *turn, uint32_t enrolment)
{
    const struct state *state = turn->state;
    const struct definitions *before = state->definitions_before;
    uint32_t scenario = state_enrolment(state, enrolment)->scenario;
    bool gone = is_gone(before, state->definitions, scenario);
    if (before != NULL && edit_moves(before, state->definitions, scenario)) {
        cancel_removed(turn, enrolment, scenario_in(before, scenario),
                       gone ? &GONE : scenario_in(state->definitions, scenario));
    }
    return !gone;
}

void
edit_follow(struct turn *turn, uint32_t enrolment)
{
    const struct definitions *before = turn->state->definitions_before;
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    if (before == NULL || !edit_moves(before, turn->state->definitions, row->scenario)) {
        return;
    }
    bool stays = edit_cancel_removed(turn, enrolment);
    if (row->phase == ENROLMENT_IN_DELIVERY) {
        return; /* the step after it is planned with its outcome */
    }
    if (!stays) {
        scenario_stop(turn, enrolment, REASON_REMOVED, (struct source){0});
    } else if (scenario_in(turn->state->definitions, row->scenario)->kind != KIND_DATE) {
        scenario_replan(turn, enrolment, 0, REASON_EDITED); /* dates are looked through apart */
    }
}

bool
edit_slice(struct turn *turn, uint32_t *cursor)
{
    const struct state *state = turn->state;
    if (state->definitions_before == NULL) {
        return false;
    }
    uint32_t events = turn->out->count;
    for (uint32_t i = 0; i < EDIT_LOOKED_AT && *cursor < state->enrolments.count; i++) {
        if (state_enrolment(state, *cursor)->phase != ENROLMENT_FREE) {
            edit_follow(turn, *cursor);
        }
        (*cursor)++;
        if (turn->out->count - events >= EDIT_MOVED) {
            return true;
        }
    }
    if (*cursor < state->enrolments.count) {
        return true;
    }
    struct event followed = {.kind = EVENT_DEFINITIONS_FOLLOWED, .friend = NO_ID};
    turn_emit(turn, &followed);
    *cursor = 0;
    return false;
}

/* apply */

static bool
moves_somebody(const struct state *state, const struct definitions *after)
{
    for (uint32_t i = 0; i < state->scenario_capacity; i++) {
        if (state->scenario_counts[i].running > 0 && edit_moves(state->definitions, after, i)) {
            return true;
        }
    }
    return false;
}

void
edit_begin(struct state *state, struct definitions *after)
{
    definitions_release(state->definitions_before);
    state->definitions_before =
        moves_somebody(state, after) ? definitions_retain(state->definitions) : NULL;
}

void
edit_apply(struct state *state)
{
    definitions_release(state->definitions_before);
    state->definitions_before = NULL;
}
