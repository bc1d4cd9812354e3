/* clock - the one place that knows what time it is.
 *
 * Shape    real: the wall clock through a guard that never runs backwards. Virtual: an instant that
 *          stands still until somebody moves it forward (DESIGN 8). Every wait of the daemon is on
 *          this clock; only request deadlines and the watchdog use clock_mono_us().
 * Units    UTC milliseconds; monotonic microseconds.
 * Errors   clock_set() refuses to go back and refuses on a real clock.
 * Owner    the caller embeds the struct.
 */
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include "engine/base/rc.h"
#include <stdbool.h>
#include <stdint.h>

struct clock {
    bool virtual_time;
    int64_t now_ms; /* virtual: the time; real: the latest reading */
};

void clock_init_real(struct clock *clock);
void clock_init_virtual(struct clock *clock, int64_t now_ms);

/* Real: reads the wall clock (not below the last reading). Virtual: the instant it stands at. */
int64_t clock_now_ms(struct clock *clock);

/* The wall clock itself, unguarded: for noticing that it went back. */
int64_t clock_wall_ms(void);

MUST_USE enum rc clock_set(struct clock *clock, int64_t now_ms);

int64_t clock_mono_us(void);

#endif
