#include "proto/event.h"
#include "proto/event_table.h"
#include "proto/msgpack_reader.h"

#include <openssl/sha.h>

_Static_assert(sizeof(enum reason) == sizeof(uint32_t), "enumerators are read as 32-bit numbers");

/* An array of which trailing elements may be missing or unknown. */
struct elements {
    struct msgpack_reader *reader;
    uint32_t left;
};

static struct elements
elements_begin(struct msgpack_reader *reader)
{
    return (struct elements){reader, msgpack_read_array(reader)};
}

/* True when there is a next element and it is not nil. */
static bool
elements_next(struct elements *elements)
{
    if (elements->left == 0) {
        return false;
    }
    elements->left--;
    return !msgpack_read_nil(elements->reader);
}

static void
elements_end(struct elements *elements)
{
    while (elements->left > 0 && elements->reader->rc == RC_OK) {
        msgpack_skip(elements->reader);
        elements->left--;
    }
}

static uint32_t
next_u32(struct elements *elements, uint32_t absent)
{
    return elements_next(elements) ? (uint32_t)msgpack_read_uint(elements->reader, UINT32_MAX)
                                   : absent;
}

/* Enumerators that decide what the state becomes: an unknown one was written by a newer version. */
static uint32_t
read_enumerator(struct msgpack_reader *reader, uint32_t max)
{
    uint32_t value = (uint32_t)msgpack_read_uint(reader, UINT32_MAX);
    if (reader->rc == RC_OK && value > max) {
        reader->rc = RC_NEWER;
    }
    return value;
}

static void
read_bytes(struct msgpack_reader *reader, uint8_t *out, size_t len)
{
    struct span bytes = msgpack_read_bin(reader);
    if (reader->rc != RC_OK) {
        return;
    }
    if (bytes.len != len) {
        reader->rc = RC_CORRUPT;
        return;
    }
    memcpy(out, bytes.data, len);
}

static void
read_source(struct msgpack_reader *reader, struct source *out)
{
    struct elements elements = elements_begin(reader);
    out->kind = (enum source_kind)next_u32(&elements, SOURCE_NONE);
    out->id = next_u32(&elements, 0);
    out->sub = next_u32(&elements, 0);
    elements_end(&elements);
}

static void
read_items(struct msgpack_reader *reader, struct event *event)
{
    uint32_t count = msgpack_read_array(reader);
    if (count > DELIVERY_ITEMS_MAX) {
        reader->rc = RC_CORRUPT;
        return;
    }
    event->u.delivery.item_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct delivery_item *item = &event->u.delivery.items[i];
        struct elements elements = elements_begin(reader);
        item->template = next_u32(&elements, 0);
        item->enrolment = next_u32(&elements, NO_ID);
        if (elements_next(&elements)) {
            read_source(reader, &item->source);
        }
        elements_end(&elements);
    }
}

static void
read_previous(struct msgpack_reader *reader, struct event *event)
{
    uint64_t distance = msgpack_read_uint(reader, UINT64_MAX);
    if (reader->rc != RC_OK) {
        return;
    }
    if (distance == 0 || distance >= event->seq) {
        reader->rc = RC_CORRUPT;
        return;
    }
    event->friend_prev = event->seq - distance;
}

static void
read_part(struct msgpack_reader *reader, struct event_decoded *decoded,
          const struct event_part *part)
{
    void *at = event_part_at(&decoded->event, part);
    switch (part->type) {
    case PART_COUNT:
    case PART_REASON:
    case PART_FRIEND:
    case PART_TAG:
    case PART_FIELD:
    case PART_SCENARIO:
    case PART_STEP:
    case PART_BUTTON:
    case PART_CHOICE:
    case PART_ROW:
    case PART_FORM:
    case PART_QUESTION:
    case PART_OPTION:
    case PART_CONVERSION:
    case PART_CALENDAR:
    case PART_SLOT:
    case PART_NOTIFY:
    case PART_MARK:
    case PART_ROUTE:
    case PART_LINK:
        *(uint32_t *)at = (uint32_t)msgpack_read_uint(reader, UINT32_MAX);
        break;
    case PART_CLASS:
        *(uint32_t *)at = read_enumerator(reader, CLASS_COUNT - 1);
        break;
    case PART_HOW:
        *(uint32_t *)at = read_enumerator(reader, HOW_PUSH);
        break;
    case PART_RESULT:
        *(uint32_t *)at = read_enumerator(reader, RESULT_RETURNED);
        break;
    case PART_PREVIOUS:
        read_previous(reader, &decoded->event);
        break;
    case PART_SEQ:
    case PART_U64:
    case PART_DIGEST:
        *(uint64_t *)at = msgpack_read_uint(reader, UINT64_MAX);
        break;
    case PART_TIME:
    case PART_NUMBER:
    case PART_INTEGER:
    case PART_ANSWER:
        *(int64_t *)at = msgpack_read_int(reader);
        break;
    case PART_FLAG:
    case PART_YES_NO:
        *(bool *)at = msgpack_read_bool(reader);
        break;
    case PART_TEXT:
        *(struct span *)at = msgpack_read_str(reader);
        break;
    case PART_BYTES_16:
        read_bytes(reader, at, 16);
        break;
    case PART_BYTES_32:
        read_bytes(reader, at, 32);
        break;
    case PART_WORDS:
        decoded->has_words = true;
        read_bytes(reader, decoded->words_hash, EVENT_WORDS_HASH_BYTES);
        break;
    case PART_SOURCE:
        read_source(reader, at);
        break;
    case PART_ITEMS:
        read_items(reader, &decoded->event);
        break;
    }
}

