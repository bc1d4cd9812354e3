/* Rows of what friends do: taps, pushes that came, answers to forms, bookings. */
#include "engine/tables.h"

#include <assert.h>

void
tables_add_once(struct state *state, uint32_t friend, uint64_t key)
{
    struct friend_more *more = tables_friend_more(state, friend);
    uint32_t index = table_take(&state->once);
    struct once_row *row = table_at(&state->once, index);
    row->next = more->first_once;
    row->key = key;
    more->first_once = index;
}

void
tables_put_tap(struct state *state, uint32_t friend, uint32_t button, uint64_t choice_hash,
               int64_t at_ms)
{
    struct friend_more *more = tables_friend_more(state, friend);
    for (uint32_t i = more->first_tap; i != NO_ID; i = state_tap(state, i)->next) {
        struct tap_row *row = table_at(&state->taps, i);
        if (row->button == button && row->choice_hash == choice_hash) {
            row->at_ms = at_ms;
            return;
        }
    }
    uint32_t index = table_take(&state->taps);
    struct tap_row *row = table_at(&state->taps, index);
    row->next = more->first_tap;
    row->button = button;
    row->choice_hash = choice_hash;
    row->at_ms = at_ms;
    more->first_tap = index;
}

/* Marketing pushes of the last days. */

enum { SENT_KEPT_MINUTES = 9 * 1440 }; /* seven local dates, in any zone, and an hour's change */

static void
forget_sent(struct state *state, uint32_t *link, uint32_t before_minute)
{
    while (*link != NO_ID) {
        uint32_t index = *link;
        struct sent_row *row = table_at(&state->sent, index);
        if (row->minute >= before_minute) {
            link = &row->next;
            continue;
        }
        *link = row->next;
        table_give(&state->sent, index);
    }
}

void
tables_add_sent(struct state *state, uint32_t friend, int64_t at_ms)
{
    uint32_t minute = at_ms < 0 ? 0 : (uint32_t)(at_ms / MS_PER_MINUTE);
    struct friend_more *more = tables_friend_more(state, friend);
    forget_sent(state, &more->first_sent,
                minute < SENT_KEPT_MINUTES ? 0 : minute - SENT_KEPT_MINUTES);
    uint32_t index = table_take(&state->sent);
    struct sent_row *row = table_at(&state->sent, index);
    row->next = more->first_sent;
    row->minute = minute;
    more->first_sent = index;
}

struct answer_row *
tables_add_answer(struct state *state, uint32_t friend)
{
    uint32_t index = table_take(&state->answers);
    struct answer_row *row = tables_answer(state, index);
    row->option = NO_ID;
    table_append(&state->answers, &tables_friend_more(state, friend)->first_answer, index);
    return row;
}

void
tables_drop_answer(struct state *state, uint32_t friend, uint32_t index)
{
    table_unlink(&state->answers, &tables_friend_more(state, friend)->first_answer, index);
    texts_drop(&state->texts, state_answer_at(state, index)->text);
    table_give(&state->answers, index);
}

struct form_tally *
tables_form_tally(struct state *state, uint32_t friend, uint32_t form)
{
    struct friend_more *more = tables_friend_more(state, friend);
    for (uint32_t i = more->first_tally; i != NO_ID; i = state_tally(state, i)->next) {
        if (state_tally(state, i)->form == form) {
            return table_at(&state->tallies, i);
        }
    }
    uint32_t index = table_take(&state->tallies);
    struct form_tally *row = table_at(&state->tallies, index);
    row->next = more->first_tally;
    row->form = form;
    more->first_tally = index;
    return row;
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
    for (uint32_t i = state_friend_more(state, friend)->first_booking; i != NO_ID;
         i = state_booking(state, i)->next) {
        if (state_booking(state, i)->calendar == calendar &&
            state_booking(state, i)->phase == BOOKING_CANCELLED) {
            return i;
        }
    }
    return table_next(&state->bookings);
}

struct booking *
tables_add_booking(struct state *state, uint32_t index, uint32_t friend)
{
    if (index < state->bookings.count && state_booking(state, index)->phase == BOOKING_CANCELLED) {
        assert(state_booking(state, index)->friend == friend); /* on the list already */
        return tables_booking(state, index);
    }
    assert(index == table_next(&state->bookings));
    (void)table_take(&state->bookings);
    struct booking *row = tables_booking(state, index);
    row->friend = friend;
    table_append(&state->bookings, &tables_friend_more(state, friend)->first_booking, index);
    return row;
}
