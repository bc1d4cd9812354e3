/* Periods of days and hours of the week (LANGUAGE 2). */
#include "proto/definition_compile.h"
#include "proto/words.h"

enum { EVERY_DAY = 0x7f, DAY_MINUTES = 1440 };

bool
compile_period(struct compiler *compiler, const struct yaml_node *node, int64_t *out_first_day,
               int64_t *out_last_day)
{
    struct span text;
    if (!compile_text(compiler, node, "a period", &text)) {
        return false;
    }
    if (!words_period(text, out_first_day, out_last_day)) {
        compile_error(compiler, node, text,
                      "not a period; write 2026-06-01..2026-06-30, one end may be missing");
        return false;
    }
    return true;
}

/* The weekday, 0 = Sunday; -1 when the text is none. */
static int
weekday(struct span text)
{
    static const char *const DAYS[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    for (int i = 0; i < 7; i++) {
        if (span_equal_cstr(text, DAYS[i])) {
            return i;
        }
    }
    return -1;
}

/* "mon" or "mon-fri", which may go over the week's end; 0 when it is neither. */
static uint8_t
day_range(struct span text)
{
    size_t dash = words_find(text, "-");
    int first = weekday(span_of(text.data, dash));
    int last =
        dash == text.len ? first : weekday(span_of(text.data + dash + 1, text.len - dash - 1));
    uint8_t days = 0;
    if (first < 0 || last < 0) {
        return 0;
    }
    for (int day = first;; day = (day + 1) % 7) {
        days = (uint8_t)(days | 1U << day);
        if (day == last) {
            return days;
        }
    }
}

bool
week_days_read(struct span text, uint8_t *out_days)
{
    *out_days = 0;
    while (text.len > 0) {
        size_t comma = words_find(text, ",");
        uint8_t range = day_range(words_trim(span_of(text.data, comma)));
        if (range == 0) {
            return false;
        }
        *out_days = (uint8_t)(*out_days | range);
        size_t used = comma < text.len ? comma + 1 : comma;
        text = span_of(text.data + used, text.len - used);
    }
    return *out_days != 0;
}

/* "sat, sun", "mon-fri 09:00-18:00", "18:00-09:00" */
static bool
read_span(struct span text, struct hours_span *out_span)
{
    struct window window = {.open_min = 0, .close_min = DAY_MINUTES};
    struct span rest = text, days = text;
    for (struct span word = words_next(&rest); word.len > 0; word = words_next(&rest)) {
        if (words_find(word, ":") < word.len) {
            if (!words_window(word, &window) || words_trim(rest).len > 0) {
                return false;
            }
            days = words_trim(span_of(text.data, (size_t)(word.data - text.data)));
        }
    }
    *out_span = (struct hours_span){.days = days.len == 0 ? EVERY_DAY : 0,
                                    .open_min = window.open_min,
                                    .close_min = window.close_min};
    return days.len == 0 || week_days_read(days, &out_span->days);
}

bool
compile_week_hours(struct compiler *compiler, const struct yaml_node *node, struct hours *out_hours)
{
    struct span text;
    if (!compile_text(compiler, node, "hours", &text)) {
        return false;
    }
    struct span rest = words_trim(text);
    struct hours_span *spans = NULL;
    uint32_t count = 0;
    out_hours->negated = words_take(&rest, "not");
    for (rest = words_trim(rest);;) {
        size_t or = words_find(rest, " or ");
        struct span piece = words_trim(span_of(rest.data, or));
        spans = arena_grow(compiler->arena, spans, count, sizeof(*spans));
        if (piece.len == 0 || !read_span(piece, &spans[count])) {
            compile_error(compiler, node, piece.len > 0 ? piece : text,
                          "not hours; write 'mon-fri 09:00-18:00', 'sat, sun or 18:00-09:00'");
            return false;
        }
        count++;
        if (or == rest.len) {
            break;
        }
        rest = span_of(rest.data + or +4, rest.len - or -4);
    }
    out_hours->spans = spans;
    out_hours->span_count = count;
    return true;
}
