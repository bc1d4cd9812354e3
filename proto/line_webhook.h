/* line_webhook - a webhook body to inputs.
 *
 * Shape    strict JSON first; a body that this refuses is read leniently (lone surrogate to U+FFFD, NUL
 *          allowed, last duplicate key wins), and one that cannot be read at all becomes one INPUT_UNREADABLE
 *          (SPEC R41). Unknown fields are ignored. Noted, with the event's type and a reason: whatever
 *          comes from a group or room, unknown event types, known ones of another shape or without a
 *          usable timestamp (the daemon's time stands in), and those without a user id. No order is changed.
 * Units    timestamps are LINE's, UTC milliseconds.
 * Errors   none for the caller: every body yields inputs (an empty `events` yields none).
 * Owner    inputs and their spans live in the arena given.
 */
#ifndef PROTO_LINE_WEBHOOK_H
#define PROTO_LINE_WEBHOOK_H

#include "engine/input.h"

struct line_webhook {
    struct input *inputs;
    uint32_t input_count;
    bool lenient; /* the strict reader refused it */
};

/* destination: the bot's own user id. A body for another yields one INPUT_FOREIGN; empty: not checked. */
void line_webhook_parse(struct span body, struct span destination, int64_t at_ms,
                        struct arena *arena, struct line_webhook *out_webhook);

#endif
