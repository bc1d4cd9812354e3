#include "engine/calendar.h"

#include "engine/reminder.h"
#include "engine/tables.h"

static const struct calendar *
calendar_of(const struct state *state, uint32_t calendar)
{
    return &state->definitions->calendars[calendar];
}

const struct event_slot *
calendar_slot(const struct calendar *calendar, uint32_t slot)
{
    for (uint32_t i = 0; i < calendar->slot_count; i++) {
        if (calendar->slots[i].id == slot) {
            return &calendar->slots[i];
        }
    }
    return NULL;
}

int64_t
calendar_deadline(const struct deadline *deadline, const struct zone *zone, int64_t at_ms)
{
    switch (deadline->kind) {
    case DEADLINE_START:
        return at_ms;
    case DEADLINE_BEFORE:
        return at_ms - deadline->before_ms;
    case DEADLINE_DAYS_BEFORE_AT:
        return civil_instant(zone, civil_local_day(zone, at_ms) - deadline->days,
                             deadline->at_min * 60);
    case DEADLINE_AT:
        return deadline->at_ms;
    }
    return at_ms;
}

static bool
is_closed(const struct calendar *calendar, int64_t day)
{
    for (uint32_t i = 0; i < calendar->closed_count; i++) {
        if (day >= calendar->closed[i].first && day <= calendar->closed[i].last) {
            return true;
        }
    }
    return false;
}

/* 0: Monday. 1970-01-01 was a Thursday. */
static int
weekday(int64_t day)
{
    int64_t rest = (day + 3) % 7;
    return (int)(rest < 0 ? rest + 7 : rest);
}

/* The instant of a minute of a day, which may lie on the next one. */
static int64_t
minute_of(const struct zone *zone, int64_t day, int32_t minute)
{
    return minute > 1440 ? civil_instant(zone, day + 1, (minute - 1440) * 60)
                         : civil_instant(zone, day, minute * 60);
}

static bool
day_offers(const struct calendar *calendar, const struct zone *zone, int64_t day, int64_t at_ms)
{
    static const struct opening ALWAYS = {.days = 0x7f, .from_min = 0, .to_min = 1440};
    const struct opening *hours = calendar->hours_count == 0 ? &ALWAYS : calendar->hours;
    uint32_t count = calendar->hours_count == 0 ? 1 : calendar->hours_count;
    for (uint32_t i = 0; i < count && !is_closed(calendar, day); i++) {
        if ((hours[i].days >> weekday(day) & 1) == 0) {
            continue;
        }
        int64_t from_ms = minute_of(zone, day, hours[i].from_min);
        int64_t to_ms = minute_of(zone, day, hours[i].to_min);
        if (at_ms >= from_ms && at_ms + calendar->slot_ms <= to_ms &&
            (at_ms - from_ms) % calendar->slot_ms == 0) {
            return true;
        }
    }
    return false;
}

bool
calendar_offers(const struct calendar *calendar, const struct zone *zone, int64_t at_ms)
{
    if (calendar->slot_ms == 0) {
        return false;
    }
    int64_t day = civil_local_day(zone, at_ms);
    return day_offers(calendar, zone, day, at_ms) || day_offers(calendar, zone, day - 1, at_ms);
}

/* --- what is booked --- */

uint32_t
state_open_booking(const struct state *state, uint32_t friend, uint32_t calendar, int64_t now_ms)
{
    uint32_t first = NO_ID;
    for (uint32_t i = state_friend_more(state, friend)->first_booking; i != NO_ID;
         i = state_booking(state, i)->next) {
        const struct booking *row = state_booking(state, i);
        if (row->phase == BOOKING_OPEN && row->at_ms >= now_ms &&
            (calendar == NO_ID || row->calendar == calendar) &&
            (first == NO_ID || row->at_ms < state_booking(state, first)->at_ms)) {
            first = i;
        }
    }
    return first;
}

uint32_t
state_newest_booking(const struct state *state, uint32_t friend, uint32_t calendar)
{
    uint32_t newest = NO_ID;
    for (uint32_t i = state_friend_more(state, friend)->first_booking; i != NO_ID;
         i = state_booking(state, i)->next) {
        const struct booking *row = state_booking(state, i);
        if ((calendar == NO_ID || row->calendar == calendar) &&
            (newest == NO_ID || row->seq > state_booking(state, newest)->seq)) {
            newest = i;
        }
    }
    return newest;
}

static bool
is_same_slot(const struct booking *row, const struct booking_wish *wish)
{
    return row->phase == BOOKING_OPEN && row->calendar == wish->calendar &&
           row->slot == wish->slot && (row->slot != NO_ID || row->at_ms == wish->at_ms);
}

/* Looks through all bookings, which is done where somebody books and never in replay. */
uint32_t
state_slot_taken(const struct state *state, const struct booking_wish *wish)
{
    uint32_t taken = 0;
    for (uint32_t i = 0; i < state->bookings.count; i++) {
        taken += is_same_slot(state_booking(state, i), wish) ? 1 : 0;
    }
    return taken;
}

/* --- may it be booked? --- */

