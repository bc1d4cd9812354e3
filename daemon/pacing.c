#include "daemon/pacing.h"

#include <assert.h>

enum {
    BAD_IN_A_ROW_MAX = 4, /* one bad answer is that request's own affair */
    DOUBLINGS_MAX = 10,
    REST_MS = 1000,
    REST_MAX_MS = 60 * 1000,       /* an outage's end is noticed within this */
    REPLY_REST_MAX_MS = 10 * 1000, /* a token lives for 50 s (SPEC R10) */
    SLOW_MS = 2000,
    SLOW_MAX_MS = 60 * 1000,
    BURST_SHARE = 20, /* of a second: the bucket of LINE is not published, so ours is small */
};

void
pacing_init(struct pacing *pacing, const uint32_t per_second[LINE_ENDPOINT_COUNT],
            uint32_t window_max, uint64_t jitter_seed, int64_t now_ms)
{
    *pacing = (struct pacing){
        .window_max = window_max, .slow_until_ms = INT64_MIN, .jitter = jitter_seed | 1};
    for (int i = 0; i < LINE_ENDPOINT_COUNT; i++) {
        uint32_t rate = per_second[i] > 0 ? per_second[i] : line_endpoints[i].per_second;
        pacing->paces[i] = (struct pace){.window = window_max, .rest_until_ms = INT64_MIN};
        bucket_init(&pacing->paces[i].bucket, rate, rate / BURST_SHARE + 2, now_ms);
    }
}

int64_t
pacing_next(const struct pacing *pacing, enum line_endpoint endpoint, int64_t now_ms)
{
    const struct pace *pace = &pacing->paces[endpoint];
    if (pace->in_flight >= pace->window) {
        return INT64_MAX;
    }
    int64_t next_ms = bucket_next(&pace->bucket, now_ms);
    if (pace->rest_until_ms > next_ms) {
        next_ms = pace->rest_until_ms;
    }
    return pacing->slow_until_ms > next_ms ? pacing->slow_until_ms : next_ms;
}

struct pacing_stamp
pacing_depart(struct pacing *pacing, enum line_endpoint endpoint, int64_t now_ms)
{
    struct pace *pace = &pacing->paces[endpoint];
    bool paid = bucket_take(&pace->bucket, now_ms);
    assert(paid);
    pace->in_flight++;
    return (struct pacing_stamp){pace->era, pacing->slow_era};
}

int64_t
pacing_jittered(struct pacing *pacing, int64_t wait_ms)
{
    pacing->jitter ^= pacing->jitter << 13;
    pacing->jitter ^= pacing->jitter >> 7;
    pacing->jitter ^= pacing->jitter << 17;
    return wait_ms / 2 + (int64_t)(pacing->jitter % (uint64_t)(wait_ms / 2 + 1));
}

static int64_t
doubled(int64_t ms, uint32_t times, int64_t max_ms)
{
    int64_t waited = ms << (times > DOUBLINGS_MAX ? DOUBLINGS_MAX : times);
    return waited > max_ms ? max_ms : waited;
}

static void
went_badly(struct pacing *pacing, struct pace *pace, int64_t rest_max_ms, uint32_t era,
           int64_t now_ms)
{
    pace->bad_in_a_row++;
    if (pace->bad_in_a_row < BAD_IN_A_ROW_MAX || era != pace->era) {
        return;
    }
    pace->rest_until_ms =
        now_ms + pacing_jittered(pacing, doubled(REST_MS, pace->rests, rest_max_ms));
    pace->rests++;
    pace->era++;
    pace->window = 1;
}

static void
went_well(struct pacing *pacing, struct pace *pace)
{
    pace->bad_in_a_row = 0;
    pace->rests = 0;
    if (pace->window < pacing->window_max) {
        pace->window++;
    }
}

void
pacing_return(struct pacing *pacing, enum line_endpoint endpoint, struct pacing_stamp stamp,
              enum pacing_news news, int64_t retry_after_s, int64_t now_ms)
{
    struct pace *pace = &pacing->paces[endpoint];
    assert(pace->in_flight > 0);
    pace->in_flight--;
    switch (news) {
    case NEWS_GOOD:
        went_well(pacing, pace);
        pacing->slow_downs = 0;
        break;
    case NEWS_BAD:
        went_badly(pacing, pace, endpoint == LINE_REPLY ? REPLY_REST_MAX_MS : REST_MAX_MS,
                   stamp.era, now_ms);
        break;
    case NEWS_SLOW:
        if (stamp.slow_era == pacing->slow_era) { /* else it left before we slowed down */
            int64_t wait_ms =
                retry_after_s > 0 && retry_after_s <= SLOW_MAX_MS / 1000
                    ? retry_after_s * 1000
                    : pacing_jittered(pacing, doubled(SLOW_MS, pacing->slow_downs, SLOW_MAX_MS));
            pacing->slow_until_ms = now_ms + wait_ms;
            pacing->slow_downs++;
            pacing->slow_era++;
        }
        break;
    case NEWS_NONE:
        break;
    }
}

bool
pacing_is_resting(const struct pacing *pacing, enum line_endpoint endpoint, int64_t now_ms)
{
    return pacing->paces[endpoint].rest_until_ms > now_ms;
}
