/* fixture - a daemon without sockets: core over a log in memory, a LINE that answers as told, the webhook
 * and the API called directly.
 *
 * Shape    fixture_pass() is one pass of the loop; fixture_settle() runs passes and LINE's answers until
 *          nothing moves any more.
 * Units    UTC milliseconds on a virtual clock that begins at FIXTURE_START_MS, 2026-06-01 10:00 in Tokyo.
 * Errors   a Check failure.
 * Owner    fixture_open() in a checked fixture, fixture_close() in its teardown; fixture_start() and
 *          fixture_kill() in between, for lives of one data directory.
 */
#ifndef TESTS_DAEMON_FIXTURE_H
#define TESTS_DAEMON_FIXTURE_H

#include "daemon/advance.h"
#include "daemon/api.h"
#include "daemon/erasing.h"
#include "daemon/zones.h"
#include "proto/signature.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE_START_MS INT64_C(1780275600000)
#define FIXTURE_SECRET "a secret of the tests"
#define FIXTURE_BOT "U00000000000000000000000000000b07"

enum { CALLS_MAX = 64 };

struct fixture_call { /* a request that LINE has not answered yet */
    enum line_endpoint endpoint;
    char body[1000];
    line_done_fn done;
    void *context;
};

struct fixture {
    struct line_client client; /* first: send() casts back */
    struct fixture_call calls[CALLS_MAX];
    uint32_t call_count;
    uint32_t push_count, reply_count; /* ever asked for */
    uint32_t status;                  /* what LINE answers: 200 */
    bool silent;                      /* LINE answers nothing */
    uint32_t accepted_count;          /* pushes that LINE took: requests with a key, answered 200 */
    char last_body[1000];
    struct clock clock;
    struct zones *zones;
    struct core *core;
    struct delivery_desk *desk;
    struct standing standing;
    struct webhook *webhook;
    struct api *api;
    struct advance advance;
    bool arrived;
    uint8_t random;
    uint32_t uid;
    const char *query_name, *query_value;
    const char *queries[6][2]; /* more of them; ended by NULL */
    uint32_t webhook_number;
};

static struct fixture fixture;

static inline void
fixture_random(void *context, void *out, size_t bytes)
{
    struct fixture *f = context;
    memset(out, ++f->random, bytes);
}

static inline void
fixture_send(struct line_client *client, const struct line_request *request, line_done_fn done,
             void *context)
{
    struct fixture *f = (struct fixture *)client;
    ck_assert_uint_lt(f->call_count, CALLS_MAX);
    struct fixture_call *call = &f->calls[f->call_count++];
    *call = (struct fixture_call){.endpoint = request->endpoint, .done = done, .context = context};
    snprintf(call->body, sizeof(call->body), "%.*s", span_fmt(request->body));
    f->push_count += line_endpoints[request->endpoint].keyed ? 1 : 0;
    f->reply_count += request->endpoint == LINE_REPLY ? 1 : 0;
    if (line_endpoints[request->endpoint].post) {
        memcpy(f->last_body, call->body, sizeof(f->last_body));
    }
}

static inline void
fixture_client_free(struct line_client *client)
{
    (void)client;
}

/* With this log, which is taken, in a directory that the daemon believes to be at `path` on the machine
 * that `machine_id` names (NULL: this one). */
static inline void
fixture_start_with(struct log *log, const char *path, const char *machine_id)
{
    struct fixture *f = &fixture;
    const struct core_options core_options = {.log = log,
                                              .clock = &f->clock,
                                              .zones = zones_source(f->zones),
                                              .directory = path,
                                              .machine_id = machine_id,
                                              .random = fixture_random,
                                              .random_context = f};
    ck_assert_int_eq(core_open(&core_options, &f->core), RC_OK);
    const struct delivery_options desk_options = {
        .core = f->core, .client = &f->client, .in_flight_max = 32, .jitter_seed = 7};
    f->desk = delivery_new(&desk_options);
    delivery_resume(f->desk);
    snprintf(f->standing.bot_user_id, sizeof(f->standing.bot_user_id), "%s", FIXTURE_BOT);
    f->webhook = webhook_new(f->core, &f->standing, span_cstr(FIXTURE_SECRET));
    const struct api_options api_options = {.core = f->core,
                                            .desk = f->desk,
                                            .webhook = f->webhook,
                                            .standing = &f->standing,
                                            .zones = zones_source(f->zones)};
    f->api = api_new(&api_options);
    advance_init(&f->advance, f->core, f->desk);
}

