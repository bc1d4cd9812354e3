#include "proto/describe.h"

#include <inttypes.h>

void
describe_duration(int64_t ms, struct buf *out_text)
{
    static const struct {
        char letter;
        int64_t ms;
    } UNITS[] = {{'d', MS_PER_DAY}, {'h', MS_PER_HOUR}, {'m', MS_PER_MINUTE}, {'s', MS_PER_SECOND}};
    if (ms < MS_PER_SECOND) {
        buf_append_cstr(out_text, "0s");
    }
    for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
        if (ms >= UNITS[i].ms) {
            buf_printf(out_text, "%" PRId64 "%c", ms / UNITS[i].ms, UNITS[i].letter);
            ms %= UNITS[i].ms;
        }
    }
}

void
describe_timing(const struct timing *timing, struct buf *out_text)
{
    int hour = timing->at_min / 60;
    int minute = timing->at_min % 60;
    switch (timing->kind) {
    case TIMING_NOW:
        buf_append_cstr(out_text, "now");
        return;
    case TIMING_AFTER_START:
    case TIMING_AFTER_PREVIOUS:
        describe_duration(timing->delay_ms, out_text);
        buf_append_cstr(out_text,
                        timing->kind == TIMING_AFTER_START ? " after start" : " after previous");
        return;
    case TIMING_DAY_AT:
        buf_printf(out_text, "day %d at %02d:%02d", timing->days, hour, minute);
        return;
    case TIMING_DAYS_AFTER_PREVIOUS_AT:
        buf_printf(out_text, "%d day%s after previous at %02d:%02d", timing->days,
                   timing->days == 1 ? "" : "s", hour, minute);
        return;
    case TIMING_DAYS_BEFORE_GOAL_AT:
        if (timing->days == 0) {
            buf_printf(out_text, "the day at %02d:%02d", hour, minute);
        } else {
            buf_printf(out_text, "%d day%s before at %02d:%02d", timing->days,
                       timing->days == 1 ? "" : "s", hour, minute);
        }
        return;
    case TIMING_BEFORE_GOAL:
        describe_duration(timing->delay_ms, out_text);
        buf_append_cstr(out_text, " before");
        return;
    }
}

/* How strongly a piece of text holds together. */
enum binding { BINDING_OR, BINDING_AND, BINDING_TERM };
struct operand {
    struct buf text;
    enum binding binding;
};

/* Puts an operand into parentheses where it would otherwise be read differently. */
static void
bind(struct operand *operand, enum binding wanted)
{
    if (operand->binding >= wanted) {
        return;
    }
    struct buf bound = {0};
    buf_append_byte(&bound, '(');
    buf_append_span(&bound, buf_span(&operand->text));
    buf_append_byte(&bound, ')');
    buf_fini(&operand->text);
    *operand = (struct operand){.text = bound, .binding = BINDING_TERM};
}

static void
join(struct operand *left, struct operand *right, enum binding binding)
{
    bind(left, binding);
    bind(right, binding); /* a and (b and c) may lose them: it says the same */
    buf_append_cstr(&left->text, binding == BINDING_AND ? " and " : " or ");
    buf_append_span(&left->text, buf_span(&right->text));
    buf_fini(&right->text);
    *right = (struct operand){0};
    left->binding = binding;
}

static void
negate(struct operand *operand)
{
    struct buf negated = {0};
    bind(operand, BINDING_TERM);
    buf_append_cstr(&negated, "not ");
    buf_append_span(&negated, buf_span(&operand->text));
    buf_fini(&operand->text);
    operand->text = negated;
}

static void
describe_day(int64_t day, struct buf *out)
{
    struct civil_date date = civil_date_of(day);
    buf_printf(out, "%04d-%02d-%02d", date.year, date.month, date.day);
}

static void
describe_datetime(const struct definitions *definitions, int64_t at_ms, struct buf *out)
{
    struct civil_time at = civil_local(definitions->account.zone, at_ms);
    buf_printf(out, "%04d-%02d-%02d %02d:%02d", at.date.year, at.date.month, at.date.day, at.hour,
               at.minute);
}

