#include "proto/definition_writer.h"

#include "proto/diagnostics.h"
#include "proto/line_message.h"
#include "proto/words.h"

enum {
    OBJECTS_MAX = 5,       /* LINE: messages of one request */
    TEXT_UNITS_MAX = 5000, /* LINE: UTF-16 units of a text message */
    QUICK_MAX = 13,        /* LINE: quick replies of a message */
    QUICK_LABEL_MAX = 20,  /* LINE: characters of a quick reply's label */
};

static void
key(struct writer *writer, const char *name)
{
    buf_printf(&writer->json, "\"%s\":", name);
}

static void
write_text(struct writer *writer, const struct yaml_node *node)
{
    struct span text;
    key(writer, "text");
    if (!compile_text(writer->compiler, node, "a text message", &text)) {
        return;
    }
    if (text.len == 0) {
        compile_error(writer->compiler, node, text, "an empty message; LINE refuses it");
        return;
    }
    writer_text(writer, node);
    if (writer->units > TEXT_UNITS_MAX) {
        compile_error(writer->compiler, node, span_of(text.data, 1),
                      "a text of %lu characters; LINE takes at most %d",
                      (unsigned long)writer->units, TEXT_UNITS_MAX);
    }
}

static bool
is_url(struct span text)
{
    return words_starts_with(text, "https://") && text.len > strlen("https://");
}

static void
write_url(struct writer *writer, const struct yaml_node *node)
{
    struct span text;
    if (!compile_text(writer->compiler, node, "a link", &text)) {
        return;
    }
    if (!is_url(text) || memchr(text.data, ' ', text.len) != NULL) {
        compile_error(writer->compiler, node, text, "not a link; write https://...");
    }
    writer_text(writer, node);
}

void
compile_button_choice(struct compiler *compiler, const struct yaml_node *node)
{
    struct span text = node->text;
    size_t colon = words_find(text, ":");
    uint32_t id =
        compile_reference(compiler, &compiler->buttons, "button", node, span_of(text.data, colon));
    if (id == NO_ID || colon == text.len) {
        return;
    }
    const struct button *button = &compiler->button_items[id];
    struct span choice = span_of(text.data + colon + 1, text.len - colon - 1);
    for (uint32_t i = 0; i < button->choice_count; i++) {
        if (span_equal_cstr(choice, button->choices[i])) {
            return;
        }
    }
    struct suggestion suggestion;
    suggestion_begin(&suggestion, choice);
    for (uint32_t i = 0; i < button->choice_count && !diagnostics_full(compiler->diagnostics);
         i++) {
        suggestion_offer(&suggestion, span_cstr(button->choices[i]));
    }
    if (suggestion_found(&suggestion)) {
        compile_error(compiler, node, choice,
                      "button '%.*s' has no choice '%.*s' - did you mean '%.*s'?", (int)colon,
                      (const char *)text.data, span_fmt(choice), span_fmt(suggestion.best));
    } else if (button->choice_count > 0) {
        compile_error(compiler, node, choice, "button '%.*s' has no choice '%.*s'", (int)colon,
                      (const char *)text.data, span_fmt(choice));
    }
}

static void
write_quick(struct writer *writer, const struct yaml_node *node)
{
    struct compiler *compiler = writer->compiler;
    if (node->kind != YAML_MAPPING) {
        compile_error(compiler, node, span_cstr(""),
                      "'quick' must be a mapping of label: button:choice (or an https link)");
        return;
    }
    buf_append_cstr(&writer->json, ",\"quickReply\":{\"items\":[");
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        struct span target;
        if (i == QUICK_MAX) {
            yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                       "a message has at most %d quick replies (LINE)", QUICK_MAX);
        }
        if (words_graphemes(pair->key) > QUICK_LABEL_MAX) {
            yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                       "a quick reply's label has at most %d characters (LINE)", QUICK_LABEL_MAX);
        }
        if (!compile_text(compiler, pair->value, "a quick reply", &target)) {
            continue;
        }
        bool link = is_url(target);
        buf_printf(&writer->json, "%s{\"type\":\"action\",\"action\":{\"type\":\"%s\",\"label\":",
                   i == 0 ? "" : ",", link ? "uri" : "postback");
        json_append_string(&writer->json, pair->key);
        if (link) {
            buf_append_cstr(&writer->json, ",\"uri\":");
            writer_text(writer, pair->value);
        } else {
            compile_button_choice(compiler, pair->value);
            buf_append_cstr(&writer->json, ",\"data\":");
            json_append_string(&writer->json, target);
            buf_append_cstr(&writer->json, ",\"displayText\":");
            json_append_string(&writer->json, pair->key);
        }
        buf_append_cstr(&writer->json, "}}");
    }
    buf_append_cstr(&writer->json, "]}");
}

