/* yaml_tree - a YAML file as a tree of texts with the place of each, strict as LANGUAGE 1 wants it.
 *
 * Shape    mappings (ordered, keys unique), lists, scalars; every scalar is text. Built from libyaml's
 *          events; anchors, aliases, tags, merge keys, tabs and several documents are errors.
 * Units    lines and columns from 1; columns in characters. At most 1 MiB a file and depth 32.
 * Errors   diagnostics; the tree of a file with errors may be partial or NULL.
 * Owner    everything is in the arena given.
 */
#ifndef PROTO_YAML_TREE_H
#define PROTO_YAML_TREE_H

#include "proto/definition.h"

enum yaml_kind { YAML_SCALAR, YAML_MAPPING, YAML_LIST };

struct yaml_mark {
    const struct source_file *file; /* NULL: from a canonical form */
    uint32_t line, column;
};

struct yaml_node;
struct yaml_pair {
    struct span key;
    struct yaml_mark key_mark;
    struct yaml_node *value;
};
struct yaml_node {
    enum yaml_kind kind;
    struct yaml_mark mark;
    struct span text;         /* SCALAR */
    bool plain;               /* SCALAR written without quotes */
    struct yaml_pair *pairs;  /* MAPPING */
    struct yaml_node **items; /* LIST */
    uint32_t count;
};

/* NULL when the file is empty or cannot be read; diagnostics say why. */
struct yaml_node *yaml_tree_parse(const struct source_file *file, struct arena *arena,
                                  struct diagnostics *diagnostics);

/* The value under a key; NULL when there is none or the node is no mapping. */
struct yaml_node *yaml_get(const struct yaml_node *node, const char *key);

/* Adds a diagnostic at a mark; `word` is what the caret underlines (its length in characters). */
void yaml_error(struct diagnostics *diagnostics, struct yaml_mark mark, struct span word,
                const char *format, ...) __attribute__((format(printf, 4, 5)));
void yaml_warning(struct diagnostics *diagnostics, struct yaml_mark mark, struct span word,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
