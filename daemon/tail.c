#include "daemon/tail.h"

#include "engine/base/checksum.h"
#include "engine/crowd.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uint64_t
tail_message_sum(struct span message_id)
{
    uint64_t sum = checksum_of(message_id.data, message_id.len);
    return sum == 0 ? 1 : sum;
}

struct tail_event
tail_event_of(const struct event *event)
{
    bool message = event->kind == EVENT_MESSAGE_RECEIVED;
    return (struct tail_event){
        .friend_prev = event->friend_prev,
        .at_ms = event->at_ms,
        .message_sum = message ? tail_message_sum(event->u.act.message_id) : 0,
        .crowd = crowd_is_in(event) ? event->u.delivery.crowd : (struct span){0}};
}

uint64_t
tail_previous(const struct tail_event *event, uint32_t friend)
{
    struct event many = {.kind = EVENT_DELIVERIES_INTENDED, .friend = NO_ID};
    struct event single;
    if (event->crowd.len == 0) {
        return event->friend_prev;
    }
    many.u.delivery.crowd = event->crowd;
    return crowd_event_of(&many, friend, &single) ? single.friend_prev : 0;
}

/* The room of rows that have left is used first. */
static void
make_room(struct tail *tail)
{
    uint32_t count = tail->end - tail->head;
    if (tail->head > count) {
        memmove(tail->items, tail->items + tail->head, count * sizeof(*tail->items));
        tail->head = 0;
        tail->end = count;
        return;
    }
    tail->capacity = tail->capacity == 0 ? 64 : tail->capacity * 2;
    tail->items = realloc(tail->items, tail->capacity * sizeof(*tail->items));
    assert(tail->items != NULL);
}

void
tail_add(struct tail *tail, const struct event *event)
{
    if (tail->head == tail->end) {
        tail->head = tail->end = 0;
        tail->first_seq = event->seq;
    }
    assert(event->seq == tail->first_seq + (tail->end - tail->head));
    if (tail->end == tail->capacity) {
        make_room(tail);
    }
    struct tail_event *item = &tail->items[tail->end++];
    *item = tail_event_of(event);
    if (item->crowd.len > 0) {
        uint8_t *copy = malloc(item->crowd.len);
        assert(copy != NULL);
        memcpy(copy, item->crowd.data, item->crowd.len);
        item->crowd = span_of(copy, item->crowd.len);
    }
}

static void
free_crowd(struct tail_event *item)
{
    free((void *)(uintptr_t)item->crowd.data);
}

void
tail_drop(struct tail *tail, uint64_t durable_seq)
{
    while (tail->head < tail->end && tail->first_seq <= durable_seq) {
        free_crowd(&tail->items[tail->head++]);
        tail->first_seq++;
    }
}

const struct tail_event *
tail_find(const struct tail *tail, uint64_t seq)
{
    uint32_t count = tail->end - tail->head;
    bool here = count > 0 && seq >= tail->first_seq && seq - tail->first_seq < count;
    return here ? &tail->items[tail->head + (uint32_t)(seq - tail->first_seq)] : NULL;
}

void
tail_fini(struct tail *tail)
{
    while (tail->head < tail->end) {
        free_crowd(&tail->items[tail->head++]);
    }
    free(tail->items);
    *tail = (struct tail){0};
}
