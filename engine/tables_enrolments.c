/* Enrolments and deliveries: rows on a friend's list, oldest first. */
#include "engine/tables.h"

#include <assert.h>
#include <stdlib.h>

const struct enrolment_more ENROLMENT_PLAIN = {
    .next = NO_ID, .redirect = NO_ID, .first_decided = NO_ID};

uint32_t
tables_next_enrolment(const struct state *state)
{
    return table_next(&state->enrolments);
}

struct enrolment *
tables_add_enrolment(struct state *state, uint32_t index, uint32_t friend)
{
    assert(index == table_next(&state->enrolments));
    (void)table_take(&state->enrolments);
    struct enrolment *row = tables_enrolment(state, index);
    row->friend = friend;
    row->more = NO_ID;
    table_append(&state->enrolments, &tables_friend(state, friend)->first_enrolment, index);
    return row;
}

struct enrolment_more *
tables_enrolment_more(struct state *state, struct enrolment *row)
{
    if (row->more == NO_ID) {
        row->more = table_take(&state->enrolments_more);
        memcpy(table_at(&state->enrolments_more, row->more), &ENROLMENT_PLAIN,
               sizeof(ENROLMENT_PLAIN));
    }
    return table_at(&state->enrolments_more, row->more);
}

void
tables_settle_enrolment(struct state *state, struct enrolment *row)
{
    if (row->more != NO_ID && memcmp(table_at(&state->enrolments_more, row->more), &ENROLMENT_PLAIN,
                                     sizeof(ENROLMENT_PLAIN)) == 0) {
        table_give(&state->enrolments_more, row->more);
        row->more = NO_ID;
    }
}

void
tables_set_wake(struct state *state, struct enrolment *row, enum enrolment_wake wake,
                int64_t wake_ms)
{
    row->wake = wake;
    if (wake == WAKE_LATER || row->more != NO_ID) {
        tables_enrolment_more(state, row)->wake_ms = wake == WAKE_LATER ? wake_ms : 0;
    }
}

void
tables_set_due(struct state *state, struct enrolment *row, int64_t due_ms, int64_t base_ms)
{
    int64_t before_ms;
    bool near =
        !__builtin_sub_overflow(due_ms, base_ms, &before_ms) && before_ms >= 0 && before_ms < NO_ID;
    row->due_ms = due_ms;
    row->base_before_ms = near ? (uint32_t)before_ms : NO_ID;
    if (!near || row->more != NO_ID) {
        tables_enrolment_more(state, row)->base_ms = near ? 0 : base_ms;
    }
}

/* Decided steps: the first in the row itself, a list of rows for scenarios with more. */

enum { STEPS_IN_ROW = 32, STEPS_A_WORD = 64 };

static uint32_t
find_decided(const struct state *state, const struct enrolment *row, uint32_t word)
{
    uint32_t index = state_enrolment_more(state, row)->first_decided;
    while (index != NO_ID && state_decided(state, index)->word != word) {
        index = state_decided(state, index)->next;
    }
    return index;
}

bool
state_step_decided(const struct state *state, uint32_t enrolment, uint32_t step)
{
    const struct enrolment *row = state_enrolment(state, enrolment);
    if (step < STEPS_IN_ROW) {
        return (row->decided >> step & 1) != 0;
    }
    uint32_t index = find_decided(state, row, step / STEPS_A_WORD);
    return index != NO_ID && (state_decided(state, index)->bits >> step % STEPS_A_WORD & 1) != 0;
}

/* The row of 64 that holds the step's bit, made where there is none. */
static struct decided_row *
decided_word(struct state *state, struct enrolment *row, uint32_t word)
{
    uint32_t index = find_decided(state, row, word);
    if (index == NO_ID) {
        struct enrolment_more *more = tables_enrolment_more(state, row);
        index = table_take(&state->decided);
        struct decided_row *made = table_at(&state->decided, index);
        made->next = more->first_decided;
        made->word = word;
        more->first_decided = index;
    }
    return table_at(&state->decided, index);
}

void
tables_set_decided(struct state *state, uint32_t enrolment, uint32_t step)
{
    struct enrolment *row = tables_enrolment(state, enrolment);
    if (step < STEPS_IN_ROW) {
        row->decided |= UINT32_C(1) << step;
    } else {
        decided_word(state, row, step / STEPS_A_WORD)->bits |= UINT64_C(1) << step % STEPS_A_WORD;
    }
}

static void
drop_decided(struct state *state, const struct enrolment *row)
{
    uint32_t index = state_enrolment_more(state, row)->first_decided;
    while (index != NO_ID) {
        uint32_t next = state_decided(state, index)->next;
        table_give(&state->decided, index);
        index = next;
    }
}

