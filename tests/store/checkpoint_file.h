/* checkpoint_file - checkpoints whose image is a few bytes at hand, for tests.
 *
 * Shape    checkpoint_file_write() and checkpoint_file_read() do in one call what the loop of a program
 *          does in pieces.
 * Units    bytes.
 * Errors   as store/checkpoint.h.
 * Owner    the caller owns the buffer that was read into.
 */
#ifndef TESTS_STORE_CHECKPOINT_FILE_H
#define TESTS_STORE_CHECKPOINT_FILE_H

#include "store/checkpoint.h"

static inline void
checkpoint_file_fill(void *context, struct checkpoint_writer *writer)
{
    const struct span *image = context;
    checkpoint_put(writer, image->data, image->len);
}

static inline enum rc
checkpoint_file_write(const char *directory, const struct checkpoint *head, struct span image,
                      struct buf *out_error)
{
    struct checkpoint copy = *head;
    return checkpoint_write(directory, &copy, checkpoint_file_fill, &image, out_error);
}

static inline enum rc
checkpoint_file_read(const char *directory, uint64_t seq, struct buf *image,
                     struct checkpoint *out_head, const char **out_why)
{
    struct checkpoint_reader *reader;
    buf_clear(image);
    enum rc rc = checkpoint_open(directory, seq, out_head, &reader, out_why);
    if (rc != RC_OK) {
        return rc;
    }
    enum rc got = checkpoint_get(reader, buf_reserve(image, (size_t)out_head->image_bytes),
                                 (size_t)out_head->image_bytes);
    rc = checkpoint_close(reader, out_why);
    return rc == RC_OK ? got : rc;
}

#endif
