/* The state to bytes. Must write what image_read.c reads, in the same order. */
#include "engine/deed.h"
#include "engine/image.h"

#include "engine/image_acts.h"
#include "engine/image_bytes.h"
#include "engine/tables.h"
#include <assert.h>
#include <stdlib.h>

/* A member more or less in one of these is a member more or less in the image. */
#if defined(__x86_64__) || defined(__aarch64__)
_Static_assert(sizeof(struct friend_row) == 144,
               "write and read the new member, raise the version");
_Static_assert(sizeof(struct value_row) == 32, "write and read the new member, raise the version");
_Static_assert(sizeof(struct enrolment) == 128, "write and read the new member, raise the version");
_Static_assert(sizeof(struct delivery) == 248, "write and read the new member, raise the version");
_Static_assert(sizeof(struct broadcast_row) == 48,
               "write and read the new member, raise the version");
_Static_assert(sizeof(struct scenario_counts) == 32,
               "write and read the new member, raise the version");
_Static_assert(sizeof(struct state) == 656, "write and read the new member, raise the version");
#endif

/* The sets of definitions that something still refers to; the first is in force. */
struct sets {
    const struct definitions **items;
    uint32_t count;
};

static uint8_t *
room(struct buf *out, size_t bytes)
{
    uint8_t *at = buf_reserve(out, bytes);
    assert(at != NULL); /* docs/adr/0001 */
    return at;
}

static void
write_count(struct buf *out, uint32_t count)
{
    put_u32(room(out, IMAGE_COUNT_BYTES), count);
}

static uint32_t
text_len(const char *text)
{
    return text == NULL ? 0 : (uint32_t)strlen(text);
}

static void
write_text(struct buf *out, const char *text)
{
    write_count(out, text_len(text));
    buf_append(out, text, text_len(text));
}

static uint32_t
set_index(struct sets *sets, const struct definitions *definitions)
{
    for (uint32_t i = 0; i < sets->count; i++) {
        if (sets->items[i] == definitions) {
            return i;
        }
    }
    sets->items[sets->count] = definitions;
    return sets->count++;
}

static void
write_definitions(const struct state *state, struct sets *sets, struct buf *out)
{
    sets->items = calloc(state->delivery_count + (size_t)2, sizeof(struct definitions *));
    assert(sets->items != NULL);
    set_index(sets, state->definitions);
    uint32_t before =
        state->definitions_before == NULL ? NO_ID : set_index(sets, state->definitions_before);
    for (uint32_t i = 0; i < state->delivery_count; i++) {
        if (state->deliveries[i].definitions != NULL) {
            set_index(sets, state->deliveries[i].definitions);
        }
    }
    write_count(out, sets->count);
    for (uint32_t i = 0; i < sets->count; i++) {
        struct span canonical = sets->items[i]->canonical;
        assert(canonical.len <= UINT32_MAX);
        write_count(out, (uint32_t)canonical.len);
        buf_append_span(out, canonical);
    }
    put_u32(room(out, sizeof(uint32_t)), before);
}

static void
write_friends(const struct state *state, struct buf *out)
{
    write_count(out, state->friend_count);
    for (uint32_t i = 0; i < state->friend_count; i++) {
        const struct friend_row *row = &state->friends[i];
        uint32_t id_len = text_len(row->line_id), name_len = text_len(row->name);
        uint8_t *at = room(out, (size_t)IMAGE_FRIEND_BYTES + id_len + name_len);
        at = put_u8(at, (uint32_t)row->blocked | (uint32_t)row->standby_only << 1 |
                            (uint32_t)row->profile_asked << 2 | (uint32_t)row->forgotten << 3);
        at = put_u64(at, row->name_seq);
        at = put_u64(at, row->newest_seq);
        at = put_i64(at, row->added_ms);
        at = put_i64(at, row->follow_line_at_ms);
        at = put_u32(at, row->first_enrolment);
        at = put_u32(at, row->first_delivery);
        at = put_u32(at, row->first_value);
        at = put_u32(at, row->first_once);
        at = put_u32(at, row->first_tap);
        at = put_i64(at, row->score);
        at = put_u32(at, row->mark);
        at = put_u32(at, row->first_sent);
        at = put_u32(at, id_len);
        at = put_u32(at, name_len);
        if (id_len > 0) {
            memcpy(at, row->line_id, id_len);
        }
        if (name_len > 0) {
            memcpy(at + id_len, row->name, name_len);
        }
    }
}

