/* `marks:`, and the action `mark:` (SPEC R43). */
#include "proto/definition_compile.h"

void
compile_marks(struct compiler *compiler, const struct yaml_node *section)
{
    if (section == NULL) {
        return;
    }
    if (section->kind != YAML_LIST) {
        compile_error(compiler, section, span_cstr(""), "'marks' must be a list: [未対応, 来店済]");
        return;
    }
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_node *item = section->items[i];
        struct span mark;
        if (!compile_text(compiler, item, "a mark", &mark) ||
            !compile_id(compiler, item->mark, mark)) {
            continue;
        }
        if (span_equal_cstr(mark, "none")) {
            compile_error(compiler, item, mark, "'none' is the absence of a mark");
        } else if (name_table_find(&compiler->marks, mark) != NO_ID) {
            compile_error(compiler, item, mark, "duplicate mark '%.*s'", span_fmt(mark));
        }
        name_table_add(&compiler->marks, mark);
    }
}

void
compile_mark(struct compiler *compiler, const struct yaml_node *node, struct action *out_action)
{
    struct span text;
    out_action->u.mark = NO_ID;
    if (compile_text(compiler, node, "'mark'", &text) && !span_equal_cstr(text, "none")) {
        out_action->u.mark = compile_reference(compiler, &compiler->marks, "mark", node, text);
    }
}