void
tables_reset_decided(struct state *state, struct enrolment *row, uint64_t steps)
{
    drop_decided(state, row);
    if (row->more != NO_ID) {
        tables_enrolment_more(state, row)->first_decided = NO_ID;
    }
    row->decided = (uint32_t)steps;
    if (steps >> STEPS_IN_ROW != 0) {
        decided_word(state, row, 0)->bits = steps >> STEPS_IN_ROW << STEPS_IN_ROW;
    }
}

void
tables_free_enrolment(struct state *state, uint32_t index)
{
    struct enrolment *row = tables_enrolment(state, index);
    bool queued = row->queued;
    drop_decided(state, row);
    if (row->more != NO_ID) {
        table_give(&state->enrolments_more, row->more);
    }
    table_unlink(&state->enrolments, &tables_friend(state, row->friend)->first_enrolment, index);
    table_give(&state->enrolments, index);
    row->queued = queued; /* a due queue may still hold the row's life that is over */
}

void
tables_set_delivered(struct state *state, struct enrolment *row, uint32_t step)
{
    if (step < REMINDER_STEPS_MAX) {
        tables_enrolment_more(state, row)->delivered |= UINT64_C(1) << step;
    }
}

bool
state_step_is_delivered(const struct state *state, const struct enrolment *row, uint32_t step)
{
    return step < REMINDER_STEPS_MAX &&
           (state_enrolment_more(state, row)->delivered >> step & 1) != 0;
}

uint32_t
state_enrolment_in(const struct state *state, uint32_t friend, uint32_t scenario)
{
    uint32_t index = state_friend(state, friend)->first_enrolment;
    while (index != NO_ID && state_enrolment(state, index)->scenario != scenario) {
        index = state_enrolment(state, index)->next;
    }
    return index;
}

uint32_t
tables_add_delivery(struct state *state, uint32_t friend)
{
    uint32_t index = table_take(&state->deliveries);
    tables_delivery(state, index)->friend = friend;
    table_append(&state->deliveries, &tables_friend_more(state, friend)->first_delivery, index);
    return index;
}

void
delivery_row_fini(struct delivery *row)
{
    free(row->token);
    for (uint32_t i = 0; i < row->value_count; i++) {
        free(row->values[i]);
    }
    free(row->values);
    for (uint32_t i = 0; i < row->act_count; i++) {
        free(row->act[i]);
    }
    free(row->act);
    definitions_release(row->definitions);
}

void
tables_free_delivery(struct state *state, uint32_t index)
{
    struct delivery *row = tables_delivery(state, index);
    bool queued = row->queued;
    table_unlink(&state->deliveries, &tables_friend_more(state, row->friend)->first_delivery,
                 index);
    delivery_row_fini(row);
    table_give(&state->deliveries, index);
    row->queued = queued; /* as an enrolment's */
}

uint32_t
state_find_delivery(const struct state *state, uint32_t friend, uint64_t delivery_seq)
{
    if (friend >= state->friends.count) {
        return NO_ID;
    }
    uint32_t index = state_friend_more(state, friend)->first_delivery;
    while (index != NO_ID && state_delivery(state, index)->seq != delivery_seq) {
        index = state_delivery(state, index)->next;
    }
    return index;
}

uint32_t
state_find_intent(const struct state *state, uint32_t friend, uint64_t intent_seq)
{
    uint32_t index =
        friend < state->friends.count ? state_friend_more(state, friend)->first_delivery : NO_ID;
    while (index != NO_ID && (state_delivery(state, index)->phase != DELIVERY_INTENDED ||
                              state_delivery(state, index)->intent_seq != intent_seq)) {
        index = state_delivery(state, index)->next;
    }
    return index;
}

struct scenario_counts *
tables_scenario_counts(struct state *state, uint32_t scenario)
{
    if (scenario >= state->scenario_capacity) {
        uint32_t sets = state->scenario_capacity, counts = state->scenario_capacity;
        uint32_t finished = state->scenario_capacity;
        state->entered = tables_grow(state->entered, &sets, scenario + 1, sizeof(struct bitmap *));
        state->finished =
            tables_grow(state->finished, &finished, scenario + 1, sizeof(struct bitmap *));
        state->scenario_counts = tables_grow(state->scenario_counts, &counts, scenario + 1,
                                             sizeof(*state->scenario_counts));
        state->scenario_capacity = counts;
    }
    return &state->scenario_counts[scenario];
}

struct broadcast_row *
tables_broadcast(struct state *state, uint32_t broadcast)
{
    state->broadcasts = tables_grow(state->broadcasts, &state->broadcast_capacity, broadcast + 1,
                                    sizeof(*state->broadcasts));
    return &state->broadcasts[broadcast];
}

void
tables_add_run(struct state *state, const uint8_t run_id[16])
{
    uint32_t capacity = state->run_count;
    state->run_ids = realloc(state->run_ids, (capacity + 1) * sizeof(*state->run_ids));
    assert(state->run_ids != NULL);
    memcpy(state->run_ids[state->run_count++], run_id, 16);
}
