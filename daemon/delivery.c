#include "daemon/delivery.h"

#include "daemon/held.h"
#include "daemon/pacing.h"
#include "daemon/parcel.h"
#include "daemon/profiles.h"
#include "daemon/shelf.h"
#include <assert.h>
#include <stdlib.h>

enum {
    TAKES_A_PUMP = 512,
    KEPT_FREE_SHARE = 8, /* of in_flight_max, which marketing leaves to the other classes */
};

struct delivery_desk {
    struct delivery_options options;
    struct pacing pacing;
    struct parcel *parcels; /* all that are under way, in a list */
    uint32_t parcel_count;
    struct shelf shelf; /* those of them that wait to be repeated */
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
    pacing_init(&desk->pacing, options->per_second, options->in_flight_max, options->jitter_seed,
                now_of(desk));
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
    shelf_fini(&desk->shelf);
    profiles_free(desk->profiles);
    free(desk);
}

static bool
is_held(const struct delivery_desk *desk)
{
    return desk->held || held_by_claim(desk->options.core) || core_log_slow(desk->options.core);
}

static void
link_parcel(struct delivery_desk *desk, struct parcel *parcel)
{
    parcel->next = desk->parcels;
    if (desk->parcels != NULL) {
        desk->parcels->previous = parcel;
    }
    desk->parcels = parcel;
    desk->parcel_count++;
}

