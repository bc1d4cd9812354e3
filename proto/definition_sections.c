#include "proto/definition_compile.h"
#include "proto/diagnostics.h"
#include "proto/fold.h"
#include "proto/words.h"

static const int64_t GRACE_DEFAULT_MS = 48 * MS_PER_HOUR; /* SPEC R6 */

/* --- account --- */

/* The default zone must exist even where the system has no zone files: nine hours, no summer time. */
static const struct zone *
default_zone(const struct compiler *compiler)
{
    static char name[] = "Asia/Tokyo";
    static int32_t offset_s[] = {9 * 3600};
    static const struct zone FIXED = {.name = name, .offset_s = offset_s};
    const struct zone *zone = compiler->zones.lookup(compiler->zones.context, span_cstr(name));
    return zone == NULL ? &FIXED : zone;
}

static void
compile_classes(struct compiler *compiler, const struct yaml_node *node)
{
    static const char *const CLASSES[] = {"emergency", "response", "transactional", "marketing",
                                          NULL};
    static const char *const KEYS[] = {"window", "grace", "per_day", "per_week", NULL};
    struct account *account = &compiler->out->account;
    if (!compile_keys(compiler, node, CLASSES, false, NOT_YET_NOTHING, "'classes'")) {
        return;
    }
    for (uint32_t i = 0; i < CLASS_COUNT; i++) {
        const struct yaml_node *class = yaml_get(node, CLASSES[i]);
        const char *what = compile_format(compiler, "class '%s'", CLASSES[i]);
        if (class == NULL || !compile_keys(compiler, class, KEYS, false, NOT_YET_NOTHING, what)) {
            continue;
        }
        const struct yaml_node *window = yaml_get(class, "window");
        if (window != NULL) {
            compile_window(compiler, window, &compiler->class_windows[i]);
        }
        const struct yaml_node *grace = yaml_get(class, "grace");
        if (grace != NULL) {
            compile_duration(compiler, grace, &account->class_grace_ms[i]);
        }
        compile_class_caps(compiler, class, (enum message_class)i, account);
    }
}

void
compile_account(struct compiler *compiler, const struct yaml_node *section)
{
    static const char *const KEYS[] = {"name",          "zone",     "window", "grace",
                                       "reply_unknown", "classes",  "quota",  "quota_reserve",
                                       "per_day",       "per_week", NULL};
    static const char *const UNKNOWN[] = {"hold", "push", NULL};
    struct account *account = &compiler->out->account;
    const struct yaml_node *value;
    struct span text;
    uint32_t index;
    account->zone = default_zone(compiler);
    account->grace_ms = GRACE_DEFAULT_MS;
    compiler->account_window = (struct window){.open_min = -1};
    if (section != NULL &&
        compile_keys(compiler, section, KEYS, false, NOT_YET_ACCOUNT_KEY, "'account'")) {
        if ((value = yaml_get(section, "name")) != NULL &&
            compile_text(compiler, value, "'name'", &text)) {
            account->name = arena_cstr(compiler->arena, text);
        }
        if ((value = yaml_get(section, "zone")) != NULL) {
            compile_zone(compiler, value, account->zone, &account->zone);
        }
        if ((value = yaml_get(section, "window")) != NULL) {
            compile_window(compiler, value, &compiler->account_window);
        }
        if ((value = yaml_get(section, "grace")) != NULL) {
            compile_duration(compiler, value, &account->grace_ms);
        }
        if ((value = yaml_get(section, "reply_unknown")) != NULL &&
            compile_word(compiler, value, UNKNOWN, &index)) {
            account->reply_unknown_push = index == 1;
        }
        compile_pressure(compiler, section, account);
    }
    for (uint32_t i = 0; i < CLASS_COUNT; i++) {
        compiler->class_windows[i] = compiler->account_window;
        account->class_grace_ms[i] = account->grace_ms;
    }
    if ((value = yaml_get(section, "classes")) != NULL) {
        compile_classes(compiler, value);
    }
}

/* --- tags and fields --- */

/* Where a tag was listed first; only looked for when it is listed again. */
static uint32_t
first_line_of_tag(const struct yaml_node *section, struct span tag)
{
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_node *folder = section->pairs[i].value;
        for (uint32_t j = 0; folder->kind == YAML_LIST && j < folder->count; j++) {
            if (folder->items[j]->kind == YAML_SCALAR && span_equal(folder->items[j]->text, tag)) {
                return folder->items[j]->mark.line;
            }
        }
    }
    return 0;
}

