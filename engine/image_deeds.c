/* The part of an image that holds what friends did and when: languages, rows, sets by hour. */
#include "engine/deed.h"

#include "engine/image_bytes.h"
#include "engine/tables.h"
#include <assert.h>
#include <stdlib.h>

enum deed_sizes {
    HEAD_BYTES = 12,   /* how far rich menus are decided, and on which day */
    FRIEND_BYTES = 26, /* newest deed, language, flags, recent score and its second, menus */
    DEED_BYTES = 13,
    HOUR_BYTES = 12, /* template, hour, members */
    GAP_BYTES_MAX = 5,
    TEMPLATES_MAX = 1 << 20,
};

#if defined(__x86_64__) || defined(__aarch64__)
_Static_assert(sizeof(struct deed_row) == 12, "write and read the new member");
#endif

static uint8_t *
room(struct buf *out, size_t bytes)
{
    uint8_t *at = buf_reserve(out, bytes);
    assert(at != NULL); /* docs/adr/0001 */
    return at;
}

/* Members in ascending order, each as the gap to the one before, seven bits a byte. */
static void
write_members(const struct bitmap *set, uint32_t count, struct buf *out)
{
    uint32_t *members = calloc((size_t)count + 1, sizeof(*members));
    assert(members != NULL);
    set_members(set, members);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t gap = i == 0 ? members[0] : members[i] - members[i - 1];
        for (; gap >= 0x80; gap >>= 7) {
            buf_append_byte(out, (uint8_t)(gap | 0x80));
        }
        buf_append_byte(out, (uint8_t)gap);
    }
    free(members);
}

static void
write_hours(const struct state *state, struct buf *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < state->received_hours_capacity; i++) {
        count += state->received_hours[i].count;
    }
    put_u32(room(out, IMAGE_COUNT_BYTES), count);
    for (uint32_t i = 0; i < state->received_hours_capacity; i++) {
        for (uint32_t j = 0; j < state->received_hours[i].count; j++) {
            const struct received_hour *hour = &state->received_hours[i].items[j];
            uint32_t members = set_count(hour->friends);
            put_u32(put_u32(put_u32(room(out, HOUR_BYTES), i), hour->hour), members);
            write_members(hour->friends, members, out);
        }
    }
}

