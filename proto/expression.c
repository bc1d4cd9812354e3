#include "proto/expression.h"

#include "proto/not_yet.h"
#include "proto/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct parser {
    const struct expression_reader *reader;
    struct span text;
    struct span rest;
    struct span token; /* the one looked at; empty at the end */
    struct span last;  /* the one before */
    struct condition_op *ops;
    uint32_t op_count;
    uint32_t stack, parentheses;
    bool failed;
};

static void fail(struct parser *parser, struct span word, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
fail(struct parser *parser, struct span word, const char *format, ...)
{
    char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0) {
        abort(); /* no memory: docs/adr/0001 */
    }
    va_end(arguments);
    parser->reader->error(parser->reader->context, word, message);
    parser->failed = true;
    free(message);
}

static bool
is_special(uint8_t byte)
{
    return byte == '(' || byte == ')' || byte == '=' || byte == '<' || byte == '>' || byte == '!';
}

/* Moves to the next token: a parenthesis, an operator, a quoted text or a word. */
static void
advance(struct parser *parser)
{
    parser->last = parser->token;
    struct span word = words_next(&parser->rest);
    if (word.len == 0) {
        parser->token = word;
        return;
    }
    size_t length = 1;
    if (word.data[0] == '\'') {
        struct span whole = span_of(word.data, word.len + parser->rest.len);
        const uint8_t *end = memchr(whole.data + 1, '\'', whole.len - 1);
        length = end == NULL ? whole.len : (size_t)(end - whole.data) + 1;
        word = whole;
    } else if (word.data[0] == '(' || word.data[0] == ')') {
        length = 1;
    } else {
        bool special = is_special(word.data[0]);
        while (length < word.len && is_special(word.data[length]) == special &&
               word.data[length] != '(' && word.data[length] != ')') {
            length++;
        }
    }
    size_t used = (size_t)(word.data - parser->text.data) + length;
    parser->token = span_of(word.data, length);
    parser->rest = span_of(parser->text.data + used, parser->text.len - used);
}

static bool
token_is(const struct parser *parser, const char *word)
{
    return span_equal_cstr(parser->token, word);
}

static void
emit(struct parser *parser, enum condition_op_kind kind, uint32_t id)
{
    if (kind == CONDITION_AND || kind == CONDITION_OR) {
        parser->stack--;
    } else if (kind != CONDITION_NOT) {
        parser->stack++;
    }
    parser->ops =
        arena_grow(parser->reader->arena, parser->ops, parser->op_count, sizeof(*parser->ops));
    parser->ops[parser->op_count++] = (struct condition_op){.kind = kind, .id = id};
}

/* What may stand before the colon of a fact or begin a comparison. */
static void
fail_unknown(struct parser *parser, struct span word)
{
    size_t colon = words_find(word, ":");
    struct span kind = span_of(word.data, colon);
    const struct not_yet *row = not_yet_find(NOT_YET_CONDITION, kind);
    if (row != NULL) {
        fail(parser, word, "not yet: %s (%s)", row->what, row->rule);
        return;
    }
    if (colon == word.len && name_table_find(parser->reader->tags, word) != NO_ID) {
        fail(parser, word, "not a condition; write 'tag:%.*s'", span_fmt(word));
        return;
    }
    struct suggestion suggestion;
    suggestion_begin(&suggestion, kind);
    suggestion_offer(&suggestion, span_cstr("tag"));
    suggestion_offer(&suggestion, span_cstr("mark"));
    suggestion_offer(&suggestion, span_cstr("everyone"));
    for (uint32_t i = 0; i < not_yet_count; i++) {
        if (not_yet_rows[i].area == NOT_YET_CONDITION) {
            suggestion_offer(&suggestion, span_cstr(not_yet_rows[i].word));
        }
    }
    if (suggestion_found(&suggestion)) {
        fail(parser, word, "unknown condition '%.*s' - did you mean '%.*s'?", span_fmt(kind),
             span_fmt(suggestion.best));
    } else {
        fail(parser, word, "not a condition; write 'tag:x', 'not tag:x' or 'tag:x and tag:y'");
    }
}

static void
parse_mark(struct parser *parser, struct span mark)
{
    uint32_t id = name_table_find(parser->reader->marks, mark);
    if (id == NO_ID) {
        fail(parser, parser->token, "no mark '%.*s'; every mark used must be listed under 'marks'",
             span_fmt(mark));
    }
    emit(parser, CONDITION_MARK, id);
    advance(parser);
}

