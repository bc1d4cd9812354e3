/* msgpack_reader - reads msgpack bytes one value at a time, without building objects.
 *
 * Shape    a struct over the bytes that are left, with a sticky rc: after the first failure every call
 *          is a no-op that returns zero or an empty span, and the caller checks once at the end.
 *          Skipping counts what is still to come instead of recursing, so depth costs nothing.
 * Units    bytes.
 * Errors   RC_CORRUPT: a value of another type, a number out of range, or bytes that end too early.
 * Owner    the caller embeds the struct; spans are borrowed from the bytes given.
 */
#ifndef PROTO_MSGPACK_READER_H
#define PROTO_MSGPACK_READER_H

#include "engine/base/rc.h"
#include "engine/base/span.h"

struct msgpack_reader {
    struct span rest;
    enum rc rc;
};

bool msgpack_read_bool(struct msgpack_reader *reader);
int64_t msgpack_read_int(struct msgpack_reader *reader);
struct span msgpack_read_str(struct msgpack_reader *reader);
struct span msgpack_read_bin(struct msgpack_reader *reader);
/* The number of elements; never more than there are bytes left. */
uint32_t msgpack_read_array(struct msgpack_reader *reader);
/* Passes over one value of any type, with all it contains. */
void msgpack_skip(struct msgpack_reader *reader);

/* For numbers of more than one byte: ask msgpack_read_uint(). */
uint64_t msgpack_read_long_uint(struct msgpack_reader *reader, uint64_t max);

/* The two calls that replay makes for nearly every part of every event are here to be inlined. A
 * failed reader has nothing left, so the length is all they look at. */

/* True, and the value consumed, when the next value is nil. */
static inline bool
msgpack_read_nil(struct msgpack_reader *reader)
{
    enum { NIL_BYTE = 0xc0 };
    if (reader->rest.len == 0 || reader->rest.data[0] != NIL_BYTE) {
        return false;
    }
    reader->rest.data++;
    reader->rest.len--;
    return true;
}

static inline uint64_t
msgpack_read_uint(struct msgpack_reader *reader, uint64_t max)
{
    enum { ONE_BYTE_MAX = 0x7f };
    if (reader->rest.len == 0 || reader->rest.data[0] > ONE_BYTE_MAX ||
        reader->rest.data[0] > max) {
        return msgpack_read_long_uint(reader, max);
    }
    uint64_t value = reader->rest.data[0];
    reader->rest.data++;
    reader->rest.len--;
    return value;
}

#endif