static void
write_sticker(struct writer *writer, const struct yaml_node *node)
{
    struct span text;
    if (!compile_text(writer->compiler, node, "a sticker", &text)) {
        return;
    }
    int64_t number;
    size_t slash = words_find(text, "/");
    struct span package = span_of(text.data, slash);
    struct span sticker =
        slash == text.len ? package : words_after(text, span_of(text.data, slash + 1));
    if (slash == text.len || !words_number(package, &number) || !words_number(sticker, &number)) {
        compile_error(writer->compiler, node, text,
                      "not a sticker; write PACKAGE/STICKER, as 446/1988");
        return;
    }
    buf_append_cstr(&writer->json, "{\"type\":\"sticker\",\"packageId\":");
    json_append_string(&writer->json, package);
    buf_append_cstr(&writer->json, ",\"stickerId\":");
    json_append_string(&writer->json, sticker);
    buf_append_byte(&writer->json, '}');
}

/* One message object: a text, or a mapping with text, image, sticker or type. */
static void
write_object(struct writer *writer, const struct yaml_node *node, const char *what)
{
    static const char *const TEXT_KEYS[] = {"text", "quick", NULL};
    static const char *const IMAGE_KEYS[] = {"image", "preview", NULL};
    static const char *const STICKER_KEYS[] = {"sticker", NULL};
    static const char *const ANY_KEYS[] = {"text", "image", "sticker", "type", NULL};
    struct compiler *compiler = writer->compiler;
    if (node->kind == YAML_SCALAR) {
        buf_append_cstr(&writer->json, "{\"type\":\"text\",");
        write_text(writer, node);
        buf_append_byte(&writer->json, '}');
    } else if (node->kind == YAML_LIST) {
        compile_error(compiler, node, span_cstr(""), "a message object is a text or a mapping");
    } else if (yaml_get(node, "type") != NULL) {
        writer_message_object(writer, node);
    } else if (yaml_get(node, "text") != NULL) {
        compile_keys(compiler, node, TEXT_KEYS, false, NOT_YET_NOTHING, what);
        buf_append_cstr(&writer->json, "{\"type\":\"text\",");
        write_text(writer, yaml_get(node, "text"));
        if (yaml_get(node, "quick") != NULL) {
            write_quick(writer, yaml_get(node, "quick"));
        }
        buf_append_byte(&writer->json, '}');
    } else if (yaml_get(node, "image") != NULL) {
        const struct yaml_node *image = yaml_get(node, "image");
        const struct yaml_node *preview = yaml_get(node, "preview");
        compile_keys(compiler, node, IMAGE_KEYS, false, NOT_YET_NOTHING, what);
        buf_append_cstr(&writer->json, "{\"type\":\"image\",\"originalContentUrl\":");
        write_url(writer, image);
        buf_append_cstr(&writer->json, ",\"previewImageUrl\":");
        write_url(writer, preview == NULL ? image : preview);
        buf_append_byte(&writer->json, '}');
    } else if (yaml_get(node, "sticker") != NULL) {
        compile_keys(compiler, node, STICKER_KEYS, false, NOT_YET_NOTHING, what);
        write_sticker(writer, yaml_get(node, "sticker"));
    } else {
        compile_keys(compiler, node, ANY_KEYS, false, NOT_YET_NOTHING, what);
        if (node->count == 0) {
            compile_error(compiler, node, span_cstr(""), "an empty message; LINE refuses it");
        }
    }
}

