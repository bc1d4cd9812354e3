/* text - bytes in the lines of an export: hexadecimal and base64.
 *
 * Shape    to text and back; docs/format.md has the lines.
 * Units    bytes.
 * Errors   false for a text that is none.
 * Owner    JSON strings are the caller's; decoded bytes live in the arena given.
 */
#ifndef TOOLS_STEPLOG_TEXT_H
#define TOOLS_STEPLOG_TEXT_H

#include "engine/base/arena.h"
#include <jansson.h>

enum { TEXT_VERSION = 1 }; /* of the export */

/* Two digits a byte and a NUL. */
void text_hex(struct span bytes, char *out);
bool text_from_hex(const char *text, uint8_t *out, size_t bytes);

json_t *text_base64(struct span bytes);
bool text_from_base64(const char *text, struct arena *arena, struct span *out_bytes);

#endif
