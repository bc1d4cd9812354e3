/* What is drawn: words of `draw:`, cases of `split:`, each recorded and never asked again (SPEC R18). */
#include "engine/turn.h"

/* 0 <= answer < count, each within 2^-32 as likely for any count that can occur. */
static uint64_t
below(uint64_t random, uint64_t count)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)(((wide)random * count) >> 64);
}

int64_t
draw_answer(const struct draw *draw, uint64_t random)
{
    uint64_t total = 0;
    switch (draw->kind) {
    case DRAW_NUMBER: {
        uint64_t count = (uint64_t)draw->high - (uint64_t)draw->low + 1; /* 0: all there are */
        return (int64_t)((uint64_t)draw->low + (count == 0 ? random : below(random, count)));
    }
    case DRAW_WORD:
        return (int64_t)below(random, draw->count);
    case DRAW_CASE:
        break;
    }
    for (uint32_t i = 0; i < draw->count; i++) {
        total += draw->shares[i];
    }
    uint64_t share = below(random, total);
    uint32_t index = 0;
    while (share >= draw->shares[index]) {
        share -= draw->shares[index++];
    }
    return index;
}

static uint32_t
record(struct turn *turn, uint32_t friend, const struct draw *draw, struct span name,
       struct source source)
{
    uint32_t index = (uint32_t)engine_draw(turn->engine, draw);
    struct event drawn = {.kind = EVENT_DRAWN,
                          .friend = friend,
                          .source = source,
                          .u.drawn = {.name = name, .place = index + 1}};
    if (draw->kind == DRAW_WORD) {
        drawn.u.drawn.value = draw->words[index];
    }
    turn_emit(turn, &drawn);
    return index;
}

void
draw_word(struct turn *turn, uint32_t friend, const struct action *action, struct source source)
{
    const struct draw draw = {
        .kind = DRAW_WORD, .words = action->u.draw.words, .count = action->u.draw.word_count};
    uint32_t index = record(turn, friend, &draw, action->u.draw.name, source);
    act_put(turn, action->u.draw.name, draw.words[index]);
}

const struct body *
draw_split(struct turn *turn, uint32_t friend, const struct action *action, struct source source)
{
    const struct draw draw = {
        .kind = DRAW_CASE, .shares = action->u.split.shares, .count = action->u.split.case_count};
    uint32_t index = record(turn, friend, &draw, (struct span){0}, source);
    return &action->u.split.cases[index].body;
}
