#include "daemon/clock.h"
#include "tests/daemon/line_client_harness.h"

#include <signal.h>

/* ---- what goes out --------------------------------------------------------------------------- */

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static void
ck_request_has(const char *text)
{
    const char *request = buf_cstr(&server.last_request);
    ck_assert_msg(strstr(request, text) != NULL, "no '%s' in:\n%s", text, request);
}

static void
ck_request_lacks(const char *text)
{
    const char *request = buf_cstr(&server.last_request);
    ck_assert_msg(strcasestr(request, text) == NULL, "'%s' in:\n%s", text, request);
}

START_TEST(push_carries_token_key_and_body)
{
    server_script(SERVER_ANSWERS, OK_ANSWER);
    send_and_run(push());

    ck_request_has("POST /v2/bot/message/push HTTP/1.1\r\n");
    ck_request_has("\r\nAuthorization: Bearer channel-token\r\n");
    ck_request_has("\r\nContent-Type: application/json\r\n");
    ck_request_has("\r\nX-Line-Retry-Key: 123e4567-e89b-42d3-a456-426614174000\r\n");
    ck_request_has("\r\n\r\n{\"to\":\"U1\",\"messages\":[]}");
    ck_request_lacks("X-Stepd-Time");
    ck_request_lacks("Expect");
    ck_request_lacks("Accept-Encoding");
}
END_TEST

START_TEST(reply_carries_its_body_and_no_key)
{
    server_script(SERVER_ANSWERS, OK_ANSWER);
    send_and_run(reply());

    ck_request_has("POST /v2/bot/message/reply HTTP/1.1\r\n");
    ck_request_has("\r\nContent-Length: 32\r\n");
    ck_request_has("\r\n\r\n{\"replyToken\":\"r\",\"messages\":[]}");
    ck_request_lacks("X-Line-Retry-Key");
    ck_request_lacks("Expect");
    ck_request_lacks("Transfer-Encoding");
}
END_TEST

/* One handle serves all endpoints in turn: nothing of the request before may cling to it. */
START_TEST(get_after_post_is_a_plain_get)
{
    server_script(SERVER_ANSWERS, OK_ANSWER);
    send_and_run(push());
    send_and_run((struct line_request){.endpoint = LINE_PROFILE, .user_id = span_cstr("U0a1")});
    ck_request_has("GET /v2/bot/profile/U0a1 HTTP/1.1\r\n");
    ck_request_has("\r\nAuthorization: Bearer channel-token\r\n");
    ck_request_lacks("X-Line-Retry-Key");
    ck_request_lacks("Content-");
    send_and_run((struct line_request){.endpoint = LINE_BOT_INFO});
    ck_request_has("GET /v2/bot/info HTTP/1.1\r\n");
    send_and_run(reply());
    ck_request_has("\r\n\r\n{\"replyToken\":\"r\",\"messages\":[]}");
    send_and_run(push());
    ck_request_has("\r\n\r\n{\"to\":\"U1\",\"messages\":[]}");
    ck_assert_uint_eq(server.peer_count, 1);
}
END_TEST

START_TEST(virtual_time_goes_along)
{
    client->free(client);
    char url[64];
    snprintf(url, sizeof(url), "http://localhost:%u/", server.port);
    ck_assert_int_eq(connect_client(url, true), RC_OK);
    server_script(SERVER_ANSWERS, OK_ANSWER);
    send_and_run(push());
    ck_request_has("\r\nX-Stepd-Time: 1780300800123\r\n");
}
END_TEST

START_TEST(hostile_user_id_stays_in_its_place)
{
    const char *ids[] = {"U1\r\nX-Evil: 1", "../../v2/bot/message/push", "U1?a=b#c",
                         "U\xe3\x81\x82 %"};
    const char *paths[] = {"U1%0D%0AX-Evil%3A%201 ", "%2E%2E%2F%2E%2E%2Fv2%2F", "U1%3Fa%3Db%23c ",
                           "U%E3%81%82%20%25 "};
    server_script(SERVER_ANSWERS, OK_ANSWER);
    send_and_run((struct line_request){.endpoint = LINE_PROFILE, .user_id = span_cstr(ids[_i])});

    char expected[128];
    snprintf(expected, sizeof(expected), "GET /v2/bot/profile/%s", paths[_i]);
    ck_request_has(expected);
    ck_request_lacks("\r\nX-Evil");
}
END_TEST

