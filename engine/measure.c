#include "engine/measure.h"

#include "engine/deed.h"
#include "engine/tables.h"

#include <stdlib.h>

enum { KEY_NUMBERS = 6 };

/* --- rows by key --- */

static void
key_of(const struct measure_row *row, uint32_t out[KEY_NUMBERS])
{
    const uint32_t key[] = {row->kind,     row->unit.source_kind, row->unit.id,
                            row->unit.sub, row->detail,           row->hour};
    memcpy(out, key, sizeof(key));
}

static uint64_t
row_hash(const void *context, uint32_t number)
{
    uint32_t key[KEY_NUMBERS];
    key_of(&((const struct measures *)context)->rows[number], key);
    return checksum_of(key, sizeof(key));
}

static bool
row_equals(const void *context, uint32_t number, const void *wanted)
{
    uint32_t key[KEY_NUMBERS];
    key_of(&((const struct measures *)context)->rows[number], key);
    return memcmp(key, wanted, sizeof(key)) == 0;
}

/* The row of that key, made where there is none. */
static struct measure_row *
row_for(struct measures *measures, const struct measure_row *like)
{
    const struct index_keys keys = {row_hash, row_equals, measures};
    uint32_t key[KEY_NUMBERS];
    key_of(like, key);
    uint32_t found = index_find(&measures->index, &keys, checksum_of(key, sizeof(key)), key);
    if (found != INDEX_NONE) {
        return &measures->rows[found];
    }
    uint32_t made = measures->count++;
    measures->rows =
        tables_grow(measures->rows, &measures->capacity, measures->count, sizeof(*measures->rows));
    measures->rows[made] = *like;
    measures->rows[made].count = 0;
    index_put(&measures->index, &keys, made);
    return &measures->rows[made];
}

static void
count(struct state *state, enum measure_kind kind, struct measure_unit unit, uint32_t detail,
      int64_t at_ms)
{
    struct measure_row like = {
        .kind = kind, .unit = unit, .detail = detail, .hour = (uint32_t)(at_ms / MS_PER_HOUR)};
    row_for(&state->measures, &like)->count++;
}

/* --- what counts --- */

static struct measure_unit
thing(uint32_t id)
{
    return (struct measure_unit){.source_kind = SOURCE_NONE, .id = id};
}

static struct measure_unit
step_unit(const struct event *event)
{
    return (struct measure_unit){SOURCE_STEP, event->u.step.scenario, event->u.step.step};
}

static struct measure_unit
source_unit(struct source source)
{
    return (struct measure_unit){source.kind, source.id, source.sub};
}

/* A friend leaves: what was sent in the 24 hours before may have been why. */
static void
count_blocked(struct state *state, const struct event *event)
{
    struct stretch day = {event->at_ms - MS_PER_DAY, event->at_ms};
    for (uint32_t id = 0; id < state->received_capacity; id++) {
        if (state_has_received(state, event->friend, id) &&
            state_has_received_within(state, event->friend, id, day)) {
            count(state, MEASURE_BLOCKED, thing(id), 0, event->at_ms);
        }
    }
}

uint32_t
measure_bucket(uint32_t seconds)
{
    uint32_t power = 5;
    if (seconds < 32) {
        return seconds;
    }
    while (power < 31 && seconds >> (power + 1) != 0) {
        power++;
    }
    return 32 + (power - 5) * 16 + (seconds >> (power - 4) & 15);
}

uint32_t
measure_bucket_begins(uint32_t bucket)
{
    if (bucket < 32) {
        return bucket;
    }
    uint32_t power = 5 + (bucket - 32) / 16;
    return (16 + (bucket - 32) % 16) << (power - 4);
}

static void
count_click(struct state *state, const struct event *event)
{
    struct measure_unit link = thing(event->u.clicked.link);
    count(state, MEASURE_CLICKED, link, event->u.clicked.first, event->at_ms);
    if (event->u.clicked.first && event->u.clicked.known) {
        count(state, MEASURE_CLICK_SECONDS, link, measure_bucket(event->u.clicked.after_s),
              event->at_ms);
    }
}

static void
count_step(struct state *state, const struct event *event, enum measure_kind kind)
{
    count(state, kind, step_unit(event), event->u.step.reason, event->at_ms);
}

