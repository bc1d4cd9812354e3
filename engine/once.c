/* `once: yes`: the first time only, for each friend (SPEC R27). */
#include "engine/tables.h"
#include "engine/turn.h"

bool
once_take(struct turn *turn, uint32_t friend, uint64_t key, struct source source)
{
    const struct state *state = turn->state;
    for (uint32_t i = state_friend_more(state, friend)->first_once; i != NO_ID;
         i = state_once(state, i)->next) {
        if (state_once(state, i)->key == key) {
            return false;
        }
    }
    struct event done = {
        .kind = EVENT_ONCE_DONE, .friend = friend, .source = source, .u.once = {.key = key}};
    turn_emit(turn, &done);
    return true;
}

void
once_apply(struct state *state, const struct event *event)
{
    tables_add_once(state, event->friend, event->u.once.key);
}
