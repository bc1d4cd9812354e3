/* fresh - a new data directory in the making: it has its name only when it is whole and on the disk.
 *
 * Shape    fresh_open() makes DEST.part with an empty log in it; the caller fills that log; fresh_fold()
 *          reads back what was written; fresh_finish() gives the directory its name. What is
 *          left of an attempt that was killed is cleared away by the next.
 * Units    bytes.
 * Errors   exit codes of tools/common/options.h; the words are on stderr already.
 * Owner    the caller embeds the struct and calls fresh_close(), which removes what was not finished.
 */
#ifndef TOOLS_STEPLOG_FRESH_H
#define TOOLS_STEPLOG_FRESH_H

#include "daemon/replay.h"
#include "daemon/zones.h"
#include "store/chunk.h"
#include "tools/common/options.h"

struct fresh {
    char *destination, *part;
    struct log *log; /* claimed: nobody else touches it meanwhile */
    bool made;
};

/* The destination must not exist, or be an empty directory. */
MUST_USE int fresh_open(struct fresh *fresh, const char *destination);
/* The log closed and opened again: it did not know what was put in. */
MUST_USE int fresh_reopen(struct fresh *fresh);
/* Reopens it and folds what was written: every checksum, every word, every recorded digest. */
MUST_USE int fresh_fold(struct fresh *fresh, struct zones *zones, struct engine *engine);
/* Renames it into place, synced. */
MUST_USE int fresh_finish(struct fresh *fresh);
void fresh_close(struct fresh *fresh);

/* Closes the log and syncs its data file: what is left is to move it. */
MUST_USE int fresh_settle(struct fresh *fresh);

/* "DIR/NAME", allocated. */
char *path_join(const char *directory, const char *name);
/* False with errno. */
bool path_sync(const char *path);

#endif
