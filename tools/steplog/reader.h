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
 * $STEPD_DATA_DIR. */
MUST_USE int reader_open(struct reader *reader, const struct invocation *invocation, unsigned own);
void reader_close(struct reader *reader);

/* Finds the newest definitions, by a scan of the log. */
MUST_USE int reader_find_names(struct reader *reader);

/* The account's zone by these definitions, or the default. */
const struct zone *reader_zone(const struct reader *reader, const struct definitions *definitions);

/* The command's own last argument, after the directory. */
const char *reader_argument(const struct reader *reader);

bool reader_wants_json(const struct reader *reader);

/* Reads a number of an event; false for anything else. */
bool read_number(const char *text, uint64_t *out_number);

/* Says "steplog: ..." on stderr and returns the exit code that fits. */
int reader_failed(enum rc rc, const char *what);

/* Events for people, as a table, or a JSON object a line. Begin, rows, end. */
struct listing {
    const struct reader *reader;
    struct table *table; /* NULL with -o json */
};
void listing_begin(struct listing *listing, const struct reader *reader);
void listing_add(struct listing *listing, const struct event *event);
void listing_end(struct listing *listing);

/* An engine for folding: it decides nothing, so it needs no calls. */
struct engine *reader_engine(void);

#endif
