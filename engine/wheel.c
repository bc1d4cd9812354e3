#include "engine/wheel.h"

#include <assert.h>

enum { DIGIT_BITS = 6, DIGITS = 1 << DIGIT_BITS };
enum { OWNER_LEVELS = 6, DUE_LEVELS = 6, LEVELS = OWNER_LEVELS + DUE_LEVELS };
enum { SLOTS = LEVELS * DIGITS, NO_SLOT = SLOTS };

/* A slot of at most FEED_MAX entries that span at most AHEAD_MS goes to the heap as a whole: more would
 * make the heap deep, further ahead would send much of what is armed later to the heap as well. */
enum { FEED_MAX = 256 };
#define AHEAD_MS (INT64_C(1) << 18) /* 4.4 minutes, a slot of the fourth level of dues */

enum { WORK_MAX = 32768 };  /* entries moved by one call beyond those it returns */
enum { HEAP_ARITY = 4 };    /* flatter than two, and the children share a cache line */
enum { CHUNK_KEYS = 62 };   /* 512 bytes a chunk */
enum { CHUNKS_SPARE = 64 }; /* free chunks kept beyond what is needed, against to and fro */

/* Lists of chunks that may begin with one that is not full: one a slot, and three in transit (what a
 * sweep has not seen yet, and both lists of the slot being opened). */
enum { PARTIAL_MAX = SLOTS + 3 };

/* A key is the low 32 bits of the due instant, then the owner. Within a slot the order of keys is the
 * order of entries, as no slot reaches across a multiple of 2^32 ms. */
struct chunk {
    struct chunk *next;
    size_t count;
    uint64_t keys[CHUNK_KEYS];
};

struct slot {
    struct chunk *fresh;   /* only the first chunk is ever not full */
    struct chunk *unswept; /* the part that the sweep has not looked at yet; usually none */
    size_t count;
    int64_t high_ms;   /* the bits of the due instants that keys leave out */
    uint64_t min, max; /* bounds of the keys, exact until a sweep drops one of them */
};

struct heap {
    struct wheel_entry *entries;
    size_t count, capacity;
};

struct wheel {
    const struct mem *mem;
    int64_t now_ms;
    struct wheel_entry base; /* whatever lies in a slot comes after it */
    struct heap heap;
    size_t slotted; /* entries in slots, opening included */

    struct slot
        opening; /* the slot that base has entered, not yet placed again; no order of its own */
    uint32_t levels_used;
    uint64_t slots_used[LEVELS];
    struct slot slots[SLOTS];

    struct chunk *chunks_free;
    size_t chunk_count; /* free ones included */

    uint32_t sweep_place; /* a slot, or SLOTS for the heap */
    size_t sweep_heap;    /* heap entries below this index are still to be looked at */
};

static bool
entry_before(struct wheel_entry a, struct wheel_entry b)
{
    return a.due_ms < b.due_ms || (a.due_ms == b.due_ms && a.owner < b.owner);
}

/* ---- the heap ---- */

static void
heap_sift_up(struct heap *heap, size_t index, struct wheel_entry entry)
{
    while (index > 0) {
        size_t parent = (index - 1) / HEAP_ARITY;
        if (!entry_before(entry, heap->entries[parent])) {
            break;
        }
        heap->entries[index] = heap->entries[parent];
        index = parent;
    }
    heap->entries[index] = entry;
}

static void
heap_sift_down(struct heap *heap, size_t index, struct wheel_entry entry)
{
    for (;;) {
        size_t first = index * HEAP_ARITY + 1;
        size_t end = first + HEAP_ARITY < heap->count ? first + HEAP_ARITY : heap->count;
        size_t least = first;
        for (size_t child = first + 1; child < end; child++) {
            if (entry_before(heap->entries[child], heap->entries[least])) {
                least = child;
            }
        }
        if (first >= heap->count || !entry_before(heap->entries[least], entry)) {
            break;
        }
        heap->entries[index] = heap->entries[least];
        index = least;
    }
    heap->entries[index] = entry;
}

static void
heap_push(struct heap *heap, struct wheel_entry entry)
{
    assert(heap->count < heap->capacity);
    heap_sift_up(heap, heap->count++, entry);
}

