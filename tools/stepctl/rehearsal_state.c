/* What is true of a friend at an instant, in the words that a row of `state` asks with. */
#include "engine/menu.h"
#include "proto/words.h"
#include "tools/stepctl/rehearsal_run.h"
#include "tools/stepctl/rehearsal_words.h"

static void
append_tags_of(const struct state *state, uint32_t friend, struct arena *arena, struct buf *out)
{
    const struct names *names = &state->definitions->tag_names;
    struct buf list = {0};
    for (uint32_t tag = 0; tag < names->count; tag++) {
        if (state_has_tag(state, friend, tag)) {
            buf_printf(&list, "%s%s", list.len == 0 ? "" : ",", names->items[tag].text);
        }
    }
    rehearsal_append_tags(arena, buf_span(&list), out);
    buf_fini(&list);
}

static void
append_finished_of(const struct state *state, uint32_t friend, struct arena *arena, struct buf *out)
{
    const struct names *names = &state->definitions->scenario_names;
    struct buf list = {0};
    for (uint32_t scenario = 0; scenario < names->count; scenario++) {
        if (state_has_finished(state, friend, scenario)) {
            buf_printf(&list, "%s%s", list.len == 0 ? "" : ",", names->items[scenario].text);
        }
    }
    buf_append_cstr(out, "finished=");
    rehearsal_append_sorted(arena, buf_span(&list), out);
    buf_fini(&list);
}

static uint32_t
pending_of(const struct state *state, uint32_t friend)
{
    uint32_t count = 0;
    for (uint32_t i = state_friend(state, friend)->first_enrolment; i != NO_ID;
         i = state_enrolment(state, i)->next) {
        const struct enrolment *row = state_enrolment(state, i);
        bool is_date = state->definitions->scenarios[row->scenario].kind == KIND_DATE;
        bool later = is_date && row->due_ms > state->at_ms;
        count += row->phase == ENROLMENT_WAITING && !later ? 1 : 0;
    }
    for (uint32_t i = state_friend_more(state, friend)->first_delivery; i != NO_ID;
         i = state_delivery(state, i)->next) {
        count++;
    }
    return count;
}

static void
append_field_of(const struct state *state, uint32_t friend, uint32_t field, const struct zone *zone,
                struct buf *out)
{
    const struct field_value value = state_value(state, friend, field);
    const struct field *about = &state->definitions->fields[field];
    struct civil_date date;
    struct civil_time time;
    if (!value.set && !about->has_start) {
        return;
    }
    int64_t number = value.set ? value.number : about->start;
    switch (about->type) {
    case FIELD_NUMBER:
        buf_printf(out, "%lld", (long long)number);
        break;
    case FIELD_DATE:
        date = civil_date_of(number);
        buf_printf(out, "%04d-%02d-%02d", date.year, date.month, date.day);
        break;
    case FIELD_DATETIME:
        time = civil_local(zone, number);
        buf_printf(out, "%04d-%02d-%02d %02d:%02d", time.date.year, time.date.month, time.date.day,
                   time.hour, time.minute);
        break;
    case FIELD_TEXT:
    case FIELD_IMAGE:
    case FIELD_FILE:
        buf_append_cstr(out, value.text == NULL ? "" : value.text);
        break;
    }
}

struct rehearsal_row
rehearsal_state_row(const struct state *state, const struct zone *zone,
                    const struct rehearsal_row *expected, struct arena *arena)
{
    struct buf text = {0};
    struct span rest = expected->text;
    struct span date = words_next(&rest), time = words_next(&rest), who = words_next(&rest);
    uint32_t friend = state_find_friend(state, who);
    buf_printf(&text, "%.*s %.*s %.*s", span_fmt(date), span_fmt(time), span_fmt(who));
    for (struct span word = rehearsal_raw_word(&rest); word.len > 0;
         word = rehearsal_raw_word(&rest)) {
        size_t equals = words_find(word, "=");
        struct span name = span_of(word.data, equals);
        uint32_t field = names_find(&state->definitions->field_names, name);
        buf_append_byte(&text, ' ');
        if (friend == NO_ID) {
            buf_append_cstr(&text, "(no friend)");
            break;
        }
        if (span_equal_cstr(word, "blocked") || span_equal_cstr(word, "active")) {
            buf_append_cstr(&text, state_is_blocked(state, friend) ? "blocked" : "active");
        } else if (span_equal_cstr(word, "hidden") || span_equal_cstr(word, "shown")) {
            buf_append_cstr(&text, state_friend(state, friend)->hidden ? "hidden" : "shown");
        } else if (span_equal_cstr(name, "tags")) {
            append_tags_of(state, friend, arena, &text);
        } else if (span_equal_cstr(name, "score")) {
            buf_printf(&text, "score=%lld", (long long)state_friend_more(state, friend)->score);
        } else if (span_equal_cstr(name, "finished") && equals < word.len) {
            append_finished_of(state, friend, arena, &text);
        } else if (span_equal_cstr(name, "menu")) {
            uint32_t menu = state_menu(state, friend);
            buf_printf(&text, "menu=%s",
                       menu == NO_ID ? "" : names_text(&state->definitions->rich_menu_names, menu));
        } else if (span_equal_cstr(name, "pending")) {
            buf_printf(&text, "pending=%u", pending_of(state, friend));
        } else if (field != NO_ID) {
            struct buf value = {0};
            append_field_of(state, friend, field, zone, &value);
            bool quoted = words_find(buf_span(&value), " ") < value.len;
            buf_printf(&text, quoted ? "%.*s='%s'" : "%.*s=%s", span_fmt(name), buf_cstr(&value));
            buf_fini(&value);
        } else {
            buf_printf(&text, "(no such thing: %.*s)", span_fmt(word));
        }
    }
    struct rehearsal_row row = {.at_ms = expected->at_ms,
                                .text = arena_span(arena, buf_span(&text))};
    buf_fini(&text);
    return row;
}
