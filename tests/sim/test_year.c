/* A simulated year, one seed a run: friends come, block, come back, are tagged, started and stopped; the
 * shop edits and pauses its scenarios under them; the daemon is away for hours or weeks and starts again
 * from an image or from the log. Beside engine, wheel and tables runs a plain twin (year_twin.h), and
 * every delivery must agree with it to the millisecond.
 *
 * STEPD_SIM_SEEDS says how many seeds are run, STEPD_SIM_FIRST from which on. */
#include "tests/engine/image_buf.h"
#include "tests/sim/year_twin.h"

#include <check.h>
#include <stdio.h>

enum { SEEDS = 12, YEAR_DAYS = 365 };
enum { S_ADDED = 0, S_CALLED = 2 }; /* of two lanes, so that one does not end the other */

static uint64_t seed, random_state;

static uint64_t
draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
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
    if (twin.sent_count > 0) { /* without any there is no array */
        qsort(twin.sent, twin.sent_count, sizeof(struct sent), sent_compare);
    }
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

static bool
deliver_one(void)
{
    const struct delivery *row = shop_take(&shop);
    if (row != NULL) {
        shop_outcome(&shop, row, RESULT_SENT);
    }
    return row != NULL;
}

/* Takes what is due before, amid and after the slices of an edit's job. */
static void
deliver(void)
{
    bool more = true;
    while (more) {
        for (uint64_t takes = draw(40); takes > 0 && deliver_one(); takes--) {
        }
        more = engine_work(shop.engine, shop.now_ms, &shop.events);
    }
    shop_deliver(&shop);
}

static void
go(int64_t until_ms)
{
    int64_t from_ms = shop.now_ms;
    deliver();
    for (int64_t next_ms; (next_ms = engine_next_due(shop.engine, shop.now_ms)) <= until_ms;) {
        shop.now_ms = next_ms;
        deliver();
    }
    shop.now_ms = until_ms;
    twin_until(from_ms, until_ms);
    int64_t next_ms = engine_next_due(shop.engine, shop.now_ms);
    ck_assert_msg(next_ms > shop.now_ms, "seed %llu: overdue", (unsigned long long)seed);
    uint32_t first = twin_first();
    ck_assert_msg(first == NO_ID || next_ms <= twin.plans[first].wake_ms, "seed %llu: overslept",
                  (unsigned long long)seed);
}

static enum rc
find_edition(void *context, struct span canonical, struct definitions **out_definitions)
{
    (void)context;
    for (uint32_t i = 0; i < edition_count; i++) {
        if (span_equal(canonical, editions[i].set->canonical)) {
            *out_definitions = definitions_retain(editions[i].set);
            return RC_OK;
        }
    }
    return RC_CORRUPT;
}

