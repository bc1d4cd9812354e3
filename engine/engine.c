#include "engine/engine.h"

#include "engine/calendar.h"
#include "engine/chunk.h"
#include "engine/conversion.h"
#include "engine/deed.h"
#include "engine/due.h"
#include "engine/form.h"
#include "engine/held.h"
#include "engine/tables.h"
#include "engine/trigger.h"
#include <assert.h>
#include <stdlib.h>

struct engine {
    struct state state;
    struct due due;
    struct held held;
    uint32_t edit_cursor; /* enrolments below it follow the newest definitions */
    struct engine_calls calls;
    bool awake;     /* the wheel and the queues follow the rows */
    int64_t now_ms; /* of the call under way */
};

struct engine *
engine_new(const struct engine_calls *calls)
{
    struct engine *engine = calloc(1, sizeof(*engine));
    assert(engine != NULL);
    engine->calls = *calls;
    state_init(&engine->state);
    return engine;
}

void
engine_free(struct engine *engine)
{
    if (engine == NULL) {
        return;
    }
    if (engine->awake) {
        due_fini(&engine->due);
        held_fini(&engine->held);
    }
    state_fini(&engine->state);
    free(engine);
}

const struct state *
engine_state(const struct engine *engine)
{
    return &engine->state;
}

uint64_t
engine_body_hash(const struct engine *engine, const struct event *intent)
{
    return engine->calls.body_hash(engine->state.definitions, intent->u.delivery.items,
                                   intent->u.delivery.item_count, intent->words,
                                   intent->word_count);
}

struct span
engine_fold(const struct engine *engine, struct span text, struct arena *arena)
{
    return engine->calls.fold(text, arena);
}

int64_t
engine_draw(const struct engine *engine, const struct draw *draw)
{
    return engine->calls.draw(engine->calls.draw_context, draw);
}

struct span
engine_public_url(const struct engine *engine)
{
    return engine->calls.public_url;
}

/* apply: each concept folds its own events */

static void
definitions_apply(struct state *state, const struct event *event)
{
    state->definitions_seq = event->seq;
    if (event->u.definitions.definitions == NULL) {
        return; /* read back by somebody who has no use for them */
    }
    struct definitions *old = state->definitions;
    pressure_redefine(state, old, event->u.definitions.definitions);
    edit_begin(state, event->u.definitions.definitions);
    state->definitions = definitions_retain(event->u.definitions.definitions);
    definitions_release(old);
    state->dates_from = 0;
}

