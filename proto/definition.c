#include "proto/definition.h"

#include "engine/form.h"
#include "proto/definition_compile.h"
#include "proto/diagnostics.h"
#include "proto/expression.h"
#include "proto/words.h"

#include <openssl/evp.h>
#include <stdlib.h>

static const char *const SECTIONS[] = {
    "account",   "tags",         "fields",    "templates",  "friend_add",
    "scenarios", "auto_replies", "buttons",   "forms",      "calendars",
    "events",    "conversions",  "notify",    "reminders",  "triggers",
    "dates",     "marks",        "routes",    "links",      "broadcasts",
    "ranks",     "recent_score", "schedules", "rich_menus", NULL};

/* --- files to one tree --- */

/* The merged tree while it grows; names find what stands there already. */
struct merger {
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct yaml_node *tree;
    struct name_table sections;
    struct name_table *keys; /* by section */
};

static void
append_pair(struct arena *arena, struct yaml_node *node, struct yaml_pair pair)
{
    node->pairs = arena_grow(arena, node->pairs, node->count, sizeof(*node->pairs));
    node->pairs[node->count++] = pair;
}

static void
report_duplicate(struct merger *merger, struct span section, const struct yaml_pair *pair,
                 struct yaml_mark first)
{
    struct span path[] = {section, pair->key};
    struct buf noun = {0};
    yaml_place_noun(path, 2, &noun);
    yaml_error(merger->diagnostics, pair->key_mark, pair->key, "duplicate %s (first at %.*s:%u)",
               buf_cstr(&noun), span_fmt(first.file->name), first.line);
    buf_fini(&noun);
}

/* Adds the keys of a section to what other files gave it. */
static void
merge_section(struct merger *merger, const struct yaml_pair *section)
{
    bool first = name_table_find(&merger->sections, section->key) == NO_ID;
    uint32_t id = name_table_add(&merger->sections, section->key);
    struct arena *arena = merger->arena;
    if (first) {
        merger->keys = arena_grow(arena, merger->keys, id, sizeof(*merger->keys));
        name_table_load(&merger->keys[id], arena, NULL);
        struct yaml_pair copy = *section;
        if (copy.value->kind == YAML_MAPPING) {
            copy.value = arena_alloc(arena, sizeof(*copy.value));
            *copy.value = (struct yaml_node){.kind = YAML_MAPPING, .mark = section->value->mark};
        }
        append_pair(arena, merger->tree, copy);
    }
    struct yaml_node *target = merger->tree->pairs[id].value;
    if (section->value->kind != YAML_MAPPING || target->kind != YAML_MAPPING) {
        if (!first) {
            yaml_error(merger->diagnostics, section->key_mark, section->key,
                       "section '%.*s' must be a mapping (key: value)", span_fmt(section->key));
        }
        return;
    }
    for (uint32_t i = 0; i < section->value->count; i++) {
        const struct yaml_pair *pair = &section->value->pairs[i];
        uint32_t known = name_table_find(&merger->keys[id], pair->key);
        if (known != NO_ID) {
            report_duplicate(merger, section->key, pair, target->pairs[known].key_mark);
            continue;
        }
        name_table_add(&merger->keys[id], pair->key);
        append_pair(arena, target, *pair);
    }
}

/* NULL when a file could not be read to its end: what it holds would be missed everywhere. */
static struct yaml_node *
merge_files(const struct source_file *files, uint32_t file_count, const char *extra_section,
            struct arena *arena, struct diagnostics *diagnostics)
{
    struct merger merger = {.arena = arena, .diagnostics = diagnostics};
    bool complete = true;
    merger.tree = arena_alloc(arena, sizeof(*merger.tree));
    merger.tree->kind = YAML_MAPPING;
    name_table_load(&merger.sections, arena, NULL);
    for (uint32_t i = 0; i < file_count; i++) {
        uint32_t errors = diagnostics->error_count;
        struct yaml_node *tree = yaml_tree_parse(&files[i], arena, diagnostics);
        if (tree == NULL) {
            complete = complete && diagnostics->error_count == errors;
            continue;
        }
        if (tree->kind != YAML_MAPPING) {
            yaml_error(diagnostics, tree->mark, span_cstr(""),
                       "a definition file is a mapping of sections, as 'scenarios:'");
            complete = false;
            continue;
        }
        for (uint32_t j = 0; j < tree->count; j++) {
            if (extra_section == NULL || !span_equal_cstr(tree->pairs[j].key, extra_section)) {
                merge_section(&merger, &tree->pairs[j]);
            }
        }
    }
    return complete ? merger.tree : NULL;
}

