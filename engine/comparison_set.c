/* Comparisons of a field with something that is the same for all: asked of everybody in one pass over the
 * field's column. What has no such way is left to whoever asks friend by friend. */
#include "engine/column_scan.h"
#include "engine/fact.h"

#include <string.h>

struct asked {
    const struct inquiry *inquiry;
    const struct comparison *comparison;
    uint32_t field;
    enum field_type type;
};

struct range { /* both ends included; low > high: nothing */
    int64_t low, high;
};
static const struct range NOTHING = {1, 0};

static const struct zone *
zone_of(const struct asked *asked)
{
    return asked->inquiry->state->definitions->account.zone;
}

static struct bitmap *
scan_range(const struct asked *asked, struct range range, bool unset_too)
{
    const struct state *state = asked->inquiry->state;
    return column_scan_range(&state->columns, asked->field, range.low, range.high, unset_too,
                             state->friends.count);
}

/* Is the local day one stretch of time, as all are but where the clock goes back over midnight? Then later
 * instants never belong to an earlier day. */
static bool
day_is_plain(const struct zone *zone, int64_t begins_ms)
{
    for (uint32_t i = 0; i < zone->transition_count; i++) {
        int64_t at_ms = zone->at_s[i] * MS_PER_SECOND;
        if (at_ms >= begins_ms && at_ms <= begins_ms + 26 * MS_PER_HOUR &&
            zone->offset_s[i + 1] < zone->offset_s[i]) {
            return false;
        }
    }
    return true;
}

/* The instants of a local day; false where they are no plain range. */
static bool
instants_of(const struct asked *asked, int64_t first_day, int64_t last_day, struct range *out)
{
    const struct zone *zone = zone_of(asked);
    out->low = first_day == INT64_MIN ? INT64_MIN : civil_instant(zone, first_day, 0);
    out->high = last_day == INT64_MAX ? INT64_MAX : civil_instant(zone, last_day + 1, 0) - 1;
    return (first_day == INT64_MIN || day_is_plain(zone, out->low)) &&
           (last_day == INT64_MAX || day_is_plain(zone, out->high + 1));
}

/* What the field's value is compared with, as a number in the field's own unit, or as the instants of a day. */
static bool
equal_range(const struct asked *asked, struct range *out)
{
    const struct value *right = &asked->comparison->right;
    enum field_type type = right->type;
    int64_t number = right->number;
    if (right->kind == VALUE_TODAY) {
        type = FIELD_DATE;
        number = civil_local_day(zone_of(asked), asked->inquiry->now_ms);
    } else if (right->kind != VALUE_LITERAL) {
        return false;
    }
    if (asked->type == FIELD_DATE && type == FIELD_DATETIME) {
        type = FIELD_DATE;
        number = civil_local_day(zone_of(asked), number);
    }
    if (asked->type == FIELD_DATETIME && type == FIELD_DATE) {
        return instants_of(asked, number, number, out);
    }
    *out = (struct range){number, number};
    return type == asked->type;
}

static bool
wanted_range(const struct asked *asked, struct range *out)
{
    const struct comparison *comparison = asked->comparison;
    struct range equal;
    if (comparison->kind == COMPARE_WITHIN) {
        *out = (struct range){comparison->first_day, comparison->last_day};
        return asked->type == FIELD_DATE ||
               (asked->type == FIELD_DATETIME &&
                instants_of(asked, comparison->first_day, comparison->last_day, out));
    }
    if (!equal_range(asked, &equal)) {
        return false;
    }
    switch (comparison->kind) {
    case COMPARE_EQUAL:
        *out = equal;
        return true;
    case COMPARE_LESS:
        *out = equal.low == INT64_MIN ? NOTHING : (struct range){INT64_MIN, equal.low - 1};
        return true;
    case COMPARE_LESS_EQUAL:
        *out = (struct range){INT64_MIN, equal.high};
        return true;
    case COMPARE_GREATER:
        *out = equal.high == INT64_MAX ? NOTHING : (struct range){equal.high + 1, INT64_MAX};
        return true;
    case COMPARE_GREATER_EQUAL:
        *out = (struct range){equal.low, INT64_MAX};
        return true;
    case COMPARE_CONTAINS:
    case COMPARE_EMPTY:
    case COMPARE_WITHIN:
        break;
    }
    return false;
}

/* --- texts --- */

static bool
text_is_wanted(void *context, uint32_t text)
{
    const struct asked *asked = context;
    struct span own = texts_get(&asked->inquiry->state->texts, text);
    if (asked->comparison->kind == COMPARE_EMPTY || own.len == 0) {
        return asked->comparison->kind == COMPARE_EMPTY && own.len == 0;
    }
    return comparison_of_texts(asked->comparison->kind, own, asked->comparison->right.text);
}

static struct bitmap *
texts_set(struct asked *asked)
{
    const struct state *state = asked->inquiry->state;
    const struct value *right = &asked->comparison->right;
    bool empty = asked->comparison->kind == COMPARE_EMPTY;
    if (!empty && (right->kind != VALUE_LITERAL || right->type != FIELD_TEXT)) {
        return NULL;
    }
    if (asked->comparison->kind == COMPARE_EQUAL) {
        uint32_t text = texts_find(&state->texts, right->text);
        return text == TEXT_NONE
                   ? scan_range(asked, NOTHING, false)
                   : column_scan_text(&state->columns, asked->field, text, state->friends.count);
    }
    return column_scan_texts(&state->columns, asked->field, text_is_wanted, asked, empty,
                             state->friends.count);
}

/* A field whose type was changed may hold values of the other kind yet. */
static bool
has_other_kind(const struct asked *asked, bool is_text)
{
    const struct columns *columns = &asked->inquiry->state->columns;
    return asked->field < columns->count &&
           (is_text ? columns->numbers : columns->texts)[asked->field].set_count > 0;
}

struct bitmap *
comparison_set(const struct inquiry *inquiry, const struct comparison *comparison)
{
    if (comparison->left.kind != VALUE_FIELD) {
        return NULL;
    }
    const struct field *field = &inquiry->state->definitions->fields[comparison->left.field];
    struct asked asked = {inquiry, comparison, comparison->left.field, field->type};
    bool is_text = field->type == FIELD_TEXT || field->type >= FIELD_IMAGE;
    struct range range;
    if (has_other_kind(&asked, is_text)) {
        return NULL;
    }
    if (is_text) {
        return texts_set(&asked);
    }
    if (comparison->kind == COMPARE_EMPTY) {
        return scan_range(&asked, NOTHING, !field->has_start);
    }
    if (!wanted_range(&asked, &range)) {
        return NULL;
    }
    return scan_range(&asked, range,
                      field->has_start && field->start >= range.low && field->start <= range.high);
}
