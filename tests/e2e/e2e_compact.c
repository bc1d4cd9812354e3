/* steplog compact beside a running daemon: under load nothing acknowledged is lost and nothing comes twice; killed
 * at any step, or failing at it, the directory holds the former log or the new one, whole, and the next start is
 * not taken for a copy; what was forgotten before is in no file any more. */
#include "tests/e2e/harness.h"
#include "tests/e2e/shop.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POSTERS = 3,
    COMPACTIONS = 6,
    FRIENDS_MAX = 20000,
    POINTS_MAX = 400, /* more, and it does not end */
    MISSES_MAX = 6,   /* so many in a row of which nothing is noticed: it is over */
};

static struct world world;

static void
setup(void)
{
    world_open(&world);
}

static void
teardown(void)
{
    world_close(&world);
}

static int
compact(struct buf *out)
{
    buf_clear(out);
    return run_tool(out,
                    (const char *[]){"steplog", "compact", "--rate", "0", "-d", world.data, NULL});
}

static void
expect_not_held(void)
{
    json_t *status = api(&world, "GET", "/v1/status", NULL, NULL);
    ck_assert_msg(json_is_null(json_object_get(status, "copied")), "%s",
                  json_string_value(json_object_get(status, "held")));
    json_decref(status);
}

static void
expect_equal_digests(void)
{
    char live[17], replayed[17];
    status_digest(&world, live);
    replay_digest(&world, replayed);
    ck_assert_str_eq(live, replayed);
}

/* ---- under load ---- */

struct load {
    int taken; /* friends; atomic */
    int stop;  /* atomic */
    int statuses[FRIENDS_MAX];
    json_t *events[FRIENDS_MAX];
};

static struct load load;

static void *
post(void *context)
{
    (void)context;
    while (!__atomic_load_n(&load.stop, __ATOMIC_SEQ_CST)) {
        int i = __atomic_fetch_add(&load.taken, 1, __ATOMIC_SEQ_CST);
        if (i >= FRIENDS_MAX) {
            break;
        }
        load.statuses[i] = send_event(&world, load.events[i], false);
    }
    return NULL;
}

static void
make_events(void)
{
    for (int i = 0; i < FRIENDS_MAX; i++) {
        char id[40];
        snprintf(id, sizeof(id), "U%032x", i + 1);
        load.events[i] = make_event(&world, "A", "follow", NULL);
        json_object_set_new(json_object_get(load.events[i], "source"), "userId", json_string(id));
    }
}

/* How often each webhook is in the log, by the number in its id. */
static void
expect_each_once(int posted)
{
    static const char mark[] = "\"webhook_id\":\"01E2E";
    struct buf text = {0};
    uint32_t *counts = calloc((size_t)posted + 1, sizeof(*counts));
    ck_assert_int_eq(
        run_tool(&text, (const char *[]){"steplog", "export", "--no-words", world.data, NULL}), 0);
    for (const char *at = buf_cstr(&text); (at = strstr(at, mark)) != NULL;) {
        at += sizeof(mark) - 1;
        unsigned long number = strtoul(at, NULL, 10);
        ck_assert_uint_ge(number, 1);
        ck_assert_uint_le(number, (unsigned long)posted);
        counts[number]++;
    }
    for (int i = 0; i < posted; i++) {
        ck_assert_msg(load.statuses[i] == 200 || load.statuses[i] == 503, "webhook %d got %d", i,
                      load.statuses[i]);
        ck_assert_msg(counts[i + 1] == (load.statuses[i] == 200) || load.statuses[i] == 503,
                      "webhook %d, answered %d, is in the log %u times", i, load.statuses[i],
                      counts[i + 1]);
    }
    free(counts);
    buf_fini(&text);
}

