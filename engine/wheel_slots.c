#include "engine/wheel_slots.h"

enum { CHUNKS_SPARE = 64 }; /* free chunks kept, against to and fro */

/* ---- chunks ---- */

bool
chunks_reserve(struct slots *slots, size_t count)
{
    while (slots->chunk_free_count < count) {
        struct chunk *chunk = mem_resize(slots->mem, NULL, 0, sizeof(*chunk));
        if (chunk == NULL) {
            return false;
        }
        chunk->next = slots->chunks_free;
        slots->chunks_free = chunk;
        slots->chunk_free_count++;
        slots->chunk_count++;
    }
    return true;
}

static struct chunk *
chunk_get(struct slots *slots)
{
    if (!chunks_reserve(slots, 1)) {
        return NULL;
    }
    struct chunk *chunk = slots->chunks_free;
    slots->chunks_free = chunk->next;
    slots->chunk_free_count--;
    chunk->next = NULL;
    chunk->words_used = 0;
    return chunk;
}

void
chunk_put(struct slots *slots, struct chunk *chunk)
{
    if (slots->chunk_free_count >= CHUNKS_SPARE) {
        mem_free(slots->mem, chunk, sizeof(*chunk));
        slots->chunk_count--;
    } else {
        chunk->next = slots->chunks_free;
        slots->chunks_free = chunk;
        slots->chunk_free_count++;
    }
}

struct chunk *
slot_take_chunk(struct slot *slot)
{
    struct chunk *chunk = slot->first;
    slot->first = chunk->next;
    if (slot->first == NULL) {
        slot->last = NULL;
    }
    return chunk;
}

static void
chunks_free(struct slots *slots, struct chunk *chunk)
{
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        mem_free(slots->mem, chunk, sizeof(*chunk));
        chunk = next;
    }
}

void
slots_fini(struct slots *slots)
{
    for (size_t i = 0; i < SLOTS; i++) {
        chunks_free(slots, slots->items[i].first);
    }
    chunks_free(slots, slots->chunks_free);
}

/* ---- slots ---- */

/* Of an entry that does not come before base. */
static inline uint32_t
index_of(const struct slots *slots, struct wheel_entry entry)
{
    uint64_t due = slots_from_origin(slots, entry.due_ms);
    uint64_t due_differs = due ^ slots_from_origin(slots, slots->base.due_ms);
    if (due_differs != 0) {
        uint32_t digit = (63 - (uint32_t)__builtin_clzll(due_differs)) / DIGIT_BITS;
        return (OWNER_LEVELS + digit) * DIGITS + (uint32_t)(due >> digit * DIGIT_BITS) % DIGITS;
    }
    uint32_t owner_differs =
        (entry.owner ^ slots->base.owner) | 1; /* base itself: the last digit */
    uint32_t digit = (31 - (uint32_t)__builtin_clz(owner_differs)) / DIGIT_BITS;
    return digit * DIGITS + (entry.owner >> digit * DIGIT_BITS) % DIGITS;
}

/* Rare, and apart: slots_put() would otherwise save registers for it at every entry. */
__attribute__((noinline)) static struct slot *
put_in_new_chunk(struct slots *slots, uint32_t index, struct wheel_entry entry)
{
    struct slot *slot = &slots->items[index];
    struct chunk *chunk = chunk_get(slots);
    if (chunk == NULL) {
        return NULL;
    }
    if (slot->last == NULL) {
        slot->first = chunk;
        slot->min = entry;
        slots->used[index / DIGITS] |= UINT64_C(1) << index % DIGITS;
        slots->levels_used |= 1u << index / DIGITS;
    } else {
        slot->last->next = chunk;
    }
    slot->last = chunk;
    return slots_put(slots, entry);
}

struct slot *
slots_put(struct slots *slots, struct wheel_entry entry)
{
    uint32_t index = index_of(slots, entry);
    struct slot *slot = &slots->items[index];
    struct chunk *chunk = slot->last;
    if (chunk == NULL || chunk->words_used == CHUNK_WORDS) {
        return put_in_new_chunk(slots, index, entry);
    }
    uint64_t due = slots_from_origin(slots, entry.due_ms);
    if (index >= WIDE_SLOTS) {
        chunk->words[chunk->words_used++] = slots_high_part(due);
    }
    chunk->words[chunk->words_used++] = due << 32 | entry.owner;
    slot->count++;
    if (entry_before(entry, slot->min)) {
        slot->min = entry;
    }
    return slot;
}

