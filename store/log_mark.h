/* log_mark - the newest batch a data directory has held, kept in its claim file beside the data file.
 *
 * Shape    a data file put back from a backup knows nothing of what came after; the mark does (SPEC R45).
 *          It is written after each commit, never before: what it names is in the log, also after a crash.
 *          It is not synced, since an older mark is true as well. docs/format.md has the bytes.
 * Units    numbers of events.
 * Errors   a mark that cannot be read is no mark; one that cannot be written leaves the older.
 * Owner    plain values; the file belongs to the caller.
 */
#ifndef STORE_LOG_MARK_H
#define STORE_LOG_MARK_H

#include <stdint.h>

enum { LOG_MARK_BYTES = 30 }; /* at the beginning of the claim file */

struct log_mark {
    uint64_t seq;      /* number of the batch's last event; 0: no mark */
    uint64_t checksum; /* of the batch */
};

void log_mark_write(int fd, const struct log_mark *mark);
struct log_mark log_mark_read(int fd);

#endif
