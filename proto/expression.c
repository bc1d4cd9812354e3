#include "proto/expression_parser.h"

#include "proto/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
expression_fail(struct parser *parser, struct span word, const char *format, ...)
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

void
expression_advance(struct parser *parser)
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

bool
expression_token_is(const struct parser *parser, const char *word)
{
    return span_equal_cstr(parser->token, word);
}

void
expression_emit(struct parser *parser, struct condition_op op)
{
    enum condition_op_kind kind = op.kind;
    if (kind == CONDITION_AND || kind == CONDITION_OR) {
        parser->stack--;
    } else if (kind != CONDITION_NOT) {
        parser->stack++;
    }
    parser->ops =
        arena_grow(parser->reader->arena, parser->ops, parser->op_count, sizeof(*parser->ops));
    parser->ops[parser->op_count++] = op;
}

static bool parse_or(struct parser *parser);

/* False: something is wrong with the grammar, and reading on makes no sense. */
static bool
parse_term(struct parser *parser)
{
    bool negated = false;
    while (expression_token_is(parser, "not")) {
        negated = !negated;
        expression_advance(parser);
    }
    struct span word = parser->token;
    if (word.len == 0) {
        expression_fail(parser, parser->last.len > 0 ? parser->last : parser->text,
                        "expected a condition %s", parser->last.len > 0 ? "after this" : "here");
        return false;
    }
    if (parser->stack == CONDITION_DEPTH_MAX || parser->parentheses == CONDITION_DEPTH_MAX) {
        expression_fail(parser, word, "nested too deeply; at most %d levels", CONDITION_DEPTH_MAX);
        return false;
    }
    if (expression_token_is(parser, "(")) {
        expression_advance(parser);
        parser->parentheses++;
        if (!parse_or(parser)) {
            return false;
        }
        parser->parentheses--;
        if (!expression_token_is(parser, ")")) {
            expression_fail(parser, word, "this '(' is never closed");
            return false;
        }
        expression_advance(parser);
    } else if (expression_token_is(parser, "and") || expression_token_is(parser, "or") ||
               expression_token_is(parser, ")")) {
        expression_fail(parser, word, "expected a condition before '%.*s'", span_fmt(word));
        return false;
    } else {
        uint32_t before = parser->op_count;
        expression_parse_operand(parser);
        if (parser->op_count == before) {
            return false;
        }
    }
    if (negated) {
        expression_emit(parser, (struct condition_op){.kind = CONDITION_NOT});
    }
    return true;
}

static bool
parse_and(struct parser *parser)
{
    if (!parse_term(parser)) {
        return false;
    }
    while (expression_token_is(parser, "and")) {
        expression_advance(parser);
        if (!parse_term(parser)) {
            return false;
        }
        expression_emit(parser, (struct condition_op){.kind = CONDITION_AND});
    }
    return true;
}

static bool
parse_or(struct parser *parser)
{
    if (!parse_and(parser)) {
        return false;
    }
    while (expression_token_is(parser, "or")) {
        expression_advance(parser);
        if (!parse_and(parser)) {
            return false;
        }
        expression_emit(parser, (struct condition_op){.kind = CONDITION_OR});
    }
    return true;
}

bool
expression_parse(struct span text, const struct expression_reader *reader,
                 struct condition *out_condition)
{
    struct parser parser = {.reader = reader, .text = text, .rest = text};
    expression_advance(&parser);
    parser.last = span_of(NULL, 0);
    if (parse_or(&parser) && parser.token.len > 0) {
        if (expression_token_is(&parser, ")")) {
            expression_fail(&parser, parser.token, "this ')' closes nothing");
        } else {
            expression_fail(&parser, parser.token, "expected 'and' or 'or' before this");
        }
    }
    if (parser.failed) {
        return false;
    }
    *out_condition = (struct condition){.ops = parser.ops, .op_count = parser.op_count};
    return true;
}
