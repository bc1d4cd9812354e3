/* The table of SPEC R10, R40 and R48: what LINE said, and what follows from it. */
#include "daemon/parcel.h"

#include <check.h>

enum follows { SENT, PRESUMED, FAILED, RETURNED, AGAIN };

struct row {
    enum delivery_how how;
    bool left_before;
    enum line_transport transport;
    uint32_t status;
    const char *body;
    enum follows follows;
    bool left_after;
};

static const char TOKEN_BODY[] = "{\"message\":\"Invalid reply token\"}";
static const char LIMIT_BODY[] = "{\"message\":\"The API rate limit has been exceeded.\"}";
static const char MONTH_BODY[] = "{\"message\":\"You have reached your monthly limit.\"}";
static const char OTHER_BODY[] = "{\"message\":\"Enough for this one\"}";

static const struct row ROWS[] = {
    /* A push: the key makes every repetition safe. */
    {HOW_PUSH, false, LINE_ANSWERED, 200, "{}", SENT, false},
    {HOW_PUSH, true, LINE_ANSWERED, 409, "{}", SENT, true},
    {HOW_PUSH, false, LINE_ANSWERED, 500, "", AGAIN, true},
    {HOW_PUSH, false, LINE_ANSWERED, 503, "", AGAIN, true},
    {HOW_PUSH, false, LINE_ANSWERED, 429, LIMIT_BODY, AGAIN, false},
    {HOW_PUSH, false, LINE_ANSWERED, 429, MONTH_BODY, RETURNED, false},
    {HOW_PUSH, true, LINE_ANSWERED, 429, MONTH_BODY, AGAIN, true},
    {HOW_PUSH, false, LINE_ANSWERED, 401, "", AGAIN, false},
    {HOW_PUSH, false, LINE_ANSWERED, 302, "", AGAIN, true},
    {HOW_PUSH, false, LINE_ANSWERED, 400, "{}", FAILED, false},
    {HOW_PUSH, true, LINE_ANSWERED, 403, "{}", FAILED, true},
    {HOW_PUSH, false, LINE_NOT_SENT, 0, "", AGAIN, false},
    {HOW_PUSH, false, LINE_UNCERTAIN, 0, "", AGAIN, true},
    /* A reply that never left becomes a push. */
    {HOW_REPLY, false, LINE_ANSWERED, 200, "{}", SENT, false},
    {HOW_REPLY, false, LINE_NOT_SENT, 0, "", RETURNED, false},
    {HOW_REPLY, false, LINE_ANSWERED, 429, LIMIT_BODY, RETURNED, false},
    {HOW_REPLY, false, LINE_ANSWERED, 401, "", RETURNED, false},
    {HOW_REPLY, false, LINE_ANSWERED, 400, TOKEN_BODY, RETURNED, false},
    {HOW_REPLY, false, LINE_ANSWERED, 400, "{}", FAILED, false},
    /* One that may have left is never a push by itself. */
    {HOW_REPLY, false, LINE_UNCERTAIN, 0, "", AGAIN, true},
    {HOW_REPLY, false, LINE_ANSWERED, 500, "", AGAIN, true},
    {HOW_REPLY, true, LINE_ANSWERED, 200, "{}", PRESUMED, true},
    {HOW_REPLY, true, LINE_ANSWERED, 400, TOKEN_BODY, PRESUMED, true},
    {HOW_REPLY, true, LINE_NOT_SENT, 0, "", AGAIN, true},
    {HOW_REPLY, true, LINE_ANSWERED, 429, LIMIT_BODY, AGAIN, true},
    {HOW_REPLY, true, LINE_ANSWERED, 503, "", AGAIN, true},
};

START_TEST(each_answer_of_line_means_one_thing)
{
    const struct row *row = &ROWS[_i];
    struct parcel parcel = {.how = row->how, .left_before = row->left_before};
    struct line_answer answer = {
        .transport = row->transport, .status = row->status, .body = span_cstr(row->body)};

    struct parcel_verdict verdict = parcel_judge(&parcel, &answer);

    ck_assert_int_eq(verdict.again, row->follows == AGAIN);
    ck_assert_int_eq(verdict.presumed, row->follows == PRESUMED);
    ck_assert_int_eq(parcel.left_before, row->left_after);
    switch (row->follows) {
    case SENT:
    case PRESUMED:
        ck_assert_int_eq(verdict.result, RESULT_SENT);
        break;
    case FAILED:
        ck_assert_int_eq(verdict.result, RESULT_FAILED);
        break;
    case RETURNED:
        ck_assert_int_eq(verdict.result, RESULT_RETURNED);
        break;
    case AGAIN:
        break;
    }
}
END_TEST

