#include "engine/ahead.h"

enum { EVENTS_KEPT = 512 }; /* between two clearings */

static void
tell(struct ahead *ahead, struct events *events)
{
    for (uint32_t i = 0; i < events->count && ahead->seen != NULL; i++) {
        ahead->seen(ahead->context, &events->items[i]);
    }
    events_clear(events);
}

static void
answer(struct engine *engine, int64_t now_ms, uint32_t delivery, struct ahead *ahead,
       struct events *events)
{
    const struct delivery *row = state_delivery(engine_state(engine), delivery);
    struct input outcome = {
        .kind = INPUT_OUTCOME,
        .at_ms = now_ms,
        .u.outcome = {
            .friend = row->friend, .delivery = row->seq, .result = RESULT_SENT, .code = 200}};
    engine_handle(engine, &outcome, events);
    ahead->deliveries++;
}

/* What was on its way when the copy was taken has no answer yet. */
static void
answer_open(struct engine *engine, int64_t now_ms, struct ahead *ahead, struct events *events)
{
    for (uint32_t i = 0; i < engine_state(engine)->deliveries.count; i++) {
        if (state_delivery(engine_state(engine), i)->phase == DELIVERY_INTENDED) {
            answer(engine, now_ms, i, ahead, events);
        }
        if (events->count >= EVENTS_KEPT) {
            tell(ahead, events);
        }
    }
}

/* Everything that is due at this instant. */
static void
run_instant(struct engine *engine, int64_t now_ms, struct ahead *ahead, struct events *events)
{
    /* Each by itself, as far as it matters here: a crowd is a matter of requests. */
    static const struct take_permit ANY = {
        .reply = true, .push = true, .least_urgent = CLASS_MARKETING, .alone = true};
    struct taken taken;
    bool more = true;
    while (more) {
        while (engine_take(engine, now_ms, &ANY, events, &taken) == RC_OK) {
            if (taken.count > 0) {
                answer(engine, now_ms, taken.rows[0], ahead, events);
            }
            if (events->count >= EVENTS_KEPT) {
                tell(ahead, events);
            }
        }
        more = engine_work(engine, now_ms, events) ||
               engine_next_due(engine, now_ms) <= now_ms; /* a large slot opens share by share */
        tell(ahead, events);
    }
}

void
engine_run_ahead(struct engine *engine, int64_t from_ms, struct ahead *ahead)
{
    struct events events;
    events_init(&events);
    answer_open(engine, from_ms, ahead, &events);
    for (int64_t now_ms = from_ms; now_ms <= ahead->until_ms;) {
        run_instant(engine, now_ms, ahead, &events);
        int64_t next_ms = engine_next_due(engine, now_ms);
        now_ms = next_ms > now_ms ? next_ms : now_ms + 1;
    }
    tell(ahead, &events);
    events_fini(&events);
}
