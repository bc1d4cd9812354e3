#include "proto/yaml_tree.h"

#include "proto/diagnostics.h"
#include "proto/words.h"

#include <stdlib.h>
#include <yaml.h>

/* A value that begins with {{ and stands without quotes. YAML reads it as a mapping inside a mapping
 * and gives up soon after, so it is blotted out in the copy that libyaml reads, and reading begins
 * again: the rest of the file is still checked. */
struct unquoted {
    uint32_t line, column;
    struct span text; /* the whole value, in the file */
};

struct frame {
    struct yaml_node *node;
    bool flow;
    bool has_key;
    struct span key;
    struct yaml_mark key_mark;
};

struct builder {
    const struct source_file *file;
    struct span source;
    uint8_t *copy; /* of source, with tabs and unquoted insertions blotted out */
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct frame frames[YAML_DEPTH_MAX];
    uint32_t depth;
    struct yaml_node *root;
    uint32_t documents;
    struct unquoted *unquoted;
    uint32_t unquoted_count;
    struct yaml_mark cursor; /* where bytes_at() was last; line 0: nowhere */
    const uint8_t *cursor_at;
};

enum outcome { OUTCOME_GO_ON, OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_FAILED };

static struct yaml_mark
mark_from(const struct builder *builder, yaml_mark_t mark)
{
    return (struct yaml_mark){.file = builder->file,
                              .line = (uint32_t)mark.line + 1,
                              .column = (uint32_t)mark.column + 1};
}

/* The file from a mark on. Marks of events only go forward, so all of a file's cost one walk. */
static struct span
bytes_at(struct builder *builder, struct yaml_mark mark)
{
    struct yaml_mark *cursor = &builder->cursor;
    if (cursor->line == 0 || mark.line < cursor->line ||
        (mark.line == cursor->line && mark.column < cursor->column)) {
        *cursor = (struct yaml_mark){.line = 1, .column = 1};
        builder->cursor_at = builder->source.data;
    }
    const uint8_t *end = builder->source.data + builder->source.len;
    const uint8_t *at = builder->cursor_at;
    while (at < end && (cursor->line < mark.line || cursor->column < mark.column)) {
        cursor->column++;
        if (*at == '\n') {
            cursor->line++;
            cursor->column = 1;
        }
        do {
            at++;
        } while (at < end && (*at & 0xc0) == 0x80);
    }
    builder->cursor_at = at;
    return span_of(at, (size_t)(end - at));
}

/* --- insertions without quotes --- */

static struct span
unquoted_value(struct span rest, bool flow)
{
    size_t end = words_find(rest, "}}");
    end = end == rest.len ? end : end + 2;
    for (; end < rest.len; end++) {
        uint8_t byte = rest.data[end];
        bool ends_flow = flow && (byte == ',' || byte == ']' || byte == '}');
        if (ends_flow || (byte == '#' && rest.data[end - 1] == ' ')) {
            break;
        }
    }
    struct span value = words_trim(span_of(rest.data, end));
    return value;
}

/* Blots the value out in the copy and keeps it; false when there have been too many. */
static bool
unquoted_blot(struct builder *builder, struct yaml_mark mark, bool flow)
{
    enum { READ_AGAIN_BYTES_MAX = 16 * 1024 * 1024 };
    if (builder->unquoted_count * builder->source.len > READ_AGAIN_BYTES_MAX) {
        return false;
    }
    struct span value = unquoted_value(yaml_source(mark, mark.line), flow);
    builder->unquoted = arena_grow(builder->arena, builder->unquoted, builder->unquoted_count,
                                   sizeof(*builder->unquoted));
    builder->unquoted[builder->unquoted_count++] =
        (struct unquoted){.line = mark.line, .column = mark.column, .text = value};
    uint8_t *copied = builder->copy + (value.data - builder->source.data);
    for (size_t i = 0; i < value.len; i++) {
        copied[i] = copied[i] < 0x80 ? 'x' : copied[i];
    }
    return true;
}

