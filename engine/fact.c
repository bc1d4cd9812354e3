#include "engine/fact.h"

#include "engine/calendar.h"
#include "engine/conversion.h"
#include "engine/deed.h"
#include "engine/form.h"
#include "engine/menu.h"
#include "engine/tables.h"

#include <assert.h>
#include <roaring/roaring.h>

/* One fact, both ways. `kept` or `collect` may be NULL; with neither, every friend is asked. */
struct fact {
    bool (*holds)(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op);
    const struct bitmap *(*kept)(const struct state *state, const struct condition_op *op);
    void (*collect)(const struct inquiry *inquiry, const struct condition_op *op,
                    roaring_bitmap_t *out);
};

static const struct bitmap *
set_at(struct bitmap *const *sets, uint32_t capacity, uint32_t id)
{
    return id < capacity ? sets[id] : NULL;
}

static bool
everyone_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    (void)inquiry, (void)friend, (void)op;
    return true;
}

static void
everyone_collect(const struct inquiry *inquiry, const struct condition_op *op,
                 roaring_bitmap_t *out)
{
    (void)op;
    roaring_bitmap_add_range(out, 0, inquiry->state->friends.count);
}

static bool
tag_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return state_has_tag(inquiry->state, friend, op->id);
}

static const struct bitmap *
tag_kept(const struct state *state, const struct condition_op *op)
{
    return set_at(state->tags, state->tag_capacity, op->id);
}

/* Runs the scenario; or waits for that step of it (SPEC R24 "scenario and step"). */
static bool
row_is_in(const struct enrolment *row, const struct condition_op *op)
{
    return row->phase != ENROLMENT_FREE && row->scenario == op->id &&
           (op->sub == NO_ID || (row->phase == ENROLMENT_WAITING && row->step == op->sub));
}

static bool
in_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    const struct state *state = inquiry->state;
    uint32_t next = state_friend(state, friend)->first_enrolment;
    while (next != NO_ID && !row_is_in(state_enrolment(state, next), op)) {
        next = state_enrolment(state, next)->next;
    }
    return next != NO_ID;
}

static void
in_collect(const struct inquiry *inquiry, const struct condition_op *op, roaring_bitmap_t *out)
{
    const struct state *state = inquiry->state;
    for (uint32_t i = 0; i < state->enrolments.count; i++) {
        if (row_is_in(state_enrolment(state, i), op)) {
            roaring_bitmap_add(out, state_enrolment(state, i)->friend);
        }
    }
}

static bool
finished_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return state_has_finished(inquiry->state, friend, op->id);
}

static const struct bitmap *
finished_kept(const struct state *state, const struct condition_op *op)
{
    return set_at(state->finished, state->scenario_capacity, op->id);
}

static bool
tapped_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return state_has_tapped(inquiry->state, friend, op->id);
}

static const struct bitmap *
tapped_kept(const struct state *state, const struct condition_op *op)
{
    return set_at(state->tapped, state->tapped_capacity, op->id);
}

static bool
received_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return state_has_received(inquiry->state, friend, op->id);
}

static const struct bitmap *
received_kept(const struct state *state, const struct condition_op *op)
{
    return set_at(state->received, state->received_capacity, op->id);
}

static bool
mark_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return state_friend_more(inquiry->state, friend)->mark == op->id;
}

static bool
answered_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return state_has_answered(inquiry->state, friend, op->id);
}

static bool
converted_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return state_has_converted(inquiry->state, friend, op->id);
}

static const struct bitmap *
converted_kept(const struct state *state, const struct condition_op *op)
{
    return set_at(state->converted, state->conversion_capacity, op->id);
}

/* The instants that the fact is asked about; what is not over yet where it asks for no time. */
static struct stretch
stretch_of(const struct inquiry *inquiry, const struct condition_op *op)
{
    return op->within == NULL
               ? (struct stretch){inquiry->now_ms, INT64_MAX}
               : within_stretch(op->within, inquiry->state->definitions->account.zone,
                                inquiry->now_ms);
}

