/* line_client_curl - the line_client over libcurl's multi interface on the libev loop.
 *
 * Shape    keep-alive connections, HTTP/1.1, no redirects, no proxies, answers capped at 2 MB, TLS 1.2 or
 *          newer and verified (https only, unless the host is loopback: fakeline); an own deadline a
 *          request, since libcurl's may not fire. Requests over connections_max wait inside, their
 *          deadline running. libcurl repeats a push by itself when a kept connection turns out
 *          to be dead (the retry key makes that safe), but never a reply.
 *          The process must ignore SIGPIPE: writes of the TLS library may raise it.
 * Units    milliseconds of real time.
 * Errors   as line_client.h. NOT_SENT only where no byte of the request was handed to the connection;
 *          an answer that is cut, too large or late is UNCERTAIN. RC_INVALID for a base URL that
 *          line_url_allowed() refuses, and for a token that cannot stand in a header.
 * Owner    line_client->free() cancels what is open without calling back; not from within done().
 */
#ifndef DAEMON_LINE_CLIENT_CURL_H
#define DAEMON_LINE_CLIENT_CURL_H

#include "daemon/line_client.h"
#include "engine/base/rc.h"

struct ev_loop;

struct line_client_curl_options {
    const char *base_url; /* https://api.line.me */
    const char *token;    /* channel access token; copied */
    bool virtual_time;    /* send X-Stepd-Time: the request's now_ms, for fakeline (DESIGN 8) */
    unsigned connections_max;
    int64_t connect_timeout_ms, deadline_ms;
};

MUST_USE enum rc line_client_curl_new(struct ev_loop *loop,
                                      const struct line_client_curl_options *options,
                                      struct line_client **out_client);

#endif
