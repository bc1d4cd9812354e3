/* The fault-point loop: the daemon is killed at its first place where a crash could hurt, then, in a
 * world made anew, at its second, its third, until a run meets no such place any more
 * (fault_shim.c says what a place is). After every kill it is started again and the same script goes
 * on, as the world outside would: LINE delivers again what got no 200, people call again. What
 * fakeline accepted must be the same every time: nothing missing, nothing twice.
 * The same with every single write and sync of a file as the place: the daemon is killed before it or in
 * the midst of it, or the call fails once with EIO; then the daemon stops by itself rather than go on. */
#include "tests/e2e/harness.h"
#include "tests/e2e/shop.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum {
    POINTS_MAX = 2000, /* more, and it does not end */
    MISSES_MAX = 3,    /* so many runs in a row that meet no fault: it is over */
};

struct act {
    const char *at, *friend, *kind, *text;
};

static const struct act SCRIPT[] = {
    {"2031-06-01 10:15:00", "A", "follow", NULL},
    {"2031-06-01 10:20:30", "A", "postback", "survey_beginner"},
    {"2031-06-01 11:00:00", "B", "follow", NULL},
    {"2031-06-01 11:30:00", "B", "unfollow", NULL},
    {"2031-06-01 12:00:00", "C", "follow", NULL},
    {"2031-06-01 12:10:00", "C", "message", "在庫はありますか"},
    {"2031-06-03 09:00:00", "B", "unblock", NULL},
    {"2031-06-05 12:00:00", NULL, NULL, NULL}, /* let time pass, and end */
};

static const char *const EXPECTED[] = {
    "2031-06-01 10:15:00 A T_hello reply", "2031-06-01 10:20:30 A T_coupon+T_thanks reply",
    "2031-06-01 11:00:00 B T_hello reply", "2031-06-01 12:00:00 C T_hello reply",
    "2031-06-01 12:10:00 C T_stock reply", "2031-06-01 13:00:00 C T_nudge push",
    "2031-06-02 12:00:00 C T_last push",   "2031-06-02 19:00:00 A T_story push",
    "2031-06-03 09:00:00 B T_hello reply", "2031-06-03 10:00:00 B T_nudge push",
    "2031-06-04 12:00:00 B T_last push",   "2031-06-04 19:00:00 A T_beginner push",
    "2031-06-04 19:30:00 A T_after push",  NULL,
};

/* For the many places of files: a reply, a profile, a tag, a push. */
static const struct act SHORT_SCRIPT[] = {
    {"2031-06-01 10:15:00", "A", "follow", NULL},
    {"2031-06-01 10:20:30", "A", "postback", "survey_beginner"},
    {"2031-06-01 11:00:00", "B", "follow", NULL},
    {"2031-06-01 12:30:00", NULL, NULL, NULL},
};
static const char *const SHORT_EXPECTED[] = {
    "2031-06-01 10:15:00 A T_hello reply", "2031-06-01 10:20:30 A T_coupon+T_thanks reply",
    "2031-06-01 11:00:00 B T_hello reply", "2031-06-01 12:00:00 B T_nudge push", NULL};

/* points_min: fewer, and the loop did not see what it is for. */
static const struct faults {
    const char *call, *what; /* fault_shim.c */
    const struct act *script;
    const char *const *expected;
    int points_min;
} FAULTS[] = {
    {NULL, NULL, SCRIPT, EXPECTED, 60},
    {"write", "kill", SHORT_SCRIPT, SHORT_EXPECTED, 20},
    {"write", "tear", SHORT_SCRIPT, SHORT_EXPECTED, 20},
    {"write", "fail", SHORT_SCRIPT, SHORT_EXPECTED, 20},
    {"sync", "kill", SHORT_SCRIPT, SHORT_EXPECTED, 8},
    {"sync", "fail", SHORT_SCRIPT, SHORT_EXPECTED, 8},
};

struct run {
    struct world *world;
    const struct act *script;
    int faults[2]; /* where the first and the second daemon die; 0: nowhere */
    int kills;
};

