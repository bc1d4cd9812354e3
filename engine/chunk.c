#include "engine/chunk.h"

#include "engine/base/checksum.h"
#include "engine/held.h"
#include "engine/tables.h"
#include "engine/trigger.h"
#include <assert.h>

#define TOKEN_LIFE_MS (50 * MS_PER_SECOND) /* SPEC R10 */
enum { OBJECTS_MAX = 5 };

/* --- what an owner will send --- */

/* All templates of a body that does nothing but send the same to everybody; 0: it is another kind. */
static uint32_t
plain_templates(const struct definitions *definitions, const struct body *body,
                uint32_t templates[DELIVERY_ITEMS_MAX])
{
    uint32_t count = 0, objects = 0;
    for (uint32_t i = 0; i < body->action_count; i++) {
        const struct action *action = &body->actions[i];
        if (action->kind != ACTION_SEND || action->once_key != 0 ||
            !condition_is_empty(&action->condition)) {
            return 0;
        }
        for (uint32_t j = 0; j < action->u.send.template_count; j++) {
            uint32_t id = action->u.send.templates[j];
            if (id == NO_ID || count == DELIVERY_ITEMS_MAX ||
                definitions->templates[id].insertion_count > 0) {
                return 0;
            }
            objects += definitions->templates[id].object_count;
            templates[count++] = id;
        }
    }
    return objects <= OBJECTS_MAX ? count : 0;
}

static uint64_t
content_of_enrolment(const struct state *state, const struct enrolment *row)
{
    const struct step *step =
        scenario_step(&state->definitions->scenarios[row->scenario], row->step, NULL);
    if (step == NULL || !step->body.has_message) {
        return CONTENT_NONE;
    }
    uint32_t templates[DELIVERY_ITEMS_MAX];
    if (plain_templates(state->definitions, &step->body, templates) == 0) {
        return CONTENT_OWN;
    }
    return CONTENT_COMMON + 2 * ((uint64_t)row->scenario << 32 | row->step);
}

static uint64_t
content_of_delivery(const struct state *state, const struct delivery *row, int64_t now_ms)
{
    if (row->how == HOW_REPLY && row->token != NULL && now_ms - row->token_at_ms < TOKEN_LIFE_MS) {
        return CONTENT_REPLY;
    }
    if (row->alone || row->act_count > 0) {
        return CONTENT_OWN;
    }
    uint64_t sum = row->item_count;
    for (uint32_t i = 0; i < row->item_count; i++) {
        const struct delivery_item *item = &row->items[i];
        if (state->definitions->templates[item->template].insertion_count > 0) {
            return CONTENT_OWN;
        }
        const uint64_t mixed[] = {sum, item->template, (uint64_t)item->source.kind,
                                  (uint64_t)item->source.id << 32 | item->source.sub};
        sum = checksum_of(mixed, sizeof(mixed));
    }
    return CONTENT_COMMON + (sum >> 2) * 2 + 1;
}

uint64_t
chunk_content(const struct state *state, struct owner owner, int64_t now_ms)
{
    return owner.kind == OWNER_DELIVERY
               ? content_of_delivery(state, state_delivery(state, owner.index), now_ms)
               : content_of_enrolment(state, state_enrolment(state, owner.index));
}

/* --- taking --- */

uint32_t
chunk_most(const struct state *state, enum message_class message_class, uint64_t content)
{
    uint32_t most = CROWD_MAX, allowance = state_allowance(state, message_class);
    most = allowance < most ? allowance : most;
    if (content % 2 == 0) { /* of a step */
        uint32_t scenario = (uint32_t)((content - CONTENT_COMMON) / 2 >> 32);
        uint32_t cap = state_cap(state, scenario);
        if (cap != NO_LIMIT && scenario < state->scenario_capacity) {
            const struct scenario_counts *counts = &state->scenario_counts[scenario];
            uint32_t come = counts->delivered + counts->open;
            uint32_t room = cap > come ? cap - come : 0;
            most = room < most ? room : most;
        }
    }
    return most > 0 ? most : 1;
}

