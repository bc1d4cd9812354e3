/* Actions, top to bottom, each with its own condition judged at its turn (SPEC R27). */
#include "engine/calendar.h"
#include "engine/conversion.h"

#include <stdio.h>

bool
condition_holds(const struct state *state, uint32_t friend, const struct condition *condition)
{
    bool stack[CONDITION_DEPTH_MAX];
    uint32_t top = 0;
    if (condition->op_count == 0) {
        return true;
    }
    for (uint32_t i = 0; i < condition->op_count; i++) {
        const struct condition_op *op = &condition->ops[i];
        switch (op->kind) {
        case CONDITION_TRUE:
            stack[top++] = true;
            break;
        case CONDITION_TAG:
            stack[top++] = state_has_tag(state, friend, op->id);
            break;
        case CONDITION_AND:
            top--;
            stack[top - 1] = stack[top - 1] && stack[top];
            break;
        case CONDITION_OR:
            top--;
            stack[top - 1] = stack[top - 1] || stack[top];
            break;
        case CONDITION_NOT:
            stack[top - 1] = !stack[top - 1];
            break;
        }
    }
    return stack[0];
}

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
    if (state_value(turn->state, friend, field) == NULL) {
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

void
action_set_field(struct turn *turn, uint32_t friend, uint32_t field, int64_t number,
                 struct span text, struct source source)
{
    enum field_type type = state_field_type(turn->state, field);
    if (turn->state->friends[friend].forgotten) {
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
run_field(struct turn *turn, uint32_t friend, const struct action *action, struct source source)
{
    uint32_t id = action->u.field.field;
    const struct field *field = &turn->state->definitions->fields[id];
    const struct value_row *value = state_value(turn->state, friend, id);
    int64_t old = value != NULL ? value->number : field->has_start ? field->start : 0;
    int64_t number = action->u.field.number;
    switch (action->u.field.change) {
    case FIELD_CHANGE_CLEAR:
        action_clear_field(turn, friend, id, source);
        return;
    case FIELD_CHANGE_SET:
        break;
    case FIELD_CHANGE_ADD:
        if (__builtin_add_overflow(old, number, &number)) {
            return;
        }
        break;
    case FIELD_CHANGE_SUBTRACT:
        if (__builtin_sub_overflow(old, number, &number) ||
            (field->has_min && number < field->min)) {
            return; /* refused (SPEC R57) */
        }
        break;
    }
    action_set_field(turn, friend, id, number, action->u.field.text, source);
}

static void
run_stop(struct turn *turn, uint32_t friend, const struct action *action, struct source source)
{
    const struct state *state = turn->state;
    for (uint32_t i = state->friends[friend].first_enrolment; i != NO_ID;) {
        uint32_t next = state->enrolments[i].next;
        uint32_t scenario = state->enrolments[i].scenario;
        enum stop_scope scope = action->u.stop.scope;
        if (scope == STOP_ALL || (scope == STOP_SCENARIO && scenario == action->u.stop.id) ||
            (scope == STOP_LANE &&
             state->definitions->scenarios[scenario].lane == action->u.stop.id)) {
            scenario_stop(turn, i, REASON_STOPPED, source);
        }
        i = next;
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

static bool
run_choose(struct turn *turn, uint32_t friend, const struct action *action, struct source source,
           uint32_t enrolment, struct outbox *outbox)
{
    for (uint32_t i = 0; i < action->u.choose.case_count; i++) {
        const struct choose_case *option = &action->u.choose.cases[i];
        if (condition_holds(turn->state, friend, &option->condition)) {
            return action_run(turn, friend, &option->body, source, enrolment, outbox);
        }
    }
    return false;
}

bool
action_run(struct turn *turn, uint32_t friend, const struct body *body, struct source source,
           uint32_t enrolment, struct outbox *outbox)
{
    bool did_something = false;
    for (uint32_t i = 0; i < body->action_count; i++) {
        const struct action *action = &body->actions[i];
        if (!condition_holds(turn->state, friend, &action->condition)) {
            continue;
        }
        bool did = true;
        switch (action->kind) {
        case ACTION_SEND:
            for (uint32_t j = 0; j < action->u.send.template_count; j++) {
                struct delivery_item item = {.template = action->u.send.templates[j],
                                             .enrolment = enrolment,
                                             .source = source};
                outbox_add(turn, outbox, &item);
            }
            break;
        case ACTION_TAG:
            for (uint32_t j = 0; j < action->u.tag.change_count; j++) {
                action_set_tag(turn, friend, action->u.tag.changes[j].tag,
                               action->u.tag.changes[j].add, source);
            }
            break;
        case ACTION_FIELD:
            run_field(turn, friend, action, source);
            break;
        case ACTION_START:
            scenario_start(turn, friend, action->u.start.scenario, action->u.start.at_step, source);
            break;
        case ACTION_STOP:
            run_stop(turn, friend, action, source);
            break;
        case ACTION_CHOOSE:
            did = run_choose(turn, friend, action, source, enrolment, outbox);
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
        }
        did_something = did_something || did;
    }
    return did_something;
}
