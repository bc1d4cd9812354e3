/* Reports: what scenarios and broadcasts did, from the counters that apply keeps (SPEC R53). */
#include "daemon/api_call.h"
#include "daemon/instant.h"

#include "engine/measure.h"
#include "engine/segment.h"
#include "engine/tables.h"

#include <stdio.h>

/* The days of the query, both included, as hours; all there is where they are not given. */
struct hours_asked {
    uint32_t from, to;
};

static bool
read_day(struct api_call *call, const char *name, int64_t *out_day)
{
    const char *text = api_query(call, name);
    if (text != NULL && instant_parse_date(span_cstr(text), out_day) != RC_OK) {
        api_error(call->reply, API_INVALID, NULL, "'%s' is to be a date, 2026-06-01", name);
        return false;
    }
    return true;
}

static bool
read_days(struct api_call *call, struct hours_asked *out)
{
    int64_t from = -1, until = -1;
    const struct zone *zone = call->definitions->account.zone;
    *out = (struct hours_asked){0, UINT32_MAX};
    if (!read_day(call, "from", &from) || !read_day(call, "until", &until)) {
        return false;
    }
    if (zone != NULL && from >= 0) {
        out->from = (uint32_t)(civil_instant(zone, from, 0) / MS_PER_HOUR);
    }
    if (zone != NULL && until >= 0) {
        out->to = (uint32_t)(civil_instant(zone, until + 1, 0) / MS_PER_HOUR);
    }
    return true;
}

/* One line of a report: all kinds of counts of one unit, reasons apart. */
struct tally {
    uint64_t by_kind[MEASURE_KIND_COUNT];
    json_t *reasons; /* {"skipped": {"condition": 3}} */
};

struct report {
    struct api_call *call;
    enum source_kind source_kind; /* of the units that have a line */
    uint32_t id;                  /* of the scenario; NO_ID: a line an id */
    struct tally *lines;          /* by sub, or by id */
    uint32_t line_count;
    struct tally whole; /* of the scenario itself */
    uint64_t *blocked;  /* by template */
    uint32_t template_count;
};

static const char *const KIND_WORDS[MEASURE_KIND_COUNT] = {
    [MEASURE_ENTERED] = "entered",
    [MEASURE_LEFT] = "left",
    [MEASURE_SENT_REPLY] = "sent_reply",
    [MEASURE_SENT_PUSH] = "sent_push",
    [MEASURE_SKIPPED] = "skipped",
    [MEASURE_CANCELLED] = "cancelled",
    [MEASURE_HELD] = "held",
    [MEASURE_FAILED] = "failed",
    [MEASURE_UNKNOWN] = "unknown",
    [MEASURE_CONVERTED] = "converted",
    [MEASURE_ARM] = "arms",
    [MEASURE_BLOCKED] = "blocked_24h",
    [MEASURE_TAPPED] = "tapped",
    [MEASURE_ANSWERED] = "answered",
};

static bool
has_reasons(uint32_t kind)
{
    return kind == MEASURE_LEFT || kind == MEASURE_SKIPPED || kind == MEASURE_CANCELLED ||
           kind == MEASURE_HELD || kind == MEASURE_FAILED || kind == MEASURE_ARM;
}

static void
add_to(struct tally *tally, const struct measure_row *row)
{
    tally->by_kind[row->kind] += row->count;
    if (!has_reasons(row->kind)) {
        return;
    }
    char number[16];
    snprintf(number, sizeof(number), "%u", row->detail);
    bool is_number = row->kind == MEASURE_FAILED || row->kind == MEASURE_ARM;
    const char *reason = is_number ? number : reason_name((enum reason)row->detail);
    if (tally->reasons == NULL) {
        tally->reasons = json_object();
    }
    json_t *of_kind = json_object_get(tally->reasons, KIND_WORDS[row->kind]);
    if (of_kind == NULL) {
        of_kind = json_object();
        json_object_set_new(tally->reasons, KIND_WORDS[row->kind], of_kind);
    }
    reason = reason == NULL ? "other" : reason;
    json_int_t before = json_integer_value(json_object_get(of_kind, reason));
    json_object_set_new(of_kind, reason, json_integer(before + (json_int_t)row->count));
}

