/* Deliveries whose outcome nobody knows: what they are, and what an operator decides (SPEC R48). */
#include "daemon/api_call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const DECISIONS[] = {
    [RESULT_SENT] = "sent", [RESULT_FAILED] = "failed", [RESULT_RETURNED] = "sent anew"};

/* What there was instead of a clear answer. */
static json_t *
why_json(const struct unknown_row *row)
{
    if (row->reason != REASON_NONE) {
        return json_string(reason_name(row->reason));
    }
    return row->code == 0 ? json_string("no answer") : json_sprintf("HTTP %u", (unsigned)row->code);
}

static json_t *
row_json(const struct api_call *call, const struct unknown_row *row)
{
    return json_pack("{s:I,s:I,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:s,s:o,s:I,s:o,s:o,s:o}", "delivery",
                     (json_int_t)row->delivery, "friend", (json_int_t)row->friend, "user_id",
                     api_user_id(call, row->friend), "name",
                     api_text(state_name(call->state, row->friend)), "due",
                     api_instant(call, row->due_ms), "source",
                     api_items_source(call, row->items, row->item_count), "templates",
                     api_items_templates(call, row->items, row->item_count), "first_sent",
                     api_instant(call, row->first_ms), "given_up", api_instant(call, row->at_ms),
                     "how", how_name(row->how), "why", why_json(row), "together",
                     (json_int_t)(row->crowd == 0 ? 1 : row->crowd), "decision",
                     api_text(row->decision == 0 ? NULL : DECISIONS[row->decision]), "anew",
                     row->anew == 0 ? json_null() : json_integer((json_int_t)row->anew), "not_anew",
                     api_text(unknown_refusal(call->state, row)));
}

void
api_get_unknown(struct api_call *call)
{
    const struct unknowns *unknowns = &call->state->unknowns;
    json_t *list = json_array();
    for (uint32_t i = 0; i < unknowns->count; i++) {
        const struct unknown_row *row = &unknowns->rows[i];
        if (row->decision == 0 && !state_friend(call->state, row->friend)->forgotten) {
            json_array_append_new(list, row_json(call, row));
        }
    }
    api_ok(call, API_NOW,
           json_pack("{s:o,s:I}", "deliveries", list, "dropped", (json_int_t)unknowns->dropped));
}

static bool
read_which(struct api_call *call, struct input *input)
{
    char *end = NULL;
    errno = 0;
    input->u.unknown.delivery = strtoull(call->name, &end, 10);
    if (errno != 0 || *end != '\0' || call->name[0] < '0' || call->name[0] > '9') {
        api_error(call->reply, API_INVALID, "stepctl delivery unknown lists them",
                  "'%s' is no number of a delivery", call->name);
        return false;
    }
    const json_t *friend = json_object_get(call->body, "friend");
    input->u.unknown.friend = NO_ID;
    return friend == NULL || api_friend_json(call, friend, &input->u.unknown.friend);
}

/* Is there something to decide, or was just this decided before? Sets the error. */
static bool
may_decide(struct api_call *call, const struct input *input)
{
    static const char HINT[] = "stepctl delivery unknown lists those that are";
    const struct unknowns *unknowns = &call->state->unknowns;
    bool open = false, same = false, anew = input->u.unknown.decision == RESULT_RETURNED;
    const char *refusal = NULL, *before = NULL;
    for (uint32_t i = 0; i < unknowns->count; i++) {
        const struct unknown_row *row = &unknowns->rows[i];
        if (!unknown_is(call->state, row, input->u.unknown.delivery, input->u.unknown.friend)) {
            continue;
        }
        const char *why = row->decision == 0 && anew ? unknown_refusal(call->state, row) : NULL;
        refusal = why == NULL ? refusal : why;
        open = open || (row->decision == 0 && why == NULL);
        same = same || row->decision == input->u.unknown.decision;
        before = row->decision == 0 ? before : DECISIONS[row->decision];
    }
    if (open || same) {
        return true;
    }
    if (refusal != NULL) {
        api_error(call->reply, API_CONFLICT, "stepctl delivery mark says what became of it",
                  "delivery %s cannot be sent anew: %s", call->name, refusal);
    } else if (before != NULL) {
        api_error(call->reply, API_CONFLICT, HINT,
                  "delivery %s is not unknown any more: an operator decided '%s'", call->name,
                  before);
    } else {
        api_error(call->reply, API_CONFLICT, HINT,
                  "delivery %s is not one whose outcome is unknown", call->name);
    }
    return false;
}

static void
decide(struct api_call *call, struct input *input)
{
    if (!read_which(call, input) || !may_decide(call, input)) {
        return;
    }
    json_t *seqs = json_array(), *list = json_array();
    uint32_t count;
    (void)api_input(call, input, seqs, &count);
    for (uint32_t i = 0; i < call->state->unknowns.count; i++) {
        const struct unknown_row *row = &call->state->unknowns.rows[i];
        if (unknown_is(call->state, row, input->u.unknown.delivery, input->u.unknown.friend)) {
            json_array_append_new(list, row_json(call, row));
        }
    }
    api_ok(call, API_WHEN_DURABLE, json_pack("{s:o,s:o}", "deliveries", list, "events", seqs));
}

void
api_post_delivery_mark(struct api_call *call)
{
    static const char *const KEYS[] = {"result", "friend", NULL};
    struct input input = {.kind = INPUT_UNKNOWN};
    if (!api_body_keys(call, KEYS)) {
        return;
    }
    const char *result = json_string_value(json_object_get(call->body, "result"));
    if (result == NULL || (strcmp(result, "sent") != 0 && strcmp(result, "failed") != 0)) {
        api_error(call->reply, API_INVALID, NULL, "'result' is to be sent or failed");
        return;
    }
    input.u.unknown.decision = strcmp(result, "sent") == 0 ? RESULT_SENT : RESULT_FAILED;
    decide(call, &input);
}

void
api_post_delivery_resend(struct api_call *call)
{
    static const char *const KEYS[] = {"friend", NULL};
    struct input input = {.kind = INPUT_UNKNOWN, .u.unknown = {.decision = RESULT_RETURNED}};
    if (api_body_keys(call, KEYS)) {
        decide(call, &input);
    }
}
