/* What really happened in a rehearsal, as rows: from the log, the state at the end, and LINE. */
#include "daemon/replay.h"
#include "engine/menu.h"

#include "engine/crowd.h"
#include "proto/describe.h"
#include "proto/event.h"
#include "proto/signature.h"
#include "proto/words.h"
#include "tools/stepctl/rehearsal_run.h"
#include "tools/stepctl/rehearsal_words.h"
#include <stdio.h>

struct intent {
    uint64_t delivery;
    uint32_t friend;
    struct span key; /* as LINE saw it: retry key, or reply token */
    int64_t due_ms;
    uint32_t item_count;
    struct delivery_item items[DELIVERY_ITEMS_MAX];
    bool reply, sent, accepted;
};

struct planned {
    uint64_t delivery;
    struct span token;
};

struct reading {
    const struct rehearsal_end *end;
    struct rehearsal_result *result;
    uint8_t run_id[16];
    struct intent *intents;
    uint32_t intent_count;
    struct planned *planned;
    uint32_t planned_count;
};

static const struct definitions *
definitions_of(const struct reading *reading)
{
    return reading->end->state->definitions;
}

static const char *
friend_name(const struct reading *reading, uint32_t friend, char room[LINE_ID_ROOM])
{
    const struct state *state = reading->end->state;
    const char *id = friend < state->friends.count ? state_line_id(state, friend, room) : NULL;
    return id == NULL ? "-" : id;
}

static void
append_source(const struct definitions *definitions, struct source source, struct buf *out)
{
    switch (source.kind) {
    case SOURCE_STEP:
        event_source_text(&source, definitions, out); /* scenario/step, or a trigger's id */
        break;
    case SOURCE_ON:
        event_source_text(&source, definitions, out);
        break;
    case SOURCE_BUTTON:
        buf_append_cstr(out, names_text(&definitions->button_names, source.id));
        break;
    case SOURCE_AUTO_REPLY:
        buf_append_cstr(out, names_text(&definitions->auto_reply_names, source.id));
        break;
    case SOURCE_FRIEND_ADD:
        buf_append_cstr(out, source.id == FRIEND_ADD_NEW        ? "friend_add.new"
                             : source.id == FRIEND_ADD_EXISTING ? "friend_add.existing"
                                                                : "friend_add.unblocked");
        break;
    case SOURCE_FINISH:
        buf_append_cstr(out, names_text(&definitions->scenario_names, source.id));
        break;
    case SOURCE_BROADCAST:
        buf_append_cstr(out, names_text(&definitions->broadcast_names, source.id));
        break;
    case SOURCE_FORM:
        buf_append_cstr(out, names_text(&definitions->form_names, source.id));
        break;
    case SOURCE_CALENDAR:
        buf_append_cstr(out, names_text(&definitions->calendar_names, source.id));
        break;
    case SOURCE_CONVERSION:
        buf_append_cstr(out, names_text(&definitions->conversion_names, source.id));
        break;
    case SOURCE_ROUTE:
        buf_append_cstr(out, names_text(&definitions->route_names, source.id));
        break;
    case SOURCE_LINK:
        buf_append_cstr(out, names_text(&definitions->link_names, source.id));
        break;
    case SOURCE_OPERATOR:
    case SOURCE_DEFINITIONS:
    case SOURCE_NONE:
        buf_append_cstr(out, source_kind_name(source.kind));
        break;
    }
}

/* Begins a row: "2026-06-01 10:15:00 A". */
static struct buf
begin_row(const struct reading *reading, int64_t at_ms, uint32_t friend)
{
    struct buf text = {0};
    buf_append_span(&text,
                    rehearsal_instant(reading->end->arena, reading->end->rehearsal->zone, at_ms));
    buf_printf(&text, " %s", friend_name(reading, friend, (char[LINE_ID_ROOM]){0}));
    return text;
}

static void
end_row(const struct reading *reading, enum rehearsal_list list, int64_t at_ms, struct buf *text,
        struct span with)
{
    struct arena *arena = reading->end->arena;
    rehearsal_rows_add(&reading->result->rows[list], arena,
                       (struct rehearsal_row){.at_ms = at_ms,
                                              .text = arena_span(arena, buf_span(text)),
                                              .with = with});
    buf_fini(text);
}

