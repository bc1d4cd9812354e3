/* Facts and comparisons of a condition (LANGUAGE 2). */
#include "proto/expression_parser.h"

#include "proto/not_yet.h"
#include "proto/words.h"
#include <stddef.h>

/* Facts that are one name behind a colon. */
static const struct fact {
    const char *word;
    enum condition_op_kind kind;
    size_t names; /* of the reader's tables */
    const char *noun;
    bool happens; /* at an instant, so that it can lie within a period */
} FACTS[] = {
    {"finished", CONDITION_FINISHED, offsetof(struct expression_reader, scenarios), "scenario",
     false},
    {"tapped", CONDITION_TAPPED, offsetof(struct expression_reader, buttons), "button", true},
    {"received", CONDITION_RECEIVED, offsetof(struct expression_reader, templates), "template",
     true},
    {"answered", CONDITION_ANSWERED, offsetof(struct expression_reader, forms), "form", true},
    {"converted", CONDITION_CONVERTED, offsetof(struct expression_reader, conversions),
     "conversion", true},
    {"booked", CONDITION_BOOKED, offsetof(struct expression_reader, calendars), "calendar or event",
     true},
    {"route", CONDITION_ROUTE, offsetof(struct expression_reader, routes), "route", true},
    {"clicked", CONDITION_CLICKED, offsetof(struct expression_reader, links), "link", true},
    {"rank", CONDITION_RANK, offsetof(struct expression_reader, ranks), "rank", false},
    {"rich_menu", CONDITION_RICH_MENU, offsetof(struct expression_reader, rich_menus), "rich menu",
     false},
};
enum { FACT_COUNT = sizeof(FACTS) / sizeof(FACTS[0]) };

/* --- names --- */

static uint32_t
reference(struct parser *parser, struct name_table *table, const char *noun, struct span word,
          struct span name)
{
    uint32_t id = name_table_find(table, name);
    struct span near;
    if (id != NO_ID) {
        return id;
    }
    if (name_table_suggest(table, name, &near)) {
        expression_fail(parser, word, "no %s '%.*s' - did you mean '%.*s'?", noun, span_fmt(name),
                        span_fmt(near));
    } else {
        expression_fail(parser, word, "no %s '%.*s'", noun, span_fmt(name));
    }
    return id;
}

/* Reading goes on after an unknown tag, so that all of them are told. */
static uint32_t
tag_reference(struct parser *parser, struct span word, struct span name)
{
    struct name_table *tags = parser->reader->tags;
    struct span near;
    uint32_t id = name_table_find(tags, name);
    if (id == NO_ID && !name_table_suggest(tags, name, &near)) {
        expression_fail(parser, word, "no tag '%.*s'; every tag used must be listed under 'tags'",
                        span_fmt(name));
    } else if (id == NO_ID) {
        expression_fail(parser, word, "no tag '%.*s' - did you mean '%.*s'?", span_fmt(name),
                        span_fmt(near));
    }
    return id;
}

static uint32_t
mark_reference(struct parser *parser, struct span word, struct span name)
{
    uint32_t id = name_table_find(parser->reader->marks, name);
    if (id == NO_ID) {
        expression_fail(parser, word,
                        "no mark '%.*s'; every mark used must be listed under 'marks'",
                        span_fmt(name));
    }
    return id;
}

