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

/* True, and the value consumed, when the next value is nil. */
bool msgpack_read_nil(struct msgpack_reader *reader);
bool msgpack_read_bool(struct msgpack_reader *reader);
uint64_t msgpack_read_uint(struct msgpack_reader *reader, uint64_t max);
int64_t msgpack_read_int(struct msgpack_reader *reader);
struct span msgpack_read_str(struct msgpack_reader *reader);
struct span msgpack_read_bin(struct msgpack_reader *reader);
/* The number of elements; never more than there are bytes left. */
uint32_t msgpack_read_array(struct msgpack_reader *reader);
/* Passes over one value of any type, with all it contains. */
void msgpack_skip(struct msgpack_reader *reader);

#endif
