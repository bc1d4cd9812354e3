#include "engine/engine.h"

#include "engine/agenda.h"
#include "engine/block.h"
#include "engine/calendar.h"
#include "engine/chunk.h"
#include "engine/conversion.h"
#include "engine/deed.h"
#include "engine/form.h"
#include "engine/link.h"
#include "engine/menu.h"
#include "engine/route.h"
#include "engine/tables.h"
#include "engine/take.h"
#include "engine/trigger.h"
#include "engine/unique.h"
#include <assert.h>
#include <stdlib.h>

struct engine {
    struct state state;
    struct agenda agenda; /* once awake */
    uint32_t edit_cursor; /* enrolments below it follow the newest definitions */
    struct engine_calls calls;
    bool awake;
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
        agenda_end(&engine->agenda);
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

struct span
engine_link_token(const struct engine *engine, uint32_t friend, uint32_t link, struct arena *arena)
{
    assert(engine->state.run_count > 0);
    return engine->calls.link_token(engine->state.run_ids[0], friend, link, arena);
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
    broadcast_redefine(state, old, event->at_ms);
    unique_follow(state, old);
    enter_begin(state);
    definitions_release(old);
    state->dates_from = 0;
    state->menus_from = 0;
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
    case EVENT_LINE_QUOTA:
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
    case EVENT_MENU_SET:
    case EVENT_MENU_SHOWN:
    case EVENT_MENUS_LOOKED_THROUGH:
        menu_apply(state, event);
        break;
    case EVENT_LISTED:
    case EVENT_OPERATOR_BLOCK:
        block_apply(state, event);
        break;
    case EVENT_DELIVERY_DECIDED:
        unknown_apply(state, event);
        break;
    case EVENT_START_ASKED:
        enter_apply(state, event);
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
    case EVENT_FIELD_REFUSED:
    case EVENT_IMPORTED:
    case EVENT_ROUTE_SCANNED:
    case EVENT_ROUTE_TAKEN:
    case EVENT_CLICKED:
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
    if (!about_friend || event->friend < state->friends.count ||
        (event->kind == EVENT_FRIEND_ADDED && event->friend == state->friends.count)) {
        route(state, event);
        measure_apply(state, event);
        deed_apply(state, event);
        if (about_friend) {
            tables_friend(state, event->friend)->newest_seq = event->seq;
            tables_settle_friend(state, event->friend);
        }
    }
    state->seq = event->seq;
    state->at_ms = event->at_ms;
    if (event->at_ms > state->latest_ms) {
        state->latest_ms = event->at_ms;
    }
}

/* Rows span cache lines; all of a friend's are touched, and of an enrolment's. */
static inline void
prefetch(const void *row, size_t bytes)
{
    enum { CACHE_LINE = 64 };
    for (size_t at = 0; at < bytes; at += CACHE_LINE) {
        __builtin_prefetch((const char *)row + at, 1);
    }
}

static bool
is_about_enrolment(const struct event *event)
{
    return (event->kind >= EVENT_ENROLMENT_STARTED && event->kind <= EVENT_CLOCK_RESTARTED) ||
           event->kind == EVENT_STEP_REDIRECTED;
}

void
engine_expect(const struct engine *engine, const struct event *event)
{
    const struct state *state = &engine->state;
    if (event->friend < state->friends.count) {
        prefetch(state_friend(state, event->friend), sizeof(struct friend_row));
    }
    if (is_about_enrolment(event) && event->u.step.enrolment < state->enrolments.count) {
        prefetch(state_enrolment(state, event->u.step.enrolment), sizeof(struct enrolment));
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

void
engine_wake(struct engine *engine, int64_t now_ms)
{
    assert(!engine->awake);
    engine->awake = true;
    agenda_begin(&engine->agenda, &engine->state, now_ms);
}

struct event *
turn_emit(struct turn *turn, const struct event *event)
{
    struct event *copy = events_add(turn->out, event);
    copy->seq = turn->state->seq + 1;
    copy->at_ms = turn->now_ms;
    if (event->friend < turn->state->friends.count) {
        copy->friend_prev = state_friend(turn->state, event->friend)->newest_seq;
    }
    uint32_t index = turn->out->count - 1;
    const struct trigger_before before = trigger_look(turn, copy);
    engine_apply(turn->engine, copy);
    if (turn->engine->awake) {
        agenda_follow(&turn->engine->agenda, copy);
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
    if (state_friend(turn->state, input->u.profile.friend)->forgotten) {
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
    case INPUT_IMPORTED: {
        struct event imported = {.kind = EVENT_IMPORTED,
                                 .friend = NO_ID,
                                 .source = source,
                                 .words = &input->u.imported.name,
                                 .word_count = input->u.imported.name.len > 0 ? 1 : 0,
                                 .u.imported = {.updated = input->u.imported.updated,
                                                .unknown = input->u.imported.unknown}};
        turn_emit(turn, &imported);
        break;
    }
    case INPUT_LIST:
        block_list(turn, input->u.list.friend, input->u.list.on, source);
        break;
    case INPUT_BLOCK:
        block_set(turn, input->u.list.friend, input->u.list.on, source);
        break;
    case INPUT_UNKNOWN:
        unknown_decide(turn, input, source);
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
                        .menus_settled = out->count,
                        .out = out};
    engine->agenda.now_ms = input->at_ms;
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
    case INPUT_LINE_QUOTA:
        pressure_decide_line(&turn, input);
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
    case INPUT_LIST:
    case INPUT_BLOCK:
    case INPUT_IMPORTED:
    case INPUT_QUOTA:
    case INPUT_CAP:
    case INPUT_BROADCAST_CANCEL:
    case INPUT_BROADCAST_FIT:
    case INPUT_UNKNOWN:
        operator_decide(&turn, input);
        break;
    case INPUT_FORM:
        form_decide(&turn, input);
        break;
    case INPUT_CONVERSION:
        conversion_decide(&turn, input);
        break;
    case INPUT_SCAN:
        route_decide(&turn, input);
        break;
    case INPUT_CLICK:
        link_decide(&turn, input);
        break;
    case INPUT_BOOK:
    case INPUT_CHANGE_BOOKING:
    case INPUT_CANCEL_BOOKING:
        calendar_decide(&turn, input);
        break;
    }
    trigger_run_fired(&turn, 0);
    menu_settle(&turn);
    trigger_run_fired(&turn, 0); /* that another menu is shown */
}

/* taking */

bool
engine_work(struct engine *engine, int64_t now_ms, struct events *out)
{
    struct turn turn = {.engine = engine,
                        .state = &engine->state,
                        .now_ms = now_ms,
                        .start_ms = now_ms,
                        .out = out};
    turn.menus_settled = out->count;
    bool more = edit_slice(&turn, &engine->edit_cursor);
    more = enter_slice(&turn) || more;
    more = broadcast_slice(&turn) || more;
    menu_settle(&turn);
    trigger_run_fired(&turn, 0);
    return more;
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
    turn.menus_settled = before;
    *out_taken = (struct taken){0};
    engine->agenda.now_ms = now_ms;
    if (engine->agenda.held.count > 0) {
        pressure_begin_month(&turn); /* a month that turned lets go */
    }
    agenda_expire(&engine->agenda, &turn);
    bool looked = turn.out->count > before || date_look_through(&turn) || menu_look_through(&turn);
    bool decided = looked || take_next(&turn, &engine->agenda, permit, out_taken);
    menu_settle(&turn);
    trigger_run_fired(&turn, 0); /* that another menu is shown */
    return decided || turn.out->count > before ? RC_OK : RC_END;
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
    int64_t next_ms = agenda_next_work(&engine->agenda, now_ms);
    int64_t look_ms = menu_next_look(&engine->state, now_ms);
    return look_ms < next_ms ? look_ms : next_ms;
}

bool
engine_has_due(const struct engine *engine, const struct take_permit *permit)
{
    return due_has(&engine->agenda.due, permit);
}

int64_t
engine_next_due(const struct engine *engine, int64_t now_ms)
{
    int64_t next_ms = agenda_next_due(&engine->agenda, now_ms);
    int64_t look_ms = menu_next_look(&engine->state, now_ms);
    return look_ms < next_ms ? look_ms : next_ms;
}

uint32_t
engine_due_count(const struct engine *engine, enum message_class message_class)
{
    return engine->agenda.due.classes[message_class].total;
}
