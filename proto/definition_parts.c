#include "proto/definition_compile.h"

#include "proto/diagnostics.h"
#include "proto/expression.h"
#include "proto/words.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const BODY_WORDS[] = {"send", "do", "choose", "split", NULL};

static void add_about(struct compiler *compiler, bool warning, const struct yaml_node *node,
                      struct span piece, const char *format, va_list arguments)
    __attribute__((format(printf, 5, 0)));

static void
add_about(struct compiler *compiler, bool warning, const struct yaml_node *node, struct span piece,
          const char *format, va_list arguments)
{
    struct yaml_mark mark = node->mark;
    bool scalar = node->kind == YAML_SCALAR;
    struct span word = scalar && piece.len == 0 ? node->text : piece;
    if (scalar && !diagnostics_full(compiler->diagnostics)) {
        mark = yaml_mark_of(node, word);
    }
    const uint8_t *line_end = word.len == 0 ? NULL : memchr(word.data, '\n', word.len);
    word.len = line_end == NULL ? word.len : (size_t)(line_end - word.data);
    diagnostics_add(compiler->diagnostics, warning, mark.file, mark.line, mark.column,
                    words_characters(word), format, arguments);
}

void
compile_error(struct compiler *compiler, const struct yaml_node *node, struct span piece,
              const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_about(compiler, false, node, piece, format, arguments);
    va_end(arguments);
}

void
compile_warning(struct compiler *compiler, const struct yaml_node *node, struct span piece,
                const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_about(compiler, true, node, piece, format, arguments);
    va_end(arguments);
}

void
compile_not_yet(struct compiler *compiler, struct yaml_mark mark, struct span word,
                const struct not_yet *row)
{
    yaml_error(compiler->diagnostics, mark, word, "not yet: %s (%s)", row->what, row->rule);
}

char *
compile_format(struct compiler *compiler, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) {
        abort(); /* no memory: docs/adr/0001 */
    }
    va_end(arguments);
    char *copy = arena_cstr(compiler->arena, span_cstr(text));
    free(text);
    return copy;
}

static bool
is_one_of(struct span text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (span_equal_cstr(text, *words)) {
            return true;
        }
    }
    return false;
}

static void
offer_all(struct suggestion *suggestion, const char *const *words)
{
    for (; *words != NULL; words++) {
        suggestion_offer(suggestion, span_cstr(*words));
    }
}

static void
report_unknown_key(struct compiler *compiler, const struct yaml_pair *pair,
                   const char *const *words, bool body, enum not_yet_area area, const char *what)
{
    struct suggestion suggestion;
    suggestion_begin(&suggestion, pair->key);
    offer_all(&suggestion, words);
    if (body) {
        offer_all(&suggestion, BODY_WORDS);
    }
    for (uint32_t i = 0; i < not_yet_count; i++) {
        const struct not_yet *row = &not_yet_rows[i];
        if (row->area == area || (body && row->area == NOT_YET_BODY)) {
            suggestion_offer(&suggestion, span_cstr(row->word));
        }
    }
    const char *in = what[0] == '\0' ? "" : " in ";
    if (suggestion_found(&suggestion)) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "unknown key '%.*s'%s%s - did you mean '%.*s'?", span_fmt(pair->key), in, what,
                   span_fmt(suggestion.best));
    } else {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "unknown key '%.*s'%s%s",
                   span_fmt(pair->key), in, what);
    }
}

bool
compile_keys(struct compiler *compiler, const struct yaml_node *node, const char *const *words,
             bool body, enum not_yet_area area, const char *what)
{
    if (node->kind != YAML_MAPPING) {
        if (node->kind != YAML_SCALAR || !node->plain || node->text.len > 0) {
            compile_error(compiler, node, span_cstr(""), "%s must be a mapping (key: value)", what);
        }
        return false;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        if (is_one_of(pair->key, words) || (body && is_one_of(pair->key, BODY_WORDS))) {
            continue;
        }
        const struct not_yet *row = not_yet_find(area, pair->key);
        if (row == NULL && body) {
            row = not_yet_find(NOT_YET_BODY, pair->key);
        }
        if (row == NULL) {
            report_unknown_key(compiler, pair, words, body, area, what);
        } else if (row->built == NULL || pair->value->kind != YAML_SCALAR ||
                   !span_equal_cstr(pair->value->text, row->built)) {
            compile_not_yet(compiler, pair->key_mark, pair->key, row);
        }
    }
    return true;
}

