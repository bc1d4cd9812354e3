#include "daemon/api_plan.h"

#include "daemon/api_call.h"
#include "engine/segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sections whose keys are names, and the word for one of them. Tags lie in folders and have a
 * comparison of their own. */
static const struct {
    const char *section;
    const char *kind;
} SECTIONS[] = {
    {"account", "account"},
    {"fields", "field"},
    {"templates", "template"},
    {"scenarios", "scenario"},
    {"buttons", "button"},
    {"auto_replies", "auto_reply"},
    {"friend_add", "friend_add"},
    {"reminders", "reminder"},
    {"triggers", "trigger"},
    {"dates", "date"},
    {"broadcasts", "broadcast"},
    {"schedules", "schedule"},
    {"forms", "form"},
    {"calendars", "calendar"},
    {"events", "event"},
    {"conversions", "conversion"},
    {"routes", "route"},
    {"links", "link"},
    {"rich_menus", "rich menu"},
};

struct plan {
    const struct state *state;
    json_t *rows;
};

static uint32_t
running_in(const struct state *state, uint32_t scenario)
{
    return scenario < state->scenario_capacity ? state->scenario_counts[scenario].running : 0;
}

/* By bytes, so that an order that changed (of steps, of cases) is a change. */
static bool
same(const json_t *a, const json_t *b)
{
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
    char *left = a == NULL ? NULL : json_dumps(a, flags);
    char *right = b == NULL ? NULL : json_dumps(b, flags);
    bool equal = left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
    free(left);
    free(right);
    return equal;
}

/* "2 of 3 steps; 12 friends on the way" */
static json_t *
scenario_detail(const struct plan *plan, const char *id, const json_t *before, const json_t *after)
{
    const json_t *old_steps = json_object_get(before, "steps");
    json_t *steps = json_object_get(after != NULL ? after : before, "steps");
    size_t total = json_object_size(steps), differ = 0;
    const char *name;
    json_t *step;
    json_object_foreach(steps, name, step)
    {
        differ += same(step, json_object_get(old_steps, name)) ? 0 : 1;
    }
    uint32_t scenario = names_find(&plan->state->definitions->scenario_names, span_cstr(id));
    uint32_t running = scenario == NO_ID ? 0 : running_in(plan->state, scenario);
    char text[120];
    int len = before != NULL && after != NULL
                  ? snprintf(text, sizeof(text), "%zu of %zu steps", differ, total)
                  : snprintf(text, sizeof(text), "%zu %s", total, total == 1 ? "step" : "steps");
    if (running > 0) {
        snprintf(text + len, sizeof(text) - (size_t)len, "; %u %s on the way", running,
                 running == 1 ? "friend" : "friends");
    }
    return json_string(text);
}

static void
compare(struct plan *plan, const char *kind, const char *id, const json_t *before,
        const json_t *after)
{
    if (same(before, after)) {
        return;
    }
    const char *change = before == NULL ? "added" : after == NULL ? "removed" : "changed";
    json_t *detail =
        strcmp(kind, "scenario") == 0 ? scenario_detail(plan, id, before, after) : json_null();
    json_array_append_new(plan->rows, json_pack("{s:s,s:s,s:s,s:o}", "change", change, "kind", kind,
                                                "id", id, "detail", detail));
}

static void
compare_section(struct plan *plan, const char *kind, json_t *before, json_t *after)
{
    const char *id;
    json_t *value;
    json_object_foreach(after, id, value)
    {
        compare(plan, kind, id, json_object_get(before, id), value);
    }
    json_object_foreach(before, id, value)
    {
        if (json_object_get(after, id) == NULL) {
            compare(plan, kind, id, value, NULL);
        }
    }
}

static void
compare_tags(struct plan *plan, const struct names *before, const struct names *after)
{
    const json_t *present = json_true();
    for (uint32_t i = 0; i < after->count || i < before->count; i++) {
        bool was = i < before->count && before->items[i].in_force;
        bool is = i < after->count && after->items[i].in_force;
        compare(plan, "tag", names_text(is ? after : before, i), was ? present : NULL,
                is ? present : NULL);
    }
}

/* The checked tree inside a canonical form. */
static json_t *
read_tree(struct span canonical)
{
    json_t *root = json_loadb(canonical.data == NULL ? "" : (const char *)canonical.data,
                              canonical.len, 0, NULL);
    json_t *tree = json_incref(json_object_get(root, "tree"));
    json_decref(root);
    return tree;
}

/* A scenario that starts for friends as they are: whom that means now, before anybody says yes (SPEC R54). */
static void
add_starts(struct plan *plan, const struct definitions *after, int64_t now_ms)
{
    struct state as_if = *plan->state; /* with the definitions that are to come */
    as_if.definitions = (struct definitions *)(uintptr_t)after;
    const struct inquiry inquiry = {.state = &as_if, .now_ms = now_ms};
    for (uint32_t id = 0; id < after->scenario_names.count; id++) {
        const struct scenario *scenario = &after->scenarios[id];
        bool asked =
            id < plan->state->scenario_capacity && plan->state->scenario_counts[id].was_asked;
        if (!after->scenario_names.items[id].in_force || !scenario->starts_once || asked) {
            continue;
        }
        uint32_t friends = segment_count_reachable(&inquiry, &scenario->start_for);
        char text[80];
        snprintf(text, sizeof(text), "%u %s now", friends,
                 friends == 1 ? "friend starts" : "friends start");
        json_array_append_new(
            plan->rows, json_pack("{s:s,s:s,s:o,s:s}", "change", "starts", "kind", "scenario", "id",
                                  api_text(after->scenario_names.items[id].text), "detail", text));
    }
}

json_t *
plan_make(const struct state *state, const struct definitions *after, int64_t now_ms)
{
    const struct definitions *before = state->definitions;
    json_t *old_tree = read_tree(before->canonical), *new_tree = read_tree(after->canonical);
    struct plan plan = {.state = state, .rows = json_array()};
    compare_tags(&plan, &before->tag_names, &after->tag_names);
    for (size_t i = 0; i < sizeof(SECTIONS) / sizeof(SECTIONS[0]); i++) {
        compare_section(&plan, SECTIONS[i].kind, json_object_get(old_tree, SECTIONS[i].section),
                        json_object_get(new_tree, SECTIONS[i].section));
    }
    json_decref(old_tree);
    json_decref(new_tree);
    add_starts(&plan, after, now_ms);
    plan_add_moves(plan.rows, state, after, now_ms);
    return plan.rows;
}
