#include "proto/line_webhook.h"

#include "engine/base/arena.h"
#include "engine/base/buf.h"
#include "proto/signature.h"
#include <assert.h>
#include <jansson.h>
#include <utf8proc.h>

#define TIMESTAMP_MAX_MS INT64_C(253402300800000) /* the year 10000 */

/* ---- the lenient reading: bytes that the strict reader refuses, repaired ---- */

#define REPLACEMENT "\xEF\xBF\xBD"    /* U+FFFD in UTF-8 */
#define ESCAPED_REPLACEMENT "\\uFFFD" /* and escaped */

/* The value of "\uXXXX" at the start of rest, or -1. */
static int32_t
escaped_unit(struct span rest)
{
    if (rest.len < 6 || rest.data[0] != '\\' || rest.data[1] != 'u') {
        return -1;
    }
    int32_t value = 0;
    for (size_t i = 2; i < 6; i++) {
        uint8_t c = rest.data[i];
        uint8_t lower = c | 0x20;
        if (c >= '0' && c <= '9') {
            value = value * 16 + (c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            value = value * 16 + (lower - 'a' + 10);
        } else {
            return -1;
        }
    }
    return value;
}

static struct span
span_after(struct span span, size_t len)
{
    return span_of(span.data + len, span.len - len);
}

/* Copies one escape, or its repair, and returns how many bytes it took. */
static size_t
repair_escape(struct span rest, struct buf *out)
{
    int32_t unit = escaped_unit(rest);
    if (unit < 0xD800 || unit > 0xDFFF) {
        size_t len = unit >= 0 ? 6 : rest.len < 2 ? rest.len : 2;
        buf_append(out, rest.data, len);
        return len;
    }
    int32_t next = escaped_unit(span_after(rest, 6));
    if (unit <= 0xDBFF && next >= 0xDC00 && next <= 0xDFFF) {
        buf_append(out, rest.data, 12);
        return 12;
    }
    buf_append_cstr(out, ESCAPED_REPLACEMENT);
    return 6;
}

/* Lone surrogates and bytes that are no UTF-8 become U+FFFD, control characters inside strings (NUL
 * among them) are escaped. The rest, and so the structure, stays as it came. */
static void
repair(struct span body, struct buf *out)
{
    bool in_string = false;
    while (body.len > 0) {
        uint8_t c = body.data[0];
        size_t len = 1;
        if (in_string && c == '\\') {
            len = repair_escape(body, out);
        } else if (in_string && c < 0x20) {
            buf_printf(out, "\\u%04x", (unsigned)c);
        } else if (c < 0x80) {
            in_string = in_string != (c == '"');
            buf_append_byte(out, c);
        } else {
            utf8proc_int32_t codepoint;
            utf8proc_ssize_t whole = utf8proc_iterate(
                body.data, body.len < 4 ? (utf8proc_ssize_t)body.len : 4, &codepoint);
            len = whole > 0 ? (size_t)whole : 1;
            buf_append(out, whole > 0 ? (const char *)body.data : REPLACEMENT, whole > 0 ? len : 3);
        }
        body = span_after(body, len);
    }
}

/* NULL when both readers give up. Depth is bounded by jansson (2,048 levels). */
static json_t *
load(struct span body, bool *out_lenient)
{
    json_error_t error;
    const char *text = body.len > 0 ? (const char *)body.data : "";
    json_t *root = json_loadb(text, body.len, JSON_REJECT_DUPLICATES, &error);
    *out_lenient = root == NULL;
    if (root == NULL) {
        struct buf repaired = {0};
        repair(body, &repaired);
        assert(repaired.rc == RC_OK);
        /* Without JSON_REJECT_DUPLICATES the last one wins. */
        text = repaired.len > 0 ? (const char *)repaired.data : "";
        root = json_loadb(text, repaired.len, JSON_ALLOW_NUL, &error);
        buf_fini(&repaired);
    }
    return root;
}

/* ---- fields ---- */

/* The text of a string, copied; empty for anything else. */
static struct span
text_of(const json_t *value, struct arena *arena)
{
    if (!json_is_string(value)) {
        return (struct span){0};
    }
    return arena_span(arena, span_of(json_string_value(value), json_string_length(value)));
}

static struct span
text_at(const json_t *object, const char *key, struct arena *arena)
{
    return text_of(json_object_get(object, key), arena);
}

static bool
text_is(const json_t *object, const char *key, const char *text)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) &&
           span_equal_cstr(span_of(json_string_value(value), json_string_length(value)), text);
}

/* ---- one event ---- */

static void
read_common(const json_t *event, struct input *input, struct arena *arena)
{
    const json_t *source = json_object_get(event, "source");
    const json_t *context = json_object_get(event, "deliveryContext");
    input->u.act.user_id = text_at(source, "userId", arena);
    input->u.act.webhook_id = text_at(event, "webhookEventId", arena);
    input->u.act.reply_token = text_at(event, "replyToken", arena);
    input->u.act.standby = text_is(event, "mode", "standby");
    input->u.act.redelivered = json_is_true(json_object_get(context, "isRedelivery"));
}

/* False when the timestamp is missing or absurd: then the daemon's own time stands in. */
static bool
read_timestamp(const json_t *event, struct input *input)
{
    const json_t *timestamp = json_object_get(event, "timestamp");
    int64_t at_ms = json_integer_value(timestamp);
    if (!json_is_integer(timestamp) || at_ms < 0 || at_ms >= TIMESTAMP_MAX_MS) {
        input->u.act.line_at_ms = input->at_ms;
        return false;
    }
    input->u.act.line_at_ms = at_ms;
    return true;
}