/* LANGUAGE 13 "Outcomes": a stop names what cancelled it, everything else its reason. */
static void
append_reason(const struct reading *reading, const struct event *event, enum reason reason,
              struct buf *text)
{
    buf_append_byte(text, ' ');
    if (reason == REASON_STOPPED) {
        append_source(definitions_of(reading), event->source, text);
    } else {
        buf_append_cstr(text, reason_name(reason));
    }
}

static bool
is_date(const struct definitions *definitions, uint32_t scenario)
{
    return scenario < definitions->scenario_names.count &&
           definitions->scenarios[scenario].kind == KIND_DATE;
}

static void
read_step(const struct reading *reading, const struct event *event)
{
    bool skipped = event->kind == EVENT_STEP_SKIPPED;
    int64_t due_ms = event->u.step.due_ms;
    if (due_ms < 0 || due_ms == INT64_MAX) {
        return; /* it counted from a step that was never delivered */
    }
    if (is_date(definitions_of(reading), event->u.step.scenario) && due_ms > event->at_ms) {
        return; /* dates are listed from when they come due */
    }
    bool blocked = event->u.step.reason == REASON_BLOCKED_BY_FRIEND ||
                   event->u.step.reason == REASON_OPERATOR_BLOCKED;
    if (is_date(definitions_of(reading), event->u.step.scenario) && skipped && blocked) {
        return; /* standing rules pass over a blocked friend (SPEC R15) */
    }
    struct buf text = begin_row(reading, due_ms, event->friend);
    struct source step = {SOURCE_STEP, event->u.step.scenario, event->u.step.step};
    buf_append_byte(&text, ' ');
    append_source(definitions_of(reading), step, &text);
    buf_append_cstr(&text, skipped ? " skipped" : " cancelled");
    append_reason(reading, event, event->u.step.reason, &text);
    end_row(reading, LIST_UNSENT, due_ms, &text, (struct span){0});
}

/* When it began to be held: that is when the event came. */
static void
read_held_step(const struct reading *reading, const struct event *event)
{
    struct buf text = begin_row(reading, event->at_ms, event->friend);
    struct source step = {SOURCE_STEP, event->u.step.scenario, event->u.step.step};
    buf_append_byte(&text, ' ');
    append_source(definitions_of(reading), step, &text);
    append_reason(reading, event, event->u.step.reason, &text);
    end_row(reading, LIST_HELD, event->at_ms, &text, (struct span){0});
}

/* Whom the broadcast passed over, and the first term that was false for them (R42). */
static void
read_audience(const struct reading *reading, const struct event *event)
{
    const struct definitions *definitions = definitions_of(reading);
    struct span letters = event->u.broadcast.verdict;
    for (uint32_t i = 0; i < letters.len; i++) {
        uint32_t term;
        if (!broadcast_verdict_term(letters.data[i], &term)) {
            continue;
        }
        struct condition condition =
            condition_term(&definitions->broadcasts[event->u.broadcast.broadcast].to, term);
        struct buf text = {0};
        buf_append_span(&text, rehearsal_instant(reading->end->arena, reading->end->rehearsal->zone,
                                                 event->at_ms));
        buf_printf(&text, " %s %s out ",
                   names_text(&definitions->broadcast_names, event->u.broadcast.broadcast),
                   friend_name(reading, event->u.broadcast.from + i, (char[LINE_ID_ROOM]){0}));
        describe_condition(definitions, &condition, &text);
        end_row(reading, LIST_AUDIENCE, event->at_ms, &text, (struct span){0});
    }
}

