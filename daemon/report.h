/* report - what the daemon says of itself: one line a fact on stderr, for people and the journal.
 *
 * Shape    logfmt: level prefix <N> when stderr goes to the journal, then text and key=value pairs.
 *          Control characters are escaped; words of friends and secrets never appear.
 * Units    none.
 * Errors   never blocks, never fails.
 * Owner    process-wide; report_set_level() at start.
 */
#ifndef DAEMON_REPORT_H
#define DAEMON_REPORT_H

enum report_level { REPORT_ERROR = 3, REPORT_WARNING = 4, REPORT_INFO = 6, REPORT_DEBUG = 7 };

void report_set_level(enum report_level level);
void report(enum report_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
