/* What friends did and were sent, and when; what a profile says (SPEC R24). */
#include "engine/deed.h"
#include "engine/fact.h"
#include "engine/tables.h"
#include "tests/engine/random_life.h"

#include <check.h>

static bool
holds(const struct value *left, const char *text)
{
    const struct comparison comparison = {
        .kind = text == NULL ? COMPARE_EMPTY : COMPARE_EQUAL,
        .left = *left,
        .right = {.kind = VALUE_LITERAL, .type = FIELD_TEXT, .text = span_cstr(text)}};
    const struct inquiry inquiry = {engine_state(shop.engine), shop.now_ms, NULL};
    return comparison_holds(&inquiry, 0, &comparison);
}

static void
profile(const char *picture, const char *language)
{
    shop_input(&shop, (struct input){.kind = INPUT_PROFILE,
                                     .u.profile = {.friend = 0,
                                                   .found = true,
                                                   .name = span_cstr("Aoi"),
                                                   .picture = span_cstr(picture),
                                                   .language = span_cstr(language)}});
}

START_TEST(a_profile_tells_language_and_picture_until_the_friend_is_forgotten)
{
    const struct value language = {.kind = VALUE_LANGUAGE, .type = FIELD_TEXT};
    const struct value picture = {.kind = VALUE_PICTURE, .type = FIELD_TEXT};
    shop_open(&shop);
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    ck_assert(holds(&language, NULL) && holds(&picture, NULL));
    profile("https://p.example/1", "ja");
    ck_assert(holds(&language, "ja") && !holds(&language, "en") && !holds(&picture, NULL));
    profile("", "en");
    ck_assert(holds(&language, "en") && holds(&picture, NULL));
    shop_input(&shop, (struct input){.kind = INPUT_FORGET, .u.forget = {.friend = 0}});
    ck_assert(holds(&language, NULL) && holds(&picture, NULL));
    shop_close(&shop);
}
END_TEST

enum { SENT_MAX = 400, TEMPLATES = 3, FRIENDS = 20 };
struct sent {
    uint32_t friend, template;
    int64_t hour;
};

/* The sets by hour beside a plain list of everything that was sent. */
START_TEST(who_was_sent_what_agrees_with_a_plain_list)
{
    uint64_t seed = (uint64_t)_i + 1;
    struct state state;
    struct sent sent[SENT_MAX];
    state_init(&state);
    for (uint32_t i = 0; i < FRIENDS; i++) {
        char id[8];
        snprintf(id, sizeof(id), "U%u", i);
        tables_add_friend(&state, span_cstr(id));
    }
    for (uint32_t i = 0; i < SENT_MAX; i++) {
        sent[i] = (struct sent){(uint32_t)(next_random(&seed) % FRIENDS),
                                (uint32_t)(next_random(&seed) % TEMPLATES),
                                (int64_t)(next_random(&seed) % 50)};
        struct event event = {.kind = EVENT_DELIVERY_OUTCOME,
                              .friend = sent[i].friend,
                              .at_ms = sent[i].hour * MS_PER_HOUR +
                                       (int64_t)(next_random(&seed) % 3600000)};
        event.u.delivery.result = RESULT_SENT;
        event.u.delivery.item_count = 1;
        event.u.delivery.items[0].template = sent[i].template;
        deed_apply(&state, &event);
    }
    for (int round = 0; round < 200; round++) {
        int64_t from = (int64_t)(next_random(&seed) % 52), to = (int64_t)(next_random(&seed) % 52);
        uint32_t friend = (uint32_t)(next_random(&seed) % FRIENDS);
        uint32_t template = (uint32_t)(next_random(&seed) % TEMPLATES);
        bool expected = false;
        for (uint32_t i = 0; i < SENT_MAX; i++) {
            expected = expected || (sent[i].friend == friend && sent[i].template == template &&
                                    sent[i].hour >= from && sent[i].hour <= to);
        }
        struct stretch when = {from * MS_PER_HOUR + (int64_t)(next_random(&seed) % 3600000),
                               to * MS_PER_HOUR + (int64_t)(next_random(&seed) % 3600000)};
        ck_assert_msg(state_has_received_within(&state, friend, template, when) == expected,
                      "seed %d, round %d", _i + 1, round);
    }
    state_fini(&state);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("deed");
    TCase *tc = tcase_create("deed");
    tcase_add_test(tc, a_profile_tells_language_and_picture_until_the_friend_is_forgotten);
    tcase_add_loop_test(tc, who_was_sent_what_agrees_with_a_plain_list, 0, 10);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