/* Held or ended as a whole: one line, about no friend. */
static void
read_broadcast(const struct reading *reading, const struct event *event)
{
    enum reason reason = event->u.broadcast.reason;
    bool held = event->kind == EVENT_BROADCAST_HELD;
    if (event->kind == EVENT_BROADCAST_CHOSEN) {
        read_audience(reading, event);
        return;
    }
    if (reason == REASON_FINISHED) {
        return;
    }
    int64_t at_ms = held ? event->at_ms : event->u.broadcast.due_ms;
    struct buf text = begin_row(reading, at_ms, NO_ID);
    buf_printf(&text, " %s%s",
               names_text(&definitions_of(reading)->broadcast_names, event->u.broadcast.broadcast),
               held                     ? ""
               : reason == REASON_STALE ? " skipped"
                                        : " cancelled");
    append_reason(reading, event, reason, &text);
    end_row(reading, held ? LIST_HELD : LIST_UNSENT, at_ms, &text, (struct span){0});
}

static bool
same_source(struct source a, struct source b)
{
    return a.kind == b.kind && a.id == b.id && a.sub == b.sub;
}

/* A delivery may carry several templates of one source: that is one line. */
static bool
source_came_before(const struct delivery_item *items, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++) {
        if (same_source(items[i].source, items[at].source)) {
            return true;
        }
    }
    return false;
}

/* One row of `list` for each source in a delivery: due, friend, source, and what is said of it. */
static void
add_sources(const struct reading *reading, enum rehearsal_list list, int64_t due_ms,
            uint32_t friend, const struct delivery_item *items, uint32_t count, const char *said)
{
    for (uint32_t i = 0; i < count; i++) {
        if (source_came_before(items, i)) {
            continue;
        }
        struct buf text = begin_row(reading, due_ms, friend);
        buf_append_byte(&text, ' ');
        append_source(definitions_of(reading), items[i].source, &text);
        buf_append_cstr(&text, said);
        end_row(reading, list, due_ms, &text, (struct span){0});
    }
}

static struct intent *
newest_intent(const struct reading *reading, uint64_t delivery, uint32_t friend)
{
    for (uint32_t i = reading->intent_count; i > 0; i--) {
        if (reading->intents[i - 1].delivery == delivery &&
            reading->intents[i - 1].friend == friend) {
            return &reading->intents[i - 1];
        }
    }
    return NULL;
}

static void
read_intent(struct reading *reading, const struct event *event)
{
    struct arena *arena = reading->end->arena;
    uint64_t made_by = event->u.delivery.delivery;
    struct intent intent = {.delivery = made_by != 0 ? made_by : event->seq,
                            .friend = event->friend,
                            .due_ms = event->u.delivery.due_ms,
                            .item_count = event->u.delivery.item_count,
                            .reply = event->u.delivery.how == HOW_REPLY};
    memcpy(intent.items, event->u.delivery.items, sizeof(intent.items));
    if (intent.reply) {
        for (uint32_t i = 0; i < reading->planned_count; i++) {
            if (reading->planned[i].delivery == intent.delivery) {
                intent.key = reading->planned[i].token;
            }
        }
    } else {
        char key[RETRY_KEY_TEXT_BYTES];
        retry_key(reading->run_id, event->seq, key);
        intent.key = arena_span(arena, span_cstr(key));
    }
    reading->intents =
        arena_grow(arena, reading->intents, reading->intent_count, sizeof(*reading->intents));
    reading->intents[reading->intent_count++] = intent;
}

static void
read_outcome(const struct reading *reading, const struct event *event)
{
    struct intent *intent = newest_intent(reading, event->u.delivery.delivery, event->friend);
    if (intent == NULL) {
        return;
    }
    char said[32] = " unknown";
    switch (event->u.delivery.result) {
    case RESULT_SENT:
        intent->sent = true;
        return;
    case RESULT_RETURNED:
    case RESULT_ALONE:
        return; /* due again */
    case RESULT_FAILED:
        snprintf(said, sizeof(said), " failed %u", event->u.delivery.code);
        break;
    case RESULT_UNKNOWN:
        break;
    }
    add_sources(reading, LIST_UNSENT, intent->due_ms, intent->friend, intent->items,
                intent->item_count, said);
}

