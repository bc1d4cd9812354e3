/* LINE's message objects as people write them: checked by the table of proto/line_object.h, and written as
 * JSON with the type that each property has there, since every scalar of a file is text (LANGUAGE 1). What an
 * insertion will put in is not known here, so only what is written out counts towards a limit. */
#include "proto/definition_writer.h"
#include "proto/line_message.h"
#include "proto/line_object.h"
#include "proto/words.h"

/* Objects that the log holds were judged when they were applied, by what LINE took then. */
#define object_error(writer, ...)                                                                  \
    do {                                                                                           \
        if (!(writer)->compiler->replay) {                                                         \
            compile_error((writer)->compiler, __VA_ARGS__);                                        \
        }                                                                                          \
    } while (0)
#define key_error(writer, ...)                                                                     \
    do {                                                                                           \
        if (!(writer)->compiler->replay) {                                                         \
            yaml_error((writer)->compiler->diagnostics, __VA_ARGS__);                              \
        }                                                                                          \
    } while (0)

static void write_object(struct writer *writer, const struct line_family *family,
                         const struct yaml_node *node);

/* Of what stands outside {{...}}. */
static uint64_t
literal_length(struct span text, bool graphemes)
{
    uint64_t length = 0;
    while (text.len > 0) {
        size_t open = words_find(text, "{{");
        struct span literal = span_of(text.data, open);
        length += graphemes ? words_graphemes(literal) : words_utf16_units(literal);
        struct span rest = span_of(text.data + open, text.len - open);
        size_t close = words_find(rest, "}}");
        size_t taken = close == rest.len ? close : close + 2;
        text = span_of(rest.data + taken, rest.len - taken);
    }
    return length;
}

static bool
has_insertion(struct span text)
{
    return words_find(text, "{{") < text.len;
}

/* The words of "fit|cover", one after the other. */
static bool
next_word(const char **rest, struct span *out_word)
{
    if (**rest == '\0') {
        return false;
    }
    size_t len = strcspn(*rest, "|");
    *out_word = span_of(*rest, len);
    *rest += len + ((*rest)[len] == '|' ? 1 : 0);
    return true;
}

static void
check_word(struct writer *writer, const struct line_property *property,
           const struct yaml_node *node)
{
    struct suggestion suggestion;
    struct buf all = {0};
    struct span word;
    suggestion_begin(&suggestion, node->text);
    for (const char *rest = property->of; next_word(&rest, &word);) {
        if (span_equal(word, node->text)) {
            buf_fini(&all);
            return;
        }
        suggestion_offer(&suggestion, word);
        buf_printf(&all, "%s%.*s", all.len == 0 ? "" : ", ", span_fmt(word));
    }
    if (suggestion_found(&suggestion)) {
        object_error(writer, node, node->text, "'%s' is never '%.*s' - did you mean '%.*s'?",
                     property->name, span_fmt(node->text), span_fmt(suggestion.best));
    } else {
        object_error(writer, node, node->text, "'%s' is one of %s (LINE)", property->name,
                     buf_cstr(&all));
    }
    buf_fini(&all);
}

static void
check_link(struct writer *writer, const struct line_property *property,
           const struct yaml_node *node)
{
    static const char *const SCHEMES[] = {"https://", "http://", "line://", "tel:"};
    size_t count = property->value == LINE_HTTPS ? 1 : sizeof(SCHEMES) / sizeof(SCHEMES[0]);
    if (words_starts_with(node->text, "{{")) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (words_starts_with(node->text, SCHEMES[i]) && node->text.len > strlen(SCHEMES[i])) {
            return;
        }
    }
    object_error(writer, node, node->text, "not a link; %s",
                 property->value == LINE_HTTPS ? "write https://... (LINE)"
                                               : "write https://..., http://..., line:// or tel:");
}

static void
check_text(struct writer *writer, const struct line_property *property,
           const struct yaml_node *node)
{
    struct span first = span_of(node->text.data, node->text.len > 0 ? 1 : 0);
    uint64_t length = literal_length(node->text, property->value == LINE_LABEL);
    if (property->most > 0 && length > property->most) {
        object_error(writer, node, first, "'%s' has %lu characters; LINE takes at most %u",
                     property->name, (unsigned long)length, property->most);
    }
    if (node->text.len < property->least) {
        object_error(writer, node, first, "'%s' is empty; LINE refuses it", property->name);
    }
    if (property->value == LINE_HTTPS || property->value == LINE_URI) {
        check_link(writer, property, node);
    }
    if (property->value == LINE_WORD && !has_insertion(node->text)) {
        check_word(writer, property, node);
    }
}

