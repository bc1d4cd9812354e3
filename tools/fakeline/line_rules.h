/* line_rules - whether LINE would take these messages: types, required properties, lengths (FACTS 3).
 *
 * Shape    walks the messages array and gathers every offence, as LINE does, into one error body. Properties
 *          nobody knows are let through.
 * Units    UTF-16 units for texts; grapheme clusters for labels and the texts of templates.
 * Errors   the body is the error; NULL means that there is none.
 * Owner    the body is a new reference.
 */
#ifndef FAKELINE_LINE_RULES_H
#define FAKELINE_LINE_RULES_H

#include <jansson.h>

json_t *line_rules_check(const json_t *messages);

/* {"message":"The request body has 1 error(s)","details":[{"message","property"}]} */
json_t *line_rules_error(const char *message, const char *property);

size_t utf16_units(const char *utf8);
size_t grapheme_clusters(const char *utf8);

#endif
