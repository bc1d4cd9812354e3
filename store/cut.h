/* cut - how long a batch had best be, so that few bytes of the pages it lies in stay empty.
 *
 * Shape    the arithmetic of LMDB's leaves and overflow pages (docs/format.md, "Where batches are cut"): a value
 *          of up to about half a page shares a leaf with others; a longer one takes whole pages, the last of
 *          them however little is in it. Follows how full the leaf is that the next value comes into: a guess
 *          after opening, right again from the first leaf that it saw begin.
 * Units    bytes; of a value, so with a batch's header and checksum.
 * Errors   none: whatever the answer, the value can be written.
 * Owner    the caller embeds the struct.
 */
#ifndef STORE_CUT_H
#define STORE_CUT_H

#include <stddef.h>

struct cut {
    size_t page_bytes; /* 0: values lie in no pages, and are never cut */
    size_t leaf_left;  /* room in the leaf */
};

void cut_init(struct cut *cut, size_t page_bytes);
/* How many of `wanted` bytes are best written as one value. */
size_t cut_best(const struct cut *cut, size_t wanted);
/* A value of so many bytes goes there next. */
void cut_placed(struct cut *cut, size_t bytes);

#endif
