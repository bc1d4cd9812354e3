#include "tools/steplog/fresh.h"

#include "store/data_directory.h"
#include "tools/steplog/reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char *
path_join(const char *directory, const char *name)
{
    struct buf path = {0};
    buf_printf(&path, "%s/%s", directory, name);
    char *copy = strdup(buf_cstr(&path));
    assert(copy != NULL);
    buf_fini(&path);
    return copy;
}

bool
path_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return synced;
}

static int
failed(const char *doing, const char *path)
{
    fprintf(stderr, "steplog: cannot %s %s: %s\n", doing, path, strerror(errno));
    return EXIT_FAILED;
}

/* What an attempt left that was killed goes; one that is still at work is left alone. */
static int
clear_part(const struct fresh *fresh)
{
    if (data_directory_remove(fresh->part) == RC_OK) {
        return EXIT_DONE;
    }
    fprintf(stderr, "steplog: %s is being written by another process\n", fresh->part);
    return EXIT_REFUSED;
}

static int
check_destination(const char *destination)
{
    struct stat found;
    if (lstat(destination, &found) != 0) {
        return errno == ENOENT ? EXIT_DONE : failed("look at", destination);
    }
    if (S_ISDIR(found.st_mode) && rmdir(destination) == 0) { /* empty: made again by the rename */
        return EXIT_DONE;
    }
    fprintf(stderr, "steplog: %s exists and is not empty; name a new directory\n", destination);
    return EXIT_REFUSED;
}

int
fresh_open(struct fresh *fresh, const char *destination)
{
    *fresh = (struct fresh){.destination = strdup(destination)};
    assert(fresh->destination != NULL);
    size_t len = strlen(fresh->destination);
    while (len > 1 && fresh->destination[len - 1] == '/') {
        fresh->destination[--len] = '\0';
    }
    struct buf part = {0};
    buf_printf(&part, "%s.part", fresh->destination);
    fresh->part = strdup(buf_cstr(&part));
    assert(fresh->part != NULL);
    buf_fini(&part);

    int code = check_destination(fresh->destination);
    if (code == EXIT_DONE) {
        code = clear_part(fresh);
    }
    if (code == EXIT_DONE) {
        const struct log_options options = {.mode = LOG_CLAIM};
        fresh->made = true;
        enum rc rc = log_open(fresh->part, &options, &fresh->log);
        code = rc == RC_OK ? EXIT_DONE : reader_failed(rc, log_error(NULL));
    }
    return code;
}

int
fresh_reopen(struct fresh *fresh)
{
    const struct log_options options = {.mode = LOG_CLAIM};
    log_close(fresh->log);
    fresh->log = NULL;
    enum rc rc = log_open(fresh->part, &options, &fresh->log);
    return rc == RC_OK ? EXIT_DONE : reader_failed(rc, log_error(NULL));
}

int
fresh_fold(struct fresh *fresh, struct zones *zones, struct engine *engine)
{
    int code = fresh_reopen(fresh);
    if (code != EXIT_DONE) {
        return code;
    }
    struct buf error = {0};
    const struct replay_options options = {
        .log = fresh->log, .engine = engine, .zones = zones_source(zones), .check_stops = true};
    enum rc rc = replay_run(&options, &error);
    if (rc != RC_OK) {
        code = reader_failed(rc, buf_cstr(&error));
    }
    buf_fini(&error);
    return code;
}

int
fresh_settle(struct fresh *fresh)
{
    log_close(fresh->log);
    fresh->log = NULL;
    char *data = path_join(fresh->part, DATA_DIRECTORY_LOG "/data.mdb");
    int code = path_sync(data) ? EXIT_DONE : failed("sync", data);
    free(data);
    return code;
}

int
fresh_finish(struct fresh *fresh)
{
    int code = fresh_settle(fresh);
    static const char *const LOCKS[] = {DATA_DIRECTORY_LOG "/lock.mdb", "claim.lock"};
    for (size_t i = 0; i < sizeof(LOCKS) / sizeof(LOCKS[0]); i++) { /* nobody's */
        char *path = path_join(fresh->part, LOCKS[i]);
        (void)unlink(path);
        free(path);
    }
    if (code == EXIT_DONE && data_directory_sync(fresh->part) != RC_OK) {
        code = failed("sync", fresh->part);
    }
    if (code == EXIT_DONE && rename(fresh->part, fresh->destination) != 0) {
        code = failed("make", fresh->destination);
    }
    if (code == EXIT_DONE) {
        fresh->made = false;
        char *parent = path_join(fresh->destination, "..");
        if (!path_sync(parent) && errno != EACCES) {
            code = failed("sync", parent);
        }
        free(parent);
    }
    return code;
}

void
fresh_close(struct fresh *fresh)
{
    log_close(fresh->log);
    fresh->log = NULL;
    if (fresh->made) {
        (void)data_directory_remove(fresh->part);
    }
    free(fresh->part);
    free(fresh->destination);
    *fresh = (struct fresh){0};
}