/* Another engine takes over: from an image, or from all events. */
static void
start_again(bool from_image)
{
    static const struct engine_calls calls = {.body_hash = shop_body_hash};
    struct engine *next = engine_new(&calls);
    if (from_image) {
        struct buf bytes = {0};
        image_to_buf(engine_state(shop.engine), &bytes);
        struct span rest = buf_span(&bytes);
        const struct image_source source = {.bytes = image_span_source(&rest),
                                            .definitions = find_edition};
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

/* Each step some days after the one before, up to four months in all; or anywhere. */
static struct timing
random_timing(int32_t days)
{
    return draw(2) == 0 ? after_start(days * (int64_t)MS_PER_DAY - (int64_t)draw(20 * MS_PER_HOUR))
                        : day_at(days, (int)draw(24), (int)draw(60));
}

static struct step
random_step(struct arena *arena, uint32_t scenario, int32_t days)
{
    struct shop bricks = {.definitions = &(struct definitions){.arena = arena}};
    struct step step = {.id = step_ids[scenario]++,
                        .name = "step",
                        .timing = random_timing(days),
                        .body = shop_send(&bricks, (uint32_t)draw(TEMPLATE_COUNT - 1)),
                        .window = {-1, 0},
                        .grace_ms = (int64_t)(1 + draw(48)) * MS_PER_HOUR,
                        .message_class = CLASS_MARKETING};
    if (draw(2) == 0) {
        step.window = (struct window){9 * 60, 21 * 60};
    }
    if (draw(3) == 0) {
        step.condition = shop_has(&bricks, TAG_VIP, true);
    }
    return step;
}

/* A new edition, at first the same as the one before. */
static struct edition *
new_edition(void)
{
    ck_assert_uint_lt(edition_count, EDITIONS_MAX);
    struct edition *edition = &editions[edition_count++];
    struct definitions *before = edition_count > 1 ? edition[-1].set : shop.definitions;
    edition->set = definitions_new();
    struct arena *arena = edition->set->arena;
    *edition->set = *before;
    edition->set->arena = arena;
    edition->set->references = 1;
    char name[32];
    snprintf(name, sizeof(name), "edition %u", edition_count);
    edition->set->canonical = arena_span(arena, span_cstr(name));
    memcpy(edition->set->hash, &edition_count, sizeof(edition_count));
    struct scenario *scenarios = arena_alloc(arena, SCENARIOS_MAX * sizeof(*scenarios));
    edition->scenarios = scenarios;
    for (uint32_t i = 0; i < SCENARIOS_MAX; i++) {
        scenarios[i] = before->scenarios[i];
        edition->steps[i] = arena_alloc(arena, STEPS_MAX * sizeof(struct step));
        for (uint32_t j = 0; j < scenarios[i].step_count; j++) {
            edition->steps[i][j] = before->scenarios[i].steps[j];
        }
        scenarios[i].steps = edition->steps[i];
    }
    edition->set->scenarios = scenarios;
    return edition;
}

static void
put_in_force(const struct edition *edition)
{
    shop_input(&shop, (struct input){.kind = INPUT_DEFINITIONS,
                                     .u.definitions = {.definitions = edition->set}});
}

static void
open_shop(void)
{
    shop_open(&shop);
    shop.definitions->canonical = span_cstr("the shop");
    shop.definitions->friend_added = shop_start(&shop, S_ADDED);
    shop.definitions->friend_unblocked = shop_start(&shop, S_ADDED);
    edition_count = 0;
    memset(step_ids, 0, sizeof(step_ids));
    struct edition *first = new_edition();
    for (uint32_t s = S_ADDED; s <= S_CALLED; s += S_CALLED) {
        struct scenario *scenario = &first->scenarios[s];
        int32_t days = 0;
        for (uint64_t i = 3 + draw(STEPS_MAX - 4); i > 0; i--) {
            days += 1 + (int32_t)draw(15);
            first->steps[s][scenario->step_count++] = random_step(first->set->arena, s, days);
        }
    }
    shop_input(&shop, (struct input){.kind = INPUT_CLAIM, .u.claim = {.run_id = "first run"}});
    put_in_force(first);
}

static void
close_shop(void)
{
    shop_close(&shop);
    for (uint32_t i = 0; i < edition_count; i++) {
        definitions_release(editions[i].set);
    }
}

/* A step is moved, added, taken out, or only worded anew. */
static void
edit(void)
{
    bool removed[STEP_IDS_MAX] = {false};
    uint32_t s = draw(2) == 0 ? S_ADDED : S_CALLED;
    struct edition *edition = new_edition();
    struct scenario *scenario = &edition->scenarios[s];
    struct step *steps = edition->steps[s];
    uint32_t place = (uint32_t)draw(scenario->step_count);
    struct step fresh = random_step(edition->set->arena, s, 1 + (int32_t)draw(90));
    switch (draw(4)) {
    case 0:
        steps[place].timing = fresh.timing;
        break;
    case 1:
        steps[place].body = fresh.body;
        steps[place].window = fresh.window;
        steps[place].grace_ms = fresh.grace_ms;
        steps[place].condition = fresh.condition;
        break;
    case 2:
        if (scenario->step_count < STEPS_MAX) {
            memmove(&steps[place + 1], &steps[place],
                    (scenario->step_count - place) * sizeof(*steps));
            steps[place] = fresh;
            scenario->step_count++;
        }
        break;
    default:
        if (scenario->step_count > 1) {
            removed[steps[place].id] = true;
            scenario->step_count--;
            memmove(&steps[place], &steps[place + 1],
                    (scenario->step_count - place) * sizeof(*steps));
        }
        break;
    }
    put_in_force(edition);
    twin_follow(s, removed);
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

static void
pause_or_resume(void)
{
    uint32_t s = draw(2) == 0 ? S_ADDED : S_CALLED;
    bool pause = !twin.paused[s];
    shop_input(&shop, (struct input){.kind = pause ? INPUT_PAUSE : INPUT_RESUME,
                                     .u.scenario = {.friend = NO_ID, .scenario = s}});
    if (pause) {
        twin.paused[s] = true;
    } else {
        twin_resume(s);
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
        if (draw(12) == 0 && edition_count < EDITIONS_MAX) {
            edit(); /* and friends act before everybody has followed it */
        }
        for (uint64_t acts = draw(friends_max / 8); acts > 0; acts--) {
            bool somebody_new = friends < friends_max && draw(3) == 0;
            act(somebody_new || friends == 0 ? friends++ : (uint32_t)draw(friends));
        }
        switch (draw(10)) {
        case 0: /* away: what was due meanwhile is late */
            shop.now_ms += (int64_t)draw(draw(4) == 0 ? 20 * MS_PER_DAY : 6 * MS_PER_HOUR);
            break;
        case 1:
            start_again(draw(2) == 0);
            restarts++;
            break;
        case 2:
            if (edition_count < EDITIONS_MAX) {
                edit();
            }
            break;
        case 3:
            pause_or_resume();
            break;
        default:
            break;
        }
        go(shop.now_ms + (int64_t)draw(3 * MS_PER_DAY));
        deliveries += twin.sent_count;
        looked = compare(looked);
    }
    printf("seed %llu: %u friends, %u deliveries, %u restarts, %u editions\n",
           (unsigned long long)seed, friends, deliveries, restarts, edition_count);
    ck_assert_uint_gt(deliveries, 0);
    free(twin.sent);
    close_shop();
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
