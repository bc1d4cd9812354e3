/* The canonical form, JSON, keys in this order:
 *   version   1
 *   ids       every name that ever was, by kind, in the order of its id; `steps` by scenario
 *   types     of the fields, by id, removed ones included: old values must stay readable
 *   removed   templates that are out of force, as compiled, for what is still on its way
 *   tree      the merged files, keys in order, every scalar a string
 */
#include "proto/definition_compile.h"
#include "proto/line_message.h"

#include <jansson.h>
#include <stdio.h>

enum { CANONICAL_VERSION = 1, TREE_DEPTH_MAX = YAML_DEPTH_MAX + 1 };

static const struct {
    const char *key;
    size_t offset;
    bool later; /* forms of the first version do not have it */
} NAME_KINDS[] = {{"tags", offsetof(struct definitions, tag_names), false},
                  {"fields", offsetof(struct definitions, field_names), false},
                  {"templates", offsetof(struct definitions, template_names), false},
                  {"lanes", offsetof(struct definitions, lane_names), false},
                  {"scenarios", offsetof(struct definitions, scenario_names), false},
                  {"buttons", offsetof(struct definitions, button_names), false},
                  {"auto_replies", offsetof(struct definitions, auto_reply_names), false},
                  {"forms", offsetof(struct definitions, form_names), true},
                  {"questions", offsetof(struct definitions, question_names), true},
                  {"options", offsetof(struct definitions, option_names), true},
                  {"calendars", offsetof(struct definitions, calendar_names), true},
                  {"slots", offsetof(struct definitions, slot_names), true},
                  {"conversions", offsetof(struct definitions, conversion_names), true},
                  {"routes", offsetof(struct definitions, route_names), true},
                  {"links", offsetof(struct definitions, link_names), true},
                  {"ranks", offsetof(struct definitions, rank_names), true},
                  {"rich_menus", offsetof(struct definitions, rich_menu_names), true},
                  {"notify", offsetof(struct definitions, notify_names), true},
                  {"events", offsetof(struct definitions, event_names), true},
                  {"keys", offsetof(struct definitions, key_names), true},
                  {"marks", offsetof(struct definitions, mark_names), true},
                  {"broadcasts", offsetof(struct definitions, broadcast_names), true}};
enum { NAME_KIND_COUNT = sizeof(NAME_KINDS) / sizeof(NAME_KINDS[0]) };

/* --- writing --- */

static void
write_names(const struct names *names, struct buf *out)
{
    buf_append_byte(out, '[');
    for (uint32_t i = 0; i < names->count; i++) {
        buf_append_cstr(out, i == 0 ? "" : ",");
        json_append_string(out, span_cstr(names->items[i].text));
    }
    buf_append_byte(out, ']');
}

/* What a value comes from, in a word: "" the name, "area" a field, and "slot:", "score:", "form:F",
 * "calendar:C", "answer:q", "answer:F/q", "act:choice", "act:draw:hand". A field's id holds no colon. */
static void
write_insertion(const struct definitions *definitions, const struct insertion *insertion,
                struct buf *out)
{
    struct buf word = {0};
    switch (insertion->kind) {
    case INSERTION_NAME:
        break;
    case INSERTION_FIELD:
        buf_append_cstr(&word, names_text(&definitions->field_names, insertion->field));
        break;
    case INSERTION_SCORE:
        buf_append_cstr(&word, "score:");
        break;
    case INSERTION_ACT:
        buf_printf(&word, "act:%.*s", span_fmt(insertion->act));
        break;
    case INSERTION_SLOT:
        buf_append_cstr(&word, "slot:");
        break;
    case INSERTION_GOAL:
        buf_append_cstr(&word, "goal:");
        break;
    case INSERTION_ANSWER:
        buf_append_cstr(&word, "answer:");
        if (insertion->form != NO_ID) {
            buf_printf(&word, "%s/", names_text(&definitions->form_names, insertion->form));
        }
        buf_append_cstr(&word, names_text(&definitions->question_names, insertion->field));
        break;
    case INSERTION_FORM:
        buf_printf(&word, "form:%s", names_text(&definitions->form_names, insertion->field));
        break;
    case INSERTION_LINK:
        buf_printf(&word, "link:%s", names_text(&definitions->link_names, insertion->field));
        break;
    case INSERTION_CALENDAR:
        buf_printf(&word, "calendar:%s",
                   names_text(&definitions->calendar_names, insertion->field));
        break;
    }
    json_append_string(out, buf_span(&word));
    buf_fini(&word);
}

