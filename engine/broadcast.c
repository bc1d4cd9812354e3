/* Broadcasts: one message to everybody a condition holds for, at an instant (SPEC R33, R11).
 *
 * Due, its audience is chosen a slice of friends a pass, all as they are then; when it is known, and
 * fits into the quota, each of them gets a delivery, in friend-id order. What became of a friend is a
 * letter: '.' in, '?' blocking us, but the window is closed (SPEC R7): asked again when it opens,
 * '-' passed over: blocked or forgotten, 'a' kept out by the first term, 'b' by the second. */
#include "engine/tables.h"
#include "engine/turn.h"

enum { CHOSEN_A_SLICE = 2048, SENT_A_SLICE = 256 };
enum {
    LETTER_IN = '.',
    LETTER_ASK_AGAIN = '?',
    LETTER_BLOCKED = '-',
    LETTER_TERM = 'a',
    TERMS_TOLD = 26
};

bool
broadcast_verdict_is_in(uint8_t letter)
{
    return letter == LETTER_IN;
}

bool
broadcast_verdict_term(uint8_t letter, uint32_t *out_term)
{
    *out_term = (uint32_t)letter - LETTER_TERM;
    return letter >= LETTER_TERM && letter < LETTER_TERM + TERMS_TOLD;
}

static const struct broadcast_row NOTHING = {0};

static const struct broadcast_row *
row_of(const struct state *state, uint32_t broadcast)
{
    return broadcast < state->broadcast_capacity ? &state->broadcasts[broadcast] : &NOTHING;
}

static bool
in_force(const struct state *state, uint32_t broadcast)
{
    return broadcast < state->definitions->broadcast_names.count &&
           state->definitions->broadcast_names.items[broadcast].in_force;
}

static bool
fits(const struct state *state, uint32_t broadcast)
{
    const struct broadcast_row *row = row_of(state, broadcast);
    const struct broadcast *definition = &state->definitions->broadcasts[broadcast];
    bool partial = row->fit_set ? row->partial : definition->partial;
    return partial || row->audience_count <= state_allowance(state, definition->message_class);
}

/* Does it come on that local day? */
static bool
comes_on(const struct recurrence *every, int64_t day)
{
    if (!every->monthly) {
        return (every->days >> ((day + 4) % 7 + 7) % 7 & 1) != 0; /* day 0 was a Thursday */
    }
    struct civil_date date = civil_date_of(day);
    return every->month_day == 0 ? civil_date_of(day + 1).month != date.month
                                 : date.day == every->month_day;
}

/* The first moment of a schedule after an instant; INT64_MAX where there is none. */
static int64_t
next_moment(const struct state *state, const struct recurrence *every, int64_t after_ms)
{
    enum {
        DAYS_LOOKED_AT = 4000
    }; /* a 31st comes within two months; a day that never comes ends */
    const struct zone *zone = state->definitions->account.zone;
    int64_t first = civil_local_day(zone, after_ms);
    for (int64_t day = first; day < first + DAYS_LOOKED_AT; day++) {
        int64_t at_ms = comes_on(every, day) ? civil_instant(zone, day, every->at_min * 60) : 0;
        if (at_ms > after_ms) {
            return at_ms;
        }
    }
    return INT64_MAX;
}

/* It has not begun: the only time, or the next. */
static bool
is_waiting(const struct state *state, uint32_t broadcast)
{
    enum broadcast_phase phase = row_of(state, broadcast)->phase;
    return phase == BROADCAST_WAITING ||
           (phase == BROADCAST_DONE && state->definitions->broadcasts[broadcast].recurs);
}

/* When it is, or was, due. */
static int64_t
due_of(const struct state *state, uint32_t broadcast)
{
    const struct broadcast *definition = &state->definitions->broadcasts[broadcast];
    if (!is_waiting(state, broadcast)) {
        return row_of(state, broadcast)->due_ms;
    }
    return definition->recurs
               ? next_moment(state, &definition->every, row_of(state, broadcast)->due_ms)
               : definition->at_ms;
}

