/* What is due follows the rows, and whose turn it is follows from them too. */
#include "engine/agenda.h"

#include "engine/chunk.h"
#include "engine/tables.h"
#include "engine/turn.h"
#include <assert.h>

static void
enqueue_enrolment(struct agenda *agenda, uint32_t index)
{
    struct enrolment *row = tables_enrolment(agenda->state, index);
    if (row->queued) {
        return;
    }
    const struct scenario *scenario = &agenda->state->definitions->scenarios[row->scenario];
    const struct step *step = scenario_step(scenario, row->step, NULL);
    struct owner owner = {OWNER_ENROLMENT, index};
    row->queued = true;
    due_push(&agenda->due, step == NULL ? CLASS_MARKETING : step->message_class,
             chunk_content(agenda->state, owner, agenda->now_ms), owner);
}

static void
enqueue_delivery(struct agenda *agenda, uint32_t index)
{
    struct delivery *row = tables_delivery(agenda->state, index);
    if (!row->queued) {
        struct owner owner = {OWNER_DELIVERY, index};
        row->queued = true;
        due_push(&agenda->due, row->message_class,
                 chunk_content(agenda->state, owner, agenda->now_ms), owner);
    }
}

/* Due by the clock, or let go by what held it. */
static bool
owner_is_due(const struct state *state, struct owner owner, int64_t now_ms)
{
    bool waits;
    int64_t wake_ms;
    if (owner.kind == OWNER_DELIVERY) {
        const struct delivery *row = state_delivery(state, owner.index);
        waits = row->phase == DELIVERY_PLANNED;
        wake_ms = row->wake_ms;
    } else {
        const struct enrolment *row = state_enrolment(state, owner.index);
        waits = row->phase == ENROLMENT_WAITING && !state_is_paused(state, row);
        wake_ms = state_wake(state, row);
    }
    return waits &&
           (wake_ms <= now_ms || (owner_is_held(state, owner) && !owner_must_stay(state, owner)));
}

void
agenda_queue(void *context, struct owner owner)
{
    assert(owner.kind != OWNER_BROADCAST); /* those are taken out of the wheel */
    if (owner.kind == OWNER_DELIVERY) {
        enqueue_delivery(context, owner.index);
    } else {
        enqueue_enrolment(context, owner.index);
    }
}

/* What waited while the friend had a request in flight. */
void
agenda_look_at(struct agenda *agenda, uint32_t friend, int64_t now_ms)
{
    const struct state *state = agenda->state;
    for (uint32_t i = state_friend_more(state, friend)->first_delivery; i != NO_ID;
         i = state_delivery(state, i)->next) {
        if (owner_is_due(state, (struct owner){OWNER_DELIVERY, i}, now_ms)) {
            enqueue_delivery(agenda, i);
        }
    }
    for (uint32_t i = state_friend(state, friend)->first_enrolment; i != NO_ID;
         i = state_enrolment(state, i)->next) {
        if (owner_is_due(state, (struct owner){OWNER_ENROLMENT, i}, now_ms)) {
            enqueue_enrolment(agenda, i);
        }
    }
}

enum { LOOK_SHARE = 16384 }; /* enrolments looked at by one call, after a pause of many */

/* Whole scenarios may go on: what came due meanwhile is in no queue. */
static void
look_at_all(struct agenda *agenda)
{
    if (agenda->passed_over) {
        agenda->passed_over = false;
        agenda->look_from = 0;
    }
}

static void
pass_over_if_paused(struct agenda *agenda, uint32_t index)
{
    const struct enrolment *row = state_enrolment(agenda->state, index);
    if (row->phase == ENROLMENT_WAITING && state_is_paused(agenda->state, row)) {
        agenda->passed_over = true;
    }
}

static void
look_at_share(struct agenda *agenda, int64_t now_ms)
{
    for (uint32_t i = 0; i < LOOK_SHARE && agenda->look_from != NO_ID; i++) {
        uint32_t index = agenda->look_from++;
        if (index >= agenda->state->enrolments.count) {
            agenda->look_from = NO_ID;
        } else if (owner_is_due(agenda->state, (struct owner){OWNER_ENROLMENT, index}, now_ms)) {
            enqueue_enrolment(agenda, index);
        } else {
            pass_over_if_paused(agenda, index);
        }
    }
}

