/* Why a friend was sent what, and why not the rest (SPEC R42): the friend's own events, walked back along
 * their chain and told again as one row a message. */
#include "daemon/api_call.h"
#include "daemon/instant.h"
#include "daemon/replay.h"
#include "engine/crowd.h"
#include "proto/describe.h"

enum { WHY_ROWS_MAX = 2000, WHY_EVENTS_MAX = 20000, ROW_EVENTS_MAX = 16 };

enum outcome_word {
    OUTCOME_PENDING,
    OUTCOME_SENT,
    OUTCOME_SKIPPED,
    OUTCOME_CANCELLED,
    OUTCOME_FAILED,
    OUTCOME_UNKNOWN,
    OUTCOME_HELD,
};
static const char *const OUTCOME_WORDS[] = {
    [OUTCOME_PENDING] = "pending",     [OUTCOME_SENT] = "sent",     [OUTCOME_SKIPPED] = "skipped",
    [OUTCOME_CANCELLED] = "cancelled", [OUTCOME_FAILED] = "failed", [OUTCOME_UNKNOWN] = "unknown",
    [OUTCOME_HELD] = "held",
};

/* One message's whole story. */
struct story {
    uint64_t seq; /* of the event that made it; the delivery's id when it is one */
    int64_t due_ms;
    int64_t at_ms; /* when it ended; INSTANT_NONE while it is pending */
    enum outcome_word outcome;
    const char *source;
    const char *reason; /* NULL: none */
    const char *rule;
    enum reason decided; /* and the event that said so */
    uint64_t decided_seq;
    enum delivery_how how;
    bool has_how, presumed, is_step; /* is_step: not yet, or never, a delivery */
    uint32_t code;
    uint32_t scenario, step; /* of a step */
    uint32_t item_count;
    struct delivery_item items[DELIVERY_ITEMS_MAX];
    struct span request_id;
    uint64_t events[ROW_EVENTS_MAX];
    uint32_t event_count;
};

/* What was heard of an enrolment's current step, until it becomes a story. */
struct waiting_step {
    uint32_t enrolment, step;
    enum reason deferred;
    uint64_t events[ROW_EVENTS_MAX];
    uint32_t event_count;
};

struct telling {
    struct api_call *call;
    struct told facts;
    struct story *stories; /* oldest first */
    uint32_t count;
    struct waiting_step *waiting;
    uint32_t waiting_count;
};

static const char *
reason_rule(enum reason reason, struct source source)
{
    switch (reason) {
    case REASON_CONDITION:
        return "R23";
    case REASON_STALE:
        return "R6";
    case REASON_WINDOW:
        return "R7";
    case REASON_LATE_DAY0:
        return "R3";
    case REASON_BLOCKED_BY_FRIEND:
        return "R15";
    case REASON_SWITCHED:
        return "R20";
    case REASON_AT_STEP:
    case REASON_ACTIVE:
    case REASON_REENTRY:
        return "R21";
    case REASON_RESTARTED: /* by an unblocked friend's follow, or by reentry: always */
        return source.kind == SOURCE_FRIEND_ADD ? "R14" : "R21";
    case REASON_STOPPED:
    case REASON_PAUSED:
        return source.kind == SOURCE_ON ? "R35" : "R22";
    case REASON_GOTO:
    case REASON_ENDED:
        return "R24";
    case REASON_FINISHED:
        return "R25";
    case REASON_STANDBY:
    case REASON_GROUP:
        return "R49";
    case REASON_UNKNOWN_TYPE:
    case REASON_OLD:
    case REASON_NO_SOURCE:
        return "R41";
    case REASON_QUOTA:
        return "R11";
    case REASON_SCENARIO_CAP:
        return "R12";
    case REASON_FREQUENCY:
    case REASON_STALE_CAP:
        return "R13";
    case REASON_OPERATOR:
        return "R33";
    case REASON_REMOVED:
    case REASON_EDITED:
        return "R26";
    case REASON_LIMIT:
    case REASON_DEADLINE:
    case REASON_FULL:
        return source.kind == SOURCE_FORM ? "R30" : "R39";
    case REASON_CANCEL_DEADLINE:
    case REASON_CLOSED:
    case REASON_PAST:
    case REASON_NO_BOOKING:
        return "R39";
    case REASON_OPERATOR_BLOCKED:
        return "R16";
    case REASON_ZONE:
        return "R1";
    case REASON_TAKEN:
        return "R19";
    case REASON_OUTSIDE_VALIDITY:
        return "R54";
    case REASON_RESTORED:
        return "R45";
    case REASON_FORGOTTEN:
        return "R51";
    case REASON_LOOP:
        return "R18";
    case REASON_NO_GOAL:
    case REASON_PAST_AT_START:
    case REASON_RESCHEDULED:
        return "R32";
    case REASON_NONE:
        break;
    }
    return NULL;
}

