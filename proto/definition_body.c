#include "proto/definition_compile.h"
#include "proto/words.h"

enum { REQUEST_OBJECTS_MAX = 5 }; /* LINE: messages of one request */

static const struct {
    const char *word;
    enum action_kind kind;
} VERBS[] = {{"send", ACTION_SEND},     {"tag", ACTION_TAG},       {"field", ACTION_FIELD},
             {"start", ACTION_START},   {"stop", ACTION_STOP},     {"choose", ACTION_CHOOSE},
             {"score", ACTION_SCORE},   {"draw", ACTION_DRAW},     {"split", ACTION_SPLIT},
             {"goto", ACTION_GOTO},     {"end", ACTION_END},       {"pause", ACTION_PAUSE},
             {"resume", ACTION_RESUME}, {"notify", ACTION_NOTIFY}, {"convert", ACTION_CONVERT},
             {"book", ACTION_BOOK},     {"unbook", ACTION_UNBOOK}, {"remind", ACTION_REMIND},
             {"cancel", ACTION_CANCEL}, {"event", ACTION_EVENT},   {"mark", ACTION_MARK},
             {"list", ACTION_LIST},     {"wait", ACTION_WAIT},     {"rich_menu", ACTION_RICH_MENU}};
enum { VERB_COUNT = sizeof(VERBS) / sizeof(VERBS[0]) };

static void compile_choose(struct compiler *compiler, const struct yaml_node *node,
                           struct place *place, struct action *out_action);

/* --- send --- */

/* A name with insertions: at least one template has to fit it. */
static const struct pattern *
send_pattern(struct compiler *compiler, const struct yaml_node *node, struct span name)
{
    const struct pattern *pattern = compile_pattern(compiler, node, name);
    const struct names *templates = &compiler->templates.names;
    for (uint32_t id = 0; pattern != NULL && id < templates->count; id++) {
        if (templates->items[id].in_force &&
            pattern_may_be(pattern, span_cstr(templates->items[id].text))) {
            return pattern;
        }
    }
    if (pattern != NULL) {
        compile_error(compiler, node, name, "no template's name can become '%.*s'", span_fmt(name));
    }
    return pattern;
}

static uint32_t
send_one(struct compiler *compiler, const struct yaml_node *node, struct place *place,
         const struct pattern **out_pattern)
{
    struct span name;
    if (node->kind == YAML_MAPPING) {
        return compile_one_off(compiler, node, place);
    }
    if (!compile_text(compiler, node, "'send'", &name)) {
        return NO_ID;
    }
    if (words_find(name, "{{") < name.len) {
        *out_pattern = send_pattern(compiler, node, name);
        return NO_ID;
    }
    return compile_reference(compiler, &compiler->templates, "template", node, name);
}

static void
compile_send(struct compiler *compiler, const struct yaml_node *node, struct place *place,
             struct action *out_action)
{
    bool list = node->kind == YAML_LIST;
    uint32_t count = list ? node->count : 1;
    uint32_t *templates = arena_alloc(compiler->arena, (count + 1) * sizeof(*templates));
    const struct pattern **patterns = arena_alloc(compiler->arena, (count + 1) * sizeof(*patterns));
    uint32_t objects = 0;
    uint32_t kept = 0;
    if (count == 0) {
        compile_error(compiler, node, span_cstr(""), "'send' names no template");
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = send_one(compiler, list ? node->items[i] : node, place, &patterns[kept]);
        if (patterns[kept] != NULL) {
            templates[kept++] = NO_ID;
            objects++;
        } else if (id != NO_ID) {
            templates[kept++] = id;
            objects += compile_template_slot(compiler, id)->object_count;
        }
    }
    if (objects > REQUEST_OBJECTS_MAX && count > 1) {
        compile_error(compiler, node, span_cstr(""),
                      "one request has at most %d objects (LINE); these are %u",
                      REQUEST_OBJECTS_MAX, objects);
    }
    out_action->u.send.templates = templates;
    out_action->u.send.patterns = patterns;
    out_action->u.send.template_count = kept;
}

/* --- tag --- */

