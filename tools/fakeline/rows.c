#include "tools/fakeline/rows.h"

#include <assert.h>
#include <stdlib.h>

void
rows_fini(struct rows *rows)
{
    buf_fini(&rows->text);
    free(rows->ends);
    *rows = (struct rows){0};
}

void
rows_clear(struct rows *rows)
{
    rows_fini(rows);
}

void
rows_append(struct rows *rows, json_t *row)
{
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity == 0 ? 256 : 2 * rows->capacity;
        rows->ends = realloc(rows->ends, rows->capacity * sizeof(*rows->ends));
        assert(rows->ends != NULL);
    }
    int set = json_object_set_new(row, "n", json_integer((json_int_t)rows->count + 1));
    char *text = json_dumps(row, JSON_COMPACT);
    assert(set == 0 && text != NULL);
    buf_append_cstr(&rows->text, text);
    assert(rows->text.rc == RC_OK);
    rows->ends[rows->count++] = rows->text.len;
    free(text);
    json_decref(row);
}

void
rows_list(const struct rows *rows, size_t after, const char *name, struct buf *out_json)
{
    buf_printf(out_json, "{\"%s\":[", name);
    for (size_t i = after; i < rows->count; i++) {
        size_t start = i == 0 ? 0 : rows->ends[i - 1];
        if (i > after) {
            buf_append_byte(out_json, ',');
        }
        buf_append(out_json, rows->text.data + start, rows->ends[i] - start);
    }
    buf_printf(out_json, "],\"next\":%zu}", rows->count);
}
