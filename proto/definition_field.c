/* `field:`: what is set, added, subtracted or forgotten (LANGUAGE 6, SPEC R18). */
#include "proto/definition_compile.h"
#include "proto/words.h"

static const char *
type_noun(enum field_type type)
{
    switch (type) {
    case FIELD_TEXT:
        return "a text";
    case FIELD_NUMBER:
        return "a number";
    case FIELD_DATE:
        return "a date";
    case FIELD_DATETIME:
        return "a date and time";
    case FIELD_IMAGE:
        return "an image";
    case FIELD_FILE:
        return "a file";
    }
    return "?";
}

/* random 1..6 */
static bool
field_random(struct compiler *compiler, const struct yaml_node *node, struct span value,
             struct action *action)
{
    struct span rest = value;
    (void)words_next(&rest);
    struct span range = words_trim(rest);
    size_t dots = words_find(range, "..");
    struct span low = span_of(range.data, dots);
    struct span high =
        dots < range.len ? span_of(range.data + dots + 2, range.len - dots - 2) : (struct span){0};
    action->u.field.origin = FIELD_RANDOM;
    if (!words_number(low, &action->u.field.number) || !words_number(high, &action->u.field.high) ||
        action->u.field.number > action->u.field.high) {
        compile_error(compiler, node, value, "not a range; write 'random 1..6'");
        return false;
    }
    return true;
}

/* 7 days later at 23:59 (a datetime), 7 days later (a date) */
static bool
field_later(struct compiler *compiler, const struct yaml_node *node, struct span value,
            enum field_type type, struct action *action)
{
    enum { DAYS_LATER_MAX = 36525 };
    struct span rest = value;
    struct span days = words_next(&rest);
    int64_t *number = &action->u.field.number;
    action->u.field.origin = FIELD_LATER;
    bool said = words_number(days, number) && *number >= 0 && *number <= DAYS_LATER_MAX &&
                (words_take(&rest, "days later") || words_take(&rest, "day later"));
    bool at = said && words_take(&rest, "at");
    rest = words_trim(rest);
    if (said && type == FIELD_DATE && !at && rest.len == 0) {
        return true;
    }
    if (said && type == FIELD_DATETIME && at && rest.len > 0) {
        return compile_time(compiler, node, rest, &action->u.field.at_min);
    }
    compile_error(compiler, node, value,
                  type == FIELD_DATE ? "not a later date; write '7 days later'"
                                     : "not a later time; write '7 days later at 23:59'");
    return false;
}

/* The new value's forms beside a literal. False: it is one. */
static bool
field_made(struct compiler *compiler, const struct yaml_node *node, struct span value,
           struct action *action)
{
    enum field_type type = compiler->field_items[action->u.field.field].type;
    struct span rest = value;
    struct span first = words_next(&rest);
    bool dated = type == FIELD_DATE || type == FIELD_DATETIME;
    if (words_find(value, "{{") < value.len) {
        action->u.field.origin = FIELD_INSERTED;
        action->u.field.pattern = compile_pattern(compiler, node, value);
        if (dated) {
            compile_error(compiler, node, value,
                          "only texts and numbers can be inserted into a field");
        }
    } else if (type == FIELD_NUMBER && span_equal_cstr(first, "random")) {
        field_random(compiler, node, value, action);
    } else if (dated && words_find(value, " later") < value.len) {
        field_later(compiler, node, value, type, action);
    } else {
        return false;
    }
    return true;
}

static void
field_literal(struct compiler *compiler, const struct yaml_node *node, struct span value,
              struct action *action)
{
    uint32_t field = action->u.field.field;
    const char *name = compiler->fields.names.items[field].text;
    int64_t *number = &action->u.field.number;
    enum field_type type = compiler->field_items[field].type;
    if (field_made(compiler, node, value, action)) {
        return;
    }
    if (value.len >= 2 && value.data[0] == '\'' && value.data[value.len - 1] == '\'') {
        value = span_of(value.data + 1, value.len - 2);
    }
    switch (type) {
    case FIELD_TEXT:
    case FIELD_IMAGE:
    case FIELD_FILE:
        action->u.field.text = arena_span(compiler->arena, value);
        return;
    case FIELD_NUMBER:
        if (!words_number(value, number)) {
            compile_error(compiler, node, value, "'%s' is a number; '%.*s' is none", name,
                          span_fmt(value));
        }
        return;
    case FIELD_DATE:
        if (!words_date(value, number)) {
            compile_error(compiler, node, value, "'%s' is a date; write 2026-06-01", name);
        }
        return;
    case FIELD_DATETIME:
        if (!words_datetime(value, compiler->out->account.zone, number)) {
            compile_error(compiler, node, value, "'%s' is a date and time; write 2026-06-01 10:00",
                          name);
        }
        return;
    }
}

void
compile_field_change(struct compiler *compiler, const struct yaml_node *node,
                     struct action *out_action)
{
    static const char FORMS[] = "write 'x = value', 'x + 10', 'x - 3' or 'clear x'";
    struct span text;
    if (!compile_text(compiler, node, "'field'", &text)) {
        return;
    }
    struct span rest = text;
    struct span name = words_next(&rest);
    struct span sign = words_next(&rest);
    struct span value = words_trim(rest);
    bool clear = span_equal_cstr(name, "clear") && sign.len > 0 && value.len == 0;
    if (clear) {
        name = sign;
        out_action->u.field.change = FIELD_CHANGE_CLEAR;
    } else if (span_equal_cstr(sign, "=")) {
        out_action->u.field.change = FIELD_CHANGE_SET;
    } else if (span_equal_cstr(sign, "+")) {
        out_action->u.field.change = FIELD_CHANGE_ADD;
    } else if (span_equal_cstr(sign, "-")) {
        out_action->u.field.change = FIELD_CHANGE_SUBTRACT;
    } else {
        compile_error(compiler, node, text, "%s", FORMS);
        return;
    }
    uint32_t field = compile_reference(compiler, &compiler->fields, "field", node, name);
    out_action->u.field.field = field;
    if (field == NO_ID || clear) {
        return;
    }
    if (value.len == 0) {
        compile_error(compiler, node, text, "the value is missing; %s", FORMS);
        return;
    }
    enum field_type type = compiler->field_items[field].type;
    if (out_action->u.field.change != FIELD_CHANGE_SET && type != FIELD_NUMBER) {
        compile_error(compiler, node, name, "'%.*s' is %s; only numbers are added and subtracted",
                      span_fmt(name), type_noun(type));
        return;
    }
    field_literal(compiler, node, value, out_action);
}
