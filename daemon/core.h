/* core - engine and log joined: inputs in, one batch a pass, effects when it is durable.
 *
 * Shape    core_input() and core_take() decide and apply; core_flush() ends the pass: it encodes the
 *          pass's events, appends them as one batch, and what was registered with core_after() runs,
 *          in order, when the log says they are durable: at once, or from core_poll() where the log has a
 *          writer thread. Nothing leaves the process before that. Knows neither sockets nor libev, so that
 *          a rehearsal runs the very same code.
 * Units    UTC milliseconds from the clock it is given.
 * Errors   a failed append is final: core_failed() says so and the daemon stops (DESIGN 5). core_open()
 *          says what is wrong with the log in core_error().
 * Owner    core_open() takes the log; definitions handed out are borrowed from the state.
 */
#ifndef DAEMON_CORE_H
#define DAEMON_CORE_H

#include "daemon/clock.h"
#include "daemon/restore.h"
#include "daemon/tail.h"
#include "engine/engine.h"
#include "proto/definition.h"
#include "store/log.h"

struct core;

struct core_options {
    struct log *log; /* taken; opened with LOG_CLAIM */
    struct clock *clock;
    struct zone_source zones;
    const char
        *directory; /* real path of the data directory, for the claim; "" in memory; borrowed */
    const char *machine_id;  /* a file that holds it; NULL: /etc/machine-id */
    const char *checkpoints; /* where they are; NULL: the whole log is replayed */
    /* Told of each checkpoint that was passed over; may be NULL. */
    void (*note)(void *context, const char *text);
    void *note_context;
    bool claim_later; /* no room to write now: look only, until core_claim() */
    /* Draws random bytes: run id, salts. */
    void (*random)(void *context, void *out, size_t bytes);
    void *random_context;
    /* What decisions draw (engine/engine.h); NULL: from `random`. A rehearsal gives its list. */
    int64_t (*draw)(void *context, const struct draw *draw);
    void *draw_context;
    const char *public_url; /* what links to pages begin with; NULL: none */
    /* Told of every notice (SPEC R43), and of every `tz` set that is no time zone (SPEC R1), when its batch
     * goes to the log; may be NULL. */
    void (*notice)(void *context, const struct event *event, const struct definitions *definitions);
    void *notice_context;
};

/* Loads the newest good checkpoint, replays the log after it, then claims it. */
MUST_USE enum rc core_open(const struct core_options *options, struct core **out_core);
/* Claims what was opened with claim_later: an event with a new run id, durable before return. Until
 * then nothing may be decided. */
MUST_USE enum rc core_claim(struct core *core);
bool core_claimed(const struct core *core);
/* Ends the pass, then goes on in the compacted copy beside the log (store/exchange.h), under a new claim that
 * knows the new file for the same directory (SPEC R45): durable before return. A directory that is itself a
 * copy stays one. RC_NOT_FOUND, RC_BUSY, RC_AGAIN, RC_REFUSED: nothing has changed, and *error says why;
 * after anything else core_failed() is true. */
MUST_USE enum rc core_exchange(struct core *core, struct buf *error);
void core_close(struct core *core);
/* Gives the log back unclosed: a rehearsal's kill -9, after which it is opened again from the log. */
struct log *core_release_log(struct core *core);
const char *core_error(const struct core *core);

struct engine *core_engine(struct core *core);
const struct state *core_state(const struct core *core);
struct log *core_log(struct core *core);
struct clock *core_clock(struct core *core);
bool core_failed(const struct core *core);
/* How core_open() came to its state. */
const struct restored *core_restored(const struct core *core);

/* The latest time found in the log at open is later than the clock: sends are to be held (T6). */
bool core_clock_behind(const struct core *core);
int64_t core_newest_found_ms(const struct core *core); /* that time; 0: the log was empty */

/* An event that is decided and cannot be read from the log yet; false where it can. */
bool core_tail(const struct core *core, uint64_t seq, struct tail_event *out_event);

/* Decides one input in the current pass. Returns the events it produced, borrowed until the flush. */
const struct event *core_input(struct core *core, const struct input *input, uint32_t *out_count);

/* True when this webhook id or idempotency key was seen before, in the log or in this pass; else it
 * is remembered with this pass's batch (SPEC R41). Empty ids are never known. */
MUST_USE enum rc core_check_id(struct core *core, struct span id, bool *out_known);

/* The words of event `seq` go in the commit of the event decided last, which says so. */
void core_erase(struct core *core, uint64_t seq);

/* engine_take() in the current pass. */
MUST_USE enum rc core_take(struct core *core, const struct take_permit *permit,
                           struct taken *out_taken);

/* engine_work() in the current pass. */
bool core_work(struct core *core);

/* Runs fn when everything decided so far is durable (at once when it already is). */
typedef void (*core_effect_fn)(void *context);
void core_after(struct core *core, core_effect_fn fn, void *context);

/* Ends the pass. RC_OK also when there was nothing to append. */
MUST_USE enum rc core_flush(struct core *core);

/* Hears how far the log is durable and runs what waited for that; for when log_wake_fd() is readable. */
MUST_USE enum rc core_poll(struct core *core);

/* The disk does not keep up: more than this waits for it, or something waits for this long. Then nothing
 * is taken in and nothing is taken to be sent, so that what is in memory only stays bounded. */
#define CORE_BACKLOG_BYTES_MAX ((size_t)16 << 20)
#define CORE_BACKLOG_WAIT_US INT64_C(1500000) /* SPEC R41 */
bool core_log_slow(const struct core *core);

/* Events appended so far and how many passes they came in, for status and bench. */
uint64_t core_batch_count(const struct core *core);

#endif
