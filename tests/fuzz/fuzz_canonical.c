/* A canonical form that was damaged in the log is refused, or is one after all. */
#include "tests/fuzz/fuzz.h"
#include "tests/proto/definition_fixture.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct definitions *definitions = NULL;
    if (definition_from_canonical(span_of(data, size), FIXTURE_ZONES, &definitions) == RC_OK) {
        definitions_release(definitions);
    }
    return 0;
}
