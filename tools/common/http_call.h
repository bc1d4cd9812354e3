/* http_call - one JSON request and its answer, over a Unix socket or plain http to loopback.
 *
 * Shape    a blocking call by libcurl: the tools do one thing after another.
 * Units    HTTP status codes; seconds of real time for the deadline.
 * Errors   RC_NOT_FOUND: nobody listens there; RC_REFUSED: the socket may not be opened; RC_IO: the
 *          connection broke or timed out; RC_CORRUPT: an answer that is no JSON. out_error has the words.
 * Owner    the caller owns the answer (json_decref) and the buffer.
 */
#ifndef TOOLS_COMMON_HTTP_CALL_H
#define TOOLS_COMMON_HTTP_CALL_H

#include "engine/base/buf.h"
#include <jansson.h>

struct http_call {
    const char *socket_path; /* NULL: connect to the URL's host */
    const char *method;      /* "GET", "POST", "DELETE" */
    const char *url;         /* "http://stepd/v1/status" */
    const json_t *body;      /* NULL: none */
    long deadline_s;         /* 0: wait as long as it takes */
};

/* RC_OK for every whole answer, whatever its status. *out_json is NULL for an empty body. */
MUST_USE enum rc http_call(const struct http_call *call, unsigned *out_status, json_t **out_json,
                           struct buf *out_error);

/* Appends a path segment or query value with what URLs reserve percent-encoded. */
void url_append_encoded(struct buf *url, struct span text);

#endif
