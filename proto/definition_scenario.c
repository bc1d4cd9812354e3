#include "proto/definition_compile.h"
#include "proto/words.h"

static const char *const SCENARIO_KEYS[] = {
    "title",    "lane",  "zone",    "reentry",   "late_day0", "class", "window", "grace",
    "priority", "steps", "enabled", "on_finish", "valid",     "cap",   "start",  NULL};
static const char *const STEP_KEYS[] = {"when",  "if",    "otherwise", "window",
                                        "grace", "class", "priority",  NULL};
enum { DAYS_MAX = 36525, DAYS_AFTER_PREVIOUS_MAX = 30 };

/* One name space for all kinds (LANGUAGE 1): an id in two sections is an error. */
static void
name_scenario(struct compiler *compiler, const struct yaml_pair *pair, enum scenario_kind kind,
              uint8_t *kinds)
{
    if (!compile_id(compiler, pair->key_mark, pair->key)) {
        return;
    }
    uint32_t known = name_table_find(&compiler->scenarios, pair->key);
    if (known != NO_ID) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "'%.*s' is the id of a %s already; scenarios, reminders, triggers and dates "
                   "share one name space",
                   span_fmt(pair->key), scenario_kind_name((enum scenario_kind)kinds[known]));
        return;
    }
    kinds[name_table_add(&compiler->scenarios, pair->key)] = (uint8_t)kind;
}

static void
name_steps(struct compiler *compiler, const struct yaml_pair *pair, enum scenario_kind kind)
{
    const struct yaml_node *steps = yaml_get(pair->value, "steps");
    uint32_t id = name_table_find(&compiler->scenarios, pair->key);
    if (id == NO_ID) {
        return;
    }
    if (kind == KIND_TRIGGER || kind == KIND_DATE) {
        name_table_add(&compiler->steps[id], span_cstr(""));
        return;
    }
    for (uint32_t j = 0; steps != NULL && steps->kind == YAML_MAPPING && j < steps->count; j++) {
        if (!compile_id(compiler, steps->pairs[j].key_mark, steps->pairs[j].key)) {
            continue;
        }
        uint32_t step = name_table_add(&compiler->steps[id], steps->pairs[j].key);
        if (kind == KIND_REMINDER && step >= REMINDER_STEPS_MAX) {
            yaml_error(compiler->diagnostics, steps->pairs[j].key_mark, steps->pairs[j].key,
                       "a reminder may have %d steps in all its life; give this one a new id",
                       REMINDER_STEPS_MAX);
        }
    }
}

void
compile_scenario_names(struct compiler *compiler,
                       const struct yaml_node *const sections[SCENARIO_KIND_COUNT], uint32_t waits)
{
    const struct definitions *before = compiler->before;
    uint32_t count = compiler->scenarios.names.count;
    for (int kind = 0; kind < SCENARIO_KIND_COUNT; kind++) {
        count += sections[kind]->count;
    }
    uint8_t *kinds = arena_alloc(compiler->arena, count + 1);
    for (int kind = 0; kind < SCENARIO_KIND_COUNT; kind++) {
        for (uint32_t i = 0; i < sections[kind]->count; i++) {
            name_scenario(compiler, &sections[kind]->pairs[i], (enum scenario_kind)kind, kinds);
        }
    }
    for (uint32_t i = 0; i < sections[KIND_SCENARIO]->count; i++) {
        const struct yaml_node *lane = yaml_get(sections[KIND_SCENARIO]->pairs[i].value, "lane");
        bool named = lane != NULL && lane->kind == YAML_SCALAR && lane->text.len > 0;
        name_table_add(&compiler->lanes, named ? lane->text : span_cstr("main"));
    }
    count = compiler->scenarios.names.count;
    compiler->steps = arena_alloc(compiler->arena, (count + waits + 1) * sizeof(*compiler->steps));
    compiler->scenario_items =
        arena_alloc(compiler->arena, (count + waits + 1) * sizeof(*compiler->scenario_items));
    for (uint32_t id = 0; id < count; id++) {
        bool known = before != NULL && id < before->scenario_names.count;
        name_table_load(&compiler->steps[id], compiler->arena,
                        known ? &before->scenarios[id].step_names : NULL);
        compiler->scenario_items[id].kind = (enum scenario_kind)kinds[id];
        compiler->scenario_items[id].lane = NO_ID;
        compiler->scenario_items[id].date.field = NO_ID;
    }
    for (int kind = 0; kind < SCENARIO_KIND_COUNT; kind++) {
        for (uint32_t i = 0; i < sections[kind]->count; i++) {
            name_steps(compiler, &sections[kind]->pairs[i], (enum scenario_kind)kind);
        }
    }
}

