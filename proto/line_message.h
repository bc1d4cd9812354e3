/* line_message - request bodies for LINE's Messaging API, rendered from templates and values.
 *
 * Shape    a template is JSON cut at its insertions (engine/definitions.h); rendering is the parts and
 *          the values, JSON-escaped, laid end to end: the same items and values give the same bytes for
 *          ever, which is what a repeat under the same retry key needs (SPEC R40).
 * Units    bytes of UTF-8 JSON; LINE takes at most 2 MB (FACTS 1).
 * Errors   the buffer's own sticky one.
 * Owner    the caller's buffer.
 */
#ifndef PROTO_LINE_MESSAGE_H
#define PROTO_LINE_MESSAGE_H

#include "engine/base/buf.h"
#include "engine/event.h"

/* The `messages` array of a request, without its envelope. */
void line_messages_render(const struct definitions *definitions, const struct delivery_item *items,
                          uint32_t item_count, const struct span *values, uint32_t value_count,
                          struct buf *out_json);

/* checksum of line_messages_render(): the engine_calls.body_hash. */
uint64_t line_messages_hash(const struct definitions *definitions,
                            const struct delivery_item *items, uint32_t item_count,
                            const struct span *values, uint32_t value_count);

/* Whole request bodies; messages is what line_messages_render() made. */
void line_push_body(struct span to, struct span messages, struct buf *out_json);
void line_multicast_body(const struct span *to, uint32_t count, struct span messages,
                         struct buf *out_json);
void line_reply_body(struct span reply_token, struct span messages, struct buf *out_json);

/* Appends text as a JSON string with its quotes. */
void json_append_string(struct buf *out_json, struct span text);

#endif
