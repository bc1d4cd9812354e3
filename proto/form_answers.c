#include "proto/form_answers.h"

#include "engine/form.h"
#include "proto/words.h"

enum { ANSWER_BYTES_MAX = 20000 };

struct reading {
    const struct definitions *definitions;
    struct arena *arena;
    struct form_answer *answers;
    uint32_t count;
    struct buf *error;
};

static enum rc
wrong(struct reading *reading, const struct question *question, const char *expected)
{
    buf_printf(reading->error, "question '%s' is to be %s",
               names_text(&reading->definitions->question_names, question->id), expected);
    return RC_INVALID;
}

static struct form_answer *
add(struct reading *reading, const struct question *question)
{
    reading->answers =
        arena_grow(reading->arena, reading->answers, reading->count, sizeof(*reading->answers));
    reading->answers[reading->count] =
        (struct form_answer){.question = question->id, .option = NO_ID};
    return &reading->answers[reading->count++];
}

static enum rc
read_choice(struct reading *reading, const struct question *question, struct span value)
{
    const struct names *names = &reading->definitions->option_names;
    for (uint32_t i = 0; i < question->option_count; i++) {
        uint32_t id = question->options[i].id;
        if (!span_equal_cstr(value, names_text(names, id))) {
            continue;
        }
        for (uint32_t j = 0; j < reading->count; j++) {
            if (reading->answers[j].question == question->id && reading->answers[j].option == id) {
                return wrong(reading, question, "choices that differ");
            }
        }
        add(reading, question)->option = id;
        return RC_OK;
    }
    return wrong(reading, question, "one of its options");
}

static enum rc
read_choices(struct reading *reading, const struct question *question, struct span value)
{
    enum rc rc = RC_OK;
    while (rc == RC_OK && value.len > 0) {
        size_t comma = words_find(value, ",");
        rc = read_choice(reading, question, span_of(value.data, comma));
        size_t used = comma < value.len ? comma + 1 : comma;
        value = span_of(value.data + used, value.len - used);
    }
    return rc;
}

static bool
is_mail(struct span text)
{
    size_t at = words_find(text, "@");
    return at > 0 && at + 1 < text.len && words_find(text, " ") == text.len;
}

static bool
is_tel(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("0123456789+-() ", text.data[i]) == NULL || text.data[i] == '\0') {
            return false;
        }
    }
    return true;
}

static enum rc
read_value(struct reading *reading, const struct question *question, struct span value)
{
    int64_t number = 0;
    if (value.len > ANSWER_BYTES_MAX) {
        return wrong(reading, question, "shorter");
    }
    switch (question->type) {
    case QUESTION_CHOICE:
        return read_choice(reading, question, value);
    case QUESTION_CHOICES:
        return read_choices(reading, question, value);
    case QUESTION_NUMBER:
        if (!words_number(value, &number)) {
            return wrong(reading, question, "a whole number");
        }
        add(reading, question)->number = number;
        return RC_OK;
    case QUESTION_DATE:
        if (!words_date(value, &number)) {
            return wrong(reading, question, "a date, 2026-06-10");
        }
        add(reading, question)->number = number;
        reading->answers[reading->count - 1].text = value;
        return RC_OK;
    case QUESTION_MAIL:
        if (!is_mail(value)) {
            return wrong(reading, question, "a mail address");
        }
        break;
    case QUESTION_TEL:
        if (!is_tel(value)) {
            return wrong(reading, question, "a telephone number");
        }
        break;
    case QUESTION_TEXT:
    case QUESTION_LONG_TEXT:
    case QUESTION_MEMBER_ID:
        break;
    }
    add(reading, question)->text = value;
    return RC_OK;
}

/* Every name given is a question of the form, and given once. */
static enum rc
check_names(struct reading *reading, const struct form *form, const struct form_given *given,
            uint32_t given_count)
{
    const struct names *names = &reading->definitions->question_names;
    for (uint32_t i = 0; i < given_count; i++) {
        bool asked = false;
        for (uint32_t j = 0; j < form->question_count; j++) {
            asked = asked ||
                    span_equal_cstr(given[i].question, names_text(names, form->questions[j].id));
        }
        bool twice = false;
        for (uint32_t j = 0; j < i; j++) {
            twice = twice || span_equal(given[i].question, given[j].question);
        }
        if (!asked || twice) {
            buf_printf(reading->error,
                       asked ? "question '%.*s' is answered twice"
                             : "the form has no question '%.*s'",
                       span_fmt(given[i].question));
            return RC_INVALID;
        }
    }
    return RC_OK;
}

enum rc
form_answers_read(const struct definitions *definitions, uint32_t form_id,
                  const struct form_given *given, uint32_t given_count, struct arena *arena,
                  struct input *out_input, struct buf *out_error)
{
    const struct form *form = &definitions->forms[form_id];
    struct reading reading = {.definitions = definitions, .arena = arena, .error = out_error};
    enum rc rc = check_names(&reading, form, given, given_count);
    for (uint32_t i = 0; rc == RC_OK && i < form->question_count; i++) {
        const struct question *question = &form->questions[i];
        const char *name = names_text(&definitions->question_names, question->id);
        struct span value = {0};
        for (uint32_t j = 0; j < given_count; j++) {
            value = span_equal_cstr(given[j].question, name) ? given[j].value : value;
        }
        if (value.len > 0) {
            rc = read_value(&reading, question, value);
        } else if (question->required) {
            buf_printf(out_error, "question '%s' wants an answer", name);
            rc = RC_INVALID;
        }
    }
    if (rc == RC_OK) {
        out_input->kind = INPUT_FORM;
        out_input->u.form.form = form_id;
        out_input->u.form.answers = reading.answers;
        out_input->u.form.answer_count = reading.count;
    }
    return rc;
}
