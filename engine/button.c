/* Buttons: postback data "id" or "id:choice" (SPEC R31, LANGUAGE 10). */
#include "engine/turn.h"

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

void
button_decide(struct turn *turn, uint32_t friend, uint32_t button, struct span choice)
{
    act_put(turn, span_cstr("choice"), choice);
    const struct button *definition = &turn->state->definitions->buttons[button];
    if (!condition_holds(turn, friend, &definition->condition)) {
        return;
    }
    struct source source = {SOURCE_BUTTON, button, 0};
    action_run(turn, friend, &definition->body, source, NO_ID, &turn->answer.outbox);
}
