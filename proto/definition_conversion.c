/* Conversions, and the people whom `notify:` tells (LANGUAGE 3, 11; SPEC R36, R43). */
#include "engine/conversion.h"
#include "proto/definition_compile.h"

static void
compile_names_of(struct compiler *compiler, struct name_table *table,
                 const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        if (compile_id(compiler, section->pairs[i].key_mark, section->pairs[i].key)) {
            name_table_add(table, section->pairs[i].key);
        }
    }
}

void
compile_conversion_names(struct compiler *compiler, const struct yaml_node *section)
{
    compile_names_of(compiler, &compiler->conversions, section);
    compiler->conversion_items =
        arena_alloc(compiler->arena,
                    (compiler->conversions.names.count + 1) * sizeof(*compiler->conversion_items));
}

void
compile_conversions(struct compiler *compiler, const struct yaml_node *section)
{
    static const char *const KEYS[] = {"count", NULL};
    static const char *const COUNTS[] = {"every", "first", NULL};
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        uint32_t id = name_table_find(&compiler->conversions, pair->key);
        const char *what = compile_format(compiler, "conversion '%.*s'", span_fmt(pair->key));
        uint32_t index;
        if (id == NO_ID ||
            !compile_keys(compiler, pair->value, KEYS, true, NOT_YET_NOTHING, what)) {
            continue;
        }
        struct conversion *conversion = &compiler->conversion_items[id];
        struct place place = {.what = what, .mark = pair->key_mark, .word = pair->key};
        place.name = compile_format(compiler, "conversion/%.*s", span_fmt(pair->key));
        const struct yaml_node *count = yaml_get(pair->value, "count");
        if (count != NULL && compile_word(compiler, count, COUNTS, &index)) {
            conversion->first_only = index == 1;
        }
        compile_body(compiler, pair->value, &place, &conversion->body);
    }
}

/* Where a notice goes beyond the log is checked here and not built yet; the console shows them all. */
void
compile_notify(struct compiler *compiler, const struct yaml_node *section)
{
    static const char *const KEYS[] = {"mail", "webhook", "friend", NULL};
    compile_names_of(compiler, &compiler->notify, section);
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        const char *what = compile_format(compiler, "'%.*s'", span_fmt(pair->key));
        if (!compile_keys(compiler, pair->value, KEYS, false, NOT_YET_NOTHING, what)) {
            continue;
        }
        for (uint32_t j = 0; j < pair->value->count; j++) {
            struct span text;
            compile_text(compiler, pair->value->pairs[j].value, "an address", &text);
        }
    }
}

void
compile_notice(struct compiler *compiler, const struct yaml_node *action,
               const struct yaml_node *node, struct action *out_action)
{
    const struct yaml_node *to = yaml_get(action, "to");
    struct template *text = arena_alloc(compiler->arena, sizeof(*text));
    struct span name;
    compile_plain_text(compiler, node, "'notify'", text);
    out_action->u.notify.text = text;
    out_action->u.notify.to = NO_ID;
    if (to != NULL && compile_text(compiler, to, "'to'", &name)) {
        out_action->u.notify.to =
            compile_reference(compiler, &compiler->notify, "place under 'notify'", to, name);
    }
}
