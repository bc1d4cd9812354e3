/* The disk in trouble, the real daemon on it: slow, failing once, full, a map that is too small. What was
 * acknowledged stays, what cannot be kept is not acknowledged, and LINE's next try is taken once. */
#include "tests/e2e/harness.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char GREETING[] =
    "templates: {T_hello: T_hello, T_later: T_later}\n"
    "tags: {all: [vip]}\n"
    "friend_add: {new: {do: [ {send: T_hello}, {start: S} ]}}\n"
    "scenarios: {S: {steps: {a: {when: 1h after start, send: T_later}}}}\n";

enum { PATIENCE = 1000, PAUSE_MS = 10 };

static struct world world;

static void
open_world(void)
{
    world_open(&world);
    world.has_disk = true;
}

static void
close_world(void)
{
    world_disk(&world, NULL);
    world_close(&world);
}

static void
start(void)
{
    ck_assert_msg(world_start(&world), "%s", programs_said(&world));
}

/* A text or null of the status; "null" for null. */
static const char *
status_text(const char *key)
{
    static char text[300];
    json_t *status = api(&world, "GET", "/v1/status", NULL, NULL);
    const json_t *value = json_object_get(status, key);
    snprintf(text, sizeof(text), "%s", json_is_string(value) ? json_string_value(value) : "null");
    json_decref(status);
    return text;
}

static void
wait_until_held(const char *words)
{
    for (int i = 0; i < PATIENCE && strstr(status_text("held"), words) == NULL; i++) {
        (void)poll(NULL, 0, PAUSE_MS);
    }
    ck_assert_msg(strstr(status_text("held"), words) != NULL, "held: %s", status_text("held"));
}

static int
add_tag(void)
{
    int status = 0;
    json_decref(
        api(&world, "POST", "/v1/friends/0/tags", json_pack("{s:[s]}", "add", "vip"), &status));
    return status;
}

static int
read_friends(void)
{
    int status = 0;
    json_decref(api(&world, "GET", "/v1/friends", NULL, &status));
    return status;
}

static void
live_is_replayed(void)
{
    char live[17], replayed[17];
    status_digest(&world, live);
    replay_digest(&world, replayed);
    ck_assert_str_eq(live, replayed);
}

/* Lets what is due be sent: the clock goes nowhere. */
static void
settle(void)
{
    char at[32];
    memcpy(at, world.at, sizeof(at));
    ck_assert_int_eq(advance(&world, at), 200);
}

START_TEST(a_slow_disk_is_answered_503_and_nothing_is_lost_or_doubled)
{
    start();
    ck_assert_int_eq(apply_yaml(&world, GREETING), 200);
    world_disk(&world, "wait");
    json_t *anna = make_event(&world, "A", "follow", NULL);
    json_t *bert = make_event(&world, "B", "follow", NULL);
    ck_assert_int_eq(send_event(&world, anna, false), 503); /* decided, and not durable in 1.5 s */
    int64_t newest = status_number(&world, "log.newest");   /* the API is served meanwhile */
    ck_assert_int_gt(newest, status_number(&world, "log.durable"));
    ck_assert_int_ge(status_number(&world, "log.backlog.batches"), 1);
    ck_assert_int_ge(status_number(&world, "log.backlog.oldest_ms"), 1400);
    ck_assert_int_eq(send_event(&world, bert, false), 503); /* before anything is decided */
    ck_assert_int_eq(status_number(&world, "log.newest"), newest);
    ck_assert_int_eq(add_tag(), 503);
    ck_assert_int_eq(read_friends(), 200);
    expect_accepted(&world, (const char *const[]){NULL}); /* nothing left before it is durable */

    world_disk(&world, NULL);
    for (int i = 0; i < PATIENCE && status_number(&world, "log.backlog.batches") > 0; i++) {
        (void)poll(NULL, 0, PAUSE_MS);
    }
    ck_assert_int_eq(send_event(&world, anna, true), 200);
    ck_assert_int_eq(send_event(&world, bert, true), 200);
    ck_assert_int_eq(status_number(&world, "webhooks.duplicates"), 1);
    settle();
    expect_accepted(&world, (const char *const[]){"2031-06-01 10:00:00 A T_hello reply",
                                                  "2031-06-01 10:00:00 B T_hello reply", NULL});
    json_decref(anna);
    json_decref(bert);
    live_is_replayed();
    ck_assert_int_eq(world_stop(&world), 0);
}
END_TEST