/* The reason in LANGUAGE 13's words: what was stopped is named after what stopped it. */
static void
set_reason(struct telling *telling, struct story *story, enum reason reason, struct source source)
{
    if (reason == REASON_NONE) {
        return;
    }
    story->rule = reason_rule(reason, source);
    story->decided = reason;
    story->reason = reason == REASON_STOPPED && source.kind != SOURCE_NONE
                        ? api_source(telling->call, source)
                        : reason_name(reason);
}

static void
add_event(uint64_t *events, uint32_t *count, uint64_t seq)
{
    if (*count < ROW_EVENTS_MAX) {
        events[(*count)++] = seq;
    } else {
        events[ROW_EVENTS_MAX - 1] = seq; /* the newest says how it stands */
    }
}

static struct story *
new_story(struct telling *telling, uint64_t seq, int64_t due_ms)
{
    telling->stories = arena_grow(telling->call->api->arena, telling->stories, telling->count,
                                  sizeof(*telling->stories));
    struct story *story = &telling->stories[telling->count++];
    *story = (struct story){.seq = seq, .due_ms = due_ms, .at_ms = INSTANT_NONE};
    return story;
}

/* Newest first, since a delivery ends soon after it begins. */
static struct story *
find_delivery(struct telling *telling, uint64_t delivery)
{
    for (uint32_t i = telling->count; i > 0; i--) {
        struct story *story = &telling->stories[i - 1];
        if (!story->is_step && story->seq == delivery) {
            return story;
        }
    }
    return NULL;
}

static struct waiting_step *
waiting_for(struct telling *telling, uint32_t enrolment, uint32_t step)
{
    for (uint32_t i = 0; i < telling->waiting_count; i++) {
        if (telling->waiting[i].enrolment == enrolment) {
            struct waiting_step *found = &telling->waiting[i];
            if (found->step != step) { /* an earlier step, or an earlier life of the row */
                *found = (struct waiting_step){.enrolment = enrolment, .step = step};
            }
            return found;
        }
    }
    telling->waiting = arena_grow(telling->call->api->arena, telling->waiting,
                                  telling->waiting_count, sizeof(*telling->waiting));
    struct waiting_step *added = &telling->waiting[telling->waiting_count++];
    *added = (struct waiting_step){.enrolment = enrolment, .step = step};
    return added;
}

/* What was heard of the step while it waited becomes the beginning of its story. */
static void
move_waiting(struct telling *telling, struct story *story, uint32_t enrolment, uint32_t step)
{
    struct waiting_step *waiting = waiting_for(telling, enrolment, step);
    for (uint32_t i = 0; i < waiting->event_count; i++) {
        add_event(story->events, &story->event_count, waiting->events[i]);
    }
    set_reason(telling, story, waiting->deferred, (struct source){0});
    *waiting = (struct waiting_step){.enrolment = enrolment, .step = step};
}

