/* line_api - LINE's side of the Messaging API: one call in, one answer out.
 *
 * Shape    order of judgement: path, token, fault, media type, size, JSON, retry key, recipients, messages, quota. All
 *          or nothing: what is not answered 200 has changed nothing (FACTS 2). Each call becomes a row of requests.
 * Units    now_ms: fakeline's clock; now_us: the machine's.
 * Errors   are answers, with LINE's texts, which are the only way to tell them apart (FACTS 1).
 * Owner    the call is borrowed; answer.body is a new reference.
 */
#ifndef FAKELINE_LINE_API_H
#define FAKELINE_LINE_API_H

#include "tools/fakeline/platform.h"

struct api_call {
    const char *method, *path;
    const char *authorization, *content_type, *retry_key; /* headers, or NULL */
    struct span body;
    int64_t now_ms, now_us;
};

struct api_answer {
    unsigned status;
    json_t *body;
    char request_id[REQUEST_ID_BYTES];
    char accepted_request_id[REQUEST_ID_BYTES]; /* of a 409; "" otherwise */
    struct fault fault; /* how the answer is to be kept from the caller, where it is */
};

void line_api_answer(struct platform *platform, const struct api_call *call,
                     struct api_answer *out_answer);

#endif
