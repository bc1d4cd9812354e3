#include "daemon/parcel.h"

#include "engine/base/checksum.h"
#include "proto/line_message.h"
#include <assert.h>
#include <stdlib.h>

#define PUSH_GIVE_UP_MS (23 * MS_PER_HOUR)    /* SPEC R40, R48: inside LINE's 24 h */
#define REPLY_GIVE_UP_MS (50 * MS_PER_SECOND) /* SPEC R10: of the token's minute */
#define REST_MAX_MS MS_PER_MINUTE
#define USER_REST_MAX_MS MS_PER_HOUR /* one user has had too much: others are not concerned */
enum { REST_DOUBLINGS_MAX = 10 };

static void
write_envelope(struct parcel *parcel, const struct state *state, const struct delivery *row,
               struct span messages)
{
    if (row->how == HOW_REPLY) {
        line_reply_body(span_cstr(row->token), messages, &parcel->body);
        parcel->rendered = row->token != NULL;
        return;
    }
    uint32_t count = parcel->friends == NULL ? 1 : parcel->friend_count;
    struct span *to = calloc(count, sizeof(*to));
    char(*rooms)[LINE_ID_ROOM] = calloc(count, sizeof(*rooms));
    assert(to != NULL && rooms != NULL);
    parcel->rendered = true;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t friend = parcel->friends == NULL ? parcel->friend : parcel->friends[i];
        to[i] = span_cstr(state_line_id(state, friend, rooms[i]));
        parcel->rendered = parcel->rendered && to[i].len > 0; /* else forgotten */
    }
    if (parcel->friends == NULL) {
        line_push_body(to[0], messages, &parcel->body);
    } else {
        line_multicast_body(to, count, messages, &parcel->body);
    }
    free(to);
    free(rooms);
}

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
    write_envelope(parcel, state, row, buf_span(&messages));
    assert(parcel->body.rc == RC_OK);
    parcel->rendered =
        parcel->rendered && checksum_of(messages.data, messages.len) == row->body_hash;
    buf_fini(&messages);
    free(values);
}

/* Those who share the request; not rendered where one of them is missing: it was another request. */
static void
gather(struct parcel *parcel, const struct state *state, const uint32_t *rows, uint32_t count)
{
    parcel->friends = calloc(count, sizeof(*parcel->friends));
    assert(parcel->friends != NULL);
    parcel->friend_count = count;
    for (uint32_t i = 0; i < count; i++) {
        parcel->friends[i] = state_delivery(state, rows[i])->friend;
    }
}

struct parcel *
parcel_new(const struct state *state, const uint32_t *rows, uint32_t count, void *desk)
{
    const struct delivery *row = state_delivery(state, rows[0]);
    assert(row->phase == DELIVERY_INTENDED);
    struct parcel *parcel = calloc(1, sizeof(*parcel));
    assert(parcel != NULL);
    parcel->desk = desk;
    parcel->delivery = row->crowd > 0 ? row->intent_seq : row->seq;
    parcel->friend = row->friend;
    parcel->how = row->how;
    parcel->endpoint = row->how == HOW_REPLY ? LINE_REPLY
                       : row->crowd > 0      ? LINE_MULTICAST
                                             : LINE_PUSH;
    parcel->message_class = row->message_class;
    parcel->give_up_ms = row->how == HOW_REPLY ? row->token_at_ms + REPLY_GIVE_UP_MS
                                               : row->intended_ms + PUSH_GIVE_UP_MS;
    retry_key(state->run_ids[row->claim], row->intent_seq, parcel->retry_key);
    if (row->crowd > 0) {
        gather(parcel, state, rows, count);
    }
    render(parcel, state, row);
    parcel->rendered = parcel->rendered && (row->crowd == 0 || row->crowd == count);
    return parcel;
}

void
parcel_free(struct parcel *parcel)
{
    if (parcel == NULL) {
        return;
    }
    buf_fini(&parcel->body);
    free(parcel->friends);
    free(parcel);
}

static bool
says(const struct line_answer *answer, const char *text)
{
    return answer->body.len > 0 &&
           memmem(answer->body.data, answer->body.len, text, strlen(text)) != NULL;
}

static enum line_limit
limit_of(const struct line_answer *answer)
{
    if (answer->transport != LINE_ANSWERED || answer->status != 429) {
        return LIMIT_NONE;
    }
    if (says(answer, "monthly limit")) {
        return LIMIT_MONTH;
    }
    /* The words of the third kind are not published: it is what is none of the others. */
    return says(answer, "rate limit") || answer->body.len == 0 ? LIMIT_RATE : LIMIT_USER;
}

static enum pacing_news
news_of(const struct line_answer *answer, enum line_limit limit)
{
    if (limit != LIMIT_NONE) {
        return limit == LIMIT_RATE ? NEWS_SLOW : NEWS_NONE;
    }
    bool well = answer->transport == LINE_ANSWERED && answer->status >= 200 &&
                answer->status < 500 && answer->status != 401;
    return well ? NEWS_GOOD : NEWS_BAD;
}

/* Did LINE say, or show, that it has not accepted this attempt? 429 and 401 do (FACTS 2.3). */
static bool
is_harmless(const struct line_answer *answer)
{
    return answer->transport == LINE_NOT_SENT ||
           (answer->transport == LINE_ANSWERED && (answer->status == 429 || answer->status == 401));
}

