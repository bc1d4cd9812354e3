/* wheel - the hierarchical timing wheel: owners wait in it until their instant has come.
 *
 * Shape    entries (due instant, owner) come out in exact order of due instant, then owner, and
 *          never before the `now` given. There is no disarm: the owner's row is the truth, and an
 *          entry that no longer agrees with it is dropped by the caller when it comes out, so an
 *          owner may be armed again at any time. wheel_sweep() drops disagreeing entries early, a
 *          chunk a call.
 *
 *          Read (due, owner) as one number in base 64: eleven digits for the instant, counted from
 *          30 days before the wheel began, and six for the owner. The wheel stands at such a number,
 *          `base`, and has 64 slots for each of the 17 digits. An entry lies at the first digit in
 *          which it differs from base, in the slot of its own digit there. So the lowest slot of the
 *          lowest digit that has any is the earliest, found in two instructions, and it alone is ever
 *          put in order:
 *
 *              base   ... 07 12 40 | 00 00 ...    an entry ... 07 12 51 | 03 60 ... waits in slot 51
 *                                                 of the third digit shown, whatever stands behind
 *
 *            small  up to 8,192 entries are sorted into the *run*, from which they come one by one;
 *            big    base moves to the slot's least entry, and the others are placed again: each now
 *                   differs from base in a lower digit. A million entries of one millisecond are no
 *                   special case: then it is the owner's digits that differ.
 *
 *          The one trick: a slot is a list of 2 KiB chunks of 8-byte words, the low half of the
 *          instant and the owner; the rest is known from the slot. Arming and placing write behind
 *          each other, opening reads in a row, and an entry is moved two or three times in its life,
 *          where every pointer followed in a tree or heap would wait for memory. What spans more than
 *          2.2 years takes two words.
 *
 *          What is armed before base (for the past, or amid the run) is *early* and waits in a small
 *          heap. When that gets long, the run is put back into its slot, the early ones with it, and
 *          base before them; the slot, now big, is opened digit by digit.
 *
 *          Work per call is bounded: wheel_expire() moves at most some 40,000 entries more than it
 *          returns. When that ends first it returns fewer than max (even 0) although more is due;
 *          wheel_next() is then <= now, so a caller that sleeps until wheel_next() simply calls again.
 *          For a big slot wheel_next() asks to be called a little ahead of its first entry, a
 *          millisecond for each 32,768 entries, so that it is in order when it comes due.
 * Units    UTC milliseconds; owners are 32-bit row indexes. Instants in the past are due at once;
 *          any int64 is accepted. An entry costs 8.1 bytes, an empty wheel 180 KiB.
 * Errors   RC_NO_MEMORY from wheel_arm(); the wheel is then unchanged. wheel_expire() that finds no
 *          memory for moving returns what was in order already, and goes on at the next call.
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

/* Some 5 ns, in any order: a wheel for ten million rows is built by arming each. */
MUST_USE enum rc wheel_arm(struct wheel *wheel, int64_t due_ms, uint32_t owner);

/* Takes out up to max entries with due_ms <= now_ms, in order; returns how many. Equal entries
 * (same due, same owner) come out once or more often; callers compare with the owner's row. */
size_t wheel_expire(struct wheel *wheel, int64_t now_ms, struct wheel_entry *out, size_t max);

/* An instant before which wheel_expire() has nothing to do: the earliest entry's, or earlier where
 * that entry was swept or a big slot has to be opened. INT64_MAX when the wheel is empty. */
int64_t wheel_next(const struct wheel *wheel);

size_t wheel_count(const struct wheel *wheel); /* entries held, disagreeing ones included */
size_t wheel_bytes(const struct wheel *wheel); /* memory held */

/* Moves those of the entries that still agree with their rows to the front, and says how many they
 * are. Must not call the wheel. */
typedef size_t (*wheel_keep_fn)(const void *context, struct wheel_entry *entries, size_t count);

/* Shows keep() the next chunk, at most 254 entries, and drops what it does not keep. Returns how many
 * that were. Repeated calls come round to every entry but those of the slot being opened, of the run and
 * of the early ones, which come out soon. Needs no memory. */
size_t wheel_sweep(struct wheel *wheel, wheel_keep_fn keep, const void *context);

/* Walks every invariant; false tells of a bug. For tests. */
bool wheel_check(const struct wheel *wheel);

#endif
