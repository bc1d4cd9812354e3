/* Deliveries: answers planned, intents with their values, outcomes (SPEC R9, R10, R40, R42). */
#include "engine/calendar.h"
#include "engine/form.h"
#include "engine/link.h"
#include "engine/tables.h"
#include "engine/trigger.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define TOKEN_LIFE_MS (50 * MS_PER_SECOND) /* SPEC R10 */
enum { OBJECTS_MAX = 5 };                  /* LINE: messages 1..5 (FACTS 2) */

void
outbox_add(struct turn *turn, struct outbox *outbox, const struct delivery_item *item)
{
    outbox->items =
        arena_grow(turn->out->arena, outbox->items, outbox->count, sizeof(*outbox->items));
    outbox->items[outbox->count++] = *item;
}

uint32_t
outbox_fit(const struct turn *turn, const struct outbox *outbox, uint32_t from)
{
    uint32_t objects = 0, count = 0;
    while (from + count < outbox->count && count < DELIVERY_ITEMS_MAX) {
        objects +=
            turn->state->definitions->templates[outbox->items[from + count].template].object_count;
        if (count > 0 && objects > OBJECTS_MAX) {
            break;
        }
        count++;
    }
    return count;
}

static void
set_items(struct event *event, const struct delivery_item *items, uint32_t count)
{
    event->u.delivery.item_count = count;
    memcpy(event->u.delivery.items, items, count * sizeof(*items));
}

/* Does any of these insert what only the act knows? */
static bool
needs_act(const struct turn *turn, const struct delivery_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct template *template = &turn->state->definitions->templates[items[i].template];
        for (uint32_t j = 0; j < template->insertion_count; j++) {
            if (template->insertions[j].kind == INSERTION_ACT) {
                return true;
            }
        }
    }
    return false;
}

/* The token, then what the answer will need of the act: name, value, ... */
static void
set_planned_words(struct turn *turn, struct event *planned, struct span token)
{
    uint32_t act = needs_act(turn, planned->u.delivery.items, planned->u.delivery.item_count)
                       ? turn->act.count
                       : 0;
    if (token.len == 0 && act == 0) {
        return;
    }
    struct span *words = arena_alloc(turn->out->arena, (1 + 2 * (size_t)act) * sizeof(*words));
    words[0] = token;
    for (uint32_t i = 0; i < act; i++) {
        words[1 + 2 * i] = turn->act.items[i].name;
        words[2 + 2 * i] = turn->act.items[i].value;
    }
    planned->words = words;
    planned->word_count = 1 + 2 * act;
}

static void
plan(struct turn *turn, uint32_t friend, const struct delivery_item *items, uint32_t count,
     enum message_class message_class, struct span token, int64_t due_ms)
{
    struct event planned = {.kind = EVENT_DELIVERY_PLANNED,
                            .friend = friend,
                            .source = items[0].source,
                            .u.delivery = {.message_class = message_class,
                                           .due_ms = due_ms,
                                           .how = token.len > 0 ? HOW_REPLY : HOW_PUSH,
                                           .token_at_ms = token.len > 0 ? turn->now_ms : 0}};
    set_items(&planned, items, count);
    set_planned_words(turn, &planned, token);
    turn_emit(turn, &planned);
}

void
delivery_plan_answer(struct turn *turn)
{
    trigger_run_fired(turn, 0); /* undelayed triggers answer along with the rest (SPEC R10) */
    const struct outbox *outbox = &turn->answer.outbox;
    struct span token = turn->answer.reply_token;
    for (uint32_t from = 0; from < outbox->count;) {
        uint32_t count = outbox_fit(turn, outbox, from);
        plan(turn, turn->answer.friend, outbox->items + from, count, CLASS_RESPONSE, token,
             turn->now_ms);
        token = (struct span){0}; /* one reply; the rest are pushes */
        from += count;
    }
    turn->answer = (struct answer){0};
}

void
turn_open_answer(struct turn *turn, uint32_t friend)
{
    turn->answer = (struct answer){.open = true, .friend = friend};
}