uint32_t
compile_scenario_reference(struct compiler *compiler, enum scenario_kind kind,
                           const struct yaml_node *node, struct span piece)
{
    uint32_t id =
        compile_reference(compiler, &compiler->scenarios, scenario_kind_name(kind), node, piece);
    if (id != NO_ID && compiler->scenario_items[id].kind != kind) {
        compile_error(compiler, node, piece, "'%.*s' is a %s, no %s", span_fmt(piece),
                      scenario_kind_name(compiler->scenario_items[id].kind),
                      scenario_kind_name(kind));
        return NO_ID;
    }
    return id;
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
bool
compile_at_time(struct compiler *compiler, const struct yaml_node *node, struct span text,
                struct span rest, int32_t *out_min)
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
        return compile_at_time(compiler, node, text, rest, &out_timing->at_min);
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
        return compile_at_time(compiler, node, text, rest, &out_timing->at_min);
    }
    return no_timing(compiler, node, text);
}

/* --- steps --- */

static void
compile_otherwise(struct compiler *compiler, const struct yaml_node *node,
                  const struct place *place, struct step *step)
{
    static const char *const WORDS[] = {"skip", "stop", NULL};
    struct span text;
    uint32_t index;
    if (!compile_text(compiler, node, "'otherwise'", &text)) {
        return;
    }
    struct span rest = text;
    if (words_take(&rest, "goto") && words_trim(rest).len > 0) {
        step->otherwise = OTHERWISE_GOTO;
        step->otherwise_step = compile_jump(compiler, node, words_trim(rest), place);
    } else if (compile_word(compiler, node, WORDS, &index)) {
        step->otherwise = index == 0 ? OTHERWISE_SKIP : OTHERWISE_STOP;
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

/* Everything but the timing. */
static void
compile_step_rest(struct compiler *compiler, const struct yaml_node *node, struct place *place,
                  const struct inherited *inherited, struct step *step)
{
    const struct yaml_node *value;
    if ((value = yaml_get(node, "if")) != NULL) {
        compile_condition(compiler, value, &step->condition);
    }
    if ((value = yaml_get(node, "otherwise")) != NULL) {
        compile_otherwise(compiler, value, place, step);
    }
    if ((value = yaml_get(node, "class")) != NULL) {
        compile_class(compiler, value, &step->message_class);
    }
    step->window =
        inherited->has_window ? inherited->window : compiler->class_windows[step->message_class];
    if ((value = yaml_get(node, "window")) != NULL) {
        compile_window(compiler, value, &step->window);
    }
    step->grace_ms = inherited->has_grace
                         ? inherited->grace_ms
                         : compiler->out->account.class_grace_ms[step->message_class];
    if (step->message_class == CLASS_EMERGENCY || step->message_class == CLASS_RESPONSE) {
        step->window = (struct window){.open_min = -1}; /* they ignore every window (SPEC R8) */
    }
    if ((value = yaml_get(node, "grace")) != NULL) {
        compile_duration(compiler, value, &step->grace_ms);
    }
    if ((value = yaml_get(node, "priority")) != NULL) {
        compile_priority(compiler, value, &step->priority);
    }
    place->like = step;
    compile_body(compiler, node, place, &step->body);
}

static void
compile_step(struct compiler *compiler, const struct yaml_pair *pair, uint32_t scenario,
             const struct yaml_node *steps, const struct inherited *inherited, struct step *step)
{
    const struct yaml_node *node = pair->value;
    const char *what = compile_format(compiler, "step '%.*s'", span_fmt(pair->key));
    struct place place = {.what = what, .mark = pair->key_mark, .word = pair->key};
    if (inherited->kind == KIND_SCENARIO) { /* only there may a step lead elsewhere */
        place.steps = steps;
        place.step = pair->key;
        place.scenario = scenario;
    }
    place.name = compile_format(compiler, "%s/%.*s", compiler->scenarios.names.items[scenario].text,
                                span_fmt(pair->key));
    step->message_class = inherited->message_class;
    step->priority = inherited->priority;
    if (!compile_keys(compiler, node, STEP_KEYS, true, NOT_YET_STEP_KEY, what)) {
        return;
    }
    const struct yaml_node *value = yaml_get(node, "when");
    if (value == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "%s has no 'when'", what);
    } else if (inherited->kind == KIND_REMINDER) {
        compile_reminder_timing(compiler, value, &step->timing);
    } else {
        compile_timing(compiler, value, &step->timing);
    }
    compile_step_rest(compiler, node, &place, inherited, step);
}

void
compile_only_step(struct compiler *compiler, const struct yaml_pair *pair, uint32_t id,
                  const struct inherited *inherited, struct timing timing)
{
    struct step *step = arena_alloc(compiler->arena, sizeof(*step));
    struct place place = {.what = compile_format(compiler, "%s '%.*s'",
                                                 scenario_kind_name(inherited->kind),
                                                 span_fmt(pair->key)),
                          .name = compiler->scenarios.names.items[id].text,
                          .mark = pair->key_mark,
                          .word = pair->key};
    *step = (struct step){.id = name_table_find(&compiler->steps[id], span_cstr("")),
                          .name = "",
                          .timing = timing,
                          .message_class = inherited->message_class,
                          .priority = inherited->priority};
    compile_step_rest(compiler, pair->value, &place, inherited, step);
    compiler->scenario_items[id].steps = step;
    compiler->scenario_items[id].step_count = 1;
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

void
compile_steps(struct compiler *compiler, const struct yaml_pair *pair, uint32_t id,
              const struct inherited *inherited)
{
    const struct yaml_node *steps = yaml_get(pair->value, "steps");
    struct scenario *scenario = &compiler->scenario_items[id];
    const char *name = compiler->scenarios.names.items[id].text;
    if (steps == NULL) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key, "%s '%s' has no 'steps'",
                   scenario_kind_name(inherited->kind), name);
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
        compile_step(compiler, &steps->pairs[i], id, steps, inherited, &items[i]);
    }
    warn_of_order(compiler, steps, items);
    scenario->steps = items;
    scenario->step_count = steps->count;
}