static void
route(struct state *state, const struct event *event)
{
    switch (event->kind) {
    case EVENT_CLAIMED:
    case EVENT_RELEASED:
        claim_apply(state, event);
        break;
    case EVENT_DEFINITIONS_APPLIED:
        definitions_apply(state, event);
        break;
    case EVENT_FRIEND_ADDED:
    case EVENT_FOLLOWED:
    case EVENT_UNFOLLOWED:
    case EVENT_MESSAGE_RECEIVED:
    case EVENT_TAPPED:
    case EVENT_PROFILE_FETCHED:
    case EVENT_TAG_ADDED:
    case EVENT_TAG_REMOVED:
    case EVENT_FIELD_SET:
    case EVENT_FIELD_CLEARED:
        friend_apply(state, event);
        break;
    case EVENT_SCORE_CHANGED:
        score_apply(state, event);
        break;
    case EVENT_ONCE_DONE:
        once_apply(state, event);
        break;
    case EVENT_PAUSE_CHANGED:
        pause_apply(state, event);
        break;
    case EVENT_FRIEND_FORGOTTEN:
        forget_apply(state, event);
        break;
    case EVENT_WEBHOOK_UNREADABLE:
        state->unreadable_seq = event->seq;
        break;
    case EVENT_ENROLMENT_STARTED:
    case EVENT_START_REFUSED:
    case EVENT_STEP_PLANNED:
    case EVENT_STEP_DEFERRED:
    case EVENT_STEP_SKIPPED:
    case EVENT_STEP_DONE:
    case EVENT_STEP_CANCELLED:
    case EVENT_ENROLMENT_ENDED:
    case EVENT_STEP_REDIRECTED:
    case EVENT_STEP_HELD:
        enrolment_apply(state, event);
        break;
    case EVENT_DELIVERY_PLANNED:
    case EVENT_DELIVERY_INTENDED:
    case EVENT_DELIVERY_OUTCOME:
    case EVENT_DELIVERY_CANCELLED:
    case EVENT_DELIVERY_HELD:
    case EVENT_DELIVERY_DEFERRED:
        delivery_apply(state, event);
        break;
    case EVENT_DELIVERIES_INTENDED:
    case EVENT_DELIVERIES_OUTCOME:
        chunk_apply(state, event);
        break;
    case EVENT_MONTH_BEGUN:
    case EVENT_QUOTA_SET:
    case EVENT_CAP_SET:
    case EVENT_SCENARIO_AUTO_STOPPED:
        pressure_apply(state, event);
        break;
    case EVENT_DEFINITIONS_FOLLOWED:
        edit_apply(state);
        break;
    case EVENT_BROADCAST_BEGUN:
    case EVENT_BROADCAST_CHOSEN:
    case EVENT_BROADCAST_SENDING:
    case EVENT_BROADCAST_HELD:
    case EVENT_BROADCAST_SENT:
    case EVENT_BROADCAST_ENDED:
    case EVENT_BROADCAST_FIT_SET:
        broadcast_apply(state, event);
        break;
    case EVENT_FORM_ANSWERED:
    case EVENT_ANSWER_GIVEN:
        form_apply(state, event);
        break;
    case EVENT_CONVERTED:
        conversion_apply(state, event);
        break;
    case EVENT_BOOKED:
    case EVENT_BOOKING_CHANGED:
    case EVENT_BOOKING_CANCELLED:
        calendar_apply(state, event);
        break;
    case EVENT_GOAL_MOVED:
    case EVENT_CLOCK_RESTARTED:
        enrolment_apply(state, event);
        break;
    case EVENT_MARK_SET:
        friend_apply(state, event);
        break;
    case EVENT_DATES_LOOKED_THROUGH:
        state->dates_from = event->u.dates.up_to;
        break;
    case EVENT_STOPPED:
    case EVENT_DRAWN:
    case EVENT_SEND_UNKNOWN:
    case EVENT_WEBHOOK_NOTED:
    case EVENT_MESSAGE_UNSENT:
    case EVENT_WEBHOOK_FOREIGN:
    case EVENT_FORM_REFUSED:
    case EVENT_BOOKING_REFUSED:
    case EVENT_NOTIFIED:
    case EVENT_CUSTOM:
        break; /* kept for people; they change nothing known */
    }
}

void
engine_apply(struct engine *engine, const struct event *event)
{
    struct state *state = &engine->state;
    assert(event->seq > state->seq);
    bool about_friend = event->friend != NO_ID;
    if (!about_friend || event->friend < state->friend_count ||
        (event->kind == EVENT_FRIEND_ADDED && event->friend == state->friend_count)) {
        route(state, event);
        deed_apply(state, event);
        if (about_friend) {
            state->friends[event->friend].newest_seq = event->seq;
        }
    }
    state->seq = event->seq;
    state->at_ms = event->at_ms;
    if (event->at_ms > state->latest_ms) {
        state->latest_ms = event->at_ms;
    }
}

enum rc
engine_load(struct engine *engine, const struct image_source *source, const char **out_why)
{
    assert(!engine->awake);
    struct state loaded;
    enum rc rc = image_read(source, &loaded, out_why);
    if (rc == RC_OK) {
        state_fini(&engine->state);
        engine->state = loaded;
    }
    return rc;
}

/* The queues follow the rows. */

static void
enqueue_enrolment(struct engine *engine, uint32_t index)
{
    struct enrolment *row = &engine->state.enrolments[index];
    if (row->queued) {
        return;
    }
    const struct scenario *scenario = &engine->state.definitions->scenarios[row->scenario];
    const struct step *step = scenario_step(scenario, row->step, NULL);
    struct owner owner = {OWNER_ENROLMENT, index};
    row->queued = true;
    due_push(&engine->due, step == NULL ? CLASS_MARKETING : step->message_class,
             chunk_content(&engine->state, owner, engine->now_ms), owner);
}

