/* shelf - parcels that wait: resting until an instant, or ready to go again, in class order.
 *
 * Shape    a binary heap by wake instant, and a queue for each endpoint and class. A parcel stands in one
 *          of them or in none, and knows its place, so that each move costs at most the heap's
 *          depth, however many wait.
 * Units    UTC milliseconds.
 * Errors   none; without memory the process ends.
 * Owner    the caller embeds the struct, zeroed; parcels are borrowed while they stand here.
 */
#ifndef DAEMON_SHELF_H
#define DAEMON_SHELF_H

#include "daemon/parcel.h"

struct shelf_queue {
    struct parcel *first, *last;
};

struct shelf {
    struct parcel **heap;
    uint32_t resting_count, capacity;
    struct shelf_queue ready[LINE_ENDPOINT_COUNT][CLASS_COUNT];
    uint32_t ready_count;
};

void shelf_fini(struct shelf *shelf);

/* Until parcel->wake_ms. */
void shelf_rest(struct shelf *shelf, struct parcel *parcel);
/* Behind those of its endpoint and class. */
void shelf_make_ready(struct shelf *shelf, struct parcel *parcel);
/* Out of wherever it stands; without effect when it stands nowhere. */
void shelf_remove(struct shelf *shelf, struct parcel *parcel);

/* The one that wakes first; NULL: none rests. */
struct parcel *shelf_first_resting(const struct shelf *shelf);
/* The one that has been ready longest; NULL: none is. */
struct parcel *shelf_first_ready(const struct shelf *shelf, enum line_endpoint endpoint,
                                 enum message_class message_class);

#endif
