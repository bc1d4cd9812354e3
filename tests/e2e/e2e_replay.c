/* The log is the truth: what runs equals what is replayed, and a log that cannot be verified is
 * neither run nor called good. */
#include "tests/e2e/harness.h"
#include "tests/e2e/shop.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct world world;

static void
setup(void)
{
    world_open(&world);
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
    act(&world, "2031-06-01 10:15:00", "A", "follow", NULL);
    act(&world, "2031-06-01 10:20:30", "A", "postback", "survey_beginner");
    act(&world, "2031-06-01 12:00:00", "B", "follow", NULL);
}

static void
teardown(void)
{
    world_close(&world);
}

static int
steplog(struct buf *out, const char *command)
{
    return run_tool(out, (const char *[]){"steplog", command, world.data, NULL});
}

START_TEST(live_state_equals_replayed_state_beside_a_running_daemon)
{
    const char *const moments[] = {"2031-06-01 12:00:00", "2031-06-01 13:30:00",
                                   "2031-06-02 19:00:00", "2031-06-08 00:00:00"};
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        ck_assert_int_eq(advance(&world, moments[i]), 200);
        char live[17], replayed[17];
        status_digest(&world, live);
        replay_digest(&world, replayed);
        ck_assert_msg(strcmp(live, replayed) == 0, "%s: live %s, replayed %s", moments[i], live,
                      replayed);
    }
}
END_TEST

START_TEST(a_clean_stop_leaves_a_log_that_verifies_and_starts_again)
{
    ck_assert_int_eq(world_stop(&world), 0);
    struct buf words = {0};
    ck_assert_msg(steplog(&words, "verify") == 0, "verify:\n%s", buf_cstr(&words));
    buf_fini(&words);

    ck_assert(world_start(&world));
    ck_assert_int_eq(status_number(&world, "friends.count"), 2);
    ck_assert_int_eq(advance(&world, "2031-06-01 13:00:00"), 200);
    expect_accepted(&world, (const char *const[]){"2031-06-01 10:15:00 A T_hello reply",
                                                  "2031-06-01 10:20:30 A T_coupon+T_thanks reply",
                                                  "2031-06-01 12:00:00 B T_hello reply",
                                                  "2031-06-01 13:00:00 B T_nudge push", NULL});
}
END_TEST

/* Changes one letter wherever `text` stands in the data file. Returns how often it did. */
static int
corrupt(const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/log/data.mdb", world.data);
    FILE *file = fopen(path, "r+b");
    ck_assert_msg(file != NULL, "%s: cannot be opened", path);
    struct buf bytes = {0};
    char block[65536];
    size_t got;
    while ((got = fread(block, 1, sizeof(block), file)) > 0) {
        buf_append(&bytes, block, got);
    }
    int count = 0;
    size_t length = strlen(text);
    for (size_t i = 0; i + length <= bytes.len; i++) {
        if (memcmp(bytes.data + i, text, length) == 0) {
            ck_assert_int_eq(fseek(file, (long)(i + length - 1), SEEK_SET), 0);
            ck_assert_int_ne(fputc(text[length - 1] ^ 1, file), EOF);
            count++;
        }
    }
    ck_assert_int_eq(fclose(file), 0);
    buf_fini(&bytes);
    return count;
}

/* A flipped bit in an event, and in the words kept beside it. */
START_TEST(a_corrupted_log_is_refused_by_the_daemon_and_by_verify)
{
    const char *const victims[] = {"01E2E000000000000000000002", "survey_beginner"};
    ck_assert_int_eq(world_stop(&world), 0);
    ck_assert_int_gt(corrupt(victims[_i]), 0);

    struct buf words = {0};
    int code = steplog(&words, "verify");
    ck_assert_msg(code != 0 && code < 126, "verify ended with %d:\n%s", code, buf_cstr(&words));
    buf_clear(&words);
    code = world_start_refused(&world, &words);
    ck_assert_msg(code != 0 && code < 126, "stepd ended with %d:\n%s", code, buf_cstr(&words));
    buf_fini(&words);
}
END_TEST

START_TEST(a_second_daemon_is_refused_while_the_first_runs)
{
    struct world second = world;
    second.daemon = 0;
    struct buf words = {0};
    int code = world_start_refused(&second, &words);
    ck_assert_msg(code != 0 && code < 126, "stepd ended with %d:\n%s", code, buf_cstr(&words));
    buf_fini(&words);
    ck_assert_int_eq(status_number(&world, "friends.count"), 2);
}
END_TEST

START_TEST(a_secret_that_others_can_read_is_refused)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/credentials/channel_secret", world.dir);
    ck_assert_int_eq(world_stop(&world), 0);
    ck_assert_int_eq(chmod(path, 0644), 0);
    struct buf words = {0};
    int code = world_start_refused(&world, &words);
    ck_assert_msg(code != 0 && code < 126, "stepd ended with %d:\n%s", code, buf_cstr(&words));
    buf_fini(&words);
}
END_TEST

START_TEST(commands_that_are_not_there_end_with_2)
{
    static const struct {
        const char *tool, *command, *words;
    } rows[] = {
        {"steplog", "dance", "dance"},
        {"stepctl", "dance", "dance"},
        {"stepctl", "console", "not yet"},
    };
    struct buf words = {0};
    int code = run_tool(&words, (const char *[]){rows[_i].tool, rows[_i].command, NULL});
    ck_assert_msg(code == 2, "%s %s ended with %d:\n%s", rows[_i].tool, rows[_i].command, code,
                  buf_cstr(&words));
    ck_assert_msg(strstr(buf_cstr(&words), rows[_i].words) != NULL, "%s %s said:\n%s",
                  rows[_i].tool, rows[_i].command, buf_cstr(&words));
    buf_fini(&words);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("e2e_replay");
    TCase *tc = tcase_create("replay");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, live_state_equals_replayed_state_beside_a_running_daemon);
    tcase_add_test(tc, a_clean_stop_leaves_a_log_that_verifies_and_starts_again);
    tcase_add_loop_test(tc, a_corrupted_log_is_refused_by_the_daemon_and_by_verify, 0, 2);
    tcase_add_test(tc, a_second_daemon_is_refused_while_the_first_runs);
    tcase_add_test(tc, a_secret_that_others_can_read_is_refused);
    suite_add_tcase(s, tc);

    TCase *commands = tcase_create("commands");
    tcase_add_loop_test(commands, commands_that_are_not_there_end_with_2, 0, 3);
    suite_add_tcase(s, commands);
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
