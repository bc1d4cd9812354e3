/* Power loss: the data directory lies on a file system in an image of its own. While webhooks come in, the daemon
 * is frozen and the image copied: the copy has what had reached the disk by then, as after a cut. Mounted
 * elsewhere, its log must be good and hold every webhook that was answered 200 before the cut.
 * The control runs the same with syncs that do nothing (fault_shim.c): there the check must fail, else it
 * would prove nothing. Needs root and loop devices; says "skipped" without. */
#include "tests/e2e/harness.h"
#include "tests/e2e/shop.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVENTS_MAX = 4000, POSTERS = 3, CUTS = 3, BEFORE_CUT = 40 };

static struct world world;
static char image[96], copy[96], mounted[96], looked_at[96];

/* Runs a shell command silently; its exit code. */
static int __attribute__((format(printf, 1, 2))) shell(const char *format, ...)
{
    char command[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    return system(command);
}

/* commit=300: the file system syncs nothing by itself while the test runs. */
static bool
mount_image(void)
{
    snprintf(image, sizeof(image), "%s/image", world.dir);
    snprintf(copy, sizeof(copy), "%s/copy", world.dir);
    snprintf(mounted, sizeof(mounted), "%s/mounted", world.dir);
    snprintf(looked_at, sizeof(looked_at), "%s/looked-at", world.dir);
    ck_assert_int_eq(mkdir(mounted, 0700), 0);
    ck_assert_int_eq(mkdir(looked_at, 0700), 0);
    return geteuid() == 0 &&
           shell("truncate -s 256M %s && mkfs.ext4 -q %s 2>/dev/null", image, image) == 0 &&
           shell("mount -o loop,commit=300 %s %s 2>/dev/null", image, mounted) == 0;
}

/* Also when the test fails, for then the process exits: no file system stays mounted. */
static void
clean_up(void)
{
    if (world.dir[0] != '\0') {
        world_kill(&world);
        (void)shell("umount %s 2>/dev/null; umount %s 2>/dev/null", mounted, looked_at);
        world_close(&world);
    }
}

static void
setup(void)
{
    (void)atexit(clean_up);
    world_open(&world);
}

struct load {
    json_t *events[EVENTS_MAX];
    bool acknowledged[EVENTS_MAX];
    int taken, done; /* atomic */
    bool over;       /* atomic */
};
static struct load load;

static void *
post(void *context)
{
    (void)context;
    int i;
    while (!__atomic_load_n(&load.over, __ATOMIC_SEQ_CST) &&
           (i = __atomic_fetch_add(&load.taken, 1, __ATOMIC_SEQ_CST)) < EVENTS_MAX) {
        bool good = send_event(&world, load.events[i], false) == 200;
        __atomic_store_n(&load.acknowledged[i], good, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&load.done, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

/* How many of those acknowledged before the cut are missing in the log of the copy; -1: it is no good log. */
static int
missing_in_copy(const bool *acknowledged)
{
    char data[128];
    struct buf text = {0};
    snprintf(data, sizeof(data), "%s/data", looked_at);
    if (shell("mount -o loop %s %s 2>/dev/null", copy, looked_at) != 0) {
        return -1;
    }
    int missing = 0;
    if (run_tool(&text, (const char *[]){"steplog", "verify", data, NULL}) != 0) {
        missing = -1;
    } else {
        buf_clear(&text);
        ck_assert_int_eq(run_tool(&text, (const char *[]){"steplog", "export", data, NULL}), 0);
        for (int i = 0; i < EVENTS_MAX; i++) {
            const char *id = json_string_value(json_object_get(load.events[i], "webhookEventId"));
            missing += acknowledged[i] && strstr(buf_cstr(&text), id) == NULL;
        }
    }
    buf_fini(&text);
    ck_assert_int_eq(shell("umount %s", looked_at), 0);
    return missing;
}

/* Load, freeze, copy: returns what is missing, and in *out_acknowledged of how many. `meanwhile` (may be NULL)
 * happens under the load, just before. */
static int
cut(void (*meanwhile)(void), int *out_acknowledged)
{
    pthread_t posters[POSTERS];
    static bool acknowledged[EVENTS_MAX];
    load.taken = load.done = 0;
    load.over = false;
    for (int i = 0; i < EVENTS_MAX; i++) {
        load.events[i] = make_event(&world, "A", "message", "hello");
        load.acknowledged[i] = false;
    }
    for (int i = 0; i < POSTERS; i++) {
        ck_assert_int_eq(pthread_create(&posters[i], NULL, post, NULL), 0);
    }
    while (__atomic_load_n(&load.done, __ATOMIC_SEQ_CST) < BEFORE_CUT) {
        usleep(1000);
    }
    if (meanwhile != NULL) {
        meanwhile();
    }
    *out_acknowledged = 0;
    for (int i = 0; i < EVENTS_MAX; i++) {
        acknowledged[i] = __atomic_load_n(&load.acknowledged[i], __ATOMIC_SEQ_CST);
        *out_acknowledged += acknowledged[i];
    }
    ck_assert_int_eq(kill(world.daemon, SIGSTOP), 0);
    ck_assert_int_eq(shell("cp --sparse=always %s %s", image, copy), 0);
    __atomic_store_n(&load.over, true, __ATOMIC_SEQ_CST);
    world_kill(&world);
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(posters[i], NULL);
    }
    int missing = missing_in_copy(acknowledged);
    for (int i = 0; i < EVENTS_MAX; i++) {
        json_decref(load.events[i]);
    }
    return missing;
}

static void
compact(void)
{
    struct buf out = {0};
    ck_assert_msg(run_tool(&out, (const char *[]){"steplog", "compact", "--rate", "0", world.data,
                                                  NULL}) == 0,
                  "%s", buf_cstr(&out));
    buf_fini(&out);
}

static void
cut_with(bool no_sync, void (*meanwhile)(void))
{
    if (!mount_image()) {
        printf("power: skipped: this needs root, loop devices and mkfs.ext4\n");
        return;
    }
    snprintf(world.data, sizeof(world.data), "%s/mounted/data", world.dir);
    ck_assert_int_eq(mkdir(world.data, 0700), 0);
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
    ck_assert_int_eq(world_stop(&world), 0);
    world.no_sync = no_sync;
    ck_assert(world_start(&world));
    for (int i = 0; i < (no_sync ? 1 : CUTS); i++) {
        int of = 0, missing = cut(meanwhile, &of);
        if (missing < 0) {
            printf("power: %s: no good log in the image\n", no_sync ? "without syncs" : "cut");
        } else {
            printf("power: %s: %d of %d acknowledged webhooks missing\n",
                   no_sync ? "without syncs" : "cut", missing, of);
        }
        ck_assert_int_ge(of, BEFORE_CUT / 2);
        ck_assert(no_sync ? missing != 0 : missing == 0);
        ck_assert(world_start(&world)); /* the real one goes on */
    }
}

START_TEST(a_power_cut_loses_nothing_acknowledged)
{
    cut_with(false, NULL);
}
END_TEST

/* The exchange of the logs was acknowledged: the new one, and all that came after, has reached the disk. */
START_TEST(a_power_cut_right_after_compacting_loses_nothing_acknowledged)
{
    cut_with(false, compact);
}
END_TEST

START_TEST(without_syncs_the_same_check_fails)
{
    cut_with(true, NULL);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("e2e_power");
    TCase *tc = tcase_create("power");
    tcase_add_checked_fixture(tc, setup, clean_up);
    tcase_set_timeout(tc, 180);
    tcase_add_test(tc, a_power_cut_loses_nothing_acknowledged);
    tcase_add_test(tc, a_power_cut_right_after_compacting_loses_nothing_acknowledged);
    tcase_add_test(tc, without_syncs_the_same_check_fails);
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
