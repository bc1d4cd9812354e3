/* Faults are used up one request at a time; reply tokens last a minute and one reply. */
#include "tools/fakeline/faults.h"
#include "tools/fakeline/tokens.h"

#include <check.h>
#include <stdlib.h>

static struct faults *faults;
static struct tokens *tokens;

static void
set_up(void)
{
    faults = faults_new();
    tokens = tokens_new();
}

static void
tear_down(void)
{
    faults_free(faults);
    tokens_free(tokens);
}

static enum rc
add(const char *text)
{
    const char *problem = NULL;
    json_t *fault = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(fault);
    enum rc rc = faults_add(faults, fault, &problem);
    ck_assert((rc == RC_OK) == (problem == NULL));
    json_decref(fault);
    return rc;
}

static struct fault
take(const char *endpoint, const char *user)
{
    json_t *users = user == NULL ? NULL : json_pack("[s,s]", "U0", user);
    struct fault fault = faults_take(faults, endpoint, users);
    json_decref(users);
    return fault;
}

START_TEST(fault_is_used_up_by_the_requests_it_meets)
{
    ck_assert_int_eq(add("{\"endpoint\":\"push\",\"kind\":\"status\",\"status\":503,"
                         "\"message\":\"busy\",\"times\":2}"),
                     RC_OK);
    ck_assert_uint_eq(faults_count(faults), 2);
    for (int i = 0; i < 2; i++) {
        struct fault fault = take("push", NULL);
        ck_assert_int_eq(fault.kind, FAULT_STATUS);
        ck_assert_uint_eq(fault.status, 503);
        ck_assert_str_eq(fault.message, "busy");
    }
    ck_assert_int_eq(take("push", NULL).kind, FAULT_NONE);
    ck_assert_uint_eq(faults_count(faults), 0);
}
END_TEST

START_TEST(fault_without_a_number_of_times_happens_once)
{
    ck_assert_int_eq(add("{\"endpoint\":\"push\",\"kind\":\"reset\"}"), RC_OK);
    ck_assert_int_eq(take("push", NULL).kind, FAULT_RESET);
    ck_assert_int_eq(take("push", NULL).kind, FAULT_NONE);
}
END_TEST

START_TEST(fault_waits_for_its_endpoint)
{
    ck_assert_int_eq(add("{\"endpoint\":\"reply\",\"kind\":\"delay\",\"delay_ms\":70}"), RC_OK);
    ck_assert_int_eq(take("push", NULL).kind, FAULT_NONE);
    struct fault fault = take("reply", NULL);
    ck_assert_int_eq(fault.kind, FAULT_DELAY);
    ck_assert_int_eq(fault.delay_ms, 70);
}
END_TEST

START_TEST(any_is_every_endpoint)
{
    ck_assert_int_eq(add("{\"endpoint\":\"any\",\"kind\":\"reset\",\"times\":2}"), RC_OK);
    ck_assert_int_eq(take("profile", NULL).kind, FAULT_RESET);
    ck_assert_int_eq(take("multicast", NULL).kind, FAULT_RESET);
}
END_TEST

START_TEST(fault_of_a_user_waits_for_that_user)
{
    ck_assert_int_eq(add("{\"endpoint\":\"any\",\"kind\":\"reset\",\"user\":\"U7\"}"), RC_OK);
    ck_assert_int_eq(take("push", "U6").kind, FAULT_NONE);
    ck_assert_int_eq(take("push", NULL).kind, FAULT_NONE);
    ck_assert_int_eq(take("push", "U7").kind, FAULT_RESET);
}
END_TEST

START_TEST(request_meets_one_fault_and_the_first)
{
    ck_assert_int_eq(add("{\"endpoint\":\"push\",\"kind\":\"reset_after_accept\"}"), RC_OK);
    ck_assert_int_eq(add("{\"endpoint\":\"any\",\"kind\":\"stall_after_accept\"}"), RC_OK);
    ck_assert_int_eq(take("push", NULL).kind, FAULT_RESET_AFTER_ACCEPT);
    ck_assert_int_eq(take("push", NULL).kind, FAULT_STALL_AFTER_ACCEPT);
    ck_assert_int_eq(take("push", NULL).kind, FAULT_NONE);
}
END_TEST

