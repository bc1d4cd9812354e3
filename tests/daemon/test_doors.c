#include "daemon/doors.h"
#include "daemon/replay.h"
#include "tests/daemon/fixture.h"

#include <arpa/inet.h>
#include <ev.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANNA "U0000000000000000000000000000000a"

enum { WAIT_US = 20000, TURNS_MAX = 20000, ANSWER_BYTES_MAX = 8000 };

static struct ev_loop *loop;
static struct doors *doors;
static char socket_path[100];

static void
open_house(void)
{
    fixture_open();
    loop = ev_loop_new(EVFLAG_AUTO);
    snprintf(socket_path, sizeof(socket_path), "/tmp/stepd-doors-%d.sock", (int)getpid());
    const struct doors_options options = {.loop = loop,
                                          .core = fixture.core,
                                          .api = fixture.api,
                                          .webhook = fixture.webhook,
                                          .advance = &fixture.advance,
                                          .standing = &fixture.standing,
                                          .listen = "127.0.0.1:0",
                                          .socket_path = socket_path,
                                          .socket_mode = 0600,
                                          .webhook_wait_us = WAIT_US};
    const char *failed;
    ck_assert_int_eq(doors_open(&options, &doors, &failed), RC_OK);
}

static void
close_house(void)
{
    doors_close(doors);
    ev_loop_destroy(loop);
    fixture_close();
}

/* --- a client that never blocks: the loop has to run for its answer --- */

struct caller {
    int fd;
    char answer[ANSWER_BYTES_MAX];
    size_t bytes;
};

static void
send_request(struct caller *caller, const char *method, const char *path, const char *headers,
             const char *body)
{
    char request[4000];
    int len = snprintf(request, sizeof(request),
                       "%s %s HTTP/1.1\r\nHost: stepd\r\nConnection: close\r\n"
                       "Content-Length: %zu\r\n%s\r\n%s",
                       method, path, strlen(body), headers, body);
    ck_assert_int_eq(write(caller->fd, request, (size_t)len), len);
    ck_assert_int_eq(fcntl(caller->fd, F_SETFL, O_NONBLOCK), 0);
}

static struct caller
call_tcp(const char *method, const char *path, const char *headers, const char *body)
{
    struct caller caller = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(doors_port(doors))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(caller.fd, (struct sockaddr *)&address, sizeof(address)), 0);
    send_request(&caller, method, path, headers, body);
    return caller;
}

static struct caller
call_unix(const char *method, const char *path, const char *body)
{
    struct caller caller = {.fd = socket(AF_UNIX, SOCK_STREAM, 0)};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    ck_assert_int_eq(connect(caller.fd, (struct sockaddr *)&address, sizeof(address)), 0);
    send_request(&caller, method, path, "", body);
    return caller;
}

static struct caller
call_webhook(const char *body)
{
    char signature[SIGNATURE_TEXT_BYTES], header[100];
    signature_make(span_cstr(FIXTURE_SECRET), span_cstr(body), signature);
    snprintf(header, sizeof(header), "X-Line-Signature: %s\r\n", signature);
    return call_tcp("POST", "/webhook", header, body);
}

static void
turn(void)
{
    ev_run(loop, EVRUN_NOWAIT);
}

/* The status of the answer; 0 when none has come. */
static int
look(struct caller *caller)
{
    ssize_t n = read(caller->fd, caller->answer + caller->bytes,
                     sizeof(caller->answer) - caller->bytes - 1);
    caller->bytes += n > 0 ? (size_t)n : 0;
    if (n != 0) {
        return 0; /* still open: Connection: close ends an answer */
    }
    caller->answer[caller->bytes] = '\0';
    close(caller->fd);
    return atoi(caller->answer + strlen("HTTP/1.1 "));
}

static int
answer_of(struct caller *caller)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        turn();
        int status = look(caller);
        if (status != 0) {
            return status;
        }
        (void)poll(&(struct pollfd){.fd = caller->fd, .events = POLLIN}, 1, 1);
    }
    ck_abort_msg("no answer");
}

static void
turns_until_decided(uint64_t before)
{
    for (int i = 0; i < TURNS_MAX && core_state(fixture.core)->seq == before; i++) {
        turn();
    }
    ck_assert_uint_gt(core_state(fixture.core)->seq, before);
}

static void
no_answer_yet(struct caller *caller)
{
    for (int i = 0; i < 20; i++) {
        turn();
        ck_assert_int_eq(look(caller), 0);
    }
}

START_TEST(a_webhook_is_answered_only_when_it_is_durable)
{
    struct caller caller = call_webhook(event_body(ANNA, "follow", ""));
    turns_until_decided(core_state(fixture.core)->seq);
    no_answer_yet(&caller);
    ck_assert_int_eq(core_flush(fixture.core), RC_OK);
    ck_assert_int_eq(answer_of(&caller), 200);
    ck_assert_ptr_nonnull(strstr(caller.answer, "\r\n\r\n{}"));
}
END_TEST

START_TEST(while_the_log_is_too_slow_line_is_told_to_come_again)
{
    struct caller slow = call_webhook(event_body(ANNA, "follow", ""));
    ck_assert_int_eq(answer_of(&slow), 503);
    uint64_t decided = core_state(fixture.core)->seq;

    struct caller next = call_webhook(event_body(ANNA, "unfollow", ""));
    ck_assert_int_eq(answer_of(&next), 503);
    ck_assert_uint_eq(core_state(fixture.core)->seq, decided);
    ck_assert_uint_eq(webhook_counts(fixture.webhook).refused_busy, 2);

    ck_assert_int_eq(core_flush(fixture.core), RC_OK);
    struct caller again = call_webhook(event_body(ANNA, "unfollow", ""));
    turns_until_decided(decided);
    ck_assert_int_eq(core_flush(fixture.core), RC_OK);
    ck_assert_int_eq(answer_of(&again), 200);
}
END_TEST

