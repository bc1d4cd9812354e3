/* Friends: how they come, go, write and tap (SPEC R14-R17, R41, R49). */
#include "engine/route.h"
#include "engine/tables.h"
#include "engine/unique.h"

#define OLDEST_ACT_MS (30 * MS_PER_DAY) /* SPEC R41: older is recorded and starts nothing */

static enum event_kind
kind_of(enum input_kind kind)
{
    switch (kind) {
    case INPUT_FOLLOW:
        return EVENT_FOLLOWED;
    case INPUT_UNFOLLOW:
        return EVENT_UNFOLLOWED;
    case INPUT_MESSAGE:
        return EVENT_MESSAGE_RECEIVED;
    case INPUT_POSTBACK:
        return EVENT_TAPPED;
    default:
        return EVENT_WEBHOOK_NOTED;
    }
}

/* The event that records the act; what it means comes after it. */
static struct event
act_event(const struct turn *turn, const struct input *input, uint32_t friend, enum reason reason)
{
    struct event act = {.kind = kind_of(input->kind),
                        .friend = friend,
                        .u.act = {.webhook_id = input->u.act.webhook_id,
                                  .type = input->u.act.type,
                                  .message_id = input->u.act.message_id,
                                  .line_at_ms = input->u.act.line_at_ms,
                                  .button = NO_ID,
                                  .choice = NO_ID,
                                  .reason = reason,
                                  .unblocked = input->u.act.unblocked,
                                  .standby = input->u.act.standby,
                                  .redelivered = input->u.act.redelivered}};
    if (act.kind == EVENT_TAPPED) {
        act.words = &input->u.act.data;
        act.word_count = 1;
        button_understand(turn->state->definitions, input->u.act.data, &act.u.act.button,
                          &act.u.act.choice);
        if (act.u.act.button != NO_ID) {
            act.u.act.choice_hash = button_choice_hash(button_choice(input->u.act.data));
            act.u.act.over_limit =
                button_is_over_limit(turn, friend, act.u.act.button, act.u.act.choice_hash);
        }
    } else if (act.kind == EVENT_MESSAGE_RECEIVED && input->u.act.text.len > 0) {
        act.words = &input->u.act.text;
        act.word_count = 1;
    } /* NOTED: who it was stands in `friend`, and of strangers nothing is kept (SPEC R51) */
    return act;
}

static uint32_t
add_friend(struct turn *turn, const struct input *input)
{
    uint32_t friend = turn->state->friends.count;
    struct event added = {.kind = EVENT_FRIEND_ADDED,
                          .friend = friend,
                          .words = &input->u.act.user_id,
                          .word_count = 1,
                          .u.friend_added = {.followed = input->kind == INPUT_FOLLOW}};
    turn_emit(turn, &added);
    return friend;
}

/* Does a follow or unfollow say something newer than what is known? */
static bool
is_outdated(const struct turn *turn, const struct input *input, uint32_t friend)
{
    if (input->kind != INPUT_FOLLOW && input->kind != INPUT_UNFOLLOW) {
        return false;
    }
    return input->u.act.line_at_ms < state_follow_line_at(turn->state, friend);
}

static void
run_friend_add(struct turn *turn, uint32_t friend, uint32_t which)
{
    const struct definitions *definitions = turn->state->definitions;
    const struct body *body = which == FRIEND_ADD_NEW        ? &definitions->friend_added
                              : which == FRIEND_ADD_EXISTING ? &definitions->friend_existing
                                                             : &definitions->friend_unblocked;
    struct source source = {SOURCE_FRIEND_ADD, which, 0};
    action_run(turn, friend, body, source, NO_ID, &turn->answer.outbox);
}

/* SPEC R14, R28: the friend-add body, then the route's; a route that operates a scenario stands in for
 * the scenario of the friend-add body. */
static void
follow(struct turn *turn, uint32_t friend, uint32_t which, uint32_t route_id)
{
    const struct route *route =
        route_id == NO_ID ? NULL : &turn->state->definitions->routes[route_id];
    turn->restart_scenarios = which == FRIEND_ADD_UNBLOCKED;
    if (route == NULL || !route->ignores_friend_add) {
        turn->leave_scenarios = route != NULL && route->operates_scenario;
        run_friend_add(turn, friend, which);
        turn->leave_scenarios = false;
    }
    if (route != NULL) {
        route_take(turn, friend, route_id);
    }
    turn->restart_scenarios = false;
}