static void
enqueue_delivery(struct engine *engine, uint32_t index)
{
    struct delivery *row = &engine->state.deliveries[index];
    if (!row->queued) {
        struct owner owner = {OWNER_DELIVERY, index};
        row->queued = true;
        due_push(&engine->due, row->message_class,
                 chunk_content(&engine->state, owner, engine->now_ms), owner);
    }
}

/* Due by the clock, or let go by what held it. */
static bool
owner_is_due(const struct state *state, struct owner owner, int64_t now_ms)
{
    const struct delivery *delivery = &state->deliveries[owner.index];
    const struct enrolment *enrolment = &state->enrolments[owner.index];
    bool waits = owner.kind == OWNER_DELIVERY
                     ? delivery->phase == DELIVERY_PLANNED
                     : enrolment->phase == ENROLMENT_WAITING && !state_is_paused(state, enrolment);
    int64_t wake_ms = owner.kind == OWNER_DELIVERY ? delivery->wake_ms : enrolment->wake_ms;
    return waits &&
           (wake_ms <= now_ms || (owner_is_held(state, owner) && !owner_must_stay(state, owner)));
}

static void
enqueue_owner(void *context, struct owner owner)
{
    assert(owner.kind != OWNER_BROADCAST); /* those are taken out of the wheel */
    if (owner.kind == OWNER_DELIVERY) {
        enqueue_delivery(context, owner.index);
    } else {
        enqueue_enrolment(context, owner.index);
    }
}

/* What waited while the friend had a request in flight. */
static void
enqueue_friend(struct engine *engine, uint32_t friend, int64_t now_ms)
{
    const struct state *state = &engine->state;
    for (uint32_t i = state->friends[friend].first_delivery; i != NO_ID;
         i = state->deliveries[i].next) {
        if (owner_is_due(state, (struct owner){OWNER_DELIVERY, i}, now_ms)) {
            enqueue_delivery(engine, i);
        }
    }
    for (uint32_t i = state->friends[friend].first_enrolment; i != NO_ID;
         i = state->enrolments[i].next) {
        if (owner_is_due(state, (struct owner){OWNER_ENROLMENT, i}, now_ms)) {
            enqueue_enrolment(engine, i);
        }
    }
}

/* A whole scenario may go on: rows whose instant came meanwhile are out of the wheel. */
static void
rearm_all(struct engine *engine, int64_t now_ms)
{
    for (uint32_t i = 0; i < engine->state.enrolment_count; i++) {
        if (owner_is_due(&engine->state, (struct owner){OWNER_ENROLMENT, i}, now_ms)) {
            enqueue_enrolment(engine, i);
        }
    }
}

static void
arm_broadcasts(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->state.definitions->broadcast_names.count; i++) {
        int64_t wake_ms = broadcast_wake(&engine->state, i);
        if (wake_ms != INT64_MAX) {
            due_arm(&engine->due, &engine->state, wake_ms, (struct owner){OWNER_BROADCAST, i});
        }
    }
}

/* Waits in the wheel until its row's wake instant; beside the queues where it is held. */
static void
follow_owner(struct engine *engine, struct owner owner)
{
    const struct state *state = &engine->state;
    due_arm(&engine->due, state,
            owner.kind == OWNER_DELIVERY ? state->deliveries[owner.index].wake_ms
                                         : state->enrolments[owner.index].wake_ms,
            owner);
    if (owner_is_held(state, owner)) {
        held_add(&engine->held, owner);
    }
}

static void
follow_delivery(struct engine *engine, const struct event *event)
{
    uint32_t row = state_find_delivery(&engine->state, event->friend, event->u.delivery.delivery);
    if (row != NO_ID) {
        follow_owner(engine, (struct owner){OWNER_DELIVERY, row});
    }
}

/* The friends of a request to many may get what waited for its end. */
static void
follow_crowd(struct engine *engine, const struct event *event)
{
    struct crowd crowd;
    if (!crowd_unpack(event->u.delivery.crowd, &crowd)) {
        return;
    }
    for (uint32_t i = 0; i < crowd.count; i++) {
        enqueue_friend(engine, (uint32_t)crowd.friends[i], event->at_ms);
        enum delivery_result result = (enum delivery_result)crowd.numbers[i];
        bool gives_back = result != RESULT_SENT && result != RESULT_UNKNOWN;
        engine->held.wanted = engine->held.wanted || gives_back;
    }
}

