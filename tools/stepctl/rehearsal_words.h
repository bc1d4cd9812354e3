/* rehearsal_words - cutting rehearsal rows into words.
 *
 * Shape    words are separated by blanks; inside '...' blanks belong to the word.
 * Units    bytes.
 * Errors   none.
 * Owner    raw words point into the row, so that a caret can find them; unquoted ones are copies.
 */
#ifndef TOOLS_STEPCTL_REHEARSAL_WORDS_H
#define TOOLS_STEPCTL_REHEARSAL_WORDS_H

#include "engine/base/arena.h"
#include "engine/base/buf.h"

/* Cuts the first word off the rest, quotes and all; empty when there is none. */
struct span rehearsal_raw_word(struct span *rest);
struct span rehearsal_unquoted(struct arena *arena, struct span word);

/* "a,b" of a list in any order: sorted. */
void rehearsal_append_sorted(struct arena *arena, struct span list, struct buf *out);
/* "tags=a,b" of a list in any order: sorted, so that one set has one way of writing. */
void rehearsal_append_tags(struct arena *arena, struct span list, struct buf *out);

#endif
