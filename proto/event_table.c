#include "proto/event_table.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define PART(name, type, member)                                                                   \
    {                                                                                              \
        name, type, offsetof(struct event, member)                                                 \
    }

const struct event_part event_common_parts[] = {
    PART("friend", PART_FRIEND, friend),
    PART("previous", PART_PREVIOUS, friend_prev),
    PART("words", PART_WORDS, words),
    PART("source", PART_SOURCE, source),
};
const uint32_t event_common_count = COUNT_OF(event_common_parts);

static const struct event_part claimed[] = {
    PART("run_id", PART_BYTES_16, u.claimed.run_id),
    PART("inode", PART_U64, u.claimed.inode),
    PART("machine", PART_TEXT, u.claimed.machine),
    PART("path", PART_TEXT, u.claimed.path),
    PART("version", PART_TEXT, u.claimed.version),
    PART("birth_ns", PART_U64, u.claimed.birth_ns),
    PART("former_claim", PART_SEQ, u.claimed.former_claim),
};

static const struct event_part released[] = {PART("from", PART_TIME, u.released.from_ms)};

static const struct event_part stopped[] = {
    PART("digest", PART_DIGEST, u.stopped.digest),
    PART("state_version", PART_COUNT, u.stopped.state_version),
};

static const struct event_part definitions[] = {PART("hash", PART_BYTES_16, u.definitions.hash)};

static const struct event_part friend_added[] = {
    PART("followed", PART_YES_NO, u.friend_added.followed),
    PART("scanned", PART_FLAG, u.friend_added.scanned),
};

static const struct event_part act[] = {
    PART("webhook_id", PART_TEXT, u.act.webhook_id),
    PART("line_at", PART_TIME, u.act.line_at_ms),
    PART("type", PART_TEXT, u.act.type),
    PART("message_id", PART_TEXT, u.act.message_id),
    PART("reason", PART_REASON, u.act.reason),
    PART("standby", PART_FLAG, u.act.standby),
    PART("redelivered", PART_FLAG, u.act.redelivered),
    PART("unblocked", PART_FLAG, u.act.unblocked),
    PART("button", PART_BUTTON, u.act.button),
    PART("choice", PART_CHOICE, u.act.choice),
    PART("choice_hash", PART_DIGEST, u.act.choice_hash),
    PART("over_limit", PART_FLAG, u.act.over_limit),
};

static const struct event_part webhook[] = {
    PART("sha256", PART_BYTES_32, u.webhook.sha256),
    PART("event_count", PART_COUNT, u.webhook.event_count),
    PART("before", PART_SEQ, u.webhook.before),
};

static const struct event_part unsent[] = {
    PART("webhook_id", PART_TEXT, u.act.webhook_id),
    PART("line_at", PART_TIME, u.act.line_at_ms),
    PART("message_id", PART_TEXT, u.act.message_id),
    PART("message", PART_SEQ, u.act.message),
    PART("standby", PART_FLAG, u.act.standby),
    PART("redelivered", PART_FLAG, u.act.redelivered),
};

static const struct event_part forgotten[] = {
    PART("erased", PART_COUNT, u.forgotten.erased),
    PART("next", PART_SEQ, u.forgotten.next),
    PART("next_body", PART_SEQ, u.forgotten.next_body),
};

static const struct event_part profile[] = {PART("found", PART_YES_NO, u.profile.found)};

static const struct event_part tag[] = {PART("tag", PART_TAG, u.tag.tag)};

static const struct event_part field[] = {
    PART("field", PART_FIELD, u.field.field),
    PART("number", PART_NUMBER, u.field.number),
};

static const struct event_part drawn[] = {
    PART("name", PART_TEXT, u.drawn.name),
    PART("value", PART_TEXT, u.drawn.value),
    PART("place", PART_COUNT, u.drawn.place),
};

static const struct event_part send_unknown[] = {
    PART("pattern", PART_TEXT, u.send_unknown.pattern),
};