/* A number as JSON writes it. */
static bool
is_decimal(struct span text)
{
    size_t i = text.len > 0 && text.data[0] == '-' ? 1 : 0;
    size_t digits[2] = {0, 0}, part = 0, first = i;
    for (; i < text.len; i++) {
        if (text.data[i] == '.' && part == 0) {
            part = 1;
        } else if (text.data[i] >= '0' && text.data[i] <= '9') {
            digits[part]++;
        } else {
            return false;
        }
    }
    bool leading_zero = digits[0] > 1 && text.data[first] == '0';
    return digits[0] > 0 && !leading_zero && (part == 0 || digits[1] > 0);
}

static bool
is_whole(struct span text)
{
    return is_decimal(text) && memchr(text.data, '.', text.len) == NULL;
}

static bool
is_yes(struct span text)
{
    return span_equal_cstr(text, "true") || span_equal_cstr(text, "yes");
}

static bool
is_no(struct span text)
{
    return span_equal_cstr(text, "false") || span_equal_cstr(text, "no");
}

static void
write_scalar(struct writer *writer, const struct line_property *property,
             const struct yaml_node *node)
{
    switch (property->value) {
    case LINE_TEXT:
    case LINE_LABEL:
    case LINE_HTTPS:
    case LINE_URI:
    case LINE_WORD:
        check_text(writer, property, node);
        writer_text(writer, node);
        return;
    case LINE_WHOLE:
    case LINE_DECIMAL:
        if (property->value == LINE_WHOLE ? is_whole(node->text) : is_decimal(node->text)) {
            buf_append_span(&writer->json, node->text);
            return;
        }
        object_error(writer, node, node->text, "'%s' is a %s; '%.*s' is none", property->name,
                     property->value == LINE_WHOLE ? "whole number" : "number",
                     span_fmt(node->text));
        break;
    case LINE_YES_NO:
        if (is_yes(node->text) || is_no(node->text)) {
            buf_append_cstr(&writer->json, is_yes(node->text) ? "true" : "false");
            return;
        }
        object_error(writer, node, node->text, "'%s' is true or false", property->name);
        break;
    case LINE_OBJECT:
    case LINE_LIST:
    case LINE_MAP:
        object_error(writer, node, node->text, "'%s' must be a %s", property->name,
                     property->value == LINE_LIST ? "list" : "mapping (key: value)");
        break;
    }
    writer_text(writer, node); /* from a log: as it was */
}

static void
write_list(struct writer *writer, const struct line_property *property,
           const struct yaml_node *node)
{
    if (node->count < property->least || (property->most > 0 && node->count > property->most)) {
        bool few = node->count < property->least;
        const struct yaml_node *at = few ? node : node->items[property->most];
        object_error(writer, at, span_cstr(""), "'%s' takes at %s %u (LINE)", property->name,
                     few ? "least" : "most", few ? property->least : property->most);
    }
    buf_append_byte(&writer->json, '[');
    for (uint32_t i = 0; i < node->count; i++) {
        buf_append_cstr(&writer->json, i == 0 ? "" : ",");
        write_object(writer, line_family_find(property->of), node->items[i]);
    }
    buf_append_byte(&writer->json, ']');
}

static void
write_map(struct writer *writer, const struct line_property *property, const struct yaml_node *node)
{
    if (node->count > property->most) {
        object_error(writer, node, span_cstr(""), "'%s' takes at most %u (LINE)", property->name,
                     property->most);
    }
    buf_append_byte(&writer->json, '{');
    for (uint32_t i = 0; i < node->count; i++) {
        buf_append_cstr(&writer->json, i == 0 ? "" : ",");
        json_append_string(&writer->json, node->pairs[i].key);
        buf_append_byte(&writer->json, ':');
        write_object(writer, line_family_find(property->of), node->pairs[i].value);
    }
    buf_append_byte(&writer->json, '}');
}

static void
write_property(struct writer *writer, const struct line_property *property,
               const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR) {
        write_scalar(writer, property, node);
    } else if (property->value == LINE_LIST && node->kind == YAML_LIST) {
        write_list(writer, property, node);
    } else if (property->value == LINE_OBJECT && node->kind == YAML_MAPPING) {
        write_object(writer, line_family_find(property->of), node);
    } else if (property->value == LINE_MAP && node->kind == YAML_MAPPING) {
        write_map(writer, property, node);
    } else {
        object_error(writer, node, span_cstr(""), "'%s' must be a %s", property->name,
                     property->value == LINE_LIST ? "list"
                     : property->value == LINE_OBJECT || property->value == LINE_MAP
                         ? "mapping (key: value)"
                         : "text");
        buf_append_cstr(&writer->json, "null");
    }
}

