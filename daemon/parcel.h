/* parcel - one intended delivery under way: its bytes, its key, and what an answer means for it.
 *
 * Shape    made from a delivery row in phase INTENDED; the body is rendered once and repeated byte for
 *          byte. parcel_judge() is the table of SPEC R10, R40 and R48: what LINE said, what follows.
 * Units    UTC milliseconds on the daemon's clock.
 * Errors   rendered is false where the body no longer has the hash that was recorded: never sent.
 * Owner    daemon/delivery.c, one list.
 */
#ifndef DAEMON_PARCEL_H
#define DAEMON_PARCEL_H

#include "daemon/line_client.h"
#include "engine/base/buf.h"
#include "engine/state.h"
#include "proto/signature.h"

enum parcel_phase {
    PARCEL_WAITING,   /* for durability */
    PARCEL_IN_FLIGHT, /* at LINE */
    PARCEL_RESTING,   /* until wake_ms, then again */
};

struct parcel {
    struct parcel *next;
    void *desk;
    uint64_t delivery;
    uint32_t friend;
    enum delivery_how how;
    enum parcel_phase phase;
    uint32_t attempts;
    bool resumed; /* intended by a former run */
    bool rendered;
    bool left_before; /* an earlier attempt may have reached LINE */
    int64_t wake_ms;
    int64_t give_up_ms; /* push: 23 h after the intent (SPEC R48); reply: 50 s of its token (R10) */
    char retry_key[RETRY_KEY_TEXT_BYTES];
    struct buf body;
};

struct parcel *parcel_new(const struct state *state, uint32_t row, void *desk);
void parcel_free(struct parcel *parcel);

struct parcel_verdict {
    bool again; /* repeat with the same key; else book `result` */
    enum delivery_result result;
    bool presumed;
};
/* Also notes in the parcel what the answer tells about its having left. */
struct parcel_verdict parcel_judge(struct parcel *parcel, const struct line_answer *answer);

/* How long to rest before the next attempt, before jitter: doubling, with a cap. */
int64_t parcel_rest_ms(const struct parcel *parcel);

#endif
