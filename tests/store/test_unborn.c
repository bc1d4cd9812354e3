/* A data file whose making was cut short is made anew; a log that was cut off is not mistaken for one. */
#include "tests/store/log_helpers.h"

#include <sys/stat.h>
#include <sys/wait.h>

enum { PAGE = 4096 };

static const char *
data_file(void)
{
    static char path[96];
    snprintf(path, sizeof(path), "%s/log/data.mdb", directory);
    return path;
}

START_TEST(a_file_that_never_held_a_commit_is_made_anew)
{
    const off_t sizes[] = {0, 1, 100, 150, PAGE - 1, PAGE, PAGE + 20, 2 * PAGE};
    struct log *log = claim(ON_DISK);
    log_close(log);
    /* The first page of a new file, as far as it came: magic, but no transaction. */
    FILE *file = fopen(data_file(), "r+");
    static uint8_t page[2 * PAGE];
    ck_assert_uint_eq(fread(page, 1, PAGE, file), PAGE);
    memset(page + 144, 0, 8);
    memset(page + PAGE, 0, PAGE);
    rewind(file);
    ck_assert_uint_eq(fwrite(page, 1, sizeof(page), file), sizeof(page));
    fclose(file);
    ck_assert_int_eq(truncate(data_file(), sizes[_i]), 0);

    log = claim(ON_DISK);
    ck_assert_uint_eq(log_newest(log), 0);
    ck_assert_int_eq(append(log, 1, START_MS), RC_OK);
    log_close(log);
}
END_TEST

START_TEST(a_log_cut_off_is_refused_and_left_as_it_is)
{
    const off_t sizes[] = {PAGE, PAGE + 200, 2 * PAGE, 2 * PAGE + 1, 3 * PAGE};
    three_batches();
    ck_assert_int_eq(truncate(data_file(), sizes[_i]), 0);
    struct log *log = NULL;
    const struct log_options options = {.mode = LOG_CLAIM};
    pid_t child = fork(); /* a page that is missing may also end the process */
    if (child == 0) {
        _exit(log_open(directory, &options, &log) == RC_OK ? 0 : 1);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
    struct stat file;
    ck_assert_int_eq(stat(data_file(), &file), 0);
    ck_assert_int_gt(file.st_size, 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("unborn");
    TCase *tc = tcase_create("unborn");
    tcase_add_checked_fixture(tc, setup, remove_directory);
    tcase_add_loop_test(tc, a_file_that_never_held_a_commit_is_made_anew, 0, 8);
    tcase_add_loop_test(tc, a_log_cut_off_is_refused_and_left_as_it_is, 0, 5);
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
