#include "daemon/credentials.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_BYTES_MAX = 4095, MAP_BYTES = 4096 };

/* A page of its own, so that locking and dumping concern nothing else. */
struct secret {
    char text[MAP_BYTES];
};

static enum rc
check_file(int fd, const char *directory, const char *path, struct buf *out_error)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        buf_printf(out_error, "%s: %s", path, strerror(errno));
        return RC_IO;
    }
    if (!S_ISREG(status.st_mode)) {
        buf_printf(out_error, "%s is not a regular file", path);
        return RC_REFUSED;
    }
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        buf_printf(out_error, "%s belongs to another user; run: chown %u %s", path,
                   (unsigned)geteuid(), path);
        return RC_REFUSED;
    }
    const char *systemd = getenv("CREDENTIALS_DIRECTORY");
    bool by_systemd = systemd != NULL && strcmp(systemd, directory) == 0 && status.st_uid == 0;
    mode_t forbidden = by_systemd ? 037 : 077;
    if ((status.st_mode & forbidden) != 0) {
        buf_printf(out_error, "%s is open to other users (mode %04o); run: chmod 600 %s", path,
                   (unsigned)status.st_mode & 07777, path);
        return RC_REFUSED;
    }
    return RC_OK;
}

/* Reads up to room bytes; more than that shows as a full room. */
static ssize_t
read_all(int fd, char *out, size_t room)
{
    size_t used = 0;
    while (used < room) {
        ssize_t got = read(fd, out + used, room - used);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        used += (size_t)got;
    }
    return (ssize_t)used;
}

/* Trims the line end and checks what is left: both secrets are runs of visible ASCII. */
static enum rc
check_text(struct secret *secret, size_t len, const char *path, struct buf *out_error)
{
    if (len > SECRET_BYTES_MAX) {
        buf_printf(out_error, "%s is larger than %d bytes; it should hold one line", path,
                   SECRET_BYTES_MAX);
        return RC_INVALID;
    }
    if (len > 0 && secret->text[len - 1] == '\n') {
        len--;
    }
    secret->text[len] = '\0';
    if (len == 0) {
        buf_printf(out_error, "%s is empty; copy the value from LINE's developer console", path);
        return RC_INVALID;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)secret->text[i];
        if (byte <= 0x20 || byte >= 0x7f) {
            buf_printf(out_error,
                       "%s holds a blank, line break or other odd character at byte %zu; "
                       "it should hold the value alone, on one line",
                       path, i + 1);
            return RC_INVALID;
        }
    }
    return RC_OK;
}

static struct secret *
secret_new(void)
{
    struct secret *secret =
        mmap(NULL, sizeof(*secret), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(secret != MAP_FAILED);
    /* Best effort: RLIMIT_MEMLOCK may forbid the first, old kernels the second. */
    (void)mlock(secret, sizeof(*secret));
    (void)madvise(secret, sizeof(*secret), MADV_DONTDUMP);
    return secret;
}

enum rc
secret_read(const char *directory, const char *name, struct secret **out_secret,
            struct buf *out_error)
{
    struct buf path_buf = {0};
    buf_printf(&path_buf, "%s/%s", directory, name);
    const char *path = buf_cstr(&path_buf);
    struct secret *secret = NULL;
    enum rc rc = RC_OK;

    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        rc = errno == ENOENT ? RC_NOT_FOUND : RC_IO;
        buf_printf(out_error, "%s: %s", path, strerror(errno));
        goto done;
    }
    rc = check_file(fd, directory, path, out_error);
    if (rc != RC_OK) {
        goto done;
    }
    secret = secret_new();
    ssize_t len = read_all(fd, secret->text, sizeof(secret->text));
    if (len < 0) {
        rc = RC_IO;
        buf_printf(out_error, "%s: %s", path, strerror(errno));
        goto done;
    }
    rc = check_text(secret, (size_t)len, path, out_error);

done:
    if (fd >= 0) {
        close(fd);
    }
    if (rc == RC_OK) {
        *out_secret = secret;
    } else {
        secret_free(secret);
    }
    buf_fini(&path_buf);
    return rc;
}

void
secret_free(struct secret *secret)
{
    if (secret == NULL) {
        return;
    }
    explicit_bzero(secret, sizeof(*secret));
    munmap(secret, sizeof(*secret));
}

const char *
secret_text(const struct secret *secret)
{
    return secret->text;
}

void
credentials_protect_process(void)
{
    int failed = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    assert(failed == 0);
}
