/* tables - writing to the state's rows and sets: what apply is made of.
 *
 * Shape    rows are taken from a free list or the end, in an order that depends on events alone, so the
 *          index a row will get is known before (tables_next_…) and recorded in the event.
 * Units    indexes.
 * Errors   out of memory ends the process (docs/adr/0001).
 * Owner    the state owns every row and text.
 */
#ifndef ENGINE_TABLES_H
#define ENGINE_TABLES_H

#include "engine/state.h"

/* Makes room for at least `needed` rows; new rows are zero. */
void *tables_grow(void *rows, uint32_t *capacity, uint32_t needed, size_t row_bytes);

void state_init(struct state *state);
void state_fini(struct state *state);

/* Rows to write to; state.h has the same to read from. */

static inline struct friend_row *
tables_friend(struct state *state, uint32_t friend)
{
    return table_at(&state->friends, friend);
}

static inline struct enrolment *
tables_enrolment(struct state *state, uint32_t enrolment)
{
    return table_at(&state->enrolments, enrolment);
}

static inline struct delivery *
tables_delivery(struct state *state, uint32_t delivery)
{
    return table_at(&state->deliveries, delivery);
}

static inline struct answer_row *
tables_answer(struct state *state, uint32_t answer)
{
    return table_at(&state->answers, answer);
}

static inline struct booking *
tables_booking(struct state *state, uint32_t booking)
{
    return table_at(&state->bookings, booking);
}

/* What few have, made where there is no such row; and given back where nothing in it is set. */
struct friend_more *tables_friend_more(struct state *state, uint32_t friend);
void tables_settle_friend(struct state *state, uint32_t friend);
struct enrolment_more *tables_enrolment_more(struct state *state, struct enrolment *row);
void tables_settle_enrolment(struct state *state, struct enrolment *row);

/* Takes the next friend row for that LINE user id (an empty id: erased). */
uint32_t tables_add_friend(struct state *state, struct span line_id);
/* The table of LINE ids, out or in behind the friends. */
void tables_stream_ids(struct state *state, struct stream *stream);
void tables_set_name(struct state *state, uint32_t friend, struct span name);
void tables_set_follow_line_at(struct state *state, uint32_t friend, int64_t at_ms);
/* A string of its own, for rows that come and go at once. Frees what was there; empty: NULL. */
void tables_set_string(char **slot, struct span text);

/* The language's number, 1 + its index; 0: an empty text, or one more than LANGUAGES_MAX. */
enum { LANGUAGES_MAX = 255 };
uint8_t tables_language(struct state *state, struct span text);

/* Takes away tags, fields and score (SPEC R16). */
void tables_erase_info(struct state *state, uint32_t friend);

/* Clears what leads to a person: id, name, texts and dates. Tags and numbers stay. */
void tables_forget_friend(struct state *state, uint32_t friend);

void tables_put_number(struct state *state, uint32_t friend, uint32_t field, int64_t number);
void tables_put_text(struct state *state, uint32_t friend, uint32_t field, struct span text);
void tables_drop_value(struct state *state, uint32_t friend, uint32_t field);

void tables_put_tap(struct state *state, uint32_t friend, uint32_t button, uint64_t choice_hash,
                    int64_t at_ms);
void tables_add_once(struct state *state, uint32_t friend, uint64_t key);
/* Remembers a marketing push; forgets the friend's that no cap can ask about any more. */
void tables_add_sent(struct state *state, uint32_t friend, int64_t at_ms);

uint32_t tables_next_enrolment(const struct state *state);
/* Takes the row `index`, which must be the next one, and hangs it on the friend's list. */
struct enrolment *tables_add_enrolment(struct state *state, uint32_t index, uint32_t friend);
void tables_set_wake(struct state *state, struct enrolment *row, enum enrolment_wake wake,
                     int64_t wake_ms);
void tables_set_due(struct state *state, struct enrolment *row, int64_t due_ms, int64_t base_ms);
void tables_set_decided(struct state *state, uint32_t enrolment, uint32_t step);
/* Of the first 64 steps these are decided, of all others none. */
void tables_reset_decided(struct state *state, struct enrolment *row, uint64_t steps);
void tables_free_enrolment(struct state *state, uint32_t index);
/* The step went out; ids too large for the set are not kept (definitions refuse them). */
void tables_set_delivered(struct state *state, struct enrolment *row, uint32_t step);
bool state_step_is_delivered(const struct state *state, const struct enrolment *row, uint32_t step);

