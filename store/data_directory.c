#include "store/data_directory.h"

#include "store/log_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0700, FILE_MODE = 0600, HOLDER_BYTES_MAX = 512 };

static const char *const FILES[] = {"log/data.mdb", "log/lock.mdb", "claim.lock"};
enum { FILE_COUNT = sizeof(FILES) / sizeof(FILES[0]) };

static enum rc
rc_from_errno(int code)
{
    switch (code) {
    case ENOENT:
        return RC_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return RC_REFUSED;
    case EAGAIN:
    case EBUSY:
        return RC_BUSY;
    case ENOSPC:
    case EDQUOT:
        return RC_FULL;
    default:
        return RC_IO;
    }
}

static enum rc
fail(struct buf *error, const char *doing, const char *path)
{
    enum rc rc = rc_from_errno(errno);
    buf_printf(error, "cannot %s %s: %s", doing, path, strerror(errno));
    return rc;
}

static const char *
path_in(struct buf *path, const char *directory, const char *name)
{
    buf_clear(path);
    buf_printf(path, "%s/%s", directory, name);
    return buf_cstr(path);
}

static int
open_in(const char *directory, const char *name, int flags)
{
    struct buf path = {0};
    int fd = open(path_in(&path, directory, name), flags | O_CLOEXEC, FILE_MODE);
    buf_fini(&path);
    return fd;
}

/* A new file's name is durable only when its directory is. */
static enum rc
sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return rc_from_errno(errno);
    }
    enum rc rc = fsync(fd) == 0 ? RC_OK : rc_from_errno(errno);
    close(fd);
    return rc;
}

static enum rc
make_one(const char *path, struct buf *error)
{
    if (mkdir(path, DIRECTORY_MODE) != 0 && errno != EEXIST) {
        return fail(error, "make the data directory", path);
    }
    struct buf parent = {0};
    enum rc rc = sync_directory(path_in(&parent, path, ".."));
    if (rc != RC_OK && rc != RC_REFUSED) { /* a parent we may not read was not made by us */
        buf_printf(error, "cannot sync the directory above %s", path);
    }
    buf_fini(&parent);
    return rc == RC_REFUSED ? RC_OK : rc;
}

/* Making an empty log beside files that somebody put in the wrong place would seem to lose them. */
static enum rc
refuse_misplaced(const char *directory, struct buf *error)
{
    struct buf path = {0};
    struct stat file;
    enum rc rc = RC_OK;
    if (stat(path_in(&path, directory, "log/data.mdb"), &file) != 0 &&
        stat(path_in(&path, directory, "data.mdb"), &file) == 0) {
        buf_printf(error, "%s/data.mdb is not where the log is looked for; move it to %s/log/",
                   directory, directory);
        rc = RC_REFUSED;
    }
    buf_fini(&path);
    return rc;
}

enum rc
data_directory_make(const char *directory, struct buf *error)
{
    struct buf log = {0};
    enum rc rc = make_one(directory, error);
    if (rc == RC_OK) {
        rc = refuse_misplaced(directory, error);
    }
    if (rc == RC_OK) {
        rc = make_one(path_in(&log, directory, DATA_DIRECTORY_LOG), error);
    }
    buf_fini(&log);
    return rc;
}

enum rc
data_directory_sync(const char *directory)
{
    struct buf log = {0};
    enum rc rc = sync_directory(path_in(&log, directory, DATA_DIRECTORY_LOG));
    if (rc == RC_OK) {
        rc = sync_directory(directory);
    }
    buf_fini(&log);
    return rc;
}

/* ---- the claim ---- */

static void
read_holder(int fd, struct buf *out)
{
    char text[HOLDER_BYTES_MAX];
    ssize_t bytes = pread(fd, text, sizeof(text), LOG_MARK_BYTES);
    if (bytes > 0) {
        buf_append(out, text, strnlen(text, (size_t)bytes));
    }
}

static void
write_holder(int fd, const char *holder)
{
    size_t len = holder == NULL ? 0 : strnlen(holder, HOLDER_BYTES_MAX);
    /* Without it nobody is told whom to ask; the lock itself holds. */
    (void)!ftruncate(fd, LOG_MARK_BYTES);
    (void)!pwrite(fd, len == 0 ? "" : holder, len, LOG_MARK_BYTES);
}

enum rc
data_directory_claim(const char *directory, const char *holder, int *out_fd, struct buf *error)
{
    int fd = open_in(directory, "claim.lock", O_RDWR | O_CREAT);
    if (fd < 0) {
        enum rc rc = rc_from_errno(errno);
        buf_printf(error, "cannot open %s/claim.lock: %s", directory, strerror(errno));
        return rc;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        write_holder(fd, holder);
        *out_fd = fd;
        return RC_OK;
    }
    enum rc rc = rc_from_errno(errno);
    struct buf who = {0};
    read_holder(fd, &who);
    if (rc == RC_BUSY) {
        buf_printf(error, "%s is claimed by another process%s%s", directory,
                   who.len > 0 ? ": " : "", buf_cstr(&who));
    } else {
        buf_printf(error, "cannot lock %s", directory);
    }
    buf_fini(&who);
    close(fd);
    return rc;
}

enum rc
data_directory_look(const char *directory, int *out_fd)
{
    int fd = open_in(directory, "claim.lock", O_RDONLY);
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0) {
        close(fd);
        return RC_BUSY;
    }
    *out_fd = fd;
    return RC_OK;
}