static void
add_row(void *context, const struct measure_row *row)
{
    struct report *report = context;
    uint32_t line = report->id == NO_ID ? row->unit.id : row->unit.sub;
    if (row->kind == MEASURE_BLOCKED) {
        if (row->unit.id < report->template_count) {
            report->blocked[row->unit.id] += row->count;
        }
    } else if (row->unit.source_kind == (uint32_t)report->source_kind &&
               (report->id == NO_ID || row->unit.id == report->id) && line < report->line_count) {
        add_to(&report->lines[line], row);
    } else if (row->unit.source_kind == SOURCE_NONE && row->unit.id == report->id &&
               (row->kind == MEASURE_ENTERED || row->kind == MEASURE_LEFT)) {
        add_to(&report->whole, row);
    }
}

static void
run(struct report *report, const struct hours_asked *hours)
{
    struct arena *arena = report->call->api->arena;
    report->template_count = report->call->definitions->template_names.count;
    report->blocked = arena_alloc(arena, (report->template_count + 1) * sizeof(uint64_t));
    report->lines = arena_alloc(arena, (report->line_count + 1) * sizeof(*report->lines));
    measure_each(report->call->state, hours->from, hours->to, add_row, report);
}

static json_t *
reasons_of(const struct tally *tally, enum measure_kind kind)
{
    json_t *reasons = json_object_get(tally->reasons, KIND_WORDS[kind]);
    return reasons == NULL ? json_object() : json_incref(reasons);
}

/* The counts that every line has; blocks are those of the templates it sends. */
static json_t *
tally_json(const struct tally *tally, uint64_t blocked)
{
    const uint64_t *counts = tally->by_kind;
    return json_pack(
        "{s:I,s:I,s:I,s:o,s:I,s:o,s:I,s:o,s:I,s:o,s:I,s:o,s:I}", "sent_reply",
        (json_int_t)counts[MEASURE_SENT_REPLY], "sent_push", (json_int_t)counts[MEASURE_SENT_PUSH],
        "skipped", (json_int_t)counts[MEASURE_SKIPPED], "skipped_by",
        reasons_of(tally, MEASURE_SKIPPED), "cancelled", (json_int_t)counts[MEASURE_CANCELLED],
        "cancelled_by", reasons_of(tally, MEASURE_CANCELLED), "held",
        (json_int_t)counts[MEASURE_HELD], "held_by", reasons_of(tally, MEASURE_HELD), "failed",
        (json_int_t)counts[MEASURE_FAILED], "failed_by", reasons_of(tally, MEASURE_FAILED),
        "unknown", (json_int_t)counts[MEASURE_UNKNOWN], "arms", reasons_of(tally, MEASURE_ARM),
        "blocked_24h", (json_int_t)blocked);
}

static uint64_t
blocked_by_names(const struct report *report, const json_t *templates)
{
    uint64_t blocked = 0;
    size_t index;
    const json_t *name;
    json_array_foreach(templates, index, name)
    {
        uint32_t id = names_find(&report->call->definitions->template_names,
                                 span_cstr(json_string_value(name)));
        blocked += id < report->template_count ? report->blocked[id] : 0;
    }
    return blocked;
}