static void
parse_fact(struct parser *parser)
{
    struct span word = parser->token;
    if (token_is(parser, "everyone")) {
        emit(parser, CONDITION_TRUE, 0);
        advance(parser);
        return;
    }
    if (words_starts_with(word, "mark:")) {
        parse_mark(parser, span_of(word.data + 5, word.len - 5));
        return;
    }
    if (!words_starts_with(word, "tag:")) {
        fail_unknown(parser, word);
        return;
    }
    struct span tag = span_of(word.data + 4, word.len - 4);
    uint32_t id = name_table_find(parser->reader->tags, tag);
    if (id == NO_ID) {
        struct span near;
        if (name_table_suggest(parser->reader->tags, tag, &near)) {
            fail(parser, word, "no tag '%.*s' - did you mean '%.*s'?", span_fmt(tag),
                 span_fmt(near));
        } else {
            fail(parser, word, "no tag '%.*s'; every tag used must be listed under 'tags'",
                 span_fmt(tag));
        }
    }
    emit(parser, CONDITION_TAG, id);
    advance(parser);
    if (token_is(parser, "within")) {
        const struct not_yet *row = not_yet_find(NOT_YET_CONDITION, parser->token);
        fail(parser, parser->token, "not yet: %s (%s)", row->what, row->rule);
        parser->token = span_of(NULL, 0);
        parser->rest = parser->token;
    }
}

static bool parse_or(struct parser *parser);

/* False: something is wrong with the grammar, and reading on makes no sense. */
static bool
parse_term(struct parser *parser)
{
    bool negated = false;
    while (token_is(parser, "not")) {
        negated = !negated;
        advance(parser);
    }
    struct span word = parser->token;
    if (word.len == 0) {
        fail(parser, parser->last.len > 0 ? parser->last : parser->text, "expected a condition %s",
             parser->last.len > 0 ? "after this" : "here");
        return false;
    }
    if (parser->stack == CONDITION_DEPTH_MAX || parser->parentheses == CONDITION_DEPTH_MAX) {
        fail(parser, word, "nested too deeply; at most %d levels", CONDITION_DEPTH_MAX);
        return false;
    }
    if (token_is(parser, "(")) {
        advance(parser);
        parser->parentheses++;
        if (!parse_or(parser)) {
            return false;
        }
        parser->parentheses--;
        if (!token_is(parser, ")")) {
            fail(parser, word, "this '(' is never closed");
            return false;
        }
        advance(parser);
    } else if (token_is(parser, "and") || token_is(parser, "or") || token_is(parser, ")")) {
        fail(parser, word, "expected a condition before '%.*s'", span_fmt(word));
        return false;
    } else {
        uint32_t before = parser->op_count;
        parse_fact(parser);
        if (parser->op_count == before) {
            return false;
        }
    }
    if (negated) {
        emit(parser, CONDITION_NOT, 0);
    }
    return true;
}

static bool
parse_and(struct parser *parser)
{
    if (!parse_term(parser)) {
        return false;
    }
    while (token_is(parser, "and")) {
        advance(parser);
        if (!parse_term(parser)) {
            return false;
        }
        emit(parser, CONDITION_AND, 0);
    }
    return true;
}

static bool
parse_or(struct parser *parser)
{
    if (!parse_and(parser)) {
        return false;
    }
    while (token_is(parser, "or")) {
        advance(parser);
        if (!parse_and(parser)) {
            return false;
        }
        emit(parser, CONDITION_OR, 0);
    }
    return true;
}

bool
expression_parse(struct span text, const struct expression_reader *reader,
                 struct condition *out_condition)
{
    struct parser parser = {.reader = reader, .text = text, .rest = text};
    advance(&parser);
    parser.last = span_of(NULL, 0);
    if (parse_or(&parser) && parser.token.len > 0) {
        if (token_is(&parser, ")")) {
            fail(&parser, parser.token, "this ')' closes nothing");
        } else {
            fail(&parser, parser.token, "expected 'and' or 'or' before this");
        }
    }
    if (parser.failed) {
        return false;
    }
    *out_condition = (struct condition){.ops = parser.ops, .op_count = parser.op_count};
    return true;
}
