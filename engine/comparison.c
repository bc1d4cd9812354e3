/* Comparisons of what is known of a friend with literals and with each other (LANGUAGE 2). */
#include "engine/fact.h"
#include "engine/form.h"

/* A value as it is now. Dates are day numbers, datetimes UTC ms. */
struct datum {
    bool empty;
    enum field_type type;
    int64_t number;
    struct span text;
};

static struct datum
text_datum(struct span text)
{
    return (struct datum){.empty = text.len == 0, .type = FIELD_TEXT, .text = text};
}

static struct datum
field_datum(const struct state *state, uint32_t friend, uint32_t id)
{
    const struct field *field = &state->definitions->fields[id];
    const struct field_value value = state_value(state, friend, id);
    bool is_text = field->type == FIELD_TEXT || field->type >= FIELD_IMAGE;
    if (is_text) {
        return text_datum(span_cstr(value.text));
    }
    return (struct datum){.empty = !value.set && !field->has_start,
                          .type = field->type,
                          .number = value.set ? value.number : field->start};
}

/* "2026-06-10", as a date is kept in an answer; false once it is erased. */
static bool
day_of_text(struct span text, int64_t *out_day)
{
    struct civil_date date = {0};
    int *const parts[] = {&date.year, &date.month, &date.day};
    uint32_t part = 0;
    for (size_t i = 0; i < text.len && part < 3; i++) {
        if (text.data[i] == '-') {
            part++;
        } else {
            *parts[part] = *parts[part] * 10 + (text.data[i] - '0');
        }
    }
    *out_day = civil_day_number(date);
    return text.len > 0;
}

/* One answer of the friend; of several choices each is one. */
static struct datum
answer_datum(const struct state *state, const struct answer_row *row)
{
    const struct definitions *definitions = state->definitions;
    if (row->option != NO_ID) {
        return text_datum(span_cstr(names_text(&definitions->option_names, row->option)));
    }
    switch (form_question_type(definitions, row->form, row->question)) {
    case QUESTION_NUMBER:
        return (struct datum){.type = FIELD_NUMBER, .number = row->number};
    case QUESTION_DATE: {
        struct datum day = {.type = FIELD_DATE};
        day.empty = !day_of_text(span_cstr(state_text(state, row->text)), &day.number);
        return day;
    }
    case QUESTION_CHOICE:
    case QUESTION_CHOICES:
    case QUESTION_TEXT:
    case QUESTION_LONG_TEXT:
    case QUESTION_MAIL:
    case QUESTION_TEL:
    case QUESTION_MEMBER_ID:
        break;
    }
    return text_datum(span_cstr(state_text(state, row->text)));
}

static struct datum
newest_answer(const struct state *state, uint32_t friend, const struct value *value)
{
    const struct answer_row *row = state_answer(state, friend, value->form, value->field);
    return row == NULL ? (struct datum){.empty = true} : answer_datum(state, row);
}

static struct datum
look_up(const struct inquiry *inquiry, uint32_t friend, const struct value *value)
{
    const struct friend_row *row = state_friend(inquiry->state, friend);
    const struct zone *zone = inquiry->state->definitions->account.zone;
    switch (value->kind) {
    case VALUE_LITERAL:
        return (struct datum){.type = value->type, .number = value->number, .text = value->text};
    case VALUE_SCORE:
        return (struct datum){.type = FIELD_NUMBER,
                              .number = state_friend_more(inquiry->state, friend)->score};
    case VALUE_NAME:
        return text_datum(span_cstr(state_name(inquiry->state, friend)));
    case VALUE_ADDED:
        return (struct datum){.type = FIELD_DATE, .number = civil_local_day(zone, row->added_ms)};
    case VALUE_TODAY:
        return (struct datum){.type = FIELD_DATE, .number = civil_local_day(zone, inquiry->now_ms)};
    case VALUE_FIELD:
        return field_datum(inquiry->state, friend, value->field);
    case VALUE_ACT:
        return text_datum(inquiry->act == NULL ? (struct span){0}
                                               : act_get(inquiry->act, value->text));
    case VALUE_ANSWER:
        return newest_answer(inquiry->state, friend, value);
    case VALUE_RECENT_SCORE:
        return (struct datum){.type = FIELD_NUMBER,
                              .number =
                                  state_recent_score(inquiry->state, friend, inquiry->now_ms)};
    case VALUE_LANGUAGE:
        return text_datum(row->language == 0
                              ? (struct span){0}
                              : span_cstr(inquiry->state->languages[row->language - 1]));
    case VALUE_PICTURE:
        return text_datum(row->has_picture ? span_cstr("yes") : (struct span){0});
    }
    return (struct datum){.empty = true};
}

