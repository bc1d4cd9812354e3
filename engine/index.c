#include "engine/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 64, MOVE_SHARE = 8 };
static const uint32_t GONE = UINT32_MAX; /* of the old slots: a number removed while they move */

void
index_fini(struct index *index)
{
    free(index->now.slots);
    free(index->old.slots);
    *index = (struct index){0};
}

static uint32_t
home_of(const struct index_slots *slots, uint64_t hash)
{
    return (uint32_t)hash & (slots->room - 1);
}

static uint32_t
next_of(const struct index_slots *slots, uint32_t place)
{
    return (place + 1) & (slots->room - 1);
}

static void
place_number(struct index_slots *slots, uint64_t hash, uint32_t number)
{
    uint32_t place = home_of(slots, hash);
    while (slots->slots[place] != 0) {
        place = next_of(slots, place);
    }
    slots->slots[place] = number + 1;
}

static uint32_t
look(const struct index_slots *slots, const struct index_keys *keys, uint64_t hash, const void *key)
{
    if (slots->room == 0) {
        return INDEX_NONE;
    }
    for (uint32_t place = home_of(slots, hash); slots->slots[place] != 0;
         place = next_of(slots, place)) {
        uint32_t number = slots->slots[place] - 1;
        if (slots->slots[place] != GONE && keys->equals(keys->context, number, key)) {
            return number;
        }
    }
    return INDEX_NONE;
}

uint32_t
index_find(const struct index *index, const struct index_keys *keys, uint64_t hash, const void *key)
{
    uint32_t number = look(&index->now, keys, hash, key);
    return number == INDEX_NONE ? look(&index->old, keys, hash, key) : number;
}

/* Closes the gap: whoever would be looked for across it moves into it. */
static void
close_gap(struct index_slots *slots, const struct index_keys *keys, uint32_t gap)
{
    for (uint32_t place = next_of(slots, gap); slots->slots[place] != 0;
         place = next_of(slots, place)) {
        uint32_t home = home_of(slots, keys->hash(keys->context, slots->slots[place] - 1));
        uint32_t walked = (place - home) & (slots->room - 1);
        uint32_t from_gap = (place - gap) & (slots->room - 1);
        if (walked >= from_gap) {
            slots->slots[gap] = slots->slots[place];
            gap = place;
        }
    }
    slots->slots[gap] = 0;
}

/* Where the number stands; INDEX_NONE: nowhere. */
static uint32_t
place_of(const struct index_slots *slots, uint64_t hash, uint32_t number)
{
    if (slots->room == 0) {
        return INDEX_NONE;
    }
    uint32_t place = home_of(slots, hash);
    while (slots->slots[place] != 0 && slots->slots[place] != number + 1) {
        place = next_of(slots, place);
    }
    return slots->slots[place] == 0 ? INDEX_NONE : place;
}

/* A number stays in the old slots until all are moved, so that no search there meets a gap. */
static void
move(struct index *index, const struct index_keys *keys, uint32_t share)
{
    for (; share > 0 && index->moved < index->old.room; share--, index->moved++) {
        uint32_t slot = index->old.slots[index->moved];
        if (slot != 0 && slot != GONE) {
            place_number(&index->now, keys->hash(keys->context, slot - 1), slot - 1);
        }
    }
    if (index->old.room != 0 && index->moved == index->old.room) {
        free(index->old.slots);
        index->old = (struct index_slots){0};
        index->moved = 0;
    }
}

static void
grow(struct index *index, const struct index_keys *keys)
{
    move(index, keys, index->old.room); /* nothing: it was moved before the new one filled */
    uint32_t room = index->now.room == 0 ? ROOM_MIN : index->now.room * 2;
    assert(room != 0);
    index->old = index->now;
    index->now = (struct index_slots){.slots = calloc(room, sizeof(uint32_t)), .room = room};
    assert(index->now.slots != NULL);
    move(index, keys, 0);
}

void
index_put(struct index *index, const struct index_keys *keys, uint32_t number)
{
    assert(number < INDEX_NONE - 1);
    if (index->count >= index->now.room / 4 * 3) {
        grow(index, keys);
    }
    move(index, keys, MOVE_SHARE);
    place_number(&index->now, keys->hash(keys->context, number), number);
    index->count++;
}

void
index_remove(struct index *index, const struct index_keys *keys, uint32_t number)
{
    uint64_t hash = keys->hash(keys->context, number);
    uint32_t now = place_of(&index->now, hash, number);
    uint32_t old = place_of(&index->old, hash, number);
    assert(now != INDEX_NONE || old != INDEX_NONE);
    if (now != INDEX_NONE) {
        close_gap(&index->now, keys, now);
    }
    if (old != INDEX_NONE) {
        index->old.slots[old] = GONE; /* closing the gap could carry one past the move */
    }
    index->count--;
}

/* What the slots will be once all are moved. */
static void
put_moved(const struct index *index, struct stream *stream, const struct index_keys *keys)
{
    struct index copy = *index;
    copy.now.slots = malloc(index->now.room * sizeof(uint32_t));
    copy.old.slots = malloc(index->old.room * sizeof(uint32_t));
    assert(copy.now.slots != NULL && copy.old.slots != NULL);
    memcpy(copy.now.slots, index->now.slots, index->now.room * sizeof(uint32_t));
    memcpy(copy.old.slots, index->old.slots, index->old.room * sizeof(uint32_t));
    move(&copy, keys, copy.old.room);
    stream_bytes(stream, copy.now.slots, copy.now.room * sizeof(uint32_t));
    index_fini(&copy);
}

static void
get_slots(struct index *index, struct stream *stream, uint32_t room, uint32_t limit)
{
    uint32_t taken = 0;
    bool within = true;
    index->now = (struct index_slots){.slots = calloc(room, sizeof(uint32_t)), .room = room};
    assert(index->now.slots != NULL);
    stream_bytes(stream, index->now.slots, room * sizeof(uint32_t));
    for (uint32_t i = 0; i < room; i++) {
        uint32_t slot = index->now.slots[i];
        taken += slot != 0;
        within = within && slot <= limit;
    }
    stream_check(stream, within && taken == index->count && taken < room,
                 "a table of keys does not hold together");
}

void
index_stream(struct index *index, struct stream *stream, const struct index_keys *keys,
             uint32_t limit)
{
    uint32_t room = stream_count(stream, index->now.room, sizeof(uint32_t));
    stream_u32(stream, &index->count);
    stream_check(stream, (room & (room - 1)) == 0, "a table of keys has an odd size");
    if (!stream_reads(stream) && index->old.room > 0) {
        put_moved(index, stream, keys);
    } else if (!stream_reads(stream)) {
        stream_bytes(stream, index->now.slots, room * sizeof(uint32_t));
    } else if (stream->rc == RC_OK && room > 0) {
        get_slots(index, stream, room, limit);
    } else {
        stream_check(stream, index->count == 0, "a table of keys does not hold together");
    }
}

size_t
index_bytes(const struct index *index)
{
    return ((size_t)index->now.room + index->old.room) * sizeof(uint32_t);
}
