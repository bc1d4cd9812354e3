/* import - rows of a table as changes to friends (SPEC R44).
 *
 * Shape    the header says what each column is; a row then becomes inputs, to be put to the engine in order.
 *          Columns: id (LINE's) or number of the friend; tags, as `vip -old`; mark; any field by its name.
 *          What an export has beside them (name, added …) is passed over. An empty cell changes nothing.
 * Units    dates and instants in the account's zone.
 * Errors   false, with a text for people that names the column or the cell.
 * Owner    inputs are in the arena.
 */
#ifndef PROTO_IMPORT_H
#define PROTO_IMPORT_H

#include "engine/base/buf.h"
#include "engine/input.h"
#include "engine/state.h"
#include "proto/csv.h"

enum import_column_kind {
    IMPORT_ID,
    IMPORT_NUMBER,
    IMPORT_TAGS,
    IMPORT_MARK,
    IMPORT_FIELD,
    IMPORT_PASSED
};
struct import_column {
    enum import_column_kind kind;
    uint32_t field;
    struct span name;
};
struct import {
    const struct definitions *definitions;
    struct import_column *columns;
    uint32_t column_count;
};

bool import_begin(struct import *import, const struct definitions *definitions,
                  const struct csv_row *header, struct arena *arena, struct buf *out_error);

/* The friend a row is about; NO_ID: nobody known. *out_who is what the table calls them. */
uint32_t import_friend(const struct import *import, const struct state *state,
                       const struct csv_row *row, struct span *out_who);
/* The row's changes to that friend (NO_ID: only checked). */
bool import_row(const struct import *import, uint32_t friend, const struct csv_row *row,
                struct arena *arena, struct input **out_inputs, uint32_t *out_count,
                struct buf *out_error);

#endif
