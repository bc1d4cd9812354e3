/* A copy of a data directory, started beside or after its original, sends nothing a second time. */
#include "tests/e2e/harness.h"
#include "tests/e2e/shop.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

static void
setup(void)
{
    world_open(&world);
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
    act(&world, "2031-06-01 10:15:00", "A", "follow", NULL);
}

static void
teardown(void)
{
    world_close(&world);
}

static void
copy_data(const char *from, const char *to)
{
    char command[300];
    snprintf(command, sizeof(command), "cp -a %s %s", from, to);
    ck_assert_int_eq(system(command), 0);
}

static int
stepctl(struct buf *out, const char *a, const char *b, const char *c)
{
    buf_clear(out);
    return run_tool(out, (const char *[]){"stepctl", "-s", world.socket, a, b, c, NULL});
}

START_TEST(a_released_copy_sends_only_what_its_original_did_not)
{
    char original[96], copy[96];
    struct buf out = {0};
    snprintf(original, sizeof(original), "%s", world.data);
    snprintf(copy, sizeof(copy), "%s/copy", world.dir);
    ck_assert_int_eq(world_stop(&world), 0);
    copy_data(original, copy);
    ck_assert(world_start(&world));
    ck_assert_int_eq(advance(&world, "2031-06-01 11:30:00"), 200); /* the original sends T_nudge */
    world_kill(&world);

    snprintf(world.data, sizeof(world.data), "%s", copy);
    ck_assert(world_start(&world));
    ck_assert_int_eq(advance(&world, "2031-06-01 12:00:00"), 200);
    ck_assert_int_eq(stepctl(&out, "status", NULL, NULL), 0);
    ck_assert_msg(strstr(buf_cstr(&out), "held: this data directory was copied") != NULL, "%s",
                  buf_cstr(&out));
    ck_assert_msg(strstr(buf_cstr(&out), "1 delivery is due") != NULL, "%s", buf_cstr(&out));
    world_kill(&world);
    ck_assert(world_start(&world)); /* still held */
    ck_assert_int_eq(stepctl(&out, "release", "--from", "2031-06-01 11:30"), 0);
    ck_assert_int_eq(advance(&world, "2031-06-02 13:00:00"), 200);
    ck_assert_int_eq(stepctl(&out, "why", "0", "nudge"), 0);
    ck_assert_msg(strstr(buf_cstr(&out), "restored") != NULL, "%s", buf_cstr(&out));
    expect_accepted(&world, (const char *const[]){"2031-06-01 10:15:00 A T_hello reply",
                                                  "2031-06-01 11:15:00 A T_nudge push",
                                                  "2031-06-02 12:00:00 A T_last push", NULL});
    buf_fini(&out);
}
END_TEST

START_TEST(a_forgotten_friend_leaves_a_log_that_verifies_and_a_new_number)
{
    struct buf out = {0};
    char live[17], replayed[17];
    act(&world, "2031-06-01 10:20:00", "A", "message", "canary");
    ck_assert_int_eq(stepctl(&out, "friend", "forget", "0"), 2); /* no terminal, no --yes */
    buf_clear(&out);
    ck_assert_int_eq(run_tool(&out, (const char *[]){"stepctl", "-s", world.socket, "friend",
                                                     "forget", "0", "--yes", NULL}),
                     0);
    ck_assert_msg(strstr(buf_cstr(&out), "steplog compact") != NULL, "%s", buf_cstr(&out));
    buf_clear(&out);
    ck_assert_int_eq(run_tool(&out, (const char *[]){"steplog", "verify", world.data, NULL}), 0);
    ck_assert_msg(strstr(buf_cstr(&out), "erased         0") == NULL, "%s", buf_cstr(&out));
    buf_clear(&out);
    ck_assert_int_eq(run_tool(&out, (const char *[]){"steplog", "friend", world.data, "0", NULL}),
                     0);
    ck_assert_msg(strstr(buf_cstr(&out), "canary") == NULL, "%s", buf_cstr(&out));
    ck_assert_msg(strstr(buf_cstr(&out), "erased=true") != NULL, "%s", buf_cstr(&out));
    status_digest(&world, live);
    replay_digest(&world, replayed);
    ck_assert_str_eq(live, replayed);
    act(&world, "2031-06-01 10:30:00", "A", "follow", NULL);
    ck_assert_int_eq(status_number(&world, "friends.count"), 2);
    ck_assert_int_eq(advance(&world, "2031-06-01 12:00:00"), 200);
    expect_accepted(&world, (const char *const[]){"2031-06-01 10:15:00 A T_hello reply",
                                                  "2031-06-01 10:30:00 A T_hello reply",
                                                  "2031-06-01 11:30:00 A T_nudge push", NULL});
    buf_fini(&out);
}
END_TEST

