/* Events survive bytes; damaged bytes are refused; words are kept apart and may be gone. */
#include "engine/crowd.h"
#include "proto/event.h"
#include "proto/event_table.h"
#include "proto/msgpack_reader.h"

#include <check.h>
#include <msgpack.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t random_state;

static uint64_t
draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static struct arena *arena;
static struct buf bytes, row;
static const uint8_t salt[EVENT_SALT_BYTES] = "0123456789abcdef";

static void
setup(void)
{
    const char *wanted = getenv("SEED");
    uint64_t seed = wanted != NULL ? strtoull(wanted, NULL, 10) : (uint64_t)time(NULL);
    printf("SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    random_state = seed * 0x9e3779b97f4a7c15U + 1;
    arena = arena_new();
}

static void
teardown(void)
{
    arena_free(arena);
    buf_fini(&bytes);
    buf_fini(&row);
}

static struct span
draw_span(size_t len_max)
{
    size_t len = draw() % (len_max + 1);
    uint8_t *data = arena_alloc(arena, len + 1);
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)draw();
    }
    return span_of(data, len);
}

static uint32_t
draw_id(void)
{
    switch (draw() % 4) {
    case 0:
        return NO_ID;
    case 1:
        return 0;
    default:
        return (uint32_t)(draw() >> (32 + draw() % 32));
    }
}

static void
draw_items(struct event *event)
{
    event->u.delivery.item_count = (uint32_t)(draw() % (DELIVERY_ITEMS_MAX + 1));
    for (uint32_t i = 0; i < event->u.delivery.item_count; i++) {
        event->u.delivery.items[i] = (struct delivery_item){
            draw_id(), draw_id(), {(enum source_kind)(draw() % 7), draw_id(), draw_id()}};
    }
}

/* Any value the part can hold, its default often enough. */
static struct span
draw_crowd(uint64_t seq)
{
    struct crowd *crowd = arena_alloc(arena, sizeof(*crowd));
    uint64_t friend = draw() % 1000;
    crowd->count = 1 + (uint32_t)(draw() % CROWD_MAX);
    for (uint32_t i = 0; i < crowd->count; i++) {
        crowd->friends[i] = friend;
        crowd->previous[i] = draw() % seq;
        crowd->numbers[i] = draw() >> draw() % 64;
        crowd->extra[i] = draw() % 4 == 0 ? draw() : 7;
        friend += 1 + draw() % 10;
    }
    return crowd_pack(crowd, arena);
}

static void
draw_part(struct event *event, const struct event_part *part)
{
    void *at = event_part_at(event, part);
    bool empty = draw() % 4 == 0;
    switch (part->shape) {
    case SHAPE_U32:
        *(uint32_t *)at = empty ? 0 : (uint32_t)draw();
        break;
    case SHAPE_CLASS:
        *(uint32_t *)at = (uint32_t)(draw() % CLASS_COUNT);
        break;
    case SHAPE_HOW:
        *(uint32_t *)at = (uint32_t)(draw() % (HOW_PUSH + 1));
        break;
    case SHAPE_RESULT:
        *(uint32_t *)at = (uint32_t)(draw() % (RESULT_ALONE + 1));
        break;
    case SHAPE_ID:
        *(uint32_t *)at = draw_id();
        break;
    case SHAPE_PREVIOUS:
        *(uint64_t *)at = empty ? 0 : draw() % event->seq;
        break;
    case SHAPE_U64:
        *(uint64_t *)at = empty ? 0 : draw() >> draw() % 64;
        break;
    case SHAPE_I64:
        *(int64_t *)at = empty ? 0 : (int64_t)draw() >> draw() % 64;
        break;
    case SHAPE_FLAG:
        *(bool *)at = draw() % 2 == 0;
        break;
    case SHAPE_TEXT:
        *(struct span *)at = empty ? (struct span){0} : draw_span(draw() % 16 == 0 ? 70000 : 70);
        break;
    case SHAPE_BYTES_16:
    case SHAPE_BYTES_32:
        for (size_t i = 0; i < part->bytes; i++) {
            ((uint8_t *)at)[i] = empty ? 0 : (uint8_t)draw();
        }
        break;
    case SHAPE_SOURCE:
        if (!empty) {
            *(struct source *)at =
                (struct source){(enum source_kind)(draw() % 7), draw_id(), draw_id()};
        }
        break;
    case SHAPE_ITEMS:
        draw_items(event);
        break;
    case SHAPE_CROWD:
        *(struct span *)at = empty ? (struct span){0} : draw_crowd(event->seq);
        break;
    case SHAPE_WORDS:
        event->word_count = empty ? 0 : (uint32_t)(draw() % 20);
        struct span *words = arena_alloc(arena, (event->word_count + 1) * sizeof(*words));
        for (uint32_t i = 0; i < event->word_count; i++) {
            words[i] = draw_span(i == 0 ? 70000 : 300);
        }
        event->words = words;
        break;
    }
}

