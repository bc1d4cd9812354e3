#include "engine/image_check.h"

#include <assert.h>
#include <stdlib.h>

static const char LISTS[] = "a list of rows does not hold together";

/* A table being walked: one bit a row that was met. */
struct walk {
    const struct table *table;
    uint64_t *met;
    uint32_t count;
};

struct check {
    const struct state *state;
    const char *why; /* sticky */
    struct walk friends_more, enrolments, enrolments_more, deliveries, decided;
    struct walk taps, once, sent, answers, tallies, bookings, deeds;
};

static void
hold(struct check *check, bool holds, const char *why)
{
    if (!holds && check->why == NULL) {
        check->why = why;
    }
}

/* False when the row is none or was met before: no list can lead in circles. */
static bool
meet(struct check *check, struct walk *walk, uint32_t index)
{
    bool fresh = index < walk->table->count && (walk->met[index / 64] >> index % 64 & 1) == 0;
    hold(check, fresh, LISTS);
    if (fresh) {
        walk->met[index / 64] |= UINT64_C(1) << index % 64;
        walk->count++;
    }
    return fresh;
}

static void
meet_list(struct check *check, struct walk *walk, uint32_t index)
{
    while (index != NO_ROW && meet(check, walk, index)) {
        index = *table_link(walk->table, index);
    }
}

static void
begin(struct walk *walk, const struct table *table)
{
    *walk = (struct walk){.table = table, .met = calloc(table->count / 64 + 1, sizeof(uint64_t))};
    assert(walk->met != NULL);
}

/* With the free rows, all were met. */
static void
end(struct check *check, struct walk *walk)
{
    meet_list(check, walk, walk->table->free);
    hold(check, walk->count == walk->table->count, LISTS);
    free(walk->met);
}

static void
check_more(struct check *check, uint32_t friend, uint32_t index)
{
    const struct state *state = check->state;
    if (index == NO_ID || !meet(check, &check->friends_more, index)) {
        return;
    }
    const struct friend_more *more = table_at(&state->friends_more, index);
    meet_list(check, &check->once, more->first_once);
    meet_list(check, &check->taps, more->first_tap);
    meet_list(check, &check->sent, more->first_sent);
    meet_list(check, &check->answers, more->first_answer);
    meet_list(check, &check->tallies, more->first_tally);
    meet_list(check, &check->deeds, more->first_deed);
    for (uint32_t i = more->first_delivery; i != NO_ID && meet(check, &check->deliveries, i);) {
        const struct delivery *row = state_delivery(state, i);
        hold(check, row->friend == friend && row->phase != DELIVERY_FREE, LISTS);
        i = row->next;
    }
    for (uint32_t i = more->first_booking; i != NO_ID && meet(check, &check->bookings, i);) {
        const struct booking *row = state_booking(state, i);
        hold(check, row->friend == friend, "a booking is on another friend's list");
        hold(check, row->phase == BOOKING_OPEN || row->phase == BOOKING_CANCELLED,
             "a booking is neither open nor cancelled");
        i = row->next;
    }
}

static void
check_enrolment(struct check *check, uint32_t friend, const struct enrolment *row)
{
    hold(check, row->friend == friend, LISTS);
    hold(check, row->phase == ENROLMENT_WAITING || row->phase == ENROLMENT_IN_DELIVERY,
         "an enrolment's row makes no sense");
    hold(check, row->wake <= WAKE_NEVER, "an enrolment's row makes no sense");
    hold(check, row->scenario < check->state->definitions->scenario_names.count,
         "an enrolment is in a scenario that its definitions do not have");
    if (row->more != NO_ID && meet(check, &check->enrolments_more, row->more)) {
        meet_list(check, &check->decided, state_enrolment_more(check->state, row)->first_decided);
    }
}

static void
check_friend(struct check *check, uint32_t friend)
{
    const struct state *state = check->state;
    const struct friend_row *row = state_friend(state, friend);
    uint32_t text = TEXT_NONE;
    if (row->odd_id) {
        memcpy(&text, row->id, sizeof(text));
    }
    hold(check,
         row->newest_seq <= state->seq && texts_has(&state->texts, row->name) &&
             texts_has(&state->texts, text) && (!row->odd_id || text != TEXT_NONE) &&
             row->language <= state->language_count,
         "a friend's row makes no sense");
    for (uint32_t i = row->first_enrolment; i != NO_ID && meet(check, &check->enrolments, i);) {
        check_enrolment(check, friend, state_enrolment(state, i));
        i = state_enrolment(state, i)->next;
    }
    check_more(check, friend, row->more);
}

/* Free rows are told by their phase, wherever rows are looked through. */
static void
check_free(struct check *check)
{
    const struct state *state = check->state;
    for (uint32_t i = state->enrolments.free; i < state->enrolments.count && check->why == NULL;
         i = state_enrolment(state, i)->next) {
        hold(check, state_enrolment(state, i)->phase == ENROLMENT_FREE, LISTS);
    }
    for (uint32_t i = state->deliveries.free; i < state->deliveries.count && check->why == NULL;
         i = state_delivery(state, i)->next) {
        hold(check, state_delivery(state, i)->phase == DELIVERY_FREE, LISTS);
    }
}

static void
check_texts(struct check *check)
{
    const struct state *state = check->state;
    static const char NONE[] = "a row has a text that there is not";
    for (uint32_t i = 0; i < state->answers.count; i++) {
        hold(check, texts_has(&state->texts, state_answer_at(state, i)->text), NONE);
    }
    for (uint32_t field = 0; field < state->columns.count; field++) {
        for (uint32_t i = 0; i < state->columns.texts[field].chunk_count; i++) {
            const struct column_texts *chunk = columns_text_chunk(&state->columns, field, i);
            for (uint32_t j = 0; chunk != NULL && j < COLUMN_CHUNK_ROWS; j++) {
                hold(check, texts_has(&state->texts, chunk->values[j]), NONE);
            }
        }
    }
}

const char *
image_check(const struct state *state)
{
    struct check check = {.state = state};
    struct {
        struct walk *walk;
        const struct table *table;
    } const walks[] = {
        {&check.friends_more, &state->friends_more},
        {&check.enrolments, &state->enrolments},
        {&check.enrolments_more, &state->enrolments_more},
        {&check.deliveries, &state->deliveries},
        {&check.decided, &state->decided},
        {&check.taps, &state->taps},
        {&check.once, &state->once},
        {&check.sent, &state->sent},
        {&check.answers, &state->answers},
        {&check.tallies, &state->tallies},
        {&check.bookings, &state->bookings},
        {&check.deeds, &state->deeds},
    };
    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
        begin(walks[i].walk, walks[i].table);
    }
    for (uint32_t friend = 0; friend < state->friends.count && check.why == NULL; friend ++) {
        check_friend(&check, friend);
    }
    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
        end(&check, walks[i].walk);
    }
    if (check.why == NULL) {
        check_free(&check);
        check_texts(&check);
    }
    return check.why;
}
