/* What is known only while one act is answered: its choice, what was drawn (LANGUAGE 2). */
#include "engine/turn.h"

void
act_put(struct turn *turn, struct span name, struct span value)
{
    struct act_values *act = &turn->act;
    for (uint32_t i = 0; i < act->count; i++) {
        if (span_equal(act->items[i].name, name)) {
            act->items[i].value = value;
            return;
        }
    }
    act->items = arena_grow(turn->out->arena, act->items, act->count, sizeof(*act->items));
    act->items[act->count++] = (struct act_value){.name = name, .value = value};
}

struct span
act_get(const struct act_values *values, struct span name)
{
    for (uint32_t i = 0; i < values->count; i++) {
        if (span_equal(values->items[i].name, name)) {
            return values->items[i].value;
        }
    }
    return (struct span){0};
}
