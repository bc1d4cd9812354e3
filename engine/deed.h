/* deed - what a friend did and was sent, and when: what `within` in a condition asks for (SPEC R24).
 *
 * Shape    an act of a friend is a row on the friend's list, newest first. What was sent to many at once is
 *          a set of friends for each template and hour: a broadcast costs a bit a friend.
 * Units    UTC: seconds of acts, hours of deliveries. Rows are 12 bytes.
 * Errors   none.
 * Owner    the state's.
 */
#ifndef ENGINE_DEED_H
#define ENGINE_DEED_H

#include "engine/base/checksum.h"
#include "engine/state.h"

enum deed_kind {                     /* in images */
                 DEED_ANSWERED = 1,  /* id: form */
                 DEED_TAPPED = 2,    /* id: button */
                 DEED_CONVERTED = 3, /* id: conversion */
                 DEED_SCANNED = 4,   /* id: route */
                 DEED_ROUTE = 5,     /* id: route, which took effect */
                 DEED_CLICKED = 6,   /* id: link */
                 DEED_LINK_SENT = 7, /* id: link; a message with it was sent */
                 DEED_CLICKED_AFTER =
                     8, /* id: link; at_s is no instant but the seconds since the delivery */
};

/* Both ends included; INT64_MIN and INT64_MAX: open. */
struct stretch {
    int64_t from_ms, to_ms;
};

/* The instants that a `within` means at this moment. */
struct stretch within_stretch(const struct within *within, const struct zone *zone, int64_t now_ms);

/* Did the friend do it then? An act is known to the second. */
bool state_has_done(const struct state *state, uint32_t friend, enum deed_kind kind, uint32_t id,
                    struct stretch when);
/* When the friend did it last; -1: never. */
int64_t state_newest_deed(const struct state *state, uint32_t friend, enum deed_kind kind,
                          uint32_t id);
bool state_has_clicked(const struct state *state, uint32_t friend, uint32_t link);
/* Was the template sent to the friend in an hour that lies in the stretch, wholly or in part? */
bool state_has_received_within(const struct state *state, uint32_t friend, uint32_t template,
                               struct stretch when);

/* Puts everybody who was into a set. */
void state_collect_received_within(const struct state *state, uint32_t template,
                                   struct stretch when, struct bitmap *members);

/* Notes what an event says a friend did or was sent, after the event is applied. */
void deed_apply(struct state *state, const struct event *event);

/* The set of a template and an hour, made where there is none. */
struct bitmap **deed_hour_slot(struct state *state, uint32_t template, uint32_t hour);

void deed_digest(const struct state *state, uint32_t friend, struct checksum *sum);
void deed_digest_sets(const struct state *state, struct checksum *sum);
void deed_fini(struct state *state);

#endif
