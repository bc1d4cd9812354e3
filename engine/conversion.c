#include "engine/conversion.h"

#include "engine/tables.h"

bool
conversion_run(struct turn *turn, uint32_t friend, uint32_t conversion, struct source source)
{
    const struct conversion *definition = &turn->state->definitions->conversions[conversion];
    bool counted = !definition->first_only || !state_has_converted(turn->state, friend, conversion);
    struct event converted = {.kind = EVENT_CONVERTED,
                              .friend = friend,
                              .source = source,
                              .u.conversion = {.conversion = conversion, .counted = counted}};
    turn_emit(turn, &converted);
    if (counted) {
        turn_run(turn, friend, &definition->body,
                 (struct source){SOURCE_CONVERSION, conversion, 0});
    }
    return counted;
}

void
conversion_decide(struct turn *turn, const struct input *input)
{
    uint32_t friend = input->u.conversion.friend;
    if (state_friend(turn->state, friend)->forgotten) {
        return;
    }
    turn_open_answer(turn, friend);
    conversion_run(turn, friend, input->u.conversion.conversion, (struct source){0});
    turn_close_answer(turn);
}

/* apply */

void
conversion_apply(struct state *state, const struct event *event)
{
    tables_set_converted(state, event->friend, event->u.conversion.conversion);
    if (event->u.conversion.counted) {
        state->conversion_counts[event->u.conversion.conversion].total++;
    }
}

uint32_t
state_conversion_total(const struct state *state, uint32_t conversion)
{
    return conversion < state->conversion_capacity ? state->conversion_counts[conversion].total : 0;
}
