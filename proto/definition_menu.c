/* `rich_menus:` (SPEC R38). Which one a friend is shown is decided; showing it at LINE is not there yet, and
 * is said. */
#include "engine/menu.h"
#include "proto/definition_compile.h"
#include "proto/words.h"

enum {
    AREAS_MAX = 20,   /* LINE: areas of a rich menu */
    WIDTH_MAX = 2500, /* LINE: pixels of its image */
    HEIGHT_MAX = 1686,
};

/* "0 1250 1250 843": x y width height. */
static bool
read_area(struct span text, int64_t out[4])
{
    for (int i = 0; i < 4; i++) {
        text = words_trim(text);
        size_t len = words_find(text, " ");
        if (!words_number(span_of(text.data, len), &out[i]) || out[i] < 0) {
            return false;
        }
        text = span_of(text.data + len, text.len - len);
    }
    return words_trim(text).len == 0 && out[2] > 0 && out[3] > 0;
}

static void
compile_place(struct compiler *compiler, const struct yaml_pair *pair)
{
    int64_t area[4];
    if (!read_area(pair->key, area)) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "not an area; write x, y, width and height: 0 0 1250 843");
    } else if (area[0] + area[2] > WIDTH_MAX || area[1] + area[3] > HEIGHT_MAX) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "an area lies within %d x %d pixels (LINE)", WIDTH_MAX, HEIGHT_MAX);
    }
}

/* button:choice, an https link, another menu, or one of LINE's action objects. */
static void
compile_target(struct compiler *compiler, const struct yaml_node *menus,
               const struct yaml_node *node)
{
    static const char *const TYPES[] = {"postback",       "message",   "uri", "datetimepicker",
                                        "richmenuswitch", "clipboard", NULL};
    struct span text;
    uint32_t index;
    if (node->kind == YAML_MAPPING) {
        const struct yaml_node *type = yaml_get(node, "type");
        if (type == NULL) {
            compile_error(compiler, node, span_cstr(""),
                          "an action object of LINE has a 'type'; or write button:choice");
        } else {
            (void)compile_word(compiler, type, TYPES, &index);
        }
        return;
    }
    if (!compile_text(compiler, node, "an area's action", &text)) {
        return;
    }
    bool is_menu = false;
    for (uint32_t i = 0; i < menus->count; i++) {
        is_menu = is_menu || span_equal(menus->pairs[i].key, text);
    }
    if (!is_menu && !words_starts_with(text, "https://")) {
        compile_button_choice(compiler, node);
    }
}

static void
compile_areas(struct compiler *compiler, const struct yaml_node *menus,
              const struct yaml_node *areas)
{
    if (areas->kind != YAML_MAPPING || areas->count == 0) {
        compile_error(compiler, areas, span_cstr(""),
                      "'areas' must be a mapping: 0 0 1250 843: button:choice");
        return;
    }
    for (uint32_t i = 0; i < areas->count; i++) {
        if (i == AREAS_MAX) {
            yaml_error(compiler->diagnostics, areas->pairs[i].key_mark, areas->pairs[i].key,
                       "a rich menu has at most %d areas (LINE)", AREAS_MAX);
        }
        compile_place(compiler, &areas->pairs[i]);
        compile_target(compiler, menus, areas->pairs[i].value);
    }
}

/* True when it is the default. */
static bool
compile_menu(struct compiler *compiler, const struct yaml_node *menus, const struct yaml_pair *pair,
             struct rich_menu *menu)
{
    static const char *const KEYS[] = {"title", "if", "valid", "default", "image", "areas", NULL};
    const char *what = compile_format(compiler, "rich menu '%.*s'", span_fmt(pair->key));
    const struct yaml_node *node = pair->value, *value;
    struct span text;
    bool is_default = false;
    if (!compile_keys(compiler, node, KEYS, false, NOT_YET_NOTHING, what)) {
        return false;
    }
    if ((value = yaml_get(node, "title")) != NULL) {
        (void)compile_text(compiler, value, "'title'", &text);
    }
    if ((value = yaml_get(node, "if")) != NULL) {
        menu->has_condition = compile_condition(compiler, value, &menu->condition);
    }
    if ((value = yaml_get(node, "valid")) != NULL) {
        menu->has_valid = compile_period(compiler, value, &menu->first_day, &menu->last_day);
    }
    if ((value = yaml_get(node, "default")) != NULL) {
        (void)compile_yes_no(compiler, value, &is_default);
    }
    if ((value = yaml_get(node, "image")) == NULL ||
        (value->kind == YAML_SCALAR && value->text.len == 0)) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "%s has no 'image'", what);
    } else {
        (void)compile_text(compiler, value, "'image'", &text);
    }
    if ((value = yaml_get(node, "areas")) == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "%s has no 'areas'", what);
    } else {
        compile_areas(compiler, menus, value);
    }
    return is_default;
}

void
compile_rich_menu_names(struct compiler *compiler, const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        if (compile_id(compiler, section->pairs[i].key_mark, section->pairs[i].key)) {
            name_table_add(&compiler->rich_menus, section->pairs[i].key);
        }
    }
}

void
compile_rich_menu(struct compiler *compiler, const struct yaml_node *node,
                  struct action *out_action)
{
    struct span text;
    out_action->u.menu = NO_ID;
    if (compile_text(compiler, node, "'rich_menu'", &text) && !span_equal_cstr(text, "default")) {
        out_action->u.menu =
            compile_reference(compiler, &compiler->rich_menus, "rich menu", node, text);
    }
}

void
compile_rich_menus(struct compiler *compiler, const struct yaml_node *section)
{
    struct definitions *out = compiler->out;
    struct rich_menu *menus = arena_alloc(compiler->arena, (section->count + 1) * sizeof(*menus));
    bool has_default = false;
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        struct rich_menu *menu = &menus[out->rich_menu_count];
        menu->id = name_table_find(&compiler->rich_menus, pair->key);
        bool is_default = compile_menu(compiler, section, pair, menu);
        if (menu->id == NO_ID) {
            continue;
        }
        out->rich_menu_count++;
        out->default_menu = is_default ? menu->id : out->default_menu;
        if (is_default && has_default) {
            yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                       "only one rich menu can be the default");
        }
        has_default = has_default || is_default;
    }
    out->rich_menus = menus;
    if (section->count > 0) {
        yaml_warning(compiler->diagnostics, section->pairs[0].key_mark, section->pairs[0].key,
                     "not yet: which rich menu a friend has is decided, but LINE is not told "
                     "(R38); set them "
                     "up in the manager");
    }
}
