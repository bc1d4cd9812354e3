#include "daemon/doors.h"

#include "daemon/http.h"

#include <assert.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTIONS_MAX = 512,
    IDLE_TIMEOUT_S = 60,
    API_BODY_BYTES_MAX = 32 * 1024 * 1024, /* a folder of definitions */
    API_CONNECTIONS_MAX = 64,
};

enum waiting_kind {
    WAITING_WEBHOOK,
    WAITING_ANSWER, /* of the API */
    WAITING_READ,   /* a call of the API that is to be made again */
};

/* An answer that is held back until the log has what it speaks of. */
struct waiting {
    struct waiting *next;
    struct doors *doors;
    enum waiting_kind kind;
    struct http_request *request; /* NULL: answered already, too late for the log */
    json_t *body;                 /* WAITING_ANSWER */
    unsigned status;
    int64_t deadline_us; /* WAITING_WEBHOOK */
};

struct doors {
    struct doors_options options;
    struct http_server *public_server, *api_server;
    struct waiting *first, **last; /* in order of arrival, as the log becomes durable */
    struct ev_timer overdue;
    bool log_is_slow; /* a webhook's wait ran out and the log has not caught up since */
};

static void
answer_json(struct http_request *request, unsigned status, const json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    assert(text != NULL);
    http_answer(request, status, "application/json", span_cstr(text), NULL);
    free(text);
}

static void
answer_text(struct http_request *request, unsigned status, const char *text)
{
    http_answer(request, status, "text/plain; charset=utf-8", span_cstr(text), NULL);
}

static void on_api_request(void *context, struct http_request *request);

/* ---- waiting for the log ---- */

/* Runs in the order in which waiting_add() was called: effects are a queue. */
static void
on_durable(void *context)
{
    struct waiting *waiting = context;
    struct doors *doors = waiting->doors;
    assert(doors->first == waiting);
    doors->first = waiting->next;
    if (doors->first == NULL) {
        doors->last = &doors->first;
        doors->log_is_slow = false;
    }
    if (waiting->request == NULL) {
        doors->log_is_slow = doors->first != NULL && doors->first->request == NULL;
    } else if (waiting->kind == WAITING_WEBHOOK) {
        http_answer(waiting->request, 200, "application/json", span_cstr("{}"), NULL);
    } else if (waiting->kind == WAITING_ANSWER) {
        answer_json(waiting->request, waiting->status, waiting->body);
    } else {
        on_api_request(doors, waiting->request);
    }
    json_decref(waiting->body);
    free(waiting);
}

static void
arm_overdue(struct doors *doors)
{
    const struct waiting *waiting = doors->first;
    while (waiting != NULL && (waiting->kind != WAITING_WEBHOOK || waiting->request == NULL)) {
        waiting = waiting->next;
    }
    ev_timer_stop(doors->options.loop, &doors->overdue);
    if (waiting != NULL) {
        int64_t rest_us = waiting->deadline_us - clock_mono_us();
        ev_timer_set(&doors->overdue, rest_us > 0 ? (double)rest_us / 1e6 : 0.0, 0.0);
        ev_timer_start(doors->options.loop, &doors->overdue);
    }
}

static void
on_overdue(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    struct doors *doors = timer->data;
    int64_t now_us = clock_mono_us();
    (void)loop;
    (void)events;
    for (struct waiting *waiting = doors->first; waiting != NULL; waiting = waiting->next) {
        if (waiting->kind == WAITING_WEBHOOK && waiting->request != NULL &&
            waiting->deadline_us <= now_us) {
            /* It is decided and will be remembered by its ids: LINE's next try is a duplicate. */
            webhook_count_refused(doors->options.webhook, 503);
            answer_text(waiting->request, 503, "the log is slow; send it again\n");
            waiting->request = NULL;
            doors->log_is_slow = true;
        }
    }
    arm_overdue(doors);
}

static void
waiting_add(struct doors *doors, enum waiting_kind kind, struct http_request *request,
            unsigned status, json_t *body)
{
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    assert(waiting != NULL);
    *waiting = (struct waiting){.doors = doors,
                                .kind = kind,
                                .request = request,
                                .body = body,
                                .status = status,
                                .deadline_us = clock_mono_us() + doors->options.webhook_wait_us};
    *doors->last = waiting;
    doors->last = &waiting->next;
    if (kind == WAITING_WEBHOOK && !ev_is_active(&doors->overdue)) {
        arm_overdue(doors);
    }
    core_after(doors->options.core, on_durable, waiting);
}

/* ---- the TCP door ---- */

static void
on_webhook(struct doors *doors, struct http_request *request)
{
    if (doors->log_is_slow) {
        webhook_count_refused(doors->options.webhook, 503);
        answer_text(request, 503, "the log is slow; send it again\n");
        return;
    }
    unsigned status = webhook_accept(doors->options.webhook, http_body(request),
                                     http_header(request, "x-line-signature"));
    if (status == 200) {
        waiting_add(doors, WAITING_WEBHOOK, request, status, NULL);
        return;
    }
    answer_text(request, status,
                status == 401   ? "wrong or missing signature\n"
                : status == 413 ? "too large\n"
                                : "not now; send it again\n");
}