static void
heap_remove(struct heap *heap, size_t index)
{
    struct wheel_entry last = heap->entries[--heap->count];
    if (index == heap->count) {
        return;
    }
    if (index > 0 && entry_before(last, heap->entries[(index - 1) / HEAP_ARITY])) {
        heap_sift_up(heap, index, last);
    } else {
        heap_sift_down(heap, index, last);
    }
}

/* Room for count entries and for a slot that is fed later, when nothing may fail. */
static bool
heap_reserve(const struct mem *mem, struct heap *heap, size_t count)
{
    size_t wanted = count + FEED_MAX + 1;
    if (wanted <= heap->capacity) {
        return true;
    }
    size_t capacity = wanted < 2 * heap->capacity ? 2 * heap->capacity : wanted;
    void *entries = mem_resize(mem, heap->entries, heap->capacity * sizeof(struct wheel_entry),
                               capacity * sizeof(struct wheel_entry));
    if (entries == NULL) {
        return false;
    }
    heap->entries = entries;
    heap->capacity = capacity;
    return true;
}

/* ---- chunks and lists of them ---- */

/* How many chunks `entries` in slots can occupy at worst: each at least one, all but PARTIAL_MAX full. */
static size_t
chunks_needed(size_t entries)
{
    size_t packed = entries / CHUNK_KEYS + PARTIAL_MAX;
    return entries < packed ? entries : packed;
}

static bool
chunks_reserve(struct wheel *wheel, size_t entries)
{
    while (wheel->chunk_count < chunks_needed(entries)) {
        struct chunk *chunk = mem_resize(wheel->mem, NULL, 0, sizeof(*chunk));
        if (chunk == NULL) {
            return false;
        }
        chunk->next = wheel->chunks_free;
        wheel->chunks_free = chunk;
        wheel->chunk_count++;
    }
    return true;
}

static void
chunk_release(struct wheel *wheel, struct chunk *chunk)
{
    if (wheel->chunk_count > chunks_needed(wheel->slotted) + CHUNKS_SPARE) {
        mem_free(wheel->mem, chunk, sizeof(*chunk));
        wheel->chunk_count--;
    } else {
        chunk->next = wheel->chunks_free;
        wheel->chunks_free = chunk;
    }
}

static void
list_put(struct wheel *wheel, struct chunk **list, uint64_t key)
{
    struct chunk *chunk = *list;
    if (chunk == NULL || chunk->count == CHUNK_KEYS) {
        chunk = wheel->chunks_free;
        assert(chunk != NULL);
        wheel->chunks_free = chunk->next;
        chunk->next = *list;
        chunk->count = 0;
        *list = chunk;
    }
    chunk->keys[chunk->count++] = key;
}

static uint64_t
list_take(struct wheel *wheel, struct chunk **list)
{
    struct chunk *chunk = *list;
    uint64_t key = chunk->keys[--chunk->count];
    if (chunk->count == 0) {
        *list = chunk->next;
        chunk_release(wheel, chunk);
    }
    return key;
}

/* ---- slots ---- */

static uint64_t
key_of(struct wheel_entry entry)
{
    return (uint64_t)entry.due_ms << 32 | entry.owner;
}

static struct wheel_entry
slot_entry(const struct slot *slot, uint64_t key)
{
    return (struct wheel_entry){.due_ms = slot->high_ms | (int64_t)(key >> 32),
                                .owner = (uint32_t)key};
}

/* Where an entry belongs, as long as base stands where it does: the slot of its own digit at the first
 * level where it differs from base; NO_SLOT for the heap. */
static uint32_t
slot_index_of(struct wheel_entry base, struct wheel_entry entry)
{
    if (!entry_before(base, entry)) {
        return NO_SLOT;
    }
    uint32_t level;
    uint64_t digits;
    uint64_t due_differs = (uint64_t)base.due_ms ^ (uint64_t)entry.due_ms;
    if (due_differs != 0) {
        uint32_t due_level = (63 - (uint32_t)__builtin_clzll(due_differs)) / DIGIT_BITS;
        if (due_level >= DUE_LEVELS) {
            return NO_SLOT;
        }
        level = OWNER_LEVELS + due_level;
        digits = (uint64_t)entry.due_ms >> due_level * DIGIT_BITS;
    } else {
        level = (31 - (uint32_t)__builtin_clz(base.owner ^ entry.owner)) / DIGIT_BITS;
        digits = entry.owner >> level * DIGIT_BITS;
    }
    return level * DIGITS + (uint32_t)(digits % DIGITS);
}

