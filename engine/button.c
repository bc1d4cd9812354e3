/* Buttons: postback data "id" or "id:choice" (SPEC R31, LANGUAGE 10). */
#include "engine/turn.h"

#include "engine/base/checksum.h"

void
button_understand(const struct definitions *definitions, struct span data, uint32_t *out_button,
                  uint32_t *out_choice)
{
    *out_button = NO_ID;
    *out_choice = NO_ID;
    const uint8_t *colon = data.len == 0 ? NULL : memchr(data.data, ':', data.len);
    struct span id = colon == NULL ? data : span_of(data.data, (size_t)(colon - data.data));
    uint32_t button = names_find(&definitions->button_names, id);
    if (button == NO_ID) {
        return;
    }
    const struct button *definition = &definitions->buttons[button];
    if (definition->choices == NULL) {
        *out_button = button;
        return;
    }
    struct span choice = button_choice(data);
    for (uint32_t i = 0; i < definition->choice_count; i++) {
        if (span_equal_cstr(choice, definition->choices[i])) {
            *out_button = button;
            *out_choice = i;
        }
    }
}

struct span
button_choice(struct span data)
{
    const uint8_t *colon = data.len == 0 ? NULL : memchr(data.data, ':', data.len);
    return colon == NULL ? (struct span){0}
                         : span_of(colon + 1, data.len - (size_t)(colon + 1 - data.data));
}

uint64_t
button_choice_hash(struct span choice)
{
    return choice.len == 0 ? 0 : checksum_of(choice.data, choice.len);
}

bool
button_is_over_limit(const struct turn *turn, uint32_t friend, uint32_t button,
                     uint64_t choice_hash)
{
    const struct state *state = turn->state;
    const struct zone *zone = state->definitions->account.zone;
    enum tap_limit limit = state->definitions->buttons[button].limit;
    for (uint32_t i = state_friend_more(state, friend)->first_tap; i != NO_ID;
         i = state_tap(state, i)->next) {
        const struct tap_row *tap = state_tap(state, i);
        if (tap->button != button) {
            continue;
        }
        bool same_day = civil_local_day(zone, tap->at_ms) == civil_local_day(zone, turn->now_ms);
        if (limit == TAPS_ONCE ||
            (limit == TAPS_ONCE_PER_CHOICE && tap->choice_hash == choice_hash) ||
            (limit == TAPS_ONCE_PER_DAY && same_day)) {
            return true;
        }
    }
    return false;
}

void
button_decide(struct turn *turn, uint32_t friend, const struct event *tapped, struct span choice)
{
    const struct button *definition = &turn->state->definitions->buttons[tapped->u.act.button];
    struct source source = {SOURCE_BUTTON, tapped->u.act.button, 0};
    act_put(turn, span_cstr("choice"), choice);
    if (condition_holds(turn, friend, &definition->condition)) {
        action_run(turn, friend,
                   tapped->u.act.over_limit ? &definition->over_limit : &definition->body, source,
                   NO_ID, &turn->answer.outbox);
    }
}
