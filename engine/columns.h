/* columns - what is known of friends, one column a field: values by friend index.
 *
 * Shape    a column is chunks of 4,096 friends, made when the first of them has a value: one bit a friend
 *          for who has one, then the values side by side, so that a condition over ten million friends
 *          is a scan. Numbers, dates and datetimes are int64, kept in 32 bits while a chunk's values all
 *          fit; everything else is the number of a text (engine/texts.h), which this module does not
 *          know more of. A field whose type changed has a
 *          column of each kind; a friend has a value in at most one.
 * Units    friend indexes, field ids; dates are days since 1970, datetimes UTC milliseconds. Four
 *          bytes and a bit a friend of a chunk, eight and a bit for wide numbers.
 * Errors   out of memory ends the process (docs/adr/0001).
 * Owner    the caller embeds it; columns_init()/columns_fini(). A chunk of numbers moves when it
 *          becomes wide.
 */
#ifndef ENGINE_COLUMNS_H
#define ENGINE_COLUMNS_H

#include "engine/stream.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COLUMN_CHUNK_ROWS = 4096, COLUMN_CHUNK_WORDS = COLUMN_CHUNK_ROWS / 64 };

struct column_numbers { /* one chunk; its values follow at once, see below */
    uint64_t present[COLUMN_CHUNK_WORDS];
    uint64_t is_wide;
};
struct column_narrow { /* all fit into 32 bits */
    struct column_numbers head;
    int32_t values[COLUMN_CHUNK_ROWS]; /* 0 where not present */
};
struct column_wide {
    struct column_numbers head;
    int64_t values[COLUMN_CHUNK_ROWS];
};

struct column_texts { /* one chunk */
    uint64_t present[COLUMN_CHUNK_WORDS];
    uint32_t values[COLUMN_CHUNK_ROWS]; /* 0 where not present, and where the text is erased */
};

struct column {    /* of one field and kind */
    void **chunks; /* each NULL or a struct column_numbers or column_texts */
    uint32_t chunk_count;
    uint32_t set_count; /* friends with a value */
};

struct columns {
    struct column *numbers, *texts; /* by field id */
    uint32_t count;
};

void columns_init(struct columns *columns);
void columns_fini(struct columns *columns);

void columns_put_number(struct columns *columns, uint32_t field, uint32_t friend, int64_t number);
void columns_put_text(struct columns *columns, uint32_t field, uint32_t friend, uint32_t text);
/* Chunks that got empty are given back. */
void columns_drop(struct columns *columns, uint32_t field, uint32_t friend);

/* False when the friend has no such value; *out is then untouched. */
bool columns_number(const struct columns *columns, uint32_t field, uint32_t friend,
                    int64_t *out_number);
bool columns_text(const struct columns *columns, uint32_t field, uint32_t friend,
                  uint32_t *out_text);

/* The chunk of friends from chunk * COLUMN_CHUNK_ROWS on; NULL: none of them has a value. */
const struct column_numbers *columns_number_chunk(const struct columns *columns, uint32_t field,
                                                  uint32_t chunk);
const struct column_texts *columns_text_chunk(const struct columns *columns, uint32_t field,
                                              uint32_t chunk);

/* Out, or into empty ones; values of friends from `limit` on are refused. The numbers of texts in what
 * is read are for the caller to look at. */
void columns_stream(struct columns *columns, struct stream *stream, uint32_t limit);

/* Bytes taken from the heap. */
size_t columns_bytes(const struct columns *columns);

#endif