int64_t
broadcast_wake(const struct state *state, uint32_t broadcast)
{
    const struct broadcast_row *row = row_of(state, broadcast);
    if (row->phase == BROADCAST_HELD) {
        return row->stale_ms;
    }
    return in_force(state, broadcast) && is_waiting(state, broadcast) ? due_of(state, broadcast)
                                                                      : INT64_MAX;
}

bool
broadcast_is_held(const struct state *state)
{
    for (uint32_t i = 0; i < state->broadcast_capacity; i++) {
        if (state->broadcasts[i].phase == BROADCAST_HELD) {
            return true;
        }
    }
    return false;
}

static bool
has_work(const struct state *state, uint32_t broadcast)
{
    enum broadcast_phase phase = state->broadcasts[broadcast].phase;
    return phase == BROADCAST_CHOOSING || phase == BROADCAST_SENDING ||
           (phase == BROADCAST_HELD && (!in_force(state, broadcast) || fits(state, broadcast)));
}

bool
broadcast_has_work(const struct state *state)
{
    for (uint32_t i = 0; i < state->broadcast_capacity; i++) {
        if (has_work(state, i)) {
            return true;
        }
    }
    return false;
}

static struct event
event_of(const struct turn *turn, enum event_kind kind, uint32_t broadcast, enum reason reason)
{
    return (struct event){.kind = kind,
                          .friend = NO_ID,
                          .u.broadcast = {.broadcast = broadcast,
                                          .due_ms = due_of(turn->state, broadcast),
                                          .reason = reason}};
}

static void
end(struct turn *turn, uint32_t broadcast, enum reason reason, struct source source)
{
    struct event ended = event_of(turn, EVENT_BROADCAST_ENDED, broadcast, reason);
    ended.source = source;
    turn_emit(turn, &ended);
}

static void
begin(struct turn *turn, uint32_t broadcast)
{
    struct event begun = event_of(turn, EVENT_BROADCAST_BEGUN, broadcast, REASON_NONE);
    turn_emit(turn, &begun);
}

void
broadcast_take(struct turn *turn, uint32_t broadcast)
{
    const struct state *state = turn->state;
    const struct broadcast *definition = &state->definitions->broadcasts[broadcast];
    int64_t due_ms = due_of(state, broadcast);
    if (is_waiting(state, broadcast) && due_ms < state->claim.released_ms) {
        end(turn, broadcast, REASON_RESTORED, (struct source){0}); /* the life before has done it */
    } else if (row_of(state, broadcast)->phase == BROADCAST_HELD ||
               turn->now_ms >= due_ms + definition->grace_ms) {
        end(turn, broadcast, REASON_STALE, (struct source){0});
    } else if (definition->recurs &&
               next_moment(state, &definition->every, due_ms) <= turn->now_ms) {
        end(turn, broadcast, REASON_STALE, (struct source){0}); /* only the newest is tried */
    } else {
        begin(turn, broadcast);
    }
}

/* --- choosing --- */

static bool
body_only_sends(const struct body *body)
{
    for (uint32_t i = 0; i < body->action_count; i++) {
        if (body->actions[i].kind != ACTION_SEND) {
            return false;
        }
    }
    return true;
}

/* Somebody who blocks us may have unblocked when the window opens (SPEC R15, R33). What a list does besides
 * sending would be done at once, so such a list passes them over. */
static bool
may_come_back(const struct turn *turn, uint32_t friend, const struct broadcast *definition)
{
    const struct friend_row *row = state_friend(turn->state, friend);
    return row->blocked && !row->operator_blocked && body_only_sends(&definition->body) &&
           !window_is_open(definition->window, turn->state->definitions->account.zone,
                           turn->now_ms);
}

static uint8_t
verdict_on(const struct turn *turn, uint32_t friend, const struct broadcast *definition)
{
    const struct condition *to = &definition->to;
    if (!condition_holds(turn, friend, to)) {
        uint32_t term = condition_first_false(turn, friend, to);
        return (uint8_t)(LETTER_TERM + (term < TERMS_TOLD ? term : TERMS_TOLD - 1));
    }
    if (state_friend(turn->state, friend)->forgotten) {
        return LETTER_BLOCKED;
    }
    if (!state_is_blocked(turn->state, friend)) {
        return LETTER_IN;
    }
    return may_come_back(turn, friend, definition) ? LETTER_ASK_AGAIN : LETTER_BLOCKED;
}

