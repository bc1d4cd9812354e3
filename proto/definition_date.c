/* `dates:` (SPEC R34). */
#include "proto/definition_compile.h"
#include "proto/words.h"

enum { DAYS_MAX = 3650 };

static bool
no_timing(struct compiler *compiler, const struct yaml_node *node, struct span text)
{
    compile_error(compiler, node, text,
                  "not a date; write 'birthday at 09:00', '7 days before renewal at 12:00' or "
                  "'2 days after joined at 09:00'");
    return false;
}

static void
compile_when(struct compiler *compiler, const struct yaml_node *node, struct date *date)
{
    struct span text;
    int64_t days = 0;
    if (!compile_text(compiler, node, "'when'", &text)) {
        return;
    }
    text = words_trim(text);
    struct span rest = text;
    struct span name = words_next(&rest);
    struct span counted = rest;
    if (words_number(name, &days) &&
        (words_take(&counted, "days") || words_take(&counted, "day"))) {
        bool before = words_take(&counted, "before");
        if (!before && !words_take(&counted, "after")) {
            no_timing(compiler, node, text);
            return;
        }
        if (days < 1 || days > DAYS_MAX) {
            compile_error(compiler, node, name, "1 to %d days", DAYS_MAX);
            return;
        }
        date->days = (int32_t)(before ? -days : days);
        rest = counted;
        name = words_next(&rest);
    }
    if (name.len == 0) {
        no_timing(compiler, node, text);
        return;
    }
    uint32_t field = compile_reference(compiler, &compiler->fields, "field", node, name);
    if (field != NO_ID && compiler->field_items[field].type != FIELD_DATE &&
        compiler->field_items[field].type != FIELD_DATETIME) {
        compile_error(compiler, node, name, "'%.*s' is no date", span_fmt(name));
        return;
    }
    date->field = field;
    compile_at_time(compiler, node, text, rest, &date->at_min);
}

static void
compile_date(struct compiler *compiler, const struct yaml_pair *pair, uint32_t id)
{
    static const char *const KEYS[] = {"title", "class", "window", "grace", "priority",
                                       "when",  "if",    "repeat", NULL};
    static const char *const REPEAT[] = {"once", "yearly", NULL};
    const char *what = compile_format(compiler, "date '%.*s'", span_fmt(pair->key));
    struct date *date = &compiler->scenario_items[id].date;
    uint32_t index = 0;
    if (!compile_keys(compiler, pair->value, KEYS, true, NOT_YET_NOTHING, what)) {
        return;
    }
    const struct yaml_node *value = yaml_get(pair->value, "when");
    if (value == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "%s has no 'when'", what);
    } else {
        compile_when(compiler, value, date);
    }
    if ((value = yaml_get(pair->value, "repeat")) != NULL &&
        compile_word(compiler, value, REPEAT, &index)) {
        date->yearly = index == 1;
    }
    const struct inherited inherited =
        compile_inherited(compiler, pair->value, id, CLASS_MARKETING);
    /* Its goal is the moment itself. */
    compile_only_step(compiler, pair, id, &inherited, (struct timing){.kind = TIMING_BEFORE_GOAL});
}

void
compile_dates(struct compiler *compiler, const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        uint32_t id = name_table_find(&compiler->scenarios, section->pairs[i].key);
        if (id != NO_ID && compiler->scenario_items[id].kind == KIND_DATE) {
            compile_date(compiler, &section->pairs[i], id);
        }
    }
}
