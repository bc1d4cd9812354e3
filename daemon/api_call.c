#include "daemon/api_call.h"

#include "daemon/instant.h"
#include "proto/event.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
api_ok(struct api_call *call, enum api_when when, json_t *body)
{
    assert(body != NULL); /* a failed json_pack() is a wrong format of ours */
    call->reply->status = 200;
    call->reply->when = when;
    call->reply->body = body;
}

bool
api_body_keys(struct api_call *call, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach(call->body, key, value)
    {
        bool found = false;
        for (const char *const *name = known; *name != NULL && !found; name++) {
            found = strcmp(*name, key) == 0;
        }
        if (!found) {
            api_error(call->reply, API_INVALID, NULL, "unknown key '%s' in the body", key);
            return false;
        }
    }
    return true;
}

/* A whole number in decimal digits and nothing else. */
static bool
parse_number(const char *text, int64_t max, int64_t *out)
{
    int64_t value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        value = value * 10 + (*text - '0');
        if (value > max) {
            return false;
        }
    }
    *out = value;
    return true;
}

const char *
api_query(const struct api_call *call, const char *name)
{
    const struct api_request *request = call->request;
    return request->query == NULL ? NULL : request->query(request->query_context, name);
}

bool
api_query_number(struct api_call *call, const char *name, int64_t fallback, int64_t min,
                 int64_t max, int64_t *out)
{
    const char *text = NULL;
    if (call->request->query != NULL) {
        text = call->request->query(call->request->query_context, name);
    }
    if (text == NULL) {
        *out = fallback;
        return true;
    }
    if (!parse_number(text, max, out) || *out < min) {
        api_error(call->reply, API_INVALID, NULL, "'%s' is to be a number from %lld to %lld", name,
                  (long long)min, (long long)max);
        return false;
    }
    return true;
}

bool
api_friend_text(struct api_call *call, const char *text, uint32_t *out_friend)
{
    int64_t number;
    uint32_t friend = NO_ID;
    if (parse_number(text, UINT32_MAX - 1, &number)) {
        friend = number < call->state->friends.count ? (uint32_t)number : NO_ID;
    } else {
        friend = state_find_friend(call->state, span_cstr(text));
    }
    if (friend == NO_ID) {
        api_error(call->reply, API_NOT_FOUND, "stepctl friend list", "no friend '%s'", text);
        return false;
    }
    *out_friend = friend;
    return true;
}

bool
api_friend_json(struct api_call *call, const json_t *value, uint32_t *out_friend)
{
    if (json_is_string(value)) {
        return api_friend_text(call, json_string_value(value), out_friend);
    }
    if (!json_is_integer(value)) {
        api_error(call->reply, API_INVALID, NULL,
                  "'friend' is to be a friend's number or LINE user id");
        return false;
    }
    json_int_t number = json_integer_value(value);
    if (number < 0 || number >= call->state->friends.count) {
        api_error(call->reply, API_NOT_FOUND, "stepctl friend list", "no friend '%lld'",
                  (long long)number);
        return false;
    }
    *out_friend = (uint32_t)number;
    return true;
}

bool
api_friend_known(struct api_call *call, uint32_t friend)
{
    if (state_friend(call->state, friend)->forgotten) {
        api_error(call->reply, API_CONFLICT, NULL, "friend %u was forgotten; only numbers are left",
                  friend);
        return false;
    }
    return true;
}

bool
api_name(struct api_call *call, const struct names *names, const char *what, const char *text,
         uint32_t *out_id)
{
    uint32_t id = names_find(names, span_cstr(text));
    if (id == NO_ID) {
        api_error(call->reply, API_NOT_FOUND, NULL, "no %s '%s' in the definitions in force", what,
                  text);
        return false;
    }
    *out_id = id;
    return true;
}

bool
api_key(struct api_call *call, bool *out_known)
{
    const json_t *key = json_object_get(call->body, "key");
    *out_known = false;
    if (key == NULL || json_is_null(key)) {
        return true;
    }
    if (!json_is_string(key) || json_string_length(key) == 0) {
        api_error(call->reply, API_INVALID, NULL,
                  "'key' is to be a text, the same for repetitions");
        return false;
    }
    struct buf id = {0}; /* apart from the ids of webhooks */
    buf_printf(&id, "key:%s", json_string_value(key));
    enum rc rc = core_check_id(call->api->options.core, buf_span(&id), out_known);
    buf_fini(&id);
    if (rc != RC_OK) {
        api_error(call->reply, API_FAILED, NULL, "the key could not be looked up");
    }
    return rc == RC_OK;
}

bool
api_is_new(struct api_call *call)
{
    bool known;
    if (!api_key(call, &known)) {
        return false;
    }
    if (known) {
        api_ok(call, API_NOW, json_pack("{s:b,s:[]}", "duplicate", 1, "events"));
    }
    return !known;
}

const struct zone *
api_zone(const struct api *api)
{
    return core_state(api->options.core)->definitions->account.zone;
}

int64_t
api_now_ms(const struct api_call *call)
{
    return clock_now_ms(core_clock(call->api->options.core));
}

json_t *
api_instant(const struct api_call *call, int64_t at_ms)
{
    char text[INSTANT_TEXT_BYTES];
    if (!instant_in_range(at_ms)) {
        return json_null();
    }
    return json_string(instant_print(at_ms, api_zone(call->api), text));
}

json_t *
api_text(const char *text)
{
    return api_span(span_cstr(text));
}

json_t *
api_user_id(const struct api_call *call, uint32_t friend)
{
    char room[LINE_ID_ROOM];
    return api_text(state_line_id(call->state, friend, room));
}

