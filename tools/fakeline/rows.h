/* rows - an append-only, numbered list of JSON objects, kept as text.
 *
 * Shape    each row gets the next number as its "n"; a reader asks for those after a number. Text, because
 *          a bench appends a million and reads them once.
 * Units    numbers count from 1 and start again after rows_clear().
 * Errors   none; without memory the process ends.
 * Owner    the caller embeds the struct (zeroed is empty) and calls rows_fini().
 */
#ifndef FAKELINE_ROWS_H
#define FAKELINE_ROWS_H

#include "engine/base/buf.h"
#include <jansson.h>

struct rows {
    struct buf text;
    size_t *ends; /* ends[i]: where row i + 1 ends in text */
    size_t count, capacity;
};

void rows_fini(struct rows *rows);
void rows_clear(struct rows *rows);
void rows_append(struct rows *rows, json_t *row); /* taken */
/* Appends {"NAME":[…],"next":N}, where N is the number to ask with next time. */
void rows_list(const struct rows *rows, size_t after, const char *name, struct buf *out_json);

#endif
