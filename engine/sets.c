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

size_t
set_bytes(const struct bitmap *set)
{
    roaring_statistics_t statistics;
    roaring_bitmap_statistics((const roaring_bitmap_t *)set, &statistics);
    return (size_t)statistics.n_bytes_array_containers + statistics.n_bytes_run_containers +
           statistics.n_bytes_bitset_containers + (size_t)statistics.n_containers * 16;
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
set_add(struct bitmap **slot, uint32_t friend)
{
    put(slot, friend, true);
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

uint32_t
set_count_both(const struct bitmap *a, const struct bitmap *b)
{
    return a == NULL || b == NULL ? 0
                                  : (uint32_t)roaring_bitmap_and_cardinality(
                                        (const roaring_bitmap_t *)a, (const roaring_bitmap_t *)b);
}

void
set_keep(struct bitmap **slot, const struct bitmap *other)
{
    roaring_bitmap_t *kept =
        other == NULL   ? roaring_bitmap_create()
        : *slot == NULL ? roaring_bitmap_copy((const roaring_bitmap_t *)other)
                        : roaring_bitmap_and(set_of(*slot), (const roaring_bitmap_t *)other);
    assert(kept != NULL);
    set_free(*slot);
    *slot = (struct bitmap *)kept;
}

void
set_free(struct bitmap *set)
{
    if (set != NULL) {
        roaring_bitmap_free(set_of(set));
    }
}

/* A set goes in the form that takes least: its members, its runs (first and last), or a bit for every
 * number below the limit. */
enum set_form { SET_MEMBERS = 1, SET_RUNS = 2, SET_BITS = 3 };

static uint32_t
count_runs(const uint32_t *members, uint32_t count)
{
    uint32_t runs = 0;
    for (uint32_t i = 0; i < count; i++) {
        runs += i == 0 || members[i] != members[i - 1] + 1;
    }
    return runs;
}

static size_t
word_count(uint32_t limit)
{
    return (size_t)limit / 64 + 1;
}

static void
put_runs(struct stream *stream, const uint32_t *members, uint32_t count)
{
    for (uint32_t i = 0; i < count;) {
        uint32_t run[2] = {members[i], members[i]};
        for (i++; i < count && members[i] == run[1] + 1; i++) {
            run[1]++;
        }
        stream_bytes(stream, run, sizeof(run));
    }
}

static void
put_bits(struct stream *stream, const uint32_t *members, uint32_t count, uint32_t limit)
{
    uint64_t *words = calloc(word_count(limit), sizeof(*words));
    assert(words != NULL);
    for (uint32_t i = 0; i < count; i++) {
        words[members[i] / 64] |= UINT64_C(1) << members[i] % 64;
    }
    stream_bytes(stream, words, word_count(limit) * sizeof(*words));
    free(words);
}

static void
set_out(struct bitmap *set, struct stream *stream, uint32_t limit)
{
    uint32_t count = set == NULL ? 0 : set_count(set);
    uint32_t *members = malloc((count + (size_t)1) * sizeof(*members));
    assert(members != NULL);
    if (count > 0) {
        set_members(set, members);
    }
    uint32_t runs = count_runs(members, count);
    size_t bits_bytes = word_count(limit) * sizeof(uint64_t);
    bool as_runs = runs <= count / 2 && runs * sizeof(uint32_t) * 2 <= bits_bytes;
    bool as_members = !as_runs && count * sizeof(uint32_t) <= bits_bytes;
    uint32_t form = as_runs ? SET_RUNS : as_members ? SET_MEMBERS : SET_BITS;
    stream_u32(stream, &form);
    uint32_t rows = as_runs ? runs : count;
    stream_u32(stream, &rows);
    if (as_runs) {
        put_runs(stream, members, count);
    } else if (as_members) {
        stream_bytes(stream, members, count * sizeof(*members));
    } else {
        put_bits(stream, members, count, limit);
    }
    free(members);
}

static void
get_members(struct stream *stream, roaring_bitmap_t *set, uint32_t count, uint32_t limit)
{
    for (uint64_t from = 0; count > 0 && stream->rc == RC_OK; count--) {
        uint32_t member = 0;
        stream_u32(stream, &member);
        stream_check(stream, member >= from && member < limit,
                     "a set has a member that is no friend");
        if (stream->rc == RC_OK) {
            roaring_bitmap_add(set, member);
        }
        from = (uint64_t)member + 1;
    }
}

static void
get_runs(struct stream *stream, roaring_bitmap_t *set, uint32_t count, uint32_t limit)
{
    for (uint64_t from = 0; count > 0 && stream->rc == RC_OK; count--) {
        uint32_t run[2] = {0, 0};
        stream_bytes(stream, run, sizeof(run));
        stream_check(stream, run[0] >= from && run[1] >= run[0] && run[1] < limit,
                     "a set has a member that is no friend");
        if (stream->rc == RC_OK) {
            roaring_bitmap_add_range_closed(set, run[0], run[1]);
        }
        from = (uint64_t)run[1] + 1;
    }
}

static void
get_bits(struct stream *stream, roaring_bitmap_t *set, uint32_t count, uint32_t limit)
{
    enum { WORDS = 1024 };
    static const char OTHERS[] = "a set has other members than it says";
    uint64_t words[WORDS];
    uint32_t members[WORDS * 64], found = 0;
    for (size_t at = 0; at < word_count(limit) && stream->rc == RC_OK; at += WORDS) {
        size_t share = word_count(limit) - at < WORDS ? word_count(limit) - at : WORDS;
        uint32_t some = 0;
        stream_bytes(stream, words, share * sizeof(*words));
        for (size_t i = 0; stream->rc == RC_OK && i < share; i++) {
            for (uint64_t word = words[i]; word != 0; word &= word - 1) {
                members[some++] = (uint32_t)((at + i) * 64) + (uint32_t)__builtin_ctzll(word);
            }
        }
        stream_check(stream, some == 0 || members[some - 1] < limit, OTHERS);
        roaring_bitmap_add_many(set, some, members);
        found += some;
    }
    stream_check(stream, found == count, OTHERS);
}

void
set_stream(struct bitmap **slot, struct stream *stream, uint32_t limit)
{
    if (!stream_reads(stream)) {
        set_out(*slot, stream, limit);
        return;
    }
    uint32_t form = 0, count = 0;
    stream_u32(stream, &form);
    stream_u32(stream, &count);
    stream_check(stream, form >= SET_MEMBERS && form <= SET_BITS && count <= limit && *slot == NULL,
                 "a set's row makes no sense");
    if (stream->rc != RC_OK) {
        return;
    }
    roaring_bitmap_t *set = roaring_bitmap_create();
    assert(set != NULL);
    *slot = (struct bitmap *)set;
    if (form == SET_MEMBERS) {
        get_members(stream, set, count, limit);
    } else if (form == SET_RUNS) {
        get_runs(stream, set, count, limit);
    } else {
        get_bits(stream, set, count, limit);
    }
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
    const struct friend_row *row = tables_friend(state, friend);
    put(&state->unreachable, friend, row->blocked || row->operator_blocked || row->forgotten);
}

void
tables_index_reach_of_all(struct state *state)
{
    for (uint32_t friend = 0; friend < state->friends.count; friend ++) {
        const struct friend_row *row = state_friend(state, friend);
        if (row->blocked || row->operator_blocked || row->forgotten) {
            put(&state->unreachable, friend, true);
        }
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

struct conversion_count *
tables_conversion_count(struct state *state, uint32_t conversion)
{
    uint32_t sets = state->conversion_capacity, counts = state->conversion_capacity;
    state->converted =
        tables_grow(state->converted, &sets, conversion + 1, sizeof(struct bitmap *));
    state->conversion_counts = tables_grow(state->conversion_counts, &counts, conversion + 1,
                                           sizeof(*state->conversion_counts));
    state->conversion_capacity = counts;
    return &state->conversion_counts[conversion];
}

void
tables_set_converted(struct state *state, uint32_t friend, uint32_t conversion)
{
    (void)tables_conversion_count(state, conversion);
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

void
tables_drop_sets(struct state *state)
{
    for (uint32_t i = 0; i < state->broadcast_capacity; i++) {
        tables_audience_drop(&state->broadcasts[i]);
    }
    free_all(state->tags, state->tag_capacity);
    set_free(state->unreachable);
    free_all(state->entered, state->scenario_capacity);
    free_all(state->finished, state->scenario_capacity);
    free_all(state->tapped, state->tapped_capacity);
    free_all(state->received, state->received_capacity);
    deed_fini(state);
    measure_fini(state);
    unique_fini(state);
    free_all(state->converted, state->conversion_capacity);
}