/* Zero is most parts' default, and set already; ids have another. */
static void
set_default(struct event *event, const struct event_part *part)
{
    switch (part->type) {
    case PART_FRIEND:
    case PART_TAG:
    case PART_FIELD:
    case PART_SCENARIO:
    case PART_STEP:
    case PART_BUTTON:
    case PART_CHOICE:
    case PART_ROW:
    case PART_FORM:
    case PART_QUESTION:
    case PART_OPTION:
    case PART_CONVERSION:
    case PART_CALENDAR:
    case PART_SLOT:
    case PART_NOTIFY:
    case PART_MARK:
    case PART_ROUTE:
    case PART_LINK:
        *(uint32_t *)event_part_at(event, part) = NO_ID;
        break;
    default:
        break;
    }
}

static void
read_parts(struct elements *elements, const struct event_part *parts, uint32_t count,
           struct event_decoded *decoded)
{
    for (uint32_t i = 0; i < count; i++) {
        if (elements_next(elements)) {
            read_part(elements->reader, decoded, &parts[i]);
        } else {
            set_default(&decoded->event, &parts[i]);
        }
    }
}

enum rc
event_decode(struct span bytes, uint64_t seq, int64_t at_ms, struct event_decoded *out_decoded)
{
    struct msgpack_reader reader = {.rest = bytes};
    struct event_decoded decoded = {.event = {.seq = seq, .at_ms = at_ms}};
    struct elements elements = elements_begin(&reader);
    if (!elements_next(&elements)) {
        return RC_CORRUPT; /* an event has a kind at least */
    }
    decoded.event.kind = (enum event_kind)msgpack_read_uint(&reader, INT32_MAX);
    read_parts(&elements, event_common_parts, event_common_count, &decoded);
    const struct event_layout *layout = event_layout_of(decoded.event.kind);
    if (layout != NULL) {
        read_parts(&elements, layout->parts, layout->part_count, &decoded);
    }
    elements_end(&elements);
    if (reader.rc != RC_OK) {
        return reader.rc;
    }
    if (reader.rest.len > 0) {
        return RC_CORRUPT;
    }
    *out_decoded = decoded;
    return layout != NULL ? RC_OK : RC_NOT_YET;
}

enum rc
event_attach_words(struct event_decoded *decoded, struct span row, struct arena *arena)
{
    if (row.len == 0) {
        decoded->event.words_erased = decoded->has_words;
        return RC_OK;
    }
    if (!decoded->has_words || row.len < EVENT_SALT_BYTES) {
        return RC_CORRUPT;
    }
    uint8_t sha256[SHA256_DIGEST_LENGTH];
    SHA256(row.data, row.len, sha256);
    if (memcmp(sha256, decoded->words_hash, EVENT_WORDS_HASH_BYTES) != 0) {
        return RC_CORRUPT;
    }

    struct msgpack_reader reader = {
        .rest = span_of(row.data + EVENT_SALT_BYTES, row.len - EVENT_SALT_BYTES)};
    uint32_t count = msgpack_read_array(&reader);
    struct span *words = arena_alloc(arena, (count + 1) * sizeof(*words));
    for (uint32_t i = 0; i < count; i++) {
        words[i] = msgpack_read_bin(&reader);
    }
    if (reader.rc != RC_OK || reader.rest.len > 0) {
        return RC_CORRUPT;
    }
    decoded->event.words = words;
    decoded->event.word_count = count;
    return RC_OK;
}
