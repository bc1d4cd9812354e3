#include "daemon/clock.h"

#include <time.h>

int64_t
clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_mono_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
clock_init_real(struct clock *clock)
{
    *clock = (struct clock){.now_ms = clock_wall_ms()};
}

void
clock_init_virtual(struct clock *clock, int64_t now_ms)
{
    *clock = (struct clock){.virtual_time = true, .now_ms = now_ms};
}

int64_t
clock_now_ms(struct clock *clock)
{
    if (!clock->virtual_time) {
        int64_t wall_ms = clock_wall_ms();
        if (wall_ms > clock->now_ms) {
            clock->now_ms = wall_ms;
        }
    }
    return clock->now_ms;
}

enum rc
clock_set(struct clock *clock, int64_t now_ms)
{
    if (!clock->virtual_time || now_ms < clock->now_ms) {
        return RC_REFUSED;
    }
    clock->now_ms = now_ms;
    return RC_OK;
}