START_TEST(under_load_nothing_acknowledged_is_lost_and_nothing_comes_twice)
{
    pthread_t posters[POSTERS];
    struct buf out = {0};
    int64_t held_ms = 0;
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
    make_events();
    for (int i = 0; i < POSTERS; i++) {
        ck_assert_int_eq(pthread_create(&posters[i], NULL, post, NULL), 0);
    }
    for (int i = 0; i < COMPACTIONS; i++) {
        ck_assert_msg(compact(&out) == 0, "%s", buf_cstr(&out));
        const char *held = strstr(buf_cstr(&out), "daemon_held_ms");
        ck_assert_msg(held != NULL, "%s", buf_cstr(&out));
        int64_t ms = strtoll(held + strcspn(held, "0123456789"), NULL, 10);
        held_ms = ms > held_ms ? ms : held_ms;
    }
    __atomic_store_n(&load.stop, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(posters[i], NULL);
    }
    int posted = load.taken < FRIENDS_MAX ? load.taken : FRIENDS_MAX;
    printf("compact: %d times under %d webhooks; the daemon was held for at most %lld ms\n",
           COMPACTIONS, posted, (long long)held_ms);
    ck_assert_int_eq(advance(&world, "2031-06-01 10:00:01"), 200);
    expect_each_once(posted);
    expect_not_held();
    expect_equal_digests();
    ck_assert_int_eq(status_number(&world, "deliveries.sent_reply"), posted);
    ck_assert_int_eq(world_stop(&world), 0);
    ck_assert(world_start(&world));
    expect_not_held();
    expect_equal_digests();
    buf_clear(&out);
    ck_assert_msg(run_tool(&out, (const char *[]){"steplog", "verify", world.data, NULL}) == 0,
                  "%s", buf_cstr(&out));
    for (int i = 0; i < FRIENDS_MAX; i++) {
        json_decref(load.events[i]);
    }
    buf_fini(&out);
}
END_TEST

/* ---- killed, or failing, at every step ---- */

/* points_min: fewer, and the loop did not see what it is for. */
static const struct faults {
    const char *call, *what; /* fault_shim.c */
    int points_min;
} FAULTS[] = {
    {"exchange", "kill", 6}, {"write", "kill", 4}, {"write", "tear", 4},
    {"write", "fail", 1},    {"sync", "kill", 4},  {"sync", "fail", 3},
};
enum { FAULT_COUNT = sizeof(FAULTS) / sizeof(FAULTS[0]) };

static void
expect_log_of(uint64_t newest_at_least)
{
    expect_not_held();
    ck_assert_int_ge(status_number(&world, "log.newest"), (int64_t)newest_at_least);
    expect_equal_digests();
}

static bool
lives(void)
{
    int status = 0;
    json_decref(api(&world, "GET", "/v1/clock", NULL, &status));
    return status == 200;
}

/* One life with a fault at this point of the exchange; false when nothing was noticed of it. */
static bool
live_with_fault(int point, const struct faults *faults)
{
    struct buf out = {0};
    bool fails = strcmp(faults->what, "fail") == 0;
    world_forget_data(&world);
    json_decref(line_door(&world, "POST", "/fakeline/reset", NULL, NULL));
    world.fault_at = point;
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
    act(&world, "2031-06-01 10:15:00", "A", "follow", NULL);
    int64_t newest = status_number(&world, "log.durable");
    int code = compact(&out);
    bool met = code != 0; /* a daemon may say no and go on, while nothing has changed */
    if (met && !lives()) {
        ck_assert(world_dies(&world));
    }
    ck_assert_msg(!met || world.daemon == 0 || fails, "point %d: %s", point, buf_cstr(&out));
    met = met || world_died(&world);
    world.fault_at = 0;
    world_kill(&world); /* when it lives: its fault may be yet to come */
    ck_assert_msg(world_start(&world), "%s %s at point %d: it does not start again%s", faults->call,
                  faults->what, point, programs_said(&world));
    expect_log_of((uint64_t)newest);
    act(&world, "2031-06-01 10:20:00", "B", "follow", NULL);
    ck_assert_msg(compact(&out) == 0, "%s", buf_cstr(&out));
    world_kill(&world);
    ck_assert(world_start(&world));
    expect_log_of((uint64_t)newest);
    ck_assert_int_eq(advance(&world, "2031-06-01 11:30:00"), 200);
    expect_accepted(&world, (const char *const[]){"2031-06-01 10:15:00 A T_hello reply",
                                                  "2031-06-01 10:20:00 B T_hello reply",
                                                  "2031-06-01 11:15:00 A T_nudge push",
                                                  "2031-06-01 11:20:00 B T_nudge push", NULL});
    world_kill(&world);
    world_forget_programs_said(&world);
    buf_fini(&out);
    return met;
}

