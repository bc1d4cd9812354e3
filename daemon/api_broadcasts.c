/* Broadcasts: what they are and how they stand, cancelling one, changing its fit (SPEC R33, R11). */
#include "daemon/api_call.h"
#include "engine/turn.h"
#include "proto/describe.h"

#include <string.h>

static const char *const PHASES[] = {
    [BROADCAST_WAITING] = "waiting", [BROADCAST_CHOOSING] = "choosing",
    [BROADCAST_SENDING] = "sending", [BROADCAST_HELD] = "held",
    [BROADCAST_DONE] = "done",
};

static json_t *
broadcast_json(const struct api_call *call, uint32_t id)
{
    static const struct broadcast_row NOTHING = {0};
    const struct broadcast *broadcast = &call->definitions->broadcasts[id];
    const struct broadcast_row *row =
        id < call->state->broadcast_capacity ? &call->state->broadcasts[id] : &NOTHING;
    bool partial = row->fit_set ? row->partial : broadcast->partial;
    struct buf to = {0};
    describe_condition(call->definitions, &broadcast->to, &to);
    json_t *json = json_pack(
        "{s:o,s:o,s:o,s:o,s:s,s:s,s:I}", "id",
        api_text(names_text(&call->definitions->broadcast_names, id)), "title",
        api_text(broadcast->title), "at",
        api_instant(call, broadcast->recurs ? broadcast_wake(call->state, id) : broadcast->at_ms),
        "to", api_span(buf_span(&to)), "phase", PHASES[row->phase], "fit",
        partial ? "partial" : "all_or_none", "audience", (json_int_t)row->audience_count);
    buf_fini(&to);
    return json;
}

void
api_get_broadcasts(struct api_call *call)
{
    const struct names *names = &call->definitions->broadcast_names;
    json_t *list = json_array();
    for (uint32_t id = 0; id < names->count; id++) {
        if (names->items[id].in_force) {
            json_array_append_new(list, broadcast_json(call, id));
        }
    }
    api_ok(call, API_NOW, json_pack("{s:o}", "broadcasts", list));
}

static void
answer(struct api_call *call, struct input *input)
{
    json_t *seqs = json_array();
    uint32_t count;
    (void)api_input(call, input, seqs, &count);
    json_t *body = broadcast_json(call, input->u.broadcast.broadcast);
    json_object_set_new(body, "events", seqs);
    api_ok(call, API_WHEN_DURABLE, body);
}

void
api_post_broadcast_cancel(struct api_call *call)
{
    static const char *const KEYS[] = {NULL};
    struct input input = {.kind = INPUT_BROADCAST_CANCEL};
    uint32_t *id = &input.u.broadcast.broadcast;
    if (!api_name(call, &call->definitions->broadcast_names, "broadcast", call->name, id) ||
        !api_body_keys(call, KEYS)) {
        return;
    }
    enum broadcast_phase phase = *id < call->state->broadcast_capacity
                                     ? call->state->broadcasts[*id].phase
                                     : BROADCAST_WAITING;
    if (phase == BROADCAST_SENDING || phase == BROADCAST_DONE) {
        api_error(call->reply, API_CONFLICT, NULL, "broadcast '%s' is %s already", call->name,
                  phase == BROADCAST_DONE ? "done" : "on its way");
        return;
    }
    answer(call, &input);
}

void
api_post_broadcast_fit(struct api_call *call)
{
    static const char *const KEYS[] = {"fit", NULL};
    struct input input = {.kind = INPUT_BROADCAST_FIT};
    const char *fit = json_string_value(json_object_get(call->body, "fit"));
    if (!api_name(call, &call->definitions->broadcast_names, "broadcast", call->name,
                  &input.u.broadcast.broadcast) ||
        !api_body_keys(call, KEYS)) {
        return;
    }
    if (fit == NULL || (strcmp(fit, "partial") != 0 && strcmp(fit, "all_or_none") != 0)) {
        api_error(call->reply, API_INVALID, NULL, "'fit' is to be partial or all_or_none");
        return;
    }
    input.u.broadcast.partial = strcmp(fit, "partial") == 0;
    answer(call, &input);
}
