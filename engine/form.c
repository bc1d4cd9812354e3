#include "engine/form.h"

#include "engine/tables.h"
#include "engine/unique.h"

static const struct question *
question_of(const struct form *form, uint32_t question)
{
    for (uint32_t i = 0; i < form->question_count; i++) {
        if (form->questions[i].id == question) {
            return &form->questions[i];
        }
    }
    return NULL;
}

static const struct option *
option_of(const struct question *question, uint32_t option)
{
    for (uint32_t i = 0; i < question->option_count; i++) {
        if (question->options[i].id == option) {
            return &question->options[i];
        }
    }
    return NULL;
}

enum question_type
form_question_type(const struct definitions *definitions, uint32_t form, uint32_t question)
{
    const struct question *found = question_of(&definitions->forms[form], question);
    return found == NULL ? QUESTION_TEXT : found->type;
}

enum field_type
question_field_type(enum question_type type)
{
    switch (type) {
    case QUESTION_NUMBER:
        return FIELD_NUMBER;
    case QUESTION_DATE:
        return FIELD_DATE;
    case QUESTION_CHOICE:
    case QUESTION_CHOICES:
    case QUESTION_TEXT:
    case QUESTION_LONG_TEXT:
    case QUESTION_MAIL:
    case QUESTION_TEL:
    case QUESTION_MEMBER_ID:
        break;
    }
    return FIELD_TEXT;
}

const char *
form_option_label(const struct definitions *definitions, const struct answer_row *row)
{
    const struct question *question = question_of(&definitions->forms[row->form], row->question);
    const struct option *option = question == NULL ? NULL : option_of(question, row->option);
    return option == NULL ? names_text(&definitions->option_names, row->option) : option->label;
}

static uint32_t
times_answered(const struct state *state, uint32_t friend, uint32_t form)
{
    for (uint32_t i = state_friend_more(state, friend)->first_tally; i != NO_ID;
         i = state_tally(state, i)->next) {
        if (state_tally(state, i)->form == form) {
            return state_tally(state, i)->times;
        }
    }
    return 0;
}

bool
state_has_answered(const struct state *state, uint32_t friend, uint32_t form)
{
    return times_answered(state, friend, form) > 0;
}

const struct answer_row *
state_answer(const struct state *state, uint32_t friend, uint32_t form, uint32_t question)
{
    const struct answer_row *newest = NULL;
    for (uint32_t i = state_friend_more(state, friend)->first_answer; i != NO_ID;
         i = state_answer_at(state, i)->next) {
        const struct answer_row *row = state_answer_at(state, i);
        if (row->question != question || (form != NO_ID && row->form != form)) {
            continue;
        }
        /* Rows of one form stand together, oldest first: its first is the one wanted. */
        if (newest == NULL || (row->form != newest->form && row->seq > newest->seq)) {
            newest = row;
        }
    }
    return newest;
}

uint32_t
state_choice_count(const struct state *state, uint32_t form, uint32_t question, uint32_t option)
{
    for (uint32_t i = 0; i < state->choice_count; i++) {
        const struct choice_count *row = &state->choices[i];
        if (row->form == form && row->question == question && row->option == option) {
            return row->count;
        }
    }
    return 0;
}

/* The friend's own place counts as free: it is given up by answering again. */
static bool
holds_choice(const struct state *state, uint32_t friend, uint32_t form, uint32_t question,
             uint32_t option)
{
    for (uint32_t i = state_friend_more(state, friend)->first_answer; i != NO_ID;
         i = state_answer_at(state, i)->next) {
        const struct answer_row *row = state_answer_at(state, i);
        if (row->form == form && row->question == question && row->option == option) {
            return true;
        }
    }
    return false;
}

