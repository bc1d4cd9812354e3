/* Segments through the API: counts, members, and what is told of a condition that is none. */
#include "tests/daemon/fixture.h"

static const char SHOP[] = "tags: {all: [vip, bought]}\n"
                           "fields: {area: text, points: {type: number, start: 0}}\n";

static void
open_shop(void)
{
    fixture_open();
    apply_yaml(SHOP);
    follows("Uanna");
    follows("Ubert");
    follows("Ucarl");
    fixture.query_name = "where";
    json_decref(call_api("POST", "/v1/friends/0/tags", "{\"add\":[\"vip\"]}", NULL));
    json_decref(call_api("POST", "/v1/friends/2/tags", "{\"add\":[\"vip\",\"bought\"]}", NULL));
    json_decref(call_api("POST", "/v1/friends/2/fields", "{\"set\":{\"area\":\"関東\"}}", NULL));
}

static void
expect(const char *path, const char *where, const char *member, const char *wanted)
{
    fixture.query_value = where;
    unsigned status;
    json_t *answer = call_api("GET", path, "", &status);
    ck_assert_msg(strcmp(value_at(answer, member), wanted) == 0, "%s: %s is %s, not %s", where,
                  member, value_at(answer, member), wanted);
    json_decref(answer);
}

START_TEST(friends_who_meet_a_condition_are_counted)
{
    static const char *const ROWS[][2] = {
        {"everyone", "3"},
        {"tag:vip", "2"},
        {"tag:vip and not tag:bought", "1"},
        {"not (tag:vip or tag:bought)", "1"},
        {"field:area = 関東", "1"},
        {"field:area is empty or tag:bought", "3"},
        {"tag:vip and field:points >= 0", "2"},
        {"added within 2026-06-01..2026-06-01", "3"},
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        expect("/v1/segments/count", ROWS[i][0], "friends", ROWS[i][1]);
        expect("/v1/segments/count", ROWS[i][0], "of", "3");
    }
}
END_TEST

START_TEST(who_blocks_the_account_is_counted_and_cannot_be_reached)
{
    ck_assert_uint_eq(post_webhook(event_body("Uanna", "unfollow", "")), 200);
    expect("/v1/segments/count", "tag:vip", "friends", "2");
    expect("/v1/segments/count", "tag:vip", "reachable", "1");
    expect("/v1/segments/count", "not tag:bought", "reachable", "1");
    follows("Uanna");
    expect("/v1/segments/count", "tag:vip", "reachable", "2");
}
END_TEST

START_TEST(members_are_listed_in_order)
{
    expect("/v1/friends", "tag:vip", "friends.0.number", "0");
    expect("/v1/friends", "tag:vip", "friends.1.number", "2");
    expect("/v1/friends", "tag:vip", "friends.2", "absent");
    expect("/v1/friends", "tag:vip", "next", "null");
    expect("/v1/friends", "tag:bought and not tag:vip", "friends.0", "absent");
}
END_TEST

START_TEST(what_is_no_condition_is_refused_with_its_word)
{
    expect("/v1/segments/count", "tag:vipp", "error.code", "invalid");
    expect("/v1/segments/count", "tag:vipp", "error.message",
           "'tag:vipp': no tag 'vipp' - did you mean 'vip'?");
    expect("/v1/friends", "tag:vip and", "error.code", "invalid");
    fixture.query_name = "wher";
    expect("/v1/segments/count", "tag:vip", "error.message", "'where' is missing");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("api_segments");
    TCase *tc = tcase_create("segments");
    tcase_add_checked_fixture(tc, open_shop, fixture_close);
    tcase_add_test(tc, friends_who_meet_a_condition_are_counted);
    tcase_add_test(tc, who_blocks_the_account_is_counted_and_cannot_be_reached);
    tcase_add_test(tc, members_are_listed_in_order);
    tcase_add_test(tc, what_is_no_condition_is_refused_with_its_word);
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