static void
follow_rows(struct engine *engine, const struct event *event)
{
    if (event->kind == EVENT_DELIVERIES_OUTCOME) {
        follow_crowd(engine, event);
    }

    if (event->kind == EVENT_STEP_PLANNED || event->kind == EVENT_STEP_DEFERRED ||
        event->kind == EVENT_STEP_HELD) {
        follow_owner(engine, (struct owner){OWNER_ENROLMENT, event->u.step.enrolment});
    } else if (event->kind == EVENT_DELIVERY_HELD || event->kind == EVENT_DELIVERY_DEFERRED) {
        follow_delivery(engine, event);
    } else if (event->kind == EVENT_PAUSE_CHANGED && event->friend != NO_ID) {
        enqueue_friend(engine, event->friend, event->at_ms);
    } else if (event->kind == EVENT_PAUSE_CHANGED) {
        rearm_all(engine, event->at_ms);
    } else if (event->kind == EVENT_DELIVERY_PLANNED || event->kind == EVENT_DELIVERY_OUTCOME ||
               event->kind == EVENT_DELIVERY_CANCELLED) {
        enqueue_friend(engine, event->friend, event->at_ms);
        bool gives_back = event->kind == EVENT_DELIVERY_CANCELLED ||
                          (event->kind == EVENT_DELIVERY_OUTCOME &&
                           (event->u.delivery.result == RESULT_FAILED ||
                            event->u.delivery.result == RESULT_RETURNED));
        engine->held.wanted = engine->held.wanted || gives_back;
    } else if (event->kind == EVENT_MONTH_BEGUN || event->kind == EVENT_QUOTA_SET ||
               event->kind == EVENT_CAP_SET || event->kind == EVENT_DEFINITIONS_APPLIED) {
        engine->held.wanted = true;
    }
    if (event->kind == EVENT_DEFINITIONS_APPLIED) {
        rearm_all(engine, event->at_ms);
    }
    if (event->kind == EVENT_DEFINITIONS_APPLIED || event->kind == EVENT_BROADCAST_HELD) {
        arm_broadcasts(engine);
    }
}

void
engine_wake(struct engine *engine, int64_t now_ms)
{
    assert(!engine->awake);
    engine->awake = true;
    engine->now_ms = now_ms;
    due_init(&engine->due, now_ms);
    for (uint32_t i = 0; i < engine->state.enrolment_count; i++) {
        if (engine->state.enrolments[i].phase == ENROLMENT_WAITING) {
            follow_owner(engine, (struct owner){OWNER_ENROLMENT, i});
        }
    }
    for (uint32_t i = 0; i < engine->state.delivery_count; i++) {
        if (engine->state.deliveries[i].phase == DELIVERY_PLANNED) {
            follow_owner(engine, (struct owner){OWNER_DELIVERY, i});
        }
    }
    engine->held.wanted = true;
    arm_broadcasts(engine);
}

struct event *
turn_emit(struct turn *turn, const struct event *event)
{
    struct event *copy = events_add(turn->out, event);
    copy->seq = turn->state->seq + 1;
    copy->at_ms = turn->now_ms;
    if (event->friend < turn->state->friend_count) {
        copy->friend_prev = turn->state->friends[event->friend].newest_seq;
    }
    uint32_t index = turn->out->count - 1;
    const struct trigger_before before = trigger_look(turn, copy);
    engine_apply(turn->engine, copy);
    if (turn->engine->awake) {
        follow_rows(turn->engine, copy);
    }
    const struct event emitted = *copy; /* what it sets off is emitted behind it */
    trigger_see(turn, &emitted, &before);
    return &turn->out->items[index];
}

/* decide */

static void
definitions_decide(struct turn *turn, const struct input *input)
{
    struct definitions *definitions = input->u.definitions.definitions;
    while (edit_slice(turn, &turn->engine->edit_cursor)) {
        /* Two edits in a row: the first is done with before the second begins. */
    }
    const struct span words[] = {definitions->canonical, input->u.definitions.author_name};
    struct event applied = {.kind = EVENT_DEFINITIONS_APPLIED,
                            .friend = NO_ID,
                            .source = {SOURCE_OPERATOR, input->author, 0},
                            .words = words,
                            .word_count = 2,
                            .u.definitions = {.definitions = definitions}};
    memcpy(applied.u.definitions.hash, definitions->hash, sizeof(definitions->hash));
    struct definitions *before = definitions_retain(turn->state->definitions);
    turn_emit(turn, &applied);
    pause_definitions_changed(turn, before);
    definitions_release(before);
}

