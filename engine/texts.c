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

/* Does a held text begin there, as far as its own bytes tell? One read from an image might not. */
static bool
is_whole(const struct texts *texts, uint32_t place)
{
    if (place >= texts->used_end) {
        return false;
    }
    size_t room = (size_t)(BLOCK_PLACES - place % BLOCK_PLACES) * PLACE_BYTES;
    const struct record *record = record_at(texts, place);
    return room > sizeof(*record) && record->holders > 0 && record->len > 0 &&
           record->len < room - sizeof(*record) && record->words[record->len] == 0;
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
    struct span text = texts_get(context, place);
    return checksum_of(text.data, text.len);
}

static bool
equals(const void *context, uint32_t place, const void *key)
{
    return span_equal(texts_get(context, place), *(const struct span *)key);
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
    text.len = text.len > TEXT_BYTES_MAX ? TEXT_BYTES_MAX : text.len;
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
    assert(is_whole(texts, text));
    struct record *record = record_at(texts, text);
    if (record->holders > 1) {
        record->holders--;
        return;
    }
    struct index_keys keys = keys_of(texts);
    index_remove(&texts->index, &keys, text);
    uint32_t places, size = size_of(record->len, &places);
    assert(text % BLOCK_PLACES + places <= BLOCK_PLACES);
    memset(record->words, 0, record->len); /* SPEC R51: nothing of it stays */
    record->holders = 0;
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
    if (text == TEXT_NONE || !is_whole(texts, text)) {
        return (struct span){0};
    }
    const struct record *record = record_at(texts, text);
    return span_of(record->words, record->len);
}

bool
texts_has(const struct texts *texts, uint32_t text)
{
    return text == TEXT_NONE || is_whole(texts, text);
}

/* The places in use of a block. */
static size_t
block_bytes(const struct texts *texts, uint32_t block)
{
    uint32_t places = texts->used_end - block * BLOCK_PLACES;
    return (size_t)(places < BLOCK_PLACES ? places : BLOCK_PLACES) * PLACE_BYTES;
}

static void
stream_blocks(struct texts *texts, struct stream *stream)
{
    uint32_t end = texts->used_end;
    stream_u32(stream, &end);
    stream_check(stream, !stream_reads(stream) || end <= stream->rest / PLACE_BYTES,
                 "it ends before it is complete");
    while (stream_reads(stream) && stream->rc == RC_OK &&
           (uint64_t)texts->block_count * BLOCK_PLACES < end) {
        add_block(texts);
    }
    texts->used_end = end;
    for (uint32_t i = 0; stream->rc == RC_OK && i < texts->block_count; i++) {
        stream_bytes(stream, texts->blocks[i], block_bytes(texts, i));
    }
}

/* A free place is followed by the next; whatever the bytes say, each is a place. */
static void
check_free(const struct texts *texts, struct stream *stream)
{
    for (uint32_t size = 0; size < TEXT_SIZES; size++) {
        uint32_t walked = 0;
        for (uint32_t place = texts->free[size]; place != 0 && stream->rc == RC_OK; walked++) {
            uint32_t larger = size <= SMALL_PLACES ? 0 : size - SMALL_PLACES;
            uint32_t places = larger == 0 ? size : (uint32_t)SMALL_PLACES << larger;
            bool holds = size > 1 && walked < texts->used_end && place < texts->used_end &&
                         place % BLOCK_PLACES + places <= BLOCK_PLACES;
            stream_check(stream, holds && record_at(texts, place)->holders == 0,
                         "a list of free places does not hold together");
            place = stream->rc == RC_OK ? record_at(texts, place)->len : 0;
        }
    }
}

void
texts_stream(struct texts *texts, struct stream *stream)
{
    stream_u32(stream, &texts->count);
    stream_bytes(stream, texts->free, sizeof(texts->free));
    stream_blocks(texts, stream);
    if (stream_reads(stream)) {
        check_free(texts, stream);
    }
    const struct index_keys keys = keys_of(texts);
    index_stream(&texts->index, stream, &keys, texts->used_end);
    stream_check(stream, texts->count == texts->index.count, "texts are counted wrong");
}

size_t
texts_bytes(const struct texts *texts)
{
    return texts->block_count * (TEXT_BLOCK_BYTES + sizeof(*texts->blocks)) +
           index_bytes(&texts->index);
}
