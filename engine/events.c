#include "engine/event_parts.h"

#include <assert.h>
#include <stdlib.h>

void
events_init(struct events *events)
{
    *events = (struct events){.arena = arena_new()};
}

void
events_fini(struct events *events)
{
    if (events == NULL) {
        return;
    }
    free(events->items);
    arena_free(events->arena);
    *events = (struct events){0};
}

void
events_clear(struct events *events)
{
    events->count = 0;
    arena_reset(events->arena);
}

static void
copy_words(struct arena *arena, struct event *event)
{
    if (event->word_count == 0) {
        return;
    }
    struct span *words = arena_alloc(arena, event->word_count * sizeof(*words));
    for (uint32_t i = 0; i < event->word_count; i++) {
        words[i] = arena_span(arena, event->words[i]);
    }
    event->words = words;
}

static inline void
copy_part(struct arena *arena, enum part_shape shape, void *member)
{
    if (shape == SHAPE_TEXT || shape == SHAPE_CROWD) {
        struct span *text = member;
        *text = arena_span(arena, *text);
    }
}

#define COPY(type, name, member) copy_part(arena, (enum part_shape)type##_SHAPE, &event->member);
#define LAYOUT(kind, name, list, words)                                                            \
    case kind:                                                                                     \
        PARTS_##list(COPY);                                                                        \
        break;

static void
copy_spans(struct arena *arena, struct event *event)
{
    switch (event->kind) {
        EVENT_LAYOUTS(LAYOUT)
    }
}

struct event *
events_add(struct events *events, const struct event *event)
{
    if (events->count == events->capacity) {
        uint32_t capacity = events->capacity == 0 ? 32 : events->capacity * 2;
        struct event *items = realloc(events->items, capacity * sizeof(*items));
        assert(items != NULL);
        events->items = items;
        events->capacity = capacity;
    }
    struct event *copy = &events->items[events->count++];
    *copy = *event;
    copy_words(events->arena, copy);
    copy_spans(events->arena, copy);
    return copy;
}