static const struct event_part pause_changed[] = {
    PART("enrolment", PART_ROW, u.pause.enrolment),
    PART("scenario", PART_SCENARIO, u.pause.scenario),
    PART("paused", PART_YES_NO, u.pause.paused),
    PART("shift_ms", PART_INTEGER, u.pause.shift_ms),
};

static const struct event_part once[] = {PART("key", PART_DIGEST, u.once.key)};

static const struct event_part score[] = {
    PART("by", PART_INTEGER, u.score.by),
    PART("score", PART_INTEGER, u.score.score),
};

static const struct event_part step[] = {
    PART("enrolment", PART_ROW, u.step.enrolment),
    PART("scenario", PART_SCENARIO, u.step.scenario),
    PART("step", PART_STEP, u.step.step),
    PART("due", PART_TIME, u.step.due_ms),
    PART("reason", PART_REASON, u.step.reason),
    PART("until", PART_TIME, u.step.until_ms),
    PART("start", PART_TIME, u.step.start_ms),
    PART("shift_days", PART_COUNT, u.step.shift_days),
    PART("goal", PART_TIME, u.step.goal_ms),
    PART("key", PART_U64, u.step.key),
    PART("links", PART_COUNT, u.step.links),
};

static const struct event_part custom[] = {PART("name", PART_TEXT, u.custom.name)};

static const struct event_part mark[] = {PART("mark", PART_MARK, u.mark.mark)};

static const struct event_part dates[] = {PART("up_to", PART_COUNT, u.dates.up_to)};

/* Every kind of delivery event has all of these; the order puts what a kind uses first. */
static const struct event_part delivery[] = {
    PART("delivery", PART_SEQ, u.delivery.delivery),
    PART("due", PART_TIME, u.delivery.due_ms),
    PART("class", PART_CLASS, u.delivery.message_class),
    PART("items", PART_ITEMS, u.delivery.items),
    PART("how", PART_HOW, u.delivery.how),
    PART("body_hash", PART_DIGEST, u.delivery.body_hash),
    PART("token_at", PART_TIME, u.delivery.token_at_ms),
    PART("reason", PART_REASON, u.delivery.reason),
    PART("result", PART_RESULT, u.delivery.result),
    PART("code", PART_COUNT, u.delivery.code),
    PART("presumed", PART_FLAG, u.delivery.presumed),
};

static const struct event_part outcome[] = {
    PART("delivery", PART_SEQ, u.delivery.delivery),
    PART("result", PART_RESULT, u.delivery.result),
    PART("code", PART_COUNT, u.delivery.code),
    PART("reason", PART_REASON, u.delivery.reason),
    PART("presumed", PART_FLAG, u.delivery.presumed),
    PART("how", PART_HOW, u.delivery.how),
    PART("due", PART_TIME, u.delivery.due_ms),
    PART("class", PART_CLASS, u.delivery.message_class),
    PART("items", PART_ITEMS, u.delivery.items),
    PART("body_hash", PART_DIGEST, u.delivery.body_hash),
    PART("token_at", PART_TIME, u.delivery.token_at_ms),
};

static const struct event_part form[] = {
    PART("form", PART_FORM, u.form.form),
    PART("reason", PART_REASON, u.form.reason),
    PART("question", PART_QUESTION, u.form.question),
    PART("option", PART_OPTION, u.form.option),
};

static const struct event_part answer[] = {
    PART("form", PART_FORM, u.form.form),
    PART("question", PART_QUESTION, u.form.question),
    PART("option", PART_OPTION, u.form.option),
    PART("number", PART_ANSWER, u.form.number),
};

static const struct event_part conversion[] = {
    PART("conversion", PART_CONVERSION, u.conversion.conversion),
    PART("counted", PART_YES_NO, u.conversion.counted),
};

static const struct event_part booking[] = {
    PART("booking", PART_ROW, u.booking.booking),
    PART("calendar", PART_CALENDAR, u.booking.calendar),
    PART("slot", PART_SLOT, u.booking.slot),
    PART("begins", PART_TIME, u.booking.at_ms),
    PART("reason", PART_REASON, u.booking.reason),
    PART("before", PART_TIME, u.booking.from_ms),
};

