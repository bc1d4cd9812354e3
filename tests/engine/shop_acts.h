/* shop_acts - what friends do on the shop's pages: a form, a calendar, an event, a conversion, a route,
 * a link.
 *
 * Shape    shop_acts() adds them to the shop's definitions before they are applied; random_act() is one
 *          answering, booking, change, cancelling or conversion, drawn from the numbers given.
 * Units    UTC milliseconds.
 * Errors   none.
 * Owner    the shop's arena.
 */
#ifndef TESTS_ENGINE_SHOP_ACTS_H
#define TESTS_ENGINE_SHOP_ACTS_H

#include "engine/calendar.h"
#include "engine/conversion.h"
#include "engine/form.h"
#include "engine/link.h"
#include "engine/route.h"
#include "tests/engine/shop.h"

enum { OPTION_FEW, OPTION_MANY, OPTION_COUNT };
enum { CALENDAR_DAYS, CALENDAR_EVENT, CALENDAR_COUNT };
enum { CONVERSION_EVERY, CONVERSION_FIRST, CONVERSION_COUNT };

/* Returns the calendars, which may be changed until they are applied. */
static inline struct calendar *
shop_acts(struct shop *shop)
{
    struct definitions *set = shop->definitions;
    struct arena *arena = set->arena;
    struct option *options = arena_alloc(arena, OPTION_COUNT * sizeof(*options));
    options[OPTION_FEW] = (struct option){.id = OPTION_FEW, .label = "few", .capacity = 2};
    options[OPTION_FEW].body = shop_tag(shop, TAG_VIP, true);
    options[OPTION_MANY] = (struct option){.id = OPTION_MANY, .label = "many"};
    struct question *questions = arena_alloc(arena, 2 * sizeof(*questions));
    questions[0] = (struct question){.id = 0,
                                     .type = QUESTION_CHOICE,
                                     .into = NO_ID,
                                     .options = options,
                                     .option_count = OPTION_COUNT};
    questions[1] = (struct question){.id = 1, .type = QUESTION_TEXT, .into = NO_ID};
    struct form *form = arena_alloc(arena, sizeof(*form));
    *form = (struct form){.limit = 4,
                          .deadline_ms = INT64_MAX,
                          .questions = questions,
                          .question_count = 2,
                          .on_submit = shop_send(shop, T_ANSWER),
                          .on_refused = shop_send(shop, T_SECOND)};
    struct event_slot *slot = arena_alloc(arena, sizeof(*slot));
    *slot = (struct event_slot){.at_ms = jst(6, 20, 20, 0, 0), .capacity = 2};
    struct calendar *calendars = arena_alloc(arena, CALENDAR_COUNT * sizeof(*calendars));
    calendars[CALENDAR_DAYS] = (struct calendar){.slot_ms = MS_PER_DAY,
                                                 .capacity = 2,
                                                 .per_friend = 2,
                                                 .on_book = shop_send(shop, T_ANSWER),
                                                 .on_cancel = shop_send(shop, T_THIRD)};
    calendars[CALENDAR_EVENT] = (struct calendar){
        .is_event = true, .slots = slot, .slot_count = 1, .capacity = 2, .times = TIMES_ONCE};
    struct conversion *conversions = arena_alloc(arena, CONVERSION_COUNT * sizeof(*conversions));
    conversions[CONVERSION_EVERY].body = shop_send(shop, T_SECOND);
    conversions[CONVERSION_FIRST] =
        (struct conversion){.first_only = true, .body = shop_start(shop, 1)};
    struct route *routes = arena_alloc(arena, 2 * sizeof(*routes));
    routes[0] = (struct route){.any_time = true, .body = shop_send(shop, T_SECOND)};
    routes[1] = (struct route){
        .ignores_friend_add = true, .operates_scenario = true, .body = shop_start(shop, 3)};
    struct link *link = arena_alloc(arena, sizeof(*link));
    *link = (struct link){.track = TRACK_LIFF, .body = shop_tag(shop, TAG_BOUGHT, true)};
    set->route_names = shop_names(shop, 2);
    set->link_names = shop_names(shop, 1);
    set->routes = routes;
    set->links = link;
    set->form_names = shop_names(shop, 1);
    set->question_names = shop_names(shop, 2);
    set->option_names = shop_names(shop, OPTION_COUNT);
    set->calendar_names = shop_names(shop, CALENDAR_COUNT);
    set->slot_names = shop_names(shop, 1);
    set->conversion_names = shop_names(shop, CONVERSION_COUNT);
    set->forms = form;
    set->calendars = calendars;
    set->conversions = conversions;
    return calendars;
}

static inline void
shop_answers(struct shop *shop, uint32_t friend, uint32_t option, const char *text)
{
    const struct form_answer answers[] = {
        {.question = 0, .option = option},
        {.question = 1, .option = NO_ID, .text = span_cstr(text)}};
    shop_input(shop, (struct input){.kind = INPUT_FORM,
                                    .u.form = {.friend = friend,
                                               .answers = answers,
                                               .answer_count = text == NULL ? 1 : 2}});
}

static inline void
shop_books(struct shop *shop, enum input_kind kind, uint32_t friend, uint32_t calendar,
           int64_t at_ms)
{
    shop_input(shop, (struct input){.kind = kind,
                                    .u.booking = {.friend = friend,
                                                  .calendar = calendar,
                                                  .slot = calendar == CALENDAR_EVENT ? 0 : NO_ID,
                                                  .at_ms = at_ms}});
}

static inline void
shop_converts(struct shop *shop, uint32_t friend, uint32_t conversion)
{
    shop_input(shop,
               (struct input){.kind = INPUT_CONVERSION, .u.conversion = {friend, conversion}});
}

static inline void
random_act(struct shop *shop, uint32_t friend, uint64_t what, uint64_t where)
{
    static const enum input_kind KINDS[] = {INPUT_BOOK, INPUT_CHANGE_BOOKING, INPUT_CANCEL_BOOKING};
    int64_t day = civil_local_day(&tokyo, shop->now_ms) + (int64_t)(where % 4);
    if (what % 7 == 5) {
        const char *const people[] = {"U1", "U2", "S1", "S2"}; /* friends, and who may become one */
        shop_input(shop, (struct input){.kind = INPUT_SCAN,
                                        .u.scan = {.user_id = span_cstr(people[where % 4]),
                                                   .route = (uint32_t)(where / 4 % 2)}});
    } else if (what % 7 == 6) {
        shop_input(shop, (struct input){.kind = INPUT_CLICK, .u.click = {friend, 0}});
    } else if (what % 5 == 0) {
        shop_answers(shop, friend, (uint32_t)(where % OPTION_COUNT),
                     where % 3 == 0 ? NULL : "text");
    } else if (what % 5 == 1) {
        shop_converts(shop, friend, (uint32_t)(where % CONVERSION_COUNT));
    } else {
        shop_books(shop, KINDS[what % 3], friend, (uint32_t)(where / 4 % CALENDAR_COUNT),
                   civil_instant(&tokyo, day, 0));
    }
}

#endif
