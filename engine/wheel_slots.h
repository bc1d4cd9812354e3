/* wheel_slots - where the entries of a wheel (engine/wheel.h) wait, unsorted, until their slot is opened.
 *
 * Shape    64 slots for each of 17 digits of (due instant, owner). An entry lies at the first digit in
 *          which it differs from `base`, in the slot of its own digit there. A slot is a list of chunks
 *          of words, all full but the last: entries are put at its back and taken in whole chunks from
 *          its front. A word is the low 32 bits of the instant, then the owner; the upper bits are those
 *          of the slot's `min`, or in *wide* slots, which span more than 2^32 ms, the word before it.
 * Units    UTC milliseconds outside; inside, instants are counted from `origin_ms`, so that where the
 *          digits turn over depends on when the wheel began and not on 1970.
 * Errors   false or NULL where there is no memory; everything is then as it was.
 * Owner    inside struct wheel, which alone moves base. The slots own their chunks and keep some free
 *          ones; a detached slot's chunks belong to who detached it, until chunk_put().
 */
#ifndef ENGINE_WHEEL_SLOTS_H
#define ENGINE_WHEEL_SLOTS_H

#include "engine/wheel.h"

enum { DIGIT_BITS = 6, DIGITS = 1 << DIGIT_BITS };
enum { OWNER_LEVELS = 6, DUE_LEVELS = 11, LEVELS = OWNER_LEVELS + DUE_LEVELS };
enum { SLOTS = LEVELS * DIGITS, NO_SLOT = SLOTS };
enum { WIDE_SLOTS = (OWNER_LEVELS + 6) * DIGITS }; /* slots from this on are wide */
enum { CHUNK_WORDS = 254 };                        /* 2 KiB a chunk */

struct chunk {
    struct chunk *next;
    size_t words_used;
    uint64_t words[CHUNK_WORDS];
};

struct slot {
    struct chunk *first, *last;
    size_t count;           /* entries */
    struct wheel_entry min; /* none comes before it; the least of them, until a sweep drops that */
};

struct slots {
    const struct mem *mem;
    int64_t origin_ms;
    struct wheel_entry base; /* no entry comes before it */
    uint32_t levels_used;
    uint64_t used[LEVELS];
    struct slot items[SLOTS];
    struct chunk *chunks_free;
    size_t chunk_count, chunk_free_count; /* the first counts them all, wherever they are */
};

static inline bool
entry_before(struct wheel_entry a, struct wheel_entry b)
{
    return a.due_ms < b.due_ms || (a.due_ms == b.due_ms && a.owner < b.owner);
}

/* An instant as the digits see it. */
static inline uint64_t
slots_from_origin(const struct slots *slots, int64_t due_ms)
{
    return (uint64_t)due_ms - (uint64_t)slots->origin_ms;
}

/* The bits of it that words leave out. */
static inline uint64_t
slots_high_part(uint64_t instant)
{
    return instant & ~UINT64_C(0xffffffff);
}

static inline struct wheel_entry
slots_entry(const struct slots *slots, uint64_t high, uint64_t word)
{
    return (struct wheel_entry){.due_ms =
                                    (int64_t)((uint64_t)slots->origin_ms + (high | word >> 32)),
                                .owner = (uint32_t)word};
}

/* The entry of a slot whose last word stands before `end`. */
static inline struct wheel_entry
slot_entry(const struct slots *slots, const struct slot *slot, bool wide, const uint64_t *end)
{
    uint64_t high = wide ? end[-2] : slots_high_part(slots_from_origin(slots, slot->min.due_ms));
    return slots_entry(slots, high, end[-1]);
}

void slots_fini(struct slots *slots);

/* Puts an entry that does not come before base where it belongs and returns the slot. */
struct slot *slots_put(struct slots *slots, struct wheel_entry entry);

/* The slot whose entries come before those of all others; NO_SLOT when all are empty. */
uint32_t slots_earliest(const struct slots *slots);

/* The first from `from` on, all the way round, that has entries; NO_SLOT when none has. */
uint32_t slots_used_from(const struct slots *slots, uint32_t from);

/* Empties the slot and hands over what was in it. */
struct slot slots_detach(struct slots *slots, uint32_t index);

/* The place before a narrow slot's first and its last place, from any entry in it. The digit is not 0. */
void slots_ends(const struct slots *slots, uint32_t index, struct wheel_entry inside,
                struct wheel_entry *out_before, struct wheel_entry *out_last);

/* The first chunk of a slot that has one, out of the list. */
struct chunk *slot_take_chunk(struct slot *slot);
/* Lets `count` chunks be had without asking for memory. */
bool chunks_reserve(struct slots *slots, size_t count);
/* Gives a chunk back; one at least can be had afterwards. */
void chunk_put(struct slots *slots, struct chunk *chunk);

/* Walks the invariants of the slots and of one that was detached to be placed again; counts entries. */
bool slots_check(const struct slots *slots, const struct slot *detached, bool wide,
                 size_t *out_entries);

#endif
