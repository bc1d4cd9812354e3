#include "daemon/parcel.h"

#include "engine/base/checksum.h"
#include "proto/line_message.h"
#include <assert.h>
#include <stdlib.h>

#define PUSH_GIVE_UP_MS (23 * MS_PER_HOUR)    /* SPEC R40, R48: inside LINE's 24 h */
#define REPLY_GIVE_UP_MS (50 * MS_PER_SECOND) /* SPEC R10: of the token's minute */
#define REST_MAX_MS (5 * MS_PER_MINUTE)
enum { REST_DOUBLINGS_MAX = 10 };

static void
render(struct parcel *parcel, const struct state *state, const struct delivery *row)
{
    struct span *values = calloc(row->value_count + 1, sizeof(*values));
    assert(values != NULL);
    for (uint32_t i = 0; i < row->value_count; i++) {
        values[i] = span_cstr(row->values[i]);
    }
    struct buf messages = {0};
    line_messages_render(row->definitions, row->items, row->item_count, values, row->value_count,
                         &messages);
    assert(messages.rc == RC_OK);
    struct span to = row->how == HOW_REPLY ? span_cstr(row->token)
                                           : span_cstr(state->friends[row->friend].line_id);
    if (row->how == HOW_REPLY) {
        line_reply_body(to, buf_span(&messages), &parcel->body);
    } else {
        line_push_body(to, buf_span(&messages), &parcel->body);
    }
    assert(parcel->body.rc == RC_OK);
    parcel->rendered = to.len > 0 && checksum_of(messages.data, messages.len) == row->body_hash;
    buf_fini(&messages);
    free(values);
}

struct parcel *
parcel_new(const struct state *state, uint32_t row_index, void *desk)
{
    const struct delivery *row = &state->deliveries[row_index];
    assert(row->phase == DELIVERY_INTENDED);
    struct parcel *parcel = calloc(1, sizeof(*parcel));
    assert(parcel != NULL);
    parcel->desk = desk;
    parcel->delivery = row->seq;
    parcel->friend = row->friend;
    parcel->how = row->how;
    parcel->give_up_ms = row->how == HOW_REPLY ? row->token_at_ms + REPLY_GIVE_UP_MS
                                               : row->intended_ms + PUSH_GIVE_UP_MS;
    retry_key(state->run_ids[row->claim], row->intent_seq, parcel->retry_key);
    render(parcel, state, row);
    return parcel;
}

void
parcel_free(struct parcel *parcel)
{
    if (parcel == NULL) {
        return;
    }
    buf_fini(&parcel->body);
    free(parcel);
}

static bool
says(const struct line_answer *answer, const char *text)
{
    return answer->body.len > 0 &&
           memmem(answer->body.data, answer->body.len, text, strlen(text)) != NULL;
}

static struct parcel_verdict
judge_push(struct parcel *parcel, const struct line_answer *answer)
{
    if (answer->transport != LINE_ANSWERED) {
        parcel->left_before = parcel->left_before || answer->transport == LINE_UNCERTAIN;
        return (struct parcel_verdict){.again = true};
    }
    uint32_t status = answer->status;
    if ((status >= 200 && status < 300) || status == 409) {
        return (struct parcel_verdict){.result = RESULT_SENT};
    }
    /* 429 and 401 were not accepted; the same key stays good (FACTS 2.3). */
    if (status < 400 || status >= 500 || status == 429 || status == 401) {
        return (struct parcel_verdict){.again = true};
    }
    return (struct parcel_verdict){.result = RESULT_FAILED};
}

static struct parcel_verdict
judge_reply(struct parcel *parcel, const struct line_answer *answer)
{
    bool left_before = parcel->left_before;
    if (answer->transport == LINE_NOT_SENT) {
        /* This attempt never left; an earlier one may have. */
        return left_before ? (struct parcel_verdict){.again = true}
                           : (struct parcel_verdict){.result = RESULT_RETURNED};
    }
    uint32_t status = answer->status;
    if (answer->transport == LINE_UNCERTAIN || status < 200 || status >= 500 ||
        (status >= 300 && status < 400)) {
        parcel->left_before = true;
        return (struct parcel_verdict){.again = true};
    }
    if (status < 300) {
        return (struct parcel_verdict){.result = RESULT_SENT, .presumed = left_before};
    }
    if (status == 400 && says(answer, "Invalid reply token")) {
        return left_before ? (struct parcel_verdict){.result = RESULT_SENT, .presumed = true}
                           : (struct parcel_verdict){.result = RESULT_RETURNED};
    }
    if (status == 429 || status == 401) {
        return left_before ? (struct parcel_verdict){.again = true}
                           : (struct parcel_verdict){.result = RESULT_RETURNED};
    }
    return (struct parcel_verdict){.result = RESULT_FAILED};
}

struct parcel_verdict
parcel_judge(struct parcel *parcel, const struct line_answer *answer)
{
    return parcel->how == HOW_REPLY ? judge_reply(parcel, answer) : judge_push(parcel, answer);
}

int64_t
parcel_rest_ms(const struct parcel *parcel)
{
    uint32_t doublings = parcel->attempts == 0 ? 0 : parcel->attempts - 1;
    if (doublings > REST_DOUBLINGS_MAX) {
        doublings = REST_DOUBLINGS_MAX;
    }
    int64_t rest_ms = MS_PER_SECOND << doublings;
    return rest_ms > REST_MAX_MS ? REST_MAX_MS : rest_ms;
}
