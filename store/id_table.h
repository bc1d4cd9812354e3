/* id_table - ids in memory, each with one number: a time, or the event that remembers it.
 *
 * Shape    a hash table that only grows at the front and forgets at the back: putting an id again replaces
 *          its number, and numbers below what the caller still needs go when the table is rebuilt.
 *          Zero-initialised is a valid empty table.
 * Units    whatever the number means to the caller.
 * Errors   RC_NO_MEMORY, before anything has changed.
 * Owner    the caller embeds the struct and calls id_table_fini().
 */
#ifndef STORE_ID_TABLE_H
#define STORE_ID_TABLE_H

#include "store/log_backend.h"

struct id_table {
    struct id_slot *slots;
    size_t slot_count, used;
};

void id_table_fini(struct id_table *table);

/* Makes room for `more` ids; those whose number is below `least` may be forgotten on the way. */
MUST_USE enum rc id_table_reserve(struct id_table *table, size_t more, int64_t least);
/* There must be room. */
void id_table_put(struct id_table *table, const struct log_id *id, int64_t number);
bool id_table_find(const struct id_table *table, const struct log_id *id, int64_t *out_number);

#endif
