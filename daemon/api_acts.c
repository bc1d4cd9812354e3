/* What friends do on pages, told by another program: answers, conversions, bookings; and rosters. */
#include "daemon/api_call.h"
#include "daemon/instant.h"
#include "engine/calendar.h"
#include "proto/form_answers.h"

#include <stdlib.h>
#include <string.h>

/* A text of the body; false, and said, when it is none. */
static const char *
body_text(struct api_call *call, const char *key)
{
    const char *text = json_string_value(json_object_get(call->body, key));
    if (text == NULL) {
        api_error(call->reply, API_INVALID, NULL, "'%s' is to be a text", key);
    }
    return text;
}

/* --- answers --- */

/* What was filled in, as text: a text, a whole number, or choices. */
static bool
given_value(struct api_call *call, const char *name, const json_t *value, struct span *out_text)
{
    struct buf text = {0};
    bool good = true;
    if (json_is_string(value)) {
        buf_append(&text, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value)) {
        buf_printf(&text, "%lld", (long long)json_integer_value(value));
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            const char *choice = json_string_value(json_array_get(value, i));
            good = good && choice != NULL;
            buf_append_cstr(&text, i == 0 ? "" : ",");
            buf_append_cstr(&text, choice == NULL ? "" : choice);
        }
    } else {
        good = json_is_null(value);
    }
    *out_text = arena_span(call->api->arena, buf_span(&text));
    buf_fini(&text);
    if (!good) {
        api_error(call->reply, API_INVALID, NULL,
                  "the answer to '%s' is to be a text, a whole number or a list of choices", name);
    }
    return good;
}

static bool
read_answers(struct api_call *call, uint32_t form, struct input *out_input)
{
    json_t *answers = json_object_get(call->body, "answers");
    if (!json_is_object(answers)) {
        api_error(call->reply, API_INVALID, NULL, "'answers' is to be an object of questions");
        return false;
    }
    struct arena *arena = call->api->arena;
    struct form_given *given = arena_alloc(arena, (json_object_size(answers) + 1) * sizeof(*given));
    uint32_t count = 0;
    const char *name;
    json_t *value;
    json_object_foreach(answers, name, value)
    {
        given[count].question = span_cstr(name);
        if (!given_value(call, name, value, &given[count].value)) {
            return false;
        }
        count++;
    }
    struct buf error = {0};
    enum rc rc = form_answers_read(call->definitions, form, given, count, arena, out_input, &error);
    if (rc != RC_OK) {
        api_error(call->reply, API_INVALID, NULL, "%s", buf_cstr(&error));
    }
    buf_fini(&error);
    return rc == RC_OK;
}

/* The reason of the refusal among the events, or NULL: it was not refused. */
static const char *
refusal(const struct event *events, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (events[i].kind == EVENT_FORM_REFUSED) {
            return reason_name(events[i].u.form.reason);
        }
        if (events[i].kind == EVENT_BOOKING_REFUSED) {
            return reason_name(events[i].u.booking.reason);
        }
    }
    return NULL;
}

void
api_post_answers(struct api_call *call)
{
    static const char *const KEYS[] = {"friend", "answers", "key", NULL};
    uint32_t form, friend;
    struct input input = {0};
    if (!api_body_keys(call, KEYS) ||
        !api_name(call, &call->definitions->form_names, "form", call->name, &form) ||
        !api_friend_json(call, json_object_get(call->body, "friend"), &friend) ||
        !read_answers(call, form, &input) || !api_is_new(call)) {
        return;
    }
    json_t *seqs = json_array();
    uint32_t count;
    input.u.form.friend = friend;
    const struct event *events = api_input(call, &input, seqs, &count);
    const char *reason = refusal(events, count);
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:s,s:b,s:o,s:o}", "friend", (json_int_t) friend, "form", call->name,
                     "accepted", (int)(reason == NULL), "reason", api_text(reason), "events",
                     seqs));
}

/* --- conversions --- */

void
api_post_conversion(struct api_call *call)
{
    static const char *const KEYS[] = {"key", NULL};
    uint32_t friend, conversion;
    if (!api_body_keys(call, KEYS) || !api_friend_text(call, call->name, &friend) ||
        !api_name(call, &call->definitions->conversion_names, "conversion", call->second_name,
                  &conversion) ||
        !api_is_new(call)) {
        return;
    }
    struct input input = {.kind = INPUT_CONVERSION,
                          .u.conversion = {.friend = friend, .conversion = conversion}};
    json_t *seqs = json_array();
    uint32_t count;
    const struct event *events = api_input(call, &input, seqs, &count);
    bool counted = false;
    for (uint32_t i = 0; i < count; i++) {
        counted = counted || (events[i].kind == EVENT_CONVERTED && events[i].u.conversion.counted);
    }
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:s,s:b,s:o}", "friend", (json_int_t) friend, "conversion",
                     call->second_name, "counted", (int)counted, "events", seqs));
}

/* --- bookings --- */

/* "2026-06-13 14:00" of a calendar, "main" of an event. */
static bool
read_slot(struct api_call *call, struct input *input)
{
    const char *slot = body_text(call, "slot");
    if (slot == NULL) {
        return false;
    }
    if (call->definitions->calendars[input->u.booking.calendar].is_event) {
        return api_name(call, &call->definitions->slot_names, "slot", slot, &input->u.booking.slot);
    }
    if (instant_parse(span_cstr(slot), api_zone(call->api), &input->u.booking.at_ms) != RC_OK) {
        api_error(call->reply, API_INVALID, NULL,
                  "'slot' is to be when it begins, \"2026-06-13 14:00\"");
        return false;
    }
    return true;
}

