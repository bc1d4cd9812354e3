/* image_check - does a state that was read from bytes hold together?
 *
 * Shape    one pass over the rows: every index lies in its table, and every row hangs on exactly one list,
 *          the list of the friend it names, or on the list of free ones.
 * Units    indexes.
 * Errors   a constant text that says what does not hold; NULL when all does.
 * Owner    none; the state may be anything that image.c could read.
 */
#ifndef ENGINE_IMAGE_CHECK_H
#define ENGINE_IMAGE_CHECK_H

#include "engine/state.h"

const char *image_check(const struct state *state);

#endif