static void
slot_put(struct wheel *wheel, uint32_t index, struct wheel_entry entry)
{
    struct slot *slot = &wheel->slots[index];
    uint64_t key = key_of(entry);
    if (slot->count == 0) {
        slot->high_ms = entry.due_ms & ~INT64_C(0xffffffff);
        slot->min = key;
        slot->max = key;
        wheel->slots_used[index / DIGITS] |= UINT64_C(1) << index % DIGITS;
        wheel->levels_used |= 1u << index / DIGITS;
    }
    slot->min = key < slot->min ? key : slot->min;
    slot->max = key > slot->max ? key : slot->max;
    slot->count++;
    wheel->slotted++;
    list_put(wheel, &slot->fresh, key);
}

static void
slot_mark_empty(struct wheel *wheel, uint32_t index)
{
    uint32_t level = index / DIGITS;
    wheel->slots_used[level] &= ~(UINT64_C(1) << index % DIGITS);
    if (wheel->slots_used[level] == 0) {
        wheel->levels_used &= ~(1u << level);
    }
}

static void
place(struct wheel *wheel, struct wheel_entry entry)
{
    uint32_t index = slot_index_of(wheel->base, entry);
    if (index == NO_SLOT) {
        heap_push(&wheel->heap, entry);
    } else {
        slot_put(wheel, index, entry);
    }
}

/* The slot whose entries come before those of all others; NO_SLOT when all are empty. */
static uint32_t
earliest_slot(const struct wheel *wheel)
{
    if (wheel->levels_used == 0) {
        return NO_SLOT;
    }
    uint32_t level = (uint32_t)__builtin_ctz(wheel->levels_used);
    return level * DIGITS + (uint32_t)__builtin_ctzll(wheel->slots_used[level]);
}

/* False when nothing is in slots; else no entry there comes before *out_bound. */
static bool
slots_bound(const struct wheel *wheel, struct wheel_entry *out_bound)
{
    if (wheel->slotted == 0) {
        return false;
    }
    const struct slot *slot = &wheel->opening;
    if (slot->count == 0) {
        slot = &wheel->slots[earliest_slot(wheel)];
    }
    *out_bound = slot_entry(slot, slot->min);
    return true;
}

/* Advances base into the earliest slot. Every other slot stays where it is: base keeps the digits
 * above this slot's level, and the levels below are empty. */
static void
open_earliest(struct wheel *wheel)
{
    uint32_t index = earliest_slot(wheel);
    struct slot *slot = &wheel->slots[index];
    struct wheel_entry min = slot_entry(slot, slot->min);
    struct wheel_entry max = slot_entry(slot, slot->max);
    bool near = max.due_ms - min.due_ms <= AHEAD_MS || max.due_ms <= wheel->now_ms;
    wheel->base = near && slot->count <= FEED_MAX ? max : min;
    wheel->opening = *slot;
    *slot = (struct slot){0};
    slot_mark_empty(wheel, index);
}

/* Places up to `work` entries of the opened slot again; returns how many. */
static size_t
spread(struct wheel *wheel, size_t work)
{
    struct slot *opening = &wheel->opening;
    size_t moved = 0;
    for (; opening->count > 0 && moved < work; moved++) {
        struct chunk **list = opening->fresh != NULL ? &opening->fresh : &opening->unswept;
        struct wheel_entry entry = slot_entry(opening, list_take(wheel, list));
        opening->count--;
        wheel->slotted--;
        /* A big slot of equal entries must not fill the heap: one of them is enough. */
        const struct wheel_entry *top = wheel->heap.count > 0 ? &wheel->heap.entries[0] : NULL;
        if (top == NULL || top->due_ms != entry.due_ms || top->owner != entry.owner) {
            place(wheel, entry);
        }
    }
    return moved;
}

/* ---- the wheel ---- */

struct wheel *
wheel_new(const struct mem *mem, int64_t now_ms)
{
    struct wheel *wheel = mem_alloc_zeroed(mem, sizeof(*wheel));
    if (wheel == NULL) {
        return NULL;
    }
    wheel->mem = mem;
    wheel->now_ms = now_ms;
    wheel->base.due_ms = now_ms;
    if (!heap_reserve(mem, &wheel->heap, 0)) {
        mem_free(mem, wheel, sizeof(*wheel));
        return NULL;
    }
    return wheel;
}