static void
unlink_parcel(struct delivery_desk *desk, struct parcel *parcel)
{
    shelf_remove(&desk->shelf, parcel);
    if (parcel->previous != NULL) {
        parcel->previous->next = parcel->next;
    } else {
        desk->parcels = parcel->next;
    }
    if (parcel->next != NULL) {
        parcel->next->previous = parcel->previous;
    }
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

/* It may not be repeated any more. */
static void
give_up(struct delivery_desk *desk, struct parcel *parcel, const struct line_answer *answer)
{
    struct parcel_verdict verdict = parcel_give_up(parcel);
    if (parcel->how == HOW_REPLY &&
        core_state(desk->options.core)->definitions->account.reply_unknown_push) {
        verdict.result = RESULT_RETURNED;
    }
    book(desk, parcel, &verdict, answer);
}

/* Repeats later with the same key, or gives up where waiting would pass the deadline. */
static void
repeat_later(struct delivery_desk *desk, struct parcel *parcel, enum line_limit limit,
             const struct line_answer *answer)
{
    int64_t now_ms = now_of(desk);
    parcel->wake_ms = now_ms + pacing_jittered(&desk->pacing, parcel_rest_ms(parcel, limit));
    if (parcel->wake_ms >= parcel->give_up_ms) {
        give_up(desk, parcel, answer);
    } else {
        shelf_rest(&desk->shelf, parcel);
    }
}

static void
on_answer(void *context, const struct line_answer *answer)
{
    struct parcel *parcel = context;
    struct delivery_desk *desk = parcel->desk;
    struct parcel_verdict verdict = parcel_judge(parcel, answer);
    pacing_return(&desk->pacing, parcel->endpoint, parcel->stamp, verdict.news,
                  answer->retry_after_s, now_of(desk));
    if (verdict.again) {
        repeat_later(desk, parcel, verdict.limit, answer);
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
        pacing_return(&desk->pacing, parcel->endpoint, parcel->stamp, NEWS_NONE, -1, now_of(desk));
        unlink_parcel(desk, parcel);
        return;
    }
    parcel->attempts++;
    if (parcel->attempts > 1 || parcel->resumed) {
        desk->counts.repeated++;
    }
    bool keyed = line_endpoints[parcel->endpoint].keyed;
    struct line_request request = {.endpoint = parcel->endpoint,
                                   .body = buf_span(&parcel->body),
                                   .retry_key =
                                       keyed ? span_cstr(parcel->retry_key) : (struct span){0},
                                   .now_ms = now_of(desk)};
    desk->options.client->send(desk->options.client, &request, on_answer, parcel);
}

static void
depart(struct delivery_desk *desk, struct parcel *parcel, int64_t now_ms)
{
    parcel->stamp = pacing_depart(&desk->pacing, parcel->endpoint, now_ms);
    core_after(desk->options.core, send_now, parcel);
}

static struct parcel *
add_parcel(struct delivery_desk *desk, uint32_t row)
{
    struct parcel *parcel = parcel_new(core_state(desk->options.core), row, desk);
    link_parcel(desk, parcel);
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
        parcel->wake_ms = now_of(desk);
        if (!parcel->rendered || parcel->wake_ms >= parcel->give_up_ms) {
            struct parcel_verdict verdict = {.result = RESULT_UNKNOWN};
            book(desk, parcel, &verdict, NULL);
        } else {
            shelf_rest(&desk->shelf, parcel);
        }
    }
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

/* What has rested is ready, unless its endpoint rests itself: then it waits for that, or for its end. */
static void
wake_what_rested(struct delivery_desk *desk, int64_t now_ms)
{
    struct parcel *parcel;
    while ((parcel = shelf_first_resting(&desk->shelf)) != NULL && parcel->wake_ms <= now_ms) {
        shelf_remove(&desk->shelf, parcel);
        if (!is_open(desk, parcel)) {
            unlink_parcel(desk, parcel);
        } else if (now_ms >= parcel->give_up_ms) {
            give_up(desk, parcel, NULL);
        } else if (pacing_is_resting(&desk->pacing, parcel->endpoint, now_ms)) {
            parcel->wake_ms =
                earlier(desk->pacing.paces[parcel->endpoint].rest_until_ms, parcel->give_up_ms);
            shelf_rest(&desk->shelf, parcel);
        } else {
            shelf_make_ready(&desk->shelf, parcel);
        }
    }
}

/* How many requests may be under way while one of this class is added. */
static uint32_t
in_flight_limit(const struct delivery_desk *desk, enum message_class message_class)
{
    uint32_t max = desk->options.in_flight_max;
    return message_class == CLASS_MARKETING ? max - max / KEPT_FREE_SHARE : max;
}

static uint32_t
under_way(const struct delivery_desk *desk)
{
    return desk->parcel_count - desk->shelf.resting_count - desk->shelf.ready_count;
}

/* The first parcel of a class that may be repeated now. */
static struct parcel *
ready_of(const struct delivery_desk *desk, enum message_class message_class, int64_t now_ms)
{
    for (int i = 0; i < LINE_ENDPOINT_COUNT; i++) {
        struct parcel *parcel =
            shelf_first_ready(&desk->shelf, (enum line_endpoint)i, message_class);
        if (parcel != NULL && pacing_next(&desk->pacing, parcel->endpoint, now_ms) <= now_ms) {
            return parcel;
        }
    }
    return NULL;
}

static void
repeat_now(struct delivery_desk *desk, struct parcel *parcel, int64_t now_ms)
{
    shelf_remove(&desk->shelf, parcel);
    if (!is_open(desk, parcel)) {
        unlink_parcel(desk, parcel);
    } else if (now_ms >= parcel->give_up_ms) { /* the clock jumped while it waited its turn */
        give_up(desk, parcel, NULL);
    } else {
        depart(desk, parcel, now_ms);
    }
}

/* When something new may be taken. Whether it will be a reply or a push shows only afterwards. */
static int64_t
take_next(const struct delivery_desk *desk, int64_t now_ms)
{
    return later(pacing_next(&desk->pacing, LINE_PUSH, now_ms),
                 pacing_next(&desk->pacing, LINE_REPLY, now_ms));
}

static bool
take_new(struct delivery_desk *desk, int64_t now_ms)
{
    uint32_t row = NO_ID;
    if (take_next(desk, now_ms) > now_ms || core_take(desk->options.core, &row) != RC_OK) {
        return false;
    }
    if (row != NO_ID) {
        struct parcel *parcel = add_parcel(desk, row);
        desk->counts.intended++;
        depart(desk, parcel, now_ms);
    }
    return true;
}

/* One thing that may go now goes, of the most urgent class that has one. False: nothing may. */
static bool
move_one(struct delivery_desk *desk, int64_t now_ms)
{
    const struct engine *engine = core_engine(desk->options.core);
    for (int i = 0; i < CLASS_COUNT; i++) {
        enum message_class message_class = (enum message_class)i;
        if (under_way(desk) >= in_flight_limit(desk, message_class)) {
            return false; /* the classes behind it may not have more */
        }
        struct parcel *parcel = ready_of(desk, message_class, now_ms);
        if (parcel != NULL) {
            repeat_now(desk, parcel, now_ms);
            return true;
        }
        /* The last class also stands for what is about to come out of the wheel. */
        bool due = engine_due_count(engine, message_class) > 0 || i == CLASS_COUNT - 1;
        if (due && take_new(desk, now_ms)) {
            return true;
        }
    }
    return false;
}

bool
delivery_pump(struct delivery_desk *desk)
{
    int64_t now_ms = now_of(desk);
    if (is_held(desk)) {
        return false;
    }
    bool more = core_work(desk->options.core);
    wake_what_rested(desk, now_ms);
    if (desk->profiles != NULL) {
        profiles_pump(desk->profiles);
    }
    for (uint32_t i = 0; i < TAKES_A_PUMP; i++) {
        if (is_held(desk) || !move_one(desk, now_ms)) {
            return more && !is_held(desk);
        }
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
    return under_way(desk) + (desk->profiles == NULL ? 0 : profiles_in_flight(desk->profiles));
}

uint32_t
delivery_resting(const struct delivery_desk *desk)
{
    return desk->shelf.resting_count + desk->shelf.ready_count;
}

/* When the first of those that are ready may go. */
static int64_t
ready_next(const struct delivery_desk *desk, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;
    for (int i = 0; i < LINE_ENDPOINT_COUNT && desk->shelf.ready_count > 0; i++) {
        for (int j = 0; j < CLASS_COUNT; j++) {
            const struct parcel *parcel =
                shelf_first_ready(&desk->shelf, (enum line_endpoint)i, (enum message_class)j);
            if (parcel != NULL && under_way(desk) < in_flight_limit(desk, parcel->message_class)) {
                next_ms = earlier(next_ms, pacing_next(&desk->pacing, parcel->endpoint, now_ms));
            }
        }
    }
    return next_ms;
}

static enum message_class
most_urgent_due(const struct delivery_desk *desk)
{
    int i = 0;
    while (i < CLASS_COUNT - 1 &&
           engine_due_count(core_engine(desk->options.core), (enum message_class)i) == 0) {
        i++;
    }
    return (enum message_class)i;
}

int64_t
delivery_next(const struct delivery_desk *desk)
{
    if (is_held(desk)) {
        return INT64_MAX; /* a slow log wakes the loop when it has moved */
    }
    int64_t now_ms = clock_now_ms(core_clock(desk->options.core));
    int64_t next_ms = desk->profiles == NULL ? INT64_MAX : profiles_next(desk->profiles);
    const struct parcel *resting = shelf_first_resting(&desk->shelf);
    if (resting != NULL) {
        next_ms = earlier(next_ms, later(resting->wake_ms, now_ms));
    }
    next_ms = earlier(next_ms, ready_next(desk, now_ms));
    if (under_way(desk) < in_flight_limit(desk, most_urgent_due(desk))) {
        int64_t due_ms = engine_next_due(core_engine(desk->options.core), now_ms);
        if (due_ms != INT64_MAX) {
            due_ms = later(due_ms, take_next(desk, now_ms));
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
