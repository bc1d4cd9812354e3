/* A condition on a command line is understood, or refused with words. */
#include "tests/fuzz/fuzz.h"
#include "tests/proto/definition_fixture.h"

#include <assert.h>

static const char SHOP[] = "tags: {all: [vip, bought]}\n"
                           "fields: {area: text, points: number, birthday: date}\n"
                           "marks: [fresh]\n"
                           "templates: {T: hello}\n"
                           "buttons: {b: {send: T}}\n"
                           "scenarios: {S: {steps: {one: {when: now, send: T}}}}\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fixture fixture = compile_text(SHOP);
    assert(fixture.rc == RC_OK);
    struct arena *arena = arena_new();
    struct condition condition;
    struct buf error = {0};
    if (definition_condition(span_of(data, size), fixture.definitions, arena, &condition, &error) !=
        RC_OK) {
        assert(error.len > 0);
    }
    buf_fini(&error);
    arena_free(arena);
    fixture_fini(&fixture);
    return 0;
}
