#include "proto/definition_compile.h"
#include "proto/words.h"

static const char *const SCENARIO_KEYS[] = {"title",     "lane",  "zone",   "reentry",
                                            "late_day0", "class", "window", "grace",
                                            "priority",  "steps", "cap",    NULL};
static const char *const STEP_KEYS[] = {"when",  "if",    "otherwise", "window",
                                        "grace", "class", "priority",  NULL};
enum { DAYS_MAX = 36525, DAYS_AFTER_PREVIOUS_MAX = 30 };

/* What steps inherit from their scenario; has_… says whether the scenario itself set it. */
struct inherited {
    bool has_window;
    struct window window;
    int64_t grace_ms;
    enum message_class message_class;
    int32_t priority;
};

void
compile_scenario_names(struct compiler *compiler, const struct yaml_node *section)
{
    const struct definitions *before = compiler->before;
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        if (compile_id(compiler, pair->key_mark, pair->key)) {
            name_table_add(&compiler->scenarios, pair->key);
        }
        const struct yaml_node *lane = yaml_get(pair->value, "lane");
        bool named = lane != NULL && lane->kind == YAML_SCALAR && lane->text.len > 0;
        name_table_add(&compiler->lanes, named ? lane->text : span_cstr("main"));
    }
    uint32_t count = compiler->scenarios.names.count;
    compiler->steps = arena_alloc(compiler->arena, (count + 1) * sizeof(*compiler->steps));
    compiler->scenario_items =
        arena_alloc(compiler->arena, (count + 1) * sizeof(*compiler->scenario_items));
    for (uint32_t id = 0; id < count; id++) {
        bool known = before != NULL && id < before->scenario_names.count;
        name_table_load(&compiler->steps[id], compiler->arena,
                        known ? &before->scenarios[id].step_names : NULL);
    }
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_node *steps = yaml_get(section->pairs[i].value, "steps");
        uint32_t id = name_table_find(&compiler->scenarios, section->pairs[i].key);
        for (uint32_t j = 0;
             id != NO_ID && steps != NULL && steps->kind == YAML_MAPPING && j < steps->count; j++) {
            if (compile_id(compiler, steps->pairs[j].key_mark, steps->pairs[j].key)) {
                name_table_add(&compiler->steps[id], steps->pairs[j].key);
            }
        }
    }
}

/* --- when --- */

static bool
no_timing(struct compiler *compiler, const struct yaml_node *node, struct span text)
{
    int64_t number = 0;
    for (size_t i = 0; i < text.len && number <= 1000; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            break;
        }
        number = number * 10 + (text.data[i] - '0');
    }
    int days = number >= 1 && number <= DAYS_AFTER_PREVIOUS_MAX ? (int)number : 2;
    compile_error(
        compiler, node, text,
        "not a timing; write '%dd after start', '%dd after previous', 'day %d at 10:00' or "
        "'%d day%s after previous at 10:00'",
        days, days, days, days, days == 1 ? "" : "s");
    return false;
}

/* "at 19:00" at the end; prefix is what stands before it, for the remedy. */
static bool
at_time(struct compiler *compiler, const struct yaml_node *node, struct span text, struct span rest,
        int32_t *out_min)
{
    struct span word = words_next(&rest);
    struct span before = words_trim(span_of(text.data, (size_t)(word.data - text.data)));
    if (word.len == 0) {
        compile_error(compiler, node, text, "the time is missing: write '%.*s at 10:00'",
                      span_fmt(text));
        return false;
    }
    if (!span_equal_cstr(word, "at")) {
        int32_t minute;
        compile_error(compiler, node, word, "expected 'at' before the time: write '%.*s at %.*s'",
                      span_fmt(before), words_time(word, &minute) ? (int)word.len : 5,
                      words_time(word, &minute) ? (const char *)word.data : "10:00");
        return false;
    }
    struct span time = words_next(&rest);
    struct span more = words_next(&rest);
    if (time.len == 0) {
        compile_error(compiler, node, text, "the time is missing: write '%.*s 10:00'",
                      span_fmt(text));
        return false;
    }
    if (!compile_time(compiler, node, time, out_min)) {
        return false;
    }
    if (more.len > 0) {
        compile_error(compiler, node, more, "nothing may follow the time");
        return false;
    }
    return true;
}

