/* batch - the bytes of one commit: a header, the encoded events, a checksum over both.
 *
 * Shape    every number is big-endian; docs/format.md has the layout with one example in hex.
 *          batch_decode() checks everything a batch can say about itself: length, checksum, magic, version,
 *          the number it is kept under, and that its events are as many as it claims. Whether it follows
 *          the batch before is batch_follows().
 * Units    UTC milliseconds; event numbers.
 * Errors   RC_CORRUPT with a reason in plain words; RC_NEWER for a later version whose checksum holds.
 * Owner    views borrow from the bytes given.
 */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/log.h"

enum { BATCH_HEADER_BYTES = 50, BATCH_CHECKSUM_BYTES = 8, BATCH_VERSION = 1 };

struct batch_header {
    uint8_t run_id[LOG_RUN_ID_BYTES];
    uint64_t first_seq;
    uint32_t event_count;
    int64_t time_ms;
    uint64_t checksum_before; /* of the batch before; 0 for the first */
};

struct batch_view {
    struct batch_header header;
    struct span events;
    uint64_t checksum;
};

static inline uint64_t
batch_last_seq(const struct batch_view *view)
{
    return view->header.first_seq + view->header.event_count - 1;
}

/* Appends the batch to out; returns its checksum. */
uint64_t batch_encode(const struct batch_header *header, struct span events, struct buf *out);

/* *out_why is a constant text, set when something is wrong. */
MUST_USE enum rc batch_decode(struct span bytes, uint64_t key, struct batch_view *out_view,
                              const char **out_why);

/* NULL when `view` is the next batch after `before`, else what is wrong. */
const char *batch_follows(const struct batch_view *view, const struct batch_view *before);

void big_endian_put(uint8_t *out, uint64_t value, uint32_t bytes);
uint64_t big_endian_get(const uint8_t *bytes, uint32_t count);

#endif
