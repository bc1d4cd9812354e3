/* What other systems and people tell about a friend: custom events, response marks. */
#include "daemon/api_call.h"
#include "proto/words.h"

void
api_post_events(struct api_call *call)
{
    static const char *const KEYS[] = {"name", "key", NULL};
    uint32_t friend, count;
    bool known;
    if (!api_friend_text(call, call->name, &friend) || !api_body_keys(call, KEYS)) {
        return;
    }
    const char *name = json_string_value(json_object_get(call->body, "name"));
    if (name == NULL || !words_id(span_cstr(name))) {
        api_error(call->reply, API_INVALID, NULL,
                  "'name' is to be the name of an event: letters, digits, _ - .");
        return;
    }
    if (!api_key(call, &known)) {
        return;
    }
    json_t *seqs = json_array();
    if (!known) {
        struct input input = {.kind = INPUT_CUSTOM_EVENT};
        input.u.custom_event.friend = friend;
        input.u.custom_event.name = span_cstr(name);
        (void)api_input(call, &input, seqs, &count);
    }
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:s,s:b,s:o}", "friend", (json_int_t) friend, "name", name, "repeated",
                     (int)known, "events", seqs));
}

void
api_post_mark(struct api_call *call)
{
    static const char *const KEYS[] = {"mark", NULL};
    uint32_t friend, count, mark = NO_ID;
    if (!api_friend_text(call, call->name, &friend) || !api_body_keys(call, KEYS)) {
        return;
    }
    const json_t *value = json_object_get(call->body, "mark");
    const char *name = json_string_value(value);
    if (value == NULL || (name == NULL && !json_is_null(value))) {
        api_error(call->reply, API_INVALID, NULL, "'mark' is to be the name of a mark, or null");
        return;
    }
    if (name != NULL && !api_name(call, &call->definitions->mark_names, "mark", name, &mark)) {
        return;
    }
    struct input input = {.kind = INPUT_MARK};
    input.u.mark.friend = friend;
    input.u.mark.mark = mark;
    json_t *seqs = json_array();
    (void)api_input(call, &input, seqs, &count);
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:o,s:o}", "friend", (json_int_t) friend, "mark", api_text(name),
                     "events", seqs));
}
