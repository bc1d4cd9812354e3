/* Calendars and events: what can be booked, until when, and what then happens (LANGUAGE 11, R39). */
#include "engine/calendar.h"
#include "proto/definition_compile.h"
#include "proto/words.h"

enum { DAYS_BEFORE_MAX = 365, DAY_MIN = 1440 };

static const char *const DAYS[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* --- names --- */

static void
register_slots(struct compiler *compiler, const struct yaml_node *event)
{
    const struct yaml_node *slots = yaml_get(event, "slots");
    for (uint32_t i = 0; slots != NULL && slots->kind == YAML_MAPPING && i < slots->count; i++) {
        if (compile_id(compiler, slots->pairs[i].key_mark, slots->pairs[i].key)) {
            name_table_add(&compiler->slots, slots->pairs[i].key);
        }
    }
}

void
compile_calendar_names(struct compiler *compiler, const struct yaml_node *calendars,
                       const struct yaml_node *events)
{
    for (uint32_t i = 0; i < calendars->count; i++) {
        if (compile_id(compiler, calendars->pairs[i].key_mark, calendars->pairs[i].key)) {
            name_table_add(&compiler->calendars, calendars->pairs[i].key);
        }
    }
    for (uint32_t i = 0; i < events->count; i++) {
        const struct yaml_pair *pair = &events->pairs[i];
        if (!compile_id(compiler, pair->key_mark, pair->key)) {
            continue;
        }
        if (name_table_find(&compiler->calendars, pair->key) != NO_ID) {
            yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                       "'%.*s' is a calendar already; events and calendars share their names",
                       span_fmt(pair->key));
        }
        name_table_add(&compiler->calendars, pair->key);
        register_slots(compiler, pair->value);
    }
    uint32_t count = compiler->calendars.names.count;
    compiler->calendar_items =
        arena_alloc(compiler->arena, (count + 1) * sizeof(*compiler->calendar_items));
    for (uint32_t i = 0; i < events->count; i++) {
        uint32_t id = name_table_find(&compiler->calendars, events->pairs[i].key);
        if (id != NO_ID) {
            compiler->calendar_items[id].is_event = true;
        }
    }
}

/* --- hours and closed days --- */

static bool
read_day(struct span word, int *out_day)
{
    for (int i = 0; i < 7; i++) {
        if (span_equal_cstr(word, DAYS[i])) {
            *out_day = i;
            return true;
        }
    }
    return false;
}

/* "mon", "mon-sat", "sat-mon" */
static bool
read_days(struct span word, uint8_t *out_days)
{
    int first, last;
    size_t dash = words_find(word, "-");
    bool range = dash < word.len;
    if (!read_day(span_of(word.data, dash), &first)) {
        return false;
    }
    last = first;
    if (range && !read_day(span_of(word.data + dash + 1, word.len - dash - 1), &last)) {
        return false;
    }
    for (int day = first;; day = (day + 1) % 7) {
        *out_days = (uint8_t)(*out_days | 1U << day);
        if (day == last) {
            return true;
        }
    }
}

/* "mon-sat 10:00-19:00", "sat, sun", "18:00-22:00" */
static bool
read_opening(struct span text, struct opening *out)
{
    *out = (struct opening){.from_min = 0, .to_min = DAY_MIN};
    struct span rest = text;
    for (struct span word = words_next(&rest); word.len > 0; word = words_next(&rest)) {
        struct window window;
        bool comma = word.data[word.len - 1] == ',';
        word.len -= comma ? 1 : 0;
        if (read_days(word, &out->days)) {
            continue;
        }
        if (rest.len > 0 || comma || !words_window(word, &window) || window.open_min < 0) {
            return false;
        }
        out->from_min = window.open_min;
        out->to_min =
            window.close_min > window.open_min ? window.close_min : window.close_min + DAY_MIN;
    }
    out->days = out->days == 0 ? 0x7f : out->days;
    return text.len > 0;
}

