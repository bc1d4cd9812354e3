/* The score: a number a friend has from the beginning, moved by actions and operators (SPEC R37). */
#include "engine/turn.h"

void
score_add(struct turn *turn, uint32_t friend, int64_t by, struct source source)
{
    struct event changed = {
        .kind = EVENT_SCORE_CHANGED, .friend = friend, .source = source, .u.score = {.by = by}};
    if (by == 0 ||
        __builtin_add_overflow(turn->state->friends[friend].score, by, &changed.u.score.score)) {
        return;
    }
    turn_emit(turn, &changed);
}

void
score_apply(struct state *state, const struct event *event)
{
    state->friends[event->friend].score = event->u.score.score;
}
