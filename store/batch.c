#include "store/batch.h"

#include "engine/base/checksum.h"

static const uint8_t MAGIC[4] = {'s', 't', 'p', 'b'};

/* Where the parts of the header begin; docs/format.md shows them in hex. */
enum {
    AT_VERSION = 4,
    AT_RUN_ID = 6,
    AT_FIRST_SEQ = 22,
    AT_COUNT = 30,
    AT_TIME = 34,
    AT_CHECKSUM_BEFORE = 42,
};
_Static_assert(AT_CHECKSUM_BEFORE + 8 == BATCH_HEADER_BYTES, "the header has no holes");

void
big_endian_put(uint8_t *out, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
}

uint64_t
big_endian_get(const uint8_t *bytes, uint32_t count)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < count; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

uint64_t
batch_encode(const struct batch_header *header, struct span events, struct buf *out)
{
    uint8_t head[BATCH_HEADER_BYTES];
    size_t start = out->len;
    memcpy(head, MAGIC, sizeof(MAGIC));
    big_endian_put(head + AT_VERSION, BATCH_VERSION, 2);
    memcpy(head + AT_RUN_ID, header->run_id, LOG_RUN_ID_BYTES);
    big_endian_put(head + AT_FIRST_SEQ, header->first_seq, 8);
    big_endian_put(head + AT_COUNT, header->event_count, 4);
    big_endian_put(head + AT_TIME, (uint64_t)header->time_ms, 8);
    big_endian_put(head + AT_CHECKSUM_BEFORE, header->checksum_before, 8);
    buf_append(out, head, sizeof(head));
    buf_append_span(out, events);
    if (out->rc != RC_OK) {
        return 0;
    }
    uint64_t checksum = checksum_of(out->data + start, out->len - start);
    uint8_t tail[BATCH_CHECKSUM_BYTES];
    big_endian_put(tail, checksum, sizeof(tail));
    buf_append(out, tail, sizeof(tail));
    return checksum;
}

static bool
count_agrees(struct span events, uint32_t event_count)
{
    struct span event;
    uint32_t found = 0;
    enum rc rc;
    while ((rc = log_events_next(&events, &event)) == RC_OK) {
        found++;
    }
    return rc == RC_END && found == event_count;
}

enum rc
batch_decode(struct span bytes, uint64_t key, struct batch_view *out_view, const char **out_why)
{
    const uint8_t *data = bytes.data;
    if (bytes.len < BATCH_HEADER_BYTES + BATCH_CHECKSUM_BYTES ||
        memcmp(data, MAGIC, sizeof(MAGIC)) != 0) {
        *out_why = "these bytes are no batch";
        return RC_CORRUPT;
    }
    size_t end = bytes.len - BATCH_CHECKSUM_BYTES;
    uint64_t checksum = big_endian_get(data + end, BATCH_CHECKSUM_BYTES);
    if (checksum_of(data, end) != checksum) {
        *out_why = "checksum does not match";
        return RC_CORRUPT;
    }
    if (big_endian_get(data + AT_VERSION, 2) != BATCH_VERSION) {
        *out_why = "written by a newer version of stepd";
        return RC_NEWER;
    }
    struct batch_view view = {
        .header = {.first_seq = big_endian_get(data + AT_FIRST_SEQ, 8),
                   .event_count = (uint32_t)big_endian_get(data + AT_COUNT, 4),
                   .time_ms = (int64_t)big_endian_get(data + AT_TIME, 8),
                   .checksum_before = big_endian_get(data + AT_CHECKSUM_BEFORE, 8)},
        .events = span_of(data + BATCH_HEADER_BYTES, end - BATCH_HEADER_BYTES),
        .checksum = checksum,
    };
    memcpy(view.header.run_id, data + AT_RUN_ID, LOG_RUN_ID_BYTES);
    if (view.header.first_seq != key) {
        *out_why = "it lies under another number than its own";
        return RC_CORRUPT;
    }
    if (view.header.event_count == 0 || !count_agrees(view.events, view.header.event_count)) {
        *out_why = "it holds another number of events than it says";
        return RC_CORRUPT;
    }
    if (view.header.first_seq == 1 && view.header.checksum_before != 0) {
        *out_why = "it is the first, yet names one before";
        return RC_CORRUPT;
    }
    *out_view = view;
    return RC_OK;
}

const char *
batch_follows(const struct batch_view *view, const struct batch_view *before)
{
    uint64_t expected = before->header.first_seq + before->header.event_count;
    if (view->header.first_seq > expected) {
        return "events before it are missing";
    }
    if (view->header.first_seq < expected) {
        return "its numbers were given before";
    }
    if (view->header.checksum_before != before->checksum) {
        return "it does not continue the batch before it";
    }
    return NULL;
}
