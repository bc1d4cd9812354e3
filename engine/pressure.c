/* Pressure: quota, caps and windows between a message that is due and the friend (SPEC R7, R11-R13). */
#include "engine/tables.h"
#include "engine/turn.h"

#include <assert.h>

enum { DAYS_OF_A_WEEK = 7 };

uint32_t
state_quota_limit(const struct state *state)
{
    const struct account *account = &state->definitions->account;
    if (state->quota.limit_set) {
        return state->quota.limit;
    }
    return account->has_quota ? account->quota : NO_LIMIT;
}

static uint32_t
room_below(uint32_t limit, uint64_t used, uint32_t reserve)
{
    if (limit == NO_LIMIT) {
        return NO_LIMIT;
    }
    uint64_t taken = used + reserve;
    return limit > taken ? (uint32_t)(limit - taken) : 0;
}

uint32_t
state_allowance(const struct state *state, enum message_class message_class)
{
    const struct quota_row *quota = &state->quota;
    uint32_t reserve =
        message_class == CLASS_MARKETING ? state->definitions->account.quota_reserve : 0;
    if (quota->spent) {
        return 0;
    }
    uint32_t ours = room_below(state_quota_limit(state), quota->used, reserve);
    uint32_t lines =
        room_below(quota->line_limit, (uint64_t)quota->used + quota->elsewhere, reserve);
    return ours < lines ? ours : lines;
}

uint32_t
state_cap(const struct state *state, uint32_t scenario)
{
    if (scenario < state->scenario_capacity && state->scenario_counts[scenario].cap_set) {
        return state->scenario_counts[scenario].cap;
    }
    uint32_t cap = state->definitions->scenarios[scenario].cap;
    return cap == 0 ? NO_LIMIT : cap;
}

/* --- the frequency caps --- */

/* Marketing pushes on the local dates first_day to last_day. */
static uint32_t
count_sent(const struct state *state, const struct message *message, int64_t first_day,
           int64_t last_day)
{
    uint32_t count = 0;
    for (uint32_t i = state_friend_more(state, message->friend)->first_sent; i != NO_ID;
         i = state_sent(state, i)->next) {
        int64_t day =
            civil_local_day(message->zone, (int64_t)state_sent(state, i)->minute * MS_PER_MINUTE);
        count += day >= first_day && day <= last_day ? 1 : 0;
    }
    return count;
}

static bool
day_is_full(const struct state *state, const struct message *message, int64_t day)
{
    const struct account *account = &state->definitions->account;
    if (message->message_class != CLASS_MARKETING || !message->push || message->begun) {
        return false;
    }
    if (account->per_day > 0 && count_sent(state, message, day, day) >= account->per_day) {
        return true;
    }
    return account->per_week > 0 &&
           count_sent(state, message, day - DAYS_OF_A_WEEK + 1, day) >= account->per_week;
}

/* The first instant from now on that the window and all caps permit. */
static struct pressure
first_permitted(const struct turn *turn, const struct message *message)
{
    struct pressure pressure = {.reason = REASON_NONE, .until_ms = turn->now_ms};
    for (;;) {
        if (!window_is_open(message->window, message->zone, pressure.until_ms)) {
            pressure.until_ms = window_next_open(message->window, message->zone, pressure.until_ms);
            pressure.reason =
                pressure.reason == REASON_FREQUENCY ? REASON_FREQUENCY : REASON_WINDOW;
        }
        int64_t day = civil_local_day(message->zone, pressure.until_ms);
        if (!day_is_full(turn->state, message, day)) {
            return pressure;
        }
        pressure.reason = REASON_FREQUENCY; /* a day later there is at least a week's room */
        pressure.until_ms = civil_instant(message->zone, day + 1, 0);
    }
}

/* --- judging --- */

static bool
scenario_is_full(const struct state *state, uint32_t scenario)
{
    if (scenario == NO_ID || scenario >= state->scenario_capacity) {
        return false;
    }
    uint32_t cap = state_cap(state, scenario);
    const struct scenario_counts *counts = &state->scenario_counts[scenario];
    return cap != NO_LIMIT && counts->delivered + counts->open >= cap;
}

bool
pressure_is_hold(enum reason reason)
{
    return reason == REASON_QUOTA || reason == REASON_SCENARIO_CAP;
}

bool
pressure_holds(const struct state *state, enum reason reason, enum message_class message_class,
               uint32_t scenario)
{
    if (reason == REASON_SCENARIO_CAP) {
        return scenario_is_full(state, scenario);
    }
    return reason == REASON_QUOTA && state_allowance(state, message_class) == 0;
}

