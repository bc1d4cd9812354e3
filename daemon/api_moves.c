/* Whom an edit moves: for every step that is new, timed anew or gone, how many friends on the way get it
 * when, have passed it, or would be late (SPEC R26). Counted, not done: the state is only read. */
#include "daemon/api_plan.h"
#include "engine/engine.h"

#include <stdio.h>

struct moves {
    uint32_t moved, passed, late;
    int64_t first_ms, instead_ms; /* the earliest that moves, and when it was due before */
};

static const char *
instant(const struct definitions *definitions, int64_t at_ms, char out[64])
{
    struct civil_time time = civil_local(definitions->account.zone, at_ms);
    snprintf(out, 64, "%04d-%02d-%02d %02d:%02d", time.date.year, time.date.month, time.date.day,
             time.hour, time.minute);
    return out;
}

/* One enrolment under the old step and the new; either may be missing. */
static void
count_one(const struct state *state, uint32_t enrolment, const struct scenario *old_version,
          const struct step *old_step, const struct scenario *new_version,
          const struct step *new_step, int64_t now_ms, struct moves *moves)
{
    uint32_t id = old_step != NULL ? old_step->id : new_step->id;
    if (state_step_decided(state, enrolment, id)) {
        moves->passed++;
        return;
    }
    int64_t old_ms = old_step == NULL ? DUE_UNKNOWN_YET
                                      : scenario_step_due(state, old_version, enrolment, old_step);
    int64_t new_ms = new_step == NULL ? DUE_UNKNOWN_YET
                                      : scenario_step_due(state, new_version, enrolment, new_step);
    if (old_step != NULL && new_step != NULL && old_ms == new_ms) {
        return; /* it counts from a delivery still to come, or happens to be the same */
    }
    if (new_step != NULL && new_ms != DUE_UNKNOWN_YET && new_ms + new_step->grace_ms <= now_ms) {
        moves->late++;
        return;
    }
    if (moves->moved == 0 || new_ms < moves->first_ms) {
        moves->first_ms = new_ms;
        moves->instead_ms = old_ms;
    }
    moves->moved++;
}

static const char *
friends(uint32_t count)
{
    return count == 1 ? "friend" : "friends";
}

static void
add_row(json_t *rows, const struct definitions *after, const char *scenario, const char *step,
        bool removed, const struct moves *moves)
{
    char id[420], detail[300], from[64], instead[64];
    int len = snprintf(detail, sizeof(detail), "%u %s %s", moves->moved, friends(moves->moved),
                       removed             ? "will not get it"
                       : moves->moved == 1 ? "gets it"
                                           : "get it");
    size_t at = (size_t)len;
    if (!removed && moves->moved > 0 && moves->first_ms != DUE_UNKNOWN_YET) {
        len = snprintf(detail + at, sizeof(detail) - at, " from %s on",
                       instant(after, moves->first_ms, from));
        at += (size_t)len;
        if (moves->instead_ms != DUE_UNKNOWN_YET) {
            len = snprintf(detail + at, sizeof(detail) - at, " instead of %s",
                           instant(after, moves->instead_ms, instead));
            at += (size_t)len;
        }
    }
    if (moves->passed > 0) {
        len = snprintf(detail + at, sizeof(detail) - at, "; %u %s passed it", moves->passed,
                       moves->passed == 1 ? "has" : "have");
        at += (size_t)len;
    }
    if (moves->late > 0) {
        snprintf(detail + at, sizeof(detail) - at, "; %u would be late", moves->late);
    }
    snprintf(id, sizeof(id), "%.200s/%.200s", scenario, step);
    json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:s}", "change", "moves", "kind", "step",
                                          "id", id, "detail", detail));
}

static void
add_step(json_t *rows, const struct state *state, const struct definitions *after,
         uint32_t scenario, uint32_t step, int64_t now_ms)
{
    static const struct scenario GONE = {0};
    const struct scenario *old_version = &state->definitions->scenarios[scenario];
    bool stays =
        scenario < after->scenario_names.count && after->scenario_names.items[scenario].in_force;
    const struct scenario *new_version = stays ? &after->scenarios[scenario] : &GONE;
    const struct step *old_step = scenario_step(old_version, step, NULL);
    const struct step *new_step = scenario_step(new_version, step, NULL);
    if (old_step == NULL && new_step == NULL) {
        return;
    }
    struct moves moves = {0};
    for (uint32_t i = 0; i < state->enrolments.count; i++) {
        const struct enrolment *row = state_enrolment(state, i);
        if (row->phase != ENROLMENT_FREE && row->scenario == scenario) {
            count_one(state, i, old_version, old_step, new_version, new_step, now_ms, &moves);
        }
    }
    if (moves.moved > 0 || moves.late > 0) {
        add_row(rows, after, names_text(&state->definitions->scenario_names, scenario),
                old_step != NULL ? old_step->name : new_step->name, new_step == NULL, &moves);
    }
}

void
plan_add_moves(json_t *rows, const struct state *state, const struct definitions *after,
               int64_t now_ms)
{
    for (uint32_t i = 0; i < state->definitions->scenario_names.count; i++) {
        bool runs = i < state->scenario_capacity && state->scenario_counts[i].running > 0;
        if (!runs || !edit_moves(state->definitions, after, i)) {
            continue;
        }
        const struct scenario *version =
            i < after->scenario_names.count ? &after->scenarios[i] : NULL;
        uint32_t steps = version != NULL ? version->step_names.count
                                         : state->definitions->scenarios[i].step_names.count;
        for (uint32_t step = 0; step < steps; step++) {
            add_step(rows, state, after, i, step, now_ms);
        }
    }
}