void
turn_close_answer(struct turn *turn)
{
    if (state_is_blocked(turn->state, turn->answer.friend)) {
        turn->answer = (struct answer){0}; /* nothing would arrive (SPEC R8, R15) */
        return;
    }
    delivery_plan_answer(turn);
}

void
turn_run(struct turn *turn, uint32_t friend, const struct body *body, struct source source)
{
    bool own = !turn->answer.open;
    if (body->action_count == 0 || turn->depth >= TURN_DEPTH_MAX) {
        return;
    }
    const struct fired outer = turn->fired;
    if (own) {
        turn->fired = (struct fired){0}; /* the list around this one has not ended yet */
        turn_open_answer(turn, friend);
    }
    turn->depth++;
    action_run(turn, friend, body, source, NO_ID, &turn->answer.outbox);
    turn->depth--;
    if (own) {
        turn_close_answer(turn);
        turn->fired = outer;
    }
}

/* Values of the insertions, as they are at this moment (SPEC R26: texts are bound at send). */

static struct span
date_text(struct turn *turn, int64_t day_number)
{
    char text[48];
    struct civil_date date = civil_date_of(day_number);
    int len = snprintf(text, sizeof(text), "%04d-%02d-%02d", date.year, date.month, date.day);
    return arena_span(turn->out->arena, span_of(text, (size_t)len));
}

static struct span
datetime_text(struct turn *turn, int64_t at_ms)
{
    char text[96];
    struct civil_time local = civil_local(turn->state->definitions->account.zone, at_ms);
    int len = snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d", local.date.year,
                       local.date.month, local.date.day, local.hour, local.minute);
    return arena_span(turn->out->arena, span_of(text, (size_t)len));
}

static struct span
number_text(struct turn *turn, int64_t number)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%lld", (long long)number);
    return arena_span(turn->out->arena, span_of(text, (size_t)len));
}

static struct span
field_text(struct turn *turn, uint32_t friend, uint32_t id)
{
    const struct field_value value = state_value(turn->state, friend, id);
    const struct field *field = &turn->state->definitions->fields[id];
    int64_t number = value.set ? value.number : field->start;
    switch (field->type) {
    case FIELD_NUMBER:
        return !value.set && !field->has_start ? (struct span){0} : number_text(turn, number);
    case FIELD_DATE:
        return value.set ? date_text(turn, number) : (struct span){0};
    case FIELD_DATETIME:
        return value.set ? datetime_text(turn, number) : (struct span){0};
    case FIELD_TEXT:
    case FIELD_IMAGE:
    case FIELD_FILE:
        break;
    }
    return span_cstr(value.text);
}

static struct span
goal_text(struct turn *turn, uint32_t friend, uint32_t enrolment)
{
    const struct state *state = turn->state;
    if (enrolment >= state->enrolments.count ||
        state_enrolment(state, enrolment)->friend != friend) {
        return (struct span){0};
    }
    int64_t goal_ms = state_enrolment_more(state, state_enrolment(state, enrolment))->goal_ms;
    return goal_ms == 0 ? (struct span){0} : datetime_text(turn, goal_ms);
}

static struct span
answer_text(struct turn *turn, uint32_t friend, const struct insertion *insertion)
{
    const struct definitions *definitions = turn->state->definitions;
    const struct answer_row *row =
        state_answer(turn->state, friend, insertion->form, insertion->field);
    if (row == NULL) {
        return (struct span){0};
    }
    char text[32];
    int len = 0;
    switch (form_question_type(definitions, row->form, row->question)) {
    case QUESTION_NUMBER:
        len = snprintf(text, sizeof(text), "%lld", (long long)row->number);
        return arena_span(turn->out->arena, span_of(text, (size_t)len));
    case QUESTION_CHOICE:
    case QUESTION_CHOICES:
        return span_cstr(form_option_label(definitions, row));
    case QUESTION_TEXT:
    case QUESTION_LONG_TEXT:
    case QUESTION_DATE:
    case QUESTION_MAIL:
    case QUESTION_TEL:
    case QUESTION_MEMBER_ID:
        break;
    }
    return span_cstr(state_text(turn->state, row->text));
}

