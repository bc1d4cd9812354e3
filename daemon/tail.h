/* tail - the events that are decided and not durable yet, as far as somebody asks for them before the disk has
 * them: a chain walked backwards, a message taken back within milliseconds (SPEC R50).
 *
 * Shape    a queue with one small row an event, in order of numbers; rows leave as the log becomes durable.
 * Units    event numbers, UTC milliseconds.
 * Errors   none; a failed allocation stops the process.
 * Owner    the caller embeds the struct, zeroed, and calls tail_fini(). Message ids are kept as checksums,
 *          lists of many friends as copies.
 */
#ifndef DAEMON_TAIL_H
#define DAEMON_TAIL_H

#include "engine/event.h"

struct tail_event {
    uint64_t friend_prev;
    int64_t at_ms;
    uint64_t message_sum; /* tail_message_sum() of a message that came in; 0: it is none */
    struct span crowd;    /* of an event about many (engine/crowd.h): who; else empty */
};

struct tail {
    struct tail_event *items;
    uint32_t head, end, capacity;
    uint64_t first_seq; /* of items[head], while there is one */
};

/* The event after the last one added, or any when there is none. */
void tail_add(struct tail *tail, const struct event *event);
void tail_drop(struct tail *tail, uint64_t durable_seq);
const struct tail_event *tail_find(const struct tail *tail, uint64_t seq); /* NULL: not here */
void tail_fini(struct tail *tail);

/* The event before it in that friend's chain; 0: none. */
uint64_t tail_previous(const struct tail_event *event, uint32_t friend);
/* Its crowd is borrowed from the event. */
struct tail_event tail_event_of(const struct event *event);
uint64_t tail_message_sum(struct span message_id);

#endif