/* After libyaml gave up: is there a value on that line that begins with {{ ? */
static bool
unquoted_on_line(struct builder *builder, uint32_t line)
{
    struct span source = source_line(builder->file, line);
    if (source.data == NULL) {
        return false;
    }
    struct span copied = span_of(builder->copy + (source.data - builder->source.data), source.len);
    size_t at = words_find(copied, "{{");
    struct span before = words_trim(span_of(copied.data, at));
    if (at == copied.len || memchr(before.data, '"', before.len) != NULL ||
        memchr(before.data, '\'', before.len) != NULL) {
        return false;
    }
    uint8_t previous = before.len == 0 ? '-' : before.data[before.len - 1];
    if (memchr(":-,[{", previous, 5) == NULL) {
        return false;
    }
    bool flow = before.len > 0 && (memchr(before.data, '[', before.len) != NULL ||
                                   memchr(before.data, '{', before.len) != NULL);
    struct yaml_mark mark = {.file = builder->file,
                             .line = line,
                             .column = words_characters(span_of(source.data, at)) + 1};
    return unquoted_blot(builder, mark, flow);
}

static void
unquoted_report(const struct builder *builder)
{
    for (uint32_t i = 0; i < builder->unquoted_count; i++) {
        struct span text = builder->unquoted[i].text;
        struct yaml_mark mark = {.file = builder->file,
                                 .line = builder->unquoted[i].line,
                                 .column = builder->unquoted[i].column};
        size_t end = words_find(text, "}}");
        struct span word = span_of(text.data, end == text.len ? end : end + 2);
        yaml_error(builder->diagnostics, mark, word,
                   "a text with {{...}} here must be in quotes: \"%.*s\"", span_fmt(text));
    }
}

/* --- building --- */

static void
attach(struct builder *builder, struct yaml_node *node)
{
    if (builder->depth == 0) {
        builder->root = node;
        return;
    }
    struct frame *frame = &builder->frames[builder->depth - 1];
    struct yaml_node *parent = frame->node;
    if (parent->kind == YAML_LIST) {
        parent->items =
            arena_grow(builder->arena, parent->items, parent->count, sizeof(*parent->items));
        parent->items[parent->count++] = node;
    } else if (frame->has_key) {
        parent->pairs =
            arena_grow(builder->arena, parent->pairs, parent->count, sizeof(*parent->pairs));
        parent->pairs[parent->count++] =
            (struct yaml_pair){.key = frame->key, .key_mark = frame->key_mark, .value = node};
        frame->has_key = false;
    } else {
        if (node->kind != YAML_SCALAR) {
            yaml_error(builder->diagnostics, node->mark, span_cstr(""), "a key must be a text");
        } else if (node->plain && span_equal_cstr(node->text, "<<")) {
            yaml_error(builder->diagnostics, node->mark, node->text,
                       "merge keys are not supported; write the keys out");
        }
        frame->has_key = true;
        frame->key = node->text;
        frame->key_mark = node->mark;
    }
}

static void
refuse_marks(struct builder *builder, struct yaml_mark mark, const yaml_char_t *anchor,
             const yaml_char_t *tag)
{
    if (anchor != NULL) {
        yaml_error(builder->diagnostics, mark, span_cstr((const char *)anchor),
                   "YAML anchors (&%s) are not supported; write the value out",
                   (const char *)anchor);
    }
    if (tag != NULL) {
        yaml_error(builder->diagnostics, mark, span_cstr(""),
                   "YAML tags (!) are not supported; every value is text, put it in quotes");
    }
}

/* "x: #a", "x:" and a comma inside { }: a value that is not there. */
static void
report_empty(struct builder *builder, const struct yaml_node *node)
{
    struct yaml_mark mark = node->mark;
    struct span rest = bytes_at(builder, mark);
    for (; rest.len > 0 && rest.data[0] == ' '; mark.column++) {
        rest = span_of(rest.data + 1, rest.len - 1);
    }
    if (words_starts_with(rest, "#")) {
        rest =
            diagnostics_full(builder->diagnostics) ? span_cstr("#") : yaml_source(mark, mark.line);
        yaml_error(builder->diagnostics, mark, rest,
                   "empty value: what follows '#' is a comment; a text with '#' must be in quotes");
    } else if (builder->depth > 0 && builder->frames[builder->depth - 1].flow) {
        yaml_error(builder->diagnostics, node->mark, span_cstr(""),
                   "empty value; a text with a comma inside { } must be in quotes");
    } else {
        yaml_error(builder->diagnostics, node->mark, span_cstr(""), "empty value");
    }
}

