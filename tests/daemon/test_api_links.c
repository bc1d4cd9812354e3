/* Routes opened, links clicked and tables taken in through the API (SPEC R28, R36, R44, R57). */
#include "tests/daemon/fixture.h"

#include "proto/link_token.h"

#define ANNA "U0000000000000000000000000000000a"
#define BERT "U0000000000000000000000000000000b"

static const char SHOP[] = "tags: {all: [came, saw]}\n"
                           "routes: {tube: {run: any_time, do: [ {tag: +came} ]}}\n"
                           "links: {L: {to: 'https://example.jp/', do: [ {tag: +saw} ]}}\n";

static void
setup(void)
{
    fixture_open();
    apply_yaml(SHOP);
    follows(ANNA);
}

static void
expect(const char *path, const char *body, const char *member, const char *wanted)
{
    json_t *answer = call_api("POST", path, body, NULL);
    ck_assert_msg(strcmp(value_at(answer, member), wanted) == 0, "%s: %s is %s, not %s", path,
                  member, value_at(answer, member), wanted);
    json_decref(answer);
}

static void
refused(const char *path, const char *body, unsigned wanted)
{
    unsigned status = 0;
    json_decref(call_api("POST", path, body, &status));
    ck_assert_msg(status == wanted, "%s %s: %u", path, body, status);
}

START_TEST(a_scan_of_a_friend_takes_effect_and_of_a_stranger_is_kept_for_the_follow)
{
    const struct state *state = core_state(fixture.core);
    expect("/v1/routes/tube/scans", "{\"user_id\":\"" ANNA "\"}", "friend", "0");
    ck_assert(state_has_tag(state, 0, 0));
    expect("/v1/routes/tube/scans", "{\"user_id\":\"" BERT "\"}", "friend", "1");
    ck_assert(state_friend(state, 1)->blocked && !state_has_tag(state, 1, 0));
    follows(BERT);
    ck_assert(!state_friend(state, 1)->blocked && state_has_tag(state, 1, 0));
    refused("/v1/routes/tube/scans", "{}", 400);
    refused("/v1/routes/tub/scans", "{\"user_id\":\"x\"}", 404);
}
END_TEST

START_TEST(a_click_by_token_is_the_friends_own)
{
    const struct state *state = core_state(fixture.core);
    struct arena *arena = arena_new();
    struct buf body = {0};
    buf_printf(&body, "{\"token\":\"%.*s\"}",
               span_fmt(link_token_make(state->run_ids[0], 0, 0, arena)));
    expect("/v1/links/L/clicks", buf_cstr(&body), "first", "true");
    ck_assert(state_has_tag(state, 0, 1));
    expect("/v1/links/L/clicks", buf_cstr(&body), "first", "false");
    refused("/v1/links/L/clicks", "{\"token\":\"0-abcdefghijkl\"}", 400);
    expect("/v1/friends/" ANNA "/clicks/L", "{\"key\":\"c1\"}", "first", "false");
    expect("/v1/friends/" ANNA "/clicks/L", "{\"key\":\"c1\"}", "duplicate", "true");
    buf_fini(&body);
    arena_free(arena);
}
END_TEST

START_TEST(a_table_is_checked_whole_previewed_and_taken_in)
{
    const struct state *state = core_state(fixture.core);
    uint64_t before = state->seq;
    const char *wrong = "{\"name\":\"t\",\"csv\":\"id,tags\\n" ANNA ",came\\n" ANNA ",cmae\"}";
    unsigned status = 0;
    json_t *answer = call_api("POST", "/v1/import", wrong, &status);
    ck_assert_uint_eq(status, 422);
    ck_assert_str_eq(value_at(answer, "errors.0.row"), "3");
    ck_assert_str_eq(value_at(answer, "errors.0.message"), "no tag 'cmae' (column 'tags')");
    json_decref(answer);
    expect("/v1/import",
           "{\"name\":\"t\",\"dry_run\":true,\"csv\":\"id,tags\\n" ANNA ",came\\nnobody,came\"}",
           "updated", "1");
    ck_assert_uint_eq(state->seq, before);
    expect("/v1/import", "{\"name\":\"t\",\"csv\":\"id,tags\\n" ANNA ",came\\nnobody,came\"}",
           "unknown.0", "nobody");
    ck_assert(state_has_tag(state, 0, 0));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("api_links");
    TCase *tc = tcase_create("api_links");
    tcase_add_checked_fixture(tc, setup, fixture_close);
    tcase_add_test(tc, a_scan_of_a_friend_takes_effect_and_of_a_stranger_is_kept_for_the_follow);
    tcase_add_test(tc, a_click_by_token_is_the_friends_own);
    tcase_add_test(tc, a_table_is_checked_whole_previewed_and_taken_in);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