struct pressure
pressure_on(const struct turn *turn, const struct message *message)
{
    struct pressure pressure = first_permitted(turn, message);
    if (pressure.reason != REASON_NONE) {
        if (pressure.until_ms >= message->stale_ms) { /* at once, since it is known (SPEC R6) */
            bool caps = pressure.reason == REASON_FREQUENCY;
            pressure.reason = caps ? REASON_STALE_CAP : REASON_STALE;
        }
        return pressure;
    }
    pressure.until_ms = message->stale_ms;
    if (scenario_is_full(turn->state, message->scenario)) {
        pressure.reason = REASON_SCENARIO_CAP;
    } else if (message->push && state_allowance(turn->state, message->message_class) == 0) {
        pressure.reason = REASON_QUOTA;
    }
    return pressure;
}

bool
pressure_hold_answer(struct turn *turn, uint32_t enrolment)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    const struct step *step =
        scenario_step(&turn->state->definitions->scenarios[row->scenario], row->step, NULL);
    if (step == NULL || !step->body.has_message || !scenario_is_full(turn->state, row->scenario)) {
        return false;
    }
    struct event held = {.kind = EVENT_STEP_HELD,
                         .friend = row->friend,
                         .u.step = {.enrolment = enrolment,
                                    .scenario = row->scenario,
                                    .step = row->step,
                                    .due_ms = row->due_ms,
                                    .until_ms = row->due_ms + step->grace_ms,
                                    .reason = REASON_SCENARIO_CAP}};
    turn_emit(turn, &held);
    return true;
}

void
pressure_begin_month(struct turn *turn)
{
    const struct zone *zone = turn->state->definitions->account.zone;
    if (turn->now_ms < turn->state->quota.until_ms || zone == NULL /* nothing in force yet */) {
        return;
    }
    struct civil_date date = civil_local(zone, turn->now_ms).date;
    struct civil_date next = {date.year + (date.month == 12 ? 1 : 0),
                              date.month == 12 ? 1 : date.month + 1, 1};
    struct event begun = {.kind = EVENT_MONTH_BEGUN,
                          .friend = NO_ID,
                          .u.quota = {.month = (uint32_t)(date.year * 100 + date.month),
                                      .until_ms = civil_instant(zone, civil_day_number(next), 0)}};
    turn_emit(turn, &begun);
}

void
pressure_decide(struct turn *turn, const struct input *input, struct source source)
{
    struct event set = {.kind = EVENT_QUOTA_SET, .friend = NO_ID, .source = source};
    if (input->kind == INPUT_CAP) {
        set.kind = EVENT_CAP_SET;
        set.u.cap.scenario = input->u.cap.scenario;
        set.u.cap.limit = input->u.cap.limit;
    } else {
        set.u.quota.limit = input->u.quota.limit;
    }
    turn_emit(turn, &set);
}

/* LINE's own count is approximate, and of what is on its way it knows later: what it says beyond ours was
 * used elsewhere. Recorded where it is news. */
void
pressure_decide_line(struct turn *turn, const struct input *input)
{
    pressure_begin_month(turn);
    const struct quota_row *quota = &turn->state->quota;
    struct event said = {.kind = EVENT_LINE_QUOTA,
                         .friend = NO_ID,
                         .u.quota = {.limited = quota->line_limit != NO_LIMIT,
                                     .limit = quota->line_limit == NO_LIMIT ? 0 : quota->line_limit,
                                     .elsewhere = quota->elsewhere,
                                     .spent = input->u.line_quota.spent}};
    if (!input->u.line_quota.spent) {
        uint32_t used = input->u.line_quota.used;
        said.u.quota.limited = input->u.line_quota.limited;
        said.u.quota.limit = input->u.line_quota.limited ? input->u.line_quota.limit : 0;
        said.u.quota.elsewhere = used > quota->used ? used - quota->used : 0;
    }
    uint32_t limit = said.u.quota.limited ? said.u.quota.limit : NO_LIMIT;
    if (limit != quota->line_limit || said.u.quota.elsewhere != quota->elsewhere ||
        said.u.quota.spent != quota->spent) {
        turn_emit(turn, &said);
    }
}

/* The scenario whose step the item is, where no item before it is of the same; else NO_ID. */
static uint32_t
scenario_first_named(const struct delivery_item *items, uint32_t at)
{
    if (items[at].source.kind != SOURCE_STEP) {
        return NO_ID;
    }
    for (uint32_t i = 0; i < at; i++) {
        if (items[i].source.kind == SOURCE_STEP && items[i].source.id == items[at].source.id) {
            return NO_ID;
        }
    }
    return items[at].source.id;
}

void
pressure_delivered(struct turn *turn, const struct delivery *row)
{
    for (uint32_t i = 0; i < row->item_count; i++) {
        uint32_t scenario = scenario_first_named(row->items, i);
        if (scenario == NO_ID || scenario >= turn->state->scenario_capacity) {
            continue;
        }
        const struct scenario_counts *counts = &turn->state->scenario_counts[scenario];
        uint32_t cap = state_cap(turn->state, scenario);
        if (cap == NO_LIMIT || counts->auto_stopped || counts->delivered < cap) {
            continue;
        }
        struct event stopped = {.kind = EVENT_SCENARIO_AUTO_STOPPED,
                                .friend = NO_ID,
                                .u.cap = {.scenario = scenario, .limit = cap}};
        turn_emit(turn, &stopped);
    }
}

