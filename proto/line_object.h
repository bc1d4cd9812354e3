/* line_object - LINE's message objects as a table: kinds, properties, types and limits (FACTS 3).
 *
 * Shape    families ("message", "template action", "flex component") of kinds told apart by their `type`, each
 *          with its properties. A family without kinds by type has one ("quick reply"). Where LINE
 *          publishes a limit it stands here; tests/conformance holds names, types and what is required against
 *          LINE's own description. proto/definition_object.c writes and checks objects by it.
 * Units    TEXT, HTTPS and URI are limited in UTF-16 units, LABEL in grapheme clusters, LIST in items; 0 is
 *          no limit.
 * Errors   none: NULL where there is no such thing.
 * Owner    everything is constant.
 */
#ifndef PROTO_LINE_OBJECT_H
#define PROTO_LINE_OBJECT_H

#include "engine/base/span.h"

enum line_value {
    LINE_TEXT,
    LINE_LABEL,
    LINE_HTTPS, /* a link of https */
    LINE_URI,   /* http, https, line or tel */
    LINE_WORD,  /* one of the words of `of` */
    LINE_WHOLE, /* a whole number */
    LINE_DECIMAL,
    LINE_YES_NO,
    LINE_OBJECT, /* of the family `of` */
    LINE_LIST,   /* of objects of the family `of` */
    LINE_MAP,    /* names the writer chooses, each with an object of the family `of` */
};

struct line_property {
    const char *name;
    enum line_value value;
    bool required;
    uint32_t least, most;
    const char *of; /* "fit|cover"; "flex component" */
};

struct line_kind {
    const char *type; /* NULL: its objects have no `type` */
    const struct line_property *properties;
    uint32_t property_count;
};

struct line_family {
    const char *name;
    const struct line_property *common; /* what every kind has beside its own */
    uint32_t common_count;
    const struct line_kind *const *kinds;
    uint32_t kind_count;
};

/* By index from 0; NULL after the last. */
const struct line_family *line_family_at(uint32_t index);
const struct line_family *line_family_find(const char *name);
const struct line_kind *line_kind_find(const struct line_family *family, struct span type);
/* Among the kind's own and the common ones. */
const struct line_property *line_property_find(const struct line_family *family,
                                               const struct line_kind *kind, struct span name);
/* All of them by index: the kind's own first; NULL after the last. */
const struct line_property *line_property_at(const struct line_family *family,
                                             const struct line_kind *kind, uint32_t index);

/* What rows of a table cannot say, as sizes of whole objects in JSON. */
enum { LINE_BUBBLE_BYTES_MAX = 30 * 1024, LINE_CAROUSEL_BYTES_MAX = 50 * 1024 };

#endif
