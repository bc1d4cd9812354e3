/* Tags and the "ever entered" sets: roaring bitmaps over friend indexes. */
#include "engine/conversion.h"
#include "engine/deed.h"
#include "engine/tables.h"
#include "engine/unique.h"

#include "engine/base/checksum.h"

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

static bool
holds(struct bitmap *const *sets, uint32_t capacity, uint32_t id, uint32_t friend)
{
    return id < capacity && sets[id] != NULL && roaring_bitmap_contains(set_of(sets[id]), friend);
}

uint32_t
set_count(const struct bitmap *set)
{
    return (uint32_t)roaring_bitmap_get_cardinality((const roaring_bitmap_t *)set);
}

bool
set_holds(const struct bitmap *set, uint32_t friend)
{
    return roaring_bitmap_contains((const roaring_bitmap_t *)set, friend);
}

void
set_unite(struct bitmap *set, const struct bitmap *with)
{
    roaring_bitmap_or_inplace(set_of(set), (const roaring_bitmap_t *)with);
}

void
set_members(const struct bitmap *set, uint32_t *out_members)
{
    roaring_bitmap_to_uint32_array((const roaring_bitmap_t *)set, out_members);
}

uint32_t
set_next(const struct bitmap *set, uint32_t from)
{
    if (set == NULL) {
        return NO_ID;
    }
    roaring_uint32_iterator_t each;
    roaring_init_iterator((const roaring_bitmap_t *)set, &each);
    return roaring_move_uint32_iterator_equalorlarger(&each, from) ? each.current_value : NO_ID;
}

void
set_free(struct bitmap *set)
{
    if (set != NULL) {
        roaring_bitmap_free(set_of(set));
    }
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
tables_set_slot(struct bitmap ***sets, uint32_t *capacity, uint32_t id)
{
    if (id >= *capacity) {
        uint32_t grown = id + 16;
        *sets = realloc(*sets, grown * sizeof(struct bitmap *));
        assert(*sets != NULL);
        memset(*sets + *capacity, 0, (grown - *capacity) * sizeof(struct bitmap *));
        *capacity = grown;
    }
    return &(*sets)[id];
}

struct bitmap **
tables_tag_slot(struct state *state, uint32_t tag)
{
    return tables_set_slot(&state->tags, &state->tag_capacity, tag);
}

void
tables_set_tag(struct state *state, uint32_t friend, uint32_t tag, bool present)
{
    put(tables_tag_slot(state, tag), friend, present);
}

bool
state_has_tag(const struct state *state, uint32_t friend, uint32_t tag)
{
    return holds(state->tags, state->tag_capacity, tag, friend);
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
tables_index_reach(struct state *state, uint32_t friend)
{
    const struct friend_row *row = &state->friends[friend];
    put(&state->unreachable, friend, row->blocked || row->operator_blocked || row->forgotten);
}

void
tables_index_reach_of_all(struct state *state)
{
    for (uint32_t friend = 0; friend < state->friend_count; friend ++) {
        tables_index_reach(state, friend);
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
    return holds(state->entered, state->scenario_capacity, scenario, friend);
}

void
tables_set_finished(struct state *state, uint32_t friend, uint32_t scenario)
{
    tables_scenario_counts(state, scenario);
    put(&state->finished[scenario], friend, true);
}

bool
state_has_finished(const struct state *state, uint32_t friend, uint32_t scenario)
{
    return holds(state->finished, state->scenario_capacity, scenario, friend);
}

void
tables_set_tapped(struct state *state, uint32_t friend, uint32_t button)
{
    put(tables_set_slot(&state->tapped, &state->tapped_capacity, button), friend, true);
}

bool
state_has_tapped(const struct state *state, uint32_t friend, uint32_t button)
{
    return holds(state->tapped, state->tapped_capacity, button, friend);
}

void
tables_set_received(struct state *state, uint32_t friend, uint32_t template)
{
    put(tables_set_slot(&state->received, &state->received_capacity, template), friend, true);
}

bool
state_has_received(const struct state *state, uint32_t friend, uint32_t template)
{
    return holds(state->received, state->received_capacity, template, friend);
}

uint64_t
tables_sets_checksum(struct bitmap *const *sets, uint32_t count)
{
    struct checksum *sum = checksum_new();
    for (uint32_t id = 0; id < count; id++) {
        if (sets[id] == NULL) {
            continue; /* as good as empty: rooms differ, members do not */
        }
        roaring_uint32_iterator_t members;
        roaring_init_iterator(set_of(sets[id]), &members);
        while (members.has_value) {
            checksum_add_u64(sum, (uint64_t)id << 32 | members.current_value);
            roaring_advance_uint32_iterator(&members);
        }
    }
    uint64_t value = checksum_value(sum);
    checksum_free(sum);
    return value;
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
    for (uint32_t i = 0; i < state->language_count; i++) {
        free(state->languages[i]);
    }
    free(state->languages);
    free(state->friends);
    free(state->answers);
    free(state->tallies);
    free(state->choices);
    free(state->bookings);
    free(state->values);
    free(state->once);
    free(state->taps);
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
    set_free(state->unreachable);
    free_all(state->entered, state->scenario_capacity);
    free_all(state->finished, state->scenario_capacity);
    free_all(state->tapped, state->tapped_capacity);
    free_all(state->received, state->received_capacity);
    deed_fini(state);
    unique_fini(state);
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
