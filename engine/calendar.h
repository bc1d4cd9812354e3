/* calendar - slots that friends book, change and cancel: calendars and events (SPEC R39, R62).
 *
 * Shape    a calendar offers slots of one length within its hours, an event the slots it lists. Who may
 *          not book is refused with the reason. A change is one event: cancelled there and booked here at
 *          once. A cancelled booking's row stays until the same friend books there again, so that what
 *          is said of it can still name its slot.
 * Units    UTC milliseconds; hours in the account's zone.
 * Errors   none.
 * Owner    definitions are the set's; rows are the state's.
 */
#ifndef ENGINE_CALENDAR_H
#define ENGINE_CALENDAR_H

#include "engine/turn.h"

enum deadline_kind {
    DEADLINE_START,          /* the slot's own start */
    DEADLINE_BEFORE,         /* before_ms before it */
    DEADLINE_DAYS_BEFORE_AT, /* days, at_min; 0 days: the slot's own day */
    DEADLINE_AT,             /* at_ms */
};
struct deadline { /* inclusive (SPEC R39) */
    enum deadline_kind kind;
    int64_t before_ms;
    int32_t days, at_min;
    int64_t at_ms;
};

struct opening {  /* hours belong to the day they begin on */
    uint8_t days; /* bit 0: Monday */
    int32_t from_min;
    int32_t to_min; /* above 1440: after midnight */
};
struct day_range { /* both days included */
    int64_t first, last;
};
struct event_slot {
    uint32_t id;
    int64_t at_ms;
    uint32_t capacity;
    const char *place; /* NULL: none is said */
    struct deadline book_until;
};
enum times { TIMES_ANY, TIMES_SLOT, TIMES_ONCE };

struct calendar {
    const char *title; /* NULL when the file has none */
    bool is_event;
    const struct opening *hours; /* none: every day, all day */
    uint32_t hours_count;
    const struct day_range *closed;
    uint32_t closed_count;
    int64_t slot_ms; /* 0: nothing is offered (removed) */
    uint32_t capacity;
    const struct event_slot *slots; /* of an event */
    uint32_t slot_count;
    uint32_t per_friend; /* open bookings of one friend; 0: any number */
    enum times times;
    struct deadline book_until, cancel_until;
    struct body on_book, on_change, on_cancel, on_refused;
    const uint32_t *reminders; /* started with a booking, moved and cancelled with it */
    uint32_t reminder_count;
};

/* What is asked for: a slot of an event, or an instant of a calendar (slot NO_ID). */
struct booking_wish {
    uint32_t calendar;
    uint32_t slot;
    int64_t at_ms;
    bool by_operator; /* not bound by deadlines */
};

/* An act of the friend, or of an operator for them: what it sends is of class response. */
void calendar_decide(struct turn *turn, const struct input *input);
/* Inside other actions; true when it was not refused. */
bool calendar_book(struct turn *turn, uint32_t friend, const struct booking_wish *wish,
                   struct source source);
bool calendar_cancel(struct turn *turn, uint32_t friend, const struct booking_wish *wish,
                     struct source source);
void calendar_apply(struct state *state, const struct event *event);

/* May a slot begin at that instant? */
bool calendar_offers(const struct calendar *calendar, const struct zone *zone, int64_t at_ms);
int64_t calendar_deadline(const struct deadline *deadline, const struct zone *zone, int64_t at_ms);
const struct event_slot *calendar_slot(const struct calendar *calendar, uint32_t slot);

/* Has the friend an open booking there that has not begun? NO_ID: in any calendar. The first to come;
 * NO_ID: none. */
uint32_t state_open_booking(const struct state *state, uint32_t friend, uint32_t calendar,
                            int64_t now_ms);
/* The booking of the friend that was made, changed or cancelled last; NO_ID: none. */
uint32_t state_newest_booking(const struct state *state, uint32_t friend, uint32_t calendar);
/* How many hold that slot. */
uint32_t state_slot_taken(const struct state *state, const struct booking_wish *wish);

#endif
