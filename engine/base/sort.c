#include "engine/base/sort.h"

#include <stdbool.h>
#include <string.h>

enum { HALF_BITS = 32, BYTE_BITS = 8, BYTES = 1 << BYTE_BITS };
enum { INSERTION_MAX = 32 }; /* below this many keys, counting bytes costs more than moving keys */

static void
insertion_sort(uint64_t *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        size_t place = i;
        for (; place > 0 && keys[place - 1] > key; place--) {
            keys[place] = keys[place - 1];
        }
        keys[place] = key;
    }
}

/* Stable: keys whose byte is the same keep their order. */
static void
sort_by_byte(const uint64_t *from, uint64_t *to, size_t count, uint32_t shift)
{
    size_t places[BYTES] = {0};
    for (size_t i = 0; i < count; i++) {
        places[from[i] >> shift & (BYTES - 1)]++;
    }
    size_t place = 0;
    for (size_t byte = 0; byte < BYTES; byte++) {
        size_t keys = places[byte];
        places[byte] = place;
        place += keys;
    }
    for (size_t i = 0; i < count; i++) {
        to[places[from[i] >> shift & (BYTES - 1)]++] = from[i];
    }
}

/* By the 32 bits from `shift` on; keys that agree in them keep their order. */
static void
sort_by_half(uint64_t *keys, uint64_t *spare, size_t count, uint32_t shift)
{
    uint64_t differs = 0;
    for (size_t i = 1; i < count; i++) {
        differs |= keys[i] ^ keys[0];
    }
    uint64_t *from = keys;
    uint64_t *to = spare;
    for (uint32_t at = shift; at < shift + HALF_BITS; at += BYTE_BITS) {
        if ((differs >> at & (BYTES - 1)) != 0) {
            sort_by_byte(from, to, count, at);
            uint64_t *sorted = to;
            to = from;
            from = sorted;
        }
    }
    if (from != keys) {
        memcpy(keys, from, count * sizeof(*keys));
    }
}

static bool
in_order(const uint64_t *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (keys[i - 1] > keys[i]) {
            return false;
        }
    }
    return true;
}

void
sort_keys(uint64_t *keys, uint64_t *spare, size_t count)
{
    if (in_order(keys, count)) {
        return;
    }
    if (count <= INSERTION_MAX) {
        insertion_sort(keys, count);
        return;
    }
    sort_by_half(keys, spare, count, HALF_BITS);
    size_t end;
    for (size_t begin = 0; begin < count; begin = end) {
        end = begin + 1;
        while (end < count && keys[begin] >> HALF_BITS == keys[end] >> HALF_BITS) {
            end++;
        }
        if (end - begin <= INSERTION_MAX) {
            insertion_sort(keys + begin, end - begin);
        } else {
            sort_by_half(keys + begin, spare, end - begin, 0);
        }
    }
}