/* How many of those who ever entered have ever made each conversion. */
static json_t *
conversions_of(const struct api_call *call, uint32_t scenario)
{
    const struct names *names = &call->definitions->conversion_names;
    const struct state *state = call->state;
    json_t *list = json_array();
    for (uint32_t id = 0; id < names->count; id++) {
        if (!names->items[id].in_force) {
            continue;
        }
        const struct bitmap *entered =
            scenario < state->scenario_capacity ? state->entered[scenario] : NULL;
        const struct bitmap *converted =
            id < state->conversion_capacity ? state->converted[id] : NULL;
        json_array_append_new(list,
                              json_pack("{s:o,s:I}", "conversion", api_text(names->items[id].text),
                                        "friends", (json_int_t)set_count_both(entered, converted)));
    }
    return list;
}

static void
free_reasons(struct report *report)
{
    for (uint32_t i = 0; i < report->line_count; i++) {
        json_decref(report->lines[i].reasons);
    }
    json_decref(report->whole.reasons);
}

void
api_get_scenario_report(struct api_call *call)
{
    struct report report = {.call = call, .source_kind = SOURCE_STEP};
    struct hours_asked hours;
    if (!api_name(call, &call->definitions->scenario_names, "scenario", call->name, &report.id) ||
        !read_days(call, &hours)) {
        return;
    }
    const struct scenario *scenario = &call->definitions->scenarios[report.id];
    report.line_count = scenario->step_names.count;
    run(&report, &hours);

    json_t *steps = json_array();
    for (uint32_t i = 0; i < scenario->step_count; i++) {
        uint32_t id = scenario->steps[i].id;
        json_t *templates = api_step_templates(call, report.id, id);
        json_t *line = tally_json(&report.lines[id], blocked_by_names(&report, templates));
        json_object_set_new(line, "step", api_text(scenario->steps[i].name));
        json_object_set_new(line, "templates", templates);
        json_array_append_new(steps, line);
    }
    struct scenario_counts counts = {0};
    if (report.id < call->state->scenario_capacity) {
        counts = call->state->scenario_counts[report.id];
    }
    json_t *left = reasons_of(&report.whole, MEASURE_LEFT);
    api_ok(call, API_NOW,
           json_pack("{s:s,s:I,s:I,s:O?,s:o,s:o,s:o}", "scenario", call->name, "entered",
                     (json_int_t)report.whole.by_kind[MEASURE_ENTERED], "active",
                     (json_int_t)counts.running, "finished", json_object_get(left, "finished"),
                     "left_by", left, "converted", conversions_of(call, report.id), "steps",
                     steps));
    free_reasons(&report);
}

void
api_get_broadcast_report(struct api_call *call)
{
    const struct names *names = &call->definitions->broadcast_names;
    struct report report = {
        .call = call, .source_kind = SOURCE_BROADCAST, .id = NO_ID, .line_count = names->count};
    struct hours_asked hours;
    if (!read_days(call, &hours)) {
        return;
    }
    run(&report, &hours);
    json_t *list = json_array();
    for (uint32_t id = 0; id < names->count; id++) {
        json_t *line = tally_json(&report.lines[id], 0);
        json_object_set_new(line, "broadcast", api_text(names->items[id].text));
        json_array_append_new(list, line);
    }
    api_ok(call, API_NOW, json_pack("{s:o}", "broadcasts", list));
    free_reasons(&report);
}

/* --- links and routes --- */

struct link_report {
    uint32_t link; /* or the route */
    uint64_t clicks, friends, scanned, taken, timed;
    uint64_t by_bucket[MEASURE_BUCKETS];
};

static void
add_link_row(void *context, const struct measure_row *row)
{
    struct link_report *report = context;
    if (row->unit.source_kind != SOURCE_NONE || row->unit.id != report->link) {
        return;
    }
    if (row->kind == MEASURE_CLICKED) {
        report->clicks += row->count;
        report->friends += row->detail == 1 ? row->count : 0;
    } else if (row->kind == MEASURE_CLICK_SECONDS && row->detail < MEASURE_BUCKETS) {
        report->by_bucket[row->detail] += row->count;
        report->timed += row->count;
    } else if (row->kind == MEASURE_SCANNED) {
        report->scanned += row->count;
    } else if (row->kind == MEASURE_TAKEN) {
        report->taken += row->count;
    }
}

