/* What holds messages back: the month's quota and the scenarios' caps (SPEC R11, R12). */
#include "daemon/api_call.h"

enum { LIMIT_MAX = 1000000000 };

static json_t *
limit_json(uint32_t limit)
{
    return limit == NO_LIMIT ? json_null() : json_integer((json_int_t)limit);
}

/* The held, each message once: a step waits in its enrolment, an answer in its delivery. */
static json_int_t
count_held(const struct state *state, enum reason reason)
{
    json_int_t count = 0;
    for (uint32_t i = 0; i < state->enrolments.count; i++) {
        const struct enrolment *row = state_enrolment(state, i);
        count += row->phase == ENROLMENT_WAITING && row->deferred == reason ? 1 : 0;
    }
    for (uint32_t i = 0; i < state->deliveries.count; i++) {
        const struct delivery *row = state_delivery(state, i);
        count += row->phase == DELIVERY_PLANNED && row->deferred == reason ? 1 : 0;
    }
    return count;
}

/* What the month will come to when it goes on as it has gone; null until a day of it is over. */
static json_t *
forecast_json(const struct api_call *call)
{
    const struct quota_row *quota = &call->state->quota;
    struct civil_date date = civil_local(call->definitions->account.zone, api_now_ms(call)).date;
    date.day = 1;
    int64_t began_ms = civil_instant(call->definitions->account.zone, civil_day_number(date), 0);
    int64_t gone_ms = api_now_ms(call) - began_ms;
    if (gone_ms < MS_PER_DAY || quota->until_ms <= began_ms) {
        return json_null();
    }
    double share = (double)(quota->until_ms - began_ms) / (double)gone_ms;
    return json_integer((json_int_t)((double)(quota->used + quota->elsewhere) * share + 0.5));
}

static json_t *
quota_json(const struct api_call *call)
{
    const struct quota_row *quota = &call->state->quota;
    bool over = api_now_ms(call) >= quota->until_ms; /* the next message begins a new month */
    json_t *json =
        json_pack("{s:o,s:I,s:I,s:o,s:o,s:I}", "limit", limit_json(state_quota_limit(call->state)),
                  "reserve", (json_int_t)call->definitions->account.quota_reserve, "used",
                  over ? (json_int_t)0 : (json_int_t)quota->used, "month",
                  over ? json_null() : json_integer((json_int_t)quota->month), "until",
                  over ? json_null() : api_instant(call, quota->until_ms), "held",
                  count_held(call->state, REASON_QUOTA));
    json_object_set_new(json, "line_limit", limit_json(quota->line_limit));
    json_object_set_new(json, "elsewhere", json_integer(over ? 0 : (json_int_t)quota->elsewhere));
    json_object_set_new(json, "spent", json_boolean(!over && quota->spent));
    json_object_set_new(json, "left",
                        over ? json_null()
                             : limit_json(state_allowance(call->state, CLASS_RESPONSE)));
    json_object_set_new(json, "replies", json_integer(over ? 0 : (json_int_t)quota->replies));
    json_object_set_new(json, "forecast", over ? json_null() : forecast_json(call));
    return json;
}

void
api_get_quota(struct api_call *call)
{
    api_ok(call, API_NOW, quota_json(call));
}

static bool
read_limit(struct api_call *call, json_int_t least, uint32_t *out_limit)
{
    static const char *const KEYS[] = {"limit", NULL};
    const json_t *limit = json_object_get(call->body, "limit");
    if (!api_body_keys(call, KEYS)) {
        return false;
    }
    if (!json_is_integer(limit) || json_integer_value(limit) < least ||
        json_integer_value(limit) > LIMIT_MAX) {
        api_error(call->reply, API_INVALID, NULL, "'limit' is to be a whole number, %d to %d",
                  (int)least, LIMIT_MAX);
        return false;
    }
    *out_limit = (uint32_t)json_integer_value(limit);
    return true;
}

void
api_post_quota(struct api_call *call)
{
    struct input input = {.kind = INPUT_QUOTA};
    if (!read_limit(call, 0, &input.u.quota.limit)) {
        return;
    }
    json_t *seqs = json_array();
    uint32_t count;
    (void)api_input(call, &input, seqs, &count);
    json_t *body = quota_json(call);
    json_object_set_new(body, "events", seqs);
    api_ok(call, API_WHEN_DURABLE, body);
}

void
api_post_cap(struct api_call *call)
{
    struct input input = {.kind = INPUT_CAP};
    if (!api_name(call, &call->definitions->scenario_names, "scenario", call->name,
                  &input.u.cap.scenario) ||
        !read_limit(call, 1, &input.u.cap.limit)) {
        return;
    }
    json_t *seqs = json_array();
    uint32_t count;
    (void)api_input(call, &input, seqs, &count);
    const struct scenario_counts *counts = &call->state->scenario_counts[input.u.cap.scenario];
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:s,s:o,s:I,s:b,s:o}", "scenario", call->name, "cap",
                     limit_json(state_cap(call->state, input.u.cap.scenario)), "delivered",
                     (json_int_t)counts->delivered, "auto_stopped", (int)counts->auto_stopped,
                     "events", seqs));
}
