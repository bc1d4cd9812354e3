#include "engine/set_writer.h"

#include <assert.h>
#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

/* Roaring's portable format, without runs (github.com/RoaringBitmap/RoaringFormatSpec): cookie, number
 * of blocks, then key and size - 1 of each, then where each begins, then their bodies. Little-endian. */
enum { COOKIE = 12346, ARRAY_MEMBERS_MAX = 4096, HEAD_BYTES = 4, OFFSET_BYTES = 4 };

struct set_writer *
set_writer_begin(void)
{
    struct set_writer *writer = calloc(1, sizeof(*writer));
    assert(writer != NULL);
    return writer;
}

static uint8_t *
room_for(uint8_t **bytes, size_t *used, size_t *room, size_t more)
{
    if (*used + more > *room) {
        *room = (*used + more) * 2;
        *bytes = realloc(*bytes, *room);
        assert(*bytes != NULL);
    }
    uint8_t *at = *bytes + *used;
    *used += more;
    return at;
}

static void
put_u16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void
put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, value & 0xffff);
    put_u16(at + 2, value >> 16);
}

static void
write_bits(const uint64_t *words, uint8_t *at)
{
    for (uint32_t i = 0; i < SET_BLOCK_WORDS; i++) {
        uint64_t word = words[i];
        if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) {
            word = __builtin_bswap64(word);
        }
        memcpy(at + 8 * i, &word, sizeof(word));
    }
}

static void
write_array(const uint64_t *words, uint8_t *at)
{
    for (uint32_t i = 0; i < SET_BLOCK_WORDS; i++) {
        for (uint64_t left = words[i]; left != 0; left &= left - 1) {
            put_u16(at, i * 64 + (uint32_t)__builtin_ctzll(left));
            at += 2;
        }
    }
}

/* Bits that are set, in plain arithmetic: what a compiler has for it may be a call of its library. */
static uint32_t
count_bits(uint64_t word)
{
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)(word * UINT64_C(0x0101010101010101) >> 56);
}

void
set_writer_add(struct set_writer *writer, uint32_t block)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SET_BLOCK_WORDS; i++) {
        count += count_bits(writer->words[i]);
    }
    if (count == 0) {
        return;
    }
    uint8_t *head = room_for(&writer->heads, &writer->head_bytes, &writer->head_room, HEAD_BYTES);
    put_u16(head, block);
    put_u16(head + 2, count - 1);
    bool few = count <= ARRAY_MEMBERS_MAX;
    uint8_t *body = room_for(&writer->bodies, &writer->body_bytes, &writer->body_room,
                             few ? 2 * (size_t)count : sizeof(writer->words));
    if (few) {
        write_array(writer->words, body);
    } else {
        write_bits(writer->words, body);
    }
    memset(writer->words, 0, sizeof(writer->words));
}

static size_t
body_bytes_of(const uint8_t *head)
{
    size_t count = ((size_t)head[2] | (size_t)head[3] << 8) + 1;
    return count <= ARRAY_MEMBERS_MAX ? 2 * count : SET_BLOCK_BITS / 8;
}

struct bitmap *
set_writer_done(struct set_writer *writer)
{
    size_t blocks = writer->head_bytes / HEAD_BYTES;
    size_t front = 8 + blocks * (HEAD_BYTES + OFFSET_BYTES);
    uint8_t *bytes = malloc(front + writer->body_bytes);
    assert(bytes != NULL);
    put_u32(bytes, COOKIE);
    put_u32(bytes + 4, (uint32_t)blocks);
    size_t begins = front;
    for (size_t i = 0; i < blocks; i++) {
        const uint8_t *head = writer->heads + i * HEAD_BYTES;
        memcpy(bytes + 8 + i * HEAD_BYTES, head, HEAD_BYTES);
        put_u32(bytes + 8 + blocks * HEAD_BYTES + i * OFFSET_BYTES, (uint32_t)begins);
        begins += body_bytes_of(head);
    }
    if (writer->body_bytes > 0) {
        memcpy(bytes + front, writer->bodies, writer->body_bytes);
    }
    roaring_bitmap_t *set =
        roaring_bitmap_portable_deserialize_safe((const char *)bytes, front + writer->body_bytes);
    assert(set != NULL);
    free(bytes);
    free(writer->heads);
    free(writer->bodies);
    free(writer);
    return (struct bitmap *)set;
}
