#include "engine/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t
chunk_bytes(const struct table *table)
{
    return (size_t)TABLE_CHUNK_ROWS * table->row_bytes;
}

void
table_init(struct table *table, size_t row_bytes)
{
    assert(row_bytes > 0 && row_bytes <= UINT32_MAX);
    *table = (struct table){.row_bytes = (uint32_t)row_bytes};
}

void
table_fini(struct table *table)
{
    for (uint32_t i = table->block_chunks; i < table->chunk_count; i++) {
        free(table->chunks[i]);
    }
    free(table->block);
    free(table->chunks);
    *table = (struct table){.row_bytes = table->row_bytes};
}

/* The directory is eight bytes for 4,096 rows: the one thing that moves. */
static void
directory_grow(struct table *table, uint32_t chunks)
{
    uint32_t room = 1; /* as large as it was left: a power of two, of at least the count */
    while (room < table->chunk_count) {
        room *= 2;
    }
    if (table->chunks != NULL && chunks <= room) {
        return;
    }
    while (room < chunks) {
        room *= 2;
    }
    table->chunks = realloc(table->chunks, room * sizeof(*table->chunks));
    assert(table->chunks != NULL);
}

uint32_t
table_add(struct table *table)
{
    uint32_t index = table->count;
    assert(index != UINT32_MAX); /* which means no row */
    if (index >> TABLE_CHUNK_SHIFT == table->chunk_count) {
        directory_grow(table, table->chunk_count + 1);
        uint8_t *chunk = calloc(1, chunk_bytes(table));
        assert(chunk != NULL);
        table->chunks[table->chunk_count++] = chunk;
    }
    table->count++;
    return index;
}

void *
table_add_block(struct table *table, uint32_t count)
{
    assert(table->count == 0 && table->chunk_count == 0 && count != UINT32_MAX);
    if (count == 0) {
        return NULL;
    }
    uint32_t chunks = (count - 1) / TABLE_CHUNK_ROWS + 1;
    directory_grow(table, chunks);
    table->block = calloc(chunks, chunk_bytes(table));
    assert(table->block != NULL);
    for (uint32_t i = 0; i < chunks; i++) {
        table->chunks[i] = table->block + i * chunk_bytes(table);
    }
    table->block_chunks = table->chunk_count = chunks;
    table->count = count;
    return table->block;
}

size_t
table_bytes(const struct table *table)
{
    return table->chunk_count * (chunk_bytes(table) + sizeof(*table->chunks));
}
