#include "engine/tables.h"

#include "engine/unique.h"

#include "engine/base/checksum.h"
#include <assert.h>
#include <stdlib.h>

enum { ROWS_MIN = 64 };

void
state_init(struct state *state)
{
    *state = (struct state){.definitions = definitions_new(),
                            .forgetting = {.friend = NO_ID},
                            .value_free = NO_ID,
                            .sent_free = NO_ID,
                            .enrolment_free = NO_ID,
                            .decided_free = NO_ID,
                            .delivery_free = NO_ID,
                            .answer_free = NO_ID};
}

void *
tables_grow(void *rows, uint32_t *capacity, uint32_t needed, size_t row_bytes)
{
    if (needed <= *capacity) {
        return rows;
    }
    uint32_t grown = *capacity == 0 ? ROWS_MIN : *capacity;
    while (grown < needed) {
        grown += grown / 2 + 1;
    }
    uint8_t *block = realloc(rows, grown * row_bytes);
    assert(block != NULL);
    memset(block + *capacity * row_bytes, 0, (grown - *capacity) * row_bytes);
    *capacity = grown;
    return block;
}

void
tables_set_text(char **slot, struct span text)
{
    free(*slot);
    *slot = NULL;
    if (text.len > 0) {
        *slot = malloc(text.len + 1);
        assert(*slot != NULL);
        memcpy(*slot, text.data, text.len);
        (*slot)[text.len] = '\0';
    }
}

uint8_t
tables_language(struct state *state, struct span text)
{
    for (uint32_t i = 0; i < state->language_count; i++) {
        if (span_equal_cstr(text, state->languages[i])) {
            return (uint8_t)(i + 1);
        }
    }
    if (text.len == 0 || state->language_count == LANGUAGES_MAX) {
        return 0;
    }
    uint32_t index = state->language_count++;
    state->languages = tables_grow(state->languages, &state->language_capacity, index + 1,
                                   sizeof(*state->languages));
    tables_set_text(&state->languages[index], text);
    return (uint8_t)(index + 1);
}

/* Friends and the hash table from LINE id to index: open addressing, a slot holds index + 1. */

static uint32_t
slot_of(const struct state *state, struct span line_id)
{
    return (uint32_t)checksum_of(line_id.data, line_id.len) & (state->friend_slot_count - 1);
}

static void
slots_put(struct state *state, uint32_t friend)
{
    uint32_t slot = slot_of(state, span_cstr(state->friends[friend].line_id));
    while (state->friend_slots[slot] != 0) {
        slot = (slot + 1) & (state->friend_slot_count - 1);
    }
    state->friend_slots[slot] = friend + 1;
}

/* At most half of the slots are taken. */
static bool
slots_are_few(const struct state *state)
{
    return state->friend_count > state->friend_slot_count / 2;
}

void
tables_index_friends(struct state *state)
{
    while (slots_are_few(state)) {
        state->friend_slot_count =
            state->friend_slot_count == 0 ? 256 : state->friend_slot_count * 2;
    }
    free(state->friend_slots);
    state->friend_slots = calloc(state->friend_slot_count, sizeof(*state->friend_slots));
    assert(state->friend_slots != NULL);
    for (uint32_t i = 0; i < state->friend_count; i++) {
        if (state->friends[i].line_id != NULL) {
            slots_put(state, i);
        }
    }
}

uint32_t
state_find_friend(const struct state *state, struct span line_id)
{
    if (state->friend_slot_count == 0 || line_id.len == 0) {
        return NO_ID;
    }
    uint32_t slot = slot_of(state, line_id);
    while (state->friend_slots[slot] != 0) {
        uint32_t friend = state->friend_slots[slot] - 1;
        if (span_equal_cstr(line_id, state->friends[friend].line_id)) {
            return friend;
        }
        slot = (slot + 1) & (state->friend_slot_count - 1);
    }
    return NO_ID;
}

