/* definition_fixture - files given as C strings, compiled with two zones that need no zone files.
 *
 * Shape    compile_text() for one file named shop.yaml; the diagnostics' print is the expectation.
 * Units    as proto/definition.h.
 * Errors   as proto/definition.h.
 * Owner    the test; fixture_fini() frees all of it.
 */
#ifndef TESTS_PROTO_DEFINITION_FIXTURE_H
#define TESTS_PROTO_DEFINITION_FIXTURE_H

#include "proto/definition.h"

struct fixture {
    struct diagnostics diagnostics;
    struct definitions *definitions; /* NULL when there were errors */
    struct buf printed;
    enum rc rc;
};

static const struct zone *
fixture_zone(void *context, struct span name)
{
    static char tokyo_name[] = "Asia/Tokyo";
    static char utc_name[] = "Etc/UTC";
    static int32_t tokyo_offset[] = {9 * 3600};
    static int32_t utc_offset[] = {0};
    static const struct zone tokyo = {.name = tokyo_name, .offset_s = tokyo_offset, .hash = 1};
    static const struct zone utc = {.name = utc_name, .offset_s = utc_offset, .hash = 2};
    (void)context;
    if (span_equal_cstr(name, tokyo_name)) {
        return &tokyo;
    }
    return span_equal_cstr(name, utc_name) ? &utc : NULL;
}

static const struct zone_source FIXTURE_ZONES = {.lookup = fixture_zone};

static inline struct fixture
compile_files(const struct source_file *files, uint32_t count, const struct definitions *before)
{
    struct fixture fixture = {0};
    diagnostics_init(&fixture.diagnostics);
    fixture.rc = definition_compile(files, count, before, FIXTURE_ZONES, "rehearsal",
                                    &fixture.diagnostics, &fixture.definitions);
    diagnostics_print(&fixture.diagnostics, false, &fixture.printed);
    return fixture;
}

static inline struct fixture
compile_span(struct span text, const struct definitions *before)
{
    struct source_file file = {.name = span_cstr("shop.yaml"), .text = text};
    return compile_files(&file, 1, before);
}

static inline struct fixture
compile_text(const char *text)
{
    return compile_span(span_cstr(text), NULL);
}

static inline void
fixture_fini(struct fixture *fixture)
{
    diagnostics_fini(&fixture->diagnostics);
    definitions_release(fixture->definitions);
    buf_fini(&fixture->printed);
}

#endif
