#include "engine/base/checksum.h"

#include <assert.h>
#include <xxhash.h>

struct checksum; /* an XXH3_state_t behind our own name */

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
    XXH3_state_t *state = XXH3_createState();
    assert(state != NULL);
    XXH3_64bits_reset(state);
    return (struct checksum *)state;
}

void
checksum_free(struct checksum *checksum)
{
    XXH3_freeState((XXH3_state_t *)checksum);
}

void
checksum_add(struct checksum *checksum, const void *data, size_t len)
{
    XXH3_64bits_update((XXH3_state_t *)checksum, data, len);
}

void
checksum_add_u64(struct checksum *checksum, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    XXH3_64bits_update((XXH3_state_t *)checksum, bytes, sizeof(bytes));
}

uint64_t
checksum_value(const struct checksum *checksum)
{
    return XXH3_64bits_digest((const XXH3_state_t *)checksum);
}
