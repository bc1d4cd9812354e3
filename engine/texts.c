#include "engine/texts.h"

#include "engine/base/checksum.h"
#include <assert.h>
#include <stdlib.h>

enum {
    PLACE_BYTES = 8,
    BLOCK_PLACES = TEXT_BLOCK_BYTES / PLACE_BYTES,
    SMALL_PLACES = 32, /* up to here every size has its own list */
};

/* The words follow, then a NUL; filled up to the size of its list. */
struct record {
    uint32_t holders; /* 0: free */
    uint32_t len;     /* free: the next free place of the size */
    uint8_t words[];
};

static struct record *
record_at(const struct texts *texts, uint32_t place)
{
    return (struct record *)(void *)(texts->blocks[place / BLOCK_PLACES] +
                                     (size_t)(place % BLOCK_PLACES) * PLACE_BYTES);
}

static uint32_t
places_for(size_t len)
{
    return (uint32_t)((sizeof(struct record) + len + 1 + PLACE_BYTES - 1) / PLACE_BYTES);
}

/* Which list, and how many places its records have. */
static uint32_t
size_of(size_t len, uint32_t *out_places)
{
    uint32_t places = places_for(len), size = places;
    if (places > SMALL_PLACES) {
        size = SMALL_PLACES;
        for (uint32_t larger = SMALL_PLACES; larger < places; size++) {
            larger *= 2;
            *out_places = larger;
        }
    } else {
        *out_places = places;
    }
    assert(size < TEXT_SIZES);
    return size;
}

void
texts_init(struct texts *texts)
{
    *texts = (struct texts){0};
}

void
texts_fini(struct texts *texts)
{
    for (uint32_t i = 0; i < texts->block_count; i++) {
        free(texts->blocks[i]);
    }
    free(texts->blocks);
    index_fini(&texts->index);
    *texts = (struct texts){0};
}

/* The index's keys are the words. */

static uint64_t
hash_of(const void *context, uint32_t place)
{
    const struct record *record = record_at(context, place);
    return checksum_of(record->words, record->len);
}

static bool
equals(const void *context, uint32_t place, const void *key)
{
    const struct record *record = record_at(context, place);
    return span_equal(span_of(record->words, record->len), *(const struct span *)key);
}

static struct index_keys
keys_of(const struct texts *texts)
{
    return (struct index_keys){.hash = hash_of, .equals = equals, .context = texts};
}

uint32_t
texts_find(const struct texts *texts, struct span text)
{
    struct index_keys keys = keys_of(texts);
    uint32_t place =
        text.len == 0 ? INDEX_NONE
                      : index_find(&texts->index, &keys, checksum_of(text.data, text.len), &text);
    return place == INDEX_NONE ? TEXT_NONE : place;
}

static void
add_block(struct texts *texts)
{
    texts->blocks = realloc(texts->blocks, (texts->block_count + 1) * sizeof(*texts->blocks));
    assert(texts->blocks != NULL);
    uint8_t *block = calloc(1, TEXT_BLOCK_BYTES);
    assert(block != NULL);
    texts->blocks[texts->block_count] = block;
    texts->used_end = texts->block_count * BLOCK_PLACES;
    texts->used_end += texts->block_count == 0; /* place 0 is TEXT_NONE */
    texts->block_count++;
}

static uint32_t
take_place(struct texts *texts, size_t len)
{
    uint32_t places, size = size_of(len, &places);
    uint32_t place = texts->free[size];
    if (place != 0) {
        texts->free[size] = record_at(texts, place)->len;
        return place;
    }
    /* What is left of a block that is too full stays unused. */
    if (texts->used_end + places > texts->block_count * BLOCK_PLACES) {
        add_block(texts);
    }
    place = texts->used_end;
    texts->used_end += places;
    return place;
}

uint32_t
texts_hold(struct texts *texts, struct span text)
{
    assert(text.len <= TEXT_BYTES_MAX);
    if (text.len == 0) {
        return TEXT_NONE;
    }
    uint32_t place = texts_find(texts, text);
    if (place != TEXT_NONE) {
        record_at(texts, place)->holders++;
        return place;
    }
    place = take_place(texts, text.len);
    struct record *record = record_at(texts, place);
    record->holders = 1;
    record->len = (uint32_t)text.len;
    memcpy(record->words, text.data, text.len);
    record->words[text.len] = 0;
    struct index_keys keys = keys_of(texts);
    index_put(&texts->index, &keys, place);
    texts->count++;
    return place;
}

void
texts_drop(struct texts *texts, uint32_t text)
{
    if (text == TEXT_NONE) {
        return;
    }
    struct record *record = record_at(texts, text);
    assert(record->holders > 0);
    if (--record->holders > 0) {
        return;
    }
    struct index_keys keys = keys_of(texts);
    index_remove(&texts->index, &keys, text);
    uint32_t places, size = size_of(record->len, &places);
    memset(record->words, 0, record->len); /* SPEC R51: nothing of it stays */
    record->len = texts->free[size];
    texts->free[size] = text;
    texts->count--;
}

void
texts_replace(struct texts *texts, uint32_t *slot, struct span text)
{
    uint32_t before = *slot;
    *slot = texts_hold(texts, text); /* first: it may be the same one, or lie in the old */
    texts_drop(texts, before);
}

struct span
texts_get(const struct texts *texts, uint32_t text)
{
    if (text == TEXT_NONE) {
        return (struct span){0};
    }
    const struct record *record = record_at(texts, text);
    return span_of(record->words, record->len);
}

size_t
texts_bytes(const struct texts *texts)
{
    return texts->block_count * (TEXT_BLOCK_BYTES + sizeof(*texts->blocks)) +
           index_bytes(&texts->index);
}