/* --- apply --- */

void
pressure_apply(struct state *state, const struct event *event)
{
    struct quota_row *quota = &state->quota;
    if (event->kind == EVENT_MONTH_BEGUN) {
        quota->elsewhere = quota->month == 0 ? quota->elsewhere : 0; /* LINE may have told before */
        quota->month = event->u.quota.month;
        quota->until_ms = event->u.quota.until_ms;
        quota->used = 0;
        quota->spent = false;
        quota->replies = 0;
    } else if (event->kind == EVENT_LINE_QUOTA) {
        quota->line_limit = event->u.quota.limited ? event->u.quota.limit : NO_LIMIT;
        quota->elsewhere = event->u.quota.elsewhere;
        quota->spent = event->u.quota.spent;
    } else if (event->kind == EVENT_QUOTA_SET) {
        quota->limit_set = true;
        quota->limit = event->u.quota.limit;
    } else if (event->kind == EVENT_CAP_SET) {
        struct scenario_counts *counts = tables_scenario_counts(state, event->u.cap.scenario);
        counts->cap_set = true;
        counts->cap = event->u.cap.limit;
        counts->auto_stopped = counts->delivered >= counts->cap;
    } else if (event->kind == EVENT_SCENARIO_AUTO_STOPPED) {
        tables_scenario_counts(state, event->u.cap.scenario)->auto_stopped = true;
    }
}

static void
count_scenarios(struct state *state, const struct delivery_item *items, uint32_t item_count,
                bool opens, bool came)
{
    for (uint32_t i = 0; i < item_count; i++) {
        uint32_t scenario = scenario_first_named(items, i);
        if (scenario == NO_ID) {
            continue;
        }
        struct scenario_counts *counts = tables_scenario_counts(state, scenario);
        if (opens) {
            counts->open++;
        } else if (counts->open > 0) {
            counts->open--;
        }
        counts->delivered += came ? 1 : 0;
    }
}

static void
count_outcome(struct state *state, const struct delivery *row, const struct event *event)
{
    enum delivery_result result = event->u.delivery.result;
    bool paid = row->how == HOW_PUSH;
    bool came = result == RESULT_SENT || result == RESULT_UNKNOWN;
    if (paid && !came && row->month == state->quota.month && state->quota.used > 0) {
        state->quota.used--; /* 4xx, or it never left: not counted (SPEC R9) */
    }
    state->quota.replies += !paid && result == RESULT_SENT;
    if (paid && result == RESULT_SENT && row->message_class == CLASS_MARKETING) {
        tables_add_sent(state, row->friend, event->at_ms);
    }
    if (result != RESULT_RETURNED && result != RESULT_ALONE) {
        count_scenarios(state, row->items, row->item_count, false, came);
    }
}

void
pressure_count(struct state *state, const struct delivery *row, const struct event *event)
{
    bool makes = event->u.delivery.delivery == 0;
    if (event->kind == EVENT_DELIVERY_PLANNED ||
        (event->kind == EVENT_DELIVERY_INTENDED && makes)) {
        count_scenarios(state, event->u.delivery.items, event->u.delivery.item_count, true, false);
    }
    if (event->kind == EVENT_DELIVERY_INTENDED && event->u.delivery.how == HOW_PUSH) {
        state->quota.used++;
    } else if (event->kind == EVENT_DELIVERY_OUTCOME) {
        count_outcome(state, row, event);
    } else if (event->kind == EVENT_DELIVERY_CANCELLED) {
        count_scenarios(state, row->items, row->item_count, false, false);
    }
}

void
pressure_give_back(struct state *state, uint32_t month, const struct delivery_item *items,
                   uint32_t item_count)
{
    if (month == state->quota.month && state->quota.used > 0) {
        state->quota.used--;
    }
    for (uint32_t i = 0; i < item_count; i++) {
        uint32_t scenario = scenario_first_named(items, i);
        if (scenario != NO_ID && tables_scenario_counts(state, scenario)->delivered > 0) {
            tables_scenario_counts(state, scenario)->delivered--;
        }
    }
}

void
pressure_redefine(struct state *state, const struct definitions *before,
                  const struct definitions *after)
{
    const struct account *a = &before->account, *b = &after->account;
    if (a->has_quota != b->has_quota || a->quota != b->quota) {
        state->quota.limit_set = false;
        state->quota.limit = 0;
    }
    for (uint32_t i = 0; i < state->scenario_capacity && i < after->scenario_names.count; i++) {
        struct scenario_counts *counts = &state->scenario_counts[i];
        uint32_t old_cap = i < before->scenario_names.count ? before->scenarios[i].cap : 0;
        if (old_cap == after->scenarios[i].cap) {
            continue;
        }
        counts->cap_set = false;
        counts->cap = 0;
        counts->auto_stopped =
            after->scenarios[i].cap > 0 && counts->delivered >= after->scenarios[i].cap;
    }
}
