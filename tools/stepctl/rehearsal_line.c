#include "tools/stepctl/rehearsal_line.h"

#include "engine/civil.h"
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define TOKEN_LIFE_MS MS_PER_MINUTE
#define KEY_LIFE_MS MS_PER_DAY

struct token {
    struct span text, user;
    int64_t issued_ms;
    bool used;
};

struct fault {
    struct span user;
    enum line_fault kind;
    uint32_t status, times;
};

struct waiting {
    struct line_answer answer;
    bool faulty; /* a scripted fault, not LINE's own judgement */
    line_done_fn done;
    void *context;
};

struct scripted_line {
    struct line_client client; /* first: the client's pointer is ours */
    struct arena *arena;       /* everything said stays for the comparison */
    struct accepted *accepted;
    uint32_t accepted_count;
    struct token *tokens;
    uint32_t token_count;
    struct fault *faults;
    uint32_t fault_count;
    struct waiting *waiting;
    uint32_t waiting_head, waiting_count, waiting_capacity;
};

static const struct line_answer ACCEPTED = {
    .transport = LINE_ANSWERED, .status = 200, .retry_after_s = -1};

static struct line_answer
refusal(uint32_t status)
{
    const char *text = status == 400   ? "{\"message\":\"Invalid reply token\"}"
                       : status == 409 ? "{\"message\":\"The retry key is already accepted\"}"
                       : status == 429 ? "{\"message\":\"The API rate limit has been exceeded. "
                                         "Try again later.\"}"
                                       : "{\"message\":\"refused by the rehearsal\"}";
    return (struct line_answer){
        .transport = LINE_ANSWERED, .status = status, .body = span_cstr(text), .retry_after_s = -1};
}

/* A multicast is refused for one of its ids, which LINE names. */
static struct line_answer
refusal_of_one(struct scripted_line *line, uint32_t whom)
{
    char text[160];
    int len = snprintf(text, sizeof(text),
                       "{\"message\":\"The property, to[%u], in the request body is invalid (line: "
                       "-, column: -)\"}",
                       whom);
    struct line_answer answer = refusal(400);
    answer.body = arena_span(line->arena, span_of(text, (size_t)len));
    return answer;
}

static struct token *
find_token(struct scripted_line *line, struct span text)
{
    for (uint32_t i = line->token_count; i > 0; i--) {
        if (span_equal(line->tokens[i - 1].text, text)) {
            return &line->tokens[i - 1];
        }
    }
    return NULL;
}

static bool
key_is_known(const struct scripted_line *line, const struct line_request *request)
{
    for (uint32_t i = line->accepted_count; i > 0; i--) {
        const struct accepted *row = &line->accepted[i - 1];
        if (!row->reply && span_equal(row->key, request->retry_key)) {
            return request->now_ms - row->at_ms < KEY_LIFE_MS;
        }
    }
    return false;
}

/* A member of the request's body, as text in the arena. */
static struct span
member_of(struct scripted_line *line, struct span body, const char *name)
{
    json_t *json = json_loadb((const char *)body.data, body.len, 0, NULL);
    struct span text =
        arena_span(line->arena, span_cstr(json_string_value(json_object_get(json, name))));
    json_decref(json);
    return text;
}

static void
accept_for(struct scripted_line *line, const struct line_request *request, struct span user,
           struct span key, bool again)
{
    line->accepted =
        arena_grow(line->arena, line->accepted, line->accepted_count, sizeof(*line->accepted));
    line->accepted[line->accepted_count++] = (struct accepted){
        .at_ms = request->now_ms,
        .endpoint = request->endpoint,
        .reply = request->endpoint == LINE_REPLY,
        .again = again,
        .user = user,
        .key = arena_span(line->arena, key),
        .body = arena_span(line->arena, request->body),
    };
}

/* Whom a request is for: one, or those of a multicast. */
struct recipients {
    struct span *users; /* in the arena */
    uint32_t count;
};

static struct recipients
recipients_of(struct scripted_line *line, struct span body)
{
    json_t *json = json_loadb((const char *)body.data, body.len, 0, NULL), *one = NULL;
    const json_t *to = json_object_get(json, "to");
    struct recipients recipients = {0};
    size_t index = 0;
    recipients.users = arena_alloc(line->arena, (json_array_size(to) + 1) * sizeof(struct span));
    json_array_foreach(to, index, one)
    {
        recipients.users[recipients.count++] =
            arena_span(line->arena, span_cstr(json_string_value(one)));
    }
    if (json_is_string(to)) {
        recipients.users[recipients.count++] =
            arena_span(line->arena, span_cstr(json_string_value(to)));
    }
    json_decref(json);
    return recipients;
}

static void
accept_request(struct scripted_line *line, const struct line_request *request,
               const struct recipients *recipients, struct span key)
{
    for (uint32_t i = 0; i < recipients->count; i++) {
        accept_for(line, request, recipients->users[i], key, i > 0);
    }
}

/* The first fault that waits for one of them, and for whom. */
static struct fault *
next_fault(struct scripted_line *line, const struct recipients *recipients, uint32_t *out_whom)
{
    for (uint32_t i = 0; i < line->fault_count; i++) {
        struct fault *fault = &line->faults[i];
        for (uint32_t j = 0; j < recipients->count && fault->times > 0; j++) {
            if (span_equal(fault->user, recipients->users[j])) {
                fault->times--;
                *out_whom = j;
                return fault;
            }
        }
    }
    return NULL;
}

