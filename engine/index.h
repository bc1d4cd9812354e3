/* index - from a key to a row's number, where the row holds the key: a hash table of bare numbers.
 *
 * Shape    open addressing; a slot is four bytes and holds the number plus one. Who knows the rows hashes
 *          and compares them (struct index_keys). Full to three quarters it begins to move into one twice
 *          as large, eight slots with every number put, so that growing never pauses; until that is done
 *          a key is looked for in both.
 * Units    row numbers below UINT32_MAX - 1; four bytes a slot.
 * Errors   out of memory ends the process (docs/adr/0001).
 * Owner    the caller embeds it; a zeroed index is an empty one; index_fini().
 */
#ifndef ENGINE_INDEX_H
#define ENGINE_INDEX_H

#include "engine/stream.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_slots {
    uint32_t *slots;
    uint32_t room; /* a power of two, or 0 */
};

struct index {
    struct index_slots now;
    struct index_slots old; /* being moved; room 0: none */
    uint32_t moved;         /* slots of the old looked at so far */
    uint32_t count;
};

struct index_keys {
    uint64_t (*hash)(const void *context, uint32_t number);
    bool (*equals)(const void *context, uint32_t number, const void *key);
    const void *context;
};

#define INDEX_NONE UINT32_MAX

void index_fini(struct index *index);

/* INDEX_NONE when no row has that key. */
uint32_t index_find(const struct index *index, const struct index_keys *keys, uint64_t hash,
                    const void *key);
/* The row's key must not be there already. */
void index_put(struct index *index, const struct index_keys *keys, uint32_t number);
/* The row must still have its key. */
void index_remove(struct index *index, const struct index_keys *keys, uint32_t number);
/* Out, or into an empty index whose rows are there already: numbers from `limit` on are refused. */
void index_stream(struct index *index, struct stream *stream, const struct index_keys *keys,
                  uint32_t limit);

/* Bytes taken from the heap. */
size_t index_bytes(const struct index *index);

#endif