static struct event
draw_event(const struct event_layout *layout)
{
    struct event event = {.kind = layout->kind, .seq = 1 + (draw() >> draw() % 64)};
    event.at_ms = (int64_t)(draw() >> 20);
    for (uint32_t i = 0; i < event_common_count; i++) {
        draw_part(&event, &event_common_parts[i]);
    }
    for (uint32_t i = 0; i < layout->part_count; i++) {
        draw_part(&event, &layout->parts[i]);
    }
    return event;
}

static void
assert_same_source(const struct source *a, const struct source *b)
{
    ck_assert_uint_eq(a->kind, b->kind);
    ck_assert_uint_eq(a->id, b->id);
    ck_assert_uint_eq(a->sub, b->sub);
}

static void
assert_same_part(const struct event *a, const struct event *b, const struct event_part *part)
{
    const void *at_a = event_part_of(a, part);
    const void *at_b = event_part_of(b, part);
    if (part->shape == SHAPE_TEXT || part->shape == SHAPE_CROWD) {
        ck_assert(span_equal(*(const struct span *)at_a, *(const struct span *)at_b));
    } else if (part->shape == SHAPE_SOURCE) {
        assert_same_source(at_a, at_b);
    } else if (part->shape == SHAPE_ITEMS) {
        ck_assert_uint_eq(a->u.delivery.item_count, b->u.delivery.item_count);
        for (uint32_t i = 0; i < a->u.delivery.item_count; i++) {
            const struct delivery_item *x = &a->u.delivery.items[i], *y = &b->u.delivery.items[i];
            ck_assert_uint_eq(x->template, y->template);
            ck_assert_uint_eq(x->enrolment, y->enrolment);
            assert_same_source(&x->source, &y->source);
        }
    } else if (part->shape == SHAPE_WORDS) {
        ck_assert_uint_eq(a->word_count, b->word_count);
        for (uint32_t i = 0; i < a->word_count; i++) {
            ck_assert(span_equal(a->words[i], b->words[i]));
        }
    } else {
        ck_assert_msg(memcmp(at_a, at_b, part->bytes) == 0, "part %s differs", part->name);
    }
}

static void
assert_same_event(const struct event *a, const struct event *b, const struct event_layout *layout)
{
    ck_assert_uint_eq(a->kind, b->kind);
    ck_assert_uint_eq(a->seq, b->seq);
    ck_assert_int_eq(a->at_ms, b->at_ms);
    ck_assert(a->words_erased == b->words_erased);
    for (uint32_t i = 0; i < event_common_count; i++) {
        assert_same_part(a, b, &event_common_parts[i]);
    }
    for (uint32_t i = 0; i < layout->part_count; i++) {
        assert_same_part(a, b, &layout->parts[i]);
    }
}

static void
encode(const struct event *event)
{
    buf_clear(&bytes);
    buf_clear(&row);
    event_encode(event, salt, &bytes, &row);
    ck_assert_int_eq(bytes.rc, RC_OK);
}

enum { KINDS_MAX = 256 };

static uint32_t
kinds(const struct event_layout *out[KINDS_MAX])
{
    uint32_t count = 0;
    for (uint32_t kind = 0; kind < KINDS_MAX; kind++) {
        if (event_layout_of(kind) != NULL) {
            out[count++] = event_layout_of(kind);
        }
    }
    return count;
}

/* ---- the encoder's plain twin: by the table, with msgpack-c ---- */

static int
pack_to_buf(void *context, const char *data, size_t len)
{
    buf_append(context, data, len);
    return 0;
}

