#include "daemon/service.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef STEPD_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#else
static int
sd_notify(int unset_environment, const char *state)
{
    (void)unset_environment;
    (void)state;
    return 0;
}

static int
sd_watchdog_enabled(int unset_environment, uint64_t *usec)
{
    (void)unset_environment;
    (void)usec;
    return 0;
}
#endif

bool
service_supervised(void)
{
#ifdef STEPD_HAVE_SYSTEMD
    return getenv("NOTIFY_SOCKET") != NULL;
#else
    return false;
#endif
}

void
service_ready(void)
{
    sd_notify(0, "READY=1");
}

void
service_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void
service_status(const char *format, ...)
{
    char message[512] = "STATUS=";
    const size_t prefix_len = sizeof("STATUS=") - 1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message + prefix_len, sizeof(message) - prefix_len, format, arguments);
    va_end(arguments);
    for (char *at = message; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            *at = ' '; /* a line break would begin another message to the manager */
        }
    }
    sd_notify(0, message);
}

int64_t
service_watchdog_ms(void)
{
    uint64_t patience_us = 0;
    if (sd_watchdog_enabled(0, &patience_us) <= 0) {
        return 0;
    }
    int64_t half_ms = (int64_t)(patience_us / 2000);
    return half_ms > 0 ? half_ms : 1;
}

void
service_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}
