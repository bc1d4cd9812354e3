/* definition_names - names and their ids while a set of definitions is being compiled.
 *
 * Shape    a table that begins with the names of the set before (all out of force) and grows: a known
 *          name comes back under its old id, a new one gets the next. A hash index finds them.
 * Units    ids from 0.
 * Errors   none.
 * Owner    everything is in the arena given to name_table_load().
 */
#ifndef PROTO_DEFINITION_NAMES_H
#define PROTO_DEFINITION_NAMES_H

#include "engine/definitions.h"

struct name_table {
    struct names names;
    struct arena *arena;
    uint32_t *slots; /* ids + 1; 0 = free */
    uint32_t slot_count;
    uint32_t suggestions; /* asked for so far; a hostile file is not given thousands */
};

/* before may be NULL. */
void name_table_load(struct name_table *table, struct arena *arena, const struct names *before);
/* Puts the name in force and returns its id. */
uint32_t name_table_add(struct name_table *table, struct span text);
/* The id of a name in force; NO_ID when there is none. */
uint32_t name_table_find(const struct name_table *table, struct span text);
/* The name in force that is nearest to a word; false when none is near. */
bool name_table_suggest(struct name_table *table, struct span word, struct span *out_name);

#endif