/* --- edits --- */

static struct yaml_pair *
find_pair(struct yaml_node *node, struct span key)
{
    for (uint32_t i = 0; i < node->count; i++) {
        if (span_equal(node->pairs[i].key, key)) {
            return &node->pairs[i];
        }
    }
    return NULL;
}

/* One thing replaced, added or, by `none`, taken away. */
static void
edit_thing(struct yaml_node *section, const struct yaml_pair *thing, struct arena *arena)
{
    struct yaml_pair *known = find_pair(section, thing->key);
    bool removed = thing->value->kind == YAML_SCALAR && span_equal_cstr(thing->value->text, "none");
    if (known == NULL && !removed) {
        append_pair(arena, section, *thing);
    } else if (known != NULL && !removed) {
        *known = *thing;
    } else if (known != NULL) {
        uint32_t behind = section->count - (uint32_t)(known - section->pairs) - 1;
        memmove(known, known + 1, behind * sizeof(*known));
        section->count--;
    }
}

static void
edit_tree(struct yaml_node *tree, const struct yaml_node *edit, struct arena *arena,
          struct diagnostics *diagnostics)
{
    if (edit->kind != YAML_MAPPING) {
        yaml_error(diagnostics, edit->mark, edit->text, "an edit is a mapping of sections");
        return;
    }
    for (uint32_t i = 0; i < edit->count; i++) {
        const struct yaml_pair *changes = &edit->pairs[i];
        if (changes->value->kind != YAML_MAPPING) {
            yaml_error(diagnostics, changes->key_mark, changes->key,
                       "section '%.*s' must be a mapping (key: value)", span_fmt(changes->key));
            continue;
        }
        struct yaml_pair *section = find_pair(tree, changes->key);
        if (section == NULL || section->value->kind != YAML_MAPPING) {
            struct yaml_pair added = *changes;
            added.value = arena_alloc(arena, sizeof(*added.value));
            *added.value = (struct yaml_node){.kind = YAML_MAPPING, .mark = changes->value->mark};
            append_pair(arena, tree, added);
            section = &tree->pairs[tree->count - 1];
        }
        for (uint32_t j = 0; j < changes->value->count; j++) {
            edit_thing(section->value, &changes->value->pairs[j], arena);
        }
    }
}

/* --- the tree to definitions --- */

static const struct yaml_node *
section_of(struct compiler *compiler, const struct yaml_node *tree, const char *name)
{
    static const struct yaml_node EMPTY = {.kind = YAML_MAPPING};
    const struct yaml_node *section = yaml_get(tree, name);
    if (section == NULL) {
        return &EMPTY;
    }
    if (section->kind != YAML_MAPPING) {
        if (section->kind != YAML_SCALAR || section->text.len > 0) {
            compile_error(compiler, section, span_cstr(""),
                          "section '%s' must be a mapping (key: value)", name);
        }
        return &EMPTY;
    }
    return section;
}

static void
load_names(struct compiler *compiler)
{
    const struct definitions *before = compiler->before;
    static const struct names NONE = {0};
    struct arena *arena = compiler->arena;
    name_table_load(&compiler->tags, arena, before ? &before->tag_names : &NONE);
    name_table_load(&compiler->fields, arena, before ? &before->field_names : &NONE);
    name_table_load(&compiler->templates, arena, before ? &before->template_names : &NONE);
    name_table_load(&compiler->lanes, arena, before ? &before->lane_names : &NONE);
    name_table_load(&compiler->scenarios, arena, before ? &before->scenario_names : &NONE);
    name_table_load(&compiler->buttons, arena, before ? &before->button_names : &NONE);
    name_table_load(&compiler->auto_replies, arena, before ? &before->auto_reply_names : &NONE);
    name_table_load(&compiler->draws, arena, NULL);
    name_table_load(&compiler->broadcasts, arena, before ? &before->broadcast_names : &NONE);
    name_table_load(&compiler->forms, arena, before ? &before->form_names : &NONE);
    name_table_load(&compiler->questions, arena, before ? &before->question_names : &NONE);
    name_table_load(&compiler->options, arena, before ? &before->option_names : &NONE);
    name_table_load(&compiler->calendars, arena, before ? &before->calendar_names : &NONE);
    name_table_load(&compiler->slots, arena, before ? &before->slot_names : &NONE);
    name_table_load(&compiler->conversions, arena, before ? &before->conversion_names : &NONE);
    name_table_load(&compiler->routes, arena, before ? &before->route_names : &NONE);
    name_table_load(&compiler->rich_menus, arena, before ? &before->rich_menu_names : &NONE);
    name_table_load(&compiler->ranks, arena, before ? &before->rank_names : &NONE);
    name_table_load(&compiler->links, arena, before ? &before->link_names : &NONE);
    name_table_load(&compiler->notify, arena, before ? &before->notify_names : &NONE);
    name_table_load(&compiler->events, arena, before ? &before->event_names : &NONE);
    name_table_load(&compiler->keys, arena, before ? &before->key_names : &NONE);
    name_table_load(&compiler->marks, arena, before ? &before->mark_names : &NONE);
}