static void
tell_step(struct telling *telling, const struct event *event)
{
    uint32_t enrolment = event->u.step.enrolment, step = event->u.step.step;
    if (event->kind == EVENT_STEP_PLANNED || event->kind == EVENT_STEP_DEFERRED ||
        event->kind == EVENT_STEP_HELD) {
        struct waiting_step *waiting = waiting_for(telling, enrolment, step);
        if (event->kind == EVENT_STEP_PLANNED) {
            *waiting = (struct waiting_step){.enrolment = enrolment, .step = step};
        }
        waiting->deferred = event->u.step.reason;
        add_event(waiting->events, &waiting->event_count, event->seq);
        return;
    }
    if (event->kind == EVENT_STEP_DONE) {
        return; /* it had no message */
    }
    struct story *story = new_story(telling, event->seq, event->u.step.due_ms);
    story->is_step = true;
    story->scenario = event->u.step.scenario;
    story->step = step;
    story->source = api_step_source(telling->call, event->u.step.scenario, step);
    story->at_ms = event->at_ms;
    story->outcome = event->kind == EVENT_STEP_SKIPPED ? OUTCOME_SKIPPED : OUTCOME_CANCELLED;
    move_waiting(telling, story, enrolment, step);
    set_reason(telling, story, event->u.step.reason, event->source);
    story->decided_seq = event->seq;
    add_event(story->events, &story->event_count, event->seq);
}

static void
tell_outcome(struct telling *telling, struct story *story, const struct event *event)
{
    story->at_ms = event->at_ms;
    story->code = event->u.delivery.code;
    story->presumed = event->u.delivery.presumed;
    if (event->word_count > 0 && event->words[0].len > 0) {
        story->request_id = event->words[0];
    }
    switch (event->u.delivery.result) {
    case RESULT_SENT:
        story->outcome = OUTCOME_SENT;
        story->rule = story->rule == NULL ? "R10" : story->rule;
        return;
    case RESULT_FAILED:
        story->outcome = OUTCOME_FAILED;
        story->rule = "R42";
        return;
    case RESULT_UNKNOWN:
        story->outcome = OUTCOME_UNKNOWN;
        story->rule = event->u.delivery.how == HOW_REPLY ? "R10" : "R48";
        set_reason(telling, story, event->u.delivery.reason, (struct source){0});
        return;
    case RESULT_RETURNED: /* due again, by push */
    case RESULT_ALONE:
        story->outcome = OUTCOME_PENDING;
        story->at_ms = INSTANT_NONE;
        return;
    }
}

/* An operator's word; what was sent anew is a story of its own, and this one stays unknown. */
static void
tell_decision(struct story *story, const struct event *event)
{
    story->presumed = event->u.delivery.result == RESULT_SENT;
    if (event->u.delivery.result != RESULT_RETURNED) {
        story->outcome = event->u.delivery.result == RESULT_SENT ? OUTCOME_SENT : OUTCOME_FAILED;
    }
}

static void
tell_delivery(struct telling *telling, const struct event *event)
{
    bool first = event->u.delivery.delivery == 0;
    struct story *story = first ? NULL : find_delivery(telling, event->u.delivery.delivery);
    if (first) {
        story = new_story(telling, event->seq, event->u.delivery.due_ms);
    } else if (story == NULL) {
        return; /* it began before the rows asked for */
    }
    if (event->u.delivery.item_count > 0 && story->item_count == 0) {
        story->item_count = event->u.delivery.item_count;
        memcpy(story->items, event->u.delivery.items, sizeof(story->items));
        story->source = api_items_source(telling->call, story->items, story->item_count);
        for (uint32_t i = 0; i < story->item_count; i++) {
            const struct delivery_item *item = &story->items[i];
            if (item->enrolment != NO_ID && item->source.kind == SOURCE_STEP) {
                move_waiting(telling, story, item->enrolment, item->source.sub);
            }
        }
    }
    add_event(story->events, &story->event_count, event->seq);
    if (event->kind == EVENT_DELIVERY_INTENDED) {
        story->outcome = OUTCOME_PENDING;
        story->has_how = true;
        story->how = event->u.delivery.how;
    } else if (event->kind == EVENT_DELIVERY_OUTCOME) {
        tell_outcome(telling, story, event);
    } else if (event->kind == EVENT_DELIVERY_DECIDED) {
        tell_decision(story, event);
    } else if (event->kind == EVENT_DELIVERY_CANCELLED) {
        story->outcome = OUTCOME_CANCELLED;
        story->at_ms = event->at_ms;
        set_reason(telling, story, event->u.delivery.reason, event->source);
    } else if (event->kind == EVENT_DELIVERY_HELD || event->kind == EVENT_DELIVERY_DEFERRED) {
        story->outcome = event->kind == EVENT_DELIVERY_HELD ? OUTCOME_HELD : OUTCOME_PENDING;
        set_reason(telling, story, event->u.delivery.reason, event->source);
    }
}