/* Starts the daemon until one lives; each new one has the next fault. */
static void
revive(struct run *run)
{
    struct world *world = run->world;
    while (world_died(world)) {
        world->fault_at = run->kills < 2 ? run->faults[run->kills] : 0;
        if (world_start(world)) {
            return;
        }
        run->kills++;
    }
}

/* Called when a call got no good answer: it must be because the daemon died at its point. */
static void
died_here(struct run *run, const char *what, int status)
{
    bool died = world_dies(run->world);
    ck_assert_msg(died, "point %d: %s answered %d, and the daemon lives%s", run->faults[0], what,
                  status, programs_said(run->world));
    run->kills++;
    revive(run);
}

static void
run_advance(struct run *run, const char *at)
{
    int status;
    while ((status = advance(run->world, at)) != 200) {
        died_here(run, at, status);
    }
}

static void
play(struct run *run)
{
    struct world *world = run->world;
    revive(run);
    int status;
    while ((status = apply_yaml(world, SHOP)) != 200) {
        died_here(run, "apply", status);
    }
    const struct act *act = run->script;
    for (; act->kind != NULL; act++) {
        run_advance(run, act->at);
        json_t *event = make_event(world, act->friend, act->kind, act->text);
        bool again = false;
        while ((status = send_event(world, event, again)) != 200) {
            died_here(run, act->at, status);
            again = true;
        }
        json_decref(event);
        run_advance(run, act->at); /* what the act caused is done before the next */
    }
    run_advance(run, act->at);
    if (world_died(world)) { /* at the very last point, after everything was answered */
        run->kills++;
        revive(run);
    }
    run_advance(run, act->at);
}

static void
compare(struct run *run, const char *const *expected)
{
    struct world *world = run->world;
    struct buf got = {0}, wanted = {0};
    accepted_lines(world, &got);
    for (size_t i = 0; expected[i] != NULL; i++) {
        buf_printf(&wanted, "%s\n", expected[i]);
    }
    ck_assert_msg(strcmp(buf_cstr(&got), buf_cstr(&wanted)) == 0,
                  "fault at point %d, then at %d (%d ends)\naccepted:\n%sexpected:\n%s%s",
                  run->faults[0], run->faults[1], run->kills, buf_cstr(&got), buf_cstr(&wanted),
                  programs_said(world));
    buf_fini(&got);
    buf_fini(&wanted);

    char live[17], replayed[17];
    status_digest(world, live);
    replay_digest(world, replayed);
    ck_assert_msg(strcmp(live, replayed) == 0, "point %d: live %s, replayed %s", run->faults[0],
                  live, replayed);
}

START_TEST(with_a_fault_at_every_point_nothing_is_missing_and_nothing_comes_twice)
{
    const struct faults *faults = &FAULTS[_i];
    struct world world;
    world_open(&world);
    world.fault_call = faults->call;
    world.fault_do = faults->what;
    int point = 1, hits = 0, misses = 0, second = 0;
    for (; misses < MISSES_MAX; point++) {
        ck_assert_int_lt(point, POINTS_MAX);
        /* The daemon that recovers meets a fault, too, at one of its own first points in turn. */
        struct run run = {
            .world = &world, .script = faults->script, .faults = {point, 1 + point % 7}};
        world_forget_data(&world);
        json_decref(line_door(&world, "POST", "/fakeline/reset", NULL, NULL));
        play(&run);
        hits += run.kills > 0;
        misses = run.kills > 0 ? 0 : misses + 1;
        second += run.kills > 1;
        compare(&run, faults->expected);
        world_forget_programs_said(&world);
    }
    printf("%s %s: the daemon ended at %d points, %d times again while recovering\n",
           faults->call == NULL ? "commit and request" : faults->call,
           faults->what == NULL ? "kill" : faults->what, hits, second);
    ck_assert_int_ge(hits, faults->points_min);
    ck_assert_int_gt(second, 0);
    world_close(&world);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("e2e_faults");
    TCase *tc = tcase_create("faults");
    tcase_set_timeout(tc, 1100);
    tcase_add_loop_test(tc, with_a_fault_at_every_point_nothing_is_missing_and_nothing_comes_twice,
                        0, (int)(sizeof(FAULTS) / sizeof(FAULTS[0])));
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