/* Keys are made by us, so a broken one is our own mistake: SIGABRT. */
START_TEST(retry_key_with_a_line_break_is_our_own_mistake)
{
    struct line_request request = push();
    request.retry_key = span_cstr("123e4567\r\nX-Evil: 1");
    send_request(&request, on_answer);
}
END_TEST

START_TEST(token_that_breaks_a_header_is_refused)
{
    const char *tokens[] = {"", "a b", "a\r\nX-Evil: 1", "a\n", "t\xc3\xb6ken"};
    struct line_client *none = NULL;
    struct line_client_curl_options options = {.base_url = "https://api.line.me",
                                               .token = tokens[_i],
                                               .connections_max = 1,
                                               .deadline_ms = 1};
    ck_assert_int_eq(line_client_curl_new(loop, &options, &none), RC_INVALID);
    ck_assert_ptr_null(none);
}
END_TEST

/* ---- what comes back ------------------------------------------------------------------------- */

START_TEST(accepted_push_brings_its_request_id)
{
    server_script(SERVER_ANSWERS, "HTTP/1.1 200 OK\r\nX-Line-Request-Id:  6f1c-aa  \r\n"
                                  "Content-Length: 20\r\n\r\n{\"sentMessages\":[{}]}");
    send_and_run(push());

    ck_assert_int_eq(answers[0].transport, LINE_ANSWERED);
    ck_assert_uint_eq(answers[0].status, 200);
    ck_assert_str_eq(answers[0].body, "{\"sentMessages\":[{}]");
    ck_assert_str_eq(answers[0].request_id, "6f1c-aa");
    ck_assert_str_eq(answers[0].accepted_id, "");
    ck_assert_int_eq(answers[0].retry_after_s, -1);
}
END_TEST

START_TEST(conflict_brings_the_accepted_id)
{
    server_script(SERVER_ANSWERS, "HTTP/1.1 409 Conflict\r\nx-line-request-id: b\r\n"
                                  "x-line-accepted-request-id: a\r\nContent-Length: 0\r\n\r\n");
    send_and_run(push());
    ck_assert_int_eq(answers[0].transport, LINE_ANSWERED);
    ck_assert_uint_eq(answers[0].status, 409);
    ck_assert_str_eq(answers[0].request_id, "b");
    ck_assert_str_eq(answers[0].accepted_id, "a");
}
END_TEST

