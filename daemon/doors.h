/* doors - the two HTTP doors: POST /webhook and /healthz on TCP, the API on the Unix socket.
 *
 * Shape    each request goes to webhook.h or api.h and its answer is held back until what was decided is
 *          durable, a call that reads what is not durable yet until it is. A webhook that would wait longer
 *          than 1.5 s is answered 503, and so are all that come while such a wait lasts: LINE waits two
 *          seconds and then sends it again (SPEC R41).
 * Units    microseconds of the monotonic clock for that deadline.
 * Errors   RC_… of http_server_open() on open; *out_failed is the address or path.
 * Owner    doors_open()/doors_close(); borrows all it is given. Close it before the core.
 */
#ifndef DAEMON_DOORS_H
#define DAEMON_DOORS_H

#include "daemon/advance.h"
#include "daemon/api.h"

struct ev_loop;
struct doors;

struct doors_options {
    struct ev_loop *loop;
    struct core *core;
    struct api *api;
    struct webhook *webhook;
    struct advance *advance;
    const struct standing *standing;
    const char *listen;      /* TCP address */
    const char *socket_path; /* of the API */
    unsigned socket_mode;
    int64_t webhook_wait_us; /* DOORS_WEBHOOK_WAIT_US; tests wait less */
};
#define DOORS_WEBHOOK_WAIT_US INT64_C(1500000) /* SPEC R41 */

MUST_USE enum rc doors_open(const struct doors_options *options, struct doors **out_doors,
                            const char **out_failed);
void doors_close(struct doors *doors);
uint16_t doors_port(const struct doors *doors); /* the TCP port in use */

#endif
