#include "store/log.h"

enum { LENGTH_BYTES = 4 };

void
log_events_add(struct buf *events, struct span event)
{
    uint8_t length[LENGTH_BYTES] = {(uint8_t)(event.len >> 24), (uint8_t)(event.len >> 16),
                                    (uint8_t)(event.len >> 8), (uint8_t)event.len};
    buf_append(events, length, sizeof(length));
    buf_append_span(events, event);
}

enum rc
log_events_next(struct span *rest, struct span *out_event)
{
    if (rest->len == 0) {
        return RC_END;
    }
    if (rest->len < LENGTH_BYTES) {
        return RC_CORRUPT;
    }
    size_t length = (size_t)rest->data[0] << 24 | (size_t)rest->data[1] << 16 |
                    (size_t)rest->data[2] << 8 | (size_t)rest->data[3];
    if (length > rest->len - LENGTH_BYTES) {
        return RC_CORRUPT;
    }
    *out_event = span_of(rest->data + LENGTH_BYTES, length);
    *rest = span_of(rest->data + LENGTH_BYTES + length, rest->len - LENGTH_BYTES - length);
    return RC_OK;
}