/* Bookings of the friend that count against what one may have; `except` is being given up. */
static bool
is_over_limit(const struct turn *turn, uint32_t friend, const struct booking_wish *wish,
              uint32_t except)
{
    const struct state *state = turn->state;
    const struct calendar *calendar = calendar_of(state, wish->calendar);
    uint32_t open = 0;
    for (uint32_t i = state_friend_more(state, friend)->first_booking; i != NO_ID;
         i = state_booking(state, i)->next) {
        const struct booking *row = state_booking(state, i);
        if (i == except || row->phase != BOOKING_OPEN || row->calendar != wish->calendar) {
            continue;
        }
        if (calendar->times == TIMES_ONCE ||
            (calendar->times == TIMES_SLOT && row->slot == wish->slot)) {
            return true;
        }
        open += row->at_ms >= turn->now_ms ? 1 : 0;
    }
    return calendar->per_friend > 0 && open >= calendar->per_friend;
}

/* REASON_NONE: it may. The instant of an event's slot is filled in. */
static enum reason
judge(const struct turn *turn, uint32_t friend, struct booking_wish *wish, uint32_t except)
{
    const struct state *state = turn->state;
    const struct calendar *calendar = calendar_of(state, wish->calendar);
    const struct zone *zone = state->definitions->account.zone;
    const struct event_slot *slot = calendar_slot(calendar, wish->slot);
    const struct deadline *until = slot == NULL ? &calendar->book_until : &slot->book_until;
    uint32_t capacity = slot == NULL ? calendar->capacity : slot->capacity;
    if (slot != NULL) {
        wish->at_ms = slot->at_ms;
    }
    if (calendar->is_event ? slot == NULL : !calendar_offers(calendar, zone, wish->at_ms)) {
        return REASON_CLOSED;
    }
    if (wish->at_ms < turn->now_ms) {
        return REASON_PAST;
    }
    if (!wish->by_operator && turn->now_ms > calendar_deadline(until, zone, wish->at_ms)) {
        return REASON_DEADLINE;
    }
    if (is_over_limit(turn, friend, wish, except)) {
        return REASON_LIMIT;
    }
    uint32_t taken = state_slot_taken(state, wish);
    if (except != NO_ID && is_same_slot(state_booking(state, except), wish)) {
        taken--; /* its own place */
    }
    return taken >= capacity ? REASON_FULL : REASON_NONE;
}

/* REASON_NONE: the friend's next booking there may be given up. */
static enum reason
judge_giving_up(const struct turn *turn, uint32_t booking, const struct booking_wish *wish)
{
    if (booking == NO_ID) {
        return REASON_NO_BOOKING;
    }
    const struct calendar *calendar = calendar_of(turn->state, wish->calendar);
    int64_t until_ms =
        calendar_deadline(&calendar->cancel_until, turn->state->definitions->account.zone,
                          state_booking(turn->state, booking)->at_ms);
    return !wish->by_operator && turn->now_ms > until_ms ? REASON_CANCEL_DEADLINE : REASON_NONE;
}

/* --- doing it --- */

static struct event
booking_event(enum event_kind kind, uint32_t friend, uint32_t booking,
              const struct booking_wish *wish, struct source source)
{
    return (struct event){.kind = kind,
                          .friend = friend,
                          .source = source,
                          .u.booking = {.booking = booking,
                                        .calendar = wish->calendar,
                                        .slot = wish->slot,
                                        .at_ms = wish->at_ms}};
}

static void
run(struct turn *turn, uint32_t friend, uint32_t calendar, const struct body *body)
{
    turn_run(turn, friend, body, (struct source){SOURCE_CALENDAR, calendar, 0});
}

/* A booking's reminders are told apart from another one's by the event that made it. */
static uint64_t
reminder_key(const struct turn *turn, uint32_t booking)
{
    return REMINDER_KEY_OWN | state_booking(turn->state, booking)->made_seq;
}

/* SPEC R39: the goal is the slot's start; a change starts them anew, all steps. The body that ran before
 * may have cancelled the booking or moved it on: then there is nothing left to remind of. */
static void
start_reminders(struct turn *turn, const struct event *event)
{
    const struct booking *row = state_booking(turn->state, event->u.booking.booking);
    const struct calendar *calendar = calendar_of(turn->state, event->u.booking.calendar);
    if (row->phase != BOOKING_OPEN || row->seq != event->seq) {
        return;
    }
    uint64_t key = reminder_key(turn, event->u.booking.booking);
    for (uint32_t i = 0; i < calendar->reminder_count; i++) {
        reminder_restart(turn, event->friend, calendar->reminders[i], key, event->u.booking.at_ms,
                         (struct source){SOURCE_CALENDAR, event->u.booking.calendar, 0});
    }
}

static void
cancel_reminders(struct turn *turn, const struct event *event)
{
    const struct calendar *calendar = calendar_of(turn->state, event->u.booking.calendar);
    uint64_t key = reminder_key(turn, event->u.booking.booking);
    for (uint32_t i = 0; i < calendar->reminder_count; i++) {
        reminder_cancel(turn, event->friend, calendar->reminders[i], key,
                        (struct source){SOURCE_CALENDAR, event->u.booking.calendar, 0});
    }
}

