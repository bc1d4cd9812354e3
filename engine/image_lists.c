/* The lists of an image that was read: every row hangs on exactly one. */
#include "engine/image_bytes.h"
#include "engine/state.h"

#include <assert.h>
#include <stdlib.h>

struct walk {
    uint8_t *seen;
    uint32_t count, found;
    bool broken;
};

/* Counts one row in; false when it cannot be on this list. */
static bool
visit(struct walk *walk, uint32_t index, bool belongs)
{
    if (index >= walk->count || !belongs || walk->seen[index] != 0) {
        walk->broken = true;
        return false;
    }
    walk->seen[index] = 1;
    walk->found++;
    return true;
}

static struct walk
walk_begin(uint32_t count)
{
    struct walk walk = {.seen = calloc((size_t)count + 1, 1), .count = count};
    assert(walk.seen != NULL);
    return walk;
}

/* True when every row was on a list. */
static bool
walk_end(struct walk *walk)
{
    free(walk->seen);
    return !walk->broken && walk->found == walk->count;
}

static bool
values_hold(const struct state *state)
{
    struct walk walk = walk_begin(state->value_count);
    for (uint32_t f = 0; f < state->friend_count && !walk.broken; f++) {
        for (uint32_t i = state->friends[f].first_value; i != NO_ID && visit(&walk, i, true);) {
            i = state->values[i].next;
        }
    }
    for (uint32_t i = state->value_free; i != NO_ID && visit(&walk, i, true);) {
        i = state->values[i].next;
    }
    return walk_end(&walk);
}

static bool
enrolments_hold(const struct state *state)
{
    const struct enrolment *rows = state->enrolments;
    struct walk walk = walk_begin(state->enrolment_count);
    for (uint32_t f = 0; f < state->friend_count && !walk.broken; f++) {
        uint32_t i = state->friends[f].first_enrolment;
        while (i != NO_ID &&
               visit(&walk, i,
                     i < walk.count && rows[i].phase != ENROLMENT_FREE && rows[i].friend == f)) {
            i = rows[i].next;
        }
    }
    uint32_t i = state->enrolment_free;
    while (i != NO_ID && visit(&walk, i, i < walk.count && rows[i].phase == ENROLMENT_FREE)) {
        i = rows[i].next;
    }
    return walk_end(&walk);
}

static bool
deliveries_hold(const struct state *state)
{
    const struct delivery *rows = state->deliveries;
    struct walk walk = walk_begin(state->delivery_count);
    for (uint32_t f = 0; f < state->friend_count && !walk.broken; f++) {
        uint32_t i = state->friends[f].first_delivery;
        while (i != NO_ID &&
               visit(&walk, i,
                     i < walk.count && rows[i].phase != DELIVERY_FREE && rows[i].friend == f)) {
            i = rows[i].next;
        }
    }
    uint32_t i = state->delivery_free;
    while (i != NO_ID && visit(&walk, i, i < walk.count && rows[i].phase == DELIVERY_FREE)) {
        i = rows[i].next;
    }
    return walk_end(&walk);
}

static bool
once_hold(const struct state *state)
{
    struct walk walk = walk_begin(state->once_count);
    for (uint32_t f = 0; f < state->friend_count && !walk.broken; f++) {
        for (uint32_t i = state->friends[f].first_once; i != NO_ID && visit(&walk, i, true);) {
            i = state->once[i].next;
        }
    }
    return walk_end(&walk);
}

static bool
taps_hold(const struct state *state)
{
    struct walk walk = walk_begin(state->tap_count);
    for (uint32_t f = 0; f < state->friend_count && !walk.broken; f++) {
        for (uint32_t i = state->friends[f].first_tap; i != NO_ID && visit(&walk, i, true);) {
            i = state->taps[i].next;
        }
    }
    return walk_end(&walk);
}

static bool
sent_hold(const struct state *state)
{
    struct walk walk = walk_begin(state->sent_count);
    for (uint32_t f = 0; f < state->friend_count && !walk.broken; f++) {
        for (uint32_t i = state->friends[f].first_sent; i != NO_ID && visit(&walk, i, true);) {
            i = state->sent[i].next;
        }
    }
    for (uint32_t i = state->sent_free; i != NO_ID && visit(&walk, i, true);) {
        i = state->sent[i].next;
    }
    return walk_end(&walk);
}

static bool
decided_hold(const struct state *state)
{
    const struct enrolment *rows = state->enrolments;
    struct walk walk = walk_begin(state->decided_count);
    for (uint32_t e = 0; e < state->enrolment_count && !walk.broken; e++) {
        uint32_t i = rows[e].phase == ENROLMENT_FREE ? NO_ID : rows[e].first_decided;
        while (i != NO_ID && visit(&walk, i, true)) {
            i = state->decided[i].next;
        }
    }
    for (uint32_t i = state->decided_free; i != NO_ID && visit(&walk, i, true);) {
        i = state->decided[i].next;
    }
    return walk_end(&walk);
}

bool
image_lists_hold(const struct state *state)
{
    return values_hold(state) && enrolments_hold(state) && deliveries_hold(state) &&
           once_hold(state) && taps_hold(state) && sent_hold(state) && decided_hold(state);
}