static bool
is_day(const struct datum *datum)
{
    return datum->type == FIELD_DATE || datum->type == FIELD_DATETIME;
}

static int64_t
day_of(const struct inquiry *inquiry, const struct datum *datum)
{
    return datum->type == FIELD_DATE
               ? datum->number
               : civil_local_day(inquiry->state->definitions->account.zone, datum->number);
}

/* A text beside a number counts as one when it is written as one. */
static bool
as_number(const struct datum *datum, int64_t *out_number)
{
    *out_number = datum->number;
    return datum->type == FIELD_NUMBER || text_is_number(datum->text, out_number);
}

static int
order_of(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int
order_of_texts(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* False when the two cannot be compared. */
static bool
order(const struct inquiry *inquiry, const struct datum *a, const struct datum *b, int *out_order)
{
    int64_t x, y;
    if (a->type == FIELD_DATETIME && b->type == FIELD_DATETIME) {
        *out_order = order_of(a->number, b->number);
    } else if (is_day(a) && is_day(b)) {
        *out_order = order_of(day_of(inquiry, a), day_of(inquiry, b));
    } else if (is_day(a) || is_day(b)) {
        return false;
    } else if (a->type != FIELD_NUMBER && b->type != FIELD_NUMBER) {
        *out_order = order_of_texts(a->text, b->text);
    } else if (as_number(a, &x) && as_number(b, &y)) {
        *out_order = order_of(x, y);
    } else {
        return false;
    }
    return true;
}

static bool
contains(struct span text, struct span part)
{
    if (part.len == 0) {
        return true;
    }
    for (size_t i = 0; part.len <= text.len && i <= text.len - part.len; i++) {
        if (memcmp(text.data + i, part.data, part.len) == 0) {
            return true;
        }
    }
    return false;
}

/* Neither side is empty. */
static bool
sign_fits(enum comparison_kind kind, int sign)
{
    switch (kind) {
    case COMPARE_EQUAL:
        return sign == 0;
    case COMPARE_LESS:
        return sign < 0;
    case COMPARE_LESS_EQUAL:
        return sign <= 0;
    case COMPARE_GREATER:
        return sign > 0;
    case COMPARE_GREATER_EQUAL:
        return sign >= 0;
    case COMPARE_CONTAINS:
    case COMPARE_EMPTY:
    case COMPARE_WITHIN:
        break;
    }
    return false;
}

bool
comparison_of_texts(enum comparison_kind kind, struct span left, struct span right)
{
    return kind == COMPARE_CONTAINS ? contains(left, right)
                                    : sign_fits(kind, order_of_texts(left, right));
}

static bool
data_hold(const struct inquiry *inquiry, const struct comparison *comparison,
          const struct datum *left, const struct datum *right)
{
    int sign = 0;
    if (comparison->kind == COMPARE_CONTAINS) {
        return contains(left->text, right->text);
    }
    return order(inquiry, left, right, &sign) && sign_fits(comparison->kind, sign);
}

/* Of a question with several choices one that holds is enough. */
static bool
some_choice_holds(const struct inquiry *inquiry, uint32_t friend,
                  const struct comparison *comparison, const struct datum *right)
{
    const struct state *state = inquiry->state;
    const struct value *value = &comparison->left;
    const struct answer_row *first = state_answer(state, friend, value->form, value->field);
    for (uint32_t i = state_friend_more(state, friend)->first_answer; i != NO_ID;
         i = state_answer_at(state, i)->next) {
        const struct answer_row *row = state_answer_at(state, i);
        if (row->form != first->form || row->question != first->question) {
            continue;
        }
        struct datum left = answer_datum(state, row);
        if (!left.empty && data_hold(inquiry, comparison, &left, right)) {
            return true;
        }
    }
    return false;
}

bool
comparison_holds(const struct inquiry *inquiry, uint32_t friend,
                 const struct comparison *comparison)
{
    struct datum left = look_up(inquiry, friend, &comparison->left);
    if (comparison->kind == COMPARE_EMPTY) {
        return left.empty;
    }
    if (left.empty) {
        return false;
    }
    if (comparison->kind == COMPARE_WITHIN) {
        int64_t day = is_day(&left) ? day_of(inquiry, &left) : 0;
        return is_day(&left) && day >= comparison->first_day && day <= comparison->last_day;
    }
    struct datum right = look_up(inquiry, friend, &comparison->right);
    if (right.empty) {
        return false;
    }
    return comparison->left.kind == VALUE_ANSWER
               ? some_choice_holds(inquiry, friend, comparison, &right)
               : data_hold(inquiry, comparison, &left, &right);
}
