#include "daemon/delivery.h"

#include "daemon/allowance.h"
#include "daemon/held.h"
#include "daemon/pacing.h"
#include "daemon/parcel.h"
#include "daemon/profiles.h"
#include "daemon/shelf.h"
#include <assert.h>
#include <stdlib.h>

enum {
    MOVES_A_PUMP = 512,    /* then what is decided goes to the log first */
    FRIENDS_A_PUMP = 4096, /* likewise, where a move is for many */
    KEPT_FREE_SHARE = 8,   /* of in_flight_max, which marketing leaves to the other classes */
};

struct delivery_desk {
    struct delivery_options options;
    struct pacing pacing;
    struct parcel *parcels; /* all that are under way, in a list */
    uint32_t parcel_count;
    struct shelf shelf;          /* those of them that wait to be repeated */
    struct profiles *profiles;   /* NULL: not asked for */
    struct allowance *allowance; /* the same */
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
        desk->profiles = profiles_new(options->core, options->client, &desk->pacing);
    }
    if (options->read_quota) {
        desk->allowance = allowance_new(options->core, options->client, &desk->pacing);
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
    allowance_free(desk->allowance);
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
count_result(struct delivery_desk *desk, const struct parcel *parcel, enum delivery_result result,
             uint32_t count)
{
    switch (result) {
    case RESULT_SENT:
        if (parcel->how == HOW_REPLY) {
            desk->counts.sent_reply += count;
        } else {
            desk->counts.sent_push += count;
        }
        break;
    case RESULT_FAILED:
        desk->counts.failed += count;
        break;
    case RESULT_UNKNOWN:
        desk->counts.unknown += count;
        break;
    case RESULT_RETURNED:
    case RESULT_ALONE:
        desk->counts.returned += count;
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
                                        .friends = parcel->friends,
                                        .friend_count = parcel->friend_count,
                                        .bad = verdict->bad,
                                        .result = verdict->result,
                                        .presumed = verdict->presumed}};
    if (answer != NULL && answer->transport == LINE_ANSWERED) {
        input.u.outcome.code = answer->status;
        input.u.outcome.request_id = answer->request_id;
        input.u.outcome.accepted_request_id = answer->accepted_request_id;
    }
    uint32_t count = 0;
    const struct event *events = core_input(desk->options.core, &input, &count);
    bool bad = verdict->bad != NO_ID;
    uint32_t friends = parcel->friends == NULL ? 1 : parcel->friend_count;
    count_result(desk, parcel, verdict->result, friends - (bad ? 1 : 0));
    count_result(desk, parcel, RESULT_FAILED, bad ? 1 : 0);
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
    if (verdict.limit == LIMIT_MONTH && desk->allowance != NULL) {
        allowance_spent(desk->allowance); /* before what was refused is due again */
    }
    if (verdict.again) {
        repeat_later(desk, parcel, verdict.limit, answer);
    } else {
        book(desk, parcel, &verdict, answer);
    }
}

