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
operand(struct turn *turn, uint32_t friend, const struct action *action, struct event *set)
{
    const struct zone *zone = turn->state->definitions->account.zone;
    enum field_type type = turn->state->definitions->fields[action->u.field.field].type;
    int64_t number = action->u.field.number;
    set->words = &action->u.field.text;
    set->word_count = type == FIELD_TEXT || type >= FIELD_IMAGE ? 1 : 0;
    set->u.field.number = number;
    switch (action->u.field.origin) {
    case FIELD_LITERAL:
        return true;
    case FIELD_RANDOM: {
        const struct draw draw = {.kind = DRAW_NUMBER, .low = number, .high = action->u.field.high};
        set->u.field.number = engine_draw(turn->engine, &draw);
        set->u.field.drawn = set->u.field.number;
        return true;
    }
    case FIELD_LATER: {
        int64_t day = civil_local_day(zone, turn->now_ms) + number;
        set->u.field.number =
            type == FIELD_DATE ? day : civil_instant(zone, day, action->u.field.at_min * 60);
        return true;
    }
    case FIELD_INSERTED:
        break;
    }
    struct span *text = arena_alloc(turn->out->arena, sizeof(*text));
    *text = pattern_text(turn, friend, action->u.field.pattern);
    set->words = text;
    return type == FIELD_NUMBER ? text_is_number(*text, &set->u.field.number) : text->len > 0;
}

void
field_run(struct turn *turn, uint32_t friend, const struct action *action, struct source source)
{
    uint32_t id = action->u.field.field;
    const struct field *field = &turn->state->definitions->fields[id];
    const struct value_row *value = state_value(turn->state, friend, id);
    int64_t old = value != NULL ? value->number : field->has_start ? field->start : 0;
    struct event set = {
        .kind = EVENT_FIELD_SET, .friend = friend, .source = source, .u.field = {.field = id}};
    if (action->u.field.change == FIELD_CHANGE_CLEAR) {
        action_clear_field(turn, friend, id, source);
        return;
    }
    if (!operand(turn, friend, action, &set)) {
        return;
    }
    int64_t number = set.u.field.number;
    if (action->u.field.change == FIELD_CHANGE_ADD &&
        __builtin_add_overflow(old, number, &set.u.field.number)) {
        return;
    }
    if (action->u.field.change == FIELD_CHANGE_SUBTRACT &&
        (__builtin_sub_overflow(old, number, &set.u.field.number) ||
         (field->has_min && set.u.field.number < field->min))) {
        return; /* refused (SPEC R57) */
    }
    turn_emit(turn, &set);
}
