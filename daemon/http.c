#include "daemon/http.h"

#include "daemon/http_listen.h"
#include "engine/base/buf.h"

#include <assert.h>
#include <ev.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    /* Passes of the server at close, each waiting up to a millisecond for slow readers. */
    CLOSE_PASSES_MAX = 100,
};

enum request_phase {
    REQUEST_HEAD,     /* the headers are being read */
    REQUEST_BODY,     /* the body is being read */
    REQUEST_KEPT,     /* the handler has it */
    REQUEST_ANSWERED, /* the answer waits for libmicrohttpd to ask for it */
    REQUEST_QUEUED,   /* libmicrohttpd has the answer */
};

/* Lives until both sides are done with it: libmicrohttpd (connection is NULL then) and the handler. */
struct http_request {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_request *next, **link; /* in server->requests */
    enum request_phase phase;
    bool suspended;
    bool bad_target; /* the request target holds an encoded NUL */
    bool too_large;
    bool reset; /* the answer is a closed connection */
    char *method;
    char *path;
    struct buf body;
    size_t body_bytes; /* as arrived, also beyond the limit */
    unsigned status;
    struct MHD_Response *response;
};

struct http_server {
    struct ev_loop *loop;
    struct MHD_Daemon *mhd;
    struct ev_io io;
    struct ev_timer timer;
    struct http_request *requests;
    http_handler_fn handler;
    void *context;
    size_t body_bytes_max;
    void (*on_too_large)(void *context);
    uint16_t port;
    bool closing;
    char *unix_path; /* NULL: TCP */
    dev_t unix_device;
    ino_t unix_inode;
};

/* ---- requests ---- */

static struct http_request *
request_new(struct http_server *server, struct MHD_Connection *connection)
{
    struct http_request *request = calloc(1, sizeof(*request));
    assert(request != NULL);
    request->server = server;
    request->connection = connection;
    request->next = server->requests;
    request->link = &server->requests;
    if (request->next != NULL) {
        request->next->link = &request->next;
    }
    server->requests = request;
    return request;
}

static void
request_free(struct http_request *request)
{
    *request->link = request->next;
    if (request->next != NULL) {
        request->next->link = request->link;
    }
    if (request->response != NULL) {
        MHD_destroy_response(request->response);
    }
    buf_fini(&request->body);
    free(request->method);
    free(request->path);
    free(request);
}

static struct MHD_Response *
response_new(const char *content_type, struct span body, const char *const *headers)
{
    /* MUST_COPY only reads; the parameter is not const in this version's header. */
    void *bytes = (void *)(uintptr_t)body.data;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, bytes, MHD_RESPMEM_MUST_COPY);
    assert(response != NULL);
    if (content_type != NULL) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    }
    /* A header with a line break in it is refused here and left out: nothing can be smuggled. */
    for (size_t i = 0; headers != NULL && headers[i] != NULL; i += 2) {
        (void)MHD_add_response_header(response, headers[i], headers[i + 1]);
    }
    return response;
}

static void
request_set_error(struct http_request *request, unsigned status, const char *text)
{
    static const char *const close_headers[] = {"Connection", "close", NULL};
    request->status = status;
    request->response = response_new("text/plain", span_cstr(text), close_headers);
    request->phase = REQUEST_ANSWERED;
}

static enum MHD_Result
request_queue(struct http_request *request)
{
    assert(request->phase == REQUEST_ANSWERED);
    request->phase = REQUEST_QUEUED;
    if (request->reset) {
        return MHD_NO; /* closes the connection */
    }
    enum MHD_Result result =
        MHD_queue_response(request->connection, request->status, request->response);
    MHD_destroy_response(request->response);
    request->response = NULL;
    return result;
}

/* ---- the framing guard ---- */

struct framing {
    unsigned lengths, codings;
    bool bad;
    unsigned long long length;
};

static bool
is_token(const char *name)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return name[0] != '\0' && name[strspn(name, allowed)] == '\0';
}

static enum MHD_Result
framing_look(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct framing *framing = context;
    (void)kind;
    if (!is_token(name)) {
        framing->bad = true; /* "Content-Length : 5" is another server's Content-Length */
    } else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        framing->lengths++;
        framing->length = value == NULL ? 0 : strtoull(value, NULL, 10);
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        framing->codings++;
        framing->bad |= value == NULL || strcasecmp(value, "chunked") != 0;
    }
    return MHD_YES;
}

static void
request_refuse_large(struct http_request *request)
{
    const struct http_server *server = request->server;
    if (server->on_too_large != NULL) {
        server->on_too_large(server->context);
    }
    request_set_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "too large\n");
}

/* libmicrohttpd 0.9.75 takes the first of two lengths and lets Transfer-Encoding win silently; a proxy in front
 * may see it the other way round, and then the rest of the body is somebody's next request. */
