#include "daemon/shelf.h"

#include <assert.h>
#include <stdlib.h>

void
shelf_fini(struct shelf *shelf)
{
    free(shelf->heap);
    *shelf = (struct shelf){0};
}

static void
put(struct shelf *shelf, uint32_t at, struct parcel *parcel)
{
    shelf->heap[at] = parcel;
    parcel->heap_place = at;
}

static void
sift_up(struct shelf *shelf, uint32_t at, struct parcel *parcel)
{
    while (at > 0 && shelf->heap[(at - 1) / 2]->wake_ms > parcel->wake_ms) {
        put(shelf, at, shelf->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(shelf, at, parcel);
}

static void
sift_down(struct shelf *shelf, uint32_t at, struct parcel *parcel)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < shelf->resting_count &&
            shelf->heap[child + 1]->wake_ms < shelf->heap[child]->wake_ms) {
            child++;
        }
        if (child >= shelf->resting_count || shelf->heap[child]->wake_ms >= parcel->wake_ms) {
            break;
        }
        put(shelf, at, shelf->heap[child]);
        at = child;
    }
    put(shelf, at, parcel);
}

void
shelf_rest(struct shelf *shelf, struct parcel *parcel)
{
    assert(parcel->place == PARCEL_NOWHERE);
    if (shelf->resting_count == shelf->capacity) {
        shelf->capacity = shelf->capacity == 0 ? 64 : shelf->capacity * 2;
        shelf->heap = realloc(shelf->heap, shelf->capacity * sizeof(*shelf->heap));
        assert(shelf->heap != NULL);
    }
    parcel->place = PARCEL_RESTING;
    sift_up(shelf, shelf->resting_count++, parcel);
}

void
shelf_make_ready(struct shelf *shelf, struct parcel *parcel)
{
    struct shelf_queue *queue = &shelf->ready[parcel->endpoint][parcel->message_class];
    assert(parcel->place == PARCEL_NOWHERE);
    parcel->place = PARCEL_READY;
    parcel->before = queue->last;
    parcel->behind = NULL;
    if (queue->last != NULL) {
        queue->last->behind = parcel;
    } else {
        queue->first = parcel;
    }
    queue->last = parcel;
    shelf->ready_count++;
}

static void
leave_heap(struct shelf *shelf, struct parcel *parcel)
{
    uint32_t at = parcel->heap_place;
    struct parcel *last = shelf->heap[--shelf->resting_count];
    if (last == parcel) {
        return;
    }
    if (at > 0 && shelf->heap[(at - 1) / 2]->wake_ms > last->wake_ms) {
        sift_up(shelf, at, last);
    } else {
        sift_down(shelf, at, last);
    }
}

static void
leave_queue(struct shelf *shelf, struct parcel *parcel)
{
    struct shelf_queue *queue = &shelf->ready[parcel->endpoint][parcel->message_class];
    if (parcel->before != NULL) {
        parcel->before->behind = parcel->behind;
    } else {
        queue->first = parcel->behind;
    }
    if (parcel->behind != NULL) {
        parcel->behind->before = parcel->before;
    } else {
        queue->last = parcel->before;
    }
    shelf->ready_count--;
}

void
shelf_remove(struct shelf *shelf, struct parcel *parcel)
{
    switch (parcel->place) {
    case PARCEL_RESTING:
        leave_heap(shelf, parcel);
        break;
    case PARCEL_READY:
        leave_queue(shelf, parcel);
        break;
    case PARCEL_NOWHERE:
        break;
    }
    parcel->place = PARCEL_NOWHERE;
}

struct parcel *
shelf_first_resting(const struct shelf *shelf)
{
    return shelf->resting_count == 0 ? NULL : shelf->heap[0];
}

struct parcel *
shelf_first_ready(const struct shelf *shelf, enum line_endpoint endpoint,
                  enum message_class message_class)
{
    return shelf->ready[endpoint][message_class].first;
}
