/* An event in the log is decoded or refused; a decoded one is printed, and encoded again it decodes to
 * the same bytes. */
#include "proto/event.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>

enum { SEQ = 1 << 20 };

static void
encode(const struct event *event, struct buf *out)
{
    static const uint8_t salt[EVENT_SALT_BYTES] = {1};
    struct buf content = {0};
    event_encode(event, salt, out, &content);
    buf_fini(&content);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event_decoded decoded;
    if (event_decode(span_of(data, size), SEQ, 1780272000000, &decoded) != RC_OK) {
        return 0;
    }
    json_decref(event_to_json(&decoded.event, NULL, NULL));
    if (decoded.event.kind == EVENT_DEFINITIONS_APPLIED) {
        return 0; /* its set is in the words, which are not here */
    }
    struct buf once = {0}, twice = {0};
    encode(&decoded.event, &once);
    struct event_decoded again;
    enum rc rc = event_decode(buf_span(&once), SEQ, 1780272000000, &again);
    assert(rc == RC_OK);
    encode(&again.event, &twice);
    assert(span_equal(buf_span(&once), buf_span(&twice)));
    buf_fini(&once);
    buf_fini(&twice);
    return 0;
}
