/* {{...}}: what is inserted into messages, field values and names of templates (LANGUAGE 2). */
#include "proto/definition_compile.h"
#include "proto/diagnostics.h"
#include "proto/words.h"

static void
report_unknown_insertion(struct compiler *compiler, const struct yaml_node *node, struct span word)
{
    struct suggestion suggestion;
    suggestion_begin(&suggestion, word);
    struct span near;
    suggestion_offer(&suggestion, span_cstr("name"));
    suggestion_offer(&suggestion, span_cstr("score"));
    suggestion_offer(&suggestion, span_cstr("choice"));
    suggestion_offer(&suggestion, span_cstr("slot"));
    for (uint32_t i = 0; i < not_yet_count; i++) {
        if (not_yet_rows[i].area == NOT_YET_INSERTION) {
            suggestion_offer(&suggestion, span_cstr(not_yet_rows[i].word));
        }
    }
    if (name_table_suggest(&compiler->fields, word, &near)) {
        suggestion_offer(&suggestion, near);
    }
    if (suggestion_found(&suggestion)) {
        compile_error(compiler, node, word, "no field '%.*s' to insert - did you mean '%.*s'?",
                      span_fmt(word), span_fmt(suggestion.best));
    } else {
        compile_error(compiler, node, word,
                      "no field '%.*s' to insert; list it under 'fields', or write {{name}}",
                      span_fmt(word));
    }
}

/* "answer:q", "answer:F/q" */
static bool
read_answer(struct compiler *compiler, const struct yaml_node *node, struct span id,
            struct insertion *out)
{
    size_t slash = words_find(id, "/");
    out->kind = INSERTION_ANSWER;
    if (slash < id.len) {
        out->form =
            compile_reference(compiler, &compiler->forms, "form", node, span_of(id.data, slash));
        id = span_of(id.data + slash + 1, id.len - slash - 1);
        if (out->form == NO_ID) {
            return false;
        }
    }
    out->field = compile_reference(compiler, &compiler->questions, "question", node, id);
    return out->field != NO_ID;
}

/* Insertions of what a friend does on pages. False: it is none of them. */
static bool
read_page(struct compiler *compiler, const struct yaml_node *node, struct span word,
          struct insertion *out, bool *out_good)
{
    size_t colon = words_find(word, ":");
    struct span id = colon == word.len ? span_of(word.data, 0)
                                       : span_of(word.data + colon + 1, word.len - colon - 1);
    *out_good = true;
    if (span_equal_cstr(word, "slot")) {
        out->kind = INSERTION_SLOT;
    } else if (words_starts_with(word, "answer:")) {
        *out_good = read_answer(compiler, node, id, out);
    } else if (words_starts_with(word, "form:")) {
        out->kind = INSERTION_FORM;
        out->field = compile_reference(compiler, &compiler->forms, "form", node, id);
        *out_good = out->field != NO_ID;
    } else if (words_starts_with(word, "link:")) {
        out->kind = INSERTION_LINK;
        out->field = compile_reference(compiler, &compiler->links, "link", node, id);
        *out_good = out->field != NO_ID;
    } else if (words_starts_with(word, "calendar:")) {
        out->kind = INSERTION_CALENDAR;
        out->field = compile_reference(compiler, &compiler->calendars, "calendar", node, id);
        *out_good = out->field != NO_ID;
    } else {
        return false;
    }
    return true;
}

/* {{draw:hand}} */
static bool
read_draw(struct compiler *compiler, const struct yaml_node *node, struct span word,
          struct insertion *out)
{
    struct span near;
    out->kind = INSERTION_ACT;
    out->act = arena_span(compiler->arena, word);
    if (name_table_find(&compiler->draws, word) != NO_ID) {
        return true;
    }
    if (name_table_suggest(&compiler->draws, word, &near)) {
        compile_error(compiler, node, word, "no '%.*s' is drawn - did you mean '%.*s'?",
                      span_fmt(word), span_fmt(near));
    } else {
        compile_error(compiler, node, word, "no action draws '%.*s'", span_fmt(word));
    }
    return false;
}