/* What may stand before the colon of a fact or begin a comparison. */
static void
fail_unknown(struct parser *parser, struct span word)
{
    static const char *const KNOWN[] = {"tag",  "everyone", "in",     "score",  "name",
                                        "memo", "added",    "today",  "choice", "field",
                                        "draw", "mark",     "answer", "profile"};
    size_t colon = words_find(word, ":");
    struct span kind = span_of(word.data, colon);
    const struct not_yet *row = not_yet_find(NOT_YET_CONDITION, kind);
    if (row != NULL) {
        expression_fail(parser, word, "not yet: %s (%s)", row->what, row->rule);
        return;
    }
    if (span_equal_cstr(kind, "profile")) {
        expression_fail(parser, word,
                        "of a profile only profile:language and profile:picture are known");
        return;
    }
    if (colon == word.len && name_table_find(parser->reader->tags, word) != NO_ID) {
        expression_fail(parser, word, "not a condition; write 'tag:%.*s'", span_fmt(word));
        return;
    }
    if (colon == word.len && name_table_find(parser->reader->fields, word) != NO_ID) {
        expression_fail(parser, word, "not a condition; write 'field:%.*s = ...'", span_fmt(word));
        return;
    }
    struct suggestion suggestion;
    suggestion_begin(&suggestion, kind);
    for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
        suggestion_offer(&suggestion, span_cstr(KNOWN[i]));
    }
    for (uint32_t i = 0; i < FACT_COUNT; i++) {
        suggestion_offer(&suggestion, span_cstr(FACTS[i].word));
    }
    for (uint32_t i = 0; i < not_yet_count; i++) {
        if (not_yet_rows[i].area == NOT_YET_CONDITION) {
            suggestion_offer(&suggestion, span_cstr(not_yet_rows[i].word));
        }
    }
    if (suggestion_found(&suggestion)) {
        expression_fail(parser, word, "unknown condition '%.*s' - did you mean '%.*s'?",
                        span_fmt(kind), span_fmt(suggestion.best));
    } else {
        expression_fail(parser, word,
                        "not a condition; write 'tag:x', 'not tag:x' or 'tag:x and tag:y'");
    }
}

/* --- facts --- */

/* "S" or "S/step" */
static void
read_in(struct parser *parser, struct span word, struct span name, struct condition_op *op)
{
    size_t slash = words_find(name, "/");
    op->id =
        reference(parser, parser->reader->scenarios, "scenario", word, span_of(name.data, slash));
    if (slash < name.len && op->id != NO_ID) {
        op->sub = reference(parser, &parser->reader->steps[op->id], "step", word,
                            span_of(name.data + slash + 1, name.len - slash - 1));
    }
}

static struct name_table *
names_of(const struct expression_reader *reader, const struct fact *fact)
{
    return *(struct name_table *const *)(const void *)((const char *)reader + fact->names);
}

static const struct fact *
find_fact(struct span kind)
{
    for (uint32_t i = 0; i < FACT_COUNT; i++) {
        if (span_equal_cstr(kind, FACTS[i].word)) {
            return &FACTS[i];
        }
    }
    return NULL;
}

/* "10m of delivery" */
static void
read_of_delivery(struct parser *parser, struct span word, struct within *within,
                 enum condition_op_kind kind)
{
    struct span duration = parser->token;
    within->kind = WITHIN_OF_DELIVERY;
    expression_advance(parser);
    bool of = expression_token_is(parser, "of");
    expression_advance(parser);
    if (!of || !expression_token_is(parser, "delivery")) {
        expression_fail(parser, duration, "write 'within last 10m', or 'within 10m of delivery'");
    } else if (kind != CONDITION_CLICKED) {
        expression_fail(parser, word, "only 'clicked' is counted from a delivery");
    }
}

/* "within 2026-03-01..2026-03-10", "within last 7d", "within 10m of delivery" */
static void
read_fact_within(struct parser *parser, struct span word, bool happens, struct condition_op *op)
{
    struct within *within = arena_alloc(parser->reader->arena, sizeof(*within));
    struct span within_word = parser->token;
    expression_advance(parser);
    op->within = within;
    if (!happens) {
        expression_fail(parser, within_word,
                        "'%.*s' has no instant; only answered, tapped, clicked, received, "
                        "converted, booked and route lie within a period",
                        span_fmt(word));
    }
    if (expression_token_is(parser, "last")) {
        within->kind = WITHIN_LAST;
        expression_advance(parser);
        if (!words_duration(parser->token, &within->ms)) {
            expression_fail(parser, parser->token.len > 0 ? parser->token : parser->last,
                            "not a duration; write 'within last 7d'");
        }
    } else if (words_duration(parser->token, &within->ms)) {
        read_of_delivery(parser, word, within, op->kind);
    } else if (!words_period(parser->token, &within->first_day, &within->last_day)) {
        expression_fail(parser, parser->token.len > 0 ? parser->token : parser->last,
                        "not a period; write 'within 2026-03-01..2026-03-10', one end may be "
                        "missing, or 'within last 7d'");
    }
    expression_advance(parser);
}