static void
compile_hours(struct compiler *compiler, const struct yaml_node *node, struct calendar *calendar)
{
    struct span text;
    struct opening *hours = NULL;
    if (!compile_text(compiler, node, "'hours'", &text)) {
        return;
    }
    for (struct span rest = text; rest.len > 0;) {
        size_t end = words_find(rest, " or ");
        struct span one = words_trim(span_of(rest.data, end));
        struct opening opening;
        if (!read_opening(one, &opening)) {
            compile_error(compiler, node, one,
                          "not opening hours; write 'mon-sat 10:00-19:00 or sun 10:00-15:00'");
            return;
        }
        hours = arena_grow(compiler->arena, hours, calendar->hours_count, sizeof(*hours));
        hours[calendar->hours_count++] = opening;
        rest = end < rest.len ? span_of(rest.data + end + 4, rest.len - end - 4)
                              : span_of(rest.data, 0);
    }
    calendar->hours = hours;
}

/* "2026-08-13" or "2026-08-13..2026-08-16" */
static void
compile_closed(struct compiler *compiler, const struct yaml_node *node, struct calendar *calendar)
{
    bool list = node->kind == YAML_LIST;
    uint32_t count = list ? node->count : 1;
    struct day_range *closed = arena_alloc(compiler->arena, (count + 1) * sizeof(*closed));
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *item = list ? node->items[i] : node;
        struct span text;
        if (!compile_text(compiler, item, "a closed day", &text)) {
            continue;
        }
        size_t dots = words_find(text, "..");
        struct span first = span_of(text.data, dots);
        struct span last =
            dots == text.len ? first : span_of(text.data + dots + 2, text.len - dots - 2);
        struct day_range *range = &closed[calendar->closed_count];
        if (!words_date(first, &range->first) || !words_date(last, &range->last) ||
            range->last < range->first) {
            compile_error(compiler, item, text,
                          "not closed days; write 2026-08-13 or 2026-08-13..2026-08-16");
            continue;
        }
        calendar->closed_count++;
    }
    calendar->closed = closed;
}

/* --- deadlines --- */

/* "the day before at 18:00", "3 days before at 18:00", "the day at 09:00" */
static bool
read_day_deadline(struct span text, struct deadline *out)
{
    struct span rest = text;
    int64_t days = 0;
    if (words_take(&rest, "the day before at")) {
        days = 1;
    } else if (words_take(&rest, "the day at")) {
        days = 0;
    } else {
        if (!words_number(words_next(&rest), &days) || days < 1 || days > DAYS_BEFORE_MAX ||
            !(words_take(&rest, "days before at") || words_take(&rest, "day before at"))) {
            return false;
        }
    }
    out->kind = DEADLINE_DAYS_BEFORE_AT;
    out->days = (int32_t)days;
    return words_time(words_trim(rest), &out->at_min);
}

static void
compile_deadline(struct compiler *compiler, const struct yaml_node *node, struct deadline *out)
{
    struct span text;
    struct deadline read = {0};
    if (!compile_text(compiler, node, "a deadline", &text)) {
        return;
    }
    struct span rest = text;
    if (words_duration(words_next(&rest), &read.before_ms) && words_take(&rest, "before") &&
        words_trim(rest).len == 0) {
        read.kind = DEADLINE_BEFORE;
    } else if (words_datetime(text, compiler->out->account.zone, &read.at_ms)) {
        read.kind = DEADLINE_AT;
    } else if (!read_day_deadline(words_trim(text), &read)) {
        compile_error(compiler, node, text,
                      "not a deadline; write '2h before', 'the day before at 18:00' or "
                      "'2026-06-10 18:00'");
        return;
    }
    *out = read;
}

/* --- slots of an event --- */

static void
compile_slot(struct compiler *compiler, const struct yaml_pair *pair,
             const struct calendar *calendar, bool has_capacity, struct event_slot *slot)
{
    static const char *const KEYS[] = {"at", "capacity", "place", "book_until", NULL};
    const struct yaml_node *node = pair->value;
    const struct yaml_node *at = node;
    const char *what = compile_format(compiler, "slot '%.*s'", span_fmt(pair->key));
    int64_t capacity = calendar->capacity;
    struct span text;
    slot->id = name_table_find(&compiler->slots, pair->key);
    slot->book_until = calendar->book_until;
    if (node->kind == YAML_MAPPING) {
        const struct yaml_node *value;
        if (!compile_keys(compiler, node, KEYS, false, NOT_YET_NOTHING, what)) {
            return;
        }
        at = yaml_get(node, "at");
        if ((value = yaml_get(node, "capacity")) != NULL) {
            has_capacity = compile_count(compiler, value, &capacity);
        }
        if ((value = yaml_get(node, "place")) != NULL &&
            compile_text(compiler, value, "'place'", &text)) {
            slot->place = arena_cstr(compiler->arena, text);
        }
        if ((value = yaml_get(node, "book_until")) != NULL) {
            compile_deadline(compiler, value, &slot->book_until);
        }
    }
    slot->capacity = (uint32_t)capacity;
    if (at == NULL || !has_capacity) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "%s has no '%s'", what,
                   at == NULL ? "at" : "capacity");
    } else if (compile_text(compiler, at, "a slot", &text) &&
               !words_datetime(text, compiler->out->account.zone, &slot->at_ms)) {
        compile_error(compiler, at, text, "not a date and time; write 2026-06-10 20:00");
    }
}

