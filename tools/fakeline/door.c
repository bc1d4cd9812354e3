#include "tools/fakeline/door.h"

#include "daemon/clock.h"
#include "daemon/http.h"
#include "proto/signature.h"
#include "tools/common/exchange.h"
#include "tools/fakeline/line_api.h"
#include "tools/fakeline/poster.h"
#include "tools/fakeline/webhook_events.h"

#include <assert.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BODY_BYTES_MAX = 16 * 1024 * 1024, CONNECTIONS_MAX = 4096, IDLE_TIMEOUT_S = 600 };

#define CONTROL_PATH "/fakeline/"
#define USERS_PATH "/fakeline/users/"

/* A request whose answer waits: for a delay, for the receiver of a webhook, or for ever. */
struct waiting {
    struct door *door;
    struct waiting *next, **link;
    struct http_request *request;
    struct ev_timer timer;
    struct api_answer answer; /* delayed */
    json_t *events;           /* of a webhook on its way */
};

struct door {
    struct ev_loop *loop;
    struct platform *platform;
    struct http_server *server;
    struct poster *poster;
    struct waiting *waiting;
    FILE *record;
};

static struct waiting *
waiting_new(struct door *door, struct http_request *request)
{
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    assert(waiting != NULL);
    *waiting = (struct waiting){
        .door = door, .request = request, .next = door->waiting, .link = &door->waiting};
    if (waiting->next != NULL) {
        waiting->next->link = &waiting->next;
    }
    door->waiting = waiting;
    ev_timer_init(&waiting->timer, NULL, 0.0, 0.0);
    return waiting;
}

static void
waiting_free(struct waiting *waiting)
{
    ev_timer_stop(waiting->door->loop, &waiting->timer);
    *waiting->link = waiting->next;
    if (waiting->next != NULL) {
        waiting->next->link = waiting->link;
    }
    json_decref(waiting->answer.body);
    json_decref(waiting->events);
    free(waiting);
}

/* ---- the clock ---- */

static int64_t
wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t
now_of(const struct http_request *request)
{
    const char *text = http_header(request, "X-Stepd-Time");
    char *end = NULL;
    long long now_ms = text == NULL ? 0 : strtoll(text, &end, 10);
    return text != NULL && end != text && *end == '\0' ? now_ms : clock_wall_ms();
}

/* ---- LINE's side ---- */

static void
answer_json(struct http_request *request, unsigned status, const json_t *body,
            const char *const *headers)
{
    char *text = json_dumps(body, JSON_COMPACT);
    assert(text != NULL);
    http_answer(request, status, "application/json", span_cstr(text), headers);
    free(text);
}

static void
answer_as_line(struct http_request *request, const struct api_answer *answer)
{
    const char *headers[] = {"x-line-request-id", answer->request_id, NULL, NULL, NULL};
    if (answer->accepted_request_id[0] != '\0') {
        headers[2] = "x-line-accepted-request-id";
        headers[3] = answer->accepted_request_id;
    }
    answer_json(request, answer->status, answer->body, headers);
}

static void
finish(struct http_request *request, const struct api_answer *answer)
{
    switch (answer->fault.kind) {
    case FAULT_RESET:
    case FAULT_RESET_AFTER_ACCEPT:
        http_reset(request);
        break;
    case FAULT_NONE:
    case FAULT_STATUS:
    case FAULT_DELAY:
    case FAULT_STALL_AFTER_ACCEPT:
        answer_as_line(request, answer);
        break;
    }
}

static void
on_delay_over(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    struct waiting *waiting = timer->data;
    (void)loop;
    (void)events;
    finish(waiting->request, &waiting->answer);
    waiting_free(waiting);
}