static void
on_public_request(void *context, struct http_request *request)
{
    struct doors *doors = context;
    const char *method = http_method(request), *path = http_path(request);
    bool post = strcmp(method, "POST") == 0, get = strcmp(method, "GET") == 0;
    if (post && strcmp(path, "/webhook") == 0) {
        on_webhook(doors, request);
    } else if (get && strcmp(path, "/healthz") == 0) {
        answer_text(request, 200, "ok");
    } else {
        answer_text(request, 404, "not found\n");
    }
}

static void
on_too_large(void *context)
{
    struct doors *doors = context;
    webhook_count_refused(doors->options.webhook, 413);
}

/* ---- the API's door ---- */

struct arriving {
    struct doors *doors;
    struct http_request *request;
};

static void
on_arrived(void *context, bool arrived)
{
    struct arriving *arriving = context;
    struct api_reply reply = {0};
    if (arrived) {
        reply.status = 200;
        reply.body = api_clock(arriving->doors->options.api);
    } else {
        api_error(&reply, API_STOPPING, NULL, "the daemon stopped on the way");
    }
    answer_json(arriving->request, reply.status, reply.body);
    json_decref(reply.body);
    free(arriving);
}

static void
begin_advance(struct doors *doors, struct http_request *request, struct api_reply *reply)
{
    struct arriving *arriving = malloc(sizeof(*arriving));
    assert(arriving != NULL);
    *arriving = (struct arriving){.doors = doors, .request = request};
    if (advance_begin(doors->options.advance, reply->advance_to_ms, on_arrived, arriving) !=
        RC_OK) {
        free(arriving);
        api_error(reply, API_CONFLICT, "wait for it", "the clock is being advanced already");
        answer_json(request, reply->status, reply->body);
    }
    json_decref(reply->body);
}

static const char *
query_of(const void *context, const char *name)
{
    return http_query(context, name);
}

static void
on_api_request(void *context, struct http_request *request)
{
    struct doors *doors = context;
    struct api_reply reply = {0};
    uid_t uid;
    if (!http_peer_uid(request, &uid)) {
        api_error(&reply, API_REFUSED, NULL, "the caller is not known");
        answer_json(request, reply.status, reply.body);
        json_decref(reply.body);
        return;
    }
    const struct api_request asked = {.method = http_method(request),
                                      .path = http_path(request),
                                      .query = query_of,
                                      .query_context = request,
                                      .body = http_body(request),
                                      .uid = (uint32_t)uid};
    api_answer(doors->options.api, &asked, &reply);
    switch (reply.when) {
    case API_NOW:
        answer_json(request, reply.status, reply.body);
        json_decref(reply.body);
        return;
    case API_WHEN_DURABLE:
        waiting_add(doors, WAITING_ANSWER, request, reply.status, reply.body);
        return;
    case API_WHEN_READABLE:
        json_decref(reply.body);
        waiting_add(doors, WAITING_READ, request, 0, NULL);
        return;
    case API_WHEN_ADVANCED:
        begin_advance(doors, request, &reply);
        return;
    }
}

/* ---- opening and closing ---- */

enum rc
doors_open(const struct doors_options *options, struct doors **out_doors, const char **out_failed)
{
    struct doors *doors = calloc(1, sizeof(*doors));
    assert(doors != NULL);
    doors->options = *options;
    doors->last = &doors->first;
    ev_timer_init(&doors->overdue, on_overdue, 0.0, 0.0);
    doors->overdue.data = doors;
    const struct http_options api_options = {.unix_path = options->socket_path,
                                             .unix_mode = options->socket_mode,
                                             .body_bytes_max = API_BODY_BYTES_MAX,
                                             .connections_max = API_CONNECTIONS_MAX,
                                             .idle_timeout_s = IDLE_TIMEOUT_S,
                                             .handler = on_api_request,
                                             .context = doors};
    const struct http_options public_options = {.address = options->listen,
                                                .body_bytes_max = WEBHOOK_BYTES_MAX,
                                                .connections_max = CONNECTIONS_MAX,
                                                .idle_timeout_s = IDLE_TIMEOUT_S,
                                                .handler = on_public_request,
                                                .on_too_large = on_too_large,
                                                .context = doors};
    *out_failed = options->socket_path;
    enum rc rc = http_server_open(options->loop, &api_options, &doors->api_server);
    if (rc == RC_OK) {
        *out_failed = options->listen;
        rc = http_server_open(options->loop, &public_options, &doors->public_server);
    }
    if (rc != RC_OK) {
        doors_close(doors);
        return rc;
    }
    *out_doors = doors;
    return RC_OK;
}

void
doors_close(struct doors *doors)
{
    if (doors == NULL) {
        return;
    }
    ev_timer_stop(doors->options.loop, &doors->overdue);
    http_server_close(doors->public_server);
    http_server_close(doors->api_server);
    while (doors->first != NULL) { /* never to be durable: the servers answered them 503 */
        struct waiting *waiting = doors->first;
        doors->first = waiting->next;
        json_decref(waiting->body);
        free(waiting);
    }
    free(doors);
}

uint16_t
doors_port(const struct doors *doors)
{
    return http_server_port(doors->public_server);
}
