#include "engine/event.h"

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

static void
copy_spans(struct arena *arena, struct event *event)
{
    switch (event->kind) {
    case EVENT_CLAIMED:
        event->u.claimed.machine = arena_span(arena, event->u.claimed.machine);
        event->u.claimed.path = arena_span(arena, event->u.claimed.path);
        event->u.claimed.version = arena_span(arena, event->u.claimed.version);
        break;
    case EVENT_CUSTOM:
        event->u.custom.name = arena_span(arena, event->u.custom.name);
        break;
    case EVENT_FOLLOWED:
    case EVENT_UNFOLLOWED:
    case EVENT_MESSAGE_RECEIVED:
    case EVENT_TAPPED:
    case EVENT_WEBHOOK_NOTED:
    case EVENT_MESSAGE_UNSENT:
        event->u.act.webhook_id = arena_span(arena, event->u.act.webhook_id);
        event->u.act.type = arena_span(arena, event->u.act.type);
        event->u.act.message_id = arena_span(arena, event->u.act.message_id);
        break;
    case EVENT_DRAWN:
        event->u.drawn.name = arena_span(arena, event->u.drawn.name);
        event->u.drawn.value = arena_span(arena, event->u.drawn.value);
        break;
    case EVENT_SEND_UNKNOWN:
        event->u.send_unknown.pattern = arena_span(arena, event->u.send_unknown.pattern);
        break;
    case EVENT_BROADCAST_CHOSEN:
        event->u.broadcast.verdict = arena_span(arena, event->u.broadcast.verdict);
        break;
    default: /* the others hold no spans outside their words */
        break;
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
