/* block - an operator hides a friend from lists, or blocks them: what is known of them goes, nothing comes
 * (SPEC R16).
 *
 * Shape    hiding changes lists only. A block ends all that runs, erases tags, fields and score, and keeps
 *          recording what the friend writes; its end brings nothing back.
 * Units    ids.
 * Errors   none.
 * Owner    flags in the friend's row.
 */
#ifndef ENGINE_BLOCK_H
#define ENGINE_BLOCK_H

#include "engine/turn.h"

void block_list(struct turn *turn, uint32_t friend, bool hidden, struct source source);
void block_set(struct turn *turn, uint32_t friend, bool blocked, struct source source);
void block_apply(struct state *state, const struct event *event);

#endif
