/* chunk - deliveries of one content that go to many friends in one request (SPEC R46).
 *
 * Shape    what a due owner will send is its content: chunk_content() tells it without judging. Owners of a
 *          common content are judged one by one, by friend, and those that may go are intended by one
 *          event; its outcome is one event too, and says of each friend what became of theirs. Twin: taking
 *          each by itself gives the same friends the same messages.
 * Units    UTC milliseconds.
 * Errors   none.
 * Owner    lists live in the events' arena.
 */
#ifndef ENGINE_CHUNK_H
#define ENGINE_CHUNK_H

#include "engine/crowd.h"
#include "engine/due.h"
#include "engine/turn.h"

/* CONTENT_NONE, _REPLY, _OWN, or from CONTENT_COMMON on the same number for the same content. */
uint64_t chunk_content(const struct state *state, struct owner owner, int64_t now_ms);

/* How many of a common content may be judged together: no more than the quota, and the cap of their scenario,
 * let go. At least one, who is held where there is no room. */
uint32_t chunk_most(const struct state *state, enum message_class message_class, uint64_t content);

/* Judges the owners, all of that content, sorted by friend and one a friend; intends those that may go.
 * None where nothing goes. */
struct taken chunk_take(struct turn *turn, const struct owner *owners, uint32_t count);

/* What LINE said of a request to many. */
void chunk_decide_outcome(struct turn *turn, const struct input *input);

/* DELIVERIES_INTENDED and DELIVERIES_OUTCOME */
void chunk_apply(struct state *state, const struct event *event);

#endif
