/* The HTTP server against raw sockets, client and server in one loop: what no well-behaved client would send. */
#include "daemon/http.h"
#include "engine/base/buf.h"

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
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BODY_MAX = 1000, PATIENCE_MS = 3000, KEPT_MAX = 8 };

/* What the handler saw, and what it keeps for later. */
static struct seen {
    unsigned count;
    char method[16], path[256], body[2 * BODY_MAX], header[256], query[256];
    bool peer_known;
    uid_t peer;
    bool keep;
    struct http_request *kept[KEPT_MAX];
    unsigned kept_count;
} seen;

static struct ev_loop *loop;
static struct http_server *server;
static char folder[64];
static char socket_path[100];

static void
copy_text(char *out, size_t out_bytes, const char *text)
{
    snprintf(out, out_bytes, "%s", text == NULL ? "(none)" : text);
}

static void
handle(void *context, struct http_request *request)
{
    ck_assert_ptr_eq(context, &seen);
    seen.count++;
    copy_text(seen.method, sizeof(seen.method), http_method(request));
    copy_text(seen.path, sizeof(seen.path), http_path(request));
    copy_text(seen.header, sizeof(seen.header), http_header(request, "x-color"));
    copy_text(seen.query, sizeof(seen.query), http_query(request, "after"));
    snprintf(seen.body, sizeof(seen.body), "%.*s", span_fmt(http_body(request)));
    seen.peer_known = http_peer_uid(request, &seen.peer);
    if (seen.keep) {
        ck_assert_uint_lt(seen.kept_count, KEPT_MAX);
        seen.kept[seen.kept_count++] = request;
        return;
    }
    const char *const headers[] = {"X-Extra", "yes", NULL};
    http_answer(request, 200, "text/plain", http_body(request), headers);
}

static struct http_options
tcp_options(void)
{
    return (struct http_options){.address = "127.0.0.1:0",
                                 .body_bytes_max = BODY_MAX,
                                 .connections_max = 16,
                                 .idle_timeout_s = 10,
                                 .handler = handle,
                                 .context = &seen};
}

static struct http_options
unix_options(void)
{
    struct http_options options = tcp_options();
    options.address = NULL;
    options.unix_path = socket_path;
    options.unix_mode = 0600;
    return options;
}

