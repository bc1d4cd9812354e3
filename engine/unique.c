#include "engine/unique.h"

#include "engine/base/checksum.h"

#include <assert.h>
#include <stdlib.h>

enum { SLOTS_MIN = 64, EMPTY = 0 };
#define GONE UINT32_MAX

struct slot {
    uint32_t friend; /* index + 1; EMPTY, GONE */
    uint32_t field;
};
struct unique {
    struct slot *slots;
    uint32_t slot_count, used; /* used: those that are not EMPTY */
    bool *fields;              /* of the definitions it was made for, by id */
    uint32_t field_count;
};

static bool
is_unique(const struct state *state, uint32_t field)
{
    return state->unique != NULL && field < state->unique->field_count &&
           state->unique->fields[field];
}

static bool
has_unique(const struct definitions *definitions, uint32_t field)
{
    return field < definitions->field_names.count && definitions->fields[field].unique &&
           definitions->field_names.items[field].in_force;
}

static struct span
text_of(const struct state *state, uint32_t friend, uint32_t field)
{
    return span_cstr(state_value(state, friend, field).text);
}

/* The slot of that value, or the first empty one on its way. */
static struct slot *
find(const struct state *state, uint32_t field, struct span text)
{
    const struct unique *unique = state->unique;
    uint32_t at = (uint32_t)checksum_seeded(text.data, text.len, field);
    for (;; at++) {
        struct slot *slot = &unique->slots[at & (unique->slot_count - 1)];
        if (slot->friend == EMPTY || (slot->friend != GONE && slot->field == field &&
                                      span_equal(text_of(state, slot->friend - 1, field), text))) {
            return slot;
        }
    }
}

uint32_t
unique_owner(const struct state *state, uint32_t field, struct span text)
{
    if (!is_unique(state, field) || text.len == 0) {
        return NO_ID;
    }
    const struct slot *slot = find(state, field, text);
    return slot->friend == EMPTY ? NO_ID : slot->friend - 1;
}

static void
put_all(struct state *state)
{
    for (uint32_t field = 0; field < state->unique->field_count; field++) {
        for (uint32_t friend = 0; is_unique(state, field) && friend < state->friends.count;
             friend ++) {
            unique_add(state, friend, field);
        }
    }
}

static void
make_slots(struct unique *unique, uint32_t count)
{
    free(unique->slots);
    unique->slot_count = count;
    unique->used = 0;
    unique->slots = calloc(count, sizeof(*unique->slots));
    assert(unique->slots != NULL);
}

void
unique_add(struct state *state, uint32_t friend, uint32_t field)
{
    struct span text = text_of(state, friend, field);
    if (!is_unique(state, field) || text.len == 0) {
        return;
    }
    if (state->unique->used >= state->unique->slot_count / 2) {
        make_slots(state->unique, state->unique->slot_count * 2);
        put_all(state); /* this one is among the rows */
        return;
    }
    struct slot *slot = find(state, field, text);
    if (slot->friend == EMPTY) {
        *slot = (struct slot){.friend = friend + 1, .field = field};
        state->unique->used++;
    }
}

void
unique_remove(struct state *state, uint32_t friend, uint32_t field)
{
    struct span text = text_of(state, friend, field);
    if (is_unique(state, field) && text.len > 0) {
        struct slot *slot = find(state, field, text);
        if (slot->friend == friend + 1) {
            slot->friend = GONE;
        }
    }
}

void
unique_rebuild(struct state *state)
{
    const struct definitions *definitions = state->definitions;
    unique_fini(state);
    state->unique = calloc(1, sizeof(*state->unique));
    assert(state->unique != NULL);
    state->unique->field_count = definitions->field_names.count;
    state->unique->fields = calloc((size_t)definitions->field_names.count + 1, sizeof(bool));
    assert(state->unique->fields != NULL);
    for (uint32_t i = 0; i < definitions->field_names.count; i++) {
        state->unique->fields[i] = has_unique(definitions, i);
    }
    make_slots(state->unique, SLOTS_MIN);
    put_all(state);
}

void
unique_follow(struct state *state, const struct definitions *before)
{
    const struct definitions *after = state->definitions;
    for (uint32_t i = 0; i < after->field_names.count; i++) {
        if (has_unique(before, i) != has_unique(after, i)) {
            unique_rebuild(state);
            return;
        }
    }
}

void
unique_fini(struct state *state)
{
    if (state->unique != NULL) {
        free(state->unique->slots);
        free(state->unique->fields);
        free(state->unique);
        state->unique = NULL;
    }
}
