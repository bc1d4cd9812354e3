/* What became of the messages of a rehearsal: intended and ended by the log, accepted by LINE. */
#include "engine/crowd.h"
#include "proto/signature.h"
#include "tools/stepctl/rehearsal_reading.h"
#include <stdio.h>

static struct intent *
newest_intent(const struct reading *reading, uint64_t delivery, uint32_t friend)
{
    for (uint32_t i = reading->intent_count; i > 0; i--) {
        if (reading->intents[i - 1].delivery == delivery &&
            reading->intents[i - 1].friend == friend) {
            return &reading->intents[i - 1];
        }
    }
    return NULL;
}

static void
read_intent(struct reading *reading, const struct event *event)
{
    struct arena *arena = reading->end->arena;
    uint64_t made_by = event->u.delivery.delivery;
    struct intent intent = {.delivery = made_by != 0 ? made_by : event->seq,
                            .friend = event->friend,
                            .due_ms = event->u.delivery.due_ms,
                            .item_count = event->u.delivery.item_count,
                            .reply = event->u.delivery.how == HOW_REPLY};
    memcpy(intent.items, event->u.delivery.items, sizeof(intent.items));
    if (intent.reply) {
        for (uint32_t i = 0; i < reading->planned_count; i++) {
            if (reading->planned[i].delivery == intent.delivery) {
                intent.key = reading->planned[i].token;
            }
        }
    } else {
        char key[RETRY_KEY_TEXT_BYTES];
        retry_key(reading->run_id, event->seq, key);
        intent.key = arena_span(arena, span_cstr(key));
    }
    reading->intents =
        arena_grow(arena, reading->intents, reading->intent_count, sizeof(*reading->intents));
    reading->intents[reading->intent_count++] = intent;
}

static void
read_outcome(const struct reading *reading, const struct event *event)
{
    struct intent *intent = newest_intent(reading, event->u.delivery.delivery, event->friend);
    if (intent == NULL) {
        return;
    }
    char said[32] = " unknown";
    switch (event->u.delivery.result) {
    case RESULT_SENT:
        intent->sent = true;
        return;
    case RESULT_RETURNED:
    case RESULT_ALONE:
        return; /* due again */
    case RESULT_FAILED:
        snprintf(said, sizeof(said), " failed %u", event->u.delivery.code);
        break;
    case RESULT_UNKNOWN:
        break;
    }
    reading_add_sources(reading, LIST_UNSENT, intent->due_ms, intent->friend, intent->items,
                        intent->item_count, said);
}

void
reading_delivery(struct reading *reading, const struct event *event)
{
    struct arena *arena = reading->end->arena;
    if (event->kind == EVENT_DELIVERY_PLANNED && event->word_count > 0) {
        reading->planned =
            arena_grow(arena, reading->planned, reading->planned_count, sizeof(*reading->planned));
        reading->planned[reading->planned_count++] =
            (struct planned){.delivery = event->seq, .token = arena_span(arena, event->words[0])};
    } else if (event->kind == EVENT_DELIVERY_INTENDED) {
        read_intent(reading, event);
    } else if (event->kind == EVENT_DELIVERY_OUTCOME) {
        read_outcome(reading, event);
    } else if (event->kind == EVENT_DELIVERY_CANCELLED) {
        /* What waits too long is skipped (SPEC R6), what became pointless is cancelled. */
        bool stale = event->u.delivery.reason == REASON_STALE ||
                     event->u.delivery.reason == REASON_STALE_CAP ||
                     event->u.delivery.reason == REASON_CONDITION;
        struct buf said = {0};
        buf_append_cstr(&said, stale ? " skipped" : " cancelled");
        reading_append_reason(reading, event, event->u.delivery.reason, &said);
        reading_add_sources(reading, LIST_UNSENT, event->u.delivery.due_ms, event->friend,
                            event->u.delivery.items, event->u.delivery.item_count, buf_cstr(&said));
        buf_fini(&said);
    } else if (event->kind == EVENT_DELIVERY_HELD) {
        struct buf said = {0};
        reading_append_reason(reading, event, event->u.delivery.reason, &said);
        reading_add_sources(reading, LIST_HELD, event->at_ms, event->friend,
                            event->u.delivery.items, event->u.delivery.item_count, buf_cstr(&said));
        buf_fini(&said);
    }
}

void
reading_crowd(struct reading *reading, const struct event *event)
{
    struct crowd crowd;
    for (uint32_t i = 0; crowd_unpack(event->u.delivery.crowd, &crowd) && i < crowd.count; i++) {
        struct event single;
        crowd_single(event, &crowd, i, &single);
        reading_delivery(reading, &single);
    }
}

static void
add_delivery(const struct reading *reading, int64_t at_ms, uint32_t friend,
             const struct intent *intent, bool reply, const char *remark, struct span body)
{
    struct buf text = reading_begin_row(reading, at_ms, friend);
    for (uint32_t i = 0; intent != NULL && i < intent->item_count; i++) {
        buf_printf(&text, "%s%s", i == 0 ? " " : "+",
                   names_text(&definitions_of(reading)->template_names, intent->items[i].template));
    }
    buf_printf(&text, "%s %s%s", intent == NULL ? " ?" : "", reply ? "reply" : "push", remark);
    reading_end_row(reading, LIST_DELIVERIES, at_ms, &text, body);
}

void
reading_deliveries(const struct reading *reading)
{
    uint32_t count = 0;
    const struct accepted *accepted = scripted_line_accepted(reading->end->line, &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct accepted *row = &accepted[i];
        struct intent *intent = NULL;
        uint32_t friend = state_find_friend(reading->end->state, row->user);
        for (uint32_t j = 0; j < reading->intent_count && intent == NULL; j++) {
            struct intent *each = &reading->intents[j];
            bool same = each->reply == row->reply && span_equal(each->key, row->key) &&
                        (each->friend == friend || friend == NO_ID);
            intent = same ? each : NULL;
        }
        const char *remark = intent == NULL ? " (not in the log)" : "";
        if (intent != NULL) {
            intent->accepted = true;
        }
        add_delivery(reading, row->at_ms, friend, intent, row->reply, remark, row->body);
    }
    for (uint32_t i = 0; i < reading->intent_count; i++) {
        const struct intent *intent = &reading->intents[i];
        if (intent->sent && !intent->accepted) {
            add_delivery(reading, intent->due_ms, intent->friend, intent, intent->reply,
                         " (sent by the log, never accepted by LINE)", (struct span){0});
        }
    }
}
