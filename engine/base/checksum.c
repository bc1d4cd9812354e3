#include "engine/base/checksum.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

/* Numbers gather before they are summed: a digest of the state is millions of them. */
struct checksum {
    XXH3_state_t *sum;
    uint32_t waiting;
    uint8_t bytes[1024];
};

uint64_t
checksum_of(const void *data, size_t len)
{
    return XXH3_64bits(data, len);
}

uint64_t
checksum_seeded(const void *data, size_t len, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, len, seed);
}

struct checksum *
checksum_new(void)
{
    struct checksum *checksum = malloc(sizeof(*checksum));
    assert(checksum != NULL);
    checksum->sum = XXH3_createState();
    assert(checksum->sum != NULL);
    checksum->waiting = 0;
    XXH3_64bits_reset(checksum->sum);
    return checksum;
}

void
checksum_free(struct checksum *checksum)
{
    XXH3_freeState(checksum->sum);
    free(checksum);
}

static void
flush(struct checksum *checksum)
{
    XXH3_64bits_update(checksum->sum, checksum->bytes, checksum->waiting);
    checksum->waiting = 0;
}

void
checksum_add(struct checksum *checksum, const void *data, size_t len)
{
    flush(checksum);
    XXH3_64bits_update(checksum->sum, data, len);
}

void
checksum_add_u64(struct checksum *checksum, uint64_t value)
{
    if (checksum->waiting == sizeof(checksum->bytes)) {
        flush(checksum);
    }
    uint8_t *bytes = checksum->bytes + checksum->waiting;
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    checksum->waiting += 8;
}

uint64_t
checksum_value(struct checksum *checksum)
{
    flush(checksum);
    return XXH3_64bits_digest(checksum->sum);
}
