/* A folder's definition files: which, in what order, and what is said when they cannot be read. */
#include "tools/common/files.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static struct arena *arena;
static struct source_files files;
static struct buf error;

static void
put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void
put_folder(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void
setup(void)
{
    strcpy(folder, "/tmp/test_files.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    arena = arena_new();
    files = (struct source_files){0};
    error = (struct buf){0};
}

static void
teardown(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    arena_free(arena);
    buf_fini(&error);
}

START_TEST(every_yaml_file_below_comes_in_name_order)
{
    put("20-b.yaml", "b: 2\n");
    put("10-a.yaml", "a: 1\n");
    put_folder("15-more");
    put("15-more/x.yaml", "x: 3\n");
    put("notes.txt", "not me");
    put(".hidden.yaml", "nor me");
    put("codes.csv", "nor me");
    char path[80];
    snprintf(path, sizeof(path), "%s//", folder);
    ck_assert_int_eq(files_read(path, arena, &files, &error), RC_OK);
    ck_assert_uint_eq(files.count, 3);
    const char *names[] = {"/10-a.yaml", "/15-more/x.yaml", "/20-b.yaml"};
    for (uint32_t i = 0; i < 3; i++) {
        char want[128];
        snprintf(want, sizeof(want), "%s%s", folder, names[i]);
        ck_assert(span_equal_cstr(files.items[i].name, want));
    }
    ck_assert(span_equal_cstr(files.items[1].text, "x: 3\n"));
}
END_TEST

START_TEST(a_single_file_is_read_whatever_its_name)
{
    put("plan", "a: 1\n");
    char path[80];
    snprintf(path, sizeof(path), "%s/plan", folder);
    ck_assert_int_eq(files_read(path, arena, &files, &error), RC_OK);
    ck_assert_uint_eq(files.count, 1);
}
END_TEST

START_TEST(what_is_missing_is_said_with_its_path)
{
    ck_assert_int_eq(files_read("/nonexistent/shop", arena, &files, &error), RC_NOT_FOUND);
    ck_assert_str_eq(buf_cstr(&error), "/nonexistent/shop: No such file or directory");
    buf_clear(&error);
    ck_assert_int_eq(files_read(folder, arena, &files, &error), RC_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "no *.yaml in this folder"));
}
END_TEST

START_TEST(a_folder_that_contains_itself_comes_to_an_end)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/loop", folder);
    ck_assert_int_eq(symlink(folder, path), 0);
    ck_assert_int_eq(files_read(folder, arena, &files, &error), RC_TOO_LARGE);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("files");
    TCase *tcase = tcase_create("files");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, every_yaml_file_below_comes_in_name_order);
    tcase_add_test(tcase, a_single_file_is_read_whatever_its_name);
    tcase_add_test(tcase, what_is_missing_is_said_with_its_path);
    tcase_add_test(tcase, a_folder_that_contains_itself_comes_to_an_end);
    suite_add_tcase(suite, tcase);
    return suite;
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
