/* Bytes to a state. Reads what image_write.c writes and believes none of it: every row is counted
 * against what is left, every index against its table, every list walked once. */
#include "engine/deed.h"
#include "engine/image.h"

#include "engine/image_acts.h"
#include "engine/image_bytes.h"
#include "engine/tables.h"
#include "engine/unique.h"
#include <assert.h>
#include <stdlib.h>

enum { IDS_MAX = 1 << 20 }; /* of tags and scenarios: more than any set of definitions has */

struct reader {
    const struct image_source *source;
    struct span rest;
    struct state *state;
    struct definitions **sets;
    uint32_t set_count;
    enum rc rc; /* sticky */
    const char *why;
};

static void
fail(struct reader *reader, enum rc rc, const char *why)
{
    if (reader->rc == RC_OK) {
        reader->rc = rc;
        reader->why = why;
    }
}

/* The next bytes; NULL when there are fewer or something failed before. */
static const uint8_t *
take(struct reader *reader, size_t bytes)
{
    if (reader->rc != RC_OK || reader->rest.len < bytes) {
        fail(reader, RC_CORRUPT, "it ends before it is complete");
        return NULL;
    }
    const uint8_t *at = reader->rest.data;
    reader->rest = span_of(at + bytes, reader->rest.len - bytes);
    return at;
}

/* The number of rows that follow, each of at least min_bytes; 0 when that cannot be. */
static uint32_t
read_count(struct reader *reader, size_t min_bytes)
{
    const uint8_t *at = take(reader, IMAGE_COUNT_BYTES);
    uint32_t count = at == NULL ? 0 : get_u32(&at);
    if (count == NO_ID || count > reader->rest.len / min_bytes) {
        fail(reader, RC_CORRUPT, "it counts more rows than it has bytes for");
        return 0;
    }
    return count;
}

static struct span
read_span(struct reader *reader, uint32_t len)
{
    const uint8_t *at = take(reader, len);
    return span_of(at, at == NULL ? 0 : len);
}

static void
read_text(struct reader *reader, char **slot)
{
    tables_set_text(slot, read_span(reader, read_count(reader, 1)));
}

/* Zeroed rows; never more than the bytes that are left could fill (read_count). */
static void *
rows_of(uint32_t count, size_t row_bytes)
{
    void *rows = calloc((size_t)count + 1, row_bytes);
    assert(rows != NULL);
    return rows;
}

static bool
in_table(uint32_t index, uint32_t count)
{
    return index == NO_ID || index < count;
}

static void
check(struct reader *reader, bool holds, const char *why)
{
    if (!holds) {
        fail(reader, RC_CORRUPT, why);
    }
}

static void
read_head(struct reader *reader)
{
    const uint8_t *at = take(reader, IMAGE_HEAD_BYTES);
    if (at == NULL) {
        return;
    }
    if (get_u32(&at) != STATE_VERSION) {
        fail(reader, RC_NEWER, "it holds a state of another version of stepd");
        return;
    }
    reader->state->seq = get_u64(&at);
    struct state *state = reader->state;
    state->at_ms = get_i64(&at);
    state->latest_ms = get_i64(&at);
    state->definitions_seq = get_u64(&at);
    state->unreadable_seq = get_u64(&at);
    state->claim.seq = get_u64(&at);
    state->claim.inode = get_u64(&at);
    state->claim.birth_ns = get_u64(&at);
    state->claim.former_seq = get_u64(&at);
    state->claim.former_ms = get_i64(&at);
    state->claim.released_seq = get_u64(&at);
    state->claim.released_ms = get_i64(&at);
    state->forgetting.friend = get_u32(&at);
    state->forgetting.next = get_u64(&at);
    state->forgetting.next_body = get_u64(&at);
    state->dates_from = get_u32(&at);
    state->value_free = get_u32(&at);
    state->enrolment_free = get_u32(&at);
    state->delivery_free = get_u32(&at);
    state->sent_free = get_u32(&at);
    state->decided_free = get_u32(&at);
    state->quota.month = get_u32(&at);
    state->quota.used = get_u32(&at);
    state->quota.until_ms = get_i64(&at);
    state->quota.limit = get_u32(&at);
    state->quota.limit_set = get_u8(&at) != 0;
    state->quota.line_limit = get_u32(&at);
    state->quota.elsewhere = get_u32(&at);
    state->quota.spent = get_u8(&at) != 0;
    state->quota.replies = get_u32(&at);
    check(reader,
          state->claim.former_seq <= state->seq && state->unreadable_seq <= state->seq &&
              state->forgetting.next <= state->seq && state->forgetting.next_body <= state->seq,
          "it names events after its newest");
    read_text(reader, &state->claim.machine);
    read_text(reader, &state->claim.path);
}

