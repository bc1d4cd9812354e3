/* What friends do on pages: answers, conversions, bookings (LANGUAGE 13 "Inputs"), and rosters. */
#include "engine/calendar.h"
#include "proto/diagnostics.h"
#include "proto/form_answers.h"
#include "proto/words.h"
#include "tools/stepctl/rehearsal.h"
#include "tools/stepctl/rehearsal_run.h"
#include "tools/stepctl/rehearsal_words.h"

struct making {
    const struct rehearsal *rehearsal;
    const struct definitions *definitions;
    const struct rehearsal_input *row;
    struct arena *arena;
    struct diagnostics *diagnostics;
};

static enum rc
wrong(const struct making *making, struct span word, const char *what)
{
    const struct yaml_node *node = making->row->node;
    yaml_error(making->diagnostics, node->mark, word, "%s '%.*s'", what, span_fmt(word));
    return RC_INVALID;
}

static enum rc
find(const struct making *making, const struct names *names, struct span word, const char *what,
     uint32_t *out_id)
{
    *out_id = names_find(names, word);
    return *out_id == NO_ID ? wrong(making, word, what) : RC_OK;
}

static enum rc
make_answers(const struct making *making, struct input *out)
{
    const struct rehearsal_input *row = making->row;
    uint32_t form = NO_ID;
    enum rc rc = find(making, &making->definitions->form_names, row->what, "no form", &form);
    if (rc != RC_OK) {
        return rc;
    }
    struct form_given *given = arena_alloc(making->arena, (row->change_count + 1) * sizeof(*given));
    for (uint32_t i = 0; i < row->change_count; i++) {
        given[i] = (struct form_given){row->changes[i].name, row->changes[i].value};
    }
    struct buf error = {0};
    rc = form_answers_read(making->definitions, form, given, row->change_count, making->arena, out,
                           &error);
    if (rc != RC_OK) {
        yaml_error(making->diagnostics, row->node->mark, row->node->text, "%s", buf_cstr(&error));
    }
    buf_fini(&error);
    return rc;
}

static enum rc
make_booking(const struct making *making, struct input *out)
{
    const struct rehearsal_input *row = making->row;
    uint32_t id = NO_ID;
    enum rc rc =
        find(making, &making->definitions->calendar_names, row->what, "no calendar or event", &id);
    if (rc != RC_OK) {
        return rc;
    }
    out->kind = row->verb == VERB_BOOKS     ? INPUT_BOOK
                : row->verb == VERB_CHANGES ? INPUT_CHANGE_BOOKING
                                            : INPUT_CANCEL_BOOKING;
    out->u.booking.calendar = id;
    out->u.booking.slot = NO_ID;
    out->u.booking.by_operator = row->by_operator;
    if (row->verb == VERB_CANCELS) {
        return RC_OK;
    }
    if (making->definitions->calendars[id].is_event) {
        return find(making, &making->definitions->slot_names, row->slot, "no slot",
                    &out->u.booking.slot);
    }
    if (!words_datetime(row->slot, making->rehearsal->zone, &out->u.booking.at_ms)) {
        return wrong(making, row->slot, "not an instant:");
    }
    return RC_OK;
}

enum rc
rehearsal_act_input(const struct rehearsal *rehearsal, const struct definitions *definitions,
                    const struct rehearsal_input *row, uint32_t friend, struct arena *arena,
                    struct diagnostics *diagnostics, struct input *out_input)
{
    const struct making making = {rehearsal, definitions, row, arena, diagnostics};
    enum rc rc = RC_OK;
    if (row->verb == VERB_SUBMITS) {
        rc = make_answers(&making, out_input);
        out_input->u.form.friend = friend;
    } else if (row->verb == VERB_CONVERTS) {
        uint32_t conversion = NO_ID;
        rc = find(&making, &definitions->conversion_names, row->what, "no conversion", &conversion);
        out_input->kind = INPUT_CONVERSION;
        out_input->u.conversion.friend = friend;
        out_input->u.conversion.conversion = conversion;
    } else if (row->verb == VERB_CLICKS) {
        uint32_t link = NO_ID;
        rc = find(&making, &definitions->link_names, row->what, "no link", &link);
        *out_input =
            (struct input){.kind = INPUT_CLICK, .u.click = {.friend = friend, .link = link}};
    } else {
        rc = make_booking(&making, out_input);
        out_input->u.booking.friend = friend;
    }
    return rc;
}

/* --- rosters --- */

/* Is the booking on the roster that a row names: a day of a calendar, or a slot of an event? */
static bool
is_on(const struct rehearsal_end *end, const struct booking *row, struct span what,
      struct span calendar)
{
    const struct definitions *definitions = end->state->definitions;
    const char *name = names_text(&definitions->calendar_names, row->calendar);
    int64_t day = 0;
    if (row->phase != BOOKING_OPEN) {
        return false;
    }
    if (words_date(what, &day)) {
        return span_equal_cstr(calendar, name) &&
               civil_local_day(end->rehearsal->zone, row->at_ms) == day;
    }
    size_t slash = words_find(what, "/");
    return row->slot != NO_ID && span_equal_cstr(span_of(what.data, slash), name) &&
           span_equal_cstr(span_of(what.data + slash + 1, what.len - slash - 1),
                           names_text(&definitions->slot_names, row->slot));
}

void
rehearsal_read_rosters(const struct rehearsal_end *end, struct rehearsal_result *result)
{
    const struct rehearsal_rows *asked = &end->variant->expected[LIST_ROSTERS];
    for (uint32_t i = 0; i < asked->count; i++) {
        int64_t day;
        struct span rest = asked->items[i].text;
        struct span what = words_next(&rest);
        struct span calendar = words_date(what, &day) ? words_next(&rest) : (struct span){0};
        struct buf who = {0}, text = {0};
        for (uint32_t j = 0; j < end->state->bookings.count; j++) {
            const struct booking *row = state_booking(end->state, j);
            if (is_on(end, row, what, calendar)) {
                buf_printf(&who, "%s%s", who.len == 0 ? "" : ",",
                           state_line_id(end->state, row->friend, (char[LINE_ID_ROOM]){0}));
            }
        }
        buf_append_span(&text, what);
        buf_append_cstr(&text, calendar.len > 0 ? " " : "");
        buf_append_span(&text, calendar);
        buf_append_byte(&text, ' ');
        rehearsal_append_sorted(end->arena, buf_span(&who), &text);
        rehearsal_rows_add(&result->rows[LIST_ROSTERS], end->arena,
                           (struct rehearsal_row){.text = arena_span(end->arena, buf_span(&text))});
        buf_fini(&who);
        buf_fini(&text);
    }
}
