#include "engine/crowd.h"
#include "engine/event_parts.h"
#include "proto/event.h"
#include "proto/msgpack_reader.h"

/* Replay decodes every event there ever was, so each list of parts becomes a function of its own in which
 * the position is a local variable and every offset a constant. What is rare is handed to msgpack_reader.
 * A read function returns the position behind what it read, or NULL. */

#define ALWAYS_INLINE static inline __attribute__((always_inline))

_Static_assert(sizeof(enum reason) == sizeof(uint32_t), "enumerators are read as 32-bit numbers");

enum { NIL = 0xc0, ARRAY_FIX = 0x90, ARRAY_FIX_MAX = 15, ONE_BYTE_MAX = 0x7f, UINT_8 = 0xcc };

struct decoding {
    struct event_decoded *out;
    enum rc rc; /* why a read function returned NULL, when not RC_CORRUPT */
};

/* ---- values ---- */

static const uint8_t *
position(const struct msgpack_reader *reader)
{
    return reader->rc == RC_OK ? reader->rest.data : NULL;
}

static struct msgpack_reader
reader_at(const uint8_t *at, const uint8_t *end)
{
    return (struct msgpack_reader){.rest = span_of(at, (size_t)(end - at))};
}

static __attribute__((noinline)) const uint8_t *
read_uint_carefully(const uint8_t *at, const uint8_t *end, uint64_t max, uint64_t *out)
{
    struct msgpack_reader reader = reader_at(at, end);
    *out = msgpack_read_uint(&reader, max);
    return position(&reader);
}

