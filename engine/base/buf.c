#include "engine/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_CAPACITY_MIN = 64 };

void
buf_fini(struct buf *buf)
{
    if (buf == NULL) {
        return;
    }
    free(buf->data);
    *buf = (struct buf){0};
}

void
buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->rc = RC_OK;
}

static bool
grow(struct buf *buf, size_t len)
{
    if (buf->rc != RC_OK) {
        return false;
    }
    if (len > SIZE_MAX / 4 - buf->len) {
        buf->rc = RC_NO_MEMORY;
        return false;
    }
    if (buf->len + len <= buf->capacity) {
        return true;
    }
    size_t capacity = buf->capacity == 0 ? BUF_CAPACITY_MIN : buf->capacity;
    while (capacity < buf->len + len) {
        capacity *= 2;
    }
    uint8_t *data = realloc(buf->data, capacity);
    if (data == NULL) {
        buf->rc = RC_NO_MEMORY;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

uint8_t *
buf_reserve(struct buf *buf, size_t len)
{
    if (!grow(buf, len)) {
        return NULL;
    }
    uint8_t *at = buf->data + buf->len;
    buf->len += len;
    return at;
}

void
buf_append(struct buf *buf, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }
    uint8_t *at = buf_reserve(buf, len);
    if (at != NULL) {
        memcpy(at, data, len);
    }
}

void
buf_append_span(struct buf *buf, struct span span)
{
    buf_append(buf, span.data, span.len);
}

void
buf_append_cstr(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void
buf_append_byte(struct buf *buf, uint8_t byte)
{
    buf_append(buf, &byte, 1);
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len >= 0 && grow(buf, (size_t)len + 1)) {
        vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

const char *
buf_cstr(struct buf *buf)
{
    if (!grow(buf, 1)) {
        return "";
    }
    buf->data[buf->len] = '\0';
    return (const char *)buf->data;
}
