/* Claims of the data directory, copies of it, and their release (SPEC R45). */
#include "engine/tables.h"
#include "engine/turn.h"

#include <stdlib.h>

/* Is this the very data file that the last claim was made on, with all it held? What neither side
 * knows (a file system without birth times) says nothing. */
bool
claim_is_of(const struct claim_row *last, const struct input *input)
{
    bool born_otherwise = last->birth_ns != 0 && input->u.claim.birth_ns != 0 &&
                          last->birth_ns != input->u.claim.birth_ns;
    bool same_file = !born_otherwise && last->inode == input->u.claim.inode;
    return !input->u.claim.replaced && same_file &&
           span_equal_cstr(input->u.claim.machine, last->machine) &&
           span_equal_cstr(input->u.claim.path, last->path);
}

void
claim_decide(struct turn *turn, const struct input *input)
{
    const struct claim_row *last = &turn->state->claim;
    uint64_t former_seq = last->former_seq; /* held is held until it is released */
    if (former_seq == 0 && last->seq != 0 && !input->u.claim.renewed && !claim_is_of(last, input)) {
        former_seq = last->seq;
    }
    struct event claimed = {.kind = EVENT_CLAIMED,
                            .friend = NO_ID,
                            .u.claimed = {.inode = input->u.claim.inode,
                                          .birth_ns = input->u.claim.birth_ns,
                                          .machine = input->u.claim.machine,
                                          .path = input->u.claim.path,
                                          .version = span_cstr(STEPD_VERSION),
                                          .former_claim = former_seq}};
    memcpy(claimed.u.claimed.run_id, input->u.claim.run_id, 16);
    turn_emit(turn, &claimed);
}

void
release_decide(struct turn *turn, const struct input *input)
{
    if (turn->state->claim.former_seq == 0) {
        return; /* nothing is held */
    }
    struct event released = {.kind = EVENT_RELEASED,
                             .friend = NO_ID,
                             .source = {SOURCE_OPERATOR, input->author, 0},
                             .u.released = {.from_ms = input->u.release.from_ms}};
    turn_emit(turn, &released);
    /* Its requests may have left, from here or from the directory this is a copy of. */
    for (uint32_t i = 0; i < turn->state->friends.count; i++) {
        delivery_give_up(turn, i, REASON_RESTORED);
    }
}

static void
claimed_apply(struct state *state, const struct event *event)
{
    struct claim_row *row = &state->claim;
    tables_add_run(state, event->u.claimed.run_id);
    if (event->u.claimed.former_claim != 0 && row->former_seq == 0) {
        row->former_ms = state->latest_ms;
    }
    row->former_seq = event->u.claimed.former_claim;
    row->seq = event->seq;
    row->inode = event->u.claimed.inode;
    row->birth_ns = event->u.claimed.birth_ns;
    tables_set_string(&row->machine, event->u.claimed.machine);
    tables_set_string(&row->path, event->u.claimed.path);
}

void
claim_apply(struct state *state, const struct event *event)
{
    if (event->kind == EVENT_CLAIMED) {
        claimed_apply(state, event);
        return;
    }
    state->claim.former_seq = 0;
    state->claim.former_ms = 0;
    state->claim.released_seq = event->seq;
    state->claim.released_ms = event->u.released.from_ms;
}
