/* Forms: questions, their options and bodies (LANGUAGE 11, SPEC R30). */
#include "engine/form.h"
#include "proto/definition_compile.h"
#include "proto/words.h"

static const char *const TYPES[] = {"choice", "choices", "text", "long_text", "number",
                                    "date",   "mail",    "tel",  "member_id", NULL};

/* The questions of a section's forms: every name before anything refers to one. */
static void
register_questions(struct compiler *compiler, const struct yaml_node *form)
{
    const struct yaml_node *questions = yaml_get(form, "questions");
    for (uint32_t i = 0;
         questions != NULL && questions->kind == YAML_MAPPING && i < questions->count; i++) {
        const struct yaml_pair *question = &questions->pairs[i];
        const struct yaml_node *options = yaml_get(question->value, "options");
        if (compile_id(compiler, question->key_mark, question->key)) {
            name_table_add(&compiler->questions, question->key);
        }
        for (uint32_t j = 0; options != NULL && options->kind == YAML_MAPPING && j < options->count;
             j++) {
            const struct yaml_pair *option = &options->pairs[j];
            if (option->key.len == 0 || option->key.len > 200) {
                yaml_error(compiler->diagnostics, option->key_mark, option->key,
                           "the value of an option has 1 to 200 bytes");
            } else {
                name_table_add(&compiler->options, option->key);
            }
        }
    }
}

/* What answers compare as, before the forms themselves are compiled: conditions may stand anywhere. Where
 * two forms ask the same of different types, as texts; a number in a text still compares as one. */
static void
find_question_types(struct compiler *compiler, const struct yaml_node *section)
{
    uint32_t count = compiler->questions.names.count;
    compiler->question_types = arena_alloc(compiler->arena, (count + 1) * sizeof(enum field_type));
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_node *questions = yaml_get(section->pairs[i].value, "questions");
        for (uint32_t j = 0;
             questions != NULL && questions->kind == YAML_MAPPING && j < questions->count; j++) {
            const struct yaml_node *type = yaml_get(questions->pairs[j].value, "type");
            uint32_t id = name_table_find(&compiler->questions, questions->pairs[j].key);
            enum field_type found = FIELD_TEXT;
            for (uint32_t k = 0; type != NULL && type->kind == YAML_SCALAR && TYPES[k] != NULL;
                 k++) {
                found = span_equal_cstr(type->text, TYPES[k])
                            ? question_field_type((enum question_type)k)
                            : found;
            }
            if (id != NO_ID) {
                enum field_type *known = &compiler->question_types[id];
                *known = *known == 0 || *known == found ? found : FIELD_TEXT;
            }
        }
    }
    for (uint32_t id = 0; id < count; id++) {
        if (compiler->question_types[id] == 0) {
            compiler->question_types[id] = FIELD_TEXT;
        }
    }
}

void
compile_form_names(struct compiler *compiler, const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        if (compile_id(compiler, pair->key_mark, pair->key)) {
            name_table_add(&compiler->forms, pair->key);
            register_questions(compiler, pair->value);
        }
    }
    find_question_types(compiler, section);
    uint32_t count = compiler->forms.names.count;
    compiler->form_items =
        arena_alloc(compiler->arena, (count + 1) * sizeof(*compiler->form_items));
    for (uint32_t id = 0; id < count; id++) {
        compiler->form_items[id].deadline_ms = INT64_MAX;
    }
}

/* --- options --- */

static bool
has_body(const struct yaml_node *node)
{
    return yaml_get(node, "send") != NULL || yaml_get(node, "do") != NULL ||
           yaml_get(node, "choose") != NULL || yaml_get(node, "split") != NULL;
}