static void
write_values(const struct state *state, struct buf *out)
{
    write_count(out, state->value_count);
    for (uint32_t i = 0; i < state->value_count; i++) {
        const struct value_row *row = &state->values[i];
        uint8_t *at = room(out, IMAGE_VALUE_BYTES - IMAGE_COUNT_BYTES);
        at = put_u32(at, row->next);
        at = put_u32(at, row->field);
        at = put_u64(at, row->seq);
        put_i64(at, row->number);
        write_text(out, row->text);
    }
}

static void
write_enrolments(const struct state *state, struct buf *out)
{
    write_count(out, state->enrolment_count);
    for (uint32_t i = 0; i < state->enrolment_count; i++) {
        const struct enrolment *row = &state->enrolments[i];
        uint8_t *at = put_u8(room(out, IMAGE_ROW_BYTES), row->phase);
        put_u32(at, row->next);
        if (row->phase == ENROLMENT_FREE) {
            continue;
        }
        at = room(out, IMAGE_ENROLMENT_BYTES);
        at = put_u32(at, row->friend);
        at = put_u32(at, row->scenario);
        at = put_u32(at, row->step);
        at = put_u32(at, row->shift_days);
        at = put_u64(at, row->started_seq);
        at = put_i64(at, row->start_ms);
        at = put_i64(at, row->due_ms);
        at = put_i64(at, row->wake_ms);
        at = put_u8(at, row->deferred);
        at = put_u32(at, row->redirect);
        at = put_u8(at, row->ending);
        at = put_i64(at, row->paused_ms);
        at = put_i64(at, row->goal_ms);
        at = put_u64(at, row->key);
        at = put_u64(at, row->delivered);
        at = put_u32(at, row->links);
        at = put_i64(at, row->base_ms);
        at = put_u64(at, row->decided);
        put_u32(at, row->first_decided);
    }
}

static void
write_decided(const struct state *state, struct buf *out)
{
    write_count(out, state->decided_count);
    for (uint32_t i = 0; i < state->decided_count; i++) {
        const struct decided_row *row = &state->decided[i];
        uint8_t *at = room(out, IMAGE_DECIDED_BYTES);
        put_u64(put_u32(put_u32(at, row->next), row->word), row->bits);
    }
}

static void
write_sent(const struct state *state, struct buf *out)
{
    write_count(out, state->sent_count);
    for (uint32_t i = 0; i < state->sent_count; i++) {
        put_u32(put_u32(room(out, IMAGE_SENT_BYTES), state->sent[i].next), state->sent[i].minute);
    }
}

static void
write_delivery(const struct delivery *row, struct sets *sets, struct buf *out)
{
    uint8_t *at = room(out, IMAGE_DELIVERY_BYTES);
    at = put_u32(at, row->friend);
    at = put_u8(at, row->message_class);
    at = put_u8(at, row->how);
    at = put_u32(at, row->claim);
    at = put_u64(at, row->seq);
    at = put_u64(at, row->intent_seq);
    at = put_i64(at, row->due_ms);
    at = put_i64(at, row->intended_ms);
    at = put_i64(at, row->token_at_ms);
    at = put_u64(at, row->body_hash);
    at = put_i64(at, row->wake_ms);
    at = put_u8(at, row->deferred);
    at = put_u32(at, row->month);
    at = put_u32(at, row->crowd);
    at = put_u8(at, row->alone);
    at = put_u32(at, row->definitions == NULL ? NO_ID : set_index(sets, row->definitions));
    at = put_u32(at, row->value_count);
    at = put_u32(at, row->item_count);
    put_u32(at, row->act_count);
    write_text(out, row->token);
    for (uint32_t i = 0; i < row->value_count; i++) {
        write_text(out, row->values[i]);
    }
    for (uint32_t i = 0; i < row->act_count; i++) {
        write_text(out, row->act[i]);
    }
    for (uint32_t i = 0; i < row->item_count; i++) {
        const struct delivery_item *item = &row->items[i];
        at = room(out, IMAGE_ITEM_BYTES);
        at = put_u32(at, item->template);
        at = put_u32(at, item->enrolment);
        at = put_u8(at, item->source.kind);
        at = put_u32(at, item->source.id);
        put_u32(at, item->source.sub);
    }
}

