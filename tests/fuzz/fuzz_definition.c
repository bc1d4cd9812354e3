/* Any file is compiled or refused with at least one error; what compiles has a canonical form that
 * compiles to itself, which is what replay relies on. */
#include "tests/fuzz/fuzz.h"
#include "tests/proto/definition_fixture.h"

#include <assert.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fixture fixture = compile_span(span_of(data, size), NULL);
    if (fixture.rc != RC_OK) {
        assert(fixture.diagnostics.error_count > 0);
        assert(fixture.definitions == NULL);
    } else {
        struct definitions *again = NULL;
        enum rc rc =
            definition_from_canonical(fixture.definitions->canonical, FIXTURE_ZONES, &again);
        assert(rc == RC_OK);
        assert(span_equal(again->canonical, fixture.definitions->canonical));
        definitions_release(again);
    }
    fixture_fini(&fixture);
    return 0;
}
