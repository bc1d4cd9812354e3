/* Friends: list, one, and what an operator changes of them. */
#include "daemon/api_call.h"
#include "daemon/instant.h"
#include "engine/tables.h"

#include <string.h>

enum { FRIENDS_PER_PAGE_MAX = 1000, FIELD_TEXT_BYTES_MAX = 20000 };

json_t *
api_tags(const struct api_call *call, uint32_t friend)
{
    json_t *tags = json_array();
    const struct names *names = &call->definitions->tag_names;
    for (uint32_t i = 0; i < names->count; i++) {
        if (names->items[i].in_force && state_has_tag(call->state, friend, i)) {
            json_array_append_new(tags, api_text(names->items[i].text));
        }
    }
    return tags;
}

static json_t *
value_json(const struct api_call *call, uint32_t field, const struct field_value *value)
{
    char text[INSTANT_TEXT_BYTES];
    switch (call->definitions->fields[field].type) {
    case FIELD_NUMBER:
        return json_integer(value->number);
    case FIELD_DATE:
        return json_string(instant_print_date(value->number, text));
    case FIELD_DATETIME:
        return api_instant(call, value->number);
    case FIELD_TEXT:
    case FIELD_IMAGE:
    case FIELD_FILE:
        break;
    }
    return api_text(value->text);
}

json_t *
api_fields(const struct api_call *call, uint32_t friend)
{
    json_t *fields = json_object();
    const struct names *names = &call->definitions->field_names;
    for (uint32_t i = 0; i < names->count; i++) {
        const struct field_value value = state_value(call->state, friend, i);
        if (value.set && names->items[i].in_force) {
            json_object_set_new(fields, names->items[i].text, value_json(call, i, &value));
        }
    }
    return fields;
}

static json_t *
friend_json(const struct api_call *call, uint32_t friend)
{
    const struct friend_row *row = state_friend(call->state, friend);
    json_int_t enrolments = 0;
    for (uint32_t i = row->first_enrolment; i != NO_ID; i = state_enrolment(call->state, i)->next) {
        enrolments++;
    }
    return json_pack(
        "{s:I,s:o,s:o,s:o,s:b,s:b,s:b,s:b,s:o,s:I,s:I}", "number", (json_int_t) friend, "user_id",
        api_user_id(call, friend), "name", api_text(state_name(call->state, friend)), "added",
        api_instant(call, row->added_ms), "blocked", (int)row->blocked, "forgotten",
        (int)row->forgotten, "hidden", (int)row->hidden, "operator_blocked",
        (int)row->operator_blocked, "tags", api_tags(call, friend), "score",
        (json_int_t)state_friend_more(call->state, friend)->score, "enrolments", enrolments);
}

/* The first friend from `from` on, of everybody where members is NULL; NO_ID: there is none. */
static uint32_t
next_friend(const struct state *state, const struct bitmap *members, uint32_t from)
{
    if (members != NULL) {
        return set_next(members, from);
    }
    return from < state->friends.count ? from : NO_ID;
}

void
api_get_friends(struct api_call *call)
{
    int64_t after, limit, hidden;
    if (!api_query_number(call, "after", -1, 0, UINT32_MAX, &after) ||
        !api_query_number(call, "hidden", 0, 0, 1, &hidden) ||
        !api_query_number(call, "limit", 100, 1, FRIENDS_PER_PAGE_MAX, &limit)) {
        return;
    }
    struct bitmap *members;
    if (!api_query_members(call, &members)) {
        return;
    }
    uint32_t count = call->state->friends.count;
    json_t *friends = json_array();
    uint32_t next = next_friend(call->state, members, (uint32_t)(after + 1));
    while (next < count && json_array_size(friends) < (size_t)limit) {
        if (hidden || !state_friend(call->state, next)->hidden) {
            json_array_append_new(friends, friend_json(call, next));
        }
        after = next;
        next = next_friend(call->state, members, next + 1);
    }
    set_free(members);
    api_ok(call, API_NOW,
           json_pack("{s:o,s:o}", "friends", friends, "next",
                     next < count ? json_integer(after) : json_null()));
}

static json_t *
enrolment_json(const struct api_call *call, const struct enrolment *enrolment)
{
    const struct definitions *definitions = call->definitions;
    const char *step =
        names_text(&definitions->scenarios[enrolment->scenario].step_names, enrolment->step);
    const char *deferred =
        enrolment->deferred == REASON_NONE ? NULL : reason_name(enrolment->deferred);
    int64_t goal_ms = state_enrolment_more(call->state, enrolment)->goal_ms;
    return json_pack("{s:o,s:o,s:o,s:o,s:s,s:o,s:o}", "scenario",
                     api_text(names_text(&definitions->scenario_names, enrolment->scenario)),
                     "step", api_text(step), "due", api_instant(call, enrolment->due_ms), "started",
                     api_instant(call, enrolment->start_ms), "state",
                     enrolment->phase == ENROLMENT_IN_DELIVERY ? "in_delivery" : "waiting",
                     "deferred", api_text(deferred), "goal",
                     api_instant(call, goal_ms == 0 ? INSTANT_NONE : goal_ms));
}

