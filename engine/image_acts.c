#include "engine/image_acts.h"

#include "engine/image_bytes.h"
#include "engine/tables.h"
#include <assert.h>
#include <stdlib.h>

enum acts_sizes {
    HEAD_BYTES = 4,    /* the free list of answers */
    FRIEND_BYTES = 12, /* three heads of lists */
    ANSWER_BYTES = 36, /* with the length of its text */
    TALLY_BYTES = 20,
    CHOICE_BYTES = 16,
    BOOKING_BYTES = 41,
    CONVERSION_BYTES = 8, /* total and members, before the members */
    CONVERSIONS_MAX = 1 << 20,
};

/* A member more or less in one of these is a member more or less in the image. */
#if defined(__x86_64__) || defined(__aarch64__)
_Static_assert(sizeof(struct answer_row) == 40, "write and read the new member");
_Static_assert(sizeof(struct form_tally) == 24, "write and read the new member");
_Static_assert(sizeof(struct choice_count) == 16, "write and read the new member");
_Static_assert(sizeof(struct booking) == 48, "write and read the new member");
_Static_assert(sizeof(struct conversion_count) == 4, "write and read the new member");
#endif

/* --- writing --- */

static uint8_t *
room(struct buf *out, size_t bytes)
{
    uint8_t *at = buf_reserve(out, bytes);
    assert(at != NULL); /* docs/adr/0001 */
    return at;
}

static void
write_answers(const struct state *state, struct buf *out)
{
    put_u32(room(out, IMAGE_COUNT_BYTES), state->answer_count);
    for (uint32_t i = 0; i < state->answer_count; i++) {
        const struct answer_row *row = &state->answers[i];
        uint32_t len = row->text == NULL ? 0 : (uint32_t)strlen(row->text);
        uint8_t *at = room(out, ANSWER_BYTES);
        at = put_u32(at, row->next);
        at = put_u32(at, row->form);
        at = put_u32(at, row->question);
        at = put_u32(at, row->option);
        at = put_u64(at, row->seq);
        at = put_i64(at, row->number);
        put_u32(at, len);
        buf_append(out, row->text, len);
    }
}

static void
write_tallies(const struct state *state, struct buf *out)
{
    put_u32(room(out, IMAGE_COUNT_BYTES), state->tally_count);
    for (uint32_t i = 0; i < state->tally_count; i++) {
        const struct form_tally *row = &state->tallies[i];
        uint8_t *at = room(out, TALLY_BYTES);
        at = put_u32(at, row->next);
        at = put_u32(at, row->form);
        at = put_u32(at, row->times);
        put_u64(at, row->newest_seq);
    }
    put_u32(room(out, IMAGE_COUNT_BYTES), state->choice_count);
    for (uint32_t i = 0; i < state->choice_count; i++) {
        const struct choice_count *row = &state->choices[i];
        uint8_t *at = room(out, CHOICE_BYTES);
        at = put_u32(at, row->form);
        at = put_u32(at, row->question);
        at = put_u32(at, row->option);
        put_u32(at, row->count);
    }
}

static void
write_bookings(const struct state *state, struct buf *out)
{
    put_u32(room(out, IMAGE_COUNT_BYTES), state->booking_count);
    for (uint32_t i = 0; i < state->booking_count; i++) {
        const struct booking *row = &state->bookings[i];
        uint8_t *at = put_u8(room(out, BOOKING_BYTES), row->phase);
        at = put_u32(at, row->next);
        at = put_u32(at, row->friend);
        at = put_u32(at, row->calendar);
        at = put_u32(at, row->slot);
        at = put_u64(at, row->made_seq);
        at = put_u64(at, row->seq);
        put_i64(at, row->at_ms);
    }
}

static void
write_conversions(const struct state *state, struct buf *out)
{
    put_u32(room(out, IMAGE_COUNT_BYTES), state->conversion_capacity);
    for (uint32_t i = 0; i < state->conversion_capacity; i++) {
        uint32_t count = state->converted[i] == NULL ? 0 : set_count(state->converted[i]);
        uint32_t *members = calloc((size_t)count + 1, sizeof(*members));
        assert(members != NULL);
        if (count > 0) {
            set_members(state->converted[i], members);
        }
        uint8_t *at = room(out, CONVERSION_BYTES + (size_t)count * sizeof(uint32_t));
        at = put_u32(put_u32(at, state->conversion_counts[i].total), count);
        for (uint32_t j = 0; j < count; j++) {
            at = put_u32(at, members[j]);
        }
        free(members);
    }
}

