#include "proto/event_table.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

#define ROW(type, name, member)                                                                    \
    {name, type, (enum part_shape)type##_SHAPE, offsetof(struct event, member),                    \
     sizeof(((struct event *)NULL)->member)},
const struct event_part event_common_parts[] = {PARTS_common(ROW)};
const uint32_t event_common_count = COUNT_OF(event_common_parts);

#define LIST(list, member) static const struct event_part list##_parts[] = {PARTS_##list(ROW)};
EVENT_LISTS(LIST)

/* Indexed by kind; a number without a row has no parts. */
#define NO_WORDS {NULL}, false, false
#define WORDS(...) {__VA_ARGS__}, false, false
#define REPEATED(name) {name}, true, false
#define SECRET(name) {name}, false, true
#define LAYOUT(kind, name, list, words)                                                            \
    [kind] = {kind, list##_parts, COUNT_OF(list##_parts), words},
static const struct event_layout layouts[] = {EVENT_LAYOUTS(LAYOUT)};

const struct event_layout *
event_layout_of(uint64_t kind)
{
    return kind < COUNT_OF(layouts) && layouts[kind].parts != NULL ? &layouts[kind] : NULL;
}

static bool
bytes_are_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

bool
event_source_is_none(const struct source *source)
{
    return source->kind == SOURCE_NONE && source->id == 0 && source->sub == 0;
}

bool
event_part_is_default(const struct event *event, const struct event_part *part)
{
    const void *at = event_part_of(event, part);
    switch (part->shape) {
    case SHAPE_U32:
    case SHAPE_CLASS:
    case SHAPE_HOW:
    case SHAPE_RESULT:
        return *(const uint32_t *)at == 0;
    case SHAPE_ID:
        return *(const uint32_t *)at == NO_ID;
    case SHAPE_U64:
    case SHAPE_PREVIOUS:
        return *(const uint64_t *)at == 0;
    case SHAPE_I64:
        return *(const int64_t *)at == 0;
    case SHAPE_FLAG:
        return !*(const bool *)at;
    case SHAPE_TEXT:
    case SHAPE_CROWD:
        return ((const struct span *)at)->len == 0;
    case SHAPE_BYTES_16:
        return bytes_are_zero(at, 16);
    case SHAPE_BYTES_32:
        return bytes_are_zero(at, 32);
    case SHAPE_WORDS:
        return event->word_count == 0;
    case SHAPE_SOURCE:
        return event_source_is_none(at);
    case SHAPE_ITEMS:
        return event->u.delivery.item_count == 0;
    }
    return true;
}
