/* Routes and links (LANGUAGE 7, 11; SPEC R28, R36). */
#include "engine/link.h"
#include "engine/route.h"
#include "proto/definition_compile.h"
#include "proto/words.h"

enum { URI_BYTES_MAX = 1000 }; /* LINE: an address in a message (FACTS 3) */

static void
add_names(struct compiler *compiler, struct name_table *table, const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        if (compile_id(compiler, section->pairs[i].key_mark, section->pairs[i].key)) {
            name_table_add(table, section->pairs[i].key);
        }
    }
}

void
compile_link_names(struct compiler *compiler, const struct yaml_node *routes,
                   const struct yaml_node *links)
{
    add_names(compiler, &compiler->routes, routes);
    add_names(compiler, &compiler->links, links);
    compiler->route_items = arena_alloc(compiler->arena, (compiler->routes.names.count + 1) *
                                                             sizeof(*compiler->route_items));
    compiler->link_items = arena_alloc(compiler->arena, (compiler->links.names.count + 1) *
                                                            sizeof(*compiler->link_items));
}

/* Does it start, stop, pause or resume a scenario, whatever the conditions? */
static bool
operates_scenario(const struct body *body)
{
    bool found = false;
    for (uint32_t i = 0; i < body->action_count; i++) {
        const struct action *action = &body->actions[i];
        found = found || action->kind == ACTION_START || action->kind == ACTION_STOP ||
                action->kind == ACTION_PAUSE || action->kind == ACTION_RESUME;
        for (uint32_t j = 0; action->kind == ACTION_CHOOSE && j < action->u.choose.case_count;
             j++) {
            found = found || operates_scenario(&action->u.choose.cases[j].body);
        }
        for (uint32_t j = 0; action->kind == ACTION_SPLIT && j < action->u.split.case_count; j++) {
            found = found || operates_scenario(&action->u.split.cases[j].body);
        }
    }
    return found;
}

void
compile_routes(struct compiler *compiler, const struct yaml_node *section)
{
    static const char *const KEYS[] = {"friend_add", "run", "title", NULL};
    static const char *const FRIEND_ADD[] = {"keep", "ignore", NULL};
    static const char *const RUN[] = {"first_add", "any_time", NULL};
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        uint32_t id = name_table_find(&compiler->routes, pair->key), index;
        const char *what = compile_format(compiler, "route '%.*s'", span_fmt(pair->key));
        struct span title;
        if (id == NO_ID ||
            !compile_keys(compiler, pair->value, KEYS, true, NOT_YET_NOTHING, what)) {
            continue;
        }
        struct route *route = &compiler->route_items[id];
        struct place place = {.what = what, .mark = pair->key_mark, .word = pair->key};
        place.name = compile_format(compiler, "route/%.*s", span_fmt(pair->key));
        const struct yaml_node *value = yaml_get(pair->value, "friend_add");
        if (value != NULL && compile_word(compiler, value, FRIEND_ADD, &index)) {
            route->ignores_friend_add = index == 1;
        }
        if ((value = yaml_get(pair->value, "run")) != NULL &&
            compile_word(compiler, value, RUN, &index)) {
            route->any_time = index == 1;
        }
        if ((value = yaml_get(pair->value, "title")) != NULL) {
            compile_text(compiler, value, "'title'", &title);
        }
        compile_body(compiler, pair->value, &place, &route->body);
        route->operates_scenario = operates_scenario(&route->body);
    }
}

static bool
has_body(const struct yaml_node *node)
{
    return yaml_get(node, "send") != NULL || yaml_get(node, "do") != NULL ||
           yaml_get(node, "choose") != NULL || yaml_get(node, "split") != NULL;
}

static void
compile_target(struct compiler *compiler, const struct yaml_pair *pair, struct link *link)
{
    const struct yaml_node *to = yaml_get(pair->value, "to");
    struct span target;
    if (to == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "link '%.*s' has no 'to': the address it leads to", span_fmt(pair->key));
        return;
    }
    if (!compile_text(compiler, to, "'to'", &target)) {
        return;
    }
    if ((!words_starts_with(target, "https://") && !words_starts_with(target, "http://")) ||
        target.len > URI_BYTES_MAX || words_find(target, " ") < target.len) {
        compile_error(compiler, to, target,
                      "not an address: https://… without blanks, at most %d bytes", URI_BYTES_MAX);
    }
    link->to = arena_span(compiler->arena, target);
}

void
compile_links(struct compiler *compiler, const struct yaml_node *section)
{
    static const char *const KEYS[] = {"to", "track", "once", NULL};
    static const char *const TRACKS[] = {"personal", "liff", "none", NULL};
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        uint32_t id = name_table_find(&compiler->links, pair->key), index;
        const char *what = compile_format(compiler, "link '%.*s'", span_fmt(pair->key));
        bool once = true;
        if (id == NO_ID ||
            !compile_keys(compiler, pair->value, KEYS, true, NOT_YET_NOTHING, what)) {
            continue;
        }
        struct link *link = &compiler->link_items[id];
        struct place place = {.what = what, .mark = pair->key_mark, .word = pair->key};
        place.name = compile_format(compiler, "link/%.*s", span_fmt(pair->key));
        compile_target(compiler, pair, link);
        const struct yaml_node *value = yaml_get(pair->value, "track");
        if (value != NULL && compile_word(compiler, value, TRACKS, &index)) {
            link->track = (enum link_track)index;
        }
        if ((value = yaml_get(pair->value, "once")) != NULL &&
            compile_yes_no(compiler, value, &once)) {
            link->every = !once;
        }
        if (has_body(pair->value)) {
            compile_body(compiler, pair->value, &place, &link->body);
            if (link->track == TRACK_NONE) {
                yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                           "clicks on %s are not known ('track: none'), so its body never runs",
                           what);
            }
        }
    }
}