/* All friends were looked at: it goes, or it does not fit. */
static void
settle(struct turn *turn, uint32_t broadcast)
{
    const struct state *state = turn->state;
    bool goes = fits(state, broadcast);
    struct event settled = event_of(turn, goes ? EVENT_BROADCAST_SENDING : EVENT_BROADCAST_HELD,
                                    broadcast, goes ? REASON_NONE : REASON_QUOTA);
    settled.u.broadcast.count = row_of(state, broadcast)->audience_count;
    settled.u.broadcast.until_ms =
        goes ? 0 : settled.u.broadcast.due_ms + state->definitions->broadcasts[broadcast].grace_ms;
    turn_emit(turn, &settled);
}

static void
choose(struct turn *turn, uint32_t broadcast)
{
    const struct state *state = turn->state;
    uint32_t from = state->broadcasts[broadcast].cursor;
    uint8_t letters[CHOSEN_A_SLICE];
    uint32_t count = 0;
    while (count < CHOSEN_A_SLICE && from + count < state->friends.count) {
        letters[count] = verdict_on(turn, from + count, &state->definitions->broadcasts[broadcast]);
        count++;
    }
    struct event chosen = event_of(turn, EVENT_BROADCAST_CHOSEN, broadcast, REASON_NONE);
    chosen.u.broadcast.from = from;
    chosen.u.broadcast.count = count;
    chosen.u.broadcast.verdict = span_of(letters, count);
    turn_emit(turn, &chosen);
    if (from + count == state->friends.count) {
        pressure_begin_month(turn); /* whose allowance is asked for */
        settle(turn, broadcast);
    }
}

/* --- sending --- */

static void
send_one(struct turn *turn, uint32_t broadcast, uint32_t friend)
{
    const struct broadcast *definition = &turn->state->definitions->broadcasts[broadcast];
    if (state_is_blocked(turn->state, friend) && !may_come_back(turn, friend, definition)) {
        return; /* since it was chosen */
    }
    struct outbox outbox = {0};
    struct source source = {SOURCE_BROADCAST, broadcast, 0};
    action_run(turn, friend, &definition->body, source, NO_ID, &outbox);
    delivery_plan_items(turn, friend, &outbox, definition->message_class,
                        turn->state->broadcasts[broadcast].due_ms);
}

static void
send_slice(struct turn *turn, uint32_t broadcast)
{
    uint32_t next = turn->state->broadcasts[broadcast].cursor;
    for (uint32_t i = 0; i < SENT_A_SLICE; i++) {
        uint32_t friend = tables_audience_next(&turn->state->broadcasts[broadcast], next);
        if (friend == NO_ID) {
            end(turn, broadcast, REASON_FINISHED, (struct source){0});
            return;
        }
        send_one(turn, broadcast, friend);
        next = friend + 1;
    }
    struct event sent = event_of(turn, EVENT_BROADCAST_SENT, broadcast, REASON_NONE);
    sent.u.broadcast.from = next;
    turn_emit(turn, &sent);
}

bool
broadcast_slice(struct turn *turn)
{
    if (broadcast_is_held(turn->state)) {
        pressure_begin_month(turn); /* a month that turned may make room */
    }
    for (uint32_t i = 0; i < turn->state->broadcast_capacity; i++) {
        if (!has_work(turn->state, i)) {
            continue;
        }
        enum broadcast_phase phase = turn->state->broadcasts[i].phase;
        if (!in_force(turn->state, i)) {
            end(turn, i, REASON_REMOVED, (struct source){0});
        } else if (phase == BROADCAST_CHOOSING) {
            choose(turn, i);
        } else if (phase == BROADCAST_SENDING) {
            send_slice(turn, i);
        } else {
            begin(turn, i); /* it was held: chosen anew, as friends are now */
        }
        return true;
    }
    return false;
}

