/* random - the system's random bytes: run ids, salts, jitter.
 *
 * Shape    has the form of core_options.random, so that a test can put its own in this place.
 * Units    bytes.
 * Errors   none: the system has always some once it has started.
 * Owner    the caller's bytes.
 */
#ifndef DAEMON_RANDOM_H
#define DAEMON_RANDOM_H

#include <stddef.h>

void random_draw(void *context, void *out, size_t bytes);

#endif