static void
compile_tag_changes(struct compiler *compiler, const struct yaml_node *node,
                    struct action *out_action)
{
    bool list = node->kind == YAML_LIST;
    uint32_t count = list ? node->count : 1;
    struct tag_change *changes = arena_alloc(compiler->arena, (count + 1) * sizeof(*changes));
    uint32_t kept = 0;
    if (count == 0) {
        compile_error(compiler, node, span_cstr(""), "'tag' names no tag");
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *item = list ? node->items[i] : node;
        struct span text;
        if (!compile_text(compiler, item, "a tag", &text)) {
            continue;
        }
        if (text.len < 2 || (text.data[0] != '+' && text.data[0] != '-')) {
            compile_error(compiler, item, text, "write +%.*s to add the tag, -%.*s to remove it",
                          span_fmt(text), span_fmt(text));
            continue;
        }
        uint32_t tag = compile_reference(compiler, &compiler->tags, "tag", item,
                                         span_of(text.data + 1, text.len - 1));
        if (tag != NO_ID) {
            changes[kept++] = (struct tag_change){.tag = tag, .add = text.data[0] == '+'};
        }
    }
    out_action->u.tag.changes = changes;
    out_action->u.tag.change_count = kept;
}

/* --- start, stop --- */

static void
compile_start(struct compiler *compiler, const struct yaml_node *action,
              const struct yaml_node *node, struct action *out_action)
{
    struct span name;
    const struct yaml_node *at_step = yaml_get(action, "at_step");
    out_action->u.start.scenario = NO_ID;
    out_action->u.start.at_step = NO_ID;
    if (!compile_text(compiler, node, "'start'", &name)) {
        return;
    }
    uint32_t scenario = compile_scenario_reference(compiler, KIND_SCENARIO, node, name);
    out_action->u.start.scenario = scenario;
    struct span step;
    if (scenario == NO_ID || at_step == NULL ||
        !compile_text(compiler, at_step, "'at_step'", &step)) {
        return;
    }
    const char *noun = compile_format(compiler, "step in scenario '%.*s' named", span_fmt(name));
    out_action->u.start.at_step =
        compile_reference(compiler, &compiler->steps[scenario], noun, at_step, step);
}

/* stop, pause, resume: a scenario, `lane main` or `all` */
static void
compile_scope(struct compiler *compiler, const struct yaml_node *action,
              const struct yaml_node *node, const char *verb, struct action *out_action)
{
    struct span text;
    const struct yaml_node *shift = yaml_get(action, "shift");
    out_action->u.stop.id = NO_ID;
    if (shift != NULL) {
        compile_yes_no(compiler, shift, &out_action->u.stop.shift);
    }
    if (!compile_text(compiler, node, verb, &text)) {
        return;
    }
    struct span rest = text;
    if (span_equal_cstr(text, "all")) {
        out_action->u.stop.scope = STOP_ALL;
    } else if (words_take(&rest, "lane") && words_trim(rest).len > 0) {
        out_action->u.stop.scope = STOP_LANE;
        out_action->u.stop.id =
            compile_reference(compiler, &compiler->lanes, "lane", node, words_trim(rest));
    } else {
        out_action->u.stop.scope = STOP_SCENARIO;
        out_action->u.stop.id = compile_scenario_reference(compiler, KIND_SCENARIO, node, text);
    }
}

static void
compile_convert(struct compiler *compiler, const struct yaml_node *node, struct action *out_action)
{
    struct span name;
    out_action->u.convert.conversion = NO_ID;
    if (compile_text(compiler, node, "'convert'", &name)) {
        out_action->u.convert.conversion =
            compile_reference(compiler, &compiler->conversions, "conversion", node, name);
    }
}

/* --- one action --- */