static void
webhook_decide(struct turn *turn, const struct input *input)
{
    bool foreign = input->kind == INPUT_FOREIGN;
    struct event kept = {.kind = foreign ? EVENT_WEBHOOK_FOREIGN : EVENT_WEBHOOK_UNREADABLE,
                         .friend = NO_ID,
                         .words = foreign ? &input->u.webhook.destination : &input->u.webhook.bytes,
                         .word_count = 1,
                         .u.webhook = {.event_count = input->u.webhook.event_count,
                                       .before = foreign ? 0 : turn->state->unreadable_seq}};
    memcpy(kept.u.webhook.sha256, input->u.webhook.sha256, sizeof(kept.u.webhook.sha256));
    turn_emit(turn, &kept);
}

static void
profile_decide(struct turn *turn, const struct input *input)
{
    const struct span words[] = {input->u.profile.name, input->u.profile.picture,
                                 input->u.profile.language};
    if (turn->state->friends[input->u.profile.friend].forgotten) {
        return; /* asked for before: LINE's answer is not ours any more */
    }
    struct event fetched = {.kind = EVENT_PROFILE_FETCHED,
                            .friend = input->u.profile.friend,
                            .words = words,
                            .word_count = input->u.profile.found ? 3 : 0,
                            .u.profile = {.found = input->u.profile.found}};
    turn_emit(turn, &fetched);
}

static void
field_decide(struct turn *turn, const struct input *input, struct source source)
{
    uint32_t friend = input->u.field.friend;
    if (input->u.field.clear) {
        action_clear_field(turn, friend, input->u.field.field, source);
    } else {
        action_set_field(turn, friend, input->u.field.field, input->u.field.number,
                         input->u.field.text, source);
    }
}

static void
pause_decide(struct turn *turn, const struct input *input, struct source source)
{
    bool paused = input->kind == INPUT_PAUSE;
    uint32_t friend = input->u.scenario.friend, scenario = input->u.scenario.scenario;
    if (friend == NO_ID) {
        pause_scenario(turn, scenario, paused, source);
        return;
    }
    uint32_t running = state_enrolment_in(turn->state, friend, scenario);
    if (running != NO_ID && paused) {
        pause_enrolment(turn, running, source);
    } else if (running != NO_ID) {
        pause_resume_enrolment(turn, running, input->u.scenario.shift, source);
    }
}

static void
operator_decide(struct turn *turn, const struct input *input)
{
    struct source source = {SOURCE_OPERATOR, input->author, 0};
    switch (input->kind) {
    case INPUT_FORGET:
        forget_decide(turn, input);
        break;
    case INPUT_TAG:
        action_set_tag(turn, input->u.tag.friend, input->u.tag.tag, input->u.tag.add, source);
        break;
    case INPUT_FIELD:
        field_decide(turn, input, source);
        break;
    case INPUT_START_SCENARIO:
        scenario_start(turn, input->u.scenario.friend, input->u.scenario.scenario,
                       input->u.scenario.at_step, source);
        break;
    case INPUT_STOP_SCENARIO: {
        uint32_t running =
            state_enrolment_in(turn->state, input->u.scenario.friend, input->u.scenario.scenario);
        if (running != NO_ID) {
            scenario_stop(turn, running, REASON_STOPPED, source);
        }
        break;
    }
    case INPUT_SCORE:
        score_add(turn, input->u.score.friend, input->u.score.by, source);
        break;
    case INPUT_PAUSE:
    case INPUT_RESUME:
        pause_decide(turn, input, source);
        break;
    case INPUT_FINISHED:
        scenario_note_finished(turn, input->u.scenario.friend, input->u.scenario.scenario, source);
        break;
    case INPUT_CUSTOM_EVENT:
        trigger_custom_event(turn, input->u.custom_event.friend, input->u.custom_event.name,
                             source);
        break;
    case INPUT_MARK:
        mark_set(turn, input->u.mark.friend, input->u.mark.mark, source);
        break;
    case INPUT_QUOTA:
    case INPUT_CAP:
        pressure_decide(turn, input, source);
        break;
    case INPUT_BROADCAST_CANCEL:
    case INPUT_BROADCAST_FIT:
        broadcast_decide(turn, input, source);
        break;
    default:
        break;
    }
}

