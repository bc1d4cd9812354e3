#include "daemon/line_client_curl.h"

#include "daemon/line_url.h"

#include <assert.h>
#include <curl/curl.h>
#include <ev.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    ANSWER_BYTES_MAX = 2 * 1024 * 1024,
    KEPT_BYTES_MAX = 64 * 1024, /* an idle request gives larger buffers back */
    ID_BYTES_MAX = 128,
    HEADERS_MAX = 6,
    CONNECTION_AGE_MAX_S = 30, /* older idle connections are more likely dead than useful */
};

/* One request and its easy handle. Both are used again, as an easy handle is costly to make. */
struct exchange {
    struct curl_client *client;
    struct exchange *previous, *next; /* in the client's open or idle list */
    CURL *easy;
    ev_timer deadline;
    line_done_fn done;
    void *context;

    struct buf url;
    struct buf body;
    size_t body_read; /* without a key: how much of it libcurl has fetched */
    struct curl_slist headers[HEADERS_MAX];
    unsigned header_count;
    char retry_key_header[ID_BYTES_MAX + 32];
    char time_header[64];

    struct buf answer;
    bool answer_too_large;
    bool head_whole; /* the blank line after the headers has come */
    char request_id[ID_BYTES_MAX];
    char accepted_request_id[ID_BYTES_MAX];
    int64_t retry_after_s;
    char error[CURL_ERROR_SIZE];
};

/* One socket that libcurl wants watched. */
struct watch {
    struct curl_client *client;
    struct watch *previous, *next;
    ev_io io;
};

struct curl_client {
    struct line_client base; /* first: a line_client pointer is a curl_client pointer */
    struct ev_loop *loop;
    CURLM *multi;
    ev_timer timer; /* libcurl's own */
    struct exchange *open, *idle;
    struct watch *watches;
    char *base_url;
    char *authorization; /* the header line; wiped when freed */
    bool virtual_time;
    bool calling_back;
    int64_t connect_timeout_ms, deadline_ms;
};

static void *
alloc_zeroed(size_t bytes)
{
    void *block = calloc(1, bytes);
    assert(block != NULL);
    return block;
}

static void
exchange_link(struct exchange **list, struct exchange *exchange)
{
    exchange->previous = NULL;
    exchange->next = *list;
    if (*list != NULL) {
        (*list)->previous = exchange;
    }
    *list = exchange;
}

static void
exchange_unlink(struct exchange **list, struct exchange *exchange)
{
    if (exchange->previous != NULL) {
        exchange->previous->next = exchange->next;
    } else {
        *list = exchange->next;
    }
    if (exchange->next != NULL) {
        exchange->next->previous = exchange->previous;
    }
}

/* libev counts from the time its loop turn began; a long turn must not eat into a wait. */
static double
seconds_from_now(struct ev_loop *loop, int64_t ms)
{
    double behind = ev_time() - ev_now(loop);
    return (double)ms / 1000.0 + (behind > 0 ? behind : 0);
}

/* ---- what came back ------------------------------------------------------------------------- */

static size_t
take_body(char *data, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t bytes = size * count;
    if (bytes > ANSWER_BYTES_MAX - exchange->answer.len) {
        exchange->answer_too_large = true;
        return 0;
    }
    buf_append(&exchange->answer, data, bytes);
    assert(exchange->answer.rc == RC_OK);
    return bytes;
}

static bool
is_visible_ascii(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= 0x20 || text.data[i] >= 0x7f) {
            return false;
        }
    }
    return text.len > 0;
}

/* The value of a header line of that name, without blanks around it. */
static bool
header_value(struct span line, const char *name, struct span *out_value)
{
    size_t name_len = strlen(name);
    if (line.len <= name_len || line.data[name_len] != ':' ||
        strncasecmp((const char *)line.data, name, name_len) != 0) {
        return false;
    }
    struct span value = span_of(line.data + name_len + 1, line.len - name_len - 1);
    while (value.len > 0 && (value.data[0] == ' ' || value.data[0] == '\t')) {
        value = span_of(value.data + 1, value.len - 1);
    }
    while (value.len > 0 && value.data[value.len - 1] <= ' ') {
        value.len--;
    }
    *out_value = value;
    return true;
}

/* Ids go into the log and onto terminals: one that is no plain word is not kept at all. */
static void
keep_id(char kept[static ID_BYTES_MAX], struct span value)
{
    if (value.len < ID_BYTES_MAX && is_visible_ascii(value)) {
        memcpy(kept, value.data, value.len);
        kept[value.len] = '\0';
    }
}

