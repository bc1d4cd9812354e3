#include "daemon/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ADDRESS_BYTES_MAX = 128, BACKLOG = 1024 };

static enum rc
rc_from_errno(int error)
{
    switch (error) {
    case EADDRINUSE:
    case EEXIST:
        return RC_EXISTS;
    case EACCES:
    case EPERM:
    case EADDRNOTAVAIL:
        return RC_REFUSED;
    default:
        return RC_IO;
    }
}

/* Cuts "host:port" or "[host]:port" in place. */
static bool
split_address(char *text, const char **out_host, const char **out_port)
{
    char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || colon[1] == '\0') {
        return false;
    }
    *colon = '\0';
    *out_port = colon + 1;
    *out_host = text;
    size_t host_len = strlen(text);
    if (text[0] == '[') {
        if (text[host_len - 1] != ']') {
            return false;
        }
        text[host_len - 1] = '\0';
        *out_host = text + 1;
    }
    return true;
}

static uint16_t
port_of(int fd)
{
    struct sockaddr_storage name = {0};
    socklen_t len = sizeof(name);
    if (getsockname(fd, (struct sockaddr *)&name, &len) != 0) {
        return 0;
    }
    if (name.ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, &name, sizeof(v6));
        return ntohs(v6.sin6_port);
    }
    struct sockaddr_in v4;
    memcpy(&v4, &name, sizeof(v4));
    return ntohs(v4.sin_port);
}

enum rc
http_listen_tcp(const char *address, int *out_fd, uint16_t *out_port)
{
    char text[ADDRESS_BYTES_MAX];
    const char *host = NULL;
    const char *port = NULL;
    if (strlen(address) >= sizeof(text)) {
        return RC_INVALID;
    }
    memcpy(text, address, strlen(address) + 1);
    if (!split_address(text, &host, &port)) {
        return RC_INVALID;
    }
    /* Numbers only: a name would ask a DNS server before anything listens. */
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return RC_INVALID;
    }

    enum rc rc = RC_OK;
    int on = 1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        rc = rc_from_errno(errno);
        if (fd >= 0) {
            close(fd);
        }
        goto done;
    }
    *out_fd = fd;
    *out_port = port_of(fd);

done:
    freeaddrinfo(found);
    return rc;
}

/* Makes room at the path: nothing there, or a socket nobody answers on. */
static enum rc
clear_path(const char *path, const struct sockaddr_un *name)
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        return errno == ENOENT ? RC_OK : rc_from_errno(errno);
    }
    if (!S_ISSOCK(status.st_mode)) {
        return RC_EXISTS; /* somebody's file, or a link to one: not ours to remove */
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return RC_IO;
    }
    int rc = connect(fd, (const struct sockaddr *)name, sizeof(*name));
    int error = rc == 0 ? 0 : errno;
    close(fd);
    if (error != ECONNREFUSED) {
        return error == EACCES ? RC_REFUSED : RC_EXISTS; /* a full backlog is an answer too */
    }
    return unlink(path) == 0 || errno == ENOENT ? RC_OK : rc_from_errno(errno);
}

enum rc
http_listen_unix(const char *path, unsigned mode, int *out_fd)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (path[0] == '\0' || strlen(path) >= sizeof(name.sun_path)) {
        return RC_INVALID;
    }
    memcpy(name.sun_path, path, strlen(path) + 1);
    enum rc rc = clear_path(path, &name);
    if (rc != RC_OK) {
        return rc;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return rc_from_errno(errno);
    }
    /* The mode holds from the first instant: no moment at which anybody may connect. */
    mode_t before = umask((mode_t)(0777U & ~mode));
    int bound = bind(fd, (const struct sockaddr *)&name, sizeof(name));
    int error = errno;
    umask(before);
    if (bound == 0 && listen(fd, BACKLOG) != 0) {
        error = errno;
        bound = -1;
        unlink(path);
    }
    if (bound != 0) {
        close(fd);
        return rc_from_errno(error);
    }
    *out_fd = fd;
    return RC_OK;
}
