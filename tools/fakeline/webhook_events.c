#include "tools/fakeline/webhook_events.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* FACTS 6: these carry a reply token, unless another module holds the chat. */
static bool
has_reply_token(const json_t *event)
{
    static const char *const types[] = {"message", "messageEdited",     "follow",
                                        "join",    "postback",          "memberJoined",
                                        "beacon",  "videoPlayComplete", "membership"};
    const char *type = json_string_value(json_object_get(event, "type"));
    const char *mode = json_string_value(json_object_get(event, "mode"));
    const char *result =
        json_string_value(json_object_get(json_object_get(event, "link"), "result"));
    if (type == NULL || (mode != NULL && strcmp(mode, "standby") == 0)) {
        return false;
    }
    if (strcmp(type, "accountLink") == 0) {
        return result != NULL && strcmp(result, "ok") == 0;
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(type, types[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Sets what is absent; what is null is taken out. The value is taken. */
static void
fill(json_t *event, const char *name, json_t *value)
{
    const json_t *there = json_object_get(event, name);
    if (there == NULL) {
        json_object_set(event, name, value);
    } else if (json_is_null(there)) {
        json_object_del(event, name);
    }
    json_decref(value);
}

static void
issue_token(struct platform *platform, const json_t *event, int64_t now_ms)
{
    const char *token = json_string_value(json_object_get(event, "replyToken"));
    const json_t *timestamp = json_object_get(event, "timestamp");
    const char *user =
        json_string_value(json_object_get(json_object_get(event, "source"), "userId"));
    if (token != NULL) {
        int64_t event_ms = json_is_integer(timestamp) ? json_integer_value(timestamp) : now_ms;
        tokens_issue(platform->tokens, token, user == NULL ? "" : user, event_ms, now_ms);
    }
}

static void
fill_event(struct platform *platform, json_t *event, int64_t now_ms)
{
    char id[EVENT_ID_BYTES];
    char token[TOKEN_BYTES];
    ids_event(&platform->ids, now_ms, id);
    ids_token(&platform->ids, token);
    fill(event, "mode", json_string("active"));
    fill(event, "timestamp", json_integer(now_ms));
    fill(event, "webhookEventId", json_string(id));
    fill(event, "deliveryContext", json_pack("{s:b}", "isRedelivery", 0));
    if (has_reply_token(event)) {
        fill(event, "replyToken", json_string(token));
    }
    issue_token(platform, event, now_ms);
}

static json_t *
events_of_raw(struct platform *platform, const struct buf *body, int64_t now_ms)
{
    json_t *parsed = json_loadb((const char *)body->data, body->len, 0, NULL);
    json_t *events = json_array();
    size_t index = 0;
    json_t *event = NULL;
    json_array_foreach(json_object_get(parsed, "events"), index, event)
    {
        issue_token(platform, event, now_ms);
        json_array_append(events, event);
    }
    json_decref(parsed);
    return events;
}

enum rc
webhook_body_make(struct platform *platform, const json_t *command, int64_t now_ms,
                  struct buf *out_body, json_t **out_events, const char **out_problem)
{
    const json_t *raw = json_object_get(command, "raw");
    const json_t *given = json_object_get(command, "events");
    const json_t *destination = json_object_get(command, "destination");
    *out_problem = NULL;
    if (raw != NULL) {
        if (!json_is_string(raw)) {
            *out_problem = "raw is text";
            return RC_INVALID;
        }
        buf_append(out_body, json_string_value(raw), json_string_length(raw));
        *out_events = events_of_raw(platform, out_body, now_ms);
        return out_body->rc;
    }
    if (!json_is_array(given) || (destination != NULL && !json_is_string(destination))) {
        *out_problem = "events is an array, destination is text";
        return RC_INVALID;
    }
    json_t *events = json_deep_copy(given);
    size_t index = 0;
    json_t *event = NULL;
    json_array_foreach(events, index, event)
    {
        if (!json_is_object(event)) {
            *out_problem = "an event is an object";
            json_decref(events);
            return RC_INVALID;
        }
        fill_event(platform, event, now_ms);
    }
    json_t *body =
        json_pack("{s:s,s:O}", "destination",
                  destination == NULL ? platform->bot_user_id : json_string_value(destination),
                  "events", events);
    char *text = json_dumps(body, JSON_COMPACT);
    assert(text != NULL);
    buf_append_cstr(out_body, text);
    free(text);
    json_decref(body);
    *out_events = events;
    return out_body->rc;
}
