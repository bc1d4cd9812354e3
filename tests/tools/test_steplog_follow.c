/* steplog tail -f: prints what comes while it comes, and ends cleanly on Ctrl-C. */
#include "tests/tools/steplog_fixture.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

enum { PATIENCE_MS = 20000 };

static pid_t follower;
static int follower_out;

static void
start_following(void)
{
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    follower = fork();
    ck_assert_int_ge(follower, 0);
    if (follower == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        execl("bin/steplog", "steplog", "tail", "-f", "-n", "2", "-o", "json", "-d", directory,
              (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    follower_out = fds[0];
    buf_clear(&output);
}

/* Reads until the text was seen. */
static void
wait_for(const char *text)
{
    while (strstr(buf_cstr(&output), text) == NULL) {
        struct pollfd poll_fd = {.fd = follower_out, .events = POLLIN};
        char block[4096];
        ck_assert_msg(poll(&poll_fd, 1, PATIENCE_MS) == 1, "'%s' did not come:\n%s", text,
                      buf_cstr(&output));
        ssize_t got = read(follower_out, block, sizeof(block));
        ck_assert_msg(got > 0, "it ended before '%s':\n%s", text, buf_cstr(&output));
        buf_append(&output, block, (size_t)got);
    }
}

START_TEST(new_events_come_as_they_are_durable_and_ctrl_c_is_no_failure)
{
    start_following();
    wait_for("\"seq\":7,");
    assert_silent_about("\"seq\":5,");
    for (uint64_t seq = 8; seq < 12; seq++) {
        char text[32];
        struct event tagged = {
            .kind = EVENT_TAG_REMOVED, .friend = 0, .u.tag = {.tag = (uint32_t)seq}};
        append(tagged, NULL);
        snprintf(text, sizeof(text), "\"seq\":%llu,", (unsigned long long)seq);
        wait_for(text);
    }
    int status = 0;
    ck_assert_int_eq(kill(follower, SIGINT), 0);
    ck_assert_int_eq(waitpid(follower, &status, 0), follower);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_GOOD);
    ck_assert_uint_eq(lines(), 6);
    close(follower_out);
}
END_TEST

START_TEST(it_goes_on_in_the_log_that_compacting_put_in_place)
{
    char command[160];
    start_following();
    wait_for("\"seq\":7,");
    close_log();
    snprintf(command, sizeof(command), "bin/steplog compact %s >%s/said 2>&1", directory,
             directory);
    ck_assert_int_eq(system(command), 0);
    const struct log_options options = {.mode = LOG_CLAIM};
    ck_assert_int_eq(log_open(directory, &options, &log_of_test), RC_OK);
    log_set_run_id(log_of_test, (const uint8_t *)"another run's id");
    struct event tagged = {.kind = EVENT_TAG_REMOVED, .friend = 0, .u.tag = {.tag = 3}};
    append(tagged, NULL);
    wait_for("\"seq\":8,");
    ck_assert_int_eq(kill(follower, SIGINT), 0);
    ck_assert_int_eq(waitpid(follower, NULL, 0), follower);
    close(follower_out);
}
END_TEST

static Suite *
suite(void)
{
    unsetenv("STEPD_DATA_DIR");
    setenv("LC_ALL", "C.UTF-8", 1);
    Suite *s = suite_create("steplog_follow");
    TCase *tc = tcase_create("follow");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, new_events_come_as_they_are_durable_and_ctrl_c_is_no_failure);
    tcase_add_test(tc, it_goes_on_in_the_log_that_compacting_put_in_place);
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
