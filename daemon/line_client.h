/* line_client - requests to LINE: one call a request, one answer a call, whatever the transport.
 *
 * Shape    an interface with two makers: over libcurl (line_client_curl.h) and scripted, for rehearsals.
 *          The client sends what it is given and reports what came back; keys, retries, pacing
 *          and meaning are delivery's (daemon/delivery.h).
 * Units    HTTP status codes; deadlines are real time, inside the client.
 * Errors   reported in the answer: a status, or status 0 with what became of the bytes.
 * Owner    the request is copied by send(); the answer is borrowed for the callback. done() is called
 *          exactly once for every send(), never from within send() itself.
 */
#ifndef DAEMON_LINE_CLIENT_H
#define DAEMON_LINE_CLIENT_H

#include "daemon/line_endpoint.h"
#include "engine/base/span.h"

struct line_request {
    enum line_endpoint endpoint;
    struct span body;      /* of endpoints that are posted to */
    struct span user_id;   /* PROFILE */
    struct span retry_key; /* of endpoints that take one */
    int64_t now_ms;        /* the daemon's clock; sent along as a header when it is virtual */
};

enum line_transport {
    LINE_ANSWERED,  /* status is LINE's */
    LINE_NOT_SENT,  /* the connection was refused: nothing can have reached LINE */
    LINE_UNCERTAIN, /* sent, perhaps in part, and no whole answer: time-out, reset */
};

struct line_answer {
    enum line_transport transport;
    uint32_t status;
    struct span body;
    struct span request_id;          /* x-line-request-id */
    struct span accepted_request_id; /* x-line-accepted-request-id of a 409 */
    int64_t retry_after_s;           /* -1: not given (LINE documents none) */
    const char *error;               /* for people, when not ANSWERED */
};

typedef void (*line_done_fn)(void *context, const struct line_answer *answer);

struct line_client {
    void (*send)(struct line_client *client, const struct line_request *request, line_done_fn done,
                 void *context);
    void (*free)(struct line_client *client);
};

#endif