static void
leave(struct turn *turn, uint32_t friend)
{
    const struct state *state = turn->state;
    for (uint32_t i = state_friend(state, friend)->first_enrolment; i != NO_ID;) {
        uint32_t next = state_enrolment(state, i)->next;
        /* Dates are standing rules: they pass over a blocked friend and go on (SPEC R15). */
        if (state->definitions->scenarios[state_enrolment(state, i)->scenario].kind != KIND_DATE) {
            scenario_stop(turn, i, REASON_BLOCKED_BY_FRIEND, (struct source){0});
        }
        i = next;
    }
    delivery_cancel_planned(turn, friend, REASON_BLOCKED_BY_FRIEND);
}

/* SPEC R41: a start counts from the event's own instant, never earlier than grace allows. */
static int64_t
start_instant(const struct turn *turn, const struct input *input)
{
    int64_t at_ms = input->u.act.line_at_ms;
    int64_t earliest_ms = turn->now_ms - turn->state->definitions->account.grace_ms;
    if (at_ms < earliest_ms) {
        at_ms = earliest_ms;
    }
    return at_ms > turn->now_ms ? turn->now_ms : at_ms;
}

/* What the friend was before the act. */
struct before {
    bool unseen; /* by an active event */
    bool blocked;
    int64_t follow_ms; /* LINE's instant of the newest follow or unfollow; 0: none */
};

static void
act(struct turn *turn, const struct input *input, uint32_t friend, const struct before *before,
    const struct event *recorded)
{
    bool unblocked = input->u.act.unblocked || (before->blocked && before->follow_ms != 0);
    turn->start_ms = start_instant(turn, input);
    turn->answer =
        (struct answer){.open = true, .friend = friend, .reply_token = input->u.act.reply_token};
    if (before->unseen && input->kind != INPUT_FOLLOW && input->kind != INPUT_UNFOLLOW) {
        run_friend_add(turn, friend, FRIEND_ADD_EXISTING);
    }
    switch (input->kind) {
    case INPUT_FOLLOW:
        follow(turn, friend, unblocked ? FRIEND_ADD_UNBLOCKED : FRIEND_ADD_NEW,
               route_of_follow(turn, friend, before->follow_ms));
        break;
    case INPUT_MESSAGE:
        if (span_equal_cstr(input->u.act.type, "text")) {
            auto_reply_decide(turn, friend, input->u.act.text);
        }
        break;
    case INPUT_POSTBACK:
        if (recorded->u.act.button != NO_ID) {
            button_decide(turn, friend, recorded, button_choice(input->u.act.data));
        }
        break;
    default:
        break;
    }
    delivery_plan_answer(turn);
}

void
friend_decide(struct turn *turn, const struct input *input)
{
    uint32_t friend = state_find_friend(turn->state, input->u.act.user_id);
    if (input->kind == INPUT_NOTED || input->u.act.user_id.len == 0) {
        enum reason reason = input->kind == INPUT_NOTED ? input->u.act.reason : REASON_NO_SOURCE;
        struct event noted = act_event(turn, input, friend, reason);
        noted.kind = EVENT_WEBHOOK_NOTED;
        turn_emit(turn, &noted);
        return;
    }
    if (friend == NO_ID) {
        friend = add_friend(turn, input);
    }
    const struct friend_row *row = state_friend(turn->state, friend);
    const struct before before = {row->standby_only, row->blocked,
                                  state_follow_line_at(turn->state, friend)};
    bool too_old = input->u.act.line_at_ms < turn->now_ms - OLDEST_ACT_MS;
    bool outdated = is_outdated(turn, input, friend);
    enum reason reason = outdated || too_old     ? REASON_OLD
                         : input->u.act.standby  ? REASON_STANDBY
                         : row->operator_blocked ? REASON_OPERATOR_BLOCKED
                                                 : REASON_NONE;
    struct event recorded = act_event(turn, input, friend, reason);
    turn_emit(turn, &recorded);
    if (outdated) {
        return;
    }
    if (input->kind == INPUT_UNFOLLOW) {
        leave(turn, friend);
    }
    if (reason == REASON_NONE) {
        act(turn, input, friend, &before, &recorded);
    }
}

/* apply */

