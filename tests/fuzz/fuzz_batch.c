/* A batch is whole or refused with a reason; the events of a whole one can be walked. The checksum is
 * made to fit first, so that what lies behind it is reached too. */
#include "engine/base/checksum.h"
#include "store/batch.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>

static void
look(struct span bytes)
{
    enum { KEY_AT = 22 }; /* of the first number in the header, docs/format.md */
    uint64_t key = bytes.len >= BATCH_HEADER_BYTES ? big_endian_get(bytes.data + KEY_AT, 8) : 1;
    struct batch_view view;
    const char *why = NULL;
    if (batch_decode(bytes, key, &view, &why) != RC_OK) {
        assert(why != NULL);
        return;
    }
    struct span rest = view.events, event;
    uint32_t count = 0;
    while (log_events_next(&rest, &event) == RC_OK) {
        count++;
    }
    assert(count == view.header.event_count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    look(span_of(data, size));
    if (size < BATCH_HEADER_BYTES + BATCH_CHECKSUM_BYTES) {
        return 0;
    }
    uint8_t *fitting = malloc(size);
    assert(fitting != NULL);
    memcpy(fitting, data, size);
    size_t body = size - BATCH_CHECKSUM_BYTES;
    big_endian_put(fitting + body, checksum_of(fitting, body), BATCH_CHECKSUM_BYTES);
    look(span_of(fitting, size));
    free(fitting);
    return 0;
}
