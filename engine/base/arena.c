#include "engine/base/arena.h"

#include <assert.h>
#include <stdlib.h>

enum { CHUNK_BYTES_MIN = 16 * 1024, ALIGNMENT = 16 };

struct chunk {
    struct chunk *older;
    size_t used;
    size_t capacity;
    _Alignas(ALIGNMENT) uint8_t bytes[];
};

struct arena {
    struct chunk *newest;
};

static struct chunk *
chunk_new(size_t capacity, struct chunk *older)
{
    struct chunk *chunk = malloc(sizeof(struct chunk) + capacity);
    assert(chunk != NULL);
    chunk->older = older;
    chunk->used = 0;
    chunk->capacity = capacity;
    return chunk;
}

static void
chunks_free(struct chunk *chunk)
{
    while (chunk != NULL) {
        struct chunk *older = chunk->older;
        free(chunk);
        chunk = older;
    }
}

struct arena *
arena_new(void)
{
    struct arena *arena = calloc(1, sizeof(*arena));
    assert(arena != NULL);
    arena->newest = chunk_new(CHUNK_BYTES_MIN, NULL);
    return arena;
}

void
arena_free(struct arena *arena)
{
    if (arena == NULL) {
        return;
    }
    chunks_free(arena->newest);
    free(arena);
}

void
arena_reset(struct arena *arena)
{
    chunks_free(arena->newest->older);
    arena->newest->older = NULL;
    arena->newest->used = 0;
}

void *
arena_alloc(struct arena *arena, size_t bytes)
{
    size_t size = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    assert(size >= bytes);
    struct chunk *chunk = arena->newest;
    if (chunk->capacity - chunk->used < size) {
        size_t capacity = chunk->capacity * 2;
        chunk = chunk_new(capacity < size ? size : capacity, chunk);
        arena->newest = chunk;
    }
    void *block = chunk->bytes + chunk->used;
    chunk->used += size;
    memset(block, 0, size);
    return block;
}

struct span
arena_span(struct arena *arena, struct span span)
{
    uint8_t *copy = arena_alloc(arena, span.len + 1);
    if (span.len > 0) {
        memcpy(copy, span.data, span.len);
    }
    return span_of(copy, span.len);
}

char *
arena_cstr(struct arena *arena, struct span span)
{
    char *copy = arena_alloc(arena, span.len + 1);
    if (span.len > 0) {
        memcpy(copy, span.data, span.len);
    }
    return copy;
}

void *
arena_grow(struct arena *arena, void *items, uint32_t count, size_t item_bytes)
{
    if (count != 0 && (count & (count - 1)) != 0) {
        return items;
    }
    uint8_t *grown = arena_alloc(arena, (count == 0 ? 1 : (size_t)count * 2) * item_bytes);
    if (count > 0) {
        memcpy(grown, items, count * item_bytes);
    }
    return grown;
}
