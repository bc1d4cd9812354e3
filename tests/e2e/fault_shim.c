/* fault_shim - preloaded into the daemon, kills it at the N-th place where a crash could hurt.
 *
 * A place is: before a write transaction of LMDB commits, after it has; before a request to LINE is
 * handed to libcurl; after libcurl reports its answer, which the daemon has then not seen. SIGKILL
 * leaves no time for anything: what is not on the disk or on the wire by then never was.
 * STEPD_FAULT_AT=N says which. The shim wraps calls into the libraries, so the daemon under test is
 * the very binary that is shipped.
 *
 * STEPD_FAULT_CALL=write or sync makes a place of each write to a file, or of each fsync and
 * fdatasync of a file or directory, and STEPD_FAULT_DO says what happens there: kill (before it),
 * tear (half is written, then the kill) or fail (EIO once, and all is well afterwards).
 * STEPD_FAULT_CALL=exchange makes one before and after a rename that exchanges, and before each
 * removal of a file.
 * STEPD_FAULT_AFTER=FILE counts places only while that file exists.
 * STEPD_FAULT_NOSYNC=1 lets every sync return at once with nothing done: what a power cut is tested
 * against must then fail. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The loop and the log's thread both come by. */
static _Atomic long point_count;
static MDB_txn *_Atomic write_txn; /* LMDB allows one a process at a time */

/* The libraries' own function behind our wrapper. */
static void
find_original(void *out_function, const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (symbol == NULL) {
        abort();
    }
    *(void **)out_function = symbol;
}

static bool
says(const char *name, const char *value)
{
    const char *given = getenv(name);
    return given != NULL && strcmp(given, value) == 0;
}

/* True when this is the place. */
static bool
reached(void)
{
    const char *at = getenv("STEPD_FAULT_AT"), *after = getenv("STEPD_FAULT_AFTER");
    if (after != NULL && access(after, F_OK) != 0) {
        return false;
    }
    return at != NULL && ++point_count == atol(at);
}

static void
die(void)
{
    (void)kill(getpid(), SIGKILL);
}

static void
point(void)
{
    if (getenv("STEPD_FAULT_CALL") == NULL && reached()) {
        die();
    }
}

/* ---- files ---- */

static bool
is_file(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

/* True when this write or sync is to fail; a kill does not return. */
static bool
fails_at(const char *call, int fd)
{
    if (!says("STEPD_FAULT_CALL", call) || !is_file(fd) || !reached()) {
        return false;
    }
    if (says("STEPD_FAULT_DO", "kill")) {
        die();
    }
    return true;
}

ssize_t
pwrite(int fd, const void *data, size_t bytes, off_t offset)
{
    static ssize_t (*original)(int, const void *, size_t, off_t);
    if (original == NULL) {
        find_original(&original, "pwrite");
    }
    if (fails_at("write", fd)) {
        if (says("STEPD_FAULT_DO", "tear")) {
            (void)original(fd, data, bytes / 2, offset);
            die();
        }
        errno = EIO;
        return -1;
    }
    return original(fd, data, bytes, offset);
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
    static ssize_t (*original)(int, const struct iovec *, int);
    if (original == NULL) {
        find_original(&original, "writev");
    }
    if (fails_at("write", fd)) {
        if (says("STEPD_FAULT_DO", "tear")) {
            (void)original(fd, parts, (count + 1) / 2);
            die();
        }
        errno = EIO;
        return -1;
    }
    return original(fd, parts, count);
}

static bool
syncs_nothing(void)
{
    return says("STEPD_FAULT_NOSYNC", "1");
}

int
fdatasync(int fd)
{
    static int (*original)(int);
    if (original == NULL) {
        find_original(&original, "fdatasync");
    }
    if (fails_at("sync", fd)) {
        errno = EIO;
        return -1;
    }
    return syncs_nothing() ? 0 : original(fd);
}

int
fsync(int fd)
{
    static int (*original)(int);
    if (original == NULL) {
        find_original(&original, "fsync");
    }
    if (fails_at("sync", fd)) {
        errno = EIO;
        return -1;
    }
    return syncs_nothing() ? 0 : original(fd);
}

int
msync(void *address, size_t bytes, int flags)
{
    static int (*original)(void *, size_t, int);
    if (original == NULL) {
        find_original(&original, "msync");
    }
    return syncs_nothing() ? 0 : original(address, bytes, flags);
}

static void
exchange_point(void)
{
    if (says("STEPD_FAULT_CALL", "exchange") && reached()) {
        die();
    }
}

int
renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    static int (*original)(int, const char *, int, const char *, unsigned);
    if (original == NULL) {
        find_original(&original, "renameat2");
    }
    exchange_point();
    int result = original(from_fd, from, to_fd, to, flags);
    exchange_point();
    return result;
}

int
unlink(const char *path)
{
    static int (*original)(const char *);
    if (original == NULL) {
        find_original(&original, "unlink");
    }
    exchange_point();
    return original(path);
}

/* LMDB writes its meta pages through a descriptor that syncs each write. */
int
open(const char *path, int flags, ...)
{
    static int (*original)(const char *, int, ...);
    if (original == NULL) {
        find_original(&original, "open");
    }
    va_list rest;
    va_start(rest, flags);
    unsigned mode = (flags & O_CREAT) != 0 ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    return original(path, syncs_nothing() ? flags & ~(O_SYNC | O_DSYNC) : flags, mode);
}

/* ---- libraries ---- */

int
mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn)
{
    static int (*original)(MDB_env *, MDB_txn *, unsigned int, MDB_txn **);
    if (original == NULL) {
        find_original(&original, "mdb_txn_begin");
    }
    int rc = original(env, parent, flags, txn);
    if (rc == 0 && (flags & MDB_RDONLY) == 0) {
        write_txn = *txn;
    }
    return rc;
}

int
mdb_txn_commit(MDB_txn *txn)
{
    static int (*original)(MDB_txn *);
    if (original == NULL) {
        find_original(&original, "mdb_txn_commit");
    }
    if (txn != write_txn) {
        return original(txn);
    }
    write_txn = NULL;
    point();
    int rc = original(txn);
    point();
    return rc;
}

CURLMcode
curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    static CURLMcode (*original)(CURLM *, CURL *);
    if (original == NULL) {
        find_original(&original, "curl_multi_add_handle");
    }
    point();
    return original(multi, easy);
}

CURLMsg *
curl_multi_info_read(CURLM *multi, int *in_queue)
{
    static CURLMsg *(*original)(CURLM *, int *);
    if (original == NULL) {
        find_original(&original, "curl_multi_info_read");
    }
    CURLMsg *message = original(multi, in_queue);
    if (message != NULL && message->msg == CURLMSG_DONE) {
        point();
    }
    return message;
}
