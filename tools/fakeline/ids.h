/* ids - the identifiers LINE hands out: request ids, event ids, reply tokens, message ids.
 *
 * Shape    a run number and a counter, so that two runs of fakeline never hand out the same: stepd
 *          remembers event ids across a restart of either.
 * Units    text, terminated.
 * Errors   none.
 * Owner    plain values; the caller draws the run number.
 */
#ifndef FAKELINE_IDS_H
#define FAKELINE_IDS_H

#include <stdint.h>

struct ids {
    uint64_t run;
    uint64_t next;
};

enum { REQUEST_ID_BYTES = 37, EVENT_ID_BYTES = 27, TOKEN_BYTES = 33, MESSAGE_ID_BYTES = 21 };

void ids_request(struct ids *ids, char out[REQUEST_ID_BYTES]);            /* a UUID */
void ids_event(struct ids *ids, int64_t at_ms, char out[EVENT_ID_BYTES]); /* a ULID */
void ids_token(struct ids *ids, char out[TOKEN_BYTES]);                   /* 32 hex digits */
void ids_message(struct ids *ids, char out[MESSAGE_ID_BYTES]);            /* digits beyond 2^53 */

#endif
