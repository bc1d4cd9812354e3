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
/* A row lies anywhere in memory; asked for this many entries before its turn, it is there in time. */
enum { ROWS_AHEAD = 16 };
enum { STALE_MIN = 8192 }; /* below this many stale entries a sweep is not worth its while */
enum {
    SWEEP_EVERY = 16
}; /* armings a chunk: where many are armed at once, the pause stays short */

static struct owner
owner_of(const struct wheel_entry *entry)
{
    return (struct owner){(enum owner_kind)(entry->owner >> KIND_SHIFT),
                          entry->owner & ((UINT32_C(1) << KIND_SHIFT) - 1)};
}

/* Does the owner's row still say so? */
static bool
agrees(const struct state *state, const struct wheel_entry *entry)
{
    struct owner owner = owner_of(entry);
    if (owner.kind == OWNER_BROADCAST) {
        return broadcast_wake(state, owner.index) == entry->due_ms;
    }
    if (owner.kind == OWNER_DELIVERY) {
        const struct delivery *row = &state->deliveries[owner.index];
        return row->phase == DELIVERY_PLANNED && row->wake_ms == entry->due_ms;
    }
    const struct enrolment *row = &state->enrolments[owner.index];
    return row->phase == ENROLMENT_WAITING && row->wake_ms == entry->due_ms;
}

static void
prefetch(const struct state *state, const struct wheel_entry *entry)
{
    struct owner owner = owner_of(entry);
    if (owner.kind == OWNER_ENROLMENT) {
        __builtin_prefetch(&state->enrolments[owner.index]);
    }
}

/* Moves the entries that agree with their rows to the front and returns how many they are. */
static size_t
keep_agreeing(const void *context, struct wheel_entry *entries, size_t count)
{
    const struct state *state = context;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + ROWS_AHEAD < count) {
            prefetch(state, &entries[i + ROWS_AHEAD]);
        }
        if (agrees(state, &entries[i])) {
            entries[kept++] = entries[i];
        }
    }
    return kept;
}

void
due_arm(struct due *due, const struct state *state, int64_t wake_ms, struct owner owner)
{
    assert(owner.index < UINT32_C(1) << KIND_SHIFT);
    enum rc rc = wheel_arm(due->wheel, wake_ms, (uint32_t)owner.kind << KIND_SHIFT | owner.index);
    assert(rc == RC_OK);
    size_t rows = (size_t)state->enrolment_count + state->delivery_count;
    size_t count = wheel_count(due->wheel);
    if (count > rows * 7 / 5 + STALE_MIN && count % SWEEP_EVERY == 0) {
        wheel_sweep(due->wheel, keep_agreeing, state);
    }
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

size_t
due_expire(struct due *due, const struct state *state, int64_t now_ms,
           struct owner out_owners[DUE_SHARE])
{
    struct wheel_entry entries[DUE_SHARE];
    size_t taken = wheel_expire(due->wheel, now_ms, entries, DUE_SHARE);
    size_t kept = keep_agreeing(state, entries, taken);
    for (size_t i = 0; i < kept; i++) {
        out_owners[i] = owner_of(&entries[i]);
    }
    return kept;
}
