/* menu - which rich menu a friend is shown (SPEC R38).
 *
 * Shape    an override of the friend, else the first menu in order whose period and condition hold, else the
 *          default. It is decided again after everything that happens to the friend, and for all friends,
 *          a slice a pass, after new definitions and when a day begins; each change is an event. Showing it
 *          at LINE is the daemon's.
 * Units    ids; days of the account.
 * Errors   none.
 * Owner    definitions are the set's; what is shown stands in the friend's row.
 */
#ifndef ENGINE_MENU_H
#define ENGINE_MENU_H

#include "engine/turn.h"

struct rich_menu {
    uint32_t id;
    struct condition condition;
    bool has_condition; /* without one it is shown as the default, or by an override */
    bool has_valid;
    int64_t first_day, last_day; /* both included */
};

/* The one that is shown; NO_ID: none, as there is no default. */
uint32_t state_menu(const struct state *state, uint32_t friend);
/* The friend's own; NO_ID: what the conditions say. */
void menu_override(struct turn *turn, uint32_t friend, uint32_t menu, struct source source);
/* Decides for whom something has happened in this turn. */
void menu_settle(struct turn *turn);
/* Some more friends of a look through all of them. False: nothing is to be looked at. */
bool menu_look_through(struct turn *turn);
/* When the next look is due: now_ms while one is under way, else when the day ends; INT64_MAX: never. */
int64_t menu_next_look(const struct state *state, int64_t now_ms);
void menu_apply(struct state *state, const struct event *event);

#endif