static void
read_delivery(struct reading *reading, const struct event *event)
{
    struct arena *arena = reading->end->arena;
    if (event->kind == EVENT_DELIVERY_PLANNED && event->word_count > 0) {
        reading->planned =
            arena_grow(arena, reading->planned, reading->planned_count, sizeof(*reading->planned));
        reading->planned[reading->planned_count++] =
            (struct planned){.delivery = event->seq, .token = arena_span(arena, event->words[0])};
    } else if (event->kind == EVENT_DELIVERY_INTENDED) {
        read_intent(reading, event);
    } else if (event->kind == EVENT_DELIVERY_OUTCOME) {
        read_outcome(reading, event);
    } else if (event->kind == EVENT_DELIVERY_CANCELLED) {
        /* What waits too long is skipped (SPEC R6), what became pointless is cancelled. */
        bool stale = event->u.delivery.reason == REASON_STALE ||
                     event->u.delivery.reason == REASON_STALE_CAP ||
                     event->u.delivery.reason == REASON_CONDITION;
        struct buf said = {0};
        buf_append_cstr(&said, stale ? " skipped" : " cancelled");
        append_reason(reading, event, event->u.delivery.reason, &said);
        add_sources(reading, LIST_UNSENT, event->u.delivery.due_ms, event->friend,
                    event->u.delivery.items, event->u.delivery.item_count, buf_cstr(&said));
        buf_fini(&said);
    } else if (event->kind == EVENT_DELIVERY_HELD) {
        struct buf said = {0};
        append_reason(reading, event, event->u.delivery.reason, &said);
        add_sources(reading, LIST_HELD, event->at_ms, event->friend, event->u.delivery.items,
                    event->u.delivery.item_count, buf_cstr(&said));
        buf_fini(&said);
    }
}

/* Each friend of a request to many is a row of their own. */
static void
read_crowd(struct reading *reading, const struct event *event)
{
    struct crowd crowd;
    for (uint32_t i = 0; crowd_unpack(event->u.delivery.crowd, &crowd) && i < crowd.count; i++) {
        struct event single;
        crowd_single(event, &crowd, i, &single);
        read_delivery(reading, &single);
    }
}

static void
add_refusal(const struct reading *reading, const struct event *event, const struct names *names,
            uint32_t id, enum reason reason)
{
    struct buf text = begin_row(reading, event->at_ms, event->friend);
    buf_printf(&text, " %s %s", names_text(names, id), reason_name(reason));
    end_row(reading, LIST_REFUSED, event->at_ms, &text, (struct span){0});
}

static enum rc
observe(void *context, const struct event *event)
{
    struct reading *reading = context;
    switch (event->kind) {
    case EVENT_CLAIMED:
        memcpy(reading->run_id, event->u.claimed.run_id, sizeof(reading->run_id));
        break;
    case EVENT_STEP_SKIPPED:
    case EVENT_STEP_CANCELLED:
        read_step(reading, event);
        break;
    case EVENT_START_REFUSED:
        add_refusal(reading, event, &definitions_of(reading)->scenario_names,
                    event->u.step.scenario, event->u.step.reason);
        break;
    case EVENT_FORM_REFUSED:
        add_refusal(reading, event, &definitions_of(reading)->form_names, event->u.form.form,
                    event->u.form.reason);
        break;
    case EVENT_BOOKING_REFUSED:
        add_refusal(reading, event, &definitions_of(reading)->calendar_names,
                    event->u.booking.calendar, event->u.booking.reason);
        break;
    case EVENT_IMPORTED: {
        struct buf text = {0};
        buf_append_span(&text, rehearsal_instant(reading->end->arena, reading->end->rehearsal->zone,
                                                 event->at_ms));
        buf_printf(&text, " %.*s updated=%u unknown=%u created=0",
                   span_fmt(event->word_count > 0 ? event->words[0] : (struct span){0}),
                   event->u.imported.updated, event->u.imported.unknown);
        end_row(reading, LIST_IMPORTS, event->at_ms, &text, (struct span){0});
        break;
    }
    case EVENT_NOTIFIED: {
        struct buf text = begin_row(reading, event->at_ms, event->friend);
        end_row(reading, LIST_NOTIFIED, event->at_ms, &text, (struct span){0});
        break;
    }
    case EVENT_DELIVERY_PLANNED:
    case EVENT_DELIVERY_INTENDED:
    case EVENT_DELIVERY_OUTCOME:
    case EVENT_DELIVERY_CANCELLED:
    case EVENT_DELIVERY_HELD:
        read_delivery(reading, event);
        break;
    case EVENT_DELIVERIES_INTENDED:
    case EVENT_DELIVERIES_OUTCOME:
        read_crowd(reading, event);
        break;
    case EVENT_BROADCAST_CHOSEN:
    case EVENT_BROADCAST_HELD:
    case EVENT_BROADCAST_ENDED:
        read_broadcast(reading, event);
        break;
    case EVENT_STEP_HELD:
        read_held_step(reading, event);
        break;
    case EVENT_SCENARIO_AUTO_STOPPED: {
        struct buf text = {0}; /* about no friend: about the scenario */
        buf_append_span(&text, rehearsal_instant(reading->end->arena, reading->end->rehearsal->zone,
                                                 event->at_ms));
        buf_printf(&text, " %s",
                   names_text(&definitions_of(reading)->scenario_names, event->u.cap.scenario));
        end_row(reading, LIST_NOTIFIED, event->at_ms, &text, (struct span){0});
        break;
    }
    default: /* the other kinds are no rows of any list */
        break;
    }
    return RC_OK;
}

