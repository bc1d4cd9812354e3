/* Taking what is due: one owner, or as many of one content as share a request (SPEC R46, R47). */
#include "engine/take.h"

#include "engine/chunk.h"
#include "engine/trigger.h"
#include <assert.h>
#include <stdlib.h>

static bool
is_same(struct owner a, struct owner b)
{
    return a.kind == b.kind && a.index == b.index;
}

static struct taken
take_one(struct turn *turn, struct agenda *agenda, struct owner owner, uint32_t friend)
{
    uint64_t intended = owner.kind == OWNER_DELIVERY ? delivery_take(turn, owner.index)
                                                     : step_take(turn, owner.index);
    trigger_run_fired(turn, 0);
    agenda_look_at(agenda, friend, turn->now_ms); /* whatever else of this friend is due */
    if (intended == 0) {
        return (struct taken){0};
    }
    uint32_t *row = arena_alloc(turn->out->arena, sizeof(*row));
    *row = state_find_delivery(turn->state, friend, intended);
    return (struct taken){row, 1};
}

/* The next of a line that sends to one friend alone. False: it may not go, or it is gone. */
static bool
take_alone(struct turn *turn, struct agenda *agenda, const struct take_permit *permit,
           struct owner owner, struct taken *out_taken)
{
    uint32_t friend = agenda_take_up(agenda, owner, turn->now_ms);
    struct owner best = owner;
    if (friend == NO_ID) {
        return false;
    }
    bool found = agenda_best(agenda, friend, turn->now_ms, &best);
    assert(found);
    if (!due_may(permit, chunk_content(turn->state, best, turn->now_ms), 1)) {
        agenda_queue(agenda, best); /* the other comes again when that has gone */
        return false;
    }
    *out_taken = take_one(turn, agenda, best, friend);
    return true;
}

static int
by_friend(const void *a, const void *b, void *context)
{
    const struct state *state = context;
    uint32_t x = owner_whose(state, *(const struct owner *)a);
    uint32_t y = owner_whose(state, *(const struct owner *)b);
    return x < y ? -1 : x > y;
}

/* Those of a line of common content that are first in rank for their friends, sorted by friend, one each. */
static uint32_t
gather(struct turn *turn, struct agenda *agenda, enum message_class message_class, uint64_t content,
       struct owner owners[CROWD_MAX])
{
    struct owner owner;
    uint32_t count = 0;
    uint32_t most = chunk_most(turn->state, message_class, content);
    bool scarce = most < CROWD_MAX; /* then who came first gets what there is (SPEC R11, R5) */
    while (count < most && due_pop(&agenda->due, message_class, content, scarce, &owner)) {
        uint32_t friend = agenda_take_up(agenda, owner, turn->now_ms);
        struct owner best = owner;
        if (friend == NO_ID) {
            continue;
        }
        if (owner.kind == OWNER_ENROLMENT) {
            edit_follow(turn, owner.index); /* its timer came before the edit's job did */
        }
        if (!agenda_best(agenda, friend, turn->now_ms, &best)) {
            continue; /* it is not due any more */
        }
        if (is_same(best, owner) && chunk_content(turn->state, owner, turn->now_ms) == content) {
            owners[count++] = owner;
        } else {
            agenda_queue(agenda, best); /* this one comes again when that has gone */
        }
    }
    qsort_r(owners, count, sizeof(*owners), by_friend, agenda->state);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || !is_same(owners[kept - 1], owners[i])) {
            owners[kept++] = owners[i];
        }
    }
    return kept;
}

/* As many of one content as share a request. False: nobody of the line may go. */
static bool
take_common(struct turn *turn, struct agenda *agenda, enum message_class message_class,
            uint64_t content, struct taken *out_taken)
{
    struct owner owners[CROWD_MAX];
    uint32_t count = gather(turn, agenda, message_class, content, owners);
    if (count == 0) {
        return false;
    }
    if (count == 1) {
        *out_taken = take_one(turn, agenda, owners[0], owner_whose(turn->state, owners[0]));
        return true;
    }
    uint32_t friends[CROWD_MAX]; /* judging may end the rows */
    for (uint32_t i = 0; i < count; i++) {
        friends[i] = owner_whose(turn->state, owners[i]);
    }
    *out_taken = chunk_take(turn, owners, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!friend_is_busy(turn->state, friends[i])) {
            agenda_look_at(agenda, friends[i], turn->now_ms);
        }
    }
    return true;
}

bool
take_next(struct turn *turn, struct agenda *agenda, const struct take_permit *permit,
          struct taken *out_taken)
{
    enum message_class message_class;
    uint64_t content;
    while (agenda_next(agenda, permit, &message_class, &content)) {
        struct owner owner;
        pressure_begin_month(turn);
        bool done = content >= CONTENT_COMMON && !permit->alone
                        ? take_common(turn, agenda, message_class, content, out_taken)
                        : due_pop(&agenda->due, message_class, content, false, &owner) &&
                              take_alone(turn, agenda, permit, owner, out_taken);
        if (done) {
            return true;
        }
    }
    return false;
}