/* What LINE itself would say; accepts what it would accept. */
static struct line_answer
judge(struct scripted_line *line, const struct line_request *request,
      const struct recipients *recipients, struct token *token, struct span key)
{
    if (request->endpoint == LINE_REPLY) {
        if (request->retry_key.len > 0 || token == NULL || token->used ||
            request->now_ms - token->issued_ms > TOKEN_LIFE_MS) {
            return refusal(400);
        }
        token->used = true;
    } else if (request->retry_key.len > 0 && key_is_known(line, request)) {
        return refusal(409);
    }
    accept_request(line, request, recipients, key);
    return ACCEPTED;
}

static struct line_answer
answer_to(struct scripted_line *line, const struct line_request *request, bool *out_faulty)
{
    *out_faulty = false;
    if (!line_endpoints[request->endpoint].post) {
        return refusal(404); /* no profiles and no bot here */
    }
    struct token *token = NULL;
    struct span key = request->retry_key;
    struct recipients recipients = {0};
    if (request->endpoint == LINE_REPLY) {
        key = member_of(line, request->body, "replyToken");
        token = find_token(line, key);
        recipients.users = token == NULL ? NULL : &token->user;
        recipients.count = token == NULL ? 0 : 1;
    } else {
        recipients = recipients_of(line, request->body);
    }
    uint32_t whom = 0;
    const struct fault *fault = next_fault(line, &recipients, &whom);
    if (fault == NULL) {
        return judge(line, request, &recipients, token, key);
    }
    *out_faulty = true;
    switch (fault->kind) {
    case FAULT_STATUS:
        if (fault->status == 409) { /* "already accepted" is only said of what was */
            (void)judge(line, request, &recipients, token, key);
        }
        return fault->status == 400 && request->endpoint == LINE_MULTICAST
                   ? refusal_of_one(line, whom)
                   : refusal(fault->status);
    case FAULT_DROP:
        (void)judge(line, request, &recipients, token, key);
        break;
    case FAULT_TIMEOUT:
        break;
    }
    return (struct line_answer){.transport = LINE_UNCERTAIN,
                                .retry_after_s = -1,
                                .error = fault->kind == FAULT_DROP ? "connection cut" : "time-out"};
}

static void
line_send(struct line_client *client, const struct line_request *request, line_done_fn done,
          void *context)
{
    struct scripted_line *line = (struct scripted_line *)client;
    uint32_t end = line->waiting_head + line->waiting_count;
    if (end == line->waiting_capacity) {
        line->waiting_capacity = line->waiting_capacity == 0 ? 64 : line->waiting_capacity * 2;
        line->waiting = realloc(line->waiting, line->waiting_capacity * sizeof(*line->waiting));
        assert(line->waiting != NULL);
    }
    struct waiting *waiting = &line->waiting[end];
    *waiting = (struct waiting){.done = done, .context = context};
    waiting->answer = answer_to(line, request, &waiting->faulty);
    line->waiting_count++;
}

/* The daemon's client ends with the daemon; the script goes on. */
static void
line_client_free(struct line_client *client)
{
    scripted_line_forget((struct scripted_line *)client);
}

struct scripted_line *
scripted_line_new(struct arena *arena)
{
    struct scripted_line *line = calloc(1, sizeof(*line));
    assert(line != NULL);
    line->client = (struct line_client){.send = line_send, .free = line_client_free};
    line->arena = arena;
    return line;
}

void
scripted_line_free(struct scripted_line *line)
{
    if (line != NULL) {
        free(line->waiting);
        free(line);
    }
}

struct line_client *
scripted_line_client(struct scripted_line *line)
{
    return &line->client;
}

void
scripted_line_issue(struct scripted_line *line, struct span token, struct span user, int64_t at_ms)
{
    const struct token *before = find_token(line, token);
    bool used = before != NULL && before->used; /* a redelivery does not refill it */
    line->tokens = arena_grow(line->arena, line->tokens, line->token_count, sizeof(*line->tokens));
    line->tokens[line->token_count++] = (struct token){
        .text = arena_span(line->arena, token),
        .user = arena_span(line->arena, user),
        .issued_ms = at_ms,
        .used = used,
    };
}

void
scripted_line_fault(struct scripted_line *line, struct span user, enum line_fault fault,
                    uint32_t status, uint32_t times)
{
    line->faults = arena_grow(line->arena, line->faults, line->fault_count, sizeof(*line->faults));
    line->faults[line->fault_count++] = (struct fault){
        .user = arena_span(line->arena, user), .kind = fault, .status = status, .times = times};
}

uint32_t
scripted_line_answer(struct scripted_line *line)
{
    uint32_t answered = 0;
    for (uint32_t left = line->waiting_count; left > 0 && line->waiting_count > 0; left--) {
        struct waiting next = line->waiting[line->waiting_head++];
        line->waiting_count--;
        if (line->waiting_count == 0) {
            line->waiting_head = 0;
        }
        next.done(next.context, &next.answer);
        answered++;
    }
    return answered;
}

bool
scripted_line_may_cut(const struct scripted_line *line)
{
    bool faulty = false;
    for (uint32_t i = 0; i < line->waiting_count; i++) {
        faulty = faulty || line->waiting[line->waiting_head + i].faulty;
    }
    return line->waiting_count > 0 && !faulty;
}

void
scripted_line_forget(struct scripted_line *line)
{
    line->waiting_head = 0;
    line->waiting_count = 0;
}

const struct accepted *
scripted_line_accepted(const struct scripted_line *line, uint32_t *out_count)
{
    *out_count = line->accepted_count;
    return line->accepted;
}