/* The first answer that asks for a choice nobody can have any more; NULL: there is none. */
static const struct form_answer *
find_full(const struct state *state, const struct input *input)
{
    const struct form *form = &state->definitions->forms[input->u.form.form];
    for (uint32_t i = 0; i < input->u.form.answer_count; i++) {
        const struct form_answer *answer = &input->u.form.answers[i];
        const struct question *question = question_of(form, answer->question);
        const struct option *option = question == NULL ? NULL : option_of(question, answer->option);
        if (option == NULL || option->capacity == 0) {
            continue;
        }
        uint32_t taken =
            state_choice_count(state, input->u.form.form, answer->question, answer->option);
        if (taken >= option->capacity &&
            !holds_choice(state, input->u.form.friend, input->u.form.form, answer->question,
                          answer->option)) {
            return answer;
        }
    }
    return NULL;
}

/* The first answer that is kept in a unique field and that another friend gave; NULL: none (SPEC R19). */
static const struct form_answer *
find_taken(const struct state *state, const struct input *input)
{
    const struct form *form = &state->definitions->forms[input->u.form.form];
    for (uint32_t i = 0; i < input->u.form.answer_count; i++) {
        const struct form_answer *answer = &input->u.form.answers[i];
        const struct question *question = question_of(form, answer->question);
        uint32_t owner = question == NULL || question->into == NO_ID
                             ? NO_ID
                             : unique_owner(state, question->into, answer->text);
        if (owner != NO_ID && owner != input->u.form.friend) {
            return answer;
        }
    }
    return NULL;
}

static void
refuse(struct turn *turn, const struct input *input, enum reason reason,
       const struct form_answer *full)
{
    const struct form *form = &turn->state->definitions->forms[input->u.form.form];
    struct event refused = {.kind = EVENT_FORM_REFUSED,
                            .friend = input->u.form.friend,
                            .u.form = {.form = input->u.form.form,
                                       .question = full == NULL ? NO_ID : full->question,
                                       .option = full == NULL ? NO_ID : full->option,
                                       .reason = reason}};
    turn_emit(turn, &refused);
    struct source source = {SOURCE_FORM, input->u.form.form, 0};
    turn_run(turn, input->u.form.friend, &form->on_refused, source);
}

static void
record(struct turn *turn, const struct input *input)
{
    struct event answered = {
        .kind = EVENT_FORM_ANSWERED,
        .friend = input->u.form.friend,
        .u.form = {.form = input->u.form.form, .question = NO_ID, .option = NO_ID}};
    turn_emit(turn, &answered);
    for (uint32_t i = 0; i < input->u.form.answer_count; i++) {
        const struct form_answer *answer = &input->u.form.answers[i];
        struct event given = {.kind = EVENT_ANSWER_GIVEN,
                              .friend = input->u.form.friend,
                              .words = &answer->text,
                              .word_count = answer->text.len > 0 ? 1 : 0,
                              .u.form = {.form = input->u.form.form,
                                         .question = answer->question,
                                         .option = answer->option,
                                         .number = answer->text.len > 0 ? 0 : answer->number}};
        turn_emit(turn, &given);
    }
}

static void
run_options(struct turn *turn, const struct input *input, struct source source)
{
    const struct form *form = &turn->state->definitions->forms[input->u.form.form];
    for (uint32_t i = 0; i < input->u.form.answer_count; i++) {
        const struct form_answer *answer = &input->u.form.answers[i];
        const struct question *question = question_of(form, answer->question);
        const struct option *option = question == NULL ? NULL : option_of(question, answer->option);
        if (option != NULL) {
            turn_run(turn, input->u.form.friend, &option->body, source);
        }
    }
}

/* "beginner", or "a,b" of several choices. */
static struct span
chosen_text(struct turn *turn, const struct input *input, uint32_t question)
{
    const struct names *names = &turn->state->definitions->option_names;
    struct span text = {0};
    for (uint32_t i = 0; i < input->u.form.answer_count; i++) {
        const struct form_answer *answer = &input->u.form.answers[i];
        if (answer->question != question || answer->option == NO_ID) {
            continue;
        }
        struct span name = span_cstr(names_text(names, answer->option));
        size_t before = text.len == 0 ? 0 : text.len + 1;
        char *joined = arena_alloc(turn->out->arena, before + name.len + 1);
        if (text.len > 0) {
            memcpy(joined, text.data, text.len);
            joined[text.len] = ',';
        }
        memcpy(joined + before, name.data, name.len);
        text = span_of(joined, before + name.len);
    }
    return text;
}

