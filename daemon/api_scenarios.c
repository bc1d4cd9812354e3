/* Scenarios: what they are, who is in them, starting and stopping one for a friend. */
#include "daemon/api_call.h"
#include "proto/describe.h"

#include <string.h>

static json_t *
scenario_json(const struct api_call *call, uint32_t id)
{
    const struct definitions *definitions = call->definitions;
    const struct scenario *scenario = &definitions->scenarios[id];
    struct scenario_counts counts = {0};
    if (id < call->state->scenario_capacity) {
        counts = call->state->scenario_counts[id];
    }
    const char *lane =
        scenario->lane == NO_ID ? NULL : names_text(&definitions->lane_names, scenario->lane);
    return json_pack("{s:o,s:o,s:s,s:o,s:I,s:I,s:I}", "id",
                     api_text(names_text(&definitions->scenario_names, id)), "title",
                     api_text(scenario->title), "kind", scenario_kind_name(scenario->kind), "lane",
                     api_text(lane), "steps", (json_int_t)scenario->step_count, "running",
                     (json_int_t)counts.running, "entered", (json_int_t)counts.entered);
}

void
api_get_scenarios(struct api_call *call)
{
    const struct names *names = &call->definitions->scenario_names;
    json_t *list = json_array();
    for (uint32_t id = 0; id < names->count; id++) {
        if (names->items[id].in_force) {
            json_array_append_new(list, scenario_json(call, id));
        }
    }
    api_ok(call, API_NOW, json_pack("{s:o}", "scenarios", list));
}

/* A text made by one of describe.h's printers; null when it is empty. */
static json_t *
buf_json(struct buf *text)
{
    json_t *json = text->len == 0 ? json_null() : api_span(buf_span(text));
    buf_fini(text);
    return json;
}

static json_t *
step_json(const struct api_call *call, const struct scenario *scenario, uint32_t place,
          json_int_t waiting)
{
    const struct step *step = &scenario->steps[place];
    struct buf when = {0}, condition = {0}, body = {0};
    describe_timing(&step->timing, &when);
    if (step->condition.op_count > 0) {
        describe_condition(call->definitions, &step->condition, &condition);
    }
    describe_body(call->definitions, &step->body, &body);
    return json_pack("{s:o,s:o,s:o,s:o,s:I}", "id", api_text(step->name), "when", buf_json(&when),
                     "if", buf_json(&condition), "body", buf_json(&body), "waiting", waiting);
}

/* How many friends wait for each step, in the steps' order. */
static json_int_t *
count_waiting(const struct api_call *call, uint32_t id)
{
    const struct scenario *scenario = &call->definitions->scenarios[id];
    json_int_t *waiting =
        arena_alloc(call->api->arena, (scenario->step_count + 1) * sizeof(*waiting));
    for (uint32_t i = 0; i < call->state->enrolments.count; i++) {
        const struct enrolment *enrolment = state_enrolment(call->state, i);
        uint32_t place;
        if (enrolment->phase != ENROLMENT_FREE && enrolment->scenario == id &&
            scenario_step(scenario, enrolment->step, &place) != NULL) {
            waiting[place]++;
        }
    }
    return waiting;
}

void
api_get_scenario(struct api_call *call)
{
    uint32_t id;
    if (!api_name(call, &call->definitions->scenario_names, "scenario", call->name, &id)) {
        return;
    }
    const struct scenario *scenario = &call->definitions->scenarios[id];
    const json_int_t *waiting = count_waiting(call, id);
    json_t *steps = json_array();
    for (uint32_t i = 0; i < scenario->step_count; i++) {
        json_array_append_new(steps, step_json(call, scenario, i, waiting[i]));
    }
    json_t *body = scenario_json(call, id);
    json_object_set_new(body, "steps", steps);
    api_ok(call, API_NOW, body);
}

/* Reminders, triggers and dates have their names there too, and are started otherwise. */
static bool
is_scenario(struct api_call *call, uint32_t id)
{
    if (call->definitions->scenarios[id].kind == KIND_SCENARIO) {
        return true;
    }
    api_error(call->reply, API_INVALID, NULL, "'%s' is a %s, no scenario", call->name,
              scenario_kind_name(call->definitions->scenarios[id].kind));
    return false;
}

/* The friend and scenario that a start or stop names. */
static bool
read_who_and_what(struct api_call *call, const char *const *keys, uint32_t *out_friend,
                  uint32_t *out_scenario)
{
    return api_body_keys(call, keys) &&
           api_name(call, &call->definitions->scenario_names, "scenario", call->name,
                    out_scenario) &&
           is_scenario(call, *out_scenario) &&
           api_friend_json(call, json_object_get(call->body, "friend"), out_friend);
}

/* The step to start at; NO_ID when none is named. */
static bool
read_at_step(struct api_call *call, uint32_t scenario, uint32_t *out_step)
{
    const json_t *value = json_object_get(call->body, "at_step");
    const char *name = json_string_value(value);
    *out_step = NO_ID;
    if (value == NULL || json_is_null(value)) {
        return true;
    }
    if (name == NULL) {
        api_error(call->reply, API_INVALID, NULL, "'at_step' is to be the name of a step");
        return false;
    }
    return api_name(call, &call->definitions->scenarios[scenario].step_names, "step", name,
                    out_step);
}

void
api_post_start(struct api_call *call)
{
    static const char *const KEYS[] = {"friend", "at_step", NULL};
    uint32_t friend, scenario, at_step;
    if (!read_who_and_what(call, KEYS, &friend, &scenario) ||
        !read_at_step(call, scenario, &at_step)) {
        return;
    }
    struct input input = {.kind = INPUT_START_SCENARIO};
    input.u.scenario.friend = friend;
    input.u.scenario.scenario = scenario;
    input.u.scenario.at_step = at_step;
    json_t *seqs = json_array();
    uint32_t count;
    const struct event *events = api_input(call, &input, seqs, &count);

    /* The first word about this scenario is the answer; a cascade may start others. */
    bool started = false;
    const char *reason = NULL;
    for (uint32_t i = 0; i < count && !started && reason == NULL; i++) {
        if (events[i].u.step.scenario != scenario) {
            continue;
        }
        if (events[i].kind == EVENT_ENROLMENT_STARTED) {
            started = true;
        } else if (events[i].kind == EVENT_START_REFUSED) {
            reason = reason_name(events[i].u.step.reason);
        }
    }
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:s,s:b,s:o,s:o}", "friend", (json_int_t) friend, "scenario", call->name,
                     "started", (int)started, "reason", api_text(reason), "events", seqs));
}

void
api_post_stop(struct api_call *call)
{
    static const char *const KEYS[] = {"friend", NULL};
    uint32_t friend, scenario;
    if (!read_who_and_what(call, KEYS, &friend, &scenario)) {
        return;
    }
    struct input input = {.kind = INPUT_STOP_SCENARIO};
    input.u.scenario.friend = friend;
    input.u.scenario.scenario = scenario;
    input.u.scenario.at_step = NO_ID;
    json_t *seqs = json_array();
    uint32_t count;
    const struct event *events = api_input(call, &input, seqs, &count);
    bool stopped = false;
    for (uint32_t i = 0; i < count; i++) {
        stopped = stopped || (events[i].kind == EVENT_ENROLMENT_ENDED &&
                              events[i].u.step.scenario == scenario);
    }
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:s,s:b,s:o}", "friend", (json_int_t) friend, "scenario", call->name,
                     "stopped", (int)stopped, "events", seqs));
}