static void
compile_slots(struct compiler *compiler, const struct yaml_pair *pair, bool has_capacity,
              struct calendar *calendar)
{
    const struct yaml_node *node = yaml_get(pair->value, "slots");
    if (node == NULL || node->kind != YAML_MAPPING || node->count == 0) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "event '%.*s' needs 'slots' (main: 2026-06-10 20:00)", span_fmt(pair->key));
        return;
    }
    struct event_slot *slots = arena_alloc(compiler->arena, node->count * sizeof(*slots));
    for (uint32_t i = 0; i < node->count; i++) {
        compile_slot(compiler, &node->pairs[i], calendar, has_capacity, &slots[i]);
    }
    calendar->slots = slots;
    calendar->slot_count = node->count;
}

/* --- one calendar, one event --- */

/* One reminder or a list of them. */
static void
compile_booking_reminders(struct compiler *compiler, const struct yaml_node *node,
                          struct calendar *calendar)
{
    bool list = node->kind == YAML_LIST;
    uint32_t count = list ? node->count : 1;
    uint32_t *reminders = arena_alloc(compiler->arena, (count + 1) * sizeof(*reminders));
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *item = list ? node->items[i] : node;
        struct span name;
        uint32_t id = compile_text(compiler, item, "a reminder", &name)
                          ? compile_scenario_reference(compiler, KIND_REMINDER, item, name)
                          : NO_ID;
        if (id != NO_ID) {
            reminders[calendar->reminder_count++] = id;
        }
    }
    calendar->reminders = reminders;
}

/* What both have. Returns whether a capacity is said. */
static bool
compile_common(struct compiler *compiler, const struct yaml_node *node, const char *name,
               struct calendar *calendar)
{
    const struct yaml_node *value;
    struct span text;
    int64_t number;
    bool has_capacity = false;
    if ((value = yaml_get(node, "title")) != NULL &&
        compile_text(compiler, value, "'title'", &text)) {
        calendar->title = arena_cstr(compiler->arena, text);
    }
    if ((value = yaml_get(node, "capacity")) != NULL) {
        has_capacity = true; /* a wrong one is said once */
        if (compile_count(compiler, value, &number)) {
            calendar->capacity = (uint32_t)number;
        }
    }
    if ((value = yaml_get(node, "per_friend")) != NULL &&
        compile_text(compiler, value, "", &text) && !span_equal_cstr(text, "none") &&
        compile_count(compiler, value, &number)) {
        calendar->per_friend = (uint32_t)number;
    }
    if ((value = yaml_get(node, "book_until")) != NULL) {
        compile_deadline(compiler, value, &calendar->book_until);
    }
    if ((value = yaml_get(node, "cancel_until")) != NULL) {
        compile_deadline(compiler, value, &calendar->cancel_until);
    }
    if ((value = yaml_get(node, "reminders")) != NULL) {
        compile_booking_reminders(compiler, value, calendar);
    }
    compile_own_body(compiler, node, "on_book", name, &calendar->on_book);
    compile_own_body(compiler, node, "on_change", name, &calendar->on_change);
    compile_own_body(compiler, node, "on_cancel", name, &calendar->on_cancel);
    compile_own_body(compiler, node, "on_refused", name, &calendar->on_refused);
    return has_capacity;
}

