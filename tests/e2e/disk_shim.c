/* disk_shim - preloaded into the daemon, is the disk that a test wants: the file named by STEPD_DISK says.
 *
 *   (no such file)  the real disk
 *   wait            fdatasync() does not return while the file says so
 *   fail            the next fdatasync() fails with EIO, and the file is removed: all is well again
 *   full            statvfs() says 1 MiB is free
 *
 * The shim wraps calls into libc, so the daemon under test is the very binary that is shipped. */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fcntl.h>

enum { LOOK_AGAIN_MS = 5 };

/* The libc's own function behind our wrapper. */
static void
find_original(void *out_function, const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (symbol == NULL) {
        abort();
    }
    *(void **)out_function = symbol;
}

static int
disk_is(const char *word)
{
    const char *path = getenv("STEPD_DISK");
    char text[16] = "";
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    return got > 0 && strcmp(text, word) == 0;
}

int
fdatasync(int fd)
{
    static int (*original)(int);
    if (original == NULL) {
        find_original(&original, "fdatasync");
    }
    while (disk_is("wait")) {
        (void)poll(NULL, 0, LOOK_AGAIN_MS);
    }
    if (disk_is("fail")) {
        (void)unlink(getenv("STEPD_DISK"));
        errno = EIO;
        return -1;
    }
    return original(fd);
}

int
statvfs(const char *path, struct statvfs *out)
{
    static int (*original)(const char *, struct statvfs *);
    if (original == NULL) {
        find_original(&original, "statvfs");
    }
    int result = original(path, out);
    if (result == 0 && disk_is("full")) {
        out->f_bavail = (1 << 20) / out->f_frsize;
    }
    return result;
}