/* False: the word is no fact. */
static bool
parse_fact(struct parser *parser)
{
    struct span word = parser->token;
    size_t colon = words_find(word, ":");
    struct span kind = span_of(word.data, colon);
    struct span name =
        colon == word.len ? (struct span){0} : span_of(word.data + colon + 1, word.len - colon - 1);
    struct condition_op op = {.sub = NO_ID};
    const struct fact *fact = colon == word.len ? NULL : find_fact(kind);
    if (span_equal_cstr(word, "everyone")) {
        op.kind = CONDITION_TRUE;
    } else if (colon == word.len) {
        return false;
    } else if (fact != NULL) {
        op.kind = fact->kind;
        op.id = reference(parser, names_of(parser->reader, fact), fact->noun, word, name);
    } else if (span_equal_cstr(kind, "tag")) {
        op.kind = CONDITION_TAG;
        op.id = tag_reference(parser, word, name);
    } else if (span_equal_cstr(kind, "mark")) {
        op.kind = CONDITION_MARK;
        op.id = mark_reference(parser, word, name);
    } else if (span_equal_cstr(kind, "in")) {
        op.kind = CONDITION_IN;
        read_in(parser, word, name, &op);
    } else {
        return false;
    }
    expression_advance(parser);
    if (expression_token_is(parser, "within")) {
        read_fact_within(parser, word, fact != NULL && fact->happens, &op);
    }
    expression_emit(parser, op);
    return true;
}

/* --- values --- */

/* "answer:q", "answer:F/q" */
static void
read_answer(struct parser *parser, struct span word, struct value *out_value)
{
    const struct expression_reader *reader = parser->reader;
    struct span name = span_of(word.data + 7, word.len - 7);
    size_t slash = words_find(name, "/");
    out_value->kind = VALUE_ANSWER;
    out_value->form = NO_ID;
    if (slash < name.len) {
        out_value->form = reference(parser, reader->forms, "form", word, span_of(name.data, slash));
        name = span_of(name.data + slash + 1, name.len - slash - 1);
    }
    out_value->field = reference(parser, reader->questions, "question", word, name);
    out_value->type =
        out_value->field == NO_ID ? FIELD_TEXT : reader->question_types[out_value->field];
}