/* A literal text stands in quotes where it would be read as something else. */
static void
describe_literal(const struct definitions *definitions, const struct value *value, struct buf *out)
{
    switch (value->type) {
    case FIELD_NUMBER:
        buf_printf(out, "%" PRId64, value->number);
        return;
    case FIELD_DATE:
        describe_day(value->number, out);
        return;
    case FIELD_DATETIME:
        describe_datetime(definitions, value->number, out);
        return;
    case FIELD_TEXT:
    case FIELD_IMAGE:
    case FIELD_FILE:
        break;
    }
    bool plain = memchr(value->text.data, ' ', value->text.len) == NULL;
    buf_printf(out, plain ? "%.*s" : "'%.*s'", span_fmt(value->text));
}

static void
describe_operand_value(const struct definitions *definitions, const struct value *value,
                       struct buf *out)
{
    switch (value->kind) {
    case VALUE_LITERAL:
        describe_literal(definitions, value, out);
        return;
    case VALUE_FIELD:
        buf_printf(out, "field:%s", names_text(&definitions->field_names, value->field));
        return;
    case VALUE_SCORE:
        buf_append_cstr(out, "score");
        return;
    case VALUE_NAME:
        buf_append_cstr(out, "name");
        return;
    case VALUE_ADDED:
        buf_append_cstr(out, "added");
        return;
    case VALUE_TODAY:
        buf_append_cstr(out, "today");
        return;
    case VALUE_ACT:
        buf_append_span(out, value->text);
        return;
    case VALUE_ANSWER:
        buf_append_cstr(out, "answer:");
        if (value->form != NO_ID) {
            buf_printf(out, "%s/", names_text(&definitions->form_names, value->form));
        }
        buf_append_cstr(out, names_text(&definitions->question_names, value->field));
        return;
    case VALUE_RECENT_SCORE:
        buf_append_cstr(out, "recent_score");
        return;
    case VALUE_LANGUAGE:
        buf_append_cstr(out, "profile:language");
        return;
    case VALUE_PICTURE:
        buf_append_cstr(out, "profile:picture");
        return;
    }
}

static void
describe_period(int64_t first_day, int64_t last_day, struct buf *out)
{
    if (first_day != INT64_MIN) {
        describe_day(first_day, out);
    }
    buf_append_cstr(out, "..");
    if (last_day != INT64_MAX) {
        describe_day(last_day, out);
    }
}

static void
describe_within(const struct within *within, struct buf *out)
{
    if (within == NULL) {
        return;
    }
    if (within->kind == WITHIN_PERIOD) {
        buf_append_cstr(out, " within ");
        describe_period(within->first_day, within->last_day, out);
    } else if (within->kind == WITHIN_LAST) {
        buf_append_cstr(out, " within last ");
        describe_duration(within->ms, out);
    } else {
        buf_append_cstr(out, " within ");
        describe_duration(within->ms, out);
        buf_append_cstr(out, " of delivery");
    }
}

static void
describe_comparison(const struct definitions *definitions, const struct comparison *comparison,
                    struct buf *out)
{
    static const char *const SIGNS[] = {"=",  "<",        "<=",       ">",
                                        ">=", "contains", "is empty", "within"};
    describe_operand_value(definitions, &comparison->left, out);
    buf_printf(out, " %s", SIGNS[comparison->kind]);
    if (comparison->kind == COMPARE_WITHIN) {
        buf_append_byte(out, ' ');
        describe_period(comparison->first_day, comparison->last_day, out);
    } else if (comparison->kind != COMPARE_EMPTY) {
        buf_append_byte(out, ' ');
        describe_operand_value(definitions, &comparison->right, out);
    }
}