static void
add_delivery(const struct reading *reading, int64_t at_ms, uint32_t friend,
             const struct intent *intent, bool reply, const char *remark, struct span body)
{
    struct buf text = begin_row(reading, at_ms, friend);
    for (uint32_t i = 0; intent != NULL && i < intent->item_count; i++) {
        buf_printf(&text, "%s%s", i == 0 ? " " : "+",
                   names_text(&definitions_of(reading)->template_names, intent->items[i].template));
    }
    buf_printf(&text, "%s %s%s", intent == NULL ? " ?" : "", reply ? "reply" : "push", remark);
    end_row(reading, LIST_DELIVERIES, at_ms, &text, body);
}

/* The list is what LINE accepted; the log has to agree with it, both ways. */
static void
read_deliveries(const struct reading *reading)
{
    uint32_t count = 0;
    const struct accepted *accepted = scripted_line_accepted(reading->end->line, &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct accepted *row = &accepted[i];
        struct intent *intent = NULL;
        uint32_t friend = state_find_friend(reading->end->state, row->user);
        for (uint32_t j = 0; j < reading->intent_count && intent == NULL; j++) {
            struct intent *each = &reading->intents[j];
            bool same = each->reply == row->reply && span_equal(each->key, row->key) &&
                        (each->friend == friend || friend == NO_ID);
            intent = same ? each : NULL;
        }
        const char *remark = intent == NULL ? " (not in the log)" : "";
        if (intent != NULL) {
            intent->accepted = true;
        }
        add_delivery(reading, row->at_ms, friend, intent, row->reply, remark, row->body);
    }
    for (uint32_t i = 0; i < reading->intent_count; i++) {
        const struct intent *intent = &reading->intents[i];
        if (intent->sent && !intent->accepted) {
            add_delivery(reading, intent->due_ms, intent->friend, intent, intent->reply,
                         " (sent by the log, never accepted by LINE)", (struct span){0});
        }
    }
}

/* The due instants of the steps after the next, where they do not hang on a delivery (SPEC R2). */
static void
read_later_steps(const struct reading *reading, uint32_t enrolment)
{
    const struct enrolment *row = state_enrolment(reading->end->state, enrolment);
    const struct scenario *scenario = &definitions_of(reading)->scenarios[row->scenario];
    for (uint32_t i = 0; i < scenario->step_count; i++) {
        const struct step *step = &scenario->steps[i];
        int64_t due_ms = engine_step_due(reading->end->state, enrolment, step);
        if (due_ms != DUE_UNKNOWN_YET &&
            engine_step_is_ahead(reading->end->state, enrolment, step)) {
            struct delivery_item item = {.source = {SOURCE_STEP, row->scenario, step->id}};
            add_sources(reading, LIST_PENDING, due_ms, row->friend, &item, 1, "");
        }
    }
}

