#include "engine/deed.h"

#include "engine/tables.h"

#include <stdlib.h>

struct stretch
within_stretch(const struct within *within, const struct zone *zone, int64_t now_ms)
{
    struct stretch stretch = {INT64_MIN, INT64_MAX};
    if (within->kind == WITHIN_LAST) {
        return (struct stretch){now_ms - within->ms, now_ms};
    }
    if (within->kind == WITHIN_OF_DELIVERY) {
        return (struct stretch){0, within->ms}; /* since the delivery */
    }
    if (within->first_day != INT64_MIN) {
        stretch.from_ms = civil_instant(zone, within->first_day, 0);
    }
    if (within->last_day != INT64_MAX) {
        stretch.to_ms = civil_instant(zone, within->last_day + 1, 0) - 1;
    }
    return stretch;
}

/* INT64_MIN stays open. */
static int64_t
floor_of(int64_t at_ms, int64_t unit_ms)
{
    return at_ms == INT64_MIN || at_ms == INT64_MAX ? at_ms : at_ms / unit_ms;
}

bool
state_has_done(const struct state *state, uint32_t friend, enum deed_kind kind, uint32_t id,
               struct stretch when)
{
    int64_t from_s = floor_of(when.from_ms, MS_PER_SECOND);
    int64_t to_s = floor_of(when.to_ms, MS_PER_SECOND);
    for (uint32_t i = state_friend_more(state, friend)->first_deed; i != NO_ID;
         i = state_deed(state, i)->next) {
        const struct deed_row *row = state_deed(state, i);
        if (row->kind == kind && row->id == id && row->at_s >= from_s && row->at_s <= to_s) {
            return true;
        }
    }
    return false;
}

int64_t
state_newest_deed(const struct state *state, uint32_t friend, enum deed_kind kind, uint32_t id)
{
    for (uint32_t i = state_friend_more(state, friend)->first_deed; i != NO_ID;
         i = state_deed(state, i)->next) {
        if (state_deed(state, i)->kind == kind && state_deed(state, i)->id == id) {
            return (int64_t)state_deed(state, i)->at_s * MS_PER_SECOND;
        }
    }
    return -1;
}

bool
state_has_clicked(const struct state *state, uint32_t friend, uint32_t link)
{
    return state_newest_deed(state, friend, DEED_CLICKED, link) >= 0;
}

