/* Checkpoints made beside a running daemon: after a kill -9 the daemon starts from the newest and the log
 * after it, and the day goes on as if nothing had happened. */
#include "tests/e2e/harness.h"
#include "tests/e2e/shop.h"

#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
    ck_assert_int_eq(advance(&world, "2031-06-01 12:00:00"), 200); /* LINE has answered all */
}

static void
teardown(void)
{
    world_close(&world);
}

static void
assert_says(const char *text, const char *wanted)
{
    ck_assert_msg(strstr(text, wanted) != NULL, "no '%s' in:\n%s", wanted, text);
}

/* The number and the digest of the checkpoint made now. */
static unsigned
make_checkpoint(char out_digest[17])
{
    struct buf words = {0};
    int code =
        run_tool(&words, (const char *[]){"steplog", "checkpoint", world.data, "-o", "json", NULL});
    ck_assert_msg(code == 0, "%s", buf_cstr(&words));
    unsigned event = 0;
    ck_assert_int_eq(sscanf(buf_cstr(&words), "{\"event\":%u,", &event), 1);
    const char *digest = strstr(buf_cstr(&words), "\"digest\":\"");
    ck_assert_ptr_nonnull(digest);
    snprintf(out_digest, 17, "%.16s", digest + strlen("\"digest\":\""));
    buf_fini(&words);
    return event;
}

static void
assert_started_from(unsigned checkpoint)
{
    char wanted[40];
    snprintf(wanted, sizeof(wanted), "checkpoint=%u tail=", checkpoint);
    assert_says(programs_said(&world), wanted);
}

static void
assert_the_day_goes_on(void)
{
    ck_assert_int_eq(advance(&world, "2031-06-01 13:00:00"), 200);
    expect_accepted(&world, (const char *const[]){"2031-06-01 10:15:00 A T_hello reply",
                                                  "2031-06-01 10:20:30 A T_coupon+T_thanks reply",
                                                  "2031-06-01 12:00:00 B T_hello reply",
                                                  "2031-06-01 13:00:00 B T_nudge push", NULL});
    char live[17], replayed[17];
    status_digest(&world, live);
    replay_digest(&world, replayed); /* from the first event */
    ck_assert_str_eq(live, replayed);
}

START_TEST(a_killed_daemon_starts_from_the_checkpoint)
{
    char saved[17], live[17];
    status_digest(&world, live);
    unsigned event = make_checkpoint(saved);
    ck_assert_str_eq(saved, live);
    act(&world, "2031-06-01 12:05:00", "A", "message", "ありがとう");
    world_kill(&world);
    world_forget_programs_said(&world);
    ck_assert(world_start(&world));
    assert_started_from(event);
    assert_the_day_goes_on();
}
END_TEST

START_TEST(after_a_clean_stop_the_checkpoint_and_the_recorded_digest_agree)
{
    char digest[17];
    ck_assert_int_eq(world_stop(&world), 0);
    unsigned event = make_checkpoint(digest);
    world_forget_programs_said(&world);
    ck_assert(world_start(&world));
    assert_started_from(event);
    ck_assert_int_eq(world_stop(&world), 0);
    make_checkpoint(digest); /* passes two stops */
    ck_assert(world_start(&world));
    assert_the_day_goes_on();
}
END_TEST

static void
damage(unsigned event)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/checkpoint-%020u", world.data, event);
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 90, SEEK_SET), 0);
    ck_assert_int_ne(fputc(0xa5, file), EOF);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_damaged_checkpoint_is_passed_over_and_said)
{
    char digest[17];
    unsigned older = make_checkpoint(digest);
    act(&world, "2031-06-01 12:05:00", "A", "message", "ありがとう");
    unsigned newer = make_checkpoint(digest);
    ck_assert_uint_gt(newer, older);
    damage(newer);
    world_kill(&world);
    world_forget_programs_said(&world);
    ck_assert(world_start(&world));
    assert_says(programs_said(&world), "is passed over: its checksum does not match");
    assert_started_from(older);
    world_kill(&world);
    damage(older);
    world_forget_programs_said(&world);
    ck_assert(world_start(&world));
    assert_started_from(0);
    assert_the_day_goes_on();
}
END_TEST

static unsigned
newest_checkpoint(void)
{
    unsigned newest = 0, event;
    DIR *dir = opendir(world.data);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char rest;
        if (sscanf(entry->d_name, "checkpoint-%20u%c", &event, &rest) == 1 && event > newest) {
            newest = event;
        }
    }
    closedir(dir);
    return newest;
}

static unsigned
wait_for_checkpoint_after(unsigned event)
{
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
    for (int i = 0; i < 200 && newest_checkpoint() <= event; i++) {
        nanosleep(&pause, NULL);
    }
    unsigned newest = newest_checkpoint();
    ck_assert_msg(newest > event, "no checkpoint after %u came", event);
    return newest;
}

START_TEST(a_follower_writes_the_next_when_the_log_has_grown)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        execl("bin/steplog", "steplog", "checkpoint", "--every", "1s", "-d", world.data,
              (char *)NULL);
        _exit(127);
    }
    unsigned first = wait_for_checkpoint_after(0);
    act(&world, "2031-06-01 12:05:00", "A", "message", "ありがとう");
    unsigned second = wait_for_checkpoint_after(first);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    world_kill(&world);
    world_forget_programs_said(&world);
    ck_assert(world_start(&world));
    assert_started_from(second);
    assert_the_day_goes_on();
}
END_TEST

START_TEST(dropping_and_wrong_use_are_said)
{
    char digest[17];
    struct buf words = {0};
    make_checkpoint(digest);
    ck_assert_int_eq(run_tool(&words, (const char *[]){"steplog", "checkpoint", world.data, NULL}),
                     0);
    assert_says(buf_cstr(&words), "needs no checkpoint");
    buf_clear(&words);
    ck_assert_int_eq(
        run_tool(&words, (const char *[]){"steplog", "checkpoint", world.data, "--drop", NULL}), 0);
    assert_says(buf_cstr(&words), "checkpoints deleted: 1");
    ck_assert_uint_eq(newest_checkpoint(), 0);
    buf_clear(&words);
    ck_assert_int_eq(run_tool(&words, (const char *[]){"steplog", "checkpoint", world.data,
                                                       "--every", "soon", NULL}),
                     2);
    assert_says(buf_cstr(&words), "--every wants a duration");
    buf_fini(&words);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("checkpoint");
    TCase *tc = tcase_create("checkpoint");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_killed_daemon_starts_from_the_checkpoint);
    tcase_add_test(tc, after_a_clean_stop_the_checkpoint_and_the_recorded_digest_agree);
    tcase_add_test(tc, a_damaged_checkpoint_is_passed_over_and_said);
    tcase_add_test(tc, a_follower_writes_the_next_when_the_log_has_grown);
    tcase_add_test(tc, dropping_and_wrong_use_are_said);
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
