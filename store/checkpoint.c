#include "store/checkpoint.h"

#include "engine/base/checksum.h"
#include "store/batch.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t MAGIC[4] = {'s', 't', 'p', 'c'};

/* Where the parts of the header begin; docs/format.md shows them. */
enum {
    AT_VERSION = 4,
    AT_STATE_VERSION = 6,
    AT_SEQ = 8,
    AT_TIME = 16,
    AT_RUN_ID = 24,
    AT_BATCH_CHECKSUM = 40,
    AT_DIGEST = 48,
    AT_IMAGE_BYTES = 56,
    AT_HEADER_CHECKSUM = 64,
    HEADER_BYTES = 72,
    CHECKSUM_BYTES = 8, /* of the image, then of the header, at the end of the file */
};

/* Pieces smaller than this gather; larger ones go straight through, a share at a time, so that what is
 * summed is in the cache still. */
enum { SHARE_BYTES = 256 * 1024 };

static const char PREFIX[] = "checkpoint-";
static const char TEMPORARY[] = ".tmp";
enum { FILE_MODE = 0600, NUMBER_DIGITS = 20 };

static enum rc
rc_of_errno(int code)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return RC_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return RC_REFUSED;
    case ENOENT:
        return RC_NOT_FOUND;
    case ENOMEM:
        return RC_NO_MEMORY;
    default:
        return RC_IO;
    }
}

void
checkpoint_path(const char *directory, uint64_t seq, struct buf *out)
{
    buf_clear(out);
    buf_printf(out, "%s/%s%0*" PRIu64, directory, PREFIX, NUMBER_DIGITS, seq);
}

/* ---- writing ---- */

struct checkpoint_writer {
    int fd;
    int failed; /* errno of the first write that failed; 0: none did */
    uint64_t image_bytes;
    struct checksum *sum;
    size_t waiting;
    uint8_t bytes[SHARE_BYTES];
};

static bool
write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, data, len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        data += written;
        len -= (size_t)written;
    }
    return true;
}

static void
write_share(struct checkpoint_writer *writer, const uint8_t *data, size_t len)
{
    checksum_add(writer->sum, data, len);
    if (writer->failed == 0 && !write_all(writer->fd, data, len)) {
        writer->failed = errno;
    }
}

static void
write_waiting(struct checkpoint_writer *writer)
{
    write_share(writer, writer->bytes, writer->waiting);
    writer->waiting = 0;
}

void
checkpoint_put(struct checkpoint_writer *writer, const void *data, size_t len)
{
    const uint8_t *at = data;
    writer->image_bytes += len;
    if (writer->waiting + len > SHARE_BYTES) {
        write_waiting(writer);
    }
    for (; len > SHARE_BYTES; at += SHARE_BYTES, len -= SHARE_BYTES) {
        write_share(writer, at, SHARE_BYTES);
    }
    if (len > 0) {
        memcpy(writer->bytes + writer->waiting, at, len);
        writer->waiting += len;
    }
}

static void
encode_header(const struct checkpoint *head, uint8_t header[HEADER_BYTES])
{
    memcpy(header, MAGIC, sizeof(MAGIC));
    big_endian_put(header + AT_VERSION, CHECKPOINT_VERSION, 2);
    big_endian_put(header + AT_STATE_VERSION, head->state_version, 2);
    big_endian_put(header + AT_SEQ, head->seq, 8);
    big_endian_put(header + AT_TIME, (uint64_t)head->time_ms, 8);
    memcpy(header + AT_RUN_ID, head->run_id, LOG_RUN_ID_BYTES);
    big_endian_put(header + AT_BATCH_CHECKSUM, head->batch_checksum, 8);
    big_endian_put(header + AT_DIGEST, head->digest, 8);
    big_endian_put(header + AT_IMAGE_BYTES, head->image_bytes, 8);
    big_endian_put(header + AT_HEADER_CHECKSUM, checksum_of(header, AT_HEADER_CHECKSUM), 8);
}

