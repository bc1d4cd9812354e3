/* `triggers:`, and the action `event:` (SPEC R18, R35). */
#include "proto/definition_compile.h"
#include "proto/words.h"

/* What `on:` and `cancel_on:` know, up to the colon; without one, the whole word. */
static const struct {
    const char *word;
    enum trigger_on_kind kind;
} KINDS[] = {{"follow", ON_FOLLOW},       {"unblock", ON_UNBLOCK},     {"message", ON_MESSAGE},
             {"tapped", ON_TAPPED},       {"event", ON_EVENT},         {"tag", ON_TAG_ADDED},
             {"mark", ON_MARK},           {"field", ON_FIELD_CHANGED}, {"finished", ON_FINISHED},
             {"score", ON_SCORE_REACHES}, {"answered", ON_ANSWERED},   {"converted", ON_CONVERTED},
             {"booked", ON_BOOKED},       {"clicked", ON_CLICKED},     {"rank", ON_RANK},
             {"rich_menu", ON_RICH_MENU}};
enum { KIND_COUNT = sizeof(KINDS) / sizeof(KINDS[0]) };

/* One text of `on:` while it is read. */
struct on_reader {
    struct compiler *compiler;
    const struct yaml_node *node;
    struct span name; /* behind the colon */
    struct span rest; /* behind the first word */
    struct trigger_on *on;
};

static bool
wrong(const struct on_reader *reader, struct span word, const char *text)
{
    compile_error(reader->compiler, reader->node, word, "%s", text);
    return false;
}

static bool
ends(const struct on_reader *reader)
{
    struct span more = words_trim(reader->rest);
    return more.len == 0 || wrong(reader, more, "nothing more is expected here");
}

static bool
names(const struct on_reader *reader, struct name_table *table, const char *noun)
{
    reader->on->id = compile_reference(reader->compiler, table, noun, reader->node, reader->name);
    return reader->on->id != NO_ID;
}

static bool
reaches(struct on_reader *reader)
{
    struct span number = words_next(&reader->rest);
    if (!words_number(number, &reader->on->number)) {
        return wrong(reader, number, "expected a whole number: write 'reaches 20'");
    }
    return ends(reader);
}

/* tapped:b or tapped:b:choice */
static bool
read_tapped(struct on_reader *reader)
{
    struct span whole = reader->name;
    size_t colon = words_find(whole, ":");
    reader->name = span_of(whole.data, colon);
    if (!names(reader, &reader->compiler->buttons, "button") || !ends(reader)) {
        return false;
    }
    if (colon == whole.len) {
        return true;
    }
    struct span choice = span_of(whole.data + colon + 1, whole.len - colon - 1);
    const struct button *button = &reader->compiler->button_items[reader->on->id];
    for (uint32_t i = 0; i < button->choice_count; i++) {
        if (span_equal_cstr(choice, button->choices[i])) {
            reader->on->sub = i;
            return true;
        }
    }
    return wrong(reader, choice, "no such choice of this button; its 'choices' list them");
}

static bool
read_tag(struct on_reader *reader)
{
    struct span change = words_next(&reader->rest);
    bool removed = span_equal_cstr(change, "removed");
    if (!names(reader, &reader->compiler->tags, "tag")) {
        return false;
    }
    if (!removed && !span_equal_cstr(change, "added")) {
        return wrong(reader, change, "write 'tag:x added' or 'tag:x removed'");
    }
    reader->on->kind = removed ? ON_TAG_REMOVED : ON_TAG_ADDED;
    return ends(reader);
}

static bool
read_field(struct on_reader *reader)
{
    struct span change = words_next(&reader->rest);
    if (!names(reader, &reader->compiler->fields, "field")) {
        return false;
    }
    if (span_equal_cstr(change, "changed")) {
        return ends(reader);
    }
    if (!span_equal_cstr(change, "reaches")) {
        return wrong(reader, change, "write 'field:x changed' or 'field:x reaches 20'");
    }
    reader->on->kind = ON_FIELD_REACHES;
    if (reader->compiler->field_items[reader->on->id].type != FIELD_NUMBER) {
        return wrong(reader, reader->name, "only a number reaches something");
    }
    return reaches(reader);
}

static bool
read_kind(struct on_reader *reader)
{
    struct compiler *compiler = reader->compiler;
    switch (reader->on->kind) {
    case ON_TAPPED:
        return read_tapped(reader);
    case ON_EVENT:
        reader->on->id = name_table_add(&compiler->events, reader->name);
        return compile_id(compiler, yaml_mark_of(reader->node, reader->name), reader->name) &&
               ends(reader);
    case ON_TAG_ADDED:
        return read_tag(reader);
    case ON_MARK:
        return names(reader, &compiler->marks, "mark") && ends(reader);
    case ON_FIELD_CHANGED:
        return read_field(reader);
    case ON_FINISHED:
        reader->on->id =
            compile_scenario_reference(compiler, KIND_SCENARIO, reader->node, reader->name);
        return reader->on->id != NO_ID && ends(reader);
    case ON_ANSWERED:
        return names(reader, &compiler->forms, "form") && ends(reader);
    case ON_CONVERTED:
        return names(reader, &compiler->conversions, "conversion") && ends(reader);
    case ON_RICH_MENU:
        return names(reader, &compiler->rich_menus, "rich menu") && ends(reader);
    case ON_RANK:
        return names(reader, &compiler->ranks, "rank") && ends(reader);
    case ON_CLICKED:
        return names(reader, &compiler->links, "link") && ends(reader);
    case ON_BOOKED:
        return names(reader, &compiler->calendars, "calendar or event") && ends(reader);
    case ON_SCORE_REACHES:
        return words_take(&reader->rest, "reaches")
                   ? reaches(reader)
                   : wrong(reader, words_trim(reader->rest), "write 'score reaches 20'");
    default:
        return ends(reader);
    }
}

