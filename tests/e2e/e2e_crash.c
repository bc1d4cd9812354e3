/* kill -9 at any moment under load, again and again, on one log (./dev crash N). Friends follow and write from
 * several threads at once while the clock moves; the daemon is killed at a random instant, sometimes once more
 * while it recovers, now and then while the log is compacted; then LINE delivers again what got no 200. Afterwards:
 * every webhook that was answered 200 is in the log, once; every push was accepted exactly once, every reply
 * at most once; after each restart the live state is the replayed one.
 * STEPD_CRASH_ROUNDS and STEPD_CRASH_SEED say how often and from which seed. */
#include "tests/e2e/harness.h"
#include "tests/e2e/shop.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    POSTERS = 4,
    EVENTS = 24, /* a round */
    ROUNDS_DEFAULT = 12,
    KILL_WITHIN_MS = 30,
    AGAIN_WITHIN_MS = 40,
    MINUTES_A_ROUND = 3,
};

struct posted {
    json_t *event;
    int status;
};

struct load {
    struct world *world;
    struct posted posted[EVENTS];
    int taken; /* by the posters; atomic */
    int64_t advance_to_ms;
};

static uint64_t seed;

static uint32_t
draw(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

static void *
post(void *context)
{
    struct load *load = context;
    int i;
    while ((i = __atomic_fetch_add(&load->taken, 1, __ATOMIC_SEQ_CST)) < EVENTS) {
        load->posted[i].status = send_event(load->world, load->posted[i].event, false);
    }
    return NULL;
}

static void *
move_clock(void *context)
{
    struct load *load = context;
    int status = 0;
    json_decref(api(load->world, "POST", "/v1/clock",
                    json_pack("{s:I}", "advance_to", (json_int_t)load->advance_to_ms), &status));
    return NULL;
}

/* However that ends: the daemon may be gone at any moment of it. */
static void *
compact(void *context)
{
    struct load *load = context;
    struct buf out = {0};
    (void)run_tool(&out,
                   (const char *[]){"steplog", "compact", "--rate", "0", load->world->data, NULL});
    buf_fini(&out);
    return NULL;
}

/* Friend n follows in the round n / (EVENTS / 2), and writes once, in the round after. */
static json_t *
event_of(struct world *world, uint32_t friend, bool follow)
{
    char id[40];
    json_t *event = make_event(world, "A", follow ? "follow" : "message", "営業時間");
    snprintf(id, sizeof(id), "U%032x", friend + 1);
    json_object_set_new(json_object_get(event, "source"), "userId", json_string(id));
    return event;
}

static void
fill(struct load *load, uint32_t round)
{
    enum { NEW = EVENTS / 2 };
    for (uint32_t i = 0; i < EVENTS; i++) {
        bool follow = i < NEW || round == 0;
        uint32_t friend = i < NEW      ? round * NEW + i
                          : round == 0 ? UINT32_MAX / 2 + i /* the first have nobody to write yet */
                                       : (round - 1) * NEW + i - NEW;
        load->posted[i] = (struct posted){.event = event_of(load->world, friend, follow)};
    }
}

/* Outcomes of what is repeated after a restart still come in: compares where nothing is on its way. */
static void
compare_digests(struct world *world, uint32_t round)
{
    enum { TRIES = 100 };
    char live[17], replayed[17];
    for (int i = 0; i < TRIES; i++) {
        int64_t durable = status_number(world, "log.durable");
        status_digest(world, live);
        replay_digest(world, replayed);
        if (status_number(world, "log.newest") == durable) {
            ck_assert_msg(strcmp(live, replayed) == 0, "round %u: live %s, replayed %s", round,
                          live, replayed);
            return;
        }
    }
    ck_abort_msg("round %u: the daemon does not come to rest", round);
}

static void
pause_up_to(uint32_t ms)
{
    (void)poll(NULL, 0, (int)draw(ms));
}

/* One load, one kill, one recovery. Returns how many webhooks had their 200 when the daemon died. */
static uint32_t
run_round(struct world *world, uint32_t round)
{
    struct load load = {.world = world};
    pthread_t posters[POSTERS], clock, compactor;
    bool compacting = round % 5 == 2;
    fill(&load, round);
    load.advance_to_ms = local_ms(world->at) + MINUTES_A_ROUND * 60000;
    for (int i = 0; i < POSTERS; i++) {
        ck_assert_int_eq(pthread_create(&posters[i], NULL, post, &load), 0);
    }
    ck_assert_int_eq(pthread_create(&clock, NULL, move_clock, &load), 0);
    if (compacting) {
        ck_assert_int_eq(pthread_create(&compactor, NULL, compact, &load), 0);
    }
    pause_up_to(KILL_WITHIN_MS);
    world_kill(world);
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(posters[i], NULL);
    }
    pthread_join(clock, NULL);
    if (compacting) { /* it may have taken the claim, now that nobody has it */
        pthread_join(compactor, NULL);
    }
    if (round % 4 == 3) { /* and once more before it stands */
        world_spawn(world);
        pause_up_to(AGAIN_WITHIN_MS);
        world_kill(world);
    }
    ck_assert(world_start(world));
    compare_digests(world, round);

    uint32_t acknowledged = 0;
    char at[32];
    local_text(load.advance_to_ms, at);
    ck_assert_int_eq(advance(world, at), 200);
    for (int i = 0; i < EVENTS; i++) {
        acknowledged += load.posted[i].status == 200;
        if (load.posted[i].status != 200) {
            ck_assert_int_eq(send_event(world, load.posted[i].event, true), 200);
        }
        json_decref(load.posted[i].event);
    }
    return acknowledged;
}

