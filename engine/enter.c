/* Scenarios that start once for everybody who meets a condition when they first come into force: the friends
 * there are then are asked a slice a pass, and those of whom it is true start (SPEC R54). */
#include "engine/tables.h"
#include "engine/turn.h"

enum { FRIENDS_A_SLICE = 500 };

void
enter_begin(struct state *state)
{
    const struct definitions *definitions = state->definitions;
    for (uint32_t id = 0; id < definitions->scenario_names.count; id++) {
        if (!definitions->scenario_names.items[id].in_force ||
            !definitions->scenarios[id].starts_once) {
            continue;
        }
        struct scenario_counts *counts = tables_scenario_counts(state, id);
        counts->asking = counts->asking || !counts->was_asked;
    }
}

static bool
is_asked(const struct turn *turn, uint32_t friend, const struct scenario *scenario)
{
    const struct friend_row *row = state_friend(turn->state, friend);
    return !row->blocked && !row->forgotten && !row->operator_blocked &&
           condition_holds(turn, friend, &scenario->start_for);
}

static void
ask_slice(struct turn *turn, uint32_t id)
{
    const struct state *state = turn->state;
    const struct scenario *scenario = &state->definitions->scenarios[id];
    uint32_t from = state->scenario_counts[id].asked, up_to = state->friends.count;
    up_to = up_to - from > FRIENDS_A_SLICE ? from + FRIENDS_A_SLICE : up_to;
    for (uint32_t friend = from; friend < up_to && scenario->starts_once; friend ++) {
        turn->starts = 0; /* each friend by itself: no cascade */
        if (is_asked(turn, friend, scenario)) {
            scenario_start(turn, friend, id, NO_ID, (struct source){.kind = SOURCE_DEFINITIONS});
        }
    }
    struct event asked = {
        .kind = EVENT_START_ASKED, .friend = NO_ID, .u.asked = {.scenario = id, .up_to = up_to}};
    turn_emit(turn, &asked);
}

bool
enter_slice(struct turn *turn)
{
    for (uint32_t id = 0; id < turn->state->scenario_capacity; id++) {
        if (turn->state->scenario_counts[id].asking) {
            ask_slice(turn, id);
            return true;
        }
    }
    return false;
}

void
enter_apply(struct state *state, const struct event *event)
{
    struct scenario_counts *counts = tables_scenario_counts(state, event->u.asked.scenario);
    counts->was_asked = true;
    counts->asked = event->u.asked.up_to;
    counts->asking = counts->asked < state->friends.count;
}