json_t *
api_span(struct span text)
{
    json_t *string = text.data == NULL ? NULL : json_stringn((const char *)text.data, text.len);
    return string == NULL ? json_null() : string;
}

const char *
api_step_source(const struct api_call *call, uint32_t scenario, uint32_t step)
{
    const struct source source = {SOURCE_STEP, scenario, step};
    struct buf text = {0};
    event_source_text(&source, call->definitions, &text);
    const char *copy = arena_cstr(call->api->arena, buf_span(&text));
    buf_fini(&text);
    return copy;
}

const char *
api_source(const struct api_call *call, struct source source)
{
    static const char *const FRIEND_ADD[] = {
        [FRIEND_ADD_NEW] = "friend_add.new",
        [FRIEND_ADD_EXISTING] = "friend_add.existing",
        [FRIEND_ADD_UNBLOCKED] = "friend_add.unblocked",
    };
    const struct definitions *definitions = call->definitions;
    switch (source.kind) {
    case SOURCE_FRIEND_ADD:
        return source.id < sizeof(FRIEND_ADD) / sizeof(FRIEND_ADD[0]) ? FRIEND_ADD[source.id] : "?";
    case SOURCE_STEP:
        return api_step_source(call, source.id, source.sub);
    case SOURCE_BUTTON:
        return names_text(&definitions->button_names, source.id);
    case SOURCE_AUTO_REPLY:
        return names_text(&definitions->auto_reply_names, source.id);
    case SOURCE_FINISH:
        return names_text(&call->definitions->scenario_names, source.id);
    case SOURCE_BROADCAST:
        return names_text(&definitions->broadcast_names, source.id);
    case SOURCE_FORM:
        return names_text(&definitions->form_names, source.id);
    case SOURCE_CALENDAR:
        return names_text(&definitions->calendar_names, source.id);
    case SOURCE_CONVERSION:
        return names_text(&definitions->conversion_names, source.id);
    case SOURCE_ROUTE:
        return names_text(&definitions->route_names, source.id);
    case SOURCE_LINK:
        return names_text(&definitions->link_names, source.id);
    case SOURCE_ON: {
        struct buf text = {0};
        event_source_text(&source, definitions, &text);
        const char *copy = arena_cstr(call->api->arena, buf_span(&text));
        buf_fini(&text);
        return copy;
    }
    case SOURCE_NONE:
    case SOURCE_OPERATOR:
    case SOURCE_DEFINITIONS:
        break;
    }
    return source_kind_name(source.kind);
}

const char *
api_items_source(const struct api_call *call, const struct delivery_item *items,
                 uint32_t item_count)
{
    struct buf text = {0};
    for (uint32_t i = 0; i < item_count; i++) {
        bool seen = false;
        for (uint32_t k = 0; k < i && !seen; k++) {
            seen = items[k].source.kind == items[i].source.kind &&
                   items[k].source.id == items[i].source.id &&
                   items[k].source.sub == items[i].source.sub;
        }
        if (!seen) {
            buf_append_cstr(&text, text.len > 0 ? "+" : "");
            buf_append_cstr(&text, api_source(call, items[i].source));
        }
    }
    const char *copy = arena_cstr(call->api->arena, buf_span(&text));
    buf_fini(&text);
    return copy;
}

json_t *
api_items_templates(const struct api_call *call, const struct delivery_item *items,
                    uint32_t item_count)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < item_count; i++) {
        json_array_append_new(
            list, api_text(names_text(&call->definitions->template_names, items[i].template)));
    }
    return list;
}

static void
append_body_templates(const struct definitions *definitions, const struct body *body, json_t *list)
{
    for (uint32_t i = 0; i < body->action_count; i++) {
        const struct action *action = &body->actions[i];
        if (action->kind == ACTION_SEND) {
            for (uint32_t k = 0; k < action->u.send.template_count; k++) {
                const struct pattern *pattern =
                    action->u.send.patterns == NULL ? NULL : action->u.send.patterns[k];
                uint32_t id = action->u.send.templates[k];
                json_array_append_new(
                    list, pattern != NULL ? api_span(pattern->text)
                                          : api_text(names_text(&definitions->template_names, id)));
            }
        } else if (action->kind == ACTION_CHOOSE) {
            for (uint32_t k = 0; k < action->u.choose.case_count; k++) {
                append_body_templates(definitions, &action->u.choose.cases[k].body, list);
            }
        } else if (action->kind == ACTION_SPLIT) {
            for (uint32_t k = 0; k < action->u.split.case_count; k++) {
                append_body_templates(definitions, &action->u.split.cases[k].body, list);
            }
        }
    }
}

json_t *
api_step_templates(const struct api_call *call, uint32_t scenario, uint32_t step)
{
    json_t *list = json_array();
    if (scenario < call->definitions->scenario_names.count) {
        const struct step *found =
            scenario_step(&call->definitions->scenarios[scenario], step, NULL);
        if (found != NULL) {
            append_body_templates(call->definitions, &found->body, list);
        }
    }
    return list;
}

const struct event *
api_input(struct api_call *call, struct input *input, json_t *seqs, uint32_t *out_count)
{
    input->at_ms = api_now_ms(call);
    input->author = call->request->uid;
    const struct event *events = core_input(call->api->options.core, input, out_count);
    for (uint32_t i = 0; i < *out_count; i++) {
        json_array_append_new(seqs, json_integer((json_int_t)events[i].seq));
    }
    /* New definitions may have come with it. */
    call->definitions = call->state->definitions;
    return events;
}
