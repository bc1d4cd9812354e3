/* The image, section by section; each function serves both ways (engine/stream.h). */
#include "engine/image.h"

#include "engine/base/buf.h"
#include "engine/deed.h"
#include "engine/image_check.h"
#include "engine/tables.h"
#include "engine/unique.h"
#include <assert.h>
#include <stdlib.h>

enum { IDS_MAX = 1 << 20 }; /* of tags and scenarios: more than any set of definitions has */

static const uint32_t ORDER_MARK = 0x01020304; /* as the machine that wrote it has it */

/* Rows go as they lie in memory: a member more or less in one of these is another state version. */
#if defined(__x86_64__) || defined(__aarch64__)
_Static_assert(sizeof(struct friend_row) == 48, "raise the version");
_Static_assert(sizeof(struct friend_more) == 80, "raise the version");
_Static_assert(sizeof(struct enrolment) == 56, "raise the version");
_Static_assert(sizeof(struct enrolment_more) == 72, "raise the version");
_Static_assert(sizeof(struct decided_row) == 16, "raise the version");
_Static_assert(sizeof(struct tap_row) == 24, "raise the version");
_Static_assert(sizeof(struct once_row) == 16, "raise the version");
_Static_assert(sizeof(struct sent_row) == 8, "raise the version");
_Static_assert(sizeof(struct answer_row) == 40, "raise the version");
_Static_assert(sizeof(struct form_tally) == 24, "raise the version");
_Static_assert(sizeof(struct booking) == 48, "raise the version");
_Static_assert(sizeof(struct deed_row) == 12, "raise the version");
_Static_assert(sizeof(struct choice_count) == 16, "raise the version");
_Static_assert(sizeof(struct measure_row) == 32, "raise the version");
/* These go member by member. */
_Static_assert(sizeof(struct delivery) == 248, "describe the new member, raise the version");
_Static_assert(sizeof(struct broadcast_row) == 48, "describe the new member, raise the version");
_Static_assert(sizeof(struct scenario_counts) == 40, "describe the new member, raise the version");
_Static_assert(sizeof(struct state) == 1312, "describe the new member, raise the version");
#endif

struct image {
    struct stream stream;
    struct state *state; /* read from, not written to, on the way out */
    const struct image_source *source;
    struct definitions **sets; /* those that something refers to; the first is in force */
    uint32_t set_count, set_room;
};

static uint32_t
set_index(struct image *image, struct definitions *definitions)
{
    for (uint32_t i = 0; i < image->set_count; i++) {
        if (image->sets[i] == definitions) {
            return i;
        }
    }
    image->sets = tables_grow(image->sets, &image->set_room, image->set_count + 1,
                              sizeof(struct definitions *));
    image->sets[image->set_count] = definitions;
    return image->set_count++;
}

static bool
in_table(uint32_t index, uint32_t count)
{
    return index == NO_ID || index < count;
}

static void
head(struct image *image)
{
    struct stream *stream = &image->stream;
    struct state *state = image->state;
    uint32_t mark = ORDER_MARK, version = STATE_VERSION;
    stream_u32(stream, &mark);
    stream_u32(stream, &version);
    if (stream->rc == RC_OK && (mark != ORDER_MARK || version != STATE_VERSION)) {
        stream_fail(stream, RC_NEWER,
                    mark == ORDER_MARK ? "it holds a state of another version of stepd"
                                       : "it was written on a machine of another kind");
    }
    stream_u64(stream, &state->seq);
    stream_i64(stream, &state->at_ms);
    stream_i64(stream, &state->latest_ms);
    stream_u64(stream, &state->definitions_seq);
    stream_u64(stream, &state->unreadable_seq);
    stream_u64(stream, &state->claim.seq);
    stream_u64(stream, &state->claim.inode);
    stream_u64(stream, &state->claim.birth_ns);
    stream_u64(stream, &state->claim.former_seq);
    stream_i64(stream, &state->claim.former_ms);
    stream_u64(stream, &state->claim.released_seq);
    stream_i64(stream, &state->claim.released_ms);
    stream_u32(stream, &state->forgetting.friend);
    stream_u64(stream, &state->forgetting.next);
    stream_u64(stream, &state->forgetting.next_body);
    stream_u32(stream, &state->dates_from);
    stream_u32(stream, &state->menus_from);
    stream_i64(stream, &state->menus_day);
    stream_u32(stream, &state->quota.month);
    stream_u32(stream, &state->quota.used);
    stream_i64(stream, &state->quota.until_ms);
    stream_u32(stream, &state->quota.limit);
    stream_bool(stream, &state->quota.limit_set);
    stream_u32(stream, &state->quota.line_limit);
    stream_u32(stream, &state->quota.elsewhere);
    stream_bool(stream, &state->quota.spent);
    stream_u32(stream, &state->quota.replies);
    stream_check(stream,
                 state->claim.former_seq <= state->seq && state->unreadable_seq <= state->seq &&
                     state->forgetting.next <= state->seq &&
                     state->forgetting.next_body <= state->seq,
                 "it names events after its newest");
    stream_string(stream, &state->claim.machine);
    stream_string(stream, &state->claim.path);
}

