/* Definitions laid on top of others: whole things are replaced, `none` removes (LANGUAGE 13). */
#include "proto/line_message.h"
#include "tools/stepctl/rehearsal.h"

static struct yaml_pair *
find_pair(struct yaml_node *mapping, struct span key)
{
    for (uint32_t i = 0; i < mapping->count; i++) {
        if (span_equal(mapping->pairs[i].key, key)) {
            return &mapping->pairs[i];
        }
    }
    return NULL;
}

static struct yaml_node *
copy_mapping(struct arena *arena, const struct yaml_node *node, uint32_t room)
{
    struct yaml_node *copy = arena_alloc(arena, sizeof(*copy));
    *copy = *node;
    copy->pairs = arena_alloc(arena, (node->count + room) * sizeof(*copy->pairs));
    if (node->count > 0) {
        memcpy(copy->pairs, node->pairs, node->count * sizeof(*copy->pairs));
    }
    return copy;
}

static void
remove_pair(struct yaml_node *mapping, struct yaml_pair *pair)
{
    size_t behind = mapping->count - (size_t)(pair - mapping->pairs) - 1;
    memmove(pair, pair + 1, behind * sizeof(*pair));
    mapping->count--;
}

/* depth 0: sections; 1: the things in a section, which are taken whole. */
static struct yaml_node *
merge(struct arena *arena, const struct yaml_node *base, const struct yaml_node *on_top, int depth)
{
    struct yaml_node *merged = copy_mapping(arena, base, on_top->count);
    for (uint32_t i = 0; i < on_top->count; i++) {
        const struct yaml_pair *new = &on_top->pairs[i];
        struct yaml_pair *old = find_pair(merged, new->key);
        bool none = new->value->kind == YAML_SCALAR &&span_equal_cstr(new->value->text, "none");
        if (depth == 1 && none) {
            if (old != NULL) {
                remove_pair(merged, old);
            }
        } else if (old == NULL) {
            merged->pairs[merged->count++] = *new;
        } else if (depth == 0 && old->value->kind == YAML_MAPPING &&
                   new->value->kind == YAML_MAPPING) {
            old->value = merge(arena, old->value, new->value, 1);
        } else {
            old->value = new->value;
        }
    }
    return merged;
}

struct yaml_node *
rehearsal_merge(struct arena *arena, struct yaml_node *base, const struct yaml_node *on_top)
{
    if (base == NULL || base->kind != YAML_MAPPING || on_top->kind != YAML_MAPPING) {
        return base;
    }
    return merge(arena, base, on_top, 0);
}

/* The tree as YAML again: flow style, every scalar in double quotes, so that nothing is re-read. */
static void
write_tree(const struct yaml_node *node, struct buf *out)
{
    switch (node->kind) {
    case YAML_SCALAR:
        json_append_string(out, node->text);
        break;
    case YAML_LIST:
        buf_append_byte(out, '[');
        for (uint32_t i = 0; i < node->count; i++) {
            buf_append_cstr(out, i == 0 ? "" : ",\n");
            write_tree(node->items[i], out);
        }
        buf_append_byte(out, ']');
        break;
    case YAML_MAPPING:
        buf_append_byte(out, '{');
        for (uint32_t i = 0; i < node->count; i++) {
            buf_append_cstr(out, i == 0 ? "" : ",\n");
            json_append_string(out, node->pairs[i].key);
            buf_append_cstr(out, ": ");
            write_tree(node->pairs[i].value, out);
        }
        buf_append_byte(out, '}');
        break;
    }
}

enum rc
rehearsal_compile(const struct rehearsal *rehearsal, const struct yaml_node *tree,
                  const struct definitions *before, struct yaml_mark mark, struct span word,
                  struct diagnostics *diagnostics, struct definitions **out_definitions)
{
    struct buf text = {0};
    struct diagnostics own;
    diagnostics_init(&own);
    write_tree(tree, &text);
    const struct source_file file = {.name = span_cstr(rehearsal->path), .text = buf_span(&text)};
    enum rc rc =
        definition_compile(&file, 1, before, rehearsal->zones, "rehearsal", &own, out_definitions);
    for (uint32_t i = 0; i < own.count; i++) {
        if (!own.items[i].warning) { /* warnings were told of the files themselves */
            yaml_error(diagnostics, mark, word, "%s", own.items[i].message);
        }
    }
    diagnostics_fini(&own);
    buf_fini(&text);
    return rc;
}
