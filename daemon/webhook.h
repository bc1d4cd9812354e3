/* webhook - what LINE posts: checked, read, decided; answered when it is durable.
 *
 * Shape    webhook_accept() verifies the signature over the raw bytes before anything is parsed, reads
 *          the body to inputs, drops what was seen before (SPEC R41) and hands the rest to the core. It
 *          knows no HTTP server: the caller sends the status, a 200 only after core_after().
 * Units    bytes; the daemon's clock.
 * Errors   as HTTP statuses: 401 signature, 413 over 1 MiB, 503 before anything is decided while stopping,
 *          failed, read-only or with a log that is slow, 200 everything else: what cannot be read is
 *          recorded as it came.
 * Owner    webhook_new()/webhook_free(); borrows core and standing, copies and wipes the secret.
 */
#ifndef DAEMON_WEBHOOK_H
#define DAEMON_WEBHOOK_H

#include "daemon/core.h"
#include "daemon/standing.h"

enum { WEBHOOK_BYTES_MAX = 1024 * 1024 };

struct webhook;

struct webhook_counts {
    uint64_t accepted;   /* bodies taken in */
    uint64_t events;     /* their events, duplicates included */
    uint64_t duplicates; /* known by their webhookEventId */
    uint64_t refused_signature, refused_size;
    uint64_t refused_busy; /* 503: stopping, failed, no room, or the log too slow */
    uint64_t unreadable, foreign;
};

struct webhook *webhook_new(struct core *core, const struct standing *standing, struct span secret);
void webhook_free(struct webhook *webhook);

/* Takes one body in. The status to answer: 200 once everything decided is durable, others at once.
 * signature: the header's value, NULL when there is none. */
unsigned webhook_accept(struct webhook *webhook, struct span body, const char *signature);

/* Counts a body that was turned away before it came here: too large (413) or no room (503). */
void webhook_count_refused(struct webhook *webhook, unsigned status);
struct webhook_counts webhook_counts(const struct webhook *webhook);

#endif