static bool
read_field(struct compiler *compiler, const struct yaml_node *node, struct span whole,
           struct span word, bool has_fallback, struct insertion *out)
{
    out->kind = INSERTION_FIELD;
    out->field = name_table_find(&compiler->fields, word);
    if (word.len == 0) {
        compile_error(compiler, node, whole, "nothing to insert; write {{name}} or a field");
        return false;
    }
    if (out->field == NO_ID) {
        report_unknown_insertion(compiler, node, word);
        return false;
    }
    if (!has_fallback && !compiler->field_items[out->field].has_start) {
        compile_warning(compiler, node, whole,
                        "'%.*s' may be empty here and has no fallback: write {{%.*s|...}}",
                        span_fmt(word), span_fmt(word));
    }
    return true;
}

bool
compile_insertion(struct compiler *compiler, const struct yaml_node *node, struct span whole,
                  struct insertion *out_insertion)
{
    struct span inner = span_of(whole.data + 2, whole.len - 4);
    size_t bar = words_find(inner, "|");
    bool has_fallback = bar < inner.len;
    struct span word = words_trim(span_of(inner.data, bar));
    *out_insertion =
        (struct insertion){.kind = INSERTION_NAME, .form = NO_ID, .fallback = span_cstr("")};
    if (has_fallback) {
        out_insertion->fallback =
            arena_span(compiler->arena, span_of(inner.data + bar + 1, inner.len - bar - 1));
    }
    if (span_equal_cstr(word, "name")) {
        return true;
    }
    if (span_equal_cstr(word, "score")) {
        out_insertion->kind = INSERTION_SCORE;
        return true;
    }
    if (span_equal_cstr(word, "goal")) {
        out_insertion->kind = INSERTION_GOAL;
        return true;
    }
    if (span_equal_cstr(word, "choice")) {
        out_insertion->kind = INSERTION_ACT;
        out_insertion->act = span_cstr("choice");
        return true;
    }
    if (words_starts_with(word, "draw:")) {
        return read_draw(compiler, node, word, out_insertion);
    }
    bool good;
    if (read_page(compiler, node, word, out_insertion, &good)) {
        return good;
    }
    struct span kind = span_of(word.data, words_find(word, ":"));
    const struct not_yet *row = not_yet_find(NOT_YET_INSERTION, kind);
    if (row != NULL) {
        compile_error(compiler, node, whole, "not yet: %s (%s)", row->what, row->rule);
        return false;
    }
    return read_field(compiler, node, whole, word, has_fallback, out_insertion);
}

const struct pattern *
compile_pattern(struct compiler *compiler, const struct yaml_node *node, struct span text)
{
    struct arena *arena = compiler->arena;
    struct pattern *pattern = arena_alloc(arena, sizeof(*pattern));
    struct span *parts = NULL;
    struct insertion *insertions = NULL;
    struct span rest = text;
    uint32_t count = 0;
    pattern->text = arena_span(arena, text);
    for (size_t open = words_find(rest, "{{"); open < rest.len; open = words_find(rest, "{{")) {
        struct span behind = span_of(rest.data + open, rest.len - open);
        size_t close = words_find(behind, "}}");
        if (close == behind.len) {
            compile_error(compiler, node, span_of(behind.data, 2), "'{{' is never closed");
            return NULL;
        }
        struct span whole = span_of(behind.data, close + 2);
        parts = arena_grow(arena, parts, count, sizeof(*parts));
        insertions = arena_grow(arena, insertions, count, sizeof(*insertions));
        parts[count] = arena_span(arena, span_of(rest.data, open));
        if (!compile_insertion(compiler, node, whole, &insertions[count])) {
            return NULL;
        }
        count++;
        rest = words_after(rest, whole);
    }
    parts = arena_grow(arena, parts, count, sizeof(*parts));
    parts[count] = arena_span(arena, rest);
    pattern->parts = parts;
    pattern->insertions = insertions;
    pattern->insertion_count = count;
    return pattern;
}

bool
pattern_may_be(const struct pattern *pattern, struct span text)
{
    struct span first = pattern->parts[0], last = pattern->parts[pattern->insertion_count];
    if (text.len < first.len + last.len || !span_equal(span_of(text.data, first.len), first)) {
        return false;
    }
    struct span middle = span_of(text.data + first.len, text.len - first.len - last.len);
    if (!span_equal(span_of(middle.data + middle.len, last.len), last)) {
        return false;
    }
    for (uint32_t i = 1; i < pattern->insertion_count; i++) {
        struct span part = pattern->parts[i];
        size_t at = words_find(middle, (const char *)part.data);
        if (at == middle.len && part.len > 0) {
            return false;
        }
        middle = span_of(middle.data + at + part.len, middle.len - at - part.len);
    }
    return true;
}