static bool
is_modifier(struct compiler *compiler, const struct yaml_node *node, const struct yaml_pair *pair)
{
    if (span_equal_cstr(pair->key, "if") ||
        (span_equal_cstr(pair->key, "at_step") && yaml_get(node, "start") != NULL) ||
        span_equal_cstr(pair->key, "once") ||
        (span_equal_cstr(pair->key, "shift") && yaml_get(node, "resume") != NULL) ||
        (span_equal_cstr(pair->key, "from") && yaml_get(node, "draw") != NULL) ||
        (span_equal_cstr(pair->key, "to") && yaml_get(node, "notify") != NULL) ||
        (span_equal_cstr(pair->key, "goal") && yaml_get(node, "remind") != NULL) ||
        (span_equal_cstr(pair->key, "key") &&
         (yaml_get(node, "remind") != NULL || yaml_get(node, "cancel") != NULL))) {
        return true;
    }
    const struct not_yet *row = not_yet_find(NOT_YET_MODIFIER, pair->key);
    if (row == NULL) {
        return false;
    }
    if (row->built == NULL || pair->value->kind != YAML_SCALAR ||
        !span_equal_cstr(pair->value->text, row->built)) {
        compile_not_yet(compiler, pair->key_mark, pair->key, row);
    }
    return true;
}

static void
report_no_verb(struct compiler *compiler, const struct yaml_pair *pair)
{
    struct suggestion suggestion;
    suggestion_begin(&suggestion, pair->key);
    for (int i = 0; i < VERB_COUNT; i++) {
        suggestion_offer(&suggestion, span_cstr(VERBS[i].word));
    }
    suggestion_offer(&suggestion, span_cstr("if"));
    suggestion_offer(&suggestion, span_cstr("at_step"));
    suggestion_offer(&suggestion, span_cstr("goal"));
    suggestion_offer(&suggestion, span_cstr("key"));
    for (uint32_t i = 0; i < not_yet_count; i++) {
        if (not_yet_rows[i].area == NOT_YET_ACTION || not_yet_rows[i].area == NOT_YET_MODIFIER) {
            suggestion_offer(&suggestion, span_cstr(not_yet_rows[i].word));
        }
    }
    if (suggestion_found(&suggestion)) {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "unknown key '%.*s' in an action - did you mean '%.*s'?", span_fmt(pair->key),
                   span_fmt(suggestion.best));
    } else {
        yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                   "unknown key '%.*s' in an action", span_fmt(pair->key));
    }
}

/* The verb among an action's keys; -1, and said, when there is not exactly one. */
static int
find_verb(struct compiler *compiler, const struct yaml_node *node,
          const struct yaml_pair **out_pair)
{
    int verb = -1;
    bool said = false;
    const struct yaml_pair *first = NULL;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        const struct not_yet *row = not_yet_find(NOT_YET_ACTION, pair->key);
        if (row != NULL) {
            compile_not_yet(compiler, pair->key_mark, pair->key, row);
            return -1; /* its modifiers are not built either */
        }
    }
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        int found = -1;
        for (int j = 0; j < VERB_COUNT; j++) {
            found = span_equal_cstr(pair->key, VERBS[j].word) ? j : found;
        }
        if (found < 0) {
            if (!is_modifier(compiler, node, pair)) {
                report_no_verb(compiler, pair);
                said = true;
            }
        } else if (first != NULL) {
            yaml_error(compiler->diagnostics, pair->key_mark, pair->key,
                       "an action has one verb; this has '%.*s' and '%.*s': make two of it",
                       span_fmt(first->key), span_fmt(pair->key));
        } else {
            first = pair;
            verb = found;
        }
    }
    if (first == NULL && !said) {
        compile_error(compiler, node, span_cstr(""), "an action without a verb");
    }
    *out_pair = first;
    return verb;
}

