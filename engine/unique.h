/* unique - who has which value of a field that only one friend may have (SPEC R19).
 *
 * Shape    a hash table over the values of the fields that the definitions in force call unique. It follows
 *          from rows and definitions: neither the image nor the digest has it, and where the set of unique
 *          fields changes it is made anew. Values that were doubled before a field became unique belong to
 *          the friend who came first.
 * Units    indexes.
 * Errors   out of memory ends the process (docs/adr/0001).
 * Owner    the state's.
 */
#ifndef ENGINE_UNIQUE_H
#define ENGINE_UNIQUE_H

#include "engine/state.h"

/* NO_ID: nobody has it, or the field is not unique. */
uint32_t unique_owner(const struct state *state, uint32_t field, struct span text);

/* After a value was set, before one is taken away. */
void unique_add(struct state *state, uint32_t friend, uint32_t field);
void unique_remove(struct state *state, uint32_t friend, uint32_t field);
/* From the rows, after an image was read. */
void unique_rebuild(struct state *state);
/* New definitions: from the rows, where other fields are unique than before. */
void unique_follow(struct state *state, const struct definitions *before);
void unique_fini(struct state *state);

#endif