/* The header comes last, into the room left for it: it says how long the image is. */
static bool
write_file(int fd, struct checkpoint *head, checkpoint_fill_fn fill, void *context)
{
    uint8_t header[HEADER_BYTES] = {0}, tail[CHECKSUM_BYTES];
    struct checkpoint_writer *writer = calloc(1, sizeof(*writer));
    assert(writer != NULL);
    writer->fd = fd;
    writer->sum = checksum_new();
    bool written = write_all(fd, header, sizeof(header));
    fill(context, writer);
    write_waiting(writer);
    head->image_bytes = writer->image_bytes;
    encode_header(head, header);
    checksum_add(writer->sum, header, sizeof(header));
    big_endian_put(tail, checksum_value(writer->sum), sizeof(tail));
    if (writer->failed != 0) {
        errno = writer->failed;
    }
    written = written && writer->failed == 0 && write_all(fd, tail, sizeof(tail)) &&
              pwrite(fd, header, sizeof(header), 0) == (ssize_t)sizeof(header) && fsync(fd) == 0;
    checksum_free(writer->sum);
    free(writer);
    return written;
}

static int
open_directory(const char *directory)
{
    return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool
sync_directory(const char *directory)
{
    int fd = open_directory(directory);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return synced;
}

/* What a killed writer left: a temporary file that nobody holds locked. */
static void
remove_leftovers(const char *directory)
{
    DIR *dir = opendir(directory);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        size_t len = strlen(entry->d_name), tail = strlen(TEMPORARY);
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0 || len < tail ||
            strcmp(entry->d_name + len - tail, TEMPORARY) != 0) {
            continue;
        }
        int fd = openat(dirfd(dir), entry->d_name, O_RDWR | O_CLOEXEC);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

/* Those before `seq`, but for so many of the newest of all. */
static enum rc
remove_older(const char *directory, uint32_t kept, uint64_t seq, uint32_t *out_count)
{
    struct checkpoint_list list;
    struct buf path = {0};
    enum rc rc = checkpoint_list(directory, &list);
    *out_count = 0;
    for (uint32_t i = kept; rc == RC_OK && i < list.count; i++) {
        checkpoint_path(directory, list.items[i].seq, &path);
        if (list.items[i].seq >= seq) {
            continue;
        }
        if (unlink(buf_cstr(&path)) == 0) {
            (*out_count)++;
        } else if (errno != ENOENT) {
            rc = rc_of_errno(errno);
        }
    }
    buf_fini(&path);
    checkpoint_list_fini(&list);
    return rc;
}

enum rc
checkpoint_write(const char *directory, struct checkpoint *head, checkpoint_fill_fn fill,
                 void *context, struct buf *out_error)
{
    struct buf path = {0}, temporary = {0};
    enum rc rc = RC_OK;
    uint32_t removed;
    remove_leftovers(directory);
    checkpoint_path(directory, head->seq, &path);
    buf_printf(&temporary, "%s.%ld%s", buf_cstr(&path), (long)getpid(), TEMPORARY);
    int fd = open(buf_cstr(&temporary), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    bool written = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
                   write_file(fd, head, fill, context) &&
                   rename(buf_cstr(&temporary), buf_cstr(&path)) == 0 && sync_directory(directory);
    if (!written) {
        int code = errno;
        rc = rc_of_errno(code);
        buf_printf(out_error, "cannot write %s: %s", buf_cstr(&path), strerror(code));
        unlink(buf_cstr(&temporary));
    }
    if (fd >= 0) {
        close(fd);
    }
    if (rc == RC_OK) {
        rc = remove_older(directory, CHECKPOINTS_KEPT, UINT64_MAX, &removed);
        if (rc != RC_OK) {
            buf_printf(out_error, "cannot remove an older checkpoint in %s", directory);
        }
    }
    buf_fini(&path);
    buf_fini(&temporary);
    return rc;
}

enum rc
checkpoint_drop(const char *directory, uint64_t seq, uint32_t *out_count)
{
    remove_leftovers(directory);
    enum rc rc = remove_older(directory, 0, seq, out_count);
    if (rc == RC_OK && !sync_directory(directory)) {
        rc = rc_of_errno(errno);
    }
    return rc;
}

/* ---- finding ---- */

static int
newest_first(const void *a, const void *b)
{
    uint64_t x = ((const struct checkpoint_file *)a)->seq;
    uint64_t y = ((const struct checkpoint_file *)b)->seq;
    return (x < y) - (x > y);
}

/* "checkpoint-" and 20 digits; anything else is not ours. */
static bool
read_name(const char *name, uint64_t *out_seq)
{
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0) {
        return false;
    }
    const char *digits = name + strlen(PREFIX);
    if (strlen(digits) != NUMBER_DIGITS || strspn(digits, "0123456789") != NUMBER_DIGITS) {
        return false;
    }
    errno = 0;
    *out_seq = strtoull(digits, NULL, 10);
    return errno == 0;
}

enum rc
checkpoint_list(const char *directory, struct checkpoint_list *out_list)
{
    *out_list = (struct checkpoint_list){0};
    DIR *dir = opendir(directory);
    if (dir == NULL) {
        return rc_of_errno(errno);
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct checkpoint_file file;
        struct stat found;
        if (!read_name(entry->d_name, &file.seq) ||
            fstatat(dirfd(dir), entry->d_name, &found, 0) != 0) {
            continue;
        }
        file.bytes = (uint64_t)found.st_size;
        out_list->items =
            realloc(out_list->items, (out_list->count + 1) * sizeof(*out_list->items));
        assert(out_list->items != NULL);
        out_list->items[out_list->count++] = file;
    }
    closedir(dir);
    if (out_list->count > 1) {
        qsort(out_list->items, out_list->count, sizeof(*out_list->items), newest_first);
    }
    return RC_OK;
}

void
checkpoint_list_fini(struct checkpoint_list *list)
{
    free(list->items);
    *list = (struct checkpoint_list){0};
}

/* ---- reading ---- */

struct checkpoint_reader {
    int fd;
    enum rc rc;      /* sticky */
    uint64_t unread; /* bytes of the image still in the file */
    size_t taken, gathered;
    struct checksum *sum;
    uint8_t header[HEADER_BYTES];
    uint8_t bytes[SHARE_BYTES];
};

static enum rc
read_all(int fd, uint8_t *out, size_t bytes)
{
    while (bytes > 0) {
        ssize_t got = read(fd, out, bytes);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) { /* 0: shorter than it was a moment ago */
            return got == 0 ? RC_CORRUPT : rc_of_errno(errno);
        }
        out += got;
        bytes -= (size_t)got;
    }
    return RC_OK;
}

