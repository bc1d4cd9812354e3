/* Routes opened and links clicked, told by the pages behind their addresses (SPEC R28, R36). */
#include "daemon/api_call.h"
#include "proto/link_token.h"

#include <string.h>

/* LINE user ids are opaque; this only keeps out what could be none. */
enum { USER_ID_BYTES_MAX = 256 };

void
api_post_scan(struct api_call *call)
{
    static const char *const KEYS[] = {"user_id", "key", NULL};
    uint32_t route, count, friend;
    const char *user_id = json_string_value(json_object_get(call->body, "user_id"));
    if (!api_body_keys(call, KEYS) ||
        !api_name(call, &call->definitions->route_names, "route", call->name, &route)) {
        return;
    }
    if (user_id == NULL || user_id[0] == '\0' || strlen(user_id) > USER_ID_BYTES_MAX) {
        api_error(call->reply, API_INVALID, NULL, "'user_id' is to be the LINE id of who scanned");
        return;
    }
    if (!api_is_new(call)) {
        return;
    }
    struct input input = {.kind = INPUT_SCAN,
                          .u.scan = {.user_id = span_cstr(user_id), .route = route}};
    json_t *seqs = json_array();
    (void)api_input(call, &input, seqs, &count);
    friend = state_find_friend(call->state, span_cstr(user_id));
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:s,s:o}", "friend", (json_int_t) friend, "route", call->name, "events",
                     seqs));
}

/* The name of the link stands in `name`. */
static void
click(struct api_call *call, uint32_t friend, uint32_t link, const char *name)
{
    struct input input = {.kind = INPUT_CLICK, .u.click = {.friend = friend, .link = link}};
    json_t *seqs = json_array();
    uint32_t count;
    const struct event *events = api_input(call, &input, seqs, &count);
    bool first = false;
    for (uint32_t i = 0; i < count; i++) {
        first = first || (events[i].kind == EVENT_CLICKED && events[i].u.clicked.first);
    }
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:s,s:b,s:o}", "friend", (json_int_t) friend, "link", name, "first",
                     (int)first, "events", seqs));
}

void
api_post_click(struct api_call *call)
{
    static const char *const KEYS[] = {"key", NULL};
    uint32_t friend, link;
    if (api_body_keys(call, KEYS) && api_friend_text(call, call->name, &friend) &&
        api_friend_known(call, friend) &&
        api_name(call, &call->definitions->link_names, "link", call->second_name, &link) &&
        api_is_new(call)) {
        click(call, friend, link, call->second_name);
    }
}

void
api_post_link_click(struct api_call *call)
{
    static const char *const KEYS[] = {"token", "key", NULL};
    uint32_t friend, link;
    const char *token = json_string_value(json_object_get(call->body, "token"));
    if (!api_body_keys(call, KEYS) ||
        !api_name(call, &call->definitions->link_names, "link", call->name, &link)) {
        return;
    }
    if (token == NULL || call->state->run_count == 0 ||
        !link_token_read(call->state->run_ids[0], link, span_cstr(token), &friend) ||
        friend >= call->state->friends.count) {
        api_error(call->reply, API_INVALID, NULL,
                  "'token' is to be what stands behind the last / of the link's address");
        return;
    }
    if (api_friend_known(call, friend) && api_is_new(call)) {
        click(call, friend, link, call->name);
    }
}