void
compile_tags(struct compiler *compiler, const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_node *folder = section->pairs[i].value;
        if (folder->kind != YAML_LIST) {
            compile_error(compiler, folder, span_cstr(""),
                          "a folder of tags is a list: [bought, vip]");
            continue;
        }
        for (uint32_t j = 0; j < folder->count; j++) {
            struct span tag;
            if (!compile_text(compiler, folder->items[j], "a tag", &tag) ||
                !compile_id(compiler, folder->items[j]->mark, tag)) {
                continue;
            }
            if (name_table_find(&compiler->tags, tag) != NO_ID) {
                compile_error(
                    compiler, folder->items[j], tag, "duplicate tag '%.*s' (first at line %u)",
                    span_fmt(tag),
                    diagnostics_full(compiler->diagnostics) ? 0 : first_line_of_tag(section, tag));
            }
            name_table_add(&compiler->tags, tag);
        }
    }
}

static bool
compile_field_type(struct compiler *compiler, const struct yaml_node *node,
                   enum field_type *out_type)
{
    static const char *const TYPES[] = {"text",  "number", "date", "datetime",
                                        "image", "file",   NULL};
    uint32_t index;
    if (!compile_word(compiler, node, TYPES, &index)) {
        return false;
    }
    *out_type = (enum field_type)(index + 1);
    return true;
}

static void
compile_field(struct compiler *compiler, const struct yaml_pair *pair, struct field *field)
{
    static const char *const KEYS[] = {"type", "start", "min", "unique", NULL};
    const struct yaml_node *node = pair->value;
    const char *what = compile_format(compiler, "field '%.*s'", span_fmt(pair->key));
    field->type = FIELD_TEXT;
    if (node->kind == YAML_SCALAR) {
        compile_field_type(compiler, node, &field->type);
        return;
    }
    if (!compile_keys(compiler, node, KEYS, false, NOT_YET_FIELD_KEY, what)) {
        return;
    }
    const struct yaml_node *type = yaml_get(node, "type");
    const struct yaml_node *start = yaml_get(node, "start");
    const struct yaml_node *min = yaml_get(node, "min");
    if (type == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "%s has no 'type'", what);
        return;
    }
    if (!compile_field_type(compiler, type, &field->type)) {
        return;
    }
    const struct yaml_node *numeric = start != NULL ? start : min;
    if (numeric != NULL && field->type != FIELD_NUMBER) {
        compile_error(compiler, numeric, span_cstr(""),
                      "only a field of type number has 'start' and 'min'");
        return;
    }
    const struct yaml_node *unique = yaml_get(node, "unique");
    if (unique != NULL && compile_yes_no(compiler, unique, &field->unique) && field->unique &&
        field->type != FIELD_TEXT) {
        compile_error(compiler, unique, unique->text, "only a field of type text can be unique");
        return;
    }
    field->has_start = start != NULL && compile_number(compiler, start, &field->start);
    field->has_min = min != NULL && compile_number(compiler, min, &field->min);
    if (field->has_start && field->has_min && field->start < field->min) {
        compile_error(compiler, start, start->text, "'start' is below 'min'");
    }
}

void
compile_fields(struct compiler *compiler, const struct yaml_node *section)
{
    static const char *const RESERVED[] = {"name", "memo", "tz", "member_id"};
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        if (compile_id(compiler, pair->key_mark, pair->key)) {
            name_table_add(&compiler->fields, pair->key);
        }
        for (size_t j = 0; j < sizeof(RESERVED) / sizeof(RESERVED[0]); j++) {
            if (span_equal_cstr(pair->key, RESERVED[j])) {
                yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                           "every friend has '%s' already; give the field another id", RESERVED[j]);
            }
        }
    }
    /* Every friend has these, as texts (LANGUAGE 4). */
    name_table_add(&compiler->fields, span_cstr("memo"));
    name_table_add(&compiler->fields, span_cstr("tz"));
    compiler->out->tz_field = name_table_find(&compiler->fields, span_cstr("tz"));
    uint32_t member_id = name_table_add(&compiler->fields, span_cstr("member_id"));
    uint32_t count = compiler->fields.names.count;
    compiler->field_items =
        arena_alloc(compiler->arena, (count + 1) * sizeof(*compiler->field_items));
    for (uint32_t id = 0; id < count; id++) {
        bool known = compiler->before != NULL && id < compiler->before->field_names.count;
        compiler->field_items[id].type = known ? compiler->before->fields[id].type : FIELD_TEXT;
    }
    for (uint32_t i = 0; i < section->count; i++) {
        uint32_t id = name_table_find(&compiler->fields, section->pairs[i].key);
        if (id != NO_ID) {
            compiler->field_items[id] = (struct field){0};
            compile_field(compiler, &section->pairs[i], &compiler->field_items[id]);
        }
    }
    compiler->field_items[member_id].unique = true; /* SPEC R19 */
}