static void
write_objects(struct writer *writer, const struct yaml_node *node, const char *what,
              struct template *out_template)
{
    const struct yaml_node *const one[] = {node};
    bool list = node->kind == YAML_LIST;
    uint32_t count = list ? node->count : 1;
    if (count == 0) {
        compile_error(writer->compiler, node, span_cstr(""), "an empty message; LINE refuses it");
    }
    if (count > OBJECTS_MAX) {
        compile_error(writer->compiler, node->items[OBJECTS_MAX], span_cstr(""),
                      "a message has at most %d objects (LINE); this is the %dth", OBJECTS_MAX,
                      OBJECTS_MAX + 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        buf_append_cstr(&writer->json, i == 0 ? "" : ",");
        write_object(writer, list ? node->items[i] : one[i], what);
    }
    writer_finish(writer);
    *out_template = (struct template){.object_count = count,
                                      .parts = writer->parts,
                                      .insertions = writer->insertions,
                                      .insertion_count = writer->count};
}

void
compile_plain_text(struct compiler *compiler, const struct yaml_node *node, const char *what,
                   struct template *out_text)
{
    static const struct span EMPTY[1];
    struct writer writer = {.compiler = compiler, .plain = true};
    struct span text;
    *out_text = (struct template){.parts = EMPTY};
    if (!compile_text(compiler, node, what, &text)) {
        return;
    }
    writer_text(&writer, node);
    writer_finish(&writer);
    *out_text = (struct template){
        .parts = writer.parts, .insertions = writer.insertions, .insertion_count = writer.count};
}

struct template *
compile_template_slot(struct compiler *compiler, uint32_t id)
{
    if (id >= compiler->template_capacity) {
        uint32_t capacity = (id + 1) * 2;
        struct template *grown = arena_alloc(compiler->arena, capacity * sizeof(*grown));
        if (compiler->template_capacity > 0) {
            memcpy(grown, compiler->template_items, compiler->template_capacity * sizeof(*grown));
        }
        compiler->template_items = grown;
        compiler->template_capacity = capacity;
    }
    return &compiler->template_items[id];
}

void
compile_templates(struct compiler *compiler, const struct yaml_node *section)
{
    static const char *const KEYS[] = {"folder", "messages", NULL};
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        if (!compile_id(compiler, pair->key_mark, pair->key)) {
            continue;
        }
        const struct yaml_node *messages = pair->value;
        const char *what = compile_format(compiler, "template '%.*s'", span_fmt(pair->key));
        struct writer writer = {.compiler = compiler};
        struct template compiled = {0};
        if (yaml_get(messages, "folder") != NULL || yaml_get(messages, "messages") != NULL) {
            const struct yaml_node *folder = yaml_get(messages, "folder");
            struct span text;
            compile_keys(compiler, messages, KEYS, false, NOT_YET_NOTHING, what);
            if (folder != NULL) {
                compile_text(compiler, folder, "'folder'", &text);
            }
            messages = yaml_get(messages, "messages");
        }
        if (messages == NULL) {
            yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "%s has no 'messages'",
                       what);
        } else {
            write_objects(&writer, messages, what, &compiled);
        }
        uint32_t id = name_table_add(&compiler->templates, pair->key);
        *compile_template_slot(compiler, id) = compiled;
    }
}

uint32_t
compile_one_off(struct compiler *compiler, const struct yaml_node *node, struct place *place)
{
    place->one_offs++;
    const char *name = place->one_offs == 1
                           ? place->name
                           : compile_format(compiler, "%s#%u", place->name, place->one_offs);
    struct writer writer = {.compiler = compiler};
    struct template compiled = {0};
    write_objects(&writer, node, place->what, &compiled);
    uint32_t id = name_table_add(&compiler->templates, span_cstr(name));
    *compile_template_slot(compiler, id) = compiled;
    return id;
}

/* A copy in the new set's arena; the set before may go first. */
static void
copy_template(struct compiler *compiler, const struct template *from, struct template *out)
{
    struct arena *arena = compiler->arena;
    struct span *parts = arena_alloc(arena, (from->insertion_count + 1) * sizeof(*parts));
    struct insertion *insertions =
        arena_alloc(arena, (from->insertion_count + 1) * sizeof(*insertions));
    for (uint32_t i = 0; i <= from->insertion_count; i++) {
        parts[i] = arena_span(arena, from->parts[i]);
    }
    for (uint32_t i = 0; i < from->insertion_count; i++) {
        insertions[i] = from->insertions[i];
        insertions[i].act = arena_span(arena, from->insertions[i].act);
        insertions[i].fallback = arena_span(arena, from->insertions[i].fallback);
    }
    *out = (struct template){.object_count = from->object_count,
                             .parts = parts,
                             .insertions = insertions,
                             .insertion_count = from->insertion_count};
}

void
compile_removed_templates(struct compiler *compiler)
{
    static const struct span EMPTY[1];
    const struct definitions *before = compiler->before;
    for (uint32_t id = 0; id < compiler->templates.names.count; id++) {
        struct template *slot = compile_template_slot(compiler, id);
        bool known = before != NULL && id < before->template_names.count &&
                     before->templates[id].object_count > 0;
        if (slot->parts == NULL && known) {
            copy_template(compiler, &before->templates[id], slot);
        } else if (slot->parts == NULL) {
            slot->parts = EMPTY;
        }
    }
}