static void
request_check_head(struct http_request *request, const char *version)
{
    struct framing framing = {0};
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, framing_look, &framing);
    bool ambiguous = framing.lengths + framing.codings > 1 || framing.bad ||
                     (framing.codings > 0 && strcmp(version, MHD_HTTP_VERSION_1_1) != 0);
    if (ambiguous || request->bad_target) {
        request_set_error(request, MHD_HTTP_BAD_REQUEST, "bad request\n");
    } else if (framing.length > request->server->body_bytes_max) {
        request_refuse_large(request);
    } else if (request->server->closing) {
        request_set_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping\n");
    }
}

/* ---- what libmicrohttpd calls ---- */

/* First of all calls for a request, with the target as it came. */
static void *
on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct http_request *request = request_new(context, connection);
    request->bad_target = strstr(target, "%00") != NULL;
    return request;
}

static enum MHD_Result
request_take_body(struct http_request *request, const char *data, size_t *data_bytes)
{
    size_t max = request->server->body_bytes_max;
    request->body_bytes += *data_bytes;
    if (request->body_bytes <= max) {
        buf_append(&request->body, data, *data_bytes);
        assert(request->body.rc == RC_OK);
    } else {
        request->too_large = true;
        buf_fini(&request->body);
        request->body = (struct buf){0};
    }
    *data_bytes = 0;
    /* An answer can be given only at the end of a body, so a little more is swallowed to answer
     * 413; who sends without end is cut off. */
    return request->body_bytes / 2 > max ? MHD_NO : MHD_YES;
}

static enum MHD_Result
request_hand_over(struct http_request *request)
{
    struct http_server *server = request->server;
    if (request->too_large) {
        request_refuse_large(request);
        return request_queue(request);
    }
    if (server->closing) {
        request_set_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping\n");
        return request_queue(request);
    }
    request->phase = REQUEST_KEPT;
    server->handler(server->context, request);
    if (request->phase == REQUEST_ANSWERED) {
        return request_queue(request);
    }
    request->suspended = true;
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *path, const char *method,
           const char *version, const char *data, size_t *data_bytes, void **request_context)
{
    struct http_request *request = *request_context;
    (void)context;
    (void)connection;
    switch (request->phase) {
    case REQUEST_HEAD:
        request->method = strdup(method);
        request->path = strdup(path);
        assert(request->method != NULL && request->path != NULL);
        request->phase = REQUEST_BODY;
        request_check_head(request, version);
        return request->phase == REQUEST_ANSWERED ? request_queue(request) : MHD_YES;
    case REQUEST_BODY:
        if (*data_bytes > 0) {
            return request_take_body(request, data, data_bytes);
        }
        return request_hand_over(request);
    case REQUEST_ANSWERED:
        return request_queue(request);
    case REQUEST_KEPT: /* suspended: not asked */
    case REQUEST_QUEUED:
        break;
    }
    return MHD_YES;
}

static void
on_completed(void *context, struct MHD_Connection *connection, void **request_context,
             enum MHD_RequestTerminationCode reason)
{
    struct http_request *request = *request_context;
    (void)context;
    (void)connection;
    (void)reason;
    if (request == NULL) {
        return;
    }
    *request_context = NULL;
    request->connection = NULL;
    if (request->phase != REQUEST_KEPT) {
        request_free(request); /* else the handler still has it: http_answer() frees */
    }
}

/* ---- the loop ---- */

/* libmicrohttpd's timeout changes only while it runs, so it is asked for afterwards. */
static void
server_run(struct http_server *server)
{
    MHD_run(server->mhd);
    ev_timer_stop(server->loop, &server->timer);
    MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
    if (MHD_get_timeout(server->mhd, &timeout_ms) == MHD_YES) {
        ev_timer_set(&server->timer, (double)timeout_ms / 1000.0, 0.0);
        ev_timer_start(server->loop, &server->timer);
    }
}

static void
on_readable(struct ev_loop *loop, struct ev_io *io, int events)
{
    (void)loop;
    (void)events;
    server_run(io->data);
}

static void
on_timer(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    server_run(timer->data);
}

static enum rc
server_listen(struct http_server *server, const struct http_options *options, int *out_fd)
{
    if (options->address != NULL) {
        return http_listen_tcp(options->address, out_fd, &server->port);
    }
    enum rc rc = http_listen_unix(options->unix_path, options->unix_mode, out_fd);
    struct stat status;
    if (rc == RC_OK && lstat(options->unix_path, &status) == 0) {
        server->unix_path = strdup(options->unix_path);
        assert(server->unix_path != NULL);
        server->unix_device = status.st_dev;
        server->unix_inode = status.st_ino;
    }
    return rc;
}

enum rc
http_server_open(struct ev_loop *loop, const struct http_options *options,
                 struct http_server **out_server)
{
    assert((options->address == NULL) != (options->unix_path == NULL));
    assert(options->handler != NULL);
    struct http_server *server = calloc(1, sizeof(*server));
    assert(server != NULL);
    server->loop = loop;
    server->handler = options->handler;
    server->context = options->context;
    server->body_bytes_max = options->body_bytes_max;
    server->on_too_large = options->on_too_large;

