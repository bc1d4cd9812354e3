#include "daemon/delivery.h"

#include "daemon/bucket.h"
#include "daemon/held.h"
#include "daemon/parcel.h"
#include "daemon/profiles.h"
#include <assert.h>
#include <stdlib.h>

enum { TAKES_A_PUMP = 512 };

struct delivery_desk {
    struct delivery_options options;
    struct bucket push_bucket, reply_bucket;
    struct parcel *parcels; /* a list of what is under way: in flight, or waiting to be repeated */
    uint32_t parcel_count;
    uint64_t jitter;
    int64_t slow_until_ms; /* LINE said 429: nothing new before then */
    struct profiles *profiles;
    struct delivery_counts counts;
    bool held;
};

static int64_t
now_of(struct delivery_desk *desk)
{
    return clock_now_ms(core_clock(desk->options.core));
}

struct delivery_desk *
delivery_new(const struct delivery_options *options)
{
    struct delivery_desk *desk = calloc(1, sizeof(*desk));
    assert(desk != NULL);
    desk->options = *options;
    desk->jitter = options->jitter_seed | 1;
    int64_t now_ms = now_of(desk);
    bucket_init(&desk->push_bucket, options->push_per_second, options->push_per_second / 10 + 2,
                now_ms);
    bucket_init(&desk->reply_bucket, options->reply_per_second, options->reply_per_second / 10 + 2,
                now_ms);
    if (options->fetch_profiles) {
        desk->profiles = profiles_new(options->core, options->client);
    }
    return desk;
}

void
delivery_free(struct delivery_desk *desk)
{
    if (desk == NULL) {
        return;
    }
    while (desk->parcels != NULL) {
        struct parcel *next = desk->parcels->next;
        parcel_free(desk->parcels);
        desk->parcels = next;
    }
    profiles_free(desk->profiles);
    free(desk);
}

static bool
is_held(const struct delivery_desk *desk)
{
    return desk->held || held_by_claim(desk->options.core) || core_log_slow(desk->options.core);
}

static struct bucket *
bucket_of(struct delivery_desk *desk, enum delivery_how how)
{
    return how == HOW_REPLY ? &desk->reply_bucket : &desk->push_bucket;
}

static void
unlink_parcel(struct delivery_desk *desk, struct parcel *parcel)
{
    struct parcel **link = &desk->parcels;
    while (*link != parcel) {
        link = &(*link)->next;
    }
    *link = parcel->next;
    desk->parcel_count--;
    parcel_free(parcel);
}

static void
count_result(struct delivery_desk *desk, const struct parcel *parcel, enum delivery_result result)
{
    switch (result) {
    case RESULT_SENT:
        if (parcel->how == HOW_REPLY) {
            desk->counts.sent_reply++;
        } else {
            desk->counts.sent_push++;
        }
        break;
    case RESULT_FAILED:
        desk->counts.failed++;
        break;
    case RESULT_UNKNOWN:
        desk->counts.unknown++;
        break;
    case RESULT_RETURNED:
        desk->counts.returned++;
        break;
    }
}

/* Books how it ended and lets the parcel go. answer may be NULL: nothing came. */
static void
book(struct delivery_desk *desk, struct parcel *parcel, const struct parcel_verdict *verdict,
     const struct line_answer *answer)
{
    struct input input = {.kind = INPUT_OUTCOME,
                          .at_ms = now_of(desk),
                          .u.outcome = {.friend = parcel->friend,
                                        .delivery = parcel->delivery,
                                        .result = verdict->result,
                                        .presumed = verdict->presumed}};
    if (answer != NULL && answer->transport == LINE_ANSWERED) {
        input.u.outcome.code = answer->status;
        input.u.outcome.request_id = answer->request_id;
        input.u.outcome.accepted_request_id = answer->accepted_request_id;
    }
    uint32_t count = 0;
    const struct event *events = core_input(desk->options.core, &input, &count);
    count_result(desk, parcel, verdict->result);
    if (count > 0 && desk->options.on_outcome != NULL) {
        desk->options.on_outcome(desk->options.on_outcome_context, &events[0]);
    }
    unlink_parcel(desk, parcel);
}

