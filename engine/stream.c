#include "engine/stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
stream_out(struct stream *stream, const struct stream_sink *sink)
{
    *stream = (struct stream){.sink = sink};
}

void
stream_in(struct stream *stream, const struct stream_source *source)
{
    *stream = (struct stream){.source = source, .rest = source->bytes};
}

void
stream_fail(struct stream *stream, enum rc rc, const char *why)
{
    if (stream->rc == RC_OK) {
        stream->rc = rc;
        stream->why = why;
    }
}

void
stream_check(struct stream *stream, bool holds, const char *why)
{
    if (!holds) {
        stream_fail(stream, RC_CORRUPT, why);
    }
}

void
stream_bytes(struct stream *stream, void *data, size_t len)
{
    if (!stream_reads(stream)) {
        stream->sink->put(stream->sink->context, data, len);
        return;
    }
    stream_check(stream, len <= stream->rest, "it ends before it is complete");
    if (stream->rc != RC_OK) {
        return;
    }
    enum rc rc = stream->source->get(stream->source->context, data, len);
    if (rc != RC_OK) {
        stream_fail(stream, rc, "it cannot be read to its end");
    }
    stream->rest -= len;
}

void
stream_u32(struct stream *stream, uint32_t *value)
{
    stream_bytes(stream, value, sizeof(*value));
}

void
stream_u64(struct stream *stream, uint64_t *value)
{
    stream_bytes(stream, value, sizeof(*value));
}

void
stream_i64(struct stream *stream, int64_t *value)
{
    stream_bytes(stream, value, sizeof(*value));
}

void
stream_bool(struct stream *stream, bool *value)
{
    uint8_t byte = *value ? 1 : 0;
    stream_bytes(stream, &byte, sizeof(byte));
    *value = byte != 0;
}

uint32_t
stream_count(struct stream *stream, uint32_t count, size_t min_bytes)
{
    stream_u32(stream, &count);
    if (stream_reads(stream)) {
        stream_check(stream, count != UINT32_MAX && count <= stream->rest / min_bytes,
                     "it ends before it is complete");
    }
    return stream->rc == RC_OK ? count : 0;
}

void
stream_string(struct stream *stream, char **string)
{
    bool reads = stream_reads(stream);
    size_t len = reads || *string == NULL ? 0 : strlen(*string);
    uint32_t count = stream_count(stream, (uint32_t)len, 1);
    if (reads) {
        free(*string);
        *string = NULL;
        if (count > 0) {
            *string = calloc(1, (size_t)count + 1);
            assert(*string != NULL);
        }
    }
    if (count > 0) {
        stream_bytes(stream, *string, count);
    }
}
