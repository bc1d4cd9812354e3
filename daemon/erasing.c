#include "daemon/erasing.h"

#include "engine/crowd.h"

#include "daemon/replay.h"
#include "daemon/report.h"

enum { SHARE = 500, MESSAGES_BACK_MAX = 1000 };
#define UNSENDS_WITHIN_MS (2 * MS_PER_DAY)

struct share {
    uint64_t seqs[SHARE]; /* of events whose words go */
    uint32_t count;
};

/* Reads one event of a chain, notes its words, and steps to the one before. */
static enum rc
step_back(struct core *core, struct arena *arena, uint64_t *next, struct share *share)
{
    struct event event;
    arena_reset(arena);
    enum rc rc = replay_read_event(core_log(core), *next, arena, &event);
    if (rc != RC_OK) {
        return rc;
    }
    uint32_t friend = core_state(core)->forgetting.friend;
    if (crowd_is_in(&event)) { /* its words are LINE's, and of others as well */
        *next = crowd_event_of(&event, friend, &event) ? event.friend_prev : 0;
        return RC_OK;
    }
    if (event.word_count > 0) {
        share->seqs[share->count++] = event.seq;
    }
    *next = event.friend != NO_ID                    ? event.friend_prev
            : event.kind == EVENT_WEBHOOK_UNREADABLE ? event.u.webhook.before
                                                     : 0;
    return RC_OK;
}

bool
erasing_pump(struct core *core)
{
    const struct forgetting_row *row = &core_state(core)->forgetting;
    uint64_t durable = log_durable(core_log(core));
    if (row->friend == NO_ID || row->next > durable || row->next_body > durable) {
        return false; /* nothing to do, or the log will wake us */
    }
    struct input input = {.kind = INPUT_FORGET, .at_ms = clock_now_ms(core_clock(core))};
    input.u.forget.friend = row->friend;
    input.u.forget.next = row->next;
    input.u.forget.next_body = row->next_body;
    struct share share = {.count = 0};
    struct arena *arena = arena_new();
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < SHARE; i++) {
        if (input.u.forget.next != 0) {
            rc = step_back(core, arena, &input.u.forget.next, &share);
        } else if (input.u.forget.next_body != 0) {
            rc = step_back(core, arena, &input.u.forget.next_body, &share);
        }
    }
    arena_free(arena);
    if (rc != RC_OK) {
        report(REPORT_ERROR, "words of friend %u cannot be found to be erased error=%s",
               input.u.forget.friend, rc_name(rc));
        return false;
    }
    uint32_t count;
    input.u.forget.erased = share.count;
    (void)core_input(core, &input, &count);
    for (uint32_t i = 0; i < share.count; i++) {
        core_erase(core, share.seqs[i]);
    }
    return core_state(core)->forgetting.friend != NO_ID;
}

/* Reads what an unsend asks of one event: from the log, or from what is on its way to it. */
static enum rc
look_at(struct core *core, struct arena *arena, uint64_t seq, struct tail_event *out_event)
{
    struct event event;
    if (core_tail(core, seq, out_event)) {
        return RC_OK;
    }
    arena_reset(arena);
    enum rc rc = replay_read_event(core_log(core), seq, arena, &event);
    if (rc == RC_OK) {
        *out_event = tail_event_of(&event);
    }
    return rc;
}

static enum rc
find_message(struct core *core, struct arena *arena, uint32_t friend, struct span message_id,
             uint64_t *out_seq)
{
    int64_t oldest_ms = clock_now_ms(core_clock(core)) - UNSENDS_WITHIN_MS;
    uint64_t seq = state_friend(core_state(core), friend)->newest_seq;
    uint64_t wanted = tail_message_sum(message_id);
    for (uint32_t i = 0; seq != 0 && i < MESSAGES_BACK_MAX; i++) {
        struct tail_event event;
        enum rc rc = look_at(core, arena, seq, &event);
        if (rc != RC_OK || event.at_ms < oldest_ms) {
            return rc;
        }
        if (event.message_sum == wanted) {
            *out_seq = seq;
            return RC_OK;
        }
        seq = tail_previous(&event, friend);
    }
    return RC_OK;
}

enum rc
erasing_find_message(struct core *core, struct span user_id, struct span message_id,
                     uint64_t *out_seq)
{
    uint64_t seq = 0;
    enum rc rc = RC_OK;
    uint32_t friend = state_find_friend(core_state(core), user_id);
    if (friend != NO_ID && message_id.len > 0) {
        struct arena *arena = arena_new();
        rc = find_message(core, arena, friend, message_id, &seq);
        arena_free(arena);
    }
    if (rc == RC_OK) {
        *out_seq = seq;
    }
    return rc;
}