static void
read_definitions(struct reader *reader)
{
    uint32_t count = read_count(reader, IMAGE_COUNT_BYTES);
    check(reader, count > 0, "it has no definitions");
    reader->sets = rows_of(count, sizeof(struct definitions *));
    for (uint32_t i = 0; i < count && reader->rc == RC_OK; i++) {
        struct span canonical = read_span(reader, read_count(reader, 1));
        if (reader->rc != RC_OK) {
            return;
        }
        struct definitions *set = NULL;
        enum rc rc = RC_OK;
        if (canonical.len == 0) {
            set = definitions_new(); /* before the first were applied */
        } else {
            rc = reader->source->definitions(reader->source->context, canonical, &set);
        }
        if (rc != RC_OK) {
            fail(reader, rc, "its definitions cannot be read");
            return;
        }
        reader->sets[reader->set_count++] = set;
    }
    const uint8_t *at = take(reader, sizeof(uint32_t));
    uint32_t before = at == NULL ? NO_ID : get_u32(&at);
    check(reader, in_table(before, count), "it moves enrolments from definitions it does not have");
    if (reader->rc == RC_OK) {
        definitions_release(reader->state->definitions);
        reader->state->definitions = definitions_retain(reader->sets[0]);
        reader->state->definitions_before =
            before == NO_ID ? NULL : definitions_retain(reader->sets[before]);
    }
}

static void
read_runs(struct reader *reader)
{
    uint32_t count = read_count(reader, IMAGE_RUN_BYTES);
    const uint8_t *at = take(reader, (size_t)count * IMAGE_RUN_BYTES);
    for (uint32_t i = 0; at != NULL && i < count; i++) {
        tables_add_run(reader->state, at + (size_t)i * IMAGE_RUN_BYTES);
    }
}

static void
read_friends(struct reader *reader)
{
    struct state *state = reader->state;
    uint32_t count = read_count(reader, IMAGE_FRIEND_BYTES);
    state->friends = rows_of(count, sizeof(*state->friends));
    state->friend_capacity = count + 1;
    for (; state->friend_count < count && reader->rc == RC_OK; state->friend_count++) {
        const uint8_t *at = take(reader, IMAGE_FRIEND_BYTES);
        if (at == NULL) {
            return;
        }
        struct friend_row *row = &state->friends[state->friend_count];
        uint32_t flags = get_u8(&at);
        row->blocked = (flags & 1) != 0;
        row->standby_only = (flags & 2) != 0;
        row->profile_asked = (flags & 4) != 0;
        row->forgotten = (flags & 8) != 0;
        row->name_seq = get_u64(&at);
        row->newest_seq = get_u64(&at);
        row->added_ms = get_i64(&at);
        row->follow_line_at_ms = get_i64(&at);
        row->first_enrolment = get_u32(&at);
        row->first_delivery = get_u32(&at);
        row->first_value = get_u32(&at);
        row->first_once = get_u32(&at);
        row->first_tap = get_u32(&at);
        row->score = get_i64(&at);
        row->mark = get_u32(&at);
        row->first_sent = get_u32(&at);
        uint32_t id_len = get_u32(&at), name_len = get_u32(&at);
        check(reader, flags < 16 && row->newest_seq <= state->seq, "a friend's row makes no sense");
        tables_set_text(&row->line_id, read_span(reader, id_len));
        tables_set_text(&row->name, read_span(reader, name_len));
    }
}

static void
read_values(struct reader *reader)
{
    struct state *state = reader->state;
    uint32_t count = read_count(reader, IMAGE_VALUE_BYTES);
    state->values = rows_of(count, sizeof(*state->values));
    state->value_capacity = count + 1;
    for (; state->value_count < count && reader->rc == RC_OK; state->value_count++) {
        const uint8_t *at = take(reader, IMAGE_VALUE_BYTES - IMAGE_COUNT_BYTES);
        if (at == NULL) {
            return;
        }
        struct value_row *row = &state->values[state->value_count];
        row->next = get_u32(&at);
        row->field = get_u32(&at);
        row->seq = get_u64(&at);
        row->number = get_i64(&at);
        read_text(reader, &row->text);
    }
}

