/* api - the HTTP API of docs/api.md without HTTP: the parts of a request in, a JSON answer out.
 *
 * Shape    one table of calls (method, path, body) in api.c; the handlers stand by subject in
 *          api_status.c, api_log.c, api_friends.c, api_release.c, api_scenarios.c, api_next.c, api_why.c,
 *          api_segments.c, api_definitions.c …
 *          A reply says when it may be given: at once, once what was decided is durable, or once the
 *          virtual clock has arrived. Calls with a body change something: they are refused while the daemon
 *          is stopping, read-only or behind with its log.
 * Units    UTC milliseconds inside; instants in the account's zone outside.
 * Errors   one form for all: {"error": {"code", "message", "hint"}} with the status of the code.
 * Owner    api_new()/api_free(); borrows everything given. The reply's body belongs to the caller.
 */
#ifndef DAEMON_API_H
#define DAEMON_API_H

#include "daemon/delivery.h"
#include "daemon/standing.h"
#include "daemon/webhook.h"
#include <jansson.h>

struct api;

struct api_options {
    struct core *core;
    struct delivery_desk *desk;
    const struct webhook *webhook;
    const struct standing *standing;
    struct zone_source zones;
};

struct api *api_new(const struct api_options *options);
void api_free(struct api *api);

struct api_request {
    const char *method;
    const char *path; /* percent-decoded, without the query */
    /* A query parameter; NULL when it was not given. */
    const char *(*query)(const void *context, const char *name);
    const void *query_context;
    struct span body;
    uint32_t uid; /* who the kernel says is calling: the author of what changes */
};

enum api_when {
    API_NOW,
    API_WHEN_DURABLE,  /* something was decided: answer from core_after() */
    API_WHEN_READABLE, /* it wants to read what is not durable yet: ask again from core_after() */
    API_WHEN_ADVANCED, /* the clock is to go to advance_to_ms first; the body is then api_clock() */
};

struct api_reply {
    unsigned status;
    enum api_when when;
    int64_t advance_to_ms;
    json_t *body;
};

void api_answer(struct api *api, const struct api_request *request, struct api_reply *out_reply);

/* {"now","now_ms","virtual"}: what GET /v1/clock answers. */
json_t *api_clock(const struct api *api);

/* An error in the one form; for doors that must refuse without the API. */
enum api_error_code {
    API_INVALID,
    API_REFUSED,
    API_NOT_FOUND,
    API_CONFLICT,
    API_TOO_LARGE,
    API_FAILED,
    API_NOT_YET,
    API_STOPPING,
    API_READ_ONLY,
    API_BUSY,
};
void api_error(struct api_reply *reply, enum api_error_code code, const char *hint,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