struct inherited
compile_inherited(struct compiler *compiler, const struct yaml_node *node, uint32_t id,
                  enum message_class message_class)
{
    struct scenario *scenario = &compiler->scenario_items[id];
    struct inherited inherited = {.kind = scenario->kind, .message_class = message_class};
    const struct yaml_node *value;
    struct span text;
    if ((value = yaml_get(node, "title")) != NULL &&
        compile_text(compiler, value, "'title'", &text)) {
        scenario->title = arena_cstr(compiler->arena, text);
    }
    if ((value = yaml_get(node, "zone")) != NULL) {
        scenario->friend_zone =
            value->kind == YAML_SCALAR && span_equal_cstr(value->text, "friend");
        if (!scenario->friend_zone) {
            compile_zone(compiler, value, compiler->out->account.zone, &scenario->zone);
        }
    }
    if ((value = yaml_get(node, "class")) != NULL) {
        compile_class(compiler, value, &inherited.message_class);
    }
    if ((value = yaml_get(node, "window")) != NULL) {
        inherited.has_window = compile_window(compiler, value, &inherited.window);
    }
    if ((value = yaml_get(node, "grace")) != NULL) {
        inherited.has_grace = compile_duration(compiler, value, &inherited.grace_ms);
    }
    if ((value = yaml_get(node, "priority")) != NULL) {
        compile_priority(compiler, value, &inherited.priority);
    }
    return inherited;
}

