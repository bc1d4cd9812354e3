#include "tools/steplog/copy.h"

#include "daemon/clock.h"
#include "store/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

enum { RATE_DEFAULT = 50 };

static int
read_rate(const struct invocation *invocation, uint64_t *out_rate)
{
    const char *text = invocation_option(invocation, "rate");
    uint64_t megabytes = RATE_DEFAULT;
    if (text != NULL && (!read_number(text, &megabytes) || megabytes > 1000000)) {
        return usage_error(invocation->program,
                           "--rate wants megabytes a second, 0 for no limit, not '%s'", text);
    }
    *out_rate = megabytes * 1000000;
    return EXIT_DONE;
}

/* The disk is the daemon's first: waits until the average is not above the rate. */
static void
throttle(const struct copy *copy)
{
    if (copy->rate == 0) {
        return;
    }
    int64_t due_us = copy->turn_began_us + (int64_t)(copy->turn_bytes * 1000000 / copy->rate);
    int64_t wait_us = due_us - clock_mono_us();
    if (wait_us > 0) {
        const struct timespec pause = {.tv_sec = wait_us / 1000000,
                                       .tv_nsec = wait_us % 1000000 * 1000};
        nanosleep(&pause, NULL);
    }
}

/* What the copy will take is what the log has in use; a disk that fills up half-way is no good place. */
static int
check_room(const struct copy *copy)
{
    struct log_measure measure;
    struct statvfs disk;
    if (log_measure(copy->reader->log, &measure) != RC_OK ||
        statvfs(copy->fresh.part, &disk) != 0) {
        return EXIT_DONE; /* then writing shows it */
    }
    uint64_t needed = measure.file_bytes - measure.free_bytes,
             room = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (room >= needed) {
        return EXIT_DONE;
    }
    fprintf(stderr, "steplog: the copy needs about %llu KiB and %llu KiB are free at %s\n",
            (unsigned long long)(needed >> 10), (unsigned long long)(room >> 10),
            copy->fresh.destination);
    return EXIT_REFUSED;
}

int
copy_open(struct copy *copy, struct reader *reader, const char *destination)
{
    *copy = (struct copy){.reader = reader};
    int code = read_rate(reader->invocation, &copy->rate);
    if (code == EXIT_DONE) {
        code = fresh_open(&copy->fresh, destination);
    }
    if (code == EXIT_DONE) {
        code = check_room(copy);
    }
    if (code == EXIT_DONE) {
        enum rc rc = log_chunks_open(reader->log, &copy->chunks);
        code = rc == RC_OK ? EXIT_DONE : reader_failed(rc, "the log cannot be read in pieces");
    }
    return code;
}

static enum rc
copy_chunk(struct copy *copy, const struct log_chunk *chunk, struct buf *error)
{
    const char *what = "";
    enum rc rc = log_chunk_write(copy->fresh.log, chunk, &what);
    if (rc != RC_OK) {
        buf_printf(error, "writing the copy: %s", what);
        return rc;
    }
    copy->bytes += chunk->bytes;
    copy->turn_bytes += chunk->bytes;
    if (chunk->batch_count > 0) {
        progress_show(&copy->progress, chunk->batches[chunk->batch_count - 1].view.first_seq,
                      copy->bytes);
    }
    throttle(copy);
    return RC_OK;
}

int
copy_turn(struct copy *copy)
{
    struct log_chunk chunk;
    struct buf error = {0};
    enum rc rc = RC_OK;
    copy->turn_bytes = 0;
    copy->turn_began_us = clock_mono_us();
    progress_begin(&copy->progress, "copying", log_newest(copy->reader->log));
    while (rc == RC_OK) {
        rc = log_chunks_next(copy->chunks, &chunk);
        if (rc == RC_OK) {
            rc = copy_chunk(copy, &chunk, &error);
        } else if (rc == RC_AGAIN) {
            uint64_t rows = 0;
            rc = log_chunks_erase_too(copy->chunks, copy->fresh.log, &rows);
            copy->erased_rows += rows;
        }
    }
    progress_end(&copy->progress);
    if (rc != RC_END && error.len == 0) {
        buf_append_cstr(&error, log_chunks_error(copy->chunks));
    }
    int code = rc == RC_END ? EXIT_DONE : reader_failed(rc, buf_cstr(&error));
    buf_fini(&error);
    return code;
}

void
copy_close(struct copy *copy)
{
    log_chunks_close(copy->chunks);
    copy->chunks = NULL;
    fresh_close(&copy->fresh);
}

void
copy_note_erased(const struct copy *copy, const char *remedy)
{
    if (copy->erased_rows > 0) {
        fprintf(stderr,
                "steplog: the words of %llu events were erased while this was copied; their bytes "
                "may be in free pages of it: %s\n",
                (unsigned long long)copy->erased_rows, remedy);
    }
}