static struct span
slot_text(struct turn *turn, uint32_t friend, struct source source)
{
    uint32_t calendar = source.kind == SOURCE_CALENDAR ? source.id : NO_ID;
    uint32_t booking = state_newest_booking(turn->state, friend, calendar);
    return booking == NO_ID ? (struct span){0}
                            : datetime_text(turn, state_booking(turn->state, booking)->at_ms);
}

/* "https://shop.example/f/F_survey" */
static struct span
page_link(struct turn *turn, char page, const struct names *names, uint32_t id)
{
    struct span base = engine_public_url(turn->engine);
    const char *name = names_text(names, id);
    size_t room = base.len + strlen(name) + 4;
    char *link = arena_alloc(turn->out->arena, room);
    int len = snprintf(link, room, "%.*s/%c/%s", span_fmt(base), page, name);
    return span_of(link, (size_t)len);
}

struct span
delivery_insertion(struct turn *turn, uint32_t friend, const struct insertion *insertion,
                   const struct delivery_item *item)
{
    const struct definitions *definitions = turn->state->definitions;
    struct span text = {0};
    switch (insertion->kind) {
    case INSERTION_NAME:
        text = span_cstr(state_name(turn->state, friend));
        break;
    case INSERTION_FIELD:
        text = field_text(turn, friend, insertion->field);
        break;
    case INSERTION_SCORE:
        text = number_text(turn, state_friend_more(turn->state, friend)->score);
        break;
    case INSERTION_ACT:
        text = act_get(&turn->act, insertion->act);
        break;
    case INSERTION_SLOT:
        text = slot_text(turn, friend, item->source);
        break;
    case INSERTION_ANSWER:
        text = answer_text(turn, friend, insertion);
        break;
    case INSERTION_FORM:
        text = page_link(turn, 'f', &definitions->form_names, insertion->field);
        break;
    case INSERTION_CALENDAR:
        text = page_link(turn, 'c', &definitions->calendar_names, insertion->field);
        break;
    case INSERTION_LINK:
        text = link_address(turn, friend, insertion->field);
        break;
    case INSERTION_GOAL:
        text = goal_text(turn, friend, item->enrolment);
        break;
    }
    return text.len > 0 ? text : insertion->fallback;
}

struct span
pattern_text(struct turn *turn, uint32_t friend, const struct pattern *pattern)
{
    struct arena *arena = turn->out->arena;
    static const struct delivery_item nowhere = {.enrolment = NO_ID};
    size_t len = pattern->parts[0].len;
    struct span *values = arena_alloc(arena, (pattern->insertion_count + 1) * sizeof(*values));
    for (uint32_t i = 0; i < pattern->insertion_count; i++) {
        values[i] = delivery_insertion(turn, friend, &pattern->insertions[i], &nowhere);
        len += values[i].len + pattern->parts[i + 1].len;
    }
    uint8_t *text = arena_alloc(arena, len + 1);
    size_t at = 0;
    for (uint32_t i = 0; i <= pattern->insertion_count; i++) {
        const struct span pieces[] = {i == 0 ? (struct span){0} : values[i - 1], pattern->parts[i]};
        for (int j = 0; j < 2; j++) {
            if (pieces[j].len > 0) {
                memcpy(text + at, pieces[j].data, pieces[j].len);
                at += pieces[j].len;
            }
        }
    }
    return span_of(text, len);
}

/* `before`: the row when it was intended already; what only the act knew is what it was then. */
static void
add_values(struct turn *turn, struct event *intent, const struct delivery *before)
{
    bool same = before != NULL && before->definitions == turn->state->definitions;
    struct span *values = NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < intent->u.delivery.item_count; i++) {
        const struct template *template =
            &turn->state->definitions->templates[intent->u.delivery.items[i].template];
        for (uint32_t j = 0; j < template->insertion_count; j++) {
            values = arena_grow(turn->out->arena, values, count, sizeof(*values));
            const struct insertion *insertion = &template->insertions[j];
            bool known = insertion->kind == INSERTION_ACT && same && count < before->value_count;
            values[count] = known ? span_cstr(before->values[count])
                                  : delivery_insertion(turn, intent->friend, insertion,
                                                       &intent->u.delivery.items[i]);
            count++;
        }
    }
    intent->words = values;
    intent->word_count = count;
}