void
engine_handle(struct engine *engine, const struct input *input, struct events *out)
{
    struct turn turn = {.engine = engine,
                        .state = &engine->state,
                        .now_ms = input->at_ms,
                        .start_ms = input->at_ms,
                        .quiet = input->quiet,
                        .out = out};
    engine->now_ms = input->at_ms;
    switch (input->kind) {
    case INPUT_CLAIM:
        claim_decide(&turn, input);
        break;
    case INPUT_STOP: {
        struct event stopped = {
            .kind = EVENT_STOPPED,
            .friend = NO_ID,
            .u.stopped = {.digest = state_digest(&engine->state), .state_version = STATE_VERSION}};
        turn_emit(&turn, &stopped);
        break;
    }
    case INPUT_RELEASE:
        release_decide(&turn, input);
        break;
    case INPUT_DEFINITIONS:
        definitions_decide(&turn, input);
        break;
    case INPUT_FOLLOW:
    case INPUT_UNFOLLOW:
    case INPUT_MESSAGE:
    case INPUT_POSTBACK:
    case INPUT_NOTED:
        friend_decide(&turn, input);
        break;
    case INPUT_UNSEND:
        unsend_decide(&turn, input);
        break;
    case INPUT_UNREADABLE:
    case INPUT_FOREIGN:
        webhook_decide(&turn, input);
        break;
    case INPUT_PROFILE:
        profile_decide(&turn, input);
        break;
    case INPUT_OUTCOME:
        if (input->u.outcome.friends != NULL) {
            chunk_decide_outcome(&turn, input);
        } else {
            delivery_decide_outcome(&turn, input);
        }
        break;
    case INPUT_FORGET:
    case INPUT_TAG:
    case INPUT_FIELD:
    case INPUT_START_SCENARIO:
    case INPUT_STOP_SCENARIO:
    case INPUT_SCORE:
    case INPUT_PAUSE:
    case INPUT_RESUME:
    case INPUT_FINISHED:
    case INPUT_CUSTOM_EVENT:
    case INPUT_MARK:
    case INPUT_QUOTA:
    case INPUT_CAP:
    case INPUT_BROADCAST_CANCEL:
    case INPUT_BROADCAST_FIT:
        operator_decide(&turn, input);
        break;
    case INPUT_FORM:
        form_decide(&turn, input);
        break;
    case INPUT_CONVERSION:
        conversion_decide(&turn, input);
        break;
    case INPUT_BOOK:
    case INPUT_CHANGE_BOOKING:
    case INPUT_CANCEL_BOOKING:
        calendar_decide(&turn, input);
        break;
    }
    trigger_run_fired(&turn, 0);
}

/* taking */

