#include "engine/wheel.h"

#include "engine/base/sort.h"
#include "engine/wheel_slots.h"
#include <assert.h>
#include <string.h>

enum { SORT_MAX = 8192 };  /* a slot up to this size is sorted: 64 KiB, in cache */
enum { EARLY_MAX = 8192 }; /* so many early entries, and the run goes back into its slot */
enum { WORK_MAX = 32768 }; /* entries moved by one call beyond those it returns */
enum { HEAP_ARITY = 4 };   /* flatter than two, and the children share a cache line */
#define PAST_MS (30 * INT64_C(86400000)) /* what is late by no more finds slots in a new wheel */

struct heap {
    struct wheel_entry *entries;
    size_t count, capacity;
};

struct run {
    uint64_t words[SORT_MAX], spare[SORT_MAX];
    size_t next, end;
    uint64_t high; /* what the words leave out */
};

struct wheel {
    const struct mem *mem;
    int64_t now_ms, next_ms;
    size_t count; /* entries, wherever they are */

    struct heap early;             /* none comes after the base of the slots */
    struct run run;                /* nor of these */
    bool run_is_slot;              /* base is the last place of the slot that became the run, */
    struct wheel_entry run_before; /* and this the place before its first */

    struct slots slots;
    struct slot opening; /* a big slot: what of it is still to be placed again */
    bool opening_wide;

    uint32_t sweep_slot;
    size_t sweep_left; /* chunks of that slot the sweep has yet to look at */
};

static int64_t
ms_before(int64_t ms, int64_t by)
{
    return ms < INT64_MIN + by ? INT64_MIN : ms - by;
}

/* ---- the early ones: a heap ---- */

static bool
heap_reserve(const struct mem *mem, struct heap *heap, size_t count)
{
    if (count <= heap->capacity) {
        return true;
    }
    size_t capacity = count < 2 * heap->capacity ? 2 * heap->capacity : count + 64;
    void *entries = mem_resize(mem, heap->entries, heap->capacity * sizeof(struct wheel_entry),
                               capacity * sizeof(struct wheel_entry));
    if (entries == NULL) {
        return false;
    }
    heap->entries = entries;
    heap->capacity = capacity;
    return true;
}

static void
heap_fini(const struct mem *mem, struct heap *heap)
{
    mem_free(mem, heap->entries, heap->capacity * sizeof(struct wheel_entry));
    *heap = (struct heap){0};
}