    int fd = -1;
    enum rc rc = server_listen(server, options, &fd);
    if (rc != RC_OK) {
        free(server);
        return rc;
    }
    server->mhd = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_CONNECTION_LIMIT,
        options->connections_max, MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout_s,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (server->mhd == NULL) {
        close(fd);
        if (server->unix_path != NULL) {
            unlink(server->unix_path);
        }
        free(server->unix_path);
        free(server);
        return RC_IO;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    ev_io_init(&server->io, on_readable, info->epoll_fd, EV_READ);
    ev_timer_init(&server->timer, on_timer, 0.0, 0.0);
    server->io.data = server;
    server->timer.data = server;
    ev_io_start(loop, &server->io);
    *out_server = server;
    return RC_OK;
}

static bool
any_unsent(const struct http_server *server)
{
    for (const struct http_request *r = server->requests; r != NULL; r = r->next) {
        if (r->phase == REQUEST_ANSWERED || r->phase == REQUEST_QUEUED) {
            return true;
        }
    }
    return false;
}

void
http_server_close(struct http_server *server)
{
    if (server == NULL) {
        return;
    }
    server->closing = true;
    int fd = MHD_quiesce_daemon(server->mhd);
    /* A suspended connection at MHD_stop_daemon() aborts the process: all of them get their answer first. */
    struct http_request *next = NULL;
    for (struct http_request *request = server->requests; request != NULL; request = next) {
        next = request->next;
        if (request->phase != REQUEST_KEPT) {
            continue;
        }
        if (request->connection == NULL) {
            request_free(request);
            continue;
        }
        request_set_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping\n");
        request->suspended = false;
        MHD_resume_connection(request->connection);
    }
    struct pollfd ready = {.fd = server->io.fd, .events = POLLIN};
    for (int pass = 0; pass == 0 || (pass < CLOSE_PASSES_MAX && any_unsent(server)); pass++) {
        MHD_run(server->mhd);
        if (pass > 0) {
            (void)poll(&ready, 1, 1);
        }
    }
    ev_io_stop(server->loop, &server->io);
    ev_timer_stop(server->loop, &server->timer);
    MHD_stop_daemon(server->mhd);
    if (fd >= 0) {
        close(fd);
    }
    assert(server->requests == NULL);

    struct stat status;
    if (server->unix_path != NULL && lstat(server->unix_path, &status) == 0 &&
        status.st_dev == server->unix_device && status.st_ino == server->unix_inode) {
        unlink(server->unix_path);
    }
    free(server->unix_path);
    free(server);
}

uint16_t
http_server_port(const struct http_server *server)
{
    return server->port;
}

/* ---- what a handler asks ---- */

const char *
http_method(const struct http_request *request)
{
    return request->method;
}

const char *
http_path(const struct http_request *request)
{
    return request->path;
}

static const char *
connection_value(const struct http_request *request, enum MHD_ValueKind kind, const char *name)
{
    if (request->connection == NULL) {
        return NULL; /* the client is gone, and its headers with it */
    }
    return MHD_lookup_connection_value(request->connection, kind, name);
}

const char *
http_header(const struct http_request *request, const char *name)
{
    return connection_value(request, MHD_HEADER_KIND, name);
}

const char *
http_query(const struct http_request *request, const char *name)
{
    return connection_value(request, MHD_GET_ARGUMENT_KIND, name);
}

struct span
http_body(const struct http_request *request)
{
    return buf_span(&request->body);
}

static int
connection_fd(const struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

bool
http_peer_uid(const struct http_request *request, uid_t *out_uid)
{
    if (request->connection == NULL || request->server->unix_path == NULL) {
        return false;
    }
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);
    if (getsockopt(connection_fd(request), SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return false;
    }
    *out_uid = peer.uid;
    return true;
}

/* The answer is stored; libmicrohttpd asks for it when it runs, which the fed event sees to in this very
 * pass of the loop, also when called from a prepare watcher. */
static void
request_wake(struct http_request *request)
{
    if (request->suspended) {
        request->suspended = false;
        MHD_resume_connection(request->connection);
        ev_feed_event(request->server->loop, &request->server->timer, EV_TIMER);
    }
}

void
http_answer(struct http_request *request, unsigned status, const char *content_type,
            struct span body, const char *const *headers)
{
    assert(request->phase == REQUEST_KEPT);
    if (request->connection == NULL) {
        request_free(request);
        return;
    }
    request->phase = REQUEST_ANSWERED;
    request->status = status;
    request->response = response_new(content_type, body, headers);
    request_wake(request);
}

void
http_reset(struct http_request *request)
{
    assert(request->phase == REQUEST_KEPT);
    if (request->connection == NULL) {
        request_free(request);
        return;
    }
    /* Dissolving the association sends RST at once. SO_LINGER 0 would not do: libmicrohttpd calls
     * shutdown() before close(), and the client would see an orderly end first. */
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    (void)connect(connection_fd(request), &nobody, sizeof(nobody));
    request->phase = REQUEST_ANSWERED;
    request->reset = true;
    request_wake(request);
}
