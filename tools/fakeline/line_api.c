#include "tools/fakeline/line_api.h"

#include "tools/fakeline/line_rules.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { BODY_BYTES_MAX = 2 * 1024 * 1024, MULTICAST_MAX = 500 };

#define PROFILE_PATH "/v2/bot/profile/"

/* A call on its way through the checks. */
struct passage {
    struct platform *platform;
    const struct api_call *call;
    struct api_answer *answer;
    json_t *body;  /* parsed, or NULL */
    json_t *users; /* whom the call is about: array of ids */
};

struct endpoint {
    const char *method, *path, *name;
    void (*handle)(struct passage *passage);
    bool takes_key;
};

/* ---- answers ---- */

static void
answer_with(struct passage *passage, unsigned status, json_t *body)
{
    assert(passage->answer->body == NULL);
    passage->answer->status = status;
    passage->answer->body = body;
}

/* Headers and methods may hold any bytes, and JSON may not. */
static json_t *
json_text(const char *text)
{
    json_t *value = json_string(text);
    return value == NULL ? json_string("(not UTF-8)") : value;
}

static void
answer_message(struct passage *passage, unsigned status, const char *message)
{
    answer_with(passage, status, json_pack("{s:o}", "message", json_text(message)));
}

/* ---- sending ---- */

static bool
is_uuid(const char *text)
{
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i])) {
            return false;
        }
    }
    return text[36] == '\0';
}

/* True when the retry key ends the matter: malformed, or accepted before. */
static bool
answered_by_key(struct passage *passage)
{
    const char *key = passage->call->retry_key;
    const char *request_id = NULL;
    const char *sent = NULL;
    if (key == NULL) {
        return false;
    }
    if (!is_uuid(key)) {
        answer_message(passage, 400, "Invalid retry key");
        return true;
    }
    if (!accepted_before(passage->platform->accepted, key, passage->call->now_ms, &request_id,
                         &sent)) {
        return false;
    }
    answer_message(passage, 409, "The retry key is already accepted");
    if (sent != NULL) {
        json_object_set_new(passage->answer->body, "sentMessages", json_loads(sent, 0, NULL));
    }
    memcpy(passage->answer->accepted_request_id, request_id, strlen(request_id) + 1);
    return true;
}

/* The messages' ids in order, with a quote token where LINE gives one. */
static json_t *
sent_messages(struct passage *passage, const json_t *messages)
{
    static const char *const quotable[] = {"text",  "textV2",   "sticker", "image",
                                           "video", "template", "flex"};
    json_t *sent = json_array();
    size_t index = 0;
    json_t *message = NULL;
    json_array_foreach(messages, index, message)
    {
        char id[MESSAGE_ID_BYTES];
        ids_message(&passage->platform->ids, id);
        json_t *row = json_pack("{s:s}", "id", id);
        const char *type = json_string_value(json_object_get(message, "type"));
        for (size_t i = 0; i < sizeof(quotable) / sizeof(quotable[0]); i++) {
            if (strcmp(type, quotable[i]) == 0) {
                char token[TOKEN_BYTES];
                ids_token(&passage->platform->ids, token);
                json_object_set_new(row, "quoteToken", json_string(token));
            }
        }
        json_array_append_new(sent, row);
    }
    return sent;
}

static json_t *
blocked_among(const struct passage *passage)
{
    json_t *blocked = json_array();
    size_t index = 0;
    json_t *id = NULL;
    json_array_foreach(passage->users, index, id)
    {
        if (users_is_blocked(passage->platform->users, json_string_value(id))) {
            json_array_append(blocked, id);
        }
    }
    return blocked;
}

