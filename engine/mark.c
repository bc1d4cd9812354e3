/* Response marks: one a friend, or none (SPEC R43). */
#include "engine/turn.h"

void
mark_set(struct turn *turn, uint32_t friend, uint32_t mark, struct source source)
{
    if (state_friend_more(turn->state, friend)->mark == mark) {
        return;
    }
    struct event set = {
        .kind = EVENT_MARK_SET, .friend = friend, .source = source, .u.mark = {.mark = mark}};
    turn_emit(turn, &set);
}