void
broadcast_decide(struct turn *turn, const struct input *input, struct source source)
{
    uint32_t broadcast = input->u.broadcast.broadcast;
    enum broadcast_phase phase = row_of(turn->state, broadcast)->phase;
    if (input->kind == INPUT_BROADCAST_FIT) {
        struct event set = event_of(turn, EVENT_BROADCAST_FIT_SET, broadcast, REASON_NONE);
        set.source = source;
        set.u.broadcast.partial = input->u.broadcast.partial;
        turn_emit(turn, &set);
    } else if (phase != BROADCAST_SENDING &&
               (phase != BROADCAST_DONE || is_waiting(turn->state, broadcast))) {
        end(turn, broadcast, REASON_OPERATOR, source); /* until the first is on its way */
    }
}

/* --- apply --- */

static bool
same_recurrence(const struct recurrence *a, const struct recurrence *b)
{
    return a->monthly == b->monthly && a->days == b->days && a->month_day == b->month_day &&
           a->at_min == b->at_min;
}

/* Schedules that are new, or come at other times than before, have nothing behind them to catch up with. */
void
broadcast_redefine(struct state *state, const struct definitions *before, int64_t at_ms)
{
    const struct definitions *after = state->definitions;
    for (uint32_t i = 0; i < after->broadcast_names.count; i++) {
        bool known = i < before->broadcast_names.count &&
                     before->broadcast_names.items[i].in_force && before->broadcasts[i].recurs;
        if (after->broadcasts[i].recurs && in_force(state, i) &&
            (!known ||
             !same_recurrence(&before->broadcasts[i].every, &after->broadcasts[i].every))) {
            tables_broadcast(state, i)->due_ms = at_ms;
        }
    }
}

static void
chosen_apply(struct broadcast_row *row, const struct event *event)
{
    struct span letters = event->u.broadcast.verdict;
    for (uint32_t i = 0; i < letters.len; i++) {
        if (broadcast_verdict_is_in(letters.data[i])) {
            tables_audience_add(row, event->u.broadcast.from + i);
            row->audience_count++;
        } else if (letters.data[i] == LETTER_ASK_AGAIN) {
            tables_audience_add(row, event->u.broadcast.from + i);
        }
    }
    row->cursor = event->u.broadcast.from + event->u.broadcast.count;
}

/* A planned delivery says how far it has come, should the slice not have become durable as a whole. */
void
broadcast_planned(struct state *state, const struct event *planned)
{
    uint32_t broadcast = planned->source.id;
    if (planned->source.kind == SOURCE_BROADCAST && broadcast < state->broadcast_capacity &&
        state->broadcasts[broadcast].phase == BROADCAST_SENDING) {
        state->broadcasts[broadcast].cursor = planned->friend + 1;
    }
}

void
broadcast_apply(struct state *state, const struct event *event)
{
    struct broadcast_row *row = tables_broadcast(state, event->u.broadcast.broadcast);
    if (event->kind == EVENT_BROADCAST_BEGUN) {
        tables_audience_drop(row);
        row->phase = BROADCAST_CHOOSING;
        row->due_ms = event->u.broadcast.due_ms;
        row->cursor = 0;
        row->audience_count = 0;
    } else if (event->kind == EVENT_BROADCAST_CHOSEN) {
        chosen_apply(row, event);
    } else if (event->kind == EVENT_BROADCAST_SENDING) {
        row->phase = BROADCAST_SENDING;
        row->cursor = 0;
    } else if (event->kind == EVENT_BROADCAST_HELD) {
        tables_audience_drop(row);
        row->phase = BROADCAST_HELD;
        row->stale_ms = event->u.broadcast.until_ms;
    } else if (event->kind == EVENT_BROADCAST_SENT) {
        row->cursor = event->u.broadcast.from;
    } else if (event->kind == EVENT_BROADCAST_ENDED) {
        tables_audience_drop(row);
        row->phase = BROADCAST_DONE;
        row->due_ms = event->u.broadcast.due_ms;
    } else if (event->kind == EVENT_BROADCAST_FIT_SET) {
        row->fit_set = true;
        row->partial = event->u.broadcast.partial;
    }
}
