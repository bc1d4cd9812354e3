/* reader - a data directory opened to look: its log, and what is needed to print its events with names.
 *
 * Shape    works beside a running daemon or without one. Names come from the newest definitions in the log:
 *          an id never changes its name's meaning, so they fit older events too.
 * Units    as store/log.h.
 * Errors   exit codes of tools/common/options.h; the words are on stderr already.
 * Owner    the caller embeds the struct and calls reader_close().
 */
#ifndef TOOLS_STEPLOG_READER_H
#define TOOLS_STEPLOG_READER_H

#include "daemon/replay.h"
#include "daemon/zones.h"
#include "proto/event.h"
#include "tools/common/options.h"

struct reader {
    const struct invocation *invocation;
    const char *directory;
    struct log *log;
    struct zones *zones;
    struct definitions *definitions; /* NULL: none were ever applied, or not asked for */
    const struct zone *zone;         /* the account's, else Tokyo's (SPEC R1) */
};

/* The directory is -d DIR, else the first argument where there are more than `own` of them, else
 * $STEPD_DATA_DIR; NULL when nobody says. */
const char *reader_directory(const struct invocation *invocation, unsigned own);
MUST_USE int reader_open(struct reader *reader, const struct invocation *invocation, unsigned own);
/* The same, this directory in this mode. */
MUST_USE int reader_open_as(struct reader *reader, const struct invocation *invocation,
                            const char *directory, enum log_mode mode);
void reader_close(struct reader *reader);

/* Compacting or a restore has put another log in the place of the one that is open, which goes no further. */
bool reader_is_left_behind(const struct reader *reader);
/* Opens the log anew then; else it does nothing. */
MUST_USE int reader_keep_up(struct reader *reader);

/* Finds the newest definitions, by a scan of the log. */
MUST_USE int reader_find_names(struct reader *reader);
/* Takes the names of an event that applies definitions; any other event changes nothing. */
MUST_USE enum rc reader_take_names(struct reader *reader, const struct event *event);

/* Reads an option that names an event or, in the account's zone, an instant; what is not meant, or both
 * when the option was not given, stays as it is. */
MUST_USE int reader_place(struct reader *reader, const char *option, uint64_t *out_seq,
                          int64_t *out_ms);

/* The account's zone by these definitions, or the default. */
const struct zone *reader_zone(const struct reader *reader, const struct definitions *definitions);

/* The command's own last argument, after the directory. */
const char *reader_argument(const struct reader *reader);

bool reader_wants_json(const struct reader *reader);

/* Reads a number of an event; false for anything else. */
bool read_number(const char *text, uint64_t *out_number);

/* Says "steplog: ..." on stderr and returns the exit code that fits. */
int reader_failed(enum rc rc, const char *what);

/* An engine for folding: it decides nothing, so it needs no calls. */
struct engine *reader_engine(void);

#endif
