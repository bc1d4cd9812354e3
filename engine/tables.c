#include "engine/tables.h"

#include "engine/unique.h"

#include "engine/base/checksum.h"
#include <assert.h>
#include <stdlib.h>

enum { ROWS_MIN = 64 };

const struct friend_more FRIEND_PLAIN = {.next = NO_ID,
                                         .menu = NO_ID,
                                         .menu_override = NO_ID,
                                         .mark = NO_ID,
                                         .first_delivery = NO_ID,
                                         .first_once = NO_ID,
                                         .first_tap = NO_ID,
                                         .first_sent = NO_ID,
                                         .first_answer = NO_ID,
                                         .first_tally = NO_ID,
                                         .first_booking = NO_ID,
                                         .first_deed = NO_ID};

void
state_init(struct state *state)
{
    *state = (struct state){.definitions = definitions_new(),
                            .forgetting = {.friend = NO_ID},
                            .quota = {.line_limit = NO_LIMIT}};
    texts_init(&state->texts);
    columns_init(&state->columns);
    table_init(&state->friends, sizeof(struct friend_row));
    table_init(&state->friends_more, sizeof(struct friend_more));
    table_init(&state->taps, sizeof(struct tap_row));
    table_init(&state->once, sizeof(struct once_row));
    table_init(&state->sent, sizeof(struct sent_row));
    table_init(&state->enrolments, sizeof(struct enrolment));
    table_init(&state->enrolments_more, sizeof(struct enrolment_more));
    table_init(&state->decided, sizeof(struct decided_row));
    table_init(&state->deliveries, sizeof(struct delivery));
    table_init(&state->answers, sizeof(struct answer_row));
    table_init(&state->tallies, sizeof(struct form_tally));
    table_init(&state->bookings, sizeof(struct booking));
    table_init(&state->deeds, sizeof(struct deed_row));
}

static void
fini_tables(struct state *state)
{
    for (uint32_t i = 0; i < state->deliveries.count; i++) {
        delivery_row_fini(tables_delivery(state, i));
    }
    texts_fini(&state->texts);
    columns_fini(&state->columns);
    index_fini(&state->friend_ids);
    table_fini(&state->friends);
    table_fini(&state->friends_more);
    table_fini(&state->taps);
    table_fini(&state->once);
    table_fini(&state->sent);
    table_fini(&state->enrolments);
    table_fini(&state->enrolments_more);
    table_fini(&state->decided);
    table_fini(&state->deliveries);
    table_fini(&state->answers);
    table_fini(&state->tallies);
    table_fini(&state->bookings);
    table_fini(&state->deeds);
}

void
state_fini(struct state *state)
{
    fini_tables(state);
    tables_drop_sets(state);
    for (uint32_t i = 0; i < state->language_count; i++) {
        free(state->languages[i]);
    }
    free(state->languages);
    free(state->choices);
    free(state->conversion_counts);
    free(state->scenario_counts);
    free(state->broadcasts);
    free(state->run_ids);
    free(state->claim.machine);
    free(state->claim.path);
    definitions_release(state->definitions);
    definitions_release(state->definitions_before);
    *state = (struct state){0};
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
tables_set_string(char **slot, struct span text)
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
    tables_set_string(&state->languages[index], text);
    return (uint8_t)(index + 1);
}

const char *
state_text(const struct state *state, uint32_t text)
{
    return (const char *)texts_get(&state->texts, text).data;
}

/* LINE user ids: "U" and 32 hex digits are 16 bytes, anything else is a text. */

enum { ID_BYTES = 16, ID_DIGITS = 2 * ID_BYTES };

static int
digit_of(uint8_t character)
{
    return character >= '0' && character <= '9'   ? character - '0'
           : character >= 'a' && character <= 'f' ? character - 'a' + 10
                                                  : -1;
}

