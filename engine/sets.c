/* Tags and the "ever entered" sets: roaring bitmaps over friend indexes. */
#include "engine/conversion.h"
#include "engine/tables.h"

#include <assert.h>
#include <roaring/roaring.h>
#include <stdlib.h>

static roaring_bitmap_t *
set_of(struct bitmap *bitmap)
{
    return (roaring_bitmap_t *)bitmap;
}

static void
put(struct bitmap **slot, uint32_t friend, bool present)
{
    if (*slot == NULL) {
        *slot = (struct bitmap *)roaring_bitmap_create();
        assert(*slot != NULL);
    }
    if (present) {
        roaring_bitmap_add(set_of(*slot), friend);
    } else {
        roaring_bitmap_remove(set_of(*slot), friend);
    }
}

uint32_t
set_count(const struct bitmap *set)
{
    return (uint32_t)roaring_bitmap_get_cardinality((const roaring_bitmap_t *)set);
}

void
set_members(const struct bitmap *set, uint32_t *out_members)
{
    roaring_bitmap_to_uint32_array((const roaring_bitmap_t *)set, out_members);
}

void
set_add_all(struct bitmap **slot, const uint32_t *members, uint32_t count)
{
    if (*slot == NULL) {
        *slot = (struct bitmap *)roaring_bitmap_create();
        assert(*slot != NULL);
    }
    roaring_bitmap_add_many(set_of(*slot), count, members);
}

struct bitmap **
tables_tag_slot(struct state *state, uint32_t tag)
{
    if (tag >= state->tag_capacity) {
        uint32_t capacity = tag + 16;
        state->tags = realloc(state->tags, capacity * sizeof(struct bitmap *));
        assert(state->tags != NULL);
        memset(state->tags + state->tag_capacity, 0,
               (capacity - state->tag_capacity) * sizeof(struct bitmap *));
        state->tag_capacity = capacity;
    }
    return &state->tags[tag];
}

void
tables_set_tag(struct state *state, uint32_t friend, uint32_t tag, bool present)
{
    put(tables_tag_slot(state, tag), friend, present);
}

bool
state_has_tag(const struct state *state, uint32_t friend, uint32_t tag)
{
    return tag < state->tag_capacity && state->tags[tag] != NULL &&
           roaring_bitmap_contains(set_of(state->tags[tag]), friend);
}

uint32_t
state_tag_count(const struct state *state, uint32_t tag)
{
    if (tag >= state->tag_capacity || state->tags[tag] == NULL) {
        return 0;
    }
    return set_count(state->tags[tag]);
}

void
tables_each_tagged(const struct state *state, uint32_t tag, tables_friend_fn fn, void *context)
{
    if (tag >= state->tag_capacity || state->tags[tag] == NULL) {
        return;
    }
    roaring_uint32_iterator_t members;
    roaring_init_iterator(set_of(state->tags[tag]), &members);
    while (members.has_value) {
        fn(context, members.current_value);
        roaring_advance_uint32_iterator(&members);
    }
}

void
tables_set_entered(struct state *state, uint32_t friend, uint32_t scenario)
{
    tables_scenario_counts(state, scenario);
    put(&state->entered[scenario], friend, true);
}

bool
state_has_entered(const struct state *state, uint32_t friend, uint32_t scenario)
{
    return scenario < state->scenario_capacity && state->entered[scenario] != NULL &&
           roaring_bitmap_contains(set_of(state->entered[scenario]), friend);
}

uint32_t
tables_audience_next(const struct broadcast_row *row, uint32_t from)
{
    if (row->audience == NULL) {
        return NO_ID;
    }
    roaring_uint32_iterator_t members;
    roaring_init_iterator(set_of(row->audience), &members);
    return roaring_move_uint32_iterator_equalorlarger(&members, from) ? members.current_value
                                                                      : NO_ID;
}

void
tables_audience_add(struct broadcast_row *row, uint32_t friend)
{
    put(&row->audience, friend, true);
}

void
tables_audience_drop(struct broadcast_row *row)
{
    if (row->audience != NULL) {
        roaring_bitmap_free(set_of(row->audience));
        row->audience = NULL;
    }
}

void
tables_set_converted(struct state *state, uint32_t friend, uint32_t conversion)
{
    uint32_t sets = state->conversion_capacity, counts = state->conversion_capacity;
    state->converted =
        tables_grow(state->converted, &sets, conversion + 1, sizeof(struct bitmap *));
    state->conversion_counts = tables_grow(state->conversion_counts, &counts, conversion + 1,
                                           sizeof(*state->conversion_counts));
    state->conversion_capacity = counts;
    put(&state->converted[conversion], friend, true);
}

bool
state_has_converted(const struct state *state, uint32_t friend, uint32_t conversion)
{
    return conversion < state->conversion_capacity && state->converted[conversion] != NULL &&
           roaring_bitmap_contains(set_of(state->converted[conversion]), friend);
}

uint32_t
state_converted_count(const struct state *state, uint32_t conversion)
{
    if (conversion >= state->conversion_capacity || state->converted[conversion] == NULL) {
        return 0;
    }
    return (uint32_t)roaring_bitmap_get_cardinality(set_of(state->converted[conversion]));
}

void
tables_each_converted(const struct state *state, uint32_t conversion, tables_friend_fn fn,
                      void *context)
{
    if (conversion >= state->conversion_capacity || state->converted[conversion] == NULL) {
        return;
    }
    roaring_uint32_iterator_t members;
    roaring_init_iterator(set_of(state->converted[conversion]), &members);
    while (members.has_value) {
        fn(context, members.current_value);
        roaring_advance_uint32_iterator(&members);
    }
}

static void
free_all(struct bitmap **sets, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (sets[i] != NULL) {
            roaring_bitmap_free(set_of(sets[i]));
        }
    }
    free(sets);
}

static void
free_rows(struct state *state)
{
    for (uint32_t i = 0; i < state->friend_count; i++) {
        while (state->friends[i].first_delivery != NO_ID) {
            tables_free_delivery(state, state->friends[i].first_delivery);
        }
        free(state->friends[i].line_id);
        free(state->friends[i].name);
    }
    for (uint32_t i = 0; i < state->value_count; i++) {
        free(state->values[i].text);
    }
    for (uint32_t i = 0; i < state->answer_count; i++) {
        free(state->answers[i].text);
    }
    free(state->friends);
    free(state->answers);
    free(state->tallies);
    free(state->choices);
    free(state->bookings);
    free(state->values);
    free(state->sent);
    free(state->enrolments);
    free(state->decided);
    free(state->deliveries);
    free(state->friend_slots);
}

void
state_fini(struct state *state)
{
    free_rows(state);
    for (uint32_t i = 0; i < state->broadcast_capacity; i++) {
        tables_audience_drop(&state->broadcasts[i]);
    }
    free(state->broadcasts);
    free_all(state->tags, state->tag_capacity);
    free_all(state->entered, state->scenario_capacity);
    free_all(state->converted, state->conversion_capacity);
    free(state->conversion_counts);
    free(state->scenario_counts);
    free(state->run_ids);
    free(state->claim.machine);
    free(state->claim.path);
    definitions_release(state->definitions);
    definitions_release(state->definitions_before);
    *state = (struct state){0};
}