void
deed_write(const struct state *state, struct buf *out)
{
    put_i64(put_u32(room(out, HEAD_BYTES), state->menus_from), state->menus_day);
    put_u32(room(out, IMAGE_COUNT_BYTES), state->language_count);
    for (uint32_t i = 0; i < state->language_count; i++) {
        uint32_t len = (uint32_t)strlen(state->languages[i]);
        put_u32(room(out, IMAGE_COUNT_BYTES), len);
        buf_append(out, state->languages[i], len);
    }
    for (uint32_t i = 0; i < state->friend_count; i++) {
        const struct friend_row *row = &state->friends[i];
        uint8_t *at = put_u32(room(out, FRIEND_BYTES), row->first_deed);
        at = put_u8(at, row->language);
        at = put_u8(at, (uint32_t)row->has_picture | (uint32_t)row->hidden << 1 |
                            (uint32_t)row->operator_blocked << 2);
        at = put_u32(put_i64(at, row->recent), row->recent_at_s);
        put_u32(put_u32(at, row->menu), row->menu_override);
    }
    put_u32(room(out, IMAGE_COUNT_BYTES), state->deed_count);
    for (uint32_t i = 0; i < state->deed_count; i++) {
        const struct deed_row *row = &state->deeds[i];
        uint8_t *at = put_u32(room(out, DEED_BYTES), row->next);
        at = put_u8(at, row->kind);
        put_u32(put_u32(at, row->id), row->at_s);
    }
    write_hours(state, out);
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

/* How many things follow, each of at least min_bytes. */
static uint32_t
take_count(struct reader *reader, size_t min_bytes)
{
    const uint8_t *at = take(reader, IMAGE_COUNT_BYTES);
    uint32_t count = at == NULL ? 0 : get_u32(&at);
    check(reader, count <= reader->rest.len / min_bytes, "it ends before it is complete");
    return reader->why == NULL ? count : 0;
}

static void
read_friends(struct reader *reader)
{
    struct state *state = reader->state;
    const uint8_t *head = take(reader, HEAD_BYTES);
    state->menus_from = head == NULL ? 0 : get_u32(&head);
    state->menus_day = head == NULL ? 0 : get_i64(&head);
    uint32_t languages = take_count(reader, IMAGE_COUNT_BYTES);
    check(reader, languages <= LANGUAGES_MAX, "it knows more languages than a friend can have");
    for (uint32_t i = 0; i < languages && reader->why == NULL; i++) {
        uint32_t len = take_count(reader, 1);
        const uint8_t *text = take(reader, len);
        check(reader, len > 0, "a language has no name");
        if (reader->why == NULL) {
            tables_language(state, span_of(text, len));
        }
    }
    const uint8_t *at;
    for (uint32_t i = 0; i < state->friend_count && (at = take(reader, FRIEND_BYTES)) != NULL;
         i++) {
        struct friend_row *row = &state->friends[i];
        row->first_deed = get_u32(&at);
        row->language = (uint8_t)get_u8(&at);
        uint32_t flags = get_u8(&at);
        row->has_picture = (flags & 1) != 0;
        row->hidden = (flags & 2) != 0;
        row->operator_blocked = (flags & 4) != 0;
        row->recent = get_i64(&at);
        row->recent_at_s = get_u32(&at);
        row->menu = get_u32(&at);
        row->menu_override = get_u32(&at);
        check(reader, row->language <= state->language_count && flags < 8,
              "a friend's profile makes no sense");
    }
}

static void
read_deeds(struct reader *reader)
{
    struct state *state = reader->state;
    uint32_t count = take_count(reader, DEED_BYTES);
    state->deeds = tables_grow(NULL, &state->deed_capacity, count, sizeof(*state->deeds));
    const uint8_t *at;
    for (uint32_t i = 0; i < count && (at = take(reader, DEED_BYTES)) != NULL; i++) {
        struct deed_row *row = &state->deeds[state->deed_count++];
        row->next = get_u32(&at);
        row->kind = (uint8_t)get_u8(&at);
        row->id = get_u32(&at) & DEED_ID_MAX;
        row->at_s = get_u32(&at);
    }
    /* Rows hang on one list each: a row's next is an older one, so that no list goes round. */
    uint8_t *seen = calloc((size_t)count + 1, 1);
    assert(seen != NULL);
    uint32_t found = 0;
    for (uint32_t f = 0; f < state->friend_count && reader->why == NULL; f++) {
        for (uint32_t i = state->friends[f].first_deed; i != NO_ID; i = state->deeds[i].next) {
            check(reader, i < count && seen[i] == 0, "a list of deeds does not hold together");
            if (reader->why != NULL) {
                break;
            }
            seen[i] = 1;
            found++;
        }
    }
    check(reader, found == count, "a deed is on no list");
    free(seen);
}

static void
read_members(struct reader *reader, uint32_t count, struct bitmap **slot)
{
    uint32_t *members = calloc((size_t)count + 1, sizeof(*members));
    assert(members != NULL);
    uint64_t member = 0;
    for (uint32_t i = 0; i < count && reader->why == NULL; i++) {
        uint64_t gap = 0;
        uint32_t used = 0;
        const uint8_t *at;
        do {
            at = take(reader, 1);
            gap |= at == NULL ? 0 : (uint64_t)(*at & 0x7f) << (7 * used);
        } while (at != NULL && *at >= 0x80 && ++used < GAP_BYTES_MAX);
        member += gap;
        check(reader, (i == 0 || gap > 0) && member < reader->state->friend_count,
              "a set holds nobody's number");
        members[i] = (uint32_t)member;
    }
    if (reader->why == NULL) {
        set_add_all(slot, members, count);
    }
    free(members);
}

static void
read_hours(struct reader *reader)
{
    uint32_t count = take_count(reader, HOUR_BYTES);
    const uint8_t *at;
    uint64_t before = 0;
    for (uint32_t i = 0; i < count && (at = take(reader, HOUR_BYTES)) != NULL; i++) {
        uint32_t template = get_u32(&at), hour = get_u32(&at), members = get_u32(&at);
        uint64_t place = (uint64_t) template << 32 | hour;
        check(reader, template <TEMPLATES_MAX && (i == 0 || place > before),
                                "the sets of what was sent are in no order");
        check(reader, members > 0 && members <= reader->rest.len, "it ends before it is complete");
        before = place;
        if (reader->why == NULL) {
            read_members(reader, members, deed_hour_slot(reader->state, template, hour));
        }
    }
}

const char *
deed_read(struct span *rest, struct state *state)
{
    struct reader reader = {.rest = *rest, .state = state};
    read_friends(&reader);
    read_deeds(&reader);
    read_hours(&reader);
    *rest = reader.rest;
    return reader.why;
}