static json_t *
open_delivery_json(const struct api_call *call, const struct delivery *delivery)
{
    bool intended = delivery->phase == DELIVERY_INTENDED;
    return json_pack("{s:I,s:s,s:s,s:o,s:o,s:o,s:o}", "seq", (json_int_t)delivery->seq, "state",
                     intended ? "intended" : "planned", "class",
                     class_name(delivery->message_class), "due",
                     api_instant(call, delivery->due_ms), "how",
                     api_text(intended ? how_name(delivery->how) : NULL), "source",
                     api_text(api_items_source(call, delivery->items, delivery->item_count)),
                     "templates", api_items_templates(call, delivery->items, delivery->item_count));
}

json_t *
api_warnings(const struct api_call *call, uint32_t friend)
{
    json_t *warnings = json_array();
    const char *zone = state_unknown_zone(call->state, friend);
    if (zone != NULL) {
        struct buf text = {0};
        buf_printf(&text, "tz '%s' is no time zone: the account's is used", zone);
        json_array_append_new(warnings, api_text(buf_cstr(&text)));
        buf_fini(&text);
    }
    return warnings;
}

void
api_get_friend(struct api_call *call)
{
    uint32_t friend;
    if (!api_friend_text(call, call->name, &friend)) {
        return;
    }
    const struct friend_row *row = state_friend(call->state, friend);
    json_t *scenarios = json_array(), *deliveries = json_array();
    for (uint32_t i = row->first_enrolment; i != NO_ID; i = state_enrolment(call->state, i)->next) {
        json_array_append_new(scenarios, enrolment_json(call, state_enrolment(call->state, i)));
    }
    for (uint32_t i = state_friend_more(call->state, friend)->first_delivery; i != NO_ID;
         i = state_delivery(call->state, i)->next) {
        json_array_append_new(deliveries, open_delivery_json(call, state_delivery(call->state, i)));
    }
    json_t *body = friend_json(call, friend);
    json_object_set_new(body, "fields", api_fields(call, friend));
    json_object_set_new(body, "scenarios", scenarios);
    json_object_set_new(body, "deliveries", deliveries);
    json_object_set_new(body, "warnings", api_warnings(call, friend));
    api_ok(call, API_NOW, body);
}

/* A list of names under a key, all in force; an absent key is an empty list. */
static bool
name_list(struct api_call *call, const char *key, const struct names *names, const char *what,
          uint32_t **out_ids, size_t *out_count)
{
    const json_t *list = json_object_get(call->body, key);
    if (list != NULL && !json_is_array(list)) {
        api_error(call->reply, API_INVALID, NULL, "'%s' is to be a list of names", key);
        return false;
    }
    *out_count = json_array_size(list);
    *out_ids = arena_alloc(call->api->arena, (*out_count + 1) * sizeof(**out_ids));
    for (size_t i = 0; i < *out_count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name == NULL) {
            api_error(call->reply, API_INVALID, NULL, "'%s' is to be a list of names", key);
            return false;
        }
        if (!api_name(call, names, what, name, &(*out_ids)[i])) {
            return false;
        }
    }
    return true;
}

static void
change_tags(struct api_call *call, uint32_t friend, const uint32_t *tags, size_t count, bool add,
            json_t *seqs)
{
    for (size_t i = 0; i < count; i++) {
        struct input input = {.kind = INPUT_TAG};
        input.u.tag.friend = friend;
        input.u.tag.tag = tags[i];
        input.u.tag.add = add;
        uint32_t event_count;
        (void)api_input(call, &input, seqs, &event_count);
    }
}

void
api_post_tags(struct api_call *call)
{
    static const char *const KEYS[] = {"add", "remove", NULL};
    const struct names *names = &call->definitions->tag_names;
    uint32_t friend, *added, *removed;
    size_t added_count, removed_count;
    /* Everything is checked before anything is done. */
    if (!api_friend_text(call, call->name, &friend) || !api_friend_known(call, friend) ||
        !api_body_keys(call, KEYS) || !name_list(call, "add", names, "tag", &added, &added_count) ||
        !name_list(call, "remove", names, "tag", &removed, &removed_count)) {
        return;
    }
    json_t *seqs = json_array();
    change_tags(call, friend, added, added_count, true, seqs);
    change_tags(call, friend, removed, removed_count, false, seqs);
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:o,s:o}", "friend", (json_int_t) friend, "tags", api_tags(call, friend),
                     "events", seqs));
}

