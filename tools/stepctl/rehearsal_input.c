/* One row of `inputs`: time, who, what (LANGUAGE 13 "Inputs"). */
#include "proto/not_yet.h"
#include "proto/words.h"
#include "tools/stepctl/rehearsal.h"
#include "tools/stepctl/rehearsal_words.h"

struct row {
    const struct rehearsal *rehearsal;
    const struct yaml_node *node;
    struct diagnostics *diagnostics;
    struct rehearsal_input *input;
    struct span rest;
};

static struct span
next(struct row *row)
{
    return rehearsal_raw_word(&row->rest);
}

static bool
wrong(struct row *row, struct span word, const char *text)
{
    struct span shown = word.len > 0 ? word : row->node->text;
    yaml_error(row->diagnostics, yaml_mark_of(row->node, shown), shown, "%s", text);
    return false;
}

/* A verb of LANGUAGE that this version does not play, or none at all. */
static bool
unknown_verb(struct row *row, struct span word, const char *known)
{
    const struct not_yet *later = not_yet_find(NOT_YET_INPUT, word);
    if (later != NULL) {
        yaml_error(row->diagnostics, yaml_mark_of(row->node, word), word, "not yet: %s (%s)",
                   later->what, later->rule);
        return false;
    }
    struct suggestion suggestion;
    suggestion_begin(&suggestion, word);
    struct span rest = span_cstr(known);
    for (struct span each = words_next(&rest); each.len > 0; each = words_next(&rest)) {
        suggestion_offer(&suggestion, each);
    }
    if (suggestion_found(&suggestion)) {
        yaml_error(row->diagnostics, yaml_mark_of(row->node, word), word,
                   "unknown input '%.*s' - did you mean '%.*s'?", span_fmt(word),
                   span_fmt(suggestion.best));
    } else {
        yaml_error(row->diagnostics, yaml_mark_of(row->node, word), word,
                   "unknown input '%.*s'; one of: %s", span_fmt(word), known);
    }
    return false;
}

static bool
want(struct row *row, struct span *out_word, const char *what)
{
    *out_word = next(row);
    return out_word->len > 0 || wrong(row, row->node->text, what);
}

static bool
ends(struct row *row)
{
    return row->rest.len == 0 || wrong(row, row->rest, "nothing more is expected here");
}

static struct rehearsal_change *
add_change(struct row *row)
{
    struct rehearsal_input *input = row->input;
    input->changes = arena_grow(row->rehearsal->arena, input->changes, input->change_count,
                                sizeof(*input->changes));
    return &input->changes[input->change_count++];
}

/* +vip -old */
static bool
parse_tags(struct row *row)
{
    while (row->rest.len > 0) {
        struct span word = next(row);
        if (word.len < 2 || (word.data[0] != '+' && word.data[0] != '-')) {
            return wrong(row, word, "write +tag or -tag");
        }
        *add_change(row) = (struct rehearsal_change){.name = span_of(word.data + 1, word.len - 1),
                                                     .add = word.data[0] == '+'};
    }
    return row->input->change_count > 0 ||
           wrong(row, row->node->text, "expected +tag or -tag after the friend");
}

/* area=関東 goal='2026-06-13 14:00' */
static bool
parse_fields(struct row *row)
{
    while (row->rest.len > 0) {
        struct span word = next(row);
        size_t equals = words_find(word, "=");
        if (equals == 0 || equals == word.len) {
            return wrong(row, word, "write field=value");
        }
        *add_change(row) = (struct rehearsal_change){
            .name = span_of(word.data, equals),
            .value = rehearsal_unquoted(row->rehearsal->arena,
                                        span_of(word.data + equals + 1, word.len - equals - 1))};
    }
    return row->input->change_count > 0 ||
           wrong(row, row->node->text, "expected field=value after the friend");
}

static bool
parse_scenario(struct row *row)
{
    if (!want(row, &row->input->what, "expected a scenario after the friend")) {
        return false;
    }
    if (words_starts_with(row->rest, "at_step=") && row->input->verb == VERB_START) {
        struct span word = next(row);
        row->input->at_step = words_after(word, span_of(word.data, strlen("at_step=")));
    }
    return ends(row);
}