/* --- friend_add --- */

void
compile_friend_add(struct compiler *compiler, const struct yaml_node *section)
{
    static const char *const KEYS[] = {"new", "existing", "unblocked", NULL};
    static const char *const NO_KEYS[] = {NULL};
    struct definitions *out = compiler->out;
    struct body *const bodies[] = {&out->friend_added, &out->friend_existing,
                                   &out->friend_unblocked};
    if (!compile_keys(compiler, section, KEYS, false, NOT_YET_NOTHING, "'friend_add'")) {
        return;
    }
    for (int i = 0; KEYS[i] != NULL; i++) {
        for (uint32_t j = 0; j < section->count; j++) {
            const struct yaml_pair *pair = &section->pairs[j];
            const char *what = compile_format(compiler, "'%s'", KEYS[i]);
            if (!span_equal_cstr(pair->key, KEYS[i]) ||
                !compile_keys(compiler, pair->value, NO_KEYS, true, NOT_YET_NOTHING, what)) {
                continue;
            }
            struct place place = {.what = what, .mark = pair->key_mark, .word = pair->key};
            place.name = compile_format(compiler, "friend_add/%s", KEYS[i]);
            compile_body(compiler, pair->value, &place, bodies[i]);
        }
    }
    if (yaml_get(section, "unblocked") == NULL) {
        out->friend_unblocked = out->friend_added; /* LANGUAGE 7 */
    }
}

/* --- buttons --- */

static void
compile_choices(struct compiler *compiler, const struct yaml_node *node, struct button *button)
{
    if (node->kind != YAML_LIST || node->count == 0) {
        compile_error(compiler, node, span_cstr(""), "'choices' must be a list: [dry, sweet]");
        return;
    }
    const char **choices = arena_alloc(compiler->arena, node->count * sizeof(*choices));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        struct span choice;
        if (!compile_text(compiler, node->items[i], "a choice", &choice)) {
            continue;
        }
        if (choice.len == 0) {
            compile_error(compiler, node->items[i], choice, "an empty choice");
            continue;
        }
        choices[kept++] = arena_cstr(compiler->arena, choice);
    }
    button->choices = choices;
    button->choice_count = kept;
}

void
compile_button_names(struct compiler *compiler, const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        if (compile_id(compiler, section->pairs[i].key_mark, section->pairs[i].key)) {
            name_table_add(&compiler->buttons, section->pairs[i].key);
        }
    }
    uint32_t count = compiler->buttons.names.count;
    compiler->button_items =
        arena_alloc(compiler->arena, (count + 1) * sizeof(*compiler->button_items));
    for (uint32_t i = 0; i < section->count; i++) {
        uint32_t id = name_table_find(&compiler->buttons, section->pairs[i].key);
        const struct yaml_node *choices = yaml_get(section->pairs[i].value, "choices");
        if (id != NO_ID && choices != NULL) {
            compile_choices(compiler, choices, &compiler->button_items[id]);
        }
    }
}

/* SPEC R31 */
static void
compile_tap_limit(struct compiler *compiler, const struct yaml_pair *pair, struct button *button)
{
    static const char *const LIMITS[] = {"any", "once", "once per choice", "once per day", NULL};
    static const char *const NO_KEYS[] = {NULL};
    const struct yaml_node *limit = yaml_get(pair->value, "limit");
    uint32_t index = TAPS_ANY;
    if (limit != NULL && compile_word(compiler, limit, LIMITS, &index)) {
        button->limit = (enum tap_limit)index;
    }
    for (uint32_t i = 0; i < pair->value->count; i++) {
        const struct yaml_pair *over = &pair->value->pairs[i];
        if (!span_equal_cstr(over->key, "over_limit")) {
            continue;
        }
        struct place place = {.what = "'over_limit'", .mark = over->key_mark, .word = over->key};
        place.name = compile_format(compiler, "button/%.*s/over_limit", span_fmt(pair->key));
        if (button->limit == TAPS_ANY) {
            yaml_warning(compiler->diagnostics, over->key_mark, over->key,
                         "'over_limit' without a limit is never reached; write 'limit: once'");
        }
        if (compile_keys(compiler, over->value, NO_KEYS, true, NOT_YET_NOTHING, place.what)) {
            compile_body(compiler, over->value, &place, &button->over_limit);
        }
    }
}

