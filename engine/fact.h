/* fact - what a condition may ask about a friend; each fact is answered of one friend, and as the set of
 * all friends of whom it is true (SPEC R24).
 *
 * Shape    one table, in fact.c: a row says how one friend is judged and, where the state keeps the set or
 *          has a quick way to it, how the set is had. A fact without such a way asks every friend, so
 *          both answers agree by construction; tests/engine/test_segment.c holds the others to it.
 *          To add a fact: an operator in engine/definitions.h, a row in fact.c.
 * Units    UTC milliseconds; the account's zone for dates.
 * Errors   none: whatever is not known makes a fact false.
 * Owner    an inquiry borrows everything; sets made here belong to the caller.
 */
#ifndef ENGINE_FACT_H
#define ENGINE_FACT_H

#include "engine/state.h"

/* What is known only while one act is answered: the choice, what was drawn (LANGUAGE 2). */
struct act_value {
    struct span name, value; /* "choice", "draw:hand" */
};
struct act_values {
    struct act_value *items;
    uint32_t count;
};
struct span act_get(const struct act_values *values, struct span name); /* act.c */

/* Against what a condition is judged. */
struct inquiry {
    const struct state *state;
    int64_t now_ms;
    const struct act_values *act; /* NULL: no act is being answered */
};

/* True of that friend? The operator is any but AND, OR, NOT. */
bool fact_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op);

/* The same set where the state keeps it as one: *out_set is borrowed, NULL is empty. False: it does
 * not. */
bool fact_kept_set(const struct inquiry *inquiry, const struct condition_op *op,
                   const struct bitmap **out_set);

/* All friends of whom it is true, as a new set, where it comes without asking every friend, as for a column
 * or few rows; else NULL. */
struct bitmap *fact_quick_set(const struct inquiry *inquiry, const struct condition_op *op);

/* The same, whatever it costs. */
struct bitmap *fact_collect(const struct inquiry *inquiry, const struct condition_op *op);

/* A whole condition, of one friend (condition.c). */
bool condition_holds_of(const struct inquiry *inquiry, uint32_t friend,
                        const struct condition *condition);

/* comparison.c */
bool comparison_holds(const struct inquiry *inquiry, uint32_t friend,
                      const struct comparison *comparison);
bool comparison_of_texts(enum comparison_kind kind, struct span left, struct span right);
/* comparison_set.c: by a pass over a column; NULL: there is no such way. */
struct bitmap *comparison_set(const struct inquiry *inquiry, const struct comparison *comparison);

#endif