static enum rc
decode_header(const uint8_t *header, uint64_t seq, uint64_t file_bytes, struct checkpoint *out,
              const char **out_why)
{
    if (memcmp(header, MAGIC, sizeof(MAGIC)) != 0) {
        *out_why = "it is no checkpoint";
        return RC_CORRUPT;
    }
    if (big_endian_get(header + AT_VERSION, 2) == 1) {
        *out_why = "it was written by an older version of stepd";
        return RC_CORRUPT;
    }
    if (checksum_of(header, AT_HEADER_CHECKSUM) != big_endian_get(header + AT_HEADER_CHECKSUM, 8)) {
        *out_why = "the checksum of its header does not match";
        return RC_CORRUPT;
    }
    if (big_endian_get(header + AT_VERSION, 2) != CHECKPOINT_VERSION) {
        *out_why = "it was written by a newer version of stepd";
        return RC_NEWER;
    }
    *out = (struct checkpoint){
        .state_version = (uint32_t)big_endian_get(header + AT_STATE_VERSION, 2),
        .seq = big_endian_get(header + AT_SEQ, 8),
        .time_ms = (int64_t)big_endian_get(header + AT_TIME, 8),
        .batch_checksum = big_endian_get(header + AT_BATCH_CHECKSUM, 8),
        .digest = big_endian_get(header + AT_DIGEST, 8),
        .image_bytes = big_endian_get(header + AT_IMAGE_BYTES, 8),
    };
    memcpy(out->run_id, header + AT_RUN_ID, LOG_RUN_ID_BYTES);
    if (out->image_bytes != file_bytes - HEADER_BYTES - CHECKSUM_BYTES || out->seq != seq) {
        *out_why = "it does not hold what its name and header say";
        return RC_CORRUPT;
    }
    return RC_OK;
}

