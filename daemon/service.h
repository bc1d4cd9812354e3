/* service - what the service manager is told: ready, stopping, alive, and one line of status.
 *
 * Shape    sd_notify(3) where libsystemd was found when stepd was built; otherwise every call does nothing.
 * Units    milliseconds of real time.
 * Errors   none: a manager that does not listen is no reason to stop.
 * Owner    nothing.
 */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

/* True when a manager asked to be told. */
bool service_supervised(void);

void service_ready(void);
void service_stopping(void);

/* Shown by `systemctl status`. Control characters become blanks. */
void service_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often service_alive() is to be called, half the manager's patience; 0: there is no watchdog. */
int64_t service_watchdog_ms(void);
void service_alive(void);

#endif
