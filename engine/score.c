/* The score: a number a friend has from the beginning, moved by actions and operators. Beside it the
 * recent score, which silence lowers, and the ranks that scores have (SPEC R37). */
#include "engine/tables.h"
#include "engine/trigger.h"

uint32_t
state_rank(const struct state *state, int64_t score)
{
    const struct definitions *definitions = state->definitions;
    uint32_t rank = NO_ID;
    for (uint32_t i = 0; i < definitions->rank_count && definitions->ranks[i].from <= score; i++) {
        rank = definitions->ranks[i].id;
    }
    return rank;
}

int64_t
state_recent_score(const struct state *state, uint32_t friend, int64_t now_ms)
{
    const struct friend_more *row = state_friend_more(state, friend);
    const struct definitions *definitions = state->definitions;
    int64_t silent_ms = now_ms - (int64_t)row->recent_at_s * MS_PER_SECOND, lost;
    if (definitions->recent_every_ms == 0 || silent_ms < definitions->recent_every_ms) {
        return row->recent;
    }
    bool all = __builtin_mul_overflow(silent_ms / definitions->recent_every_ms,
                                      definitions->recent_lose, &lost) ||
               lost >= row->recent;
    return all ? 0 : row->recent - lost;
}

void
score_add(struct turn *turn, uint32_t friend, int64_t by, struct source source)
{
    const struct state *state = turn->state;
    struct event changed = {
        .kind = EVENT_SCORE_CHANGED, .friend = friend, .source = source, .u.score = {.by = by}};
    if (by == 0 || __builtin_add_overflow(state_friend_more(state, friend)->score, by,
                                          &changed.u.score.score)) {
        return;
    }
    int64_t recent = state_recent_score(state, friend, turn->now_ms);
    if (__builtin_add_overflow(recent, by, &changed.u.score.recent)) {
        changed.u.score.recent = recent;
    }
    if (changed.u.score.recent < 0) {
        changed.u.score.recent = 0;
    }
    int64_t old = state_friend_more(state, friend)->score;
    turn_emit(turn, &changed);
    trigger_score_changed(turn, friend, old, changed.u.score.score);
    uint32_t rank = state_rank(state, changed.u.score.score);
    if (rank != NO_ID && rank != state_rank(state, old)) {
        trigger_fire(turn, friend, (struct trigger_on){.kind = ON_RANK, .id = rank, .sub = NO_ID});
    }
}

void
score_apply(struct state *state, const struct event *event)
{
    struct friend_more *row = tables_friend_more(state, event->friend);
    row->score = event->u.score.score;
    row->recent = event->u.score.recent;
    row->recent_at_s = (uint32_t)(event->at_ms / MS_PER_SECOND);
}
