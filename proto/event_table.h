/* event_table - the one table of event kinds: what parts each has, where they lie, what they are called.
 *
 * Shape    encoding, decoding, printing and docs/format.md all follow it. A part that holds its default
 *          (zero, NO_ID, empty) is written as nil, and trailing nils are left out.
 *          To add a part: append a row at the end of its kind. To add a kind: a number that was never
 *          used in engine/event.h, a list here, a name in event_names.c, a row in docs/format.md.
 * Units    offsets are bytes into struct event.
 * Errors   none.
 * Owner    constants.
 */
#ifndef PROTO_EVENT_TABLE_H
#define PROTO_EVENT_TABLE_H

#include "engine/event.h"

enum part_type {
    PART_COUNT,    /* uint32, default 0 */
    PART_FRIEND,   /* uint32, default NO_ID, as are all ids */
    PART_TAG,      /* these are printed as names */
    PART_FIELD,    /* */
    PART_SCENARIO, /* */
    PART_STEP,     /* of the scenario in the same event */
    PART_BUTTON,   /* */
    PART_CHOICE,   /* of the button in the same event */
    PART_ROW,      /* an index of the state */
    PART_PREVIOUS, /* uint64, written as the distance back from the event's own number; 0: none */
    PART_WORDS,    /* the hash of the content row */
    PART_SEQ,      /* uint64, default 0 */
    PART_U64,      /* uint64, default 0 */
    PART_DIGEST,   /* uint64, default 0, printed as 16 hex digits */
    PART_TIME,     /* int64 UTC ms, default 0 */
    PART_NUMBER,   /* int64, default 0; what it means says the field in the same event */
    PART_FLAG,     /* bool, default false; printed when true */
    PART_YES_NO,   /* bool, default false; always printed */
    PART_TEXT,     /* span, default empty */
    PART_BYTES_16, /* default all zero */
    PART_BYTES_32, /* default all zero */
    PART_CLASS,    /* enumerators, default 0 */
    PART_HOW,
    PART_RESULT,
    PART_REASON,
    PART_SOURCE, /* [kind, id, sub], default none */
    PART_MARK,   /* an id, printed as a name */
    PART_ITEMS,  /* array of [template, enrolment, source], default none */
    PART_FORM,   /* ids, default NO_ID; printed as names */
    PART_QUESTION,
    PART_OPTION,
    PART_ANSWER, /* int64, default 0; what it means says the question in the same event */
    PART_CONVERSION,
    PART_CALENDAR,
    PART_SLOT,
    PART_NOTIFY,
    PART_ROUTE,
    PART_LINK,
    PART_INTEGER, /* int64, default 0; always printed */
};

struct event_part {
    const char *name; /* also the key in JSON */
    enum part_type type;
    size_t offset;
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

/* Indexed by kind, with holes: ask event_layout_of(). */
extern const struct event_layout event_layouts[];
extern const uint32_t event_layout_count;

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
