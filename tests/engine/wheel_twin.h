/* wheel_twin - what the tests of the wheel share: randomness, memory that fails, and the plain twin.
 *
 * Shape    the twin is a sorted array; drain_beside_twin() takes out of the wheel what is due and holds
 *          every entry against it. Rows say when an owner is due, as the daemon's do.
 * Units    UTC milliseconds.
 * Errors   a failed check aborts the test.
 * Owner    the tests own what they make.
 */
#ifndef TESTS_WHEEL_TWIN_H
#define TESTS_WHEEL_TWIN_H

#include "engine/wheel.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T0 INT64_C(1763769600000)
#define DAY_MS INT64_C(86400000)
#define YEAR_MS (365 * DAY_MS)
#define SPAN_MS (INT64_C(1) << 36) /* what slots of one-word entries cover */

/* ---- randomness, memory that fails, and the sorted array ---- */

/* In loops of millions: Check's own assertions write a file at every call. */
#define require(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg("%s", #condition);                                                        \
        }                                                                                          \
    } while (0)

static inline void
arm(struct wheel *wheel, int64_t due_ms, uint32_t owner)
{
    require(wheel_arm(wheel, due_ms, owner) == RC_OK);
}

static inline uint64_t
random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline int64_t
random_below(uint64_t *state, int64_t bound)
{
    return (int64_t)(random_next(state) % (uint64_t)bound);
}

struct test_mem {
    size_t bytes;    /* held now */
    size_t requests; /* that asked for more */
    size_t fail_at;  /* this request fails, counted from 1; 0: none */
    bool fail_all;
};

static inline void *
test_resize(void *context, void *block, size_t old_bytes, size_t new_bytes)
{
    struct test_mem *test = context;
    if (new_bytes > 0 && (++test->requests == test->fail_at || test->fail_all)) {
        return NULL;
    }
    test->bytes += new_bytes - old_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_bytes);
}

static inline int
entry_compare(const void *a, const void *b)
{
    const struct wheel_entry *x = a;
    const struct wheel_entry *y = b;
    if (x->due_ms != y->due_ms) {
        return x->due_ms < y->due_ms ? -1 : 1;
    }
    return x->owner < y->owner ? -1 : x->owner > y->owner;
}

struct twin {
    struct wheel_entry *block; /* what was allocated; items begin where the dropped ones end */
    struct wheel_entry *items;
    size_t count, capacity;
};

static inline void
twin_insert(struct twin *twin, struct wheel_entry entry)
{
    size_t dropped = (size_t)(twin->items - twin->block);
    if (dropped + twin->count == twin->capacity) {
        twin->capacity = twin->capacity * 2 + 64;
        twin->block = realloc(twin->block, twin->capacity * sizeof(entry));
        twin->items = twin->block + dropped;
    }
    size_t low = 0;
    size_t high = twin->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (entry_compare(&twin->items[middle], &entry) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    memmove(&twin->items[low + 1], &twin->items[low], (twin->count - low) * sizeof(entry));
    twin->items[low] = entry;
    twin->count++;
}

static inline void
twin_drop_first(struct twin *twin)
{
    twin->items++;
    twin->count--;
}

/* A due instant of one of the kinds that have ways of their own through the wheel. */
static inline int64_t
random_due(uint64_t *random, int64_t now_ms)
{
    int64_t digit_ms = INT64_C(1) << 6 * random_below(random, 7);
    switch (random_below(random, 12)) {
    case 0:
        return now_ms - random_below(random, DAY_MS);
    case 1:
        return now_ms;
    case 2:
        return now_ms + random_below(random, 3);
    case 3:
    case 4: /* at the borders of slots */
        return now_ms / digit_ms * digit_ms + digit_ms * random_below(random, 3) - 1 +
               random_below(random, 3);
    case 5:
        return now_ms + random_below(random, SPAN_MS);
    case 6:
        return now_ms + random_below(random, 8 * SPAN_MS);
    case 7:
        return T0 + 3600000; /* everybody at one instant */
    case 8: {
        const int64_t odd[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1, 0, -1,
                               -SPAN_MS,  SPAN_MS * 100, 1};
        return odd[random_below(random, sizeof(odd) / sizeof(odd[0]))];
    }
    default:
        return now_ms + random_below(random, 30 * DAY_MS);
    }
}

static inline int64_t
random_step(uint64_t *random)
{
    switch (random_below(random, 8)) {
    case 0:
        return 0;
    case 1:
        return -random_below(random, DAY_MS);
    case 2:
        return INT64_C(1) << random_below(random, 37);
    case 3:
        return (INT64_C(1) << 6 * random_below(random, 7)) - 1;
    case 4:
        return random_below(random, 12) == 0 ? YEAR_MS : DAY_MS;
    default:
        return random_below(random, 100000);
    }
}

/* Takes everything that is due, in calls of at most `max`, and holds it against the twin. */
static inline void
drain_beside_twin(struct wheel *wheel, struct twin *twin, int64_t now_ms, size_t max)
{
    static struct wheel_entry out[4096];
    struct wheel_entry last = {.due_ms = INT64_MAX};
    for (int idle = 0; wheel_next(wheel) <= now_ms && idle < 1000;) {
        size_t taken = wheel_expire(wheel, now_ms, out, max);
        ck_assert_uint_le(taken, max);
        idle = taken == 0 ? idle + 1 : 0;
        for (size_t i = 0; i < taken; i++) {
            require(out[i].due_ms <= now_ms);
            if (twin->count > 0 && entry_compare(&twin->items[0], &out[i]) == 0) {
                last = out[i];
                twin_drop_first(twin);
                continue;
            }
            /* Equal entries come out once or more often, one right after the other. */
            ck_assert_msg(entry_compare(&last, &out[i]) == 0, "%lld/%u came out, %lld/%u was next",
                          (long long)out[i].due_ms, out[i].owner,
                          twin->count > 0 ? (long long)twin->items[0].due_ms : 0,
                          twin->count > 0 ? twin->items[0].owner : 0);
        }
    }
    ck_assert(twin->count == 0 || twin->items[0].due_ms > now_ms);
}

/* ---- rows, which are the truth: entries that disagree with them are dropped ---- */

enum { ROWS = 500 };

static inline size_t
keep_agreeing(const void *context, struct wheel_entry *entries, size_t count)
{
    const int64_t *due_of = context;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (due_of[entries[i].owner] == entries[i].due_ms) {
            entries[kept++] = entries[i];
        }
    }
    return kept;
}

static inline size_t
keep_all(const void *context, struct wheel_entry *entries, size_t count)
{
    (void)context;
    (void)entries;
    return count;
}

#endif
