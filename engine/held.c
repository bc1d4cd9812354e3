#include "engine/held.h"

#include "engine/turn.h"
#include <assert.h>
#include <stdlib.h>

/* Released beyond what the quota has room for: some of them will turn out to have nothing to send. */
enum { RELEASE_SLACK = 1024 };

struct candidate {
    struct rank rank;
    struct owner owner;
};

static const struct step *
step_of(const struct state *state, const struct enrolment *row)
{
    return scenario_step(&state->definitions->scenarios[row->scenario], row->step, NULL);
}

struct rank
rank_of(const struct state *state, struct owner owner)
{
    if (owner.kind == OWNER_DELIVERY) {
        const struct delivery *row = state_delivery(state, owner.index);
        struct source source = row->items[0].source;
        int32_t priority = source.kind == SOURCE_BROADCAST
                               ? state->definitions->broadcasts[source.id].priority
                               : 0;
        return (struct rank){priority, row->due_ms, row->seq};
    }
    const struct enrolment *row = state_enrolment(state, owner.index);
    const struct step *step = step_of(state, row);
    return (struct rank){step == NULL ? 0 : step->priority, row->due_ms, row->started_seq};
}

bool
rank_before(const struct rank *a, const struct rank *b)
{
    if (a->priority != b->priority) {
        return a->priority > b->priority;
    }
    if (a->due_ms != b->due_ms) {
        return a->due_ms < b->due_ms;
    }
    return a->created_seq < b->created_seq;
}

static int
by_rank(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (rank_before(&x->rank, &y->rank)) {
        return -1;
    }
    return rank_before(&y->rank, &x->rank) ? 1 : 0;
}

bool
owner_is_held(const struct state *state, struct owner owner)
{
    if (owner.kind == OWNER_DELIVERY) {
        const struct delivery *row = state_delivery(state, owner.index);
        return row->phase == DELIVERY_PLANNED && pressure_is_hold(row->deferred);
    }
    const struct enrolment *row = state_enrolment(state, owner.index);
    return row->phase == ENROLMENT_WAITING && pressure_is_hold(row->deferred);
}

bool
owner_must_stay(const struct state *state, struct owner owner)
{
    if (owner.kind == OWNER_DELIVERY) {
        const struct delivery *row = state_delivery(state, owner.index);
        return pressure_holds(state, row->deferred, row->message_class, NO_ID);
    }
    const struct enrolment *row = state_enrolment(state, owner.index);
    const struct step *step = step_of(state, row);
    return step != NULL && pressure_holds(state, row->deferred, step->message_class, row->scenario);
}

bool
friend_is_busy(const struct state *state, uint32_t friend)
{
    for (uint32_t i = state_friend_more(state, friend)->first_delivery; i != NO_ID;
         i = state_delivery(state, i)->next) {
        if (state_delivery(state, i)->phase == DELIVERY_INTENDED) {
            return true;
        }
    }
    return false;
}

uint32_t
owner_whose(const struct state *state, struct owner owner)
{
    return owner.kind == OWNER_DELIVERY ? state_delivery(state, owner.index)->friend
                                        : state_enrolment(state, owner.index)->friend;
}

void
held_fini(struct held *held)
{
    free(held->items);
    *held = (struct held){0};
}

void
held_add(struct held *held, struct owner owner)
{
    if (held->count == held->capacity) {
        held->capacity = held->capacity == 0 ? 64 : held->capacity * 2;
        held->items = realloc(held->items, held->capacity * sizeof(*held->items));
        assert(held->items != NULL);
    }
    held->items[held->count++] = owner;
}

/* Takes those that may go off the list; what is no longer held goes too. The list keeps its order. */
static uint32_t
pick(struct held *held, const struct state *state, struct candidate *out)
{
    uint32_t kept = 0, picked = 0;
    for (uint32_t i = 0; i < held->count; i++) {
        struct owner owner = held->items[i];
        if (!owner_is_held(state, owner)) {
            continue;
        }
        if (owner_must_stay(state, owner) || friend_is_busy(state, owner_whose(state, owner))) {
            held->items[kept++] = owner;
        } else {
            out[picked++] = (struct candidate){rank_of(state, owner), owner};
        }
    }
    held->count = kept;
    return picked;
}

bool
held_release(struct held *held, const struct state *state, held_put_fn put, void *context)
{
    held->wanted = false;
    if (held->count == 0) {
        return false;
    }
    struct candidate *candidates = malloc(held->count * sizeof(*candidates));
    assert(candidates != NULL);
    uint32_t count = pick(held, state, candidates);
    qsort(candidates, count, sizeof(*candidates), by_rank);
    /* The most urgent class has the largest allowance: the others fit into it. */
    uint64_t room = (uint64_t)state_allowance(state, CLASS_EMERGENCY) + RELEASE_SLACK;
    for (uint32_t i = 0; i < count; i++) {
        if (i < room) {
            put(context, candidates[i].owner);
        } else {
            held_add(held, candidates[i].owner);
            held->wanted = true;
        }
    }
    free(candidates);
    return count > 0;
}
