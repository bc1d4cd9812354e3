/* line_endpoint - LINE's endpoints as the daemon uses them: where, how, how often (FACTS 2, 4).
 *
 * Shape    one table, one row an endpoint; the client, pacing and the tests read it.
 * Units    requests a second, as LINE allows them to a channel.
 * Errors   none.
 * Owner    constants.
 */
#ifndef DAEMON_LINE_ENDPOINT_H
#define DAEMON_LINE_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

enum line_endpoint {
    LINE_PUSH,
    LINE_MULTICAST,
    LINE_REPLY,
    LINE_PROFILE,     /* of one user */
    LINE_BOT_INFO,    /* who the channel's bot is */
    LINE_QUOTA,       /* messages a month */
    LINE_CONSUMPTION, /* and how many of them are used */
    LINE_ENDPOINT_COUNT,
};

struct line_endpoint_row {
    const char *name; /* "push": in settings, status and messages */
    const char *path; /* a user id follows where it ends in '/' */
    bool post;        /* with a JSON body; else GET */
    bool keyed;       /* takes a retry key; elsewhere LINE answers 400 to one (FACTS 2.3) */
    uint32_t per_second;
};

extern const struct line_endpoint_row line_endpoints[LINE_ENDPOINT_COUNT];

#endif