static void
heap_push(struct heap *heap, struct wheel_entry entry)
{
    assert(heap->count < heap->capacity);
    size_t index = heap->count++;
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

static struct wheel_entry
heap_pop(struct heap *heap)
{
    struct wheel_entry first = heap->entries[0];
    struct wheel_entry last = heap->entries[--heap->count];
    size_t index = 0;
    for (size_t child = 1; child < heap->count; child = index * HEAP_ARITY + 1) {
        size_t end = child + HEAP_ARITY < heap->count ? child + HEAP_ARITY : heap->count;
        size_t least = child;
        for (size_t other = child + 1; other < end; other++) {
            if (entry_before(heap->entries[other], heap->entries[least])) {
                least = other;
            }
        }
        if (!entry_before(heap->entries[least], last)) {
            break;
        }
        heap->entries[index] = heap->entries[least];
        index = least;
    }
    heap->entries[index] = last;
    return first;
}

/* ---- opening a slot, and undoing it ---- */

/* When to open it: a big one some time ahead, 30 ns for each entry. */
static int64_t
opens_ms(const struct slot *slot)
{
    return ms_before(slot->min.due_ms, (int64_t)(slot->count / WORK_MAX));
}

static struct wheel_entry
run_entry(const struct wheel *wheel)
{
    const struct run *run = &wheel->run;
    return slots_entry(&wheel->slots, run->high, run->words[run->next]);
}

static void
sort_into_run(struct wheel *wheel, uint32_t index, struct slot *slot)
{
    struct run *run = &wheel->run;
    assert(run->next == run->end);
    run->next = 0;
    run->end = 0;
    run->high = slots_high_part(slots_from_origin(&wheel->slots, slot->min.due_ms));
    while (slot->first != NULL) {
        struct chunk *chunk = slot_take_chunk(slot);
        memcpy(run->words + run->end, chunk->words, chunk->words_used * sizeof(chunk->words[0]));
        run->end += chunk->words_used;
        chunk_put(&wheel->slots, chunk);
    }
    sort_keys(run->words, run->spare, run->end);
    slots_ends(&wheel->slots, index, slot->min, &wheel->run_before, &wheel->slots.base);
    wheel->run_is_slot = index >= DIGITS; /* a slot of the last digit has no room amid it */
}

/* A slot of the last digit is one place: its entries are equal, and one of them is enough. */
static void
drop_equal(struct wheel *wheel, struct slot *slot)
{
    while (slot->first != slot->last) {
        chunk_put(&wheel->slots, slot_take_chunk(slot));
    }
    slot->first->words_used = 1;
    wheel->count -= slot->count - 1;
    slot->count = 1;
}

/* Moves base into the earliest slot, if it is time. Every other slot stays what it is: base keeps the
 * digits before this slot's, and the slots of later digits are empty. Returns the work it was, 0 when
 * there was none. */
static size_t
open_earliest(struct wheel *wheel)
{
    struct slots *slots = &wheel->slots;
    uint32_t index = slots_earliest(slots);
    if (index == NO_SLOT || opens_ms(&slots->items[index]) > wheel->now_ms) {
        return 0;
    }
    struct slot slot = slots_detach(slots, index);
    if (index < DIGITS) {
        drop_equal(wheel, &slot);
    }
    if (slot.count <= SORT_MAX && index < WIDE_SLOTS) {
        sort_into_run(wheel, index, &slot);
        return slot.count;
    }
    wheel->run_is_slot = false;
    slots->base = slot.min;
    wheel->opening = slot;
    wheel->opening_wide = index >= WIDE_SLOTS;
    return 1;
}

/* Places entries of the slot being opened again, `work` or a few more. Returns how many, 0 when there
 * was no memory. */
static size_t
spread(struct wheel *wheel, size_t work)
{
    struct slot *opening = &wheel->opening;
    const size_t entry_words = wheel->opening_wide ? 2 : 1;
    size_t moved = 0;
    while (opening->count > 0 && moved < work) {
        struct chunk *chunk = opening->first;
        const uint64_t *end = chunk->words + chunk->words_used;
        for (; end > chunk->words; end -= entry_words) {
            struct wheel_entry entry = slot_entry(&wheel->slots, opening, wheel->opening_wide, end);
            if (slots_put(&wheel->slots, entry) == NULL) {
                break;
            }
        }
        size_t left = (size_t)(end - chunk->words);
        size_t put = (chunk->words_used - left) / entry_words;
        chunk->words_used = left;
        opening->count -= put;
        moved += put;
        if (left > 0) {
            break;
        }
        chunk_put(&wheel->slots, slot_take_chunk(opening));
    }
    return moved;
}

/* Puts the run and what is early amid it back into the slot it was, as if that had not been opened. The
 * slots of later digits are empty, as base is the slot's last place. */
static void
close_run(struct wheel *wheel)
{
    struct run *run = &wheel->run;
    struct heap *early = &wheel->early;
    if (!chunks_reserve(&wheel->slots, (run->end - run->next + early->count) / CHUNK_WORDS + 2)) {
        return; /* the heap grows on, until there is memory */
    }
    wheel->slots.base = wheel->run_before;
    wheel->run_is_slot = false;
    for (; run->next < run->end; run->next++) {
        struct slot *slot = slots_put(&wheel->slots, run_entry(wheel));
        assert(slot != NULL);
    }
    size_t count = early->count;
    early->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct wheel_entry entry = early->entries[i];
        if (entry_before(wheel->slots.base, entry)) {
            struct slot *slot = slots_put(&wheel->slots, entry);
            assert(slot != NULL);
        } else {
            heap_push(early, entry); /* at or before the place it was read from */
        }
    }
}

/* ---- the wheel ---- */

/* Where an empty wheel stands: before now, so that what is already late finds slots too. */
static void
stand_at_now(struct wheel *wheel)
{
    wheel->slots.origin_ms = ms_before(wheel->now_ms, PAST_MS);
    wheel->slots.base = (struct wheel_entry){.due_ms = wheel->slots.origin_ms};
    wheel->run_is_slot = false;
}

