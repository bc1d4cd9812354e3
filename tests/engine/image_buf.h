/* image_buf - images in a buffer, for tests.
 *
 * Shape    image_to_buf() writes one; image_span_source() reads one from bytes at hand.
 * Units    bytes.
 * Errors   as engine/image.h.
 * Owner    the caller owns buffer and bytes.
 */
#ifndef TESTS_ENGINE_IMAGE_BUF_H
#define TESTS_ENGINE_IMAGE_BUF_H

#include "engine/base/buf.h"
#include "engine/image.h"

static inline void
image_buf_put(void *context, const void *data, size_t len)
{
    buf_append(context, data, len);
}

static inline void
image_to_buf(const struct state *state, struct buf *out)
{
    const struct stream_sink sink = {.put = image_buf_put, .context = out};
    image_write(state, &sink);
}

static inline enum rc
image_span_get(void *context, void *out, size_t bytes)
{
    struct span *rest = context;
    if (bytes > rest->len) {
        return RC_CORRUPT;
    }
    memcpy(out, rest->data, bytes);
    *rest = span_of(rest->data + bytes, rest->len - bytes);
    return RC_OK;
}

/* The span moves on as it is read. */
static inline struct stream_source
image_span_source(struct span *rest)
{
    return (struct stream_source){.get = image_span_get, .context = rest, .bytes = rest->len};
}

#endif
