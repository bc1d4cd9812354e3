/* What holds the loop for a moment, and says how long: the state's digest, and the end of compacting. */
#include "daemon/api_call.h"

#include <inttypes.h>
#include <stdio.h>

void
api_get_digest(struct api_call *call)
{
    int64_t began_us = clock_mono_us();
    char digest[17];
    snprintf(digest, sizeof(digest), "%016" PRIx64, state_digest(call->state));
    api_ok(call, API_NOW,
           json_pack("{s:s,s:I,s:I}", "digest", digest, "event", (json_int_t)call->state->seq,
                     "held_us", (json_int_t)(clock_mono_us() - began_us)));
}

/* Nothing has changed: the log goes on as it was. */
static void
refuse_exchange(struct api_call *call, enum rc rc, const char *why)
{
    switch (rc) {
    case RC_AGAIN:
    case RC_BUSY:
        api_error(call->reply, API_CONFLICT, "'steplog compact' brings its copy up to date", "%s",
                  why);
        return;
    case RC_NOT_FOUND:
        api_error(call->reply, API_NOT_FOUND, "steplog compact", "%s", why);
        return;
    default:
        api_error(call->reply, rc == RC_REFUSED ? API_REFUSED : API_FAILED, NULL, "%s", why);
        return;
    }
}

void
api_post_exchange(struct api_call *call)
{
    static const char *const KEYS[] = {NULL};
    struct buf error = {0};
    if (!api_body_keys(call, KEYS)) {
        return;
    }
    int64_t began_us = clock_mono_us();
    enum rc rc = core_exchange(call->api->options.core, &error);
    if (rc == RC_OK) {
        api_ok(call, API_NOW,
               json_pack("{s:I,s:I}", "claim", (json_int_t)call->state->claim.seq, "held_ms",
                         (json_int_t)((clock_mono_us() - began_us + 999) / 1000)));
    } else {
        refuse_exchange(call, rc, error.len > 0 ? buf_cstr(&error) : rc_name(rc));
    }
    buf_fini(&error);
}