static bool
read_follow(const json_t *event, struct input *input)
{
    const json_t *follow = json_object_get(event, "follow"); /* absent in old payloads */
    input->kind = INPUT_FOLLOW;
    input->u.act.unblocked = json_is_true(json_object_get(follow, "isUnblocked"));
    return true;
}

static bool
read_message(const json_t *event, struct input *input, struct arena *arena)
{
    const json_t *message = json_object_get(event, "message");
    if (!json_is_string(json_object_get(message, "type")) ||
        (text_is(message, "type", "text") && !json_is_string(json_object_get(message, "text")))) {
        return false;
    }
    input->kind = INPUT_MESSAGE;
    input->u.act.type = text_at(message, "type", arena);
    input->u.act.message_id = text_at(message, "id", arena);
    if (text_is(message, "type", "text")) { /* a sticker's text is no message of the friend's */
        input->u.act.text = text_at(message, "text", arena);
    }
    return true;
}

static bool
read_postback(const json_t *event, struct input *input, struct arena *arena)
{
    const json_t *data = json_object_get(json_object_get(event, "postback"), "data");
    if (!json_is_string(data)) {
        return false;
    }
    input->kind = INPUT_POSTBACK;
    input->u.act.data = text_of(data, arena);
    return true;
}

static bool
read_unsend(const json_t *event, struct input *input, struct arena *arena)
{
    const json_t *id = json_object_get(json_object_get(event, "unsend"), "messageId");
    if (!json_is_string(id)) {
        return false;
    }
    input->kind = INPUT_UNSEND;
    input->u.act.message_id = text_of(id, arena);
    return true;
}

/* False for a type that is unknown here, or known but of another shape. */
static bool
read_act(const json_t *event, struct input *input, struct arena *arena)
{
    if (text_is(event, "type", "follow")) {
        return read_follow(event, input);
    }
    if (text_is(event, "type", "unfollow")) {
        input->kind = INPUT_UNFOLLOW;
        return true;
    }
    if (text_is(event, "type", "message")) {
        return read_message(event, input, arena);
    }
    if (text_is(event, "type", "unsend")) {
        return read_unsend(event, input, arena);
    }
    return text_is(event, "type", "postback") && read_postback(event, input, arena);
}

/* Who, when and which type; what it carried is not kept. */
static void
note(const json_t *event, enum reason reason, struct input *input, struct arena *arena)
{
    input->kind = INPUT_NOTED;
    input->u.act.message_id = (struct span){0};
    input->u.act.text = (struct span){0};
    input->u.act.data = (struct span){0};
    input->u.act.unblocked = false;
    input->u.act.type = text_at(event, "type", arena);
    input->u.act.reason = reason;
}

static void
read_event(const json_t *event, int64_t at_ms, struct arena *arena, struct input *out_input)
{
    *out_input = (struct input){.kind = INPUT_NOTED, .at_ms = at_ms};
    const json_t *source = json_object_get(event, "source");
    read_common(event, out_input, arena);
    bool dated = read_timestamp(event, out_input);
    if (text_is(source, "type", "group") || text_is(source, "type", "room")) {
        note(event, REASON_GROUP, out_input, arena);
    } else if (!dated || !read_act(event, out_input, arena)) {
        note(event, REASON_UNKNOWN_TYPE, out_input, arena);
    } else if (out_input->u.act.user_id.len == 0) {
        note(event, REASON_NO_SOURCE, out_input, arena);
    }
}

/* ---- the whole body ---- */

static struct input *
single_input(enum input_kind kind, struct span body, int64_t at_ms, struct arena *arena,
             struct line_webhook *out_webhook)
{
    struct input *input = arena_alloc(arena, sizeof(*input));
    *input = (struct input){.kind = kind, .at_ms = at_ms};
    sha256(body, input->u.webhook.sha256);
    out_webhook->inputs = input;
    out_webhook->input_count = 1;
    return input;
}

void
line_webhook_parse(struct span body, struct span destination, int64_t at_ms, struct arena *arena,
                   struct line_webhook *out_webhook)
{
    *out_webhook = (struct line_webhook){0};
    json_t *root = load(body, &out_webhook->lenient);
    const json_t *events = json_object_get(root, "events");
    size_t count = json_array_size(events);
    struct span meant_for = text_at(root, "destination", arena);
    if (!json_is_array(events)) {
        struct input *input = single_input(INPUT_UNREADABLE, body, at_ms, arena, out_webhook);
        input->u.webhook.bytes = arena_span(arena, body);
    } else if (destination.len > 0 && meant_for.len > 0 && !span_equal(meant_for, destination)) {
        struct input *input = single_input(INPUT_FOREIGN, body, at_ms, arena, out_webhook);
        input->u.webhook.destination = meant_for;
        input->u.webhook.event_count = (uint32_t)count;
    } else {
        out_webhook->inputs = arena_alloc(arena, (count + 1) * sizeof(struct input));
        out_webhook->input_count = (uint32_t)count;
        for (size_t i = 0; i < count; i++) {
            read_event(json_array_get(events, i), at_ms, arena, &out_webhook->inputs[i]);
        }
    }
    json_decref(root);
}
