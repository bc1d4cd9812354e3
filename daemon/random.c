#include "daemon/random.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/random.h>
#include <sys/types.h>

void
random_draw(void *context, void *out, size_t bytes)
{
    (void)context;
    uint8_t *at = out;
    while (bytes > 0) {
        ssize_t drawn = getrandom(at, bytes, 0);
        if (drawn < 0) {
            assert(errno == EINTR); /* it cannot fail otherwise once the kernel has started */
            continue;
        }
        at += drawn;
        bytes -= (size_t)drawn;
    }
}
