/* shop - a small set of definitions built by hand, and a shopkeeper who drives an engine with it.
 *
 * Shape    Tokyo time, two lanes, tags; scenarios are given as arrays of steps. The shop answers every
 *          intent at once with "sent" unless the test takes over.
 * Units    UTC milliseconds; jst() turns local dates into them.
 * Errors   asserts.
 * Owner    shop_open()/shop_close().
 */
#ifndef TESTS_ENGINE_SHOP_H
#define TESTS_ENGINE_SHOP_H

#include "engine/crowd.h"
#include "engine/engine.h"
#include <assert.h>
#include <stdlib.h>

enum { TAG_VIP, TAG_BOUGHT, TAG_COUNT };
enum { T_HELLO, T_SECOND, T_THIRD, T_ANSWER, T_BIG, TEMPLATE_COUNT };
enum { STEPS_MAX = 8, SCENARIOS_MAX = 4, BROADCASTS_MAX = 3 };

struct shop {
    struct definitions *definitions;
    struct scenario scenarios[SCENARIOS_MAX];
    struct step steps[SCENARIOS_MAX][STEPS_MAX];
    struct broadcast broadcasts[BROADCASTS_MAX]; /* never due before a test says when */
    struct engine *engine;
    struct events events;
    int64_t now_ms;
    bool many;                   /* what is the same for many goes in one request */
    uint32_t friends[CROWD_MAX]; /* of the newest request to many */
    uint32_t friend_count;
};

static int32_t tokyo_offset = 9 * 3600;
static char tokyo_name[] = "Asia/Tokyo";
static struct zone tokyo = {.name = tokyo_name, .offset_s = &tokyo_offset, .hash = 1};

static inline int64_t
jst(int month, int day, int hour, int minute, int second)
{
    int64_t number = civil_day_number((struct civil_date){2026, month, day});
    return civil_instant(&tokyo, number, hour * 3600 + minute * 60 + second);
}

static inline uint64_t
shop_body_hash(const struct definitions *definitions, const struct delivery_item *items,
               uint32_t item_count, const struct span *values, uint32_t value_count)
{
    (void)definitions;
    (void)values;
    return item_count * 1000 + items[0].template * 10 + value_count;
}

static inline struct body
shop_send(struct shop *shop, uint32_t template)
{
    struct arena *arena = shop->definitions->arena;
    struct action *action = arena_alloc(arena, sizeof(*action));
    uint32_t *templates = arena_alloc(arena, sizeof(*templates));
    templates[0] = template;
    action->kind = ACTION_SEND;
    action->u.send.templates = templates;
    action->u.send.template_count = 1;
    return (struct body){action, 1, true};
}

static inline struct body
shop_start(struct shop *shop, uint32_t scenario)
{
    struct action *action = arena_alloc(shop->definitions->arena, sizeof(*action));
    action->kind = ACTION_START;
    action->u.start.scenario = scenario;
    action->u.start.at_step = NO_ID;
    return (struct body){action, 1, false};
}

static inline struct body
shop_tag(struct shop *shop, uint32_t tag, bool add)
{
    struct arena *arena = shop->definitions->arena;
    struct action *action = arena_alloc(arena, sizeof(*action));
    struct tag_change *change = arena_alloc(arena, sizeof(*change));
    *change = (struct tag_change){tag, add};
    action->kind = ACTION_TAG;
    action->u.tag.changes = change;
    action->u.tag.change_count = 1;
    return (struct body){action, 1, false};
}

static inline struct condition
shop_has(struct shop *shop, uint32_t tag, bool negated)
{
    struct condition_op *ops = arena_alloc(shop->definitions->arena, 2 * sizeof(*ops));
    ops[0] = (struct condition_op){.kind = CONDITION_TAG, .id = tag};
    ops[1] = (struct condition_op){.kind = CONDITION_NOT};
    return (struct condition){ops, negated ? 2 : 1};
}

/* Appends a step and returns it, to be changed further before shop_apply(). */
static inline struct step *
shop_step(struct shop *shop, uint32_t scenario, struct timing timing, struct body body)
{
    struct scenario *row = &shop->scenarios[scenario];
    uint32_t id = row->step_count++;
    struct step *step = &shop->steps[scenario][id];
    *step = (struct step){.id = id,
                          .name = "step",
                          .timing = timing,
                          .body = body,
                          .window = {-1, 0},
                          .grace_ms = 48 * MS_PER_HOUR,
                          .message_class = CLASS_MARKETING};
    return step;
}

static const struct timing NOW = {.kind = TIMING_NOW};

static inline struct timing
after_start(int64_t ms)
{
    return (struct timing){.kind = TIMING_AFTER_START, .delay_ms = ms};
}

static inline struct timing
after_previous(int64_t ms)
{
    return (struct timing){.kind = TIMING_AFTER_PREVIOUS, .delay_ms = ms};
}

static inline struct timing
day_at(int32_t days, int32_t hour, int32_t minute)
{
    return (struct timing){.kind = TIMING_DAY_AT, .days = days, .at_min = hour * 60 + minute};
}

static inline struct names
shop_names(struct shop *shop, uint32_t count)
{
    struct name *items = arena_alloc(shop->definitions->arena, count * sizeof(*items));
    for (uint32_t i = 0; i < count; i++) {
        items[i] = (struct name){"name", true};
    }
    return (struct names){items, count};
}

