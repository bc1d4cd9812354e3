/* `goto:`, `end:` and `once:` (LANGUAGE 6, SPEC R23, R26, R27). */
#include "engine/base/checksum.h"
#include "proto/definition_compile.h"

static uint32_t
place_of(const struct yaml_node *steps, struct span name)
{
    uint32_t place = 0;
    while (place < steps->count && !span_equal(steps->pairs[place].key, name)) {
        place++;
    }
    return place;
}

uint32_t
compile_jump(struct compiler *compiler, const struct yaml_node *node, struct span name,
             const struct place *place)
{
    if (place->steps == NULL) {
        compile_error(compiler, node, span_cstr(""), "'goto' belongs into a step of a scenario");
        return NO_ID;
    }
    if (node->kind != YAML_SCALAR || name.len == 0) {
        compile_error(compiler, node, span_cstr(""), "'goto' names a later step");
        return NO_ID;
    }
    const char *noun = compile_format(compiler, "step in scenario '%s' named",
                                      compiler->scenarios.names.items[place->scenario].text);
    uint32_t id = compile_reference(compiler, &compiler->steps[place->scenario], noun, node, name);
    if (id != NO_ID && place_of(place->steps, name) <= place_of(place->steps, place->step)) {
        bool itself = span_equal(name, place->step);
        compile_error(compiler, node, name,
                      itself ? "'goto' leads forward only, not from '%.*s' to itself (R26)"
                             : "'goto' leads forward only; '%.*s' comes before '%.*s', and a "
                               "delivered step is never delivered again (R26)",
                      span_fmt(name), span_fmt(place->step));
    }
    return id;
}

void
compile_end(struct compiler *compiler, const struct yaml_node *node, const struct place *place)
{
    struct span text;
    if (!compile_text(compiler, node, "'end'", &text)) {
        return;
    }
    if (!span_equal_cstr(text, "scenario")) {
        compile_error(compiler, node, text, "write 'end: scenario'");
    } else if (place->steps == NULL) {
        compile_error(compiler, node, text,
                      "'end' belongs into a step of a scenario; elsewhere write 'stop: S'");
    }
}

/* Its place and its words are what an action is known by: an edited one is another one. */
void
compile_once(struct compiler *compiler, const struct yaml_node *node, const struct place *place,
             struct action *out_action)
{
    const struct yaml_node *once = yaml_get(node, "once");
    bool yes = false;
    if (once == NULL || !compile_yes_no(compiler, once, &yes) || !yes) {
        return;
    }
    struct buf text = {0};
    buf_append_cstr(&text, place->name);
    buf_append_byte(&text, '\n');
    canonical_write_tree(node, &text);
    out_action->once_key = checksum_of(text.data, text.len);
    buf_fini(&text);
}
