/* Ranks over the score, and what silence takes from the recent score (LANGUAGE 4, SPEC R37). */
#include "proto/definition_compile.h"

void
compile_ranks(struct compiler *compiler, const struct yaml_node *section)
{
    struct score_rank *ranks = arena_alloc(compiler->arena, (section->count + 1) * sizeof(*ranks));
    uint32_t count = 0;
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        struct score_rank rank;
        if (!compile_id(compiler, pair->key_mark, pair->key) ||
            !compile_number(compiler, pair->value, &rank.from)) {
            continue;
        }
        rank.id = name_table_add(&compiler->ranks, pair->key);
        uint32_t at = count;
        for (; at > 0 && ranks[at - 1].from >= rank.from; at--) {
            if (ranks[at - 1].from == rank.from) {
                compile_error(compiler, pair->value, pair->value->text,
                              "'%s' begins at the same score",
                              compiler->ranks.names.items[ranks[at - 1].id].text);
            }
            ranks[at] = ranks[at - 1];
        }
        ranks[at] = rank;
        count++;
    }
    compiler->out->ranks = ranks;
    compiler->out->rank_count = count;
}

void
compile_recent_score(struct compiler *compiler, const struct yaml_node *section)
{
    static const char *const KEYS[] = {"lose", "every", NULL};
    struct definitions *out = compiler->out;
    if (section->count == 0 ||
        !compile_keys(compiler, section, KEYS, false, NOT_YET_NOTHING, "'recent_score'")) {
        return;
    }
    const struct yaml_node *lose = yaml_get(section, "lose"), *every = yaml_get(section, "every");
    if (lose == NULL || every == NULL) {
        compile_error(compiler, section, span_cstr(""),
                      "'recent_score' needs both: {lose: 1, every: 7d}");
        return;
    }
    compile_count(compiler, lose, &out->recent_lose);
    compile_duration(compiler, every, &out->recent_every_ms);
}