/* Messages that passed every check but the quota: the last step of push, multicast and reply. */
static void
accept_messages(struct passage *passage, const char *endpoint, bool counts, bool tells_ids)
{
    struct platform *platform = passage->platform;
    json_t *messages = json_object_get(passage->body, "messages");
    json_t *blocked = blocked_among(passage);
    size_t reached = json_array_size(passage->users) - json_array_size(blocked);
    if (counts && platform->quota > 0 &&
        accepted_usage(platform->accepted) + reached > platform->quota) {
        answer_message(passage, 429, "You have reached your monthly limit.");
        json_decref(blocked);
        return;
    }
    json_t *sent = tells_ids ? sent_messages(passage, messages) : NULL;
    const struct acceptance acceptance = {.endpoint = endpoint,
                                          .to = passage->users,
                                          .blocked = blocked,
                                          .messages = messages,
                                          .sent = sent,
                                          .retry_key = passage->call->retry_key,
                                          .request_id = passage->answer->request_id,
                                          .at_ms = passage->call->now_ms,
                                          .at_us = passage->call->now_us,
                                          .counted = counts ? reached : 0};
    accepted_add(platform->accepted, &acceptance);
    json_t *body = sent == NULL ? json_object() : json_pack("{s:o}", "sentMessages", sent);
    answer_with(passage, 200, body);
    json_decref(blocked);
}

static bool
answered_by_rules(struct passage *passage)
{
    json_t *error = line_rules_check(json_object_get(passage->body, "messages"));
    if (error != NULL) {
        answer_with(passage, 400, error);
    }
    return error != NULL;
}

static void
handle_push(struct passage *passage)
{
    const char *to = json_string_value(json_object_get(passage->body, "to"));
    if (to == NULL || to[0] == '\0') {
        answer_message(passage, 400,
                       "The property, 'to', in the request body is invalid (line: -, column: -)");
    } else if (answered_by_rules(passage)) {
        return;
    } else if (users_is_unknown(passage->platform->users, to)) {
        answer_message(passage, 400, "Failed to send messages");
    } else {
        accept_messages(passage, "push", true, true);
    }
}

static bool
is_multicast_id(const struct platform *platform, const json_t *id)
{
    const char *text = json_string_value(id);
    return text != NULL && text[0] != '\0' && text[0] != 'C' && text[0] != 'R' &&
           !users_is_unknown(platform->users, text);
}

static void
handle_multicast(struct passage *passage)
{
    const json_t *to = json_object_get(passage->body, "to");
    if (!json_is_array(to) || json_array_size(to) < 1 || json_array_size(to) > MULTICAST_MAX) {
        answer_with(passage, 400, line_rules_error("Size must be between 1 and 500", "to"));
        return;
    }
    if (answered_by_rules(passage)) {
        return;
    }
    size_t index = 0;
    json_t *id = NULL;
    json_array_foreach(to, index, id)
    {
        if (!is_multicast_id(passage->platform, id)) {
            char message[128];
            snprintf(message, sizeof(message),
                     "The property, to[%zu], in the request body is invalid (line: -, column: -)",
                     index);
            answer_message(passage, 400, message);
            return;
        }
    }
    accept_messages(passage, "multicast", true, false);
}

static void
handle_reply(struct passage *passage)
{
    struct tokens *tokens = passage->platform->tokens;
    const char *token = json_string_value(json_object_get(passage->body, "replyToken"));
    if (answered_by_rules(passage)) {
        return;
    }
    if (token == NULL || tokens_user(tokens, token, passage->call->now_ms) == NULL) {
        answer_message(passage, 400, "Invalid reply token");
        return;
    }
    tokens_spend(tokens, token);
    accept_messages(passage, "reply", false, true);
}

/* ---- asking ---- */

static void
handle_profile(struct passage *passage)
{
    const char *id = passage->call->path + strlen(PROFILE_PATH);
    json_t *profile = users_profile(passage->platform->users, id);
    if (profile == NULL) {
        answer_message(passage, 404, "Not found");
    } else {
        answer_with(passage, 200, profile);
    }
}

