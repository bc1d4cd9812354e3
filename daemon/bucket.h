/* bucket - a token bucket: at most burst at once, per_second in the long run (SPEC R47).
 *
 * Shape    starts full. Over any span of t ms no more than burst + per_second * t / 1000 tokens are given.
 *          Counts in thousandths of a token, which is what one ms brings at one token a second, so
 *          nothing is ever rounded. Only what a full bucket cannot hold is lost: with a burst of at
 *          least 2 + per_second / 1000, waiting for bucket_next() each time meets the rate exactly.
 *          per_second 0 never refills; burst 0 never gives.
 * Units    milliseconds on whatever clock the caller keeps to; an earlier now_ms brings nothing.
 * Errors   none.
 * Owner    the caller embeds the struct.
 */
#ifndef DAEMON_BUCKET_H
#define DAEMON_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    uint32_t per_second;
    uint64_t level;     /* thousandths of a token, at updated_ms */
    uint64_t level_max; /* burst, in thousandths */
    int64_t updated_ms;
};

void bucket_init(struct bucket *bucket, uint32_t per_second, uint32_t burst, int64_t now_ms);

/* Takes one token; false, and nothing taken, when there is none yet. */
bool bucket_take(struct bucket *bucket, int64_t now_ms);

/* The first instant, not before now_ms, at which bucket_take() gives; INT64_MAX: never. */
int64_t bucket_next(const struct bucket *bucket, int64_t now_ms);

#endif
