#include "daemon/service.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A manager's socket, without a name in the file system so that nothing is left behind. */
static int manager;

static void
start(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len = sizeof(address);
    char name[128];
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(manager, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
    getsockname(manager, (struct sockaddr *)&address, &len);
    snprintf(name, sizeof(name), "@%s", address.sun_path + 1);
    setenv("NOTIFY_SOCKET", name, 1);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

static const char *
heard(void)
{
    static char message[1024];
    ssize_t len = recv(manager, message, sizeof(message) - 1, 0);
    message[len > 0 ? len : 0] = '\0';
    return message;
}

static bool
skipped(void)
{
    if (!service_supervised()) {
        puts("skipped: built without libsystemd");
        return true;
    }
    return false;
}

START_TEST(manager_hears_ready_alive_and_stopping)
{
    if (skipped()) {
        return;
    }
    service_ready();
    ck_assert_str_eq(heard(), "READY=1");
    service_alive();
    ck_assert_str_eq(heard(), "WATCHDOG=1");
    service_stopping();
    ck_assert_str_eq(heard(), "STOPPING=1");
}
END_TEST

START_TEST(status_is_one_line)
{
    if (skipped()) {
        return;
    }
    service_status("%d friends\nREADY=1", 7);
    ck_assert_str_eq(heard(), "STATUS=7 friends READY=1");

    char name[2000];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    service_status("%s", name);
    ck_assert_uint_eq(strlen(heard()), 511);
}
END_TEST

START_TEST(watchdog_is_fed_at_twice_the_rate_asked_for)
{
    if (skipped()) {
        return;
    }
    ck_assert_int_eq(service_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    ck_assert_int_eq(service_watchdog_ms(), 15000);
    setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
    ck_assert_int_eq(service_watchdog_ms(), 0);
}
END_TEST

START_TEST(without_a_manager_nothing_happens)
{
    unsetenv("NOTIFY_SOCKET");
    ck_assert(!service_supervised());
    service_ready();
    service_status("nobody reads this");
    ck_assert_str_eq(heard(), "");
    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    service_stopping();
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("service");
    TCase *t = tcase_create("service");
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_test(t, manager_hears_ready_alive_and_stopping);
    tcase_add_test(t, status_is_one_line);
    tcase_add_test(t, watchdog_is_fed_at_twice_the_rate_asked_for);
    tcase_add_test(t, without_a_manager_nothing_happens);
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