/* RELIABILITY C7: what fsync failed on once may be gone, whatever it says the next time. */
START_TEST(after_one_failed_sync_the_daemon_stops_and_a_new_one_goes_on_from_the_log)
{
    start();
    ck_assert_int_eq(apply_yaml(&world, GREETING), 200);
    act(&world, "2031-06-01 10:00:00", "A", "follow", NULL);
    settle();
    world_disk(&world, "fail");
    json_t *bert = make_event(&world, "B", "follow", NULL);
    int status = send_event(&world, bert, false);
    ck_assert_msg(status != 200, "acknowledged, and not durable");
    ck_assert_int_eq(world_ends(&world), 1);
    ck_assert_ptr_nonnull(strstr(programs_said(&world), "Nothing acknowledged is lost"));

    start();
    ck_assert_int_eq(send_event(&world, bert, true), 200);
    settle();
    expect_accepted(&world, (const char *const[]){"2031-06-01 10:00:00 A T_hello reply",
                                                  "2031-06-01 10:00:00 B T_hello reply", NULL});
    json_decref(bert);
    live_is_replayed();
}
END_TEST

START_TEST(a_disk_that_fills_up_makes_it_read_only_until_there_is_room)
{
    start();
    ck_assert_int_eq(apply_yaml(&world, GREETING), 200);
    act(&world, "2031-06-01 10:00:00", "A", "follow", NULL);
    settle();
    world_disk(&world, "full");
    wait_until_held("disk: 1 MiB free, needs 64 MiB");
    int64_t newest = status_number(&world, "log.newest");
    json_t *bert = make_event(&world, "B", "follow", NULL);
    ck_assert_int_eq(send_event(&world, bert, false), 503);
    ck_assert_int_eq(add_tag(), 503);
    ck_assert_int_eq(advance(&world, "2031-06-01 12:00:00"), 503);
    ck_assert_int_eq(read_friends(), 200);
    ck_assert_int_eq(status_number(&world, "log.newest"), newest);

    world_disk(&world, NULL);
    wait_until_held("null");
    ck_assert_int_eq(send_event(&world, bert, true), 200);
    ck_assert_int_eq(advance(&world, "2031-06-01 12:00:00"), 200);
    expect_accepted(&world, (const char *const[]){"2031-06-01 10:00:00 A T_hello reply",
                                                  "2031-06-01 10:00:00 B T_hello reply",
                                                  "2031-06-01 11:00:00 A T_later push",
                                                  "2031-06-01 11:00:00 B T_later push", NULL});
    json_decref(bert);
    live_is_replayed();
}
END_TEST

START_TEST(started_without_room_it_reads_only_and_claims_when_there_is_some)
{
    start();
    ck_assert_int_eq(apply_yaml(&world, GREETING), 200);
    act(&world, "2031-06-01 10:00:00", "A", "follow", NULL);
    settle();
    int64_t newest = status_number(&world, "log.newest");
    world_kill(&world);
    world_disk(&world, "full");
    snprintf(world.at, sizeof(world.at), "2031-06-01 11:00:00"); /* A's step is due */
    start();
    wait_until_held("disk: 1 MiB free");
    ck_assert_int_eq(read_friends(), 200);
    ck_assert_int_eq(add_tag(), 503);
    ck_assert_int_eq(status_number(&world, "log.newest"), newest); /* not even a claim */
    ck_assert_int_eq(world_stop(&world), 0);

    start();
    ck_assert_int_eq(status_number(&world, "log.newest"), newest); /* nor a stop */
    world_disk(&world, NULL);
    wait_until_held("null");
    ck_assert_int_gt(status_number(&world, "log.newest"), newest);
    ck_assert_int_eq(add_tag(), 200);
    settle();
    expect_accepted(&world, (const char *const[]){"2031-06-01 10:00:00 A T_hello reply",
                                                  "2031-06-01 11:00:00 A T_later push", NULL});
    live_is_replayed();
}
END_TEST

/* Posts long messages until they are not taken any more; how many were. */
static int
fill_up(int limit)
{
    static char text[4800];
    memset(text, 'x', sizeof(text) - 1);
    int taken = 0;
    for (int status = 200; taken < limit; taken++) {
        json_t *event = make_event(&world, "A", "message", text);
        status = send_event(&world, event, false);
        json_decref(event);
        if (status != 200) {
            ck_assert_int_eq(status, 503);
            break;
        }
    }
    ck_assert_int_lt(taken, limit);
    return taken;
}

START_TEST(a_map_that_is_too_small_makes_it_read_only_and_a_larger_one_mends_it)
{
    const char *const tiny[] = {"--map-size", "4MiB", "--room-min", "2MiB"};
    memcpy(world.more, tiny, sizeof(tiny));
    start();
    ck_assert_int_eq(apply_yaml(&world, GREETING), 200);
    int taken = fill_up(2000);
    ck_assert_int_gt(taken, 20);
    wait_until_held("left of its map of 4 MiB");
    ck_assert_int_eq(world_stop(&world), 0); /* there was room for that */
    world.more[1] = "64MiB";
    start();
    ck_assert_str_eq(status_text("held"), "null");
    ck_assert_int_eq(add_tag(), 200);
    ck_assert_int_eq(status_number(&world, "friends.count"), 1);
    live_is_replayed();
}
END_TEST

