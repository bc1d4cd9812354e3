#include "engine/due.h"

#include "engine/turn.h"

#include <assert.h>
#include <stdlib.h>

void
due_init(struct due *due, int64_t now_ms)
{
    *due = (struct due){.wheel = wheel_new(&mem_heap, now_ms)};
    assert(due->wheel != NULL);
}

void
due_fini(struct due *due)
{
    wheel_free(due->wheel);
    for (int i = 0; i < CLASS_COUNT; i++) {
        free(due->queues[i].items);
    }
    *due = (struct due){0};
}

/* The wheel knows 32-bit owners: the kind in the highest bits, the row below. */
enum { KIND_SHIFT = 29 };

void
due_arm(struct due *due, int64_t wake_ms, struct owner owner)
{
    assert(owner.index < UINT32_C(1) << KIND_SHIFT);
    enum rc rc = wheel_arm(due->wheel, wake_ms, (uint32_t)owner.kind << KIND_SHIFT | owner.index);
    assert(rc == RC_OK);
}

static void
queue_grow(struct due_queue *queue)
{
    uint32_t capacity = queue->capacity == 0 ? 64 : queue->capacity * 2;
    struct owner *items = malloc(capacity * sizeof(*items));
    assert(items != NULL);
    for (uint32_t i = 0; i < queue->count; i++) {
        items[i] = queue->items[(queue->head + i) & (queue->capacity - 1)];
    }
    free(queue->items);
    *queue = (struct due_queue){.items = items, .count = queue->count, .capacity = capacity};
}

void
due_push(struct due *due, enum message_class message_class, struct owner owner)
{
    struct due_queue *queue = &due->queues[message_class];
    if (queue->count == queue->capacity) {
        queue_grow(queue);
    }
    queue->items[(queue->head + queue->count) & (queue->capacity - 1)] = owner;
    queue->count++;
}

bool
due_pop(struct due *due, struct owner *out_owner)
{
    for (int i = 0; i < CLASS_COUNT; i++) {
        struct due_queue *queue = &due->queues[i];
        if (queue->count > 0) {
            *out_owner = queue->items[queue->head];
            queue->head = (queue->head + 1) & (queue->capacity - 1);
            queue->count--;
            return true;
        }
    }
    return false;
}

static bool
row_agrees(const struct state *state, struct owner owner, int64_t due_ms)
{
    if (owner.kind == OWNER_BROADCAST) {
        return broadcast_wake(state, owner.index) == due_ms;
    }
    if (owner.kind == OWNER_DELIVERY) {
        if (owner.index >= state->deliveries.count) {
            return false;
        }
        const struct delivery *row = state_delivery(state, owner.index);
        return row->phase == DELIVERY_PLANNED && row->wake_ms == due_ms && !row->queued;
    }
    if (owner.index >= state->enrolments.count) {
        return false;
    }
    const struct enrolment *row = state_enrolment(state, owner.index);
    return row->phase == ENROLMENT_WAITING && state_wake(state, row) == due_ms && !row->queued;
}

bool
due_expire(struct due *due, const struct state *state, int64_t now_ms, struct owner *out_owner)
{
    struct wheel_entry entry;
    while (wheel_expire(due->wheel, now_ms, &entry, 1) == 1) {
        *out_owner = (struct owner){(enum owner_kind)(entry.owner >> KIND_SHIFT),
                                    entry.owner & ((UINT32_C(1) << KIND_SHIFT) - 1)};
        if (row_agrees(state, *out_owner, entry.due_ms)) {
            return true;
        }
    }
    return false;
}