static void
arm_broadcasts(struct agenda *agenda)
{
    for (uint32_t i = 0; i < agenda->state->definitions->broadcast_names.count; i++) {
        int64_t wake_ms = broadcast_wake(agenda->state, i);
        if (wake_ms != INT64_MAX) {
            due_arm(&agenda->due, agenda->state, wake_ms, (struct owner){OWNER_BROADCAST, i});
        }
    }
}

/* Waits in the wheel until its row's wake instant; beside the queues where it is held. */
static void
follow_owner(struct agenda *agenda, struct owner owner)
{
    const struct state *state = agenda->state;
    due_arm(&agenda->due, state,
            owner.kind == OWNER_DELIVERY ? state_delivery(state, owner.index)->wake_ms
                                         : state_wake(state, state_enrolment(state, owner.index)),
            owner);
    if (owner_is_held(state, owner)) {
        held_add(&agenda->held, owner);
    }
}

static void
follow_delivery(struct agenda *agenda, const struct event *event)
{
    uint32_t row = state_find_delivery(agenda->state, event->friend, event->u.delivery.delivery);
    if (row != NO_ID) {
        follow_owner(agenda, (struct owner){OWNER_DELIVERY, row});
    }
}

/* The friends of a request to many may get what waited for its end. */
static void
follow_crowd(struct agenda *agenda, const struct event *event)
{
    struct crowd crowd;
    if (!crowd_unpack(event->u.delivery.crowd, &crowd)) {
        return;
    }
    for (uint32_t i = 0; i < crowd.count; i++) {
        agenda_look_at(agenda, (uint32_t)crowd.friends[i], event->at_ms);
        enum delivery_result result = (enum delivery_result)crowd.numbers[i];
        bool gives_back = result != RESULT_SENT && result != RESULT_UNKNOWN;
        agenda->held.wanted = agenda->held.wanted || gives_back;
    }
}

void
agenda_follow(struct agenda *agenda, const struct event *event)
{
    if (event->kind == EVENT_DELIVERIES_OUTCOME) {
        follow_crowd(agenda, event);
        return;
    }
    if (event->kind == EVENT_STEP_PLANNED || event->kind == EVENT_STEP_DEFERRED ||
        event->kind == EVENT_STEP_HELD) {
        follow_owner(agenda, (struct owner){OWNER_ENROLMENT, event->u.step.enrolment});
    } else if (event->kind == EVENT_DELIVERY_HELD || event->kind == EVENT_DELIVERY_DEFERRED) {
        follow_delivery(agenda, event);
    } else if (event->kind == EVENT_PAUSE_CHANGED && event->friend != NO_ID) {
        agenda_look_at(agenda, event->friend, event->at_ms);
    } else if (event->kind == EVENT_PAUSE_CHANGED) {
        look_at_all(agenda);
    } else if (event->kind == EVENT_DELIVERY_PLANNED || event->kind == EVENT_DELIVERY_OUTCOME ||
               event->kind == EVENT_DELIVERY_CANCELLED) {
        agenda_look_at(agenda, event->friend, event->at_ms);
        bool gives_back = event->kind == EVENT_DELIVERY_CANCELLED ||
                          (event->kind == EVENT_DELIVERY_OUTCOME &&
                           (event->u.delivery.result == RESULT_FAILED ||
                            event->u.delivery.result == RESULT_RETURNED));
        agenda->held.wanted = agenda->held.wanted || gives_back;
    } else if (event->kind == EVENT_MONTH_BEGUN || event->kind == EVENT_QUOTA_SET ||
               event->kind == EVENT_LINE_QUOTA || event->kind == EVENT_CAP_SET ||
               event->kind == EVENT_DEFINITIONS_APPLIED) {
        agenda->held.wanted = true;
    }
    if (event->kind == EVENT_DEFINITIONS_APPLIED) {
        look_at_all(agenda);
    }
    if (event->kind == EVENT_DEFINITIONS_APPLIED || event->kind == EVENT_BROADCAST_HELD ||
        event->kind == EVENT_BROADCAST_ENDED) { /* a schedule comes again */
        arm_broadcasts(agenda);
    }
}

