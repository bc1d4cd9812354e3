/* event_table - the lists of engine/event_parts.h as tables, for whoever walks the parts of an event:
 * the printer, the tests.
 *
 * Shape    a layout a kind, a row a part, in the order of the bytes.
 * Units    offsets are bytes into struct event.
 * Errors   none.
 * Owner    constants.
 */
#ifndef PROTO_EVENT_TABLE_H
#define PROTO_EVENT_TABLE_H

#include "engine/event_parts.h"

struct event_part {
    const char *name; /* also the key in JSON */
    enum part_type type;
    enum part_shape shape;
    size_t offset;
    size_t bytes; /* of the member */
};

struct event_layout {
    enum event_kind kind;
    const struct event_part *parts;
    uint32_t part_count;
    const char *words[3]; /* their names, in order */
    bool words_repeat;    /* one name for any number of words */
    bool words_secret;    /* never printed */
};

/* What every kind begins with, after its number: friend, previous, words, source. */
extern const struct event_part event_common_parts[];
extern const uint32_t event_common_count;

/* NULL for a kind this version does not know. */
const struct event_layout *event_layout_of(uint64_t kind);

bool event_source_is_none(const struct source *source);
bool event_part_is_default(const struct event *event, const struct event_part *part);

static inline void *
event_part_at(struct event *event, const struct event_part *part)
{
    return (char *)event + part->offset;
}

static inline const void *
event_part_of(const struct event *event, const struct event_part *part)
{
    return (const char *)event + part->offset;
}

#endif
