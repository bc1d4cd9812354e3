/* What LINE has accepted, and the retry keys: once within 24 hours of its clock, and again after that. */
#include "tools/fakeline/accepted.h"

#include <check.h>
#include <stdlib.h>

#define KEY "11111111-2222-4333-8444-555555555555"
#define OTHER_KEY "11111111-2222-4333-8444-666666666666"

enum { START_MS = 1000000 };

static struct accepted *accepted;

static void
set_up(void)
{
    accepted = accepted_new();
}

static void
tear_down(void)
{
    accepted_free(accepted);
}

static void
accept_push(const char *retry_key, const char *request_id, int64_t at_ms)
{
    json_t *to = json_pack("[s]", "U1");
    json_t *blocked = json_array();
    json_t *messages = json_pack("[{s:s,s:s}]", "type", "text", "text", "hello");
    json_t *sent = json_pack("[{s:s}]", "id", request_id);
    const struct acceptance acceptance = {.endpoint = "push",
                                          .to = to,
                                          .blocked = blocked,
                                          .messages = messages,
                                          .sent = sent,
                                          .retry_key = retry_key,
                                          .request_id = request_id,
                                          .at_ms = at_ms,
                                          .at_us = at_ms * 1000,
                                          .counted = 1};
    accepted_add(accepted, &acceptance);
    json_decref(to);
    json_decref(blocked);
    json_decref(messages);
    json_decref(sent);
}

static json_t *
listed(size_t after)
{
    struct buf text = {0};
    rows_list(accepted_rows(accepted), after, "accepted", &text);
    json_t *list = json_loadb((const char *)text.data, text.len, 0, NULL);
    buf_fini(&text);
    ck_assert_ptr_nonnull(list);
    return list;
}

static bool
was_accepted(const char *key, int64_t now_ms)
{
    const char *request_id = NULL;
    const char *sent = NULL;
    return accepted_before(accepted, key, now_ms, &request_id, &sent);
}

START_TEST(key_remembers_the_request_it_was_accepted_with)
{
    const char *request_id = NULL;
    const char *sent = NULL;
    ck_assert(!was_accepted(KEY, START_MS));
    accept_push(KEY, "first", START_MS);
    ck_assert(accepted_before(accepted, KEY, START_MS + 1, &request_id, &sent));
    ck_assert_str_eq(request_id, "first");
    ck_assert_str_eq(sent, "[{\"id\":\"first\"}]");
    ck_assert(!was_accepted(OTHER_KEY, START_MS + 1));
}
END_TEST

START_TEST(key_seen_but_not_accepted_blocks_nothing)
{
    ck_assert(!was_accepted(KEY, START_MS));
    ck_assert(!was_accepted(KEY, START_MS + 1000));
}
END_TEST

START_TEST(key_is_forgotten_after_24_hours)
{
    ck_assert(!was_accepted(KEY, START_MS));
    accept_push(KEY, "first", START_MS);
    ck_assert(was_accepted(KEY, START_MS + RETRY_KEY_LIFE_MS - 1));
    ck_assert(!was_accepted(KEY, START_MS + RETRY_KEY_LIFE_MS));
    accept_push(KEY, "second", START_MS + RETRY_KEY_LIFE_MS);
    ck_assert(was_accepted(KEY, START_MS + RETRY_KEY_LIFE_MS + 1));
    ck_assert_uint_eq(accepted_rows(accepted)->count, 2);
}
END_TEST

/* The trap: what was accepted on its last attempt lives only until the first attempt's 24 hours are over. */
START_TEST(life_of_a_key_counts_from_its_first_request)
{
    const int64_t hour_ms = 3600 * 1000;
    ck_assert(!was_accepted(KEY, START_MS)); /* answered 500, say */
    ck_assert(!was_accepted(KEY, START_MS + 23 * hour_ms));
    accept_push(KEY, "late", START_MS + 23 * hour_ms);
    ck_assert(was_accepted(KEY, START_MS + 23 * hour_ms + 1));
    ck_assert(!was_accepted(KEY, START_MS + 24 * hour_ms));
}
END_TEST

START_TEST(many_keys_are_kept_apart)
{
    char key[40];
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        ck_assert(!was_accepted(key, START_MS));
        accept_push(key, key, START_MS);
    }
    for (int i = 0; i < 3000; i++) {
        const char *request_id = NULL;
        const char *sent = NULL;
        snprintf(key, sizeof(key), "key-%d", i);
        ck_assert(accepted_before(accepted, key, START_MS, &request_id, &sent));
        ck_assert_str_eq(request_id, key);
    }
}
END_TEST

START_TEST(rows_are_numbered_and_listed_from_where_the_reader_stopped)
{
    json_t *none = listed(0);
    ck_assert_uint_eq(json_array_size(json_object_get(none, "accepted")), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(none, "next")), 0);
    json_decref(none);

    accept_push(NULL, "a", START_MS);
    accept_push(NULL, "b", START_MS + 1);
    accept_push(NULL, "c", START_MS + 2);
    json_t *rest = listed(1);
    const json_t *rows = json_object_get(rest, "accepted");
    ck_assert_uint_eq(json_array_size(rows), 2);
    const json_t *row = json_array_get(rows, 0);
    ck_assert_int_eq(json_integer_value(json_object_get(row, "n")), 2);
    ck_assert_str_eq(json_string_value(json_object_get(row, "request_id")), "b");
    ck_assert_int_eq(json_integer_value(json_object_get(row, "at_ms")), START_MS + 1);
    ck_assert_int_eq(json_integer_value(json_object_get(rest, "next")), 3);
    json_decref(rest);

    json_t *beyond = listed(99);
    ck_assert_uint_eq(json_array_size(json_object_get(beyond, "accepted")), 0);
    json_decref(beyond);
}
END_TEST

START_TEST(clearing_forgets_rows_keys_and_usage)
{
    ck_assert(!was_accepted(KEY, START_MS));
    accept_push(KEY, "a", START_MS);
    ck_assert_uint_eq(accepted_usage(accepted), 1);
    accepted_clear(accepted);
    ck_assert_uint_eq(accepted_usage(accepted), 0);
    ck_assert_uint_eq(accepted_rows(accepted)->count, 0);
    ck_assert(!was_accepted(KEY, START_MS));
    accept_push(KEY, "b", START_MS);
    ck_assert_uint_eq(accepted_rows(accepted)->count, 1);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("fakeline accepted");
    TCase *tcase = tcase_create("accepted");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, key_remembers_the_request_it_was_accepted_with);
    tcase_add_test(tcase, key_seen_but_not_accepted_blocks_nothing);
    tcase_add_test(tcase, key_is_forgotten_after_24_hours);
    tcase_add_test(tcase, life_of_a_key_counts_from_its_first_request);
    tcase_add_test(tcase, many_keys_are_kept_apart);
    tcase_add_test(tcase, rows_are_numbered_and_listed_from_where_the_reader_stopped);
    tcase_add_test(tcase, clearing_forgets_rows_keys_and_usage);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
