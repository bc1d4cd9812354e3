/* wheel - the hierarchical timing wheel: owners wait in it until their instant has come.
 *
 * Shape    entries (due instant, owner) come out in exact order of due instant, then owner, and
 *          never before the `now` given. There is no disarm: the owner's row is the truth, and an
 *          entry that no longer agrees with it is dropped by the caller when it comes out, so an
 *          owner may be armed again at any time. wheel_sweep() drops disagreeing entries early, a
 *          bounded share a call.
 *
 *          Inside stand 12 levels of 64 slots and one small heap. Read the key (due, owner) as a row of
 *          6-bit digits: six for the millisecond (64^6 ms are 2.2 years), six for the owner. An entry
 *          lies at the level of the first digit in which it differs from `base`, in the slot of its own
 *          digit there; slots are unsorted lists. So the lowest slot of the lowest level that holds
 *          anything is always the earliest, found in two instructions, and empty time costs nothing.
 *          The one trick: only that slot is ever put in order, and that is one move. `base` advances
 *          into it and its entries are placed again, which scatters them over lower levels; a small
 *          slot gets a base past all its entries, and what is not after `base` belongs to the heap. The
 *          owner's digits make a million entries of one millisecond a case like any other. What is
 *          armed for the past, or lies in the next 2.2 years, waits in the heap too.
 *
 *          Work per call is bounded: wheel_expire() moves at most some 32,000 entries more than it
 *          returns. When that ends first it returns fewer than max (even 0) although more is due;
 *          wheel_next() is then <= now, so a caller that sleeps until wheel_next() simply calls again.
 * Units    UTC milliseconds; owners are 32-bit row indexes. Instants in the past are due at once;
 *          any int64 is accepted.
 * Errors   RC_NO_MEMORY from wheel_arm(); the wheel is then unchanged. It gets beforehand all the memory
 *          that moving can need: nothing else allocates.
 * Owner    wheel_new()/wheel_free(). Never reads a clock and never runs backwards: a `now` smaller
 *          than an earlier one counts as that earlier one.
 */
#ifndef ENGINE_WHEEL_H
#define ENGINE_WHEEL_H

#include "engine/base/mem.h"
#include "engine/base/rc.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wheel;

struct wheel_entry {
    int64_t due_ms;
    uint32_t owner;
};

/* NULL when there is no memory. */
struct wheel *wheel_new(const struct mem *mem, int64_t now_ms);
void wheel_free(struct wheel *wheel);

MUST_USE enum rc wheel_arm(struct wheel *wheel, int64_t due_ms, uint32_t owner);

/* Takes out up to max entries with due_ms <= now_ms, in order; returns how many. Equal entries
 * (same due, same owner) come out once or more often; callers compare with the owner's row. */
size_t wheel_expire(struct wheel *wheel, int64_t now_ms, struct wheel_entry *out, size_t max);

/* An instant before which wheel_expire() has nothing to do: the earliest entry's, or earlier where
 * that entry was swept or is still being moved. INT64_MAX when the wheel is empty. */
int64_t wheel_next(const struct wheel *wheel);

size_t wheel_count(const struct wheel *wheel); /* entries held, disagreeing ones included */
size_t wheel_bytes(const struct wheel *wheel); /* memory held */

/* Looks at up to max entries and drops those for which keep() says false. Returns how many it
 * dropped. Repeated calls come round to every entry, except those about to come out anyway. keep()
 * must not call the wheel. */
typedef bool (*wheel_keep_fn)(void *context, struct wheel_entry entry);
size_t wheel_sweep(struct wheel *wheel, size_t max, wheel_keep_fn keep, void *context);

/* Walks every invariant; false tells of a bug. For tests. */
bool wheel_check(const struct wheel *wheel);

#endif
