/* data_directory - the files of a data directory, and who holds it.
 *
 * Shape    DIR/log has the two files of LMDB and nothing else, so that one rename exchanges the whole log for another
 *          (compacting): there is no instant with files of both. DIR/claim.lock is locked by the one
 *          writer; it begins with the mark (log_mark.h), then says in text who that is. DIR/compact.part is
 *          a data directory in the making, or what compacting left of the log before; a writer that takes
 *          the claim clears it away, unless somebody is still at work on it. docs/format.md has the bytes.
 * Units    none.
 * Errors   RC_BUSY: held by another process. The words go to `error`.
 * Owner    file descriptors are the caller's to close; a lock goes with its descriptor.
 */
#ifndef STORE_DATA_DIRECTORY_H
#define STORE_DATA_DIRECTORY_H

#include "engine/base/buf.h"
#include "store/log_mark.h"

#define DATA_DIRECTORY_LOG "log"
#define DATA_DIRECTORY_COMPACT "compact.part"

/* Makes the directory and its log's, as far as they are missing, durably. */
MUST_USE enum rc data_directory_make(const char *directory, struct buf *error);
/* Makes the names in its log's directory durable. */
MUST_USE enum rc data_directory_sync(const char *directory);
/* Takes the claim: the descriptor holds it. `holder` (may be NULL) is written into it for others. */
MUST_USE enum rc data_directory_claim(const char *directory, const char *holder, int *out_fd,
                                      struct buf *error);
/* A shared lock, where the claim file can only be read: -1 when there is none. RC_BUSY: a writer is there. */
MUST_USE enum rc data_directory_look(const char *directory, int *out_fd);
/* The mark in the claim file; none where it cannot be read. */
struct log_mark data_directory_mark(const char *directory);
/* True while somebody holds the claim; *out_holder is what they wrote about themselves. */
bool data_directory_held(const char *directory, struct buf *out_holder);

/* Opens the log's own directory. */
MUST_USE enum rc data_directory_open_log(const char *directory, int *out_fd, struct buf *error);
/* True while the path still leads to what was opened. */
bool data_directory_log_is(const char *directory, int fd);

/* Exchanges the logs of two data directories with one rename, durable when it returns. */
MUST_USE enum rc data_directory_exchange(const char *one, const char *other, struct buf *error);
/* Whether the file system can do that: tried with two empty directories inside `directory`. */
MUST_USE enum rc data_directory_can_exchange(const char *directory, struct buf *error);

/* Gives the files of a data directory, or one file, to the owner of another's log: for a root that works
 * beside a daemon. */
MUST_USE enum rc data_directory_give(const char *directory, const char *like, struct buf *error);
MUST_USE enum rc data_directory_give_file(const char *path, const char *like, struct buf *error);

/* Removes a data directory's log and claim, and it when nothing else is in it. RC_BUSY: somebody holds it. What
 * is left of it the next claim removes, so nobody has to care. */
enum rc data_directory_remove(const char *directory);

#endif