static void
write_deliveries(const struct state *state, struct sets *sets, struct buf *out)
{
    write_count(out, state->delivery_count);
    for (uint32_t i = 0; i < state->delivery_count; i++) {
        const struct delivery *row = &state->deliveries[i];
        uint8_t *at = put_u8(room(out, IMAGE_ROW_BYTES), row->phase);
        put_u32(at, row->next);
        if (row->phase != DELIVERY_FREE) {
            write_delivery(row, sets, out);
        }
    }
}

static void
write_list(const uint32_t *members, uint32_t count, struct buf *out)
{
    uint32_t before = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t gap = members[i] - before;
        for (; gap >= 0x80; gap >>= 7) {
            buf_append_byte(out, (uint8_t)(gap | 0x80));
        }
        buf_append_byte(out, (uint8_t)gap);
        before = members[i];
    }
}

/* Members as gaps while they are few, as one bit a friend when they are many: never more than the
 * set takes in memory. */
static void
write_set(const struct state *state, const struct bitmap *set, struct buf *out)
{
    uint32_t count = set_count(set);
    uint32_t *members = malloc((count + (size_t)1) * sizeof(*members));
    assert(members != NULL);
    set_members(set, members);
    size_t bits_bytes = ((size_t)state->friend_count + 7) / 8;
    bool as_bits = count >= bits_bytes;
    put_u32(put_u8(room(out, 1 + IMAGE_COUNT_BYTES), as_bits ? IMAGE_SET_BITS : IMAGE_SET_LIST),
            count);
    if (as_bits) {
        uint8_t *bits = room(out, bits_bytes);
        memset(bits, 0, bits_bytes);
        for (uint32_t i = 0; i < count; i++) {
            bits[members[i] / 8] |= (uint8_t)(1U << members[i] % 8);
        }
    } else {
        write_list(members, count, out);
    }
    free(members);
}

/* Only the sets with members, each with its id. */
static void
write_sets(const struct state *state, struct bitmap *const *sets, uint32_t capacity,
           struct buf *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < capacity; i++) {
        count += sets[i] != NULL && set_count(sets[i]) > 0;
    }
    write_count(out, count);
    for (uint32_t i = 0; i < capacity; i++) {
        if (sets[i] != NULL && set_count(sets[i]) > 0) {
            put_u32(room(out, sizeof(uint32_t)), i);
            write_set(state, sets[i], out);
        }
    }
}

static void
write_scenarios(const struct state *state, struct buf *out)
{
    write_count(out, state->scenario_capacity);
    for (uint32_t i = 0; i < state->scenario_capacity; i++) {
        uint8_t *at = room(out, IMAGE_SCENARIO_BYTES);
        const struct scenario_counts *counts = &state->scenario_counts[i];
        at = put_u32(at, counts->running);
        at = put_u32(at, counts->entered);
        at = put_i64(at, counts->paused_ms);
        at = put_u32(at, counts->delivered);
        at = put_u32(at, counts->open);
        at = put_u32(at, counts->cap);
        put_u8(at, (uint32_t)counts->auto_stopped | (uint32_t)counts->cap_set << 1);
    }
}

