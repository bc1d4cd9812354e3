#include "engine/menu.h"

#include "engine/tables.h"

enum { FRIENDS_A_SLICE = 1000 };

static bool
in_force(const struct state *state, uint32_t menu)
{
    const struct names *names = &state->definitions->rich_menu_names;
    return menu < names->count && names->items[menu].in_force;
}

static uint32_t
menu_of(const struct turn *turn, uint32_t friend)
{
    const struct state *state = turn->state;
    const struct definitions *definitions = state->definitions;
    int64_t day = civil_local_day(definitions->account.zone, turn->now_ms);
    uint32_t override = state_friend_more(state, friend)->menu_override;
    if (in_force(state, override)) {
        return override == definitions->default_menu ? NO_ID : override;
    }
    for (uint32_t i = 0; i < definitions->rich_menu_count; i++) {
        const struct rich_menu *menu = &definitions->rich_menus[i];
        bool valid = !menu->has_valid || (day >= menu->first_day && day <= menu->last_day);
        if (menu->has_condition && valid && condition_holds(turn, friend, &menu->condition)) {
            return menu->id == definitions->default_menu ? NO_ID : menu->id;
        }
    }
    return NO_ID;
}

static void
decide(struct turn *turn, uint32_t friend)
{
    uint32_t menu = menu_of(turn, friend);
    if (state_friend(turn->state, friend)->forgotten ||
        menu == state_friend_more(turn->state, friend)->menu) {
        return;
    }
    struct event shown = {.kind = EVENT_MENU_SHOWN, .friend = friend, .u.menu = {.menu = menu}};
    turn_emit(turn, &shown);
}

void
menu_override(struct turn *turn, uint32_t friend, uint32_t menu, struct source source)
{
    if (state_friend_more(turn->state, friend)->menu_override == menu) {
        return;
    }
    struct event set = {
        .kind = EVENT_MENU_SET, .friend = friend, .source = source, .u.menu = {.menu = menu}};
    turn_emit(turn, &set);
}

void
menu_settle(struct turn *turn)
{
    if (turn->state->definitions->rich_menu_count == 0) {
        return;
    }
    uint32_t last = NO_ID;
    for (uint32_t i = turn->menus_settled; i < turn->out->count; i++) {
        uint32_t friend = turn->out->items[i].friend;
        if (friend != NO_ID && friend != last) {
            decide(turn, friend);
            last = friend;
        }
    }
    turn->menus_settled = turn->out->count;
}

uint32_t
state_menu(const struct state *state, uint32_t friend)
{
    uint32_t menu = state_friend_more(state, friend)->menu;
    return menu == NO_ID ? state->definitions->default_menu : menu;
}

bool
menu_look_through(struct turn *turn)
{
    const struct state *state = turn->state;
    if (menu_next_look(state, turn->now_ms) > turn->now_ms) {
        return false;
    }
    int64_t day = civil_local_day(state->definitions->account.zone, turn->now_ms);
    uint32_t from = state->menus_day == day ? state->menus_from : 0;
    uint32_t up_to = state->friends.count - from > FRIENDS_A_SLICE ? from + FRIENDS_A_SLICE
                                                                   : state->friends.count;
    for (uint32_t friend = from; friend < up_to; friend ++) {
        turn->starts = 0; /* each friend by itself */
        decide(turn, friend);
    }
    struct event looked = {.kind = EVENT_MENUS_LOOKED_THROUGH,
                           .friend = NO_ID,
                           .u.menus = {.up_to = up_to, .day = day}};
    turn_emit(turn, &looked);
    return true;
}

int64_t
menu_next_look(const struct state *state, int64_t now_ms)
{
    const struct zone *zone = state->definitions->account.zone;
    if (state->definitions->rich_menu_count == 0) {
        return INT64_MAX;
    }
    if (state->menus_from < state->friends.count ||
        state->menus_day < civil_local_day(zone, now_ms)) {
        return now_ms;
    }
    return civil_instant(zone, state->menus_day + 1, 0);
}

void
menu_apply(struct state *state, const struct event *event)
{
    if (event->kind == EVENT_MENUS_LOOKED_THROUGH) {
        state->menus_from = event->u.menus.up_to;
        state->menus_day = event->u.menus.day;
    } else if (event->kind == EVENT_MENU_SET) {
        tables_friend_more(state, event->friend)->menu_override = event->u.menu.menu;
    } else {
        tables_friend_more(state, event->friend)->menu = event->u.menu.menu;
    }
}
