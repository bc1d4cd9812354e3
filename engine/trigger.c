/* Triggers: what fires, what it cancels, what it starts (SPEC R18, R35). */
#include "engine/trigger.h"

#include "engine/tables.h"

#include <stdio.h>

static bool
is_running(const struct turn *turn, uint32_t enrolment)
{
    const struct running *running = turn->running;
    while (running != NULL && running->enrolment != enrolment) {
        running = running->outer;
    }
    return running != NULL;
}

/* The friend's enrolment in a trigger that has gone off and is not really sent yet. */
static uint32_t
find_waiting(const struct turn *turn, uint32_t friend, uint32_t trigger)
{
    const struct state *state = turn->state;
    uint32_t i = state_friend(state, friend)->first_enrolment;
    while (i != NO_ID &&
           (state_enrolment(state, i)->scenario != trigger ||
            state_enrolment(state, i)->phase != ENROLMENT_WAITING || is_running(turn, i))) {
        i = state_enrolment(state, i)->next;
    }
    return i;
}

/* Is what happened what the rule is on? Of a number, the happening says the threshold passed. */
static bool
is_on(const struct trigger_on *rule, const struct trigger_on *happened)
{
    return rule->kind == happened->kind && rule->id == happened->id &&
           (rule->sub == NO_ID || rule->sub == happened->sub) && rule->number == happened->number;
}

static struct source
source_of(const struct trigger_on *on)
{
    return (struct source){SOURCE_ON, on->kind, on->id};
}

void
trigger_fire(struct turn *turn, uint32_t friend, struct trigger_on happened)
{
    const struct definitions *definitions = turn->state->definitions;
    bool starts = false;
    for (uint32_t i = 0; i < definitions->trigger_rule_count && !turn->quiet; i++) {
        const struct trigger_rule *rule = &definitions->trigger_rules[i];
        if (!is_on(&rule->on, &happened)) {
            continue;
        }
        uint32_t waiting = find_waiting(turn, friend, rule->scenario);
        if (rule->cancels && waiting != NO_ID) {
            scenario_stop(turn, waiting, REASON_STOPPED, source_of(&happened));
        }
        starts = starts || !rule->cancels;
    }
    if (starts) {
        struct fired *fired = &turn->fired;
        fired->items =
            arena_grow(turn->out->arena, fired->items, fired->count, sizeof(*fired->items));
        fired->items[fired->count++] = (struct happening){friend, happened};
    }
}

void
trigger_number_changed(struct turn *turn, uint32_t friend, struct trigger_on on, int64_t old,
                       int64_t now)
{
    const struct definitions *definitions = turn->state->definitions;
    for (uint32_t i = 0; i < definitions->trigger_rule_count; i++) {
        const struct trigger_on *rule = &definitions->trigger_rules[i].on;
        if (rule->kind != on.kind || rule->id != on.id || old >= rule->number ||
            now < rule->number) {
            continue;
        }
        bool first = true; /* several rules on one threshold: it is passed once */
        for (uint32_t j = 0; j < i; j++) {
            const struct trigger_on *before = &definitions->trigger_rules[j].on;
            first = first && (before->kind != rule->kind || before->id != rule->id ||
                              before->number != rule->number);
        }
        if (first) {
            on.number = rule->number;
            trigger_fire(turn, friend, on);
        }
    }
}

void
trigger_score_changed(struct turn *turn, uint32_t friend, int64_t old, int64_t now)
{
    trigger_number_changed(turn, friend,
                           (struct trigger_on){.kind = ON_SCORE_REACHES, .id = NO_ID, .sub = NO_ID},
                           old, now);
}

static void
restart_clock(struct turn *turn, uint32_t enrolment, const struct step *step)
{
    struct event restarted =
        scenario_step_event(turn, EVENT_CLOCK_RESTARTED, enrolment, NO_ID, 0, REASON_NONE);
    restarted.u.step.start_ms = turn->start_ms;
    turn_emit(turn, &restarted);
    scenario_plan(turn, enrolment, step, turn->start_ms + step->timing.delay_ms, turn->start_ms);
}

