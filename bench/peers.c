#include "bench/peers.h"

#include "bench/bench_world.h"
#include "engine/base/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { DAY_S = 86400, PG_PROTOCOL = 3 << 16 };
#define NOW_MS INT64_C(1780272000000)

const char *
peer_name(enum peer peer)
{
    static const char *const NAMES[] = {"Redis, appendfsync always", "PostgreSQL",
                                        "beanstalkd -f 0", "BullMQ on that Redis"};
    return NAMES[peer];
}

bool
peer_is_there(const struct peers *peers, enum peer peer)
{
    return peers->fds[peer] >= 0;
}

/* -1: nobody listens there. */
static int
connect_to(const char *directory, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", directory, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench_check(fd >= 0, "socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void
send_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        bench_check(sent > 0, "a peer went away");
        bytes = span_of(bytes.data + sent, bytes.len - (size_t)sent);
    }
}

/* Reads until so many lines have come, each beginning with `begin`. */
static void
expect_lines(int fd, size_t lines, char begin)
{
    static char bytes[65536];
    bool at_begin = true;
    while (lines > 0) {
        ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
        bench_check(got > 0, "a peer went away");
        for (ssize_t i = 0; i < got; i++) {
            bench_check(!at_begin || bytes[i] == begin, "a peer refused a job");
            at_begin = bytes[i] == '\n';
            lines -= at_begin;
        }
    }
}

static int64_t
due_s(uint64_t job)
{
    return DAY_S + (int64_t)(job * 7919 % (30 * DAY_S));
}

/* The job's number, filled up with letters. */
static void
append_payload(struct buf *out, uint64_t job, size_t bytes)
{
    size_t from = out->len;
    buf_printf(out, "%" PRIu64 " ", job);
    while (out->len - from < bytes) {
        buf_append_byte(out, 'x');
    }
}

/* ---- Redis: a sorted set by due time ---- */

static void
schedule_redis(struct peers *peers, size_t group, size_t bytes, struct buf *request)
{
    struct buf payload = {0};
    for (size_t i = 0; i < group; i++) {
        uint64_t job = peers->next++;
        buf_clear(&payload);
        append_payload(&payload, job, bytes);
        buf_printf(request, "*4\r\n$4\r\nZADD\r\n$6\r\ntimers\r\n$13\r\n%" PRId64 "\r\n$%zu\r\n",
                   NOW_MS + due_s(job) * 1000, payload.len);
        buf_append_span(request, buf_span(&payload));
        buf_append_cstr(request, "\r\n");
    }
    buf_fini(&payload);
    send_all(peers->fds[PEER_REDIS], buf_span(request));
    expect_lines(peers->fds[PEER_REDIS], group, ':');
}

/* ---- beanstalkd ---- */

static void
schedule_beanstalkd(struct peers *peers, size_t group, size_t bytes, struct buf *request)
{
    struct buf payload = {0};
    for (size_t i = 0; i < group; i++) {
        uint64_t job = peers->next++;
        buf_clear(&payload);
        append_payload(&payload, job, bytes);
        buf_printf(request, "put 0 %" PRId64 " 60 %zu\r\n", due_s(job), payload.len);
        buf_append_span(request, buf_span(&payload));
        buf_append_cstr(request, "\r\n");
    }
    buf_fini(&payload);
    send_all(peers->fds[PEER_BEANSTALKD], buf_span(request));
    expect_lines(peers->fds[PEER_BEANSTALKD], group, 'I'); /* INSERTED */
}

/* ---- PostgreSQL: a table with an index by due time, in its own protocol ---- */

static void
append_int32(struct buf *out, uint32_t value)
{
    const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                             (uint8_t)value};
    buf_append(out, bytes, sizeof(bytes));
}

static void
recv_all(int fd, uint8_t *out, size_t len)
{
    bench_check(recv(fd, out, len, MSG_WAITALL) == (ssize_t)len, "PostgreSQL went away");
}

