/* `wait:` in a list: what follows it is a step of its own (SPEC R27). */
#include "proto/definition_compile.h"

uint32_t
count_waits(const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR) {
        return 0;
    }
    uint32_t count = yaml_get(node, "wait") != NULL ? 1 : 0;
    for (uint32_t i = 0; i < node->count; i++) {
        count += count_waits(node->kind == YAML_LIST ? node->items[i] : node->pairs[i].value);
    }
    return count;
}

/* The scenario of that name, which a former set may have had. */
static uint32_t
name_wait(struct compiler *compiler, const struct place *place)
{
    const struct definitions *before = compiler->before;
    char *name = compile_format(compiler, "%s~%u", place->name, place->waits);
    uint32_t id = name_table_add(&compiler->scenarios, span_cstr(name));
    bool known = before != NULL && id < before->scenario_names.count;
    name_table_load(&compiler->steps[id], compiler->arena,
                    known ? &before->scenarios[id].step_names : NULL);
    name_table_add(&compiler->steps[id], span_cstr(""));
    compiler->scenario_items[id].kind = KIND_WAIT;
    compiler->scenario_items[id].lane = NO_ID;
    compiler->scenario_items[id].date.field = NO_ID;
    return id;
}

void
compile_wait(struct compiler *compiler, const struct yaml_node *node, const struct yaml_node *list,
             uint32_t from, struct place *place, struct action *out_action)
{
    /* Outside a step nobody is answered any more: it is marketing, as what triggers send is. */
    const struct step alone = {.window = compiler->class_windows[CLASS_MARKETING],
                               .grace_ms = compiler->out->account.class_grace_ms[CLASS_MARKETING],
                               .message_class = CLASS_MARKETING};
    const struct step *like = place->like == NULL ? &alone : place->like;
    struct step *step = arena_alloc(compiler->arena, sizeof(*step));
    *step = (struct step){.name = "",
                          .timing = {.kind = TIMING_AFTER_START},
                          .window = like->window,
                          .grace_ms = like->grace_ms,
                          .message_class = like->message_class,
                          .priority = like->priority};
    place->waits++;
    uint32_t id = name_wait(compiler, place);
    step->id = name_table_find(&compiler->steps[id], span_cstr(""));
    compile_duration(compiler, node, &step->timing.delay_ms);
    if (from == list->count) {
        compile_error(compiler, node, span_cstr(""), "nothing follows this 'wait' in its list");
    }
    struct place inner = *place;
    inner.steps = NULL; /* the step that it stands in is over by then */
    compile_actions(compiler, list, from, &inner, &step->body);
    place->one_offs = inner.one_offs;
    place->waits = inner.waits;
    compiler->scenario_items[id].steps = step;
    compiler->scenario_items[id].step_count = 1;
    out_action->kind = ACTION_WAIT;
    out_action->u.wait.scenario = id;
    out_action->u.wait.rest = &step->body;
}
