#include "proto/msgpack_reader.h"

/* First bytes of the format (https://github.com/msgpack/msgpack/blob/master/spec.md). */
enum {
    MAP_FIX = 0x80,
    ARRAY_FIX = 0x90,
    STR_FIX = 0xa0,
    NIL = 0xc0,
    UNUSED = 0xc1,
    BOOL_FALSE = 0xc2,
    BOOL_TRUE = 0xc3,
    BIN_8 = 0xc4,
    BIN_32 = 0xc6,
    EXT_8 = 0xc7,
    EXT_32 = 0xc9,
    FLOAT_32 = 0xca,
    FLOAT_64 = 0xcb,
    UINT_8 = 0xcc,
    UINT_64 = 0xcf,
    INT_8 = 0xd0,
    INT_64 = 0xd3,
    EXT_FIX_1 = 0xd4,
    EXT_FIX_16 = 0xd8,
    STR_8 = 0xd9,
    STR_32 = 0xdb,
    ARRAY_16 = 0xdc,
    ARRAY_32 = 0xdd,
    MAP_16 = 0xde,
    MAP_32 = 0xdf,
    NEGATIVE_FIX = 0xe0,
};

static void
fail(struct msgpack_reader *reader)
{
    reader->rc = RC_CORRUPT;
    reader->rest = (struct span){0};
}

/* A byte no value starts with stands for "nothing there". A failed reader has nothing left. */
static inline uint8_t
peek(const struct msgpack_reader *reader)
{
    return reader->rest.len > 0 ? reader->rest.data[0] : UNUSED;
}

static inline void
advance(struct msgpack_reader *reader, size_t len)
{
    reader->rest.data += len;
    reader->rest.len -= len;
}

static struct span
take(struct msgpack_reader *reader, uint64_t len)
{
    if (reader->rc != RC_OK || len > reader->rest.len) {
        fail(reader);
        return (struct span){0};
    }
    struct span taken = span_of(reader->rest.data, (size_t)len);
    advance(reader, (size_t)len);
    return taken;
}

static inline uint64_t
take_big_endian(struct msgpack_reader *reader, uint32_t bytes)
{
    if (bytes > reader->rest.len) {
        fail(reader);
        return 0;
    }
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        value = value << 8 | reader->rest.data[i];
    }
    advance(reader, bytes);
    return value;
}

bool
msgpack_read_bool(struct msgpack_reader *reader)
{
    uint8_t first = peek(reader);
    if (first != BOOL_FALSE && first != BOOL_TRUE) {
        fail(reader);
        return false;
    }
    advance(reader, 1);
    return first == BOOL_TRUE;
}

uint64_t
msgpack_read_long_uint(struct msgpack_reader *reader, uint64_t max)
{
    uint8_t first = peek(reader);
    if (first < UINT_8 || first > UINT_64) {
        fail(reader); /* also one byte that is over the limit */
        return 0;
    }
    advance(reader, 1);
    uint64_t value = take_big_endian(reader, 1U << (first - UINT_8));
    if (value > max) {
        fail(reader);
        return 0;
    }
    return value;
}

int64_t
msgpack_read_int(struct msgpack_reader *reader)
{
    uint8_t first = peek(reader);
    if (first >= NEGATIVE_FIX) {
        advance(reader, 1);
        return (int64_t)first - 0x100;
    }
    if (first < INT_8 || first > INT_64) {
        return (int64_t)msgpack_read_uint(reader, INT64_MAX);
    }
    advance(reader, 1);
    uint32_t bytes = 1U << (first - INT_8);
    uint64_t raw = take_big_endian(reader, bytes);
    uint32_t unused_bits = 64 - 8 * bytes;
    return (int64_t)(raw << unused_bits) >> unused_bits;
}

struct span
msgpack_read_str(struct msgpack_reader *reader)
{
    uint8_t first = peek(reader);
    if (first >= STR_FIX && first < NIL) {
        advance(reader, 1);
        return take(reader, first - STR_FIX);
    }
    if (first < STR_8 || first > STR_32) {
        fail(reader);
        return (struct span){0};
    }
    advance(reader, 1);
    return take(reader, take_big_endian(reader, 1U << (first - STR_8)));
}

struct span
msgpack_read_bin(struct msgpack_reader *reader)
{
    uint8_t first = peek(reader);
    if (first < BIN_8 || first > BIN_32) {
        fail(reader);
        return (struct span){0};
    }
    advance(reader, 1);
    return take(reader, take_big_endian(reader, 1U << (first - BIN_8)));
}

uint32_t
msgpack_read_array(struct msgpack_reader *reader)
{
    uint8_t first = peek(reader);
    uint64_t count = 0;
    if (first >= ARRAY_FIX && first < STR_FIX) {
        advance(reader, 1);
        count = first - ARRAY_FIX;
    } else if (first == ARRAY_16 || first == ARRAY_32) {
        advance(reader, 1);
        count = take_big_endian(reader, first == ARRAY_16 ? 2 : 4);
    } else {
        fail(reader);
    }
    if (count > reader->rest.len) { /* every element has at least one byte */
        fail(reader);
        return 0;
    }
    return (uint32_t)count;
}

/* Passes over one value's own bytes; returns how many values it contains. */
static uint64_t
skip_one(struct msgpack_reader *reader)
{
    uint8_t first = peek(reader);
    if (first == UNUSED) {
        fail(reader);
        return 0;
    }
    if ((first >= STR_FIX && first < NIL) || (first >= STR_8 && first <= STR_32)) {
        msgpack_read_str(reader);
        return 0;
    }
    if (first >= BIN_8 && first <= BIN_32) {
        msgpack_read_bin(reader);
        return 0;
    }
    if ((first >= ARRAY_FIX && first < STR_FIX) || first == ARRAY_16 || first == ARRAY_32) {
        return msgpack_read_array(reader);
    }
    advance(reader, 1);
    if (first >= MAP_FIX && first < ARRAY_FIX) {
        return 2 * (uint64_t)(first - MAP_FIX);
    }
    if (first == MAP_16 || first == MAP_32) {
        return 2 * take_big_endian(reader, first == MAP_16 ? 2 : 4);
    }
    if (first >= EXT_8 && first <= EXT_32) {
        take(reader, take_big_endian(reader, 1U << (first - EXT_8)) + 1);
    } else if (first >= EXT_FIX_1 && first <= EXT_FIX_16) {
        take(reader, (1U << (first - EXT_FIX_1)) + 1);
    } else if (first == FLOAT_32 || first == FLOAT_64) {
        take(reader, first == FLOAT_32 ? 4 : 8);
    } else if (first >= UINT_8 && first <= UINT_64) {
        take(reader, 1U << (first - UINT_8));
    } else if (first >= INT_8 && first <= INT_64) {
        take(reader, 1U << (first - INT_8));
    }
    return 0; /* nil, booleans and small numbers are their first byte */
}

void
msgpack_skip(struct msgpack_reader *reader)
{
    for (uint64_t pending = 1; pending > 0 && reader->rc == RC_OK; pending--) {
        uint64_t children = skip_one(reader);
        if (children > reader->rest.len) {
            fail(reader);
            return;
        }
        pending += children;
    }
}
