/* credentials - secrets from files: the channel secret and the channel access token.
 *
 * Shape    one secret a file, on one line. A file that group or others can read is refused, and so is one
 *          that belongs to somebody else. systemd's own credentials belong to root and let the service's user
 *          in by an access list, which shows as a group bit: in $CREDENTIALS_DIRECTORY that is allowed.
 *          A symbolic link is as good as what it points to.
 * Units    bytes.
 * Errors   RC_NOT_FOUND, RC_REFUSED (permissions), RC_INVALID (content), RC_IO, with a message that says what
 *          to do. The secret itself is never in a message.
 * Owner    secret_free() wipes. The text is locked in memory where the limit allows, and not in core dumps.
 */
#ifndef DAEMON_CREDENTIALS_H
#define DAEMON_CREDENTIALS_H

#include "engine/base/buf.h"

struct secret;

/* Reads DIRECTORY/NAME. One line end after the secret is not part of it. */
MUST_USE enum rc secret_read(const char *directory, const char *name, struct secret **out_secret,
                             struct buf *out_error);
void secret_free(struct secret *secret);

const char *secret_text(const struct secret *secret);

/* Other processes of the same user may neither trace this one nor find its memory in a core dump. */
void credentials_protect_process(void);

#endif