static bool
read_override(struct api_call *call, struct input *input)
{
    const json_t *override = json_object_get(call->body, "override");
    if (override != NULL && !json_is_boolean(override)) {
        api_error(call->reply, API_INVALID, NULL, "'override' is to be true or false");
        return false;
    }
    input->u.booking.by_operator = json_is_true(override);
    return true;
}

static void
decide_booking(struct api_call *call, struct input *input, const char *calendar, const char *done)
{
    json_t *seqs = json_array();
    uint32_t count;
    const struct event *events = api_input(call, input, seqs, &count);
    const char *reason = refusal(events, count);
    api_ok(call, API_WHEN_DURABLE,
           json_pack("{s:I,s:s,s:b,s:o,s:o}", "friend", (json_int_t)input->u.booking.friend,
                     "calendar", calendar, done, (int)(reason == NULL), "reason", api_text(reason),
                     "events", seqs));
}

void
api_post_booking(struct api_call *call)
{
    static const char *const KEYS[] = {"calendar", "slot", "override", "key", NULL};
    struct input input = {.kind = INPUT_BOOK, .u.booking = {.slot = NO_ID}};
    const char *calendar;
    if (!api_body_keys(call, KEYS) || !api_friend_text(call, call->name, &input.u.booking.friend) ||
        (calendar = body_text(call, "calendar")) == NULL ||
        !api_name(call, &call->definitions->calendar_names, "calendar", calendar,
                  &input.u.booking.calendar) ||
        !read_slot(call, &input) || !read_override(call, &input) || !api_is_new(call)) {
        return;
    }
    decide_booking(call, &input, calendar, "booked");
}

void
api_patch_booking(struct api_call *call)
{
    static const char *const KEYS[] = {"slot", "override", "key", NULL};
    struct input input = {.kind = INPUT_CHANGE_BOOKING, .u.booking = {.slot = NO_ID}};
    if (!api_body_keys(call, KEYS) || !api_friend_text(call, call->name, &input.u.booking.friend) ||
        !api_name(call, &call->definitions->calendar_names, "calendar", call->second_name,
                  &input.u.booking.calendar) ||
        !read_slot(call, &input) || !read_override(call, &input) || !api_is_new(call)) {
        return;
    }
    decide_booking(call, &input, call->second_name, "changed");
}

void
api_delete_booking(struct api_call *call)
{
    struct input input = {.kind = INPUT_CANCEL_BOOKING, .u.booking = {.slot = NO_ID}};
    int64_t override;
    if (!api_friend_text(call, call->name, &input.u.booking.friend) ||
        !api_name(call, &call->definitions->calendar_names, "calendar", call->second_name,
                  &input.u.booking.calendar) ||
        !api_query_number(call, "override", 0, 0, 1, &override)) {
        return;
    }
    input.u.booking.by_operator = override == 1;
    decide_booking(call, &input, call->second_name, "cancelled");
}

/* --- rosters --- */

struct roster_row {
    int64_t at_ms;
    uint32_t booking;
};

static int
by_time(const void *a, const void *b)
{
    const struct roster_row *x = a, *y = b;
    if (x->at_ms != y->at_ms) {
        return x->at_ms < y->at_ms ? -1 : 1;
    }
    return (x->booking > y->booking) - (x->booking < y->booking);
}

static json_t *
roster_json(const struct api_call *call, const struct booking *row)
{
    const char *slot =
        row->slot == NO_ID ? NULL : names_text(&call->definitions->slot_names, row->slot);
    return json_pack("{s:o,s:o,s:I,s:o,s:o}", "begins", api_instant(call, row->at_ms), "slot",
                     api_text(slot), "friend", (json_int_t)row->friend, "user_id",
                     api_user_id(call, row->friend), "name",
                     api_text(state_name(call->state, row->friend)));
}

void
api_get_roster(struct api_call *call)
{
    const struct state *state = call->state;
    const char *text = call->request->query == NULL
                           ? NULL
                           : call->request->query(call->request->query_context, "day");
    uint32_t calendar, count = 0;
    int64_t day = 0;
    if (!api_name(call, &call->definitions->calendar_names, "calendar", call->name, &calendar)) {
        return;
    }
    if (text != NULL && instant_parse_date(span_cstr(text), &day) != RC_OK) {
        api_error(call->reply, API_INVALID, NULL, "'day' is to be a date, 2026-06-13");
        return;
    }
    struct roster_row *rows =
        arena_alloc(call->api->arena, ((size_t)state->bookings.count + 1) * sizeof(*rows));
    for (uint32_t i = 0; i < state->bookings.count; i++) {
        const struct booking *row = state_booking(state, i);
        if (row->phase == BOOKING_OPEN && row->calendar == calendar &&
            (text == NULL || civil_local_day(api_zone(call->api), row->at_ms) == day)) {
            rows[count++] = (struct roster_row){.at_ms = row->at_ms, .booking = i};
        }
    }
    qsort(rows, count, sizeof(*rows), by_time);
    json_t *bookings = json_array();
    for (uint32_t i = 0; i < count; i++) {
        json_array_append_new(bookings, roster_json(call, state_booking(state, rows[i].booking)));
    }
    api_ok(call, API_NOW, json_pack("{s:s,s:o}", "calendar", call->name, "bookings", bookings));
}