static void
add_scalar(struct builder *builder, const yaml_event_t *event)
{
    struct yaml_node *node = arena_alloc(builder->arena, sizeof(*node));
    struct span text = span_of(event->data.scalar.value, event->data.scalar.length);
    *node = (struct yaml_node){.kind = YAML_SCALAR,
                               .mark = mark_from(builder, event->start_mark),
                               .end_line = (uint32_t)event->end_mark.line + 1,
                               .plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE};
    for (uint32_t i = 0; i < builder->unquoted_count; i++) {
        const struct unquoted *unquoted = &builder->unquoted[i];
        if (unquoted->line == node->mark.line && unquoted->column == node->mark.column) {
            text = unquoted->text;
        }
    }
    node->text = arena_span(builder->arena, text);
    refuse_marks(builder, node->mark, event->data.scalar.anchor, event->data.scalar.tag);
    if (text.len > 0 && memchr(text.data, 0, text.len) != NULL) {
        yaml_error(builder->diagnostics, node->mark, span_cstr(""), "a text cannot hold \\0");
    }
    if (node->plain && text.len == 0 && event->data.scalar.tag == NULL) {
        report_empty(builder, node);
    }
    attach(builder, node);
}

static enum outcome
open_node(struct builder *builder, enum yaml_kind kind, yaml_mark_t start, bool flow)
{
    struct yaml_mark mark = mark_from(builder, start);
    if (builder->depth == YAML_DEPTH_MAX) {
        yaml_error(builder->diagnostics, mark, span_cstr(""), "nested deeper than %d levels",
                   YAML_DEPTH_MAX);
        return OUTCOME_FAILED;
    }
    if (flow && kind == YAML_MAPPING && words_starts_with(bytes_at(builder, mark), "{{") &&
        unquoted_blot(builder, mark,
                      builder->depth > 0 && builder->frames[builder->depth - 1].flow)) {
        return OUTCOME_AGAIN;
    }
    struct yaml_node *node = arena_alloc(builder->arena, sizeof(*node));
    *node = (struct yaml_node){.kind = kind, .mark = mark, .end_line = mark.line};
    attach(builder, node);
    builder->frames[builder->depth++] = (struct frame){.node = node, .flow = flow};
    return OUTCOME_GO_ON;
}

struct sorted_key {
    struct span key;
    uint32_t index;
};

static int
sorted_key_compare(const void *left, const void *right)
{
    const struct sorted_key *a = left;
    const struct sorted_key *b = right;
    size_t shorter = a->key.len < b->key.len ? a->key.len : b->key.len;
    int order = shorter == 0 ? 0 : memcmp(a->key.data, b->key.data, shorter);
    if (order != 0) {
        return order;
    }
    if (a->key.len != b->key.len) {
        return a->key.len < b->key.len ? -1 : 1;
    }
    return a->index < b->index ? -1 : 1;
}

static void
report_duplicate(struct builder *builder, const struct yaml_pair *pair, uint32_t first_line)
{
    struct span path[YAML_DEPTH_MAX];
    for (uint32_t i = 0; i + 1 < builder->depth; i++) {
        path[i] = builder->frames[i].key;
    }
    path[builder->depth - 1] = pair->key;
    struct buf noun = {0};
    yaml_place_noun(path, builder->depth, &noun);
    yaml_error(builder->diagnostics, pair->key_mark, pair->key, "duplicate %s (first at line %u)",
               buf_cstr(&noun), first_line);
    buf_fini(&noun);
}

