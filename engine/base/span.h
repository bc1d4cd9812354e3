/* span - a borrowed run of bytes, usually UTF-8 text.
 *
 * Shape    pointer and length; not terminated; a zeroed span is the empty one.
 * Units    bytes.
 * Errors   none.
 * Owner    always borrowed: whoever hands out a span says how long it is valid.
 */
#ifndef ENGINE_BASE_SPAN_H
#define ENGINE_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *data;
    size_t len;
};

static inline struct span
span_of(const void *data, size_t len)
{
    return (struct span){.data = data, .len = len};
}

static inline struct span
span_cstr(const char *text)
{
    return (struct span){.data = (const uint8_t *)text, .len = text == NULL ? 0 : strlen(text)};
}

static inline bool
span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool
span_equal_cstr(struct span a, const char *text)
{
    return span_equal(a, span_cstr(text));
}

/* For printf's "%.*s": span_fmt(s) expands to the length and the pointer. */
#define span_fmt(s) (int)(s).len, (const char *)((s).data == NULL ? (const uint8_t *)"" : (s).data)

#endif
