/* image_acts - the part of an image that holds what friends do on pages: answers, bookings, conversions.
 *
 * Shape    the last section of an image (engine/image.h), in the order of docs/format.md.
 * Units    as engine/image.h.
 * Errors   a text that says what is wrong with the bytes; NULL: nothing is.
 * Owner    as engine/image.h.
 */
#ifndef ENGINE_IMAGE_ACTS_H
#define ENGINE_IMAGE_ACTS_H

#include "engine/base/buf.h"
#include "engine/state.h"

void image_write_acts(const struct state *state, struct buf *out);

/* Reads the section at the front of `rest`, which moves behind it, into a state that holds its friends
 * already. */
const char *image_read_acts(struct span *rest, struct state *state);

#endif
