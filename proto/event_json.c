#include "engine/crowd.h"
#include "proto/describe.h"
#include "proto/event.h"

#include "proto/event_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <utf8proc.h>

/* What engine/civil.h can place: the years 1900 to 2200. Damaged or foreign numbers can be anything. */
#define FIRST_MS (INT64_C(-25567) * MS_PER_DAY)
#define LAST_MS (INT64_C(84006) * MS_PER_DAY)

struct printing {
    json_t *object;
    const struct event *event;
    const struct definitions *definitions;
    const struct zone *zone;
};

void
event_instant_text(int64_t at_ms, const struct zone *zone, struct buf *out)
{
    if (at_ms < FIRST_MS || at_ms > LAST_MS) {
        buf_printf(out, "%" PRId64 " ms", at_ms);
        return;
    }
    static int32_t no_offset;
    static const struct zone utc = {.offset_s = &no_offset};
    struct civil_time time = civil_local(zone == NULL ? &utc : zone, at_ms);
    int offset_min = abs(time.offset_s) / 60;
    buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02d:%02d", time.date.year,
               time.date.month, time.date.day, time.hour, time.minute, time.second,
               time.millisecond, time.offset_s < 0 ? '-' : '+', offset_min / 60, offset_min % 60);
}

/* The name of an id, or NULL where there are no definitions to ask. */
static const char *
name_in(const struct definitions *definitions, const struct names *names, uint32_t id)
{
    return definitions == NULL || id >= names->count ? NULL : names_text(names, id);
}

static const char *
step_name(const struct definitions *definitions, uint32_t scenario, uint32_t step)
{
    if (definitions == NULL || scenario >= definitions->scenario_names.count) {
        return NULL;
    }
    return name_in(definitions, &definitions->scenarios[scenario].step_names, step);
}

static void
print_name(struct buf *out, const char *name, uint32_t id)
{
    if (name != NULL) {
        buf_append_cstr(out, name);
    } else {
        buf_printf(out, "%" PRIu32, id);
    }
}

/* The one step of a trigger or date has no name of its own. */
static void
print_step(struct buf *out, const char *name, uint32_t id)
{
    if (name == NULL || name[0] != '\0') {
        buf_append_byte(out, '/');
        print_name(out, name, id);
    }
}

/* Where the names of what a source names are kept; nothing for sources that name no thing. */
static const struct names *
source_names(const struct definitions *definitions, enum source_kind kind)
{
    switch (kind) {
    case SOURCE_STEP:
    case SOURCE_FINISH:
        return &definitions->scenario_names;
    case SOURCE_BUTTON:
        return &definitions->button_names;
    case SOURCE_AUTO_REPLY:
        return &definitions->auto_reply_names;
    case SOURCE_BROADCAST:
        return &definitions->broadcast_names;
    case SOURCE_FORM:
        return &definitions->form_names;
    case SOURCE_CALENDAR:
        return &definitions->calendar_names;
    case SOURCE_CONVERSION:
        return &definitions->conversion_names;
    case SOURCE_ROUTE:
        return &definitions->route_names;
    case SOURCE_LINK:
        return &definitions->link_names;
    case SOURCE_NONE:
    case SOURCE_FRIEND_ADD:
    case SOURCE_OPERATOR:
    case SOURCE_DEFINITIONS:
    case SOURCE_ON:
        break;
    }
    return NULL;
}

void
event_source_text(const struct source *source, const struct definitions *definitions,
                  struct buf *out)
{
    static const char *const friend_adds[] = {"new", "existing", "unblocked"};
    uint32_t id = source->id;
    switch (source->kind) {
    case SOURCE_NONE:
        return;
    case SOURCE_FRIEND_ADD:
        buf_printf(out, "friend_add.%s", id <= FRIEND_ADD_UNBLOCKED ? friend_adds[id] : "unknown");
        return;
    case SOURCE_OPERATOR:
        buf_printf(out, "operator %" PRIu32, id);
        return;
    case SOURCE_DEFINITIONS:
        buf_append_cstr(out, "definitions");
        return;
    case SOURCE_ON:
        describe_on_id(definitions, (enum trigger_on_kind)id, source->sub, out);
        return;
    case SOURCE_STEP:
    case SOURCE_FINISH:
    case SOURCE_BUTTON:
    case SOURCE_AUTO_REPLY:
    case SOURCE_BROADCAST:
    case SOURCE_FORM:
    case SOURCE_CALENDAR:
    case SOURCE_CONVERSION:
    case SOURCE_ROUTE:
    case SOURCE_LINK:
        print_name(out,
                   definitions == NULL
                       ? NULL
                       : name_in(definitions, source_names(definitions, source->kind), id),
                   id);
        if (source->kind == SOURCE_STEP) {
            print_step(out, step_name(definitions, id, source->sub), source->sub);
        }
        return;
    }
    buf_printf(out, "unknown %d", (int)source->kind);
}