static void
handle_info(struct passage *passage)
{
    answer_with(passage, 200,
                json_pack("{s:s,s:s,s:s,s:s,s:s}", "userId", passage->platform->bot_user_id,
                          "basicId", "@fakeline", "displayName", "fakeline", "chatMode", "bot",
                          "markAsReadMode", "auto"));
}

static void
handle_quota(struct passage *passage)
{
    uint64_t quota = passage->platform->quota;
    answer_with(passage, 200,
                quota == 0 ? json_pack("{s:s}", "type", "none")
                           : json_pack("{s:s,s:I}", "type", "limited", "value", (json_int_t)quota));
}

static void
handle_consumption(struct passage *passage)
{
    json_int_t usage = (json_int_t)accepted_usage(passage->platform->accepted);
    answer_with(passage, 200, json_pack("{s:I}", "totalUsage", usage));
}

/* ---- the way through ---- */

static const struct endpoint endpoints[] = {
    {"POST", "/v2/bot/message/push", "push", handle_push, true},
    {"POST", "/v2/bot/message/multicast", "multicast", handle_multicast, true},
    {"POST", "/v2/bot/message/reply", "reply", handle_reply, false},
    {"GET", PROFILE_PATH, "profile", handle_profile, false},
    {"GET", "/v2/bot/info", "info", handle_info, false},
    {"GET", "/v2/bot/message/quota", "quota", handle_quota, false},
    {"GET", "/v2/bot/message/quota/consumption", "consumption", handle_consumption, false},
};

static const struct endpoint *
endpoint_find(const struct api_call *call)
{
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        const struct endpoint *endpoint = &endpoints[i];
        bool same = strcmp(endpoint->path, PROFILE_PATH) == 0
                        ? strncmp(call->path, PROFILE_PATH, strlen(PROFILE_PATH)) == 0
                        : strcmp(call->path, endpoint->path) == 0;
        if (same && strcmp(call->method, endpoint->method) == 0) {
            return endpoint;
        }
    }
    return NULL;
}

/* Whom the call is about, as far as can be told before it is checked. */
static json_t *
users_of(const struct passage *passage, const struct endpoint *endpoint)
{
    const json_t *to = json_object_get(passage->body, "to");
    const char *token = json_string_value(json_object_get(passage->body, "replyToken"));
    json_t *users = json_array();
    if (strcmp(endpoint->name, "profile") == 0) {
        json_array_append_new(users, json_string(passage->call->path + strlen(PROFILE_PATH)));
    } else if (json_is_string(to)) {
        json_array_append_new(users, json_string(json_string_value(to)));
    } else if (json_is_array(to)) {
        json_t *copy = json_copy((json_t *)(uintptr_t)to);
        json_array_extend(users, copy);
        json_decref(copy);
    } else if (token != NULL) {
        const char *user = tokens_user(passage->platform->tokens, token, passage->call->now_ms);
        if (user != NULL) {
            json_array_append_new(users, json_string(user));
        }
    }
    return users;
}

static bool
is_json_type(const char *content_type)
{
    static const char json_type[] = "application/json";
    size_t len = strlen(json_type);
    return content_type != NULL && strncasecmp(content_type, json_type, len) == 0 &&
           (content_type[len] == '\0' || content_type[len] == ';' || content_type[len] == ' ');
}

static bool
answered_by_token(struct passage *passage)
{
    static const char scheme[] = "Bearer ";
    const char *header = passage->call->authorization;
    const char *wanted = passage->platform->token;
    bool bearer = header != NULL && strncmp(header, scheme, strlen(scheme)) == 0 &&
                  header[strlen(scheme)] != '\0';
    if (bearer && (wanted == NULL || strcmp(header + strlen(scheme), wanted) == 0)) {
        return false;
    }
    answer_message(passage, 401,
                   bearer ? "Authentication failed due to the following reason: invalid token"
                          : "Authentication failed due to the following reason: missing token");
    return true;
}