struct log_mark
data_directory_mark(const char *directory)
{
    int fd = open_in(directory, "claim.lock", O_RDONLY);
    struct log_mark mark = {0};
    if (fd >= 0) {
        mark = log_mark_read(fd);
        close(fd);
    }
    return mark;
}

bool
data_directory_held(const char *directory, struct buf *out_holder)
{
    int fd = -1;
    if (data_directory_look(directory, &fd) != RC_BUSY) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    fd = open_in(directory, "claim.lock", O_RDONLY);
    if (fd >= 0) {
        read_holder(fd, out_holder);
        close(fd);
    }
    return true;
}

/* ---- the log's own directory ---- */

enum rc
data_directory_open_log(const char *directory, int *out_fd, struct buf *error)
{
    int fd = open_in(directory, DATA_DIRECTORY_LOG, O_RDONLY | O_DIRECTORY);
    if (fd >= 0) {
        *out_fd = fd;
        return RC_OK;
    }
    if (errno != ENOENT) {
        return fail(error, "open the log in", directory);
    }
    enum rc rc = refuse_misplaced(directory, error);
    if (rc == RC_OK) {
        buf_printf(error, "there is no log in %s", directory);
    }
    return rc == RC_OK ? RC_NOT_FOUND : rc;
}

bool
data_directory_log_is(const char *directory, int fd)
{
    struct buf path = {0};
    struct stat opened, found;
    bool same = fstat(fd, &opened) == 0 &&
                stat(path_in(&path, directory, DATA_DIRECTORY_LOG), &found) == 0 &&
                opened.st_ino == found.st_ino && opened.st_dev == found.st_dev;
    buf_fini(&path);
    return same;
}

static enum rc
exchange_paths(const char *one, const char *other, struct buf *error)
{
    if (renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) == 0) {
        return RC_OK;
    }
    enum rc rc = rc_from_errno(errno);
    bool unable = errno == EINVAL || errno == ENOSYS || errno == EXDEV;
    buf_printf(error, "cannot exchange %s and %s: %s", one, other,
               unable ? "this file system cannot exchange two directories; export, import and "
                        "change them by hand while stepd is stopped"
                      : strerror(errno));
    return unable ? RC_REFUSED : rc;
}

enum rc
data_directory_exchange(const char *one, const char *other, struct buf *error)
{
    struct buf a = {0}, b = {0};
    enum rc rc = exchange_paths(path_in(&a, one, DATA_DIRECTORY_LOG),
                                path_in(&b, other, DATA_DIRECTORY_LOG), error);
    if (rc == RC_OK && (sync_directory(one) != RC_OK || sync_directory(other) != RC_OK)) {
        rc = fail(error, "sync", one);
    }
    buf_fini(&a);
    buf_fini(&b);
    return rc;
}

enum rc
data_directory_can_exchange(const char *directory, struct buf *error)
{
    struct buf a = {0}, b = {0};
    const char *one = path_in(&a, directory, "exchange.one"),
               *other = path_in(&b, directory, "exchange.other");
    enum rc rc = RC_OK;
    if ((mkdir(one, DIRECTORY_MODE) != 0 && errno != EEXIST) ||
        (mkdir(other, DIRECTORY_MODE) != 0 && errno != EEXIST)) {
        rc = fail(error, "write in", directory);
    }
    if (rc == RC_OK) {
        rc = exchange_paths(one, other, error);
    }
    (void)rmdir(one);
    (void)rmdir(other);
    buf_fini(&a);
    buf_fini(&b);
    return rc;
}

enum rc
data_directory_give_file(const char *path, const char *like, struct buf *error)
{
    struct buf data = {0};
    struct stat owner, file;
    enum rc rc = RC_OK;
    if (stat(path_in(&data, like, FILES[0]), &owner) != 0) {
        rc = fail(error, "look at", buf_cstr(&data));
    } else if (stat(path, &file) == 0 &&
               (file.st_uid != owner.st_uid || file.st_gid != owner.st_gid) &&
               chown(path, owner.st_uid, owner.st_gid) != 0) {
        rc = fail(error, "give to the log's owner", path);
    }
    buf_fini(&data);
    return rc;
}

enum rc
data_directory_give(const char *directory, const char *like, struct buf *error)
{
    struct buf path = {0};
    enum rc rc = RC_OK;
    const char *const names[] = {".", DATA_DIRECTORY_LOG, FILES[0], FILES[1], FILES[2]};
    for (size_t i = 0; rc == RC_OK && i < sizeof(names) / sizeof(names[0]); i++) {
        rc = data_directory_give_file(path_in(&path, directory, names[i]), like, error);
    }
    buf_fini(&path);
    return rc;
}

enum rc
data_directory_remove(const char *directory)
{
    struct buf path = {0};
    int fd = open_in(directory, "claim.lock", O_RDWR);
    enum rc rc = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 ? RC_BUSY : RC_OK;
    for (size_t i = 0; rc == RC_OK && i < FILE_COUNT; i++) {
        (void)unlink(path_in(&path, directory, FILES[i]));
    }
    if (rc == RC_OK) {
        (void)rmdir(path_in(&path, directory, DATA_DIRECTORY_LOG));
        (void)rmdir(directory);
    }
    if (fd >= 0) {
        close(fd);
    }
    buf_fini(&path);
    return rc;
}