static void
describe_operand(const struct definitions *definitions, const struct condition_op *op,
                 struct buf *out)
{
    switch (op->kind) {
    case CONDITION_TAG:
        buf_printf(out, "tag:%s", names_text(&definitions->tag_names, op->id));
        break;
    case CONDITION_MARK:
        buf_printf(out, "mark:%s", names_text(&definitions->mark_names, op->id));
        break;
    case CONDITION_IN:
        buf_printf(out, "in:%s", names_text(&definitions->scenario_names, op->id));
        if (op->sub != NO_ID) {
            buf_printf(out, "/%s", names_text(&definitions->scenarios[op->id].step_names, op->sub));
        }
        break;
    case CONDITION_FINISHED:
        buf_printf(out, "finished:%s", names_text(&definitions->scenario_names, op->id));
        break;
    case CONDITION_TAPPED:
        buf_printf(out, "tapped:%s", names_text(&definitions->button_names, op->id));
        break;
    case CONDITION_RECEIVED:
        buf_printf(out, "received:%s", names_text(&definitions->template_names, op->id));
        break;
    case CONDITION_ANSWERED:
        buf_printf(out, "answered:%s", names_text(&definitions->form_names, op->id));
        break;
    case CONDITION_CONVERTED:
        buf_printf(out, "converted:%s", names_text(&definitions->conversion_names, op->id));
        break;
    case CONDITION_BOOKED:
        buf_printf(out, "booked:%s", names_text(&definitions->calendar_names, op->id));
        break;
    case CONDITION_ROUTE:
        buf_printf(out, "route:%s", names_text(&definitions->route_names, op->id));
        break;
    case CONDITION_CLICKED:
        buf_printf(out, "clicked:%s", names_text(&definitions->link_names, op->id));
        break;
    case CONDITION_RANK:
        buf_printf(out, "rank:%s", names_text(&definitions->rank_names, op->id));
        break;
    case CONDITION_RICH_MENU:
        buf_printf(out, "rich_menu:%s", names_text(&definitions->rich_menu_names, op->id));
        break;
    case CONDITION_COMPARE:
        describe_comparison(definitions, op->comparison, out);
        break;
    case CONDITION_TRUE:
    case CONDITION_AND:
    case CONDITION_OR:
    case CONDITION_NOT:
        buf_append_cstr(out, "everyone");
        break;
    }
    describe_within(op->within, out);
}

void
describe_condition(const struct definitions *definitions, const struct condition *condition,
                   struct buf *out_text)
{
    struct operand stack[CONDITION_DEPTH_MAX] = {{{0}, BINDING_TERM}};
    uint32_t depth = 0;
    for (uint32_t i = 0; i < condition->op_count; i++) {
        const struct condition_op *op = &condition->ops[i];
        switch (op->kind) {
        case CONDITION_TRUE:
        case CONDITION_TAG:
        case CONDITION_MARK:
        case CONDITION_IN:
        case CONDITION_FINISHED:
        case CONDITION_TAPPED:
        case CONDITION_RECEIVED:
        case CONDITION_COMPARE:
        case CONDITION_ANSWERED:
        case CONDITION_CONVERTED:
        case CONDITION_BOOKED:
        case CONDITION_ROUTE:
        case CONDITION_CLICKED:
        case CONDITION_RANK:
        case CONDITION_RICH_MENU:
            stack[depth] = (struct operand){.binding = BINDING_TERM};
            describe_operand(definitions, op, &stack[depth].text);
            depth++;
            break;
        case CONDITION_AND:
        case CONDITION_OR:
            depth--;
            join(&stack[depth - 1], &stack[depth],
                 op->kind == CONDITION_AND ? BINDING_AND : BINDING_OR);
            break;
        case CONDITION_NOT:
            negate(&stack[depth - 1]);
            break;
        }
    }
    if (depth == 0) {
        buf_append_cstr(out_text, "everyone");
    }
    for (uint32_t i = 0; i < depth; i++) {
        buf_append_span(out_text, buf_span(&stack[i].text));
        buf_fini(&stack[i].text);
    }
}

static void
describe_send(const struct definitions *definitions, const struct action *action, struct buf *out)
{
    uint32_t count = action->u.send.template_count;
    buf_append_cstr(out, count > 1 ? "send [" : "send ");
    for (uint32_t i = 0; i < count; i++) {
        const struct pattern *pattern =
            action->u.send.patterns == NULL ? NULL : action->u.send.patterns[i];
        buf_append_cstr(out, i == 0 ? "" : ", ");
        if (pattern != NULL) {
            buf_append_span(out, pattern->text);
        } else {
            buf_append_cstr(out,
                            names_text(&definitions->template_names, action->u.send.templates[i]));
        }
    }
    buf_append_cstr(out, count > 1 ? "]" : "");
}