/* Drops and reports every key that stands there already; sorting keeps a hostile file cheap. */
static void
drop_duplicates(struct builder *builder, struct yaml_node *node)
{
    struct sorted_key *sorted = calloc(node->count + 1, sizeof(*sorted));
    if (sorted == NULL) {
        abort(); /* no memory: docs/adr/0001 */
    }
    for (uint32_t i = 0; i < node->count; i++) {
        sorted[i] = (struct sorted_key){.key = node->pairs[i].key, .index = i};
    }
    qsort(sorted, node->count, sizeof(*sorted), sorted_key_compare);
    uint32_t first = 0;
    for (uint32_t i = 1; i < node->count; i++) {
        if (!span_equal(sorted[i].key, sorted[first].key)) {
            first = i;
            continue;
        }
        struct yaml_pair *pair = &node->pairs[sorted[i].index];
        report_duplicate(builder, pair, node->pairs[sorted[first].index].key_mark.line);
        pair->value = NULL;
    }
    free(sorted);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->pairs[i].value != NULL) {
            node->pairs[kept++] = node->pairs[i];
        }
    }
    node->count = kept;
}

static enum outcome
take_event(struct builder *builder, const yaml_event_t *event)
{
    struct yaml_mark mark = mark_from(builder, event->start_mark);
    switch (event->type) {
    case YAML_STREAM_END_EVENT:
        return OUTCOME_DONE;
    case YAML_DOCUMENT_START_EVENT:
        if (event->data.document_start.version_directive != NULL ||
            event->data.document_start.tag_directives.start !=
                event->data.document_start.tag_directives.end) {
            yaml_error(builder->diagnostics, mark, span_cstr(""),
                       "YAML directives (%%) are not supported");
        }
        if (builder->documents++ > 0) {
            yaml_error(builder->diagnostics, mark, span_cstr("---"),
                       "a file holds one document; put the second into a file of its own");
            return OUTCOME_FAILED;
        }
        return OUTCOME_GO_ON;
    case YAML_ALIAS_EVENT: {
        const char *name = (const char *)event->data.alias.anchor;
        struct yaml_node *node = arena_alloc(builder->arena, sizeof(*node));
        *node = (struct yaml_node){.kind = YAML_SCALAR, .mark = mark, .end_line = mark.line};
        node->plain = true;
        yaml_error(builder->diagnostics, mark, span_cstr(name),
                   "YAML aliases (*%s) are not supported; write the value out", name);
        attach(builder, node);
        return OUTCOME_GO_ON;
    }
    case YAML_SCALAR_EVENT:
        add_scalar(builder, event);
        return OUTCOME_GO_ON;
    case YAML_SEQUENCE_START_EVENT:
        refuse_marks(builder, mark, event->data.sequence_start.anchor,
                     event->data.sequence_start.tag);
        return open_node(builder, YAML_LIST, event->start_mark,
                         event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE);
    case YAML_MAPPING_START_EVENT:
        refuse_marks(builder, mark, event->data.mapping_start.anchor,
                     event->data.mapping_start.tag);
        return open_node(builder, YAML_MAPPING, event->start_mark,
                         event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE);
    case YAML_MAPPING_END_EVENT:
        drop_duplicates(builder, builder->frames[builder->depth - 1].node);
        builder->depth--;
        return OUTCOME_GO_ON;
    case YAML_SEQUENCE_END_EVENT:
        builder->depth--;
        return OUTCOME_GO_ON;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return OUTCOME_GO_ON;
    }
    return OUTCOME_GO_ON;
}

static void
report_syntax(struct builder *builder, const yaml_parser_t *parser)
{
    static const struct {
        const char *libyaml, *ours;
    } WORDS[] = {
        {"found unexpected end of stream", "this quote is never closed"},
        {"mapping values are not allowed in this context",
         "a second ': ' here; a text that holds ': ' must be in quotes"},
        {"could not find expected ':'", "expected 'key: value'"},
        {"did not find expected key", "wrong indentation, or text behind a closing quote"},
        {"did not find expected '-' indicator", "wrong indentation in a list"},
        {"did not find expected ',' or ']'", "expected ',' or ']' in this list"},
        {"did not find expected ',' or '}'", "expected ',' or '}' in this mapping"},
        {"found character that cannot start any token",
         "a text cannot begin with this character; put it in quotes"},
    };
    const char *problem = parser->problem == NULL ? "cannot be read" : parser->problem;
    yaml_mark_t at = parser->problem_mark;
    const char *message = problem;
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        if (strcmp(problem, WORDS[i].libyaml) == 0) {
            message = WORDS[i].ours;
        }
    }
    if (strcmp(problem, WORDS[0].libyaml) == 0) {
        at = parser->context_mark; /* where the quote was opened, not the end of the file */
    }
    yaml_error(builder->diagnostics, mark_from(builder, at), span_cstr(""), "%s", message);
}

