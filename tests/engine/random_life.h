/* random_life - a shop with random scenarios, and random things that happen to its friends.
 *
 * Shape    random_shop() opens the one `shop` of the test and applies its definitions; random_step() is an
 *          act, an operator's call, an outcome or a stretch of time. All drawn from the seed given.
 * Units    a seed is any number but 0.
 * Errors   none.
 * Owner    the test closes the shop.
 */
#ifndef TESTS_ENGINE_RANDOM_LIFE_H
#define TESTS_ENGINE_RANDOM_LIFE_H

#include "tests/engine/shop_acts.h"

#include <stdio.h>

static struct shop shop;

static inline uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static inline struct timing
random_timing(uint64_t *seed)
{
    switch (next_random(seed) % 5) {
    case 0:
        return NOW;
    case 1:
        return after_start((int64_t)(next_random(seed) % 100) * MS_PER_HOUR);
    case 2:
        return after_previous((int64_t)(next_random(seed) % 50) * MS_PER_HOUR);
    case 3:
        return (struct timing){.kind = TIMING_DAYS_AFTER_PREVIOUS_AT,
                               .days = 1 + (int32_t)(next_random(seed) % 3),
                               .at_min = (int32_t)(next_random(seed) % 1440)};
    default:
        return (struct timing){.kind = TIMING_DAY_AT,
                               .days = (int32_t)(next_random(seed) % 4),
                               .at_min = (int32_t)(next_random(seed) % 1440)};
    }
}

static inline void
random_shop(uint64_t *seed)
{
    shop_open(&shop);
    shop.definitions->canonical = span_cstr("the shop"); /* stands for what proto would give */
    for (uint32_t i = 0; i < SCENARIOS_MAX; i++) {
        shop.scenarios[i].late_day0 = (enum late_day0)(next_random(seed) % 3);
        shop.scenarios[i].reentry = (enum reentry)(next_random(seed) % 3);
        shop.scenarios[i].cap = (uint32_t)(next_random(seed) % 4);
        uint32_t steps = 1 + (uint32_t)(next_random(seed) % 5);
        for (uint32_t j = 0; j < steps; j++) {
            struct body body =
                next_random(seed) % 4 == 0
                    ? shop_tag(&shop, (uint32_t)(next_random(seed) % TAG_COUNT),
                               next_random(seed) % 2)
                    : shop_send(&shop, (uint32_t)(next_random(seed) % TEMPLATE_COUNT));
            struct step *step = shop_step(&shop, i, random_timing(seed), body);
            if (next_random(seed) % 2) {
                step->window = (struct window){9 * 60, 21 * 60};
            }
            if (next_random(seed) % 3 == 0) {
                step->condition = shop_has(&shop, (uint32_t)(next_random(seed) % TAG_COUNT),
                                           next_random(seed) % 2);
                step->otherwise = (enum otherwise)(next_random(seed) % (j + 1 < steps ? 3 : 2));
                step->otherwise_step = j + 1 + (uint32_t)(next_random(seed) % (steps - j));
            }
            step->grace_ms = (int64_t)(1 + next_random(seed) % 48) * MS_PER_HOUR;
            step->priority = (int32_t)(next_random(seed) % 3);
        }
    }
    shop.definitions->account.has_quota = next_random(seed) % 2;
    shop.definitions->account.quota = (uint32_t)(next_random(seed) % 8);
    shop.definitions->account.quota_reserve = (uint32_t)(next_random(seed) % 3);
    shop.definitions->account.per_day = (uint32_t)(next_random(seed) % 3);
    shop.definitions->account.per_week = (uint32_t)(next_random(seed) % 5);
    for (uint32_t i = 0; i < BROADCASTS_MAX; i++) {
        struct broadcast *broadcast = &shop.broadcasts[i];
        broadcast->at_ms = shop.now_ms + (int64_t)(next_random(seed) % 400) * MS_PER_HOUR;
        broadcast->to =
            shop_has(&shop, (uint32_t)(next_random(seed) % TAG_COUNT), next_random(seed) % 3 > 0);
        broadcast->partial = next_random(seed) % 2;
        broadcast->body = shop_send(&shop, (uint32_t)(next_random(seed) % TEMPLATE_COUNT));
    }
    shop.many = next_random(seed) % 2;
    (void)shop_acts(&shop);
    shop.definitions->friend_added = shop_start(&shop, 0);
    shop.definitions->friend_unblocked = shop_start(&shop, 0);
    shop.definitions->friend_existing = shop_start(&shop, 2);
    shop_input(&shop, (struct input){.kind = INPUT_CLAIM, .u.claim = {.run_id = "first run"}});
    shop_apply(&shop);
}

