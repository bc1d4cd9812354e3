#include "engine/unknown.h"

#include "engine/base/checksum.h"
#include "engine/tables.h"
#include "engine/turn.h"
#include <stdlib.h>

/* Rows go to the image as they lie in memory. */
_Static_assert(sizeof(struct unknown_row) == 176, "raise the version");

bool
unknown_is(const struct state *state, const struct unknown_row *row, uint64_t delivery,
           uint32_t friend)
{
    return row->delivery == delivery && (friend == NO_ID || row->friend == friend) &&
           !state_friend(state, row->friend)->forgotten;
}

const char *
unknown_refusal(const struct state *state, const struct unknown_row *row)
{
    if (state_is_blocked(state, row->friend)) {
        return "nothing reaches the friend: blocked";
    }
    for (uint32_t i = 0; i < row->item_count; i++) {
        uint32_t id = row->items[i].template;
        if (!state->definitions->template_names.items[id].in_force) {
            return "its template was taken out of the definitions";
        }
        const struct template *template = &state->definitions->templates[id];
        for (uint32_t j = 0; j < template->insertion_count; j++) {
            if (template->insertions[j].kind == INSERTION_ACT) {
                return "its text needs what the friend did then";
            }
            if (template->insertions[j].kind == INSERTION_GOAL) {
                return "its text names the goal of a reminder that has gone on";
            }
        }
    }
    return NULL;
}

/* --- decide --- */

/* The same templates under a new key, due now; it stays told as what it came from, but moves no step. */
static uint64_t
plan_anew(struct turn *turn, const struct unknown_row *row, struct source author)
{
    struct event planned = {.kind = EVENT_DELIVERY_PLANNED,
                            .friend = row->friend,
                            .source = author,
                            .u.delivery = {.message_class = row->message_class,
                                           .due_ms = turn->now_ms,
                                           .how = HOW_PUSH,
                                           .item_count = row->item_count}};
    for (uint32_t i = 0; i < row->item_count; i++) {
        planned.u.delivery.items[i] = row->items[i];
    }
    return turn_emit(turn, &planned)->seq;
}

void
unknown_decide(struct turn *turn, const struct input *input, struct source author)
{
    enum delivery_result decision = input->u.unknown.decision;
    for (uint32_t i = 0; i < turn->state->unknowns.count; i++) {
        const struct unknown_row row = turn->state->unknowns.rows[i];
        if (row.decision != 0 ||
            !unknown_is(turn->state, &row, input->u.unknown.delivery, input->u.unknown.friend) ||
            (decision == RESULT_RETURNED && unknown_refusal(turn->state, &row) != NULL)) {
            continue;
        }
        struct event decided = {.kind = EVENT_DELIVERY_DECIDED,
                                .friend = row.friend,
                                .source = author,
                                .u.delivery = {.delivery = row.delivery, .result = decision}};
        if (decision == RESULT_RETURNED) {
            decided.u.delivery.anew = plan_anew(turn, &row, author);
        }
        turn_emit(turn, &decided);
    }
}

/* --- apply --- */

static void
make_room(struct unknowns *unknowns)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < unknowns->count; i++) {
        if (unknowns->rows[i].decision == 0) {
            unknowns->rows[kept++] = unknowns->rows[i];
        }
    }
    if (kept == UNKNOWNS_MAX) {
        kept = UNKNOWNS_MAX / 2;
        memmove(unknowns->rows, unknowns->rows + kept, kept * sizeof(*unknowns->rows));
        unknowns->dropped += kept;
    }
    unknowns->count = kept;
}

