#include "daemon/api.h"

#include "daemon/api_call.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum body_rule { BODY_NONE, BODY_OBJECT };

struct route {
    const char *method;
    const char *path; /* "{}" stands for one segment */
    enum body_rule body;
    api_handler_fn handler;
};

static const struct route ROUTES[] = {
    {"GET", "/v1/status", BODY_NONE, api_get_status},
    {"GET", "/v1/digest", BODY_NONE, api_get_digest},
    {"POST", "/v1/log/exchange", BODY_OBJECT, api_post_exchange},
    {"POST", "/v1/definitions", BODY_OBJECT, api_post_definitions},
    {"GET", "/v1/friends", BODY_NONE, api_get_friends},
    {"GET", "/v1/segments/count", BODY_NONE, api_get_segment_count},
    {"GET", "/v1/friends/{}", BODY_NONE, api_get_friend},
    {"POST", "/v1/friends/{}/tags", BODY_OBJECT, api_post_tags},
    {"POST", "/v1/friends/{}/fields", BODY_OBJECT, api_post_fields},
    {"POST", "/v1/friends/{}/score", BODY_OBJECT, api_post_score},
    {"POST", "/v1/friends/{}/forget", BODY_OBJECT, api_post_forget},
    {"POST", "/v1/friends/{}/events", BODY_OBJECT, api_post_events},
    {"POST", "/v1/friends/{}/mark", BODY_OBJECT, api_post_mark},
    {"POST", "/v1/friends/{}/list", BODY_OBJECT, api_post_list},
    {"POST", "/v1/friends/{}/block", BODY_OBJECT, api_post_block},
    {"GET", "/v1/friends/{}/why", BODY_NONE, api_get_why},
    {"GET", "/v1/scenarios", BODY_NONE, api_get_scenarios},
    {"GET", "/v1/scenarios/{}", BODY_NONE, api_get_scenario},
    {"POST", "/v1/scenarios/{}/start", BODY_OBJECT, api_post_start},
    {"POST", "/v1/scenarios/{}/stop", BODY_OBJECT, api_post_stop},
    {"GET", "/v1/next", BODY_NONE, api_get_next},
    {"GET", "/v1/reports/scenarios/{}", BODY_NONE, api_get_scenario_report},
    {"GET", "/v1/reports/broadcasts", BODY_NONE, api_get_broadcast_report},
    {"GET", "/v1/reports/links", BODY_NONE, api_get_link_report},
    {"GET", "/v1/reports/routes", BODY_NONE, api_get_route_report},
    {"GET", "/v1/reports/cross", BODY_NONE, api_get_cross_report},
    {"GET", "/v1/due", BODY_NONE, api_get_due},
    {"GET", "/v1/broadcasts", BODY_NONE, api_get_broadcasts},
    {"POST", "/v1/broadcasts/{}/cancel", BODY_OBJECT, api_post_broadcast_cancel},
    {"POST", "/v1/broadcasts/{}/fit", BODY_OBJECT, api_post_broadcast_fit},
    {"GET", "/v1/deliveries/unknown", BODY_NONE, api_get_unknown},
    {"POST", "/v1/deliveries/{}/mark", BODY_OBJECT, api_post_delivery_mark},
    {"POST", "/v1/deliveries/{}/resend", BODY_OBJECT, api_post_delivery_resend},
    {"GET", "/v1/quota", BODY_NONE, api_get_quota},
    {"POST", "/v1/quota", BODY_OBJECT, api_post_quota},
    {"POST", "/v1/scenarios/{}/cap", BODY_OBJECT, api_post_cap},
    {"POST", "/v1/release", BODY_OBJECT, api_post_release},
    {"GET", "/v1/clock", BODY_NONE, api_get_clock},
    {"POST", "/v1/clock", BODY_OBJECT, api_post_clock},
    {"POST", "/v1/forms/{}/answers", BODY_OBJECT, api_post_answers},
    {"POST", "/v1/friends/{}/conversions/{}", BODY_OBJECT, api_post_conversion},
    {"POST", "/v1/friends/{}/bookings", BODY_OBJECT, api_post_booking},
    {"PATCH", "/v1/friends/{}/bookings/{}", BODY_OBJECT, api_patch_booking},
    {"DELETE", "/v1/friends/{}/bookings/{}", BODY_NONE, api_delete_booking},
    {"GET", "/v1/calendars/{}/roster", BODY_NONE, api_get_roster},
    {"POST", "/v1/import", BODY_OBJECT, api_post_import},
    {"POST", "/v1/routes/{}/scans", BODY_OBJECT, api_post_scan},
    {"POST", "/v1/friends/{}/clicks/{}", BODY_OBJECT, api_post_click},
    {"POST", "/v1/links/{}/clicks", BODY_OBJECT, api_post_link_click},
};
enum { ROUTE_COUNT = sizeof(ROUTES) / sizeof(ROUTES[0]) };