static uint64_t
intend(struct turn *turn, struct event *intent, const struct delivery *before)
{
    add_values(turn, intent, before);
    intent->u.delivery.body_hash = engine_body_hash(turn->engine, intent);
    const struct event *emitted = turn_emit(turn, intent);
    return intent->u.delivery.delivery != 0 ? intent->u.delivery.delivery : emitted->seq;
}

uint64_t
delivery_intend_items(struct turn *turn, uint32_t friend, const struct outbox *outbox,
                      enum message_class message_class, int64_t due_ms)
{
    uint32_t count = outbox_fit(turn, outbox, 0);
    struct event intent = {
        .kind = EVENT_DELIVERY_INTENDED,
        .friend = friend,
        .source = outbox->items[0].source,
        .u.delivery = {.message_class = message_class, .due_ms = due_ms, .how = HOW_PUSH}};
    set_items(&intent, outbox->items, count);
    uint64_t delivery = intend(turn, &intent, NULL);
    for (uint32_t from = count; from < outbox->count; from += count) {
        count = outbox_fit(turn, outbox, from);
        plan(turn, friend, outbox->items + from, count, message_class, (struct span){0}, due_ms);
    }
    return delivery;
}

void
delivery_plan_items(struct turn *turn, uint32_t friend, const struct outbox *outbox,
                    enum message_class message_class, int64_t due_ms)
{
    for (uint32_t from = 0, count = 0; from < outbox->count; from += count) {
        count = outbox_fit(turn, outbox, from);
        plan(turn, friend, outbox->items + from, count, message_class, (struct span){0}, due_ms);
    }
}

static void
cancel(struct turn *turn, const struct delivery *row, enum reason reason)
{
    struct event cancelled = {.kind = EVENT_DELIVERY_CANCELLED,
                              .friend = row->friend,
                              .source = row->items[0].source,
                              .u.delivery = {.delivery = row->seq,
                                             .due_ms = row->due_ms,
                                             .message_class = row->message_class,
                                             .reason = reason}};
    set_items(&cancelled, row->items, row->item_count);
    turn_emit(turn, &cancelled);
}

void
delivery_cancel_planned(struct turn *turn, uint32_t friend, enum reason reason)
{
    for (uint32_t i = state_friend_more(turn->state, friend)->first_delivery; i != NO_ID;) {
        struct delivery row = *state_delivery(turn->state, i);
        if (row.phase == DELIVERY_PLANNED) {
            cancel(turn, &row, reason);
        }
        i = row.next;
    }
}

/* The steps that ended with this delivery go on to their next (SPEC R5: decided). */
static void
advance_steps(struct turn *turn, const struct delivery *row, int64_t prev_ms)
{
    for (uint32_t i = 0; i < row->item_count; i++) {
        const struct delivery_item *item = &row->items[i];
        if (item->enrolment >= turn->state->enrolments.count) {
            continue;
        }
        const struct enrolment *enrolment = state_enrolment(turn->state, item->enrolment);
        if (enrolment->phase == ENROLMENT_IN_DELIVERY && enrolment->friend == row->friend &&
            enrolment->scenario == item->source.id && enrolment->step == item->source.sub &&
            enrolment->started_seq < row->seq) {
            scenario_advance(turn, item->enrolment, prev_ms);
        }
    }
}

/* The broadcast a delivery is of; NULL: it is the rest of a step, or an answer. */
static const struct broadcast *
broadcast_of(const struct turn *turn, const struct delivery *row)
{
    struct source source = row->items[0].source;
    return source.kind == SOURCE_BROADCAST ? &turn->state->definitions->broadcasts[source.id]
                                           : NULL;
}