bool
compile_text(struct compiler *compiler, const struct yaml_node *node, const char *what,
             struct span *out_text)
{
    if (node->kind != YAML_SCALAR) {
        compile_error(compiler, node, span_cstr(""), "%s must be a text", what);
        return false;
    }
    if (node->plain && node->text.len == 0) {
        return false; /* yaml_tree said "empty value" */
    }
    *out_text = node->text;
    return true;
}

bool
compile_word(struct compiler *compiler, const struct yaml_node *node, const char *const *words,
             uint32_t *out_index)
{
    struct span text;
    if (!compile_text(compiler, node, "this", &text)) {
        return false;
    }
    struct suggestion suggestion;
    struct buf list = {0};
    suggestion_begin(&suggestion, text);
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (span_equal_cstr(text, words[i])) {
            buf_fini(&list);
            *out_index = i;
            return true;
        }
        suggestion_offer(&suggestion, span_cstr(words[i]));
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", words[i]);
    }
    if (suggestion_found(&suggestion)) {
        compile_error(compiler, node, text, "unknown word '%.*s' - did you mean '%.*s'?",
                      span_fmt(text), span_fmt(suggestion.best));
    } else {
        compile_error(compiler, node, text, "unknown word '%.*s'; write one of %s", span_fmt(text),
                      buf_cstr(&list));
    }
    buf_fini(&list);
    return false;
}

bool
compile_yes_no(struct compiler *compiler, const struct yaml_node *node, bool *out_yes)
{
    static const char *const WORDS[] = {"no", "yes", NULL};
    uint32_t index;
    if (!compile_word(compiler, node, WORDS, &index)) {
        return false;
    }
    *out_yes = index == 1;
    return true;
}

bool
compile_class(struct compiler *compiler, const struct yaml_node *node,
              enum message_class *out_class)
{
    static const char *const WORDS[] = {"emergency", "response", "transactional", "marketing",
                                        NULL};
    uint32_t index;
    if (!compile_word(compiler, node, WORDS, &index)) {
        return false;
    }
    *out_class = (enum message_class)index;
    return true;
}

bool
compile_number(struct compiler *compiler, const struct yaml_node *node, int64_t *out_number)
{
    struct span text;
    if (!compile_text(compiler, node, "a number", &text)) {
        return false;
    }
    if (!words_number(text, out_number)) {
        compile_error(compiler, node, text, "not a whole number");
        return false;
    }
    return true;
}

bool
compile_count(struct compiler *compiler, const struct yaml_node *node, int64_t *out_number)
{
    int64_t number;
    if (!compile_number(compiler, node, &number)) {
        return false;
    }
    if (number < 1 || number > INT32_MAX) {
        compile_error(compiler, node, node->text, "not a number from 1 on");
        return false;
    }
    *out_number = number;
    return true;
}

bool
compile_duration(struct compiler *compiler, const struct yaml_node *node, int64_t *out_ms)
{
    struct span text;
    if (!compile_text(compiler, node, "a duration", &text)) {
        return false;
    }
    if (!words_duration(text, out_ms)) {
        compile_error(compiler, node, text, "not a duration; write 2d, 1h30m or 90s");
        return false;
    }
    return true;
}

bool
compile_time(struct compiler *compiler, const struct yaml_node *node, struct span piece,
             int32_t *out_min)
{
    if (!words_time(piece, out_min)) {
        compile_error(compiler, node, piece, "not a time; 00:00 to 24:00, two digits each");
        return false;
    }
    return true;
}

