/* fakeline's door over real sockets: late answers, resets, and a webhook whose receiver calls back while it is open. */
#include "daemon/http.h"
#include "proto/signature.h"
#include "tools/fakeline/door.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

#define PUSH_HEAD "Authorization: Bearer t\r\nContent-Type: application/json\r\n"
#define PUSH_BODY "{\"to\":\"U1\",\"messages\":[{\"type\":\"text\",\"text\":\"a\"}]}"

static struct ev_loop *loop;
static struct platform platform;
static struct door *door;

struct client {
    int fd;
    struct buf in;
    bool ended;
    int error;
};

/* The receiver of webhooks: replies through fakeline before it answers. */
static struct receiver {
    struct http_server *server;
    struct http_request *open; /* the webhook */
    struct client reply;       /* its call back */
    bool signature_good;
    char body[1024];
} receiver;

static void
set_up(void)
{
    loop = ev_loop_new(EVFLAG_AUTO);
    memset(&receiver, 0, sizeof(receiver));
    platform_init(&platform, 7);
    ck_assert_int_eq(door_open(loop, &platform, 0, NULL, &door), RC_OK);
}

static void
tear_down(void)
{
    door_close(door);
    http_server_close(receiver.server);
    platform_fini(&platform);
    ev_loop_destroy(loop);
}