/* score A 2: adds */
static bool
parse_score(struct row *row)
{
    struct span word;
    if (!want(row, &word, "expected how much, as 2 or -1")) {
        return false;
    }
    return (words_number(word, &row->input->number) || wrong(row, word, "not a whole number")) &&
           ends(row);
}

/* pause A S, pause S; resume A S shift */
static bool
parse_pause(struct row *row)
{
    struct rehearsal_input *input = row->input;
    struct span word;
    if (!want(row, &word, "expected a friend and a scenario, or a scenario")) {
        return false;
    }
    input->what = word;
    if (row->rest.len > 0) {
        input->who = word;
        input->what = next(row);
    }
    if (row->rest.len > 0 && input->verb == VERB_RESUME) {
        word = next(row);
        input->shift = span_equal_cstr(word, "shift");
        if (!input->shift) {
            return wrong(row, word, "only shift may follow the scenario");
        }
    }
    return ends(row);
}

/* 10 */
static bool
parse_number(struct row *row)
{
    struct span word;
    if (!want(row, &word, "expected a number")) {
        return false;
    }
    if (!words_number(word, &row->input->number) || row->input->number < 0 ||
        row->input->number > 1000000000) {
        return wrong(row, word, "expected a number, 0 to 1000000000");
    }
    return ends(row);
}

/* B partial, B all_or_none */
static bool
parse_fit(struct row *row)
{
    struct span word;
    if (!want(row, &row->input->what, "expected a broadcast") ||
        !want(row, &word, "expected partial or all_or_none")) {
        return false;
    }
    row->input->number = span_equal_cstr(word, "partial") ? 1 : 0;
    if (row->input->number == 0 && !span_equal_cstr(word, "all_or_none")) {
        return wrong(row, word, "expected partial or all_or_none");
    }
    return ends(row);
}

/* F a=b c='d e' */
static bool
parse_answers(struct row *row)
{
    return want(row, &row->input->what, "expected a form") &&
           (row->rest.len == 0 || parse_fields(row));
}

static bool
parse_conversion(struct row *row)
{
    return want(row, &row->input->what, "expected a conversion") && ends(row);
}

static bool
parse_link(struct row *row)
{
    return want(row, &row->input->what, "expected a link") && ends(row);
}

/* Nothing, or "via" and the route whose link was opened right before. */
static bool
parse_via(struct row *row)
{
    if (words_take(&row->rest, "via")) {
        return want(row, &row->input->route, "expected a route after 'via'") && ends(row);
    }
    return ends(row);
}

/* nails 2026-06-13 14:00, seminar main; to cancel, the calendar alone */
static bool
parse_booking(struct row *row)
{
    if (!want(row, &row->input->what, "expected a calendar or an event")) {
        return false;
    }
    if (row->input->verb == VERB_CANCELS) {
        return ends(row);
    }
    row->input->slot = row->rest;
    return row->rest.len > 0 || wrong(row, row->node->text, "expected when, or the event's slot");
}

static bool
parse_mark(struct row *row)
{
    return want(row, &row->input->what, "expected a mark, or none, after the friend") && ends(row);
}

