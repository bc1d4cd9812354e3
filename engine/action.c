/* Actions, top to bottom, each with its own condition judged at its turn (SPEC R27). */
#include "engine/block.h"
#include "engine/calendar.h"
#include "engine/conversion.h"
#include "engine/menu.h"
#include "engine/reminder.h"
#include "engine/trigger.h"
#include "engine/unique.h"

#include <stdio.h>

void
action_set_tag(struct turn *turn, uint32_t friend, uint32_t tag, bool add, struct source source)
{
    if (state_has_tag(turn->state, friend, tag) == add) {
        return; /* idempotent (SPEC R18) */
    }
    struct event changed = {.kind = add ? EVENT_TAG_ADDED : EVENT_TAG_REMOVED,
                            .friend = friend,
                            .source = source,
                            .u.tag = {.tag = tag}};
    turn_emit(turn, &changed);
}

void
action_clear_field(struct turn *turn, uint32_t friend, uint32_t field, struct source source)
{
    if (!state_value(turn->state, friend, field).set) {
        return;
    }
    struct event cleared = {.kind = EVENT_FIELD_CLEARED,
                            .friend = friend,
                            .source = source,
                            .u.field = {.field = field}};
    turn_emit(turn, &cleared);
}

/* Dates lead to a person as texts do, so they are words that can be erased (SPEC R51). */
static struct span
date_word(struct turn *turn, int64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%lld", (long long)number);
    return arena_span(turn->out->arena, span_of(text, (size_t)len));
}

/* Another friend has that value of a unique field: refused, and staff are told (SPEC R19). */
static bool
is_taken(struct turn *turn, uint32_t friend, uint32_t field, struct span text, struct source source)
{
    uint32_t owner = unique_owner(turn->state, field, text);
    if (owner == NO_ID || owner == friend) {
        return false;
    }
    struct event refused = {.kind = EVENT_FIELD_REFUSED,
                            .friend = friend,
                            .source = source,
                            .words = &text,
                            .word_count = 1,
                            .u.field_refused = {.field = field, .owner = owner}};
    turn_emit(turn, &refused);
    const char *name = names_text(&turn->state->definitions->field_names, field);
    size_t room = strlen(name) + text.len + 64;
    char *said = arena_alloc(turn->out->arena, room);
    int len = snprintf(said, room, "%s %.*s: taken by friend %u", name, span_fmt(text), owner);
    notice_tell(turn, friend, span_of(said, (size_t)len), NO_ID, source);
    return true;
}

void
action_set_field(struct turn *turn, uint32_t friend, uint32_t field, int64_t number,
                 struct span text, struct source source)
{
    enum field_type type = state_field_type(turn->state, field);
    if (state_friend(turn->state, friend)->forgotten) {
        return;
    }
    if (is_taken(turn, friend, field, text, source)) {
        return;
    }
    if (type == FIELD_DATE || type == FIELD_DATETIME) {
        text = date_word(turn, number);
    }
    struct event set = {.kind = EVENT_FIELD_SET,
                        .friend = friend,
                        .source = source,
                        .words = &text,
                        .word_count = type != FIELD_NUMBER && text.len > 0 ? 1 : 0,
                        .u.field = {.field = field, .number = type == FIELD_NUMBER ? number : 0}};
    turn_emit(turn, &set);
}

static void
apply_scope(struct turn *turn, uint32_t enrolment, const struct action *action,
            struct source source)
{
    if (action->kind == ACTION_PAUSE) {
        pause_enrolment(turn, enrolment, source);
    } else if (action->kind == ACTION_RESUME) {
        pause_resume_enrolment(turn, enrolment, action->u.stop.shift, source);
    } else {
        scenario_stop(turn, enrolment, REASON_STOPPED, source);
    }
}