static void
write_once(const struct state *state, struct buf *out)
{
    write_count(out, state->once_count);
    for (uint32_t i = 0; i < state->once_count; i++) {
        uint8_t *at = room(out, IMAGE_ONCE_BYTES);
        put_u64(put_u32(at, state->once[i].next), state->once[i].key);
    }
}

static void
write_taps(const struct state *state, struct buf *out)
{
    write_count(out, state->tap_count);
    for (uint32_t i = 0; i < state->tap_count; i++) {
        const struct tap_row *row = &state->taps[i];
        uint8_t *at = put_u32(room(out, IMAGE_TAP_BYTES), row->next);
        at = put_u32(at, row->button);
        at = put_u64(at, row->choice_hash);
        put_i64(at, row->at_ms);
    }
}

static void
write_broadcasts(const struct state *state, struct buf *out)
{
    write_count(out, state->broadcast_capacity);
    for (uint32_t i = 0; i < state->broadcast_capacity; i++) {
        const struct broadcast_row *row = &state->broadcasts[i];
        uint8_t *at = room(out, IMAGE_BROADCAST_BYTES);
        at = put_u8(at, row->phase);
        at = put_u8(at, (uint32_t)row->fit_set | (uint32_t)row->partial << 1 |
                            (uint32_t)(row->audience != NULL) << 2);
        at = put_u32(at, row->cursor);
        at = put_u32(at, row->audience_count);
        at = put_i64(at, row->due_ms);
        put_i64(at, row->stale_ms);
        if (row->audience != NULL) {
            write_set(state, row->audience, out);
        }
    }
}

void
image_write(const struct state *state, struct buf *out)
{
    struct sets sets = {0};
    uint8_t *at = room(out, IMAGE_HEAD_BYTES);
    at = put_u32(at, STATE_VERSION);
    at = put_u64(at, state->seq);
    at = put_i64(at, state->at_ms);
    at = put_i64(at, state->latest_ms);
    at = put_u64(at, state->definitions_seq);
    at = put_u64(at, state->unreadable_seq);
    at = put_u64(at, state->claim.seq);
    at = put_u64(at, state->claim.inode);
    at = put_u64(at, state->claim.birth_ns);
    at = put_u64(at, state->claim.former_seq);
    at = put_i64(at, state->claim.former_ms);
    at = put_u64(at, state->claim.released_seq);
    at = put_i64(at, state->claim.released_ms);
    at = put_u32(at, state->forgetting.friend);
    at = put_u64(at, state->forgetting.next);
    at = put_u64(at, state->forgetting.next_body);
    at = put_u32(at, state->dates_from);
    at = put_u32(at, state->value_free);
    at = put_u32(at, state->enrolment_free);
    at = put_u32(at, state->delivery_free);
    at = put_u32(at, state->sent_free);
    at = put_u32(at, state->decided_free);
    at = put_u32(at, state->quota.month);
    at = put_u32(at, state->quota.used);
    at = put_i64(at, state->quota.until_ms);
    at = put_u32(at, state->quota.limit);
    put_u8(at, state->quota.limit_set);
    write_text(out, state->claim.machine);
    write_text(out, state->claim.path);
    write_definitions(state, &sets, out);
    write_count(out, state->run_count);
    buf_append(out, state->run_ids, (size_t)state->run_count * IMAGE_RUN_BYTES);
    write_friends(state, out);
    write_values(state, out);
    write_enrolments(state, out);
    write_decided(state, out);
    write_sent(state, out);
    write_deliveries(state, &sets, out);
    write_sets(state, state->tags, state->tag_capacity, out);
    write_scenarios(state, out);
    write_sets(state, state->entered, state->scenario_capacity, out);
    write_sets(state, state->finished, state->scenario_capacity, out);
    write_sets(state, state->tapped, state->tapped_capacity, out);
    write_sets(state, state->received, state->received_capacity, out);
    write_once(state, out);
    write_taps(state, out);
    write_broadcasts(state, out);
    image_write_acts(state, out);
    deed_write(state, out);
    free(sets.items);
}
