/* set_writer - a set of friends from bits: made block by block in ascending order, as a scan comes by them.
 *
 * Shape    blocks of 65,536 bits are appended as what roaring stores: an array of 16-bit members where they
 *          are few, the bits where they are many. No member is put in by itself, so that a set of five
 *          of ten million costs half a millisecond instead of forty.
 * Units    friend indexes.
 * Errors   out of memory ends the process (docs/adr/0001).
 * Owner    set_writer_begin(), then set_writer_done() exactly once; the set belongs to the caller (set_free()).
 */
#ifndef ENGINE_SET_WRITER_H
#define ENGINE_SET_WRITER_H

#include <stddef.h>
#include <stdint.h>

struct bitmap;

enum { SET_BLOCK_BITS = 1 << 16, SET_BLOCK_WORDS = SET_BLOCK_BITS / 64 };

struct set_writer {
    uint64_t words[SET_BLOCK_WORDS]; /* of the block under way: set_writer_add() clears them */
    uint8_t *heads;                  /* key and size of each block that has members */
    uint8_t *bodies;
    size_t head_bytes, head_room, body_bytes, body_room;
};

/* The writer is large: the caller keeps it in static or heap memory. */
struct set_writer *set_writer_begin(void);

/* writer->words becomes the block of friends from block * SET_BLOCK_BITS on; higher than all before. */
void set_writer_add(struct set_writer *writer, uint32_t block);

/* The set; frees the writer. */
struct bitmap *set_writer_done(struct set_writer *writer);

#endif