/* Held or deferred; false: it may go. */
static bool
waits(struct turn *turn, const struct delivery *row, int64_t stale_ms)
{
    const struct broadcast *broadcast = broadcast_of(turn, row);
    const struct message message = {.friend = row->friend,
                                    .message_class = row->message_class,
                                    .push = true,
                                    .begun = broadcast == NULL,
                                    .scenario = NO_ID, /* its cap has counted it already */
                                    .window = broadcast == NULL ? (struct window){.open_min = -1}
                                                                : broadcast->window,
                                    .zone = turn->state->definitions->account.zone,
                                    .stale_ms = stale_ms};
    struct pressure pressure = pressure_on(turn, &message);
    if (pressure.reason == REASON_NONE) {
        return false;
    }
    if (pressure.reason == REASON_STALE || pressure.reason == REASON_STALE_CAP) {
        cancel(turn, row, pressure.reason);
        return true;
    }
    struct event event = {.kind = pressure_is_hold(pressure.reason) ? EVENT_DELIVERY_HELD
                                                                    : EVENT_DELIVERY_DEFERRED,
                          .friend = row->friend,
                          .source = row->items[0].source,
                          .u.delivery = {.delivery = row->seq,
                                         .due_ms = row->due_ms,
                                         .message_class = row->message_class,
                                         .reason = pressure.reason,
                                         .until_ms = pressure.until_ms}};
    set_items(&event, row->items, row->item_count);
    turn_emit(turn, &event);
    return true;
}

void
delivery_give_up(struct turn *turn, uint32_t friend, enum reason reason)
{
    for (uint32_t i = state_friend_more(turn->state, friend)->first_delivery; i != NO_ID;) {
        struct delivery row = *state_delivery(turn->state, i);
        if (row.phase == DELIVERY_INTENDED) {
            struct event outcome = {.kind = EVENT_DELIVERY_OUTCOME,
                                    .friend = friend,
                                    .source = row.items[0].source,
                                    .u.delivery = {.delivery = row.seq,
                                                   .due_ms = row.due_ms,
                                                   .message_class = row.message_class,
                                                   .how = row.how,
                                                   .result = RESULT_UNKNOWN,
                                                   .reason = reason}};
            set_items(&outcome, row.items, row.item_count);
            turn_emit(turn, &outcome);
            advance_steps(turn, &row, row.intended_ms); /* when it left, if it did */
        }
        i = row.next;
    }
}

static bool
is_reply(const struct turn *turn, const struct delivery *row)
{
    return row->how == HOW_REPLY && row->token != NULL &&
           turn->now_ms - row->token_at_ms < TOKEN_LIFE_MS;
}

bool
delivery_judge(struct turn *turn, uint32_t delivery)
{
    struct delivery row = *state_delivery(turn->state, delivery);
    if (row.due_ms < turn->state->claim.released_ms) {
        cancel(turn, &row, REASON_RESTORED);
        advance_steps(turn, &row, row.due_ms);
        return false;
    }
    const struct broadcast *broadcast = broadcast_of(turn, &row);
    int64_t stale_ms =
        row.due_ms + (broadcast == NULL
                          ? turn->state->definitions->account.class_grace_ms[row.message_class]
                          : broadcast->grace_ms);
    if (turn->now_ms >= stale_ms) {
        cancel(turn, &row, REASON_STALE);
        advance_steps(turn, &row, row.due_ms);
        return false;
    }
    if (broadcast != NULL && state_is_blocked(turn->state, row.friend) &&
        window_is_open(broadcast->window, turn->state->definitions->account.zone, turn->now_ms)) {
        cancel(turn, &row, state_block_reason(turn->state, row.friend)); /* it was asked again */
        return false;
    }
    if (!is_reply(turn, &row) && waits(turn, &row, stale_ms)) {
        return false;
    }
    /* The audience was judged at the broadcast's instant; what waited is judged again (SPEC R23). */
    if (broadcast != NULL && row.deferred != REASON_NONE &&
        !condition_holds(turn, row.friend, &broadcast->to)) {
        cancel(turn, &row, REASON_CONDITION);
        return false;
    }
    return true;
}