/* Nothing but what state_line_id() would write is packed. */
static bool
pack_id(struct span line_id, uint8_t out[ID_BYTES])
{
    if (line_id.len != 1 + ID_DIGITS || line_id.data[0] != 'U') {
        return false;
    }
    for (size_t i = 0; i < ID_BYTES; i++) {
        int high = digit_of(line_id.data[1 + 2 * i]), low = digit_of(line_id.data[2 + 2 * i]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static uint32_t
odd_id(const struct friend_row *row)
{
    uint32_t text;
    memcpy(&text, row->id, sizeof(text));
    return text;
}

const char *
state_line_id(const struct state *state, uint32_t friend, char room[LINE_ID_ROOM])
{
    static const char DIGITS[] = "0123456789abcdef";
    const struct friend_row *row = state_friend(state, friend);
    if (!row->has_id || row->odd_id) {
        return row->has_id ? state_text(state, odd_id(row)) : NULL;
    }
    room[0] = 'U';
    for (size_t i = 0; i < ID_BYTES; i++) {
        room[1 + 2 * i] = DIGITS[row->id[i] >> 4];
        room[2 + 2 * i] = DIGITS[row->id[i] & 15];
    }
    room[1 + ID_DIGITS] = '\0';
    return room;
}

/* The index's key is the row's id as it is kept. */
struct id_key {
    uint8_t id[ID_BYTES];
    bool odd;
};

static uint64_t
hash_of_id(const void *context, uint32_t friend)
{
    return checksum_of(state_friend(context, friend)->id, ID_BYTES);
}

static bool
id_equals(const void *context, uint32_t friend, const void *key)
{
    const struct friend_row *row = state_friend(context, friend);
    const struct id_key *wanted = key;
    return memcmp(row->id, wanted->id, ID_BYTES) == 0 && row->odd_id == wanted->odd;
}

static struct index_keys
id_keys(const struct state *state)
{
    return (struct index_keys){.hash = hash_of_id, .equals = id_equals, .context = state};
}

uint32_t
state_find_friend(const struct state *state, struct span line_id)
{
    struct id_key key = {.odd = false};
    if (!pack_id(line_id, key.id)) {
        uint32_t text = texts_find(&state->texts, line_id);
        if (text == TEXT_NONE) {
            return NO_ID;
        }
        key = (struct id_key){.odd = true};
        memcpy(key.id, &text, sizeof(text));
    }
    const struct index_keys keys = id_keys(state);
    return index_find(&state->friend_ids, &keys, checksum_of(key.id, ID_BYTES), &key);
}

void
tables_stream_ids(struct state *state, struct stream *stream)
{
    const struct index_keys keys = id_keys(state);
    index_stream(&state->friend_ids, stream, &keys, state->friends.count);
}

/* Friends. */

uint32_t
tables_add_friend(struct state *state, struct span line_id)
{
    uint32_t friend = table_add(&state->friends);
    struct friend_row *row = tables_friend(state, friend);
    row->first_enrolment = NO_ID;
    row->more = NO_ID;
    if (line_id.len > 0) {
        row->has_id = true;
        if (!pack_id(line_id, row->id)) {
            uint32_t text = texts_hold(&state->texts, line_id);
            memset(row->id, 0, ID_BYTES);
            memcpy(row->id, &text, sizeof(text));
            row->odd_id = true;
        }
        const struct index_keys keys = id_keys(state);
        index_put(&state->friend_ids, &keys, friend);
    }
    return friend;
}

struct friend_more *
tables_friend_more(struct state *state, uint32_t friend)
{
    struct friend_row *row = tables_friend(state, friend);
    if (row->more == NO_ID) {
        row->more = table_take(&state->friends_more);
        memcpy(table_at(&state->friends_more, row->more), &FRIEND_PLAIN, sizeof(FRIEND_PLAIN));
    }
    return table_at(&state->friends_more, row->more);
}

void
tables_settle_friend(struct state *state, uint32_t friend)
{
    struct friend_row *row = tables_friend(state, friend);
    if (row->more != NO_ID && memcmp(table_at(&state->friends_more, row->more), &FRIEND_PLAIN,
                                     sizeof(FRIEND_PLAIN)) == 0) {
        table_give(&state->friends_more, row->more);
        row->more = NO_ID;
    }
}

const char *
state_name(const struct state *state, uint32_t friend)
{
    return state_text(state, state_friend(state, friend)->name);
}

void
tables_set_name(struct state *state, uint32_t friend, struct span name)
{
    tables_friend(state, friend)->named = true;
    texts_replace(&state->texts, &tables_friend(state, friend)->name, name);
}

int64_t
state_follow_line_at(const struct state *state, uint32_t friend)
{
    const struct friend_row *row = state_friend(state, friend);
    return row->followed ? row->added_ms : state_friend_more(state, friend)->follow_line_at_ms;
}

/* Nearly everybody was added by the one follow there was: that needs no row of its own. */
void
tables_set_follow_line_at(struct state *state, uint32_t friend, int64_t at_ms)
{
    struct friend_row *row = tables_friend(state, friend);
    row->followed = at_ms == row->added_ms && at_ms != 0;
    if (!row->followed || row->more != NO_ID) {
        tables_friend_more(state, friend)->follow_line_at_ms = row->followed ? 0 : at_ms;
    }
}

static void
forget_id(struct state *state, uint32_t friend)
{
    struct friend_row *row = tables_friend(state, friend);
    if (!row->has_id) {
        return;
    }
    const struct index_keys keys = id_keys(state);
    index_remove(&state->friend_ids, &keys, friend);
    if (row->odd_id) {
        texts_drop(&state->texts, odd_id(row));
    }
    memset(row->id, 0, sizeof(row->id));
    row->has_id = false;
    row->odd_id = false;
}

void
tables_erase_info(struct state *state, uint32_t friend)
{
    for (uint32_t tag = 0; tag < state->tag_capacity; tag++) {
        if (state_has_tag(state, friend, tag)) {
            tables_set_tag(state, friend, tag, false);
        }
    }
    for (uint32_t field = 0; field < state->columns.count; field++) {
        tables_drop_value(state, friend, field);
    }
    tables_friend_more(state, friend)->score = 0;
    tables_friend_more(state, friend)->recent = 0;
    tables_friend_more(state, friend)->menu_override = NO_ID;
}

void
tables_forget_friend(struct state *state, uint32_t friend)
{
    struct friend_row *row = tables_friend(state, friend);
    row->forgotten = true;
    forget_id(state, friend);
    texts_replace(&state->texts, &row->name, (struct span){0});
    row->named = false;
    row->language = 0;
    row->has_picture = false;
    tables_index_reach(state, friend);
    for (uint32_t field = 0; field < state->columns.count; field++) {
        if (state_field_type(state, field) != FIELD_NUMBER) {
            tables_drop_value(state, friend, field);
        }
    }
    for (uint32_t i = state_friend_more(state, friend)->first_answer; i != NO_ID;
         i = state_answer_at(state, i)->next) {
        texts_replace(&state->texts, &tables_answer(state, i)->text, (struct span){0});
    }
}

/* Values of fields. */

struct field_value
state_value(const struct state *state, uint32_t friend, uint32_t field)
{
    struct field_value value = {.set = false};
    uint32_t text;
    if (columns_number(&state->columns, field, friend, &value.number)) {
        value.set = true;
    } else if (columns_text(&state->columns, field, friend, &text)) {
        value.set = true;
        value.text = state_text(state, text);
    }
    return value;
}

enum field_type
state_field_type(const struct state *state, uint32_t field)
{
    bool known = field < state->definitions->field_names.count;
    return known ? state->definitions->fields[field].type : FIELD_TEXT;
}

void
tables_put_number(struct state *state, uint32_t friend, uint32_t field, int64_t number)
{
    tables_drop_value(state, friend, field); /* it may have been a text */
    columns_put_number(&state->columns, field, friend, number);
}

void
tables_put_text(struct state *state, uint32_t friend, uint32_t field, struct span text)
{
    uint32_t held = texts_hold(&state->texts, text); /* before the old one goes: it may be in it */
    tables_drop_value(state, friend, field);
    columns_put_text(&state->columns, field, friend, held);
}

void
tables_drop_value(struct state *state, uint32_t friend, uint32_t field)
{
    uint32_t text;
    unique_remove(state, friend, field);
    if (columns_text(&state->columns, field, friend, &text)) {
        texts_drop(&state->texts, text);
    }
    columns_drop(&state->columns, field, friend);
}
