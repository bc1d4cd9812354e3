/* http_listen - the listening socket of an http server: TCP address or Unix socket path.
 *
 * Shape    opens, binds and listens; knows nothing of HTTP. A Unix socket's file left behind by a process that
 *          died is replaced; anything else at the path is left alone.
 * Units    ports as numbers; modes as chmod takes them.
 * Errors   RC_EXISTS (in use, or the path is not a socket), RC_INVALID (not an address, path too long),
 *          RC_REFUSED (permissions), RC_IO.
 * Owner    the caller closes the descriptor, which is non-blocking and closed on exec.
 */
#ifndef DAEMON_HTTP_LISTEN_H
#define DAEMON_HTTP_LISTEN_H

#include "engine/base/rc.h"
#include <stdint.h>

/* "127.0.0.1:8080" or "[::1]:8080", numbers only; port 0 takes any free one. */
MUST_USE enum rc http_listen_tcp(const char *address, int *out_fd, uint16_t *out_port);

MUST_USE enum rc http_listen_unix(const char *path, unsigned mode, int *out_fd);

#endif