static void
read_enrolment(struct reader *reader, struct enrolment *row)
{
    const struct state *state = reader->state;
    const uint8_t *at = take(reader, IMAGE_ENROLMENT_BYTES);
    if (at == NULL) {
        return;
    }
    row->friend = get_u32(&at);
    row->scenario = get_u32(&at);
    row->step = get_u32(&at);
    row->shift_days = get_u32(&at);
    row->started_seq = get_u64(&at);
    row->start_ms = get_i64(&at);
    row->due_ms = get_i64(&at);
    row->wake_ms = get_i64(&at);
    row->deferred = (enum reason)get_u8(&at);
    row->redirect = get_u32(&at);
    row->ending = get_u8(&at) != 0;
    row->paused_ms = get_i64(&at);
    row->goal_ms = get_i64(&at);
    row->key = get_u64(&at);
    row->delivered = get_u64(&at);
    row->links = get_u32(&at);
    row->base_ms = get_i64(&at);
    row->decided = get_u64(&at);
    row->first_decided = get_u32(&at);
    check(reader, row->friend < state->friend_count && row->phase <= ENROLMENT_IN_DELIVERY,
          "an enrolment's row makes no sense");
    check(reader, row->scenario < state->definitions->scenario_names.count,
          "an enrolment is in a scenario that its definitions do not have");
}

static void
read_enrolments(struct reader *reader)
{
    struct state *state = reader->state;
    uint32_t count = read_count(reader, IMAGE_ROW_BYTES);
    state->enrolments = rows_of(count, sizeof(*state->enrolments));
    state->enrolment_capacity = count + 1;
    for (; state->enrolment_count < count && reader->rc == RC_OK; state->enrolment_count++) {
        const uint8_t *at = take(reader, IMAGE_ROW_BYTES);
        if (at == NULL) {
            return;
        }
        struct enrolment *row = &state->enrolments[state->enrolment_count];
        row->phase = (enum enrolment_phase)get_u8(&at);
        row->next = get_u32(&at);
        if (row->phase != ENROLMENT_FREE) {
            read_enrolment(reader, row);
        }
    }
}

static void
read_decided(struct reader *reader)
{
    struct state *state = reader->state;
    uint32_t count = read_count(reader, IMAGE_DECIDED_BYTES);
    const uint8_t *at = take(reader, (size_t)count * IMAGE_DECIDED_BYTES);
    state->decided = rows_of(count, sizeof(*state->decided));
    state->decided_capacity = count + 1;
    for (; at != NULL && state->decided_count < count; state->decided_count++) {
        struct decided_row *row = &state->decided[state->decided_count];
        row->next = get_u32(&at);
        row->word = get_u32(&at);
        row->bits = get_u64(&at);
    }
}

static void
read_sent(struct reader *reader)
{
    struct state *state = reader->state;
    uint32_t count = read_count(reader, IMAGE_SENT_BYTES);
    const uint8_t *at = take(reader, (size_t)count * IMAGE_SENT_BYTES);
    state->sent = rows_of(count, sizeof(*state->sent));
    state->sent_capacity = count + 1;
    for (; at != NULL && state->sent_count < count; state->sent_count++) {
        state->sent[state->sent_count].next = get_u32(&at);
        state->sent[state->sent_count].minute = get_u32(&at);
    }
}

static void
read_items(struct reader *reader, struct delivery *row)
{
    const struct definitions *definitions =
        row->definitions != NULL ? row->definitions : reader->state->definitions;
    const uint8_t *at = take(reader, (size_t)row->item_count * IMAGE_ITEM_BYTES);
    for (uint32_t i = 0; at != NULL && i < row->item_count; i++) {
        struct delivery_item *item = &row->items[i];
        item->template = get_u32(&at);
        item->enrolment = get_u32(&at);
        item->source.kind = (enum source_kind)get_u8(&at);
        item->source.id = get_u32(&at);
        item->source.sub = get_u32(&at);
        bool of_broadcast = item->source.kind == SOURCE_BROADCAST;
        const struct names *broadcasts = &reader->state->definitions->broadcast_names;
        check(reader, item->template <definitions->template_names.count &&in_table(
                                          item->enrolment, reader->state->enrolment_count) &&
                                          (!of_broadcast || item->source.id < broadcasts->count),
                                      "a delivery has a message that its definitions do not have");
    }
}

