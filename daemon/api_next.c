/* What comes next: waiting steps and open deliveries in the order in which they will be looked at. */
#include "daemon/api_call.h"

#include <stdlib.h>

enum { NEXT_MAX = 5000 };

/* One thing to come; `owner` is a row of enrolments, or of deliveries. */
struct upcoming {
    int64_t wake_ms;
    int64_t due_ms;
    uint32_t friend;
    uint32_t owner;
    bool is_delivery;
};

/* The soonest `limit` of all that was offered: a heap whose top is the latest of them, so that a
 * million waiting friends cost one comparison each and no sort. */
struct soonest {
    struct upcoming *items;
    uint32_t count, limit;
    bool more; /* something was left out */
};

static int
upcoming_compare(const void *left, const void *right)
{
    const struct upcoming *a = left, *b = right;
    if (a->wake_ms != b->wake_ms) {
        return a->wake_ms < b->wake_ms ? -1 : 1;
    }
    if (a->due_ms != b->due_ms) {
        return a->due_ms < b->due_ms ? -1 : 1;
    }
    if (a->friend != b->friend) {
        return a->friend < b->friend ? -1 : 1;
    }
    if (a->is_delivery != b->is_delivery) {
        return a->is_delivery ? -1 : 1;
    }
    return a->owner < b->owner ? -1 : a->owner > b->owner;
}

static void
swap(struct upcoming *a, struct upcoming *b)
{
    struct upcoming kept = *a;
    *a = *b;
    *b = kept;
}

static void
soonest_offer(struct soonest *soonest, struct upcoming item)
{
    struct upcoming *items = soonest->items;
    uint32_t at;
    if (soonest->count < soonest->limit) {
        at = soonest->count++;
        items[at] = item;
        while (at > 0 && upcoming_compare(&items[at], &items[(at - 1) / 2]) > 0) {
            swap(&items[at], &items[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        return;
    }
    soonest->more = true;
    if (upcoming_compare(&item, &items[0]) > 0) {
        return;
    }
    items[0] = item;
    for (at = 0;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < soonest->count && upcoming_compare(&items[child + 1], &items[child]) > 0) {
            child++;
        }
        if (child >= soonest->count || upcoming_compare(&items[child], &items[at]) <= 0) {
            break;
        }
        swap(&items[child], &items[at]);
        at = child;
    }
}

static void
offer_enrolment(struct soonest *soonest, const struct state *state, uint32_t index)
{
    const struct enrolment *row = state_enrolment(state, index);
    if (row->phase != ENROLMENT_WAITING) {
        return; /* in delivery: the delivery itself is listed */
    }
    bool known = row->due_ms != DUE_UNKNOWN_YET; /* else it counts from a delivery still open */
    soonest_offer(soonest, (struct upcoming){.wake_ms = known ? state_wake(state, row) : INT64_MAX,
                                             .due_ms = row->due_ms,
                                             .friend = row->friend,
                                             .owner = index});
}

static void
offer_delivery(struct soonest *soonest, const struct state *state, uint32_t index)
{
    const struct delivery *row = state_delivery(state, index);
    if (row->phase != DELIVERY_FREE) {
        soonest_offer(
            soonest,
            (struct upcoming){.wake_ms = row->wake_ms > row->due_ms ? row->wake_ms : row->due_ms,
                              .due_ms = row->due_ms,
                              .friend = row->friend,
                              .owner = index,
                              .is_delivery = true});
    }
}

static json_t *
upcoming_json(const struct api_call *call, const struct upcoming *item)
{
    const char *source, *deferred = NULL;
    json_t *templates;
    if (item->is_delivery) {
        const struct delivery *row = state_delivery(call->state, item->owner);
        source = api_items_source(call, row->items, row->item_count);
        templates = api_items_templates(call, row->items, row->item_count);
    } else {
        const struct enrolment *row = state_enrolment(call->state, item->owner);
        source = api_step_source(call, row->scenario, row->step);
        templates = api_step_templates(call, row->scenario, row->step);
        deferred = row->deferred == REASON_NONE ? NULL : reason_name(row->deferred);
    }
    return json_pack("{s:o,s:o,s:I,s:o,s:o,s:o,s:o,s:o}", "due", api_instant(call, item->due_ms),
                     "wake", api_instant(call, item->wake_ms), "friend", (json_int_t)item->friend,
                     "user_id", api_user_id(call, item->friend), "name",
                     api_text(state_name(call->state, item->friend)), "source", api_text(source),
                     "templates", templates, "deferred", api_text(deferred));
}

/* The query's friend; NO_ID when it names none. */
static bool
read_friend(struct api_call *call, uint32_t *out_friend)
{
    const char *text = NULL;
    if (call->request->query != NULL) {
        text = call->request->query(call->request->query_context, "friend");
    }
    *out_friend = NO_ID;
    return text == NULL || api_friend_text(call, text, out_friend);
}

void
api_get_next(struct api_call *call)
{
    const struct state *state = call->state;
    uint32_t friend;
    int64_t limit;
    if (!api_query_number(call, "limit", 50, 1, NEXT_MAX, &limit) || !read_friend(call, &friend)) {
        return;
    }
    struct soonest soonest = {.limit = (uint32_t)limit};
    soonest.items = arena_alloc(call->api->arena, (size_t)limit * sizeof(*soonest.items));
    if (friend != NO_ID) {
        const struct friend_row *row = state_friend(state, friend);
        for (uint32_t i = row->first_enrolment; i != NO_ID; i = state_enrolment(state, i)->next) {
            offer_enrolment(&soonest, state, i);
        }
        for (uint32_t i = state_friend_more(state, friend)->first_delivery; i != NO_ID;
             i = state_delivery(state, i)->next) {
            offer_delivery(&soonest, state, i);
        }
    } else {
        for (uint32_t i = 0; i < state->enrolments.count; i++) {
            offer_enrolment(&soonest, state, i);
        }
        for (uint32_t i = 0; i < state->deliveries.count; i++) {
            offer_delivery(&soonest, state, i);
        }
    }
    qsort(soonest.items, soonest.count, sizeof(*soonest.items), upcoming_compare);

    json_t *list = json_array();
    for (uint32_t i = 0; i < soonest.count; i++) {
        json_array_append_new(list, upcoming_json(call, &soonest.items[i]));
    }
    api_ok(call, API_NOW, json_pack("{s:o,s:b}", "next", list, "more", (int)soonest.more));
}
