/* What the state takes of memory, by kind. */
#include "engine/tables.h"

#include <assert.h>

static uint64_t
values_of(const struct columns *columns)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < columns->count; i++) {
        count += columns->numbers[i].set_count + columns->texts[i].set_count;
    }
    return count;
}

static void
add_sets(struct state_use *use, struct bitmap *const *sets, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        use->count += sets[i] == NULL ? 0 : set_count(sets[i]);
        use->bytes += sets[i] == NULL ? 0 : set_bytes(sets[i]);
    }
}

static struct state_use
sets_of(const struct state *state)
{
    struct state_use use = {.kind = "set memberships"};
    add_sets(&use, state->tags, state->tag_capacity);
    add_sets(&use, state->entered, state->scenario_capacity);
    add_sets(&use, state->finished, state->scenario_capacity);
    add_sets(&use, state->tapped, state->tapped_capacity);
    add_sets(&use, state->received, state->received_capacity);
    add_sets(&use, state->converted, state->conversion_capacity);
    add_sets(&use, &state->unreachable, 1);
    for (uint32_t i = 0; i < state->received_hours_capacity; i++) {
        for (uint32_t j = 0; j < state->received_hours[i].count; j++) {
            add_sets(&use, &state->received_hours[i].items[j].friends, 1);
        }
    }
    return use;
}

uint32_t
state_memory(const struct state *state, struct state_use out_uses[STATE_USES_MAX])
{
    const struct {
        const char *kind;
        const struct table *table;
    } tables[] = {
        {"friends", &state->friends},
        {"friends' more", &state->friends_more},
        {"enrolments", &state->enrolments},
        {"enrolments' more", &state->enrolments_more},
        {"decided steps", &state->decided},
        {"deliveries", &state->deliveries},
        {"taps", &state->taps},
        {"once", &state->once},
        {"pushes of late", &state->sent},
        {"answers", &state->answers},
        {"forms answered", &state->tallies},
        {"bookings", &state->bookings},
        {"deeds", &state->deeds},
    };
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        out_uses[count++] = (struct state_use){tables[i].kind, tables[i].table->count,
                                               table_bytes(tables[i].table)};
    }
    out_uses[count++] = (struct state_use){"LINE user ids", state->friend_ids.count,
                                           index_bytes(&state->friend_ids)};
    out_uses[count++] = (struct state_use){"values of fields", values_of(&state->columns),
                                           columns_bytes(&state->columns)};
    out_uses[count++] = (struct state_use){"texts", state->texts.count, texts_bytes(&state->texts)};
    out_uses[count++] = sets_of(state);
    assert(count <= STATE_USES_MAX);
    return count;
}
