#include "tools/fakeline/line_rules.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { MESSAGES_MAX = 5, PATH_BYTES = 160, BUBBLE_BYTES_MAX = 30720, CAROUSEL_BYTES_MAX = 51200 };

enum value_kind {
    VALUE_TEXT,   /* max: UTF-16 units */
    VALUE_LABEL,  /* max: grapheme clusters */
    VALUE_HTTPS,  /* max: UTF-16 units */
    VALUE_URI,    /* http, https, line or tel */
    VALUE_NUMBER, /* max: unused */
    VALUE_OBJECT,
    VALUE_ARRAY, /* 1..max items */
};

struct property {
    const char *owner; /* the kind of object it belongs to */
    const char *name;
    enum value_kind kind;
    bool required;
    size_t max;
};

static const struct property properties[] = {
    {"text", "text", VALUE_TEXT, true, 5000},
    {"text", "emojis", VALUE_ARRAY, false, 20},
    {"textV2", "text", VALUE_TEXT, true, 5000},
    {"textV2", "substitution", VALUE_OBJECT, false, 0},
    {"sticker", "packageId", VALUE_TEXT, true, 100},
    {"sticker", "stickerId", VALUE_TEXT, true, 100},
    {"image", "originalContentUrl", VALUE_HTTPS, true, 2000},
    {"image", "previewImageUrl", VALUE_HTTPS, true, 2000},
    {"video", "originalContentUrl", VALUE_HTTPS, true, 2000},
    {"video", "previewImageUrl", VALUE_HTTPS, true, 2000},
    {"video", "trackingId", VALUE_TEXT, false, 100},
    {"audio", "originalContentUrl", VALUE_HTTPS, true, 2000},
    {"audio", "duration", VALUE_NUMBER, true, 0},
    {"location", "title", VALUE_TEXT, true, 100},
    {"location", "address", VALUE_TEXT, true, 100},
    {"location", "latitude", VALUE_NUMBER, true, 0},
    {"location", "longitude", VALUE_NUMBER, true, 0},
    {"imagemap", "baseUrl", VALUE_HTTPS, true, 2000},
    {"imagemap", "altText", VALUE_TEXT, true, 1500},
    {"imagemap", "baseSize", VALUE_OBJECT, true, 0},
    {"imagemap", "actions", VALUE_ARRAY, true, 50},
    {"template", "altText", VALUE_TEXT, true, 1500},
    {"template", "template", VALUE_OBJECT, true, 0},
    {"flex", "altText", VALUE_TEXT, true, 1500},
    {"flex", "contents", VALUE_OBJECT, true, 0},
    {"coupon", "couponId", VALUE_TEXT, true, 100},
    {"coupon", "deliveryTag", VALUE_TEXT, false, 30},
    {"template.buttons", "text", VALUE_LABEL, true, 160},
    {"template.buttons", "title", VALUE_LABEL, false, 40},
    {"template.buttons", "thumbnailImageUrl", VALUE_HTTPS, false, 2000},
    {"template.buttons", "actions", VALUE_ARRAY, true, 4},
    {"template.confirm", "text", VALUE_LABEL, true, 240},
    {"template.confirm", "actions", VALUE_ARRAY, true, 2},
    {"template.carousel", "columns", VALUE_ARRAY, true, 10},
    {"template.image_carousel", "columns", VALUE_ARRAY, true, 10},
    {"column.carousel", "text", VALUE_LABEL, true, 120},
    {"column.carousel", "title", VALUE_LABEL, false, 40},
    {"column.carousel", "thumbnailImageUrl", VALUE_HTTPS, false, 2000},
    {"column.carousel", "actions", VALUE_ARRAY, true, 3},
    {"column.image_carousel", "imageUrl", VALUE_HTTPS, true, 2000},
    {"column.image_carousel", "action", VALUE_OBJECT, true, 0},
    {"action.postback", "data", VALUE_TEXT, true, 300},
    {"action.postback", "displayText", VALUE_LABEL, false, 300},
    {"action.postback", "fillInText", VALUE_LABEL, false, 300},
    {"action.message", "text", VALUE_LABEL, true, 300},
    {"action.uri", "uri", VALUE_URI, true, 1000},
    {"action.datetimepicker", "data", VALUE_TEXT, true, 300},
    {"action.datetimepicker", "mode", VALUE_TEXT, true, 8},
    {"action.camera", "label", VALUE_LABEL, true, 20},
    {"action.cameraRoll", "label", VALUE_LABEL, true, 20},
    {"action.location", "label", VALUE_LABEL, true, 20},
    {"action.richmenuswitch", "richMenuAliasId", VALUE_TEXT, true, 32},
    {"action.richmenuswitch", "data", VALUE_TEXT, true, 300},
    {"action.clipboard", "clipboardText", VALUE_TEXT, true, 1000},
    {"part.emoji", "index", VALUE_NUMBER, true, 0},
    {"part.emoji", "productId", VALUE_TEXT, true, 100},
    {"part.emoji", "emojiId", VALUE_TEXT, true, 100},
    {"part.quickReply", "items", VALUE_ARRAY, true, 13},
    {"part.quickReply.item", "action", VALUE_OBJECT, true, 0},
    {"part.quickReply.item", "imageUrl", VALUE_HTTPS, false, 1000},
    {"part.sender", "name", VALUE_LABEL, false, 20},
    {"part.sender", "iconUrl", VALUE_HTTPS, false, 2000},
};