static bool
same_items(const struct delivery *a, const struct delivery *b)
{
    bool same = a->item_count == b->item_count && a->message_class == b->message_class;
    for (uint32_t i = 0; same && i < a->item_count; i++) {
        same = a->items[i].template == b->items[i].template &&
               memcmp(&a->items[i].source, &b->items[i].source, sizeof(a->items[i].source)) == 0;
    }
    return same;
}

/* One that may go goes by itself, with all that a single delivery has. */
static struct taken
take_alone(struct turn *turn, struct owner owner, uint32_t friend)
{
    uint64_t delivery =
        owner.kind == OWNER_DELIVERY ? delivery_go(turn, owner.index) : step_go(turn, owner.index);
    if (delivery == 0) {
        return (struct taken){0};
    }
    uint32_t *row = arena_alloc(turn->out->arena, sizeof(*row));
    *row = state_find_delivery(turn->state, friend, delivery);
    return (struct taken){row, 1};
}

/* Those of the owners that may go now, in front. */
static uint32_t
judge_all(struct turn *turn, const struct owner *owners, uint32_t count, struct owner *out_going)
{
    uint32_t going = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool goes = owners[i].kind == OWNER_DELIVERY ? delivery_judge(turn, owners[i].index)
                                                     : step_judge(turn, owners[i].index);
        /* What was sent back may look like others and yet not be: a hash is no comparison. */
        bool alike = goes && (going == 0 || owners[i].kind == OWNER_ENROLMENT ||
                              same_items(state_delivery(turn->state, owners[i].index),
                                         state_delivery(turn->state, out_going[0].index)));
        if (alike) {
            out_going[going++] = owners[i];
        }
        trigger_run_fired(turn, 0);
    }
    return going;
}

static void
set_items_of(struct turn *turn, struct event *intent, struct owner owner)
{
    const struct state *state = turn->state;
    if (owner.kind == OWNER_DELIVERY) {
        const struct delivery *row = state_delivery(state, owner.index);
        intent->u.delivery.message_class = row->message_class;
        intent->u.delivery.item_count = row->item_count;
        memcpy(intent->u.delivery.items, row->items, sizeof(row->items));
    } else {
        const struct enrolment *row = state_enrolment(state, owner.index);
        const struct step *step =
            scenario_step(&state->definitions->scenarios[row->scenario], row->step, NULL);
        uint32_t templates[DELIVERY_ITEMS_MAX];
        uint32_t count = plain_templates(state->definitions, &step->body, templates);
        intent->u.delivery.message_class = step->message_class;
        intent->u.delivery.item_count = count;
        for (uint32_t i = 0; i < count; i++) {
            intent->u.delivery.items[i] = (struct delivery_item){
                .template = templates[i], .source = {SOURCE_STEP, row->scenario, row->step}};
        }
    }
    for (uint32_t i = 0; i < intent->u.delivery.item_count; i++) {
        intent->u.delivery.items[i].enrolment = NO_ID; /* each member has its own */
    }
}

static struct taken
intend_all(struct turn *turn, const struct owner *going, uint32_t count)
{
    const struct state *state = turn->state;
    bool steps = going[0].kind == OWNER_ENROLMENT;
    struct crowd *crowd = arena_alloc(turn->out->arena, sizeof(*crowd));
    struct event intent = {
        .kind = EVENT_DELIVERIES_INTENDED,
        .friend = NO_ID,
        .u.delivery = {.how = HOW_PUSH, .member = steps ? CROWD_OF_STEP : CROWD_OF_PLANNED}};
    set_items_of(turn, &intent, going[0]);
    intent.source = intent.u.delivery.items[0].source;
    crowd->count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = going[i].index, friend = owner_whose(state, going[i]);
        int64_t due_ms =
            steps ? state_enrolment(state, index)->due_ms : state_delivery(state, index)->due_ms;
        intent.u.delivery.due_ms = i == 0 ? due_ms : intent.u.delivery.due_ms;
        crowd->friends[i] = friend;
        crowd->previous[i] = state_friend(state, friend)->newest_seq;
        crowd->numbers[i] = steps ? index : state_delivery(state, index)->seq;
        crowd->extra[i] = (uint64_t)(due_ms - intent.u.delivery.due_ms);
    }
    intent.u.delivery.body_hash = engine_body_hash(turn->engine, &intent);
    intent.u.delivery.crowd = crowd_pack(crowd, turn->out->arena);
    uint64_t seq = turn_emit(turn, &intent)->seq;
    uint32_t *rows = arena_alloc(turn->out->arena, count * sizeof(*rows));
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = state_find_intent(state, (uint32_t)crowd->friends[i], seq);
    }
    return (struct taken){rows, count};
}

