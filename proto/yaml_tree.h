/* yaml_tree - a YAML file as a tree of texts with the place of each, strict as LANGUAGE 1 wants it.
 *
 * Shape    mappings (ordered, keys unique), lists, scalars; every scalar is text. Built from libyaml's
 *          events; anchors, aliases, tags, merge keys, tabs and several documents are errors. A byte
 *          order mark at the front is passed over.
 * Units    lines and columns from 1; columns in characters. At most 1 MiB a file and depth 32.
 * Errors   diagnostics; the tree of a file with errors may be partial, and is NULL where it would make
 *          no sense to look further.
 * Owner    everything is in the arena given; the file's bytes must outlive the tree.
 */
#ifndef PROTO_YAML_TREE_H
#define PROTO_YAML_TREE_H

#include "proto/definition.h"

enum { YAML_FILE_BYTES_MAX = 1024 * 1024, YAML_DEPTH_MAX = 32 };

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
    uint32_t end_line;
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

/* What a key at that place of a file names: "step 'a' in scenario 'S'", "key 'x'". path: the keys
 * from the top, the named one last. */
void yaml_place_noun(const struct span *path, uint32_t depth, struct buf *out_noun);

/* Adds a diagnostic at a mark; `word` is what the caret underlines (its length in characters). */
void yaml_error(struct diagnostics *diagnostics, struct yaml_mark mark, struct span word,
                const char *format, ...) __attribute__((format(printf, 4, 5)));
void yaml_warning(struct diagnostics *diagnostics, struct yaml_mark mark, struct span word,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The file from a mark on to the end of a line; empty when there is no such line. */
struct span yaml_source(struct yaml_mark mark, uint32_t end_line);

/* The place in the file of a piece of a scalar's text, whatever its quotes and lines. */
struct yaml_mark yaml_mark_of(const struct yaml_node *scalar, struct span piece);

#endif
