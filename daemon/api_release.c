/* A copied or restored directory is let send again (SPEC R45); a friend is forgotten (SPEC R51). */
#include "daemon/api_call.h"
#include "daemon/erasing.h"
#include "daemon/held.h"
#include "daemon/instant.h"

json_t *
api_copied(struct api_call *call, struct buf *out_text)
{
    struct held_gap gap;
    struct core *core = call->api->options.core;
    if (held_look(core, call->api->arena, &gap) != RC_OK) {
        return json_null();
    }
    held_text(&gap, api_zone(call->api), out_text);
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:I,s:o}", "differs", gap.differs, "machine",
                     api_span(gap.machine), "path", api_span(gap.path), "claimed",
                     api_instant(call, gap.claimed_ms), "newest", api_instant(call, gap.newest_ms),
                     "due", (json_int_t)gap.due_count, "due_since",
                     api_instant(call, gap.due_since_ms));
}

static bool
read_from(struct api_call *call, int64_t *out_ms)
{
    const json_t *from = json_object_get(call->body, "from");
    struct span text = span_of(json_string_value(from), json_string_length(from));
    *out_ms = json_is_integer(from) ? json_integer_value(from) : api_now_ms(call);
    bool read =
        json_is_integer(from)
            ? instant_in_range(*out_ms)
            : json_is_string(from) && (span_equal_cstr(text, "now") ||
                                       instant_parse(text, api_zone(call->api), out_ms) == RC_OK);
    if (!read) {
        api_error(call->reply, API_INVALID, "\"2026-06-02 09:00:00\", \"now\" or UTC milliseconds",
                  "'from' is to be the instant from which what is due is sent");
    }
    return read;
}

static json_int_t
count_unknown(const struct event *events, uint32_t count)
{
    json_int_t unknown = 0;
    for (uint32_t i = 0; i < count; i++) {
        unknown += events[i].kind == EVENT_DELIVERY_OUTCOME ? 1 : 0;
    }
    return unknown;
}

void
api_post_release(struct api_call *call)
{
    static const char *const KEYS[] = {"from", NULL};
    struct input input = {.kind = INPUT_RELEASE};
    if (!api_body_keys(call, KEYS) || !read_from(call, &input.u.release.from_ms)) {
        return;
    }
    if (!held_by_claim(call->api->options.core)) {
        api_error(call->reply, API_CONFLICT, "stepctl status",
                  "this data directory is not held as a copy; there is nothing to release");
        return;
    }
    uint32_t count;
    json_t *seqs = json_array();
    const struct event *events = api_input(call, &input, seqs, &count);
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:o,s:I,s:I,s:o}", "from", api_instant(call, input.u.release.from_ms),
                     "from_ms", (json_int_t)input.u.release.from_ms, "unknown",
                     count_unknown(events, count), "events", seqs));
}

void
api_post_forget(struct api_call *call)
{
    static const char *const KEYS[] = {NULL};
    struct core *core = call->api->options.core;
    const struct forgetting_row *row = &call->state->forgetting;
    struct input input = {.kind = INPUT_FORGET};
    uint32_t friend, count;
    if (!api_friend_text(call, call->name, &friend) || !api_body_keys(call, KEYS)) {
        return;
    }
    if (row->friend != NO_ID && row->friend != friend) {
        api_error(call->reply, API_CONFLICT, "again in a moment",
                  "the words of friend %u are being erased; one after the other", row->friend);
        return;
    }
    if (state_friend(call->state, friend)->newest_seq > log_durable(core_log(core))) {
        api_ok(call, API_WHEN_READABLE, json_null()); /* the walk begins with what is in the log */
        return;
    }
    json_t *seqs = json_array();
    input.u.forget.friend = friend;
    if (!state_friend(call->state, friend)->forgotten) {
        (void)api_input(call, &input, seqs, &count);
    }
    (void)erasing_pump(core);
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:b,s:o}", "friend", (json_int_t) friend, "done",
                     (int)(row->friend == NO_ID), "events", seqs));
}