struct taken
chunk_take(struct turn *turn, const struct owner *owners, uint32_t count)
{
    struct owner *going = arena_alloc(turn->out->arena, count * sizeof(*going));
    uint32_t going_count = judge_all(turn, owners, count, going);
    if (going_count == 0) {
        return (struct taken){0};
    }
    return going_count == 1 ? take_alone(turn, going[0], owner_whose(turn->state, going[0]))
                            : intend_all(turn, going, going_count);
}

/* --- outcome --- */

void
chunk_decide_outcome(struct turn *turn, const struct input *input)
{
    const struct state *state = turn->state;
    uint64_t intent = input->u.outcome.delivery;
    struct crowd *crowd = arena_alloc(turn->out->arena, sizeof(*crowd));
    struct delivery *rows = arena_alloc(turn->out->arena, CROWD_MAX * sizeof(*rows));
    crowd->count = 0;
    for (uint32_t i = 0; i < input->u.outcome.friend_count; i++) {
        uint32_t friend = input->u.outcome.friends[i];
        uint32_t index = state_find_intent(state, friend, intent);
        if (index == NO_ID) {
            continue; /* booked already: the friend was forgotten */
        }
        rows[crowd->count] = *state_delivery(state, index);
        crowd->friends[crowd->count] = friend;
        crowd->previous[crowd->count] = state_friend(state, friend)->newest_seq;
        crowd->numbers[crowd->count] =
            i == input->u.outcome.bad ? RESULT_FAILED : input->u.outcome.result;
        crowd->extra[crowd->count] = rows[crowd->count].seq;
        crowd->count++;
    }
    if (crowd->count == 0) {
        return;
    }
    const struct span words[] = {input->u.outcome.request_id, input->u.outcome.accepted_request_id};
    struct event outcome = {.kind = EVENT_DELIVERIES_OUTCOME,
                            .friend = NO_ID,
                            .source = rows[0].items[0].source,
                            .words = words,
                            .word_count = 2,
                            .u.delivery = {.delivery = intent,
                                           .due_ms = rows[0].due_ms,
                                           .message_class = rows[0].message_class,
                                           .how = HOW_PUSH,
                                           .code = input->u.outcome.code}};
    outcome.u.delivery.crowd = crowd_pack(crowd, turn->out->arena);
    turn_emit(turn, &outcome);
    for (uint32_t i = 0; i < crowd->count; i++) {
        delivery_follow(turn, &rows[i], (enum delivery_result)crowd->numbers[i]);
    }
}

/* --- apply --- */

void
chunk_apply(struct state *state, const struct event *event)
{
    bool intends = event->kind == EVENT_DELIVERIES_INTENDED;
    struct crowd crowd;
    if (!crowd_unpack(event->u.delivery.crowd, &crowd)) {
        return; /* not written by us: decoding has checked it */
    }
    for (uint32_t i = 0; i < crowd.count; i++) {
        uint32_t friend = (uint32_t)crowd.friends[i];
        if (friend >= state->friends.count) {
            continue;
        }
        struct event single;
        crowd_single(event, &crowd, i, &single);
        if (!intends) { /* which the row knows */
            uint32_t index = state_find_delivery(state, friend, single.u.delivery.delivery);
            single.u.delivery.item_count =
                index == NO_ID ? 0 : tables_delivery(state, index)->item_count;
            if (index != NO_ID) {
                memcpy(single.u.delivery.items, tables_delivery(state, index)->items,
                       sizeof(single.u.delivery.items));
            }
        }
        delivery_apply(state, &single);
        if (intends) {
            uint32_t index = state_find_intent(state, friend, event->seq);
            if (index != NO_ID) {
                tables_delivery(state, index)->crowd = crowd.count;
            }
        }
        tables_friend(state, friend)->newest_seq = event->seq;
    }
}