static const struct event_part notified[] = {PART("to", PART_NOTIFY, u.notified.to)};

static const struct event_part route[] = {PART("route", PART_ROUTE, u.route.route)};

static const struct event_part clicked[] = {
    PART("link", PART_LINK, u.clicked.link),
    PART("first", PART_FLAG, u.clicked.first),
    PART("known", PART_FLAG, u.clicked.known),
    PART("after_s", PART_COUNT, u.clicked.after_s),
};

/* Indexed by kind; a number without a row has no parts. */
#define LAYOUT(kind, parts, ...) [kind] = {kind, parts, COUNT_OF(parts), __VA_ARGS__}

const struct event_layout event_layouts[] = {
    LAYOUT(EVENT_CLAIMED, claimed, {0}, false, false),
    LAYOUT(EVENT_STOPPED, stopped, {0}, false, false),
    LAYOUT(EVENT_DEFINITIONS_APPLIED, definitions, {"canonical", "author"}, false, false),
    LAYOUT(EVENT_RELEASED, released, {0}, false, false),
    LAYOUT(EVENT_FRIEND_ADDED, friend_added, {"user_id"}, false, false),
    LAYOUT(EVENT_FOLLOWED, act, {0}, false, false),
    LAYOUT(EVENT_UNFOLLOWED, act, {0}, false, false),
    LAYOUT(EVENT_MESSAGE_RECEIVED, act, {"text"}, false, false),
    LAYOUT(EVENT_TAPPED, act, {"data"}, false, false),
    LAYOUT(EVENT_WEBHOOK_NOTED, act, {"user_id"}, false, false),
    LAYOUT(EVENT_WEBHOOK_UNREADABLE, webhook, {"body"}, false, false),
    LAYOUT(EVENT_WEBHOOK_FOREIGN, webhook, {"destination"}, false, false),
    LAYOUT(EVENT_PROFILE_FETCHED, profile, {"name", "picture_url", "language"}, false, false),
    LAYOUT(EVENT_FRIEND_FORGOTTEN, forgotten, {0}, false, false),
    LAYOUT(EVENT_MESSAGE_UNSENT, unsent, {0}, false, false),
    LAYOUT(EVENT_TAG_ADDED, tag, {0}, false, false),
    LAYOUT(EVENT_TAG_REMOVED, tag, {0}, false, false),
    LAYOUT(EVENT_FIELD_SET, field, {"text"}, false, false),
    LAYOUT(EVENT_FIELD_CLEARED, field, {0}, false, false),
    LAYOUT(EVENT_SCORE_CHANGED, score, {0}, false, false),
    LAYOUT(EVENT_DRAWN, drawn, {0}, false, false),
    LAYOUT(EVENT_ONCE_DONE, once, {0}, false, false),
    LAYOUT(EVENT_PAUSE_CHANGED, pause_changed, {0}, false, false),
    LAYOUT(EVENT_STEP_REDIRECTED, step, {0}, false, false),
    LAYOUT(EVENT_SEND_UNKNOWN, send_unknown, {"template"}, false, false),
    LAYOUT(EVENT_ENROLMENT_STARTED, step, {0}, false, false),
    LAYOUT(EVENT_START_REFUSED, step, {0}, false, false),
    LAYOUT(EVENT_STEP_PLANNED, step, {0}, false, false),
    LAYOUT(EVENT_STEP_DEFERRED, step, {0}, false, false),
    LAYOUT(EVENT_STEP_SKIPPED, step, {0}, false, false),
    LAYOUT(EVENT_STEP_DONE, step, {0}, false, false),
    LAYOUT(EVENT_STEP_CANCELLED, step, {0}, false, false),
    LAYOUT(EVENT_ENROLMENT_ENDED, step, {0}, false, false),
    LAYOUT(EVENT_GOAL_MOVED, step, {0}, false, false),
    LAYOUT(EVENT_CLOCK_RESTARTED, step, {0}, false, false),
    LAYOUT(EVENT_CUSTOM, custom, {0}, false, false),
    LAYOUT(EVENT_MARK_SET, mark, {0}, false, false),
    LAYOUT(EVENT_DATES_LOOKED_THROUGH, dates, {0}, false, false),
    LAYOUT(EVENT_DELIVERY_PLANNED, delivery, {"reply_token"}, false, true),
    LAYOUT(EVENT_DELIVERY_INTENDED, delivery, {"values"}, true, false),
    LAYOUT(EVENT_DELIVERY_OUTCOME, outcome, {"request_id", "accepted_request_id"}, false, false),
    LAYOUT(EVENT_DELIVERY_CANCELLED, outcome, {0}, false, false),
    LAYOUT(EVENT_FORM_ANSWERED, form, {0}, false, false),
    LAYOUT(EVENT_ANSWER_GIVEN, answer, {"text"}, false, false),
    LAYOUT(EVENT_FORM_REFUSED, form, {0}, false, false),
    LAYOUT(EVENT_CONVERTED, conversion, {0}, false, false),
    LAYOUT(EVENT_BOOKED, booking, {0}, false, false),
    LAYOUT(EVENT_BOOKING_CHANGED, booking, {0}, false, false),
    LAYOUT(EVENT_BOOKING_CANCELLED, booking, {0}, false, false),
    LAYOUT(EVENT_BOOKING_REFUSED, booking, {0}, false, false),
    LAYOUT(EVENT_NOTIFIED, notified, {"text"}, false, false),
    LAYOUT(EVENT_ROUTE_SCANNED, route, {0}, false, false),
    LAYOUT(EVENT_ROUTE_TAKEN, route, {0}, false, false),
    LAYOUT(EVENT_CLICKED, clicked, {0}, false, false),
};
const uint32_t event_layout_count = COUNT_OF(event_layouts);