/* One set in canonical form. */
static void
definitions_out(struct image *image, const struct definitions *definitions)
{
    struct span canonical = definitions->canonical;
    assert(canonical.len <= UINT32_MAX);
    (void)stream_count(&image->stream, (uint32_t)canonical.len, 1);
    image->stream.sink->put(image->stream.sink->context, canonical.data, canonical.len);
}

static void
definitions_in(struct image *image)
{
    struct stream *stream = &image->stream;
    uint32_t len = stream_count(stream, 0, 1);
    struct definitions *set = NULL;
    if (stream->rc == RC_OK && len == 0) {
        set = definitions_new(); /* before the first were applied */
    } else if (stream->rc == RC_OK) {
        struct buf canonical = {0};
        uint8_t *bytes = buf_reserve(&canonical, len);
        assert(bytes != NULL);
        stream_bytes(stream, bytes, len);
        enum rc rc = stream->rc;
        if (rc == RC_OK) {
            rc = image->source->definitions(image->source->context, buf_span(&canonical), &set);
        }
        if (rc != RC_OK) {
            stream_fail(stream, rc, "its definitions cannot be read");
        }
        buf_fini(&canonical);
    }
    if (set != NULL) {
        (void)set_index(image, set);
    }
}

static void
definitions(struct image *image)
{
    struct stream *stream = &image->stream;
    struct state *state = image->state;
    uint32_t before = NO_ID;
    if (!stream_reads(stream)) {
        (void)set_index(image, state->definitions);
        if (state->definitions_before != NULL) {
            before = set_index(image, state->definitions_before);
        }
        for (uint32_t i = 0; i < state->deliveries.count; i++) {
            if (state_delivery(state, i)->definitions != NULL) {
                (void)set_index(image, state_delivery(state, i)->definitions);
            }
        }
    }
    uint32_t count = stream_count(stream, image->set_count, sizeof(uint32_t));
    stream_check(stream, count > 0, "it has no definitions");
    stream_u32(stream, &before);
    for (uint32_t i = 0; i < count && stream->rc == RC_OK; i++) {
        if (stream_reads(stream)) {
            definitions_in(image);
        } else {
            definitions_out(image, image->sets[i]);
        }
    }
    stream_check(stream, in_table(before, count),
                 "it moves enrolments from definitions it does not have");
    if (stream_reads(stream) && stream->rc == RC_OK) {
        definitions_release(state->definitions);
        state->definitions = definitions_retain(image->sets[0]);
        state->definitions_before =
            before == NO_ID ? NULL : definitions_retain(image->sets[before]);
    }
}

static void
runs(struct image *image)
{
    struct state *state = image->state;
    uint32_t count = stream_count(&image->stream, state->run_count, sizeof(*state->run_ids));
    for (uint32_t i = 0; i < count; i++) {
        if (stream_reads(&image->stream)) {
            tables_add_run(state, (const uint8_t[16]){0});
        }
        stream_bytes(&image->stream, state->run_ids[i], sizeof(*state->run_ids));
    }
}

/* Whether a row waits in a queue is of the running engine alone. */

static void
clean_enrolment(void *row)
{
    ((struct enrolment *)row)->queued = false;
}

static void
words(struct stream *stream, char ***words, uint32_t *word_count)
{
    uint32_t count = stream_count(stream, *word_count, sizeof(uint32_t));
    if (stream_reads(stream) && count > 0) {
        *words = calloc(count, sizeof(char *));
        assert(*words != NULL);
        *word_count = count;
    }
    for (uint32_t i = 0; i < count; i++) {
        stream_string(stream, &(*words)[i]);
    }
}

