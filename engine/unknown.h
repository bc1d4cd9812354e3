/* unknown - deliveries of which nobody can say whether they arrived, until an operator decides (SPEC R48).
 *
 * Shape    a list in the state, oldest first. A row is made when an outcome is booked as unknown, and stays
 *          after it was decided, so that deciding the same again changes nothing. When UNKNOWNS_MAX is
 *          reached, the decided ones are let go; where there are none, the older half, which is counted.
 *          It cannot be met by one outage: what is open at LINE is a few hundred requests of 500 at most.
 *          A request to many has one id and a row for each friend.
 * Units    UTC milliseconds; a delivery's id is the number of the event that made it.
 * Errors   out of memory ends the process.
 * Owner    inside struct state. Rows move when one is added.
 */
#ifndef ENGINE_UNKNOWN_H
#define ENGINE_UNKNOWN_H

#include "engine/event.h"
#include "engine/stream.h"

struct checksum;
struct delivery;
struct state;

enum { UNKNOWNS_MAX = 1 << 18 };

struct unknown_row {
    uint64_t delivery;
    uint64_t anew; /* RETURNED: the delivery that was made instead */
    int64_t due_ms;
    int64_t first_ms; /* when it was first handed to LINE */
    int64_t at_ms;    /* when it was given up */
    uint32_t friend;
    uint32_t month; /* a push: the month it counts in */
    uint32_t code;  /* LINE's last HTTP status; 0: none came */
    uint32_t crowd; /* how many shared its request; 0: it had its own */
    enum message_class message_class;
    enum delivery_how how;
    enum reason reason;            /* REASON_NONE: LINE said nothing clear while its key lived */
    enum delivery_result decision; /* SENT FAILED RETURNED (sent anew); 0: not decided */
    uint32_t item_count;
    struct delivery_item items[DELIVERY_ITEMS_MAX];
};

struct unknowns {
    struct unknown_row *rows;
    uint32_t count, capacity;
    uint64_t dropped; /* let go without having been decided */
};

/* Is the row about that delivery, of that friend (NO_ID: of whoever), and not of a friend forgotten? */
bool unknown_is(const struct state *state, const struct unknown_row *row, uint64_t delivery,
                uint32_t friend);
/* Why it cannot be sent anew, in plain words; NULL: it can. */
const char *unknown_refusal(const struct state *state, const struct unknown_row *row);

/* An outcome, before its delivery's row is let go. */
void unknown_note(struct state *state, const struct delivery *row, const struct event *outcome);
void unknown_apply(struct state *state, const struct event *event);

void unknown_digest(const struct state *state, struct checksum *sum);
void unknown_fini(struct state *state);
/* Out, or into a state that has none; read after the friends, the definitions and the broadcasts. */
void unknown_stream(struct state *state, struct stream *stream);

#endif