static void
follow_apply(struct state *state, const struct event *event)
{
    struct friend_row *row = tables_friend(state, event->friend);
    int64_t before_ms = state_follow_line_at(state, event->friend);
    /* An outdated one changes nothing; one that is only too old to start anything still does. */
    if (event->u.act.line_at_ms >= before_ms) {
        row->blocked = event->kind == EVENT_UNFOLLOWED;
        if (before_ms == 0 && event->u.act.line_at_ms < row->added_ms &&
            event->kind == EVENT_FOLLOWED) {
            row->added_ms = event->u.act.line_at_ms; /* heard of late */
        }
        tables_set_follow_line_at(state, event->friend, event->u.act.line_at_ms);
    }
}

/* Decimal digits as action_set_field() wrote them; 0 where they are erased. */
static int64_t
number_of(struct span digits)
{
    int64_t number = 0;
    bool negative = digits.len > 0 && digits.data[0] == '-';
    for (size_t i = negative ? 1 : 0; i < digits.len && i < 20; i++) {
        int64_t digit = digits.data[i] - '0';
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, negative ? -digit : digit, &number)) {
            return 0;
        }
    }
    return number;
}

static void
field_apply(struct state *state, const struct event *event)
{
    if (event->kind == EVENT_FIELD_CLEARED) {
        tables_drop_value(state, event->friend, event->u.field.field);
        return;
    }
    uint32_t field = event->u.field.field;
    unique_remove(state, event->friend, field);
    enum field_type type = state_field_type(state, field);
    struct span text = event->word_count > 0 ? event->words[0] : (struct span){0};
    if (type == FIELD_DATE || type == FIELD_DATETIME) {
        tables_put_number(state, event->friend, field, number_of(text));
    } else if (type == FIELD_NUMBER) {
        tables_put_number(state, event->friend, field, event->u.field.number);
    } else {
        tables_put_text(state, event->friend, field, text);
    }
    unique_add(state, event->friend, field);
}

void
friend_apply(struct state *state, const struct event *event)
{
    if (event->kind == EVENT_FRIEND_ADDED) {
        uint32_t added =
            tables_add_friend(state, event->word_count > 0 ? event->words[0] : (struct span){0});
        tables_friend(state, added)->added_ms = event->at_ms;
        tables_friend(state, added)->standby_only = true; /* until an active event is seen */
        tables_friend(state, added)->blocked =
            event->u.friend_added.scanned; /* no friend yet (SPEC R28) */
        tables_index_reach(state, added);
        if (state->dates_from == added) {
            state->dates_from++; /* nothing is known yet that a date could hang on */
        }
        return;
    }
    struct friend_row *row = tables_friend(state, event->friend);
    switch (event->kind) {
    case EVENT_FOLLOWED:
    case EVENT_UNFOLLOWED:
        follow_apply(state, event);
        tables_index_reach(state, event->friend);
        break;
    case EVENT_PROFILE_FETCHED:
        row->profile_asked = true;
        if (event->u.profile.found) {
            tables_set_name(state, event->friend,
                            event->word_count > 0 ? event->words[0] : (struct span){0});
            row->has_picture = event->word_count > 1 && event->words[1].len > 0;
            row->language =
                tables_language(state, event->word_count > 2 ? event->words[2] : (struct span){0});
        }
        break;
    case EVENT_TAG_ADDED:
    case EVENT_TAG_REMOVED:
        tables_set_tag(state, event->friend, event->u.tag.tag, event->kind == EVENT_TAG_ADDED);
        break;
    case EVENT_FIELD_SET:
    case EVENT_FIELD_CLEARED:
        field_apply(state, event);
        break;
    case EVENT_MARK_SET:
        tables_friend_more(state, event->friend)->mark = event->u.mark.mark;
        break;
    default: /* messages, taps and notes change only what stands below */
        break;
    }
    bool is_act = event->kind >= EVENT_FOLLOWED && event->kind <= EVENT_TAPPED;
    if (event->kind == EVENT_TAPPED && event->u.act.button != NO_ID &&
        event->u.act.reason == REASON_NONE) {
        tables_set_tapped(state, event->friend, event->u.act.button);
        tables_put_tap(state, event->friend, event->u.act.button, event->u.act.choice_hash,
                       event->at_ms);
    }
    if (is_act && !event->u.act.standby) {
        row->standby_only = false;
    }
}