/* A booking there that has not begun; with a period: one whose slot begins within it. */
static bool
row_is_booked(const struct booking *row, const struct condition_op *op, struct stretch when)
{
    return row->calendar == op->id && row->phase == BOOKING_OPEN && row->at_ms >= when.from_ms &&
           row->at_ms <= when.to_ms;
}

static bool
booked_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    const struct state *state = inquiry->state;
    struct stretch when = stretch_of(inquiry, op);
    uint32_t next = state_friend_more(state, friend)->first_booking;
    while (next != NO_ID && !row_is_booked(state_booking(state, next), op, when)) {
        next = state_booking(state, next)->next;
    }
    return next != NO_ID;
}

static void
booked_collect(const struct inquiry *inquiry, const struct condition_op *op, roaring_bitmap_t *out)
{
    const struct state *state = inquiry->state;
    struct stretch when = stretch_of(inquiry, op);
    for (uint32_t i = 0; i < state->bookings.count; i++) {
        if (row_is_booked(state_booking(state, i), op, when)) {
            roaring_bitmap_add(out, state_booking(state, i)->friend);
        }
    }
}

static enum deed_kind
deed_of(const struct condition_op *op)
{
    switch (op->kind) {
    case CONDITION_ANSWERED:
        return DEED_ANSWERED;
    case CONDITION_TAPPED:
        return DEED_TAPPED;
    case CONDITION_ROUTE:
        return DEED_ROUTE;
    case CONDITION_CLICKED:
        return op->within != NULL && op->within->kind == WITHIN_OF_DELIVERY ? DEED_CLICKED_AFTER
                                                                            : DEED_CLICKED;
    default: /* the last that is a row of its own */
        return DEED_CONVERTED;
    }
}

static bool
done_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return state_newest_deed(inquiry->state, friend, deed_of(op), op->id) >= 0;
}

static bool
done_within_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return state_has_done(inquiry->state, friend, deed_of(op), op->id, stretch_of(inquiry, op));
}

static bool
received_within_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return state_has_received_within(inquiry->state, friend, op->id, stretch_of(inquiry, op));
}

static void
received_within_collect(const struct inquiry *inquiry, const struct condition_op *op,
                        roaring_bitmap_t *out)
{
    struct bitmap *members = (struct bitmap *)out;
    state_collect_received_within(inquiry->state, op->id, stretch_of(inquiry, op), members);
}

static bool
rank_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return state_rank(inquiry->state, state_friend_more(inquiry->state, friend)->score) == op->id;
}

static bool
rich_menu_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return state_menu(inquiry->state, friend) == op->id;
}

static bool
compare_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return comparison_holds(inquiry, friend, op->comparison);
}

/* clang-format off */
static const struct fact FACTS[] = {
    [CONDITION_TRUE] =      {everyone_holds,  NULL,           everyone_collect},
    [CONDITION_TAG] =       {tag_holds,       tag_kept,       NULL},
    [CONDITION_IN] =        {in_holds,        NULL,           in_collect},
    [CONDITION_FINISHED] =  {finished_holds,  finished_kept,  NULL},
    [CONDITION_TAPPED] =    {tapped_holds,    tapped_kept,    NULL},
    [CONDITION_RECEIVED] =  {received_holds,  received_kept,  NULL},
    [CONDITION_MARK] =      {mark_holds,      NULL,           NULL},
    [CONDITION_COMPARE] =   {compare_holds,   NULL,           NULL},
    [CONDITION_ANSWERED] =  {answered_holds,  NULL,           NULL},
    [CONDITION_CONVERTED] = {converted_holds, converted_kept, NULL},
    [CONDITION_BOOKED] =    {booked_holds,    NULL,           booked_collect},
    [CONDITION_ROUTE] =     {done_holds,      NULL,           NULL},
    [CONDITION_CLICKED] =   {done_holds,      NULL,           NULL},
    [CONDITION_RANK] =      {rank_holds,      NULL,           NULL},
    [CONDITION_RICH_MENU] =      {rich_menu_holds,      NULL,           NULL},
};

