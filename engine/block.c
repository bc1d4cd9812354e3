#include "engine/block.h"

#include "engine/tables.h"

bool
state_is_blocked(const struct state *state, uint32_t friend)
{
    return state_friend(state, friend)->blocked || state_friend(state, friend)->operator_blocked;
}

enum reason
state_block_reason(const struct state *state, uint32_t friend)
{
    return state_friend(state, friend)->operator_blocked ? REASON_OPERATOR_BLOCKED
                                                         : REASON_BLOCKED_BY_FRIEND;
}

void
block_list(struct turn *turn, uint32_t friend, bool hidden, struct source source)
{
    if (state_friend(turn->state, friend)->hidden == hidden) {
        return;
    }
    struct event listed = {
        .kind = EVENT_LISTED, .friend = friend, .source = source, .u.listed = {.hidden = hidden}};
    turn_emit(turn, &listed);
}

void
block_set(struct turn *turn, uint32_t friend, bool blocked, struct source source)
{
    const struct state *state = turn->state;
    if (state_friend(state, friend)->operator_blocked == blocked) {
        return;
    }
    while (blocked && state_friend(state, friend)->first_enrolment != NO_ID) {
        scenario_stop(turn, state_friend(state, friend)->first_enrolment, REASON_OPERATOR_BLOCKED,
                      source);
    }
    if (blocked) {
        delivery_cancel_planned(turn, friend, REASON_OPERATOR_BLOCKED);
    }
    struct event set = {.kind = EVENT_OPERATOR_BLOCK,
                        .friend = friend,
                        .source = source,
                        .u.operator_block = {.blocked = blocked}};
    turn_emit(turn, &set);
}

void
block_apply(struct state *state, const struct event *event)
{
    struct friend_row *row = tables_friend(state, event->friend);
    if (event->kind == EVENT_LISTED) {
        row->hidden = event->u.listed.hidden;
        return;
    }
    row->operator_blocked = event->u.operator_block.blocked;
    tables_index_reach(state, event->friend);
    if (row->operator_blocked) {
        tables_erase_info(state, event->friend);
    }
}
