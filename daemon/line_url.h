/* line_url - where requests may go, and the address of each.
 *
 * Shape    a base URL is https, or http on this very machine (fakeline), without user, query or fragment.
 *          Ids are percent-encoded, so that none can leave its place in the path.
 * Units    none.
 * Errors   sticky in the buf.
 * Owner    everything is borrowed.
 */
#ifndef DAEMON_LINE_URL_H
#define DAEMON_LINE_URL_H

#include "daemon/line_client.h"
#include "engine/base/buf.h"

bool line_url_allowed(const char *base_url);

/* Appends the whole URL of a request. */
void line_url_write(const char *base_url, const struct line_request *request, struct buf *url);

#endif
