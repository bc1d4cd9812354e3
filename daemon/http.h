/* http - the HTTP server: bodies in, answers out, one listening socket a server.
 *
 * Shape    a server on either a TCP address or a Unix socket calls one handler a request, with method, path,
 *          headers and the whole body. The handler answers at once with http_answer() or keeps the
 *          request and answers later, from the loop. libmicrohttpd stays behind this header. The framing guard
 *          refuses (400, connection closed): both Content-Length and Transfer-Encoding, several of either,
 *          any coding but chunked, header names that are no tokens, and an encoded NUL in the target.
 * Units    bytes; timeouts in seconds of real time.
 * Errors   RC_EXISTS (in use), RC_INVALID (no address), RC_REFUSED, RC_IO on open. Oversized bodies
 *          are answered 413; one that goes on for twice the limit after that is cut off.
 * Owner    requests belong to the server; a pointer is valid until answered. The body is borrowed until
 *          then. http_server_close() ends all open requests with 503: their pointers are dead. A client that
 *          went away changes nothing for the handler: it answers, and nobody hears it.
 */
#ifndef DAEMON_HTTP_H
#define DAEMON_HTTP_H

#include "engine/base/rc.h"
#include "engine/base/span.h"
#include <sys/types.h>

struct ev_loop;
struct http_server;
struct http_request;

typedef void (*http_handler_fn)(void *context, struct http_request *request);

struct http_options {
    const char *address; /* TCP: "127.0.0.1:8080", "[::1]:8080", port 0: any free one; NULL: none */
    const char *unix_path; /* Unix socket: the path; NULL: none. A stale socket file is replaced */
    unsigned unix_mode;    /* e.g. 0660 */
    size_t body_bytes_max; /* larger: 413 */
    unsigned connections_max;
    unsigned idle_timeout_s;
    http_handler_fn handler;
    void (*on_too_large)(void *context); /* a request was answered 413; may be NULL */
    void *context;
};

MUST_USE enum rc http_server_open(struct ev_loop *loop, const struct http_options *options,
                                  struct http_server **out_server);
void http_server_close(struct http_server *server);
uint16_t http_server_port(const struct http_server *server); /* the TCP port in use */

const char *http_method(const struct http_request *request);
const char *http_path(const struct http_request *request); /* without the query, percent-decoded */
/* NULL when there is no such header or query parameter. */
const char *http_header(const struct http_request *request, const char *name);
const char *http_query(const struct http_request *request, const char *name);
struct span http_body(const struct http_request *request);
/* Unix socket: who the kernel says is calling. False on TCP. */
bool http_peer_uid(const struct http_request *request, uid_t *out_uid);

/* Answers and ends the request. body is copied. headers: NULL or pairs, ended by NULL. */
void http_answer(struct http_request *request, unsigned status, const char *content_type,
                 struct span body, const char *const *headers);
/* For tools that play a faulty server: closes the connection without an answer. */
void http_reset(struct http_request *request);

#endif