static void
compile_option(struct compiler *compiler, const struct yaml_pair *pair, const char *name,
               struct option *option)
{
    static const char *const KEYS[] = {"label", "capacity", NULL};
    const struct yaml_node *node = pair->value;
    const char *what = compile_format(compiler, "option '%.*s'", span_fmt(pair->key));
    struct span label = pair->key;
    int64_t capacity = 0;
    option->id = name_table_find(&compiler->options, pair->key);
    option->label = arena_cstr(compiler->arena, label);
    if (node->kind == YAML_SCALAR) {
        if (compile_text(compiler, node, "a label", &label)) {
            option->label = arena_cstr(compiler->arena, label);
        }
        return;
    }
    if (!compile_keys(compiler, node, KEYS, true, NOT_YET_NOTHING, what)) {
        return;
    }
    const struct yaml_node *value = yaml_get(node, "label");
    if (value != NULL && compile_text(compiler, value, "'label'", &label)) {
        option->label = arena_cstr(compiler->arena, label);
    }
    if ((value = yaml_get(node, "capacity")) != NULL && compile_count(compiler, value, &capacity)) {
        option->capacity = (uint32_t)capacity;
    }
    if (has_body(node)) {
        struct place place = {.what = what, .mark = pair->key_mark, .word = pair->key};
        place.name = compile_format(compiler, "%s/%.*s", name, span_fmt(pair->key));
        compile_body(compiler, node, &place, &option->body);
    }
}

static void
compile_options(struct compiler *compiler, const struct yaml_node *node, const char *name,
                struct question *question)
{
    if (node->kind != YAML_MAPPING || node->count == 0) {
        compile_error(compiler, node, span_cstr(""), "'options' must be a mapping (value: label)");
        return;
    }
    struct option *options = arena_alloc(compiler->arena, node->count * sizeof(*options));
    for (uint32_t i = 0; i < node->count; i++) {
        compile_option(compiler, &node->pairs[i], name, &options[i]);
    }
    question->options = options;
    question->option_count = node->count;
}

/* --- questions --- */

static bool
fits_field(enum question_type question, enum field_type field)
{
    switch (question) {
    case QUESTION_NUMBER:
        return field == FIELD_NUMBER;
    case QUESTION_DATE:
        return field == FIELD_DATE;
    case QUESTION_CHOICE:
    case QUESTION_CHOICES:
    case QUESTION_TEXT:
    case QUESTION_LONG_TEXT:
    case QUESTION_MAIL:
    case QUESTION_TEL:
    case QUESTION_MEMBER_ID:
        break;
    }
    return field == FIELD_TEXT;
}

static void
compile_into(struct compiler *compiler, const struct yaml_node *node, struct question *question)
{
    struct span name;
    if (!compile_text(compiler, node, "'into'", &name)) {
        return;
    }
    question->into = compile_reference(compiler, &compiler->fields, "field", node, name);
    if (question->into != NO_ID &&
        !fits_field(question->type, compiler->field_items[question->into].type)) {
        compile_error(compiler, node, name, "'%.*s' cannot keep an answer of type %s",
                      span_fmt(name), TYPES[question->type]);
    }
}

static bool
compile_type(struct compiler *compiler, const struct yaml_node *node, enum question_type *out_type)
{
    uint32_t index;
    struct span text;
    if (!compile_text(compiler, node, "'type'", &text)) {
        return false;
    }
    const struct not_yet *row = not_yet_find(NOT_YET_QUESTION_TYPE, text);
    if (row != NULL) {
        compile_not_yet(compiler, node->mark, text, row);
        return false;
    }
    if (!compile_word(compiler, node, TYPES, &index)) {
        return false;
    }
    *out_type = (enum question_type)index;
    return true;
}