static struct client
client_ask(const char *method, const char *path, const char *headers, const char *body)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(door_port(door))};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct client client = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    ck_assert_int_eq(connect(client.fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(fcntl(client.fd, F_SETFL, O_NONBLOCK), 0);
    struct buf text = {0};
    buf_printf(&text, "%s %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n%s", method, path,
               headers, strlen(body), body);
    ck_assert_int_eq((int)send(client.fd, text.data, text.len, MSG_NOSIGNAL), (int)text.len);
    buf_fini(&text);
    return client;
}

static void
client_close(struct client *client)
{
    close(client->fd);
    buf_fini(&client->in);
}

static bool
client_has(struct client *client, const char *word)
{
    return strstr(buf_cstr(&client->in), word) != NULL;
}

static void
turn(struct client *client)
{
    char bytes[4096];
    ev_run(loop, EVRUN_NOWAIT);
    ssize_t got = recv(client->fd, bytes, sizeof(bytes), 0);
    if (got > 0) {
        buf_append(&client->in, bytes, (size_t)got);
    } else if (got == 0) {
        client->ended = true;
    } else if (errno != EAGAIN) {
        client->error = errno;
    }
    poll(NULL, 0, 1);
}

/* Until a whole answer is there: all of them end with a JSON object. */
static void
until_answered(struct client *client)
{
    for (int ms = 0; ms < PATIENCE_MS; ms++) {
        turn(client);
        if (client_has(client, "\r\n\r\n{") && client->in.data[client->in.len - 1] == '}') {
            return;
        }
    }
    ck_abort_msg("no answer: %s", buf_cstr(&client->in));
}

static void
until_over(struct client *client)
{
    for (int ms = 0; ms < PATIENCE_MS && !client->ended && client->error == 0; ms++) {
        turn(client);
    }
}

static void
control(const char *method, const char *path, const char *body)
{
    struct client client = client_ask(method, path, "", body);
    until_answered(&client);
    ck_assert_msg(client_has(&client, "HTTP/1.1 200"), "%s", buf_cstr(&client.in));
    client_close(&client);
}

static struct client
push(void)
{
    return client_ask("POST", "/v2/bot/message/push", PUSH_HEAD, PUSH_BODY);
}

/* ---- LINE's endpoints ---- */

START_TEST(push_is_answered_with_its_request_id)
{
    struct client client = push();
    until_answered(&client);
    ck_assert(client_has(&client, "HTTP/1.1 200"));
    ck_assert(client_has(&client, "x-line-request-id: "));
    ck_assert(client_has(&client, "\"sentMessages\""));
    client_close(&client);
}
END_TEST

START_TEST(repeated_push_names_the_accepted_request)
{
    static const char head[] =
        PUSH_HEAD "X-Line-Retry-Key: 11111111-2222-4333-8444-555555555555\r\n";
    for (int i = 0; i < 2; i++) {
        struct client client = client_ask("POST", "/v2/bot/message/push", head, PUSH_BODY);
        until_answered(&client);
        ck_assert(client_has(&client, i == 0 ? "HTTP/1.1 200" : "HTTP/1.1 409"));
        ck_assert(client_has(&client, "x-line-accepted-request-id: ") == (i == 1));
        client_close(&client);
    }
}
END_TEST

START_TEST(clock_of_the_request_is_the_clock)
{
    struct client client = client_ask("POST", "/v2/bot/message/push",
                                      PUSH_HEAD "X-Stepd-Time: 1234567\r\n", PUSH_BODY);
    until_answered(&client);
    client_close(&client);
    client = client_ask("GET", "/fakeline/accepted?after=0", "", "");
    until_answered(&client);
    ck_assert(client_has(&client, "\"at_ms\":1234567,"));
    client_close(&client);
    client = client_ask("GET", "/fakeline/accepted?after=1", "", "");
    until_answered(&client);
    ck_assert(client_has(&client, "{\"accepted\":[],\"next\":1}"));
    client_close(&client);
}
END_TEST

START_TEST(delayed_answer_comes_late_and_whole)
{
    control("POST", "/fakeline/faults",
            "{\"endpoint\":\"push\",\"kind\":\"delay\",\"delay_ms\":120}");
    struct client client = push();
    ev_now_update(loop);
    ev_tstamp start = ev_now(loop);
    until_answered(&client);
    ev_now_update(loop);
    ck_assert_double_ge(ev_now(loop) - start, 0.1);
    ck_assert(client_has(&client, "HTTP/1.1 200"));
    client_close(&client);
}
END_TEST

START_TEST(reset_after_accept_resets_and_has_accepted)
{
    control("POST", "/fakeline/faults", "{\"endpoint\":\"push\",\"kind\":\"reset_after_accept\"}");
    struct client client = push();
    until_over(&client);
    ck_assert_int_eq(client.error, ECONNRESET);
    ck_assert_uint_eq(accepted_rows(platform.accepted)->count, 1);
    client_close(&client);
}
END_TEST

START_TEST(stalled_push_has_been_accepted_and_ends_with_a_reset_of_all)
{
    control("POST", "/fakeline/faults", "{\"endpoint\":\"push\",\"kind\":\"stall_after_accept\"}");
    struct client client = push();
    for (int i = 0; i < 50; i++) {
        turn(&client);
    }
    ck_assert_uint_eq(client.in.len, 0);
    ck_assert_uint_eq(accepted_rows(platform.accepted)->count, 1);
    if (_i == 0) { /* else: closing with one that stalls must do no harm */
        control("POST", "/fakeline/reset", "");
        until_over(&client);
        ck_assert_int_eq(client.error, ECONNRESET);
        ck_assert_uint_eq(accepted_rows(platform.accepted)->count, 0);
    }
    client_close(&client);
}
END_TEST

START_TEST(user_ids_in_paths_are_decoded)
{
    control("POST", "/fakeline/users/U%2F%E8%8A%B1", "{\"blocked\":true}");
    ck_assert(users_is_blocked(platform.users, "U/花"));
}
END_TEST

static const struct {
    const char *method, *path, *body;
    int status;
} refused[] = {
    {"GET", "/fakeline/nothing", "", 404},
    {"POST", "/fakeline/accepted", "", 404},
    {"POST", "/fakeline/faults", "{", 400},
    {"POST", "/fakeline/users/", "{}", 400},
    {"POST", "/fakeline/users/U1", "[]", 400},
    {"POST", "/fakeline/webhook", "{\"events\":[]}", 400},
    {"POST", "/fakeline/webhook", "{\"url\":\"http://127.0.0.1:1/\"}", 400},
    {"POST", "/fakeline/webhook", "{\"url\":\"http://127.0.0.1:1/\",\"events\":[]}", 502},
    {"POST", "/fakeline/webhook", "{\"url\":\"file:///etc/passwd\",\"events\":[]}", 502},
};

START_TEST(calls_that_make_no_sense_are_answered_with_an_error)
{
    struct client client = client_ask(refused[_i].method, refused[_i].path, "", refused[_i].body);
    char status[32];
    snprintf(status, sizeof(status), "HTTP/1.1 %d ", refused[_i].status);
    until_answered(&client);
    ck_assert_msg(client_has(&client, status), "%s", buf_cstr(&client.in));
    ck_assert(client_has(&client, "{\"error\":{\"code\":\""));
    client_close(&client);
}
END_TEST

/* ---- webhooks ---- */

static void
receive(void *context, struct http_request *request)
{
    (void)context;
    const char *signature = http_header(request, "x-line-signature");
    char want[SIGNATURE_TEXT_BYTES];
    signature_make(span_cstr(platform.secret), http_body(request), want);
    receiver.signature_good = signature != NULL && strcmp(signature, want) == 0;
    snprintf(receiver.body, sizeof(receiver.body), "%.*s", span_fmt(http_body(request)));
    if (!receiver.signature_good) {
        http_answer(request, 401, NULL, span_cstr(""), NULL);
        return;
    }
    receiver.open = request;
    receiver.reply =
        client_ask("POST", "/v2/bot/message/reply", PUSH_HEAD,
                   "{\"replyToken\":\"T\",\"messages\":[{\"type\":\"text\",\"text\":\"hi\"}]}");
}

static void
receiver_open(char *out_url, size_t url_bytes)
{
    const struct http_options options = {.address = "127.0.0.1:0",
                                         .body_bytes_max = 1000,
                                         .connections_max = 8,
                                         .idle_timeout_s = 10,
                                         .handler = receive};
    ck_assert_int_eq(http_server_open(loop, &options, &receiver.server), RC_OK);
    snprintf(out_url, url_bytes, "http://127.0.0.1:%u/webhook", http_server_port(receiver.server));
}

START_TEST(receiver_may_reply_while_its_webhook_is_open)
{
    char url[64], command[400];
    receiver_open(url, sizeof(url));
    snprintf(command, sizeof(command),
             "{\"url\":\"%s\",\"events\":[{\"type\":\"message\",\"replyToken\":\"T\",\"source\":"
             "{\"type\":\"user\",\"userId\":\"U1\"}}]}",
             url);
    struct client client = client_ask("POST", "/fakeline/webhook", "", command);
    for (int ms = 0; ms < PATIENCE_MS && receiver.open == NULL; ms++) {
        turn(&client);
    }
    ck_assert_ptr_nonnull(receiver.open);
    until_answered(&receiver.reply);
    ck_assert(client_has(&receiver.reply, "HTTP/1.1 200"));
    ck_assert_uint_eq(client.in.len, 0); /* the command waits for the webhook's answer */
    http_answer(receiver.open, 200, NULL, span_cstr(""), NULL);
    until_answered(&client);
    ck_assert(client_has(&client, "{\"status\":200,\"events\":[{\"type\":\"message\""));
    ck_assert_ptr_nonnull(strstr(receiver.body, "\"replyToken\":\"T\""));
    client_close(&receiver.reply);
    client_close(&client);
}
END_TEST

START_TEST(bad_signature_is_bad_and_the_status_comes_back)
{
    char url[64], command[200];
    receiver_open(url, sizeof(url));
    snprintf(command, sizeof(command), "{\"url\":\"%s\",\"raw\":\"x\",\"bad_signature\":true}",
             url);
    struct client client = client_ask("POST", "/fakeline/webhook", "", command);
    until_answered(&client);
    ck_assert(client_has(&client, "{\"status\":401,\"events\":[]}"));
    ck_assert(!receiver.signature_good);
    ck_assert_str_eq(receiver.body, "x");
    client_close(&client);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("fakeline door");
    TCase *tcase = tcase_create("door");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, push_is_answered_with_its_request_id);
    tcase_add_test(tcase, repeated_push_names_the_accepted_request);
    tcase_add_test(tcase, clock_of_the_request_is_the_clock);
    tcase_add_test(tcase, delayed_answer_comes_late_and_whole);
    tcase_add_test(tcase, reset_after_accept_resets_and_has_accepted);
    tcase_add_loop_test(tcase, stalled_push_has_been_accepted_and_ends_with_a_reset_of_all, 0, 2);
    tcase_add_test(tcase, user_ids_in_paths_are_decoded);
    tcase_add_loop_test(tcase, calls_that_make_no_sense_are_answered_with_an_error, 0,
                        (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_test(tcase, receiver_may_reply_while_its_webhook_is_open);
    tcase_add_test(tcase, bad_signature_is_bad_and_the_status_comes_back);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