static int64_t
parse_retry_after(struct span value)
{
    int64_t seconds = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9' || i >= 9) {
            return -1; /* a date, or nonsense: as if not given */
        }
        seconds = seconds * 10 + (value.data[i] - '0');
    }
    return value.len > 0 ? seconds : -1;
}

static void
forget_headers(struct exchange *exchange)
{
    exchange->request_id[0] = '\0';
    exchange->accepted_request_id[0] = '\0';
    exchange->retry_after_s = -1;
    exchange->head_whole = false;
}

static size_t
take_header(char *data, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    struct span line = span_of(data, size * count);
    struct span value;
    if (line.len >= 5 && memcmp(line.data, "HTTP/", 5) == 0) {
        forget_headers(exchange); /* what stood before belonged to a 1xx, or to a dead connection */
    } else if (line.len > 0 && (line.data[0] == '\r' || line.data[0] == '\n')) {
        exchange->head_whole = true;
    } else if (header_value(line, "x-line-request-id", &value)) {
        keep_id(exchange->request_id, value);
    } else if (header_value(line, "x-line-accepted-request-id", &value)) {
        keep_id(exchange->accepted_request_id, value);
    } else if (header_value(line, "retry-after", &value)) {
        exchange->retry_after_s = parse_retry_after(value);
    }
    return size * count;
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void
exchange_recycle(struct exchange *exchange)
{
    struct buf *bufs[] = {&exchange->url, &exchange->body, &exchange->answer};
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++) {
        if (bufs[i]->capacity > KEPT_BYTES_MAX) {
            buf_fini(bufs[i]);
            *bufs[i] = (struct buf){0};
        } else {
            buf_clear(bufs[i]);
        }
    }
    exchange_link(&exchange->client->idle, exchange);
}

/* Takes the exchange out of libcurl, calls back and keeps the handle for the next. */
static void
exchange_finish(struct exchange *exchange, struct line_answer *answer)
{
    struct curl_client *client = exchange->client;
    ev_timer_stop(client->loop, &exchange->deadline);
    CURLMcode code = curl_multi_remove_handle(client->multi, exchange->easy);
    assert(code == CURLM_OK);
    exchange_unlink(&client->open, exchange);

    client->calling_back = true;
    exchange->done(exchange->context, answer);
    client->calling_back = false;
    exchange_recycle(exchange);
}

/* An exchange without a whole answer. The request's size counts the bytes that went into the
 * connection, also into one that died and was replaced: none means LINE cannot know of it. */
static void
exchange_fail(struct exchange *exchange, const char *error)
{
    long sent_bytes = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
    struct line_answer answer = {.transport = sent_bytes == 0 ? LINE_NOT_SENT : LINE_UNCERTAIN,
                                 .retry_after_s = -1,
                                 .error = error};
    exchange_finish(exchange, &answer);
}

static void
exchange_answered(struct exchange *exchange)
{
    long status = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    struct line_answer answer = {
        .transport = LINE_ANSWERED,
        .status = (uint32_t)status,
        .body = buf_span(&exchange->answer),
        .request_id = span_cstr(exchange->request_id),
        .accepted_request_id = span_cstr(exchange->accepted_request_id),
        .retry_after_s = exchange->retry_after_s,
    };
    exchange_finish(exchange, &answer);
}

static void
finish_completed(struct curl_client *client)
{
    CURLMsg *message;
    int waiting;
    while ((message = curl_multi_info_read(client->multi, &waiting)) != NULL) {
        CURLcode result = message->data.result; /* the message dies with its handle's removal */
        struct exchange *exchange = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
        if (result == CURLE_OK && exchange->head_whole) {
            exchange_answered(exchange);
        } else if (result == CURLE_OK) { /* libcurl is content with half a head */
            exchange_fail(exchange, "the answer ends within its headers");
        } else if (exchange->answer_too_large) {
            exchange_fail(exchange, "the answer is larger than 2 MB");
        } else {
            const char *detail = exchange->error;
            exchange_fail(exchange, detail[0] != '\0' ? detail : curl_easy_strerror(result));
        }
    }
}

static void
on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct exchange *exchange = timer->data;
    char error[64];
    snprintf(error, sizeof(error), "no whole answer within %" PRId64 " ms",
             exchange->client->deadline_ms);
    exchange_fail(exchange, error);
}

/* ---- libcurl's sockets and timer on the loop ------------------------------------------------ */