static enum rc
read_header(struct checkpoint_reader *reader, uint64_t seq, struct checkpoint *out_head,
            const char **out_why)
{
    struct stat file;
    *out_why = "it cannot be read from the disk";
    if (fstat(reader->fd, &file) != 0) {
        return rc_of_errno(errno);
    }
    if (file.st_size < HEADER_BYTES + CHECKSUM_BYTES) {
        *out_why = "it is no checkpoint";
        return RC_CORRUPT;
    }
    enum rc rc = read_all(reader->fd, reader->header, HEADER_BYTES);
    if (rc == RC_OK) {
        rc = decode_header(reader->header, seq, (uint64_t)file.st_size, out_head, out_why);
    }
    reader->unread = rc == RC_OK ? out_head->image_bytes : 0;
    return rc;
}

static void
reader_free(struct checkpoint_reader *reader)
{
    close(reader->fd);
    checksum_free(reader->sum);
    free(reader);
}

enum rc
checkpoint_open(const char *directory, uint64_t seq, struct checkpoint *out_head,
                struct checkpoint_reader **out_reader, const char **out_why)
{
    struct buf path = {0};
    checkpoint_path(directory, seq, &path);
    *out_why = "it cannot be read from the disk";
    int fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC);
    int code = errno;
    buf_fini(&path);
    if (fd < 0) {
        return rc_of_errno(code);
    }
    struct checkpoint_reader *reader = calloc(1, sizeof(*reader));
    assert(reader != NULL);
    reader->fd = fd;
    reader->sum = checksum_new();
    enum rc rc = read_header(reader, seq, out_head, out_why);
    if (rc != RC_OK) {
        reader_free(reader);
        return rc;
    }
    *out_reader = reader;
    return RC_OK;
}

/* From the file to where it belongs. */
static void
read_share(struct checkpoint_reader *reader, uint8_t *out, size_t bytes)
{
    if (bytes > reader->unread) {
        reader->rc = RC_CORRUPT;
    }
    if (reader->rc == RC_OK) {
        reader->rc = read_all(reader->fd, out, bytes);
    }
    if (reader->rc == RC_OK) {
        checksum_add(reader->sum, out, bytes);
        reader->unread -= bytes;
    }
}

enum rc
checkpoint_get(struct checkpoint_reader *reader, void *out, size_t bytes)
{
    uint8_t *at = out;
    while (bytes > 0 && reader->rc == RC_OK) {
        size_t ready = reader->gathered - reader->taken;
        if (ready == 0 && bytes >= SHARE_BYTES) {
            read_share(reader, at, SHARE_BYTES);
            at += SHARE_BYTES;
            bytes -= SHARE_BYTES;
            continue;
        }
        if (ready == 0) {
            ready = reader->unread < SHARE_BYTES ? (size_t)reader->unread : SHARE_BYTES;
            read_share(reader, reader->bytes, ready);
            reader->rc = ready == 0 ? RC_CORRUPT : reader->rc;
            reader->taken = 0;
            reader->gathered = ready;
            continue;
        }
        size_t share = ready < bytes ? ready : bytes;
        memcpy(at, reader->bytes + reader->taken, share);
        reader->taken += share;
        at += share;
        bytes -= share;
    }
    return reader->rc;
}

