/* log_rows - rows read ahead, in the order of their numbers: replay asks for one after the other.
 *
 * Shape    a window of numbers with the rows that were there when it was read; a number of the window that has
 *          no row had none. Found by walking forward; asking for an earlier number begins again.
 * Units    event numbers, both ends included; bytes.
 * Errors   RC_NO_MEMORY, sticky, in bytes.rc.
 * Owner    the caller embeds the struct, zeroed is empty; rows are borrowed until the next log_rows_begin().
 */
#ifndef STORE_LOG_ROWS_H
#define STORE_LOG_ROWS_H

#include "engine/base/buf.h"

struct log_rows {
    uint64_t from, to; /* what was read; to below from: nothing */
    size_t bytes_max;
    size_t at; /* where the walk stands */
    struct buf bytes;
};

void log_rows_fini(struct log_rows *rows);
/* At least one row, then no more than so many bytes. */
void log_rows_begin(struct log_rows *rows, uint64_t from, uint64_t to, size_t bytes_max);
/* In ascending order. False: no more fits, and the window ends there. */
bool log_rows_add(struct log_rows *rows, uint64_t seq, struct span row);

/* The row behind the one last asked for, or the first. False: there is none in the window. */
bool log_rows_next(struct log_rows *rows, uint64_t *out_seq, struct span *out_row);

bool log_rows_cover(const struct log_rows *rows, uint64_t seq);
/* False: there was none. */
bool log_rows_find(struct log_rows *rows, uint64_t seq, struct span *out_row);

#endif