static void
delivery_items(struct image *image, struct delivery *row)
{
    struct stream *stream = &image->stream;
    const struct state *state = image->state;
    const struct definitions *set =
        row->definitions == NULL ? state->definitions : row->definitions;
    stream_u32(stream, &row->item_count);
    stream_check(stream, row->item_count <= DELIVERY_ITEMS_MAX, "a delivery's row makes no sense");
    for (uint32_t i = 0; stream->rc == RC_OK && i < row->item_count; i++) {
        struct delivery_item *item = &row->items[i];
        uint32_t kind = item->source.kind;
        stream_u32(stream, &item->template);
        stream_u32(stream, &item->enrolment);
        stream_u32(stream, &kind);
        stream_u32(stream, &item->source.id);
        stream_u32(stream, &item->source.sub);
        item->source.kind = (enum source_kind)kind;
        stream_check(
            stream,
            item->template <set->template_names.count &&in_table(item->enrolment,
                                                                 state->enrolments.count) &&
                                (item->source.kind != SOURCE_BROADCAST ||
                                 item->source.id < state->definitions->broadcast_names.count),
                            "a delivery has a message that its definitions do not have");
    }
}

static void
delivery_set(struct image *image, struct delivery *row)
{
    struct stream *stream = &image->stream;
    uint32_t set = row->definitions == NULL ? NO_ID : set_index(image, row->definitions);
    stream_u32(stream, &set);
    stream_check(stream,
                 in_table(set, image->set_count) &&
                     (row->phase != DELIVERY_INTENDED || set != NO_ID),
                 "a delivery's row makes no sense");
    if (stream_reads(stream) && stream->rc == RC_OK && set != NO_ID) {
        row->definitions = definitions_retain(image->sets[set]);
    }
}

static void
delivery(struct image *image, struct delivery *row)
{
    struct stream *stream = &image->stream;
    uint32_t small[] = {row->phase, row->message_class, row->how, row->deferred};
    stream_u32(stream, &row->next);
    stream_bytes(stream, small, sizeof(small));
    row->phase = (enum delivery_phase)small[0];
    row->message_class = (enum message_class)small[1];
    row->how = (enum delivery_how)small[2];
    row->deferred = (enum reason)small[3];
    if (row->phase == DELIVERY_FREE) {
        return;
    }
    stream_u32(stream, &row->friend);
    stream_u32(stream, &row->claim);
    stream_u32(stream, &row->month);
    stream_u32(stream, &row->crowd);
    stream_bool(stream, &row->alone);
    stream_u64(stream, &row->seq);
    stream_u64(stream, &row->intent_seq);
    stream_i64(stream, &row->due_ms);
    stream_i64(stream, &row->wake_ms);
    stream_i64(stream, &row->intended_ms);
    stream_i64(stream, &row->token_at_ms);
    stream_u64(stream, &row->body_hash);
    stream_check(stream,
                 row->phase <= DELIVERY_INTENDED && (uint32_t)row->message_class < CLASS_COUNT &&
                     row->how <= HOW_PUSH &&
                     (row->phase != DELIVERY_INTENDED || row->claim < image->state->run_count),
                 "a delivery's row makes no sense");
    delivery_set(image, row);
    stream_string(stream, &row->token);
    words(stream, &row->values, &row->value_count);
    words(stream, &row->act, &row->act_count);
    delivery_items(image, row);
}

static void
deliveries(struct image *image)
{
    struct table *table = &image->state->deliveries;
    uint32_t count = stream_count(&image->stream, table->count, 5 * sizeof(uint32_t));
    if (stream_reads(&image->stream)) {
        (void)table_add_block(table, count);
    }
    stream_u32(&image->stream, &table->free);
    for (uint32_t i = 0; i < count && image->stream.rc == RC_OK; i++) {
        delivery(image, tables_delivery(image->state, i));
    }
}

static void
tables(struct image *image)
{
    struct stream *stream = &image->stream;
    struct state *state = image->state;
    table_stream(&state->friends, stream, NULL);
    table_stream(&state->friends_more, stream, NULL);
    tables_stream_ids(state, stream);
    columns_stream(&state->columns, stream, state->friends.count);
    table_stream(&state->enrolments, stream, clean_enrolment);
    table_stream(&state->enrolments_more, stream, NULL);
    table_stream(&state->decided, stream, NULL);
    table_stream(&state->taps, stream, NULL);
    table_stream(&state->once, stream, NULL);
    table_stream(&state->sent, stream, NULL);
    table_stream(&state->answers, stream, NULL);
    table_stream(&state->tallies, stream, NULL);
    table_stream(&state->bookings, stream, NULL);
    table_stream(&state->deeds, stream, NULL);
    deliveries(image);
}

