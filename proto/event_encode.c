#include "proto/event.h"
#include "proto/event_table.h"

#include <assert.h>
#include <msgpack.h>
#include <openssl/sha.h>

static int
write_to_buf(void *context, const char *data, size_t len)
{
    buf_append(context, data, len);
    return 0; /* the buffer keeps its own error */
}

static void
pack_bin(msgpack_packer *packer, const void *data, size_t len)
{
    msgpack_pack_bin(packer, len);
    msgpack_pack_bin_body(packer, data, len);
}

static void
pack_source(msgpack_packer *packer, const struct source *source)
{
    if (event_source_is_none(source)) {
        msgpack_pack_nil(packer);
        return;
    }
    uint32_t count = source->sub != 0 ? 3 : source->id != 0 ? 2 : 1;
    msgpack_pack_array(packer, count);
    msgpack_pack_uint32(packer, source->kind);
    if (count > 1) {
        msgpack_pack_uint32(packer, source->id);
    }
    if (count > 2) {
        msgpack_pack_uint32(packer, source->sub);
    }
}

static void
pack_items(msgpack_packer *packer, const struct delivery_item *items, uint32_t count)
{
    assert(count <= DELIVERY_ITEMS_MAX);
    msgpack_pack_array(packer, count);
    for (uint32_t i = 0; i < count; i++) {
        msgpack_pack_array(packer, 3);
        msgpack_pack_uint32(packer, items[i].template);
        if (items[i].enrolment == NO_ID) {
            msgpack_pack_nil(packer);
        } else {
            msgpack_pack_uint32(packer, items[i].enrolment);
        }
        pack_source(packer, &items[i].source);
    }
}

static void
pack_part(msgpack_packer *packer, const struct event *event, const struct event_part *part,
          const uint8_t words_hash[EVENT_WORDS_HASH_BYTES])
{
    const void *at = event_part_of(event, part);
    if (event_part_is_default(event, part)) {
        msgpack_pack_nil(packer);
        return;
    }
    switch (part->type) {
    case PART_COUNT:
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
    case PART_CLASS:
    case PART_HOW:
    case PART_RESULT:
    case PART_REASON:
        msgpack_pack_uint32(packer, *(const uint32_t *)at);
        break;
    case PART_PREVIOUS:
        assert(event->friend_prev < event->seq);
        msgpack_pack_uint64(packer, event->seq - event->friend_prev);
        break;
    case PART_SEQ:
    case PART_U64:
    case PART_DIGEST:
        msgpack_pack_uint64(packer, *(const uint64_t *)at);
        break;
    case PART_TIME:
    case PART_NUMBER:
    case PART_INTEGER:
    case PART_ANSWER:
        msgpack_pack_int64(packer, *(const int64_t *)at);
        break;
    case PART_FLAG:
    case PART_YES_NO:
        msgpack_pack_true(packer);
        break;
    case PART_TEXT: {
        const struct span *text = at;
        msgpack_pack_str(packer, text->len);
        msgpack_pack_str_body(packer, text->data, text->len);
        break;
    }
    case PART_BYTES_16:
        pack_bin(packer, at, 16);
        break;
    case PART_BYTES_32:
        pack_bin(packer, at, 32);
        break;
    case PART_WORDS:
        pack_bin(packer, words_hash, EVENT_WORDS_HASH_BYTES);
        break;
    case PART_SOURCE:
        pack_source(packer, at);
        break;
    case PART_ITEMS:
        pack_items(packer, at, event->u.delivery.item_count);
        break;
    }
}

/* Appends the row and computes its hash. */
static void
encode_words(const struct event *event, const uint8_t *salt, struct buf *out,
             uint8_t out_hash[EVENT_WORDS_HASH_BYTES])
{
    size_t start = out->len;
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, write_to_buf);
    buf_append(out, salt, EVENT_SALT_BYTES);
    msgpack_pack_array(&packer, event->word_count);
    for (uint32_t i = 0; i < event->word_count; i++) {
        pack_bin(&packer, event->words[i].data, event->words[i].len);
    }
    if (out->rc == RC_OK) {
        uint8_t sha256[SHA256_DIGEST_LENGTH];
        SHA256(out->data + start, out->len - start, sha256);
        memcpy(out_hash, sha256, EVENT_WORDS_HASH_BYTES);
    }
}

void
event_encode(const struct event *event, const uint8_t salt[EVENT_SALT_BYTES], struct buf *out_event,
             struct buf *out_content)
{
    const struct event_layout *layout = event_layout_of(event->kind);
    assert(layout != NULL);
    assert(event->seq > 0);
    assert(!event->words_erased);

    uint8_t words_hash[EVENT_WORDS_HASH_BYTES] = {0};
    if (event->word_count > 0) {
        encode_words(event, salt, out_content, words_hash);
    }

    const struct event_part *parts[32];
    uint32_t count = 0, used = 0;
    assert(event_common_count + layout->part_count <= sizeof(parts) / sizeof(parts[0]));
    for (uint32_t i = 0; i < event_common_count; i++) {
        parts[count++] = &event_common_parts[i];
    }
    for (uint32_t i = 0; i < layout->part_count; i++) {
        parts[count++] = &layout->parts[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!event_part_is_default(event, parts[i])) {
            used = i + 1;
        }
    }

    msgpack_packer packer;
    msgpack_packer_init(&packer, out_event, write_to_buf);
    msgpack_pack_array(&packer, 1 + used);
    msgpack_pack_uint32(&packer, event->kind);
    for (uint32_t i = 0; i < used; i++) {
        pack_part(&packer, event, parts[i], words_hash);
    }
}
