/* core - engine and log joined: inputs in, one batch a pass, effects when it is durable.
 *
 * Shape    core_input() and core_take() decide and apply; core_flush() ends the pass: it encodes the
 *          pass's events, appends them as one batch, and what was registered with core_after() runs,
 *          in order, when the log says they are durable. Nothing leaves the process before that. Knows
 *          neither sockets nor libev, so that a rehearsal runs the very same code.
 * Units    UTC milliseconds from the clock it is given.
 * Errors   a failed append is final: core_failed() says so and the daemon stops (DESIGN 5). core_open()
 *          says what is wrong with the log in core_error().
 * Owner    core_open() takes the log; definitions handed out are borrowed from the state.
 */
#ifndef DAEMON_CORE_H
#define DAEMON_CORE_H

#include "daemon/clock.h"
#include "engine/engine.h"
#include "proto/definition.h"
#include "store/log.h"

struct core;

struct core_options {
    struct log *log; /* taken; opened with LOG_CLAIM */
    struct clock *clock;
    struct zone_source zones;
    const char *directory; /* real path of the data directory, for the claim; "" in memory */
    /* Draws random bytes: run id, salts. */
    void (*random)(void *context, void *out, size_t bytes);
    void *random_context;
};

/* Replays the log, then claims it (an event with a new run id, durable before return). */
MUST_USE enum rc core_open(const struct core_options *options, struct core **out_core);
void core_close(struct core *core);
/* Gives the log back unclosed: a rehearsal's kill -9, after which it is opened again from the log. */
struct log *core_release_log(struct core *core);
const char *core_error(const struct core *core);

struct engine *core_engine(struct core *core);
const struct state *core_state(const struct core *core);
struct log *core_log(struct core *core);
struct clock *core_clock(struct core *core);
bool core_failed(const struct core *core);

/* The newest event found at open is later than the clock: sends are to be held (T6). */
bool core_clock_behind(const struct core *core);
int64_t
core_newest_found_ms(const struct core *core); /* time of that event; 0: the log was empty */

/* Decides one input in the current pass. Returns the events it produced, borrowed until the flush. */
const struct event *core_input(struct core *core, const struct input *input, uint32_t *out_count);

/* True when this webhook id or idempotency key was seen before, in the log or in this pass; else it
 * is remembered with this pass's batch (SPEC R41). Empty ids are never known. */
MUST_USE enum rc core_check_id(struct core *core, struct span id, bool *out_known);

/* engine_take() in the current pass. */
MUST_USE enum rc core_take(struct core *core, uint32_t *out_delivery);

/* engine_work() in the current pass. */
bool core_work(struct core *core);

/* Runs fn when everything decided so far is durable (at once when it already is). */
typedef void (*core_effect_fn)(void *context);
void core_after(struct core *core, core_effect_fn fn, void *context);

/* Ends the pass. RC_OK also when there was nothing to append. */
MUST_USE enum rc core_flush(struct core *core);

/* Events appended so far and how many passes they came in, for status and bench. */
uint64_t core_batch_count(const struct core *core);

#endif