/* True for events that begin a row of their own. */
static bool
begins_row(const struct event *event)
{
    return event->kind == EVENT_STEP_SKIPPED || event->kind == EVENT_STEP_CANCELLED ||
           event->kind == EVENT_DELIVERY_PLANNED ||
           (event->kind == EVENT_DELIVERY_INTENDED && event->u.delivery.delivery == 0);
}

static bool
matters(enum event_kind kind)
{
    return (kind >= EVENT_STEP_PLANNED && kind <= EVENT_STEP_CANCELLED) ||
           (kind >= EVENT_DELIVERY_PLANNED && kind <= EVENT_DELIVERY_CANCELLED) ||
           kind == EVENT_STEP_HELD || kind == EVENT_DELIVERY_HELD ||
           kind == EVENT_DELIVERY_DEFERRED || kind == EVENT_DELIVERY_DECIDED;
}

/* The friend's events that matter, newest first, until `limit` rows have begun; and what conditions
 * could see on the way. */
static enum rc
walk_back(struct api_call *call, uint32_t friend, int64_t limit, struct event **out_events,
          uint32_t *out_count, struct told *out_facts)
{
    struct log *log = core_log(call->api->options.core);
    struct event *events = NULL;
    uint32_t count = 0;
    int64_t rows = 0;
    uint64_t seq = state_friend(call->state, friend)->newest_seq;
    for (uint32_t walked = 0; seq != 0 && rows < limit && walked < WHY_EVENTS_MAX; walked++) {
        struct event event;
        enum rc rc = replay_read_event(log, seq, call->api->arena, &event);
        if (rc != RC_OK || !crowd_event_of(&event, friend, &event)) {
            return rc != RC_OK ? rc : RC_CORRUPT;
        }
        if (matters(event.kind)) {
            rows += begins_row(&event) ? 1 : 0;
            events = arena_grow(call->api->arena, events, count, sizeof(*events));
            events[count++] = event;
        }
        if (api_is_fact(event.kind)) {
            out_facts->events = arena_grow(call->api->arena, out_facts->events, out_facts->count,
                                           sizeof(*out_facts->events));
            out_facts->events[out_facts->count++] = event;
        }
        seq = event.friend_prev;
    }
    out_facts->whole_life = seq == 0;
    *out_events = events;
    *out_count = count;
    return RC_OK;
}

/* Steps that still wait, from the state. */
static void
tell_pending(struct telling *telling, uint32_t friend)
{
    const struct state *state = telling->call->state;
    uint32_t next = state_friend(state, friend)->first_enrolment;
    for (; next != NO_ID; next = state_enrolment(state, next)->next) {
        const struct enrolment *row = state_enrolment(state, next);
        if (row->phase != ENROLMENT_WAITING) {
            continue;
        }
        struct waiting_step *waiting = waiting_for(telling, next, row->step);
        uint64_t seq = waiting->event_count > 0 ? waiting->events[0] : row->started_seq;
        struct story *story = new_story(telling, seq, row->due_ms);
        story->is_step = true;
        story->scenario = row->scenario;
        story->step = row->step;
        story->source = api_step_source(telling->call, row->scenario, row->step);
        move_waiting(telling, story, next, row->step);
        bool held = row->deferred == REASON_QUOTA || row->deferred == REASON_SCENARIO_CAP;
        story->outcome = held ? OUTCOME_HELD : OUTCOME_PENDING;
    }
}

static const struct step *
step_of(const struct telling *telling, const struct story *story)
{
    uint32_t place;
    return story->is_step ? scenario_step(&telling->call->definitions->scenarios[story->scenario],
                                          story->step, &place)
                          : NULL;
}

static void
describe_window(struct window window, struct buf *out)
{
    if (window.open_min < 0) {
        buf_append_cstr(out, "off");
        return;
    }
    buf_printf(out, "%02d:%02d-%02d:%02d", window.open_min / 60, window.open_min % 60,
               window.close_min / 60, window.close_min % 60);
}