void
compile_buttons(struct compiler *compiler, const struct yaml_node *section)
{
    static const char *const KEYS[] = {"choices", "if", "limit", "over_limit", NULL};
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        uint32_t id = name_table_find(&compiler->buttons, pair->key);
        const char *what = compile_format(compiler, "button '%.*s'", span_fmt(pair->key));
        if (id == NO_ID ||
            !compile_keys(compiler, pair->value, KEYS, true, NOT_YET_BUTTON_KEY, what)) {
            continue;
        }
        struct button *button = &compiler->button_items[id];
        struct place place = {.what = what, .mark = pair->key_mark, .word = pair->key};
        place.name = compile_format(compiler, "button/%.*s", span_fmt(pair->key));
        const struct yaml_node *condition = yaml_get(pair->value, "if");
        if (condition != NULL) {
            compile_condition(compiler, condition, &button->condition);
        }
        compile_tap_limit(compiler, pair, button);
        compile_body(compiler, pair->value, &place, &button->body);
    }
}

/* --- auto-replies --- */

static void
compile_match(struct compiler *compiler, const struct yaml_pair *pair, const char *what,
              struct auto_reply *reply)
{
    static const char *const MATCHES[] = {"exact", "contains", "prefix", "any"};
    const struct yaml_node *match = NULL;
    uint32_t matches = 0;
    for (uint32_t i = 0; i < 4; i++) {
        const struct yaml_node *node = yaml_get(pair->value, MATCHES[i]);
        if (node != NULL) {
            match = node;
            reply->match = (enum match_kind)i;
            matches++;
        }
    }
    if (matches != 1) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "%s needs one of exact, contains, prefix, any; it has %u", what, matches);
        return;
    }
    bool yes = true;
    if (reply->match == MATCH_ANY) {
        if (compile_yes_no(compiler, match, &yes) && !yes) {
            compile_error(compiler, match, match->text, "write 'any: yes', or another match");
        }
        return;
    }
    bool list = match->kind == YAML_LIST;
    uint32_t count = list ? match->count : 1;
    struct span *texts = arena_alloc(compiler->arena, (count + 1) * sizeof(*texts));
    if (count == 0) {
        compile_error(compiler, match, span_cstr(""), "an empty list matches nothing");
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *item = list ? match->items[i] : match;
        struct span text;
        if (!compile_text(compiler, item, "what a message is compared with", &text)) {
            continue;
        }
        text = words_trim(text); /* as the message will be (SPEC R29) */
        if (text.len == 0) {
            compile_error(compiler, item, item->text, "an empty text; write 'any: yes' for all");
        }
        texts[i] =
            reply->folds ? fold_text(text, compiler->arena) : arena_span(compiler->arena, text);
    }
    reply->texts = texts;
    reply->text_count = count;
}

void
compile_auto_replies(struct compiler *compiler, const struct yaml_node *section)
{
    static const char *const KEYS[] = {"exact",    "contains", "prefix", "any",  "if",
                                       "continue", "valid",    "during", "fold", NULL};
    struct auto_reply *replies =
        arena_alloc(compiler->arena, (section->count + 1) * sizeof(*replies));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        const char *what = compile_format(compiler, "auto-reply '%.*s'", span_fmt(pair->key));
        if (!compile_id(compiler, pair->key_mark, pair->key) ||
            !compile_keys(compiler, pair->value, KEYS, true, NOT_YET_AUTO_REPLY_KEY, what)) {
            continue;
        }
        struct auto_reply *reply = &replies[kept++];
        struct place place = {.what = what, .mark = pair->key_mark, .word = pair->key};
        place.name = compile_format(compiler, "auto_reply/%.*s", span_fmt(pair->key));
        reply->id = name_table_add(&compiler->auto_replies, pair->key);
        const struct yaml_node *value = yaml_get(pair->value, "fold");
        if (value != NULL) {
            compile_yes_no(compiler, value, &reply->folds);
        }
        compile_match(compiler, pair, what, reply);
        value = yaml_get(pair->value, "if");
        if (value != NULL) {
            compile_condition(compiler, value, &reply->condition);
        }
        if ((value = yaml_get(pair->value, "continue")) != NULL) {
            compile_yes_no(compiler, value, &reply->continues);
        }
        if ((value = yaml_get(pair->value, "valid")) != NULL) {
            reply->has_valid = compile_period(compiler, value, &reply->first_day, &reply->last_day);
        }
        if ((value = yaml_get(pair->value, "during")) != NULL) {
            compile_week_hours(compiler, value, &reply->during);
        }
        compile_body(compiler, pair->value, &place, &reply->body);
    }
    compiler->out->auto_replies = replies;
    compiler->out->auto_reply_count = kept;
}
