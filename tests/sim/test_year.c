/* A simulated year, one seed a run: friends come, block, come back, are tagged, started and stopped; the
 * daemon is away for hours or weeks and starts again from an image or from the log. Beside engine, wheel
 * and tables runs a plain twin, a sorted array and the rules in their simplest words, and every
 * delivery must agree with it to the millisecond.
 *
 * STEPD_SIM_SEEDS says how many seeds are run, STEPD_SIM_FIRST from which on. */
#include "engine/image.h"
#include "tests/engine/shop.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { SEEDS = 12, FRIENDS_MAX = 3000 };
enum { S_ADDED = 0, S_CALLED = 2 }; /* of two lanes, so that one does not end the other */
enum { YEAR_DAYS = 365 };

static struct shop shop;
static uint64_t seed, random_state;

static uint64_t
draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

/* ---- the twin ---- */

struct plan {
    int64_t wake_ms, due_ms, start_ms;
    uint32_t friend, scenario, step;
    bool deferred;
};

struct sent {
    int64_t at_ms;
    uint32_t friend, template;
};

static struct {
    struct plan plans[2 * FRIENDS_MAX]; /* by wake instant; one a friend and scenario */
    uint32_t count;
    bool known[FRIENDS_MAX], blocked[FRIENDS_MAX], vip[FRIENDS_MAX];
    struct sent *sent;
    uint32_t sent_count, sent_capacity;
} twin;

static uint32_t
twin_find(uint32_t friend, uint32_t scenario)
{
    for (uint32_t i = 0; i < twin.count; i++) {
        if (twin.plans[i].friend == friend && twin.plans[i].scenario == scenario) {
            return i;
        }
    }
    return NO_ID;
}

static void
twin_remove(uint32_t index)
{
    if (index != NO_ID) {
        twin.count--;
        memmove(&twin.plans[index], &twin.plans[index + 1],
                (twin.count - index) * sizeof(struct plan));
    }
}