struct slot
slots_detach(struct slots *slots, uint32_t index)
{
    struct slot slot = slots->items[index];
    slots->items[index] = (struct slot){0};
    uint32_t level = index / DIGITS;
    slots->used[level] &= ~(UINT64_C(1) << index % DIGITS);
    if (slots->used[level] == 0) {
        slots->levels_used &= ~(1u << level);
    }
    return slot;
}

uint32_t
slots_earliest(const struct slots *slots)
{
    if (slots->levels_used == 0) {
        return NO_SLOT;
    }
    uint32_t level = (uint32_t)__builtin_ctz(slots->levels_used);
    return level * DIGITS + (uint32_t)__builtin_ctzll(slots->used[level]);
}

uint32_t
slots_used_from(const struct slots *slots, uint32_t from)
{
    uint64_t unseen = ~UINT64_C(0) << from % DIGITS;
    for (uint32_t step = 0; step <= LEVELS; step++) {
        uint32_t level = (from / DIGITS + step) % LEVELS;
        uint64_t used = slots->used[level] & unseen;
        if (used != 0) {
            return level * DIGITS + (uint32_t)__builtin_ctzll(used);
        }
        unseen = ~UINT64_C(0);
    }
    return NO_SLOT;
}

void
slots_ends(const struct slots *slots, uint32_t index, struct wheel_entry inside,
           struct wheel_entry *out_before, struct wheel_entry *out_last)
{
    uint32_t level = index / DIGITS;
    if (level < OWNER_LEVELS) {
        uint32_t below = (1u << level * DIGIT_BITS) - 1;
        *out_before = (struct wheel_entry){inside.due_ms, (inside.owner & ~below) - 1};
        *out_last = (struct wheel_entry){inside.due_ms, inside.owner | below};
    } else {
        uint64_t below = (UINT64_C(1) << (level - OWNER_LEVELS) * DIGIT_BITS) - 1;
        uint64_t due = slots_from_origin(slots, inside.due_ms);
        uint64_t before = (due & ~below) - 1;
        *out_before = slots_entry(slots, slots_high_part(before), before << 32 | UINT32_MAX);
        *out_last = slots_entry(slots, slots_high_part(due), (due | below) << 32 | UINT32_MAX);
    }
}

/* ---- the invariants ---- */

/* Every chunk but the last is full, the first of a slot being placed again excepted; every entry comes
 * neither before min nor before base and lies where it belongs. */
static bool
check_slot(const struct slots *slots, const struct slot *slot, uint32_t index, bool wide)
{
    size_t count = 0;
    const struct chunk *last = NULL;
    for (const struct chunk *chunk = slot->first; chunk != NULL; chunk = chunk->next) {
        struct chunk rest = *chunk;
        bool may_be_begun = chunk->next == NULL || (index == NO_SLOT && chunk == slot->first);
        if (rest.words_used == 0 || rest.words_used > CHUNK_WORDS ||
            (rest.words_used < CHUNK_WORDS && !may_be_begun)) {
            return false;
        }
        for (; rest.words_used > 0; count++) {
            struct wheel_entry entry = slot_entry(slots, slot, wide, rest.words + rest.words_used);
            rest.words_used -= wide ? 2 : 1;
            if (entry_before(entry, slot->min) || entry_before(entry, slots->base) ||
                (index != NO_SLOT && index_of(slots, entry) != index)) {
                return false;
            }
        }
        last = chunk;
    }
    return last == slot->last && count == slot->count;
}

static size_t
list_length(const struct chunk *chunk)
{
    size_t length = 0;
    for (; chunk != NULL; chunk = chunk->next) {
        length++;
    }
    return length;
}

bool
slots_check(const struct slots *slots, const struct slot *detached, bool wide, size_t *out_entries)
{
    *out_entries = detached->count;
    size_t chunks = list_length(detached->first) + list_length(slots->chunks_free);
    for (uint32_t index = 0; index < SLOTS; index++) {
        const struct slot *slot = &slots->items[index];
        bool used = (slots->used[index / DIGITS] >> index % DIGITS & 1) != 0;
        if (used != (slot->count > 0) || !check_slot(slots, slot, index, index >= WIDE_SLOTS)) {
            return false;
        }
        *out_entries += slot->count;
        chunks += list_length(slot->first);
    }
    for (uint32_t level = 0; level < LEVELS; level++) {
        if ((slots->levels_used >> level & 1) != (slots->used[level] != 0)) {
            return false;
        }
    }
    return check_slot(slots, detached, NO_SLOT, wide) && chunks == slots->chunk_count &&
           list_length(slots->chunks_free) == slots->chunk_free_count;
}
