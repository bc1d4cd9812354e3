/* Forgetting a friend and unsending a message: what the engine knows of words that are to go (SPEC R50,
 * R51). The rows themselves are the daemon's to find and to delete, in the commit of these events. */
#include "engine/tables.h"
#include "engine/turn.h"

/* Everything that would still come to the friend ends here. */
static void
let_go(struct turn *turn, uint32_t friend, struct source source)
{
    while (state_friend(turn->state, friend)->first_enrolment != NO_ID) {
        scenario_stop(turn, state_friend(turn->state, friend)->first_enrolment, REASON_FORGOTTEN,
                      source);
    }
    delivery_cancel_planned(turn, friend, REASON_FORGOTTEN);
    delivery_give_up(turn, friend, REASON_FORGOTTEN);
}

void
forget_decide(struct turn *turn, const struct input *input)
{
    const struct state *state = turn->state;
    uint32_t friend = input->u.forget.friend;
    struct event forgotten = {.kind = EVENT_FRIEND_FORGOTTEN,
                              .friend = friend,
                              .source = {SOURCE_OPERATOR, input->author, 0},
                              .u.forgotten = {.erased = input->u.forget.erased,
                                              .next = input->u.forget.next,
                                              .next_body = input->u.forget.next_body}};
    if (state->forgetting.friend != NO_ID && state->forgetting.friend != friend) {
        return; /* one after the other */
    }
    if (!state_friend(state, friend)->forgotten) {
        forgotten.u.forgotten.next = state_friend(state, friend)->newest_seq;
        forgotten.u.forgotten.next_body = state->unreadable_seq;
        let_go(turn, friend, forgotten.source);
    } else if (state->forgetting.friend == NO_ID) {
        return; /* done long ago */
    }
    turn_emit(turn, &forgotten);
}

void
forget_apply(struct state *state, const struct event *event)
{
    bool done = event->u.forgotten.next == 0 && event->u.forgotten.next_body == 0;
    if (!tables_friend(state, event->friend)->forgotten) {
        tables_forget_friend(state, event->friend);
    }
    state->forgetting = (struct forgetting_row){.friend = done ? NO_ID : event->friend,
                                                .next = event->u.forgotten.next,
                                                .next_body = event->u.forgotten.next_body};
}

void
unsend_decide(struct turn *turn, const struct input *input)
{
    struct event unsent = {.kind = EVENT_MESSAGE_UNSENT,
                           .friend = state_find_friend(turn->state, input->u.act.user_id),
                           .u.act = {.webhook_id = input->u.act.webhook_id,
                                     .message_id = input->u.act.message_id,
                                     .line_at_ms = input->u.act.line_at_ms,
                                     .button = NO_ID,
                                     .choice = NO_ID,
                                     .standby = input->u.act.standby,
                                     .redelivered = input->u.act.redelivered,
                                     .message = input->u.act.message}};
    turn_emit(turn, &unsent);
}