START_TEST(failing_line_is_still_an_answer)
{
    server_script(SERVER_ANSWERS, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
    send_and_run(push());
    ck_assert_int_eq(answers[0].transport, LINE_ANSWERED);
    ck_assert_uint_eq(answers[0].status, 500);

    /* The ids of one answer do not leak into the next one on the same handle. */
    server_script(SERVER_ANSWERS,
                  "HTTP/1.1 200 OK\r\nx-line-request-id: c\r\nContent-Length: 0\r\n\r\n");
    send_and_run(push());
    server_script(SERVER_ANSWERS, OK_ANSWER);
    send_and_run(push());
    ck_assert_str_eq(answers[1].request_id, "c");
    ck_assert_str_eq(answers[2].request_id, "");
}
END_TEST

START_TEST(retry_after_is_whole_seconds_or_nothing)
{
    const struct {
        const char *value;
        int64_t seconds;
    } rows[] = {{"17", 17},
                {"0", 0},
                {"", -1},
                {"-5", -1},
                {"1.5", -1},
                {"soon", -1},
                {"99999999999999999999", -1},
                {"Wed, 21 Oct 2026 07:28:00 GMT", -1}};
    char answer[256];
    snprintf(answer, sizeof(answer),
             "HTTP/1.1 429 Slow\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", rows[_i].value);
    server_script(SERVER_ANSWERS, answer);
    send_and_run(push());
    ck_assert_uint_eq(answers[0].status, 429);
    ck_assert_int_eq(answers[0].retry_after_s, rows[_i].seconds);
}
END_TEST

START_TEST(interim_answer_is_not_the_answer)
{
    server_script(SERVER_ANSWERS,
                  "HTTP/1.1 103 Early\r\nx-line-request-id: interim\r\n\r\n" OK_ANSWER);
    send_and_run(push());
    ck_assert_uint_eq(answers[0].status, 200);
    ck_assert_str_eq(answers[0].request_id, "");
}
END_TEST

START_TEST(id_that_is_no_plain_word_is_not_kept)
{
    char long_id[512] = "HTTP/1.1 200 OK\r\nx-line-request-id: ";
    const char *answer = "HTTP/1.1 200 OK\r\nx-line-request-id: a\x1b[31mb\r\n"
                         "Content-Length: 0\r\n\r\n";
    if (_i == 1) {
        memset(long_id + strlen(long_id), 'x', 300);
        memcpy(long_id + strlen(long_id), "\r\nContent-Length: 0\r\n\r\n", 23);
        answer = long_id;
    }
    server_script(SERVER_ANSWERS, answer);
    send_and_run(push());
    ck_assert_int_eq(answers[0].transport, LINE_ANSWERED);
    ck_assert_str_eq(answers[0].request_id, "");
}
END_TEST

START_TEST(redirect_is_an_answer_and_is_not_followed)
{
    server_script(SERVER_ANSWERS, "HTTP/1.1 307 Elsewhere\r\nLocation: /other\r\n"
                                  "Content-Length: 0\r\n\r\n");
    send_and_run(push());
    ck_assert_uint_eq(answers[0].status, 307);
    ck_assert_uint_eq(server.request_count, 1);
}
END_TEST

/* ---- what does not come back ----------------------------------------------------------------- */

START_TEST(refused_connection_has_sent_nothing)
{
    uint16_t port;
    close(listen_on_loopback(&port));
    client->free(client);
    ck_assert_int_eq(connect_to_port("http", port), RC_OK);
    send_and_run(push());
    ck_assert_int_eq(answers[0].transport, LINE_NOT_SENT);
    ck_assert_uint_eq(answers[0].status, 0);
    ck_assert_str_ne(answers[0].error, "");
}
END_TEST

START_TEST(reset_leaves_the_outcome_uncertain)
{
    const enum script scripts[] = {SERVER_RESETS_UNREAD, SERVER_RESETS_AFTER_READING};
    server_script(scripts[_i], "");
    send_and_run(push());
    send_and_run(reply());
    ck_assert_int_eq(answers[0].transport, LINE_UNCERTAIN);
    ck_assert_int_eq(answers[1].transport, LINE_UNCERTAIN);
    ck_assert_str_ne(answers[0].error, "");
    ck_assert_uint_eq(server.request_count, 2);
}
END_TEST

/* A kept connection dies under the second request. LINE knows a push again by its key. */
START_TEST(push_over_a_dead_connection_is_repeated_with_its_key)
{
    server_script(SERVER_ANSWERS_ONE_THEN_DIES, OK_ANSWER);
    send_and_run(push());
    send_and_run(push());
    ck_assert_int_eq(answers[1].transport, LINE_ANSWERED);
    ck_assert_uint_eq(server.request_count, 3);
    ck_request_has("X-Line-Retry-Key: 123e4567");
}
END_TEST

START_TEST(reply_over_a_dead_connection_is_not_repeated)
{
    server_script(SERVER_ANSWERS_ONE_THEN_DIES, OK_ANSWER);
    send_and_run(reply());
    send_and_run(reply());
    ck_assert_int_eq(answers[1].transport, LINE_UNCERTAIN);
    ck_assert_uint_eq(server.request_count, 2);
}
END_TEST

START_TEST(answer_cut_short_is_no_answer)
{
    server_script(SERVER_CLOSES_AFTER_ANSWER,
                  _i == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}"
                          : "HTTP/1.1 200 OK\r\nConte");
    send_and_run(push());
    ck_assert_int_eq(answers[0].transport, LINE_UNCERTAIN);
    ck_assert_uint_eq(answers[0].status, 0);
}
END_TEST

