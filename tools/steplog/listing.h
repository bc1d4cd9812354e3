/* listing - events for people, as a table, or a JSON object a line.
 *
 * Shape    begin, rows, end. A listing is printed whole, its columns as wide as they must be; a stream is
 *          printed as it comes, its columns of one width, so that it may be any length.
 * Units    none.
 * Errors   none: a reader that is gone ends the process by its signal.
 * Owner    the caller embeds the struct; borrows the reader.
 */
#ifndef TOOLS_STEPLOG_LISTING_H
#define TOOLS_STEPLOG_LISTING_H

#include "tools/steplog/reader.h"

struct listing {
    const struct reader *reader;
    struct table *table; /* NULL with -o json */
    bool stream;
    bool headed; /* the headings are printed */
};

void listing_begin(struct listing *listing, const struct reader *reader, bool stream);
void listing_add(struct listing *listing, const struct event *event);
/* Prints what a stream has gathered. */
void listing_flush(struct listing *listing);
void listing_end(struct listing *listing);
void listing_drop(struct listing *listing); /* without printing what is left */

#endif