static void
write_removed(const struct definitions *definitions, struct buf *out)
{
    const char *comma = "";
    for (uint32_t id = 0; id < definitions->template_names.count; id++) {
        const struct template *template = &definitions->templates[id];
        if (definitions->template_names.items[id].in_force || template->object_count == 0) {
            continue;
        }
        buf_printf(out, "%s\"%u\":[\"%u\"", comma, id, template->object_count);
        comma = ",";
        for (uint32_t i = 0; i <= template->insertion_count; i++) {
            buf_append_byte(out, ',');
            json_append_string(out, template->parts[i]);
            if (i < template->insertion_count) {
                const struct insertion *insertion = &template->insertions[i];
                buf_append_byte(out, ',');
                write_insertion(definitions, insertion, out);
                buf_append_byte(out, ',');
                json_append_string(out, insertion->fallback);
            }
        }
        buf_append_byte(out, ']');
    }
}

void
canonical_write_tree(const struct yaml_node *node, struct buf *out)
{
    if (node->kind == YAML_SCALAR) {
        json_append_string(out, node->text);
        return;
    }
    bool list = node->kind == YAML_LIST;
    buf_append_byte(out, list ? '[' : '{');
    for (uint32_t i = 0; i < node->count; i++) {
        buf_append_cstr(out, i == 0 ? "" : ",");
        if (!list) {
            json_append_string(out, node->pairs[i].key);
            buf_append_byte(out, ':');
        }
        canonical_write_tree(list ? node->items[i] : node->pairs[i].value, out);
    }
    buf_append_byte(out, list ? ']' : '}');
}

void
canonical_write(const struct definitions *definitions, const struct yaml_node *tree,
                struct buf *out_json)
{
    buf_printf(out_json, "{\"version\":%d,\"ids\":{", CANONICAL_VERSION);
    for (int i = 0; i < NAME_KIND_COUNT; i++) {
        const uint8_t *names = (const uint8_t *)definitions + NAME_KINDS[i].offset;
        buf_printf(out_json, "\"%s\":", NAME_KINDS[i].key);
        write_names((const struct names *)(const void *)names, out_json);
        buf_append_byte(out_json, ',');
    }
    buf_append_cstr(out_json, "\"steps\":{");
    for (uint32_t i = 0; i < definitions->scenario_names.count; i++) {
        buf_append_cstr(out_json, i == 0 ? "" : ",");
        json_append_string(out_json, span_cstr(definitions->scenario_names.items[i].text));
        buf_append_byte(out_json, ':');
        write_names(&definitions->scenarios[i].step_names, out_json);
    }
    buf_append_cstr(out_json, "}},\"types\":[");
    for (uint32_t i = 0; i < definitions->field_names.count; i++) {
        buf_printf(out_json, "%s%d", i == 0 ? "" : ",", (int)definitions->fields[i].type);
    }
    buf_append_cstr(out_json, "],\"removed\":{");
    write_removed(definitions, out_json);
    buf_append_cstr(out_json, "},\"tree\":");
    canonical_write_tree(tree, out_json);
    buf_append_byte(out_json, '}');
}

/* --- reading --- */

static struct span
json_span(const json_t *json)
{
    return span_of(json_string_value(json), json_string_length(json));
}

static bool
read_names(const json_t *json, struct arena *arena, struct names *out_names)
{
    if (json == NULL) { /* a kind of names that version did not have */
        *out_names = (struct names){0};
        return true;
    }
    if (!json_is_array(json)) {
        return false;
    }
    size_t count = json_array_size(json);
    struct name *items = arena_alloc(arena, (count + 1) * sizeof(*items));
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(json, i);
        if (!json_is_string(name)) {
            return false;
        }
        items[i].text = arena_cstr(arena, json_span(name));
    }
    *out_names = (struct names){.items = items, .count = (uint32_t)count};
    return true;
}