static bool
parse_operator(struct row *row)
{
    struct span verb;
    if (!want(row, &verb, "expected what the operator does")) {
        return false;
    }
    if (span_equal_cstr(verb, "apply")) {
        row->input->verb = VERB_APPLY;
        return want(row, &row->input->what, "expected the name of an edit") && ends(row);
    }
    if (span_equal_cstr(verb, "import")) {
        row->input->verb = VERB_IMPORT;
        return want(row, &row->input->what, "expected the name of a table under 'csv'") &&
               ends(row);
    }
    if (span_equal_cstr(verb, "pause") || span_equal_cstr(verb, "resume")) {
        row->input->verb = span_equal_cstr(verb, "pause") ? VERB_PAUSE : VERB_RESUME;
        return parse_pause(row);
    }
    if (span_equal_cstr(verb, "quota")) {
        row->input->verb = VERB_QUOTA;
        return parse_number(row);
    }
    if (span_equal_cstr(verb, "cap")) {
        row->input->verb = VERB_CAP;
        return want(row, &row->input->what, "expected a scenario") && parse_number(row);
    }
    if (span_equal_cstr(verb, "fit")) {
        row->input->verb = VERB_FIT;
        return parse_fit(row);
    }
    struct span after = row->rest;
    (void)rehearsal_raw_word(&after);
    if (span_equal_cstr(verb, "cancel") && after.len == 0) { /* with a friend it is a booking's */
        row->input->verb = VERB_CANCEL;
        return want(row, &row->input->what, "expected a broadcast") && ends(row);
    }
    static const struct {
        const char *word;
        enum rehearsal_verb verb;
        bool (*parse)(struct row *row);
    } VERBS[] = {{"tag", VERB_TAG, parse_tags},         {"field", VERB_FIELD, parse_fields},
                 {"start", VERB_START, parse_scenario}, {"stop", VERB_STOP, parse_scenario},
                 {"book", VERB_BOOKS, parse_booking},   {"change", VERB_CHANGES, parse_booking},
                 {"mark", VERB_MARK, parse_mark},       {"score", VERB_SCORE, parse_score}};
    bool block = span_equal_cstr(verb, "block"), hide = span_equal_cstr(verb, "hide");
    if (block || hide || span_equal_cstr(verb, "unblock") || span_equal_cstr(verb, "show")) {
        row->input->verb = hide || span_equal_cstr(verb, "show") ? VERB_HIDE : VERB_BLOCK;
        row->input->on = block || hide;
        return want(row, &row->input->who, "expected a friend") && ends(row);
    }
    if (span_equal_cstr(verb, "cancel") && words_find(row->rest, " ") < row->rest.len) {
        row->input->verb = VERB_CANCELS; /* a friend's; of one word it is a broadcast */
        row->input->by_operator = true;
        return want(row, &row->input->who, "expected a friend") && parse_booking(row);
    }
    for (size_t i = 0; i < sizeof(VERBS) / sizeof(VERBS[0]); i++) {
        if (span_equal_cstr(verb, VERBS[i].word)) {
            row->input->verb = VERBS[i].verb;
            row->input->by_operator = true;
            return want(row, &row->input->who, "expected a friend") && VERBS[i].parse(row);
        }
    }
    return unknown_verb(row, verb,
                        "apply tag field start stop score mark pause resume book change cancel "
                        "hide show block unblock import quota cap fit");
}

static bool
parse_daemon(struct row *row)
{
    struct span verb;
    if (!want(row, &verb, "expected down, up or kills")) {
        return false;
    }
    if (span_equal_cstr(verb, "down")) {
        row->input->verb = VERB_DOWN;
    } else if (span_equal_cstr(verb, "up")) {
        row->input->verb = VERB_UP;
    } else if (span_equal_cstr(verb, "kills")) {
        row->input->verb = VERB_KILLS;
    } else {
        return unknown_verb(row, verb, "down up kills");
    }
    return ends(row);
}

static bool
parse_answer(struct row *row)
{
    struct rehearsal_input *input = row->input;
    struct span word;
    int64_t status = 0, times = 1;
    if (!want(row, &input->who, "expected a friend") ||
        !want(row, &word, "expected 500, 400, 409, 429, timeout or drop")) {
        return false;
    }
    if (span_equal_cstr(word, "timeout") || span_equal_cstr(word, "drop")) {
        input->fault = span_equal_cstr(word, "drop") ? FAULT_DROP : FAULT_TIMEOUT;
    } else if (words_number(word, &status) && status >= 400 && status <= 599) {
        input->fault = FAULT_STATUS;
        input->status = (uint32_t)status;
    } else {
        return wrong(row, word, "expected 500, 400, 409, 429, timeout or drop");
    }
    if (row->rest.len > 0) {
        word = next(row);
        if (!words_number(word, &times) || times < 1 || times > 1000) {
            return wrong(row, word, "expected how many times, 1 to 1000");
        }
    }
    input->times = (uint32_t)times;
    return ends(row);
}

static bool
parse_line(struct row *row)
{
    struct span verb;
    if (!want(row, &verb, "expected answers or redelivers")) {
        return false;
    }
    if (span_equal_cstr(verb, "answers")) {
        row->input->verb = VERB_ANSWERS;
        return parse_answer(row);
    }
    if (span_equal_cstr(verb, "redelivers")) {
        row->input->verb = VERB_REDELIVERS;
        return want(row, &row->input->who, "expected a friend") && ends(row);
    }
    return unknown_verb(row, verb, "answers redelivers");
}

