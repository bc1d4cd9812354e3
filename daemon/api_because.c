/* What a condition saw: each of its facts as it was at an event, and the event that had made it so
 * (SPEC R42). Told from the friend's own events, since the state knows only how things are now. */
#include "daemon/api_call.h"

#include "daemon/instant.h"
#include "proto/describe.h"

#include <stdlib.h>
#include <string.h>

bool
api_is_fact(enum event_kind kind)
{
    return kind == EVENT_TAG_ADDED || kind == EVENT_TAG_REMOVED || kind == EVENT_FIELD_SET ||
           kind == EVENT_FIELD_CLEARED || kind == EVENT_SCORE_CHANGED || kind == EVENT_MARK_SET ||
           kind == EVENT_TAPPED || kind == EVENT_FORM_ANSWERED || kind == EVENT_CONVERTED ||
           kind == EVENT_BOOKED || kind == EVENT_BOOKING_CANCELLED ||
           kind == EVENT_ENROLMENT_STARTED || kind == EVENT_ENROLMENT_ENDED;
}

/* Does the event say how this fact stands? */
static bool
tells_of(const struct condition_op *op, const struct event *event)
{
    enum event_kind kind = event->kind;
    switch (op->kind) {
    case CONDITION_TAG:
        return (kind == EVENT_TAG_ADDED || kind == EVENT_TAG_REMOVED) && event->u.tag.tag == op->id;
    case CONDITION_MARK:
        return kind == EVENT_MARK_SET;
    case CONDITION_TAPPED:
        return kind == EVENT_TAPPED && event->u.act.button == op->id;
    case CONDITION_ANSWERED:
        return kind == EVENT_FORM_ANSWERED && event->u.form.form == op->id;
    case CONDITION_CONVERTED:
        return kind == EVENT_CONVERTED && event->u.conversion.conversion == op->id;
    case CONDITION_BOOKED:
        return (kind == EVENT_BOOKED || kind == EVENT_BOOKING_CANCELLED) &&
               event->u.booking.calendar == op->id;
    case CONDITION_IN:
    case CONDITION_FINISHED:
        return (kind == EVENT_ENROLMENT_STARTED || kind == EVENT_ENROLMENT_ENDED) &&
               event->u.step.scenario == op->id;
    case CONDITION_COMPARE:
        if (op->comparison->left.kind == VALUE_SCORE) {
            return kind == EVENT_SCORE_CHANGED;
        }
        return op->comparison->left.kind == VALUE_FIELD &&
               (kind == EVENT_FIELD_SET || kind == EVENT_FIELD_CLEARED) &&
               event->u.field.field == op->comparison->left.field;
    default:
        break; /* names, days, templates: no event of the friend's own tells of them */
    }
    return false;
}

static json_t *
field_value(const struct api_call *call, const struct event *event)
{
    char text[INSTANT_TEXT_BYTES];
    int64_t number;
    struct span word = event->word_count > 0 ? event->words[0] : (struct span){0};
    bool read = word.len < sizeof(text);
    switch (state_field_type(call->state, event->u.field.field)) {
    case FIELD_NUMBER:
        return json_integer(event->u.field.number);
    case FIELD_DATE:
    case FIELD_DATETIME: /* decimal digits, so that they can be erased */
        if (!read || word.len == 0) {
            return json_null();
        }
        memcpy(text, word.data, word.len);
        text[word.len] = '\0';
        number = strtoll(text, NULL, 10);
        return state_field_type(call->state, event->u.field.field) == FIELD_DATETIME
                   ? api_instant(call, number)
                   : json_string(instant_print_date(number, text));
    case FIELD_TEXT:
    case FIELD_IMAGE:
    case FIELD_FILE:
        break;
    }
    return api_span(word);
}

/* How the fact stood after the event: true or false, a number, a text; null: empty. */
static json_t *
value_after(const struct api_call *call, const struct condition_op *op, const struct event *event)
{
    switch (event->kind) {
    case EVENT_TAG_REMOVED:
    case EVENT_BOOKING_CANCELLED:
        return json_false();
    case EVENT_FIELD_CLEARED:
        return json_null();
    case EVENT_FIELD_SET:
        return field_value(call, event);
    case EVENT_SCORE_CHANGED:
        return json_integer(event->u.score.score);
    case EVENT_MARK_SET:
        return api_text(event->u.mark.mark == NO_ID
                            ? NULL
                            : names_text(&call->definitions->mark_names, event->u.mark.mark));
    case EVENT_ENROLMENT_STARTED:
        return json_boolean(op->kind == CONDITION_IN);
    case EVENT_ENROLMENT_ENDED:
        return json_boolean(op->kind == CONDITION_FINISHED &&
                            event->u.step.reason == REASON_FINISHED);
    default:
        return json_true();
    }
}

/* Never told of: a fact is false then, a value empty; not known where the walk did not reach back. */
static json_t *
value_before_all(const struct condition_op *op, bool whole_life)
{
    if (!whole_life || op->kind == CONDITION_RECEIVED) {
        return json_null();
    }
    if (op->kind == CONDITION_COMPARE) {
        return op->comparison->left.kind == VALUE_SCORE ? json_integer(0) : json_null();
    }
    return json_false();
}

static bool
is_fact_op(enum condition_op_kind kind)
{
    return kind != CONDITION_AND && kind != CONDITION_OR && kind != CONDITION_NOT &&
           kind != CONDITION_TRUE;
}

json_t *
api_because(const struct api_call *call, const struct condition *condition, const struct told *told,
            uint64_t before)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < condition->op_count; i++) {
        const struct condition_op *op = &condition->ops[i];
        if (!is_fact_op(op->kind)) {
            continue;
        }
        uint32_t at = 0;
        while (at < told->count &&
               (told->events[at].seq > before || !tells_of(op, &told->events[at]))) {
            at++;
        }
        const struct event *event = at < told->count ? &told->events[at] : NULL;
        const struct condition alone = {op, 1};
        struct buf text = {0};
        describe_condition(call->definitions, &alone, &text);
        json_array_append_new(
            list,
            json_pack("{s:o,s:o,s:o,s:o}", "fact", api_span(buf_span(&text)), "value",
                      event != NULL ? value_after(call, op, event)
                                    : value_before_all(op, told->whole_life),
                      "event", event != NULL ? json_integer((json_int_t)event->seq) : json_null(),
                      "at", api_instant(call, event != NULL ? event->at_ms : INT64_MAX)));
        buf_fini(&text);
    }
    return list;
}