/* Words are bytes that people and their programs sent: what is not UTF-8 becomes U+FFFD. */
static json_t *
json_text(struct span text)
{
    struct buf clean = {0};
    size_t at = 0;
    while (at < text.len) {
        utf8proc_int32_t codepoint;
        utf8proc_ssize_t len =
            utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.len - at), &codepoint);
        if (len <= 0) {
            buf_append_cstr(&clean, "\xef\xbf\xbd");
            at++;
        } else {
            buf_append(&clean, text.data + at, (size_t)len);
            at += (size_t)len;
        }
    }
    json_t *json = json_stringn(clean.len == 0 ? "" : (const char *)clean.data, clean.len);
    buf_fini(&clean);
    return json;
}

static json_t *
json_of_buf(struct buf *buf)
{
    json_t *json = json_string(buf_cstr(buf));
    buf_fini(buf);
    return json;
}

static json_t *
json_instant(int64_t at_ms, const struct zone *zone)
{
    struct buf text = {0};
    event_instant_text(at_ms, zone, &text);
    return json_of_buf(&text);
}

static json_t *
json_hex(const uint8_t *bytes, size_t len)
{
    struct buf text = {0};
    for (size_t i = 0; i < len; i++) {
        buf_printf(&text, "%02x", bytes[i]);
    }
    return json_of_buf(&text);
}

static json_t *
json_id(const char *name, uint32_t id)
{
    return name != NULL ? json_string(name) : json_integer(id);
}

static json_t *
json_named(const struct printing *printing, const struct names *names, uint32_t id)
{
    return json_id(names == NULL ? NULL : name_in(printing->definitions, names, id), id);
}

static json_t *
json_source(const struct printing *printing, const struct source *source)
{
    struct buf text = {0};
    event_source_text(source, printing->definitions, &text);
    return json_of_buf(&text);
}

/* FIELD_TEXT where nobody knows. */
static enum field_type
type_of_field(const struct printing *printing)
{
    const struct definitions *definitions = printing->definitions;
    uint32_t field = printing->event->u.field.field;
    bool known = definitions != NULL && field < definitions->field_names.count;
    return known ? definitions->fields[field].type : FIELD_TEXT;
}

/* Dates are kept as words, in digits, and printed as dates. */
static bool
is_date_word(const struct printing *printing)
{
    if (printing->event->kind != EVENT_FIELD_SET || printing->event->word_count != 1) {
        return false;
    }
    enum field_type type = type_of_field(printing);
    return type == FIELD_DATE || type == FIELD_DATETIME;
}

/* What the number of a field means is its type. A text field's value is in the words. */
static json_t *
json_number(const struct printing *printing, int64_t number)
{
    const struct event *event = printing->event;
    if (is_date_word(printing)) {
        char digits[24];
        snprintf(digits, sizeof(digits), "%.*s", span_fmt(event->words[0]));
        number = strtoll(digits, NULL, 10);
    } else if (event->word_count > 0 || event->words_erased) {
        return NULL;
    }
    enum field_type type = type_of_field(printing);
    if (type == FIELD_DATETIME) {
        return json_instant(number, printing->zone);
    }
    if (type == FIELD_DATE && number >= FIRST_MS / MS_PER_DAY && number <= LAST_MS / MS_PER_DAY) {
        struct civil_date date = civil_date_of(number);
        return json_sprintf("%04d-%02d-%02d", date.year, date.month, date.day);
    }
    return json_integer(number);
}

