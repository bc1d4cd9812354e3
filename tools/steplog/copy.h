/* copy - a log written anew, chunk by chunk, throttled: what backup and compact have in common.
 *
 * Shape    every batch as it is, every content row that is still there, every remembered id; beside a
 *          running daemon it ends at the newest durable event, and may be brought up to date later. Free
 *          pages, and what they hold of words erased before it began, are left behind; words erased since
 *          then are erased in the copy too, as in a log in use.
 * Units    megabytes (10^6 bytes) a second; bytes; content rows.
 * Errors   exit codes of tools/common/options.h; the words are on stderr already.
 * Owner    the caller embeds the struct and calls copy_close(); borrows the reader.
 */
#ifndef TOOLS_STEPLOG_COPY_H
#define TOOLS_STEPLOG_COPY_H

#include "tools/steplog/fresh.h"
#include "tools/steplog/progress.h"
#include "tools/steplog/reader.h"

struct copy {
    struct reader *reader;
    struct fresh fresh; /* its log is claimed, from copy_open() on */
    struct log_chunks *chunks;
    uint64_t rate; /* bytes a second; 0: as fast as it goes */
    uint64_t bytes, turn_bytes, erased_rows;
    int64_t turn_began_us;
    struct progress progress;
};

MUST_USE int copy_open(struct copy *copy, struct reader *reader, const char *destination);
/* Up to the newest durable event; again for what came since. */
MUST_USE int copy_turn(struct copy *copy);
void copy_close(struct copy *copy);

/* Says that erased words may still be in the copy's free pages, if so. */
void copy_note_erased(const struct copy *copy, const char *remedy);

#endif