/* The kind that `type` says; NULL, and said, where there is none. */
static const struct line_kind *
kind_of(struct writer *writer, const struct line_family *family, const struct yaml_node *node)
{
    const struct yaml_node *type = yaml_get(node, "type");
    struct span text = type == NULL ? span_cstr("") : type->text;
    const struct line_kind *kind = line_kind_find(family, text);
    if (kind != NULL) {
        return kind;
    }
    struct suggestion suggestion;
    struct buf all = {0};
    suggestion_begin(&suggestion, text);
    for (uint32_t i = 0; i < family->kind_count; i++) {
        suggestion_offer(&suggestion, span_cstr(family->kinds[i]->type));
        buf_printf(&all, "%s%s", i == 0 ? "" : ", ", family->kinds[i]->type);
    }
    if (type == NULL) {
        object_error(writer, node, span_cstr(""), "%s needs 'type': %s (LINE)", family->name,
                     buf_cstr(&all));
    } else if (suggestion_found(&suggestion)) {
        object_error(writer, type, text, "no %s of type '%.*s' - did you mean '%.*s'?",
                     family->name, span_fmt(text), span_fmt(suggestion.best));
    } else {
        object_error(writer, type, text, "no %s of type '%.*s'; LINE has %s", family->name,
                     span_fmt(text), buf_cstr(&all));
    }
    buf_fini(&all);
    return NULL;
}

/* "flex component 'text'" */
static const char *
name_of(struct writer *writer, const struct line_family *family, const struct line_kind *kind)
{
    return kind->type == NULL
               ? family->name
               : compile_format(writer->compiler, "%s '%s'", family->name, kind->type);
}

static void
unknown_key(struct writer *writer, const struct line_family *family, const struct line_kind *kind,
            const struct yaml_pair *pair)
{
    struct suggestion suggestion;
    const struct line_property *property;
    suggestion_begin(&suggestion, pair->key);
    for (uint32_t i = 0; (property = line_property_at(family, kind, i)) != NULL; i++) {
        suggestion_offer(&suggestion, span_cstr(property->name));
    }
    const char *name = name_of(writer, family, kind);
    if (suggestion_found(&suggestion)) {
        key_error(writer, pair->key_mark, pair->key,
                  "unknown key '%.*s' in %s - did you mean '%.*s'?", span_fmt(pair->key), name,
                  span_fmt(suggestion.best));
    } else {
        key_error(writer, pair->key_mark, pair->key, "unknown key '%.*s' in %s (LINE)",
                  span_fmt(pair->key), name);
    }
}

static void
check_required(struct writer *writer, const struct line_family *family,
               const struct line_kind *kind, const struct yaml_node *node)
{
    const struct line_property *property;
    for (uint32_t i = 0; (property = line_property_at(family, kind, i)) != NULL; i++) {
        if (property->required && yaml_get(node, property->name) == NULL) {
            object_error(writer, node, span_cstr(""), "%s needs '%s' (LINE)",
                         name_of(writer, family, kind), property->name);
        }
    }
}

/* ---- what a table cannot say ---- */

/* Less room for the text where there is a picture or a title. */
static void
check_room_for_text(struct writer *writer, const struct yaml_node *node)
{
    enum { BESIDE_MAX = 60 };
    const struct yaml_node *text = yaml_get(node, "text");
    bool beside = yaml_get(node, "title") != NULL || yaml_get(node, "thumbnailImageUrl") != NULL;
    if (beside && text != NULL && text->kind == YAML_SCALAR &&
        literal_length(text->text, true) > BESIDE_MAX) {
        object_error(writer, text, span_of(text->text.data, 1),
                     "'text' beside a picture or title has at most %d characters (LINE)",
                     BESIDE_MAX);
    }
}

static uint32_t
count_of(const struct yaml_node *node, const char *key)
{
    const struct yaml_node *list = yaml_get(node, key);
    return list != NULL && list->kind == YAML_LIST ? list->count : 0;
}

static void
check_columns_alike(struct writer *writer, const struct yaml_node *node)
{
    static const char *const SAME[] = {"title", "thumbnailImageUrl"};
    const struct yaml_node *columns = yaml_get(node, "columns");
    for (uint32_t i = 1; columns != NULL && columns->kind == YAML_LIST && i < columns->count; i++) {
        const struct yaml_node *first = columns->items[0], *other = columns->items[i];
        if (count_of(first, "actions") != count_of(other, "actions")) {
            object_error(writer, other, span_cstr(""),
                         "every column has as many actions as the first (LINE)");
        }
        for (size_t k = 0; k < sizeof(SAME) / sizeof(SAME[0]); k++) {
            if ((yaml_get(first, SAME[k]) == NULL) != (yaml_get(other, SAME[k]) == NULL)) {
                object_error(writer, other, span_cstr(""),
                             "every column has a '%s' or none has (LINE)", SAME[k]);
            }
        }
    }
}

