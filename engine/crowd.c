#include "engine/crowd.h"

#include <assert.h>

enum { VARINT_BYTES_MAX = 10 };

/* --- columns of numbers --- */

struct writer {
    uint8_t *bytes;
    size_t len;
};

static void
put(struct writer *writer, uint64_t number)
{
    while (number >= 0x80) {
        writer->bytes[writer->len++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    writer->bytes[writer->len++] = (uint8_t)number;
}

struct reader {
    struct span rest;
    bool failed;
};

static uint64_t
get(struct reader *reader)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (reader->rest.len == 0) {
            break;
        }
        uint8_t byte = reader->rest.data[0];
        reader->rest = span_of(reader->rest.data + 1, reader->rest.len - 1);
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return number;
        }
    }
    reader->failed = true;
    return 0;
}

static uint64_t
zigzag(uint64_t difference)
{
    return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static uint64_t
unzigzag(uint64_t coded)
{
    return coded >> 1 ^ (0 - (coded & 1));
}

/* Differences of order 1 or 2; a run of zeros is 0 and how many more of them follow. */
static void
put_column(struct writer *writer, const uint64_t *numbers, uint32_t count, unsigned order)
{
    uint64_t last = 0, step = 0;
    put(writer, order);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t difference = numbers[i] - last - step;
        last = numbers[i];
        step += order == 2 ? difference : 0;
        put(writer, zigzag(difference));
        if (difference != 0) {
            continue;
        }
        uint64_t run = 0;
        while (i + 1 < count && numbers[i + 1] - last - step == 0) {
            last = numbers[++i];
            run++;
        }
        put(writer, run);
    }
}

static void
get_column(struct reader *reader, uint64_t *numbers, uint32_t count)
{
    uint64_t last = 0, step = 0, run = 0;
    uint64_t order = get(reader);
    reader->failed = reader->failed || order < 1 || order > 2;
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        uint64_t difference = 0;
        if (run > 0) {
            run--;
        } else {
            difference = unzigzag(get(reader));
            run = difference == 0 ? get(reader) : 0;
        }
        step += order == 2 ? difference : 0;
        last += order == 2 ? step : difference;
        numbers[i] = last;
    }
    reader->failed = reader->failed || run > 0;
}

struct span
crowd_pack(const struct crowd *crowd, struct arena *arena)
{
    assert(crowd->count > 0 && crowd->count <= CROWD_MAX);
    enum { COLUMN_BYTES_MAX = (2 * CROWD_MAX + 2) * VARINT_BYTES_MAX };
    uint8_t first[COLUMN_BYTES_MAX], second[COLUMN_BYTES_MAX], packed[4 * COLUMN_BYTES_MAX];
    const uint64_t *columns[] = {crowd->friends, crowd->previous, crowd->numbers, crowd->extra};
    struct writer out = {packed, 0};
    put(&out, crowd->count);
    for (int i = 0; i < 4; i++) {
        struct writer one = {first, 0}, two = {second, 0};
        put_column(&one, columns[i], crowd->count, 1);
        put_column(&two, columns[i], crowd->count, 2);
        const struct writer *shorter = one.len <= two.len ? &one : &two;
        memcpy(out.bytes + out.len, shorter->bytes, shorter->len);
        out.len += shorter->len;
    }
    return arena_span(arena, span_of(packed, out.len));
}

bool
crowd_unpack(struct span list, struct crowd *out_crowd)
{
    struct reader reader = {.rest = list};
    uint64_t count = get(&reader);
    if (reader.failed || count == 0 || count > CROWD_MAX) {
        return false;
    }
    out_crowd->count = (uint32_t)count;
    get_column(&reader, out_crowd->friends, out_crowd->count);
    get_column(&reader, out_crowd->previous, out_crowd->count);
    get_column(&reader, out_crowd->numbers, out_crowd->count);
    get_column(&reader, out_crowd->extra, out_crowd->count);
    for (uint32_t i = 0; i < out_crowd->count && !reader.failed; i++) {
        bool ascending = i == 0 || out_crowd->friends[i] > out_crowd->friends[i - 1];
        reader.failed = !ascending || out_crowd->friends[i] >= NO_ID;
    }
    return !reader.failed && reader.rest.len == 0;
}

/* --- events about many --- */

bool
crowd_is_in(const struct event *event)
{
    return event->kind == EVENT_DELIVERIES_INTENDED || event->kind == EVENT_DELIVERIES_OUTCOME;
}

void
crowd_single(const struct event *event, const struct crowd *crowd, uint32_t n,
             struct event *out_single)
{
    *out_single = *event;
    out_single->friend = (uint32_t)crowd->friends[n];
    out_single->friend_prev = crowd->previous[n];
    if (event->kind == EVENT_DELIVERIES_OUTCOME) {
        out_single->kind = EVENT_DELIVERY_OUTCOME;
        out_single->u.delivery.delivery = crowd->extra[n];
        out_single->u.delivery.result = (enum delivery_result)crowd->numbers[n];
        return;
    }
    out_single->kind = EVENT_DELIVERY_INTENDED;
    out_single->u.delivery.due_ms += (int64_t)crowd->extra[n];
    if (event->u.delivery.member == CROWD_OF_PLANNED) {
        out_single->u.delivery.delivery = crowd->numbers[n];
        return;
    }
    for (uint32_t i = 0; i < event->u.delivery.item_count; i++) {
        out_single->u.delivery.items[i].enrolment = (uint32_t)crowd->numbers[n];
    }
}

bool
crowd_event_of(const struct event *event, uint32_t friend, struct event *out_single)
{
    if (!crowd_is_in(event)) {
        *out_single = *event;
        return event->friend == friend;
    }
    struct crowd crowd;
    if (!crowd_unpack(event->u.delivery.crowd, &crowd)) {
        return false;
    }
    uint32_t low = 0, high = crowd.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (crowd.friends[middle] < friend) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == crowd.count || crowd.friends[low] != friend) {
        return false;
    }
    crowd_single(event, &crowd, low, out_single);
    return true;
}