static void
describe_tags(const struct definitions *definitions, const struct action *action, struct buf *out)
{
    uint32_t count = action->u.tag.change_count;
    buf_append_cstr(out, count > 1 ? "tag [" : "tag ");
    for (uint32_t i = 0; i < count; i++) {
        const struct tag_change *change = &action->u.tag.changes[i];
        buf_printf(out, "%s%c%s", i == 0 ? "" : ", ", change->add ? '+' : '-',
                   names_text(&definitions->tag_names, change->tag));
    }
    buf_append_cstr(out, count > 1 ? "]" : "");
}

static void
describe_value(const struct definitions *definitions, const struct action *action, struct buf *out)
{
    int64_t number = action->u.field.number;
    switch (action->u.field.origin) {
    case FIELD_RANDOM:
        buf_printf(out, "random %" PRId64 "..%" PRId64, number, action->u.field.high);
        return;
    case FIELD_INSERTED:
        buf_append_span(out, action->u.field.pattern->text);
        return;
    case FIELD_LATER:
        buf_printf(out, "%" PRId64 " days later", number);
        if (definitions->fields[action->u.field.field].type == FIELD_DATETIME) {
            buf_printf(out, " at %02d:%02d", action->u.field.at_min / 60,
                       action->u.field.at_min % 60);
        }
        return;
    case FIELD_LITERAL:
        break;
    }
    switch (definitions->fields[action->u.field.field].type) {
    case FIELD_TEXT:
    case FIELD_IMAGE:
    case FIELD_FILE:
        buf_append_span(out, action->u.field.text);
        return;
    case FIELD_NUMBER:
        buf_printf(out, "%" PRId64, number);
        return;
    case FIELD_DATE:
        describe_day(number, out);
        return;
    case FIELD_DATETIME:
        describe_datetime(definitions, number, out);
        return;
    }
}

static void
describe_field(const struct definitions *definitions, const struct action *action, struct buf *out)
{
    const char *name = names_text(&definitions->field_names, action->u.field.field);
    switch (action->u.field.change) {
    case FIELD_CHANGE_CLEAR:
        buf_printf(out, "field clear %s", name);
        return;
    case FIELD_CHANGE_SET:
        buf_printf(out, "field %s = ", name);
        break;
    case FIELD_CHANGE_ADD:
        buf_printf(out, "field %s + ", name);
        break;
    case FIELD_CHANGE_SUBTRACT:
        buf_printf(out, "field %s - ", name);
        break;
    }
    describe_value(definitions, action, out);
}

static void
describe_start(const struct definitions *definitions, const struct action *action, struct buf *out)
{
    uint32_t scenario = action->u.start.scenario;
    buf_printf(out, "start %s", names_text(&definitions->scenario_names, scenario));
    if (action->u.start.at_step != NO_ID) {
        buf_printf(
            out, " at_step %s",
            names_text(&definitions->scenarios[scenario].step_names, action->u.start.at_step));
    }
}

static void
describe_scope(const struct definitions *definitions, const struct action *action, const char *verb,
               struct buf *out)
{
    if (action->u.stop.scope == STOP_ALL) {
        buf_printf(out, "%s all", verb);
    } else if (action->u.stop.scope == STOP_LANE) {
        buf_printf(out, "%s lane %s", verb,
                   names_text(&definitions->lane_names, action->u.stop.id));
    } else {
        buf_printf(out, "%s %s", verb, names_text(&definitions->scenario_names, action->u.stop.id));
    }
}