/* Each emoji stands for the "$" at its index, counted in UTF-16 units. */
static void
check_emojis(struct writer *writer, const struct yaml_node *node)
{
    const struct yaml_node *text = yaml_get(node, "text"), *emojis = yaml_get(node, "emojis");
    for (uint32_t i = 0; text != NULL && emojis != NULL && i < emojis->count; i++) {
        if (emojis->kind != YAML_LIST || text->kind != YAML_SCALAR) {
            return;
        }
        const struct yaml_node *index = yaml_get(emojis->items[i], "index");
        int64_t place = -1;
        bool found = false;
        if (index == NULL || !words_number(index->text, &place)) {
            continue; /* said already */
        }
        for (size_t at = 0; at < text->text.len && !found; at++) {
            found = text->text.data[at] == '$' &&
                    (int64_t)words_utf16_units(span_of(text->text.data, at)) == place;
        }
        if (!found) {
            object_error(writer, index, index->text, "no '$' of the text stands at %.*s",
                         span_fmt(index->text));
        }
    }
}

static size_t
written(const struct writer *writer)
{
    size_t bytes = writer->json.len;
    for (uint32_t i = 0; i < writer->count; i++) {
        bytes += writer->parts[i].len;
    }
    return bytes;
}

static void
check_size(struct writer *writer, const struct yaml_node *node, size_t bytes, size_t most)
{
    if (bytes > most) {
        object_error(writer, node, span_cstr(""), "%zu bytes as JSON; LINE takes at most %zu",
                     bytes, most);
    }
}

static void
check_whole(struct writer *writer, const struct line_family *family, const struct line_kind *kind,
            const struct yaml_node *node, size_t bytes)
{
    static const struct {
        const char *family, *type;
        void (*check)(struct writer *writer, const struct yaml_node *node);
    } RULES[] = {
        {"message", "text", check_emojis},
        {"template", "buttons", check_room_for_text},
        {"carousel column", "", check_room_for_text},
        {"template", "carousel", check_columns_alike},
    };
    const char *type = kind->type == NULL ? "" : kind->type;
    for (size_t i = 0; i < sizeof(RULES) / sizeof(RULES[0]); i++) {
        if (strcmp(RULES[i].family, family->name) == 0 && strcmp(RULES[i].type, type) == 0) {
            RULES[i].check(writer, node);
        }
    }
    if (strcmp(type, "bubble") == 0) {
        check_size(writer, node, bytes, LINE_BUBBLE_BYTES_MAX);
    } else if (strcmp(family->name, "flex container") == 0) {
        check_size(writer, node, bytes, LINE_CAROUSEL_BYTES_MAX);
    }
}

/* Recursion is bounded by the tree's depth. */
static void
write_object(struct writer *writer, const struct line_family *family, const struct yaml_node *node)
{
    static const struct line_property AS_TEXT = {"", LINE_TEXT, false, 0, 0, NULL};
    if (node->kind != YAML_MAPPING) {
        object_error(writer, node, node->kind == YAML_SCALAR ? node->text : span_cstr(""),
                     "%s must be a mapping (key: value)", family->name);
        buf_append_cstr(&writer->json, "null");
        return;
    }
    const struct line_kind *kind = kind_of(writer, family, node);
    size_t before = written(writer);
    buf_append_byte(&writer->json, '{');
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        bool is_type = span_equal_cstr(pair->key, "type") && (kind == NULL || kind->type != NULL);
        const struct line_property *property =
            kind == NULL || is_type ? NULL : line_property_find(family, kind, pair->key);
        if (property == NULL && kind != NULL && !is_type) {
            unknown_key(writer, family, kind, pair);
        }
        buf_append_cstr(&writer->json, i == 0 ? "" : ",");
        json_append_string(&writer->json, pair->key);
        buf_append_byte(&writer->json, ':');
        if (property != NULL || pair->value->kind == YAML_SCALAR) {
            write_property(writer, property == NULL ? &AS_TEXT : property, pair->value);
        } else {
            buf_append_cstr(&writer->json, "null"); /* unknown and large: said above */
        }
    }
    buf_append_byte(&writer->json, '}');
    if (kind != NULL) {
        check_required(writer, family, kind, node);
        check_whole(writer, family, kind, node, written(writer) - before);
    }
}

void
writer_message_object(struct writer *writer, const struct yaml_node *node)
{
    write_object(writer, line_family_find("message"), node);
}