bool
compile_window(struct compiler *compiler, const struct yaml_node *node, struct window *out_window)
{
    struct span text;
    if (!compile_text(compiler, node, "a window", &text)) {
        return false;
    }
    if (words_window(text, out_window)) {
        return true;
    }
    size_t dash = words_find(text, "-");
    if (dash == text.len || dash == 0 || dash + 1 == text.len) {
        compile_error(compiler, node, text, "not a window; write 09:00-21:00 or off");
        return false;
    }
    struct span open = words_trim(span_of(text.data, dash));
    struct span close = words_trim(span_of(text.data + dash + 1, text.len - dash - 1));
    int32_t minute;
    bool times = compile_time(compiler, node, open, &minute);
    times = compile_time(compiler, node, close, &minute) && times;
    if (times && open.len + close.len + 1 < text.len) {
        compile_error(compiler, node, text, "not a window; write it without blanks: %.*s-%.*s",
                      span_fmt(open), span_fmt(close));
    } else if (times) {
        compile_error(compiler, node, text, "this window is never open; write off for no window");
    }
    return false;
}

struct condition_errors {
    struct compiler *compiler;
    const struct yaml_node *node;
};

static void
condition_error(void *context, struct span word, const char *message)
{
    struct condition_errors *errors = context;
    compile_error(errors->compiler, errors->node, word, "%s", message);
}

bool
compile_condition(struct compiler *compiler, const struct yaml_node *node,
                  struct condition *out_condition)
{
    struct span text;
    return compile_text(compiler, node, "a condition", &text) &&
           compile_condition_text(compiler, node, text, out_condition);
}

bool
compile_condition_text(struct compiler *compiler, const struct yaml_node *node, struct span text,
                       struct condition *out_condition)
{
    struct condition_errors errors = {.compiler = compiler, .node = node};
    struct expression_reader reader = {.tags = &compiler->tags,
                                       .fields = &compiler->fields,
                                       .scenarios = &compiler->scenarios,
                                       .buttons = &compiler->buttons,
                                       .templates = &compiler->templates,
                                       .draws = &compiler->draws,
                                       .steps = compiler->steps,
                                       .field_items = compiler->field_items,
                                       .zone = compiler->out->account.zone,
                                       .marks = &compiler->marks,
                                       .forms = &compiler->forms,
                                       .questions = &compiler->questions,
                                       .calendars = &compiler->calendars,
                                       .conversions = &compiler->conversions,
                                       .routes = &compiler->routes,
                                       .links = &compiler->links,
                                       .ranks = &compiler->ranks,
                                       .rich_menus = &compiler->rich_menus,
                                       .question_types = compiler->question_types,
                                       .arena = compiler->arena,
                                       .error = condition_error,
                                       .context = &errors};
    return expression_parse(text, &reader, out_condition);
}

void
compile_zone(struct compiler *compiler, const struct yaml_node *node, const struct zone *fallback,
             const struct zone **out_zone)
{
    struct span text;
    *out_zone = fallback;
    if (!compile_text(compiler, node, "a zone", &text) || span_equal_cstr(text, "account")) {
        return;
    }
    const struct zone *zone = compiler->zones.lookup(compiler->zones.context, text);
    if (zone != NULL) {
        *out_zone = zone;
    } else if (!compiler->replay) {
        compile_error(compiler, node, text,
                      "no time zone '%.*s'; write an IANA name such as Asia/Tokyo", span_fmt(text));
    }
}

uint32_t
compile_reference(struct compiler *compiler, struct name_table *table, const char *noun,
                  const struct yaml_node *node, struct span piece)
{
    uint32_t id = name_table_find(table, piece);
    struct span near;
    if (id != NO_ID) {
        return id;
    }
    if (name_table_suggest(table, piece, &near)) {
        compile_error(compiler, node, piece, "no %s '%.*s' - did you mean '%.*s'?", noun,
                      span_fmt(piece), span_fmt(near));
    } else {
        compile_error(compiler, node, piece, "no %s '%.*s'", noun, span_fmt(piece));
    }
    return NO_ID;
}

bool
compile_id(struct compiler *compiler, struct yaml_mark mark, struct span text)
{
    if (words_id(text)) {
        return true;
    }
    yaml_error(compiler->diagnostics, mark, text,
               "'%.*s' cannot be an id: letters, digits, _ - . and not only digits, at most 200 "
               "bytes",
               span_fmt(text));
    return false;
}
