/* `reminders:`, and the actions `remind:` and `cancel:` (SPEC R32). */
#include "proto/definition_compile.h"
#include "proto/words.h"

enum { DAYS_BEFORE_MAX = 3650 };

static bool
no_timing(struct compiler *compiler, const struct yaml_node *node, struct span text)
{
    compile_error(compiler, node, text,
                  "not a timing of a reminder; write '3 days before at 08:00', 'the day at 20:00' "
                  "or '1h30m before'");
    return false;
}

bool
compile_reminder_timing(struct compiler *compiler, const struct yaml_node *node,
                        struct timing *out_timing)
{
    struct span text;
    if (!compile_text(compiler, node, "'when'", &text)) {
        return false;
    }
    text = words_trim(text);
    struct span rest = text;
    struct span first = words_next(&rest);
    int64_t days = 0;
    if (words_duration(first, &out_timing->delay_ms)) {
        out_timing->kind = TIMING_BEFORE_GOAL;
        return (words_take(&rest, "before") && words_trim(rest).len == 0) ||
               no_timing(compiler, node, text);
    }
    out_timing->kind = TIMING_DAYS_BEFORE_GOAL_AT;
    if (span_equal_cstr(first, "the") && words_take(&rest, "day")) {
        return compile_at_time(compiler, node, text, rest, &out_timing->at_min);
    }
    if (!words_number(first, &days) ||
        (!words_take(&rest, "days before") && !words_take(&rest, "day before"))) {
        return no_timing(compiler, node, text);
    }
    if (days < 1 || days > DAYS_BEFORE_MAX) {
        compile_error(compiler, node, first, "1 to %d days before; write 'the day at …' for none",
                      DAYS_BEFORE_MAX);
        return false;
    }
    out_timing->days = (int32_t)days;
    return compile_at_time(compiler, node, text, rest, &out_timing->at_min);
}

void
compile_reminders(struct compiler *compiler, const struct yaml_node *section)
{
    static const char *const KEYS[] = {"title", "zone",     "class", "window",
                                       "grace", "priority", "steps", NULL};
    for (uint32_t i = 0; i < section->count; i++) {
        const struct yaml_pair *pair = &section->pairs[i];
        uint32_t id = name_table_find(&compiler->scenarios, pair->key);
        const char *what = compile_format(compiler, "reminder '%.*s'", span_fmt(pair->key));
        if (id == NO_ID || compiler->scenario_items[id].kind != KIND_REMINDER ||
            !compile_keys(compiler, pair->value, KEYS, false, NOT_YET_REMINDER_KEY, what)) {
            continue;
        }
        const struct inherited inherited =
            compile_inherited(compiler, pair->value, id, CLASS_TRANSACTIONAL);
        compile_steps(compiler, pair, id, &inherited);
    }
}

/* `key:`, or the reminder's id. */
static uint32_t
key_of(struct compiler *compiler, const struct yaml_node *action, struct span reminder)
{
    const struct yaml_node *key = yaml_get(action, "key");
    struct span text = reminder;
    if (key != NULL && compile_text(compiler, key, "'key'", &text) &&
        !compile_id(compiler, key->mark, text)) {
        return NO_ID;
    }
    return name_table_add(&compiler->keys, text);
}

/* A field that is a date or datetime, or a moment written out. */
static void
compile_goal(struct compiler *compiler, const struct yaml_node *node, struct action *action)
{
    struct span text;
    int64_t day = 0;
    const struct zone *zone = compiler->out->account.zone;
    if (!compile_text(compiler, node, "'goal'", &text)) {
        return;
    }
    if (words_datetime(text, zone, &action->u.remind.goal_ms)) {
        return;
    }
    if (words_date(text, &day)) { /* as a date field: its day's 23:59 */
        action->u.remind.goal_ms = civil_instant(zone, day, 23 * 3600 + 59 * 60);
        return;
    }
    uint32_t field = compile_reference(compiler, &compiler->fields, "field", node, text);
    action->u.remind.field = field;
    if (field != NO_ID && compiler->field_items[field].type != FIELD_DATE &&
        compiler->field_items[field].type != FIELD_DATETIME) {
        compile_error(compiler, node, text, "'%.*s' is no date; a goal is a date or datetime",
                      span_fmt(text));
    }
}

void
compile_remind(struct compiler *compiler, const struct yaml_node *action,
               const struct yaml_node *node, struct action *out_action)
{
    struct span name;
    const struct yaml_node *goal = yaml_get(action, "goal");
    out_action->u.remind.reminder = NO_ID;
    out_action->u.remind.field = NO_ID;
    if (!compile_text(compiler, node, "'remind'", &name)) {
        return;
    }
    out_action->u.remind.reminder = compile_scenario_reference(compiler, KIND_REMINDER, node, name);
    out_action->u.remind.key = key_of(compiler, action, name);
    if (goal == NULL) {
        compile_error(compiler, node, name,
                      "'remind' needs a 'goal': a date or datetime field, or 2026-06-13 14:00");
        return;
    }
    compile_goal(compiler, goal, out_action);
}

void
compile_cancel(struct compiler *compiler, const struct yaml_node *action,
               const struct yaml_node *node, struct action *out_action)
{
    struct span name;
    out_action->u.remind.reminder = NO_ID;
    out_action->u.remind.key = NO_ID;
    if (!compile_text(compiler, node, "'cancel'", &name)) {
        return;
    }
    out_action->u.remind.reminder = compile_scenario_reference(compiler, KIND_REMINDER, node, name);
    if (yaml_get(action, "key") != NULL) {
        out_action->u.remind.key = key_of(compiler, action, name);
    }
}
