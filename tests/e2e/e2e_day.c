/* A few days of a shop with the real programs: every step on the second, replies where a friend acts,
 * pushes where time does, and a kill -9 in the middle that nobody outside can notice. */
#include "tests/e2e/harness.h"
#include "tests/e2e/shop.h"

#include <check.h>
#include <stdlib.h>

static const char *const WHOLE_STORY[] = {
    "2031-06-01 10:15:00 A T_hello reply",
    "2031-06-01 10:20:30 A T_coupon+T_thanks reply",
    "2031-06-01 12:00:00 D T_hello reply",
    "2031-06-01 20:30:00 B T_hello reply",
    "2031-06-01 23:00:00 C T_hello reply", /* an answer is bound by no window */
    "2031-06-02 09:00:00 B T_nudge push",  /* due 21:30, after the window */
    "2031-06-02 09:00:00 C T_nudge push",  /* due 00:00 */
    "2031-06-02 12:00:00 B T_last push",
    "2031-06-02 12:00:00 C T_last push",
    "2031-06-02 19:00:00 A T_story push",
    "2031-06-03 09:00:00 D T_hello reply", /* unblocked: from the first step again */
    "2031-06-03 10:00:00 D T_nudge push",
    "2031-06-03 11:00:00 C T_hours reply",
    "2031-06-03 11:00:10 C T_stock reply",
    "2031-06-03 22:00:00 C T_coupon reply",
    "2031-06-04 12:00:00 D T_last push",
    "2031-06-04 19:00:00 A T_beginner push",
    "2031-06-04 19:00:00 C T_story push",
    "2031-06-04 19:30:00 A T_after push",
    "2031-06-06 19:00:00 C T_expert push",
    "2031-06-06 19:30:00 C T_after push",
    "2031-06-07 09:00:00 E T_back reply", /* known to LINE before us */
    NULL,
};

static void
restart(struct world *world)
{
    world_kill(world);
    ck_assert(world_start(world));
}

/* The whole story, with the daemon killed after each act whose place is in `kills` (a bit mask). */
static void
play(struct world *world, unsigned kills)
{
    static const struct {
        const char *at, *friend, *kind, *text;
    } acts[] = {
        {"2031-06-01 10:15:00", "A", "follow", NULL},
        {"2031-06-01 10:20:30", "A", "postback", "survey_beginner"},
        {"2031-06-01 12:00:00", "D", "follow", NULL},
        {"2031-06-01 12:30:00", "D", "unfollow", NULL},
        {"2031-06-01 20:30:00", "B", "follow", NULL},
        {"2031-06-01 23:00:00", "C", "follow", NULL},
        {"2031-06-03 09:00:00", "D", "unblock", NULL},
        {"2031-06-03 11:00:00", "C", "message", " 営業時間 "},
        {"2031-06-03 11:00:10", "C", "message", "テントの在庫はありますか"},
        {"2031-06-03 11:00:20", "C", "message", "こんにちは"},
        {"2031-06-03 22:00:00", "C", "postback", "survey_expert"},
        {"2031-06-07 09:00:00", "E", "message", "はじめまして"},
    };
    ck_assert(world_start(world));
    ck_assert_int_eq(apply_yaml(world, SHOP), 200);
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        act(world, acts[i].at, acts[i].friend, acts[i].kind, acts[i].text);
        if ((kills >> i & 1) != 0) {
            restart(world);
        }
    }
    ck_assert_int_eq(advance(world, "2031-06-08 09:00:00"), 200);
}

static void
live_equals_replay(struct world *world)
{
    char live[17], replayed[17];
    status_digest(world, live);
    replay_digest(world, replayed);
    ck_assert_str_eq(live, replayed);
}

START_TEST(every_step_reaches_its_friend_on_the_second)
{
    struct world world;
    world_open(&world);
    play(&world, 0);

    expect_accepted(&world, WHOLE_STORY);
    ck_assert_int_eq(status_number(&world, "friends.count"), 5);
    ck_assert_int_eq(status_number(&world, "friends.unreachable"), 0);
    ck_assert_int_eq(status_number(&world, "enrolments"), 0);
    ck_assert_int_eq(status_number(&world, "webhooks.accepted"), 12);
    ck_assert_int_eq(status_number(&world, "webhooks.duplicates"), 0);
    ck_assert_int_eq(status_number(&world, "deliveries.sent_reply"), 10);
    ck_assert_int_eq(status_number(&world, "deliveries.sent_push"), 12);
    ck_assert_int_eq(status_number(&world, "deliveries.failed"), 0);
    live_equals_replay(&world);
    ck_assert_int_eq(world_stop(&world), 0);
    world_close(&world);
}
END_TEST

/* Loop: kill after one act, after every act, after every other. */
START_TEST(a_kill_in_the_middle_changes_nothing_that_a_friend_sees)
{
    const unsigned kills[] = {1U << 1, 0xfffU, 0x555U};
    struct world world;
    world_open(&world);
    play(&world, kills[_i]);

    expect_accepted(&world, WHOLE_STORY);
    live_equals_replay(&world);
    world_close(&world);
}
END_TEST

/* Down from the second of June to the third: what is late goes at once, within its grace. */
START_TEST(what_came_due_while_the_daemon_was_down_goes_when_it_is_back)
{
    struct world world;
    world_open(&world);
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
    act(&world, "2031-06-01 10:15:00", "A", "follow", NULL);
    ck_assert_int_eq(advance(&world, "2031-06-01 10:15:00"), 200); /* its answer has been sent */
    world_kill(&world);
    snprintf(world.at, sizeof(world.at), "2031-06-03 10:00:00");
    ck_assert(world_start(&world));
    ck_assert_int_eq(advance(&world, "2031-06-05 09:00:00"), 200);

    expect_accepted(&world, (const char *const[]){"2031-06-01 10:15:00 A T_hello reply",
                                                  "2031-06-03 10:00:00 A T_nudge push",
                                                  "2031-06-03 10:00:00 A T_last push", NULL});
    world_close(&world);
}
END_TEST

START_TEST(a_wrong_file_is_refused_and_what_runs_stays)
{
    struct world world;
    world_open(&world);
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
    int64_t applied = status_number(&world, "definitions.seq");
    ck_assert_int_eq(apply_yaml(&world, "templates: {T_a: T_a}\nfriend_add: {new: {sned: T_a}}\n"),
                     422);
    ck_assert_int_eq(status_number(&world, "definitions.seq"), applied);
    act(&world, "2031-06-01 10:15:00", "A", "follow", NULL);
    /* The webhook is answered when it is durable; the reply leaves after that. */
    ck_assert_int_eq(advance(&world, "2031-06-01 10:15:00"), 200);
    expect_accepted(&world, (const char *const[]){"2031-06-01 10:15:00 A T_hello reply", NULL});
    world_close(&world);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("e2e_day");
    TCase *tc = tcase_create("day");
    tcase_set_timeout(tc, 240);
    tcase_add_test(tc, every_step_reaches_its_friend_on_the_second);
    tcase_add_loop_test(tc, a_kill_in_the_middle_changes_nothing_that_a_friend_sees, 0, 3);
    tcase_add_test(tc, what_came_due_while_the_daemon_was_down_goes_when_it_is_back);
    tcase_add_test(tc, a_wrong_file_is_refused_and_what_runs_stays);
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
