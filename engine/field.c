/* Fields: set, add, subtract, forget; random numbers, later dates, inserted values (SPEC R18, R57). */
#include "engine/turn.h"

bool
text_is_number(struct span text, int64_t *out_number)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    size_t i = negative ? 1 : 0;
    int64_t number = 0;
    if (i == text.len) {
        return false;
    }
    for (; i < text.len; i++) {
        int64_t digit = text.data[i] - '0';
        if (text.data[i] < '0' || text.data[i] > '9' ||
            __builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, digit, &number)) {
            return false; /* counted downwards, which reaches one further */
        }
    }
    return negative ? (*out_number = number, true)
                    : !__builtin_sub_overflow(INT64_C(0), number, out_number);
}

/* What the action brings, before it is added or subtracted. False: nothing that fits the field. */
static bool
operand(struct turn *turn, uint32_t friend, const struct action *action, int64_t *out_number,
        struct span *out_text)
{
    const struct zone *zone = turn->state->definitions->account.zone;
    enum field_type type = turn->state->definitions->fields[action->u.field.field].type;
    *out_number = action->u.field.number;
    *out_text = action->u.field.text;
    switch (action->u.field.origin) {
    case FIELD_LITERAL:
        return true;
    case FIELD_RANDOM: {
        const struct draw draw = {
            .kind = DRAW_NUMBER, .low = action->u.field.number, .high = action->u.field.high};
        *out_number = engine_draw(turn->engine, &draw);
        return true;
    }
    case FIELD_LATER: {
        int64_t day = civil_local_day(zone, turn->now_ms) + action->u.field.number;
        *out_number =
            type == FIELD_DATE ? day : civil_instant(zone, day, action->u.field.at_min * 60);
        return true;
    }
    case FIELD_INSERTED:
        break;
    }
    *out_text = pattern_text(turn, friend, action->u.field.pattern);
    return type == FIELD_NUMBER ? text_is_number(*out_text, out_number) : out_text->len > 0;
}

void
field_run(struct turn *turn, uint32_t friend, const struct action *action, struct source source)
{
    uint32_t id = action->u.field.field;
    const struct field *field = &turn->state->definitions->fields[id];
    const struct field_value value = state_value(turn->state, friend, id);
    int64_t old = value.set ? value.number : field->has_start ? field->start : 0;
    int64_t number = 0;
    struct span text = {0};
    if (action->u.field.change == FIELD_CHANGE_CLEAR) {
        action_clear_field(turn, friend, id, source);
        return;
    }
    if (!operand(turn, friend, action, &number, &text)) {
        return;
    }
    if (action->u.field.change == FIELD_CHANGE_ADD &&
        __builtin_add_overflow(old, number, &number)) {
        return;
    }
    if (action->u.field.change == FIELD_CHANGE_SUBTRACT &&
        (__builtin_sub_overflow(old, number, &number) || (field->has_min && number < field->min))) {
        return; /* refused (SPEC R57) */
    }
    action_set_field(turn, friend, id, number, text, source);
}
