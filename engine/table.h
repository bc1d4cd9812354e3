/* table - rows of one kind by 32-bit index, in chunks that never move.
 *
 * Shape    a directory of chunks of 1,024 rows. Growing takes one chunk more and touches no other row, so
 *          a table of ten million rows grows without a pause and a row's address is good for as long as
 *          the table. A table that was read from an image stands in one block, in the same chunks.
 * Units    indexes; row_bytes is the size of one row.
 * Errors   out of memory ends the process (docs/adr/0001).
 * Owner    the caller embeds it; table_init()/table_fini().
 */
#ifndef ENGINE_TABLE_H
#define ENGINE_TABLE_H

#include "engine/stream.h"
#include <stddef.h>
#include <stdint.h>

#define NO_ROW UINT32_MAX

enum { TABLE_CHUNK_SHIFT = 10, TABLE_CHUNK_ROWS = 1 << TABLE_CHUNK_SHIFT };

struct table {
    uint8_t **chunks;
    uint8_t *block; /* what the first block_chunks chunks lie in; NULL: each by itself */
    uint32_t block_chunks;
    uint32_t chunk_count;
    uint32_t count; /* rows ever added */
    uint32_t free;  /* first of those given back; NO_ROW: none */
    uint32_t row_bytes;
};

void table_init(struct table *table, size_t row_bytes);
void table_fini(struct table *table);

/* One more row at the end, zeroed; its index. */
uint32_t table_add(struct table *table);
/* `count` rows, zeroed, in one block; the table must be empty. Returns the block: count * row_bytes. */
void *table_add_block(struct table *table, uint32_t count);

static inline void *
table_at(const struct table *table, uint32_t index)
{
    return table->chunks[index >> TABLE_CHUNK_SHIFT] +
           (size_t)(index & (TABLE_CHUNK_ROWS - 1)) * table->row_bytes;
}

/* The next of the row's list: its first four bytes. */
static inline uint32_t *
table_link(const struct table *table, uint32_t index)
{
    return (uint32_t *)table_at(table, index);
}

/* The row that table_take() will give: the one given back last, else a new one. */
uint32_t table_next(const struct table *table);
/* Zeroed, but for its link, which is NO_ROW. */
uint32_t table_take(struct table *table);
void table_give(struct table *table, uint32_t index); /* zeroed */

/* Hangs the row at the end of a list, and takes it off, where it must be. */
void table_append(const struct table *table, uint32_t *head, uint32_t index);
void table_unlink(const struct table *table, uint32_t *head, uint32_t index);

/* Out, or into an empty table. `clean` changes a copy of each row that goes out; may be NULL. */
typedef void (*table_clean_fn)(void *row);
void table_stream(struct table *table, struct stream *stream, table_clean_fn clean);

/* Bytes taken from the heap. */
size_t table_bytes(const struct table *table);

#endif