/* ---- what must hold at the end ---- */

/* How often each webhook id is in the log, by the number in it. */
static void
count_in_log(struct world *world, uint32_t *counts, uint32_t count)
{
    struct buf text = {0};
    ck_assert_int_eq(
        run_tool(&text, (const char *[]){"steplog", "export", "--no-words", world->data, NULL}), 0);
    static const char mark[] = "\"webhook_id\":\"01E2E";
    for (const char *at = buf_cstr(&text); (at = strstr(at, mark)) != NULL;) {
        at += sizeof(mark) - 1;
        unsigned long number = strtoul(at, NULL, 10);
        ck_assert_uint_lt(number, count);
        counts[number]++;
    }
    buf_fini(&text);
}

struct accepted {
    uint32_t friend_count;
    uint8_t *nudges, *hellos, *hours; /* by friend */
};

/* One request may be to many. */
static void
count_message(const struct accepted *accepted, const json_t *row, const char *text)
{
    uint8_t *counts = text == NULL                       ? NULL
                      : strncmp(text, "T_nudge", 7) == 0 ? accepted->nudges
                      : strncmp(text, "T_hello", 7) == 0 ? accepted->hellos
                      : strncmp(text, "T_hours", 7) == 0 ? accepted->hours
                                                         : NULL;
    size_t i;
    json_t *to;
    json_array_foreach(json_object_get(row, "to"), i, to)
    {
        unsigned friend = 0;
        ck_assert_int_eq(sscanf(json_string_value(to), "U%x", &friend), 1);
        if (counts != NULL && friend > 0 && friend <= accepted->friend_count) {
            counts[friend - 1]++;
        }
    }
}

static void
count_accepted(struct world *world, const struct accepted *accepted)
{
    json_int_t after = 0;
    for (size_t got = 1; got > 0;) {
        char path[64];
        snprintf(path, sizeof(path), "/fakeline/accepted?after=%" JSON_INTEGER_FORMAT, after);
        json_t *answer = line_door(world, "GET", path, NULL, NULL);
        const json_t *rows = json_object_get(answer, "accepted");
        got = json_array_size(rows);
        size_t i, m;
        json_t *row, *message;
        json_array_foreach(rows, i, row)
        {
            after = json_integer_value(json_object_get(row, "n"));
            json_array_foreach(json_object_get(row, "messages"), m, message)
            {
                count_message(accepted, row, json_string_value(json_object_get(message, "text")));
            }
        }
        json_decref(answer);
    }
}

static void
judge(struct world *world, uint32_t rounds, uint32_t acknowledged)
{
    uint32_t posted = rounds * EVENTS, lost = 0, twice = 0, replies_lost = 0;
    uint32_t friends = rounds * (EVENTS / 2), *in_log = calloc(posted + 1, sizeof(*in_log));
    struct accepted accepted = {.friend_count = friends,
                                .nudges = calloc(friends, 1),
                                .hellos = calloc(friends, 1),
                                .hours = calloc(friends, 1)};
    count_in_log(world, in_log, posted + 1);
    for (uint32_t n = 1; n <= posted; n++) { /* make_event() counts from 1 */
        lost += in_log[n] == 0;
        twice += in_log[n] > 1;
    }
    count_accepted(world, &accepted);
    for (uint32_t i = 0; i < friends; i++) {
        lost += accepted.nudges[i] == 0;
        twice += accepted.nudges[i] > 1 || accepted.hellos[i] > 1 || accepted.hours[i] > 1;
        replies_lost += accepted.hellos[i] == 0;
    }
    printf("crash: %u rounds, %u webhooks, %u acknowledged before the kill; lost %u, twice %u; "
           "%u of %u replies never left\n",
           rounds, posted, acknowledged, lost, twice, replies_lost, friends);
    ck_assert_uint_eq(lost, 0);
    ck_assert_uint_eq(twice, 0);
    ck_assert_uint_gt(acknowledged, 0);
    free(in_log);
    free(accepted.nudges);
    free(accepted.hellos);
    free(accepted.hours);
}

static uint32_t
number_from(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : (uint32_t)strtoul(text, NULL, 10);
}

START_TEST(killed_at_any_moment_nothing_acknowledged_is_lost)
{
    struct world world;
    uint32_t rounds = number_from("STEPD_CRASH_ROUNDS", ROUNDS_DEFAULT), acknowledged = 0;
    seed = number_from("STEPD_CRASH_SEED", (uint32_t)time(NULL));
    printf("crash: seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    world_open(&world);
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
    for (uint32_t round = 0; round < rounds; round++) {
        acknowledged += run_round(&world, round);
        world_forget_programs_said(&world);
        if (round % 50 == 49) {
            printf("crash: %u rounds\n", round + 1);
            fflush(stdout);
        }
    }
    /* The last nudges come an hour later, or when the window opens next morning. */
    char at[32];
    local_text(local_ms(world.at) + INT64_C(16) * 3600000, at);
    ck_assert_int_eq(advance(&world, at), 200);
    compare_digests(&world, rounds);
    judge(&world, rounds, acknowledged);
    world_close(&world);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("e2e_crash");
    TCase *tc = tcase_create("crash");
    tcase_set_timeout(tc, 120 + 5.0 * number_from("STEPD_CRASH_ROUNDS", ROUNDS_DEFAULT));
    tcase_add_test(tc, killed_at_any_moment_nothing_acknowledged_is_lost);
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
