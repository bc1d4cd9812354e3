/* The state's fingerprint. What counts and in which order is written down here and nowhere else. */
#include "engine/conversion.h"
#include "engine/deed.h"
#include "engine/tables.h"

#include "engine/base/checksum.h"

static void
add_friend(struct checksum *sum, const struct state *state, uint32_t friend)
{
    const struct friend_row *row = state_friend(state, friend);
    const struct friend_more *more = state_friend_more(state, friend);
    checksum_add_u64(sum, row->newest_seq);
    checksum_add_u64(sum, (uint64_t)row->added_ms);
    checksum_add_u64(sum, (uint64_t)state_follow_line_at(state, friend));
    checksum_add_u64(sum, (uint64_t)row->blocked | (uint64_t)row->standby_only << 1 |
                              (uint64_t)row->profile_asked << 2 | (uint64_t)row->forgotten << 3 |
                              (uint64_t)row->named << 4 | (uint64_t)row->hidden << 5 |
                              (uint64_t)row->operator_blocked << 6 | (uint64_t)more->mark << 32);
    if (more == &FRIEND_PLAIN) {
        return;
    }
    checksum_add_u64(sum, (uint64_t)more->menu << 32 | more->menu_override);
    checksum_add_u64(sum, (uint64_t)more->score);
    checksum_add_u64(sum, (uint64_t)more->recent);
    checksum_add_u64(sum, more->recent_at_s);
    for (uint32_t i = more->first_tap; i != NO_ID; i = state_tap(state, i)->next) {
        checksum_add_u64(sum, state_tap(state, i)->button);
        checksum_add_u64(sum, state_tap(state, i)->choice_hash);
        checksum_add_u64(sum, (uint64_t)state_tap(state, i)->at_ms);
    }
    for (uint32_t i = more->first_once; i != NO_ID; i = state_once(state, i)->next) {
        checksum_add_u64(sum, state_once(state, i)->key);
    }
    for (uint32_t i = more->first_sent; i != NO_ID; i = state_sent(state, i)->next) {
        checksum_add_u64(sum, state_sent(state, i)->minute);
    }
}

/* Numbers as they are; texts and dates, which may be erased, by who has one. */
static void
add_field(struct checksum *sum, const struct state *state, uint32_t field)
{
    bool counts = state_field_type(state, field) == FIELD_NUMBER;
    uint32_t chunks = state->friends.count / COLUMN_CHUNK_ROWS + 1;
    for (uint32_t i = 0; i < chunks * COLUMN_CHUNK_WORDS; i++) {
        const struct column_numbers *numbers =
            columns_number_chunk(&state->columns, field, i / COLUMN_CHUNK_WORDS);
        const struct column_texts *texts =
            columns_text_chunk(&state->columns, field, i / COLUMN_CHUNK_WORDS);
        uint32_t word = i % COLUMN_CHUNK_WORDS;
        uint64_t numbered = numbers == NULL ? 0 : numbers->present[word];
        uint64_t present = numbered | (texts == NULL ? 0 : texts->present[word]);
        if (present != 0) {
            checksum_add_u64(sum, (uint64_t)field << 32 | i);
            checksum_add_u64(sum, present);
        }
        for (; counts && numbered != 0; numbered &= numbered - 1) {
            uint32_t friend = i * 64 + (uint32_t)__builtin_ctzll(numbered);
            int64_t number = 0;
            (void)columns_number(&state->columns, field, friend, &number);
            checksum_add_u64(sum, (uint64_t)number);
        }
    }
}

static void
add_member(void *context, uint32_t friend)
{
    checksum_add_u64(context, friend);
}

static void
add_tags(struct checksum *sum, const struct state *state)
{
    for (uint32_t tag = 0; tag < state->definitions->tag_names.count; tag++) {
        checksum_add_u64(sum, state_tag_count(state, tag));
        tables_each_tagged(state, tag, add_member, sum);
    }
}

static void
add_enrolment_more(struct checksum *sum, const struct state *state,
                   const struct enrolment_more *more)
{
    checksum_add_u64(sum, (uint64_t)more->shift_days << 32 | more->links);
    checksum_add_u64(sum, (uint64_t)more->paused_ms);
    checksum_add_u64(sum, (uint64_t)more->goal_ms);
    checksum_add_u64(sum, more->key);
    checksum_add_u64(sum, more->delivered);
    uint64_t decided = 0; /* a sum: the order of the list does not matter */
    for (uint32_t i = more->first_decided; i != NO_ID; i = state_decided(state, i)->next) {
        const uint64_t word[] = {state_decided(state, i)->word, state_decided(state, i)->bits};
        decided += checksum_of(word, sizeof(word));
    }
    checksum_add_u64(sum, decided);
}