static void
pack_source(msgpack_packer *packer, const struct source *source)
{
    if (event_source_is_none(source)) {
        msgpack_pack_nil(packer);
        return;
    }
    uint32_t count = source->sub != 0 ? 3 : source->id != 0 ? 2 : 1;
    const uint32_t values[] = {source->kind, source->id, source->sub};
    msgpack_pack_array(packer, count);
    for (uint32_t i = 0; i < count; i++) {
        msgpack_pack_uint32(packer, values[i]);
    }
}

static void
pack_items(msgpack_packer *packer, const struct event *event)
{
    msgpack_pack_array(packer, event->u.delivery.item_count);
    for (uint32_t i = 0; i < event->u.delivery.item_count; i++) {
        const struct delivery_item *item = &event->u.delivery.items[i];
        msgpack_pack_array(packer, 3);
        msgpack_pack_uint32(packer, item->template);
        if (item->enrolment == NO_ID) {
            msgpack_pack_nil(packer);
        } else {
            msgpack_pack_uint32(packer, item->enrolment);
        }
        pack_source(packer, &item->source);
    }
}

static void
pack_bin(msgpack_packer *packer, const void *data, size_t len)
{
    msgpack_pack_bin(packer, len);
    msgpack_pack_bin_body(packer, data, len);
}

static void
pack_part(msgpack_packer *packer, const struct event *event, const struct event_part *part)
{
    const void *at = event_part_of(event, part);
    uint8_t sha256[SHA256_DIGEST_LENGTH];
    if (event_part_is_default(event, part)) {
        msgpack_pack_nil(packer);
        return;
    }
    switch (part->shape) {
    case SHAPE_U32:
    case SHAPE_ID:
    case SHAPE_CLASS:
    case SHAPE_HOW:
    case SHAPE_RESULT:
        msgpack_pack_uint32(packer, *(const uint32_t *)at);
        break;
    case SHAPE_U64:
        msgpack_pack_uint64(packer, *(const uint64_t *)at);
        break;
    case SHAPE_I64:
        msgpack_pack_int64(packer, *(const int64_t *)at);
        break;
    case SHAPE_FLAG:
        msgpack_pack_true(packer);
        break;
    case SHAPE_TEXT:
        msgpack_pack_str(packer, ((const struct span *)at)->len);
        msgpack_pack_str_body(packer, ((const struct span *)at)->data,
                              ((const struct span *)at)->len);
        break;
    case SHAPE_CROWD:
        pack_bin(packer, ((const struct span *)at)->data, ((const struct span *)at)->len);
        break;
    case SHAPE_BYTES_16:
    case SHAPE_BYTES_32:
        pack_bin(packer, at, part->bytes);
        break;
    case SHAPE_PREVIOUS:
        msgpack_pack_uint64(packer, event->seq - event->friend_prev);
        break;
    case SHAPE_WORDS:
        SHA256(row.data, row.len, sha256);
        pack_bin(packer, sha256, ROW_HASH_BYTES);
        break;
    case SHAPE_SOURCE:
        pack_source(packer, at);
        break;
    case SHAPE_ITEMS:
        pack_items(packer, event);
        break;
    }
}

static const struct event_part *
part_at(const struct event_layout *layout, uint32_t index)
{
    return index < event_common_count ? &event_common_parts[index]
                                      : &layout->parts[index - event_common_count];
}

static void
encode_plainly(const struct event *event, const struct event_layout *layout, struct buf *out)
{
    uint32_t count = event_common_count + layout->part_count;
    while (count > 0 && event_part_is_default(event, part_at(layout, count - 1))) {
        count--;
    }
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, pack_to_buf);
    msgpack_pack_array(&packer, 1 + count);
    msgpack_pack_uint32(&packer, event->kind);
    for (uint32_t i = 0; i < count; i++) {
        pack_part(&packer, event, part_at(layout, i));
    }
}

START_TEST(every_named_kind_has_a_layout_and_no_other_has)
{
    for (uint32_t kind = 0; kind < 300; kind++) {
        const struct event_layout *layout = event_layout_of(kind);
        ck_assert_msg((event_kind_name((enum event_kind)kind) != NULL) == (layout != NULL),
                      "kind %u", kind);
        ck_assert(layout == NULL || (uint32_t)layout->kind == kind);
    }
    ck_assert_ptr_null(event_layout_of(UINT64_MAX));
}
END_TEST