void
image_write_acts(const struct state *state, struct buf *out)
{
    put_u32(room(out, HEAD_BYTES), state->answer_free);
    for (uint32_t i = 0; i < state->friend_count; i++) {
        const struct friend_row *row = &state->friends[i];
        uint8_t *at = room(out, FRIEND_BYTES);
        put_u32(put_u32(put_u32(at, row->first_answer), row->first_tally), row->first_booking);
    }
    write_answers(state, out);
    write_tallies(state, out);
    write_bookings(state, out);
    write_conversions(state, out);
}

/* --- reading: no length and no index is trusted --- */

struct reader {
    struct span rest;
    struct state *state;
    const char *why; /* sticky */
};

static void
check(struct reader *reader, bool holds, const char *why)
{
    if (!holds && reader->why == NULL) {
        reader->why = why;
    }
}

static const uint8_t *
take(struct reader *reader, size_t bytes)
{
    check(reader, reader->rest.len >= bytes, "it ends before it is complete");
    if (reader->why != NULL) {
        return NULL;
    }
    const uint8_t *at = reader->rest.data;
    reader->rest = span_of(at + bytes, reader->rest.len - bytes);
    return at;
}

/* Rows that follow, each of at least min_bytes, with room made for them; NULL: it cannot be. */
static void *
take_rows(struct reader *reader, size_t min_bytes, size_t row_bytes, uint32_t *out_count,
          uint32_t *out_capacity)
{
    const uint8_t *at = take(reader, IMAGE_COUNT_BYTES);
    uint32_t count = at == NULL ? 0 : get_u32(&at);
    check(reader, count != NO_ID && count <= reader->rest.len / min_bytes,
          "it counts more rows than it has bytes for");
    if (reader->why != NULL || count == 0) {
        return NULL;
    }
    *out_count = count;
    return tables_grow(NULL, out_capacity, count, row_bytes);
}

static void
read_answers(struct reader *reader)
{
    struct state *state = reader->state;
    state->answers = take_rows(reader, ANSWER_BYTES, sizeof(*state->answers), &state->answer_count,
                               &state->answer_capacity);
    for (uint32_t i = 0; i < state->answer_count; i++) {
        struct answer_row *row = &state->answers[i];
        const uint8_t *at = take(reader, ANSWER_BYTES);
        if (at == NULL) {
            return;
        }
        row->next = get_u32(&at);
        row->form = get_u32(&at);
        row->question = get_u32(&at);
        row->option = get_u32(&at);
        row->seq = get_u64(&at);
        row->number = get_i64(&at);
        uint32_t len = get_u32(&at);
        const uint8_t *text = take(reader, len);
        if (text != NULL) {
            tables_set_text(&row->text, span_of(text, len));
        }
    }
}

static void
read_tallies(struct reader *reader)
{
    struct state *state = reader->state;
    state->tallies = take_rows(reader, TALLY_BYTES, sizeof(*state->tallies), &state->tally_count,
                               &state->tally_capacity);
    for (uint32_t i = 0; i < state->tally_count; i++) {
        const uint8_t *at = take(reader, TALLY_BYTES);
        if (at == NULL) {
            return;
        }
        state->tallies[i].next = get_u32(&at);
        state->tallies[i].form = get_u32(&at);
        state->tallies[i].times = get_u32(&at);
        state->tallies[i].newest_seq = get_u64(&at);
    }
    state->choices = take_rows(reader, CHOICE_BYTES, sizeof(*state->choices), &state->choice_count,
                               &state->choice_capacity);
    for (uint32_t i = 0; i < state->choice_count; i++) {
        const uint8_t *at = take(reader, CHOICE_BYTES);
        if (at == NULL) {
            return;
        }
        state->choices[i].form = get_u32(&at);
        state->choices[i].question = get_u32(&at);
        state->choices[i].option = get_u32(&at);
        state->choices[i].count = get_u32(&at);
    }
}

