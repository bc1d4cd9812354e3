/* csv - tables as text: RFC 4180, as spreadsheets write it (SPEC R44).
 *
 * Shape    csv_text() makes UTF-8 of a file's bytes: a byte order mark goes, and what is no UTF-8 is read as
 *          CP932, which is what Excel in Japan saves. csv_row() then cuts row after row off the text.
 * Units    bytes; rows count from 1, the header included.
 * Errors   false: neither encoding fits; a quote that is never closed ends with RC_INVALID.
 * Owner    cells are in the arena.
 */
#ifndef PROTO_CSV_H
#define PROTO_CSV_H

#include "engine/base/arena.h"
#include "engine/base/rc.h"

bool csv_text(struct span bytes, struct arena *arena, struct span *out_text);

struct csv_row {
    struct span *cells;
    uint32_t count;
};
/* RC_END: no row is left; empty lines are passed over. */
MUST_USE enum rc csv_row(struct span *rest, struct arena *arena, struct csv_row *out_row);

#endif