static void
fill_fields(struct turn *turn, const struct input *input, struct source source)
{
    const struct form *form = &turn->state->definitions->forms[input->u.form.form];
    for (uint32_t i = 0; i < input->u.form.answer_count; i++) {
        const struct form_answer *answer = &input->u.form.answers[i];
        const struct question *question = question_of(form, answer->question);
        bool first = i == 0 || answer->question != input->u.form.answers[i - 1].question;
        if (question == NULL || question->into == NO_ID || !first) {
            continue;
        }
        struct span text =
            answer->option == NO_ID ? answer->text : chosen_text(turn, input, answer->question);
        action_set_field(turn, input->u.form.friend, question->into, answer->number, text, source);
    }
}

void
form_decide(struct turn *turn, const struct input *input)
{
    uint32_t friend = input->u.form.friend;
    const struct form *form = &turn->state->definitions->forms[input->u.form.form];
    struct source source = {SOURCE_FORM, input->u.form.form, 0};
    const struct form_answer *full = find_full(turn->state, input);
    const struct form_answer *taken = find_taken(turn->state, input);
    if (state_friend(turn->state, friend)->forgotten ||
        state_friend(turn->state, friend)->operator_blocked) {
        return;
    }
    turn_open_answer(turn, friend);
    if (form->limit > 0 && times_answered(turn->state, friend, input->u.form.form) >= form->limit) {
        refuse(turn, input, REASON_LIMIT, NULL);
    } else if (turn->now_ms > form->deadline_ms) {
        refuse(turn, input, REASON_DEADLINE, NULL);
    } else if (full != NULL) {
        refuse(turn, input, REASON_FULL, full);
    } else if (taken != NULL) {
        refuse(turn, input, REASON_TAKEN, taken);
    } else {
        record(turn, input);
        run_options(turn, input, source);
        fill_fields(turn, input, source);
        turn_run(turn, friend, &form->on_submit, source);
    }
    turn_close_answer(turn);
}

/* apply */

static void
count_choice(struct state *state, const struct answer_row *row, int change)
{
    if (row->option != NO_ID) {
        struct choice_count *count =
            tables_choice_count(state, row->form, row->question, row->option);
        count->count = change > 0 ? count->count + 1 : count->count - 1;
    }
}

static void
answered_apply(struct state *state, const struct event *event)
{
    uint32_t form = event->u.form.form;
    struct form_tally *tally = tables_form_tally(state, event->friend, form);
    tally->times++;
    tally->newest_seq = event->seq;
    for (uint32_t i = tables_friend_more(state, event->friend)->first_answer; i != NO_ID;) {
        uint32_t next = tables_answer(state, i)->next;
        if (tables_answer(state, i)->form == form) {
            count_choice(state, tables_answer(state, i), -1);
            tables_drop_answer(state, event->friend, i);
        }
        i = next;
    }
}

void
form_apply(struct state *state, const struct event *event)
{
    if (event->kind == EVENT_FORM_ANSWERED) {
        answered_apply(state, event);
    } else if (event->kind == EVENT_ANSWER_GIVEN) {
        struct answer_row *row = tables_add_answer(state, event->friend);
        row->form = event->u.form.form;
        row->question = event->u.form.question;
        row->option = event->u.form.option;
        row->number = event->u.form.number;
        row->seq = event->seq;
        texts_replace(&state->texts, &row->text,
                      event->word_count > 0 ? event->words[0] : (struct span){0});
        count_choice(state, row, 1);
    }
}
