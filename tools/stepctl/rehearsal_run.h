/* rehearsal_run - what the runner knows when it is done, for the lists that are made of it.
 *
 * Shape    the runner drives; rehearsal_actual.c reads log, state and scripted LINE into rows.
 * Units    UTC milliseconds.
 * Errors   as rehearsal.h.
 * Owner    everything is borrowed from the run.
 */
#ifndef TOOLS_STEPCTL_REHEARSAL_RUN_H
#define TOOLS_STEPCTL_REHEARSAL_RUN_H

#include "daemon/core.h"
#include "tools/stepctl/rehearsal_line.h"

struct rehearsal_end {
    const struct rehearsal *rehearsal;
    const struct rehearsal_variant *variant;
    struct log *log;
    const struct state *state;
    const struct scripted_line *line;
    struct arena *arena;
};

/* Every list but `state`, which was read at its instants. */
MUST_USE enum rc rehearsal_actual(const struct rehearsal_end *end, struct buf *out_error,
                                  struct rehearsal_result *result);

/* rehearsal_acts.c: rosters as they are at the end, for the rows asked for; inputs of what friends do
 * on pages (SPEC R30, R36, R39). */
void rehearsal_read_rosters(const struct rehearsal_end *end, struct rehearsal_result *result);
MUST_USE enum rc rehearsal_act_input(const struct rehearsal *rehearsal,
                                     const struct definitions *definitions,
                                     const struct rehearsal_input *row, uint32_t friend,
                                     struct arena *arena, struct diagnostics *diagnostics,
                                     struct input *out_input);

/* rehearsal_import.c: a table put to the daemon, row by row. */
struct rehearsal_importer {
    const struct definitions *definitions;
    struct arena *arena;
    struct diagnostics *diagnostics;
    const struct state *(*state)(void *context);
    enum rc (*decide)(void *context, struct input *input);
    void *context;
};
MUST_USE enum rc rehearsal_import(const struct rehearsal_importer *importer,
                                  const struct rehearsal_edit *table);

/* rehearsal_state.c: an expected row of `state` as it is now, the same words with what is true in
 * their place. */
struct rehearsal_row rehearsal_state_row(const struct state *state, const struct zone *zone,
                                         const struct rehearsal_row *expected, struct arena *arena);

/* The next draw as the answer to a question; false, with the item to blame (NULL: none is left),
 * and some legal answer. */
bool rehearsal_draw(const struct rehearsal_draws *draws, uint32_t *taken,
                    const struct draw *question, int64_t *out_answer,
                    const struct yaml_node **out_item);

#endif