static void
serve_line(struct door *door, struct http_request *request)
{
    const struct api_call call = {.method = http_method(request),
                                  .path = http_path(request),
                                  .authorization = http_header(request, "Authorization"),
                                  .content_type = http_header(request, "Content-Type"),
                                  .retry_key = http_header(request, "X-Line-Retry-Key"),
                                  .body = http_body(request),
                                  .now_ms = now_of(request),
                                  .now_us = wall_us()};
    struct api_answer answer;
    line_api_answer(door->platform, &call, &answer);
    if (door->record != NULL) {
        const struct exchange exchange = {.method = call.method,
                                          .path = call.path,
                                          .retry_key = span_cstr(call.retry_key),
                                          .body = call.body,
                                          .status = answer.status,
                                          .answer = answer.body};
        exchange_write(door->record, &exchange);
    }
    bool stalls = answer.fault.kind == FAULT_STALL_AFTER_ACCEPT;
    if (!stalls && answer.fault.delay_ms == 0) {
        finish(request, &answer);
        json_decref(answer.body);
        return;
    }
    struct waiting *waiting = waiting_new(door, request);
    waiting->answer = answer;
    if (!stalls) {
        ev_timer_init(&waiting->timer, on_delay_over, (double)answer.fault.delay_ms / 1000.0, 0.0);
        waiting->timer.data = waiting;
        /* libev counts from its own idea of now, which may be a pass old. */
        ev_now_update(door->loop);
        ev_timer_start(door->loop, &waiting->timer);
    }
}

/* ---- fakeline's own calls ---- */

static void
answer_problem(struct http_request *request, unsigned status, const char *code, const char *message)
{
    json_t *body = json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", message);
    answer_json(request, status, body, NULL);
    json_decref(body);
}

static void
answer_ok(struct http_request *request)
{
    http_answer(request, 200, "application/json", span_cstr("{}"), NULL);
}

static json_t *
body_of(const struct http_request *request)
{
    struct span body = http_body(request);
    return json_loadb((const char *)body.data, body.len, JSON_ALLOW_NUL, NULL);
}

static void
serve_rows(const struct rows *rows, const char *name, struct http_request *request)
{
    const char *after = http_query(request, "after");
    struct buf text = {0};
    rows_list(rows, after == NULL ? 0 : strtoull(after, NULL, 10), name, &text);
    http_answer(request, 200, "application/json", buf_span(&text), NULL);
    buf_fini(&text);
}

static void
serve_accepted(struct door *door, struct http_request *request)
{
    serve_rows(accepted_rows(door->platform->accepted), "accepted", request);
}

static void
serve_requests(struct door *door, struct http_request *request)
{
    serve_rows(&door->platform->requests, "requests", request);
}

static void
serve_add_fault(struct door *door, struct http_request *request)
{
    const char *problem = NULL;
    json_t *fault = body_of(request);
    if (faults_add(door->platform->faults, fault, &problem) == RC_OK) {
        answer_ok(request);
    } else {
        answer_problem(request, 400, "invalid", problem);
    }
    json_decref(fault);
}

static void
serve_clear_faults(struct door *door, struct http_request *request)
{
    faults_clear(door->platform->faults);
    answer_ok(request);
}

static void
serve_user(struct door *door, struct http_request *request)
{
    const char *problem = NULL;
    const char *id = http_path(request) + strlen(USERS_PATH);
    json_t *declaration = body_of(request);
    if (users_declare(door->platform->users, id, declaration, &problem) == RC_OK) {
        answer_ok(request);
    } else {
        answer_problem(request, 400, "invalid", problem);
    }
    json_decref(declaration);
}

static void
serve_reset(struct door *door, struct http_request *request)
{
    /* What stalls has been forgotten too; its caller learns it by a reset. */
    struct waiting *next = NULL;
    for (struct waiting *waiting = door->waiting; waiting != NULL; waiting = next) {
        next = waiting->next;
        if (waiting->events == NULL) {
            http_reset(waiting->request);
            waiting_free(waiting);
        }
    }
    platform_reset(door->platform);
    answer_ok(request);
}

