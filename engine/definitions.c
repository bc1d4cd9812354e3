#include "engine/definitions.h"

#include <assert.h>
#include <stdlib.h>

struct definitions *
definitions_new(void)
{
    struct arena *arena = arena_new();
    struct definitions *definitions = arena_alloc(arena, sizeof(*definitions));
    definitions->arena = arena;
    definitions->references = 1;
    definitions->tz_field = NO_ID;
    definitions->default_menu = NO_ID;
    return definitions;
}

struct definitions *
definitions_retain(struct definitions *definitions)
{
    definitions->references++;
    return definitions;
}

void
definitions_release(struct definitions *definitions)
{
    if (definitions == NULL) {
        return;
    }
    assert(definitions->references > 0);
    definitions->references--;
    if (definitions->references == 0) {
        arena_free(definitions->arena); /* holds the set itself as well */
    }
}

uint32_t
names_find(const struct names *names, struct span text)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (names->items[i].in_force && span_equal_cstr(text, names->items[i].text)) {
            return i;
        }
    }
    return NO_ID;
}

const char *
names_text(const struct names *names, uint32_t id)
{
    return id < names->count ? names->items[id].text : "?";
}

const struct step *
scenario_step(const struct scenario *scenario, uint32_t step_id, uint32_t *out_place)
{
    for (uint32_t i = 0; i < scenario->step_count; i++) {
        if (scenario->steps[i].id == step_id) {
            if (out_place != NULL) {
                *out_place = i;
            }
            return &scenario->steps[i];
        }
    }
    return NULL;
}

static bool
timing_equal(const struct timing *a, const struct timing *b)
{
    return a->kind == b->kind && a->delay_ms == b->delay_ms && a->days == b->days &&
           a->at_min == b->at_min;
}

const char *
scenario_kind_name(enum scenario_kind kind)
{
    switch (kind) {
    case KIND_SCENARIO:
        return "scenario";
    case KIND_REMINDER:
        return "reminder";
    case KIND_TRIGGER:
        return "trigger";
    case KIND_WAIT:
        return "wait";
    case KIND_DATE:
        return "date";
    }
    return "?";
}

const struct step *
scenario_only_step(const struct scenario *scenario)
{
    return scenario->step_count == 0 ? NULL : &scenario->steps[0];
}

bool
scenario_same_schedule(const struct scenario *before, const struct scenario *after)
{
    if (before->step_count != after->step_count || before->zone->hash != after->zone->hash ||
        before->friend_zone != after->friend_zone || before->late_day0 != after->late_day0 ||
        before->lane != after->lane || before->kind != after->kind) {
        return false;
    }
    if (before->kind == KIND_DATE) {
        return true; /* date.c plans them all anew */
    }
    for (uint32_t i = 0; i < before->step_count; i++) {
        if (before->steps[i].id != after->steps[i].id ||
            !timing_equal(&before->steps[i].timing, &after->steps[i].timing)) {
            return false;
        }
    }
    return true;
}