static struct yaml_node *
read_tree(const json_t *json, struct arena *arena, uint32_t depth)
{
    struct yaml_node *node = arena_alloc(arena, sizeof(*node));
    if (depth > TREE_DEPTH_MAX) {
        return NULL;
    }
    if (json_is_string(json)) {
        node->kind = YAML_SCALAR;
        node->text = arena_span(arena, json_span(json));
        return node;
    }
    if (json_is_array(json)) {
        node->kind = YAML_LIST;
        node->count = (uint32_t)json_array_size(json);
        node->items = arena_alloc(arena, (node->count + 1) * sizeof(*node->items));
        for (uint32_t i = 0; i < node->count; i++) {
            node->items[i] = read_tree(json_array_get(json, i), arena, depth + 1);
            if (node->items[i] == NULL) {
                return NULL;
            }
        }
        return node;
    }
    if (!json_is_object(json)) {
        return NULL;
    }
    node->kind = YAML_MAPPING;
    node->pairs = arena_alloc(arena, (json_object_size(json) + 1) * sizeof(*node->pairs));
    const char *key;
    json_t *value;
    /* jansson's iterator takes no const, and changes nothing. */
    union {
        const json_t *read;
        json_t *iterate;
    } object = {.read = json};
    json_object_foreach(object.iterate, key, value)
    {
        struct yaml_pair *pair = &node->pairs[node->count++];
        pair->key = arena_span(arena, span_cstr(key));
        pair->value = read_tree(value, arena, depth + 1);
        if (pair->value == NULL) {
            return NULL;
        }
    }
    return node;
}

static uint32_t
find_name(const struct names *names, const char *text)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i].text, text) == 0) {
            return i;
        }
    }
    return NO_ID;
}

/* Keeps the fallback, which is read beside it. */
static bool
read_insertion(const char *word, struct arena *arena, const struct definitions *before,
               struct insertion *out)
{
    static const struct {
        const char *kind;
        enum insertion_kind value;
    } KINDS[] = {{"slot", INSERTION_SLOT},   {"answer", INSERTION_ANSWER},
                 {"form", INSERTION_FORM},   {"calendar", INSERTION_CALENDAR},
                 {"score", INSERTION_SCORE}, {"act", INSERTION_ACT},
                 {"goal", INSERTION_GOAL},   {"link", INSERTION_LINK}};
    enum { KIND_COUNT = sizeof(KINDS) / sizeof(KINDS[0]) };
    const char *colon = strchr(word, ':');
    out->form = NO_ID;
    if (colon == NULL) {
        out->kind = word[0] == '\0' ? INSERTION_NAME : INSERTION_FIELD;
        out->field = word[0] == '\0' ? 0 : find_name(&before->field_names, word);
        return out->field != NO_ID;
    }
    size_t kind = 0;
    size_t len = (size_t)(colon - word);
    while (kind < KIND_COUNT &&
           (strlen(KINDS[kind].kind) != len || strncmp(KINDS[kind].kind, word, len) != 0)) {
        kind++;
    }
    if (kind == KIND_COUNT) {
        return false;
    }
    const char *name = colon + 1;
    const char *slash = strchr(name, '/');
    out->kind = KINDS[kind].value;
    if (out->kind == INSERTION_ACT) {
        out->act = arena_span(arena, span_cstr(name));
    }
    if (out->kind == INSERTION_SLOT || out->kind == INSERTION_SCORE || out->kind == INSERTION_ACT ||
        out->kind == INSERTION_GOAL) {
        return true;
    }
    if (out->kind == INSERTION_ANSWER && slash != NULL) {
        out->form = find_name(&before->form_names,
                              arena_cstr(arena, span_of(name, (size_t)(slash - name))));
        name = slash + 1;
        if (out->form == NO_ID) {
            return false;
        }
    }
    const struct names *names = out->kind == INSERTION_ANSWER ? &before->question_names
                                : out->kind == INSERTION_FORM ? &before->form_names
                                : out->kind == INSERTION_LINK ? &before->link_names
                                                              : &before->calendar_names;
    out->field = find_name(names, name);
    return out->field != NO_ID;
}