static void
refuse(struct turn *turn, uint32_t friend, const struct booking_wish *wish, enum reason reason,
       struct source source)
{
    struct event refused = booking_event(EVENT_BOOKING_REFUSED, friend, NO_ID, wish, source);
    refused.u.booking.reason = reason;
    turn_emit(turn, &refused);
    run(turn, friend, wish->calendar, &calendar_of(turn->state, wish->calendar)->on_refused);
}

bool
calendar_book(struct turn *turn, uint32_t friend, const struct booking_wish *wanted,
              struct source source)
{
    struct booking_wish wish = *wanted;
    enum reason reason = judge(turn, friend, &wish, NO_ID);
    if (reason != REASON_NONE) {
        refuse(turn, friend, &wish, reason, source);
        return false;
    }
    uint32_t booking = tables_next_booking(turn->state, friend, wish.calendar);
    struct event booked = booking_event(EVENT_BOOKED, friend, booking, &wish, source);
    booked.seq = turn_emit(turn, &booked)->seq;
    run(turn, friend, wish.calendar, &calendar_of(turn->state, wish.calendar)->on_book);
    start_reminders(turn, &booked);
    return true;
}

static bool
change(struct turn *turn, uint32_t friend, const struct booking_wish *wanted, struct source source)
{
    struct booking_wish wish = *wanted;
    uint32_t booking = state_open_booking(turn->state, friend, wish.calendar, turn->now_ms);
    enum reason reason = judge_giving_up(turn, booking, &wish);
    if (reason == REASON_NONE) {
        reason = judge(turn, friend, &wish, booking);
    }
    if (reason != REASON_NONE) {
        refuse(turn, friend, &wish, reason, source);
        return false;
    }
    struct event changed = booking_event(EVENT_BOOKING_CHANGED, friend, booking, &wish, source);
    changed.u.booking.from_ms = state_booking(turn->state, booking)->at_ms;
    changed.seq = turn_emit(turn, &changed)->seq;
    run(turn, friend, wish.calendar, &calendar_of(turn->state, wish.calendar)->on_change);
    start_reminders(turn, &changed);
    return true;
}

bool
calendar_cancel(struct turn *turn, uint32_t friend, const struct booking_wish *wanted,
                struct source source)
{
    struct booking_wish wish = *wanted;
    uint32_t booking = state_open_booking(turn->state, friend, wish.calendar, turn->now_ms);
    enum reason reason = judge_giving_up(turn, booking, &wish);
    if (booking != NO_ID) {
        wish.slot = state_booking(turn->state, booking)->slot;
        wish.at_ms = state_booking(turn->state, booking)->at_ms;
    }
    if (reason != REASON_NONE) {
        refuse(turn, friend, &wish, reason, source);
        return false;
    }
    struct event cancelled = booking_event(EVENT_BOOKING_CANCELLED, friend, booking, &wish, source);
    turn_emit(turn, &cancelled);
    cancel_reminders(turn, &cancelled);
    run(turn, friend, wish.calendar, &calendar_of(turn->state, wish.calendar)->on_cancel);
    return true;
}

void
calendar_decide(struct turn *turn, const struct input *input)
{
    uint32_t friend = input->u.booking.friend;
    const struct booking_wish wish = {.calendar = input->u.booking.calendar,
                                      .slot = input->u.booking.slot,
                                      .at_ms = input->u.booking.at_ms,
                                      .by_operator = input->u.booking.by_operator};
    struct source source = {0};
    if (wish.by_operator) {
        source = (struct source){SOURCE_OPERATOR, input->author, 0};
    }
    if (state_friend(turn->state, friend)->forgotten) {
        return;
    }
    turn_open_answer(turn, friend);
    if (input->kind == INPUT_BOOK) {
        calendar_book(turn, friend, &wish, source);
    } else if (input->kind == INPUT_CHANGE_BOOKING) {
        change(turn, friend, &wish, source);
    } else {
        calendar_cancel(turn, friend, &wish, source);
    }
    turn_close_answer(turn);
}

/* apply */

void
calendar_apply(struct state *state, const struct event *event)
{
    uint32_t index = event->u.booking.booking;
    if (event->kind == EVENT_BOOKED) {
        if (index == tables_next_booking(state, event->friend, event->u.booking.calendar)) {
            struct booking *row = tables_add_booking(state, index, event->friend);
            row->calendar = event->u.booking.calendar;
            row->slot = event->u.booking.slot;
            row->at_ms = event->u.booking.at_ms;
            row->phase = BOOKING_OPEN;
            row->made_seq = event->seq;
            row->seq = event->seq;
        }
        return;
    }
    if (index >= state->bookings.count || tables_booking(state, index)->friend != event->friend ||
        tables_booking(state, index)->phase != BOOKING_OPEN) {
        return;
    }
    struct booking *row = tables_booking(state, index);
    row->seq = event->seq;
    if (event->kind == EVENT_BOOKING_CHANGED) {
        row->slot = event->u.booking.slot;
        row->at_ms = event->u.booking.at_ms;
    } else {
        row->phase = BOOKING_CANCELLED;
    }
}
