/* stream - bytes on their way out of structures or back into them, by one description for both ways.
 *
 * Shape    whoever keeps something writes one function over it, made of the calls below; it puts the bytes
 *          out or fills them in, whichever way the stream runs. Numbers are as the machine has them: where
 *          the bytes lie says which machine that was.
 * Units    bytes.
 * Errors   reading, a sticky rc with a reason in plain words; nothing is believed: a count is held
 *          against the bytes that are left before room is made for it. Writing has none here.
 * Owner    the caller embeds it; stream_out() or stream_in() begins it.
 */
#ifndef ENGINE_STREAM_H
#define ENGINE_STREAM_H

#include "engine/base/rc.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream_sink {
    void (*put)(void *context, const void *data, size_t len);
    void *context;
};

struct stream_source {
    /* Fills out with the next bytes; RC_CORRUPT when there are not so many. */
    enum rc (*get)(void *context, void *out, size_t bytes);
    void *context;
    uint64_t bytes; /* all there are */
};

struct stream {
    const struct stream_sink *sink; /* NULL: reading */
    const struct stream_source *source;
    uint64_t rest; /* reading: bytes not yet read */
    enum rc rc;
    const char *why; /* a constant text */
};

void stream_out(struct stream *stream, const struct stream_sink *sink);
void stream_in(struct stream *stream, const struct stream_source *source);

static inline bool
stream_reads(const struct stream *stream)
{
    return stream->sink == NULL;
}

void stream_fail(struct stream *stream, enum rc rc, const char *why);
/* RC_CORRUPT for that reason unless it holds. */
void stream_check(struct stream *stream, bool holds, const char *why);

/* After a failure they leave things as they are. */
void stream_bytes(struct stream *stream, void *data, size_t len);
void stream_u32(struct stream *stream, uint32_t *value);
void stream_u64(struct stream *stream, uint64_t *value);
void stream_i64(struct stream *stream, int64_t *value);
void stream_bool(struct stream *stream, bool *value);
/* How many things of at least min_bytes each follow; 0 when there cannot be so many. */
uint32_t stream_count(struct stream *stream, uint32_t count, size_t min_bytes);
/* A string of its own; NULL is the empty one. */
void stream_string(struct stream *stream, char **string);

#endif
