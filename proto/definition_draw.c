/* `score:`, `draw:` and `split:` (LANGUAGE 6, SPEC R18, R24, R37). */
#include "proto/definition_compile.h"
#include "proto/words.h"

void
compile_score(struct compiler *compiler, const struct yaml_node *node, struct action *out_action)
{
    struct span text;
    if (!compile_text(compiler, node, "'score'", &text)) {
        return;
    }
    bool is_signed = text.len > 0 && (text.data[0] == '+' || text.data[0] == '-');
    if (!is_signed || !words_number(text, &out_action->u.score.by)) {
        compile_error(compiler, node, text, "not a change of the score; write +10 or -3");
    }
}

void
compile_draw(struct compiler *compiler, const struct yaml_node *action,
             const struct yaml_node *node, struct action *out_action)
{
    struct span name;
    const struct yaml_node *from = yaml_get(action, "from");
    if (!compile_text(compiler, node, "'draw'", &name) || !compile_id(compiler, node->mark, name)) {
        return;
    }
    if (from == NULL || from->kind != YAML_LIST || from->count == 0) {
        compile_error(compiler, from == NULL ? node : from, span_cstr(""),
                      "'draw' needs what to draw from: 'from: [rock, paper, scissors]'");
        return;
    }
    struct span *words = arena_alloc(compiler->arena, from->count * sizeof(*words));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        struct span word;
        if (!compile_text(compiler, from->items[i], "what is drawn", &word)) {
            continue;
        }
        if (word.len == 0) {
            compile_error(compiler, from->items[i], word, "an empty word cannot be drawn");
        }
        words[kept++] = arena_span(compiler->arena, word);
    }
    const char *full = compile_format(compiler, "draw:%.*s", span_fmt(name));
    out_action->u.draw.name = span_cstr(full);
    out_action->u.draw.words = words;
    out_action->u.draw.word_count = kept;
}

static uint32_t
compile_share(struct compiler *compiler, const struct yaml_node *item)
{
    enum { SHARE_MAX = 1000000 };
    const struct yaml_node *node = yaml_get(item, "share");
    int64_t share = 1;
    if (node == NULL) {
        compile_error(compiler, item, span_cstr(""), "a case of 'split' needs its 'share'");
    } else if (compile_number(compiler, node, &share) && (share < 1 || share > SHARE_MAX)) {
        compile_error(compiler, node, node->text, "a share is a number from 1 to %d", SHARE_MAX);
        share = 1;
    }
    return (uint32_t)share;
}

void
compile_split(struct compiler *compiler, const struct yaml_node *node, struct place *place,
              struct action *out_action)
{
    static const char *const KEYS[] = {"share", NULL};
    if (node->kind != YAML_LIST || node->count == 0) {
        compile_error(compiler, node, span_cstr(""), "'split' must be a list of cases with shares");
        return;
    }
    struct split_case *cases = arena_alloc(compiler->arena, node->count * sizeof(*cases));
    uint32_t *shares = arena_alloc(compiler->arena, node->count * sizeof(*shares));
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->items[i];
        shares[i] = 1;
        if (!compile_keys(compiler, item, KEYS, true, NOT_YET_NOTHING, "a case of 'split'")) {
            continue;
        }
        shares[i] = compile_share(compiler, item);
        struct place inner = *place;
        inner.what = "a case of 'split'";
        inner.mark = item->mark;
        inner.word = span_cstr("");
        cases[i].share = shares[i];
        compile_body(compiler, item, &inner, &cases[i].body);
        place->one_offs = inner.one_offs;
        place->waits = inner.waits;
    }
    out_action->u.split.cases = cases;
    out_action->u.split.shares = shares;
    out_action->u.split.case_count = node->count;
}