static inline void
random_step(uint64_t *seed)
{
    char who[8];
    snprintf(who, sizeof(who), "U%d", (int)(next_random(seed) % 5));
    uint32_t friend = state_find_friend(engine_state(shop.engine), span_cstr(who));
    switch (next_random(seed) % 18) {
    case 0:
        shop_act(&shop, INPUT_FOLLOW, who, NULL);
        break;
    case 1:
        shop_act(&shop, INPUT_UNFOLLOW, who, NULL);
        break;
    case 2:
        shop_act(&shop, INPUT_MESSAGE, who, "text");
        break;
    case 3:
        if (friend != NO_ID) {
            shop_input(&shop,
                       (struct input){
                           .kind = INPUT_START_SCENARIO,
                           .u.scenario = {.friend = friend,
                                          .scenario = (uint32_t)(next_random(seed) % SCENARIOS_MAX),
                                          .at_step = NO_ID}});
        }
        break;
    case 4:
        if (friend != NO_ID) {
            shop_input(&shop,
                       (struct input){.kind = INPUT_TAG,
                                      .u.tag = {friend, (uint32_t)(next_random(seed) % TAG_COUNT),
                                                next_random(seed) % 2}});
        }
        break;
    case 14:
        if (friend != NO_ID) {
            shop_input(&shop,
                       (struct input){.kind = next_random(seed) % 2 ? INPUT_BLOCK : INPUT_LIST,
                                      .u.list = {friend, next_random(seed) % 3 == 0}});
        }
        break;
    case 5: { /* an outcome of any kind for one that is due */
        const struct delivery *row = shop_take(&shop);
        if (row != NULL) {
            shop_outcome(&shop, row, (enum delivery_result)(1 + next_random(seed) % 5));
        }
        break;
    }
    case 12:
        if (friend != NO_ID) {
            shop_input(&shop,
                       (struct input){.kind = INPUT_SCORE,
                                      .u.score = {friend, (int64_t)(next_random(seed) % 9)}});
        }
        break;
    case 13: { /* one enrolment, or all of a scenario */
        bool whole = friend == NO_ID || next_random(seed) % 3 == 0;
        shop_input(&shop, (struct input){.kind = next_random(seed) % 2 ? INPUT_PAUSE : INPUT_RESUME,
                                         .u.scenario = {.friend = whole ? NO_ID : friend,
                                                        .scenario = (uint32_t)(next_random(seed) %
                                                                               SCENARIOS_MAX),
                                                        .shift = next_random(seed) % 2}});
        break;
    }
    case 6:
        (void)shop_deliver(&shop);
        break;
    case 7:
        shop_input(&shop, (struct input){.kind = INPUT_QUOTA,
                                         .u.quota = {.limit = (uint32_t)(next_random(seed) % 20)}});
        shop_input(&shop,
                   (struct input){.kind = INPUT_LINE_QUOTA,
                                  .u.line_quota = {.limited = next_random(seed) % 2,
                                                   .limit = (uint32_t)(next_random(seed) % 30),
                                                   .used = (uint32_t)(next_random(seed) % 10),
                                                   .spent = next_random(seed) % 4 == 0}});
        break;
    case 8:
        shop_input(&shop, (struct input){.kind = INPUT_CAP,
                                         .u.cap = {(uint32_t)(next_random(seed) % SCENARIOS_MAX),
                                                   (uint32_t)(1 + next_random(seed) % 9)}});
        break;
    case 9:
        shop_input(&shop, (struct input){.kind = next_random(seed) % 4 == 0 ? INPUT_BROADCAST_CANCEL
                                                                            : INPUT_BROADCAST_FIT,
                                         .u.broadcast = {(uint32_t)(next_random(seed) % 3),
                                                         next_random(seed) % 2}});
        break;
    case 10:
        (void)engine_work(shop.engine, shop.now_ms, &shop.events);
        break;
    case 11:
        if (friend != NO_ID) {
            uint64_t what = next_random(seed);
            random_act(&shop, friend, what, next_random(seed));
        }
        break;
    default:
        shop_until(&shop, shop.now_ms + (int64_t)(next_random(seed) % (20 * 3600000)));
        break;
    }
}

#endif
