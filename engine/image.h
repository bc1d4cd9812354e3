/* image - the whole state as bytes that may lie anywhere, and back: what a checkpoint holds.
 *
 * Shape    the tables as they lie in memory, in the order of docs/format.md: rows hold indexes, never
 *          addresses, so that reading is little more than reading the bytes. Numbers are the machine's;
 *          a mark at the beginning tells machines of another order, which replay the log instead.
 *          One description (image.c) serves both ways. Sets of definitions are embedded in canonical
 *          form, those of open deliveries as well, so that an image stands alone. The wheel and the
 *          queues follow from the rows and are not in it: engine_wake() makes them.
 *          An image holds words: names, values of fields, LINE user ids. Whoever erases words must drop
 *          the images made before (store/checkpoint.h).
 * Units    UTC milliseconds, indexes, event numbers.
 * Errors   RC_CORRUPT with a reason in plain words, whatever the bytes are: no length and no index in
 *          them is trusted (image_check.h). RC_NEWER for an image of another state version. What it means
 *          is not judged: a flipped digit of a time is for the caller's checksum to notice.
 * Owner    the caller owns what the bytes go to and come from.
 */
#ifndef ENGINE_IMAGE_H
#define ENGINE_IMAGE_H

#include "engine/state.h"
#include "engine/stream.h"

/* Changes with every change of what the state holds or of what its digest covers. An image of another
 * version is not read and a digest of another version is not compared: the log is replayed instead. */
enum { STATE_VERSION = 14 };

/* Makes a set of definitions out of its canonical form (proto/definition.h does). */
typedef enum rc (*image_definitions_fn)(void *context, struct span canonical,
                                        struct definitions **out_definitions);
struct image_source {
    struct stream_source bytes;
    /* Asked once all bytes were read, before any of them counts; may be NULL. */
    enum rc (*confirm)(void *context, const char **out_why);
    const uint64_t *digest; /* what the state must have; NULL: not compared */
    image_definitions_fn definitions;
    void *context;
};

void image_write(const struct state *state, const struct stream_sink *sink);

/* Fills a state from an image; nothing is left behind on failure. *out_why is a constant text. */
MUST_USE enum rc image_read(const struct image_source *source, struct state *out_state,
                            const char **out_why);

#endif