/* The same facts where they have to lie within some time (engine/deed.h). */
static const struct fact FACTS_WITHIN[] = {
    [CONDITION_TAPPED] =    {done_within_holds,     NULL, NULL},
    [CONDITION_RECEIVED] =  {received_within_holds, NULL, received_within_collect},
    [CONDITION_ANSWERED] =  {done_within_holds,     NULL, NULL},
    [CONDITION_CONVERTED] = {done_within_holds,     NULL, NULL},
    [CONDITION_BOOKED] =    {booked_holds,          NULL, booked_collect},
    [CONDITION_ROUTE] =     {done_within_holds,     NULL, NULL},
    [CONDITION_CLICKED] =   {done_within_holds,     NULL, NULL},
};
/* clang-format on */

static const struct fact *
fact_of(const struct condition_op *op)
{
    size_t count = op->within == NULL ? sizeof(FACTS) : sizeof(FACTS_WITHIN);
    const struct fact *facts = op->within == NULL ? FACTS : FACTS_WITHIN;
    assert((size_t)op->kind < count / sizeof(*facts));
    assert(facts[op->kind].holds != NULL); /* AND, OR and NOT are no facts */
    return &facts[op->kind];
}

bool
fact_holds(const struct inquiry *inquiry, uint32_t friend, const struct condition_op *op)
{
    return fact_of(op)->holds(inquiry, friend, op);
}

bool
fact_kept_set(const struct inquiry *inquiry, const struct condition_op *op,
              const struct bitmap **out_set)
{
    const struct fact *fact = fact_of(op);
    if (fact->kept == NULL) {
        return false;
    }
    *out_set = fact->kept(inquiry->state, op);
    return true;
}

/* The plain way: every friend is asked, and told to the set some at a time. */
static void
ask_everyone(const struct inquiry *inquiry, const struct condition_op *op, roaring_bitmap_t *out)
{
    enum { SOME = 1024 };
    const struct fact *fact = fact_of(op);
    uint32_t found[SOME];
    size_t count = 0;
    for (uint32_t friend = 0; friend < inquiry->state->friends.count; friend ++) {
        if (fact->holds(inquiry, friend, op)) {
            found[count++] = friend;
            if (count == SOME) {
                roaring_bitmap_add_many(out, count, found);
                count = 0;
            }
        }
    }
    roaring_bitmap_add_many(out, count, found);
}

struct bitmap *
fact_quick_set(const struct inquiry *inquiry, const struct condition_op *op)
{
    const struct fact *fact = fact_of(op);
    if (op->kind == CONDITION_COMPARE) {
        return comparison_set(inquiry, op->comparison);
    }
    if (fact->kept == NULL && fact->collect == NULL) {
        return NULL;
    }
    const struct bitmap *kept = fact->kept == NULL ? NULL : fact->kept(inquiry->state, op);
    roaring_bitmap_t *set = kept == NULL ? roaring_bitmap_create()
                                         : roaring_bitmap_copy((const roaring_bitmap_t *)kept);
    assert(set != NULL);
    if (fact->collect != NULL) {
        fact->collect(inquiry, op, set);
    }
    return (struct bitmap *)set;
}

struct bitmap *
fact_collect(const struct inquiry *inquiry, const struct condition_op *op)
{
    struct bitmap *quick = fact_quick_set(inquiry, op);
    if (quick != NULL) {
        return quick;
    }
    roaring_bitmap_t *set = roaring_bitmap_create();
    assert(set != NULL);
    ask_everyone(inquiry, op, set);
    return (struct bitmap *)set;
}
