/* The score: a number a friend has from the beginning, moved by actions and operators (SPEC R37). */
#include "engine/tables.h"
#include "engine/trigger.h"

void
score_add(struct turn *turn, uint32_t friend, int64_t by, struct source source)
{
    struct event changed = {
        .kind = EVENT_SCORE_CHANGED, .friend = friend, .source = source, .u.score = {.by = by}};
    if (by == 0 || __builtin_add_overflow(state_friend_more(turn->state, friend)->score, by,
                                          &changed.u.score.score)) {
        return;
    }
    int64_t old = state_friend_more(turn->state, friend)->score;
    turn_emit(turn, &changed);
    trigger_score_changed(turn, friend, old, changed.u.score.score);
}

void
score_apply(struct state *state, const struct event *event)
{
    tables_friend_more(state, event->friend)->score = event->u.score.score;
}
