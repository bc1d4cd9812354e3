#include "engine/route.h"

#include "engine/deed.h"
#include "engine/tables.h"

#define SCAN_LIFE_MS MS_PER_DAY

static bool
is_in_force(const struct state *state, uint32_t route)
{
    const struct names *names = &state->definitions->route_names;
    return route < names->count && names->items[route].in_force;
}

static uint32_t
add_person(struct turn *turn, struct span user_id)
{
    uint32_t friend = turn->state->friends.count;
    struct event added = {.kind = EVENT_FRIEND_ADDED,
                          .friend = friend,
                          .words = &user_id,
                          .word_count = 1,
                          .u.friend_added = {.scanned = true}};
    turn_emit(turn, &added);
    return friend;
}

void
route_take(struct turn *turn, uint32_t friend, uint32_t route)
{
    struct event taken = {.kind = EVENT_ROUTE_TAKEN, .friend = friend, .u.route = {.route = route}};
    turn_emit(turn, &taken);
    action_run(turn, friend, &turn->state->definitions->routes[route].body,
               (struct source){SOURCE_ROUTE, route, 0}, NO_ID, &turn->answer.outbox);
}

void
route_decide(struct turn *turn, const struct input *input)
{
    uint32_t route = input->u.scan.route;
    uint32_t friend = state_find_friend(turn->state, input->u.scan.user_id);
    if (friend == NO_ID) {
        friend = add_person(turn, input->u.scan.user_id);
    }
    struct event scanned = {
        .kind = EVENT_ROUTE_SCANNED, .friend = friend, .u.route = {.route = route}};
    turn_emit(turn, &scanned);
    if (!state_is_blocked(turn->state, friend) && is_in_force(turn->state, route) &&
        turn->state->definitions->routes[route].any_time) {
        turn_open_answer(turn, friend);
        route_take(turn, friend, route);
        turn_close_answer(turn);
    }
}

uint32_t
route_of_follow(const struct turn *turn, uint32_t friend, int64_t before_ms)
{
    const struct state *state = turn->state;
    uint32_t i = state_friend_more(state, friend)->first_deed; /* newest first */
    while (i != NO_ID && state_deed(state, i)->kind != DEED_SCANNED) {
        i = state_deed(state, i)->next;
    }
    if (i == NO_ID || !is_in_force(state, state_deed(state, i)->id)) {
        return NO_ID;
    }
    int64_t at_ms = (int64_t)state_deed(state, i)->at_s * MS_PER_SECOND;
    bool fresh = at_ms + MS_PER_SECOND > before_ms && at_ms + SCAN_LIFE_MS >= turn->now_ms;
    return fresh ? state_deed(state, i)->id : NO_ID;
}