/* Reads one value as its field's type wants it; the input's text borrows from the body. */
static bool
field_input(struct api_call *call, const char *name, const json_t *value, struct input *out_input)
{
    const char *expected = NULL;
    uint32_t field;
    if (!api_name(call, &call->definitions->field_names, "field", name, &field)) {
        return false;
    }
    *out_input = (struct input){.kind = INPUT_FIELD};
    out_input->u.field.field = field;
    int64_t *number = &out_input->u.field.number;
    const char *text = json_string_value(value);
    struct span span = span_of(text, json_string_length(value));
    switch (call->definitions->fields[field].type) {
    case FIELD_NUMBER:
        *number = json_integer_value(value);
        expected = json_is_integer(value) ? NULL : "a whole number";
        break;
    case FIELD_DATE:
        expected = text != NULL && instant_parse_date(span, number) == RC_OK
                       ? NULL
                       : "a date, \"2026-06-10\"";
        break;
    case FIELD_DATETIME:
        expected = text != NULL && instant_parse(span, api_zone(call->api), number) == RC_OK
                       ? NULL
                       : "a date and time, \"2026-06-10 23:59\"";
        break;
    case FIELD_TEXT:
    case FIELD_IMAGE:
    case FIELD_FILE:
        expected = text != NULL ? NULL : "a text";
        out_input->u.field.text = span;
        break;
    }
    if (expected != NULL) {
        api_error(call->reply, API_INVALID, NULL, "field '%s' is to be %s", name, expected);
        return false;
    }
    if (out_input->u.field.text.len > FIELD_TEXT_BYTES_MAX) {
        api_error(call->reply, API_TOO_LARGE, NULL, "field '%s' is longer than %d bytes", name,
                  FIELD_TEXT_BYTES_MAX);
        return false;
    }
    return true;
}

void
api_post_fields(struct api_call *call)
{
    static const char *const KEYS[] = {"set", "clear", NULL};
    uint32_t friend, *cleared;
    size_t cleared_count;
    if (!api_friend_text(call, call->name, &friend) || !api_friend_known(call, friend) ||
        !api_body_keys(call, KEYS) ||
        !name_list(call, "clear", &call->definitions->field_names, "field", &cleared,
                   &cleared_count)) {
        return;
    }
    json_t *set = json_object_get(call->body, "set");
    if (set != NULL && !json_is_object(set)) {
        api_error(call->reply, API_INVALID, NULL, "'set' is to be an object of fields and values");
        return;
    }
    size_t count = 0, total = json_object_size(set) + cleared_count;
    struct input *inputs = arena_alloc(call->api->arena, (total + 1) * sizeof(*inputs));
    const char *name;
    json_t *value;
    json_object_foreach(set, name, value)
    {
        if (!field_input(call, name, value, &inputs[count])) {
            return;
        }
        count++;
    }
    for (size_t i = 0; i < cleared_count; i++) {
        inputs[count].kind = INPUT_FIELD;
        inputs[count].u.field.field = cleared[i];
        inputs[count].u.field.clear = true;
        count++;
    }
    json_t *seqs = json_array();
    for (size_t i = 0; i < count; i++) {
        uint32_t event_count;
        inputs[i].u.field.friend = friend;
        (void)api_input(call, &inputs[i], seqs, &event_count);
    }
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:o,s:o}", "friend", (json_int_t) friend, "fields",
                     api_fields(call, friend), "events", seqs));
}

void
api_post_score(struct api_call *call)
{
    static const char *const KEYS[] = {"add", NULL};
    uint32_t friend;
    if (!api_friend_text(call, call->name, &friend) || !api_body_keys(call, KEYS)) {
        return;
    }
    const json_t *add = json_object_get(call->body, "add");
    if (!json_is_integer(add)) {
        api_error(call->reply, API_INVALID, NULL, "'add' is to be a whole number");
        return;
    }
    struct input input = {.kind = INPUT_SCORE};
    input.u.score.friend = friend;
    input.u.score.by = json_integer_value(add);
    json_t *seqs = json_array();
    uint32_t count;
    (void)api_input(call, &input, seqs, &count);
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:I,s:o}", "friend", (json_int_t) friend, "score",
                     (json_int_t)state_friend_more(call->state, friend)->score, "events", seqs));
}

/* A yes or no of the body under one key, put to the engine. */
static void
post_flag(struct api_call *call, const char *key, enum input_kind kind)
{
    const char *const keys[] = {key, NULL};
    uint32_t friend, count;
    const json_t *value = json_object_get(call->body, key);
    if (!api_friend_text(call, call->name, &friend) || !api_body_keys(call, keys)) {
        return;
    }
    if (!json_is_boolean(value)) {
        api_error(call->reply, API_INVALID, NULL, "'%s' is to be true or false", key);
        return;
    }
    struct input input = {.kind = kind, .u.list = {.friend = friend, .on = json_is_true(value)}};
    json_t *seqs = json_array();
    (void)api_input(call, &input, seqs, &count);
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:b,s:o}", "friend", (json_int_t) friend, key, (int)json_is_true(value),
                     "events", seqs));
}

void
api_post_list(struct api_call *call)
{
    post_flag(call, "hidden", INPUT_LIST);
}

void
api_post_block(struct api_call *call)
{
    post_flag(call, "blocked", INPUT_BLOCK);
}