struct wheel *
wheel_new(const struct mem *mem, int64_t now_ms)
{
    struct wheel *wheel = mem_alloc_zeroed(mem, sizeof(*wheel));
    if (wheel == NULL) {
        return NULL;
    }
    wheel->mem = mem;
    wheel->slots.mem = mem;
    wheel->now_ms = now_ms;
    wheel->next_ms = INT64_MAX;
    stand_at_now(wheel);
    return wheel;
}

void
wheel_free(struct wheel *wheel)
{
    if (wheel == NULL) {
        return;
    }
    while (wheel->opening.first != NULL) {
        chunk_put(&wheel->slots, slot_take_chunk(&wheel->opening));
    }
    slots_fini(&wheel->slots);
    heap_fini(wheel->mem, &wheel->early);
    mem_free(wheel->mem, wheel, sizeof(*wheel));
}

enum rc
wheel_arm(struct wheel *wheel, int64_t due_ms, uint32_t owner)
{
    struct wheel_entry entry = {.due_ms = due_ms, .owner = owner};
    if (wheel->count == 0) {
        stand_at_now(wheel);
    } else if (wheel->run_is_slot && wheel->early.count >= EARLY_MAX) {
        close_run(wheel);
    }
    int64_t next_ms = due_ms;
    if (entry_before(wheel->slots.base, entry)) {
        const struct slot *slot = slots_put(&wheel->slots, entry);
        if (slot == NULL) {
            return RC_NO_MEMORY;
        }
        next_ms = slot->count % WORK_MAX == 0 ? opens_ms(slot) : due_ms;
    } else if (heap_reserve(wheel->mem, &wheel->early, wheel->early.count + 1)) {
        heap_push(&wheel->early, entry);
    } else {
        return RC_NO_MEMORY;
    }
    wheel->count++;
    wheel->next_ms = next_ms < wheel->next_ms ? next_ms : wheel->next_ms;
    return RC_OK;
}

/* From the run and the early ones, which all come before what is in slots. */
static size_t
take_due(struct wheel *wheel, struct wheel_entry *out, size_t max)
{
    struct run *run = &wheel->run;
    struct heap *early = &wheel->early;
    size_t taken = 0;
    while (taken < max) {
        bool in_run = run->next < run->end;
        bool is_early = early->count > 0;
        struct wheel_entry entry = in_run ? run_entry(wheel) : (struct wheel_entry){0};
        if (is_early && !(in_run && entry_before(entry, early->entries[0]))) {
            entry = early->entries[0];
            in_run = false;
        }
        if (!(in_run || is_early) || entry.due_ms > wheel->now_ms) {
            break;
        }
        if (in_run) {
            run->next++;
        } else {
            heap_pop(early);
        }
        out[taken++] = entry;
    }
    wheel->count -= taken;
    return taken;
}

static int64_t
next_instant(const struct wheel *wheel)
{
    if (wheel->opening.count > 0) {
        return wheel->now_ms; /* there is work to go on with */
    }
    uint32_t index = slots_earliest(&wheel->slots);
    int64_t next_ms = index == NO_SLOT ? INT64_MAX : opens_ms(&wheel->slots.items[index]);
    if (wheel->early.count > 0 && wheel->early.entries[0].due_ms < next_ms) {
        next_ms = wheel->early.entries[0].due_ms;
    }
    if (wheel->run.next < wheel->run.end && run_entry(wheel).due_ms < next_ms) {
        next_ms = run_entry(wheel).due_ms;
    }
    return next_ms;
}

size_t
wheel_expire(struct wheel *wheel, int64_t now_ms, struct wheel_entry *out, size_t max)
{
    wheel->now_ms = now_ms > wheel->now_ms ? now_ms : wheel->now_ms;
    if (wheel->next_ms > wheel->now_ms) {
        return 0;
    }
    size_t taken = take_due(wheel, out, max);
    size_t moved = 0;
    size_t step = 1;
    while (taken < max && step > 0 && moved < WORK_MAX + taken) {
        step = wheel->opening.count > 0 ? spread(wheel, WORK_MAX + taken - moved)
                                        : open_earliest(wheel);
        moved += step;
        taken += take_due(wheel, out + taken, max - taken);
    }
    if (wheel->early.count == 0 && wheel->early.capacity > 2 * EARLY_MAX) {
        heap_fini(wheel->mem, &wheel->early); /* many were late at once */
    }
    wheel->next_ms = next_instant(wheel);
    return taken;
}