static void
read_bookings(struct reader *reader)
{
    struct state *state = reader->state;
    state->bookings = take_rows(reader, BOOKING_BYTES, sizeof(*state->bookings),
                                &state->booking_count, &state->booking_capacity);
    for (uint32_t i = 0; i < state->booking_count; i++) {
        struct booking *row = &state->bookings[i];
        const uint8_t *at = take(reader, BOOKING_BYTES);
        if (at == NULL) {
            return;
        }
        uint32_t phase = get_u8(&at);
        check(reader, phase == BOOKING_OPEN || phase == BOOKING_CANCELLED,
              "a booking is neither open nor cancelled");
        row->phase = (enum booking_phase)phase;
        row->next = get_u32(&at);
        row->friend = get_u32(&at);
        row->calendar = get_u32(&at);
        row->slot = get_u32(&at);
        row->made_seq = get_u64(&at);
        row->seq = get_u64(&at);
        row->at_ms = get_i64(&at);
    }
}

static void
read_conversions(struct reader *reader)
{
    const uint8_t *at = take(reader, IMAGE_COUNT_BYTES);
    uint32_t conversions = at == NULL ? 0 : get_u32(&at);
    check(reader, conversions <= CONVERSIONS_MAX,
          "it counts more conversions than any definitions have");
    for (uint32_t i = 0; i < conversions && (at = take(reader, CONVERSION_BYTES)) != NULL; i++) {
        uint32_t total = get_u32(&at), count = get_u32(&at);
        check(reader, count <= reader->rest.len / sizeof(uint32_t),
              "it ends before it is complete");
        for (uint32_t j = 0; j < count && (at = take(reader, sizeof(uint32_t))) != NULL; j++) {
            uint32_t friend = get_u32(&at);
            check(reader, friend < reader->state->friend_count, "a set holds nobody's number");
            if (reader->why == NULL) {
                tables_set_converted(reader->state, friend, i);
            }
        }
        if (reader->why == NULL && i < reader->state->conversion_capacity) {
            reader->state->conversion_counts[i].total = total;
        }
    }
}

/* --- every row hangs on exactly one list --- */

static bool
visit(struct reader *reader, uint8_t *seen, uint32_t count, uint32_t index)
{
    check(reader, index < count && seen[index] == 0, "a list of rows does not hold together");
    if (reader->why != NULL) {
        return false;
    }
    seen[index] = 1;
    return true;
}

static void
check_all_seen(struct reader *reader, const uint8_t *seen, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        check(reader, seen[i] != 0, "a row is on no list");
    }
}

static void
check_lists(struct reader *reader)
{
    const struct state *state = reader->state;
    uint8_t *answers = calloc((size_t)state->answer_count + 1, 1);
    uint8_t *tallies = calloc((size_t)state->tally_count + 1, 1);
    uint8_t *bookings = calloc((size_t)state->booking_count + 1, 1);
    assert(answers != NULL && tallies != NULL && bookings != NULL);
    for (uint32_t f = 0; f < state->friend_count && reader->why == NULL; f++) {
        const struct friend_row *row = &state->friends[f];
        for (uint32_t i = row->first_answer;
             i != NO_ID && visit(reader, answers, state->answer_count, i);) {
            i = state->answers[i].next;
        }
        for (uint32_t i = row->first_tally;
             i != NO_ID && visit(reader, tallies, state->tally_count, i);) {
            i = state->tallies[i].next;
        }
        for (uint32_t i = row->first_booking;
             i != NO_ID && visit(reader, bookings, state->booking_count, i);) {
            check(reader, state->bookings[i].friend == f, "a booking is on another friend's list");
            i = state->bookings[i].next;
        }
    }
    for (uint32_t i = state->answer_free;
         i != NO_ID && visit(reader, answers, state->answer_count, i);) {
        i = state->answers[i].next;
    }
    check_all_seen(reader, answers, state->answer_count);
    check_all_seen(reader, tallies, state->tally_count);
    check_all_seen(reader, bookings, state->booking_count);
    free(answers);
    free(tallies);
    free(bookings);
}

const char *
image_read_acts(struct span *rest, struct state *state)
{
    struct reader reader = {.rest = *rest, .state = state};
    const uint8_t *at = take(&reader, HEAD_BYTES);
    state->answer_free = at == NULL ? NO_ID : get_u32(&at);
    for (uint32_t i = 0; i < state->friend_count && (at = take(&reader, FRIEND_BYTES)) != NULL;
         i++) {
        state->friends[i].first_answer = get_u32(&at);
        state->friends[i].first_tally = get_u32(&at);
        state->friends[i].first_booking = get_u32(&at);
    }
    read_answers(&reader);
    read_tallies(&reader);
    read_bookings(&reader);
    read_conversions(&reader);
    if (reader.why == NULL) {
        check_lists(&reader);
    }
    *rest = reader.rest;
    return reader.why;
}