static void
go_off(struct turn *turn, uint32_t friend, uint32_t trigger, const struct trigger_on *happened)
{
    const struct state *state = turn->state;
    const struct scenario *definition = &state->definitions->scenarios[trigger];
    const struct step *step = scenario_only_step(definition);
    uint32_t waiting = find_waiting(turn, friend, trigger);
    if (step == NULL || state_is_blocked(state, friend) || state_friend(state, friend)->forgotten) {
        return; /* while blocked, things change and start nothing (SPEC R15) */
    }
    if (waiting != NO_ID) {
        restart_clock(turn, waiting, step);
        return;
    }
    if (definition->once && state_has_entered(state, friend, trigger)) {
        return;
    }
    const struct enrolling as = {.start_ms = turn->start_ms, .links = turn->links + 1};
    uint32_t enrolment = scenario_enrol(turn, friend, trigger, &as, source_of(happened));
    if (enrolment != NO_ID) {
        scenario_plan(turn, enrolment, step, turn->start_ms + step->timing.delay_ms,
                      turn->start_ms);
    }
}

void
trigger_run_fired(struct turn *turn, uint32_t from)
{
    for (uint32_t i = from; i < turn->fired.count; i++) {
        const struct happening happening = turn->fired.items[i];
        /* Definitions stay what they are within a turn. */
        const struct definitions *definitions = turn->state->definitions;
        for (uint32_t j = 0; j < definitions->trigger_rule_count; j++) {
            const struct trigger_rule *rule = &definitions->trigger_rules[j];
            if (!rule->cancels && is_on(&rule->on, &happening.on)) {
                go_off(turn, happening.friend, rule->scenario, &happening.on);
            }
        }
    }
    turn->fired.count = from;
}

/* --- what events say --- */

static int64_t
number_of(const struct state *state, uint32_t friend, uint32_t field)
{
    const struct field_value value = state_value(state, friend, field);
    const struct definitions *definitions = state->definitions;
    if (value.set || field >= definitions->field_names.count) {
        return value.number;
    }
    return definitions->fields[field].has_start ? definitions->fields[field].start : 0;
}

struct trigger_before
trigger_look(const struct turn *turn, const struct event *event)
{
    struct trigger_before before = {0};
    if (event->kind == EVENT_FIELD_SET || event->kind == EVENT_FIELD_CLEARED) {
        const struct field_value value =
            state_value(turn->state, event->friend, event->u.field.field);
        before.known = value.set;
        before.number = number_of(turn->state, event->friend, event->u.field.field);
        before.text =
            value.text == NULL ? NULL : arena_cstr(turn->out->arena, span_cstr(value.text));
    } else if (event->kind == EVENT_MARK_SET) {
        before.mark = state_friend_more(turn->state, event->friend)->mark;
    } else if (event->kind == EVENT_FOLLOWED) {
        before.blocked = state_friend(turn->state, event->friend)->blocked;
    }
    return before;
}

/* The friend's zone; one that does not exist is as good as none, and people are told (SPEC R1). */
static void
see_zone(struct turn *turn, uint32_t friend, struct span name)
{
    const struct definitions *definitions = turn->state->definitions;
    if (name.len > 0 && definitions->zones.lookup != NULL &&
        definitions->zones.lookup(definitions->zones.context, name) == NULL) {
        size_t room = name.len + 64;
        char *said = arena_alloc(turn->out->arena, room);
        int len = snprintf(said, room, "tz '%.*s' is no time zone: the account's is used",
                           span_fmt(name));
        notice_tell(turn, friend, span_of(said, (size_t)len), NO_ID, (struct source){0});
    }
    scenario_zone_changed(turn, friend);
}