static int64_t
jittered(struct delivery_desk *desk, int64_t wait_ms)
{
    desk->jitter ^= desk->jitter << 13;
    desk->jitter ^= desk->jitter >> 7;
    desk->jitter ^= desk->jitter << 17;
    return wait_ms / 2 + (int64_t)(desk->jitter % (uint64_t)(wait_ms / 2 + 1));
}

/* Repeats later with the same key, or gives up where waiting would pass the deadline. */
static void
repeat_later(struct delivery_desk *desk, struct parcel *parcel, const struct line_answer *answer)
{
    int64_t now_ms = now_of(desk);
    parcel->phase = PARCEL_RESTING;
    parcel->wake_ms = now_ms + jittered(desk, parcel_rest_ms(parcel));
    if (parcel->wake_ms >= parcel->give_up_ms) {
        bool push_instead = parcel->how == HOW_REPLY &&
                            core_state(desk->options.core)->definitions->account.reply_unknown_push;
        struct parcel_verdict verdict = {.result = push_instead ? RESULT_RETURNED : RESULT_UNKNOWN};
        book(desk, parcel, &verdict, answer);
    }
}

static void
on_answer(void *context, const struct line_answer *answer)
{
    struct parcel *parcel = context;
    struct delivery_desk *desk = parcel->desk;
    struct parcel_verdict verdict = parcel_judge(parcel, answer);
    if (answer->transport == LINE_ANSWERED && answer->status == 429) {
        desk->slow_until_ms = now_of(desk) + jittered(desk, 2 * MS_PER_SECOND);
    }
    parcel->phase = PARCEL_RESTING;
    if (verdict.again) {
        repeat_later(desk, parcel, answer);
    } else {
        book(desk, parcel, &verdict, answer);
    }
}

/* False once its outcome was booked by another way: its friend was forgotten. */
static bool
is_open(const struct delivery_desk *desk, const struct parcel *parcel)
{
    return state_find_delivery(core_state(desk->options.core), parcel->friend, parcel->delivery) !=
           NO_ID;
}

/* The intent is durable: the request may leave. */
static void
send_now(void *context)
{
    struct parcel *parcel = context;
    struct delivery_desk *desk = parcel->desk;
    if (!is_open(desk, parcel)) {
        unlink_parcel(desk, parcel);
        return;
    }
    parcel->phase = PARCEL_IN_FLIGHT;
    parcel->attempts++;
    if (parcel->attempts > 1 || parcel->resumed) {
        desk->counts.repeated++;
    }
    struct line_request request = {
        .endpoint = parcel->how == HOW_REPLY ? LINE_REPLY : LINE_PUSH,
        .body = buf_span(&parcel->body),
        .retry_key = parcel->how == HOW_REPLY ? (struct span){0} : span_cstr(parcel->retry_key),
        .now_ms = now_of(desk)};
    desk->options.client->send(desk->options.client, &request, on_answer, parcel);
}

static struct parcel *
add_parcel(struct delivery_desk *desk, uint32_t row)
{
    struct parcel *parcel = parcel_new(core_state(desk->options.core), row, desk);
    struct parcel **link = &desk->parcels;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = parcel;
    desk->parcel_count++;
    return parcel;
}

void
delivery_resume(struct delivery_desk *desk)
{
    const struct state *state = core_state(desk->options.core);
    if (held_by_claim(desk->options.core)) {
        return; /* requests of another life: its run has their keys, not we (SPEC R45) */
    }
    for (uint32_t i = 0; i < state->delivery_count; i++) {
        if (state->deliveries[i].phase != DELIVERY_INTENDED) {
            continue;
        }
        struct parcel *parcel = add_parcel(desk, i);
        parcel->resumed = true;
        parcel->left_before = true; /* it may have: nobody knows */
        parcel->phase = PARCEL_RESTING;
        parcel->wake_ms = now_of(desk);
        if (!parcel->rendered || parcel->wake_ms >= parcel->give_up_ms) {
            struct parcel_verdict verdict = {.result = RESULT_UNKNOWN};
            book(desk, parcel, &verdict, NULL);
        }
    }
}