/* Reads messages until the server is ready for the next query. */
static void
expect_ready(int fd)
{
    for (;;) {
        uint8_t head[5], body[1024];
        recv_all(fd, head, sizeof(head));
        size_t len = ((size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 |
                      (size_t)head[4]) -
                     4;
        bench_check(head[0] != 'E' && len <= sizeof(body), "PostgreSQL refused");
        recv_all(fd, body, len);
        if (head[0] == 'Z') {
            return;
        }
    }
}

static void
query(int fd, struct buf *text)
{
    struct buf message = {0};
    buf_append_byte(text, '\0');
    buf_append_byte(&message, 'Q');
    append_int32(&message, (uint32_t)(4 + text->len));
    buf_append_span(&message, buf_span(text));
    send_all(fd, buf_span(&message));
    buf_fini(&message);
    expect_ready(fd);
}

static void
begin_postgresql(int fd)
{
    static const char PARAMETERS[] = "user\0bench\0database\0postgres\0"; /* and the last NUL */
    struct buf text = {0};
    append_int32(&text, 8 + sizeof(PARAMETERS));
    append_int32(&text, PG_PROTOCOL);
    buf_append(&text, PARAMETERS, sizeof(PARAMETERS));
    send_all(fd, buf_span(&text));
    expect_ready(fd);
    buf_clear(&text);
    buf_append_cstr(&text, "CREATE TABLE timers (id bigint PRIMARY KEY, due bigint, payload text); "
                           "CREATE INDEX ON timers (due)");
    query(fd, &text);
    buf_fini(&text);
}

static void
schedule_postgresql(struct peers *peers, size_t group, size_t bytes, struct buf *request)
{
    buf_append_cstr(request, "INSERT INTO timers VALUES ");
    for (size_t i = 0; i < group; i++) {
        uint64_t job = peers->next++;
        buf_printf(request, "%s(%" PRIu64 ",%" PRId64 ",'", i == 0 ? "" : ",", job,
                   NOW_MS + due_s(job) * 1000);
        append_payload(request, job, bytes);
        buf_append_cstr(request, "')");
    }
    query(peers->fds[PEER_POSTGRESQL], request);
}

/* ---- BullMQ: a program of its own, which is told a group at a time ---- */

static void
schedule_bullmq(struct peers *peers, size_t group, size_t bytes, struct buf *request)
{
    buf_printf(request, "%zu %zu\n", group, bytes);
    send_all(peers->fds[PEER_BULLMQ], buf_span(request));
    expect_lines(peers->fds[PEER_BULLMQ], 1, 'd'); /* done */
}

/* ---- all ---- */

void
peers_open(struct peers *peers, const char *directory)
{
    static const char *const SOCKETS[] = {"redis.sock", ".s.PGSQL.5432", "beanstalkd.sock",
                                          "bullmq.sock"};
    *peers = (struct peers){.next = 1};
    for (int i = 0; i < PEER_COUNT; i++) {
        peers->fds[i] = connect_to(directory, SOCKETS[i]);
    }
    if (peers->fds[PEER_POSTGRESQL] >= 0) {
        begin_postgresql(peers->fds[PEER_POSTGRESQL]);
    }
}

void
peers_close(struct peers *peers)
{
    for (int i = 0; i < PEER_COUNT; i++) {
        if (peers->fds[i] >= 0) {
            close(peers->fds[i]);
        }
    }
}

double
peer_durable(struct peers *peers, enum peer peer, size_t group, size_t bytes, int64_t slice_us)
{
    static void (*const SCHEDULE[])(struct peers *, size_t, size_t, struct buf *) = {
        schedule_redis, schedule_postgresql, schedule_beanstalkd, schedule_bullmq};
    struct buf request = {0};
    int64_t began_us = bench_now_us(), us = 0;
    uint64_t count = 0;
    while (us < slice_us) {
        buf_clear(&request);
        SCHEDULE[peer](peers, group, bytes, &request);
        count += group;
        us = bench_now_us() - began_us;
    }
    buf_fini(&request);
    return (double)count * 1e6 / (double)us;
}