/* True when the token names a value; its reference may have failed. */
static bool
read_value(struct parser *parser, struct value *out_value)
{
    static const struct {
        const char *word;
        enum value_kind kind;
        enum field_type type;
    } WORDS[] = {{"recent_score", VALUE_RECENT_SCORE, FIELD_NUMBER},
                 {"score", VALUE_SCORE, FIELD_NUMBER},
                 {"name", VALUE_NAME, FIELD_TEXT},
                 {"added", VALUE_ADDED, FIELD_DATE},
                 {"today", VALUE_TODAY, FIELD_DATE},
                 {"choice", VALUE_ACT, FIELD_TEXT},
                 {"memo", VALUE_FIELD, FIELD_TEXT}};
    const struct expression_reader *reader = parser->reader;
    struct span word = parser->token;
    *out_value = (struct value){.field = NO_ID};
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        if (span_equal_cstr(word, WORDS[i].word)) {
            out_value->kind = WORDS[i].kind;
            out_value->type = WORDS[i].type;
            out_value->text = span_cstr(WORDS[i].word);
            if (WORDS[i].kind == VALUE_FIELD) {
                out_value->field = name_table_find(reader->fields, word);
            }
            return true;
        }
    }
    if (words_starts_with(word, "field:")) {
        struct span name = span_of(word.data + 6, word.len - 6);
        out_value->kind = VALUE_FIELD;
        out_value->field = reference(parser, reader->fields, "field", word, name);
        out_value->type =
            out_value->field == NO_ID ? FIELD_TEXT : reader->field_items[out_value->field].type;
        return true;
    }
    if (words_starts_with(word, "answer:")) {
        read_answer(parser, word, out_value);
        return true;
    }
    if (span_equal_cstr(word, "profile:language") || span_equal_cstr(word, "profile:picture")) {
        out_value->kind =
            span_equal_cstr(word, "profile:language") ? VALUE_LANGUAGE : VALUE_PICTURE;
        out_value->type = FIELD_TEXT;
        return true;
    }
    if (words_starts_with(word, "draw:")) {
        out_value->kind = VALUE_ACT;
        out_value->type = FIELD_TEXT;
        out_value->text = arena_span(reader->arena, word);
        if (reader->draws != NULL && name_table_find(reader->draws, word) == NO_ID) {
            struct span near, name = span_of(word.data + 5, word.len - 5);
            bool found = name_table_suggest(reader->draws, word, &near);
            expression_fail(parser, word, "nothing is drawn as '%.*s'%s%.*s%s", span_fmt(name),
                            found ? " - did you mean '" : "", found ? (int)near.len - 5 : 0,
                            found ? (const char *)near.data + 5 : "", found ? "'?" : "");
        }
        return true;
    }
    return false;
}

static bool
is_text(enum field_type type)
{
    return type == FIELD_TEXT || type == FIELD_IMAGE || type == FIELD_FILE;
}

static bool
is_day(enum field_type type)
{
    return type == FIELD_DATE || type == FIELD_DATETIME;
}

/* A literal beside a date: a date, or a date and a time of day. */
static void
read_day(struct parser *parser, struct span left, struct span word, struct value *out)
{
    out->type = FIELD_DATE;
    if (words_date(word, &out->number)) {
        int32_t minute;
        if (words_time(parser->token, &minute)) { /* unquoted: 2026-06-01 10:00 */
            out->type = FIELD_DATETIME;
            out->number = civil_instant(parser->reader->zone, out->number, minute * 60);
            expression_advance(parser);
        }
        return;
    }
    out->type = FIELD_DATETIME;
    if (!words_datetime(word, parser->reader->zone, &out->number)) {
        expression_fail(parser, word, "'%.*s' is a date; '%.*s' is none: write 2026-06-01",
                        span_fmt(left), span_fmt(word));
    }
}

/* What stands right of the operator; left_word is for messages. */
static void
read_right(struct parser *parser, const struct value *left, struct span left_word,
           struct value *out)
{
    struct span word = parser->token;
    bool quoted = word.len >= 2 && word.data[0] == '\'';
    if (word.len == 0) {
        expression_fail(parser, parser->last, "the value is missing after this");
        return;
    }
    if (!quoted && read_value(parser, out)) {
        expression_advance(parser);
        bool texts = is_text(left->type) && is_text(out->type);
        bool days = is_day(left->type) && is_day(out->type);
        bool numbers = !is_day(left->type) && !is_day(out->type); /* a text may be written as one */
        if (!texts && !days && !numbers) {
            expression_fail(parser, word, "'%.*s' and '%.*s' cannot be compared",
                            span_fmt(left_word), span_fmt(word));
        }
        return;
    }
    struct span text = quoted ? span_of(word.data + 1, word.len - 2) : word;
    *out = (struct value){.kind = VALUE_LITERAL, .type = FIELD_TEXT, .field = NO_ID};
    expression_advance(parser);
    if (text.len == 0) {
        expression_fail(parser, word, "nothing equals an empty text; write '%.*s is empty'",
                        span_fmt(left_word));
    } else if (left->type == FIELD_NUMBER) {
        out->type = FIELD_NUMBER;
        if (!words_number(text, &out->number)) {
            size_t colon = words_find(left_word, ":");
            struct span name = colon == left_word.len
                                   ? left_word
                                   : words_after(left_word, span_of(left_word.data, colon + 1));
            expression_fail(parser, word, "'%.*s' is a number; '%.*s' is none", span_fmt(name),
                            span_fmt(text));
        }
    } else if (is_day(left->type)) {
        read_day(parser, left_word, text, out);
    } else {
        out->text = arena_span(parser->reader->arena, text);
    }
}

