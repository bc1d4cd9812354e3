/* Rows of what friends do on pages: answers to forms, bookings. */
#include "engine/tables.h"

#include <assert.h>

struct answer_row *
tables_add_answer(struct state *state, uint32_t friend)
{
    uint32_t index = state->answer_free;
    if (index != NO_ID) {
        state->answer_free = state->answers[index].next;
    } else {
        index = state->answer_count++;
        state->answers = tables_grow(state->answers, &state->answer_capacity, index + 1,
                                     sizeof(*state->answers));
    }
    state->answers[index] = (struct answer_row){.next = NO_ID, .option = NO_ID};
    uint32_t *link = &state->friends[friend].first_answer;
    while (*link != NO_ID) {
        link = &state->answers[*link].next;
    }
    *link = index;
    return &state->answers[index];
}

void
tables_drop_answer(struct state *state, uint32_t friend, uint32_t index)
{
    uint32_t *link = &state->friends[friend].first_answer;
    while (*link != index) {
        link = &state->answers[*link].next;
    }
    struct answer_row *row = &state->answers[index];
    *link = row->next;
    tables_set_text(&row->text, (struct span){0});
    *row = (struct answer_row){.next = state->answer_free};
    state->answer_free = index;
}

struct form_tally *
tables_form_tally(struct state *state, uint32_t friend, uint32_t form)
{
    for (uint32_t i = state->friends[friend].first_tally; i != NO_ID; i = state->tallies[i].next) {
        if (state->tallies[i].form == form) {
            return &state->tallies[i];
        }
    }
    uint32_t index = state->tally_count++;
    state->tallies =
        tables_grow(state->tallies, &state->tally_capacity, index + 1, sizeof(*state->tallies));
    state->tallies[index] =
        (struct form_tally){.next = state->friends[friend].first_tally, .form = form};
    state->friends[friend].first_tally = index;
    return &state->tallies[index];
}

struct choice_count *
tables_choice_count(struct state *state, uint32_t form, uint32_t question, uint32_t option)
{
    for (uint32_t i = 0; i < state->choice_count; i++) {
        struct choice_count *row = &state->choices[i];
        if (row->form == form && row->question == question && row->option == option) {
            return row;
        }
    }
    uint32_t index = state->choice_count++;
    state->choices =
        tables_grow(state->choices, &state->choice_capacity, index + 1, sizeof(*state->choices));
    state->choices[index] =
        (struct choice_count){.form = form, .question = question, .option = option};
    return &state->choices[index];
}

uint32_t
tables_next_booking(const struct state *state, uint32_t friend, uint32_t calendar)
{
    for (uint32_t i = state->friends[friend].first_booking; i != NO_ID;
         i = state->bookings[i].next) {
        if (state->bookings[i].calendar == calendar &&
            state->bookings[i].phase == BOOKING_CANCELLED) {
            return i;
        }
    }
    return state->booking_count;
}

struct booking *
tables_add_booking(struct state *state, uint32_t index, uint32_t friend)
{
    if (index < state->booking_count && state->bookings[index].phase == BOOKING_CANCELLED) {
        assert(state->bookings[index].friend == friend); /* on the list already */
        return &state->bookings[index];
    }
    assert(index == state->booking_count);
    state->booking_count++;
    state->bookings =
        tables_grow(state->bookings, &state->booking_capacity, index + 1, sizeof(*state->bookings));
    struct booking *row = &state->bookings[index];
    *row = (struct booking){.next = NO_ID, .friend = friend};
    uint32_t *link = &state->friends[friend].first_booking;
    while (*link != NO_ID) {
        link = &state->bookings[*link].next;
    }
    *link = index;
    return row;
}
