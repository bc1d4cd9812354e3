/* What became of a message, told to people in both languages. */
#include "tools/common/explain.h"

#include <check.h>
#include <stdlib.h>

static void
expect(const char *row_text, const char *english, const char *japanese)
{
    json_t *row = json_loads(row_text, 0, NULL);
    ck_assert_ptr_nonnull(row);
    struct buf out = {0};
    explain_delivery(row, false, &out);
    ck_assert_str_eq(buf_cstr(&out), english);
    buf_fini(&out);
    explain_delivery(row, true, &out);
    ck_assert_str_eq(buf_cstr(&out), japanese);
    buf_fini(&out);
    json_decref(row);
}

START_TEST(a_condition_is_told_with_what_it_saw)
{
    expect(
        "{\"outcome\":\"skipped\",\"reason\":\"condition\",\"rule\":\"R23\","
        "\"values\":{\"if\":\"not tag:a and score < 3\"},\"because\":["
        "{\"fact\":\"tag:a\",\"value\":true,\"event\":13,\"at\":\"2026-06-01T10:20:30.000+09:00\"},"
        "{\"fact\":\"score < 3\",\"value\":0,\"event\":null,\"at\":null}]}",
        "its condition was false: not tag:a and score < 3; "
        "tag:a: yes since 2026-06-01 10:20:30 (event 13), score < 3: 0",
        "条件に合いませんでした: not tag:a and score < 3; "
        "tag:a: はい、2026-06-01 10:20:30 から (イベント 13), score < 3: 0");
}
END_TEST

START_TEST(sent_messages_say_how_and_how_late)
{
    expect("{\"outcome\":\"sent\",\"how\":\"reply\",\"reason\":null,\"late_ms\":0}",
           "sent as a reply, free", "送信しました (返信、無料)");
    expect("{\"outcome\":\"sent\",\"how\":\"push\",\"reason\":\"window\",\"late_ms\":41400000}",
           "sent, 11:30:00 after it was due", "送信しました、予定より 11 時間 30 分 00 秒後");
    expect("{\"outcome\":\"sent\",\"how\":\"push\",\"reason\":null,\"late_ms\":999}", "sent",
           "送信しました");
}
END_TEST

START_TEST(what_stopped_a_message_is_named)
{
    expect("{\"outcome\":\"cancelled\",\"reason\":\"CV_buy\"}", "stopped by CV_buy",
           "「CV_buy」により取り消されました");
    expect("{\"outcome\":\"cancelled\",\"reason\":\"switched\"}",
           "another scenario was started in its lane", "同じレーンで別のシナリオが始まりました");
    expect("{\"outcome\":\"failed\",\"reason\":null,\"code\":400}", "LINE refused it (HTTP 400)",
           "LINE に拒否されました (HTTP 400)");
    expect(
        "{\"outcome\":\"pending\",\"reason\":\"window\",\"values\":{\"window\":\"09:00-21:00\"}}",
        "waits for the delivery window (09:00-21:00)",
        "配信時間帯になるのを待っています (09:00-21:00)");
    ck_assert_str_eq(explain_outcome("skipped", true), "見送り");
    ck_assert_str_eq(explain_outcome("skipped", false), "skipped");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("explain");
    TCase *tc = tcase_create("explain");
    tcase_add_test(tc, a_condition_is_told_with_what_it_saw);
    tcase_add_test(tc, sent_messages_say_how_and_how_late);
    tcase_add_test(tc, what_stopped_a_message_is_named);
    suite_add_tcase(s, tc);
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