static bool
compile_action(struct compiler *compiler, const struct yaml_node *node, struct place *place,
               struct action *out_action)
{
    if (node->kind != YAML_MAPPING) {
        compile_error(compiler, node, span_cstr(""),
                      "an action is a verb and its object, as 'send: T_a'");
        return false;
    }
    const struct yaml_pair *pair = NULL;
    int verb = find_verb(compiler, node, &pair);
    const struct yaml_node *condition = yaml_get(node, "if");
    if (condition != NULL) {
        compile_condition(compiler, condition, &out_action->condition);
    }
    compile_once(compiler, node, place, out_action);
    if (verb < 0) {
        return false;
    }
    out_action->kind = VERBS[verb].kind;
    switch (out_action->kind) {
    case ACTION_SEND:
        compile_send(compiler, pair->value, place, out_action);
        break;
    case ACTION_TAG:
        compile_tag_changes(compiler, pair->value, out_action);
        break;
    case ACTION_FIELD:
        compile_field_change(compiler, pair->value, out_action);
        break;
    case ACTION_START:
        compile_start(compiler, node, pair->value, out_action);
        break;
    case ACTION_STOP:
    case ACTION_PAUSE:
    case ACTION_RESUME:
        compile_scope(compiler, node, pair->value, VERBS[verb].word, out_action);
        break;
    case ACTION_GOTO:
        out_action->u.jump.step = compile_jump(compiler, pair->value, pair->value->text, place);
        break;
    case ACTION_END:
        compile_end(compiler, pair->value, place);
        break;
    case ACTION_CHOOSE:
        compile_choose(compiler, pair->value, place, out_action);
        break;
    case ACTION_SCORE:
        compile_score(compiler, pair->value, out_action);
        break;
    case ACTION_DRAW:
        compile_draw(compiler, node, pair->value, out_action);
        break;
    case ACTION_SPLIT:
        compile_split(compiler, pair->value, place, out_action);
        break;
    case ACTION_NOTIFY:
        compile_notice(compiler, node, pair->value, out_action);
        break;
    case ACTION_CONVERT:
        compile_convert(compiler, pair->value, out_action);
        break;
    case ACTION_BOOK:
    case ACTION_UNBOOK:
        compile_booking(compiler, pair->value, out_action->kind == ACTION_BOOK, out_action);
        break;
    case ACTION_REMIND:
        compile_remind(compiler, node, pair->value, out_action);
        break;
    case ACTION_CANCEL:
        compile_cancel(compiler, node, pair->value, out_action);
        break;
    case ACTION_EVENT:
        compile_event(compiler, pair->value, out_action);
        break;
    case ACTION_MARK:
        compile_mark(compiler, pair->value, out_action);
        break;
    case ACTION_RICH_MENU:
        compile_rich_menu(compiler, pair->value, out_action);
        break;
    case ACTION_WAIT: /* compile_actions() does, which knows what follows */
        break;
    case ACTION_LIST: {
        static const char *const WORDS[] = {"shown", "hidden", NULL};
        uint32_t index = 0;
        compile_word(compiler, pair->value, WORDS, &index);
        out_action->u.hidden = index == 1;
        break;
    }
    }
    return true;
}

static bool
has_message(const struct action *action)
{
    bool found = action->kind == ACTION_SEND;
    for (uint32_t i = 0; action->kind == ACTION_CHOOSE && i < action->u.choose.case_count; i++) {
        found = found || action->u.choose.cases[i].body.has_message;
    }
    for (uint32_t i = 0; action->kind == ACTION_SPLIT && i < action->u.split.case_count; i++) {
        found = found || action->u.split.cases[i].body.has_message;
    }
    return found;
}

/* --- bodies --- */

static void
compile_choose(struct compiler *compiler, const struct yaml_node *node, struct place *place,
               struct action *out_action)
{
    static const char *const KEYS[] = {"if", NULL};
    if (node->kind != YAML_LIST || node->count == 0) {
        compile_error(compiler, node, span_cstr(""), "'choose' must be a list of cases");
        return;
    }
    struct choose_case *cases = arena_alloc(compiler->arena, node->count * sizeof(*cases));
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->items[i];
        if (!compile_keys(compiler, item, KEYS, true, NOT_YET_NOTHING, "a case of 'choose'")) {
            continue;
        }
        const struct yaml_node *condition = yaml_get(item, "if");
        if (condition != NULL) {
            compile_condition(compiler, condition, &cases[i].condition);
        } else if (i + 1 < node->count) {
            compile_error(compiler, item, span_cstr(""),
                          "only the last case may have no 'if'; what follows is never reached");
        }
        struct place inner = *place;
        inner.what = "a case of 'choose'";
        inner.mark = item->mark;
        inner.word = span_cstr("");
        compile_body(compiler, item, &inner, &cases[i].body);
        place->one_offs = inner.one_offs;
        place->waits = inner.waits;
    }
    out_action->u.choose.cases = cases;
    out_action->u.choose.case_count = node->count;
}