static bool
is_doubtful(const struct line_answer *answer)
{
    uint32_t status = answer->status;
    return answer->transport == LINE_UNCERTAIN ||
           (answer->transport == LINE_ANSWERED &&
            (status < 200 || status >= 500 || (status >= 300 && status < 400)));
}

static struct parcel_verdict
judge_push(const struct parcel *parcel, const struct line_answer *answer, enum line_limit limit)
{
    if (is_doubtful(answer)) {
        return (struct parcel_verdict){.again = true};
    }
    if (is_harmless(answer)) {
        /* Due again, and held where people see it held (SPEC R11), unless an earlier try is in doubt. */
        bool back = limit == LIMIT_MONTH && !parcel->left_before;
        return (struct parcel_verdict){.again = !back, .result = RESULT_RETURNED, .bad = NO_ID};
    }
    bool sent = answer->status < 300 || answer->status == 409;
    return (struct parcel_verdict){.result = sent ? RESULT_SENT : RESULT_FAILED, .bad = NO_ID};
}

/* "The property, to[1], in the request body is invalid": which of the ids LINE refuses; NO_ID: it does not
 * say. */
static uint32_t
bad_id(const struct parcel *parcel, const struct line_answer *answer)
{
    static const char before[] = "to[";
    const char *at = answer->body.len == 0
                         ? NULL
                         : memmem(answer->body.data, answer->body.len, before, strlen(before));
    if (at == NULL) {
        return NO_ID;
    }
    const char *end = (const char *)answer->body.data + answer->body.len;
    uint32_t index = 0, digits = 0;
    for (at += strlen(before); at < end && *at >= '0' && *at <= '9' && digits < 4; at++, digits++) {
        index = index * 10 + (uint32_t)(*at - '0');
    }
    bool named = digits > 0 && at < end && *at == ']' && index < parcel->friend_count;
    return named ? index : NO_ID;
}

/* A request to many is all or nothing (FACTS 2): what one of them causes must not hit the others. */
static struct parcel_verdict
judge_many(const struct parcel *parcel, const struct line_answer *answer, enum line_limit limit)
{
    struct parcel_verdict verdict = judge_push(parcel, answer, limit);
    if (verdict.again || verdict.result != RESULT_FAILED || answer->status != 400) {
        return verdict;
    }
    verdict.bad = bad_id(parcel, answer);
    if (verdict.bad != NO_ID) {
        verdict.result = RESULT_RETURNED;
    } else if (says(answer, "Failed to send messages") || says(answer, "'to'")) {
        verdict.result = RESULT_ALONE;
    }
    return verdict;
}

static struct parcel_verdict
judge_reply(const struct parcel *parcel, const struct line_answer *answer, bool left_before)
{
    if (is_doubtful(answer)) {
        return (struct parcel_verdict){.again = true};
    }
    if (is_harmless(answer)) {
        /* This attempt never left; an earlier one may have. */
        return (struct parcel_verdict){.again = parcel->left_before, .result = RESULT_RETURNED};
    }
    if (answer->status < 300) {
        return (struct parcel_verdict){.result = RESULT_SENT, .presumed = left_before};
    }
    if (answer->status == 400 && says(answer, "Invalid reply token")) {
        return left_before ? (struct parcel_verdict){.result = RESULT_SENT, .presumed = true}
                           : (struct parcel_verdict){.result = RESULT_RETURNED};
    }
    return (struct parcel_verdict){.result = RESULT_FAILED};
}

struct parcel_verdict
parcel_judge(struct parcel *parcel, const struct line_answer *answer)
{
    bool left_before = parcel->left_before;
    enum line_limit limit = limit_of(answer);
    parcel->left_before = left_before || is_doubtful(answer);
    struct parcel_verdict verdict = parcel->how == HOW_REPLY
                                        ? judge_reply(parcel, answer, left_before)
                                    : parcel->friends != NULL ? judge_many(parcel, answer, limit)
                                                              : judge_push(parcel, answer, limit);
    if (verdict.result != RESULT_RETURNED || parcel->friends == NULL) {
        verdict.bad = NO_ID;
    }
    verdict.limit = limit;
    verdict.news = news_of(answer, limit);
    return verdict;
}

struct parcel_verdict
parcel_give_up(const struct parcel *parcel)
{
    return (struct parcel_verdict){.result = parcel->left_before ? RESULT_UNKNOWN : RESULT_RETURNED,
                                   .bad = NO_ID};
}

int64_t
parcel_rest_ms(const struct parcel *parcel, enum line_limit limit)
{
    uint32_t doublings = parcel->attempts == 0 ? 0 : parcel->attempts - 1;
    if (doublings > REST_DOUBLINGS_MAX) {
        doublings = REST_DOUBLINGS_MAX;
    }
    bool user = limit == LIMIT_USER || limit == LIMIT_MONTH;
    int64_t max_ms = user ? USER_REST_MAX_MS : REST_MAX_MS;
    int64_t rest_ms = (user ? MS_PER_MINUTE : MS_PER_SECOND) << doublings;
    return rest_ms > max_ms ? max_ms : rest_ms;
}