int64_t
wheel_next(const struct wheel *wheel)
{
    return wheel->next_ms;
}

size_t
wheel_count(const struct wheel *wheel)
{
    return wheel->count;
}

size_t
wheel_bytes(const struct wheel *wheel)
{
    return sizeof(*wheel) + wheel->slots.chunk_count * sizeof(struct chunk) +
           wheel->early.capacity * sizeof(struct wheel_entry);
}

/* ---- the sweep ---- */

/* The slot with the chunk whose turn it is; NO_SLOT when all are empty. */
static uint32_t
sweep_turn(struct wheel *wheel)
{
    const struct slots *slots = &wheel->slots;
    if (wheel->sweep_left == 0 || slots->items[wheel->sweep_slot].count == 0) {
        uint32_t index = slots_used_from(slots, (wheel->sweep_slot + 1) % SLOTS);
        if (index == NO_SLOT) {
            return NO_SLOT;
        }
        size_t words = slots->items[index].count * (index < WIDE_SLOTS ? 1 : 2);
        wheel->sweep_slot = index;
        wheel->sweep_left = (words + CHUNK_WORDS - 1) / CHUNK_WORDS;
    }
    wheel->sweep_left--;
    return wheel->sweep_slot;
}

size_t
wheel_sweep(struct wheel *wheel, wheel_keep_fn keep, const void *context)
{
    uint32_t index = sweep_turn(wheel);
    if (index == NO_SLOT) {
        return 0;
    }
    struct slots *slots = &wheel->slots;
    struct slot *slot = &slots->items[index];
    struct wheel_entry entries[CHUNK_WORDS];
    size_t count = 0;
    struct chunk *chunk = slot_take_chunk(slot);
    const uint64_t *end = chunk->words + chunk->words_used;
    for (; end > chunk->words; end -= index < WIDE_SLOTS ? 1 : 2) {
        entries[count++] = slot_entry(slots, slot, index >= WIDE_SLOTS, end);
    }
    chunk_put(slots, chunk);
    slot->count -= count;
    if (slot->count == 0) {
        (void)slots_detach(slots, index);
    }
    size_t kept = keep(context, entries, count);
    assert(kept <= count);
    /* From the front of the list to its back, so that every chunk has its turn. */
    for (size_t i = 0; i < kept; i++) {
        const struct slot *same = slots_put(slots, entries[i]);
        assert(same == slot); /* into the chunk just put aside, at worst */
    }
    wheel->count -= count - kept;
    wheel->next_ms = next_instant(wheel);
    return count - kept;
}

/* ---- the invariants ---- */

/* The run is in order, the early ones are a heap, and none of them comes after base. */
static bool
check_front(const struct wheel *wheel)
{
    const struct heap *early = &wheel->early;
    for (size_t i = 0; i < early->count; i++) {
        if (entry_before(early->entries[i], early->entries[i == 0 ? 0 : (i - 1) / HEAP_ARITY]) ||
            entry_before(wheel->slots.base, early->entries[i])) {
            return false;
        }
    }
    const struct run *run = &wheel->run;
    for (size_t i = run->next; i < run->end; i++) {
        struct wheel_entry entry = slots_entry(&wheel->slots, run->high, run->words[i]);
        if ((i > run->next && run->words[i - 1] > run->words[i]) ||
            entry_before(wheel->slots.base, entry) ||
            (wheel->run_is_slot && !entry_before(wheel->run_before, entry))) {
            return false;
        }
    }
    return run->next <= run->end && run->end <= SORT_MAX && early->count <= early->capacity;
}

bool
wheel_check(const struct wheel *wheel)
{
    size_t in_front = wheel->early.count + wheel->run.end - wheel->run.next;
    size_t in_slots;
    return check_front(wheel) &&
           slots_check(&wheel->slots, &wheel->opening, wheel->opening_wide, &in_slots) &&
           in_front + in_slots == wheel->count && wheel->next_ms <= next_instant(wheel);
}