/* Ends as kill -9 would: nothing more is decided. LINE's open answers are never heard. */
static inline void
fixture_kill(void)
{
    struct fixture *f = &fixture;
    f->call_count = 0;
    api_free(f->api);
    webhook_free(f->webhook);
    delivery_free(f->desk);
    core_close(f->core);
}

static inline void
fixture_begin(void)
{
    fixture = (struct fixture){.status = 200, .uid = 4321};
    struct fixture *f = &fixture;
    f->client = (struct line_client){.send = fixture_send, .free = fixture_client_free};
    clock_init_virtual(&f->clock, FIXTURE_START_MS);
    f->zones = zones_new(NULL);
}

/* Over the log in `directory`; NULL: in memory. */
static inline void
fixture_start(const char *directory, const char *path, const char *machine_id)
{
    struct log *log = NULL;
    const struct log_options log_options = {.mode = LOG_CLAIM, .now_ms = FIXTURE_START_MS};
    ck_assert_int_eq(log_open(directory, &log_options, &log), RC_OK);
    fixture_start_with(log, path, machine_id);
}

/* With this log, which is taken. */
static inline void
fixture_open_with(struct log *log)
{
    fixture_begin();
    fixture_start_with(log, "", NULL);
}

static inline void
fixture_open(void)
{
    fixture_begin();
    fixture_start(NULL, "", NULL);
}

static inline void
fixture_close(void)
{
    fixture_kill();
    zones_free(fixture.zones);
}

/* One pass of the loop; true when it wants to be run again. */
static inline bool
fixture_pass(struct fixture *f)
{
    bool more = delivery_pump(f->desk);
    more = erasing_pump(f->core) || more;
    ck_assert_int_eq(core_flush(f->core), RC_OK);
    return more || advance_pass(&f->advance);
}

/* LINE answers all that is open; what that causes is asked for in the next pass. */
static inline bool
fixture_answer(struct fixture *f)
{
    struct fixture_call calls[CALLS_MAX];
    uint32_t count = f->call_count;
    memcpy(calls, f->calls, count * sizeof(calls[0]));
    f->call_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct line_answer answer = {.transport = f->silent ? LINE_UNCERTAIN : LINE_ANSWERED,
                                           .status = f->silent ? 0 : f->status,
                                           .body = span_cstr("{}"),
                                           .request_id = span_cstr("request-1"),
                                           .retry_after_s = -1};
        bool taken = !f->silent && f->status == 200 && line_endpoints[calls[i].endpoint].keyed;
        f->accepted_count += taken ? 1 : 0;
        calls[i].done(calls[i].context, &answer);
    }
    return count > 0;
}

static inline void
fixture_settle(struct fixture *f)
{
    bool again = true;
    for (int i = 0; again; i++) {
        ck_assert_msg(i < 20000, "the daemon never comes to rest");
        again = fixture_pass(f);
        again = fixture_answer(f) || again;
    }
}

static inline const char *
fixture_query(const void *context, const char *name)
{
    const struct fixture *f = context;
    for (size_t i = 0; i < 6 && f->queries[i][0] != NULL; i++) {
        if (strcmp(name, f->queries[i][0]) == 0) {
            return f->queries[i][1];
        }
    }
    bool asked = f->query_name != NULL && strcmp(name, f->query_name) == 0;
    return asked ? f->query_value : NULL;
}

static inline void
fixture_arrived(void *context, bool arrived)
{
    struct fixture *f = context;
    f->arrived = arrived;
}

