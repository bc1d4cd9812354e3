#include "proto/csv.h"

#include "proto/words.h"

#include <iconv.h>

static bool
from_cp932(struct span bytes, struct arena *arena, struct span *out_text)
{
    iconv_t converter = iconv_open("UTF-8", "CP932");
    if (converter == (iconv_t)-1) {
        return false;
    }
    size_t room = bytes.len * 3 + 1, left = room, in_left = bytes.len;
    char *text = arena_alloc(arena, room), *out = text;
    char *in = (char *)(uintptr_t)bytes.data; /* iconv reads it only */
    bool good = iconv(converter, &in, &in_left, &out, &left) != (size_t)-1 && in_left == 0;
    iconv_close(converter);
    *out_text = span_of(text, room - left);
    return good;
}

bool
csv_text(struct span bytes, struct arena *arena, struct span *out_text)
{
    static const uint8_t MARK[] = {0xef, 0xbb, 0xbf};
    if (bytes.len >= sizeof(MARK) && memcmp(bytes.data, MARK, sizeof(MARK)) == 0) {
        bytes = span_of(bytes.data + sizeof(MARK), bytes.len - sizeof(MARK));
    }
    if (words_utf8_valid(bytes) == bytes.len) {
        *out_text = bytes;
        return true;
    }
    return from_cp932(bytes, arena, out_text);
}

static uint8_t
take(struct span *rest)
{
    uint8_t c = rest->data[0];
    *rest = span_of(rest->data + 1, rest->len - 1);
    return c;
}

/* One cell, with the quotes around it gone. *out_last: the row ends with it. */
static enum rc
read_cell(struct span *rest, struct arena *arena, struct span *out_cell, bool *out_last)
{
    uint8_t *cell = NULL;
    size_t len = 0;
    bool quoted = rest->len > 0 && rest->data[0] == '"', open = quoted;
    *out_last = true;
    if (quoted) {
        take(rest);
    }
    cell = arena_alloc(arena, 1);
    size_t capacity = 1;
    while (rest->len > 0) {
        uint8_t c = take(rest);
        bool twice = c == '"' && rest->len > 0 && rest->data[0] == '"';
        if (open && twice) {
            take(rest);
        } else if (open && c == '"') {
            open = false;
            continue;
        } else if (!open && c == ',') {
            *out_last = false;
            break;
        } else if (!open && (c == '\n' || c == '\r')) {
            if (c == '\r' && rest->len > 0 && rest->data[0] == '\n') {
                take(rest);
            }
            break;
        }
        if (len == capacity) {
            uint8_t *grown = arena_alloc(arena, capacity * 2);
            memcpy(grown, cell, len);
            cell = grown;
            capacity *= 2;
        }
        cell[len++] = c;
    }
    *out_cell = quoted ? span_of(cell, len) : words_trim(span_of(cell, len));
    return open ? RC_INVALID : RC_OK;
}

enum rc
csv_row(struct span *rest, struct arena *arena, struct csv_row *out_row)
{
    while (rest->len > 0 && (rest->data[0] == '\n' || rest->data[0] == '\r')) {
        take(rest);
    }
    if (rest->len == 0) {
        return RC_END;
    }
    *out_row = (struct csv_row){0};
    bool last = false;
    while (!last) {
        out_row->cells = arena_grow(arena, out_row->cells, out_row->count, sizeof(struct span));
        enum rc rc = read_cell(rest, arena, &out_row->cells[out_row->count++], &last);
        if (rc != RC_OK) {
            return rc;
        }
    }
    return RC_OK;
}
