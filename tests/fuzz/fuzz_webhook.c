/* Whatever body LINE's signature covers becomes inputs, and never more of them than it has bytes. */
#include "proto/line_webhook.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct line_webhook webhook;
    line_webhook_parse(span_of(data, size), (struct span){0}, 1780272000000, arena, &webhook);
    assert(webhook.input_count <= size + 1);
    for (uint32_t i = 0; i < webhook.input_count; i++) {
        assert(webhook.inputs[i].at_ms != 0);
    }
    arena_free(arena);
    return 0;
}