uint64_t
delivery_go(struct turn *turn, uint32_t delivery)
{
    struct delivery row = *state_delivery(turn->state, delivery);
    bool reply = is_reply(turn, &row);
    struct event intent = {.kind = EVENT_DELIVERY_INTENDED,
                           .friend = row.friend,
                           .source = row.items[0].source,
                           .u.delivery = {.delivery = row.seq,
                                          .message_class = row.message_class,
                                          .due_ms = row.due_ms,
                                          .token_at_ms = reply ? row.token_at_ms : 0,
                                          .how = reply ? HOW_REPLY : HOW_PUSH}};
    set_items(&intent, row.items, row.item_count);
    for (uint32_t i = 0; i + 1 < row.act_count; i += 2) {
        act_put(turn, arena_span(turn->out->arena, span_cstr(row.act[i])),
                arena_span(turn->out->arena, span_cstr(row.act[i + 1])));
    }
    return intend(turn, &intent, row.value_count > 0 ? &row : NULL);
}

uint64_t
delivery_take(struct turn *turn, uint32_t delivery)
{
    return delivery_judge(turn, delivery) ? delivery_go(turn, delivery) : 0;
}

void
delivery_follow(struct turn *turn, const struct delivery *row, enum delivery_result result)
{
    switch (result) {
    case RESULT_SENT:
    case RESULT_UNKNOWN:
        pressure_delivered(turn, row);
        advance_steps(turn, row, turn->now_ms);
        break;
    case RESULT_FAILED:
        advance_steps(turn, row, row->due_ms);
        break;
    case RESULT_RETURNED:
    case RESULT_ALONE:
        break; /* open still, due by push */
    }
}

void
delivery_decide_outcome(struct turn *turn, const struct input *input)
{
    uint32_t index =
        state_find_delivery(turn->state, input->u.outcome.friend, input->u.outcome.delivery);
    if (index == NO_ID || state_delivery(turn->state, index)->phase != DELIVERY_INTENDED) {
        return; /* booked already */
    }
    struct delivery row = *state_delivery(turn->state, index);
    const struct span words[] = {input->u.outcome.request_id, input->u.outcome.accepted_request_id};
    struct event outcome = {.kind = EVENT_DELIVERY_OUTCOME,
                            .friend = row.friend,
                            .source = row.items[0].source,
                            .words = words,
                            .word_count = 2,
                            .u.delivery = {.delivery = row.seq,
                                           .due_ms = row.due_ms,
                                           .message_class = row.message_class,
                                           .how = row.how,
                                           .result = input->u.outcome.result,
                                           .presumed = input->u.outcome.presumed,
                                           .code = input->u.outcome.code}};
    set_items(&outcome, row.items, row.item_count);
    turn_emit(turn, &outcome);
    delivery_follow(turn, &row, input->u.outcome.result);
}

/* apply */

static void
bind_steps(struct state *state, const struct event *event)
{
    for (uint32_t i = 0; i < event->u.delivery.item_count; i++) {
        const struct delivery_item *item = &event->u.delivery.items[i];
        if (item->enrolment >= state->enrolments.count) {
            continue;
        }
        struct enrolment *row = tables_enrolment(state, item->enrolment);
        if (row->phase != ENROLMENT_FREE && row->friend == event->friend &&
            row->scenario == item->source.id) {
            tables_set_decided(state, item->enrolment, item->source.sub);
        }
        if (row->phase == ENROLMENT_WAITING && row->friend == event->friend &&
            row->step == item->source.sub) {
            row->phase = ENROLMENT_IN_DELIVERY;
            tables_set_wake(state, row, WAKE_NEVER, 0);
            tables_set_delivered(state, row, row->step);
        }
    }
}

static struct delivery *
add_row(struct state *state, const struct event *event)
{
    uint32_t index = tables_add_delivery(state, event->friend);
    struct delivery *row = tables_delivery(state, index);
    row->phase = DELIVERY_PLANNED;
    row->seq = event->seq;
    row->message_class = event->u.delivery.message_class;
    row->how = event->u.delivery.how;
    row->due_ms = event->u.delivery.due_ms;
    row->item_count = event->u.delivery.item_count;
    memcpy(row->items, event->u.delivery.items, sizeof(row->items));
    bind_steps(state, event);
    return row;
}

