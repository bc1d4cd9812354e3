#include "daemon/bucket.h"

enum { TOKEN = 1000 }; /* one token, in the level's thousandths */

void
bucket_init(struct bucket *bucket, uint32_t per_second, uint32_t burst, int64_t now_ms)
{
    uint64_t level_max = (uint64_t)burst * TOKEN;
    *bucket = (struct bucket){
        .per_second = per_second, .level = level_max, .level_max = level_max, .updated_ms = now_ms};
}

/* The level at now_ms, without overflow however long the bucket stood untouched. */
static uint64_t
level_at(const struct bucket *bucket, int64_t now_ms)
{
    if (now_ms <= bucket->updated_ms || bucket->per_second == 0) {
        return bucket->level;
    }
    uint64_t elapsed_ms = (uint64_t)now_ms - (uint64_t)bucket->updated_ms;
    uint64_t missing = bucket->level_max - bucket->level;
    if (elapsed_ms > missing / bucket->per_second) {
        return bucket->level_max;
    }
    return bucket->level + elapsed_ms * bucket->per_second;
}

bool
bucket_take(struct bucket *bucket, int64_t now_ms)
{
    bucket->level = level_at(bucket, now_ms);
    if (now_ms > bucket->updated_ms) {
        bucket->updated_ms = now_ms;
    }
    if (bucket->level < TOKEN) {
        return false;
    }
    bucket->level -= TOKEN;
    return true;
}

int64_t
bucket_next(const struct bucket *bucket, int64_t now_ms)
{
    if (level_at(bucket, now_ms) >= TOKEN) {
        return now_ms;
    }
    if (bucket->per_second == 0 || bucket->level_max < TOKEN) {
        return INT64_MAX;
    }
    uint64_t missing = TOKEN - bucket->level;
    uint64_t wait_ms = (missing + bucket->per_second - 1) / bucket->per_second;
    return bucket->updated_ms + (int64_t)wait_ms;
}
