/* column_scan - who of all friends has a value that a comparison wants: one pass over a column.
 *
 * Shape    numbers are asked for as a range, which every comparison with a constant is; texts by a function
 *          that is asked once for each text it has not seen lately. Friends without a value are in the
 *          set or not as the caller says (a field may have a start value).
 * Units    friend indexes below friend_count; ranges include both ends.
 * Errors   out of memory ends the process (docs/adr/0001).
 * Owner    sets belong to the caller (set_free()).
 */
#ifndef ENGINE_COLUMN_SCAN_H
#define ENGINE_COLUMN_SCAN_H

#include "engine/columns.h"

struct bitmap;

/* Whose number lies in low..high; low > high: nobody's. */
struct bitmap *column_scan_range(const struct columns *columns, uint32_t field, int64_t low,
                                 int64_t high, bool unset_too, uint32_t friend_count);

/* text is a number of engine/texts.h, TEXT_NONE where it is erased. */
typedef bool (*column_text_fn)(void *context, uint32_t text);

struct bitmap *column_scan_texts(const struct columns *columns, uint32_t field,
                                 column_text_fn wanted, void *context, bool unset_too,
                                 uint32_t friend_count);
/* Whose text is that one. */
struct bitmap *column_scan_text(const struct columns *columns, uint32_t field, uint32_t text,
                                uint32_t friend_count);

/* Who has a value at all, of either kind. */
struct bitmap *column_scan_present(const struct columns *columns, uint32_t field,
                                   uint32_t friend_count);

#endif