START_TEST(killed_at_any_step_the_former_log_or_the_new_one_is_there)
{
    const struct faults *faults = &FAULTS[_i];
    char after[160];
    snprintf(after, sizeof(after), "%s/compact.part/claim.lock", world.data);
    world.fault_call = faults->call;
    world.fault_do = faults->what;
    world.fault_after = after;
    int hits = 0, misses = 0;
    for (int point = 1; misses < MISSES_MAX; point++) {
        ck_assert_int_lt(point, POINTS_MAX);
        bool hit = live_with_fault(point, faults);
        hits += hit;
        misses = hit ? 0 : misses + 1;
    }
    printf("compact, %s %s: it was noticed at %d points\n", faults->call, faults->what, hits);
    ck_assert_int_ge(hits, faults->points_min);
}
END_TEST

/* ---- what it is for ---- */

static bool
stands_in_data(const char *text)
{
    char command[300];
    snprintf(command, sizeof(command), "grep -rqF '%s' %s", text, world.data);
    return system(command) == 0;
}

START_TEST(what_was_forgotten_before_is_in_no_file_of_the_directory)
{
    struct buf out = {0};
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
    act(&world, "2031-06-01 10:15:00", "A", "follow", NULL);
    act(&world, "2031-06-01 10:16:00", "A", "message", "canary-message");
    act(&world, "2031-06-01 10:17:00", "B", "follow", NULL);
    act(&world, "2031-06-01 10:18:00", "B", "message", "kept-message");
    char id[40];
    (void)user_id("A", id);
    ck_assert_int_eq(run_tool(&out, (const char *[]){"steplog", "checkpoint", world.data, NULL}),
                     0);
    ck_assert_int_eq(run_tool(&out, (const char *[]){"stepctl", "-s", world.socket, "friend",
                                                     "forget", "0", "--yes", NULL}),
                     0);
    ck_assert(stands_in_data(id)); /* in free pages, and in the checkpoint */
    ck_assert_msg(compact(&out) == 0, "%s", buf_cstr(&out));
    ck_assert(!stands_in_data(id));
    ck_assert(!stands_in_data("canary-message"));
    ck_assert(stands_in_data("kept-message"));
    world_kill(&world);
    ck_assert(world_start(&world));
    expect_not_held();
    ck_assert_int_gt(status_number(&world, "friends.count"), 0);
    buf_clear(&out);
    ck_assert_msg(run_tool(&out, (const char *[]){"steplog", "verify", world.data, NULL}) == 0,
                  "%s", buf_cstr(&out));
    buf_fini(&out);
}
END_TEST

START_TEST(a_daemon_without_the_copy_refuses_and_goes_on)
{
    int status = 0;
    ck_assert(world_start(&world));
    json_decref(api(&world, "POST", "/v1/log/exchange", json_object(), &status));
    ck_assert_int_eq(status, 404);
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
    expect_equal_digests();
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("e2e_compact");
    TCase *tc = tcase_create("compact");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 600);
    tcase_add_test(tc, under_load_nothing_acknowledged_is_lost_and_nothing_comes_twice);
    tcase_add_loop_test(tc, killed_at_any_step_the_former_log_or_the_new_one_is_there, 0,
                        FAULT_COUNT);
    tcase_add_test(tc, what_was_forgotten_before_is_in_no_file_of_the_directory);
    tcase_add_test(tc, a_daemon_without_the_copy_refuses_and_goes_on);
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
