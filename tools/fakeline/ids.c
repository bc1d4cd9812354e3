#include "tools/fakeline/ids.h"

#include <inttypes.h>
#include <stdio.h>

void
ids_request(struct ids *ids, char out[REQUEST_ID_BYTES])
{
    uint64_t run = ids->run;
    snprintf(out, REQUEST_ID_BYTES, "%08x-%04x-4%03x-8%03x-%012" PRIx64, (unsigned)(run >> 32),
             (unsigned)(run >> 16) & 0xffffU, (unsigned)(run >> 4) & 0xfffU, (unsigned)run & 0xfU,
             ++ids->next & UINT64_C(0xffffffffffff));
}

/* Crockford's base 32, most significant digit first. */
static void
base32(uint64_t value, char *out, int digits)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = alphabet[value % 32];
        value /= 32;
    }
}

void
ids_event(struct ids *ids, int64_t at_ms, char out[EVENT_ID_BYTES])
{
    base32((uint64_t)at_ms & UINT64_C(0xffffffffffff), out, 10);
    base32(ids->run, out + 10, 8);
    base32(++ids->next, out + 18, 8);
    out[26] = '\0';
}

void
ids_token(struct ids *ids, char out[TOKEN_BYTES])
{
    snprintf(out, TOKEN_BYTES, "%016" PRIx64 "%016" PRIx64, ids->run, ++ids->next);
}

void
ids_message(struct ids *ids, char out[MESSAGE_ID_BYTES])
{
    uint64_t base = UINT64_C(461000000000000000) + ids->run % 1000000 * UINT64_C(1000000000);
    snprintf(out, MESSAGE_ID_BYTES, "%" PRIu64, base + ++ids->next);
}