/* False once its outcome was booked by another way: its friend, or all of them, were forgotten. */
static bool
is_open(const struct delivery_desk *desk, const struct parcel *parcel)
{
    const struct state *state = core_state(desk->options.core);
    if (parcel->friends == NULL) {
        return state_find_delivery(state, parcel->friend, parcel->delivery) != NO_ID;
    }
    for (uint32_t i = 0; i < parcel->friend_count; i++) {
        if (state_find_intent(state, parcel->friends[i], parcel->delivery) != NO_ID) {
            return true;
        }
    }
    return false;
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
add_parcel(struct delivery_desk *desk, const uint32_t *rows, uint32_t count)
{
    struct parcel *parcel = parcel_new(core_state(desk->options.core), rows, count, desk);
    link_parcel(desk, parcel);
    return parcel;
}

/* Repeats what a former run intended; where that is not the same request any more, nobody knows. */
static void
resume(struct delivery_desk *desk, const uint32_t *rows, uint32_t count)
{
    struct parcel *parcel = add_parcel(desk, rows, count);
    parcel->resumed = true;
    parcel->left_before = true; /* it may have: nobody knows */
    parcel->wake_ms = now_of(desk);
    if (!parcel->rendered || parcel->wake_ms >= parcel->give_up_ms) {
        struct parcel_verdict verdict = {.result = RESULT_UNKNOWN, .bad = NO_ID};
        book(desk, parcel, &verdict, NULL);
    } else {
        shelf_rest(&desk->shelf, parcel);
    }
}

struct open_intent {
    uint64_t intent_seq;
    uint32_t friend, row, crowd;
};

static int
by_intent_and_friend(const void *a, const void *b)
{
    const struct open_intent *x = a, *y = b;
    if (x->intent_seq != y->intent_seq) {
        return x->intent_seq < y->intent_seq ? -1 : 1;
    }
    return x->friend < y->friend ? -1 : 1;
}

void
delivery_resume(struct delivery_desk *desk)
{
    const struct state *state = core_state(desk->options.core);
    if (held_by_claim(desk->options.core)) {
        return; /* requests of another life: its run has their keys, not we (SPEC R45) */
    }
    struct open_intent *open = calloc((size_t)state->deliveries.count + 1, sizeof(*open));
    uint32_t *rows = calloc((size_t)state->deliveries.count + 1, sizeof(*rows));
    assert(open != NULL && rows != NULL);
    uint32_t open_count = 0;
    for (uint32_t i = 0; i < state->deliveries.count; i++) {
        const struct delivery *row = state_delivery(state, i);
        if (row->phase == DELIVERY_INTENDED) {
            open[open_count++] = (struct open_intent){row->intent_seq, row->friend, i, row->crowd};
        }
    }
    qsort(open, open_count, sizeof(*open), by_intent_and_friend);
    for (uint32_t i = 0, count = 0; i < open_count; i += count) {
        for (count = 0; i + count < open_count && open[i + count].intent_seq == open[i].intent_seq;
             count++) {
            rows[count] = open[i + count].row;
        }
        resume(desk, rows, count);
    }
    free(open);
    free(rows);
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

static struct take_permit
permit_of(const struct delivery_desk *desk, enum message_class least_urgent, int64_t now_ms)
{
    return (struct take_permit){.reply = pacing_next(&desk->pacing, LINE_REPLY, now_ms) <= now_ms,
                                .push = pacing_next(&desk->pacing, LINE_PUSH, now_ms) <= now_ms,
                                .multicast =
                                    pacing_next(&desk->pacing, LINE_MULTICAST, now_ms) <= now_ms,
                                .least_urgent = least_urgent};
}

static bool
take_new(struct delivery_desk *desk, enum message_class least_urgent, int64_t now_ms)
{
    struct take_permit permit = permit_of(desk, least_urgent, now_ms);
    struct taken taken = {0};
    if (core_take(desk->options.core, &permit, &taken) != RC_OK) {
        return false;
    }
    if (taken.count > 0) {
        struct parcel *parcel = add_parcel(desk, taken.rows, taken.count);
        desk->counts.intended += taken.count;
        depart(desk, parcel, now_ms);
    }
    return true;
}

/* The class behind which nothing may be added to what is under way; false: nothing at all may be. */
static bool
least_urgent(const struct delivery_desk *desk, enum message_class *out_class)
{
    if (under_way(desk) >= in_flight_limit(desk, CLASS_TRANSACTIONAL)) {
        return false;
    }
    bool room = under_way(desk) < in_flight_limit(desk, CLASS_MARKETING);
    *out_class = room ? CLASS_MARKETING : CLASS_TRANSACTIONAL;
    return true;
}

/* One thing that may go now goes, of the most urgent class that has one; what is repeated goes before what
 * is new. False: nothing may. */
static bool
move_one(struct delivery_desk *desk, int64_t now_ms)
{
    enum message_class least;
    if (!least_urgent(desk, &least)) {
        return false;
    }
    for (int i = 0; i <= (int)least; i++) {
        struct parcel *parcel = ready_of(desk, (enum message_class)i, now_ms);
        if (parcel == NULL) {
            continue;
        }
        if (i == 0 || !take_new(desk, (enum message_class)(i - 1), now_ms)) {
            repeat_now(desk, parcel, now_ms);
        }
        return true;
    }
    return take_new(desk, least, now_ms);
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
    if (desk->allowance != NULL) {
        allowance_pump(desk->allowance);
    }
    uint64_t enough = desk->counts.intended + FRIENDS_A_PUMP;
    for (uint32_t i = 0; i < MOVES_A_PUMP && desk->counts.intended < enough; i++) {
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
    return under_way(desk) + (desk->profiles == NULL ? 0 : profiles_in_flight(desk->profiles)) +
           (desk->allowance == NULL ? 0 : allowance_in_flight(desk->allowance));
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

/* When the first of those that are due may be taken. */
static int64_t
take_next(const struct delivery_desk *desk, int64_t now_ms)
{
    enum message_class least;
    if (!least_urgent(desk, &least)) {
        return INT64_MAX; /* when one comes home */
    }
    const struct engine *engine = core_engine(desk->options.core);
    int64_t next_ms = engine_next_work(engine, now_ms);
    int64_t reply_ms = pacing_next(&desk->pacing, LINE_REPLY, now_ms);
    int64_t push_ms = pacing_next(&desk->pacing, LINE_PUSH, now_ms);
    int64_t many_ms = later(push_ms, pacing_next(&desk->pacing, LINE_MULTICAST, now_ms));
    if (engine_has_due(engine, &(struct take_permit){.least_urgent = least})) {
        next_ms = now_ms;
    }
    if (engine_has_due(engine, &(struct take_permit){.reply = true, .least_urgent = least})) {
        next_ms = earlier(next_ms, reply_ms);
    }
    if (engine_has_due(engine, &(struct take_permit){.push = true, .least_urgent = least})) {
        next_ms = earlier(next_ms, push_ms);
    }
    if (engine_has_due(engine, &(struct take_permit){
                                   .push = true, .multicast = true, .least_urgent = least})) {
        next_ms = earlier(next_ms, many_ms);
    }
    return later(next_ms, now_ms);
}

int64_t
delivery_next(const struct delivery_desk *desk)
{
    if (is_held(desk)) {
        return INT64_MAX; /* a slow log wakes the loop when it has moved */
    }
    int64_t now_ms = clock_now_ms(core_clock(desk->options.core));
    int64_t next_ms = desk->profiles == NULL ? INT64_MAX : profiles_next(desk->profiles);
    if (desk->allowance != NULL) {
        next_ms = earlier(next_ms, allowance_next(desk->allowance));
    }
    const struct parcel *resting = shelf_first_resting(&desk->shelf);
    if (resting != NULL) {
        next_ms = earlier(next_ms, later(resting->wake_ms, now_ms));
    }
    next_ms = earlier(next_ms, ready_next(desk, now_ms));
    next_ms = earlier(next_ms, take_next(desk, now_ms));
    return next_ms;
}

struct delivery_counts
delivery_counts(const struct delivery_desk *desk)
{
    return desk->counts;
}
