#include "engine/link.h"

#include "engine/deed.h"
#include "engine/tables.h"

#include <stdio.h>

void
link_decide(struct turn *turn, const struct input *input)
{
    const struct state *state = turn->state;
    uint32_t friend = input->u.click.friend, link = input->u.click.link;
    if (state_friend(state, friend)->forgotten || state_friend(state, friend)->operator_blocked) {
        return;
    }
    bool first = !state_has_clicked(state, friend, link);
    int64_t sent_ms = state_newest_deed(state, friend, DEED_LINK_SENT, link);
    struct event clicked = {.kind = EVENT_CLICKED,
                            .friend = friend,
                            .u.clicked = {.link = link, .first = first, .known = sent_ms >= 0}};
    if (sent_ms >= 0 && turn->now_ms > sent_ms) {
        clicked.u.clicked.after_s = (uint32_t)((turn->now_ms - sent_ms) / MS_PER_SECOND);
    }
    turn_open_answer(turn, friend);
    turn_emit(turn, &clicked);
    const struct link *definition = &state->definitions->links[link];
    if (first || definition->every) {
        action_run(turn, friend, &definition->body, (struct source){SOURCE_LINK, link, 0}, NO_ID,
                   &turn->answer.outbox);
    }
    turn_close_answer(turn);
}

struct span
link_address(struct turn *turn, uint32_t friend, uint32_t link)
{
    const struct definitions *definitions = turn->state->definitions;
    const struct link *definition = &definitions->links[link];
    struct arena *arena = turn->out->arena;
    if (definition->track == TRACK_NONE) {
        return definition->to;
    }
    struct span base = engine_public_url(turn->engine);
    struct span token = definition->track == TRACK_PERSONAL
                            ? engine_link_token(turn->engine, friend, link, arena)
                            : (struct span){0};
    const char *name = names_text(&definitions->link_names, link);
    size_t room = base.len + strlen(name) + token.len + 5;
    char *address = arena_alloc(arena, room);
    int len = snprintf(address, room, "%.*s/l/%s%s%.*s", span_fmt(base), name,
                       token.len > 0 ? "/" : "", span_fmt(token));
    return span_of(address, (size_t)len);
}
