/* form - questions a friend answers on a page: tags, fields and messages by answer (SPEC R30).
 *
 * Shape    one answering is form_answered and an answer_given for each answer; then the options' bodies,
 *          the fields its answers go `into`, and on_submit run, in that order. What may not be answered
 *          is form_refused: it changes nothing, counts nothing and runs on_refused. The state keeps each
 *          friend's newest answers to each form.
 * Units    UTC milliseconds; ids. Questions and options are named over all forms.
 * Errors   none: answers come checked against the definition (proto/form_answers.h).
 * Owner    definitions are the set's; rows are the state's.
 */
#ifndef ENGINE_FORM_H
#define ENGINE_FORM_H

#include "engine/turn.h"

enum question_type {
    QUESTION_CHOICE,
    QUESTION_CHOICES,
    QUESTION_TEXT,
    QUESTION_LONG_TEXT,
    QUESTION_NUMBER,
    QUESTION_DATE,
    QUESTION_MAIL,
    QUESTION_TEL,
    QUESTION_MEMBER_ID, /* kept in member_id, which is unique (SPEC R19) */
};

struct option {
    uint32_t id;
    const char *label;
    uint32_t capacity; /* friends who may hold it; 0: any number */
    struct body body;
};
struct question {
    uint32_t id;
    const char *ask;
    enum question_type type;
    bool required;
    uint32_t into; /* the field its answer is kept in; NO_ID: none */
    const struct option *options;
    uint32_t option_count;
};
struct form {
    const char *title;                /* NULL when the file has none */
    uint32_t limit;                   /* answers of one friend; 0: any number */
    int64_t deadline_ms;              /* the last instant (SPEC R39: inclusive); INT64_MAX: none */
    const struct question *questions; /* in order; empty for a removed form */
    uint32_t question_count;
    struct body on_submit, on_refused;
};

/* What an answer of that type compares as. */
enum field_type question_field_type(enum question_type type);

void form_decide(struct turn *turn, const struct input *input);
void form_apply(struct state *state, const struct event *event);

/* What the friend answered last: in that form, or in whichever asked it last (NO_ID). NULL: nothing.
 * Of several choices the first. */
const struct answer_row *state_answer(const struct state *state, uint32_t friend, uint32_t form,
                                      uint32_t question);
/* What kind of answer it is; QUESTION_TEXT where the form does not ask it any more. */
enum question_type form_question_type(const struct definitions *definitions, uint32_t form,
                                      uint32_t question);
/* The label a choice is shown with; its value where it is out of force. */
const char *form_option_label(const struct definitions *definitions, const struct answer_row *row);
/* Did the friend ever answer that form? */
bool state_has_answered(const struct state *state, uint32_t friend, uint32_t form);
/* Friends whose newest answer to a form's question is that choice. */
uint32_t state_choice_count(const struct state *state, uint32_t form, uint32_t question,
                            uint32_t option);

#endif
