/* Random lives held against the rules themselves, told from the log alone with plain counters: order
 * (SPEC R5), quota (R11), scenario caps (R12), frequency caps (R13), nothing twice in an enrolment (R26),
 * one request in flight a friend (R40). Nothing of the engine's own bookkeeping is asked. */
#include "tests/engine/random_life.h"

#include <check.h>
#include <stdarg.h>

enum { LIVES = 60, STEPS_OF_A_LIFE = 400, FRIENDS_MAX = 8, ROWS_MAX = 4096 };

struct pushed { /* a marketing push that was delivered */
    uint32_t friend;
    int64_t day;
};

struct sent_delivery { /* by the event that made it */
    uint64_t made_seq;
    uint32_t friend, scenario; /* NO_ID: of no scenario */
    enum message_class message_class;
    enum delivery_how how;
    bool open, paid;
};

static struct pushed pushes[ROWS_MAX];
static struct sent_delivery deliveries[ROWS_MAX];
static uint32_t push_count, delivery_count;
static uint64_t in_flight[FRIENDS_MAX]; /* the delivery's number; 0: none */
static uint32_t used, limit;            /* of the month */
static bool limited;
static uint32_t caps[SCENARIOS_MAX], came[SCENARIOS_MAX];
static uint32_t decided[ROWS_MAX]; /* by enrolment: a bit for each step by its place */
static unsigned long long first_seed;

__attribute__((format(printf, 3, 4))) static void
rule(const struct event *event, bool holds, const char *format, ...)
{
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    ck_assert_msg(holds, "seed %llu, event %llu: %s", first_seed, (unsigned long long)event->seq,
                  text);
}

static struct sent_delivery *
delivery_of(uint64_t made_seq)
{
    for (uint32_t i = 0; i < delivery_count; i++) {
        if (deliveries[i].made_seq == made_seq) {
            return &deliveries[i];
        }
    }
    return NULL;
}

/* R5, R26: in order, and once. Answers gather several steps before they are planned as one, so that of
 * them only the second half holds. */
static void
see_step(const struct event *event, uint32_t enrolment, uint32_t scenario, uint32_t step,
         bool in_order)
{
    uint32_t place = 0;
    if (enrolment >= ROWS_MAX ||
        scenario_step(&shop.definitions->scenarios[scenario], step, &place) == NULL) {
        return;
    }
    rule(event, (decided[enrolment] >> place & 1) == 0, "step %u of scenario %u twice", step,
         scenario);
    rule(event, !in_order || decided[enrolment] >> place == 0, "step %u after a later one", step);
    decided[enrolment] |= 1U << place;
}

static uint32_t
open_of(uint32_t scenario)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < delivery_count; i++) {
        count += deliveries[i].open && deliveries[i].scenario == scenario ? 1 : 0;
    }
    return count;
}

/* A delivery comes into being: its steps are decided, and its scenario has room for it (R12). */
static void
see_made(const struct event *event)
{
    const struct delivery_item *item = &event->u.delivery.items[0];
    bool of_step = item->source.kind == SOURCE_STEP;
    struct sent_delivery made = {.made_seq = event->seq,
                                 .friend = event->friend,
                                 .scenario = of_step ? item->source.id : NO_ID,
                                 .message_class = event->u.delivery.message_class,
                                 .open = true};
    if (of_step && caps[made.scenario] > 0) {
        rule(event, came[made.scenario] + open_of(made.scenario) < caps[made.scenario],
             "scenario %u is beyond its cap of %u", made.scenario, caps[made.scenario]);
    }
    for (uint32_t i = 0; i < event->u.delivery.item_count; i++) {
        item = &event->u.delivery.items[i];
        if (item->source.kind == SOURCE_STEP) {
            see_step(event, item->enrolment, item->source.id, item->source.sub,
                     event->kind == EVENT_DELIVERY_INTENDED);
        }
    }
    ck_assert_uint_lt(delivery_count, ROWS_MAX);
    deliveries[delivery_count++] = made;
}

static uint32_t
pushed_between(uint32_t friend, int64_t first_day, int64_t last_day)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < push_count; i++) {
        count +=
            pushes[i].friend == friend && pushes[i].day >= first_day && pushes[i].day <= last_day
                ? 1
                : 0;
    }
    return count;
}

