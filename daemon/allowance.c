#include "daemon/allowance.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#define ASK_MS (6 * MS_PER_HOUR)
#define ASK_SPENT_MS (10 * MS_PER_MINUTE)
#define ASK_AGAIN_MS MS_PER_MINUTE /* after no answer */

struct allowance {
    struct core *core;
    struct line_client *client;
    struct pacing *pacing;
    int64_t next_ms;
    bool asking;
    struct pacing_stamp stamp;
    bool limited;
    uint32_t limit;
};

static int64_t
now_of(const struct allowance *allowance)
{
    return clock_now_ms(core_clock(allowance->core));
}

struct allowance *
allowance_new(struct core *core, struct line_client *client, struct pacing *pacing)
{
    struct allowance *allowance = calloc(1, sizeof(*allowance));
    assert(allowance != NULL);
    *allowance = (struct allowance){.core = core, .client = client, .pacing = pacing};
    allowance->next_ms = now_of(allowance);
    return allowance;
}

void
allowance_free(struct allowance *allowance)
{
    free(allowance);
}

static void
rest(struct allowance *allowance, int64_t wait_ms)
{
    allowance->asking = false;
    allowance->next_ms = now_of(allowance) + wait_ms;
}

static void ask(struct allowance *allowance, enum line_endpoint endpoint);

/* A number of LINE's, within reason. */
static bool
read_number(const json_t *json, const char *name, uint32_t *out_number)
{
    const json_t *number = json_object_get(json, name);
    bool sound = json_is_integer(number) && json_integer_value(number) >= 0 &&
                 json_integer_value(number) < INT32_MAX;
    *out_number = sound ? (uint32_t)json_integer_value(number) : 0;
    return sound;
}

static void
book(struct allowance *allowance, uint32_t used)
{
    struct input input = {
        .kind = INPUT_LINE_QUOTA,
        .at_ms = now_of(allowance),
        .u.line_quota = {.limited = allowance->limited, .limit = allowance->limit, .used = used}};
    uint32_t count = 0;
    (void)core_input(allowance->core, &input, &count);
    rest(allowance, core_state(allowance->core)->quota.spent ? ASK_SPENT_MS : ASK_MS);
}

static void
on_answer(void *context, const struct line_answer *answer, enum line_endpoint endpoint)
{
    struct allowance *allowance = context;
    bool well = answer->transport == LINE_ANSWERED && answer->status == 200;
    pacing_return(allowance->pacing, endpoint, allowance->stamp, well ? NEWS_GOOD : NEWS_BAD,
                  answer->retry_after_s, now_of(allowance));
    json_t *json =
        well ? json_loadb((const char *)answer->body.data, answer->body.len, 0, NULL) : NULL;
    uint32_t number = 0;
    if (json == NULL) {
        rest(allowance, ASK_AGAIN_MS);
    } else if (endpoint == LINE_QUOTA) {
        /* "none", or limited by a value; anything else is no limit that we know of */
        allowance->limited = read_number(json, "value", &allowance->limit);
        ask(allowance, LINE_CONSUMPTION);
    } else if (read_number(json, "totalUsage", &number)) {
        book(allowance, number);
    } else {
        rest(allowance, ASK_AGAIN_MS);
    }
    json_decref(json);
}

static void
on_quota(void *context, const struct line_answer *answer)
{
    on_answer(context, answer, LINE_QUOTA);
}

static void
on_consumption(void *context, const struct line_answer *answer)
{
    on_answer(context, answer, LINE_CONSUMPTION);
}

static void
ask(struct allowance *allowance, enum line_endpoint endpoint)
{
    int64_t now_ms = now_of(allowance);
    int64_t next_ms = pacing_next(allowance->pacing, endpoint, now_ms);
    if (next_ms > now_ms) {
        rest(allowance, next_ms == INT64_MAX ? ASK_AGAIN_MS : next_ms - now_ms);
        return;
    }
    allowance->asking = true;
    allowance->stamp = pacing_depart(allowance->pacing, endpoint, now_ms);
    struct line_request request = {.endpoint = endpoint, .now_ms = now_ms};
    allowance->client->send(allowance->client, &request,
                            endpoint == LINE_QUOTA ? on_quota : on_consumption, allowance);
}

void
allowance_pump(struct allowance *allowance)
{
    if (!allowance->asking && now_of(allowance) >= allowance->next_ms) {
        ask(allowance, LINE_QUOTA);
    }
}

void
allowance_spent(struct allowance *allowance)
{
    struct input input = {
        .kind = INPUT_LINE_QUOTA, .at_ms = now_of(allowance), .u.line_quota = {.spent = true}};
    uint32_t count = 0;
    (void)core_input(allowance->core, &input, &count);
    if (!allowance->asking && allowance->next_ms > now_of(allowance) + ASK_SPENT_MS) {
        allowance->next_ms = now_of(allowance) + ASK_SPENT_MS;
    }
}

uint32_t
allowance_in_flight(const struct allowance *allowance)
{
    return allowance->asking ? 1 : 0;
}

int64_t
allowance_next(const struct allowance *allowance)
{
    return allowance->asking ? INT64_MAX : allowance->next_ms;
}
