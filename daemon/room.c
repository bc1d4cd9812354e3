#include "daemon/room.h"

#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>

static enum rc
ask_system(void *context, const char *directory, uint64_t *out_bytes)
{
    struct statvfs disk;
    (void)context;
    if (statvfs(directory, &disk) != 0) {
        return errno == ENOENT ? RC_NOT_FOUND : RC_IO;
    }
    if ((disk.f_flag & ST_RDONLY) != 0) {
        return RC_REFUSED;
    }
    *out_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    return RC_OK;
}

void
room_init(struct room *room, const char *directory, uint64_t min_bytes, room_free_fn free_bytes,
          void *context)
{
    *room = (struct room){.directory = directory,
                          .min_bytes = min_bytes,
                          .free_bytes = free_bytes != NULL ? free_bytes : ask_system,
                          .context = context};
}

static unsigned long long
mebibytes(uint64_t bytes)
{
    return (unsigned long long)(bytes >> 20);
}

/* Writes why there is no room, if so. */
static bool
look_at_disk(struct room *room, uint64_t wanted)
{
    uint64_t free_bytes = 0;
    enum rc rc = room->free_bytes(room->context, room->directory, &free_bytes);
    if (rc == RC_OK && free_bytes >= wanted) {
        return false;
    }
    if (rc == RC_OK) {
        snprintf(room->why, sizeof(room->why),
                 "disk: %llu MiB free, needs %llu MiB; free space or move the data directory",
                 mebibytes(free_bytes), mebibytes(wanted));
    } else {
        snprintf(room->why, sizeof(room->why), "disk: %s; %s",
                 rc == RC_REFUSED     ? "mounted read-only"
                 : rc == RC_NOT_FOUND ? "the data directory is gone"
                                      : "does not tell how much is free",
                 "look at the system's messages");
    }
    return true;
}

static bool
look_at_map(struct room *room, const struct log *log, uint64_t wanted)
{
    uint64_t used, map;
    log_map(log, &used, &map);
    uint64_t free_bytes = map > used ? map - used : 0;
    if (free_bytes >= wanted) {
        return false;
    }
    snprintf(room->why, sizeof(room->why),
             "log: %llu MiB left of its map of %llu MiB, needs %llu MiB; "
             "start stepd with a larger --map-size",
             mebibytes(free_bytes), mebibytes(map), mebibytes(wanted));
    return true;
}

bool
room_look(struct room *room, const struct log *log)
{
    bool was_short = room->is_short;
    uint64_t wanted = was_short ? room->min_bytes + room->min_bytes / 4 : room->min_bytes;
    room->is_short = look_at_disk(room, wanted) || look_at_map(room, log, wanted);
    if (!room->is_short) {
        room->why[0] = '\0';
    }
    return room->is_short != was_short;
}
