/* A zone file is read or refused; what was read answers for any instant. */
#include "proto/tzif.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone *zone = NULL;
    if (tzif_parse(span_of(data, size), "Test/Zone", &zone) == RC_OK) {
        static const int64_t instants[] = {-2208988800000, 0, 1780272000000, 7258118400000};
        for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++) {
            (void)civil_local(zone, instants[i]);
        }
        tzif_free(zone);
    }
    return 0;
}