static bool
compile_timing(struct compiler *compiler, const struct yaml_node *node, struct timing *out_timing)
{
    struct span text;
    if (!compile_text(compiler, node, "'when'", &text)) {
        return false;
    }
    text = words_trim(text);
    struct span rest = text;
    struct span first = words_next(&rest);
    int64_t number;
    if (span_equal_cstr(text, "now")) {
        out_timing->kind = TIMING_NOW;
        return true;
    }
    if (span_equal_cstr(first, "day")) {
        struct span day = words_next(&rest);
        if (!words_number(day, &number) || day.data[0] == '+' || number < 0 || number > DAYS_MAX) {
            return no_timing(compiler, node, text);
        }
        out_timing->kind = TIMING_DAY_AT;
        out_timing->days = (int32_t)number;
        return at_time(compiler, node, text, rest, &out_timing->at_min);
    }
    if (words_duration(first, &out_timing->delay_ms)) {
        struct span previous = rest;
        bool after_start = words_take(&rest, "after start") && words_trim(rest).len == 0;
        bool after_previous =
            words_take(&previous, "after previous") && words_trim(previous).len == 0;
        out_timing->kind = after_start ? TIMING_AFTER_START : TIMING_AFTER_PREVIOUS;
        return after_start || after_previous || no_timing(compiler, node, text);
    }
    if (words_number(first, &number) &&
        (words_take(&rest, "days after previous") || words_take(&rest, "day after previous"))) {
        if (number < 1 || number > DAYS_AFTER_PREVIOUS_MAX) {
            compile_error(compiler, node, first, "1 to %d days after the previous step (R2)",
                          DAYS_AFTER_PREVIOUS_MAX);
            return false;
        }
        out_timing->kind = TIMING_DAYS_AFTER_PREVIOUS_AT;
        out_timing->days = (int32_t)number;
        return at_time(compiler, node, text, rest, &out_timing->at_min);
    }
    return no_timing(compiler, node, text);
}

/* --- steps --- */

static void
compile_otherwise(struct compiler *compiler, const struct yaml_node *node,
                  enum otherwise *out_otherwise)
{
    static const char *const WORDS[] = {"skip", "stop", NULL};
    struct span text;
    uint32_t index;
    if (!compile_text(compiler, node, "'otherwise'", &text)) {
        return;
    }
    struct span rest = text;
    const struct not_yet *row = not_yet_find(NOT_YET_OTHERWISE, words_next(&rest));
    if (row != NULL) {
        compile_not_yet(compiler, node->mark, text, row);
    } else if (compile_word(compiler, node, WORDS, &index)) {
        *out_otherwise = index == 0 ? OTHERWISE_SKIP : OTHERWISE_STOP;
    }
}

static void
compile_priority(struct compiler *compiler, const struct yaml_node *node, int32_t *out_priority)
{
    int64_t number;
    if (!compile_number(compiler, node, &number)) {
        return;
    }
    if (number < -1000000 || number > 1000000) {
        compile_error(compiler, node, node->text, "a priority is between -1000000 and 1000000");
        return;
    }
    *out_priority = (int32_t)number;
}

static void
compile_step(struct compiler *compiler, const struct yaml_pair *pair, const char *scenario,
             const struct inherited *inherited, struct step *step)
{
    const struct yaml_node *node = pair->value;
    const char *what = compile_format(compiler, "step '%.*s'", span_fmt(pair->key));
    struct place place = {.what = what, .mark = pair->key_mark, .word = pair->key};
    place.name = compile_format(compiler, "%s/%.*s", scenario, span_fmt(pair->key));
    step->grace_ms = inherited->grace_ms;
    step->message_class = inherited->message_class;
    step->priority = inherited->priority;
    if (!compile_keys(compiler, node, STEP_KEYS, true, NOT_YET_STEP_KEY, what)) {
        return;
    }
    const struct yaml_node *value = yaml_get(node, "when");
    if (value == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "%s has no 'when'", what);
    } else {
        compile_timing(compiler, value, &step->timing);
    }
    if ((value = yaml_get(node, "if")) != NULL) {
        compile_condition(compiler, value, &step->condition);
    }
    if ((value = yaml_get(node, "otherwise")) != NULL) {
        compile_otherwise(compiler, value, &step->otherwise);
    }
    if ((value = yaml_get(node, "class")) != NULL) {
        compile_class(compiler, value, &step->message_class);
    }
    step->window =
        inherited->has_window ? inherited->window : compiler->class_windows[step->message_class];
    if ((value = yaml_get(node, "window")) != NULL) {
        compile_window(compiler, value, &step->window);
    }
    if (step->message_class == CLASS_EMERGENCY || step->message_class == CLASS_RESPONSE) {
        step->window = (struct window){.open_min = -1}; /* they ignore every window (SPEC R8) */
    }
    if ((value = yaml_get(node, "grace")) != NULL) {
        compile_duration(compiler, value, &step->grace_ms);
    }
    if ((value = yaml_get(node, "priority")) != NULL) {
        compile_priority(compiler, value, &step->priority);
    }
    compile_body(compiler, node, &place, &step->body);
}

/* SPEC R5: a step waits for the one before it; being due earlier is hardly what was meant. */
static void
warn_of_order(struct compiler *compiler, const struct yaml_node *steps, const struct step *items)
{
    for (uint32_t i = 1; i < steps->count; i++) {
        const struct timing *a = &items[i - 1].timing;
        const struct timing *b = &items[i].timing;
        bool earlier = a->kind == b->kind &&
                       ((a->kind == TIMING_AFTER_START && b->delay_ms < a->delay_ms) ||
                        (a->kind == TIMING_DAY_AT &&
                         (b->days < a->days || (b->days == a->days && b->at_min < a->at_min))));
        if (earlier) {
            yaml_warning(compiler->diagnostics, steps->pairs[i].key_mark, steps->pairs[i].key,
                         "step '%.*s' is due before '%.*s' and will wait for it (R5)",
                         span_fmt(steps->pairs[i].key), span_fmt(steps->pairs[i - 1].key));
        }
    }
}