/* The first in rank of everything due for a friend. False when nothing is. */
static bool
best_of(const struct state *state, uint32_t friend, int64_t now_ms, struct owner *out_owner)
{
    struct rank best = {0};
    bool found = false;
    for (uint32_t i = state->friends[friend].first_delivery; i != NO_ID;
         i = state->deliveries[i].next) {
        struct owner owner = {OWNER_DELIVERY, i};
        struct rank rank = rank_of(state, owner);
        if (owner_is_due(state, owner, now_ms) && (!found || rank_before(&rank, &best))) {
            found = true;
            best = rank;
            *out_owner = owner;
        }
    }
    for (uint32_t i = state->friends[friend].first_enrolment; i != NO_ID;
         i = state->enrolments[i].next) {
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

/* Clears the owner's mark; its friend when the row is still due and may be taken, else NO_ID: it is
 * gone, or held again, or it comes again with the outcome of what its friend has in flight. */
static uint32_t
owner_friend(struct engine *engine, struct owner owner, int64_t now_ms)
{
    uint32_t friend;
    if (owner.kind == OWNER_DELIVERY) {
        struct delivery *row = &engine->state.deliveries[owner.index];
        row->queued = false;
        friend = row->friend;
    } else {
        struct enrolment *row = &engine->state.enrolments[owner.index];
        row->queued = false;
        friend = row->friend;
    }
    bool free =
        owner_is_due(&engine->state, owner, now_ms) && !friend_is_busy(&engine->state, friend);
    if (!free && owner_is_held(&engine->state, owner)) {
        held_add(&engine->held, owner);
    }
    return free ? friend : NO_ID;
}

bool
engine_work(struct engine *engine, int64_t now_ms, struct events *out)
{
    struct turn turn = {.engine = engine,
                        .state = &engine->state,
                        .now_ms = now_ms,
                        .start_ms = now_ms,
                        .out = out};
    bool more = edit_slice(&turn, &engine->edit_cursor);
    return broadcast_slice(&turn) || more;
}

/* Moves a share of what has come due out of the wheel. Broadcasts begin at once. */
static void
enqueue_due(struct turn *turn)
{
    struct owner owners[DUE_SHARE];
    struct engine *engine = turn->engine;
    size_t count = due_expire(&engine->due, &engine->state, turn->now_ms, owners);
    for (size_t i = 0; i < count; i++) {
        if (owners[i].kind == OWNER_BROADCAST) {
            broadcast_take(turn, owners[i].index);
        } else {
            enqueue_owner(engine, owners[i]);
        }
    }
}

/* What may go next; what is held follows behind the queues when something was raised. */
static bool
next_content(struct engine *engine, const struct take_permit *permit, enum message_class *out_class,
             uint64_t *out_content)
{
    if (due_next_content(&engine->due, permit, out_class, out_content)) {
        return true;
    }
    return engine->held.wanted &&
           held_release(&engine->held, &engine->state, enqueue_owner, engine) &&
           due_next_content(&engine->due, permit, out_class, out_content);
}

static bool
is_same(struct owner a, struct owner b)
{
    return a.kind == b.kind && a.index == b.index;
}

static struct taken
take_one(struct turn *turn, struct owner owner, uint32_t friend)
{
    uint64_t intended = owner.kind == OWNER_DELIVERY ? delivery_take(turn, owner.index)
                                                     : step_take(turn, owner.index);
    trigger_run_fired(turn, 0);
    enqueue_friend(turn->engine, friend, turn->now_ms); /* whatever else of this friend is due */
    if (intended == 0) {
        return (struct taken){0};
    }
    uint32_t *row = arena_alloc(turn->out->arena, sizeof(*row));
    *row = state_find_delivery(turn->state, friend, intended);
    return (struct taken){row, 1};
}

/* The next of a line that sends to one friend alone. False: it may not go, or it is gone. */
static bool
take_alone(struct turn *turn, const struct take_permit *permit, struct owner owner,
           struct taken *out_taken)
{
    struct engine *engine = turn->engine;
    uint32_t friend = owner_friend(engine, owner, turn->now_ms);
    struct owner best = owner;
    if (friend == NO_ID) {
        return false;
    }
    bool found = best_of(&engine->state, friend, turn->now_ms, &best);
    assert(found);
    if (!due_may(permit, chunk_content(&engine->state, best, turn->now_ms), 1)) {
        enqueue_owner(engine, best); /* the other comes again when that has gone */
        return false;
    }
    *out_taken = take_one(turn, best, friend);
    return true;
}

static int
by_friend(const void *a, const void *b, void *context)
{
    const struct state *state = context;
    uint32_t x = owner_whose(state, *(const struct owner *)a);
    uint32_t y = owner_whose(state, *(const struct owner *)b);
    return x < y ? -1 : x > y;
}

/* Those of a line of common content that are first in rank for their friends, sorted by friend, one each. */
static uint32_t
gather(struct turn *turn, enum message_class message_class, uint64_t content,
       struct owner owners[CROWD_MAX])
{
    struct engine *engine = turn->engine;
    struct owner owner;
    uint32_t count = 0;
    uint32_t most = chunk_most(&engine->state, message_class, content);
    bool scarce = most < CROWD_MAX; /* then who came first gets what there is (SPEC R11, R5) */
    while (count < most && due_pop(&engine->due, message_class, content, scarce, &owner)) {
        uint32_t friend = owner_friend(engine, owner, turn->now_ms);
        struct owner best = owner;
        if (friend == NO_ID) {
            continue;
        }
        if (owner.kind == OWNER_ENROLMENT) {
            edit_follow(turn, owner.index); /* its timer came before the edit's job did */
        }
        if (!best_of(&engine->state, friend, turn->now_ms, &best)) {
            continue; /* it is not due any more */
        }
        if (is_same(best, owner) && chunk_content(&engine->state, owner, turn->now_ms) == content) {
            owners[count++] = owner;
        } else {
            enqueue_owner(engine, best); /* this one comes again when that has gone */
        }
    }
    qsort_r(owners, count, sizeof(*owners), by_friend, &engine->state);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || !is_same(owners[kept - 1], owners[i])) {
            owners[kept++] = owners[i];
        }
    }
    return kept;
}