static void
see_field(struct turn *turn, const struct event *event, const struct trigger_before *before)
{
    uint32_t friend = event->friend, field = event->u.field.field;
    const struct field_value value = state_value(turn->state, friend, field);
    struct span text = before->text == NULL ? (struct span){0} : span_cstr(before->text);
    bool changed = before->known != value.set || (value.set && value.number != before->number) ||
                   !span_equal(text, span_cstr(value.text));
    if (!changed) {
        return;
    }
    struct trigger_on on = {.kind = ON_FIELD_CHANGED, .id = field, .sub = NO_ID};
    trigger_fire(turn, friend, on);
    on.kind = ON_FIELD_REACHES;
    trigger_number_changed(turn, friend, on, before->number, number_of(turn->state, friend, field));
    date_field_changed(turn, friend, field);
    if (field == turn->state->definitions->tz_field) {
        see_zone(turn, friend, span_cstr(state_value(turn->state, friend, field).text));
    }
}

static void
see_act(struct turn *turn, const struct event *event, const struct trigger_before *before)
{
    struct trigger_on on = {.kind = ON_MESSAGE, .id = NO_ID, .sub = NO_ID};
    if (event->u.act.reason != REASON_NONE) {
        return; /* recorded, and started nothing */
    }
    if (event->kind == EVENT_FOLLOWED) {
        on.kind = event->u.act.unblocked || before->blocked ? ON_UNBLOCK : ON_FOLLOW;
    } else if (event->kind == EVENT_TAPPED) {
        on.kind = ON_TAPPED;
        on.id = event->u.act.button;
        on.sub = event->u.act.choice;
        if (on.id == NO_ID) {
            return; /* not understood */
        }
    }
    trigger_fire(turn, event->friend, on);
}

void
trigger_see(struct turn *turn, const struct event *event, const struct trigger_before *before)
{
    struct trigger_on on = {.id = NO_ID, .sub = NO_ID};
    switch (event->kind) {
    case EVENT_FOLLOWED:
    case EVENT_MESSAGE_RECEIVED:
    case EVENT_TAPPED:
        see_act(turn, event, before);
        return;
    case EVENT_FIELD_SET:
    case EVENT_FIELD_CLEARED:
        see_field(turn, event, before);
        return;
    case EVENT_TAG_ADDED:
    case EVENT_TAG_REMOVED:
        on.kind = event->kind == EVENT_TAG_ADDED ? ON_TAG_ADDED : ON_TAG_REMOVED;
        on.id = event->u.tag.tag;
        break;
    case EVENT_MARK_SET:
        if (event->u.mark.mark == NO_ID || event->u.mark.mark == before->mark) {
            return;
        }
        on.kind = ON_MARK;
        on.id = event->u.mark.mark;
        break;
    case EVENT_ENROLMENT_ENDED:
        if (event->u.step.reason != REASON_FINISHED) {
            return;
        }
        on.kind = ON_FINISHED;
        on.id = event->u.step.scenario;
        break;
    case EVENT_CUSTOM:
        on.kind = ON_EVENT;
        on.id = names_find(&turn->state->definitions->event_names, event->u.custom.name);
        if (on.id == NO_ID) {
            return; /* nobody has asked for it */
        }
        break;
    case EVENT_FORM_ANSWERED:
        on.kind = ON_ANSWERED;
        on.id = event->u.form.form;
        break;
    case EVENT_CONVERTED:
        if (!event->u.conversion.counted) {
            return;
        }
        on.kind = ON_CONVERTED;
        on.id = event->u.conversion.conversion;
        break;
    case EVENT_MENU_SHOWN:
        on.kind = ON_RICH_MENU;
        on.id = event->u.menu.menu == NO_ID ? turn->state->definitions->default_menu
                                            : event->u.menu.menu;
        if (on.id == NO_ID) {
            return; /* none any more */
        }
        break;
    case EVENT_CLICKED:
        on.kind = ON_CLICKED;
        on.id = event->u.clicked.link;
        break;
    case EVENT_BOOKED:
        on.kind = ON_BOOKED;
        on.id = event->u.booking.calendar;
        break;
    default: /* nothing a trigger can be on */
        return;
    }
    trigger_fire(turn, event->friend, on);
}

void
trigger_custom_event(struct turn *turn, uint32_t friend, struct span name, struct source source)
{
    struct event custom = {
        .kind = EVENT_CUSTOM, .friend = friend, .source = source, .u.custom = {.name = name}};
    turn_emit(turn, &custom);
}
