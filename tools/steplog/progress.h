/* progress - a line on the terminal that says how far a long command is; nothing elsewhere.
 *
 * Shape    "copying [#####     ]  52 %  31 MB" on stderr, at most ten times a second, wiped at the end.
 * Units    whatever `done` and `total` count; bytes beside them where there are any.
 * Errors   none.
 * Owner    the caller embeds the struct.
 */
#ifndef TOOLS_STEPLOG_PROGRESS_H
#define TOOLS_STEPLOG_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *doing;
    uint64_t total;
    int64_t shown_us;
    bool visible;
};

void progress_begin(struct progress *progress, const char *doing, uint64_t total);
void progress_show(struct progress *progress, uint64_t done, uint64_t bytes);
void progress_end(struct progress *progress);

#endif