static void
compile_question(struct compiler *compiler, const struct yaml_pair *pair, const char *form,
                 struct question *question)
{
    static const char *const KEYS[] = {"ask", "type", "required", "options", "into", NULL};
    const struct yaml_node *node = pair->value;
    const char *what = compile_format(compiler, "question '%.*s'", span_fmt(pair->key));
    struct span text;
    question->id = name_table_find(&compiler->questions, pair->key);
    question->into = NO_ID;
    question->type = QUESTION_TEXT;
    if (!compile_keys(compiler, node, KEYS, false, NOT_YET_NOTHING, what)) {
        return;
    }
    const struct yaml_node *ask = yaml_get(node, "ask");
    const struct yaml_node *type = yaml_get(node, "type");
    const struct yaml_node *options = yaml_get(node, "options");
    const struct yaml_node *value;
    if (ask == NULL || type == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "%s has no '%s'", what,
                   ask == NULL ? "ask" : "type");
    }
    if (ask != NULL && compile_text(compiler, ask, "'ask'", &text)) {
        question->ask = arena_cstr(compiler->arena, text);
    }
    if (type == NULL || !compile_type(compiler, type, &question->type)) {
        return;
    }
    bool choice = question->type == QUESTION_CHOICE || question->type == QUESTION_CHOICES;
    if (choice && options == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "%s has no 'options' to choose from", what);
    } else if (!choice && options != NULL) {
        compile_error(compiler, options, span_cstr(""), "only choice and choices have 'options'");
    } else if (choice) {
        const char *name = compile_format(compiler, "%s/%.*s", form, span_fmt(pair->key));
        compile_options(compiler, options, name, question);
    }
    if ((value = yaml_get(node, "required")) != NULL) {
        compile_yes_no(compiler, value, &question->required);
    }
    value = yaml_get(node, "into");
    if (value != NULL && question->type == QUESTION_MEMBER_ID) {
        compile_error(compiler, value, span_cstr(""), "a member_id is kept in 'member_id'");
    } else if (value != NULL) {
        compile_into(compiler, value, question);
    } else if (question->type == QUESTION_MEMBER_ID) {
        question->into = name_table_find(&compiler->fields, span_cstr("member_id"));
    }
}

static void
compile_questions(struct compiler *compiler, const struct yaml_pair *pair, const char *name,
                  struct form *form)
{
    const struct yaml_node *node = yaml_get(pair->value, "questions");
    if (node == NULL || node->kind != YAML_MAPPING || node->count == 0) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "form '%.*s' needs 'questions', a mapping of them in order",
                   span_fmt(pair->key));
        return;
    }
    struct question *questions = arena_alloc(compiler->arena, node->count * sizeof(*questions));
    for (uint32_t i = 0; i < node->count; i++) {
        compile_question(compiler, &node->pairs[i], name, &questions[i]);
    }
    form->questions = questions;
    form->question_count = node->count;
}

/* --- forms --- */

/* any, once, or a number. */
static void
compile_limit(struct compiler *compiler, const struct yaml_node *node, uint32_t *out_limit)
{
    struct span text;
    int64_t number = 0;
    if (!compile_text(compiler, node, "'limit'", &text)) {
        return;
    }
    if (span_equal_cstr(text, "any")) {
        *out_limit = 0;
    } else if (span_equal_cstr(text, "once")) {
        *out_limit = 1;
    } else if (words_number(text, &number) && number >= 1 && number <= 1000000) {
        *out_limit = (uint32_t)number;
    } else {
        compile_error(compiler, node, text, "a limit is any, once or a number from 1 on");
    }
}

static void
compile_form(struct compiler *compiler, const struct yaml_pair *pair, struct form *form)
{
    static const char *const KEYS[] = {"title",     "limit",      "deadline", "questions",
                                       "on_submit", "on_refused", NULL};
    const struct yaml_node *node = pair->value;
    const struct yaml_node *value;
    const char *what = compile_format(compiler, "form '%.*s'", span_fmt(pair->key));
    const char *name = compile_format(compiler, "form/%.*s", span_fmt(pair->key));
    struct span text;
    if (!compile_keys(compiler, node, KEYS, false, NOT_YET_NOTHING, what)) {
        return;
    }
    if ((value = yaml_get(node, "title")) != NULL &&
        compile_text(compiler, value, "'title'", &text)) {
        form->title = arena_cstr(compiler->arena, text);
    }
    if ((value = yaml_get(node, "limit")) != NULL) {
        compile_limit(compiler, value, &form->limit);
    }
    if ((value = yaml_get(node, "deadline")) != NULL &&
        compile_text(compiler, value, "'deadline'", &text) &&
        !words_datetime(text, compiler->out->account.zone, &form->deadline_ms)) {
        compile_error(compiler, value, text, "not a date and time; write 2026-06-30 23:59");
    }
    compile_questions(compiler, pair, name, form);
    compile_own_body(compiler, node, "on_submit", name, &form->on_submit);
    compile_own_body(compiler, node, "on_refused", name, &form->on_refused);
}

void
compile_forms(struct compiler *compiler, const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        uint32_t id = name_table_find(&compiler->forms, section->pairs[i].key);
        if (id != NO_ID) {
            compile_form(compiler, &section->pairs[i], &compiler->form_items[id]);
        }
    }
}