/* How many UTF-16 units the character takes that begins with this byte of UTF-8; 0 inside one. */
static size_t
units_begun(unsigned char byte)
{
    if ((byte & 0xc0U) == 0x80) {
        return 0;
    }
    return byte >= 0xf0 ? 2 : 1; /* a surrogate pair */
}

size_t
utf16_units(const char *utf8)
{
    size_t units = 0;
    for (const char *at = utf8; *at != '\0'; at++) {
        units += units_begun((unsigned char)*at);
    }
    return units;
}

size_t
grapheme_clusters(const char *utf8)
{
    size_t clusters = 0;
    utf8proc_int32_t before = 0, state = 0;
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)utf8;
    while (*at != 0) {
        utf8proc_int32_t point = 0;
        utf8proc_ssize_t bytes = utf8proc_iterate(at, -1, &point);
        if (bytes <= 0) {
            break; /* jansson lets no broken UTF-8 through */
        }
        if (clusters == 0 || utf8proc_grapheme_break_stateful(before, point, &state)) {
            clusters++;
        }
        before = point;
        at += bytes;
    }
    return clusters;
}

static void __attribute__((format(printf, 2, 3)))
path_make(char out[PATH_BYTES], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out, PATH_BYTES, format, arguments);
    va_end(arguments);
}

static void
add_detail(json_t *details, const char *path, const char *message)
{
    json_array_append_new(details, json_pack("{s:s,s:s}", "message", message, "property", path));
}

static json_t *
error_body(json_t *details)
{
    char message[64];
    snprintf(message, sizeof(message), "The request body has %zu error(s)",
             json_array_size(details));
    return json_pack("{s:s,s:o}", "message", message, "details", details);
}

json_t *
line_rules_error(const char *message, const char *property)
{
    json_t *details = json_array();
    add_detail(details, property, message);
    return error_body(details);
}

static void
check_length(json_t *details, const char *path, size_t length, size_t max)
{
    if (length > max) {
        char message[64];
        snprintf(message, sizeof(message), "Length must be between 0 and %zu", max);
        add_detail(details, path, message);
    }
}

static bool
begins_with_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strncmp(text, *words, strlen(*words)) == 0) {
            return true;
        }
    }
    return false;
}

static void
check_text(json_t *details, const char *path, const struct property *property, const char *text)
{
    static const char *const https[] = {"https://", NULL};
    static const char *const schemes[] = {"http://", "https://", "line://", "tel:", NULL};
    if (text == NULL) {
        add_detail(details, path, "must be a string");
    } else if (text[0] == '\0' && property->required) {
        add_detail(details, path, "May not be empty");
    } else if (property->kind == VALUE_HTTPS && !begins_with_one_of(text, https)) {
        add_detail(details, path, "invalid uri");
    } else if (property->kind == VALUE_URI && !begins_with_one_of(text, schemes)) {
        add_detail(details, path, "invalid uri scheme");
    } else if (property->kind == VALUE_LABEL) {
        check_length(details, path, grapheme_clusters(text), property->max);
    } else {
        check_length(details, path, utf16_units(text), property->max);
    }
}