static void
read_delivery(struct reader *reader, struct delivery *row)
{
    const uint8_t *at = take(reader, IMAGE_DELIVERY_BYTES);
    if (at == NULL) {
        return;
    }
    row->friend = get_u32(&at);
    row->message_class = (enum message_class)get_u8(&at);
    row->how = (enum delivery_how)get_u8(&at);
    row->claim = get_u32(&at);
    row->seq = get_u64(&at);
    row->intent_seq = get_u64(&at);
    row->due_ms = get_i64(&at);
    row->intended_ms = get_i64(&at);
    row->token_at_ms = get_i64(&at);
    row->body_hash = get_u64(&at);
    row->wake_ms = get_i64(&at);
    row->deferred = (enum reason)get_u8(&at);
    row->month = get_u32(&at);
    row->crowd = get_u32(&at);
    row->alone = get_u8(&at) != 0;
    uint32_t set = get_u32(&at), value_count = get_u32(&at), item_count = get_u32(&at);
    uint32_t act_count = get_u32(&at);
    bool intended = row->phase == DELIVERY_INTENDED;
    check(reader,
          row->phase <= DELIVERY_INTENDED && row->friend < reader->state->friend_count &&
              (uint32_t)row->message_class < CLASS_COUNT && row->how <= HOW_PUSH &&
              in_table(set, reader->set_count) && (!intended || set != NO_ID) &&
              (!intended || row->claim < reader->state->run_count) &&
              item_count <= DELIVERY_ITEMS_MAX &&
              value_count <= reader->rest.len / IMAGE_COUNT_BYTES &&
              act_count <= reader->rest.len / IMAGE_COUNT_BYTES,
          "a delivery's row makes no sense");
    if (reader->rc != RC_OK) {
        return;
    }
    if (set != NO_ID) {
        row->definitions = definitions_retain(reader->sets[set]);
    }
    read_text(reader, &row->token);
    row->values = value_count == 0 ? NULL : rows_of(value_count, sizeof(char *));
    row->value_count = value_count;
    for (uint32_t i = 0; i < value_count && reader->rc == RC_OK; i++) {
        read_text(reader, &row->values[i]);
    }
    row->act = act_count == 0 ? NULL : rows_of(act_count, sizeof(char *));
    row->act_count = act_count;
    for (uint32_t i = 0; i < act_count && reader->rc == RC_OK; i++) {
        read_text(reader, &row->act[i]);
    }
    row->item_count = item_count;
    read_items(reader, row);
}

static void
read_deliveries(struct reader *reader)
{
    struct state *state = reader->state;
    uint32_t count = read_count(reader, IMAGE_ROW_BYTES);
    state->deliveries = rows_of(count, sizeof(*state->deliveries));
    state->delivery_capacity = count + 1;
    for (; state->delivery_count < count && reader->rc == RC_OK; state->delivery_count++) {
        const uint8_t *at = take(reader, IMAGE_ROW_BYTES);
        if (at == NULL) {
            return;
        }
        struct delivery *row = &state->deliveries[state->delivery_count];
        row->phase = (enum delivery_phase)get_u8(&at);
        row->next = get_u32(&at);
        if (row->phase != DELIVERY_FREE) {
            read_delivery(reader, row);
        }
    }
}

static bool
read_gap(struct reader *reader, uint32_t *out_gap)
{
    uint64_t gap = 0;
    for (uint32_t shift = 0; shift <= 28; shift += 7) {
        const uint8_t *at = take(reader, 1);
        if (at == NULL) {
            return false;
        }
        gap |= (uint64_t)(*at & 0x7f) << shift;
        if ((*at & 0x80) == 0) {
            *out_gap = (uint32_t)gap;
            return gap <= UINT32_MAX;
        }
    }
    return false;
}

static void
read_list(struct reader *reader, uint32_t *members, uint32_t count)
{
    uint64_t member = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t gap = 0;
        bool read = read_gap(reader, &gap);
        member += gap;
        if (!read || (i > 0 && gap == 0) || member >= reader->state->friend_count) {
            fail(reader, RC_CORRUPT, "a set has a member that is no friend");
            return;
        }
        members[i] = (uint32_t)member;
    }
}