static void
on_socket(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    struct watch *watch = io->data;
    struct curl_client *client = watch->client;
    int actions =
        ((events & EV_READ) ? CURL_CSELECT_IN : 0) | ((events & EV_WRITE) ? CURL_CSELECT_OUT : 0);
    int running;
    curl_multi_socket_action(client->multi, io->fd, actions, &running); /* may free the watch */
    finish_completed(client);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct curl_client *client = timer->data;
    int running;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_completed(client);
}

/* libcurl calls this from within its own functions, 0 ms included: only arm, never act. */
static int
arm_timer(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct curl_client *client = context;
    ev_timer_stop(client->loop, &client->timer);
    if (timeout_ms >= 0) {
        ev_timer_set(&client->timer, seconds_from_now(client->loop, timeout_ms), 0.);
        ev_timer_start(client->loop, &client->timer);
    }
    return 0;
}

static void
watch_free(struct watch *watch)
{
    struct curl_client *client = watch->client;
    ev_io_stop(client->loop, &watch->io);
    if (watch->previous != NULL) {
        watch->previous->next = watch->next;
    } else {
        client->watches = watch->next;
    }
    if (watch->next != NULL) {
        watch->next->previous = watch->previous;
    }
    free(watch);
}

static struct watch *
watch_new(struct curl_client *client)
{
    struct watch *watch = alloc_zeroed(sizeof(*watch));
    watch->client = client;
    watch->next = client->watches;
    if (watch->next != NULL) {
        watch->next->previous = watch;
    }
    client->watches = watch;
    ev_init(&watch->io, on_socket);
    watch->io.data = watch;
    return watch;
}

static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    (void)easy;
    struct curl_client *client = context;
    struct watch *watch = socket_context;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            curl_multi_assign(client->multi, fd, NULL);
            watch_free(watch);
        }
        return 0;
    }
    if (watch == NULL) {
        watch = watch_new(client);
        curl_multi_assign(client->multi, fd, watch);
    }
    int events = ((what & CURL_POLL_IN) ? EV_READ : 0) | ((what & CURL_POLL_OUT) ? EV_WRITE : 0);
    ev_io_stop(client->loop, &watch->io);
    ev_io_set(&watch->io, fd, events);
    ev_io_start(client->loop, &watch->io);
    return 0;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* A reply's body comes from here and cannot be rewound, so libcurl cannot send it a second time
 * when a kept connection breaks: LINE takes a reply token once, and the second answer would say
 * "invalid token" of a reply that went out. */
static size_t
give_body(char *out, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t bytes = exchange->body.len - exchange->body_read;
    if (bytes > size * count) {
        bytes = size * count;
    }
    if (bytes > 0) {
        memcpy(out, exchange->body.data + exchange->body_read, bytes);
        exchange->body_read += bytes;
    }
    return bytes;
}

/* As libcurl does it, but not for a process that somebody may start. */
static curl_socket_t
open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)context;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void
set_constant_options(struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    struct curl_client *client = exchange->client;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* do not wait for a hanging name server */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
                     strncasecmp(client->base_url, "https:", 6) == 0 ? "https" : "http");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not even from the environment */
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)client->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_AGE_MAX_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "stepd/" STEPD_VERSION);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
}

static struct exchange *
exchange_take(struct curl_client *client)
{
    struct exchange *exchange = client->idle;
    if (exchange != NULL) {
        exchange_unlink(&client->idle, exchange);
    } else {
        exchange = alloc_zeroed(sizeof(*exchange));
        exchange->client = client;
        exchange->easy = curl_easy_init();
        assert(exchange->easy != NULL);
        ev_init(&exchange->deadline, on_deadline);
        exchange->deadline.data = exchange;
        set_constant_options(exchange);
    }
    exchange->body_read = 0;
    exchange->header_count = 0;
    exchange->answer_too_large = false;
    exchange->error[0] = '\0';
    forget_headers(exchange);
    exchange_link(&client->open, exchange);
    return exchange;
}

/* The nodes of curl's list are the exchange's own, so that the token is in memory once. */
static void
add_header(struct exchange *exchange, char *line)
{
    unsigned count = exchange->header_count++;
    assert(count < HEADERS_MAX);
    exchange->headers[count] = (struct curl_slist){.data = line, .next = NULL};
    if (count > 0) {
        exchange->headers[count - 1].next = &exchange->headers[count];
    }
}