static void
read_pending(const struct reading *reading)
{
    const struct state *state = reading->end->state;
    for (uint32_t i = 0; i < state->enrolments.count; i++) {
        const struct enrolment *row = state_enrolment(state, i);
        if (is_date(definitions_of(reading), row->scenario) && row->due_ms > state->at_ms) {
            continue;
        }
        if (row->phase == ENROLMENT_WAITING) {
            struct delivery_item item = {.source = {SOURCE_STEP, row->scenario, row->step}};
            add_sources(reading, LIST_PENDING, row->due_ms, row->friend, &item, 1, "");
        }
        if (row->phase != ENROLMENT_FREE) {
            read_later_steps(reading, i);
        }
    }
    for (uint32_t i = 0; i < state->deliveries.count; i++) {
        const struct delivery *row = state_delivery(state, i);
        if (row->phase != DELIVERY_FREE) {
            add_sources(reading, LIST_PENDING, row->due_ms, row->friend, row->items,
                        row->item_count, "");
        }
    }
}

/* Pushes that LINE took in the month of the instant, up to it (SPEC R9, R11). */
static void
read_quota(const struct reading *reading)
{
    const struct zone *zone = reading->end->rehearsal->zone;
    const struct rehearsal_rows *asked = &reading->end->variant->expected[LIST_QUOTA];
    uint32_t count = 0;
    const struct accepted *accepted = scripted_line_accepted(reading->end->line, &count);
    for (uint32_t i = 0; i < asked->count; i++) {
        int64_t at_ms = asked->items[i].at_ms;
        struct civil_date month = civil_local(zone, at_ms).date;
        uint32_t used = 0;
        for (uint32_t j = 0; j < count; j++) {
            struct civil_date date = civil_local(zone, accepted[j].at_ms).date;
            used += !accepted[j].reply && accepted[j].at_ms < at_ms + MS_PER_SECOND &&
                            date.year == month.year && date.month == month.month
                        ? 1
                        : 0;
        }
        struct buf text = {0};
        buf_append_span(&text, rehearsal_instant(reading->end->arena, zone, at_ms));
        buf_printf(&text, " %u", used);
        end_row(reading, LIST_QUOTA, at_ms, &text, (struct span){0});
    }
}

enum rc
rehearsal_actual(const struct rehearsal_end *end, struct buf *out_error,
                 struct rehearsal_result *result)
{
    struct reading reading = {.end = end, .result = result};
    const struct replay_options options = {
        .log = end->log, .zones = end->rehearsal->zones, .before = observe, .context = &reading};
    enum rc rc = replay_run(&options, out_error);
    if (rc != RC_OK) {
        return rc;
    }
    read_deliveries(&reading);
    read_pending(&reading);
    read_quota(&reading);
    rehearsal_read_rosters(end, result);
    result->accepted = scripted_line_accepted(end->line, &result->accepted_count);
    return RC_OK;
}

static void
append_tags_of(const struct state *state, uint32_t friend, struct arena *arena, struct buf *out)
{
    const struct names *names = &state->definitions->tag_names;
    struct buf list = {0};
    for (uint32_t tag = 0; tag < names->count; tag++) {
        if (state_has_tag(state, friend, tag)) {
            buf_printf(&list, "%s%s", list.len == 0 ? "" : ",", names->items[tag].text);
        }
    }
    rehearsal_append_tags(arena, buf_span(&list), out);
    buf_fini(&list);
}

static void
append_finished_of(const struct state *state, uint32_t friend, struct arena *arena, struct buf *out)
{
    const struct names *names = &state->definitions->scenario_names;
    struct buf list = {0};
    for (uint32_t scenario = 0; scenario < names->count; scenario++) {
        if (state_has_finished(state, friend, scenario)) {
            buf_printf(&list, "%s%s", list.len == 0 ? "" : ",", names->items[scenario].text);
        }
    }
    buf_append_cstr(out, "finished=");
    rehearsal_append_sorted(arena, buf_span(&list), out);
    buf_fini(&list);
}

static uint32_t
pending_of(const struct state *state, uint32_t friend)
{
    uint32_t count = 0;
    for (uint32_t i = state_friend(state, friend)->first_enrolment; i != NO_ID;
         i = state_enrolment(state, i)->next) {
        const struct enrolment *row = state_enrolment(state, i);
        bool later = is_date(state->definitions, row->scenario) && row->due_ms > state->at_ms;
        count += row->phase == ENROLMENT_WAITING && !later ? 1 : 0;
    }
    for (uint32_t i = state_friend_more(state, friend)->first_delivery; i != NO_ID;
         i = state_delivery(state, i)->next) {
        count++;
    }
    return count;
}