/* Conditions may stand before the action that draws what they ask for. */
static void
find_draws(struct compiler *compiler, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR) {
        return;
    }
    const struct yaml_node *draw = yaml_get(node, "draw");
    if (draw != NULL && draw->kind == YAML_SCALAR && yaml_get(node, "from") != NULL) {
        char *name = compile_format(compiler, "draw:%.*s", span_fmt(draw->text));
        name_table_add(&compiler->draws, span_cstr(name));
    }
    for (uint32_t i = 0; i < node->count; i++) {
        find_draws(compiler, node->kind == YAML_LIST ? node->items[i] : node->pairs[i].value);
    }
}

static void
compile_tree(struct compiler *compiler, const struct yaml_node *tree)
{
    struct definitions *out = compiler->out;
    out->zones = compiler->zones;
    load_names(compiler);
    find_draws(compiler, tree);
    compile_keys(compiler, tree, SECTIONS, false, NOT_YET_SECTION, "");
    const struct yaml_node *templates = section_of(compiler, tree, "templates");
    const struct yaml_node *scenarios = section_of(compiler, tree, "scenarios");
    const struct yaml_node *reminders = section_of(compiler, tree, "reminders");
    const struct yaml_node *triggers = section_of(compiler, tree, "triggers");
    const struct yaml_node *dates = section_of(compiler, tree, "dates");
    const struct yaml_node *buttons = section_of(compiler, tree, "buttons");
    const struct yaml_node *forms = section_of(compiler, tree, "forms");
    const struct yaml_node *calendars = section_of(compiler, tree, "calendars");
    const struct yaml_node *events = section_of(compiler, tree, "events");
    const struct yaml_node *conversions = section_of(compiler, tree, "conversions");
    const struct yaml_node *routes = section_of(compiler, tree, "routes");
    const struct yaml_node *links = section_of(compiler, tree, "links");
    compile_account(compiler, section_of(compiler, tree, "account"));
    compile_tags(compiler, section_of(compiler, tree, "tags"));
    compile_fields(compiler, section_of(compiler, tree, "fields"));
    compile_marks(compiler, yaml_get(tree, "marks"));
    compile_ranks(compiler, section_of(compiler, tree, "ranks"));
    compile_recent_score(compiler, section_of(compiler, tree, "recent_score"));
    compile_rich_menu_names(compiler, section_of(compiler, tree, "rich_menus"));
    compile_scenario_names(compiler,
                           (const struct yaml_node *const[]){[KIND_SCENARIO] = scenarios,
                                                             [KIND_REMINDER] = reminders,
                                                             [KIND_TRIGGER] = triggers,
                                                             [KIND_DATE] = dates},
                           count_waits(tree));
    compile_button_names(compiler, buttons);
    compile_broadcast_names(compiler, section_of(compiler, tree, "broadcasts"),
                            section_of(compiler, tree, "schedules"));
    compile_form_names(compiler, forms);
    compile_calendar_names(compiler, calendars, events);
    compile_conversion_names(compiler, conversions);
    compile_link_names(compiler, routes, links);
    compile_notify(compiler, section_of(compiler, tree, "notify"));
    compile_templates(compiler, templates);
    compile_friend_add(compiler, section_of(compiler, tree, "friend_add"));
    compile_scenarios(compiler, scenarios);
    compile_auto_replies(compiler, section_of(compiler, tree, "auto_replies"));
    compile_buttons(compiler, buttons);
    compile_broadcasts(compiler, section_of(compiler, tree, "broadcasts"));
    compile_schedules(compiler, section_of(compiler, tree, "schedules"));
    compile_forms(compiler, forms);
    compile_calendars(compiler, calendars, events);
    compile_conversions(compiler, conversions);
    compile_routes(compiler, routes);
    compile_links(compiler, links);
    compile_reminders(compiler, reminders);
    compile_triggers(compiler, triggers);
    compile_dates(compiler, dates);
    compile_rich_menus(compiler, section_of(compiler, tree, "rich_menus"));
    compile_scenario_rows(compiler);
    compile_removed_templates(compiler);

    out->tag_names = compiler->tags.names;
    out->field_names = compiler->fields.names;
    out->template_names = compiler->templates.names;
    out->lane_names = compiler->lanes.names;
    out->scenario_names = compiler->scenarios.names;
    out->button_names = compiler->buttons.names;
    out->auto_reply_names = compiler->auto_replies.names;
    out->event_names = compiler->events.names;
    out->key_names = compiler->keys.names;
    out->mark_names = compiler->marks.names;
    out->broadcast_names = compiler->broadcasts.names;
    out->broadcasts = compiler->broadcast_items;
    out->fields = compiler->field_items;
    out->templates = compiler->template_items;
    out->scenarios = compiler->scenario_items;
    out->buttons = compiler->button_items;
    out->form_names = compiler->forms.names;
    out->question_names = compiler->questions.names;
    out->option_names = compiler->options.names;
    out->calendar_names = compiler->calendars.names;
    out->slot_names = compiler->slots.names;
    out->conversion_names = compiler->conversions.names;
    out->notify_names = compiler->notify.names;
    out->forms = compiler->form_items;
    out->calendars = compiler->calendar_items;
    out->conversions = compiler->conversion_items;
    out->route_names = compiler->routes.names;
    out->link_names = compiler->links.names;
    out->rank_names = compiler->ranks.names;
    out->rich_menu_names = compiler->rich_menus.names;
    out->routes = compiler->route_items;
    out->links = compiler->link_items;
}