static void
check_value(json_t *details, const char *path, const struct property *property, const json_t *value)
{
    switch (property->kind) {
    case VALUE_TEXT:
    case VALUE_LABEL:
    case VALUE_HTTPS:
    case VALUE_URI:
        check_text(details, path, property, json_string_value(value));
        break;
    case VALUE_NUMBER:
        if (!json_is_number(value)) {
            add_detail(details, path, "must be a number");
        }
        break;
    case VALUE_OBJECT:
        if (!json_is_object(value)) {
            add_detail(details, path, "must be an object");
        }
        break;
    case VALUE_ARRAY:
        if (!json_is_array(value) || json_array_size(value) < 1 ||
            json_array_size(value) > property->max) {
            char message[64];
            snprintf(message, sizeof(message), "Size must be between 1 and %zu", property->max);
            add_detail(details, path, message);
        }
        break;
    }
}

/* Holds object against the rows of owner; false when no row names it. */
static bool
check_object(json_t *details, const char *path, const char *owner, const json_t *object)
{
    bool known = false;
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        const struct property *property = &properties[i];
        if (strcmp(property->owner, owner) != 0) {
            continue;
        }
        known = true;
        char inner[PATH_BYTES];
        path_make(inner, "%s.%s", path, property->name);
        const json_t *value = json_object_get(object, property->name);
        if (value != NULL && !json_is_null(value)) {
            check_value(details, inner, property, value);
        } else if (property->required) {
            bool text = property->kind == VALUE_TEXT || property->kind == VALUE_LABEL;
            add_detail(details, inner, text ? "May not be empty" : "must be specified");
        }
    }
    return known;
}

/* As check_object, the owner being prefix and the object's own type. */
static bool
check_typed(json_t *details, const char *path, const char *prefix, const json_t *object)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    char inner[PATH_BYTES];
    path_make(inner, "%s.type", path);
    if (type == NULL || type[0] == '\0') {
        add_detail(details, inner, "must be specified");
        return false;
    }
    char owner[64];
    int len = snprintf(owner, sizeof(owner), "%s%s", prefix, type);
    /* A dot in the type would name a row that belongs to something else. */
    bool sound = len > 0 && (size_t)len < sizeof(owner) && strchr(type, '.') == NULL;
    if (!sound || !check_object(details, path, owner, object)) {
        add_detail(details, inner, "invalid type");
        return false;
    }
    return true;
}

static void
check_actions(json_t *details, const char *path, const json_t *actions)
{
    size_t index = 0;
    json_t *action = NULL;
    json_array_foreach(actions, index, action)
    {
        char inner[PATH_BYTES];
        path_make(inner, "%s.actions[%zu]", path, index);
        check_typed(details, inner, "action.", action);
    }
}

static void
check_columns(json_t *details, const char *path, const char *owner, const json_t *columns)
{
    size_t index = 0;
    json_t *column = NULL;
    size_t actions = json_array_size(json_object_get(json_array_get(columns, 0), "actions"));
    json_array_foreach(columns, index, column)
    {
        char inner[PATH_BYTES];
        path_make(inner, "%s.columns[%zu]", path, index);
        check_object(details, inner, owner, column);
        check_actions(details, inner, json_object_get(column, "actions"));
        const json_t *action = json_object_get(column, "action");
        if (action != NULL) {
            check_typed(details, inner, "action.", action);
        }
        if (json_array_size(json_object_get(column, "actions")) != actions) {
            add_detail(details, inner, "the number of actions must be the same in all columns");
        }
    }
}

static void
check_template(json_t *details, const char *path, const json_t *template)
{
    char inner[PATH_BYTES];
    path_make(inner, "%s.template", path);
    if (!check_typed(details, inner, "template.", template)) {
        return;
    }
    const char *type = json_string_value(json_object_get(template, "type"));
    char column[64];
    snprintf(column, sizeof(column), "column.%s", type);
    check_actions(details, inner, json_object_get(template, "actions"));
    check_columns(details, inner, column, json_object_get(template, "columns"));
    if (strcmp(type, "confirm") == 0 &&
        json_array_size(json_object_get(template, "actions")) == 1) {
        add_detail(details, inner, "Size must be between 2 and 2");
    }
}

static size_t
json_bytes(const json_t *value)
{
    return json_dumpb(value, NULL, 0, JSON_COMPACT);
}

