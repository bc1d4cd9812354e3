/* explain - one row of the API's `why` as a sentence for people, in English or Japanese (SPEC R42).
 *
 * Shape    a table of outcomes and reasons, each a sentence in both languages; what decided it (the
 *          condition, its facts and their events, the window, the grace) is put behind it.
 * Units    instants as the API prints them, cut to seconds.
 * Errors   a reason that is not in the table is the name of what stopped the message.
 * Owner    the caller's buffer; the row is borrowed.
 */
#ifndef TOOLS_COMMON_EXPLAIN_H
#define TOOLS_COMMON_EXPLAIN_H

#include "engine/base/buf.h"
#include <jansson.h>
#include <stdbool.h>

void explain_delivery(const json_t *row, bool japanese, struct buf *out);

/* "sent" as people of that language say it. */
const char *explain_outcome(const char *outcome, bool japanese);

#endif
