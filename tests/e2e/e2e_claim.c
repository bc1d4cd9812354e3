/* One daemon a data directory, by whatever name it is called (RELIABILITY C11), and none of its files in the
 * hands of another process (C12). */
#include "tests/e2e/harness.h"
#include "tests/e2e/shop.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world world;
static char other_name[96];
static bool mounted;

static void
setup(void)
{
    world_open(&world);
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
    snprintf(other_name, sizeof(other_name), "%s/other-name", world.dir);
}

/* Also when the test fails: nothing stays mounted. */
static void
clean_up(void)
{
    if (mounted) {
        char command[160];
        snprintf(command, sizeof(command), "umount %s", other_name);
        (void)!system(command);
        mounted = false;
    }
    if (world.dir[0] != '\0') {
        world_close(&world);
    }
}

/* ---- two daemons ---- */

static bool
by_the_same_name(void)
{
    snprintf(other_name, sizeof(other_name), "%s", world.data);
    return true;
}

static bool
by_a_symbolic_link(void)
{
    return symlink(world.data, other_name) == 0;
}

static bool
by_a_bind_mount(void)
{
    char command[300];
    ck_assert_int_eq(mkdir(other_name, 0700), 0);
    snprintf(command, sizeof(command), "mount --bind %s %s 2>/dev/null", world.data, other_name);
    mounted = geteuid() == 0 && system(command) == 0;
    return mounted;
}

static const struct {
    const char *what;
    bool (*make)(void);
} NAMES[] = {
    {"the same name", by_the_same_name},
    {"a symbolic link", by_a_symbolic_link},
    {"a bind mount", by_a_bind_mount},
};

START_TEST(a_second_daemon_refuses_and_says_who_is_there)
{
    struct buf words = {0};
    struct world second = world;
    char pid[40];
    second.daemon = 0;
    if (!NAMES[_i].make()) {
        printf("claim: skipped: %s cannot be made here (needs root)\n", NAMES[_i].what);
        return;
    }
    snprintf(second.data, sizeof(second.data), "%s", other_name);
    snprintf(second.socket, sizeof(second.socket), "%s/second.sock", world.dir);
    ck_assert_int_eq(world_start_refused(&second, &words), 1);
    snprintf(pid, sizeof(pid), "stepd, process %ld, socket ", (long)world.daemon);
    ck_assert_msg(strstr(buf_cstr(&words), "held by another process") != NULL &&
                      strstr(buf_cstr(&words), pid) != NULL &&
                      strstr(buf_cstr(&words), world.socket) != NULL,
                  "by %s: %s", NAMES[_i].what, buf_cstr(&words));
    act(&world, "2031-06-01 10:15:00", "A", "follow", NULL); /* the first goes on */
    world_kill(&world);
    ck_assert(world_start(&world)); /* a killed one holds nothing */
    ck_assert_int_eq(status_number(&world, "friends.count"), 1);
    buf_fini(&words);
}
END_TEST

/* ---- descriptors ---- */

/* The flags of an open descriptor as /proc tells them. */
static unsigned long
flags_of(const char *name)
{
    char path[320], line[128];
    unsigned long flags = 0;
    snprintf(path, sizeof(path), "/proc/%ld/fdinfo/%s", (long)world.daemon, name);
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "flags:", 6) == 0) {
            flags = strtoul(line + 6, NULL, 8);
        }
    }
    fclose(file);
    return flags;
}

/* What a process has open under this number; "" for nothing. */
static const char *
target_of(const char *process, const char *name, char target[256])
{
    char path[320];
    snprintf(path, sizeof(path), "/proc/%s/fd/%s", process, name);
    ssize_t len = readlink(path, target, 255);
    target[len < 0 ? 0 : len] = '\0';
    return target;
}

/* Not ours to mark: what whoever started the daemon handed on to it (ctest its log), and the nameless pairs of
 * sockets with which libcurl wakes itself. */
static bool
is_anothers(const char *name, const char *target)
{
    char ours[256];
    return strcmp(target_of("self", name, ours), target) == 0 || strncmp(target, "socket:", 7) == 0;
}

/* After a compaction too, which opens everything anew. */
START_TEST(no_file_of_the_daemon_would_cross_an_exec)
{
    char process[24], path[64], target[256];
    struct buf out = {0};
    int files = 0;
    ck_assert_int_eq(run_tool(&out, (const char *[]){"steplog", "compact", world.data, NULL}), 0);
    act(&world, "2031-06-01 10:15:00", "A", "follow", NULL);
    snprintf(process, sizeof(process), "%ld", (long)world.daemon);
    snprintf(path, sizeof(path), "/proc/%s/fd", process);
    DIR *dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) <= STDERR_FILENO) {
            continue;
        }
        if (is_anothers(entry->d_name, target_of(process, entry->d_name, target))) {
            continue;
        }
        ck_assert_msg((flags_of(entry->d_name) & O_CLOEXEC) != 0, "%s -> %s", entry->d_name,
                      target);
        files += strstr(target, ".mdb") != NULL;
    }
    closedir(dir);
    ck_assert_int_ge(files, 2); /* the data twice, the locks: they were looked at */
    buf_fini(&out);
}
END_TEST

START_TEST(the_daemon_has_no_children)
{
    char path[96], line[16];
    snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)world.daemon,
             (long)world.daemon);
    act(&world, "2031-06-01 10:15:00", "A", "follow", NULL);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        puts("claim: skipped: this kernel does not list children");
        return;
    }
    ck_assert_ptr_null(fgets(line, sizeof(line), file));
    fclose(file);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("e2e_claim");
    TCase *tc = tcase_create("claim");
    tcase_add_checked_fixture(tc, setup, clean_up);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_second_daemon_refuses_and_says_who_is_there, 0,
                        (int)(sizeof(NAMES) / sizeof(NAMES[0])));
    tcase_add_test(tc, no_file_of_the_daemon_would_cross_an_exec);
    tcase_add_test(tc, the_daemon_has_no_children);
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