static void
check_flex(json_t *details, const char *path, const json_t *contents)
{
    char inner[PATH_BYTES];
    path_make(inner, "%s.contents", path);
    const char *type = json_string_value(json_object_get(contents, "type"));
    if (type != NULL && strcmp(type, "bubble") == 0) {
        if (json_bytes(contents) > BUBBLE_BYTES_MAX) {
            add_detail(details, inner, "the bubble is larger than 30 KB");
        }
    } else if (type != NULL && strcmp(type, "carousel") == 0) {
        const json_t *bubbles = json_object_get(contents, "contents");
        if (json_array_size(bubbles) < 1 || json_array_size(bubbles) > 12) {
            add_detail(details, inner, "Size must be between 1 and 12");
        }
        if (json_bytes(contents) > CAROUSEL_BYTES_MAX) {
            add_detail(details, inner, "the carousel is larger than 50 KB");
        }
    } else {
        add_detail(details, inner, "must be a bubble or a carousel");
    }
}

static void
check_quick_reply(json_t *details, const char *path, const json_t *quick_reply)
{
    char inner[PATH_BYTES];
    path_make(inner, "%s.quickReply", path);
    check_object(details, inner, "part.quickReply", quick_reply);
    size_t index = 0;
    json_t *item = NULL;
    json_array_foreach(json_object_get(quick_reply, "items"), index, item)
    {
        path_make(inner, "%s.quickReply.items[%zu]", path, index);
        check_object(details, inner, "part.quickReply.item", item);
        path_make(inner, "%s.quickReply.items[%zu].action", path, index);
        const json_t *action = json_object_get(item, "action");
        if (json_is_object(action)) {
            check_typed(details, inner, "action.", action);
        }
    }
}

/* Whether the character at this UTF-16 index is a "$". */
static bool
is_dollar_at(const char *text, json_int_t index)
{
    json_int_t units = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (units == index && *at == '$') {
            return true;
        }
        units += (json_int_t)units_begun((unsigned char)*at);
    }
    return false;
}

/* Each emoji stands for the "$" at its index. */
static void
check_emojis(json_t *details, const char *path, const json_t *message)
{
    const char *text = json_string_value(json_object_get(message, "text"));
    size_t index = 0;
    json_t *emoji = NULL;
    json_array_foreach(json_object_get(message, "emojis"), index, emoji)
    {
        char inner[PATH_BYTES];
        path_make(inner, "%s.emojis[%zu]", path, index);
        check_object(details, inner, "part.emoji", emoji);
        json_int_t place = json_integer_value(json_object_get(emoji, "index"));
        if (text != NULL && !is_dollar_at(text, place)) {
            add_detail(details, inner, "index does not point at a $");
        }
    }
}

static void
check_message(json_t *details, const char *path, const json_t *message)
{
    const json_t *quick_reply = json_object_get(message, "quickReply");
    const json_t *sender = json_object_get(message, "sender");
    if (!check_typed(details, path, "", message)) {
        return;
    }
    const char *type = json_string_value(json_object_get(message, "type"));
    if (strcmp(type, "text") == 0) {
        check_emojis(details, path, message);
    }
    if (strcmp(type, "template") == 0 && json_is_object(json_object_get(message, "template"))) {
        check_template(details, path, json_object_get(message, "template"));
    }
    if (strcmp(type, "flex") == 0 && json_is_object(json_object_get(message, "contents"))) {
        check_flex(details, path, json_object_get(message, "contents"));
    }
    if (quick_reply != NULL) {
        check_quick_reply(details, path, quick_reply);
    }
    if (sender != NULL) {
        char inner[PATH_BYTES];
        path_make(inner, "%s.sender", path);
        check_object(details, inner, "part.sender", sender);
    }
}

json_t *
line_rules_check(const json_t *messages)
{
    if (messages == NULL || json_is_null(messages)) {
        return line_rules_error("May not be empty", "messages");
    }
    if (!json_is_array(messages) || json_array_size(messages) < 1 ||
        json_array_size(messages) > MESSAGES_MAX) {
        return line_rules_error("Size must be between 1 and 5", "messages");
    }
    json_t *details = json_array();
    assert(details != NULL);
    size_t index = 0;
    json_t *message = NULL;
    json_array_foreach(messages, index, message)
    {
        char path[32];
        snprintf(path, sizeof(path), "messages[%zu]", index);
        check_message(details, path, message);
    }
    if (json_array_size(details) == 0) {
        json_decref(details);
        return NULL;
    }
    return error_body(details);
}
