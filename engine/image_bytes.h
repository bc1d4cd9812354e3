/* image_bytes - numbers in an image: big-endian, at the places of docs/format.md.
 *
 * Shape    one enum of row sizes for writer and reader; put and get at a pointer, bounds checked by whoever
 *          asked for the row.
 * Units    bytes.
 * Errors   none.
 * Owner    none.
 */
#ifndef ENGINE_IMAGE_BYTES_H
#define ENGINE_IMAGE_BYTES_H

#include <stdbool.h>
#include <stdint.h>

struct state;
/* image_lists.c: does every row of a state that was read hang on exactly one list? */
bool image_lists_hold(const struct state *state);

enum image_sizes {
    IMAGE_HEAD_BYTES = 178,      /* version, seq, times, claim, forgetting, dates, lists, quota */
    IMAGE_RUN_BYTES = 16,        /* run id */
    IMAGE_FRIEND_BYTES = 77,     /* without its two texts */
    IMAGE_VALUE_BYTES = 28,      /* without its text */
    IMAGE_ROW_BYTES = 5,         /* phase and next: all of a free row */
    IMAGE_ENROLMENT_BYTES = 110, /* after those */
    IMAGE_DELIVERY_BYTES = 92,   /* after those, without token, values, act and items */
    IMAGE_ITEM_BYTES = 17,
    IMAGE_SCENARIO_BYTES = 29,
    IMAGE_ONCE_BYTES = 12,
    IMAGE_TAP_BYTES = 24,
    IMAGE_SENT_BYTES = 8,
    IMAGE_DECIDED_BYTES = 16,
    IMAGE_BROADCAST_BYTES = 26, /* without its audience */
    IMAGE_COUNT_BYTES = 4,      /* before every section, and before every text */
};

enum image_set_form { IMAGE_SET_LIST = 0, IMAGE_SET_BITS = 1 };

static inline uint8_t *
put_u8(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    return at + 1;
}

static inline uint8_t *
put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
    return at + 4;
}

static inline uint8_t *
put_u64(uint8_t *at, uint64_t value)
{
    return put_u32(put_u32(at, (uint32_t)(value >> 32)), (uint32_t)value);
}

static inline uint8_t *
put_i64(uint8_t *at, int64_t value)
{
    return put_u64(at, (uint64_t)value);
}

static inline uint32_t
get_u8(const uint8_t **at)
{
    return *(*at)++;
}

static inline uint32_t
get_u32(const uint8_t **at)
{
    const uint8_t *from = *at;
    *at += 4;
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static inline uint64_t
get_u64(const uint8_t **at)
{
    uint64_t high = get_u32(at);
    return high << 32 | get_u32(at);
}

static inline int64_t
get_i64(const uint8_t **at)
{
    return (int64_t)get_u64(at);
}

#endif
