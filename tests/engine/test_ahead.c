/* What a copy says will come is what comes: a random life is copied in the middle, the copy runs ahead, and
 * then the life itself goes on without anybody acting. */
#include "engine/ahead.h"
#include "tests/engine/random_life.h"

#include <check.h>

enum { SENT_MAX = 4000 };

struct sent {
    int64_t at_ms;
    uint32_t friend, template;
};
struct story {
    struct sent items[SENT_MAX];
    uint32_t count;
};

static void
note(void *context, const struct event *event)
{
    struct story *story = context;
    if (event->kind == EVENT_DELIVERY_OUTCOME && event->u.delivery.result == RESULT_SENT) {
        ck_assert_uint_lt(story->count, SENT_MAX);
        story->items[story->count++] =
            (struct sent){event->at_ms, event->friend, event->u.delivery.items[0].template};
    }
}

START_TEST(what_a_copy_foretells_comes_true)
{
    static struct story foretold, lived;
    static const struct engine_calls calls = {.body_hash = shop_body_hash};
    uint64_t seed = 31337 + (uint64_t)_i * 7907;
    foretold.count = lived.count = 0;
    random_shop(&seed);
    for (int i = 0; i < 300; i++) {
        random_step(&seed);
    }
    struct engine *copy = engine_new(&calls);
    for (uint32_t i = 0; i < shop.events.count; i++) {
        engine_apply(copy, &shop.events.items[i]);
    }
    int64_t until_ms = shop.now_ms + 20 * MS_PER_DAY;
    struct ahead ahead = {.until_ms = until_ms, .seen = note, .context = &foretold};
    engine_wake(copy, shop.now_ms);
    engine_run_ahead(copy, shop.now_ms, &ahead);

    uint32_t before = shop.events.count;
    (void)shop_until(&shop, until_ms);
    for (uint32_t i = before; i < shop.events.count; i++) {
        note(&lived, &shop.events.items[i]);
    }
    ck_assert_msg(foretold.count == lived.count, "seed %d: %u foretold, %u lived", _i,
                  foretold.count, lived.count);
    ck_assert_uint_eq(ahead.deliveries, foretold.count);
    for (uint32_t i = 0; i < lived.count; i++) {
        ck_assert_msg(foretold.items[i].at_ms == lived.items[i].at_ms &&
                          foretold.items[i].friend == lived.items[i].friend &&
                          foretold.items[i].template == lived.items[i].template,
                      "seed %d, delivery %u", _i, i);
    }
    engine_free(copy);
    shop_close(&shop);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("ahead");
    TCase *tc = tcase_create("ahead");
    tcase_add_loop_test(tc, what_a_copy_foretells_comes_true, 0, 20);
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