void
agenda_begin(struct agenda *agenda, struct state *state, int64_t now_ms)
{
    *agenda = (struct agenda){.state = state, .look_from = NO_ID, .now_ms = now_ms};
    due_init(&agenda->due, now_ms);
    for (uint32_t i = 0; i < state->enrolments.count; i++) {
        if (state_enrolment(state, i)->phase == ENROLMENT_WAITING) {
            follow_owner(agenda, (struct owner){OWNER_ENROLMENT, i});
        }
    }
    for (uint32_t i = 0; i < state->deliveries.count; i++) {
        if (state_delivery(state, i)->phase == DELIVERY_PLANNED) {
            follow_owner(agenda, (struct owner){OWNER_DELIVERY, i});
        }
    }
    agenda->held.wanted = true;
    arm_broadcasts(agenda);
}

void
agenda_end(struct agenda *agenda)
{
    due_fini(&agenda->due);
    held_fini(&agenda->held);
}

bool
agenda_best(const struct agenda *agenda, uint32_t friend, int64_t now_ms, struct owner *out_owner)
{
    const struct state *state = agenda->state;
    struct rank best = {0};
    bool found = false;
    for (uint32_t i = state_friend_more(state, friend)->first_delivery; i != NO_ID;
         i = state_delivery(state, i)->next) {
        struct owner owner = {OWNER_DELIVERY, i};
        struct rank rank = rank_of(state, owner);
        if (owner_is_due(state, owner, now_ms) && (!found || rank_before(&rank, &best))) {
            found = true;
            best = rank;
            *out_owner = owner;
        }
    }
    for (uint32_t i = state_friend(state, friend)->first_enrolment; i != NO_ID;
         i = state_enrolment(state, i)->next) {
        struct owner owner = {OWNER_ENROLMENT, i};
        struct rank rank = rank_of(state, owner);
        if (owner_is_due(state, owner, now_ms) && (!found || rank_before(&rank, &best))) {
            found = true;
            best = rank;
            *out_owner = owner;
        }
    }
    return found;
}

uint32_t
agenda_take_up(struct agenda *agenda, struct owner owner, int64_t now_ms)
{
    uint32_t friend;
    if (owner.kind == OWNER_DELIVERY) {
        struct delivery *row = tables_delivery(agenda->state, owner.index);
        row->queued = false;
        friend = row->friend;
    } else {
        struct enrolment *row = tables_enrolment(agenda->state, owner.index);
        row->queued = false;
        friend = row->friend;
        pass_over_if_paused(agenda, owner.index);
    }
    bool free =
        owner_is_due(agenda->state, owner, now_ms) && !friend_is_busy(agenda->state, friend);
    if (!free && owner_is_held(agenda->state, owner)) {
        held_add(&agenda->held, owner);
    }
    return free ? friend : NO_ID;
}

bool
agenda_next(struct agenda *agenda, const struct take_permit *permit, enum message_class *out_class,
            uint64_t *out_content)
{
    if (due_next_content(&agenda->due, permit, out_class, out_content)) {
        return true;
    }
    return agenda->held.wanted &&
           held_release(&agenda->held, agenda->state, agenda_queue, agenda) &&
           due_next_content(&agenda->due, permit, out_class, out_content);
}

void
agenda_expire(struct agenda *agenda, struct turn *turn)
{
    look_at_share(agenda, turn->now_ms);
    struct owner owners[DUE_SHARE];
    size_t count = due_expire(&agenda->due, agenda->state, turn->now_ms, owners);
    for (size_t i = 0; i < count; i++) {
        if (owners[i].kind == OWNER_BROADCAST) {
            broadcast_take(turn, owners[i].index);
        } else {
            agenda_queue(agenda, owners[i]);
        }
    }
}

int64_t
agenda_next_due(const struct agenda *agenda, int64_t now_ms)
{
    for (int i = 0; i < CLASS_COUNT; i++) {
        if (agenda->due.classes[i].total > 0) {
            return now_ms;
        }
    }
    return agenda_next_work(agenda, now_ms);
}

int64_t
agenda_next_work(const struct agenda *agenda, int64_t now_ms)
{
    const struct state *state = agenda->state;
    if (agenda->look_from != NO_ID || date_is_pending(state) ||
        (agenda->held.wanted && agenda->held.count > 0) || state->definitions_before != NULL ||
        broadcast_has_work(state)) {
        return now_ms;
    }
    int64_t next_ms = wheel_next(agenda->due.wheel);
    if ((agenda->held.count > 0 || broadcast_is_held(state)) && state->quota.until_ms < next_ms) {
        next_ms = state->quota.until_ms; /* the month turns */
    }
    return next_ms < now_ms ? now_ms : next_ms;
}