static void
repeat_what_rested(struct delivery_desk *desk, int64_t now_ms)
{
    struct parcel *next = NULL;
    for (struct parcel *parcel = desk->parcels; parcel != NULL; parcel = next) {
        next = parcel->next;
        if (parcel->phase != PARCEL_RESTING || parcel->wake_ms > now_ms) {
            continue;
        }
        if (!is_open(desk, parcel)) {
            unlink_parcel(desk, parcel);
        } else if (now_ms >= parcel->give_up_ms) { /* the clock jumped while it rested */
            repeat_later(desk, parcel, NULL);
        } else if (bucket_take(bucket_of(desk, parcel->how), now_ms)) {
            parcel->phase = PARCEL_WAITING;
            core_after(desk->options.core, send_now, parcel);
        }
    }
}

/* May something new be taken? Whether it will be a reply or a push shows only afterwards. */
static bool
may_take(const struct delivery_desk *desk, int64_t now_ms)
{
    return !is_held(desk) && desk->parcel_count < desk->options.in_flight_max &&
           now_ms >= desk->slow_until_ms && bucket_next(&desk->push_bucket, now_ms) <= now_ms &&
           bucket_next(&desk->reply_bucket, now_ms) <= now_ms;
}

bool
delivery_pump(struct delivery_desk *desk)
{
    int64_t now_ms = now_of(desk);
    if (is_held(desk)) {
        return false;
    }
    bool more = core_work(desk->options.core);
    repeat_what_rested(desk, now_ms);
    if (desk->profiles != NULL) {
        profiles_pump(desk->profiles);
    }
    for (uint32_t i = 0; i < TAKES_A_PUMP; i++) {
        uint32_t row = NO_ID;
        if (!may_take(desk, now_ms) || core_take(desk->options.core, &row) != RC_OK) {
            return more;
        }
        if (row == NO_ID) {
            continue;
        }
        struct parcel *parcel = add_parcel(desk, row);
        desk->counts.intended++;
        bool paid = bucket_take(bucket_of(desk, parcel->how), now_ms);
        assert(paid);
        core_after(desk->options.core, send_now, parcel);
    }
    return true;
}

void
delivery_hold(struct delivery_desk *desk, bool held)
{
    desk->held = held;
}

uint32_t
delivery_in_flight(const struct delivery_desk *desk)
{
    uint32_t count = desk->profiles == NULL ? 0 : profiles_in_flight(desk->profiles);
    for (const struct parcel *parcel = desk->parcels; parcel != NULL; parcel = parcel->next) {
        if (parcel->phase != PARCEL_RESTING) {
            count++;
        }
    }
    return count;
}

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t
delivery_next(const struct delivery_desk *desk)
{
    if (is_held(desk)) {
        return INT64_MAX; /* a slow log wakes the loop when it has moved */
    }
    int64_t now_ms = clock_now_ms(core_clock(desk->options.core));
    int64_t next_ms = desk->profiles == NULL ? INT64_MAX : profiles_next(desk->profiles);
    for (const struct parcel *parcel = desk->parcels; parcel != NULL; parcel = parcel->next) {
        if (parcel->phase == PARCEL_RESTING) {
            const struct bucket *bucket =
                parcel->how == HOW_REPLY ? &desk->reply_bucket : &desk->push_bucket;
            next_ms = earlier(next_ms, later(parcel->wake_ms, bucket_next(bucket, now_ms)));
        }
    }
    if (desk->parcel_count < desk->options.in_flight_max) {
        int64_t due_ms = engine_next_due(core_engine(desk->options.core), now_ms);
        if (due_ms != INT64_MAX) {
            due_ms = later(due_ms, bucket_next(&desk->push_bucket, now_ms));
            due_ms = later(due_ms, bucket_next(&desk->reply_bucket, now_ms));
            due_ms = later(due_ms, desk->slow_until_ms);
        }
        next_ms = earlier(next_ms, due_ms);
    }
    return next_ms;
}

struct delivery_counts
delivery_counts(const struct delivery_desk *desk)
{
    return desk->counts;
}
