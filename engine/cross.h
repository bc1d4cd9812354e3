/* cross - two ways of parting friends against each other: age by job, area by tag (SPEC R52).
 *
 * Shape    an axis is a list of labelled sets: those of conditions (the caller makes them), the values of a
 *          field, response marks, the days or months on which friends came. A cell is the intersection of
 *          a row, a column and a segment, counted by roaring, or summed over a number field; exact.
 * Units    friends; a field's numbers.
 * Errors   false for an axis with more than CROSS_SETS_MAX labels; out of memory ends the process.
 * Owner    labels live in the arena given; cross_axis_fini() frees the sets an axis made.
 */
#ifndef ENGINE_CROSS_H
#define ENGINE_CROSS_H

#include "engine/base/rc.h"
#include "engine/state.h"

enum { CROSS_SETS_MAX = 200 };

struct cross_set {
    struct span label;      /* empty: those who have none */
    struct bitmap *members; /* own; NULL: nobody */
};
struct cross_axis {
    struct cross_set sets[CROSS_SETS_MAX];
    uint32_t count;
};

void cross_axis_fini(struct cross_axis *axis);

MUST_USE bool cross_by_field(const struct state *state, uint32_t field, struct arena *arena,
                             struct cross_axis *out_axis);
MUST_USE bool cross_by_mark(const struct state *state, struct cross_axis *out_axis);
/* By the local day, or by the local month, on which they came. */
MUST_USE bool cross_by_added(const struct state *state, bool by_month, struct arena *arena,
                             struct cross_axis *out_axis);

/* rows->count * columns->count numbers, row by row. within NULL: everybody. */
void cross_count(const struct cross_axis *rows, const struct cross_axis *columns,
                 const struct bitmap *within, uint64_t *out_cells);
/* Of a number field; a friend without a value counts as its start value, or 0. */
void cross_sum(const struct state *state, const struct cross_axis *rows,
               const struct cross_axis *columns, const struct bitmap *within, uint32_t field,
               int64_t *out_cells);

#endif
