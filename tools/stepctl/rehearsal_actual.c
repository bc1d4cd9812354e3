/* What really happened in a rehearsal, as rows: from the log, the state at the end, and LINE. */
#include "daemon/replay.h"

#include "proto/describe.h"
#include "proto/event.h"
#include "tools/stepctl/rehearsal_reading.h"

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

struct buf
reading_begin_row(const struct reading *reading, int64_t at_ms, uint32_t friend)
{
    struct buf text = {0};
    buf_append_span(&text,
                    rehearsal_instant(reading->end->arena, reading->end->rehearsal->zone, at_ms));
    buf_printf(&text, " %s", friend_name(reading, friend, (char[LINE_ID_ROOM]){0}));
    return text;
}

void
reading_end_row(const struct reading *reading, enum rehearsal_list list, int64_t at_ms,
                struct buf *text, struct span with)
{
    struct arena *arena = reading->end->arena;
    rehearsal_rows_add(&reading->result->rows[list], arena,
                       (struct rehearsal_row){.at_ms = at_ms,
                                              .text = arena_span(arena, buf_span(text)),
                                              .with = with});
    buf_fini(text);
}

void
reading_append_reason(const struct reading *reading, const struct event *event, enum reason reason,
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
    struct buf text = reading_begin_row(reading, due_ms, event->friend);
    struct source step = {SOURCE_STEP, event->u.step.scenario, event->u.step.step};
    buf_append_byte(&text, ' ');
    append_source(definitions_of(reading), step, &text);
    buf_append_cstr(&text, skipped ? " skipped" : " cancelled");
    reading_append_reason(reading, event, event->u.step.reason, &text);
    reading_end_row(reading, LIST_UNSENT, due_ms, &text, (struct span){0});
}

/* When it began to be held: that is when the event came. */
static void
read_held_step(const struct reading *reading, const struct event *event)
{
    struct buf text = reading_begin_row(reading, event->at_ms, event->friend);
    struct source step = {SOURCE_STEP, event->u.step.scenario, event->u.step.step};
    buf_append_byte(&text, ' ');
    append_source(definitions_of(reading), step, &text);
    reading_append_reason(reading, event, event->u.step.reason, &text);
    reading_end_row(reading, LIST_HELD, event->at_ms, &text, (struct span){0});
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
        reading_end_row(reading, LIST_AUDIENCE, event->at_ms, &text, (struct span){0});
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
    struct buf text = reading_begin_row(reading, at_ms, NO_ID);
    buf_printf(&text, " %s%s",
               names_text(&definitions_of(reading)->broadcast_names, event->u.broadcast.broadcast),
               held                     ? ""
               : reason == REASON_STALE ? " skipped"
                                        : " cancelled");
    reading_append_reason(reading, event, reason, &text);
    reading_end_row(reading, held ? LIST_HELD : LIST_UNSENT, at_ms, &text, (struct span){0});
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

void
reading_add_sources(const struct reading *reading, enum rehearsal_list list, int64_t due_ms,
                    uint32_t friend, const struct delivery_item *items, uint32_t count,
                    const char *said)
{
    for (uint32_t i = 0; i < count; i++) {
        if (source_came_before(items, i)) {
            continue;
        }
        struct buf text = reading_begin_row(reading, due_ms, friend);
        buf_append_byte(&text, ' ');
        append_source(definitions_of(reading), items[i].source, &text);
        buf_append_cstr(&text, said);
        reading_end_row(reading, list, due_ms, &text, (struct span){0});
    }
}

static void
add_refusal(const struct reading *reading, const struct event *event, const struct names *names,
            uint32_t id, enum reason reason)
{
    struct buf text = reading_begin_row(reading, event->at_ms, event->friend);
    buf_printf(&text, " %s %s", names_text(names, id), reason_name(reason));
    reading_end_row(reading, LIST_REFUSED, event->at_ms, &text, (struct span){0});
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
        reading_end_row(reading, LIST_IMPORTS, event->at_ms, &text, (struct span){0});
        break;
    }
    case EVENT_NOTIFIED: {
        struct buf text = reading_begin_row(reading, event->at_ms, event->friend);
        reading_end_row(reading, LIST_NOTIFIED, event->at_ms, &text, (struct span){0});
        break;
    }
    case EVENT_DELIVERY_PLANNED:
    case EVENT_DELIVERY_INTENDED:
    case EVENT_DELIVERY_OUTCOME:
    case EVENT_DELIVERY_CANCELLED:
    case EVENT_DELIVERY_HELD:
        reading_delivery(reading, event);
        break;
    case EVENT_DELIVERIES_INTENDED:
    case EVENT_DELIVERIES_OUTCOME:
        reading_crowd(reading, event);
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
        reading_end_row(reading, LIST_NOTIFIED, event->at_ms, &text, (struct span){0});
        break;
    }
    default: /* the other kinds are no rows of any list */
        break;
    }
    return RC_OK;
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
            reading_add_sources(reading, LIST_PENDING, due_ms, row->friend, &item, 1, "");
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
            reading_add_sources(reading, LIST_PENDING, row->due_ms, row->friend, &item, 1, "");
        }
        if (row->phase != ENROLMENT_FREE) {
            read_later_steps(reading, i);
        }
    }
    for (uint32_t i = 0; i < state->deliveries.count; i++) {
        const struct delivery *row = state_delivery(state, i);
        if (row->phase != DELIVERY_FREE) {
            reading_add_sources(reading, LIST_PENDING, row->due_ms, row->friend, row->items,
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
        reading_end_row(reading, LIST_QUOTA, at_ms, &text, (struct span){0});
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
    reading_deliveries(&reading);
    read_pending(&reading);
    read_quota(&reading);
    rehearsal_read_rosters(end, result);
    result->accepted = scripted_line_accepted(end->line, &result->accepted_count);
    return RC_OK;
}