/* Takes the next delivery row and hangs it on the friend's list. */
uint32_t tables_add_delivery(struct state *state, uint32_t friend);
void tables_free_delivery(struct state *state, uint32_t index);
void delivery_row_fini(struct delivery *row); /* frees what hangs on it */

void tables_set_tag(struct state *state, uint32_t friend, uint32_t tag, bool present);
/* Calls fn for every friend that has the tag, in ascending order. */
typedef void (*tables_friend_fn)(void *context, uint32_t friend);
void tables_each_tagged(const struct state *state, uint32_t tag, tables_friend_fn fn,
                        void *context);
/* After a change of what the row says about blocking and forgetting; for all: after loading. */
void tables_index_reach(struct state *state, uint32_t friend);
void tables_index_reach_of_all(struct state *state);
void tables_set_entered(struct state *state, uint32_t friend, uint32_t scenario);
void tables_set_finished(struct state *state, uint32_t friend, uint32_t scenario);
void tables_set_tapped(struct state *state, uint32_t friend, uint32_t button);
void tables_set_received(struct state *state, uint32_t friend, uint32_t template);
/* The sets of who ever did something, for the digest. */
uint64_t tables_sets_checksum(struct bitmap *const *sets, uint32_t count);
bool state_has_entered(const struct state *state, uint32_t friend, uint32_t scenario);
struct scenario_counts *tables_scenario_counts(struct state *state, uint32_t scenario);
struct broadcast_row *tables_broadcast(struct state *state, uint32_t broadcast);
/* Who of a broadcast's audience comes at or after `from`; NO_ID when nobody does. */
uint32_t tables_audience_next(const struct broadcast_row *row, uint32_t from);
void tables_audience_add(struct broadcast_row *row, uint32_t friend);
void tables_audience_drop(struct broadcast_row *row);
uint32_t set_count(const struct bitmap *set);
size_t set_bytes(const struct bitmap *set); /* taken of memory, nearly */
bool set_holds(const struct bitmap *set, uint32_t friend);
void set_add(struct bitmap **slot, uint32_t friend); /* makes the set where there is none */
void set_unite(struct bitmap *set, const struct bitmap *with);
/* The members of a set in ascending order, and many put into it at once. */
void set_members(const struct bitmap *set, uint32_t *out_members);
void set_add_all(struct bitmap **slot, const uint32_t *members, uint32_t count);
/* Out, or into an empty slot; members from `limit` on are refused. */
void set_stream(struct bitmap **slot, struct stream *stream, uint32_t limit);
/* The first member from `from` on; NO_ID when there is none. A NULL set is empty. */
uint32_t set_next(const struct bitmap *set, uint32_t from);
/* Members of both; a NULL set is empty. */
uint32_t set_count_both(const struct bitmap *a, const struct bitmap *b);
/* *slot (NULL: everybody) becomes its members that are in the other, too. */
void set_keep(struct bitmap **slot, const struct bitmap *other);
void set_free(struct bitmap *set);
/* The slot of one of the sets, which grow to hold it. */
struct bitmap **tables_set_slot(struct bitmap ***sets, uint32_t *capacity, uint32_t id);
struct bitmap **tables_tag_slot(struct state *state, uint32_t tag);
void tables_drop_sets(struct state *state); /* all of them */

void tables_add_run(struct state *state, const uint8_t run_id[16]);

/* Takes the next answer row and hangs it at the end of the friend's list. */
struct answer_row *tables_add_answer(struct state *state, uint32_t friend);
void tables_drop_answer(struct state *state, uint32_t friend, uint32_t index);
/* The friend's tally of that form, made where there is none. */
struct form_tally *tables_form_tally(struct state *state, uint32_t friend, uint32_t form);
/* Likewise the count of a choice. */
struct choice_count *tables_choice_count(struct state *state, uint32_t form, uint32_t question,
                                         uint32_t option);

/* The row of a friend's next booking there: their last cancelled one, else a new one. */
uint32_t tables_next_booking(const struct state *state, uint32_t friend, uint32_t calendar);
struct booking *tables_add_booking(struct state *state, uint32_t index, uint32_t friend);

struct conversion_count *tables_conversion_count(struct state *state, uint32_t conversion);
void tables_set_converted(struct state *state, uint32_t friend, uint32_t conversion);
void tables_each_converted(const struct state *state, uint32_t conversion, tables_friend_fn fn,
                           void *context);

#endif