START_TEST(every_kind_survives_the_round_trip)
{
    const struct event_layout *layouts[KINDS_MAX];
    uint32_t count = kinds(layouts);
    for (uint32_t i = 0; i < count * 40; i++) {
        const struct event_layout *layout = layouts[i % count];
        struct event event = draw_event(layout);
        encode(&event);

        struct event_decoded decoded;
        ck_assert_int_eq(event_decode(buf_span(&bytes), event.seq, event.at_ms, &decoded), RC_OK);
        ck_assert(decoded.has_words == (event.word_count > 0));
        ck_assert_int_eq(event_attach_words(&decoded, buf_span(&row), arena), RC_OK);
        assert_same_event(&event, &decoded.event, layout);
        arena_reset(arena);
    }
}
END_TEST

START_TEST(the_bytes_are_those_of_its_plain_twin)
{
    const struct event_layout *layouts[KINDS_MAX];
    uint32_t count = kinds(layouts);
    struct buf twin = {0};
    for (uint32_t i = 0; i < count * 40; i++) {
        struct event event = draw_event(layouts[i % count]);
        encode(&event);
        buf_clear(&twin);
        encode_plainly(&event, layouts[i % count], &twin);
        ck_assert_msg(span_equal(buf_span(&bytes), buf_span(&twin)), "%s",
                      event_kind_name(event.kind));
        arena_reset(arena);
    }
    buf_fini(&twin);
}
END_TEST

/* Only what a kind has is cleared: nothing that was there before may show through. */
START_TEST(decoding_forgets_what_was_there_before)
{
    const struct event_layout *layouts[KINDS_MAX];
    uint32_t count = kinds(layouts);
    for (uint32_t i = 0; i < count * 10; i++) {
        struct event event = draw_event(layouts[i % count]);
        encode(&event);
        struct event_decoded fresh, used;
        memset(&fresh, 0, sizeof(fresh));
        memset(&used, 0xa5, sizeof(used));
        ck_assert_int_eq(event_decode(buf_span(&bytes), event.seq, 5, &fresh), RC_OK);
        ck_assert_int_eq(event_decode(buf_span(&bytes), event.seq, 5, &used), RC_OK);
        ck_assert(fresh.has_words == used.has_words);
        ck_assert(used.event.words == NULL && used.event.word_count == 0);
        assert_same_event(&fresh.event, &used.event, layouts[i % count]);
    }
}
END_TEST

START_TEST(every_part_fits_the_member_that_holds_it)
{
    static const size_t SHAPE_BYTES[] = {
        [SHAPE_U32] = 4,
        [SHAPE_ID] = 4,
        [SHAPE_U64] = 8,
        [SHAPE_I64] = 8,
        [SHAPE_FLAG] = sizeof(bool),
        [SHAPE_TEXT] = sizeof(struct span),
        [SHAPE_CROWD] = sizeof(struct span),
        [SHAPE_BYTES_16] = 16,
        [SHAPE_BYTES_32] = 32,
        [SHAPE_CLASS] = 4,
        [SHAPE_HOW] = 4,
        [SHAPE_RESULT] = 4,
        [SHAPE_PREVIOUS] = 8,
        [SHAPE_WORDS] = sizeof(struct span *),
        [SHAPE_SOURCE] = sizeof(struct source),
        [SHAPE_ITEMS] = DELIVERY_ITEMS_MAX * sizeof(struct delivery_item),
    };
    const struct event_layout *layouts[KINDS_MAX];
    uint32_t count = kinds(layouts);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t p = 0; p < event_common_count + layouts[i]->part_count; p++) {
            const struct event_part *part = part_at(layouts[i], p);
            ck_assert_msg(part->bytes == SHAPE_BYTES[part->shape], "%s of %s", part->name,
                          event_kind_name(layouts[i]->kind));
        }
    }
}
END_TEST

START_TEST(an_event_without_anything_is_two_bytes)
{
    struct event event = {.kind = EVENT_TAG_ADDED, .seq = 1, .friend = NO_ID};
    event.u.tag.tag = NO_ID;
    encode(&event);
    ck_assert_uint_eq(bytes.len, 2);
    ck_assert_uint_eq(row.len, 0);
}
END_TEST