/* The first set of the template that is not before the hour. */
static uint32_t
lower_bound(const struct received_hours *hours, int64_t hour)
{
    uint32_t low = 0, high = hours->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (hours->items[middle].hour < hour) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool
state_has_received_within(const struct state *state, uint32_t friend, uint32_t template,
                          struct stretch when)
{
    if (template >= state->received_hours_capacity) {
        return false;
    }
    const struct received_hours *hours = &state->received_hours[template];
    int64_t last = floor_of(when.to_ms, MS_PER_HOUR);
    for (uint32_t i = lower_bound(hours, floor_of(when.from_ms, MS_PER_HOUR));
         i < hours->count && hours->items[i].hour <= last; i++) {
        if (set_holds(hours->items[i].friends, friend)) {
            return true;
        }
    }
    return false;
}

void
state_collect_received_within(const struct state *state, uint32_t template, struct stretch when,
                              struct bitmap *members)
{
    if (template >= state->received_hours_capacity) {
        return;
    }
    const struct received_hours *hours = &state->received_hours[template];
    int64_t last = floor_of(when.to_ms, MS_PER_HOUR);
    for (uint32_t i = lower_bound(hours, floor_of(when.from_ms, MS_PER_HOUR));
         i < hours->count && hours->items[i].hour <= last; i++) {
        set_unite(members, hours->items[i].friends);
    }
}

/* apply */

static void
add_row(struct state *state, uint32_t friend, enum deed_kind kind, uint32_t id, int64_t at_ms)
{
    struct friend_more *more = tables_friend_more(state, friend);
    uint32_t index = table_take(&state->deeds);
    struct deed_row *row = table_at(&state->deeds, index);
    row->next = more->first_deed;
    row->kind = (uint8_t)kind;
    row->id = id & DEED_ID_MAX;
    row->at_s = (uint32_t)(at_ms / MS_PER_SECOND);
    more->first_deed = index;
}

/* The set of a template and an hour, made where there is none. Clocks go back, so it may be an old one. */
struct bitmap **
deed_hour_slot(struct state *state, uint32_t template, uint32_t hour)
{
    state->received_hours = tables_grow(state->received_hours, &state->received_hours_capacity,
                                        template + 1, sizeof(*state->received_hours));
    struct received_hours *hours = &state->received_hours[template];
    uint32_t at = lower_bound(hours, hour);
    if (at == hours->count || hours->items[at].hour != hour) {
        hours->items =
            tables_grow(hours->items, &hours->capacity, hours->count + 1, sizeof(*hours->items));
        memmove(&hours->items[at + 1], &hours->items[at],
                (hours->count - at) * sizeof(*hours->items));
        hours->items[at] = (struct received_hour){.hour = hour};
        hours->count++;
    }
    return &hours->items[at].friends;
}

static void
sent(struct state *state, const struct event *event, uint32_t template)
{
    const struct definitions *definitions = state->definitions;
    set_add(deed_hour_slot(state, template, (uint32_t)(event->at_ms / MS_PER_HOUR)), event->friend);
    if (template >= definitions->template_names.count) {
        return; /* read back by somebody who has no definitions */
    }
    for (uint32_t i = 0; i < definitions->templates[template].insertion_count; i++) {
        const struct insertion *insertion = &definitions->templates[template].insertions[i];
        if (insertion->kind == INSERTION_LINK) {
            add_row(state, event->friend, DEED_LINK_SENT, insertion->field, event->at_ms);
        }
    }
}

static void
clicked(struct state *state, const struct event *event)
{
    uint32_t link = event->u.clicked.link;
    add_row(state, event->friend, DEED_CLICKED, link, event->at_ms);
    if (event->u.clicked.known) {
        add_row(state, event->friend, DEED_CLICKED_AFTER, link,
                (int64_t)event->u.clicked.after_s * MS_PER_SECOND);
    }
}

void
deed_apply(struct state *state, const struct event *event)
{
    switch (event->kind) {
    case EVENT_FORM_ANSWERED:
        add_row(state, event->friend, DEED_ANSWERED, event->u.form.form, event->at_ms);
        break;
    case EVENT_TAPPED:
        if (event->u.act.button != NO_ID && event->u.act.reason == REASON_NONE) {
            add_row(state, event->friend, DEED_TAPPED, event->u.act.button, event->at_ms);
        }
        break;
    case EVENT_CONVERTED:
        if (event->u.conversion.counted) {
            add_row(state, event->friend, DEED_CONVERTED, event->u.conversion.conversion,
                    event->at_ms);
        }
        break;
    case EVENT_DELIVERY_OUTCOME:
        for (uint32_t i = 0;
             event->u.delivery.result == RESULT_SENT && i < event->u.delivery.item_count; i++) {
            sent(state, event, event->u.delivery.items[i].template);
        }
        break;
    case EVENT_ROUTE_SCANNED:
        add_row(state, event->friend, DEED_SCANNED, event->u.route.route, event->at_ms);
        break;
    case EVENT_ROUTE_TAKEN:
        add_row(state, event->friend, DEED_ROUTE, event->u.route.route, event->at_ms);
        break;
    case EVENT_CLICKED:
        clicked(state, event);
        break;
    default: /* no deed */
        break;
    }
}

/* digest */

void
deed_digest(const struct state *state, uint32_t friend, struct checksum *sum)
{
    for (uint32_t i = state_friend_more(state, friend)->first_deed; i != NO_ID;
         i = state_deed(state, i)->next) {
        checksum_add_u64(sum,
                         (uint64_t)state_deed(state, i)->kind << 32 | state_deed(state, i)->id);
        checksum_add_u64(sum, state_deed(state, i)->at_s);
    }
}

void
deed_digest_sets(const struct state *state, struct checksum *sum)
{
    for (uint32_t template = 0; template <state->received_hours_capacity; template ++) {
        const struct received_hours *hours = &state->received_hours[template];
        for (uint32_t i = 0; i < hours->count; i++) {
            checksum_add_u64(sum, (uint64_t) template << 32 | hours->items[i].hour);
            checksum_add_u64(sum, tables_sets_checksum(&hours->items[i].friends, 1));
        }
    }
}

void
deed_fini(struct state *state)
{
    for (uint32_t template = 0; template <state->received_hours_capacity; template ++) {
        struct received_hours *hours = &state->received_hours[template];
        for (uint32_t i = 0; i < hours->count; i++) {
            set_free(hours->items[i].friends);
        }
        free(hours->items);
    }
    free(state->received_hours);
}