/* A choice and a text have no number. */
static json_t *
json_answer(const struct event *event, int64_t number)
{
    bool other = event->word_count > 0 || event->words_erased || event->u.form.option != NO_ID;
    return other ? NULL : json_integer(number);
}

static json_t *
json_items(const struct printing *printing)
{
    const struct definitions *definitions = printing->definitions;
    const struct event *event = printing->event;
    json_t *array = json_array();
    for (uint32_t i = 0; i < event->u.delivery.item_count; i++) {
        const struct delivery_item *item = &event->u.delivery.items[i];
        json_t *object = json_object();
        const struct names *names = definitions == NULL ? NULL : &definitions->template_names;
        json_object_set_new(object, "template", json_named(printing, names, item->template));
        if (item->source.kind != SOURCE_NONE) {
            json_object_set_new(object, "source", json_source(printing, &item->source));
        }
        if (item->enrolment != NO_ID) {
            json_object_set_new(object, "enrolment", json_integer(item->enrolment));
        }
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *
json_choice(const struct printing *printing, uint32_t choice)
{
    const struct definitions *definitions = printing->definitions;
    uint32_t button = printing->event->u.act.button;
    if (definitions != NULL && button < definitions->button_names.count &&
        choice < definitions->buttons[button].choice_count) {
        return json_string(definitions->buttons[button].choices[choice]);
    }
    return json_id(NULL, choice);
}

static bool
has_meaning_when_default(enum part_type type)
{
    return type == PART_YES_NO || type == PART_NUMBER || type == PART_INTEGER ||
           type == PART_CLASS || type == PART_ANSWER;
}

/* Numbers of friends; those whose delivery did not end as sent with what became of it. */
static json_t *
json_crowd(const struct event *event)
{
    struct crowd crowd;
    json_t *list = json_array();
    if (!crowd_unpack(event->u.delivery.crowd, &crowd)) {
        return list;
    }
    for (uint32_t i = 0; i < crowd.count; i++) {
        json_int_t friend = (json_int_t)crowd.friends[i];
        bool plain = event->kind == EVENT_DELIVERIES_INTENDED || crowd.numbers[i] == RESULT_SENT;
        const char *result = plain ? NULL : result_name((enum delivery_result)crowd.numbers[i]);
        json_array_append_new(
            list, result == NULL ? json_integer(friend)
                                 : json_pack("{s:I,s:s}", "friend", friend, "result", result));
    }
    return list;
}

/* NULL for an id that has no names, or where there are no definitions to ask. */
static const struct names *
names_of(const struct definitions *definitions, enum part_type type)
{
#define TYPE(type, shape)                                                                          \
    case type:                                                                                     \
        return NULL;
#define NAMED(type, names)                                                                         \
    case type:                                                                                     \
        return definitions == NULL ? NULL : &definitions->names;
    switch (type) {
        EVENT_PART_TYPES(TYPE)
        EVENT_NAMED_TYPES(NAMED)
    }
#undef TYPE
#undef NAMED
    return NULL;
}

static json_t *
json_id_part(const struct printing *printing, enum part_type type, uint32_t id)
{
    const struct definitions *definitions = printing->definitions;
    const struct event *event = printing->event;
    if (type == PART_STEP) {
        return json_id(step_name(definitions, event->u.step.scenario, event->u.step.step), id);
    }
    if (type == PART_CHOICE) {
        return json_choice(printing, id);
    }
    return json_named(printing, names_of(definitions, type), id);
}

static json_t *
json_number_part(const struct printing *printing, enum part_type type, int64_t number)
{
    if (type == PART_TIME) {
        return number < 0 /* DUE_UNKNOWN_YET */ ? NULL : json_instant(number, printing->zone);
    }
    return type == PART_NUMBER   ? json_number(printing, number)
           : type == PART_ANSWER ? json_answer(printing->event, number)
                                 : json_integer(number);
}

/* NULL: nothing to print. */
static json_t *
json_part(const struct printing *printing, const struct event_part *part)
{
    const struct event *event = printing->event;
    const void *at = event_part_of(event, part);
    if (event_part_is_default(event, part) && !has_meaning_when_default(part->type)) {
        return NULL;
    }
    switch (part->shape) {
    case SHAPE_U32:
        return part->type == PART_REASON ? json_string(reason_name(*(const enum reason *)at))
                                         : json_integer(*(const uint32_t *)at);
    case SHAPE_ID:
        return json_id_part(printing, part->type, *(const uint32_t *)at);
    case SHAPE_U64:
    case SHAPE_PREVIOUS:
        return part->type == PART_DIGEST ? json_sprintf("%016" PRIx64, *(const uint64_t *)at)
                                         : json_integer((json_int_t) * (const uint64_t *)at);
    case SHAPE_I64:
        return json_number_part(printing, part->type, *(const int64_t *)at);
    case SHAPE_FLAG:
        return json_boolean(*(const bool *)at);
    case SHAPE_TEXT:
        return json_text(*(const struct span *)at);
    case SHAPE_CROWD:
        return json_crowd(event);
    case SHAPE_BYTES_16:
        return json_hex(at, 16);
    case SHAPE_BYTES_32:
        return json_hex(at, 32);
    case SHAPE_CLASS:
        return event->u.delivery.item_count == 0 /* the class is that of the items */
                   ? NULL
                   : json_string(class_name(*(const enum message_class *)at));
    case SHAPE_HOW:
        return json_string(how_name(*(const enum delivery_how *)at));
    case SHAPE_RESULT:
        return json_string(result_name(*(const enum delivery_result *)at));
    case SHAPE_SOURCE:
        return json_source(printing, at);
    case SHAPE_ITEMS:
        return json_items(printing);
    case SHAPE_WORDS: /* printed by their own names */
        return NULL;
    }
    return NULL;
}

static void
print_parts(const struct printing *printing, const struct event_part *parts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        json_t *value = json_part(printing, &parts[i]);
        if (value != NULL) {
            json_object_set_new(printing->object, parts[i].name, value);
        }
    }
}

static json_t *
json_word(const struct event *event, const struct event_layout *layout, uint32_t index)
{
    if (layout->words_secret) {
        return json_string("present");
    }
    if (event->kind == EVENT_DEFINITIONS_APPLIED && index == 0) {
        json_t *canonical =
            json_loadb((const char *)event->words[0].data, event->words[0].len, 0, NULL);
        return canonical != NULL ? canonical : json_text(event->words[0]);
    }
    return json_text(event->words[index]);
}

static void
print_words(const struct printing *printing, const struct event_layout *layout)
{
    const struct event *event = printing->event;
    if (event->words_erased) {
        for (uint32_t i = 0; i < 3 && layout->words[i] != NULL; i++) {
            json_object_set_new(printing->object, layout->words[i], json_null());
        }
        json_object_set_new(printing->object, "erased", json_true());
        return;
    }
    if (layout->words_repeat && event->word_count > 0) {
        json_t *array = json_array();
        for (uint32_t i = 0; i < event->word_count; i++) {
            json_array_append_new(array, json_word(event, layout, i));
        }
        json_object_set_new(printing->object, layout->words[0], array);
        return;
    }
    if (is_date_word(printing)) {
        return; /* it stands there as "number" */
    }
    for (uint32_t i = 0; i < 3 && layout->words[i] != NULL && i < event->word_count; i++) {
        json_object_set_new(printing->object, layout->words[i], json_word(event, layout, i));
    }
}

json_t *
event_to_json(const struct event *event, const struct definitions *definitions,
              const struct zone *zone)
{
    struct printing printing = {json_object(), event, definitions, zone};
    const struct event_layout *layout = event_layout_of(event->kind);
    json_object_set_new(printing.object, "seq", json_integer((json_int_t)event->seq));
    json_object_set_new(printing.object, "at", json_instant(event->at_ms, zone));
    json_object_set_new(printing.object, "kind",
                        layout != NULL ? json_string(event_kind_name(event->kind))
                                       : json_integer((json_int_t)event->kind));
    print_parts(&printing, event_common_parts, event_common_count);
    if (layout != NULL) {
        print_parts(&printing, layout->parts, layout->part_count);
        print_words(&printing, layout);
    }
    return printing.object;
}