const struct event_layout *
event_layout_of(uint64_t kind)
{
    return kind < event_layout_count && event_layouts[kind].parts != NULL ? &event_layouts[kind]
                                                                          : NULL;
}

static bool
bytes_are_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

bool
event_source_is_none(const struct source *source)
{
    return source->kind == SOURCE_NONE && source->id == 0 && source->sub == 0;
}

bool
event_part_is_default(const struct event *event, const struct event_part *part)
{
    const void *at = event_part_of(event, part);
    switch (part->type) {
    case PART_COUNT:
    case PART_CLASS:
    case PART_HOW:
    case PART_RESULT:
    case PART_REASON:
        return *(const uint32_t *)at == 0;
    case PART_FRIEND:
    case PART_TAG:
    case PART_FIELD:
    case PART_SCENARIO:
    case PART_STEP:
    case PART_BUTTON:
    case PART_CHOICE:
    case PART_ROW:
    case PART_FORM:
    case PART_QUESTION:
    case PART_OPTION:
    case PART_CONVERSION:
    case PART_CALENDAR:
    case PART_SLOT:
    case PART_NOTIFY:
    case PART_MARK:
    case PART_ROUTE:
    case PART_LINK:
        return *(const uint32_t *)at == NO_ID;
    case PART_PREVIOUS:
    case PART_SEQ:
    case PART_U64:
    case PART_DIGEST:
        return *(const uint64_t *)at == 0;
    case PART_TIME:
    case PART_NUMBER:
    case PART_INTEGER:
    case PART_ANSWER:
        return *(const int64_t *)at == 0;
    case PART_FLAG:
    case PART_YES_NO:
        return !*(const bool *)at;
    case PART_TEXT:
        return ((const struct span *)at)->len == 0;
    case PART_BYTES_16:
        return bytes_are_zero(at, 16);
    case PART_BYTES_32:
        return bytes_are_zero(at, 32);
    case PART_WORDS:
        return event->word_count == 0;
    case PART_SOURCE:
        return event_source_is_none(at);
    case PART_ITEMS:
        return event->u.delivery.item_count == 0;
    }
    return true;
}