static void
see_intent(const struct event *event)
{
    const struct account *account = &shop.definitions->account;
    bool makes = event->u.delivery.delivery == 0;
    if (makes) {
        see_made(event);
    }
    struct sent_delivery *delivery = delivery_of(makes ? event->seq : event->u.delivery.delivery);
    ck_assert_ptr_nonnull(delivery);
    rule(event, in_flight[event->friend] == 0, "friend %u has a request in flight already",
         event->friend);
    rule(event, event->at_ms >= event->u.delivery.due_ms, "early");
    in_flight[event->friend] = delivery->made_seq;
    delivery->how = event->u.delivery.how;
    if (event->u.delivery.how != HOW_PUSH) {
        return;
    }
    bool marketing = delivery->message_class == CLASS_MARKETING;
    uint32_t reserve = marketing ? account->quota_reserve : 0;
    rule(event, !limited || used + reserve < limit, "%u of %u used, %u reserved", used, limit,
         reserve);
    used++;
    if (!marketing) {
        return;
    }
    int64_t today = civil_local_day(&tokyo, event->at_ms);
    rule(event,
         account->per_day == 0 || pushed_between(event->friend, today, today) < account->per_day,
         "friend %u has had enough today", event->friend);
    rule(event,
         account->per_week == 0 ||
             pushed_between(event->friend, today - 6, today) < account->per_week,
         "friend %u has had enough this week", event->friend);
}

static void
see_end(const struct event *event)
{
    struct sent_delivery *delivery = delivery_of(event->u.delivery.delivery);
    ck_assert_ptr_nonnull(delivery);
    enum delivery_result result = event->u.delivery.result;
    bool outcome = event->kind == EVENT_DELIVERY_OUTCOME;
    if (outcome) {
        rule(event, in_flight[event->friend] == delivery->made_seq,
             "an outcome of nothing in flight");
        in_flight[event->friend] = 0;
    }
    bool arrived = outcome && (result == RESULT_SENT || result == RESULT_UNKNOWN);
    if (outcome && delivery->how == HOW_PUSH && !arrived && used > 0) {
        used--; /* given back; the lives are shorter than what lies in flight over a month's end */
    }
    if (outcome && result == RESULT_SENT && delivery->how == HOW_PUSH &&
        delivery->message_class == CLASS_MARKETING) {
        ck_assert_uint_lt(push_count, ROWS_MAX);
        pushes[push_count++] =
            (struct pushed){event->friend, civil_local_day(&tokyo, event->at_ms)};
    }
    if (outcome && result == RESULT_RETURNED) {
        return; /* the same delivery, on its other way */
    }
    delivery->open = false;
    if (arrived && delivery->scenario != NO_ID) {
        came[delivery->scenario]++;
    }
}

static void
see(const struct event *event)
{
    switch ((int)event->kind) {
    case EVENT_ENROLMENT_STARTED:
        ck_assert_uint_lt(event->u.step.enrolment, ROWS_MAX);
        decided[event->u.step.enrolment] = 0;
        break;
    case EVENT_STEP_SKIPPED:
    case EVENT_STEP_DONE:
        see_step(event, event->u.step.enrolment, event->u.step.scenario, event->u.step.step, false);
        break;
    case EVENT_DELIVERY_PLANNED:
        see_made(event);
        break;
    case EVENT_DELIVERY_INTENDED:
        see_intent(event);
        break;
    case EVENT_DELIVERY_OUTCOME:
    case EVENT_DELIVERY_CANCELLED:
        see_end(event);
        break;
    case EVENT_MONTH_BEGUN:
        used = 0;
        break;
    case EVENT_QUOTA_SET:
        limited = true;
        limit = event->u.quota.limit;
        break;
    case EVENT_CAP_SET:
        caps[event->u.cap.scenario] = event->u.cap.limit;
        break;
    default:
        break;
    }
}

START_TEST(a_random_life_keeps_the_rules)
{
    uint64_t seed = (uint64_t)_i * 67867967 + 1;
    first_seed = seed;
    random_shop(&seed);
    limited = shop.definitions->account.has_quota;
    limit = shop.definitions->account.quota;
    for (uint32_t i = 0; i < SCENARIOS_MAX; i++) {
        caps[i] = shop.scenarios[i].cap;
    }
    for (int i = 0; i < STEPS_OF_A_LIFE; i++) {
        random_step(&seed);
    }
    for (uint32_t i = 0; i < shop.events.count; i++) {
        see(&shop.events.items[i]);
    }
    shop_close(&shop);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rules");
    TCase *tcase = tcase_create("random lives");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_random_life_keeps_the_rules, 0, LIVES);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