/* The compilers make one instruction of it. */
ALWAYS_INLINE uint64_t
load_big_endian(const uint8_t *at)
{
    return (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 |
           (uint64_t)at[3] << 32 | (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 |
           (uint64_t)at[6] << 8 | (uint64_t)at[7];
}

/* `at` is before `end`. Numbers of 1, 2, 4 and 8 bytes are one load and one shift, where the bytes behind
 * them are the event's too. */
ALWAYS_INLINE const uint8_t *
read_uint(const uint8_t *at, const uint8_t *end, uint64_t max, uint64_t *out)
{
    if (*at <= ONE_BYTE_MAX) {
        *out = *at;
        return at + 1;
    }
    uint32_t width = (uint32_t)*at - UINT_8;
    if (width > 3 || end - at < 9) {
        return read_uint_carefully(at, end, max, out);
    }
    uint32_t bytes = 1U << width;
    *out = load_big_endian(at + 1) >> (64 - 8 * bytes);
    return *out <= max ? at + 1 + bytes : NULL;
}

ALWAYS_INLINE const uint8_t *
read_u32(const uint8_t *at, const uint8_t *end, uint32_t *out)
{
    uint64_t value = 0;
    at = read_uint(at, end, UINT32_MAX, &value);
    *out = (uint32_t)value;
    return at;
}

static __attribute__((noinline)) const uint8_t *
read_int_carefully(const uint8_t *at, const uint8_t *end, int64_t *out)
{
    struct msgpack_reader reader = reader_at(at, end);
    *out = msgpack_read_int(&reader);
    return position(&reader);
}

ALWAYS_INLINE const uint8_t *
read_i64(const uint8_t *at, const uint8_t *end, int64_t *out)
{
    uint32_t width = (uint32_t)*at - UINT_8;
    if (*at > ONE_BYTE_MAX && width > 3) {
        return read_int_carefully(at, end, out); /* below zero */
    }
    uint64_t value = 0;
    at = read_uint(at, end, INT64_MAX, &value);
    *out = (int64_t)value;
    return at;
}

/* Enumerators that decide what the state becomes: an unknown one was written by a newer version. */
ALWAYS_INLINE const uint8_t *
read_enumerator(const uint8_t *at, const uint8_t *end, uint32_t max, uint32_t *out,
                struct decoding *decoding)
{
    at = read_u32(at, end, out);
    if (at != NULL && *out > max) {
        decoding->rc = RC_NEWER;
        return NULL;
    }
    return at;
}

static const uint8_t *
read_flag(const uint8_t *at, const uint8_t *end, bool *out)
{
    struct msgpack_reader reader = reader_at(at, end);
    *out = msgpack_read_bool(&reader);
    return position(&reader);
}

static const uint8_t *
read_text(const uint8_t *at, const uint8_t *end, struct span *out)
{
    struct msgpack_reader reader = reader_at(at, end);
    *out = msgpack_read_str(&reader);
    return position(&reader);
}

/* A list that does not hold together is refused here, so that applying can rely on it. */
static const uint8_t *
read_many(const uint8_t *at, const uint8_t *end, struct span *out, uint64_t seq)
{
    struct msgpack_reader reader = reader_at(at, end);
    struct crowd crowd;
    *out = msgpack_read_bin(&reader);
    if (reader.rc != RC_OK || !crowd_unpack(*out, &crowd)) {
        return NULL;
    }
    for (uint32_t i = 0; i < crowd.count; i++) {
        if (crowd.previous[i] >= seq) {
            return NULL; /* a chain goes back, or it would never end */
        }
    }
    return position(&reader);
}

static const uint8_t *
read_bytes(const uint8_t *at, const uint8_t *end, uint8_t *out, size_t len)
{
    struct msgpack_reader reader = reader_at(at, end);
    struct span bytes = msgpack_read_bin(&reader);
    if (reader.rc != RC_OK || bytes.len != len) {
        return NULL;
    }
    memcpy(out, bytes.data, len);
    return position(&reader);
}

ALWAYS_INLINE const uint8_t *
read_array(const uint8_t *at, const uint8_t *end, uint32_t *out_count)
{
    if (at < end && *at >= ARRAY_FIX && *at <= ARRAY_FIX + ARRAY_FIX_MAX &&
        *at - ARRAY_FIX < end - at) { /* every element has at least one byte */
        *out_count = (uint32_t)*at - ARRAY_FIX;
        return at + 1;
    }
    struct msgpack_reader reader = reader_at(at, end);
    *out_count = msgpack_read_array(&reader);
    return position(&reader);
}

/* Trailing elements, of a newer version. */
static const uint8_t *
skip(const uint8_t *at, const uint8_t *end, uint32_t elements)
{
    struct msgpack_reader reader = reader_at(at, end);
    while (elements > 0 && reader.rc == RC_OK) {
        msgpack_skip(&reader);
        elements--;
    }
    return position(&reader);
}

/* ---- elements: an array of which trailing ones may be missing or unknown ---- */

/* True when there is a next element and it is not nil: then it begins at *at. Else *at is behind it. */
ALWAYS_INLINE bool
next(const uint8_t **at, const uint8_t *end, uint32_t *left)
{
    if (*left == 0) {
        return false;
    }
    *left -= 1;
    if (*at == end) {
        *at = NULL;
        return false;
    }
    if (**at == NIL) {
        *at += 1;
        return false;
    }
    return true;
}

ALWAYS_INLINE const uint8_t *
next_u32(const uint8_t *at, const uint8_t *end, uint32_t *left, uint32_t absent, uint32_t *out)
{
    *out = absent;
    return next(&at, end, left) ? read_u32(at, end, out) : at;
}

static const uint8_t *
read_source(const uint8_t *at, const uint8_t *end, struct source *out)
{
    uint32_t left, kind = SOURCE_NONE;
    at = read_array(at, end, &left);
    if (at != NULL) {
        at = next_u32(at, end, &left, SOURCE_NONE, &kind);
        out->kind = (enum source_kind)kind;
    }
    if (at != NULL) {
        at = next_u32(at, end, &left, 0, &out->id);
    }
    if (at != NULL) {
        at = next_u32(at, end, &left, 0, &out->sub);
    }
    return at == NULL || left == 0 ? at : skip(at, end, left);
}

static const uint8_t *
read_item(const uint8_t *at, const uint8_t *end, struct delivery_item *out)
{
    uint32_t left;
    *out = (struct delivery_item){0};
    at = read_array(at, end, &left);
    if (at != NULL) {
        at = next_u32(at, end, &left, 0, &out->template);
    }
    if (at != NULL) {
        at = next_u32(at, end, &left, NO_ID, &out->enrolment);
    }
    if (at != NULL && next(&at, end, &left)) {
        at = read_source(at, end, &out->source);
    }
    return at == NULL || left == 0 ? at : skip(at, end, left);
}

static const uint8_t *
read_items(const uint8_t *at, const uint8_t *end, struct event *event)
{
    uint32_t count;
    at = read_array(at, end, &count);
    if (at == NULL || count > DELIVERY_ITEMS_MAX) {
        return NULL;
    }
    event->u.delivery.item_count = count;
    for (uint32_t i = 0; i < count && at != NULL; i++) {
        at = read_item(at, end, &event->u.delivery.items[i]);
    }
    return at;
}

ALWAYS_INLINE const uint8_t *
read_previous(const uint8_t *at, const uint8_t *end, struct event *event)
{
    uint64_t distance = 0;
    at = read_uint(at, end, UINT64_MAX, &distance);
    if (distance == 0 || distance >= event->seq) {
        return NULL;
    }
    event->friend_prev = event->seq - distance;
    return at;
}

/* ---- parts ---- */

/* Zero is most parts' default, and set already; ids have another. */
ALWAYS_INLINE const uint8_t *
read_part(const uint8_t *at, const uint8_t *end, uint32_t *left, struct decoding *decoding,
          enum part_shape shape, void *member)
{
    struct event_decoded *out = decoding->out;
    if (!next(&at, end, left)) {
        if (shape == SHAPE_ID) {
            *(uint32_t *)member = NO_ID;
        }
        return at;
    }
    switch (shape) {
    case SHAPE_U32:
    case SHAPE_ID:
        return read_u32(at, end, member);
    case SHAPE_CLASS:
        return read_enumerator(at, end, CLASS_COUNT - 1, member, decoding);
    case SHAPE_HOW:
        return read_enumerator(at, end, HOW_PUSH, member, decoding);
    case SHAPE_RESULT:
        return read_enumerator(at, end, RESULT_ALONE, member, decoding);
    case SHAPE_U64:
        return read_uint(at, end, UINT64_MAX, member);
    case SHAPE_I64:
        return read_i64(at, end, member);
    case SHAPE_FLAG:
        return read_flag(at, end, member);
    case SHAPE_TEXT:
        return read_text(at, end, member);
    case SHAPE_CROWD:
        return read_many(at, end, member, out->event.seq);
    case SHAPE_BYTES_16:
        return read_bytes(at, end, member, 16);
    case SHAPE_BYTES_32:
        return read_bytes(at, end, member, 32);
    case SHAPE_PREVIOUS:
        return read_previous(at, end, &out->event);
    case SHAPE_WORDS:
        out->has_words = true;
        return read_bytes(at, end, out->words_hash, ROW_HASH_BYTES);
    case SHAPE_SOURCE:
        return read_source(at, end, member);
    case SHAPE_ITEMS:
        return read_items(at, end, &out->event);
    }
    return NULL;
}

#define READ(type, name, member)                                                                   \
    at = read_part(at, end, &left, decoding, (enum part_shape)type##_SHAPE, &event->member);       \
    if (at == NULL) {                                                                              \
        return NULL;                                                                               \
    }

/* Only what a kind has is set: read_step() and its sisters clear and fill their own member of the union. */
#define LIST(list, body)                                                                           \
    static const uint8_t *read_##list(const uint8_t *at, const uint8_t *end, uint32_t left,        \
                                      struct decoding *decoding)                                   \
    {                                                                                              \
        struct event *event = &decoding->out->event;                                               \
        memset(&event->u.body, 0, sizeof(event->u.body));                                          \
        PARTS_##list(READ);                                                                        \
        return left == 0 ? at : skip(at, end, left);                                               \
    }
EVENT_LISTS(LIST)

#define LAYOUT(kind, name, list, words)                                                            \
    case kind:                                                                                     \
        return read_##list(at, end, left, decoding);

static const uint8_t *
read_event(const uint8_t *at, const uint8_t *end, struct decoding *decoding)
{
    struct event *event = &decoding->out->event;
    uint32_t left;
    uint64_t kind = 0;
    at = read_array(at, end, &left);
    if (at == NULL || !next(&at, end, &left)) {
        return NULL; /* an event has a kind at least */
    }
    at = read_uint(at, end, INT32_MAX, &kind);
    if (at == NULL) {
        return NULL;
    }
    event->kind = (enum event_kind)kind;
    PARTS_common(READ);
    switch (event->kind) {
        EVENT_LAYOUTS(LAYOUT)
    }
    decoding->rc = RC_NOT_YET;
    return skip(at, end, left);
}

enum rc
event_decode(struct span bytes, uint64_t seq, int64_t at_ms, struct event_decoded *out_decoded)
{
    struct decoding decoding = {.out = out_decoded};
    if (bytes.len == 0) {
        return RC_CORRUPT;
    }
    struct event *event = &out_decoded->event;
    out_decoded->has_words = false;
    event->seq = seq;
    event->at_ms = at_ms;
    event->friend_prev = 0;
    event->words = NULL;
    event->word_count = 0;
    event->words_erased = false;
    event->source = (struct source){0};
    const uint8_t *end = bytes.data + bytes.len;
    const uint8_t *at = read_event(bytes.data, end, &decoding);
    if (at == NULL) {
        return decoding.rc == RC_NEWER ? RC_NEWER : RC_CORRUPT;
    }
    return at == end ? decoding.rc : RC_CORRUPT;
}

enum rc
event_attach_words(struct event_decoded *decoded, struct span row, struct arena *arena)
{
    if (row.len == 0) {
        decoded->event.words_erased = decoded->has_words;
        return RC_OK;
    }
    if (!decoded->has_words || row.len < EVENT_SALT_BYTES) {
        return RC_CORRUPT;
    }
    uint8_t hash[ROW_HASH_BYTES];
    row_hash(row, hash);
    if (memcmp(hash, decoded->words_hash, sizeof(hash)) != 0) {
        return RC_CORRUPT;
    }

    struct msgpack_reader reader = {
        .rest = span_of(row.data + EVENT_SALT_BYTES, row.len - EVENT_SALT_BYTES)};
    uint32_t count = msgpack_read_array(&reader);
    struct span *words = arena_alloc(arena, (count + 1) * sizeof(*words));
    for (uint32_t i = 0; i < count; i++) {
        words[i] = msgpack_read_bin(&reader);
    }
    if (reader.rc != RC_OK || reader.rest.len > 0) {
        return RC_CORRUPT;
    }
    decoded->event.words = words;
    decoded->event.word_count = count;
    return RC_OK;
}