/* What the rule went by, as the definitions in force have it: {"window":"09:00-21:00"}. */
static json_t *
values_json(const struct telling *telling, const struct story *story)
{
    const struct step *step = step_of(telling, story);
    struct buf text = {0};
    const char *name = NULL;
    if (step == NULL) {
        return json_object();
    }
    switch (story->decided) {
    case REASON_CONDITION:
        name = "if";
        describe_condition(telling->call->definitions, &step->condition, &text);
        break;
    case REASON_WINDOW:
        name = "window";
        describe_window(step->window, &text);
        break;
    case REASON_STALE:
    case REASON_STALE_CAP:
        name = "grace";
        describe_duration(step->grace_ms, &text);
        break;
    default:
        break;
    }
    json_t *values = json_object();
    if (name != NULL) {
        json_object_set_new(values, name, api_span(buf_span(&text)));
    }
    buf_fini(&text);
    return values;
}

static json_t *
because_json(const struct telling *telling, const struct story *story)
{
    const struct step *step = step_of(telling, story);
    return step != NULL && story->decided == REASON_CONDITION
               ? api_because(telling->call, &step->condition, &telling->facts, story->decided_seq)
               : json_array();
}

static json_t *
story_json(const struct telling *telling, const struct story *story)
{
    struct api_call *call = telling->call;
    json_t *events = json_array();
    for (uint32_t i = 0; i < story->event_count; i++) {
        json_array_append_new(events, json_integer((json_int_t)story->events[i]));
    }
    json_t *templates = story->is_step ? api_step_templates(call, story->scenario, story->step)
                                       : api_items_templates(call, story->items, story->item_count);
    bool timed = story->outcome == OUTCOME_SENT && story->due_ms != DUE_UNKNOWN_YET;
    return json_pack("{s:I,s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:o,s:o,s:o}", "seq",
                     (json_int_t)story->seq, "due", api_instant(call, story->due_ms), "at",
                     api_instant(call, story->at_ms), "source", api_text(story->source),
                     "templates", templates, "outcome", OUTCOME_WORDS[story->outcome], "how",
                     api_text(story->has_how ? how_name(story->how) : NULL), "reason",
                     api_text(story->reason), "rule", api_text(story->rule), "values",
                     values_json(telling, story), "because", because_json(telling, story), "code",
                     story->code != 0 ? json_integer(story->code) : json_null(), "presumed",
                     (int)story->presumed, "request_id", api_span(story->request_id), "events",
                     events, "late_ms",
                     timed ? json_integer(story->at_ms - story->due_ms) : json_null());
}

void
api_get_why(struct api_call *call)
{
    uint32_t friend, event_count;
    int64_t limit;
    struct event *events;
    if (!api_friend_text(call, call->name, &friend) ||
        !api_query_number(call, "limit", 200, 1, WHY_ROWS_MAX, &limit)) {
        return;
    }
    /* What was decided last is told as well, so it has to be in the log. */
    if (state_friend(call->state, friend)->newest_seq >
        log_durable(core_log(call->api->options.core))) {
        api_ok(call, API_WHEN_READABLE, json_null());
        return;
    }
    struct telling telling = {.call = call};
    enum rc rc = walk_back(call, friend, limit, &events, &event_count, &telling.facts);
    if (rc != RC_OK) {
        api_error(call->reply, API_FAILED, "steplog verify", "the log cannot be read back: %s",
                  rc_name(rc));
        return;
    }
    for (uint32_t i = event_count; i > 0; i--) {
        const struct event *event = &events[i - 1];
        if (event->kind >= EVENT_DELIVERY_PLANNED && event->kind != EVENT_STEP_HELD) {
            tell_delivery(&telling, event);
        } else {
            tell_step(&telling, event);
        }
    }
    tell_pending(&telling, friend);

    json_t *rows = json_array();
    for (uint32_t i = 0; i < telling.count; i++) {
        json_array_append_new(rows, story_json(&telling, &telling.stories[i]));
    }
    api_ok(call, API_NOW,
           json_pack("{s:I,s:o,s:o}", "friend", (json_int_t) friend, "warnings",
                     api_warnings(call, friend), "deliveries", rows));
}
