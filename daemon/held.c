#include "daemon/held.h"

#include "daemon/instant.h"
#include "daemon/replay.h"

bool
held_by_claim(const struct core *core)
{
    return core_state(core)->claim.former_seq != 0;
}

static void
count_due(struct held_gap *gap, int64_t due_ms)
{
    gap->due_count++;
    if (gap->due_since_ms == INSTANT_NONE || due_ms < gap->due_since_ms) {
        gap->due_since_ms = due_ms;
    }
}

static const char *
what_differs(const struct claim_row *now, const struct event *former)
{
    if (!span_equal_cstr(former->u.claimed.machine, now->machine)) {
        return "machine";
    }
    if (!span_equal_cstr(former->u.claimed.path, now->path)) {
        return "path";
    }
    bool same_file =
        former->u.claimed.inode == now->inode && former->u.claimed.birth_ns == now->birth_ns;
    return same_file ? "newest event" : "data file";
}

enum rc
held_look(struct core *core, struct arena *arena, struct held_gap *out_gap)
{
    const struct state *state = core_state(core);
    struct event former;
    if (!held_by_claim(core)) {
        return RC_NOT_FOUND;
    }
    enum rc rc = replay_read_event(core_log(core), state->claim.former_seq, arena, &former);
    if (rc != RC_OK) {
        return rc;
    }
    *out_gap = (struct held_gap){.differs = what_differs(&state->claim, &former),
                                 .machine = former.u.claimed.machine,
                                 .path = former.u.claimed.path,
                                 .claimed_ms = former.at_ms,
                                 .newest_ms = state->claim.former_ms,
                                 .due_since_ms = INSTANT_NONE};
    int64_t now_ms = clock_now_ms(core_clock(core));
    for (uint32_t i = 0; i < state->enrolments.count; i++) {
        const struct enrolment *row = state_enrolment(state, i);
        if (row->phase == ENROLMENT_WAITING && row->due_ms <= now_ms) {
            count_due(out_gap, row->due_ms);
        }
    }
    for (uint32_t i = 0; i < state->deliveries.count; i++) {
        if (state_delivery(state, i)->phase != DELIVERY_FREE) {
            count_due(out_gap, state_delivery(state, i)->due_ms);
        }
    }
    return RC_OK;
}

void
held_text(const struct held_gap *gap, const struct zone *zone, struct buf *out)
{
    char text[INSTANT_TEXT_BYTES];
    buf_printf(out,
               "this data directory was copied or restored (another %s): last claim on machine "
               "%.*s path %.*s, newest event %s; ",
               gap->differs, span_fmt(gap->machine), span_fmt(gap->path),
               instant_print(gap->newest_ms, zone, text));
    if (gap->due_count == 0) {
        buf_append_cstr(out, "nothing is due");
    } else {
        buf_printf(out, "%u %s due since %s", gap->due_count,
                   gap->due_count == 1 ? "delivery is" : "deliveries are",
                   instant_print(gap->due_since_ms, zone, text));
    }
    buf_append_cstr(out, "; 'stepctl release --from TIME' lets it send");
}