static void
add_enrolment(struct checksum *sum, const struct state *state, const struct enrolment *row)
{
    checksum_add_u64(sum, row->phase);
    if (row->phase == ENROLMENT_FREE) {
        return;
    }
    const struct enrolment_more *more = state_enrolment_more(state, row);
    checksum_add_u64(sum, (uint64_t)row->decided << 32 | row->friend);
    checksum_add_u64(sum, (uint64_t)row->scenario << 32 | row->step);
    checksum_add_u64(sum, row->started_seq);
    checksum_add_u64(sum, (uint64_t)row->start_ms);
    checksum_add_u64(sum, (uint64_t)row->due_ms);
    checksum_add_u64(sum, (uint64_t)state_wake(state, row));
    checksum_add_u64(sum, (uint64_t)state_base(state, row));
    checksum_add_u64(sum, (uint64_t)more->redirect << 16 | (uint64_t)row->deferred << 1 |
                              (uint64_t)row->ending);
    if (more != &ENROLMENT_PLAIN) {
        add_enrolment_more(sum, state, more);
    }
}

static void
add_delivery(struct checksum *sum, const struct delivery *row)
{
    checksum_add_u64(sum, row->phase);
    if (row->phase == DELIVERY_FREE) {
        return;
    }
    checksum_add_u64(sum, row->friend);
    checksum_add_u64(sum, row->seq);
    checksum_add_u64(sum, row->intent_seq);
    checksum_add_u64(sum, row->claim);
    checksum_add_u64(sum, (uint64_t)row->message_class << 8 | row->how);
    checksum_add_u64(sum, (uint64_t)row->due_ms);
    checksum_add_u64(sum, (uint64_t)row->intended_ms);
    checksum_add_u64(sum, (uint64_t)row->token_at_ms);
    checksum_add_u64(sum, row->body_hash);
    checksum_add_u64(sum, (uint64_t)row->wake_ms);
    checksum_add_u64(sum, (uint64_t)row->month << 32 | (uint64_t)row->deferred);
    checksum_add_u64(sum, (uint64_t)row->crowd << 1 | (uint64_t)row->alone);
    for (uint32_t i = 0; i < row->item_count; i++) {
        checksum_add_u64(sum, (uint64_t)row->items[i].template << 32 | row->items[i].enrolment);
        checksum_add_u64(sum, (uint64_t)row->items[i].source.kind);
        checksum_add_u64(sum, (uint64_t)row->items[i].source.id << 32 | row->items[i].source.sub);
    }
}

/* In the order of the rows, which depends on events alone. */
static void
add_acts(struct checksum *sum, const struct state *state, uint32_t friend)
{
    const struct friend_more *more = state_friend_more(state, friend);
    for (uint32_t i = more->first_answer; i != NO_ID; i = state_answer_at(state, i)->next) {
        const struct answer_row *answer = state_answer_at(state, i);
        checksum_add_u64(sum, (uint64_t)answer->form << 32 | answer->question);
        checksum_add_u64(sum, answer->option);
        checksum_add_u64(sum, answer->seq);
        checksum_add_u64(sum, (uint64_t)answer->number);
    }
    for (uint32_t i = more->first_tally; i != NO_ID; i = state_tally(state, i)->next) {
        checksum_add_u64(sum, (uint64_t)state_tally(state, i)->form << 32 |
                                  state_tally(state, i)->times);
        checksum_add_u64(sum, state_tally(state, i)->newest_seq);
    }
    for (uint32_t i = more->first_booking; i != NO_ID; i = state_booking(state, i)->next) {
        const struct booking *booking = state_booking(state, i);
        checksum_add_u64(sum, i);
        checksum_add_u64(sum, (uint64_t)booking->calendar << 32 | booking->slot);
        checksum_add_u64(sum, booking->phase);
        checksum_add_u64(sum, booking->made_seq);
        checksum_add_u64(sum, booking->seq);
        checksum_add_u64(sum, (uint64_t)booking->at_ms);
    }
}

static void
add_counts(struct checksum *sum, const struct state *state)
{
    for (uint32_t i = 0; i < state->choice_count; i++) {
        const struct choice_count *row = &state->choices[i];
        checksum_add_u64(sum, (uint64_t)row->form << 32 | row->question);
        checksum_add_u64(sum, (uint64_t)row->option << 32 | row->count);
    }
    for (uint32_t i = 0; i < state->definitions->conversion_names.count; i++) {
        checksum_add_u64(sum, state_conversion_total(state, i));
        checksum_add_u64(sum, state_converted_count(state, i));
        tables_each_converted(state, i, add_member, sum);
    }
}

static void
add_scenario(struct checksum *sum, const struct scenario_counts *counts)
{
    checksum_add_u64(sum, counts->running);
    checksum_add_u64(sum, counts->entered);
    checksum_add_u64(sum, (uint64_t)counts->paused_ms);
    checksum_add_u64(sum, (uint64_t)counts->delivered << 32 | counts->open);
    checksum_add_u64(sum, (uint64_t)counts->cap << 2 | (uint64_t)counts->cap_set << 1 |
                              (uint64_t)counts->auto_stopped);
    checksum_add_u64(sum, (uint64_t)counts->asked << 2 | (uint64_t)counts->was_asked << 1 |
                              (uint64_t)counts->asking);
}