uint32_t
tables_add_friend(struct state *state, struct span line_id)
{
    uint32_t friend = state->friend_count;
    state->friends =
        tables_grow(state->friends, &state->friend_capacity, friend + 1, sizeof(*state->friends));
    state->friends[friend] = (struct friend_row){.mark = NO_ID,
                                                 .first_enrolment = NO_ID,
                                                 .first_delivery = NO_ID,
                                                 .first_value = NO_ID,
                                                 .first_once = NO_ID,
                                                 .first_tap = NO_ID,
                                                 .first_answer = NO_ID,
                                                 .first_tally = NO_ID,
                                                 .first_booking = NO_ID,
                                                 .first_deed = NO_ID,
                                                 .menu = NO_ID,
                                                 .menu_override = NO_ID,
                                                 .first_sent = NO_ID};
    tables_set_text(&state->friends[friend].line_id, line_id);
    state->friend_count++;
    if (slots_are_few(state)) {
        tables_index_friends(state); /* puts the new friend as well */
    } else if (state->friends[friend].line_id != NULL) {
        slots_put(state, friend);
    }
    return friend;
}

void
tables_add_once(struct state *state, uint32_t friend, uint64_t key)
{
    uint32_t index = state->once_count++;
    state->once =
        tables_grow(state->once, &state->once_capacity, state->once_count, sizeof(*state->once));
    state->once[index] = (struct once_row){.next = state->friends[friend].first_once, .key = key};
    state->friends[friend].first_once = index;
}

void
tables_put_tap(struct state *state, uint32_t friend, uint32_t button, uint64_t choice_hash,
               int64_t at_ms)
{
    for (uint32_t i = state->friends[friend].first_tap; i != NO_ID; i = state->taps[i].next) {
        if (state->taps[i].button == button && state->taps[i].choice_hash == choice_hash) {
            state->taps[i].at_ms = at_ms;
            return;
        }
    }
    uint32_t index = state->tap_count++;
    state->taps =
        tables_grow(state->taps, &state->tap_capacity, state->tap_count, sizeof(*state->taps));
    state->taps[index] = (struct tap_row){.next = state->friends[friend].first_tap,
                                          .button = button,
                                          .choice_hash = choice_hash,
                                          .at_ms = at_ms};
    state->friends[friend].first_tap = index;
}

/* Values of fields: a short list a friend. */

const struct value_row *
state_value(const struct state *state, uint32_t friend, uint32_t field)
{
    for (uint32_t i = state->friends[friend].first_value; i != NO_ID; i = state->values[i].next) {
        if (state->values[i].field == field) {
            return &state->values[i];
        }
    }
    return NULL;
}

enum field_type
state_field_type(const struct state *state, uint32_t field)
{
    bool known = field < state->definitions->field_names.count;
    return known ? state->definitions->fields[field].type : FIELD_TEXT;
}

struct value_row *
tables_put_value(struct state *state, uint32_t friend, uint32_t field)
{
    for (uint32_t i = state->friends[friend].first_value; i != NO_ID; i = state->values[i].next) {
        if (state->values[i].field == field) {
            return &state->values[i];
        }
    }
    uint32_t index = state->value_free;
    if (index != NO_ID) {
        state->value_free = state->values[index].next;
    } else {
        index = state->value_count++;
        state->values =
            tables_grow(state->values, &state->value_capacity, index + 1, sizeof(*state->values));
    }
    state->values[index] =
        (struct value_row){.next = state->friends[friend].first_value, .field = field};
    state->friends[friend].first_value = index;
    return &state->values[index];
}

void
tables_drop_value(struct state *state, uint32_t friend, uint32_t field)
{
    unique_remove(state, friend, field);
    uint32_t *link = &state->friends[friend].first_value;
    while (*link != NO_ID) {
        uint32_t index = *link;
        struct value_row *row = &state->values[index];
        if (row->field == field) {
            *link = row->next;
            tables_set_text(&row->text, (struct span){0});
            *row = (struct value_row){.next = state->value_free};
            state->value_free = index;
            return;
        }
        link = &row->next;
    }
}

/* Marketing pushes of the last days. */

enum { SENT_KEPT_MINUTES = 9 * 1440 }; /* seven local dates, in any zone, and an hour's change */

static void
forget_sent(struct state *state, uint32_t *link, uint32_t before_minute)
{
    while (*link != NO_ID) {
        uint32_t index = *link;
        struct sent_row *row = &state->sent[index];
        if (row->minute >= before_minute) {
            link = &row->next;
            continue;
        }
        *link = row->next;
        *row = (struct sent_row){.next = state->sent_free};
        state->sent_free = index;
    }
}

