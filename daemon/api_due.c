/* What is due when: how many messages wait for each hour of the next days. */
#include "daemon/api_call.h"

#include "daemon/instant.h"

enum { DUE_DAYS_MAX = 62, HOURS = 24 };

struct due_hours {
    int64_t
        begins_ms[DUE_DAYS_MAX * HOURS + 1]; /* of each local hour, and of the first behind them */
    uint32_t counts[DUE_DAYS_MAX * HOURS];
    uint32_t hour_count;
    uint32_t overdue, later, unknown; /* unknown: they count from a delivery that is still open */
};

/* Local hours; where the clock is put back one hour is two long, where it is put on one has none. */
static void
begin_hours(struct due_hours *hours, const struct zone *zone, int64_t first_day, int64_t days)
{
    for (int64_t i = 0; i <= days * HOURS; i++) {
        hours->begins_ms[i] =
            civil_instant(zone, first_day + i / HOURS, (int32_t)(i % HOURS) * 3600);
    }
    hours->hour_count = (uint32_t)days * HOURS;
}

static void
count_due(struct due_hours *hours, int64_t due_ms, int64_t now_ms)
{
    if (due_ms == DUE_UNKNOWN_YET || due_ms == INT64_MAX) {
        hours->unknown++;
    } else if (due_ms < now_ms) {
        hours->overdue++;
    } else if (due_ms >= hours->begins_ms[hours->hour_count]) {
        hours->later++;
    } else {
        int64_t guess = (due_ms - hours->begins_ms[0]) / MS_PER_HOUR;
        uint32_t at = guess < 0 ? 0 : (uint32_t)guess; /* right but where the clock was moved */
        at = at >= hours->hour_count ? hours->hour_count - 1 : at;
        while (at > 0 && hours->begins_ms[at] > due_ms) {
            at--;
        }
        while (hours->begins_ms[at + 1] <= due_ms) {
            at++;
        }
        hours->counts[at]++;
    }
}

static void
count_all(struct due_hours *hours, const struct state *state, int64_t now_ms)
{
    for (uint32_t i = 0; i < state->enrolments.count; i++) {
        const struct enrolment *row = state_enrolment(state, i);
        if (row->phase == ENROLMENT_WAITING) {
            bool known = row->due_ms != DUE_UNKNOWN_YET;
            count_due(hours, known ? state_wake(state, row) : DUE_UNKNOWN_YET, now_ms);
        }
    }
    for (uint32_t i = 0; i < state->deliveries.count; i++) {
        const struct delivery *row = state_delivery(state, i);
        if (row->phase == DELIVERY_PLANNED) {
            count_due(hours, row->due_ms, now_ms);
        }
    }
}

void
api_get_due(struct api_call *call)
{
    int64_t days;
    if (!api_query_number(call, "days", 14, 1, DUE_DAYS_MAX, &days)) {
        return;
    }
    const struct zone *zone = call->definitions->account.zone;
    if (zone == NULL) {
        api_error(call->reply, API_NOT_FOUND, "stepctl apply FOLDER",
                  "there are no definitions yet");
        return;
    }
    int64_t now_ms = api_now_ms(call), today = civil_local_day(zone, now_ms);
    struct due_hours *hours = arena_alloc(call->api->arena, sizeof(*hours));
    begin_hours(hours, zone, today, days);
    count_all(hours, call->state, now_ms);

    json_t *list = json_array();
    for (int64_t day = 0; day < days; day++) {
        char text[INSTANT_TEXT_BYTES];
        json_t *counts = json_array();
        json_int_t total = 0;
        for (int64_t hour = day * HOURS; hour < (day + 1) * HOURS; hour++) {
            total += hours->counts[hour];
            json_array_append_new(counts, json_integer(hours->counts[hour]));
        }
        json_array_append_new(list, json_pack("{s:s,s:I,s:I,s:o}", "day",
                                              instant_print_date(today + day, text), "weekday",
                                              (json_int_t)((today + day + 4) % 7), "total", total,
                                              "hours", counts));
    }
    api_ok(call, API_NOW,
           json_pack("{s:o,s:I,s:I,s:I}", "days", list, "overdue", (json_int_t)hours->overdue,
                     "later", (json_int_t)hours->later, "unknown", (json_int_t)hours->unknown));
}
