#include "tools/fakeline/poster.h"

#include <assert.h>
#include <curl/curl.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>

struct post {
    struct poster *poster;
    struct post *next, **link;
    CURL *easy;
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];
    poster_done_fn done;
    void *context;
};

struct watch { /* one socket of libcurl's */
    struct ev_io io;
    struct poster *poster;
};

struct poster {
    struct ev_loop *loop;
    CURLM *multi;
    struct ev_timer timer;
    struct post *posts;
};

static void
post_free(struct post *post)
{
    *post->link = post->next;
    if (post->next != NULL) {
        post->next->link = post->link;
    }
    curl_multi_remove_handle(post->poster->multi, post->easy);
    curl_easy_cleanup(post->easy);
    curl_slist_free_all(post->headers);
    free(post);
}

static void
report_finished(struct poster *poster)
{
    int left = 0;
    const CURLMsg *message = NULL;
    while ((message = curl_multi_info_read(poster->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        CURLcode code = message->data.result;
        struct post *post = NULL;
        long status = 0;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&post);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        const char *error = post->error[0] != '\0' ? post->error : curl_easy_strerror(code);
        post->done(post->context, code == CURLE_OK ? status : 0, code == CURLE_OK ? NULL : error);
        post_free(post);
    }
}

static void
on_socket(struct ev_loop *loop, struct ev_io *io, int events)
{
    struct watch *watch = io->data;
    struct poster *poster = watch->poster;
    int running = 0;
    (void)loop;
    int mask = ((events & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
               ((events & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(poster->multi, io->fd, mask, &running);
    report_finished(poster);
}

static void
on_timer(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    struct poster *poster = timer->data;
    int running = 0;
    (void)loop;
    (void)events;
    curl_multi_socket_action(poster->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    report_finished(poster);
}

/* libcurl asks for a socket to be watched, otherwise or no longer. */
static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct poster *poster = context;
    struct watch *watch = socket_context;
    (void)easy;
    if (watch != NULL) {
        ev_io_stop(poster->loop, &watch->io);
    }
    if (what == CURL_POLL_REMOVE) {
        free(watch);
        return 0;
    }
    if (watch == NULL) {
        watch = calloc(1, sizeof(*watch));
        assert(watch != NULL);
        watch->poster = poster;
        curl_multi_assign(poster->multi, fd, watch);
    }
    int events =
        ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) | ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0);
    ev_io_init(&watch->io, on_socket, fd, events);
    watch->io.data = watch;
    ev_io_start(poster->loop, &watch->io);
    return 0;
}

static int
set_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct poster *poster = context;
    (void)multi;
    ev_timer_stop(poster->loop, &poster->timer);
    if (timeout_ms >= 0) {
        ev_timer_set(&poster->timer, (double)timeout_ms / 1000.0, 0.0);
        ev_timer_start(poster->loop, &poster->timer);
    }
    return 0;
}

struct poster *
poster_new(struct ev_loop *loop)
{
    struct poster *poster = calloc(1, sizeof(*poster));
    assert(poster != NULL);
    poster->loop = loop;
    poster->multi = curl_multi_init();
    assert(poster->multi != NULL);
    ev_timer_init(&poster->timer, on_timer, 0.0, 0.0);
    poster->timer.data = poster;
    curl_multi_setopt(poster->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(poster->multi, CURLMOPT_SOCKETDATA, poster);
    curl_multi_setopt(poster->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(poster->multi, CURLMOPT_TIMERDATA, poster);
    return poster;
}

void
poster_free(struct poster *poster)
{
    if (poster == NULL) {
        return;
    }
    while (poster->posts != NULL) {
        post_free(poster->posts);
    }
    curl_multi_cleanup(poster->multi);
    ev_timer_stop(poster->loop, &poster->timer);
    free(poster);
}

static size_t
drop_answer(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

void
poster_post(struct poster *poster, const char *url, const char *signature, struct span body,
            poster_done_fn done, void *context)
{
    struct post *post = calloc(1, sizeof(*post));
    assert(post != NULL);
    *post = (struct post){.poster = poster,
                          .next = poster->posts,
                          .link = &poster->posts,
                          .easy = curl_easy_init(),
                          .done = done,
                          .context = context};
    assert(post->easy != NULL);
    if (post->next != NULL) {
        post->next->link = &post->next;
    }
    poster->posts = post;

    char header[128];
    snprintf(header, sizeof(header), "x-line-signature: %s", signature);
    post->headers = curl_slist_append(post->headers, header);
    post->headers =
        curl_slist_append(post->headers, "Content-Type: application/json; charset=utf-8");
    post->headers = curl_slist_append(post->headers, "Expect:"); /* LINE does not wait for a 100 */
    curl_easy_setopt(post->easy, CURLOPT_URL, url);
    curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, post->headers);
    curl_easy_setopt(post->easy, CURLOPT_USERAGENT, "LineBotWebhook/2.0");
    curl_easy_setopt(post->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(post->easy, CURLOPT_COPYPOSTFIELDS,
                     body.len == 0 ? "" : (const char *)body.data);
    curl_easy_setopt(post->easy, CURLOPT_WRITEFUNCTION, drop_answer);
    curl_easy_setopt(post->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(post->easy, CURLOPT_PROXY, ""); /* loopback is nobody else's */
    curl_easy_setopt(post->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(post->easy, CURLOPT_TIMEOUT_MS, (long)POST_DEADLINE_MS);
    curl_easy_setopt(post->easy, CURLOPT_ERRORBUFFER, post->error);
    curl_easy_setopt(post->easy, CURLOPT_PRIVATE, post);
    CURLMcode code = curl_multi_add_handle(poster->multi, post->easy);
    assert(code == CURLM_OK);
}