/* stop, pause, resume: of what runs as the action is reached; one of them may end another. */
static void
run_stop(struct turn *turn, uint32_t friend, const struct action *action, struct source source)
{
    const struct state *state = turn->state;
    struct {
        uint32_t index;
        uint64_t started_seq;
    } *rows = NULL;
    uint32_t count = 0;
    for (uint32_t i = state_friend(state, friend)->first_enrolment; i != NO_ID;
         i = state_enrolment(state, i)->next) {
        uint32_t scenario = state_enrolment(state, i)->scenario;
        enum stop_scope scope = action->u.stop.scope;
        const struct scenario *definition = &state->definitions->scenarios[scenario];
        if (definition->kind == KIND_SCENARIO &&
            (scope == STOP_ALL || (scope == STOP_SCENARIO && scenario == action->u.stop.id) ||
             (scope == STOP_LANE && definition->lane == action->u.stop.id))) {
            rows = arena_grow(turn->out->arena, rows, count, sizeof(*rows));
            rows[count].index = i;
            rows[count++].started_seq = state_enrolment(state, i)->started_seq;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct enrolment *row = state_enrolment(state, rows[i].index);
        if (row->phase != ENROLMENT_FREE && row->started_seq == rows[i].started_seq) {
            apply_scope(turn, rows[i].index, action, source);
        }
    }
}

/* The template that a name with insertions comes to (LANGUAGE 2); NO_ID, and recorded, if none. */
static uint32_t
named_template(struct turn *turn, uint32_t friend, const struct pattern *pattern,
               struct source source)
{
    struct span name = pattern_text(turn, friend, pattern);
    uint32_t template = names_find(&turn->state->definitions->template_names, name);
    if (template == NO_ID) {
        struct event unknown = {.kind = EVENT_SEND_UNKNOWN,
                                .friend = friend,
                                .source = source,
                                .words = &name,
                                .word_count = name.len > 0 ? 1 : 0,
                                .u.send_unknown = {.pattern = pattern->text}};
        turn_emit(turn, &unknown);
    }
    return template;
}

static void
run_send(struct turn *turn, uint32_t friend, const struct action *action, struct source source,
         uint32_t enrolment, struct outbox *outbox)
{
    for (uint32_t i = 0; i < action->u.send.template_count; i++) {
        const struct pattern *pattern =
            action->u.send.patterns == NULL ? NULL : action->u.send.patterns[i];
        struct delivery_item item = {
            .template = pattern == NULL ? action->u.send.templates[i]
                                        : named_template(turn, friend, pattern, source),
            .enrolment = enrolment,
            .source = source};
        if (item.template != NO_ID) {
            outbox_add(turn, outbox, &item);
        }
    }
}

/* In the step under way, unless its own actions have ended the enrolment. */
static void
run_jump(struct turn *turn, const struct action *action, struct source source, uint32_t enrolment)
{
    if (enrolment == NO_ID) {
        return;
    }
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    if (row->phase == ENROLMENT_WAITING && row->scenario == source.id && row->step == source.sub) {
        scenario_redirect(turn, enrolment,
                          action->kind == ACTION_GOTO ? action->u.jump.step : NO_ID);
    }
}

static void
run_booking(struct turn *turn, uint32_t friend, const struct action *action, struct source source)
{
    const struct booking_wish wish = {.calendar = action->u.book.calendar,
                                      .slot = action->u.book.slot,
                                      .at_ms = action->u.book.at_ms};
    if (action->kind == ACTION_BOOK) {
        calendar_book(turn, friend, &wish, source);
    } else {
        calendar_cancel(turn, friend, &wish, source);
    }
}

static void
run_remind(struct turn *turn, uint32_t friend, const struct action *action, struct source source)
{
    uint32_t reminder = action->u.remind.reminder;
    int64_t goal_ms =
        action->u.remind.field == NO_ID
            ? action->u.remind.goal_ms
            : reminder_goal_of_field(turn->state, friend, reminder, action->u.remind.field);
    reminder_start(turn, friend, reminder, action->u.remind.key, goal_ms, source);
}

static void
run_event(struct turn *turn, uint32_t friend, const struct action *action, struct source source)
{
    const char *name = names_text(&turn->state->definitions->event_names, action->u.event);
    trigger_custom_event(turn, friend, span_cstr(name), source);
}

/* What follows happens later: an enrolment of its own, so that blocks and edits find it. */
static void
run_wait(struct turn *turn, uint32_t friend, const struct action *action, struct source source)
{
    const struct state *state = turn->state;
    const struct step *step =
        scenario_only_step(&state->definitions->scenarios[action->u.wait.scenario]);
    if (step == NULL || state_is_blocked(state, friend) || state_friend(state, friend)->forgotten) {
        return;
    }
    const struct enrolling as = {.start_ms = turn->now_ms, .links = turn->links};
    uint32_t enrolment = scenario_enrol(turn, friend, action->u.wait.scenario, &as, source);
    if (enrolment != NO_ID) {
        scenario_plan(turn, enrolment, step, turn->now_ms + step->timing.delay_ms, turn->now_ms);
    }
}

static bool
run_choose(struct turn *turn, uint32_t friend, const struct action *action, struct source source,
           uint32_t enrolment, struct outbox *outbox)
{
    for (uint32_t i = 0; i < action->u.choose.case_count; i++) {
        const struct choose_case *option = &action->u.choose.cases[i];
        if (condition_holds(turn, friend, &option->condition)) {
            return action_run_list(turn, friend, &option->body, source, enrolment, outbox);
        }
    }
    return false;
}

bool
action_run_list(struct turn *turn, uint32_t friend, const struct body *body, struct source source,
                uint32_t enrolment, struct outbox *outbox)
{
    bool did_something = false;
    for (uint32_t i = 0; i < body->action_count; i++) {
        const struct action *action = &body->actions[i];
        if (!condition_holds(turn, friend, &action->condition)) {
            did_something =
                (action->kind == ACTION_WAIT &&
                 action_run_list(turn, friend, action->u.wait.rest, source, enrolment, outbox)) ||
                did_something;
            continue;
        }
        if (action->once_key != 0 && !once_take(turn, friend, action->once_key, source)) {
            continue;
        }
        bool did = true;
        switch (action->kind) {
        case ACTION_SEND:
            run_send(turn, friend, action, source, enrolment, outbox);
            break;
        case ACTION_TAG:
            for (uint32_t j = 0; j < action->u.tag.change_count; j++) {
                action_set_tag(turn, friend, action->u.tag.changes[j].tag,
                               action->u.tag.changes[j].add, source);
            }
            break;
        case ACTION_FIELD:
            field_run(turn, friend, action, source);
            break;
        case ACTION_START:
            if (!turn->leave_scenarios) {
                scenario_start(turn, friend, action->u.start.scenario, action->u.start.at_step,
                               source);
            }
            break;
        case ACTION_STOP:
        case ACTION_PAUSE:
        case ACTION_RESUME:
            run_stop(turn, friend, action, source);
            break;
        case ACTION_CHOOSE:
            did = run_choose(turn, friend, action, source, enrolment, outbox);
            break;
        case ACTION_DRAW:
            draw_word(turn, friend, action, source);
            break;
        case ACTION_SPLIT:
            did = action_run_list(turn, friend, draw_split(turn, friend, action, source), source,
                                  enrolment, outbox);
            break;
        case ACTION_GOTO:
        case ACTION_END:
            run_jump(turn, action, source, enrolment);
            break;
        case ACTION_SCORE:
            score_add(turn, friend, action->u.score.by, source);
            break;
        case ACTION_NOTIFY:
            notice_run(turn, friend, action, source);
            break;
        case ACTION_CONVERT:
            conversion_run(turn, friend, action->u.convert.conversion, source);
            break;
        case ACTION_BOOK:
        case ACTION_UNBOOK:
            run_booking(turn, friend, action, source);
            break;
        case ACTION_REMIND:
            run_remind(turn, friend, action, source);
            break;
        case ACTION_CANCEL:
            reminder_cancel(turn, friend, action->u.remind.reminder,
                            action->u.remind.key == NO_ID ? REMINDER_KEY_ANY : action->u.remind.key,
                            source);
            break;
        case ACTION_EVENT:
            run_event(turn, friend, action, source);
            break;
        case ACTION_RICH_MENU:
            menu_override(turn, friend, action->u.menu, source);
            break;
        case ACTION_WAIT:
            run_wait(turn, friend, action, source);
            break;
        case ACTION_LIST:
            block_list(turn, friend, action->u.hidden, source);
            break;
        case ACTION_MARK:
            mark_set(turn, friend, action->u.mark, source);
            break;
        }
        did_something = did_something || did;
    }
    return did_something;
}

bool
action_run(struct turn *turn, uint32_t friend, const struct body *body, struct source source,
           uint32_t enrolment, struct outbox *outbox)
{
    uint32_t fired = turn->fired.count;
    bool did_something = action_run_list(turn, friend, body, source, enrolment, outbox);
    trigger_run_fired(turn, fired); /* after the list that fired them (SPEC R27) */
    return did_something;
}
