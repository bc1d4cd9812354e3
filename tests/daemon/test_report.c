#include "daemon/report.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each test runs in its own process (Check forks), so stderr may be bent. */
static int sink_end; /* what we read of stderr */
static char seen[8192];

static void
bend_stderr(void)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    sink_end = ends[0];
    fcntl(sink_end, F_SETFL, O_NONBLOCK);
    unsetenv("JOURNAL_STREAM");
}

static const char *
read_sink(void)
{
    ssize_t len = read(sink_end, seen, sizeof(seen) - 1);
    seen[len > 0 ? len : 0] = '\0';
    return seen;
}

static void
name_journal(int offset)
{
    struct stat status;
    char stream[64];
    fstat(STDERR_FILENO, &status);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
             (uintmax_t)status.st_ino + (uintmax_t)offset);
    setenv("JOURNAL_STREAM", stream, 1);
}

START_TEST(person_reads_time_level_and_text)
{
    report(REPORT_WARNING, "pushed friend=%d status=%d", 7, 200);

    int year, month, day, hour, minute, second, ms, end = 0;
    int fields = sscanf(read_sink(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day, &hour,
                        &minute, &second, &ms, &end);
    ck_assert_int_eq(fields, 7);
    ck_assert_str_eq(seen + end, "warning pushed friend=7 status=200\n");
}
END_TEST

START_TEST(journal_reads_the_priority_alone)
{
    name_journal(0);
    report(REPORT_ERROR, "log full");
    ck_assert_str_eq(read_sink(), "<3>log full\n");
}
END_TEST

START_TEST(redirected_stderr_of_a_service_is_not_the_journal)
{
    name_journal(1);
    report(REPORT_ERROR, "log full");
    ck_assert_ptr_nonnull(strstr(read_sink(), "Z error log full\n"));
}
END_TEST

START_TEST(level_above_the_set_one_is_silent)
{
    report(REPORT_DEBUG, "nobody hears this");
    ck_assert_str_eq(read_sink(), "");
    report_set_level(REPORT_DEBUG);
    report(REPORT_DEBUG, "now they do");
    ck_assert_ptr_nonnull(strstr(read_sink(), " debug now they do\n"));
}
END_TEST

START_TEST(control_characters_cannot_forge_a_line)
{
    name_journal(0);
    report(REPORT_INFO, "name=%s",
           "a\n<3>forged\r\x1b[31m\x7f\t\xc2\x9b"
           "31m\xe3\x81\x82");
    ck_assert_str_eq(read_sink(),
                     "<6>name=a\\n<3>forged\\x0d\\x1b[31m\\x7f\\x09\\u009b31m\xe3\x81\x82\n");
}
END_TEST

START_TEST(long_line_is_cut_and_still_one_line)
{
    char text[3000];
    memset(text, '\n', sizeof(text) - 1); /* the worst: every byte becomes two */
    text[sizeof(text) - 1] = '\0';
    report(REPORT_INFO, "%s", text);

    read_sink();
    size_t len = strlen(seen);
    ck_assert_uint_le(len, 4096);
    ck_assert_uint_gt(len, 2000);
    ck_assert_ptr_eq(strchr(seen, '\n'), seen + len - 1);
}
END_TEST

/* A pipe nobody reads: alarm() ends the test if report() ever waits. */
START_TEST(full_sink_never_blocks_and_the_loss_is_told)
{
    alarm(10);
    for (int i = 0; i < 5000; i++) {
        report(REPORT_INFO, "line %d is some sixty bytes long so that the pipe fills", i);
    }
    uint64_t dropped = report_dropped();
    ck_assert_uint_gt(dropped, 0);
    ck_assert_uint_lt(dropped, 5000);

    while (read_sink()[0] != '\0') {
    }
    report(REPORT_INFO, "back again");
    char told[64];
    snprintf(told, sizeof(told), "warning lines dropped count=%ju\n", (uintmax_t)dropped);
    ck_assert_ptr_nonnull(strstr(read_sink(), told));
    ck_assert_ptr_nonnull(strstr(seen, "info back again\n"));

    report(REPORT_INFO, "once only");
    ck_assert_ptr_null(strstr(read_sink(), "dropped"));
}
END_TEST

START_TEST(full_socket_never_blocks)
{
    alarm(10);
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    dup2(ends[1], STDERR_FILENO);
    for (int i = 0; i < 20000; i++) {
        report(REPORT_INFO, "line %d", i);
    }
    ck_assert_uint_gt(report_dropped(), 0);
}
END_TEST

START_TEST(reader_that_left_does_not_kill_us)
{
    signal(SIGPIPE, SIG_DFL);
    close(sink_end);
    report(REPORT_INFO, "nobody there");
    ck_assert_uint_eq(report_dropped(), 1);
    close(STDERR_FILENO);
    report(REPORT_INFO, "not even a descriptor");
    ck_assert_uint_eq(report_dropped(), 2);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("report");
    TCase *t = tcase_create("report");
    tcase_add_checked_fixture(t, bend_stderr, NULL);
    tcase_add_test(t, person_reads_time_level_and_text);
    tcase_add_test(t, journal_reads_the_priority_alone);
    tcase_add_test(t, redirected_stderr_of_a_service_is_not_the_journal);
    tcase_add_test(t, level_above_the_set_one_is_silent);
    tcase_add_test(t, control_characters_cannot_forge_a_line);
    tcase_add_test(t, long_line_is_cut_and_still_one_line);
    tcase_add_test(t, full_sink_never_blocks_and_the_loss_is_told);
    tcase_add_test(t, full_socket_never_blocks);
    tcase_add_test(t, reader_that_left_does_not_kill_us);
    suite_add_tcase(s, t);
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