/* SPEC R25. A scenario that starts itself at its end would never come to rest. */
static void
compile_on_finish(struct compiler *compiler, const struct yaml_pair *scenario,
                  const struct yaml_pair *pair, uint32_t id, struct body *out_body)
{
    static const char *const NO_KEYS[] = {NULL};
    struct place place = {.what = "'on_finish'", .mark = pair->key_mark, .word = pair->key};
    place.name = compile_format(compiler, "%.*s/on_finish", span_fmt(scenario->key));
    if (!compile_keys(compiler, pair->value, NO_KEYS, true, NOT_YET_NOTHING, place.what)) {
        return;
    }
    compile_body(compiler, pair->value, &place, out_body);
    if (out_body->has_message) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "not yet: messages in 'on_finish' (R25); make them the last step");
    }
    for (uint32_t i = 0; i < out_body->action_count; i++) {
        const struct action *action = &out_body->actions[i];
        if (action->kind == ACTION_START && action->u.start.scenario == id) {
            yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                       "scenario '%.*s' starts itself at its end and would never finish",
                       span_fmt(scenario->key));
        }
    }
}

/* "by action", "once for tag:vip" (SPEC R54) */
static void
compile_start(struct compiler *compiler, const struct yaml_node *node, struct scenario *scenario)
{
    static const char ONCE[] = "once for ";
    struct span text;
    if (!compile_text(compiler, node, "when it starts", &text) ||
        span_equal_cstr(text, "by action")) {
        return;
    }
    if (words_starts_with(text, ONCE)) {
        scenario->starts_once = compile_condition_text(
            compiler, node, words_after(text, span_of(text.data, strlen(ONCE))),
            &scenario->start_for);
    } else if (words_starts_with(text, "entering ")) {
        compile_error(
            compiler, node, text,
            "not yet: a scenario started as friends enter a segment (R54); 'once for' and "
            "triggers are there");
    } else {
        compile_error(compiler, node, text, "not a start; write 'by action' or 'once for tag:vip'");
    }
}

static void
compile_scenario(struct compiler *compiler, const struct yaml_pair *pair, uint32_t id)
{
    static const char *const REENTRY[] = {"if_not_active", "never", "always", NULL};
    static const char *const LATE_DAY0[] = {"shift", "skip", "send_now", NULL};
    const struct yaml_node *node = pair->value;
    struct scenario *scenario = &compiler->scenario_items[id];
    const char *what = compile_format(compiler, "scenario '%.*s'", span_fmt(pair->key));
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
    if ((value = yaml_get(node, "reentry")) != NULL &&
        compile_word(compiler, value, REENTRY, &index)) {
        scenario->reentry = (enum reentry)index;
    }
    if ((value = yaml_get(node, "late_day0")) != NULL &&
        compile_word(compiler, value, LATE_DAY0, &index)) {
        scenario->late_day0 = (enum late_day0)index;
    }
    const struct inherited inherited = compile_inherited(compiler, node, id, CLASS_MARKETING);
    bool enabled = true;
    if ((value = yaml_get(node, "enabled")) != NULL) {
        compile_yes_no(compiler, value, &enabled);
    }
    if ((value = yaml_get(node, "valid")) != NULL) {
        scenario->has_valid =
            compile_period(compiler, value, &scenario->first_day, &scenario->last_day);
    }
    if ((value = yaml_get(node, "start")) != NULL) {
        compile_start(compiler, value, scenario);
    }
    scenario->disabled = !enabled;
    if ((value = yaml_get(node, "cap")) != NULL) {
        compile_cap(compiler, value, &scenario->cap);
    }
    compile_steps(compiler, pair, id, &inherited);
    for (uint32_t i = 0; i < node->count; i++) {
        if (span_equal_cstr(node->pairs[i].key, "on_finish")) {
            compile_on_finish(compiler, pair, &node->pairs[i], id, &scenario->on_finish);
        }
    }
}

void
compile_scenarios(struct compiler *compiler, const struct yaml_node *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        uint32_t id = name_table_find(&compiler->scenarios, section->pairs[i].key);
        if (id != NO_ID && compiler->scenario_items[id].kind == KIND_SCENARIO) {
            compile_scenario(compiler, &section->pairs[i], id);
        }
    }
}

void
compile_scenario_rows(struct compiler *compiler)
{
    for (uint32_t id = 0; id < compiler->scenarios.names.count; id++) {
        struct scenario *scenario = &compiler->scenario_items[id];
        scenario->step_names = compiler->steps[id].names;
        if (scenario->zone == NULL) {
            scenario->zone = compiler->out->account.zone;
        }
    }
}
