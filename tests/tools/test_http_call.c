/* One JSON call over a Unix socket: the answer, and what is said when there is none. */
#include "tools/common/http_call.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64], path[96];
static int listener;
static const char *answer;
static char request[4096];
static pthread_t server;

/* Takes one connection, reads until the body is there, answers and closes. */
static void *
serve_once(void *context)
{
    (void)context;
    int fd = accept(listener, NULL, NULL);
    size_t len = 0;
    const char *wanted = "}";
    bool has_body = false;
    while (len + 1 < sizeof(request)) {
        ssize_t got = recv(fd, request + len, sizeof(request) - 1 - len, 0);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
        request[len] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        has_body = strncmp(request, "POST", 4) == 0;
        if (end != NULL && (!has_body || strstr(end, wanted) != NULL)) {
            break;
        }
    }
    if (answer != NULL) {
        ssize_t sent = send(fd, answer, strlen(answer), MSG_NOSIGNAL);
        (void)sent;
    }
    close(fd);
    return NULL;
}

static void
setup(void)
{
    strcpy(folder, "/tmp/test_http_call.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/stepd.sock", folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 4), 0);
    request[0] = '\0';
}

static void
teardown(void)
{
    close(listener);
    unlink(path);
    rmdir(folder);
}

static enum rc
call(const char *method, const char *url, json_t *body, unsigned *out_status, json_t **out_json,
     struct buf *out_error)
{
    const struct http_call one = {
        .socket_path = path, .method = method, .url = url, .body = body, .deadline_s = 10};
    enum rc rc = http_call(&one, out_status, out_json, out_error);
    json_decref(body);
    return rc;
}

/* A call that somebody answers. */
static enum rc
call_answered(const char *method, json_t *body, unsigned *out_status, json_t **out_json,
              struct buf *out_error)
{
    ck_assert_int_eq(pthread_create(&server, NULL, serve_once, NULL), 0);
    enum rc rc = call(method, "http://stepd/v1/x?a=b", body, out_status, out_json, out_error);
    pthread_join(server, NULL);
    return rc;
}

START_TEST(an_answer_comes_back_with_its_status)
{
    struct buf error = {0};
    unsigned status = 0;
    json_t *json = NULL;
    answer = "HTTP/1.1 422 No\r\nContent-Length: 12\r\n\r\n{\"ok\":false}";
    ck_assert_int_eq(call_answered("POST", json_pack("{s:s}", "名", "値"), &status, &json, &error),
                     RC_OK);
    ck_assert_uint_eq(status, 422);
    ck_assert(json_is_false(json_object_get(json, "ok")));
    ck_assert_ptr_nonnull(strstr(request, "POST /v1/x?a=b HTTP/1.1"));
    ck_assert_ptr_nonnull(strstr(request, "Content-Type: application/json"));
    ck_assert_ptr_nonnull(strstr(request, "{\"名\":\"値\"}"));
    json_decref(json);
    buf_fini(&error);
}
END_TEST

START_TEST(an_empty_answer_is_no_json_and_no_error)
{
    struct buf error = {0};
    unsigned status = 0;
    json_t *json = NULL;
    answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    ck_assert_int_eq(call_answered("GET", NULL, &status, &json, &error), RC_OK);
    ck_assert_uint_eq(status, 200);
    ck_assert_ptr_null(json);
}
END_TEST

static const struct {
    const char *answer;
    enum rc rc;
} BROKEN[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", RC_CORRUPT},
    {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"ok\":", RC_IO},
    {NULL, RC_IO},
};

START_TEST(broken_answers_are_said_to_be_broken)
{
    struct buf error = {0};
    unsigned status = 77;
    json_t *json = NULL;
    answer = BROKEN[_i].answer;
    ck_assert_int_eq(call_answered("GET", NULL, &status, &json, &error), BROKEN[_i].rc);
    ck_assert_uint_gt(error.len, 0);
    ck_assert_uint_eq(status, 77);
    ck_assert_ptr_null(json);
    buf_fini(&error);
}
END_TEST

START_TEST(nobody_there_is_not_found)
{
    struct buf error = {0};
    unsigned status = 0;
    json_t *json = NULL;
    unlink(path);
    ck_assert_int_eq(call("GET", "http://stepd/", NULL, &status, &json, &error), RC_NOT_FOUND);
    ck_assert_str_eq(buf_cstr(&error), "No such file or directory");
    buf_fini(&error);
}
END_TEST

START_TEST(a_stale_socket_is_not_found)
{
    struct buf error = {0};
    unsigned status = 0;
    json_t *json = NULL;
    close(listener);
    ck_assert_int_eq(call("GET", "http://stepd/", NULL, &status, &json, &error), RC_NOT_FOUND);
    ck_assert_str_eq(buf_cstr(&error), "Connection refused");
    buf_fini(&error);
    listener = socket(AF_UNIX, SOCK_STREAM, 0); /* for the teardown */
}
END_TEST

START_TEST(ids_of_any_script_fit_into_a_path)
{
    struct buf url = {0};
    url_append_encoded(&url, span_cstr("a/b?c 名"));
    ck_assert_str_eq(buf_cstr(&url), "a%2Fb%3Fc%20%E5%90%8D");
    buf_fini(&url);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("http_call");
    TCase *tcase = tcase_create("http_call");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, an_answer_comes_back_with_its_status);
    tcase_add_test(tcase, an_empty_answer_is_no_json_and_no_error);
    tcase_add_loop_test(tcase, broken_answers_are_said_to_be_broken, 0,
                        sizeof(BROKEN) / sizeof(BROKEN[0]));
    tcase_add_test(tcase, nobody_there_is_not_found);
    tcase_add_test(tcase, a_stale_socket_is_not_found);
    tcase_add_test(tcase, ids_of_any_script_fit_into_a_path);
    suite_add_tcase(suite, tcase);
    return suite;
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