static void
compile_steps(struct compiler *compiler, const struct yaml_pair *pair, uint32_t id,
              const struct inherited *inherited)
{
    const struct yaml_node *steps = yaml_get(pair->value, "steps");
    struct scenario *scenario = &compiler->scenario_items[id];
    const char *name = compiler->scenarios.names.items[id].text;
    if (steps == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "scenario '%s' has no 'steps'",
                   name);
        return;
    }
    if (steps->kind != YAML_MAPPING || steps->count == 0) {
        if (steps->kind != YAML_SCALAR || steps->text.len > 0) {
            compile_error(compiler, steps, span_cstr(""),
                          "'steps' must be a mapping of steps, in order");
        }
        return;
    }
    struct step *items = arena_alloc(compiler->arena, steps->count * sizeof(*items));
    for (uint32_t i = 0; i < steps->count; i++) {
        items[i].id = name_table_find(&compiler->steps[id], steps->pairs[i].key);
        if (items[i].id != NO_ID) {
            items[i].name = compiler->steps[id].names.items[items[i].id].text;
        }
        compile_step(compiler, &steps->pairs[i], name, inherited, &items[i]);
    }
    warn_of_order(compiler, steps, items);
    scenario->steps = items;
    scenario->step_count = steps->count;
}

static void
compile_scenario(struct compiler *compiler, const struct yaml_pair *pair, uint32_t id)
{
    static const char *const REENTRY[] = {"if_not_active", "never", "always", NULL};
    static const char *const LATE_DAY0[] = {"shift", "skip", "send_now", NULL};
    const struct yaml_node *node = pair->value;
    struct scenario *scenario = &compiler->scenario_items[id];
    const char *what = compile_format(compiler, "scenario '%.*s'", span_fmt(pair->key));
    struct inherited inherited = {.grace_ms = compiler->out->account.grace_ms,
                                  .message_class = CLASS_MARKETING};
    const struct yaml_node *value;
    struct span text = span_cstr("main");
    uint32_t index;
    if (!compile_keys(compiler, node, SCENARIO_KEYS, false, NOT_YET_SCENARIO_KEY, what)) {
        return;
    }
    if ((value = yaml_get(node, "lane")) != NULL &&
        compile_text(compiler, value, "'lane'", &text)) {
        compile_id(compiler, value->mark, text);
    }
    scenario->lane = name_table_find(&compiler->lanes, text);
    if ((value = yaml_get(node, "title")) != NULL &&
        compile_text(compiler, value, "'title'", &text)) {
        scenario->title = arena_cstr(compiler->arena, text);
    }
    if ((value = yaml_get(node, "zone")) != NULL) {
        compile_zone(compiler, value, compiler->out->account.zone, &scenario->zone);
    }
    if ((value = yaml_get(node, "reentry")) != NULL &&
        compile_word(compiler, value, REENTRY, &index)) {
        scenario->reentry = (enum reentry)index;
    }
    if ((value = yaml_get(node, "late_day0")) != NULL &&
        compile_word(compiler, value, LATE_DAY0, &index)) {
        scenario->late_day0 = (enum late_day0)index;
    }
    if ((value = yaml_get(node, "class")) != NULL) {
        compile_class(compiler, value, &inherited.message_class);
    }
    if ((value = yaml_get(node, "window")) != NULL) {
        inherited.has_window = compile_window(compiler, value, &inherited.window);
    }
    if ((value = yaml_get(node, "grace")) != NULL) {
        compile_duration(compiler, value, &inherited.grace_ms);
    }
    if ((value = yaml_get(node, "priority")) != NULL) {
        compile_priority(compiler, value, &inherited.priority);
    }
    if ((value = yaml_get(node, "cap")) != NULL) {
        compile_cap(compiler, value, &scenario->cap);
    }
    compile_steps(compiler, pair, id, &inherited);
}

void
compile_scenarios(struct compiler *compiler, const struct yaml_node *section)
{
    for (uint32_t id = 0; id < compiler->scenarios.names.count; id++) {
        compiler->scenario_items[id].zone = compiler->out->account.zone;
    }
    for (uint32_t i = 0; i < section->count; i++) {
        uint32_t id = name_table_find(&compiler->scenarios, section->pairs[i].key);
        if (id != NO_ID) {
            compile_scenario(compiler, &section->pairs[i], id);
        }
    }
    for (uint32_t id = 0; id < compiler->scenarios.names.count; id++) {
        compiler->scenario_items[id].step_names = compiler->steps[id].names;
    }
}
