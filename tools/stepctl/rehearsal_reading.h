/* rehearsal_reading - what happened in a rehearsal, on its way from the log and LINE into rows.
 *
 * Shape    rehearsal_actual.c reads the log event by event and makes the rows; rehearsal_deliveries.c follows each
 *          delivery from its plan to what LINE accepted.
 * Units    UTC milliseconds.
 * Errors   none: what log and LINE do not agree on becomes a row that says so.
 * Owner    rehearsal_actual(); what is gathered and the rows lie in the arena of the run.
 */
#ifndef TOOLS_STEPCTL_REHEARSAL_READING_H
#define TOOLS_STEPCTL_REHEARSAL_READING_H

#include "tools/stepctl/rehearsal_run.h"

struct intent {
    uint64_t delivery;
    uint32_t friend;
    struct span key; /* as LINE saw it: retry key, or reply token */
    int64_t due_ms;
    uint32_t item_count;
    struct delivery_item items[DELIVERY_ITEMS_MAX];
    bool reply, sent, accepted;
};

struct planned {
    uint64_t delivery;
    struct span token;
};

struct reading {
    const struct rehearsal_end *end;
    struct rehearsal_result *result;
    uint8_t run_id[16];
    struct intent *intents;
    uint32_t intent_count;
    struct planned *planned;
    uint32_t planned_count;
};

static inline const struct definitions *
definitions_of(const struct reading *reading)
{
    return reading->end->state->definitions;
}

/* rehearsal_actual.c */

/* Begins a row: "2026-06-01 10:15:00 A". */
struct buf reading_begin_row(const struct reading *reading, int64_t at_ms, uint32_t friend);
/* Takes the text. */
void reading_end_row(const struct reading *reading, enum rehearsal_list list, int64_t at_ms,
                     struct buf *text, struct span with);
/* LANGUAGE 13 "Outcomes": a stop names what cancelled it, everything else its reason. */
void reading_append_reason(const struct reading *reading, const struct event *event,
                           enum reason reason, struct buf *text);
/* One row of `list` for each source in a delivery: due, friend, source, and what is said of it. */
void reading_add_sources(const struct reading *reading, enum rehearsal_list list, int64_t due_ms,
                         uint32_t friend, const struct delivery_item *items, uint32_t count,
                         const char *said);

/* rehearsal_deliveries.c */

void reading_delivery(struct reading *reading, const struct event *event);
/* Each friend of a request to many is a row of their own. */
void reading_crowd(struct reading *reading, const struct event *event);
/* The list is what LINE accepted; the log has to agree with it, both ways. */
void reading_deliveries(const struct reading *reading);

#endif