void
tables_add_sent(struct state *state, uint32_t friend, int64_t at_ms)
{
    uint32_t minute = at_ms < 0 ? 0 : (uint32_t)(at_ms / MS_PER_MINUTE);
    forget_sent(state, &state->friends[friend].first_sent,
                minute < SENT_KEPT_MINUTES ? 0 : minute - SENT_KEPT_MINUTES);
    uint32_t index = state->sent_free;
    if (index != NO_ID) {
        state->sent_free = state->sent[index].next;
    } else {
        index = state->sent_count++;
        state->sent =
            tables_grow(state->sent, &state->sent_capacity, index + 1, sizeof(*state->sent));
    }
    state->sent[index] =
        (struct sent_row){.next = state->friends[friend].first_sent, .minute = minute};
    state->friends[friend].first_sent = index;
}

void
tables_erase_info(struct state *state, uint32_t friend)
{
    for (uint32_t tag = 0; tag < state->tag_capacity; tag++) {
        if (state_has_tag(state, friend, tag)) {
            tables_set_tag(state, friend, tag, false);
        }
    }
    while (state->friends[friend].first_value != NO_ID) {
        tables_drop_value(state, friend, state->values[state->friends[friend].first_value].field);
    }
    state->friends[friend].score = 0;
    state->friends[friend].menu_override = NO_ID;
    state->friends[friend].recent = 0;
}

void
tables_forget_friend(struct state *state, uint32_t friend)
{
    struct friend_row *row = &state->friends[friend];
    row->forgotten = true;
    tables_index_reach(state, friend);
    /* Its slot stays taken: without an id it is never found, and gone when the table grows. */
    tables_set_text(&row->line_id, (struct span){0});
    tables_set_text(&row->name, (struct span){0});
    row->name_seq = 0;
    row->language = 0;
    row->has_picture = false;
    for (uint32_t i = row->first_value; i != NO_ID;) {
        struct value_row value = state->values[i];
        if (state_field_type(state, value.field) != FIELD_NUMBER) {
            tables_drop_value(state, friend, value.field);
        }
        i = value.next;
    }
    for (uint32_t i = row->first_answer; i != NO_ID; i = state->answers[i].next) {
        tables_set_text(&state->answers[i].text, (struct span){0});
    }
}

/* Enrolments and deliveries: rows on a friend's list, oldest first. */

uint32_t
tables_next_enrolment(const struct state *state)
{
    return state->enrolment_free != NO_ID ? state->enrolment_free : state->enrolment_count;
}

struct enrolment *
tables_add_enrolment(struct state *state, uint32_t index, uint32_t friend)
{
    assert(index == tables_next_enrolment(state));
    if (state->enrolment_free != NO_ID) {
        state->enrolment_free = state->enrolments[index].next;
    } else {
        state->enrolment_count++;
        state->enrolments = tables_grow(state->enrolments, &state->enrolment_capacity, index + 1,
                                        sizeof(*state->enrolments));
    }
    struct enrolment *row = &state->enrolments[index];
    /* A due queue may still hold the row's former life: the mark of that must survive. */
    *row = (struct enrolment){
        .next = NO_ID, .friend = friend, .queued = row->queued, .first_decided = NO_ID};
    uint32_t *link = &state->friends[friend].first_enrolment;
    while (*link != NO_ID) {
        link = &state->enrolments[*link].next;
    }
    *link = index;
    return row;
}

/* Decided steps: 64 bits in the row itself, a list of rows for scenarios with more steps. */

enum { STEPS_A_WORD = 64 };

static uint32_t
find_decided(const struct state *state, uint32_t enrolment, uint32_t word)
{
    uint32_t index = state->enrolments[enrolment].first_decided;
    while (index != NO_ID && state->decided[index].word != word) {
        index = state->decided[index].next;
    }
    return index;
}

bool
state_step_decided(const struct state *state, uint32_t enrolment, uint32_t step)
{
    uint64_t bit = UINT64_C(1) << step % STEPS_A_WORD;
    if (step < STEPS_A_WORD) {
        return (state->enrolments[enrolment].decided & bit) != 0;
    }
    uint32_t index = find_decided(state, enrolment, step / STEPS_A_WORD);
    return index != NO_ID && (state->decided[index].bits & bit) != 0;
}

