/* expression_parser - what the grammar of conditions and its terms share; nobody else includes this.
 *
 * Shape    one struct parser a condition: expression.c reads and, or, not and parentheses, and asks
 *          expression_terms.c for whatever stands between them.
 * Units    none.
 * Errors   expression_fail() tells the reader and remembers that the condition cannot be used.
 * Owner    as expression.h.
 */
#ifndef PROTO_EXPRESSION_PARSER_H
#define PROTO_EXPRESSION_PARSER_H

#include "proto/expression.h"

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

void expression_fail(struct parser *parser, struct span word, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Moves to the next token: a parenthesis, an operator, a quoted text or a word. */
void expression_advance(struct parser *parser);
bool expression_token_is(const struct parser *parser, const char *word);
void expression_emit(struct parser *parser, struct condition_op op);

/* A fact or a comparison. Emits one operand, or fails: where nothing was emitted, reading on makes
 * no sense. */
void expression_parse_operand(struct parser *parser);

#endif
