/* room - is there room for what may come: free bytes of the disk and of the log's map over a watermark.
 *
 * Shape    room_look() asks both and compares them with the least there must be. Once short, it is short until
 *          a quarter more than that is free, so that it does not go to and fro. The station looks every
 *          second, and ten times a second while something is written: the watermark has to hold what is written in that time, the log's backlog
 *          (CORE_BACKLOG_BYTES_MAX), the outcomes of what is in flight and the stop. A disk that cannot be asked,
 *          or is mounted read-only, has no room.
 * Units    bytes; for people MiB.
 * Errors   none: what cannot be found out is a reason in `why`.
 * Owner    the caller embeds the struct; it borrows the directory's name.
 */
#ifndef DAEMON_ROOM_H
#define DAEMON_ROOM_H

#include "store/log.h"

#define ROOM_MIN_DEFAULT ((uint64_t)64 << 20)

/* Free bytes where the directory lies. RC_REFUSED: mounted read-only. */
typedef enum rc (*room_free_fn)(void *context, const char *directory, uint64_t *out_bytes);

struct room {
    const char *directory;
    uint64_t min_bytes;
    room_free_fn free_bytes;
    void *context;
    bool is_short;
    char why[160]; /* for people, with what to do; "" while there is room */
};

/* free_bytes NULL: asks the system. */
void room_init(struct room *room, const char *directory, uint64_t min_bytes,
               room_free_fn free_bytes, void *context);

/* True when is_short has changed. */
bool room_look(struct room *room, const struct log *log);

#endif