static void
read_bits(struct reader *reader, uint32_t *members, uint32_t count)
{
    uint32_t friend_count = reader->state->friend_count, found = 0;
    const uint8_t *bits = take(reader, ((size_t)friend_count + 7) / 8);
    for (uint32_t i = 0; bits != NULL && i < friend_count; i++) {
        if ((bits[i / 8] >> i % 8 & 1) != 0) {
            if (found == count) {
                found++;
                break;
            }
            members[found++] = i;
        }
    }
    check(reader, found == count, "a set has another number of members than it says");
}

static void
read_set(struct reader *reader, struct bitmap **slot)
{
    const uint8_t *at = take(reader, 1 + IMAGE_COUNT_BYTES);
    if (at == NULL) {
        return;
    }
    uint32_t form = get_u8(&at), count = get_u32(&at);
    check(reader, form <= IMAGE_SET_BITS && count <= reader->state->friend_count && *slot == NULL,
          "a set's row makes no sense");
    if (reader->rc != RC_OK) {
        return;
    }
    uint32_t *members = rows_of(count, sizeof(*members));
    if (form == IMAGE_SET_BITS) {
        read_bits(reader, members, count);
    } else {
        read_list(reader, members, count);
    }
    if (reader->rc == RC_OK) {
        set_add_all(slot, members, count);
    }
    free(members);
}

static uint32_t
read_id(struct reader *reader)
{
    const uint8_t *at = take(reader, sizeof(uint32_t));
    uint32_t id = at == NULL ? 0 : get_u32(&at);
    check(reader, id < IDS_MAX, "a set has an id that no definitions give");
    return reader->rc == RC_OK ? id : 0;
}

static void
read_sets(struct reader *reader, struct bitmap ***sets, uint32_t *capacity)
{
    uint32_t count = read_count(reader, 2 * IMAGE_COUNT_BYTES);
    for (uint32_t i = 0; i < count && reader->rc == RC_OK; i++) {
        uint32_t id = read_id(reader);
        if (reader->rc == RC_OK) {
            read_set(reader, tables_set_slot(sets, capacity, id));
        }
    }
}

static void
read_once(struct reader *reader)
{
    struct state *state = reader->state;
    uint32_t count = read_count(reader, IMAGE_ONCE_BYTES);
    const uint8_t *at = take(reader, (size_t)count * IMAGE_ONCE_BYTES);
    state->once = rows_of(count, sizeof(*state->once));
    state->once_capacity = count + 1;
    for (; at != NULL && state->once_count < count; state->once_count++) {
        struct once_row *row = &state->once[state->once_count];
        row->next = get_u32(&at);
        row->key = get_u64(&at);
    }
}

static void
read_taps(struct reader *reader)
{
    struct state *state = reader->state;
    uint32_t count = read_count(reader, IMAGE_TAP_BYTES);
    const uint8_t *at = take(reader, (size_t)count * IMAGE_TAP_BYTES);
    state->taps = rows_of(count, sizeof(*state->taps));
    state->tap_capacity = count + 1;
    for (; at != NULL && state->tap_count < count; state->tap_count++) {
        struct tap_row *row = &state->taps[state->tap_count];
        row->next = get_u32(&at);
        row->button = get_u32(&at);
        row->choice_hash = get_u64(&at);
        row->at_ms = get_i64(&at);
    }
}

/* One set a scenario, of those counted. */
static void
read_scenario_sets(struct reader *reader, struct bitmap **sets, uint32_t count)
{
    uint32_t set_count = read_count(reader, 2 * IMAGE_COUNT_BYTES);
    for (uint32_t i = 0; i < set_count && reader->rc == RC_OK; i++) {
        uint32_t scenario = read_id(reader);
        check(reader, scenario < count, "a set is of a scenario that it does not count");
        if (reader->rc == RC_OK) {
            read_set(reader, &sets[scenario]);
        }
    }
}

static void
read_scenarios(struct reader *reader)
{
    struct state *state = reader->state;
    uint32_t count = read_count(reader, IMAGE_SCENARIO_BYTES);
    const uint8_t *at = take(reader, (size_t)count * IMAGE_SCENARIO_BYTES);
    check(reader, count <= IDS_MAX, "it counts more scenarios than any definitions have");
    if (reader->rc == RC_OK && count > 0) {
        tables_scenario_counts(state, count - 1);
    }
    for (uint32_t i = 0; reader->rc == RC_OK && i < count; i++) {
        struct scenario_counts *counts = &state->scenario_counts[i];
        counts->running = get_u32(&at);
        counts->entered = get_u32(&at);
        counts->paused_ms = get_i64(&at);
        counts->delivered = get_u32(&at);
        counts->open = get_u32(&at);
        counts->cap = get_u32(&at);
        uint32_t flags = get_u8(&at);
        counts->auto_stopped = (flags & 1) != 0;
        counts->cap_set = (flags & 2) != 0;
    }
    read_scenario_sets(reader, state->entered, count);
    read_scenario_sets(reader, state->finished, count);
}