/* The seconds within which so many quarters of the first clicks came; null where none is known. */
static json_t *
quartile(const struct link_report *report, uint64_t quarters)
{
    uint64_t wanted = (report->timed * quarters + 3) / 4, seen = 0;
    for (uint32_t i = 0; i < MEASURE_BUCKETS && report->timed > 0; i++) {
        seen += report->by_bucket[i];
        if (seen >= wanted) {
            return json_integer(measure_bucket_begins(i));
        }
    }
    return json_null();
}

void
api_get_link_report(struct api_call *call)
{
    const struct names *names = &call->definitions->link_names;
    struct hours_asked hours;
    if (!read_days(call, &hours)) {
        return;
    }
    json_t *list = json_array();
    struct link_report *report = arena_alloc(call->api->arena, sizeof(*report));
    for (uint32_t id = 0; id < names->count; id++) {
        if (!names->items[id].in_force) {
            continue;
        }
        *report = (struct link_report){.link = id};
        measure_each(call->state, hours.from, hours.to, add_link_row, report);
        json_array_append_new(
            list,
            json_pack("{s:o,s:I,s:I,s:{s:I,s:o,s:o,s:o}}", "link", api_text(names->items[id].text),
                      "clicks", (json_int_t)report->clicks, "friends", (json_int_t)report->friends,
                      "seconds", "known", (json_int_t)report->timed, "quarter", quartile(report, 1),
                      "half", quartile(report, 2), "three_quarters", quartile(report, 3)));
    }
    api_ok(call, API_NOW, json_pack("{s:o}", "links", list));
}

/* Of those who ever came by the route: how many there are, and who made each conversion. */
static void
add_route_friends(const struct api_call *call, uint32_t route, json_t *line)
{
    const struct names *names = &call->definitions->conversion_names;
    const struct condition_op op = {.kind = CONDITION_ROUTE, .id = route, .sub = NO_ID};
    const struct condition condition = {&op, 1};
    const struct inquiry inquiry = {.state = call->state, .now_ms = api_now_ms(call)};
    struct bitmap *members = segment_members(&inquiry, &condition);
    json_t *converted = json_array();
    for (uint32_t id = 0; id < names->count; id++) {
        const struct bitmap *who =
            id < call->state->conversion_capacity ? call->state->converted[id] : NULL;
        if (names->items[id].in_force) {
            json_array_append_new(converted, json_pack("{s:o,s:I}", "conversion",
                                                       api_text(names->items[id].text), "friends",
                                                       (json_int_t)set_count_both(members, who)));
        }
    }
    json_object_set_new(line, "friends", json_integer(set_count(members)));
    json_object_set_new(
        line, "reachable",
        json_integer((json_int_t)set_count(members) -
                     (json_int_t)set_count_both(members, call->state->unreachable)));
    json_object_set_new(line, "converted", converted);
    set_free(members);
}

void
api_get_route_report(struct api_call *call)
{
    const struct names *names = &call->definitions->route_names;
    struct hours_asked hours;
    if (!read_days(call, &hours)) {
        return;
    }
    json_t *list = json_array();
    struct link_report *report = arena_alloc(call->api->arena, sizeof(*report));
    for (uint32_t id = 0; id < names->count; id++) {
        if (!names->items[id].in_force) {
            continue;
        }
        *report = (struct link_report){.link = id};
        measure_each(call->state, hours.from, hours.to, add_link_row, report);
        json_t *line =
            json_pack("{s:o,s:I,s:I}", "route", api_text(names->items[id].text), "scanned",
                      (json_int_t)report->scanned, "taken", (json_int_t)report->taken);
        add_route_friends(call, id, line);
        json_array_append_new(list, line);
    }
    api_ok(call, API_NOW, json_pack("{s:o}", "routes", list));
}
