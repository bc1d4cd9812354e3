/* form_answers - what somebody filled in, by the names of questions, to answers the engine takes.
 *
 * Shape    one text a question; several choices are joined by commas. Answers come in the form's order,
 *          whatever the order given. An empty text is no answer.
 * Units    none.
 * Errors   RC_INVALID, and what is wrong, for an unknown question or choice, a value that is not of its
 *          type, a question given twice, a required one missing.
 * Owner    answers are in the arena; texts are borrowed from what was given.
 */
#ifndef PROTO_FORM_ANSWERS_H
#define PROTO_FORM_ANSWERS_H

#include "engine/base/buf.h"
#include "engine/input.h"

struct form_given {
    struct span question, value;
};

MUST_USE enum rc form_answers_read(const struct definitions *definitions, uint32_t form,
                                   const struct form_given *given, uint32_t given_count,
                                   struct arena *arena, struct input *out_input,
                                   struct buf *out_error);

#endif
