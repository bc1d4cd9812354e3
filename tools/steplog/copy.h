/* copy - a log written anew, chunk by chunk, throttled: what backup and compact have in common.
 *
 * Shape    every batch as it is, every content row that is still there, every remembered id; beside a
 *          running daemon it ends at the newest durable event. Free pages, and what they hold of
 *          erased words, are left behind.
 * Units    megabytes (10^6 bytes) a second; bytes.
 * Errors   exit codes of tools/common/options.h; the words are on stderr already.
 * Owner    borrows everything.
 */
#ifndef TOOLS_STEPLOG_COPY_H
#define TOOLS_STEPLOG_COPY_H

#include "tools/steplog/fresh.h"
#include "tools/steplog/reader.h"

/* Opens `fresh` at the destination and fills it. Begins anew where words are erased meanwhile. */
MUST_USE int copy_log(struct reader *reader, const char *destination, struct fresh *fresh,
                      uint64_t *out_bytes);

#endif
