/* measure - what happened, counted as it is applied: the numbers of every report (SPEC R53).
 *
 * Shape    one row a kind of thing, unit (a step, a broadcast, a button's answer, …), detail (a reason, an HTTP
 *          code, an arm) and hour; found by hash, never removed. Reports add up the rows of the days they
 *          are asked for. Hours, since apply knows no zone: local days are made of them when a report is
 *          printed, exactly where zones are whole hours off UTC.
 * Units    hours since 1970, UTC; counts. 32 bytes a row, and 5 to 11 for finding it.
 * Errors   out of memory ends the process (docs/adr/0001).
 * Owner    inside struct state; measure_fini().
 */
#ifndef ENGINE_MEASURE_H
#define ENGINE_MEASURE_H

#include "engine/base/checksum.h"
#include "engine/event.h"
#include "engine/index.h"
#include "engine/stream.h"

struct state;
struct delivery;

enum measure_kind {                         /* in images */
                    MEASURE_ENTERED = 1,    /* of a scenario */
                    MEASURE_LEFT = 2,       /* of a scenario; detail: enum reason, FINISHED too */
                    MEASURE_SENT_REPLY = 3, /* messages, by what they came from */
                    MEASURE_SENT_PUSH = 4,
                    MEASURE_SKIPPED = 5, /* detail: enum reason; so the next two */
                    MEASURE_CANCELLED = 6,
                    MEASURE_HELD = 7,
                    MEASURE_FAILED = 8, /* detail: the HTTP code */
                    MEASURE_UNKNOWN = 9,
                    MEASURE_CONVERTED = 10, /* of a conversion */
                    MEASURE_ARM = 11,       /* of a split; detail: which case, from 1 */
                    MEASURE_BLOCKED = 12,   /* of a template: blocks within 24 h after it */
                    MEASURE_TAPPED = 13,    /* of a button */
                    MEASURE_ANSWERED = 14,  /* of a form */
                    MEASURE_CLICKED = 15,   /* of a link; detail: 1 a friend's first, else 0 */
                    MEASURE_CLICK_SECONDS =
                        16, /* of a link: first clicks after a delivery; detail: bucket */
                    MEASURE_SCANNED = 17, /* of a route: opened */
                    MEASURE_TAKEN = 18,   /* of a route: it took effect */
};
enum { MEASURE_KIND_COUNT = 19 };

struct measure_unit { /* as struct source; what is no source has source kind NONE and its id */
    uint32_t source_kind, id, sub;
};
struct measure_row {
    uint32_t kind;
    struct measure_unit unit;
    uint32_t detail;
    uint32_t hour;
    uint64_t count;
};
struct measures {
    struct measure_row *rows;
    uint32_t count, capacity;
    struct index index;
};

/* Counts what an event says; deliveries are counted by measure_delivery(). */
void measure_apply(struct state *state, const struct event *event);
/* An outcome, before its delivery's row is let go. */
void measure_delivery(struct state *state, const struct delivery *row, const struct event *event);

/* Calls fn for every row of hours from <= hour < to. */
typedef void (*measure_fn)(void *context, const struct measure_row *row);
void measure_each(const struct state *state, uint32_t from_hour, uint32_t to_hour, measure_fn fn,
                  void *context);

/* Seconds in buckets: exact below 32, then within a sixteenth. */
uint32_t measure_bucket(uint32_t seconds);
uint32_t measure_bucket_begins(uint32_t bucket);
enum { MEASURE_BUCKETS = 32 + 27 * 16 };

void measure_digest(const struct state *state, struct checksum *sum);
void measure_fini(struct state *state);

/* Out, or into a state that has none. */
void measure_stream(struct state *state, struct stream *stream);

#endif