static void
read_within(struct parser *parser, struct span left_word, struct comparison *comparison)
{
    struct span word = parser->token;
    if (!is_day(comparison->left.type)) {
        expression_fail(parser, left_word, "'%.*s' is no date; only dates lie within a period",
                        span_fmt(left_word));
    }
    if (!words_period(word, &comparison->first_day, &comparison->last_day)) {
        expression_fail(parser, word.len > 0 ? word : parser->last,
                        "not a period; write 2026-03-01..2026-03-10, one end may be missing");
    }
    expression_advance(parser);
}

/* --- comparisons --- */

static const struct {
    const char *word;
    enum comparison_kind kind;
} OPERATORS[] = {
    {"=", COMPARE_EQUAL},           {"!=", COMPARE_EQUAL},  {"<", COMPARE_LESS},
    {"<=", COMPARE_LESS_EQUAL},     {">", COMPARE_GREATER}, {">=", COMPARE_GREATER_EQUAL},
    {"contains", COMPARE_CONTAINS}, {"is", COMPARE_EMPTY},  {"within", COMPARE_WITHIN}};
enum { OPERATOR_COUNT = sizeof(OPERATORS) / sizeof(OPERATORS[0]) };

/* False, and said, when the token is no operator. */
static bool
read_operator(struct parser *parser, struct span left_word, struct comparison *comparison,
              bool *out_negated)
{
    for (int i = 0; i < OPERATOR_COUNT; i++) {
        if (expression_token_is(parser, OPERATORS[i].word)) {
            comparison->kind = OPERATORS[i].kind;
            *out_negated = expression_token_is(parser, "!=");
            expression_advance(parser);
            return true;
        }
    }
    expression_fail(parser, parser->token.len > 0 ? parser->token : left_word,
                    "expected a comparison: write '%.*s = ...', with one of = != < <= > >= "
                    "contains, 'is empty', 'within'",
                    span_fmt(left_word));
    return false;
}

static void
parse_comparison(struct parser *parser, const struct value *left, struct span left_word)
{
    struct comparison *comparison = arena_alloc(parser->reader->arena, sizeof(*comparison));
    bool negated = false;
    comparison->left = *left;
    if (!read_operator(parser, left_word, comparison, &negated)) {
        return;
    }
    if (comparison->kind == COMPARE_EMPTY) {
        if (!expression_token_is(parser, "empty")) {
            expression_fail(parser, parser->last, "write '%.*s is empty'", span_fmt(left_word));
        }
        expression_advance(parser);
    } else if (comparison->kind == COMPARE_WITHIN) {
        read_within(parser, left_word, comparison);
    } else {
        read_right(parser, left, left_word, &comparison->right);
        if (comparison->kind == COMPARE_CONTAINS && !is_text(left->type)) {
            expression_fail(parser, left_word, "'%.*s' is no text; only texts contain something",
                            span_fmt(left_word));
        }
    }
    expression_emit(parser,
                    (struct condition_op){.kind = CONDITION_COMPARE, .comparison = comparison});
    if (negated) {
        expression_emit(parser, (struct condition_op){.kind = CONDITION_NOT});
    }
}

void
expression_parse_operand(struct parser *parser)
{
    struct span word = parser->token;
    struct value left;
    if (read_value(parser, &left)) {
        expression_advance(parser);
        parse_comparison(parser, &left, word);
    } else if (!parse_fact(parser)) {
        fail_unknown(parser, word);
    }
}
