/* measure - how much room a log takes, and who looks at it.
 *
 * Shape    figures of one moment, for steplog stat.
 * Units    bytes, rows, readers in the middle of a transaction, ourselves not counted.
 * Errors   RC_REFUSED for a log in memory; RC_IO, RC_CORRUPT.
 * Owner    the caller's struct.
 */
#ifndef STORE_MEASURE_H
#define STORE_MEASURE_H

#include "store/log.h"

struct log_measure {
    uint64_t map_bytes;     /* how large the file may grow */
    uint64_t file_bytes;    /* pages in use or once used */
    uint64_t free_bytes;    /* pages of the file that may be used again */
    uint64_t content_bytes; /* pages of the content table */
    uint64_t batch_rows, content_rows, id_rows;
    uint32_t readers, readers_max;
};

MUST_USE enum rc log_measure(struct log *log, struct log_measure *out_measure);

#endif
