/* rehearsal_play - a run under way: the daemon on its virtual clock, and the inputs put to it.
 *
 * Shape    rehearsal_run.c starts, ends and kills the daemon and moves the clock; rehearsal_play.c turns one row
 *          after the other into what the daemon takes in.
 * Units    UTC milliseconds.
 * Errors   RC_INVALID (a row names what does not exist) and RC_CORRUPT (the daemon went wrong), both told to
 *          the diagnostics; either ends the run.
 * Owner    rehearsal_run(), which has the run on its stack.
 */
#ifndef TOOLS_STEPCTL_REHEARSAL_PLAY_H
#define TOOLS_STEPCTL_REHEARSAL_PLAY_H

#include "tools/stepctl/rehearsal_run.h"

/* A webhook as LINE sent it, for `line redelivers`. */
struct act {
    struct input input;
    struct span token;
};

struct run {
    const struct rehearsal *rehearsal;
    const struct rehearsal_variant *variant;
    enum rehearsal_kill kill;
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct rehearsal_result *result;
    struct clock clock;
    struct log *log;
    struct core *core; /* NULL while the daemon is down */
    struct delivery_desk *desk;
    struct scripted_line *line;
    struct yaml_node *tree;          /* the definitions as edited so far */
    struct definitions *definitions; /* compiled from it; ours */
    struct act *acts;                /* the newest of each friend, by input */
    uint32_t act_count;
    uint64_t random;
    uint32_t webhook_count;
    uint32_t draws_taken;
    bool draws_wrong;  /* told already */
    bool beginning;    /* what the friends of the file are already starts nothing */
    int64_t probed_ms; /* rows of `state` before this instant are read */
};

/* rehearsal_run.c */

/* Told with the place of a row. */
enum rc run_wrong(struct run *run, const struct yaml_node *node, struct span word,
                  const char *text);
enum rc run_broken(struct run *run, const char *text);

MUST_USE enum rc run_start_daemon(struct run *run);
/* As kill -9 leaves it: the log as far as it is durable, and what LINE has accepted. */
void run_end_daemon(struct run *run);
MUST_USE enum rc run_restart(struct run *run);

MUST_USE enum rc run_flush(struct run *run);
/* Passes until nothing more is to be done at this instant. */
MUST_USE enum rc run_settle(struct run *run);
/* Everything due up to and at the instant, each at its own time. Timers due at an instant come
 * before its inputs (SPEC R5). */
MUST_USE enum rc run_advance(struct run *run, int64_t to_ms);

/* rehearsal_play.c */

/* Who is a friend already: they came before there were definitions, so that nothing started. */
MUST_USE enum rc run_begin(struct run *run);
/* Moves to the row's instant first. */
MUST_USE enum rc run_play(struct run *run, const struct rehearsal_input *row);

#endif