/* ["objects", part, field, fallback, part, ...] */
static bool
read_removed_one(const json_t *json, struct arena *arena, const struct definitions *before,
                 struct template *out_template)
{
    size_t count = json_array_size(json);
    if (count < 2 || (count - 2) % 3 != 0) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!json_is_string(json_array_get(json, i))) {
            return false;
        }
    }
    uint32_t insertions = (uint32_t)((count - 2) / 3);
    struct span *parts = arena_alloc(arena, (insertions + 1) * sizeof(*parts));
    struct insertion *items = arena_alloc(arena, (insertions + 1) * sizeof(*items));
    parts[0] = arena_span(arena, json_span(json_array_get(json, 1)));
    for (uint32_t i = 0; i < insertions; i++) {
        size_t at = 2 + 3 * (size_t)i;
        const char *word = json_string_value(json_array_get(json, at));
        items[i].fallback = arena_span(arena, json_span(json_array_get(json, at + 1)));
        parts[i + 1] = arena_span(arena, json_span(json_array_get(json, at + 2)));
        if (!read_insertion(word, arena, before, &items[i])) {
            return false;
        }
    }
    const char *objects = json_string_value(json_array_get(json, 0));
    if (strlen(objects) != 1 || objects[0] < '1' || objects[0] > '5') {
        return false;
    }
    *out_template = (struct template){.object_count = (uint32_t)(objects[0] - '0'),
                                      .parts = parts,
                                      .insertions = items,
                                      .insertion_count = insertions};
    return true;
}

static bool
read_removed(const json_t *json, struct arena *arena, struct definitions *before)
{
    uint32_t count = before->template_names.count;
    struct template *templates = arena_alloc(arena, (count + 1) * sizeof(*templates));
    before->templates = templates;
    if (!json_is_object(json)) {
        return false;
    }
    size_t found = 0;
    for (uint32_t id = 0; id < count; id++) {
        char key[16];
        snprintf(key, sizeof(key), "%u", id);
        const json_t *removed = json_object_get(json, key);
        found += removed == NULL ? 0 : 1;
        if (removed != NULL && !read_removed_one(removed, arena, before, &templates[id])) {
            return false;
        }
    }
    return found == json_object_size(json);
}

static bool
read_types(const json_t *json, struct arena *arena, struct definitions *before)
{
    uint32_t count = before->field_names.count;
    struct field *fields = arena_alloc(arena, (count + 1) * sizeof(*fields));
    before->fields = fields;
    if (!json_is_array(json) || json_array_size(json) != count) {
        return false;
    }
    for (uint32_t id = 0; id < count; id++) {
        json_int_t type = json_integer_value(json_array_get(json, id));
        if (type < FIELD_TEXT || type > FIELD_FILE) {
            return false;
        }
        fields[id].type = (enum field_type)type;
    }
    return true;
}

static bool
read_document(const json_t *document, struct arena *arena, struct yaml_node **out_tree,
              struct definitions *before)
{
    const json_t *ids = json_object_get(document, "ids");
    for (int i = 0; i < NAME_KIND_COUNT; i++) {
        uint8_t *names = (uint8_t *)before + NAME_KINDS[i].offset;
        const json_t *list = json_object_get(ids, NAME_KINDS[i].key);
        if (list == NULL && NAME_KINDS[i].later) {
            continue; /* written before there were any */
        }
        if (!read_names(list, arena, (struct names *)(void *)names)) {
            return false;
        }
    }
    const json_t *steps = json_object_get(ids, "steps");
    struct scenario *scenarios =
        arena_alloc(arena, (before->scenario_names.count + 1) * sizeof(*scenarios));
    for (uint32_t i = 0; i < before->scenario_names.count; i++) {
        if (!read_names(json_object_get(steps, before->scenario_names.items[i].text), arena,
                        &scenarios[i].step_names)) {
            return false;
        }
    }
    before->scenarios = scenarios;
    if (!read_types(json_object_get(document, "types"), arena, before) ||
        !read_removed(json_object_get(document, "removed"), arena, before)) {
        return false;
    }
    *out_tree = read_tree(json_object_get(document, "tree"), arena, 0);
    return *out_tree != NULL && (*out_tree)->kind == YAML_MAPPING;
}

enum rc
canonical_read(struct span json, struct arena *arena, struct yaml_node **out_tree,
               struct definitions *out_before)
{
    json_error_t error;
    json_t *document =
        json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, &error);
    if (document == NULL) {
        return RC_CORRUPT;
    }
    const json_t *version = json_object_get(document, "version");
    enum rc rc = RC_CORRUPT;
    if (json_is_integer(version) && json_integer_value(version) > CANONICAL_VERSION) {
        rc = RC_NEWER;
    } else if (json_is_integer(version) && json_integer_value(version) == CANONICAL_VERSION &&
               read_document(document, arena, out_tree, out_before)) {
        rc = RC_OK;
    }
    json_decref(document);
    return rc;
}