/* Calls the API and runs passes until it may answer. The result is the caller's. */
static inline json_t *
call_api(const char *method, const char *path, const char *body, unsigned *out_status)
{
    struct fixture *f = &fixture;
    const struct api_request request = {.method = method,
                                        .path = path,
                                        .query = fixture_query,
                                        .query_context = f,
                                        .body = span_cstr(body),
                                        .uid = f->uid};
    struct api_reply reply;
    api_answer(f->api, &request, &reply);
    if (reply.when == API_WHEN_READABLE) { /* the pass ends, and it is asked again */
        json_decref(reply.body);
        ck_assert_int_eq(core_flush(f->core), RC_OK);
        api_answer(f->api, &request, &reply);
    }
    if (reply.when == API_WHEN_ADVANCED) {
        f->arrived = false;
        ck_assert_int_eq(advance_begin(&f->advance, reply.advance_to_ms, fixture_arrived, f),
                         RC_OK);
        fixture_settle(f);
        ck_assert(f->arrived);
        json_decref(reply.body);
        reply.body = api_clock(f->api);
    } else if (reply.when == API_WHEN_DURABLE) {
        ck_assert_int_eq(core_flush(f->core), RC_OK);
    }
    if (out_status != NULL) {
        *out_status = reply.status;
    } else {
        char *text = json_dumps(reply.body, 0);
        ck_assert_msg(reply.status == 200, "%s %s: %u %s", method, path, reply.status, text);
        free(text);
    }
    return reply.body;
}

/* Puts YAML in force. */
static inline void
apply_yaml(const char *yaml)
{
    json_t *body = json_pack("{s:[{s:s,s:s}]}", "files", "name", "test.yaml", "text", yaml);
    char *text = json_dumps(body, 0);
    json_decref(call_api("POST", "/v1/definitions", text, NULL));
    free(text);
    json_decref(body);
}

static inline unsigned
post_webhook(const char *body)
{
    char signature[SIGNATURE_TEXT_BYTES];
    signature_make(span_cstr(FIXTURE_SECRET), span_cstr(body), signature);
    return webhook_accept(fixture.webhook, span_cstr(body), signature);
}

/* A webhook body with one event of a friend, new id and reply token each time. */
static inline const char *
event_body(const char *friend_id, const char *type, const char *extra)
{
    static char body[2000];
    struct fixture *f = &fixture;
    uint32_t n = ++f->webhook_number;
    snprintf(body, sizeof(body),
             "{\"destination\":\"%s\",\"events\":[{\"type\":\"%s\",\"mode\":\"active\","
             "\"timestamp\":%lld,\"webhookEventId\":\"01TEST%020u\","
             "\"deliveryContext\":{\"isRedelivery\":false},\"replyToken\":\"token%u\","
             "\"source\":{\"type\":\"user\",\"userId\":\"%s\"}%s}]}",
             FIXTURE_BOT, type, (long long)clock_now_ms(&f->clock), n, n, friend_id, extra);
    return body;
}

static inline void
follows(const char *friend_id)
{
    ck_assert_uint_eq(post_webhook(event_body(friend_id, "follow", "")), 200);
    fixture_settle(&fixture);
}

static inline void
advance_to(const char *local)
{
    char body[100];
    snprintf(body, sizeof(body), "{\"advance_to\":\"%s\"}", local);
    json_decref(call_api("POST", "/v1/clock", body, NULL));
}

/* "deliveries.0.outcome" in a tree; the text of a string, number or bool; "null"; "absent". */
static inline const char *
value_at(const json_t *tree, const char *path)
{
    static char text[400];
    char copy[200], *rest = NULL;
    snprintf(copy, sizeof(copy), "%s", path);
    for (char *key = strtok_r(copy, ".", &rest); key != NULL; key = strtok_r(NULL, ".", &rest)) {
        tree = json_is_array(tree) ? json_array_get(tree, (size_t)atoi(key))
                                   : json_object_get(tree, key);
    }
    if (tree == NULL) {
        return "absent";
    }
    if (json_is_string(tree)) {
        snprintf(text, sizeof(text), "%s", json_string_value(tree));
        return text;
    }
    char *dump = json_dumps(tree, JSON_ENCODE_ANY | JSON_COMPACT);
    snprintf(text, sizeof(text), "%s", dump);
    free(dump);
    return text;
}

#endif
