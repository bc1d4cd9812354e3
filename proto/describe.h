/* describe - compiled definitions back to the words of LANGUAGE, for people.
 *
 * Shape    "day 3 at 19:00", "not tag:answered", "send T_nudge"; what the compiler reads again where it
 *          is one timing or condition; bodies are one line, actions parted by "; ".
 * Units    as in LANGUAGE 2.
 * Errors   the buffer's own sticky one.
 * Owner    the caller's buffer.
 */
#ifndef PROTO_DESCRIBE_H
#define PROTO_DESCRIBE_H

#include "engine/base/buf.h"
#include "engine/definitions.h"

void describe_duration(int64_t ms, struct buf *out_text);
void describe_timing(const struct timing *timing, struct buf *out_text);
/* "everyone" for the empty condition. */
void describe_condition(const struct definitions *definitions, const struct condition *condition,
                        struct buf *out_text);
void describe_body(const struct definitions *definitions, const struct body *body,
                   struct buf *out_text);

/* What a source of SOURCE_ON is called: the id of what happened, or "follow". */
void describe_on_id(const struct definitions *definitions, enum trigger_on_kind kind, uint32_t id,
                    struct buf *out_text);

#endif
