/* What reports count is what happened: after each random life the counters are those of a plain count over
  * its events. */
#include "engine/crowd.h"
#include "engine/tables.h"
#include "tests/engine/random_life.h"

#include <check.h>

struct wanted {
    uint64_t by_kind[MEASURE_KIND_COUNT];
};

/* Once for each source among a delivery's items. */
static uint64_t
sources_of(const struct event *event)
{
    uint64_t sources = 0;
    for (uint32_t i = 0; i < event->u.delivery.item_count; i++) {
        struct source mine = event->u.delivery.items[i].source;
        bool again = false;
        for (uint32_t j = 0; j < i; j++) {
            struct source other = event->u.delivery.items[j].source;
            again =
                again || (other.kind == mine.kind && other.id == mine.id && other.sub == mine.sub);
        }
        sources += !again;
    }
    return sources;
}

static void
count_outcome(const struct event *event, struct wanted *out)
{
    if (event->u.delivery.result == RESULT_SENT) {
        out->by_kind[event->u.delivery.how == HOW_REPLY ? MEASURE_SENT_REPLY : MEASURE_SENT_PUSH] +=
            sources_of(event);
    } else if (event->u.delivery.result == RESULT_FAILED) {
        out->by_kind[MEASURE_FAILED] += sources_of(event);
    } else if (event->u.delivery.result == RESULT_UNKNOWN) {
        out->by_kind[MEASURE_UNKNOWN] += sources_of(event);
    }
}

/* One event about many is as many events. */
static void
count_crowd(const struct event *event, struct wanted *out)
{
    struct crowd crowd;
    struct event single;
    ck_assert(crowd_unpack(event->u.delivery.crowd, &crowd));
    for (uint32_t n = 0; n < crowd.count; n++) {
        crowd_single(event, &crowd, n, &single);
        single.u.delivery.item_count = 1; /* what is the same for many comes from one source */
        count_outcome(&single, out);
    }
}

static void
count_plainly(const struct events *events, struct wanted *out)
{
    *out = (struct wanted){0};
    for (uint32_t i = 0; i < events->count; i++) {
        const struct event *event = &events->items[i];
        switch (event->kind) {
        case EVENT_ENROLMENT_STARTED:
            out->by_kind[MEASURE_ENTERED]++;
            break;
        case EVENT_ENROLMENT_ENDED:
            out->by_kind[MEASURE_LEFT]++;
            break;
        case EVENT_STEP_SKIPPED:
            out->by_kind[MEASURE_SKIPPED]++;
            break;
        case EVENT_CONVERTED:
            out->by_kind[MEASURE_CONVERTED] += event->u.conversion.counted;
            break;
        case EVENT_FORM_ANSWERED:
            out->by_kind[MEASURE_ANSWERED]++;
            break;
        case EVENT_DELIVERY_OUTCOME:
            count_outcome(event, out);
            break;
        case EVENT_DELIVERIES_OUTCOME:
            count_crowd(event, out);
            break;
        default:
            break;
        }
    }
}

static void
add_up(void *context, const struct measure_row *row)
{
    ((struct wanted *)context)->by_kind[row->kind] += row->count;
}

START_TEST(counters_are_what_the_events_say)
{
    static const enum measure_kind KINDS[] = {
        MEASURE_ENTERED,    MEASURE_LEFT,      MEASURE_SKIPPED, MEASURE_CONVERTED, MEASURE_ANSWERED,
        MEASURE_SENT_REPLY, MEASURE_SENT_PUSH, MEASURE_FAILED,  MEASURE_UNKNOWN};
    uint64_t seed = 4711 + (uint64_t)_i * 131;
    random_shop(&seed);
    for (int i = 0; i < 600; i++) {
        random_step(&seed);
    }
    struct wanted wanted, counted = {0};
    count_plainly(&shop.events, &wanted);
    measure_each(engine_state(shop.engine), 0, UINT32_MAX, add_up, &counted);
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
        ck_assert_msg(wanted.by_kind[KINDS[i]] == counted.by_kind[KINDS[i]],
                      "seed %d, kind %d: %llu counted, not %llu", _i, (int)KINDS[i],
                      (unsigned long long)counted.by_kind[KINDS[i]],
                      (unsigned long long)wanted.by_kind[KINDS[i]]);
    }
    ck_assert_uint_gt(wanted.by_kind[MEASURE_SENT_REPLY] + wanted.by_kind[MEASURE_SENT_PUSH], 0);
    shop_close(&shop);
}
END_TEST

START_TEST(hours_part_the_counts)
{
    uint64_t seed = 99;
    random_shop(&seed);
    shop_act(&shop, INPUT_FOLLOW, "Uanna", NULL);
    uint32_t hour = (uint32_t)(shop.now_ms / MS_PER_HOUR);
    struct wanted before = {0}, within = {0}, after = {0};
    measure_each(engine_state(shop.engine), 0, hour, add_up, &before);
    measure_each(engine_state(shop.engine), hour, hour + 1, add_up, &within);
    measure_each(engine_state(shop.engine), hour + 1, UINT32_MAX, add_up, &after);
    ck_assert_uint_eq(before.by_kind[MEASURE_ENTERED], 0);
    ck_assert_uint_eq(within.by_kind[MEASURE_ENTERED], 1);
    ck_assert_uint_eq(after.by_kind[MEASURE_ENTERED], 0);
    shop_close(&shop);
}
END_TEST

START_TEST(a_friend_who_leaves_is_laid_to_what_came_the_day_before)
{
    uint64_t seed = 7;
    random_shop(&seed);
    shop_act(&shop, INPUT_FOLLOW, "Uanna", NULL);
    (void)shop_deliver(&shop);
    shop_until(&shop, shop.now_ms + 3 * MS_PER_HOUR);
    struct wanted received = {0}, blocked = {0};
    measure_each(engine_state(shop.engine), 0, UINT32_MAX, add_up, &received);
    shop_act(&shop, INPUT_UNFOLLOW, "Uanna", NULL);
    measure_each(engine_state(shop.engine), 0, UINT32_MAX, add_up, &blocked);
    bool came = received.by_kind[MEASURE_SENT_REPLY] + received.by_kind[MEASURE_SENT_PUSH] > 0;
    ck_assert_int_eq(blocked.by_kind[MEASURE_BLOCKED] > 0, came);
    shop_close(&shop);
}
END_TEST

START_TEST(buckets_of_seconds_are_exact_or_within_a_sixteenth)
{
    uint32_t before = 0;
    for (uint64_t seconds = 0; seconds <= UINT32_MAX; seconds += 1 + seconds / 50) {
        uint32_t bucket = measure_bucket((uint32_t)seconds);
        uint32_t begins = measure_bucket_begins(bucket);
        ck_assert_uint_lt(bucket, MEASURE_BUCKETS);
        ck_assert_uint_ge(bucket, before);
        ck_assert_uint_le(begins, seconds);
        ck_assert_uint_le(seconds - begins, seconds / 16);
        before = bucket;
    }
    ck_assert_uint_lt(measure_bucket(UINT32_MAX), MEASURE_BUCKETS);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("measure");
    TCase *tc = tcase_create("measure");
    tcase_add_loop_test(tc, counters_are_what_the_events_say, 0, 12);
    tcase_add_test(tc, buckets_of_seconds_are_exact_or_within_a_sixteenth);
    tcase_add_test(tc, hours_part_the_counts);
    tcase_add_test(tc, a_friend_who_leaves_is_laid_to_what_came_the_day_before);
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
