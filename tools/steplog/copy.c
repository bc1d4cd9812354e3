#include "tools/steplog/copy.h"

#include "daemon/clock.h"
#include "tools/steplog/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RATE_DEFAULT = 50, ATTEMPTS_MAX = 10 };

struct copying {
    uint64_t bytes;
    uint64_t rate; /* bytes a second; 0: as fast as it goes */
    int64_t began_us;
    struct progress progress;
};

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
throttle(const struct copying *copying)
{
    if (copying->rate == 0) {
        return;
    }
    int64_t due_us = copying->began_us + (int64_t)(copying->bytes * 1000000 / copying->rate);
    int64_t wait_us = due_us - clock_mono_us();
    if (wait_us > 0) {
        const struct timespec pause = {.tv_sec = wait_us / 1000000,
                                       .tv_nsec = wait_us % 1000000 * 1000};
        nanosleep(&pause, NULL);
    }
}

static enum rc
copy_chunks(struct copying *copying, struct log *from, struct log *into, struct buf *error)
{
    struct log_chunks *chunks = NULL;
    struct log_chunk chunk;
    const char *what = "";
    enum rc rc = log_chunks_open(from, &chunks);
    while (rc == RC_OK && (rc = log_chunks_next(chunks, &chunk)) == RC_OK) {
        rc = log_chunk_write(into, &chunk, &what);
        if (rc != RC_OK) {
            buf_printf(error, "writing the copy: %s", what);
            break;
        }
        copying->bytes += chunk.bytes;
        if (chunk.batch_count > 0) {
            progress_show(&copying->progress, chunk.batches[chunk.batch_count - 1].view.first_seq,
                          copying->bytes);
        }
        throttle(copying);
    }
    if (chunks != NULL && error->len == 0) {
        buf_append_cstr(error, log_chunks_error(chunks));
    }
    log_chunks_close(chunks);
    return rc == RC_END ? RC_OK : rc;
}

int
copy_log(struct reader *reader, const char *destination, struct fresh *fresh, uint64_t *out_bytes)
{
    struct copying copying = {0};
    int code = read_rate(reader->invocation, &copying.rate);
    enum rc rc = RC_AGAIN;
    for (int attempt = 1; code == EXIT_DONE && rc == RC_AGAIN; attempt++) {
        struct buf error = {0};
        fresh_close(fresh);
        code = fresh_open(fresh, destination);
        if (code == EXIT_DONE) {
            copying.bytes = 0;
            copying.began_us = clock_mono_us();
            progress_begin(&copying.progress, "copying", log_newest(reader->log));
            rc = copy_chunks(&copying, reader->log, fresh->log, &error);
            progress_end(&copying.progress);
            if (rc != RC_OK && (rc != RC_AGAIN || attempt == ATTEMPTS_MAX)) {
                code = reader_failed(rc, buf_cstr(&error));
            }
        }
        buf_fini(&error);
    }
    *out_bytes = copying.bytes;
    return code;
}