void
compile_actions(struct compiler *compiler, const struct yaml_node *list, uint32_t from,
                struct place *place, struct body *out_body)
{
    struct action *actions =
        arena_alloc(compiler->arena, (list->count - from + 1) * sizeof(*actions));
    uint32_t kept = 0;
    for (uint32_t i = from; i < list->count; i++) {
        const struct yaml_node *item = list->items[i];
        actions[kept] = (struct action){.kind = ACTION_SEND};
        if (!compile_action(compiler, item, place, &actions[kept])) {
            continue;
        }
        if (actions[kept].kind == ACTION_WAIT) {
            compile_wait(compiler, yaml_get(item, "wait"), list, i + 1, place, &actions[kept++]);
            break;
        }
        out_body->has_message = out_body->has_message || has_message(&actions[kept]);
        kept++;
    }
    out_body->actions = actions;
    out_body->action_count = kept;
}

static void
compile_do(struct compiler *compiler, const struct yaml_node *node, struct place *place,
           struct body *out_body)
{
    if (node->kind != YAML_LIST) {
        compile_error(compiler, node, span_cstr(""), "'do' must be a list of actions");
        return;
    }
    compile_actions(compiler, node, 0, place, out_body);
}

static const char *const BODY_WORDS[] = {"send", "do", "choose", "split"};
enum { BODY_WORD_COUNT = sizeof(BODY_WORDS) / sizeof(BODY_WORDS[0]) };

static bool
has_misspelt_word(const struct yaml_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        struct suggestion suggestion;
        suggestion_begin(&suggestion, node->pairs[i].key);
        for (int j = 0; j < BODY_WORD_COUNT; j++) {
            suggestion_offer(&suggestion, span_cstr(BODY_WORDS[j]));
        }
        if (suggestion_found(&suggestion)) {
            return true;
        }
    }
    return false;
}

void
compile_body(struct compiler *compiler, const struct yaml_node *node, struct place *place,
             struct body *out_body)
{
    const struct yaml_pair *first = NULL;
    *out_body = (struct body){0};
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        bool is_word = false;
        for (int j = 0; j < BODY_WORD_COUNT; j++) {
            is_word = is_word || span_equal_cstr(pair->key, BODY_WORDS[j]);
        }
        if (!is_word) {
            continue;
        }
        if (first != NULL) {
            bool message =
                span_equal_cstr(first->key, "send") || span_equal_cstr(pair->key, "send");
            yaml_error(compiler->diagnostics, first->key_mark, first->key,
                       "%s has both '%.*s' and '%.*s'; a body has one of send, do, choose, split: "
                       "put %s into 'do'",
                       place->what, span_fmt(first->key), span_fmt(pair->key),
                       message ? "the message" : "both");
            return;
        }
        first = pair;
    }
    if (first == NULL && has_misspelt_word(node)) {
        return; /* "did you mean 'send'?" says it better */
    }
    if (first == NULL) {
        yaml_error(compiler->diagnostics, place->mark, place->word,
                   "%s does nothing; write one of send, do, choose, split", place->what);
        return;
    }
    if (span_equal_cstr(first->key, "do")) {
        compile_do(compiler, first->value, place, out_body);
        return;
    }
    struct action *action = arena_alloc(compiler->arena, sizeof(*action));
    if (span_equal_cstr(first->key, "send")) {
        action->kind = ACTION_SEND;
        compile_send(compiler, first->value, place, action);
    } else if (span_equal_cstr(first->key, "choose")) {
        action->kind = ACTION_CHOOSE;
        compile_choose(compiler, first->value, place, action);
    } else {
        action->kind = ACTION_SPLIT;
        compile_split(compiler, first->value, place, action);
    }
    *out_body =
        (struct body){.actions = action, .action_count = 1, .has_message = has_message(action)};
}

void
compile_own_body(struct compiler *compiler, const struct yaml_node *node, const char *key,
                 const char *owner, struct body *out_body)
{
    static const char *const NO_KEYS[] = {NULL};
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        const char *what = compile_format(compiler, "'%s'", key);
        if (!span_equal_cstr(pair->key, key) ||
            !compile_keys(compiler, pair->value, NO_KEYS, true, NOT_YET_NOTHING, what)) {
            continue;
        }
        struct place place = {.what = what, .mark = pair->key_mark, .word = pair->key};
        place.name = compile_format(compiler, "%s/%s", owner, key);
        compile_body(compiler, pair->value, &place, out_body);
    }
}
