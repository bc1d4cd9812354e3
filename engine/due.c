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
        for (uint32_t j = 0; j < due->classes[i].line_capacity; j++) {
            free(due->classes[i].lines[j].items);
        }
        free(due->classes[i].lines);
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
        const struct delivery *row = state_delivery(state, owner.index);
        return row->phase == DELIVERY_PLANNED && row->wake_ms == entry->due_ms;
    }
    const struct enrolment *row = state_enrolment(state, owner.index);
    return row->phase == ENROLMENT_WAITING && state_wake(state, row) == entry->due_ms;
}

static void
prefetch(const struct state *state, const struct wheel_entry *entry)
{
    struct owner owner = owner_of(entry);
    if (owner.kind == OWNER_ENROLMENT) {
        __builtin_prefetch(state_enrolment(state, owner.index));
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
    size_t rows = (size_t)state->enrolments.count + state->deliveries.count;
    size_t count = wheel_count(due->wheel);
    if (count > rows * 7 / 5 + STALE_MIN && count % SWEEP_EVERY == 0) {
        wheel_sweep(due->wheel, keep_agreeing, state);
    }
}

static void
line_grow(struct due_line *line)
{
    uint32_t capacity = line->capacity == 0 ? 64 : line->capacity * 2;
    struct due_entry *items = malloc(capacity * sizeof(*items));
    assert(items != NULL);
    for (uint32_t i = 0; i < line->count; i++) {
        items[i] = line->items[(line->head + i) & (line->capacity - 1)];
    }
    free(line->items);
    line->items = items;
    line->head = 0;
    line->capacity = capacity;
}

/* The line of that content, an empty one taken for it where there is none. Emptied lines stay with their
 * rings behind line_count, so that an instant's contents cost no allocation the second time. */
static struct due_line *
line_of(struct due_class *class, uint64_t content)
{
    for (uint32_t i = 0; i < class->line_count; i++) {
        if (class->lines[i].content == content) {
            return &class->lines[i];
        }
    }
    if (class->line_count == class->line_capacity) {
        uint32_t capacity = class->line_capacity == 0 ? 8 : class->line_capacity * 2;
        class->lines = realloc(class->lines, capacity * sizeof(*class->lines));
        assert(class->lines != NULL);
        memset(class->lines + class->line_capacity, 0,
               (capacity - class->line_capacity) * sizeof(*class->lines));
        class->line_capacity = capacity;
    }
    struct due_line *line = &class->lines[class->line_count++];
    line->content = content;
    line->head = 0;
    return line;
}

static void
drop_line(struct due_class *class, struct due_line *line)
{
    struct due_line *last = &class->lines[--class->line_count];
    struct due_line emptied = *line;
    *line = *last;
    *last = emptied;
}

void
due_push(struct due *due, enum message_class message_class, uint64_t content, struct owner owner)
{
    struct due_class *class = &due->classes[message_class];
    struct due_line *line = line_of(class, content);
    if (line->count == line->capacity) {
        line_grow(line);
    }
    line->items[(line->head + line->count) & (line->capacity - 1)] =
        (struct due_entry){owner, due->pushed++};
    line->count++;
    class->total++;
}

bool
due_may(const struct take_permit *permit, uint64_t content, uint32_t count)
{
    switch (content) {
    case CONTENT_NONE:
        return true;
    case CONTENT_REPLY:
        return permit->reply;
    case CONTENT_OWN:
        return permit->push;
    default: /* judged, a crowd may turn out to be one alone */
        return permit->push && (permit->multicast || permit->alone || count == 1);
    }
}

static uint64_t
first_number(const struct due_line *line)
{
    return line->items[line->head].number;
}

bool
due_next_content(struct due *due, const struct take_permit *permit, enum message_class *out_class,
                 uint64_t *out_content)
{
    for (int i = 0; i <= (int)permit->least_urgent; i++) {
        struct due_class *class = &due->classes[i];
        const struct due_line *first = NULL;
        for (uint32_t j = 0; j < class->line_count;) {
            struct due_line *line = &class->lines[j];
            if (line->count == 0) {
                drop_line(class, line);
                continue;
            }
            if (due_may(permit, line->content, line->count) &&
                (first == NULL || first_number(line) < first_number(first))) {
                first = line;
            }
            j++;
        }
        if (first != NULL) {
            *out_class = (enum message_class)i;
            *out_content = first->content;
            return true;
        }
    }
    return false;
}

static bool
is_first(const struct due_class *class, const struct due_line *line)
{
    for (uint32_t i = 0; i < class->line_count; i++) {
        if (class->lines[i].count > 0 && first_number(&class->lines[i]) < first_number(line)) {
            return false;
        }
    }
    return true;
}

bool
due_pop(struct due *due, enum message_class message_class, uint64_t content, bool in_turn,
        struct owner *out_owner)
{
    struct due_class *class = &due->classes[message_class];
    struct due_line *line = line_of(class, content);
    if (line->count == 0 || (in_turn && !is_first(class, line))) {
        return false;
    }
    *out_owner = line->items[line->head].owner;
    line->head = (line->head + 1) & (line->capacity - 1);
    line->count--;
    class->total--;
    return true;
}

bool
due_has(const struct due *due, const struct take_permit *permit)
{
    for (int i = 0; i <= (int)permit->least_urgent; i++) {
        const struct due_class *class = &due->classes[i];
        for (uint32_t j = 0; j < class->line_count; j++) {
            if (class->lines[j].count > 0 &&
                due_may(permit, class->lines[j].content, class->lines[j].count)) {
                return true;
            }
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