static enum outcome
read_once(struct builder *builder)
{
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        abort(); /* no memory: docs/adr/0001 */
    }
    yaml_parser_set_input_string(&parser, builder->copy, builder->source.len);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    builder->depth = 0;
    builder->documents = 0;
    builder->root = NULL;
    enum outcome outcome = OUTCOME_GO_ON;
    while (outcome == OUTCOME_GO_ON) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) == 0) {
            bool again = unquoted_on_line(builder, (uint32_t)parser.problem_mark.line + 1) ||
                         unquoted_on_line(builder, (uint32_t)parser.context_mark.line + 1);
            outcome = again ? OUTCOME_AGAIN : OUTCOME_FAILED;
            if (!again) {
                report_syntax(builder, &parser);
            }
            break;
        }
        outcome = take_event(builder, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return outcome;
}

/* The first tab of each line is reported; all become blanks for libyaml. */
static void
blot_tabs(struct builder *builder)
{
    uint32_t line = 1;
    bool reported = false;
    const uint8_t *start = builder->copy;
    for (size_t i = 0; i < builder->source.len; i++) {
        uint8_t *byte = &builder->copy[i];
        if (*byte == '\n') {
            line++;
            reported = false;
            start = byte + 1;
        } else if (*byte == '\t') {
            struct span before = span_of(start, (size_t)(byte - start));
            struct yaml_mark mark = {.file = builder->file, .line = line};
            mark.column = reported ? 0 : words_characters(before) + 1;
            if (!reported) {
                yaml_error(builder->diagnostics, mark, span_cstr("\t"), "a tab; write blanks");
            }
            reported = true;
            *byte = ' ';
        }
    }
}

/* What libyaml must not see at all. */
static bool
readable(const struct builder *builder)
{
    struct yaml_mark mark = {.file = builder->file, .line = 1, .column = 1};
    struct span source = builder->source;
    if (source.len > YAML_FILE_BYTES_MAX) {
        yaml_error(builder->diagnostics, mark, span_cstr(""), "larger than 1 MiB");
        return false;
    }
    size_t valid = words_utf8_valid(source);
    if (valid == source.len) {
        return true;
    }
    for (size_t i = 0; i < valid; i++) {
        mark.column += (source.data[i] & 0xc0) == 0x80 ? 0 : 1;
        if (source.data[i] == '\n') {
            mark.line++;
            mark.column = 1;
        }
    }
    yaml_error(builder->diagnostics, mark, span_cstr(""),
               "byte 0x%02x is not UTF-8; is the file in Shift_JIS (CP932)? Save it as UTF-8",
               source.data[valid]);
    return false;
}

struct yaml_node *
yaml_tree_parse(const struct source_file *file, struct arena *arena,
                struct diagnostics *diagnostics)
{
    struct builder builder = {
        .file = file, .source = source_text(file), .arena = arena, .diagnostics = diagnostics};
    if (!readable(&builder)) {
        return NULL;
    }
    builder.copy = arena_alloc(arena, builder.source.len + 1);
    if (builder.source.len > 0) {
        memcpy(builder.copy, builder.source.data, builder.source.len);
    }
    blot_tabs(&builder);

    /* What an unfinished reading reported is said again by the next one. */
    struct diagnostics before = *diagnostics;
    enum outcome outcome = read_once(&builder);
    while (outcome == OUTCOME_AGAIN) {
        diagnostics->count = before.count;
        diagnostics->error_count = before.error_count;
        diagnostics->warning_count = before.warning_count;
        outcome = read_once(&builder);
    }
    unquoted_report(&builder);
    return outcome == OUTCOME_DONE ? builder.root : NULL;
}
