/* pacing - whether a request may leave for an endpoint now, and what LINE's answers say about the next ones
 * (SPEC R47, R48).
 *
 * Shape    an endpoint has a token bucket under LINE's rate and a window: how many of its requests may be at
 *          LINE at a time. Answers open and close the window. While all goes well it is as wide as may be.
 *          When several in a row went badly (5xx, time-out, refused connection, 401) the endpoint
 *          rests, doubling up to a cap; then a single request asks whether LINE is well, and each
 *          good answer widens the window by one, which doubles it every round trip: no storm after
 *          an outage. A 429 by rate slows all endpoints down, as the channel is what LINE counts.
 * Units    milliseconds on the daemon's clock.
 * Errors   none.
 * Owner    the caller embeds the struct.
 */
#ifndef DAEMON_PACING_H
#define DAEMON_PACING_H

#include "daemon/bucket.h"
#include "daemon/line_endpoint.h"

struct pace {
    struct bucket bucket;
    uint32_t in_flight;
    uint32_t window;
    uint32_t bad_in_a_row;
    uint32_t rests; /* in a row: the next one is so many times doubled */
    uint32_t era;   /* counts the rests: an answer to a request from before one tells nothing new */
    int64_t rest_until_ms;
};

struct pacing {
    struct pace paces[LINE_ENDPOINT_COUNT];
    uint32_t window_max;
    uint32_t slow_downs; /* in a row */
    uint32_t slow_era;
    int64_t slow_until_ms; /* nothing leaves before */
    uint64_t jitter;
};

/* What an answer says of its endpoint, beyond the one request. */
enum pacing_news {
    NEWS_GOOD, /* LINE is well, whatever it thinks of the request */
    NEWS_BAD,  /* 5xx, no answer, 401 */
    NEWS_SLOW, /* 429 by rate */
    NEWS_NONE, /* only of this one request */
};

/* When a request left: it goes back in with the answer. */
struct pacing_stamp {
    uint32_t era, slow_era;
};

/* per_second: of each endpoint, 0 for LINE's own limit. window_max: requests at LINE at a time. */
void pacing_init(struct pacing *pacing, const uint32_t per_second[LINE_ENDPOINT_COUNT],
                 uint32_t window_max, uint64_t jitter_seed, int64_t now_ms);

/* The first instant, not before now_ms, at which a request may leave; INT64_MAX: when one comes home. */
int64_t pacing_next(const struct pacing *pacing, enum line_endpoint endpoint, int64_t now_ms);

/* One leaves; pacing_next() said now. */
struct pacing_stamp pacing_depart(struct pacing *pacing, enum line_endpoint endpoint,
                                  int64_t now_ms);
/* retry_after_s: as LINE said; -1: it did not. */
void pacing_return(struct pacing *pacing, enum line_endpoint endpoint, struct pacing_stamp stamp,
                   enum pacing_news news, int64_t retry_after_s, int64_t now_ms);

/* Is the endpoint resting, after answers that were bad? Until when. */
bool pacing_is_resting(const struct pacing *pacing, enum line_endpoint endpoint, int64_t now_ms);

/* Between half of wait_ms and the whole, so that what failed together does not come again together. */
int64_t pacing_jittered(struct pacing *pacing, int64_t wait_ms);

#endif