static void
describe_booking(const struct definitions *definitions, const struct action *action,
                 struct buf *out)
{
    const char *calendar = names_text(&definitions->calendar_names, action->u.book.calendar);
    if (action->kind == ACTION_UNBOOK) {
        buf_printf(out, "unbook %s", calendar);
    } else if (action->u.book.slot != NO_ID) {
        buf_printf(out, "book %s %s", calendar,
                   names_text(&definitions->slot_names, action->u.book.slot));
    } else {
        struct civil_time at = civil_local(definitions->account.zone, action->u.book.at_ms);
        buf_printf(out, "book %s %04d-%02d-%02d %02d:%02d", calendar, at.date.year, at.date.month,
                   at.date.day, at.hour, at.minute);
    }
}

static void
describe_remind(const struct definitions *definitions, const struct action *action, struct buf *out)
{
    const char *name = names_text(&definitions->scenario_names, action->u.remind.reminder);
    if (action->kind == ACTION_CANCEL) {
        buf_printf(out, "cancel %s", name);
    } else if (action->u.remind.field != NO_ID) {
        buf_printf(out, "remind %s goal %s", name,
                   names_text(&definitions->field_names, action->u.remind.field));
    } else {
        struct civil_time at = civil_local(definitions->account.zone, action->u.remind.goal_ms);
        buf_printf(out, "remind %s goal %04d-%02d-%02d %02d:%02d", name, at.date.year,
                   at.date.month, at.date.day, at.hour, at.minute);
    }
    if (action->u.remind.key != NO_ID) {
        buf_printf(out, " key %s", names_text(&definitions->key_names, action->u.remind.key));
    }
}

static void
describe_action(const struct definitions *definitions, const struct action *action, struct buf *out)
{
    if (action->condition.op_count > 0) {
        buf_append_cstr(out, "if ");
        describe_condition(definitions, &action->condition, out);
        buf_append_cstr(out, ": ");
    }
    switch (action->kind) {
    case ACTION_SEND:
        describe_send(definitions, action, out);
        return;
    case ACTION_TAG:
        describe_tags(definitions, action, out);
        return;
    case ACTION_FIELD:
        describe_field(definitions, action, out);
        return;
    case ACTION_START:
        describe_start(definitions, action, out);
        return;
    case ACTION_STOP:
        describe_scope(definitions, action, "stop", out);
        return;
    case ACTION_PAUSE:
        describe_scope(definitions, action, "pause", out);
        return;
    case ACTION_RESUME:
        describe_scope(definitions, action, "resume", out);
        buf_append_cstr(out, action->u.stop.shift ? " shift" : "");
        return;
    case ACTION_CHOOSE:
        buf_append_cstr(out, "choose [");
        for (uint32_t i = 0; i < action->u.choose.case_count; i++) {
            const struct choose_case *one = &action->u.choose.cases[i];
            buf_append_cstr(out, i == 0 ? "" : " | ");
            if (one->condition.op_count > 0) {
                buf_append_cstr(out, "if ");
                describe_condition(definitions, &one->condition, out);
                buf_append_cstr(out, ": ");
            }
            describe_body(definitions, &one->body, out);
        }
        buf_append_byte(out, ']');
        return;
    case ACTION_GOTO: /* its scenario is not at hand */
        buf_append_cstr(out, "goto a later step");
        return;
    case ACTION_END:
        buf_append_cstr(out, "end scenario");
        return;
    case ACTION_SCORE:
        buf_printf(out, "score %+" PRId64, action->u.score.by);
        return;
    case ACTION_DRAW:
        buf_printf(out, "%.*s from [", span_fmt(action->u.draw.name));
        for (uint32_t i = 0; i < action->u.draw.word_count; i++) {
            buf_printf(out, "%s%.*s", i == 0 ? "" : ", ", span_fmt(action->u.draw.words[i]));
        }
        buf_append_byte(out, ']');
        return;
    case ACTION_SPLIT:
        buf_append_cstr(out, "split [");
        for (uint32_t i = 0; i < action->u.split.case_count; i++) {
            buf_printf(out, "%s%u: ", i == 0 ? "" : " | ", action->u.split.shares[i]);
            describe_body(definitions, &action->u.split.cases[i].body, out);
        }
        buf_append_byte(out, ']');
        return;
    case ACTION_NOTIFY:
        buf_append_cstr(out, "notify");
        if (action->u.notify.to != NO_ID) {
            buf_printf(out, " to %s", names_text(&definitions->notify_names, action->u.notify.to));
        }
        return;
    case ACTION_CONVERT:
        buf_printf(out, "convert %s",
                   names_text(&definitions->conversion_names, action->u.convert.conversion));
        return;
    case ACTION_BOOK:
    case ACTION_UNBOOK:
        describe_booking(definitions, action, out);
        return;
    case ACTION_REMIND:
    case ACTION_CANCEL:
        describe_remind(definitions, action, out);
        return;
    case ACTION_EVENT:
        buf_printf(out, "event %s", names_text(&definitions->event_names, action->u.event));
        return;
    case ACTION_RICH_MENU:
        buf_printf(out, "rich_menu %s",
                   action->u.menu == NO_ID
                       ? "default"
                       : names_text(&definitions->rich_menu_names, action->u.menu));
        return;
    case ACTION_WAIT: {
        const struct step *step =
            scenario_only_step(&definitions->scenarios[action->u.wait.scenario]);
        buf_append_cstr(out, "wait ");
        describe_duration(step == NULL ? 0 : step->timing.delay_ms, out);
        buf_append_cstr(out, ", then ");
        describe_body(definitions, action->u.wait.rest, out);
        return;
    }
    case ACTION_LIST:
        buf_append_cstr(out, action->u.hidden ? "list hidden" : "list shown");
        return;
    case ACTION_MARK:
        buf_printf(out, "mark %s",
                   action->u.mark == NO_ID ? "none"
                                           : names_text(&definitions->mark_names, action->u.mark));
        return;
    }
}