static void
add_quota(struct checksum *sum, const struct quota_row *row)
{
    checksum_add_u64(sum, (uint64_t)row->month << 32 | row->used);
    checksum_add_u64(sum, (uint64_t)row->until_ms);
    checksum_add_u64(sum, (uint64_t)row->limit << 1 | (uint64_t)row->limit_set);
    checksum_add_u64(sum, (uint64_t)row->line_limit << 1 | (uint64_t)row->spent);
    checksum_add_u64(sum, (uint64_t)row->elsewhere << 32 | row->replies);
}

static void
add_broadcast(struct checksum *sum, const struct broadcast_row *row)
{
    checksum_add_u64(sum, (uint64_t)row->phase << 2 | (uint64_t)row->fit_set << 1 |
                              (uint64_t)row->partial);
    checksum_add_u64(sum, (uint64_t)row->cursor << 32 | row->audience_count);
    checksum_add_u64(sum, (uint64_t)row->due_ms);
    checksum_add_u64(sum, (uint64_t)row->stale_ms);
    for (uint32_t i = tables_audience_next(row, 0); i != NO_ID;
         i = tables_audience_next(row, i + 1)) {
        checksum_add_u64(sum, i);
    }
}

static void
add_claim(struct checksum *sum, const struct claim_row *row)
{
    checksum_add_u64(sum, row->seq);
    checksum_add_u64(sum, row->former_seq);
    checksum_add_u64(sum, (uint64_t)row->former_ms);
    checksum_add_u64(sum, row->released_seq);
    checksum_add_u64(sum, (uint64_t)row->released_ms);
}

uint64_t
state_digest(const struct state *state)
{
    struct checksum *sum = checksum_new();
    checksum_add_u64(sum, state->seq);
    checksum_add_u64(sum, (uint64_t)state->at_ms);
    checksum_add_u64(sum, (uint64_t)state->latest_ms);
    add_claim(sum, &state->claim);
    checksum_add_u64(sum, state->forgetting.friend);
    checksum_add_u64(sum, state->forgetting.next);
    checksum_add_u64(sum, state->forgetting.next_body);
    checksum_add_u64(sum, state->unreadable_seq);
    checksum_add_u64(sum, state->definitions_seq);
    checksum_add(sum, state->definitions->hash, sizeof(state->definitions->hash));
    checksum_add_u64(sum, state->definitions_before == NULL ? 0 : 1);
    checksum_add_u64(sum, state->friends.count);
    checksum_add_u64(sum, state->menus_from);
    checksum_add_u64(sum, (uint64_t)state->menus_day);
    checksum_add_u64(sum, state->dates_from);
    for (uint32_t i = 0; i < state->friends.count; i++) {
        add_friend(sum, state, i);
    }
    for (uint32_t i = 0; i < state->columns.count; i++) {
        add_field(sum, state, i);
    }
    for (uint32_t i = 0; i < state->friends.count; i++) {
        add_acts(sum, state, i);
        deed_digest(state, i, sum);
    }
    deed_digest_sets(state, sum);
    measure_digest(state, sum);
    unknown_digest(state, sum);
    add_counts(sum, state);
    add_tags(sum, state);
    for (uint32_t i = 0; i < state->enrolments.count; i++) {
        add_enrolment(sum, state, state_enrolment(state, i));
    }
    for (uint32_t i = 0; i < state->deliveries.count; i++) {
        add_delivery(sum, state_delivery(state, i));
    }
    for (uint32_t i = 0; i < state->definitions->scenario_names.count; i++) {
        static const struct scenario_counts NOTHING = {0};
        add_scenario(sum, i < state->scenario_capacity ? &state->scenario_counts[i] : &NOTHING);
    }
    add_quota(sum, &state->quota);
    for (uint32_t i = 0; i < state->definitions->broadcast_names.count; i++) {
        static const struct broadcast_row NOTHING = {0};
        add_broadcast(sum, i < state->broadcast_capacity ? &state->broadcasts[i] : &NOTHING);
    }
    checksum_add_u64(sum, tables_sets_checksum(state->finished, state->scenario_capacity));
    checksum_add_u64(sum, tables_sets_checksum(state->tapped, state->tapped_capacity));
    checksum_add_u64(sum, tables_sets_checksum(state->received, state->received_capacity));
    for (uint32_t i = 0; i < state->run_count; i++) {
        checksum_add(sum, state->run_ids[i], sizeof(state->run_ids[i]));
    }
    uint64_t digest = checksum_value(sum);
    checksum_free(sum);
    return digest;
}
