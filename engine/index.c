#include "engine/index.h"

#include <assert.h>
#include <stdlib.h>

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

void
index_settle(struct index *index, const struct index_keys *keys)
{
    move(index, keys, index->old.room);
}

static void
grow(struct index *index, const struct index_keys *keys)
{
    index_settle(index, keys); /* nothing to do: it was moved before the new one filled */
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

size_t
index_bytes(const struct index *index)
{
    return ((size_t)index->now.room + index->old.room) * sizeof(uint32_t);
}
