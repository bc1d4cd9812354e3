#include "daemon/line_url.h"

#include <check.h>
#include <stdlib.h>

START_TEST(only_https_or_loopback_is_a_base_url)
{
    const struct {
        const char *url;
        bool allowed;
    } rows[] = {
        {"https://api.line.me", true},
        {"https://api.line.me/", true},
        {"HTTPS://api.line.me", true},
        {"http://127.0.0.1:9000", true},
        {"http://127.8.9.10", true},
        {"http://localhost:9000", true},
        {"http://[::1]:9000", true},
        {"http://api.line.me", false},
        {"http://127.0.0.1.evil.example", false},
        {"http://localhost.evil.example", false},
        {"http://128.0.0.1", false},
        {"http://127.0.0.1@evil.example", false},
        {"https://user:word@api.line.me", false},
        {"https://api.line.me/?x=1", false},
        {"https://api.line.me/#x", false},
        {"ftp://api.line.me", false},
        {"file:///etc/passwd", false},
        {"api.line.me", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_msg(line_url_allowed(rows[i].url) == rows[i].allowed, "%s", rows[i].url);
    }
}
END_TEST

START_TEST(each_endpoint_has_its_address)
{
    const struct {
        enum line_endpoint endpoint;
        const char *url;
    } rows[] = {
        {LINE_PUSH, "https://api.line.me/v2/bot/message/push"},
        {LINE_MULTICAST, "https://api.line.me/v2/bot/message/multicast"},
        {LINE_REPLY, "https://api.line.me/v2/bot/message/reply"},
        {LINE_PROFILE, "https://api.line.me/v2/bot/profile/U12"},
        {LINE_BOT_INFO, "https://api.line.me/v2/bot/info"},
        {LINE_QUOTA, "https://api.line.me/v2/bot/message/quota"},
        {LINE_CONSUMPTION, "https://api.line.me/v2/bot/message/quota/consumption"},
    };
    const char *bases[] = {"https://api.line.me", "https://api.line.me/"};
    struct line_request request = {.endpoint = rows[_i].endpoint, .user_id = span_cstr("U12")};
    for (int i = 0; i < 2; i++) {
        struct buf url = {0};
        line_url_write(bases[i], &request, &url);
        ck_assert_str_eq(buf_cstr(&url), rows[_i].url);
        buf_fini(&url);
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("line_url");
    TCase *t = tcase_create("line_url");
    tcase_add_test(t, only_https_or_loopback_is_a_base_url);
    tcase_add_loop_test(t, each_endpoint_has_its_address, 0, 7);
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