/* `says` takes the rest as it stands; quotes around it keep its outer blanks. */
static bool
parse_words_said(struct row *row)
{
    struct span text = row->rest;
    if (text.len >= 2 && text.data[0] == '\'' && text.data[text.len - 1] == '\'') {
        text = span_of(text.data + 1, text.len - 2);
    }
    row->input->what = text;
    return text.len > 0 || wrong(row, row->node->text, "expected what the friend says");
}

static bool
parse_friend(struct row *row)
{
    struct span verb;
    if (!want(row, &verb, "expected what the friend does")) {
        return false;
    }
    if (span_equal_cstr(verb, "says")) {
        row->input->verb = VERB_SAYS;
        return parse_words_said(row);
    }
    if (span_equal_cstr(verb, "taps")) {
        row->input->verb = VERB_TAPS;
        return want(row, &row->input->what, "expected button or button:choice") && ends(row);
    }
    if (span_equal_cstr(verb, "does")) {
        row->input->verb = VERB_DOES;
        return want(row, &row->input->what, "expected the name of an event") && ends(row);
    }
    if (span_equal_cstr(verb, "scans")) {
        row->input->verb = VERB_SCANS;
        return want(row, &row->input->route, "expected a route") && ends(row);
    }
    static const struct {
        const char *word;
        enum rehearsal_verb verb;
        bool (*parse)(struct row *row);
    } ACTS[] = {
        {"submits", VERB_SUBMITS, parse_answers},      {"clicks", VERB_CLICKS, parse_link},
        {"converts", VERB_CONVERTS, parse_conversion}, {"books", VERB_BOOKS, parse_booking},
        {"changes", VERB_CHANGES, parse_booking},      {"cancels", VERB_CANCELS, parse_booking}};
    for (size_t i = 0; i < sizeof(ACTS) / sizeof(ACTS[0]); i++) {
        if (span_equal_cstr(verb, ACTS[i].word)) {
            row->input->verb = ACTS[i].verb;
            return ACTS[i].parse(row);
        }
    }
    if (span_equal_cstr(verb, "follows") || span_equal_cstr(verb, "unblocks")) {
        row->input->verb = span_equal_cstr(verb, "follows") ? VERB_FOLLOWS : VERB_UNBLOCKS;
        return parse_via(row);
    }
    if (span_equal_cstr(verb, "blocks")) {
        row->input->verb = VERB_BLOCKS;
    } else {
        return unknown_verb(row, verb,
                            "follows blocks unblocks says taps submits converts clicks scans "
                            "books changes cancels does");
    }
    return ends(row);
}

bool
rehearsal_parse_input(const struct rehearsal *rehearsal, const struct yaml_node *node,
                      struct diagnostics *diagnostics, struct rehearsal_input *out_input)
{
    *out_input = (struct rehearsal_input){.node = node};
    struct row row = {.rehearsal = rehearsal,
                      .node = node,
                      .diagnostics = diagnostics,
                      .input = out_input,
                      .rest = node->text};
    if (node->kind != YAML_SCALAR) {
        yaml_error(diagnostics, node->mark, (struct span){0},
                   "a row is one text: time, who, what (quote it where it holds ': ')");
        return false;
    }
    if (!rehearsal_parse_instant(rehearsal, node, &row.rest, diagnostics, &out_input->at_ms)) {
        return false;
    }
    struct buf text = {0};
    buf_append_span(&text, rehearsal_instant(rehearsal->arena, rehearsal->zone, out_input->at_ms));
    buf_append_byte(&text, ' ');
    buf_append_span(&text, row.rest);
    out_input->text = arena_span(rehearsal->arena, buf_span(&text));
    buf_fini(&text);
    struct span who;
    if (!want(&row, &who, "expected who after the time")) {
        return false;
    }
    if (span_equal_cstr(who, "operator")) {
        return parse_operator(&row);
    }
    if (span_equal_cstr(who, "daemon")) {
        return parse_daemon(&row);
    }
    if (span_equal_cstr(who, "line")) {
        return parse_line(&row);
    }
    out_input->who = who;
    return parse_friend(&row);
}