START_TEST(an_event_cut_short_is_corrupt)
{
    const struct event_layout *layouts[KINDS_MAX];
    uint32_t count = kinds(layouts);
    for (uint32_t i = 0; i < count * 4; i++) {
        struct event event = draw_event(layouts[i % count]);
        encode(&event);
        for (size_t len = 0; len < bytes.len; len++) {
            struct event_decoded decoded;
            uint8_t *exact = malloc(len + 1); /* so that a sanitizer sees a read past the end */
            memcpy(exact, bytes.data, len);
            ck_assert_int_eq(event_decode(span_of(exact, len), event.seq, 0, &decoded), RC_CORRUPT);
            free(exact);
        }
        arena_reset(arena);
    }
}
END_TEST

START_TEST(bytes_after_the_event_are_corrupt)
{
    struct event event = {.kind = EVENT_STOPPED, .seq = 1, .friend = NO_ID};
    encode(&event);
    buf_append_byte(&bytes, 0xc0);
    struct event_decoded decoded;
    ck_assert_int_eq(event_decode(buf_span(&bytes), 1, 0, &decoded), RC_CORRUPT);
}
END_TEST

/* No outcome is wrong here, as long as it is an outcome. */
START_TEST(random_damage_never_crashes)
{
    const struct event_layout *layouts[KINDS_MAX];
    uint32_t count = kinds(layouts);
    for (uint32_t i = 0; i < count * 200; i++) {
        struct event event = draw_event(layouts[i % count]);
        encode(&event);
        for (uint32_t flips = 1 + (uint32_t)(draw() % 4); flips > 0; flips--) {
            bytes.data[draw() % bytes.len] = (uint8_t)draw();
        }
        struct event_decoded decoded;
        if (event_decode(buf_span(&bytes), event.seq, 0, &decoded) == RC_OK) {
            ck_assert_ptr_nonnull(event_layout_of(decoded.event.kind));
            ck_assert(decoded.event.friend_prev < event.seq);
        }
        arena_reset(arena);
    }
}
END_TEST

static struct event
message(void)
{
    static const struct span words[] = {{(const uint8_t *)"hello", 5}};
    struct event event = {.kind = EVENT_MESSAGE_RECEIVED, .seq = 9, .friend = 3, .friend_prev = 4};
    event.words = words;
    event.word_count = 1;
    event.u.act.type = span_cstr("text");
    event.u.act.button = event.u.act.choice = NO_ID;
    return event;
}

START_TEST(a_changed_word_does_not_match_its_hash)
{
    struct event event = message();
    encode(&event);
    struct event_decoded decoded;
    ck_assert_int_eq(event_decode(buf_span(&bytes), 9, 0, &decoded), RC_OK);
    for (size_t i = 0; i < row.len; i++) {
        struct event_decoded copy = decoded;
        row.data[i] ^= 0x01;
        ck_assert_int_eq(event_attach_words(&copy, buf_span(&row), arena), RC_CORRUPT);
        row.data[i] ^= 0x01;
    }
    for (size_t len = 1; len < row.len; len++) {
        struct event_decoded copy = decoded;
        ck_assert_int_eq(event_attach_words(&copy, span_of(row.data, len), arena), RC_CORRUPT);
    }
    ck_assert_int_eq(event_attach_words(&decoded, buf_span(&row), arena), RC_OK);
    ck_assert(span_equal_cstr(decoded.event.words[0], "hello"));
}
END_TEST

START_TEST(a_row_for_an_event_without_words_is_corrupt)
{
    struct event event = message();
    encode(&event);
    struct event wordless = message();
    wordless.word_count = 0;
    buf_clear(&bytes);
    event_encode(&wordless, salt, &bytes, &row);
    struct event_decoded decoded;
    ck_assert_int_eq(event_decode(buf_span(&bytes), 9, 0, &decoded), RC_OK);
    ck_assert_int_eq(event_attach_words(&decoded, buf_span(&row), arena), RC_CORRUPT);
    ck_assert_int_eq(event_attach_words(&decoded, (struct span){0}, arena), RC_OK);
    ck_assert(!decoded.event.words_erased);
}
END_TEST

START_TEST(words_that_are_gone_are_marked_erased)
{
    struct event event = message();
    encode(&event);
    struct event_decoded decoded;
    ck_assert_int_eq(event_decode(buf_span(&bytes), 9, 0, &decoded), RC_OK);
    ck_assert_int_eq(event_attach_words(&decoded, (struct span){0}, arena), RC_OK);
    ck_assert(decoded.event.words_erased);
    ck_assert_uint_eq(decoded.event.word_count, 0);
}
END_TEST

