/* checkpoint - files beside the log that hold the state as of one event, so that a restart need not fold
 * the whole log.
 *
 * Shape    DIRECTORY/checkpoint-NUMBER, named by the event; docs/format.md has the bytes. Written under
 *          another name, made durable, renamed: there is a whole one or none. The two newest are kept. A
 *          checkpoint is a convenience: whoever reads one asks checkpoint_judge() whether it is of this
 *          log, and goes on to the next older one, or to the log alone, when it is not.
 *          The image passes through in pieces, straight from and into the tables, and is summed while it
 *          is in the cache: it never lies in memory a second time. What was read is to be believed only
 *          once checkpoint_close() has said so; the header, which has its own sum, at once.
 *          The image in it holds words (engine/image.h): checkpoint_drop() belongs to forgetting.
 * Units    event numbers, UTC milliseconds, bytes.
 * Errors   RC_CORRUPT and RC_NEWER for what a file says of itself; RC_FULL, RC_REFUSED and RC_IO from the
 *          disk, with the words in out_error.
 * Owner    checkpoint_open()/checkpoint_close(). Lists are freed with checkpoint_list_fini().
 */
#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H

#include "store/log.h"

enum { CHECKPOINTS_KEPT = 2, CHECKPOINT_VERSION = 2 };

struct checkpoint {
    uint32_t state_version;
    uint64_t seq;    /* the last event in the state: the last of its batch */
    int64_t time_ms; /* of that batch */
    uint8_t run_id[LOG_RUN_ID_BYTES];
    uint64_t batch_checksum;
    uint64_t digest; /* of the state */
    uint64_t image_bytes;
};

struct checkpoint_file {
    uint64_t seq;
    uint64_t bytes;
};
struct checkpoint_list {
    struct checkpoint_file *items; /* newest first */
    uint32_t count;
};

/* Called once by checkpoint_write(); gives the image to checkpoint_put() in pieces of any size. */
struct checkpoint_writer;
typedef void (*checkpoint_fill_fn)(void *context, struct checkpoint_writer *writer);
void checkpoint_put(struct checkpoint_writer *writer, const void *data, size_t len);

/* Sets head->image_bytes. Durable before it returns; older ones than the two newest, and what a killed
 * writer left, are gone. */
MUST_USE enum rc checkpoint_write(const char *directory, struct checkpoint *head,
                                  checkpoint_fill_fn fill, void *context, struct buf *out_error);

MUST_USE enum rc checkpoint_list(const char *directory, struct checkpoint_list *out_list);
void checkpoint_list_fini(struct checkpoint_list *list);
void checkpoint_path(const char *directory, uint64_t seq, struct buf *out);

/* The header is whole: its sum agrees, and the file is as long as it says. Else RC_CORRUPT or RC_NEWER
 * with a reason in *out_why (a constant text). */
struct checkpoint_reader;
MUST_USE enum rc checkpoint_open(const char *directory, uint64_t seq, struct checkpoint *out_head,
                                 struct checkpoint_reader **out_reader, const char **out_why);
/* The next bytes of the image; RC_CORRUPT when it has not so many. */
MUST_USE enum rc checkpoint_get(struct checkpoint_reader *reader, void *out, size_t bytes);
/* Reads what is left of the image and compares the sum of all of it. */
MUST_USE enum rc checkpoint_close(struct checkpoint_reader *reader, const char **out_why);

/* Deletes the checkpoints of events before `seq` (UINT64_MAX: every one), durably. *out_count: how many. */
MUST_USE enum rc checkpoint_drop(const char *directory, uint64_t seq, uint32_t *out_count);

/* Whether a whole checkpoint belongs to this log and this program. */
enum checkpoint_verdict {
    CHECKPOINT_GOOD,
    CHECKPOINT_OTHER_STATE, /* of another state version */
    CHECKPOINT_FOREIGN,     /* the log has another batch there */
    CHECKPOINT_AHEAD,       /* later than the log, which is now of another run: it was replaced */
    CHECKPOINT_LOG_CUT, /* later than the log, in the log's own last run: the log lost its end */
};
enum checkpoint_verdict checkpoint_judge(const struct checkpoint *checkpoint,
                                         uint32_t state_version, struct log *log);
const char *checkpoint_verdict_text(enum checkpoint_verdict verdict);

/* Fills run id, checksum, time and number from the log's batch that ends with event `seq`. */
MUST_USE enum rc checkpoint_place(struct log *log, uint64_t seq, struct checkpoint *out_checkpoint);

#endif