void
unknown_note(struct state *state, const struct delivery *row, const struct event *outcome)
{
    if (outcome->u.delivery.reason == REASON_FORGOTTEN) {
        return; /* nobody is left to send it to */
    }
    struct unknowns *unknowns = &state->unknowns;
    if (unknowns->count == UNKNOWNS_MAX) {
        make_room(unknowns);
    }
    unknowns->rows = tables_grow(unknowns->rows, &unknowns->capacity, unknowns->count + 1,
                                 sizeof(*unknowns->rows));
    struct unknown_row *added = &unknowns->rows[unknowns->count++];
    *added = (struct unknown_row){.delivery = row->seq,
                                  .due_ms = row->due_ms,
                                  .first_ms = row->intended_ms,
                                  .at_ms = outcome->at_ms,
                                  .friend = row->friend,
                                  .month = row->month,
                                  .code = outcome->u.delivery.code,
                                  .crowd = row->crowd,
                                  .message_class = row->message_class,
                                  .how = row->how,
                                  .reason = outcome->u.delivery.reason,
                                  .item_count = row->item_count};
    for (uint32_t i = 0; i < row->item_count; i++) {
        added->items[i] = row->items[i];
        added->items[i].enrolment = NO_ID; /* which has gone on */
    }
}

void
unknown_apply(struct state *state, const struct event *event)
{
    for (uint32_t i = 0; i < state->unknowns.count; i++) {
        struct unknown_row *row = &state->unknowns.rows[i];
        if (row->delivery != event->u.delivery.delivery || row->friend != event->friend) {
            continue;
        }
        row->decision = event->u.delivery.result;
        row->anew = event->u.delivery.anew;
        for (uint32_t j = 0; row->decision == RESULT_SENT && j < row->item_count; j++) {
            tables_set_received(state, row->friend, row->items[j].template);
        }
        if (row->decision == RESULT_FAILED && row->how == HOW_PUSH) {
            pressure_give_back(state, row->month, row->items, row->item_count);
        }
        return;
    }
}

/* --- what every part of the state has --- */

void
unknown_digest(const struct state *state, struct checksum *sum)
{
    checksum_add_u64(sum, state->unknowns.count);
    checksum_add_u64(sum, state->unknowns.dropped);
    for (uint32_t i = 0; i < state->unknowns.count; i++) {
        const struct unknown_row *row = &state->unknowns.rows[i];
        checksum_add(sum, row, offsetof(struct unknown_row, items));
        checksum_add(sum, row->items, row->item_count * sizeof(row->items[0]));
    }
}

void
unknown_fini(struct state *state)
{
    free(state->unknowns.rows);
    state->unknowns = (struct unknowns){0};
}

static bool
makes_sense(const struct state *state, const struct unknown_row *row)
{
    bool good = row->friend < state->friends.count && row->delivery <= state->seq &&
                (uint32_t)row->message_class < CLASS_COUNT && row->item_count > 0 &&
                row->item_count <= DELIVERY_ITEMS_MAX && (uint32_t)row->decision <= RESULT_RETURNED;
    for (uint32_t i = 0; good && i < row->item_count; i++) {
        const struct delivery_item *item = &row->items[i];
        good = item->template <state->definitions->template_names.count &&
                               item->enrolment == NO_ID &&
                               (item->source.kind != SOURCE_BROADCAST ||
                                item->source.id < state->definitions->broadcast_names.count);
    }
    return good;
}

void
unknown_stream(struct state *state, struct stream *stream)
{
    struct unknowns *unknowns = &state->unknowns;
    stream_u64(stream, &unknowns->dropped);
    uint32_t count = stream_count(stream, unknowns->count, sizeof(*unknowns->rows));
    stream_check(stream, count <= UNKNOWNS_MAX, "it has more unknown outcomes than are kept");
    if (count == 0 || stream->rc != RC_OK) {
        return;
    }
    if (stream_reads(stream)) {
        unknowns->rows = tables_grow(NULL, &unknowns->capacity, count, sizeof(*unknowns->rows));
        unknowns->count = count;
    }
    stream_bytes(stream, unknowns->rows, count * sizeof(*unknowns->rows));
    for (uint32_t i = 0; stream_reads(stream) && i < count && stream->rc == RC_OK; i++) {
        stream_check(stream, makes_sense(state, &unknowns->rows[i]),
                     "an unknown outcome's row makes no sense");
    }
}
