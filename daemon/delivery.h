/* delivery - what is due goes to LINE: take, intent, request, outcome; exactly once (SPEC R10, R40).
 *
 * Shape    delivery_pump() takes due owners while pacing allows and hands each intended delivery to the
 *          line_client once its intent is durable. Answers become outcome inputs; 5xx and time-outs are
 *          repeated with the same key and back-off; replies as R10 says. At start delivery_resume() repeats what
 *          was intended and has no outcome. Also asks for profiles. One request in flight a friend.
 *          What goes first is decided by class, repeats before new ones (SPEC R47); marketing leaves
 *          some of the requests that may be at LINE at a time to the other classes.
 * Units    UTC milliseconds on the daemon's clock, back-off included.
 * Errors   every delivery ends in an outcome event; what LINE said is counted and reported.
 * Owner    delivery_new()/delivery_free(); borrows core, client and clock.
 */
#ifndef DAEMON_DELIVERY_H
#define DAEMON_DELIVERY_H

#include "daemon/core.h"
#include "daemon/line_client.h"

struct delivery_desk;

struct delivery_options {
    struct core *core;
    struct line_client *client;
    uint32_t in_flight_max;                   /* requests at LINE at a time */
    uint32_t per_second[LINE_ENDPOINT_COUNT]; /* 0: LINE's own limit (SPEC R47) */
    bool fetch_profiles;
    bool read_quota; /* from LINE (daemon/allowance.h) */
    uint64_t jitter_seed;
    /* Called for every finished delivery, e.g. for the demo's running list; may be NULL. */
    void (*on_outcome)(void *context, const struct event *outcome);
    void *on_outcome_context;
};

struct delivery_desk *delivery_new(const struct delivery_options *options);
void delivery_free(struct delivery_desk *desk);

/* Repeats the intents that a former run left without outcome. Once, after core_open(). */
void delivery_resume(struct delivery_desk *desk);

/* Takes and sends what may go now; call once a pass, before core_flush(). True when it stopped at
 * its bound and wants to be called again. While the log is slow nothing is taken or sent. */
bool delivery_pump(struct delivery_desk *desk);

/* Stops taking (clock behind, shutdown); what is in flight comes home. */
void delivery_hold(struct delivery_desk *desk, bool held);

/* Requests at LINE, or waiting for their intent to be durable. */
uint32_t delivery_in_flight(const struct delivery_desk *desk);
/* Intended, and waiting to be repeated. */
uint32_t delivery_resting(const struct delivery_desk *desk);
/* The next instant at which pump may have work: due steps, back-off, pacing. INT64_MAX: none. */
int64_t delivery_next(const struct delivery_desk *desk);

struct delivery_counts {
    uint64_t intended, sent_reply, sent_push, failed, unknown, returned, repeated;
};
struct delivery_counts delivery_counts(const struct delivery_desk *desk);

#endif