struct api *
api_new(const struct api_options *options)
{
    struct api *api = calloc(1, sizeof(*api));
    assert(api != NULL);
    api->options = *options;
    api->arena = arena_new();
    return api;
}

void
api_free(struct api *api)
{
    if (api == NULL) {
        return;
    }
    arena_free(api->arena);
    free(api);
}

enum { HOLES_MAX = 2 };

/* True when the path fits the pattern; out_names are then the segments under its "{}", or "". */
static bool
path_matches(struct arena *arena, const char *pattern, const char *path,
             const char *out_names[HOLES_MAX])
{
    size_t holes = 0;
    out_names[0] = out_names[1] = "";
    while (*pattern != '\0') {
        if (strncmp(pattern, "{}", 2) != 0) {
            if (*pattern++ != *path++) {
                return false;
            }
            continue;
        }
        size_t len = strcspn(path, "/");
        if (len == 0 || holes == HOLES_MAX) {
            return false;
        }
        out_names[holes++] = arena_cstr(arena, span_of(path, len));
        pattern += 2;
        path += len;
    }
    return *path == '\0';
}

static const struct route *
find_route(struct api_call *call)
{
    const char *allowed = NULL;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const char *names[HOLES_MAX];
        if (!path_matches(call->api->arena, ROUTES[i].path, call->request->path, names)) {
            continue;
        }
        if (strcmp(ROUTES[i].method, call->request->method) == 0) {
            call->name = names[0];
            call->second_name = names[1];
            return &ROUTES[i];
        }
        allowed = ROUTES[i].method;
    }
    if (allowed != NULL) {
        api_error(call->reply, API_NOT_FOUND, allowed, "%s does not answer %s", call->request->path,
                  call->request->method);
    } else {
        api_error(call->reply, API_NOT_FOUND, "docs/api.md lists every call", "no call %s %s",
                  call->request->method, call->request->path);
    }
    return NULL;
}

static bool
read_body(struct api_call *call, enum body_rule rule)
{
    if (rule == BODY_NONE) {
        return true;
    }
    json_error_t error;
    struct span body = call->request->body;
    call->body = json_loadb(body.data == NULL ? "" : (const char *)body.data, body.len,
                            JSON_REJECT_DUPLICATES, &error);
    if (call->body == NULL) {
        api_error(call->reply, API_INVALID, NULL, "the body is no JSON: line %d column %d: %s",
                  error.line, error.column, error.text);
        return false;
    }
    if (!json_is_object(call->body)) {
        api_error(call->reply, API_INVALID, NULL, "the body is to be a JSON object");
        return false;
    }
    return true;
}

/* Whether something may be changed now; sets the error. */
static bool
may_change(struct api_call *call)
{
    const struct standing *standing = call->api->options.standing;
    const struct core *core = call->api->options.core;
    if (standing->stopping || core_failed(core)) {
        api_error(call->reply, API_STOPPING, "try again once it runs", "the daemon is stopping");
    } else if (standing->read_only) {
        api_error(call->reply, API_READ_ONLY, "it goes on by itself when there is room",
                  "nothing can be changed: %s", standing->held);
    } else if (core_log_slow(core)) {
        api_error(call->reply, API_BUSY, "try again in a while",
                  "the disk does not keep up; nothing can be changed until it has");
    } else {
        return true;
    }
    return false;
}

void
api_answer(struct api *api, const struct api_request *request, struct api_reply *out_reply)
{
    *out_reply = (struct api_reply){0};
    arena_reset(api->arena);
    const struct state *state = core_state(api->options.core);
    struct api_call call = {
        .api = api,
        .request = request,
        .reply = out_reply,
        .state = state,
        .definitions = state->definitions,
    };
    const struct route *route = find_route(&call);
    if (route != NULL && (route->body == BODY_NONE || may_change(&call)) &&
        read_body(&call, route->body)) {
        route->handler(&call);
    }
    json_decref(call.body);
    assert(out_reply->body != NULL);
}

static const struct {
    unsigned status;
    const char *word;
} ERRORS[] = {
    [API_INVALID] = {400, "invalid"},     [API_REFUSED] = {403, "refused"},
    [API_NOT_FOUND] = {404, "not_found"}, [API_CONFLICT] = {409, "conflict"},
    [API_TOO_LARGE] = {413, "too_large"}, [API_FAILED] = {500, "failed"},
    [API_NOT_YET] = {501, "not_yet"},     [API_STOPPING] = {503, "stopping"},
    [API_READ_ONLY] = {503, "read_only"}, [API_BUSY] = {503, "busy"},
};

void
api_error(struct api_reply *reply, enum api_error_code code, const char *hint, const char *format,
          ...)
{
    char message[600];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    json_decref(reply->body);
    reply->status = ERRORS[code].status;
    reply->when = API_NOW;
    reply->body = json_pack("{s:{s:s,s:o,s:o}}", "error", "code", ERRORS[code].word, "message",
                            api_text(message), "hint", api_text(hint));
}