void
describe_on_id(const struct definitions *definitions, enum trigger_on_kind kind, uint32_t id,
               struct buf *out_text)
{
    static const struct names NONE = {0};
    const struct names *names = &NONE;
    switch (kind) {
    case ON_FOLLOW:
        buf_append_cstr(out_text, "follow");
        return;
    case ON_UNBLOCK:
        buf_append_cstr(out_text, "unblock");
        return;
    case ON_MESSAGE:
        buf_append_cstr(out_text, "message");
        return;
    case ON_SCORE_REACHES:
        buf_append_cstr(out_text, "score");
        return;
    case ON_TAPPED:
        names = definitions == NULL ? names : &definitions->button_names;
        break;
    case ON_EVENT:
        names = definitions == NULL ? names : &definitions->event_names;
        break;
    case ON_TAG_ADDED:
    case ON_TAG_REMOVED:
        names = definitions == NULL ? names : &definitions->tag_names;
        break;
    case ON_MARK:
        names = definitions == NULL ? names : &definitions->mark_names;
        break;
    case ON_FIELD_CHANGED:
    case ON_FIELD_REACHES:
        names = definitions == NULL ? names : &definitions->field_names;
        break;
    case ON_FINISHED:
        names = definitions == NULL ? names : &definitions->scenario_names;
        break;
    case ON_ANSWERED:
        names = definitions == NULL ? names : &definitions->form_names;
        break;
    case ON_CONVERTED:
        names = definitions == NULL ? names : &definitions->conversion_names;
        break;
    case ON_BOOKED:
        names = definitions == NULL ? names : &definitions->calendar_names;
        break;
    case ON_CLICKED:
        names = definitions == NULL ? names : &definitions->link_names;
        break;
    case ON_RANK:
        names = definitions == NULL ? names : &definitions->rank_names;
        break;
    case ON_RICH_MENU:
        names = definitions == NULL ? names : &definitions->rich_menu_names;
        break;
    }
    if (id < names->count) {
        buf_append_cstr(out_text, names_text(names, id));
    } else {
        buf_printf(out_text, "%" PRIu32, id);
    }
}

void
describe_body(const struct definitions *definitions, const struct body *body, struct buf *out_text)
{
    for (uint32_t i = 0; i < body->action_count; i++) {
        buf_append_cstr(out_text, i == 0 ? "" : "; ");
        describe_action(definitions, &body->actions[i], out_text);
    }
}
