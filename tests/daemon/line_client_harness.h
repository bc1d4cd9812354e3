/* line_client_harness - a line_client over libcurl, the scripted server, and a list of what came back.
 *
 * Shape    start() as the fixture; send_and_run() or send_request() and run_until(); then look at answers[].
 * Units    milliseconds.
 * Errors   assertions of the test; a run longer than ten seconds ends it.
 * Owner    one a process; Check's fork cleans up.
 */
#ifndef TESTS_DAEMON_LINE_CLIENT_HARNESS_H
#define TESTS_DAEMON_LINE_CLIENT_HARNESS_H

#include "daemon/line_client_curl.h"
#include "tests/daemon/scripted_server.h"

#include <stdio.h>

enum { DEADLINE_MS = 1200 }; /* a TLS handshake on a busy machine takes hundreds */

static struct line_client *client;
static unsigned expected_count; /* run() goes on until so many answers are there */

/* The answers, copied, in order of arrival. */
enum { ANSWERS_MAX = 64 };
static struct {
    enum line_transport transport;
    uint32_t status;
    size_t body_len;
    char body[128], request_id[160], accepted_id[160], error[256];
    int64_t retry_after_s;
    void *context;
} answers[ANSWERS_MAX];
static unsigned answer_count;
static bool inside_send;

static enum rc
connect_client(const char *url, bool virtual_time)
{
    struct line_client_curl_options options = {.base_url = url,
                                               .token = "channel-token",
                                               .virtual_time = virtual_time,
                                               .connections_max = 8,
                                               .connect_timeout_ms = DEADLINE_MS,
                                               .deadline_ms = DEADLINE_MS};
    return line_client_curl_new(loop, &options, &client);
}

static enum rc
connect_to_port(const char *scheme, uint16_t port)
{
    char url[64];
    snprintf(url, sizeof(url), "%s://127.0.0.1:%u", scheme, port);
    return connect_client(url, false);
}

static void
start(void)
{
    loop = ev_loop_new(EVFLAG_AUTO);
    server_start();
    ck_assert_int_eq(connect_to_port("http", server.port), RC_OK);
}

static void
copy_span(char *out, size_t room, struct span span)
{
    snprintf(out, room, "%.*s", span_fmt(span));
}

static void
on_answer(void *context, const struct line_answer *answer)
{
    ck_assert_msg(!inside_send, "done() came from within send()");
    ck_assert_uint_lt(answer_count, ANSWERS_MAX);
    unsigned i = answer_count++;
    answers[i].transport = answer->transport;
    answers[i].status = answer->status;
    answers[i].body_len = answer->body.len;
    copy_span(answers[i].body, sizeof(answers[i].body), answer->body);
    copy_span(answers[i].request_id, sizeof(answers[i].request_id), answer->request_id);
    copy_span(answers[i].accepted_id, sizeof(answers[i].accepted_id), answer->accepted_request_id);
    copy_span(answers[i].error, sizeof(answers[i].error), span_cstr(answer->error));
    answers[i].retry_after_s = answer->retry_after_s;
    answers[i].context = context;
    if (answer_count >= expected_count) {
        ev_break(loop, EVBREAK_ALL);
    }
}

static void
send_request(const struct line_request *request, line_done_fn done)
{
    inside_send = true;
    client->send(client, request, done, NULL);
    inside_send = false;
}

static struct line_request
push(void)
{
    return (struct line_request){.endpoint = LINE_PUSH,
                                 .body = span_cstr("{\"to\":\"U1\",\"messages\":[]}"),
                                 .retry_key = span_cstr("123e4567-e89b-42d3-a456-426614174000"),
                                 .now_ms = 1780300800123};
}

static inline struct line_request
reply(void)
{
    return (struct line_request){.endpoint = LINE_REPLY,
                                 .body = span_cstr("{\"replyToken\":\"r\",\"messages\":[]}")};
}

static void
on_too_long(struct ev_loop *l, ev_timer *timer, int events)
{
    (void)l;
    (void)timer;
    (void)events;
    ck_abort_msg("%u of %u answers after 10 s", answer_count, expected_count);
}

static void
run_until(unsigned count)
{
    ev_timer guard;
    expected_count = count;
    ev_timer_init(&guard, on_too_long, 10., 0.);
    ev_timer_start(loop, &guard);
    if (answer_count < count) {
        ev_run(loop, 0);
    }
    ev_timer_stop(loop, &guard);
    ck_assert_uint_eq(answer_count, count);
}

static void
send_and_run(struct line_request request)
{
    send_request(&request, on_answer);
    run_until(answer_count + 1);
}

#endif
