/* accepted - what LINE has taken on, once each, and the retry keys that see to "once".
 *
 * Shape    an acceptance becomes a row and, with a retry key, is remembered under it. A key lives 24 h from the
 *          first request that bore it, accepted or not (FACTS 2.3); after that it is a new one, and the same
 *          message is accepted again.
 * Units    at_ms: fakeline's clock, UTC milliseconds. at_us: the machine's real time, microseconds.
 * Errors   none.
 * Owner    accepted_new() and accepted_free(); texts looked up are borrowed until the next call.
 */
#ifndef FAKELINE_ACCEPTED_H
#define FAKELINE_ACCEPTED_H

#include "tools/fakeline/ids.h"
#include "tools/fakeline/rows.h"

enum { RETRY_KEY_LIFE_MS = 24 * 3600 * 1000 };

struct acceptance {
    const char *endpoint;  /* "push", "reply", "multicast" */
    json_t *to;            /* array of ids; borrowed */
    json_t *blocked;       /* those of them who do not see it; borrowed */
    json_t *messages;      /* borrowed */
    json_t *sent;          /* sentMessages of the answer, or NULL; borrowed */
    const char *retry_key; /* or NULL */
    const char *request_id;
    int64_t at_ms, at_us;
    size_t counted; /* how many count to the quota */
};

struct accepted;

struct accepted *accepted_new(void);
void accepted_free(struct accepted *accepted);
void accepted_clear(struct accepted *accepted);

/* A request bears this key: true when it was accepted before. The sentMessages, for push, as JSON text. */
bool accepted_before(struct accepted *accepted, const char *retry_key, int64_t now_ms,
                     const char **out_request_id, const char **out_sent);
void accepted_add(struct accepted *accepted, const struct acceptance *acceptance);

const struct rows *accepted_rows(const struct accepted *accepted);
uint64_t accepted_usage(const struct accepted *accepted); /* what counted to the quota */

#endif