static void
compile_calendar(struct compiler *compiler, const struct yaml_pair *pair, struct calendar *calendar)
{
    static const char *const KEYS[] = {"title",     "hours",      "closed",     "slot",
                                       "capacity",  "per_friend", "book_until", "cancel_until",
                                       "on_book",   "on_change",  "on_cancel",  "on_refused",
                                       "reminders", NULL};
    const struct yaml_node *node = pair->value;
    const struct yaml_node *value;
    const char *what = compile_format(compiler, "calendar '%.*s'", span_fmt(pair->key));
    const char *name = compile_format(compiler, "calendar/%.*s", span_fmt(pair->key));
    if (!compile_keys(compiler, node, KEYS, false, NOT_YET_CALENDAR_KEY, what)) {
        return;
    }
    bool has_capacity = compile_common(compiler, node, name, calendar);
    const struct yaml_node *slot = yaml_get(node, "slot");
    if (!has_capacity || slot == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "%s has no '%s'", what,
                   has_capacity ? "slot" : "capacity");
    }
    if (slot != NULL && compile_duration(compiler, slot, &calendar->slot_ms) &&
        (calendar->slot_ms < MS_PER_MINUTE || calendar->slot_ms > MS_PER_DAY)) {
        compile_error(compiler, slot, slot->text, "a slot lasts from 1m to 1d");
    }
    if ((value = yaml_get(node, "hours")) != NULL) {
        compile_hours(compiler, value, calendar);
    }
    if ((value = yaml_get(node, "closed")) != NULL) {
        compile_closed(compiler, value, calendar);
    }
}

static void
compile_fixed_event(struct compiler *compiler, const struct yaml_pair *pair, struct calendar *event)
{
    static const char *const KEYS[] = {
        "title",   "slots",     "capacity",  "per_friend", "book_until", "times", "cancel_until",
        "on_book", "on_change", "on_cancel", "on_refused", "reminders",  NULL};
    static const char *const TIMES[] = {"any", "slot", "once", NULL};
    const struct yaml_node *node = pair->value;
    const char *what = compile_format(compiler, "event '%.*s'", span_fmt(pair->key));
    const char *name = compile_format(compiler, "event/%.*s", span_fmt(pair->key));
    uint32_t index;
    if (!compile_keys(compiler, node, KEYS, false, NOT_YET_CALENDAR_KEY, what)) {
        return;
    }
    bool has_capacity = compile_common(compiler, node, name, event);
    const struct yaml_node *times = yaml_get(node, "times");
    if (times != NULL && compile_word(compiler, times, TIMES, &index)) {
        event->times = (enum times)index;
    }
    compile_slots(compiler, pair, has_capacity, event);
}

void
compile_calendars(struct compiler *compiler, const struct yaml_node *calendars,
                  const struct yaml_node *events)
{
    for (uint32_t i = 0; i < calendars->count; i++) {
        uint32_t id = name_table_find(&compiler->calendars, calendars->pairs[i].key);
        if (id != NO_ID) {
            compile_calendar(compiler, &calendars->pairs[i], &compiler->calendar_items[id]);
        }
    }
    for (uint32_t i = 0; i < events->count; i++) {
        uint32_t id = name_table_find(&compiler->calendars, events->pairs[i].key);
        if (id != NO_ID) {
            compile_fixed_event(compiler, &events->pairs[i], &compiler->calendar_items[id]);
        }
    }
}

/* --- book, unbook --- */

void
compile_booking(struct compiler *compiler, const struct yaml_node *node, bool book,
                struct action *out_action)
{
    struct span text;
    out_action->u.book.slot = NO_ID;
    if (!compile_text(compiler, node, "this", &text)) {
        return;
    }
    struct span rest = text;
    struct span name = words_next(&rest);
    rest = words_trim(rest);
    uint32_t id = compile_reference(compiler, &compiler->calendars, "calendar", node, name);
    out_action->u.book.calendar = id;
    if (id == NO_ID) {
        return;
    }
    if (!book) {
        if (rest.len > 0) {
            compile_error(compiler, node, rest, "nothing may follow the calendar");
        }
    } else if (compiler->calendar_items[id].is_event) {
        out_action->u.book.slot = compile_reference(compiler, &compiler->slots, "slot", node, rest);
    } else if (!words_datetime(rest, compiler->out->account.zone, &out_action->u.book.at_ms)) {
        compile_error(compiler, node, rest.len > 0 ? rest : text,
                      "write the calendar and when: book: %.*s 2026-06-13 14:00", span_fmt(name));
    }
}