static void
twin_insert(struct plan plan)
{
    uint32_t low = 0, high = twin.count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (twin.plans[middle].wake_ms <= plan.wake_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    memmove(&twin.plans[low + 1], &twin.plans[low], (twin.count - low) * sizeof(struct plan));
    twin.plans[low] = plan;
    twin.count++;
}

/* Tokyo has no summer time: local time is arithmetic. */
enum { TOKYO_MS = 9 * MS_PER_HOUR };

static int64_t
minute_of_day(int64_t at_ms)
{
    return (at_ms + TOKYO_MS) % MS_PER_DAY / MS_PER_MINUTE;
}

static int64_t
midnight(int64_t at_ms)
{
    return at_ms - (at_ms + TOKYO_MS) % MS_PER_DAY;
}

/* Plans the next step from there on; nothing when there is none. */
static void
twin_plan(struct plan plan)
{
    if (plan.step >= shop.scenarios[plan.scenario].step_count) {
        return;
    }
    const struct step *step = &shop.steps[plan.scenario][plan.step];
    plan.due_ms = step->timing.kind == TIMING_AFTER_START
                      ? plan.start_ms + step->timing.delay_ms
                      : midnight(plan.start_ms) + step->timing.days * (int64_t)MS_PER_DAY +
                            step->timing.at_min * (int64_t)MS_PER_MINUTE;
    plan.wake_ms = plan.due_ms;
    plan.deferred = false;
    twin_insert(plan);
}

static void
twin_start(uint32_t friend, uint32_t scenario)
{
    twin_remove(twin_find(friend, scenario));
    twin_plan((struct plan){.start_ms = shop.now_ms, .friend = friend, .scenario = scenario});
}

static void
twin_send(int64_t at_ms, const struct plan *plan, const struct step *step)
{
    if (twin.sent_count == twin.sent_capacity) {
        twin.sent_capacity = twin.sent_capacity * 2 + 1024;
        twin.sent = realloc(twin.sent, twin.sent_capacity * sizeof(struct sent));
        ck_assert_ptr_nonnull(twin.sent);
    }
    twin.sent[twin.sent_count++] =
        (struct sent){at_ms, plan->friend, step->body.actions[0].u.send.templates[0]};
}

/* SPEC R6, R7, R23 for one plan whose instant has come. */
static void
twin_judge(int64_t now_ms, struct plan plan)
{
    const struct step *step = &shop.steps[plan.scenario][plan.step];
    bool has_window = step->window.open_min >= 0;
    int64_t minute = minute_of_day(now_ms);
    bool open = !has_window || (minute >= step->window.open_min && minute < step->window.close_min);
    int64_t stale_ms = plan.due_ms + step->grace_ms;
    bool wanted = step->condition.op_count == 0 || !twin.vip[plan.friend];
    if (now_ms < stale_ms && (wanted || (!open && plan.deferred))) {
        if (open) {
            twin_send(now_ms, &plan, step);
        } else {
            int64_t opens_ms = midnight(now_ms) + step->window.open_min * (int64_t)MS_PER_MINUTE;
            opens_ms += opens_ms <= now_ms ? MS_PER_DAY : 0;
            if (opens_ms < stale_ms) {
                plan.wake_ms = opens_ms;
                plan.deferred = true;
                twin_insert(plan);
                return;
            }
        }
    }
    plan.step++;
    twin_plan(plan);
}

/* Lets everything happen up to then; what is overdue happens at now_ms. */
static void
twin_until(int64_t now_ms, int64_t until_ms)
{
    while (twin.count > 0 && twin.plans[0].wake_ms <= until_ms) {
        struct plan plan = twin.plans[0];
        twin_remove(0);
        now_ms = plan.wake_ms > now_ms ? plan.wake_ms : now_ms;
        twin_judge(now_ms, plan);
    }
}

/* ---- the engine beside it ---- */

static int
sent_compare(const void *a, const void *b)
{
    const struct sent *x = a;
    const struct sent *y = b;
    if (x->at_ms != y->at_ms) {
        return x->at_ms < y->at_ms ? -1 : 1;
    }
    if (x->friend != y->friend) {
        return x->friend < y->friend ? -1 : 1;
    }
    return x->template <y->template ? -1 : x->template > y->template;
}

/* Every intent since the last look, held against the twin's; at one instant any order is right. */
static uint32_t
compare(uint32_t looked)
{
    qsort(twin.sent, twin.sent_count, sizeof(struct sent), sent_compare);
    struct sent *ours = malloc((shop.events.count - looked + 1) * sizeof(*ours));
    uint32_t count = 0;
    for (; looked < shop.events.count; looked++) {
        const struct event *event = &shop.events.items[looked];
        if (event->kind == EVENT_DELIVERY_INTENDED) {
            ours[count++] =
                (struct sent){event->at_ms, event->friend, event->u.delivery.items[0].template};
        }
    }
    qsort(ours, count, sizeof(struct sent), sent_compare);
    for (uint32_t i = 0; i < count && i < twin.sent_count; i++) {
        ck_assert_msg(sent_compare(&ours[i], &twin.sent[i]) == 0,
                      "seed %llu: friend %u got %u at %lld; the twin says friend %u, %u at %lld",
                      (unsigned long long)seed, ours[i].friend, ours[i].template,
                      (long long)ours[i].at_ms, twin.sent[i].friend, twin.sent[i].template,
                      (long long)twin.sent[i].at_ms);
    }
    ck_assert_msg(count == twin.sent_count, "seed %llu: %u deliveries, the twin has %u",
                  (unsigned long long)seed, count, twin.sent_count);
    free(ours);
    twin.sent_count = 0;
    return looked;
}

static void
go(int64_t until_ms)
{
    int64_t from_ms = shop.now_ms;
    shop_until(&shop, until_ms);
    twin_until(from_ms, until_ms);
    int64_t next_ms = engine_next_due(shop.engine, shop.now_ms);
    ck_assert_msg(next_ms > shop.now_ms, "seed %llu: overdue", (unsigned long long)seed);
    ck_assert_msg(twin.count == 0 || next_ms <= twin.plans[0].wake_ms, "seed %llu: overslept",
                  (unsigned long long)seed);
}

static enum rc
same_definitions(void *context, struct span canonical, struct definitions **out_definitions)
{
    (void)context;
    (void)canonical;
    *out_definitions = definitions_retain(shop.definitions);
    return RC_OK;
}

/* Another engine takes over: from an image, or from all events. */
static void
start_again(bool from_image)
{
    static const struct engine_calls calls = {.body_hash = shop_body_hash};
    struct engine *next = engine_new(&calls);
    if (from_image) {
        struct buf bytes = {0};
        image_write(engine_state(shop.engine), &bytes);
        const struct image_source source = {.bytes = buf_span(&bytes),
                                            .definitions = same_definitions};
        const char *why = "";
        enum rc rc = engine_load(next, &source, &why);
        ck_assert_msg(rc == RC_OK, "seed %llu: %s", (unsigned long long)seed, why);
        buf_fini(&bytes);
    } else {
        for (uint32_t i = 0; i < shop.events.count; i++) {
            engine_apply(next, &shop.events.items[i]);
        }
    }
    ck_assert_msg(state_digest(engine_state(next)) == state_digest(engine_state(shop.engine)),
                  "seed %llu: another digest", (unsigned long long)seed);
    engine_free(shop.engine);
    shop.engine = next;
    engine_wake(next, shop.now_ms);
}

/* ---- the year ---- */

static void
open_shop(void)
{
    shop_open(&shop);
    shop.definitions->canonical = span_cstr("the shop");
    for (uint32_t s = S_ADDED; s <= S_CALLED; s += S_CALLED) {
        int32_t days = 0;
        for (uint32_t i = 0; i < 3 + draw(STEPS_MAX - 3); i++) {
            /* Each some days after the one before, up to four months in all. */
            days += 1 + (int32_t)draw(15);
            struct timing timing =
                draw(2) == 0
                    ? after_start(days * (int64_t)MS_PER_DAY - (int64_t)draw(20 * MS_PER_HOUR))
                    : day_at(days, (int)draw(24), (int)draw(60));
            struct step *step =
                shop_step(&shop, s, timing, shop_send(&shop, (uint32_t)draw(TEMPLATE_COUNT - 1)));
            step->grace_ms = (int64_t)(1 + draw(48)) * MS_PER_HOUR;
            if (draw(2) == 0) {
                step->window = (struct window){9 * 60, 21 * 60};
            }
            if (draw(3) == 0) {
                step->condition = shop_has(&shop, TAG_VIP, true);
            }
        }
    }
    shop.definitions->friend_added = shop_start(&shop, S_ADDED);
    shop.definitions->friend_unblocked = shop_start(&shop, S_ADDED);
    shop_input(&shop, (struct input){.kind = INPUT_CLAIM, .u.claim = {.run_id = "first run"}});
    shop_apply(&shop);
}

static void
act(uint32_t friend)
{
    char who[16];
    snprintf(who, sizeof(who), "U%u", friend);
    uint32_t row = state_find_friend(engine_state(shop.engine), span_cstr(who));
    ck_assert_int_eq(row != NO_ID, twin.known[friend]);
    if (row == NO_ID || (twin.blocked[friend] && draw(2) == 0)) {
        shop_act(&shop, INPUT_FOLLOW, who, NULL);
        twin.known[friend] = true;
        twin.blocked[friend] = false;
        twin_start(friend, S_ADDED);
        return;
    }
    ck_assert_uint_eq(row, friend); /* they come in order, so that twin and engine count alike */
    switch (draw(8)) {
    case 0:
        shop_act(&shop, INPUT_UNFOLLOW, who, NULL);
        twin.blocked[friend] = true;
        twin_remove(twin_find(friend, S_ADDED));
        twin_remove(twin_find(friend, S_CALLED));
        break;
    case 1:
        shop_input(&shop, (struct input){.kind = INPUT_STOP_SCENARIO,
                                         .u.scenario = {.friend = row, .scenario = S_ADDED}});
        twin_remove(twin_find(friend, S_ADDED));
        break;
    case 2:
    case 3:
        twin.vip[friend] = draw(2) == 0;
        shop_input(&shop,
                   (struct input){.kind = INPUT_TAG, .u.tag = {row, TAG_VIP, twin.vip[friend]}});
        break;
    default:
        shop_input(
            &shop,
            (struct input){.kind = INPUT_START_SCENARIO,
                           .u.scenario = {.friend = row, .scenario = S_CALLED, .at_step = NO_ID}});
        if (!twin.blocked[friend] && twin_find(friend, S_CALLED) == NO_ID) {
            twin_start(friend, S_CALLED);
        }
        break;
    }
}

START_TEST(a_year_goes_as_the_plain_twin_says)
{
    seed = (uint64_t)_i + 1;
    random_state = seed * 0x9e3779b97f4a7c15u;
    memset(&twin, 0, sizeof(twin));
    open_shop();
    const int64_t end_ms = shop.now_ms + YEAR_DAYS * (int64_t)MS_PER_DAY;
    const uint32_t friends_max = draw(4) == 0 ? FRIENDS_MAX : 20 + (uint32_t)draw(300);
    uint32_t friends = 0, looked = 0, deliveries = 0, restarts = 0;
    while (shop.now_ms < end_ms) {
        for (uint64_t acts = draw(friends_max / 8); acts > 0; acts--) {
            bool somebody_new = friends < friends_max && draw(3) == 0;
            act(somebody_new || friends == 0 ? friends++ : (uint32_t)draw(friends));
        }
        switch (draw(8)) {
        case 0: /* away: what was due meanwhile is late */
            shop.now_ms += (int64_t)draw(draw(4) == 0 ? 20 * MS_PER_DAY : 6 * MS_PER_HOUR);
            break;
        case 1:
            start_again(draw(2) == 0);
            restarts++;
            break;
        default:
            break;
        }
        go(shop.now_ms + (int64_t)draw(3 * MS_PER_DAY));
        deliveries += twin.sent_count;
        looked = compare(looked);
    }
    printf("seed %llu: %u friends, %u deliveries, %u restarts\n", (unsigned long long)seed, friends,
           deliveries, restarts);
    ck_assert_uint_gt(deliveries, friends_max);
    free(twin.sent);
    shop_close(&shop);
}
END_TEST

static int
number_from(const char *name, int otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : atoi(text);
}

static Suite *
suite(void)
{
    Suite *suite = suite_create("year");
    TCase *tcase = tcase_create("seeds");
    tcase_set_timeout(tcase, 60);
    int first = number_from("STEPD_SIM_FIRST", 1) - 1;
    tcase_add_loop_test(tcase, a_year_goes_as_the_plain_twin_says, first,
                        first + number_from("STEPD_SIM_SEEDS", SEEDS));
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