static void
intended_apply(struct state *state, const struct event *event)
{
    struct delivery *row = NULL;
    if (event->u.delivery.delivery == 0) {
        row = add_row(state, event);
    } else {
        uint32_t index = state_find_delivery(state, event->friend, event->u.delivery.delivery);
        if (index == NO_ID) {
            return;
        }
        row = tables_delivery(state, index);
    }
    row->phase = DELIVERY_INTENDED;
    row->deferred = REASON_NONE;
    row->month = event->u.delivery.how == HOW_PUSH ? state->quota.month : 0;
    row->how = event->u.delivery.how;
    row->claim = state->run_count == 0 ? 0 : state->run_count - 1;
    row->intent_seq = event->seq;
    row->intended_ms = event->at_ms;
    row->body_hash = event->u.delivery.body_hash;
    definitions_release(row->definitions);
    row->definitions = definitions_retain(state->definitions);
    for (uint32_t i = 0; i < row->value_count; i++) {
        free(row->values[i]);
    }
    free(row->values);
    row->values = event->word_count == 0 ? NULL : calloc(event->word_count, sizeof(char *));
    assert(event->word_count == 0 || row->values != NULL);
    row->value_count = event->word_count;
    for (uint32_t i = 0; i < event->word_count; i++) {
        tables_set_string(&row->values[i], event->words[i]);
    }
}

void
delivery_apply(struct state *state, const struct event *event)
{
    if (event->kind == EVENT_DELIVERY_PLANNED) {
        pressure_count(state, NULL, event);
        broadcast_planned(state, event);
        struct delivery *row = add_row(state, event);
        row->token_at_ms = event->u.delivery.token_at_ms;
        tables_set_string(&row->token, event->word_count > 0 ? event->words[0] : (struct span){0});
        row->act_count = event->word_count > 0 ? event->word_count - 1 : 0;
        row->act = row->act_count == 0 ? NULL : calloc(row->act_count, sizeof(char *));
        assert(row->act_count == 0 || row->act != NULL);
        for (uint32_t i = 0; i < row->act_count; i++) {
            tables_set_string(&row->act[i], event->words[i + 1]);
        }
        return;
    }
    if (event->kind == EVENT_DELIVERY_INTENDED) {
        pressure_count(state, NULL, event);
        intended_apply(state, event);
        return;
    }
    uint32_t index = state_find_delivery(state, event->friend, event->u.delivery.delivery);
    if (index == NO_ID) {
        return;
    }
    if (event->kind == EVENT_DELIVERY_HELD || event->kind == EVENT_DELIVERY_DEFERRED) {
        tables_delivery(state, index)->wake_ms = event->u.delivery.until_ms;
        tables_delivery(state, index)->deferred = event->u.delivery.reason;
        return;
    }
    pressure_count(state, tables_delivery(state, index), event);
    measure_delivery(state, tables_delivery(state, index), event);
    enum delivery_result result = event->u.delivery.result;
    if (event->kind == EVENT_DELIVERY_OUTCOME && result == RESULT_UNKNOWN) {
        unknown_note(state, tables_delivery(state, index), event);
    }
    if (event->kind == EVENT_DELIVERY_OUTCOME &&
        (result == RESULT_RETURNED || result == RESULT_ALONE)) {
        struct delivery *row = tables_delivery(state, index);
        row->phase = DELIVERY_PLANNED;
        row->how = HOW_PUSH;
        row->alone = result == RESULT_ALONE;
        row->crowd = 0;
        row->wake_ms = 0;
        row->deferred = REASON_NONE;
        row->token_at_ms = 0;
        tables_set_string(&row->token, (struct span){0});
        return;
    }
    if (event->kind == EVENT_DELIVERY_OUTCOME && event->u.delivery.result == RESULT_SENT) {
        for (uint32_t i = 0; i < event->u.delivery.item_count; i++) {
            tables_set_received(state, event->friend, event->u.delivery.items[i].template);
        }
    }
    tables_free_delivery(state, index);
}