void
measure_apply(struct state *state, const struct event *event)
{
    switch (event->kind) {
    case EVENT_ENROLMENT_STARTED:
        count(state, MEASURE_ENTERED, thing(event->u.step.scenario), 0, event->at_ms);
        break;
    case EVENT_ENROLMENT_ENDED:
        count(state, MEASURE_LEFT, thing(event->u.step.scenario), event->u.step.reason,
              event->at_ms);
        break;
    case EVENT_STEP_SKIPPED:
        count_step(state, event, MEASURE_SKIPPED);
        break;
    case EVENT_STEP_CANCELLED:
        count_step(state, event, MEASURE_CANCELLED);
        break;
    case EVENT_STEP_HELD:
        count_step(state, event, MEASURE_HELD);
        break;
    case EVENT_CONVERTED:
        if (event->u.conversion.counted) {
            count(state, MEASURE_CONVERTED, thing(event->u.conversion.conversion), 0, event->at_ms);
        }
        break;
    case EVENT_DRAWN:
        if (event->u.drawn.name.len == 0) { /* a split's */
            count(state, MEASURE_ARM, source_unit(event->source), event->u.drawn.place,
                  event->at_ms);
        }
        break;
    case EVENT_UNFOLLOWED:
        if (event->u.act.reason == REASON_NONE) {
            count_blocked(state, event);
        }
        break;
    case EVENT_TAPPED:
        if (event->u.act.button != NO_ID && event->u.act.reason == REASON_NONE) {
            count(state, MEASURE_TAPPED, thing(event->u.act.button), 0, event->at_ms);
        }
        break;
    case EVENT_FORM_ANSWERED:
        count(state, MEASURE_ANSWERED, thing(event->u.form.form), 0, event->at_ms);
        break;
    case EVENT_CLICKED:
        count_click(state, event);
        break;
    case EVENT_ROUTE_SCANNED:
        count(state, MEASURE_SCANNED, thing(event->u.route.route), 0, event->at_ms);
        break;
    case EVENT_ROUTE_TAKEN:
        count(state, MEASURE_TAKEN, thing(event->u.route.route), 0, event->at_ms);
        break;
    default: /* nothing that a report tells of */
        break;
    }
}

/* A source that stands several times among the items (two templates of one step) is one message. */
static bool
named_before(const struct delivery *row, uint32_t place)
{
    struct source source = row->items[place].source;
    for (uint32_t i = 0; i < place; i++) {
        struct source other = row->items[i].source;
        if (other.kind == source.kind && other.id == source.id && other.sub == source.sub) {
            return true;
        }
    }
    return false;
}

void
measure_delivery(struct state *state, const struct delivery *row, const struct event *event)
{
    enum measure_kind kind = MEASURE_SENT_PUSH;
    uint32_t detail = 0;
    if (event->kind == EVENT_DELIVERY_CANCELLED) {
        kind = MEASURE_CANCELLED;
        detail = event->u.delivery.reason;
    } else if (event->u.delivery.result == RESULT_SENT) {
        kind = row->how == HOW_REPLY ? MEASURE_SENT_REPLY : MEASURE_SENT_PUSH;
    } else if (event->u.delivery.result == RESULT_FAILED) {
        kind = MEASURE_FAILED;
        detail = event->u.delivery.code;
    } else if (event->u.delivery.result == RESULT_UNKNOWN) {
        kind = MEASURE_UNKNOWN;
    } else {
        return; /* due again */
    }
    for (uint32_t i = 0; i < row->item_count; i++) {
        if (!named_before(row, i)) {
            count(state, kind, source_unit(row->items[i].source), detail, event->at_ms);
        }
    }
}

void
measure_each(const struct state *state, uint32_t from_hour, uint32_t to_hour, measure_fn fn,
             void *context)
{
    for (uint32_t i = 0; i < state->measures.count; i++) {
        const struct measure_row *row = &state->measures.rows[i];
        if (row->hour >= from_hour && row->hour < to_hour) {
            fn(context, row);
        }
    }
}

/* A sum: the order of the rows is no part of what is known. */
void
measure_digest(const struct state *state, struct checksum *sum)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < state->measures.count; i++) {
        const struct measure_row *row = &state->measures.rows[i];
        uint32_t key[KEY_NUMBERS];
        key_of(row, key);
        all += checksum_seeded(key, sizeof(key), row->count);
    }
    checksum_add_u64(sum, state->measures.count);
    checksum_add_u64(sum, all);
}

void
measure_fini(struct state *state)
{
    index_fini(&state->measures.index);
    free(state->measures.rows);
    state->measures = (struct measures){0};
}

/* --- image --- */

void
measure_stream(struct state *state, struct stream *stream)
{
    struct measures *measures = &state->measures;
    const struct index_keys keys = {row_hash, row_equals, measures};
    uint32_t count = stream_count(stream, measures->count, sizeof(*measures->rows));
    if (!stream_reads(stream)) {
        if (count > 0) {
            stream_bytes(stream, measures->rows, count * sizeof(*measures->rows));
        }
        return;
    }
    if (count > 0) {
        measures->rows = tables_grow(NULL, &measures->capacity, count, sizeof(*measures->rows));
        stream_bytes(stream, measures->rows, count * sizeof(*measures->rows));
    }
    for (uint32_t i = 0; i < count && stream->rc == RC_OK; i++) {
        uint32_t key[KEY_NUMBERS];
        key_of(&measures->rows[i], key);
        bool known =
            index_find(&measures->index, &keys, checksum_of(key, sizeof(key)), key) != INDEX_NONE;
        stream_check(stream, !known && measures->rows[i].kind < MEASURE_KIND_COUNT,
                     "a measure's row makes no sense");
        if (stream->rc == RC_OK) {
            index_put(&measures->index, &keys, measures->count++);
        }
    }
}