/* [250, 3, 5, nil, nil, [1, {2: 3}], 1.5]: what a later version may write. */
START_TEST(an_unknown_kind_is_not_yet_and_keeps_its_place_in_the_chain)
{
    const uint8_t later[] = {0x97, 0xcc, 250, 3, 5, 0xc0, 0xc0, 0x92, 1,    0x81, 2,
                             3,    0xcb, 0,   0, 0, 0,    0,    0,    0xf8, 0x3f};
    struct event_decoded decoded;
    ck_assert_int_eq(event_decode(span_of(later, sizeof(later)), 20, 7, &decoded), RC_NOT_YET);
    ck_assert_uint_eq(decoded.event.kind, 250);
    ck_assert_uint_eq(decoded.event.friend, 3);
    ck_assert_uint_eq(decoded.event.friend_prev, 15);
    ck_assert_int_eq(decoded.event.at_ms, 7);
}
END_TEST

START_TEST(unknown_trailing_parts_are_skipped)
{
    const uint8_t later[] = {0x97, 30, 3, 0xc0, 0xc0, 0xc0, 8, 0x92, 0xc0, 0xc3};
    struct event_decoded decoded;
    ck_assert_int_eq(event_decode(span_of(later, sizeof(later)), 20, 7, &decoded), RC_OK);
    ck_assert_uint_eq(decoded.event.u.tag.tag, 8);
}
END_TEST

START_TEST(an_unknown_result_was_written_by_a_newer_version)
{
    const uint8_t later[] = {0x97, 62, 3, 0xc0, 0xc0, 0xc0, 1, 9};
    struct event_decoded decoded;
    ck_assert_int_eq(event_decode(span_of(later, sizeof(later)), 20, 7, &decoded), RC_NEWER);
}
END_TEST

START_TEST(a_previous_event_before_the_first_is_corrupt)
{
    const uint8_t before[] = {0x93, 30, 3, 20};
    struct event_decoded decoded;
    ck_assert_int_eq(event_decode(span_of(before, sizeof(before)), 20, 7, &decoded), RC_CORRUPT);
    ck_assert_int_eq(event_decode(span_of(before, sizeof(before)), 21, 7, &decoded), RC_OK);
}
END_TEST

START_TEST(deep_nesting_is_skipped_without_recursion)
{
    struct buf deep = {0};
    for (uint32_t i = 0; i < 1000000; i++) {
        buf_append_byte(&deep, 0x91);
    }
    buf_append_byte(&deep, 0xc0);
    struct msgpack_reader reader = {.rest = buf_span(&deep)};
    msgpack_skip(&reader);
    ck_assert_int_eq(reader.rc, RC_OK);
    ck_assert_uint_eq(reader.rest.len, 0);
    buf_fini(&deep);
}
END_TEST

static char *
printed(const struct event *event)
{
    json_t *json = event_to_json(event, NULL, NULL);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    ck_assert_ptr_nonnull(text);
    return text;
}

START_TEST(json_says_what_happened)
{
    struct event event = message();
    char *text = printed(&event);
    ck_assert_str_eq(text, "{\"seq\":9,\"at\":\"1970-01-01T00:00:00.000+00:00\","
                           "\"kind\":\"message_received\",\"friend\":3,\"previous\":4,"
                           "\"type\":\"text\",\"text\":\"hello\"}");
    free(text);
}
END_TEST

START_TEST(json_shows_erased_words_as_null)
{
    struct event event = message();
    event.word_count = 0;
    event.words_erased = true;
    char *text = printed(&event);
    ck_assert_ptr_nonnull(strstr(text, "\"text\":null,\"erased\":true"));
    free(text);
}
END_TEST

START_TEST(json_never_shows_a_reply_token)
{
    const struct span words[] = {{(const uint8_t *)"canary", 6}};
    struct event event = {.kind = EVENT_DELIVERY_PLANNED, .seq = 9, .friend = 3};
    event.words = words;
    event.word_count = 1;
    char *text = printed(&event);
    ck_assert_ptr_null(strstr(text, "canary"));
    ck_assert_ptr_nonnull(strstr(text, "\"reply_token\":\"present\""));
    free(text);
}
END_TEST