static void
chunks_free(struct wheel *wheel, struct chunk *chunk)
{
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        mem_free(wheel->mem, chunk, sizeof(*chunk));
        chunk = next;
    }
}

void
wheel_free(struct wheel *wheel)
{
    if (wheel == NULL) {
        return;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        chunks_free(wheel, wheel->slots[i].fresh);
        chunks_free(wheel, wheel->slots[i].unswept);
    }
    chunks_free(wheel, wheel->opening.fresh);
    chunks_free(wheel, wheel->opening.unswept);
    chunks_free(wheel, wheel->chunks_free);
    mem_free(wheel->mem, wheel->heap.entries, wheel->heap.capacity * sizeof(struct wheel_entry));
    mem_free(wheel->mem, wheel, sizeof(*wheel));
}

enum rc
wheel_arm(struct wheel *wheel, int64_t due_ms, uint32_t owner)
{
    struct wheel_entry entry = {.due_ms = due_ms, .owner = owner};
    bool in_heap = slot_index_of(wheel->base, entry) == NO_SLOT;
    if (in_heap ? !heap_reserve(wheel->mem, &wheel->heap, wheel->heap.count + 1)
                : !chunks_reserve(wheel, wheel->slotted + 1)) {
        return RC_NO_MEMORY;
    }
    place(wheel, entry);
    return RC_OK;
}

size_t
wheel_expire(struct wheel *wheel, int64_t now_ms, struct wheel_entry *out, size_t max)
{
    wheel->now_ms = now_ms > wheel->now_ms ? now_ms : wheel->now_ms;
    size_t taken = 0;
    size_t work = WORK_MAX;
    while (taken < max) {
        struct wheel_entry bound;
        bool in_slots = slots_bound(wheel, &bound);
        if (wheel->heap.count > 0 && !(in_slots && entry_before(bound, wheel->heap.entries[0]))) {
            if (wheel->heap.entries[0].due_ms > wheel->now_ms) {
                break;
            }
            out[taken++] = wheel->heap.entries[0];
            heap_remove(&wheel->heap, 0);
            work++;
        } else if (in_slots && bound.due_ms <= wheel->now_ms && work > 0) {
            if (wheel->opening.count == 0) {
                open_earliest(wheel);
            }
            work -= spread(wheel, work);
        } else {
            break;
        }
    }
    /* With empty slots base may stand anywhere; the nearer, the finer the slots of what comes next. */
    if (wheel->slotted == 0 && wheel->base.due_ms < wheel->now_ms) {
        wheel->base = (struct wheel_entry){.due_ms = wheel->now_ms};
    }
    return taken;
}

int64_t
wheel_next(const struct wheel *wheel)
{
    int64_t next_ms = wheel->heap.count > 0 ? wheel->heap.entries[0].due_ms : INT64_MAX;
    struct wheel_entry bound;
    if (slots_bound(wheel, &bound) && bound.due_ms < next_ms) {
        next_ms = bound.due_ms;
    }
    return next_ms;
}

size_t
wheel_count(const struct wheel *wheel)
{
    return wheel->slotted + wheel->heap.count;
}

size_t
wheel_bytes(const struct wheel *wheel)
{
    return sizeof(*wheel) + wheel->chunk_count * sizeof(struct chunk) +
           wheel->heap.capacity * sizeof(struct wheel_entry);
}

/* ---- the sweep ---- */

struct sweep {
    wheel_keep_fn keep;
    void *context;
    size_t looks_left, dropped;
};

/* True when the whole slot has been looked at. What is kept moves to the front list, and so the chunks
 * stay full. */
static bool
sweep_slot(struct wheel *wheel, uint32_t index, struct sweep *sweep)
{
    struct slot *slot = &wheel->slots[index];
    if (slot->unswept == NULL) {
        slot->unswept = slot->fresh;
        slot->fresh = NULL;
    }
    for (; slot->unswept != NULL && sweep->looks_left > 0; sweep->looks_left--) {
        uint64_t key = list_take(wheel, &slot->unswept);
        if (sweep->keep(sweep->context, slot_entry(slot, key))) {
            list_put(wheel, &slot->fresh, key);
        } else {
            slot->count--;
            wheel->slotted--;
            sweep->dropped++;
        }
    }
    if (slot->count == 0) {
        slot_mark_empty(wheel, index);
    }
    return slot->unswept == NULL;
}