/* Only the sets with members, each with its id, which is below the limit. */
static void
sets(struct image *image, struct bitmap ***sets, uint32_t *capacity, uint32_t limit)
{
    struct stream *stream = &image->stream;
    uint32_t count = 0, id = 0;
    for (uint32_t i = 0; i < *capacity; i++) {
        count += (*sets)[i] != NULL && set_count((*sets)[i]) > 0;
    }
    count = stream_count(stream, count, 2 * sizeof(uint32_t));
    for (uint32_t i = 0; i < count && stream->rc == RC_OK; i++, id++) {
        while (!stream_reads(stream) && ((*sets)[id] == NULL || set_count((*sets)[id]) == 0)) {
            id++;
        }
        stream_u32(stream, &id);
        stream_check(stream, id < limit, "a set has an id that no definitions give");
        if (stream->rc == RC_OK) {
            set_stream(tables_set_slot(sets, capacity, id), stream, image->state->friends.count);
        }
    }
}

static void
scenario(struct stream *stream, struct scenario_counts *counts)
{
    stream_u32(stream, &counts->running);
    stream_u32(stream, &counts->entered);
    stream_i64(stream, &counts->paused_ms);
    stream_u32(stream, &counts->delivered);
    stream_u32(stream, &counts->open);
    stream_u32(stream, &counts->cap);
    stream_bool(stream, &counts->asking);
    stream_bool(stream, &counts->was_asked);
    stream_u32(stream, &counts->asked);
    stream_bool(stream, &counts->auto_stopped);
    stream_bool(stream, &counts->cap_set);
}

static void
scenarios(struct image *image)
{
    struct state *state = image->state;
    uint32_t count = stream_count(&image->stream, state->scenario_capacity, 36);
    stream_check(&image->stream, count <= IDS_MAX,
                 "it counts more scenarios than any definitions have");
    for (uint32_t i = 0; i < count && image->stream.rc == RC_OK; i++) {
        scenario(&image->stream, tables_scenario_counts(state, i));
    }
    sets(image, &state->entered, &state->scenario_capacity, state->scenario_capacity);
    sets(image, &state->finished, &state->scenario_capacity, state->scenario_capacity);
}

static void
broadcast(struct image *image, uint32_t id)
{
    struct stream *stream = &image->stream;
    struct broadcast_row *row = tables_broadcast(image->state, id);
    uint32_t phase = row->phase;
    bool has_audience = row->audience != NULL;
    stream_u32(stream, &phase);
    stream_u32(stream, &row->cursor);
    stream_u32(stream, &row->audience_count);
    stream_i64(stream, &row->due_ms);
    stream_i64(stream, &row->stale_ms);
    stream_bool(stream, &row->fit_set);
    stream_bool(stream, &row->partial);
    stream_bool(stream, &has_audience);
    row->phase = (enum broadcast_phase)phase;
    stream_check(stream,
                 phase <= BROADCAST_DONE && (phase == BROADCAST_WAITING ||
                                             id < image->state->definitions->broadcast_names.count),
                 "a broadcast's row makes no sense");
    if (has_audience && stream->rc == RC_OK) {
        set_stream(&row->audience, stream, image->state->friends.count);
    }
}

static void
broadcasts(struct image *image)
{
    uint32_t count = stream_count(&image->stream, image->state->broadcast_capacity, 31);
    for (uint32_t i = 0; i < count && image->stream.rc == RC_OK; i++) {
        broadcast(image, i);
    }
}

static void
choices(struct image *image)
{
    struct state *state = image->state;
    uint32_t count = stream_count(&image->stream, state->choice_count, sizeof(*state->choices));
    if (stream_reads(&image->stream) && count > 0) {
        state->choices = tables_grow(NULL, &state->choice_capacity, count, sizeof(*state->choices));
        state->choice_count = count;
    }
    if (count > 0) {
        stream_bytes(&image->stream, state->choices, count * sizeof(*state->choices));
    }
}

static void
conversions(struct image *image)
{
    struct state *state = image->state;
    struct stream *stream = &image->stream;
    uint32_t count = stream_count(stream, state->conversion_capacity, sizeof(uint32_t));
    stream_check(stream, count <= IDS_MAX, "it counts more conversions than any definitions have");
    for (uint32_t i = 0; i < count && stream->rc == RC_OK; i++) {
        stream_u32(stream, &tables_conversion_count(state, i)->total);
    }
    sets(image, &state->converted, &state->conversion_capacity, state->conversion_capacity);
}