/* True when some file of the data directory holds these bytes. */
static bool
stands_in_data(const char *text)
{
    char command[300];
    snprintf(command, sizeof(command), "grep -raqF '%s' %s", text, world.data);
    int status = system(command);
    ck_assert(status == 0 || WEXITSTATUS(status) == 1);
    return status == 0;
}

START_TEST(after_compact_a_forgotten_friend_is_in_no_file_and_the_directory_is_no_copy)
{
    struct buf out = {0};
    char letter[40];
    const char *const canaries[] = {user_id("A", letter), "canary message", "canary town"};
    act(&world, "2031-06-01 10:20:00", "A", "message", "canary message");
    ck_assert_int_eq(run_tool(&out, (const char *[]){"stepctl", "-s", world.socket, "friend",
                                                     "field", "0", "area=canary town", NULL}),
                     0);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_msg(stands_in_data(canaries[i]), "%s was never there", canaries[i]);
    }
    ck_assert_int_eq(run_tool(&out, (const char *[]){"stepctl", "-s", world.socket, "friend",
                                                     "forget", "0", "--yes", NULL}),
                     0);
    ck_assert_int_eq(world_stop(&world), 0);
    buf_clear(&out);
    ck_assert_msg(run_tool(&out, (const char *[]){"steplog", "compact", world.data, NULL}) == 0,
                  "%s", buf_cstr(&out));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_msg(!stands_in_data(canaries[i]), "%s is still there", canaries[i]);
    }
    ck_assert(world_start(&world));
    ck_assert_int_eq(stepctl(&out, "status", NULL, NULL), 0);
    ck_assert_msg(strstr(buf_cstr(&out), "held") == NULL, "%s", buf_cstr(&out));
    ck_assert_int_eq(world_stop(&world), 0);
    ck_assert_int_eq(run_tool(&out, (const char *[]){"steplog", "verify", world.data, NULL}), 0);
    buf_fini(&out);
}
END_TEST

START_TEST(a_released_directory_stays_released_when_it_is_compacted)
{
    struct buf out = {0};
    char copy[96];
    ck_assert_int_eq(world_stop(&world), 0);
    snprintf(copy, sizeof(copy), "%s/copy", world.dir);
    copy_data(world.data, copy);
    snprintf(world.data, sizeof(world.data), "%s", copy);
    ck_assert(world_start(&world));
    if (_i == 1) {
        ck_assert_int_eq(stepctl(&out, "release", "--from", "now"), 0);
    }
    ck_assert_int_eq(world_stop(&world), 0);
    ck_assert_int_eq(run_tool(&out, (const char *[]){"steplog", "compact", world.data, NULL}), 0);
    ck_assert(world_start(&world));
    ck_assert_int_eq(stepctl(&out, "status", NULL, NULL), 0);
    ck_assert_msg((strstr(buf_cstr(&out), "held") == NULL) == (_i == 1), "%s", buf_cstr(&out));
    buf_fini(&out);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("e2e_copy");
    TCase *tc = tcase_create("copies and persons");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_released_copy_sends_only_what_its_original_did_not);
    tcase_add_test(tc, a_forgotten_friend_leaves_a_log_that_verifies_and_a_new_number);
    tcase_add_test(tc, after_compact_a_forgotten_friend_is_in_no_file_and_the_directory_is_no_copy);
    tcase_add_loop_test(tc, a_released_directory_stays_released_when_it_is_compacted, 0, 2);
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