static void
append_field_of(const struct state *state, uint32_t friend, uint32_t field, const struct zone *zone,
                struct buf *out)
{
    const struct field_value value = state_value(state, friend, field);
    const struct field *about = &state->definitions->fields[field];
    struct civil_date date;
    struct civil_time time;
    if (!value.set && !about->has_start) {
        return;
    }
    int64_t number = value.set ? value.number : about->start;
    switch (about->type) {
    case FIELD_NUMBER:
        buf_printf(out, "%lld", (long long)number);
        break;
    case FIELD_DATE:
        date = civil_date_of(number);
        buf_printf(out, "%04d-%02d-%02d", date.year, date.month, date.day);
        break;
    case FIELD_DATETIME:
        time = civil_local(zone, number);
        buf_printf(out, "%04d-%02d-%02d %02d:%02d", time.date.year, time.date.month, time.date.day,
                   time.hour, time.minute);
        break;
    case FIELD_TEXT:
    case FIELD_IMAGE:
    case FIELD_FILE:
        buf_append_cstr(out, value.text == NULL ? "" : value.text);
        break;
    }
}

struct rehearsal_row
rehearsal_state_row(const struct state *state, const struct zone *zone,
                    const struct rehearsal_row *expected, struct arena *arena)
{
    struct buf text = {0};
    struct span rest = expected->text;
    struct span date = words_next(&rest), time = words_next(&rest), who = words_next(&rest);
    uint32_t friend = state_find_friend(state, who);
    buf_printf(&text, "%.*s %.*s %.*s", span_fmt(date), span_fmt(time), span_fmt(who));
    for (struct span word = rehearsal_raw_word(&rest); word.len > 0;
         word = rehearsal_raw_word(&rest)) {
        size_t equals = words_find(word, "=");
        struct span name = span_of(word.data, equals);
        uint32_t field = names_find(&state->definitions->field_names, name);
        buf_append_byte(&text, ' ');
        if (friend == NO_ID) {
            buf_append_cstr(&text, "(no friend)");
            break;
        }
        if (span_equal_cstr(word, "blocked") || span_equal_cstr(word, "active")) {
            buf_append_cstr(&text, state_is_blocked(state, friend) ? "blocked" : "active");
        } else if (span_equal_cstr(word, "hidden") || span_equal_cstr(word, "shown")) {
            buf_append_cstr(&text, state_friend(state, friend)->hidden ? "hidden" : "shown");
        } else if (span_equal_cstr(name, "tags")) {
            append_tags_of(state, friend, arena, &text);
        } else if (span_equal_cstr(name, "score")) {
            buf_printf(&text, "score=%lld", (long long)state_friend_more(state, friend)->score);
        } else if (span_equal_cstr(name, "finished") && equals < word.len) {
            append_finished_of(state, friend, arena, &text);
        } else if (span_equal_cstr(name, "menu")) {
            uint32_t menu = state_menu(state, friend);
            buf_printf(&text, "menu=%s",
                       menu == NO_ID ? "" : names_text(&state->definitions->rich_menu_names, menu));
        } else if (span_equal_cstr(name, "pending")) {
            buf_printf(&text, "pending=%u", pending_of(state, friend));
        } else if (field != NO_ID) {
            struct buf value = {0};
            append_field_of(state, friend, field, zone, &value);
            bool quoted = words_find(buf_span(&value), " ") < value.len;
            buf_printf(&text, quoted ? "%.*s='%s'" : "%.*s=%s", span_fmt(name), buf_cstr(&value));
            buf_fini(&value);
        } else {
            buf_printf(&text, "(no such thing: %.*s)", span_fmt(word));
        }
    }
    struct rehearsal_row row = {.at_ms = expected->at_ms,
                                .text = arena_span(arena, buf_span(&text))};
    buf_fini(&text);
    return row;
}