static bool
unknown_kind(const struct on_reader *reader, struct span word)
{
    const struct not_yet *row = not_yet_find(NOT_YET_ON, word);
    if (row != NULL) {
        compile_error(reader->compiler, reader->node, reader->node->text, "not yet: %s (%s)",
                      row->what, row->rule);
        return false;
    }
    struct suggestion suggestion;
    suggestion_begin(&suggestion, word);
    for (int i = 0; i < KIND_COUNT; i++) {
        suggestion_offer(&suggestion, span_cstr(KINDS[i].word));
    }
    if (suggestion_found(&suggestion)) {
        compile_error(reader->compiler, reader->node, word,
                      "nothing a trigger can be on: '%.*s' - did you mean '%.*s'?", span_fmt(word),
                      span_fmt(suggestion.best));
        return false;
    }
    return wrong(reader, word,
                 "nothing a trigger can be on; write follow, unblock, message, tapped:b, event:e, "
                 "tag:t added, mark:m, field:x changed, field:x reaches 20, score reaches 20 or "
                 "finished:S");
}

static bool
compile_on(struct compiler *compiler, const struct yaml_node *node, struct trigger_on *out_on)
{
    struct span text;
    if (!compile_text(compiler, node, "what a trigger is on", &text)) {
        return false;
    }
    struct span rest = words_trim(text);
    struct span word = words_next(&rest);
    size_t colon = words_find(word, ":");
    struct span kind = span_of(word.data, colon);
    *out_on = (struct trigger_on){.id = NO_ID, .sub = NO_ID};
    struct on_reader reader = {.compiler = compiler, .node = node, .rest = rest, .on = out_on};
    for (int i = 0; i < KIND_COUNT; i++) {
        out_on->kind = span_equal_cstr(kind, KINDS[i].word) ? KINDS[i].kind : out_on->kind;
    }
    if (out_on->kind == 0) {
        return unknown_kind(&reader, kind);
    }
    bool named = out_on->kind != ON_FOLLOW && out_on->kind != ON_UNBLOCK &&
                 out_on->kind != ON_MESSAGE && out_on->kind != ON_SCORE_REACHES;
    if (named != (colon + 1 < word.len)) {
        compile_error(compiler, node, word,
                      named ? "'%.*s' wants an id behind it: write '%.*s:id'"
                            : "'%.*s' has no id behind it: write '%.*s'",
                      span_fmt(kind), span_fmt(kind));
        return false;
    }
    reader.name = named ? span_of(word.data + colon + 1, word.len - colon - 1) : kind;
    return read_kind(&reader);
}

static void
compile_rules(struct compiler *compiler, const struct yaml_node *node, uint32_t trigger,
              bool cancels)
{
    struct definitions *out = compiler->out;
    bool list = node->kind == YAML_LIST;
    if (list && node->count == 0) {
        compile_error(compiler, node, span_cstr(""), "an empty list: this never happens");
    }
    for (uint32_t i = 0; i < (list ? node->count : 1); i++) {
        struct trigger_rule rule = {.scenario = trigger, .cancels = cancels};
        if (!compile_on(compiler, list ? node->items[i] : node, &rule.on)) {
            continue;
        }
        compiler->trigger_rules =
            arena_grow(compiler->arena, compiler->trigger_rules, out->trigger_rule_count,
                       sizeof(*compiler->trigger_rules));
        compiler->trigger_rules[out->trigger_rule_count++] = rule;
    }
}

static void
compile_trigger(struct compiler *compiler, const struct yaml_pair *pair, uint32_t id)
{
    static const char *const KEYS[] = {"title", "class", "window",    "grace", "priority", "on",
                                       "after", "if",    "cancel_on", "once",  NULL};
    const char *what = compile_format(compiler, "trigger '%.*s'", span_fmt(pair->key));
    struct timing timing = {.kind = TIMING_AFTER_START};
    if (!compile_keys(compiler, pair->value, KEYS, true, NOT_YET_NOTHING, what)) {
        return;
    }
    const struct yaml_node *value = yaml_get(pair->value, "on");
    if (value == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "%s has no 'on'", what);
    } else {
        compile_rules(compiler, value, id, false);
    }
    if ((value = yaml_get(pair->value, "cancel_on")) != NULL) {
        compile_rules(compiler, value, id, true);
    }
    if ((value = yaml_get(pair->value, "after")) != NULL) {
        compile_duration(compiler, value, &timing.delay_ms);
    }
    if ((value = yaml_get(pair->value, "once")) != NULL) {
        compile_yes_no(compiler, value, &compiler->scenario_items[id].once);
    }
    const struct inherited inherited =
        compile_inherited(compiler, pair->value, id, CLASS_MARKETING);
    compile_only_step(compiler, pair, id, &inherited, timing);
}

void
compile_triggers(struct compiler *compiler, const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        uint32_t id = name_table_find(&compiler->scenarios, section->pairs[i].key);
        if (id != NO_ID && compiler->scenario_items[id].kind == KIND_TRIGGER) {
            compile_trigger(compiler, &section->pairs[i], id);
        }
    }
    compiler->out->trigger_rules = compiler->trigger_rules;
}

void
compile_event(struct compiler *compiler, const struct yaml_node *node, struct action *out_action)
{
    struct span name;
    out_action->u.event = NO_ID;
    if (compile_text(compiler, node, "'event'", &name) && compile_id(compiler, node->mark, name)) {
        out_action->u.event = name_table_add(&compiler->events, name);
    }
}