static inline void
shop_open(struct shop *shop)
{
    static const struct engine_calls calls = {.body_hash = shop_body_hash};
    *shop = (struct shop){.definitions = definitions_new(), .now_ms = jst(6, 1, 0, 0, 0)};
    struct definitions *set = shop->definitions;
    set->account.zone = &tokyo;
    set->account.grace_ms = 48 * MS_PER_HOUR;
    for (int i = 0; i < CLASS_COUNT; i++) {
        set->account.class_grace_ms[i] = set->account.grace_ms;
    }
    set->tag_names = shop_names(shop, TAG_COUNT);
    set->template_names = shop_names(shop, TEMPLATE_COUNT);
    set->scenario_names = shop_names(shop, SCENARIOS_MAX);
    set->lane_names = shop_names(shop, 2);
    set->broadcast_names = shop_names(shop, BROADCASTS_MAX);
    for (uint32_t i = 0; i < BROADCASTS_MAX; i++) {
        shop->broadcasts[i] = (struct broadcast){.at_ms = INT64_MAX,
                                                 .window = {-1, 0},
                                                 .grace_ms = 48 * MS_PER_HOUR,
                                                 .message_class = CLASS_MARKETING};
    }
    set->broadcasts = shop->broadcasts;
    struct template *templates = arena_alloc(set->arena, TEMPLATE_COUNT * sizeof(*templates));
    for (uint32_t i = 0; i < TEMPLATE_COUNT; i++) {
        templates[i].object_count = i == T_BIG ? 4 : 1;
    }
    set->templates = templates;
    set->scenarios = shop->scenarios;
    for (uint32_t i = 0; i < SCENARIOS_MAX; i++) {
        shop->scenarios[i] =
            (struct scenario){.zone = &tokyo, .steps = shop->steps[i], .lane = i / 2};
    }
    shop->engine = engine_new(&calls);
    events_init(&shop->events);
    engine_wake(shop->engine, shop->now_ms);
}

static inline void
shop_close(struct shop *shop)
{
    engine_free(shop->engine);
    events_fini(&shop->events);
    definitions_release(shop->definitions);
}

static inline void
shop_input(struct shop *shop, struct input input)
{
    input.at_ms = shop->now_ms;
    engine_handle(shop->engine, &input, &shop->events);
}

static inline void
shop_apply(struct shop *shop)
{
    shop_input(shop, (struct input){.kind = INPUT_DEFINITIONS,
                                    .u.definitions = {.definitions = shop->definitions}});
}

static inline void
shop_act(struct shop *shop, enum input_kind kind, const char *who, const char *text)
{
    shop_input(shop, (struct input){.kind = kind,
                                    .u.act = {.user_id = span_cstr(who),
                                              .reply_token = span_cstr("token"),
                                              .type = span_cstr("text"),
                                              .line_at_ms = shop->now_ms,
                                              .text = span_cstr(text)}});
}

/* Everything may go, but each to one friend alone. */
static const struct take_permit SHOP_ALONE = {
    .reply = true, .push = true, .least_urgent = CLASS_MARKETING, .alone = true};
static const struct take_permit SHOP_ALL = {
    .reply = true, .push = true, .multicast = true, .least_urgent = CLASS_MARKETING};

/* Takes one; NULL when nothing is due. The row is intended when something is to be sent. */
static inline const struct delivery *
shop_take(struct shop *shop)
{
    struct taken taken;
    const struct state *state = engine_state(shop->engine);
    const struct take_permit *permit = shop->many ? &SHOP_ALL : &SHOP_ALONE;
    while (engine_take(shop->engine, shop->now_ms, permit, &shop->events, &taken) == RC_OK) {
        for (uint32_t i = 0; i < taken.count; i++) {
            shop->friends[i] = state_delivery(state, taken.rows[i])->friend;
        }
        shop->friend_count = taken.count;
        if (taken.count > 0) {
            return state_delivery(state, taken.rows[0]);
        }
    }
    return NULL;
}

static inline void
shop_outcome(struct shop *shop, const struct delivery *row, enum delivery_result result)
{
    bool many = row->crowd > 0; /* then it is the newest that was taken */
    shop_input(shop, (struct input){.kind = INPUT_OUTCOME,
                                    .u.outcome = {.friend = row->friend,
                                                  .friends = many ? shop->friends : NULL,
                                                  .friend_count = many ? shop->friend_count : 0,
                                                  .bad = NO_ID,
                                                  .delivery = many ? row->intent_seq : row->seq,
                                                  .result = result,
                                                  .code = 200}});
}

/* Takes and delivers everything due now; returns how many went. */
static inline uint32_t
shop_deliver(struct shop *shop)
{
    uint32_t count = 0;
    const struct delivery *row;
    while (engine_work(shop->engine, shop->now_ms, &shop->events)) {
    }
    while ((row = shop_take(shop)) != NULL) {
        count += row->crowd > 0 ? shop->friend_count : 1;
        shop_outcome(shop, row, RESULT_SENT);
    }
    return count;
}

/* Goes to an instant, delivering what is due on the way, each at its own instant. */
static inline uint32_t
shop_until(struct shop *shop, int64_t until_ms)
{
    uint32_t count = shop_deliver(shop);
    for (;;) {
        int64_t next_ms = engine_next_due(shop->engine, shop->now_ms);
        if (next_ms > until_ms) {
            break;
        }
        shop->now_ms = next_ms;
        count += shop_deliver(shop);
    }
    shop->now_ms = until_ms;
    return count;
}

/* The n-th event of a kind so far (from 0); NULL when there are fewer. */
static inline const struct event *
shop_event(const struct shop *shop, enum event_kind kind, uint32_t n)
{
    for (uint32_t i = 0; i < shop->events.count; i++) {
        if (shop->events.items[i].kind == kind && n-- == 0) {
            return &shop->events.items[i];
        }
    }
    return NULL;
}

static inline uint32_t
shop_count(const struct shop *shop, enum event_kind kind)
{
    uint32_t count = 0;
    while (shop_event(shop, kind, count) != NULL) {
        count++;
    }
    return count;
}

#endif
