/* texts - words that the state knows by number: each stored once, however many rows have it.
 *
 * Shape    texts lie in blocks of 256 KiB that never move, each behind its count of holders; a text's number
 *          is its place. texts_hold() finds or stores one and counts a holder, texts_drop() counts one off;
 *          the last one gone, the words are overwritten with zeros and the place is used again for the
 *          next text of that size.
 * Units    bytes; TEXT_NONE is the empty text and never needs dropping. Twelve bytes a text over its own,
 *          and 5 to 11 for finding it again.
 * Errors   out of memory ends the process (docs/adr/0001).
 * Owner    the caller embeds it; texts_init()/texts_fini(). What texts_get() returns is valid, and ends with
 *          a NUL that it does not count, until the text's last holder drops it.
 */
#ifndef ENGINE_TEXTS_H
#define ENGINE_TEXTS_H

#include "engine/base/span.h"
#include "engine/index.h"

enum {
    TEXT_NONE = 0,
    TEXT_BLOCK_BYTES = 1 << 18,
    TEXT_BYTES_MAX = TEXT_BLOCK_BYTES / 2 - 16,
    TEXT_SIZES = 42, /* up to 32 places of 8 bytes one each, then powers of two */
};

struct texts {
    uint8_t **blocks;
    uint32_t block_count;
    uint32_t used_end;         /* the first place never used, in the last block; 0: there is none */
    uint32_t free[TEXT_SIZES]; /* lists of places, by size */
    uint32_t count;
    struct index index;
};

void texts_init(struct texts *texts);
void texts_fini(struct texts *texts);

/* The text's number, with one holder more. An empty text is TEXT_NONE; one longer than TEXT_BYTES_MAX,
 * which nobody's answers or fields are, is kept as far as that. */
uint32_t texts_hold(struct texts *texts, struct span text);
void texts_drop(struct texts *texts, uint32_t text);
/* What a row holds, replaced: holds the new text, drops the old. */
void texts_replace(struct texts *texts, uint32_t *slot, struct span text);

/* Empty for a number that is none. */
struct span texts_get(const struct texts *texts, uint32_t text);
/* The number of a text that somebody holds; TEXT_NONE when nobody does. */
uint32_t texts_find(const struct texts *texts, struct span text);

/* Out, or into empty ones. Numbers in what is read are to be looked at with texts_has(). */
void texts_stream(struct texts *texts, struct stream *stream);
/* May a row hold this number? TEXT_NONE or that of a text. */
bool texts_has(const struct texts *texts, uint32_t text);

/* Bytes taken from the heap. */
size_t texts_bytes(const struct texts *texts);

#endif