void
tables_set_decided(struct state *state, uint32_t enrolment, uint32_t step)
{
    struct enrolment *row = &state->enrolments[enrolment];
    uint64_t bit = UINT64_C(1) << step % STEPS_A_WORD;
    if (step < STEPS_A_WORD) {
        row->decided |= bit;
        return;
    }
    uint32_t index = find_decided(state, enrolment, step / STEPS_A_WORD);
    if (index == NO_ID) {
        index = state->decided_free;
        if (index != NO_ID) {
            state->decided_free = state->decided[index].next;
        } else {
            index = state->decided_count++;
            state->decided = tables_grow(state->decided, &state->decided_capacity, index + 1,
                                         sizeof(*state->decided));
        }
        state->decided[index] =
            (struct decided_row){.next = row->first_decided, .word = step / STEPS_A_WORD};
        row->first_decided = index;
    }
    state->decided[index].bits |= bit;
}

static void
free_decided(struct state *state, struct enrolment *row)
{
    while (row->first_decided != NO_ID) {
        uint32_t index = row->first_decided;
        row->first_decided = state->decided[index].next;
        state->decided[index] = (struct decided_row){.next = state->decided_free};
        state->decided_free = index;
    }
}

void
tables_free_enrolment(struct state *state, uint32_t index)
{
    struct enrolment *row = &state->enrolments[index];
    free_decided(state, row);
    uint32_t *link = &state->friends[row->friend].first_enrolment;
    while (*link != index) {
        link = &state->enrolments[*link].next;
    }
    *link = row->next;
    *row = (struct enrolment){.next = state->enrolment_free, .queued = row->queued};
    state->enrolment_free = index;
}

void
tables_set_delivered(struct enrolment *row, uint32_t step)
{
    row->delivered |= step < REMINDER_STEPS_MAX ? UINT64_C(1) << step : 0;
}

bool
state_step_is_delivered(const struct enrolment *row, uint32_t step)
{
    return step < REMINDER_STEPS_MAX && (row->delivered >> step & 1) != 0;
}

uint32_t
state_enrolment_in(const struct state *state, uint32_t friend, uint32_t scenario)
{
    uint32_t index = state->friends[friend].first_enrolment;
    while (index != NO_ID && state->enrolments[index].scenario != scenario) {
        index = state->enrolments[index].next;
    }
    return index;
}

uint32_t
tables_add_delivery(struct state *state, uint32_t friend)
{
    uint32_t index = state->delivery_free;
    if (index != NO_ID) {
        state->delivery_free = state->deliveries[index].next;
    } else {
        index = state->delivery_count++;
        state->deliveries = tables_grow(state->deliveries, &state->delivery_capacity, index + 1,
                                        sizeof(*state->deliveries));
    }
    struct delivery *row = &state->deliveries[index];
    *row = (struct delivery){.next = NO_ID, .friend = friend, .queued = row->queued};
    uint32_t *link = &state->friends[friend].first_delivery;
    while (*link != NO_ID) {
        link = &state->deliveries[*link].next;
    }
    *link = index;
    return index;
}

void
tables_free_delivery(struct state *state, uint32_t index)
{
    struct delivery *row = &state->deliveries[index];
    uint32_t *link = &state->friends[row->friend].first_delivery;
    while (*link != index) {
        link = &state->deliveries[*link].next;
    }
    *link = row->next;
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
    *row = (struct delivery){.next = state->delivery_free, .queued = row->queued};
    state->delivery_free = index;
}

uint32_t
state_find_delivery(const struct state *state, uint32_t friend, uint64_t delivery_seq)
{
    if (friend >= state->friend_count) {
        return NO_ID;
    }
    uint32_t index = state->friends[friend].first_delivery;
    while (index != NO_ID && state->deliveries[index].seq != delivery_seq) {
        index = state->deliveries[index].next;
    }
    return index;
}

uint32_t
state_find_intent(const struct state *state, uint32_t friend, uint64_t intent_seq)
{
    uint32_t index = friend < state->friend_count ? state->friends[friend].first_delivery : NO_ID;
    while (index != NO_ID && (state->deliveries[index].phase != DELIVERY_INTENDED ||
                              state->deliveries[index].intent_seq != intent_seq)) {
        index = state->deliveries[index].next;
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