static void
write_headers(struct exchange *exchange, const struct line_request *request, bool has_body)
{
    static char content_type[] = "Content-Type: application/json";
    static char no_expect[] = "Expect:"; /* never wait for a 100 Continue */
    add_header(exchange, exchange->client->authorization);
    if (has_body) {
        add_header(exchange, content_type);
        add_header(exchange, no_expect);
    }
    if (line_endpoints[request->endpoint].keyed) {
        /* Keys are made by us (SPEC R40): one that could break out of its line is our mistake. */
        assert(request->retry_key.len <= ID_BYTES_MAX && is_visible_ascii(request->retry_key));
        snprintf(exchange->retry_key_header, sizeof(exchange->retry_key_header),
                 "X-Line-Retry-Key: %.*s", span_fmt(request->retry_key));
        add_header(exchange, exchange->retry_key_header);
    }
    if (exchange->client->virtual_time) {
        snprintf(exchange->time_header, sizeof(exchange->time_header), "X-Stepd-Time: %" PRId64,
                 request->now_ms);
        add_header(exchange, exchange->time_header);
    }
}

static void
client_send(struct line_client *base, const struct line_request *request, line_done_fn done,
            void *context)
{
    struct curl_client *client = (struct curl_client *)base;
    struct exchange *exchange = exchange_take(client);
    CURL *easy = exchange->easy;
    exchange->done = done;
    exchange->context = context;

    bool has_body = line_endpoints[request->endpoint].post;
    line_url_write(client->base_url, request, &exchange->url);
    assert(exchange->url.rc == RC_OK);
    write_headers(exchange, request, has_body);
    curl_easy_setopt(easy, CURLOPT_URL, buf_cstr(&exchange->url));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
    if (has_body) {
        buf_append_span(&exchange->body, request->body);
        bool may_repeat = line_endpoints[request->endpoint].keyed;
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, may_repeat ? buf_cstr(&exchange->body) : NULL);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body.len);
        assert(exchange->body.rc == RC_OK);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }

    ev_timer_set(&exchange->deadline, seconds_from_now(client->loop, client->deadline_ms), 0.);
    ev_timer_start(client->loop, &exchange->deadline);
    CURLMcode code = curl_multi_add_handle(client->multi, easy); /* only asks for the timer */
    assert(code == CURLM_OK);
}

/* ---- making and freeing ---------------------------------------------------------------------- */

static void
exchange_free(struct exchange *exchange)
{
    curl_easy_cleanup(exchange->easy);
    buf_fini(&exchange->url);
    buf_fini(&exchange->body);
    buf_fini(&exchange->answer);
    free(exchange);
}

static void
client_free(struct line_client *base)
{
    if (base == NULL) {
        return;
    }
    struct curl_client *client = (struct curl_client *)base;
    assert(!client->calling_back);
    while (client->open != NULL) {
        struct exchange *exchange = client->open;
        ev_timer_stop(client->loop, &exchange->deadline);
        curl_multi_remove_handle(client->multi, exchange->easy);
        exchange_unlink(&client->open, exchange);
        exchange_free(exchange);
    }
    while (client->idle != NULL) {
        struct exchange *exchange = client->idle;
        exchange_unlink(&client->idle, exchange);
        exchange_free(exchange);
    }
    curl_multi_cleanup(client->multi); /* may still call watch_socket() and arm_timer() */
    while (client->watches != NULL) {
        watch_free(client->watches);
    }
    ev_timer_stop(client->loop, &client->timer);
    explicit_bzero(client->authorization, strlen(client->authorization));
    free(client->authorization);
    free(client->base_url);
    free(client);
    curl_global_cleanup();
}

enum rc
line_client_curl_new(struct ev_loop *loop, const struct line_client_curl_options *options,
                     struct line_client **out_client)
{
    assert(options->connections_max > 0 && options->deadline_ms > 0);
    if (!line_url_allowed(options->base_url) || !is_visible_ascii(span_cstr(options->token)) ||
        curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return RC_INVALID;
    }
    struct curl_client *client = alloc_zeroed(sizeof(*client));
    client->base = (struct line_client){.send = client_send, .free = client_free};
    client->loop = loop;
    client->virtual_time = options->virtual_time;
    client->connect_timeout_ms = options->connect_timeout_ms;
    client->deadline_ms = options->deadline_ms;
    client->base_url = strdup(options->base_url);
    assert(client->base_url != NULL);
    int printed = asprintf(&client->authorization, "Authorization: Bearer %s", options->token);
    assert(printed > 0);
    ev_init(&client->timer, on_timer);
    client->timer.data = client;

    client->multi = curl_multi_init();
    assert(client->multi != NULL);
    long connections = (long)options->connections_max;
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, arm_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, connections);
    curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    *out_client = &client->base;
    return RC_OK;
}