static void
set_up(void)
{
    memset(&seen, 0, sizeof(seen));
    loop = ev_loop_new(EVFLAG_AUTO);
    snprintf(folder, sizeof(folder), "/tmp/test_http.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(socket_path, sizeof(socket_path), "%s/sock", folder);
    struct http_options options = tcp_options();
    ck_assert_int_eq(http_server_open(loop, &options, &server), RC_OK);
}

static void
tear_down(void)
{
    http_server_close(server);
    server = NULL;
    ev_loop_destroy(loop);
    unlink(socket_path);
    rmdir(folder);
}

/* ---- a client by hand ---- */

struct client {
    int fd;
    struct buf in;
    bool ended; /* orderly end */
    int error;  /* errno of the last read, e.g. ECONNRESET */
};

static struct client
client_open(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(http_server_port(server))};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct client client = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    ck_assert_int_ge(client.fd, 0);
    ck_assert_int_eq(connect(client.fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(fcntl(client.fd, F_SETFL, O_NONBLOCK), 0);
    return client;
}

static struct client
client_open_unix(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    struct client client = {.fd = socket(AF_UNIX, SOCK_STREAM, 0)};
    ck_assert_int_ge(client.fd, 0);
    ck_assert_int_eq(connect(client.fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(fcntl(client.fd, F_SETFL, O_NONBLOCK), 0);
    return client;
}

static void
client_close(struct client *client)
{
    close(client->fd);
    buf_fini(&client->in);
    client->fd = -1;
}

static void
client_send(struct client *client, const char *text)
{
    ck_assert_int_eq((int)send(client->fd, text, strlen(text), MSG_NOSIGNAL), (int)strlen(text));
}

static void
client_read(struct client *client)
{
    char bytes[4096];
    ssize_t got = recv(client->fd, bytes, sizeof(bytes), 0);
    if (got > 0) {
        buf_append(&client->in, bytes, (size_t)got);
    } else if (got == 0) {
        client->ended = true;
    } else if (errno != EAGAIN) {
        client->error = errno;
    }
}

/* How many times word stands in what came back. */
static unsigned
client_count(struct client *client, const char *word)
{
    unsigned count = 0;
    const char *at = buf_cstr(&client->in);
    while ((at = strstr(at, word)) != NULL) {
        count++;
        at += strlen(word);
    }
    return count;
}

/* One turn of the loop; a millisecond passes where nothing is to be done. */
static void
turn(struct client *client)
{
    ev_run(loop, EVRUN_NOWAIT);
    if (client != NULL) {
        client_read(client);
    }
    poll(NULL, 0, 1);
}

static void
until_answers(struct client *client, unsigned count)
{
    for (int ms = 0; ms < PATIENCE_MS && client_count(client, "HTTP/1.1 ") < count; ms++) {
        turn(client);
    }
    ck_assert_uint_eq(client_count(client, "HTTP/1.1 "), count);
}

static void
until_over(struct client *client)
{
    for (int ms = 0; ms < PATIENCE_MS && !client->ended && client->error == 0; ms++) {
        turn(client);
    }
    ck_assert(client->ended || client->error != 0);
}

static void
until_kept(struct client *client, unsigned count)
{
    for (int ms = 0; ms < PATIENCE_MS && seen.kept_count < count; ms++) {
        turn(client);
    }
    ck_assert_uint_eq(seen.kept_count, count);
}

/* A few turns in which nothing more may happen. */
static void
turn_idly(struct client *client)
{
    for (int i = 0; i < 20; i++) {
        turn(client);
    }
}

/* ---- plain requests ---- */

START_TEST(handler_sees_method_path_header_query_and_whole_body)
{
    struct client client = client_open();
    client_send(&client,
                "POST /v1/fri%65nds?after=3%204&x=1 HTTP/1.1\r\nHost: h\r\nX-Color: red\r\n"
                "Content-Length: 11\r\n\r\nhello");
    turn_idly(&client);
    ck_assert_uint_eq(seen.count, 0);
    client_send(&client, " world");
    until_answers(&client, 1);

    ck_assert_str_eq(seen.method, "POST");
    ck_assert_str_eq(seen.path, "/v1/friends");
    ck_assert_str_eq(seen.query, "3 4");
    ck_assert_str_eq(seen.header, "red");
    ck_assert_str_eq(seen.body, "hello world");
    ck_assert(!seen.peer_known);
    ck_assert_uint_eq(client_count(&client, "HTTP/1.1 200"), 1);
    ck_assert_uint_eq(client_count(&client, "X-Extra: yes"), 1);
    ck_assert_uint_eq(client_count(&client, "\r\n\r\nhello world"), 1);
    client_close(&client);
}
END_TEST

START_TEST(absent_header_and_query_are_null)
{
    struct client client = client_open();
    client_send(&client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    until_answers(&client, 1);
    ck_assert_str_eq(seen.header, "(none)");
    ck_assert_str_eq(seen.query, "(none)");
    client_close(&client);
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
    struct client client = client_open();
    client_send(&client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none"
                         "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "2\r\ntw\r\n1\r\no\r\n0\r\n\r\n"
                         "POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nthree");
    until_answers(&client, 3);
    const char *text = buf_cstr(&client.in);
    const char *one = strstr(text, "\r\n\r\none");
    const char *two = strstr(text, "\r\n\r\ntwo");
    const char *three = strstr(text, "\r\n\r\nthree");
    ck_assert(one != NULL && two != NULL && three != NULL);
    ck_assert(one < two && two < three);
    ck_assert_uint_eq(seen.count, 3);
    client_close(&client);
}
END_TEST

START_TEST(answer_header_with_a_line_break_is_left_out)
{
    seen.keep = true;
    struct client client = client_open();
    client_send(&client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    until_kept(&client, 1);
    const char *const headers[] = {"X-Bad", "a\r\nX-Smuggled: 1", "X-Good", "1", NULL};
    http_answer(seen.kept[0], 200, NULL, span_cstr("x"), headers);
    until_answers(&client, 1);
    ck_assert_uint_eq(client_count(&client, "X-Smuggled"), 0);
    ck_assert_uint_eq(client_count(&client, "X-Good: 1"), 1);
    client_close(&client);
}
END_TEST

/* ---- framing: what is ambiguous is refused, and nothing after it is read as a request ---- */

#define SMUGGLED "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"

static const char *const bad_framing[] = {
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: "
    "chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: "
    "4\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\nab",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
    "identity\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 2\r\n\r\nab",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +2\r\n\r\nab",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2, 2\r\n\r\nab",
    "GET /v1/friends/U1%00/why HTTP/1.1\r\nHost: h\r\n\r\n",
};

START_TEST(ambiguous_framing_is_refused_and_the_connection_closed)
{
    struct client client = client_open();
    client_send(&client, bad_framing[_i]);
    client_send(&client, SMUGGLED);
    until_over(&client);
    ck_assert_uint_eq(seen.count, 0);
    /* libmicrohttpd 0.9.75 sends the head of its own refusals twice, so they are not counted. */
    ck_assert(strncmp(buf_cstr(&client.in), "HTTP/1.1 400 ", 13) == 0 ||
              strncmp(buf_cstr(&client.in), "HTTP/1.0 400 ", 13) == 0);
    ck_assert_uint_eq(client_count(&client, " 200 "), 0);
    client_close(&client);
}
END_TEST

START_TEST(coding_named_in_capitals_is_still_chunked)
{
    struct client client = client_open();
    client_send(&client, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
                         "2\r\nab\r\n0\r\n\r\n");
    until_answers(&client, 1);
    ck_assert_str_eq(seen.body, "ab");
    client_close(&client);
}
END_TEST

/* ---- sizes ---- */

START_TEST(length_over_the_limit_is_413_before_any_body)
{
    struct client client = client_open();
    client_send(&client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n");
    until_over(&client);
    ck_assert_uint_eq(client_count(&client, "HTTP/1.1 413"), 1);
    ck_assert_uint_eq(seen.count, 0);
    client_close(&client);
}
END_TEST

START_TEST(body_of_exactly_the_limit_is_taken)
{
    char body[BODY_MAX + 1];
    memset(body, 'a', BODY_MAX);
    body[BODY_MAX] = '\0';
    struct client client = client_open();
    client_send(&client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
    client_send(&client, body);
    until_answers(&client, 1);
    ck_assert_uint_eq(client_count(&client, "HTTP/1.1 200"), 1);
    ck_assert_str_eq(seen.body, body);
    client_close(&client);
}
END_TEST

static void
send_chunk_of_500(struct client *client)
{
    char chunk[520];
    snprintf(chunk, sizeof(chunk), "1f4\r\n%0500d\r\n", 0);
    client_send(client, chunk);
}

START_TEST(chunks_over_the_limit_are_413)
{
    struct client client = client_open();
    client_send(&client, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        send_chunk_of_500(&client);
    }
    client_send(&client, "0\r\n\r\n" SMUGGLED);
    until_over(&client);
    ck_assert_uint_eq(client_count(&client, "HTTP/1.1 413"), 1);
    ck_assert_uint_eq(client_count(&client, "HTTP/1.1 "), 1);
    ck_assert_uint_eq(seen.count, 0);
    client_close(&client);
}
END_TEST

START_TEST(chunks_without_end_are_cut_off)
{
    struct client client = client_open();
    client_send(&client, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20 && !client.ended && client.error == 0; i++) {
        char chunk[520];
        snprintf(chunk, sizeof(chunk), "1f4\r\n%0500d\r\n", 0);
        (void)send(client.fd, chunk, strlen(chunk), MSG_NOSIGNAL);
        turn(&client);
    }
    until_over(&client);
    ck_assert_uint_eq(seen.count, 0);
    client_close(&client);
}
END_TEST

/* ---- answers later ---- */

START_TEST(kept_request_is_answered_later_and_the_connection_goes_on)
{
    seen.keep = true;
    struct client client = client_open();
    client_send(&client,
                "POST /a HTTP/1.1\r\nHost: h\r\nX-Color: blue\r\nContent-Length: 2\r\n\r\nab");
    until_kept(&client, 1);
    turn_idly(&client);
    ck_assert_uint_eq(client.in.len, 0);
    ck_assert_str_eq(http_header(seen.kept[0], "X-Color"), "blue");
    ck_assert(span_equal_cstr(http_body(seen.kept[0]), "ab"));
    http_answer(seen.kept[0], 202, "text/plain", span_cstr("later"), NULL);
    until_answers(&client, 1);
    ck_assert_uint_eq(client_count(&client, "HTTP/1.1 202"), 1);

    seen.keep = false;
    client_send(&client, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    until_answers(&client, 2);
    client_close(&client);
}
END_TEST

static void
answer_from_prepare(struct ev_loop *prepare_loop, struct ev_prepare *prepare, int events)
{
    (void)events;
    http_answer(prepare->data, 200, NULL, span_cstr("ok"), NULL);
    ev_prepare_stop(prepare_loop, prepare);
}

/* The daemon decides and answers in a prepare watcher, after which the loop sleeps: the answer must not wait for
 * somebody else to wake it. One blocking turn, with a guard that would end it late. */
START_TEST(answer_from_a_prepare_watcher_leaves_in_the_same_turn)
{
    seen.keep = true;
    struct client client = client_open();
    client_send(&client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    until_kept(&client, 1);
    struct ev_prepare prepare;
    ev_prepare_init(&prepare, answer_from_prepare);
    prepare.data = seen.kept[0];
    ev_prepare_start(loop, &prepare);
    ev_run(loop, EVRUN_NOWAIT);
    struct pollfd readable = {.fd = client.fd, .events = POLLIN};
    ck_assert_int_eq(poll(&readable, 1, 1000), 1);
    client_close(&client);
}
END_TEST

START_TEST(later_requests_may_be_answered_first)
{
    seen.keep = true;
    struct client first = client_open();
    struct client second = client_open();
    client_send(&first, "GET /first HTTP/1.1\r\nHost: h\r\n\r\n");
    until_kept(&first, 1);
    client_send(&second, "GET /second HTTP/1.1\r\nHost: h\r\n\r\n");
    until_kept(&second, 2);
    http_answer(seen.kept[1], 200, NULL, span_cstr("two"), NULL);
    until_answers(&second, 1);
    ck_assert_uint_eq(first.in.len, 0);
    http_answer(seen.kept[0], 200, NULL, span_cstr("one"), NULL);
    until_answers(&first, 1);
    client_close(&first);
    client_close(&second);
}
END_TEST

START_TEST(client_that_vanished_does_not_matter_to_a_late_answer)
{
    seen.keep = true;
    struct client gone = client_open();
    client_send(&gone, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab");
    until_kept(&gone, 1);
    if (_i == 1) { /* with RST, not in good order */
        const struct linger now = {.l_onoff = 1};
        ck_assert_int_eq(setsockopt(gone.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    }
    client_close(&gone);
    turn_idly(NULL);
    ck_assert(span_equal_cstr(http_body(seen.kept[0]), "ab"));
    ck_assert_str_eq(http_path(seen.kept[0]), "/");
    http_answer(seen.kept[0], 200, NULL, span_cstr("nobody hears"), NULL);
    turn_idly(NULL);

    seen.keep = false;
    struct client other = client_open();
    client_send(&other, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    until_answers(&other, 1);
    client_close(&other);
}
END_TEST

START_TEST(client_that_vanished_within_its_body_is_never_heard_of)
{
    struct client gone = client_open();
    client_send(&gone, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\nhalf");
    turn_idly(&gone);
    client_close(&gone);
    turn_idly(NULL);
    ck_assert_uint_eq(seen.count, 0);
}
END_TEST

START_TEST(reset_is_a_reset_and_not_an_orderly_end)
{
    seen.keep = true;
    struct client client = client_open();
    client_send(&client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab");
    until_kept(&client, 1);
    http_reset(seen.kept[0]);
    until_over(&client);
    ck_assert_int_eq(client.error, ECONNRESET);
    ck_assert_uint_eq(client.in.len, 0);
    client_close(&client);
}
END_TEST

/* ---- closing ---- */

START_TEST(close_answers_open_requests_with_503)
{
    seen.keep = true;
    struct client clients[3];
    for (unsigned i = 0; i < 3; i++) {
        clients[i] = client_open();
        client_send(&clients[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        until_kept(&clients[i], i + 1);
    }
    client_close(&clients[2]); /* and one who has left */
    struct client half = client_open();
    client_send(&half, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf");
    turn_idly(&half);

    http_server_close(server);
    server = NULL;
    for (unsigned i = 0; i < 2; i++) {
        client_read(&clients[i]);
        ck_assert_uint_eq(client_count(&clients[i], "HTTP/1.1 503"), 1);
        client_close(&clients[i]);
    }
    client_close(&half);
}
END_TEST

START_TEST(closed_server_leaves_its_port_free)
{
    char address[32];
    snprintf(address, sizeof(address), "127.0.0.1:%u", http_server_port(server));
    struct http_options options = tcp_options();
    options.address = address;
    struct http_server *second = NULL;
    ck_assert_int_eq(http_server_open(loop, &options, &second), RC_EXISTS);
    http_server_close(server);
    server = NULL;
    ck_assert_int_eq(http_server_open(loop, &options, &second), RC_OK);
    http_server_close(second);
}
END_TEST

/* ---- the Unix socket ---- */

START_TEST(unix_socket_has_its_mode_and_tells_who_calls)
{
    struct http_options options = unix_options();
    struct http_server *door = NULL;
    ck_assert_int_eq(http_server_open(loop, &options, &door), RC_OK);
    struct stat status;
    ck_assert_int_eq(stat(socket_path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);

    struct client client = client_open_unix(socket_path);
    client_send(&client, "GET /v1/status HTTP/1.1\r\nHost: stepd\r\n\r\n");
    until_answers(&client, 1);
    ck_assert(seen.peer_known);
    ck_assert_uint_eq(seen.peer, getuid());
    client_close(&client);
    http_server_close(door);
    ck_assert_int_eq(access(socket_path, F_OK), -1);
}
END_TEST

static TCase *
tcase_new(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static Suite *
suite(void)
{
    Suite *suite = suite_create("http");
    TCase *plain = tcase_new(suite, "plain");
    tcase_add_test(plain, handler_sees_method_path_header_query_and_whole_body);
    tcase_add_test(plain, absent_header_and_query_are_null);
    tcase_add_test(plain, pipelined_requests_are_answered_in_order);
    tcase_add_test(plain, answer_header_with_a_line_break_is_left_out);

    TCase *framing = tcase_new(suite, "framing");
    tcase_add_loop_test(framing, ambiguous_framing_is_refused_and_the_connection_closed, 0,
                        (int)(sizeof(bad_framing) / sizeof(bad_framing[0])));
    tcase_add_test(framing, coding_named_in_capitals_is_still_chunked);

    TCase *sizes = tcase_new(suite, "sizes");
    tcase_add_test(sizes, length_over_the_limit_is_413_before_any_body);
    tcase_add_test(sizes, body_of_exactly_the_limit_is_taken);
    tcase_add_test(sizes, chunks_over_the_limit_are_413);
    tcase_add_test(sizes, chunks_without_end_are_cut_off);

    TCase *later = tcase_new(suite, "later");
    tcase_add_test(later, kept_request_is_answered_later_and_the_connection_goes_on);
    tcase_add_test(later, answer_from_a_prepare_watcher_leaves_in_the_same_turn);
    tcase_add_test(later, later_requests_may_be_answered_first);
    tcase_add_loop_test(later, client_that_vanished_does_not_matter_to_a_late_answer, 0, 2);
    tcase_add_test(later, client_that_vanished_within_its_body_is_never_heard_of);
    tcase_add_test(later, reset_is_a_reset_and_not_an_orderly_end);

    TCase *closing = tcase_new(suite, "closing");
    tcase_add_test(closing, close_answers_open_requests_with_503);
    tcase_add_test(closing, closed_server_leaves_its_port_free);

    TCase *unix_socket = tcase_new(suite, "unix");
    tcase_add_test(unix_socket, unix_socket_has_its_mode_and_tells_who_calls);
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