START_TEST(json_of_anything_decodable_can_be_printed)
{
    const struct event_layout *layouts[KINDS_MAX];
    uint32_t count = kinds(layouts);
    for (uint32_t i = 0; i < count * 10; i++) {
        struct event event = draw_event(layouts[i % count]);
        if (event.word_count > 0) { /* random bytes as words: no UTF-8 */
            ((struct span *)(uintptr_t)event.words)[0].len %= 64;
        }
        free(printed(&event));
        arena_reset(arena);
    }
}
END_TEST

static void
assert_source(struct source source, const char *expected)
{
    struct buf text = {0};
    event_source_text(&source, NULL, &text);
    ck_assert_str_eq(buf_cstr(&text), expected);
    buf_fini(&text);
}

START_TEST(sources_are_named_as_people_name_them)
{
    assert_source((struct source){SOURCE_NONE, 0, 0}, "");
    assert_source((struct source){SOURCE_FRIEND_ADD, FRIEND_ADD_UNBLOCKED, 0},
                  "friend_add.unblocked");
    assert_source((struct source){SOURCE_STEP, 4, 2}, "4/2");
    assert_source((struct source){SOURCE_OPERATOR, 1000, 0}, "operator 1000");
}
END_TEST

/* docs/format.md has one row a kind: | number | name | parts | words |. */
START_TEST(the_format_page_lists_every_kind_and_part)
{
    FILE *file = fopen(STEPD_SOURCE_DIR "/docs/format.md", "r");
    ck_assert_ptr_nonnull(file);
    static char page[256 * 1024];
    page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
    fclose(file);

    const struct event_layout *layouts[KINDS_MAX];
    uint32_t count = kinds(layouts);
    for (uint32_t i = 0; i < count; i++) {
        struct buf line = {0};
        buf_printf(&line, "\n| %d | %s |", (int)layouts[i]->kind,
                   event_kind_name(layouts[i]->kind));
        for (uint32_t p = 0; p < layouts[i]->part_count; p++) {
            buf_printf(&line, " %s%s", layouts[i]->parts[p].name,
                       p + 1 < layouts[i]->part_count ? "," : "");
        }
        buf_append_cstr(&line, " |");
        for (uint32_t w = 0; w < 3 && layouts[i]->words[w] != NULL; w++) {
            buf_printf(&line, "%s %s", w > 0 ? "," : "", layouts[i]->words[w]);
        }
        buf_append_cstr(&line, " |\n");
        ck_assert_msg(strstr(page, buf_cstr(&line)) != NULL, "docs/format.md lacks the row:%s",
                      buf_cstr(&line));
        buf_fini(&line);
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("event");
    TCase *tc = tcase_create("event");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_named_kind_has_a_layout_and_no_other_has);
    tcase_add_test(tc, every_kind_survives_the_round_trip);
    tcase_add_test(tc, the_bytes_are_those_of_its_plain_twin);
    tcase_add_test(tc, decoding_forgets_what_was_there_before);
    tcase_add_test(tc, every_part_fits_the_member_that_holds_it);
    tcase_add_test(tc, an_event_without_anything_is_two_bytes);
    tcase_add_test(tc, an_event_cut_short_is_corrupt);
    tcase_add_test(tc, bytes_after_the_event_are_corrupt);
    tcase_add_test(tc, random_damage_never_crashes);
    tcase_add_test(tc, a_changed_word_does_not_match_its_hash);
    tcase_add_test(tc, a_row_for_an_event_without_words_is_corrupt);
    tcase_add_test(tc, words_that_are_gone_are_marked_erased);
    tcase_add_test(tc, an_unknown_kind_is_not_yet_and_keeps_its_place_in_the_chain);
    tcase_add_test(tc, unknown_trailing_parts_are_skipped);
    tcase_add_test(tc, an_unknown_result_was_written_by_a_newer_version);
    tcase_add_test(tc, a_previous_event_before_the_first_is_corrupt);
    tcase_add_test(tc, deep_nesting_is_skipped_without_recursion);
    tcase_add_test(tc, json_says_what_happened);
    tcase_add_test(tc, json_shows_erased_words_as_null);
    tcase_add_test(tc, json_never_shows_a_reply_token);
    tcase_add_test(tc, json_of_anything_decodable_can_be_printed);
    tcase_add_test(tc, sources_are_named_as_people_name_them);
    tcase_add_test(tc, the_format_page_lists_every_kind_and_part);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    SRunner *r = srunner_create(suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