enum rc
checkpoint_close(struct checkpoint_reader *reader, const char **out_why)
{
    uint8_t tail[CHECKSUM_BYTES];
    while (reader->unread > 0 && reader->rc == RC_OK) {
        read_share(reader, reader->bytes,
                   reader->unread < SHARE_BYTES ? (size_t)reader->unread : SHARE_BYTES);
    }
    enum rc rc = reader->rc == RC_OK ? read_all(reader->fd, tail, sizeof(tail)) : reader->rc;
    *out_why = "it cannot be read from the disk";
    if (rc == RC_OK) {
        checksum_add(reader->sum, reader->header, sizeof(reader->header));
        if (checksum_value(reader->sum) != big_endian_get(tail, CHECKSUM_BYTES)) {
            *out_why = "its checksum does not match";
            rc = RC_CORRUPT;
        }
    }
    reader_free(reader);
    return rc;
}

/* ---- judging ---- */

/* The batch that holds an event. */
static enum rc
find_batch(struct log *log, uint64_t seq, struct log_batch_view *out_batch)
{
    struct log_cursor *cursor = NULL;
    enum rc rc = log_cursor_open(log, seq, &cursor);
    if (rc == RC_OK) {
        rc = log_cursor_next(cursor, out_batch);
        out_batch->events = (struct span){0}; /* they go with the cursor */
        log_cursor_close(cursor);
    }
    return rc;
}

enum rc
checkpoint_place(struct log *log, uint64_t seq, struct checkpoint *out_checkpoint)
{
    struct log_batch_view batch;
    enum rc rc = find_batch(log, seq, &batch);
    if (rc != RC_OK) {
        return rc;
    }
    out_checkpoint->seq = batch.first_seq + batch.event_count - 1;
    out_checkpoint->time_ms = batch.time_ms;
    out_checkpoint->batch_checksum = batch.checksum;
    memcpy(out_checkpoint->run_id, batch.run_id, LOG_RUN_ID_BYTES);
    return out_checkpoint->seq == seq ? RC_OK : RC_INVALID;
}

enum checkpoint_verdict
checkpoint_judge(const struct checkpoint *checkpoint, uint32_t state_version, struct log *log)
{
    struct checkpoint there;
    if (checkpoint->state_version != state_version) {
        return CHECKPOINT_OTHER_STATE;
    }
    enum rc rc = checkpoint_place(log, checkpoint->seq, &there);
    if (rc == RC_OK) {
        bool same = there.batch_checksum == checkpoint->batch_checksum &&
                    memcmp(there.run_id, checkpoint->run_id, LOG_RUN_ID_BYTES) == 0;
        return same ? CHECKPOINT_GOOD : CHECKPOINT_FOREIGN;
    }
    struct log_batch_view newest;
    if (rc != RC_END || log_newest(log) == 0 ||
        find_batch(log, log_newest(log), &newest) != RC_OK) {
        return rc == RC_END ? CHECKPOINT_AHEAD : CHECKPOINT_FOREIGN;
    }
    bool same_run = memcmp(newest.run_id, checkpoint->run_id, LOG_RUN_ID_BYTES) == 0;
    return same_run ? CHECKPOINT_LOG_CUT : CHECKPOINT_AHEAD;
}

const char *
checkpoint_verdict_text(enum checkpoint_verdict verdict)
{
    switch (verdict) {
    case CHECKPOINT_GOOD:
        return "it is good";
    case CHECKPOINT_OTHER_STATE:
        return "it holds the state of another version of stepd";
    case CHECKPOINT_FOREIGN:
        return "it was made from another log";
    case CHECKPOINT_AHEAD:
        return "it is later than this log";
    case CHECKPOINT_LOG_CUT:
        return "the log ends before it: events that were durable are gone";
    }
    return "";
}
