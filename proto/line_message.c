#include "proto/line_message.h"

#include "engine/base/checksum.h"

void
json_append_string(struct buf *out_json, struct span text)
{
    buf_append_byte(out_json, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        if (byte == '"' || byte == '\\') {
            buf_append_byte(out_json, '\\');
            buf_append_byte(out_json, byte);
        } else if (byte == '\n') {
            buf_append_cstr(out_json, "\\n");
        } else if (byte < 0x20 || byte == 0x7f) {
            buf_printf(out_json, "\\u%04x", byte);
        } else {
            buf_append_byte(out_json, byte);
        }
    }
    buf_append_byte(out_json, '"');
}

/* A value inside a JSON string that a template part has opened: escaped, without quotes. */
static void
append_value(struct buf *out_json, struct span value)
{
    struct buf quoted = {0};
    json_append_string(&quoted, value);
    if (quoted.rc != RC_OK) {
        out_json->rc = quoted.rc;
    } else {
        buf_append(out_json, quoted.data + 1, quoted.len - 2);
    }
    buf_fini(&quoted);
}

void
line_messages_render(const struct definitions *definitions, const struct delivery_item *items,
                     uint32_t item_count, const struct span *values, uint32_t value_count,
                     struct buf *out_json)
{
    uint32_t value = 0;
    buf_append_byte(out_json, '[');
    for (uint32_t i = 0; i < item_count; i++) {
        if (items[i].template >= definitions->template_names.count) {
            continue; /* a log from another set of definitions: the hash will not agree */
        }
        const struct template *template = &definitions->templates[items[i].template];
        if (i > 0) {
            buf_append_byte(out_json, ',');
        }
        for (uint32_t j = 0; j < template->insertion_count; j++) {
            buf_append_span(out_json, template->parts[j]);
            append_value(out_json, value < value_count ? values[value] : span_cstr(""));
            value++;
        }
        buf_append_span(out_json, template->parts[template->insertion_count]);
    }
    buf_append_byte(out_json, ']');
}

uint64_t
line_messages_hash(const struct definitions *definitions, const struct delivery_item *items,
                   uint32_t item_count, const struct span *values, uint32_t value_count)
{
    struct buf json = {0};
    line_messages_render(definitions, items, item_count, values, value_count, &json);
    uint64_t hash = json.rc == RC_OK ? checksum_of(json.data, json.len) : 0;
    buf_fini(&json);
    return hash;
}

void
line_push_body(struct span to, struct span messages, struct buf *out_json)
{
    buf_append_cstr(out_json, "{\"to\":");
    json_append_string(out_json, to);
    buf_append_cstr(out_json, ",\"messages\":");
    buf_append_span(out_json, messages);
    buf_append_byte(out_json, '}');
}

void
line_multicast_body(const struct span *to, uint32_t count, struct span messages,
                    struct buf *out_json)
{
    buf_append_cstr(out_json, "{\"to\":[");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            buf_append_byte(out_json, ',');
        }
        json_append_string(out_json, to[i]);
    }
    buf_append_cstr(out_json, "],\"messages\":");
    buf_append_span(out_json, messages);
    buf_append_byte(out_json, '}');
}

void
line_reply_body(struct span reply_token, struct span messages, struct buf *out_json)
{
    buf_append_cstr(out_json, "{\"replyToken\":");
    json_append_string(out_json, reply_token);
    buf_append_cstr(out_json, ",\"messages\":");
    buf_append_span(out_json, messages);
    buf_append_byte(out_json, '}');
}
