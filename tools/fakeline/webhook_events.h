/* webhook_events - a webhook's body as LINE would make it of the events a tester wrote down.
 *
 * Shape    fills in what is missing (webhookEventId, timestamp, mode, deliveryContext, and replyToken where this
 *          kind of event has one) and issues the reply tokens. An explicit null means: leave it out.
 * Units    UTC milliseconds.
 * Errors   RC_INVALID with a sentence.
 * Owner    out_body is the caller's; events come back as a new reference.
 */
#ifndef FAKELINE_WEBHOOK_EVENTS_H
#define FAKELINE_WEBHOOK_EVENTS_H

#include "tools/fakeline/platform.h"

/* command: what POST /fakeline/webhook got. With "raw" its bytes are the body as they are, and the tokens in
 * it are issued where it can be read. */
MUST_USE enum rc webhook_body_make(struct platform *platform, const json_t *command, int64_t now_ms,
                                   struct buf *out_body, json_t **out_events,
                                   const char **out_problem);

#endif
