#include "engine/event_parts.h"
#include "proto/event.h"
#include "proto/event_table.h"

#include <assert.h>
#include <msgpack.h>

/* Every event of a pass is encoded while others wait, so each list of parts becomes a function of its own
 * that writes into room reserved beforehand. A write function returns the position behind what it wrote.
 * tests/proto/test_event.c holds the bytes against those of msgpack-c. */

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum {
    NIL = 0xc0,
    TRUE = 0xc3,
    BIN_8 = 0xc4,
    UINT_8 = 0xcc,
    INT_8 = 0xd0,
    STR_8 = 0xd9,
    STR_FIX = 0xa0,
    STR_FIX_MAX = 31,
    ARRAY_16 = 0xdc,
    ARRAY_FIX = 0x90,
    ARRAY_FIX_MAX = 15,
    NUMBER_BYTES = 9, /* at most */
    HEADER_BYTES = 5, /* of texts and binaries, at most; of an event's array: 3 */
    SOURCE_BYTES = 1 + 3 * 5,
    ITEM_BYTES = 1 + 2 * 5 + SOURCE_BYTES,
};

/* ---- values ---- */

ALWAYS_INLINE uint8_t *
write_big_endian(uint8_t *at, uint8_t first, uint64_t value, uint32_t bytes)
{
    *at++ = first;
    for (uint32_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
    return at + bytes;
}

static uint8_t *
write_long_uint(uint8_t *at, uint64_t value)
{
    return value <= UINT8_MAX    ? write_big_endian(at, UINT_8, value, 1)
           : value <= UINT16_MAX ? write_big_endian(at, UINT_8 + 1, value, 2)
           : value <= UINT32_MAX ? write_big_endian(at, UINT_8 + 2, value, 4)
                                 : write_big_endian(at, UINT_8 + 3, value, 8);
}

ALWAYS_INLINE uint8_t *
write_uint(uint8_t *at, uint64_t value)
{
    if (value <= INT8_MAX) {
        *at = (uint8_t)value;
        return at + 1;
    }
    return write_long_uint(at, value);
}

static uint8_t *
write_below_zero(uint8_t *at, int64_t value)
{
    uint64_t bits = (uint64_t)value;
    if (value >= -32) {
        *at = (uint8_t)bits;
        return at + 1;
    }
    return value >= INT8_MIN    ? write_big_endian(at, INT_8, bits, 1)
           : value >= INT16_MIN ? write_big_endian(at, INT_8 + 1, bits, 2)
           : value >= INT32_MIN ? write_big_endian(at, INT_8 + 2, bits, 4)
                                : write_big_endian(at, INT_8 + 3, bits, 8);
}

/* The length of a text or binary whose forms for 1, 2 and 4 bytes of length begin with first ... */
static uint8_t *
write_length(uint8_t *at, uint8_t first, size_t len)
{
    assert(len <= UINT32_MAX);
    return len <= UINT8_MAX    ? write_big_endian(at, first, len, 1)
           : len <= UINT16_MAX ? write_big_endian(at, (uint8_t)(first + 1), len, 2)
                               : write_big_endian(at, (uint8_t)(first + 2), len, 4);
}

static uint8_t *
write_text(uint8_t *at, struct span text)
{
    if (text.len <= STR_FIX_MAX) {
        *at++ = (uint8_t)(STR_FIX + text.len);
    } else {
        at = write_length(at, STR_8, text.len);
    }
    memcpy(at, text.data, text.len);
    return at + text.len;
}

static uint8_t *
write_bytes(uint8_t *at, const void *bytes, size_t len)
{
    at = write_length(at, BIN_8, len);
    memcpy(at, bytes, len);
    return at + len;
}

static uint8_t *
write_nil(uint8_t *at)
{
    *at = NIL;
    return at + 1;
}

static uint8_t *
write_source(uint8_t *at, const struct source *source)
{
    if (event_source_is_none(source)) {
        return write_nil(at);
    }
    uint32_t count = source->sub != 0 ? 3 : source->id != 0 ? 2 : 1;
    *at++ = (uint8_t)(ARRAY_FIX + count);
    at = write_uint(at, source->kind);
    if (count > 1) {
        at = write_uint(at, source->id);
    }
    return count > 2 ? write_uint(at, source->sub) : at;
}

static uint8_t *
write_items(uint8_t *at, const struct delivery_item *items, uint32_t count)
{
    assert(count <= DELIVERY_ITEMS_MAX);
    *at++ = (uint8_t)(ARRAY_FIX + count);
    for (uint32_t i = 0; i < count; i++) {
        *at++ = ARRAY_FIX + 3;
        at = write_uint(at, items[i].template);
        at = items[i].enrolment == NO_ID ? write_nil(at) : write_uint(at, items[i].enrolment);
        at = write_source(at, &items[i].source);
    }
    return at;
}

/* ---- parts ---- */

static bool
is_zero(const uint8_t *bytes, size_t len)
{
    static const uint8_t zero[32];
    return memcmp(bytes, zero, len) == 0;
}

/* A part that holds its default is nil, and nothing else is. */
ALWAYS_INLINE uint8_t *
write_part(uint8_t *at, enum part_shape shape, const void *member, const struct event *event,
           const uint8_t words_hash[ROW_HASH_BYTES])
{
    switch (shape) {
    case SHAPE_U32:
    case SHAPE_CLASS:
    case SHAPE_HOW:
    case SHAPE_RESULT:
        return *(const uint32_t *)member == 0 ? write_nil(at)
                                              : write_uint(at, *(const uint32_t *)member);
    case SHAPE_ID:
        return *(const uint32_t *)member == NO_ID ? write_nil(at)
                                                  : write_uint(at, *(const uint32_t *)member);
    case SHAPE_U64:
        return *(const uint64_t *)member == 0 ? write_nil(at)
                                              : write_uint(at, *(const uint64_t *)member);
    case SHAPE_I64: {
        int64_t value = *(const int64_t *)member;
        return value == 0  ? write_nil(at)
               : value > 0 ? write_uint(at, (uint64_t)value)
                           : write_below_zero(at, value);
    }
    case SHAPE_FLAG:
        *at = *(const bool *)member ? TRUE : NIL;
        return at + 1;
    case SHAPE_TEXT: {
        const struct span *text = member;
        return text->len == 0 ? write_nil(at) : write_text(at, *text);
    }
    case SHAPE_CROWD: {
        const struct span *list = member;
        return list->len == 0 ? write_nil(at) : write_bytes(at, list->data, list->len);
    }
    case SHAPE_BYTES_16:
        return is_zero(member, 16) ? write_nil(at) : write_bytes(at, member, 16);
    case SHAPE_BYTES_32:
        return is_zero(member, 32) ? write_nil(at) : write_bytes(at, member, 32);
    case SHAPE_PREVIOUS:
        assert(event->friend_prev < event->seq);
        return event->friend_prev == 0 ? write_nil(at)
                                       : write_uint(at, event->seq - event->friend_prev);
    case SHAPE_WORDS:
        return event->word_count == 0 ? write_nil(at) : write_bytes(at, words_hash, ROW_HASH_BYTES);
    case SHAPE_SOURCE:
        return write_source(at, member);
    case SHAPE_ITEMS:
        return event->u.delivery.item_count == 0
                   ? write_nil(at)
                   : write_items(at, member, event->u.delivery.item_count);
    }
    return at;
}

/* Never less than write_part() writes. */
ALWAYS_INLINE size_t
part_room(enum part_shape shape, const void *member)
{
    switch (shape) {
    case SHAPE_TEXT:
    case SHAPE_CROWD:
        return HEADER_BYTES + ((const struct span *)member)->len;
    case SHAPE_BYTES_16:
    case SHAPE_WORDS:
        return HEADER_BYTES + 16;
    case SHAPE_BYTES_32:
        return HEADER_BYTES + 32;
    case SHAPE_SOURCE:
        return SOURCE_BYTES;
    case SHAPE_ITEMS:
        return 1 + DELIVERY_ITEMS_MAX * ITEM_BYTES;
    case SHAPE_U32:
    case SHAPE_ID:
    case SHAPE_U64:
    case SHAPE_I64:
    case SHAPE_FLAG:
    case SHAPE_CLASS:
    case SHAPE_HOW:
    case SHAPE_RESULT:
    case SHAPE_PREVIOUS:
        break;
    }
    return NUMBER_BYTES;
}

/* ---- events ---- */

/* The elements of an event's array so far. Trailing nils are not kept. */
struct written {
    uint8_t *at, *end; /* behind the last element, behind the last that is not nil */
    uint32_t count;
    uint32_t kept; /* elements before end */
};

#define ROOM(type, name, member) +part_room((enum part_shape)type##_SHAPE, &event->member)
#define WRITE(type, name, member)                                                                  \
    {                                                                                              \
        uint8_t *at = written.at;                                                                  \
        written.at =                                                                               \
            write_part(at, (enum part_shape)type##_SHAPE, &event->member, event, words_hash);      \
        written.count++;                                                                           \
        written.end = *at == NIL ? written.end : written.at;                                       \
        written.kept = *at == NIL ? written.kept : written.count;                                  \
    }

static size_t
room_for_common(const struct event *event)
{
    return HEADER_BYTES + NUMBER_BYTES PARTS_common(ROOM);
}

/* The kind and what every kind begins with, behind room for a short array's header. */
static struct written
write_common(uint8_t *room, const struct event *event, const uint8_t words_hash[ROW_HASH_BYTES])
{
    struct written written = {.at = write_uint(room + 1, event->kind), .count = 1, .kept = 1};
    written.end = written.at;
    PARTS_common(WRITE);
    return written;
}

static void
finish(struct buf *out, size_t start, struct written written)
{
    uint8_t *at = out->data + start;
    size_t len = (size_t)(written.end - at);
    if (written.kept <= ARRAY_FIX_MAX) {
        at[0] = (uint8_t)(ARRAY_FIX + written.kept);
    } else {
        memmove(at + 3, at + 1, len - 1);
        write_big_endian(at, ARRAY_16, written.kept, 2);
        len += 2;
    }
    out->len = start + len;
}

#define LIST(list, body)                                                                           \
    static void write_##list(const struct event *event, const uint8_t *words_hash,                 \
                             struct buf *out)                                                      \
    {                                                                                              \
        size_t start = out->len;                                                                   \
        uint8_t *room = buf_reserve(out, room_for_common(event) PARTS_##list(ROOM));               \
        if (room == NULL) {                                                                        \
            return;                                                                                \
        }                                                                                          \
        struct written written = write_common(room, event, words_hash);                            \
        PARTS_##list(WRITE);                                                                       \
        finish(out, start, written);                                                               \
    }
EVENT_LISTS(LIST)

static int
write_to_buf(void *context, const char *data, size_t len)
{
    buf_append(context, data, len);
    return 0; /* the buffer keeps its own error */
}

/* Appends the row and computes its hash. */
static void
encode_words(const struct event *event, const uint8_t *salt, struct buf *out,
             uint8_t out_hash[ROW_HASH_BYTES])
{
    size_t start = out->len;
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, write_to_buf);
    buf_append(out, salt, EVENT_SALT_BYTES);
    msgpack_pack_array(&packer, event->word_count);
    for (uint32_t i = 0; i < event->word_count; i++) {
        msgpack_pack_bin(&packer, event->words[i].len);
        msgpack_pack_bin_body(&packer, event->words[i].data, event->words[i].len);
    }
    if (out->rc == RC_OK) {
        row_hash(span_of(out->data + start, out->len - start), out_hash);
    }
}

#define LAYOUT(kind, name, list, words)                                                            \
    case kind:                                                                                     \
        write_##list(event, words_hash, out_event);                                                \
        return;

void
event_encode(const struct event *event, const uint8_t salt[EVENT_SALT_BYTES], struct buf *out_event,
             struct buf *out_content)
{
    assert(event->seq > 0);
    assert(!event->words_erased);
    uint8_t words_hash[ROW_HASH_BYTES];
    if (event->word_count > 0) {
        encode_words(event, salt, out_content, words_hash);
    }
    switch (event->kind) {
        EVENT_LAYOUTS(LAYOUT)
    }
    assert(event_kind_name(event->kind) !=
           NULL); /* never true here: each kind has returned above */
}
