/* report - what the daemon says of itself: one line a fact on stderr, for people and the journal.
 *
 * Shape    logfmt text, "pushed friend=7 status=200". In front stands <N> when stderr is the journal's
 *          (JOURNAL_STREAM names it), else the UTC time and the level. Control characters are escaped, a
 *          line is cut at 2 KiB; words of friends and secrets never appear.
 * Units    none.
 * Errors   never blocks, never fails: what a full or broken sink does not take is dropped, counted, and
 *          the count reported with the next line that gets through.
 * Owner    process-wide; report_set_level() at start.
 * Threads  the loop's only.
 */
#ifndef DAEMON_REPORT_H
#define DAEMON_REPORT_H

#include <stdint.h>

enum report_level { REPORT_ERROR = 3, REPORT_WARNING = 4, REPORT_INFO = 6, REPORT_DEBUG = 7 };

/* Lines above this level are not written; REPORT_INFO at first. */
void report_set_level(enum report_level level);
void report(enum report_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Lines dropped since the process began. */
uint64_t report_dropped(void);

#endif