/* The outer form of a POST: media type, size, JSON. */
static bool
answered_by_form(struct passage *passage)
{
    const struct api_call *call = passage->call;
    if (!is_json_type(call->content_type)) {
        char message[256];
        snprintf(message, sizeof(message), "The content type, %.128s, is not supported",
                 call->content_type == NULL ? "(none)" : call->content_type);
        answer_message(passage, 415, message);
    } else if (call->body.len > BODY_BYTES_MAX) {
        answer_message(passage, 413, "Request Entity Too Large");
    } else if (!json_is_object(passage->body)) {
        answer_message(passage, 400, "The request body could not be parsed as JSON");
    } else {
        return false;
    }
    return true;
}

static void
go_through(struct passage *passage, const struct endpoint *endpoint)
{
    bool post = strcmp(endpoint->method, "POST") == 0;
    if (answered_by_token(passage)) {
        return;
    }
    struct fault *fault = &passage->answer->fault;
    *fault = faults_take(passage->platform->faults, endpoint->name, passage->users);
    if (fault->kind == FAULT_STATUS || fault->kind == FAULT_RESET) {
        answer_message(passage, fault->status, fault->message);
        return;
    }
    if (post && answered_by_form(passage)) {
        return;
    }
    if (passage->call->retry_key != NULL && !endpoint->takes_key) {
        answer_message(passage, 400, "The retry key is not supported by this endpoint");
        return;
    }
    if (answered_by_key(passage)) {
        return;
    }
    endpoint->handle(passage);
}

/* What the caller got to see: no status where the answer never left. */
static unsigned
status_seen(const struct api_answer *answer)
{
    switch (answer->fault.kind) {
    case FAULT_STALL_AFTER_ACCEPT:
    case FAULT_RESET:
    case FAULT_RESET_AFTER_ACCEPT:
        return 0;
    case FAULT_NONE:
    case FAULT_STATUS:
    case FAULT_DELAY:
        break;
    }
    return answer->status;
}

static void
remember_request(struct passage *passage, const struct endpoint *endpoint)
{
    const struct api_call *call = passage->call;
    const struct api_answer *answer = passage->answer;
    const json_t *message = json_object_get(answer->body, "message");
    bool faulty = answer->fault.kind != FAULT_NONE;
    json_t *row = json_pack(
        "{s:I,s:I,s:s,s:o,s:o,s:O,s:i,s:s,s:o,s:o,s:o}", "at_ms", (json_int_t)call->now_ms, "at_us",
        (json_int_t)call->now_us, "endpoint", endpoint == NULL ? "none" : endpoint->name, "method",
        json_text(call->method), "path", json_text(call->path), "to", passage->users, "status",
        (int)status_seen(answer), "request_id", answer->request_id, "retry_key",
        call->retry_key == NULL ? json_null() : json_text(call->retry_key), "fault",
        faulty ? json_string(fault_kind_name(answer->fault.kind)) : json_null(), "message",
        message == NULL ? json_null() : json_string(json_string_value(message)));
    assert(row != NULL);
    rows_append(&passage->platform->requests, row);
}

void
line_api_answer(struct platform *platform, const struct api_call *call,
                struct api_answer *out_answer)
{
    *out_answer = (struct api_answer){.status = 404};
    struct passage passage = {.platform = platform, .call = call, .answer = out_answer};
    ids_request(&platform->ids, out_answer->request_id);
    const struct endpoint *endpoint = endpoint_find(call);
    if (endpoint == NULL) {
        answer_message(&passage, 404, "Not found");
        passage.users = json_array();
    } else {
        if (call->body.len <= BODY_BYTES_MAX) {
            passage.body = json_loadb((const char *)call->body.data, call->body.len,
                                      JSON_REJECT_DUPLICATES, NULL);
        }
        passage.users = users_of(&passage, endpoint);
        go_through(&passage, endpoint);
    }
    assert(out_answer->body != NULL);
    remember_request(&passage, endpoint);
    json_decref(passage.body);
    json_decref(passage.users);
}
