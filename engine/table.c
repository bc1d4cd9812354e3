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
    *table = (struct table){.row_bytes = (uint32_t)row_bytes, .free = NO_ROW};
}

void
table_fini(struct table *table)
{
    for (uint32_t i = table->block_chunks; i < table->chunk_count; i++) {
        free(table->chunks[i]);
    }
    free(table->block);
    free(table->chunks);
    *table = (struct table){.row_bytes = table->row_bytes, .free = NO_ROW};
}

/* The directory is eight bytes for 1,024 rows: the one thing that moves. */
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

uint32_t
table_next(const struct table *table)
{
    return table->free != NO_ROW ? table->free : table->count;
}

uint32_t
table_take(struct table *table)
{
    uint32_t index = table->free;
    if (index == NO_ROW) {
        index = table_add(table);
    } else {
        table->free = *table_link(table, index);
    }
    *table_link(table, index) = NO_ROW;
    return index;
}

void
table_give(struct table *table, uint32_t index)
{
    memset(table_at(table, index), 0, table->row_bytes);
    *table_link(table, index) = table->free;
    table->free = index;
}

void
table_append(const struct table *table, uint32_t *head, uint32_t index)
{
    while (*head != NO_ROW) {
        head = table_link(table, *head);
    }
    *head = index;
}

void
table_unlink(const struct table *table, uint32_t *head, uint32_t index)
{
    while (*head != index) {
        assert(*head != NO_ROW);
        head = table_link(table, *head);
    }
    *head = *table_link(table, index);
}

/* The rows of a chunk that are in use. */
static uint32_t
chunk_rows(const struct table *table, uint32_t chunk)
{
    uint32_t rows = table->count - (chunk << TABLE_CHUNK_SHIFT);
    return rows < TABLE_CHUNK_ROWS ? rows : TABLE_CHUNK_ROWS;
}

static void
put_cleaned(const struct table *table, struct stream *stream, table_clean_fn clean)
{
    uint8_t *copy = malloc(chunk_bytes(table));
    assert(copy != NULL);
    for (uint32_t i = 0; i < table->chunk_count; i++) {
        uint32_t rows = chunk_rows(table, i);
        memcpy(copy, table->chunks[i], (size_t)rows * table->row_bytes);
        for (uint32_t row = 0; row < rows; row++) {
            clean(copy + (size_t)row * table->row_bytes);
        }
        stream_bytes(stream, copy, (size_t)rows * table->row_bytes);
    }
    free(copy);
}

void
table_stream(struct table *table, struct stream *stream, table_clean_fn clean)
{
    uint32_t row_bytes = table->row_bytes;
    stream_u32(stream, &row_bytes);
    stream_check(stream, row_bytes == table->row_bytes, "its rows are of another size");
    uint32_t count = stream_count(stream, table->count, table->row_bytes);
    stream_u32(stream, &table->free);
    if (stream_reads(stream)) {
        void *block = stream->rc == RC_OK ? table_add_block(table, count) : NULL;
        if (block != NULL) {
            stream_bytes(stream, block, (size_t)count * row_bytes);
        }
        return;
    }
    if (clean != NULL) {
        put_cleaned(table, stream, clean);
        return;
    }
    for (uint32_t i = 0; i < table->chunk_count; i++) {
        stream_bytes(stream, table->chunks[i], (size_t)chunk_rows(table, i) * row_bytes);
    }
}

size_t
table_bytes(const struct table *table)
{
    return table->chunk_count * (chunk_bytes(table) + sizeof(*table->chunks));
}