START_TEST(the_tcp_door_has_webhooks_and_health_and_nothing_else)
{
    static const struct {
        const char *method, *path;
        int status;
    } rows[] = {
        {"GET", "/healthz", 200},         {"POST", "/webhook", 401}, {"GET", "/webhook", 404},
        {"GET", "/v1/status", 404},       {"GET", "/", 404},         {"POST", "/healthz", 404},
        {"POST", "/v1/definitions", 404},
    };
    struct caller caller = call_tcp(rows[_i].method, rows[_i].path, "", "");
    ck_assert_int_eq(answer_of(&caller), rows[_i].status);
}
END_TEST

START_TEST(a_body_over_the_limit_is_counted)
{
    struct caller caller = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(doors_port(doors))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(caller.fd, (struct sockaddr *)&address, sizeof(address)), 0);
    const char head[] = "POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        "Content-Length: 1048577\r\n\r\n";
    ck_assert_int_eq(write(caller.fd, head, sizeof(head) - 1), (ssize_t)sizeof(head) - 1);
    ck_assert_int_eq(fcntl(caller.fd, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(answer_of(&caller), 413);
    ck_assert_uint_eq(webhook_counts(fixture.webhook).refused_size, 1);
}
END_TEST

START_TEST(what_a_caller_changes_bears_the_callers_uid)
{
    apply_yaml("tags: {all: [vip]}\n");
    follows(ANNA);
    uint64_t before = core_state(fixture.core)->seq;
    struct caller caller = call_unix("POST", "/v1/friends/0/tags", "{\"add\":[\"vip\"]}");
    turns_until_decided(before);
    no_answer_yet(&caller);
    ck_assert_int_eq(core_flush(fixture.core), RC_OK);
    ck_assert_int_eq(answer_of(&caller), 200);
    ck_assert_ptr_nonnull(strstr(caller.answer, "application/json"));

    struct arena *arena = arena_new();
    struct event event;
    ck_assert_int_eq(replay_read_event(core_log(fixture.core), before + 1, arena, &event), RC_OK);
    ck_assert_int_eq(event.kind, EVENT_TAG_ADDED);
    ck_assert_int_eq(event.source.kind, SOURCE_OPERATOR);
    ck_assert_uint_eq(event.source.id, getuid());
    arena_free(arena);
}
END_TEST

START_TEST(a_second_advance_is_a_conflict_and_the_first_arrives)
{
    struct caller first = call_unix("POST", "/v1/clock", "{\"advance_to\":\"2026-06-02 00:00\"}");
    for (int i = 0; i < TURNS_MAX && !fixture.advance.active; i++) {
        turn();
    }
    struct caller second = call_unix("POST", "/v1/clock", "{\"advance_to\":\"2026-06-03 00:00\"}");
    ck_assert_int_eq(answer_of(&second), 409);
    no_answer_yet(&first);
    fixture_settle(&fixture);
    ck_assert_int_eq(answer_of(&first), 200);
    ck_assert_ptr_nonnull(strstr(first.answer, "2026-06-02T00:00:00.000+09:00"));
}
END_TEST

START_TEST(a_stop_on_the_way_ends_the_advance_with_503)
{
    struct caller caller = call_unix("POST", "/v1/clock", "{\"advance_to\":\"2026-06-02 00:00\"}");
    for (int i = 0; i < TURNS_MAX && !fixture.advance.active; i++) {
        turn();
    }
    advance_cancel(&fixture.advance);
    ck_assert_int_eq(answer_of(&caller), 503);
}
END_TEST

START_TEST(a_port_in_use_is_named)
{
    char listen[40];
    snprintf(listen, sizeof(listen), "127.0.0.1:%u", doors_port(doors));
    char other_path[120];
    snprintf(other_path, sizeof(other_path), "%s.2", socket_path);
    const struct doors_options options = {.loop = loop,
                                          .core = fixture.core,
                                          .api = fixture.api,
                                          .webhook = fixture.webhook,
                                          .advance = &fixture.advance,
                                          .standing = &fixture.standing,
                                          .listen = listen,
                                          .socket_path = other_path,
                                          .socket_mode = 0600};
    struct doors *second;
    const char *failed = NULL;
    ck_assert_int_eq(doors_open(&options, &second, &failed), RC_EXISTS);
    ck_assert_str_eq(failed, listen);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("doors");
    TCase *tc = tcase_create("doors");
    tcase_add_checked_fixture(tc, open_house, close_house);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, a_webhook_is_answered_only_when_it_is_durable);
    tcase_add_test(tc, while_the_log_is_too_slow_line_is_told_to_come_again);
    tcase_add_loop_test(tc, the_tcp_door_has_webhooks_and_health_and_nothing_else, 0, 7);
    tcase_add_test(tc, a_body_over_the_limit_is_counted);
    tcase_add_test(tc, what_a_caller_changes_bears_the_callers_uid);
    tcase_add_test(tc, a_second_advance_is_a_conflict_and_the_first_arrives);
    tcase_add_test(tc, a_stop_on_the_way_ends_the_advance_with_503);
    tcase_add_test(tc, a_port_in_use_is_named);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    SRunner *r = srunner_create(suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
