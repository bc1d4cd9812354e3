/* Segments: how many friends meet a condition, and which (SPEC R24). */
#include "daemon/api_call.h"

#include "engine/segment.h"
#include "engine/tables.h"

#include <string.h>

/* The query's condition against the definitions in force. False: refused, and said. */
static bool
read_where(struct api_call *call, const char *text, struct condition *out_condition)
{
    struct buf error = {0};
    enum rc rc = definition_condition(span_cstr(text), call->definitions, call->api->arena,
                                      out_condition, &error);
    if (rc != RC_OK) {
        api_error(call->reply, API_INVALID, "tag:vip and not tag:bought", "%s", buf_cstr(&error));
    }
    buf_fini(&error);
    return rc == RC_OK;
}

static const char *
where_text(const struct api_call *call)
{
    return call->request->query == NULL
               ? NULL
               : call->request->query(call->request->query_context, "where");
}

static struct inquiry
inquiry_now(const struct api_call *call)
{
    return (struct inquiry){.state = call->state, .now_ms = api_now_ms(call)};
}

bool
api_query_members(struct api_call *call, struct bitmap **out_members)
{
    const char *text = where_text(call);
    struct condition condition;
    *out_members = NULL;
    if (text == NULL) {
        return true;
    }
    if (!read_where(call, text, &condition)) {
        return false;
    }
    struct inquiry inquiry = inquiry_now(call);
    *out_members = segment_members(&inquiry, &condition);
    return true;
}

void
api_get_segment_count(struct api_call *call)
{
    const char *text = where_text(call);
    struct condition condition;
    if (text == NULL) {
        api_error(call->reply, API_INVALID, "where=everyone", "'where' is missing");
        return;
    }
    if (!read_where(call, text, &condition)) {
        return;
    }
    struct inquiry inquiry = inquiry_now(call);
    api_ok(call, API_NOW,
           json_pack("{s:o,s:I,s:I,s:I}", "where", api_text(text), "friends",
                     (json_int_t)segment_count(&inquiry, &condition), "reachable",
                     (json_int_t)segment_count_reachable(&inquiry, &condition), "of",
                     (json_int_t)call->state->friends.count));
}
