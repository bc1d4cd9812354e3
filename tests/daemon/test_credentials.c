#include "daemon/credentials.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/stepd-credentials-XXXXXX";
static char path[64];
static struct secret *secret;
static struct buf message;

static void
start(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/channel_token", directory);
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void
stop(void)
{
    char other[64];
    snprintf(other, sizeof(other), "%s/elsewhere", directory);
    unlink(other);
    unlink(path);
    rmdir(directory);
    buf_fini(&message);
    secret_free(secret);
}

static void
write_file(const char *at, const char *text, size_t len, mode_t mode)
{
    int fd = open(at, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static enum rc
read_secret(void)
{
    return secret_read(directory, "channel_token", &secret, &message);
}

static void
ck_message_has(const char *text)
{
    ck_assert_msg(strstr(buf_cstr(&message), text) != NULL, "no '%s' in '%s'", text,
                  buf_cstr(&message));
}

START_TEST(private_file_gives_its_one_line)
{
    const char *texts[] = {"s3cret", "s3cret\n"};
    const mode_t modes[] = {0600, 0400};
    write_file(path, texts[_i], strlen(texts[_i]), modes[_i]);
    ck_assert_int_eq(read_secret(), RC_OK);
    ck_assert_str_eq(secret_text(secret), "s3cret");
    ck_assert_uint_eq(message.len, 0);
}
END_TEST

START_TEST(file_open_to_others_is_refused_with_the_remedy)
{
    const mode_t modes[] = {0640, 0604, 0620, 0602, 0644, 0666, 0440};
    char remedy[128];
    write_file(path, "s3cret", 6, modes[_i]);
    ck_assert_int_eq(read_secret(), RC_REFUSED);
    snprintf(remedy, sizeof(remedy), "run: chmod 600 %s", path);
    ck_message_has(remedy);
    ck_assert_ptr_null(strstr(buf_cstr(&message), "s3cret"));
    ck_assert_ptr_null(secret);
}
END_TEST

START_TEST(link_is_as_good_as_its_target)
{
    char target[64];
    snprintf(target, sizeof(target), "%s/elsewhere", directory);
    write_file(target, "s3cret", 6, _i == 0 ? 0600 : 0644);
    ck_assert_int_eq(symlink(target, path), 0);
    ck_assert_int_eq(read_secret(), _i == 0 ? RC_OK : RC_REFUSED);
}
END_TEST

/* systemd gives root:root 0400 and an access list for the user, whose mask shows as a group bit. */
START_TEST(access_list_of_systemd_is_not_the_group)
{
    if (geteuid() != 0) {
        puts("skipped: only root can own the file");
        return;
    }
    write_file(path, "s3cret", 6, 0440);
    setenv("CREDENTIALS_DIRECTORY", "/somewhere/else", 1);
    ck_assert_int_eq(read_secret(), RC_REFUSED);
    setenv("CREDENTIALS_DIRECTORY", directory, 1);
    ck_assert_int_eq(read_secret(), RC_OK);
    chmod(path, 0444);
    struct secret *none = NULL;
    ck_assert_int_eq(secret_read(directory, "channel_token", &none, &message), RC_REFUSED);
}
END_TEST

START_TEST(file_of_another_user_is_refused)
{
    if (geteuid() != 0) {
        puts("skipped: only root can give files away");
        return;
    }
    write_file(path, "s3cret", 6, 0600);
    ck_assert_int_eq(chown(path, 12345, (gid_t)-1), 0);
    ck_assert_int_eq(read_secret(), RC_REFUSED);
    ck_message_has("belongs to another user");
}
END_TEST

START_TEST(content_that_is_no_secret_is_refused)
{
    char large[4097];
    memset(large, 'x', sizeof(large));
    const struct {
        const char *text;
        size_t len;
        const char *word;
    } rows[] = {
        {"", 0, "is empty"},
        {"\n", 1, "is empty"},
        {"a\n\n", 3, "at byte 2"},
        {"a b", 3, "at byte 2"},
        {"a\r\n", 3, "at byte 2"},
        {"ab\0c", 4, "at byte 3"},
        {"\xef\xbb\xbf"
         "a",
         4, "at byte 1"},
        {large, 4096, "larger than"},
        {large, 4097, "larger than"},
    };
    write_file(path, rows[_i].text, rows[_i].len, 0600);
    ck_assert_int_eq(read_secret(), RC_INVALID);
    ck_message_has(rows[_i].word);
    ck_message_has(path);
}
END_TEST

START_TEST(longest_secret_fits)
{
    char large[4095];
    memset(large, 'x', sizeof(large));
    write_file(path, large, sizeof(large), 0600);
    ck_assert_int_eq(read_secret(), RC_OK);
    ck_assert_uint_eq(strlen(secret_text(secret)), 4095);
}
END_TEST

START_TEST(what_is_no_file_is_refused_without_waiting)
{
    ck_assert_int_eq(read_secret(), RC_NOT_FOUND);
    ck_message_has("No such file");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(read_secret(), RC_REFUSED);
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(read_secret(), RC_REFUSED);
    rmdir(path);
}
END_TEST

START_TEST(protected_process_leaves_no_core)
{
    credentials_protect_process();
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("credentials");
    TCase *t = tcase_create("credentials");
    tcase_add_checked_fixture(t, start, stop);
    tcase_add_loop_test(t, private_file_gives_its_one_line, 0, 2);
    tcase_add_loop_test(t, file_open_to_others_is_refused_with_the_remedy, 0, 7);
    tcase_add_loop_test(t, link_is_as_good_as_its_target, 0, 2);
    tcase_add_test(t, access_list_of_systemd_is_not_the_group);
    tcase_add_test(t, file_of_another_user_is_refused);
    tcase_add_loop_test(t, content_that_is_no_secret_is_refused, 0, 9);
    tcase_add_test(t, longest_secret_fits);
    tcase_add_test(t, what_is_no_file_is_refused_without_waiting);
    tcase_add_test(t, protected_process_leaves_no_core);
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