static void
read_broadcasts(struct reader *reader)
{
    uint32_t count = read_count(reader, IMAGE_BROADCAST_BYTES);
    for (uint32_t i = 0; i < count && reader->rc == RC_OK; i++) {
        const uint8_t *at = take(reader, IMAGE_BROADCAST_BYTES);
        if (at == NULL) {
            return;
        }
        struct broadcast_row *row = tables_broadcast(reader->state, i);
        row->phase = (enum broadcast_phase)get_u8(&at);
        uint32_t flags = get_u8(&at);
        row->fit_set = (flags & 1) != 0;
        row->partial = (flags & 2) != 0;
        row->cursor = get_u32(&at);
        row->audience_count = get_u32(&at);
        row->due_ms = get_i64(&at);
        row->stale_ms = get_i64(&at);
        check(reader,
              row->phase <= BROADCAST_DONE &&
                  (row->phase == BROADCAST_WAITING ||
                   i < reader->state->definitions->broadcast_names.count),
              "a broadcast's row makes no sense");
        if ((flags & 4) != 0 && reader->rc == RC_OK) {
            read_set(reader, &row->audience);
        }
    }
}

/* state_fini() finds open deliveries through lists, which may not hold together here. */
static void
throw_away(struct state *state)
{
    for (uint32_t i = 0; i < state->delivery_count; i++) {
        struct delivery *row = &state->deliveries[i];
        free(row->token);
        for (uint32_t v = 0; v < row->value_count; v++) {
            free(row->values[v]);
        }
        free(row->values);
        for (uint32_t v = 0; v < row->act_count; v++) {
            free(row->act[v]);
        }
        free(row->act);
        definitions_release(row->definitions);
    }
    for (uint32_t i = 0; i < state->friend_count; i++) {
        state->friends[i].first_delivery = NO_ID;
    }
    state_fini(state);
}

enum rc
image_read(const struct image_source *source, struct state *out_state, const char **out_why)
{
    struct reader reader = {.source = source, .rest = source->bytes, .state = out_state};
    state_init(out_state);
    read_head(&reader);
    read_definitions(&reader);
    read_runs(&reader);
    read_friends(&reader);
    read_values(&reader);
    read_enrolments(&reader);
    read_decided(&reader);
    read_sent(&reader);
    read_deliveries(&reader);
    read_sets(&reader, &out_state->tags, &out_state->tag_capacity);
    read_scenarios(&reader);
    read_sets(&reader, &out_state->tapped, &out_state->tapped_capacity);
    read_sets(&reader, &out_state->received, &out_state->received_capacity);
    read_once(&reader);
    read_taps(&reader);
    read_broadcasts(&reader);
    if (reader.rc == RC_OK) {
        const char *why = image_read_acts(&reader.rest, out_state);
        check(&reader, why == NULL, why);
    }
    if (reader.rc == RC_OK) {
        const char *why = deed_read(&reader.rest, out_state);
        check(&reader, why == NULL, why);
    }
    check(&reader, in_table(out_state->forgetting.friend, out_state->friend_count),
          "it forgets nobody it knows");
    check(&reader, reader.rest.len == 0, "bytes follow its end");
    if (reader.rc == RC_OK) {
        check(&reader, image_lists_hold(out_state), "a list of rows does not hold together");
    }
    if (reader.rc == RC_OK && source->digest != NULL) {
        check(&reader, state_digest(out_state) == *source->digest,
              "its digest is not that of its state");
    }
    for (uint32_t i = 0; i < reader.set_count; i++) {
        definitions_release(reader.sets[i]);
    }
    free(reader.sets);
    if (reader.rc != RC_OK) {
        throw_away(out_state);
        *out_why = reader.why;
        return reader.rc;
    }
    tables_index_friends(out_state);
    unique_rebuild(out_state);
    tables_index_reach_of_all(out_state);
    return RC_OK;
}