/* A file system of its own that is really full, where we may mount one. */
START_TEST(on_a_full_file_system_it_reads_only_and_comes_back)
{
    if (mount("stepd-test", world.data, "tmpfs", 0, "size=16m,mode=0700") != 0) {
        puts("skipped: a small file system cannot be mounted here (needs root)");
        return;
    }
    const char *const less[] = {"--room-min", "4MiB"};
    memcpy(world.more, less, sizeof(less));
    start();
    ck_assert_int_eq(apply_yaml(&world, GREETING), 200);
    act(&world, "2031-06-01 10:00:00", "A", "follow", NULL);
    char ballast[128];
    snprintf(ballast, sizeof(ballast), "head -c 13M /dev/zero > %s/ballast", world.data);
    ck_assert_int_eq(system(ballast), 0);
    wait_until_held("MiB free, needs 4 MiB");
    ck_assert_int_eq(add_tag(), 503);
    snprintf(ballast, sizeof(ballast), "%s/ballast", world.data);
    ck_assert_int_eq(unlink(ballast), 0);
    wait_until_held("null");
    ck_assert_int_eq(add_tag(), 200);
    settle();
    live_is_replayed();
    ck_assert_int_eq(world_stop(&world), 0);
    ck_assert_int_eq(umount(world.data), 0);
}
END_TEST

/* A limit the watermark knows nothing of (ulimit -f): the append fails, and nothing acknowledged is lost. */
START_TEST(an_append_that_fails_stops_it_and_a_new_start_has_all_that_was_acknowledged)
{
    world.has_disk = false;
    world.file_bytes_max = 1 << 20;
    start();
    ck_assert_int_eq(apply_yaml(&world, GREETING), 200);
    static char text[4800];
    memset(text, 'x', sizeof(text) - 1);
    int status = 200, taken = 0;
    while (status == 200 && taken < 2000) {
        json_t *event = make_event(&world, "A", "message", text);
        status = send_event(&world, event, false);
        json_decref(event);
        taken += status == 200;
    }
    ck_assert_int_ne(status, 200);
    ck_assert_int_eq(world_ends(&world), 1);
    ck_assert_ptr_nonnull(strstr(programs_said(&world), "Nothing acknowledged is lost"));

    world.file_bytes_max = 0;
    start();
    struct buf words = {0};
    const char *const wanted = "\"message_received\"";
    ck_assert_int_eq(run_tool(&words, (const char *[]){"steplog", "tail", "-n", "100000", "-o",
                                                       "json", world.data, NULL}),
                     0);
    int found = 0;
    for (const char *at = buf_cstr(&words); (at = strstr(at, wanted)) != NULL; at++) {
        found++;
    }
    ck_assert_int_ge(found, taken);
    buf_fini(&words);
    live_is_replayed();
}
END_TEST

START_TEST(a_log_that_was_cut_short_is_not_started_and_why_is_said)
{
    char path[128];
    struct buf words = {0};
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, GREETING), 200);
    act(&world, "2031-06-01 10:15:00", "A", "follow", NULL);
    ck_assert_int_eq(world_stop(&world), 0);
    snprintf(path, sizeof(path), "%s/log/data.mdb", world.data);
    ck_assert_int_eq(truncate(path, 3 * 4096), 0);
    ck_assert_int_eq(world_start_refused(&world, &words), 1);
    ck_assert_msg(strstr(buf_cstr(&words), "steplog verify") != NULL, "%s", buf_cstr(&words));
    buf_fini(&words);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("e2e_disk");
    TCase *tc = tcase_create("disk");
    tcase_add_checked_fixture(tc, open_world, close_world);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_slow_disk_is_answered_503_and_nothing_is_lost_or_doubled);
    tcase_add_test(tc, after_one_failed_sync_the_daemon_stops_and_a_new_one_goes_on_from_the_log);
    tcase_add_test(tc, a_disk_that_fills_up_makes_it_read_only_until_there_is_room);
    tcase_add_test(tc, started_without_room_it_reads_only_and_claims_when_there_is_some);
    tcase_add_test(tc, a_map_that_is_too_small_makes_it_read_only_and_a_larger_one_mends_it);
    tcase_add_test(tc, on_a_full_file_system_it_reads_only_and_comes_back);
    tcase_add_test(tc, a_log_that_was_cut_short_is_not_started_and_why_is_said);
    tcase_add_test(tc, an_append_that_fails_stops_it_and_a_new_start_has_all_that_was_acknowledged);
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