/* What an answer says beyond its own request: of the endpoint, of the channel, of nobody else. */
static const struct {
    enum line_transport transport;
    uint32_t status;
    const char *body;
    enum line_limit limit;
    enum pacing_news news;
} NEWS[] = {
    {LINE_ANSWERED, 200, "{}", LIMIT_NONE, NEWS_GOOD},
    {LINE_ANSWERED, 409, "{}", LIMIT_NONE, NEWS_GOOD},
    {LINE_ANSWERED, 400, "{}", LIMIT_NONE, NEWS_GOOD},
    {LINE_ANSWERED, 401, "{}", LIMIT_NONE, NEWS_BAD},
    {LINE_ANSWERED, 500, "", LIMIT_NONE, NEWS_BAD},
    {LINE_UNCERTAIN, 0, "", LIMIT_NONE, NEWS_BAD},
    {LINE_NOT_SENT, 0, "", LIMIT_NONE, NEWS_BAD},
    {LINE_ANSWERED, 429, LIMIT_BODY, LIMIT_RATE, NEWS_SLOW},
    {LINE_ANSWERED, 429, "", LIMIT_RATE, NEWS_SLOW},
    {LINE_ANSWERED, 429, MONTH_BODY, LIMIT_MONTH, NEWS_NONE},
    {LINE_ANSWERED, 429, OTHER_BODY, LIMIT_USER, NEWS_NONE},
};

START_TEST(the_kinds_of_429_are_told_apart)
{
    struct parcel parcel = {.how = HOW_PUSH};
    const struct line_answer answer = {.transport = NEWS[_i].transport,
                                       .status = NEWS[_i].status,
                                       .body = span_cstr(NEWS[_i].body)};
    struct parcel_verdict verdict = parcel_judge(&parcel, &answer);
    ck_assert_int_eq(verdict.limit, NEWS[_i].limit);
    ck_assert_int_eq(verdict.news, NEWS[_i].news);
}
END_TEST

START_TEST(rests_double_and_stop_at_the_cap)
{
    struct parcel parcel = {.attempts = 1};
    ck_assert_int_eq(parcel_rest_ms(&parcel, LIMIT_NONE), 1000);
    ck_assert_int_eq(parcel_rest_ms(&parcel, LIMIT_USER), MS_PER_MINUTE);
    parcel.attempts = 2;
    ck_assert_int_eq(parcel_rest_ms(&parcel, LIMIT_NONE), 2000);
    parcel.attempts = 1000000;
    ck_assert_int_eq(parcel_rest_ms(&parcel, LIMIT_NONE), MS_PER_MINUTE);
    ck_assert_int_eq(parcel_rest_ms(&parcel, LIMIT_USER), MS_PER_HOUR);
}
END_TEST

/* Only what may have been accepted is unknown; what LINE refused each time is due again. */
START_TEST(given_up_is_unknown_only_where_line_may_have_accepted)
{
    struct parcel parcel = {.how = HOW_PUSH};
    ck_assert_int_eq(parcel_give_up(&parcel).result, RESULT_RETURNED);
    parcel.left_before = true;
    ck_assert_int_eq(parcel_give_up(&parcel).result, RESULT_UNKNOWN);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("parcel");
    TCase *tcase = tcase_create("verdicts");
    tcase_add_loop_test(tcase, each_answer_of_line_means_one_thing, 0,
                        (int)(sizeof(ROWS) / sizeof(ROWS[0])));
    tcase_add_loop_test(tcase, the_kinds_of_429_are_told_apart, 0,
                        (int)(sizeof(NEWS) / sizeof(NEWS[0])));
    tcase_add_test(tcase, rests_double_and_stop_at_the_cap);
    tcase_add_test(tcase, given_up_is_unknown_only_where_line_may_have_accepted);
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
