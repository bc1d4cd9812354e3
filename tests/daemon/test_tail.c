/* The queue of what is not durable yet, beside a plain array. */
#include "daemon/tail.h"

#include <check.h>
#include <stdlib.h>

enum { STEPS = 20000 };

static uint64_t seed;

static uint32_t
draw(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

START_TEST(rows_are_found_from_the_first_that_is_not_durable_to_the_last)
{
    struct tail tail = {0};
    uint64_t newest = 6, durable = 6;
    seed = (uint64_t)_i + 1;
    for (int step = 0; step < STEPS; step++) {
        if (draw(3) > 0) {
            newest++;
            struct event event = {.kind = EVENT_MESSAGE_RECEIVED,
                                  .seq = newest,
                                  .friend_prev = newest * 7,
                                  .at_ms = (int64_t)newest * 3};
            event.u.act.message_id = span_of(&newest, sizeof(newest));
            tail_add(&tail, &event);
        } else {
            durable += draw((uint32_t)(newest - durable) + 1);
            tail_drop(&tail, durable);
        }
        uint64_t seq = durable + draw((uint32_t)(newest - durable) + 3);
        const struct tail_event *found = tail_find(&tail, seq);
        bool here = seq > durable && seq <= newest;
        ck_assert_msg((found != NULL) == here, "seed %d step %d: event %llu", _i + 1, step,
                      (unsigned long long)seq);
        if (here) {
            ck_assert_uint_eq(found->friend_prev, seq * 7);
            ck_assert_int_eq(found->at_ms, (int64_t)seq * 3);
            ck_assert_uint_eq(found->message_sum, tail_message_sum(span_of(&seq, sizeof(seq))));
        }
    }
    tail_fini(&tail);
}
END_TEST

START_TEST(only_messages_have_the_sum_of_one)
{
    struct event tag = {.kind = EVENT_TAG_ADDED};
    ck_assert_uint_eq(tail_event_of(&tag).message_sum, 0);
    ck_assert_uint_ne(tail_message_sum(span_cstr("1")), tail_message_sum(span_cstr("2")));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("tail");
    TCase *tc = tcase_create("tail");
    tcase_add_loop_test(tc, rows_are_found_from_the_first_that_is_not_durable_to_the_last, 0, 5);
    tcase_add_test(tc, only_messages_have_the_sum_of_one);
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
