/* definition - the files people write (LANGUAGE.md) to checked, compiled definitions.
 *
 * Shape    files -> trees with marks (yaml_tree.h) -> one checked tree -> struct definitions. All errors
 *          are found at once. The canonical form is JSON: the merged tree with every scalar as text, and the
 *          ids of every name; compiling it again gives the same set, which is what replay does.
 * Units    LANGUAGE 2; columns count characters, carets display width (LANGUAGE 12).
 * Errors   diagnostics with file, line, column, remedy; RC_INVALID when there is an error among them.
 *          What SPEC names and this version does not build is an error "not yet: ..." (proto/not_yet.h).
 * Owner    the caller owns the definitions (one reference) and the diagnostics.
 */
#ifndef PROTO_DEFINITION_H
#define PROTO_DEFINITION_H

#include "engine/base/buf.h"
#include "engine/base/rc.h"
#include "engine/definitions.h"

struct source_file {
    struct span name; /* as the user wrote it, for messages */
    struct span text;
};

struct diagnostic {
    bool warning;
    const char *file;
    uint32_t line, column;  /* from 1, in characters */
    uint32_t caret_columns; /* length of the underlined word, in characters; at least 1 */
    const char *message;
    const char *source_line; /* without its line end; NULL when there is none */
};

struct diagnostics {
    struct diagnostic *items;
    uint32_t count, capacity;
    uint32_t error_count, warning_count;
    struct arena *arena;
};

void diagnostics_init(struct diagnostics *diagnostics);
void diagnostics_fini(struct diagnostics *diagnostics);
/* LANGUAGE 12: message line, source line and caret of each, then the summary line. */
void diagnostics_print(const struct diagnostics *diagnostics, bool colour, struct buf *out);

/* Checks and compiles files. `before` (may be NULL) gives names their old ids. Sections that are not
 * definitions are an error unless `extra_section` names them ("rehearsal"): that one is skipped. */
MUST_USE enum rc definition_compile(const struct source_file *files, uint32_t file_count,
                                    const struct definitions *before, struct zone_source zones,
                                    const char *extra_section, struct diagnostics *diagnostics,
                                    struct definitions **out_definitions);

struct yaml_node;

/* The same with changes laid over the files, as `edits:` of a rehearsal has them (LANGUAGE 13): each is
 * a mapping of sections; whole things are replaced or added, `none` removes. */
MUST_USE enum rc definition_compile_edited(const struct source_file *files, uint32_t file_count,
                                           const struct yaml_node *const *edits,
                                           uint32_t edit_count, const struct definitions *before,
                                           struct zone_source zones, const char *extra_section,
                                           struct diagnostics *diagnostics,
                                           struct definitions **out_definitions);

/* Compiles what the log kept. RC_CORRUPT when it is not a canonical form. A zone that has gone falls
 * back to the account's, that to Asia/Tokyo (SPEC R1). */
MUST_USE enum rc definition_from_canonical(struct span canonical, struct zone_source zones,
                                           struct definitions **out_definitions);

/* A condition by itself, for command lines and the rehearsal's use. */
MUST_USE enum rc definition_condition(struct span text, const struct definitions *definitions,
                                      struct arena *arena, struct condition *out_condition,
                                      struct buf *out_error);

#endif