static void
languages(struct image *image)
{
    struct state *state = image->state;
    uint32_t count = stream_count(&image->stream, state->language_count, sizeof(uint32_t));
    stream_check(&image->stream, count <= LANGUAGES_MAX, "it knows more languages than there are");
    if (stream_reads(&image->stream) && image->stream.rc == RC_OK && count > 0) {
        state->languages =
            tables_grow(NULL, &state->language_capacity, count, sizeof(*state->languages));
        state->language_count = count;
    }
    for (uint32_t i = 0; i < count && image->stream.rc == RC_OK; i++) {
        stream_string(&image->stream, &state->languages[i]);
    }
}

/* Who was sent a template within an hour, ascending. */
static void
received_hours(struct image *image)
{
    struct state *state = image->state;
    struct stream *stream = &image->stream;
    uint32_t count = 0, template = 0, at = 0;
    for (uint32_t i = 0; i < state->received_hours_capacity; i++) {
        count += state->received_hours[i].count;
    }
    count = stream_count(stream, count, 4 * sizeof(uint32_t));
    uint64_t before = 0;
    for (uint32_t i = 0; i < count && stream->rc == RC_OK; i++, at++) {
        while (!stream_reads(stream) && at == state->received_hours[template].count) {
            template ++;
            at = 0;
        }
        uint32_t hour = stream_reads(stream) ? 0 : state->received_hours[template].items[at].hour;
        stream_u32(stream, &template);
        stream_u32(stream, &hour);
        uint64_t place = (uint64_t) template << 32 | hour;
        stream_check(stream, template <IDS_MAX && (i == 0 || place > before),
                                       "the sets of what was sent are in no order");
        before = place;
        if (stream->rc == RC_OK) {
            set_stream(deed_hour_slot(state, template, hour), stream, state->friends.count);
        }
    }
}

static void
sections(struct image *image)
{
    struct state *state = image->state;
    head(image);
    definitions(image);
    runs(image);
    texts_stream(&state->texts, &image->stream);
    tables(image);
    sets(image, &state->tags, &state->tag_capacity, IDS_MAX);
    scenarios(image);
    sets(image, &state->tapped, &state->tapped_capacity, IDS_MAX);
    sets(image, &state->received, &state->received_capacity, IDS_MAX);
    broadcasts(image);
    choices(image);
    conversions(image);
    languages(image);
    received_hours(image);
    measure_stream(state, &image->stream);
    unknown_stream(state, &image->stream);
}

void
image_write(const struct state *state, const struct stream_sink *sink)
{
    /* One description for both ways: on the way out nothing of the state is written to. */
    struct image image = {.state = (struct state *)(uintptr_t)state};
    stream_out(&image.stream, sink);
    sections(&image);
    free(image.sets);
}

enum rc
image_read(const struct image_source *source, struct state *out_state, const char **out_why)
{
    struct image image = {.state = out_state, .source = source};
    struct stream *stream = &image.stream;
    state_init(out_state);
    stream_in(stream, &source->bytes);
    sections(&image);
    stream_check(stream, in_table(out_state->forgetting.friend, out_state->friends.count),
                 "it forgets nobody it knows");
    stream_check(stream, stream->rest == 0, "bytes follow its end");
    const char *doubt = "";
    enum rc rc = stream->rc == RC_OK && source->confirm != NULL
                     ? source->confirm(source->context, &doubt)
                     : RC_OK;
    if (rc != RC_OK) {
        stream_fail(stream, rc, doubt);
    }
    if (stream->rc == RC_OK) {
        const char *why = image_check(out_state);
        stream_check(stream, why == NULL, why);
    }
    if (stream->rc == RC_OK && source->digest != NULL) {
        stream_check(stream, state_digest(out_state) == *source->digest,
                     "its digest is not that of its state");
    }
    for (uint32_t i = 0; i < image.set_count; i++) {
        definitions_release(image.sets[i]);
    }
    free(image.sets);
    if (stream->rc != RC_OK) {
        state_fini(out_state);
        *out_why = stream->why;
        return stream->rc;
    }
    tables_index_reach_of_all(out_state);
    unique_rebuild(out_state);
    return RC_OK;
}
