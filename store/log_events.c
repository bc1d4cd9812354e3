#include "store/log.h"

void
log_events_add(struct buf *events, struct span event)
{
    uint8_t length[LOG_LENGTH_BYTES] = {(uint8_t)(event.len >> 24), (uint8_t)(event.len >> 16),
                                        (uint8_t)(event.len >> 8), (uint8_t)event.len};
    buf_append(events, length, sizeof(length));
    buf_append_span(events, event);
}