static void
on_webhook_answered(void *context, long status, const char *error)
{
    struct waiting *waiting = context;
    if (status == 0) {
        answer_problem(waiting->request, 502, "unreachable", error);
    } else {
        json_t *body =
            json_pack("{s:I,s:O}", "status", (json_int_t)status, "events", waiting->events);
        answer_json(waiting->request, 200, body, NULL);
        json_decref(body);
    }
    waiting_free(waiting);
}

static void
serve_webhook(struct door *door, struct http_request *request)
{
    json_t *command = body_of(request);
    const char *url = json_string_value(json_object_get(command, "url"));
    const json_t *time = json_object_get(command, "time_ms");
    const char *problem = "url is the address of stepd's webhook";
    struct buf body = {0};
    json_t *events = NULL;
    int64_t now_ms = json_is_integer(time) ? json_integer_value(time) : clock_wall_ms();
    if (url == NULL ||
        webhook_body_make(door->platform, command, now_ms, &body, &events, &problem) != RC_OK) {
        answer_problem(request, 400, "invalid", problem);
        goto done;
    }
    bool bad = json_is_true(json_object_get(command, "bad_signature"));
    char signature[SIGNATURE_TEXT_BYTES];
    signature_make(span_cstr(bad ? "somebody else's secret" : door->platform->secret),
                   buf_span(&body), signature);
    struct waiting *waiting = waiting_new(door, request);
    waiting->events = events;
    poster_post(door->poster, url, signature, buf_span(&body), on_webhook_answered, waiting);

done:
    buf_fini(&body);
    json_decref(command);
}

static const struct control {
    const char *method, *path;
    void (*serve)(struct door *door, struct http_request *request);
} controls[] = {
    {"GET", "/fakeline/accepted", serve_accepted},
    {"GET", "/fakeline/requests", serve_requests},
    {"POST", "/fakeline/webhook", serve_webhook},
    {"POST", "/fakeline/faults", serve_add_fault},
    {"DELETE", "/fakeline/faults", serve_clear_faults},
    {"POST", "/fakeline/reset", serve_reset},
};

static void
on_request(void *context, struct http_request *request)
{
    struct door *door = context;
    const char *path = http_path(request);
    if (strncmp(path, CONTROL_PATH, strlen(CONTROL_PATH)) != 0) {
        serve_line(door, request);
        return;
    }
    for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
        if (strcmp(path, controls[i].path) == 0 &&
            strcmp(http_method(request), controls[i].method) == 0) {
            controls[i].serve(door, request);
            return;
        }
    }
    if (strncmp(path, USERS_PATH, strlen(USERS_PATH)) == 0 &&
        strcmp(http_method(request), "POST") == 0) {
        serve_user(door, request);
        return;
    }
    answer_problem(request, 404, "not_found", "fakeline has no such call; see docs/api.md");
}

enum rc
door_open(struct ev_loop *loop, struct platform *platform, uint16_t port, FILE *record,
          struct door **out_door)
{
    char address[32];
    snprintf(address, sizeof(address), "127.0.0.1:%u", port);
    struct door *door = calloc(1, sizeof(*door));
    assert(door != NULL);
    *door = (struct door){.loop = loop, .platform = platform, .record = record};
    const struct http_options options = {.address = address,
                                         .body_bytes_max = BODY_BYTES_MAX,
                                         .connections_max = CONNECTIONS_MAX,
                                         .idle_timeout_s = IDLE_TIMEOUT_S,
                                         .handler = on_request,
                                         .context = door};
    enum rc rc = http_server_open(loop, &options, &door->server);
    if (rc != RC_OK) {
        free(door);
        return rc;
    }
    door->poster = poster_new(loop);
    *out_door = door;
    return RC_OK;
}

void
door_close(struct door *door)
{
    if (door == NULL) {
        return;
    }
    poster_free(door->poster);
    while (door->waiting != NULL) {
        waiting_free(door->waiting); /* the server answers their requests */
    }
    http_server_close(door->server);
    free(door);
}

uint16_t
door_port(const struct door *door)
{
    return http_server_port(door->server);
}