static void
keep_canonical(struct definitions *definitions, struct span canonical)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    definitions->canonical = arena_span(definitions->arena, canonical);
    if (EVP_Digest(canonical.data, canonical.len, hash, NULL, EVP_sha256(), NULL) != 1) {
        abort(); /* no memory, or no SHA-256: docs/adr/0001 */
    }
    memcpy(definitions->hash, hash, sizeof(definitions->hash));
}

enum rc
definition_compile(const struct source_file *files, uint32_t file_count,
                   const struct definitions *before, struct zone_source zones,
                   const char *extra_section, struct diagnostics *diagnostics,
                   struct definitions **out_definitions)
{
    return definition_compile_edited(files, file_count, NULL, 0, before, zones, extra_section,
                                     diagnostics, out_definitions);
}

enum rc
definition_compile_edited(const struct source_file *files, uint32_t file_count,
                          const struct yaml_node *const *edits, uint32_t edit_count,
                          const struct definitions *before, struct zone_source zones,
                          const char *extra_section, struct diagnostics *diagnostics,
                          struct definitions **out_definitions)
{
    struct arena *trees = arena_new();
    uint32_t errors = diagnostics->error_count;
    struct definitions *definitions = NULL;
    struct yaml_node *tree = merge_files(files, file_count, extra_section, trees, diagnostics);
    if (tree != NULL) {
        for (uint32_t i = 0; i < edit_count; i++) {
            edit_tree(tree, edits[i], trees, diagnostics);
        }
        definitions = definitions_new();
        struct compiler compiler = {.arena = definitions->arena,
                                    .diagnostics = diagnostics,
                                    .out = definitions,
                                    .before = before,
                                    .zones = zones};
        compile_tree(&compiler, tree);
    }
    diagnostics_sort(diagnostics);
    enum rc rc = RC_INVALID;
    if (diagnostics->error_count == errors) {
        struct buf canonical = {0};
        canonical_write(definitions, tree, &canonical);
        rc = canonical.rc;
        if (rc == RC_OK) {
            keep_canonical(definitions, buf_span(&canonical));
            *out_definitions = definitions;
            definitions = NULL;
        }
        buf_fini(&canonical);
    }
    definitions_release(definitions);
    arena_free(trees);
    return rc;
}

