/* Notices: what `notify:` tells people, as an event (SPEC R43). */
#include "engine/turn.h"

void
notice_tell(struct turn *turn, uint32_t friend, struct span text, uint32_t to, struct source source)
{
    struct event notified = {.kind = EVENT_NOTIFIED,
                             .friend = friend,
                             .source = source,
                             .words = &text,
                             .word_count = 1,
                             .u.notified = {.to = to}};
    turn_emit(turn, &notified);
}

void
notice_run(struct turn *turn, uint32_t friend, const struct action *action, struct source source)
{
    const struct template *text = action->u.notify.text;
    struct span *pieces =
        arena_alloc(turn->out->arena, (2 * text->insertion_count + 1) * sizeof(*pieces));
    const struct delivery_item item = {.enrolment = NO_ID, .source = source};
    uint32_t count = 0;
    size_t len = 0;
    for (uint32_t i = 0; i <= text->insertion_count; i++) {
        pieces[count++] = text->parts[i];
        if (i < text->insertion_count) {
            pieces[count++] = delivery_insertion(turn, friend, &text->insertions[i], &item);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        len += pieces[i].len;
    }
    uint8_t *whole = arena_alloc(turn->out->arena, len + 1);
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (pieces[i].len > 0) {
            memcpy(whole + at, pieces[i].data, pieces[i].len);
            at += pieces[i].len;
        }
    }
    notice_tell(turn, friend, span_of(whole, len), action->u.notify.to, source);
}
