/* Schedules: what comes again and again for whoever a condition holds (LANGUAGE 9, SPEC R33). */
#include "proto/definition_compile.h"
#include "proto/words.h"

enum { EVERY_DAY = 0x7f, MONTH_DAYS_SURE = 28, MONTH_DAYS_MAX = 31 };

/* "day", "mon, thu", "month day 25", "month last day": what stands before "at". */
static bool
read_recurrence(struct span days, struct recurrence *out)
{
    struct span rest = days;
    if (span_equal_cstr(days, "day")) {
        out->days = EVERY_DAY;
        return true;
    }
    if (!words_take(&rest, "month")) {
        return week_days_read(days, &out->days);
    }
    out->monthly = true;
    rest = words_trim(rest);
    if (span_equal_cstr(rest, "last day")) {
        return true;
    }
    int64_t number;
    if (!words_take(&rest, "day") || !words_number(words_trim(rest), &number) || number < 1 ||
        number > MONTH_DAYS_MAX) {
        return false;
    }
    out->month_day = (int32_t)number;
    return true;
}

static void
compile_every(struct compiler *compiler, const struct yaml_node *node, struct recurrence *out)
{
    struct span text;
    if (!compile_text(compiler, node, "'every'", &text)) {
        return;
    }
    size_t at = words_find(text, " at ");
    struct span days = words_trim(span_of(text.data, at));
    if (at == text.len || !read_recurrence(days, out)) {
        compile_error(compiler, node, text,
                      "not a recurrence; write 'day at 07:00', 'mon, thu at 18:30', 'month day 25 "
                      "at 10:00' or 'month last day at 10:00'");
        return;
    }
    compile_time(compiler, node, words_trim(span_of(text.data + at + 4, text.len - at - 4)),
                 &out->at_min);
    if (out->month_day > MONTH_DAYS_SURE) {
        compile_warning(
            compiler, node, days,
            "months without a day %d are passed over; write 'month last day' for the end",
            out->month_day);
    }
}

static void
compile_schedule(struct compiler *compiler, const struct yaml_pair *pair,
                 struct broadcast *schedule)
{
    static const char *const KEYS[] = {"title",  "every", "to",       "class",
                                       "window", "grace", "priority", NULL};
    const struct yaml_node *node = pair->value, *value;
    const char *what = compile_format(compiler, "schedule '%.*s'", span_fmt(pair->key));
    struct place place = {.what = what, .mark = pair->key_mark, .word = pair->key};
    struct span text;
    place.name = compile_format(compiler, "schedule/%.*s", span_fmt(pair->key));
    if (!compile_keys(compiler, node, KEYS, true, NOT_YET_NOTHING, what)) {
        return;
    }
    schedule->recurs = true;
    schedule->partial = true; /* each message is held by itself, where the quota is used up */
    schedule->grace_ms = 2 * MS_PER_HOUR;
    if ((value = yaml_get(node, "title")) != NULL &&
        compile_text(compiler, value, "'title'", &text)) {
        schedule->title = arena_cstr(compiler->arena, text);
    }
    if ((value = yaml_get(node, "every")) == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "%s has no 'every': write every: mon-fri at 11:15", what);
    } else {
        compile_every(compiler, value, &schedule->every);
    }
    if ((value = yaml_get(node, "to")) == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "%s has no 'to': write a condition, or everyone", what);
    } else {
        compile_condition(compiler, value, &schedule->to);
    }
    compile_sending(compiler, node, schedule);
    compile_body(compiler, node, &place, &schedule->body);
}

void
compile_schedules(struct compiler *compiler, const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        uint32_t id = name_table_find(&compiler->broadcasts, section->pairs[i].key);
        if (id != NO_ID) {
            compile_schedule(compiler, &section->pairs[i], &compiler->broadcast_items[id]);
        }
    }
}