START_TEST(fault_that_makes_no_sense_is_refused)
{
    const char *const wrong[] = {
        "[]",
        "{}",
        "{\"endpoint\":\"push\"}",
        "{\"endpoint\":\"push\",\"kind\":\"none\"}",
        "{\"endpoint\":\"post\",\"kind\":\"reset\"}",
        "{\"endpoint\":\"push\",\"kind\":\"status\",\"status\":99}",
        "{\"endpoint\":\"push\",\"kind\":\"status\",\"status\":\"500\"}",
        "{\"endpoint\":\"push\",\"kind\":\"reset\",\"times\":0}",
        "{\"endpoint\":\"push\",\"kind\":\"delay\",\"delay_ms\":-1}",
        "{\"endpoint\":\"push\",\"kind\":\"reset\",\"user\":7}",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_msg(add(wrong[i]) == RC_INVALID, "taken: %s", wrong[i]);
    }
    ck_assert_uint_eq(faults_count(faults), 0);
}
END_TEST

START_TEST(cleared_faults_are_gone)
{
    ck_assert_int_eq(add("{\"endpoint\":\"push\",\"kind\":\"reset\",\"times\":5}"), RC_OK);
    faults_clear(faults);
    ck_assert_int_eq(take("push", NULL).kind, FAULT_NONE);
}
END_TEST

/* ---- reply tokens ---- */

START_TEST(token_reaches_its_user_for_a_minute)
{
    tokens_issue(tokens, "t", "U1", 1000, 1000);
    ck_assert_str_eq(tokens_user(tokens, "t", 1000), "U1");
    ck_assert_str_eq(tokens_user(tokens, "t", 1000 + TOKEN_LIFE_MS), "U1");
    ck_assert_ptr_null(tokens_user(tokens, "t", 1000 + TOKEN_LIFE_MS + 1));
    ck_assert_ptr_null(tokens_user(tokens, "another", 1000));
}
END_TEST

START_TEST(token_is_spent_by_one_reply)
{
    tokens_issue(tokens, "t", "U1", 1000, 1000);
    tokens_spend(tokens, "t");
    ck_assert_ptr_null(tokens_user(tokens, "t", 1001));
    tokens_issue(tokens, "t", "U1", 1000, 2000); /* the webhook repeated */
    ck_assert_ptr_null(tokens_user(tokens, "t", 2000));
}
END_TEST

START_TEST(repeated_webhook_gives_its_token_another_minute)
{
    tokens_issue(tokens, "t", "U1", 0, 0);
    ck_assert_ptr_null(tokens_user(tokens, "t", 5 * TOKEN_LIFE_MS));
    tokens_issue(tokens, "t", "U1", 0, 5 * TOKEN_LIFE_MS);
    ck_assert_ptr_nonnull(tokens_user(tokens, "t", 6 * TOKEN_LIFE_MS));
    ck_assert_ptr_null(tokens_user(tokens, "t", 6 * TOKEN_LIFE_MS + 1));
}
END_TEST

START_TEST(repeated_webhook_does_not_outlive_20_minutes_from_its_event)
{
    tokens_issue(tokens, "t", "U1", 0, 0);
    tokens_issue(tokens, "t", "U1", 0, TOKEN_REPEAT_MS - 1000);
    ck_assert_ptr_nonnull(tokens_user(tokens, "t", TOKEN_REPEAT_MS));
    ck_assert_ptr_null(tokens_user(tokens, "t", TOKEN_REPEAT_MS + 1));
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("fakeline faults");
    TCase *tcase = tcase_create("faults");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, fault_is_used_up_by_the_requests_it_meets);
    tcase_add_test(tcase, fault_without_a_number_of_times_happens_once);
    tcase_add_test(tcase, fault_waits_for_its_endpoint);
    tcase_add_test(tcase, any_is_every_endpoint);
    tcase_add_test(tcase, fault_of_a_user_waits_for_that_user);
    tcase_add_test(tcase, request_meets_one_fault_and_the_first);
    tcase_add_test(tcase, fault_that_makes_no_sense_is_refused);
    tcase_add_test(tcase, cleared_faults_are_gone);
    suite_add_tcase(suite, tcase);
    TCase *reply = tcase_create("reply tokens");
    tcase_add_checked_fixture(reply, set_up, tear_down);
    tcase_add_test(reply, token_reaches_its_user_for_a_minute);
    tcase_add_test(reply, token_is_spent_by_one_reply);
    tcase_add_test(reply, repeated_webhook_gives_its_token_another_minute);
    tcase_add_test(reply, repeated_webhook_does_not_outlive_20_minutes_from_its_event);
    suite_add_tcase(suite, reply);
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