/* Downwards, and again at an index whose entry was dropped: whatever fills the place is looked at too,
 * so that no entry slips by. */
static bool
sweep_heap(struct wheel *wheel, struct sweep *sweep)
{
    struct heap *heap = &wheel->heap;
    for (; wheel->sweep_heap > 0 && sweep->looks_left > 0; sweep->looks_left--) {
        if (wheel->sweep_heap > heap->count) {
            wheel->sweep_heap = heap->count;
            continue;
        }
        if (sweep->keep(sweep->context, heap->entries[wheel->sweep_heap - 1])) {
            wheel->sweep_heap--;
        } else {
            heap_remove(heap, wheel->sweep_heap - 1);
            sweep->dropped++;
        }
    }
    return wheel->sweep_heap == 0;
}

size_t
wheel_sweep(struct wheel *wheel, size_t max, wheel_keep_fn keep, void *context)
{
    struct sweep sweep = {.keep = keep, .context = context, .looks_left = max};
    /* One round at most, however few entries there are. */
    for (uint32_t places = 0; places <= SLOTS && sweep.looks_left > 0; places++) {
        bool done = wheel->sweep_place == SLOTS ? sweep_heap(wheel, &sweep)
                                                : sweep_slot(wheel, wheel->sweep_place, &sweep);
        if (done) {
            wheel->sweep_place = (wheel->sweep_place + 1) % (SLOTS + 1);
            wheel->sweep_heap = wheel->heap.count;
        }
    }
    return sweep.dropped;
}

/* ---- the invariants ---- */

static bool
check_list(const struct slot *slot, const struct chunk *list, struct wheel_entry base,
           uint32_t index, size_t *entries, size_t *chunks)
{
    for (const struct chunk *chunk = list; chunk != NULL; chunk = chunk->next) {
        if (chunk->count == 0 || chunk->count > CHUNK_KEYS ||
            (chunk != list && chunk->count < CHUNK_KEYS)) {
            return false;
        }
        for (size_t i = 0; i < chunk->count; i++) {
            uint64_t key = chunk->keys[i];
            if (key < slot->min || key > slot->max ||
                (index != NO_SLOT && slot_index_of(base, slot_entry(slot, key)) != index)) {
                return false;
            }
        }
        *entries += chunk->count;
        *chunks += 1;
    }
    return true;
}

static bool
check_slot(const struct wheel *wheel, const struct slot *slot, uint32_t index, size_t *entries,
           size_t *chunks)
{
    size_t before = *entries;
    return check_list(slot, slot->fresh, wheel->base, index, entries, chunks) &&
           check_list(slot, slot->unswept, wheel->base, index, entries, chunks) &&
           *entries - before == slot->count;
}

bool
wheel_check(const struct wheel *wheel)
{
    size_t entries = 0;
    size_t chunks = 0;
    for (uint32_t index = 0; index < SLOTS; index++) {
        const struct slot *slot = &wheel->slots[index];
        bool used = (wheel->slots_used[index / DIGITS] >> index % DIGITS & 1) != 0;
        bool level_used = (wheel->levels_used >> index / DIGITS & 1) != 0;
        if (used != (slot->count > 0) || (used && !level_used) ||
            (slot->unswept != NULL && index != wheel->sweep_place) ||
            !check_slot(wheel, slot, index, &entries, &chunks)) {
            return false;
        }
    }
    if (!check_slot(wheel, &wheel->opening, NO_SLOT, &entries, &chunks)) {
        return false;
    }
    for (uint32_t level = 0; level < LEVELS; level++) {
        if ((wheel->levels_used >> level & 1) != (wheel->slots_used[level] != 0)) {
            return false;
        }
    }
    for (const struct chunk *chunk = wheel->chunks_free; chunk != NULL; chunk = chunk->next) {
        chunks++;
    }
    const struct heap *heap = &wheel->heap;
    for (size_t i = 0; i < heap->count; i++) {
        if (entry_before(heap->entries[i], heap->entries[i == 0 ? 0 : (i - 1) / HEAP_ARITY])) {
            return false;
        }
    }
    return entries == wheel->slotted && chunks == wheel->chunk_count &&
           chunks >= chunks_needed(entries) && heap->count <= heap->capacity;
}