/* As many of one content as share a request. False: nobody of the line may go. */
static bool
take_common(struct turn *turn, enum message_class message_class, uint64_t content,
            struct taken *out_taken)
{
    struct owner owners[CROWD_MAX];
    uint32_t count = gather(turn, message_class, content, owners);
    if (count == 0) {
        return false;
    }
    if (count == 1) {
        *out_taken = take_one(turn, owners[0], owner_whose(turn->state, owners[0]));
        return true;
    }
    uint32_t friends[CROWD_MAX]; /* judging may end the rows */
    for (uint32_t i = 0; i < count; i++) {
        friends[i] = owner_whose(turn->state, owners[i]);
    }
    *out_taken = chunk_take(turn, owners, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!friend_is_busy(turn->state, friends[i])) {
            enqueue_friend(turn->engine, friends[i], turn->now_ms);
        }
    }
    return true;
}

enum rc
engine_take(struct engine *engine, int64_t now_ms, const struct take_permit *permit,
            struct events *out, struct taken *out_taken)
{
    assert(engine->awake);
    struct turn turn = {.engine = engine,
                        .state = &engine->state,
                        .now_ms = now_ms,
                        .start_ms = now_ms,
                        .out = out};
    uint32_t before = out->count;
    *out_taken = (struct taken){0};
    engine->now_ms = now_ms;
    if (engine->held.count > 0) {
        pressure_begin_month(&turn); /* a month that turned lets go */
    }
    enqueue_due(&turn);
    if (turn.out->count > before || date_look_through(&turn)) {
        return RC_OK;
    }
    enum message_class message_class;
    uint64_t content;
    while (next_content(engine, permit, &message_class, &content)) {
        struct owner owner;
        pressure_begin_month(&turn);
        bool done = content >= CONTENT_COMMON && !permit->alone
                        ? take_common(&turn, message_class, content, out_taken)
                        : due_pop(&engine->due, message_class, content, false, &owner) &&
                              take_alone(&turn, permit, owner, out_taken);
        if (done) {
            return RC_OK;
        }
    }
    return turn.out->count > before ? RC_OK : RC_END;
}

bool
engine_is_claimed_at(const struct engine *engine, const struct input *input)
{
    const struct claim_row *last = &engine->state.claim;
    return last->seq != 0 && claim_is_of(last, input);
}

int64_t
engine_next_work(const struct engine *engine, int64_t now_ms)
{
    if (date_is_pending(&engine->state) || (engine->held.wanted && engine->held.count > 0) ||
        engine->state.definitions_before != NULL || broadcast_has_work(&engine->state)) {
        return now_ms;
    }
    int64_t next_ms = wheel_next(engine->due.wheel);
    if ((engine->held.count > 0 || broadcast_is_held(&engine->state)) &&
        engine->state.quota.until_ms < next_ms) {
        next_ms = engine->state.quota.until_ms; /* the month turns */
    }
    return next_ms < now_ms ? now_ms : next_ms;
}

bool
engine_has_due(const struct engine *engine, const struct take_permit *permit)
{
    return due_has(&engine->due, permit);
}

int64_t
engine_next_due(const struct engine *engine, int64_t now_ms)
{
    for (int i = 0; i < CLASS_COUNT; i++) {
        if (engine->due.classes[i].total > 0) {
            return now_ms;
        }
    }
    return engine_next_work(engine, now_ms);
}

uint32_t
engine_due_count(const struct engine *engine, enum message_class message_class)
{
    return engine->due.classes[message_class].total;
}