START_TEST(babble_is_no_answer)
{
    server_script(SERVER_CLOSES_AFTER_ANSWER, "220 smtp.example ESMTP\r\n");
    send_and_run(push());
    ck_assert_int_eq(answers[0].transport, LINE_UNCERTAIN);
}
END_TEST

START_TEST(oversized_answer_is_uncertain)
{
    size_t len = 2 * 1024 * 1024 + (_i == 0 ? 0 : 1);
    struct buf answer = {0};
    buf_printf(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
    memset(buf_reserve(&answer, len), ' ', len);
    server.script = SERVER_ANSWERS;
    server.answer = buf_span(&answer);
    /* The server writes without waiting for its reader, so the reader gets a process of its own. */
    pid_t child = fork();
    if (child == 0) {
        ev_loop_fork(loop);
        ev_run(loop, 0);
    }
    ev_io_stop(loop, &server.accept_io);
    send_and_run(push());
    kill(child, SIGKILL);
    if (_i == 0) {
        ck_assert_int_eq(answers[0].transport, LINE_ANSWERED);
        ck_assert_uint_eq(answers[0].body_len, len);
    } else {
        ck_assert_int_eq(answers[0].transport, LINE_UNCERTAIN);
        ck_assert_str_eq(answers[0].error, "the answer is larger than 2 MB");
    }
    buf_fini(&answer);
}
END_TEST

static void
ck_hit_the_deadline(int64_t since_us)
{
    int64_t took_ms = (clock_mono_us() - since_us) / 1000;
    ck_assert_int_eq(answers[0].transport, LINE_UNCERTAIN);
    ck_assert_str_eq(answers[0].error, "no whole answer within 1200 ms");
    ck_assert_int_ge(took_ms, DEADLINE_MS - 1);
    ck_assert_int_lt(took_ms, 10 * DEADLINE_MS); /* loose: the machine may be busy */
}

START_TEST(stalled_answer_ends_at_the_deadline)
{
    int64_t since_us = clock_mono_us();
    server_script(SERVER_STALLS, "");
    send_and_run(push());
    ck_hit_the_deadline(since_us);
}
END_TEST

START_TEST(dripping_answer_ends_at_the_deadline)
{
    const char *drips[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{                    ",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
    };
    int64_t since_us = clock_mono_us();
    server_script(SERVER_DRIPS, drips[_i]);
    send_and_run(push());
    ck_hit_the_deadline(since_us);
}
END_TEST

/* The deadline takes the connection down with it, so a late answer cannot meet the next request. */
START_TEST(request_after_a_deadline_gets_its_own_answer)
{
    server_script(SERVER_STALLS, "");
    send_and_run(push());
    server_script(SERVER_ANSWERS, OK_ANSWER);
    send_and_run(push());
    ck_assert_int_eq(answers[1].transport, LINE_ANSWERED);
    ck_assert_uint_eq(server.peer_count, 2);
}
END_TEST

START_TEST(request_that_never_got_a_connection_has_sent_nothing)
{
    server_script(SERVER_STALLS, "");
    struct line_request request = push();
    for (int i = 0; i < 9; i++) { /* eight connections at most: the ninth waits inside */
        send_request(&request, on_answer);
    }
    run_until(9);
    unsigned not_sent = 0;
    for (int i = 0; i < 9; i++) {
        not_sent += answers[i].transport == LINE_NOT_SENT;
    }
    ck_assert_uint_eq(not_sent, 1);
    ck_assert_uint_eq(server.request_count, 8);
}
END_TEST

/* ---- many, and the end ----------------------------------------------------------------------- */

START_TEST(fifty_at_once_share_eight_connections)
{
    server_script(SERVER_ANSWERS, OK_ANSWER);
    struct line_request request = push();
    for (int i = 0; i < 50; i++) {
        send_request(&request, on_answer);
    }
    run_until(50);
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(answers[i].transport, LINE_ANSWERED);
        ck_assert_uint_eq(answers[i].status, 200);
    }
    ck_assert_uint_eq(server.request_count, 50);
    ck_assert_uint_le(server.peer_count, 8);
}
END_TEST

static void
on_answer_send_another(void *context, const struct line_answer *answer)
{
    on_answer(context, answer);
    if (answer_count < expected_count) {
        struct line_request request = answer_count % 2 == 0 ? push() : reply();
        send_request(&request, on_answer_send_another);
    }
}

START_TEST(answer_may_lead_to_the_next_request)
{
    server_script(SERVER_ANSWERS, OK_ANSWER);
    struct line_request request = push();
    expected_count = 20;
    send_request(&request, on_answer_send_another);
    run_until(20);
    ck_assert_uint_eq(server.peer_count, 1);
}
END_TEST

START_TEST(freeing_cancels_without_calling_back)
{
    server_script(SERVER_STALLS, "");
    struct line_request request = push();
    for (int i = 0; i < 12; i++) {
        send_request(&request, on_answer);
    }
    for (int i = 0; i < 5; i++) {
        ev_run(loop, EVRUN_NOWAIT);
    }
    client->free(client);
    ck_assert_uint_eq(answer_count, 0);

    /* Nothing of the client is left in the loop: without the server it ends at once. */
    ev_io_stop(loop, &server.accept_io);
    for (unsigned i = 0; i < server.peer_count; i++) {
        ev_io_stop(loop, &server.peers[i].io);
    }
    ck_assert(!ev_run(loop, 0));
    ck_assert_uint_eq(answer_count, 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("line_client_curl");
    TCase *t = tcase_create("line_client_curl");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_test(t, push_carries_token_key_and_body);
    tcase_add_test(t, reply_carries_its_body_and_no_key);
    tcase_add_test(t, get_after_post_is_a_plain_get);
    tcase_add_test(t, virtual_time_goes_along);
    tcase_add_loop_test(t, hostile_user_id_stays_in_its_place, 0, 4);
    tcase_add_test_raise_signal(t, retry_key_with_a_line_break_is_our_own_mistake, SIGABRT);
    tcase_add_loop_test(t, token_that_breaks_a_header_is_refused, 0, 5);
    tcase_add_test(t, accepted_push_brings_its_request_id);
    tcase_add_test(t, conflict_brings_the_accepted_id);
    tcase_add_test(t, failing_line_is_still_an_answer);
    tcase_add_loop_test(t, retry_after_is_whole_seconds_or_nothing, 0, 8);
    tcase_add_test(t, interim_answer_is_not_the_answer);
    tcase_add_loop_test(t, id_that_is_no_plain_word_is_not_kept, 0, 2);
    tcase_add_test(t, redirect_is_an_answer_and_is_not_followed);
    tcase_add_test(t, refused_connection_has_sent_nothing);
    tcase_add_loop_test(t, reset_leaves_the_outcome_uncertain, 0, 2);
    tcase_add_test(t, push_over_a_dead_connection_is_repeated_with_its_key);
    tcase_add_test(t, reply_over_a_dead_connection_is_not_repeated);
    tcase_add_loop_test(t, answer_cut_short_is_no_answer, 0, 2);
    tcase_add_test(t, babble_is_no_answer);
    tcase_add_loop_test(t, oversized_answer_is_uncertain, 0, 2);
    tcase_add_test(t, stalled_answer_ends_at_the_deadline);
    tcase_add_loop_test(t, dripping_answer_ends_at_the_deadline, 0, 2);
    tcase_add_test(t, request_after_a_deadline_gets_its_own_answer);
    tcase_add_test(t, request_that_never_got_a_connection_has_sent_nothing);
    tcase_add_test(t, fifty_at_once_share_eight_connections);
    tcase_add_test(t, answer_may_lead_to_the_next_request);
    tcase_add_test(t, freeing_cancels_without_calling_back);
    suite_add_tcase(s, t);
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
