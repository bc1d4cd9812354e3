/* facts - what a command found out, as "name value" lines for people or one JSON object.
 *
 * Shape    a JSON object of texts, numbers and yes or no, printed once in the order it was filled.
 * Units    digests are 16 hex digits.
 * Errors   none.
 * Owner    facts_print() takes the object.
 */
#ifndef TOOLS_STEPLOG_FACTS_H
#define TOOLS_STEPLOG_FACTS_H

#include "tools/steplog/reader.h"

void facts_print(const struct reader *reader, json_t *facts);
void facts_set_digest(json_t *facts, uint64_t digest);
void facts_set_count(json_t *facts, const char *name, uint64_t count);

#endif