enum rc
definition_from_canonical(struct span canonical, struct zone_source zones,
                          struct definitions **out_definitions)
{
    struct arena *trees = arena_new();
    struct definitions known = {0}; /* its names and removed templates only */
    struct yaml_node *tree;
    enum rc rc = canonical_read(canonical, trees, &tree, &known);
    if (rc == RC_OK) {
        struct diagnostics diagnostics;
        diagnostics_init(&diagnostics);
        struct definitions *definitions = definitions_new();
        struct compiler compiler = {.arena = definitions->arena,
                                    .diagnostics = &diagnostics,
                                    .out = definitions,
                                    .before = &known,
                                    .zones = zones,
                                    .replay = true};
        compile_tree(&compiler, tree);
        rc = diagnostics.error_count > 0 ? RC_CORRUPT : RC_OK;
        if (rc == RC_OK) {
            keep_canonical(definitions, canonical);
            *out_definitions = definitions;
        } else {
            definitions_release(definitions);
        }
        diagnostics_fini(&diagnostics);
    }
    arena_free(trees);
    return rc;
}

/* --- a condition by itself --- */

static void
condition_error(void *context, struct span word, const char *message)
{
    struct buf *out_error = context;
    if (out_error->len > 0) {
        buf_append_cstr(out_error, "; ");
    }
    buf_printf(out_error, "'%.*s': %s", span_fmt(word), message);
}

/* Every name goes in, so that ids agree; then force is what it is in the set. */
static void
load_in_force(struct name_table *table, struct arena *arena, const struct names *names)
{
    name_table_load(table, arena, names);
    for (uint32_t id = 0; id < names->count; id++) {
        table->names.items[id].in_force = names->items[id].in_force;
    }
}

static const enum field_type *
question_types(const struct definitions *definitions, struct arena *arena)
{
    uint32_t count = definitions->question_names.count;
    enum field_type *types = arena_alloc(arena, (count + 1) * sizeof(*types));
    for (uint32_t id = 0; id < count; id++) {
        types[id] = FIELD_TEXT;
    }
    for (uint32_t i = 0; i < definitions->form_names.count; i++) {
        const struct form *form = &definitions->forms[i];
        for (uint32_t j = 0; j < form->question_count; j++) {
            types[form->questions[j].id] = question_field_type(form->questions[j].type);
        }
    }
    return types;
}

enum rc
definition_condition(struct span text, const struct definitions *definitions, struct arena *arena,
                     struct condition *out_condition, struct buf *out_error)
{
    struct name_table tags, marks, fields, scenarios, buttons, templates, forms, questions,
        calendars, conversions, routes, links, ranks, rich_menus;
    uint32_t scenario_count = definitions->scenario_names.count;
    struct name_table *steps = arena_alloc(arena, (scenario_count + 1) * sizeof(*steps));
    load_in_force(&tags, arena, &definitions->tag_names);
    load_in_force(&marks, arena, &definitions->mark_names);
    load_in_force(&fields, arena, &definitions->field_names);
    load_in_force(&scenarios, arena, &definitions->scenario_names);
    load_in_force(&buttons, arena, &definitions->button_names);
    load_in_force(&templates, arena, &definitions->template_names);
    load_in_force(&forms, arena, &definitions->form_names);
    load_in_force(&questions, arena, &definitions->question_names);
    load_in_force(&calendars, arena, &definitions->calendar_names);
    load_in_force(&conversions, arena, &definitions->conversion_names);
    load_in_force(&routes, arena, &definitions->route_names);
    load_in_force(&links, arena, &definitions->link_names);
    load_in_force(&ranks, arena, &definitions->rank_names);
    load_in_force(&rich_menus, arena, &definitions->rich_menu_names);
    for (uint32_t id = 0; id < scenario_count; id++) {
        load_in_force(&steps[id], arena, &definitions->scenarios[id].step_names);
    }
    struct expression_reader reader = {.tags = &tags,
                                       .marks = &marks,
                                       .fields = &fields,
                                       .scenarios = &scenarios,
                                       .buttons = &buttons,
                                       .templates = &templates,
                                       .forms = &forms,
                                       .questions = &questions,
                                       .calendars = &calendars,
                                       .conversions = &conversions,
                                       .routes = &routes,
                                       .links = &links,
                                       .ranks = &ranks,
                                       .rich_menus = &rich_menus,
                                       .question_types = question_types(definitions, arena),
                                       .steps = steps,
                                       .field_items = definitions->fields,
                                       .zone = definitions->account.zone,
                                       .arena = arena,
                                       .error = condition_error,
                                       .context = out_error};
    return expression_parse(words_trim(text), &reader, out_condition) ? RC_OK : RC_INVALID;
}
