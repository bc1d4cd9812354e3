/* parcel - one intended delivery under way: its bytes, its key, and what an answer means for it.
 *
 * Shape    made from a delivery row in phase INTENDED, or from all that share a request (SPEC R46); the body
 *          is rendered once and repeated byte for byte. parcel_judge() is the table of SPEC R10, R40 and R48: what LINE said, what follows.
 * Units    UTC milliseconds on the daemon's clock.
 * Errors   rendered is false where the body no longer has the hash that was recorded: never sent.
 * Owner    the delivery desk, in its list and on its shelf.
 */
#ifndef DAEMON_PARCEL_H
#define DAEMON_PARCEL_H

#include "daemon/line_client.h"
#include "daemon/pacing.h"
#include "engine/base/buf.h"
#include "engine/state.h"
#include "proto/signature.h"

enum parcel_place {                 /* in the desk's shelf (daemon/shelf.h) */
                    PARCEL_NOWHERE, /* waits to be durable, or is at LINE */
                    PARCEL_RESTING, /* until wake_ms, then again */
                    PARCEL_READY,   /* to go again as soon as pacing lets it */
};

struct parcel {
    struct parcel *previous, *next; /* in the desk's list of all */
    void *desk;
    uint64_t delivery; /* its number; of a request to many: of the intent */
    uint32_t friend;
    uint32_t *friends; /* of a request to many, ascending; else NULL */
    uint32_t friend_count;
    enum delivery_how how;
    enum line_endpoint endpoint;
    enum message_class message_class;
    enum parcel_place place;
    uint32_t heap_place;            /* RESTING */
    struct parcel *before, *behind; /* READY */
    struct pacing_stamp stamp;      /* of the request that waits to be durable or is at LINE */
    uint32_t attempts;
    bool resumed; /* intended by a former run */
    bool rendered;
    bool left_before; /* an earlier attempt may have been accepted */
    int64_t wake_ms;
    int64_t give_up_ms; /* push: 23 h after the intent (SPEC R48); reply: 50 s of its token (R10) */
    char retry_key[RETRY_KEY_TEXT_BYTES];
    struct buf body;
};

/* rows: one, or those of one intent, all of them, by friend. */
struct parcel *parcel_new(const struct state *state, const uint32_t *rows, uint32_t count,
                          void *desk);
void parcel_free(struct parcel *parcel);

/* The four kinds of 429, told apart by their words (FACTS 5); the fourth, of audience jobs, is no answer
 * to anything a parcel asks. */
enum line_limit {
    LIMIT_NONE,
    LIMIT_RATE,  /* of the channel */
    LIMIT_MONTH, /* the quota is used up, or reserved */
    LIMIT_USER,  /* very many messages to one user */
};

struct parcel_verdict {
    bool again; /* repeat with the same key; else book `result` */
    enum delivery_result result;
    bool presumed;
    uint32_t
        bad; /* of a request to many, the one whom LINE refuses: the others are RETURNED; NO_ID */
    enum line_limit limit;
    enum pacing_news news;
};
/* Also notes in the parcel what the answer tells about its having been accepted. */
struct parcel_verdict parcel_judge(struct parcel *parcel, const struct line_answer *answer);

/* How it ends when it may not be repeated any more: unknown, unless none of its attempts can have
 * been accepted; then it is due again. */
struct parcel_verdict parcel_give_up(const struct parcel *parcel);

/* How long to rest before the next attempt, before jitter: doubling, with a cap. */
int64_t parcel_rest_ms(const struct parcel *parcel, enum line_limit limit);

#endif
