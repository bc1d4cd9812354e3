/* buf - a growing byte buffer with a sticky error.
 *
 * Shape    append only; after the first failure every call is a no-op and buf.rc says why, so the
 *          caller checks once at the end. Zero-initialised is a valid empty buffer.
 * Units    bytes.
 * Errors   RC_NO_MEMORY, sticky.
 * Owner    the caller embeds the struct and calls buf_fini(). buf_span() is borrowed until the next
 *          append.
 */
#ifndef ENGINE_BASE_BUF_H
#define ENGINE_BASE_BUF_H

#include "engine/base/rc.h"
#include "engine/base/span.h"

struct buf {
    uint8_t *data;
    size_t len;
    size_t capacity;
    enum rc rc;
};

void buf_fini(struct buf *buf);
void buf_clear(struct buf *buf); /* keeps the memory, forgets the error */
void buf_append(struct buf *buf, const void *data, size_t len);
void buf_append_span(struct buf *buf, struct span span);
void buf_append_cstr(struct buf *buf, const char *text);
void buf_append_byte(struct buf *buf, uint8_t byte);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for len bytes, counted as appended; NULL once the buffer has failed. */
uint8_t *buf_reserve(struct buf *buf, size_t len);

static inline struct span
buf_span(const struct buf *buf)
{
    return span_of(buf->data, buf->len);
}

/* The content as a C string; borrowed until the next append. Empty when the buffer failed. */
const char *buf_cstr(struct buf *buf);

#endif
