/* scripted_server - an HTTP server on loopback, in the test's own loop, that does what it is told.
 *
 * Shape    server_start(), then server_script() says how every request from now on ends. Raw sockets, so
 *          that it can break off, stall and babble as no library would.
 * Units    bytes.
 * Errors   assertions of the test.
 * Owner    one a process; Check's fork cleans up.
 */
#ifndef TESTS_DAEMON_SCRIPTED_SERVER_H
#define TESTS_DAEMON_SCRIPTED_SERVER_H

#include "engine/base/buf.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEERS_MAX = 128 };

enum script {
    SERVER_ANSWERS,
    SERVER_RESETS_UNREAD,         /* with the request still in the socket's buffer */
    SERVER_RESETS_AFTER_READING,  /* the whole request */
    SERVER_ANSWERS_ONE_THEN_DIES, /* resets at the second request of every connection */
    SERVER_CLOSES_AFTER_ANSWER,   /* an answer shorter than its Content-Length is cut */
    SERVER_STALLS,
    SERVER_DRIPS, /* one byte every 20 ms */
};

struct peer {
    ev_io io;
    ev_timer drip;
    struct buf input;
    unsigned request_count;
    size_t dripped;
};

static struct {
    int fd;
    uint16_t port;
    ev_io accept_io;
    enum script script;
    struct span answer;
    struct peer peers[PEERS_MAX];
    unsigned peer_count, request_count;
    struct buf last_request;
} server;

static struct ev_loop *loop; /* set by the test before server_start() */

static void
peer_close(struct peer *peer, bool reset)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    ev_io_stop(loop, &peer->io);
    ev_timer_stop(loop, &peer->drip);
    if (reset) {
        setsockopt(peer->io.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    close(peer->io.fd);
    buf_fini(&peer->input);
}

static void
on_drip(struct ev_loop *l, ev_timer *timer, int events)
{
    (void)l;
    (void)events;
    struct peer *peer = timer->data;
    if (peer->dripped < server.answer.len) {
        send(peer->io.fd, server.answer.data + peer->dripped++, 1, MSG_NOSIGNAL);
    }
}

static void
send_all(struct peer *peer, struct span bytes)
{
    fcntl(peer->io.fd, F_SETFL, 0);
    while (bytes.len > 0) {
        ssize_t sent = send(peer->io.fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0) {
            break;
        }
        bytes = span_of(bytes.data + sent, bytes.len - (size_t)sent);
    }
    fcntl(peer->io.fd, F_SETFL, O_NONBLOCK);
}

static void
handle_request(struct peer *peer)
{
    server.request_count++;
    peer->request_count++;
    buf_clear(&server.last_request);
    buf_append_span(&server.last_request, buf_span(&peer->input));
    buf_clear(&peer->input);
    switch (server.script) {
    case SERVER_RESETS_UNREAD:
    case SERVER_RESETS_AFTER_READING:
        peer_close(peer, true);
        break;
    case SERVER_ANSWERS_ONE_THEN_DIES:
        if (peer->request_count > 1) {
            peer_close(peer, true);
            break;
        }
        send_all(peer, server.answer);
        break;
    case SERVER_ANSWERS:
        send_all(peer, server.answer);
        break;
    case SERVER_CLOSES_AFTER_ANSWER:
        send_all(peer, server.answer);
        peer_close(peer, false);
        break;
    case SERVER_STALLS:
        break;
    case SERVER_DRIPS:
        ev_timer_start(loop, &peer->drip);
        break;
    }
}

static void
on_peer(struct ev_loop *l, ev_io *io, int events)
{
    (void)l;
    (void)events;
    struct peer *peer = io->data;
    if (server.script == SERVER_RESETS_UNREAD) {
        server.request_count++;
        peer_close(peer, true);
        return;
    }
    char bytes[4096];
    ssize_t got = recv(io->fd, bytes, sizeof(bytes), 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) {
            peer_close(peer, false);
        }
        return;
    }
    buf_append(&peer->input, bytes, (size_t)got);
    const char *text = buf_cstr(&peer->input);
    const char *head_end = strstr(text, "\r\n\r\n");
    if (head_end == NULL) {
        return;
    }
    const char *length = strstr(text, "Content-Length: ");
    size_t body_len = length == NULL ? 0 : strtoul(length + strlen("Content-Length: "), NULL, 10);
    if (peer->input.len >= (size_t)(head_end - text) + 4 + body_len) {
        handle_request(peer);
    }
}

static void
on_accept(struct ev_loop *l, ev_io *io, int events)
{
    (void)l;
    (void)events;
    int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    ck_assert_uint_lt(server.peer_count, PEERS_MAX);
    struct peer *peer = &server.peers[server.peer_count++];
    ev_io_init(&peer->io, on_peer, fd, EV_READ);
    ev_timer_init(&peer->drip, on_drip, 0.02, 0.02);
    peer->io.data = peer;
    peer->drip.data = peer;
    ev_io_start(loop, &peer->io);
}

static int
listen_on_loopback(uint16_t *out_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(fd, 128), 0);
    getsockname(fd, (struct sockaddr *)&address, &len);
    *out_port = ntohs(address.sin_port);
    return fd;
}

static void
server_start(void)
{
    server.fd = listen_on_loopback(&server.port);
    ev_io_init(&server.accept_io, on_accept, server.fd, EV_READ);
    ev_io_start(loop, &server.accept_io);
}

static void
server_script(enum script kind, const char *answer)
{
    server.script = kind;
    server.answer = span_cstr(answer);
}

#endif
