#include "store/log.h"

size_t
log_events_open(struct buf *events)
{
    size_t opened = events->len;
    (void)buf_reserve(events, LOG_LENGTH_BYTES); /* the buffer keeps its error */
    return opened;
}

void
log_events_close(struct buf *events, size_t opened)
{
    if (events->rc != RC_OK) {
        return;
    }
    size_t len = events->len - opened - LOG_LENGTH_BYTES;
    uint8_t *at = events->data + opened;
    at[0] = (uint8_t)(len >> 24);
    at[1] = (uint8_t)(len >> 16);
    at[2] = (uint8_t)(len >> 8);
    at[3] = (uint8_t)len;
}

void
log_events_add(struct buf *events, struct span event)
{
    size_t opened = log_events_open(events);
    buf_append_span(events, event);
    log_events_close(events, opened);
}
