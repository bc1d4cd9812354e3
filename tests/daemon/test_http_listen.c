/* Listening sockets: addresses, and what may stand at a Unix socket's path already. */
#include "daemon/http_listen.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64];
static char path[100];

static void
set_up(void)
{
    snprintf(folder, sizeof(folder), "/tmp/test_http_listen.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/sock", folder);
}

static void
tear_down(void)
{
    unlink(path);
    rmdir(folder);
}

/* A socket file made by another process, which listens as long as the descriptor is open. */
static int
other_listens(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    return fd;
}

static bool
somebody_answers(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int rc = connect(fd, (const struct sockaddr *)&name, sizeof(name));
    close(fd);
    return rc == 0;
}

START_TEST(addresses_that_are_none_are_invalid)
{
    static const char *const wrong[] = {
        "", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "name.example:80", "[::1:80",
    };
    int fd = -1;
    uint16_t port = 0;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_msg(http_listen_tcp(wrong[i], &fd, &port) == RC_INVALID, "taken: %s", wrong[i]);
    }
    ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(port_0_takes_a_free_one_and_tells_it)
{
    int first = -1, second = -1;
    uint16_t port = 0, other_port = 0;
    ck_assert_int_eq(http_listen_tcp("127.0.0.1:0", &first, &port), RC_OK);
    ck_assert_uint_ne(port, 0);
    char address[32];
    snprintf(address, sizeof(address), "127.0.0.1:%u", port);
    ck_assert_int_eq(http_listen_tcp(address, &second, &other_port), RC_EXISTS);
    close(first);
    ck_assert_int_eq(http_listen_tcp(address, &second, &other_port), RC_OK);
    ck_assert_uint_eq(other_port, port);
    close(second);
}
END_TEST

START_TEST(mode_of_the_socket_is_the_one_asked_for)
{
    static const unsigned modes[] = {0600, 0660, 0666};
    mode_t mask = umask(022);
    int fd = -1;
    struct stat status;
    ck_assert_int_eq(http_listen_unix(path, modes[_i], &fd), RC_OK);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, modes[_i]);
    ck_assert_uint_eq(umask(mask), 022); /* as it was before */
    close(fd);
}
END_TEST

START_TEST(stale_socket_file_is_replaced)
{
    close(other_listens());
    int fd = -1;
    ck_assert(!somebody_answers());
    ck_assert_int_eq(http_listen_unix(path, 0600, &fd), RC_OK);
    ck_assert(somebody_answers());
    close(fd);
}
END_TEST

START_TEST(socket_that_somebody_answers_on_is_left_alone)
{
    int other = other_listens();
    int fd = -1;
    ck_assert_int_eq(http_listen_unix(path, 0600, &fd), RC_EXISTS);
    ck_assert_int_eq(fd, -1);
    ck_assert(somebody_answers());
    close(other);
}
END_TEST

START_TEST(file_or_link_at_the_path_is_left_alone)
{
    if (_i == 0) {
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        fclose(file);
    } else {
        ck_assert_int_eq(symlink("/nowhere", path), 0);
    }
    int fd = -1;
    struct stat before, after;
    ck_assert_int_eq(lstat(path, &before), 0);
    ck_assert_int_eq(http_listen_unix(path, 0600, &fd), RC_EXISTS);
    ck_assert_int_eq(lstat(path, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

START_TEST(path_too_long_or_empty_is_invalid)
{
    char long_path[200];
    int fd = -1;
    memset(long_path, 'a', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    ck_assert_int_eq(http_listen_unix(long_path, 0600, &fd), RC_INVALID);
    ck_assert_int_eq(http_listen_unix("", 0600, &fd), RC_INVALID);
}
END_TEST

START_TEST(folder_that_is_not_there_is_an_error)
{
    int fd = -1;
    ck_assert_int_eq(http_listen_unix("/nowhere/at/all", 0600, &fd), RC_IO);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("http_listen");
    TCase *tcase = tcase_create("listen");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, addresses_that_are_none_are_invalid);
    tcase_add_test(tcase, port_0_takes_a_free_one_and_tells_it);
    tcase_add_loop_test(tcase, mode_of_the_socket_is_the_one_asked_for, 0, 3);
    tcase_add_test(tcase, stale_socket_file_is_replaced);
    tcase_add_test(tcase, socket_that_somebody_answers_on_is_left_alone);
    tcase_add_loop_test(tcase, file_or_link_at_the_path_is_left_alone, 0, 2);
    tcase_add_test(tcase, path_too_long_or_empty_is_invalid);
    tcase_add_test(tcase, folder_that_is_not_there_is_an_error);
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
