/* What can be asked of a tree once it is there: keys, places, diagnostics. */
#include "proto/diagnostics.h"
#include "proto/words.h"
#include "proto/yaml_tree.h"

struct yaml_node *
yaml_get(const struct yaml_node *node, const char *key)
{
    if (node == NULL || node->kind != YAML_MAPPING) {
        return NULL;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        if (span_equal_cstr(node->pairs[i].key, key)) {
            return node->pairs[i].value;
        }
    }
    return NULL;
}

void
yaml_place_noun(const struct span *path, uint32_t depth, struct buf *out_noun)
{
    static const struct {
        const char *section, *noun;
    } NOUNS[] = {
        {"tags", "folder"},        {"fields", "field"},         {"templates", "template"},
        {"scenarios", "scenario"}, {"buttons", "button"},       {"auto_replies", "auto-reply"},
        {"reminders", "reminder"}, {"broadcasts", "broadcast"}, {"schedules", "schedule"},
        {"dates", "date"},         {"triggers", "trigger"},     {"routes", "route"},
        {"forms", "form"},         {"calendars", "calendar"},   {"conversions", "conversion"},
        {"links", "link"},         {"coupons", "coupon"},       {"rich_menus", "rich menu"}};
    struct span key = path[depth - 1];
    const char *noun = depth == 1 ? "section" : "key";
    bool in_steps =
        depth == 4 && span_equal_cstr(path[0], "scenarios") && span_equal_cstr(path[2], "steps");
    for (size_t i = 0; depth == 2 && i < sizeof(NOUNS) / sizeof(NOUNS[0]); i++) {
        noun = span_equal_cstr(path[0], NOUNS[i].section) ? NOUNS[i].noun : noun;
    }
    buf_printf(out_noun, "%s '%.*s'", in_steps ? "step" : noun, span_fmt(key));
    if (in_steps) {
        buf_printf(out_noun, " in scenario '%.*s'", span_fmt(path[1]));
    }
}

void
yaml_error(struct diagnostics *diagnostics, struct yaml_mark mark, struct span word,
           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    diagnostics_add(diagnostics, false, mark.file, mark.line, mark.column, words_characters(word),
                    format, arguments);
    va_end(arguments);
}

void
yaml_warning(struct diagnostics *diagnostics, struct yaml_mark mark, struct span word,
             const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    diagnostics_add(diagnostics, true, mark.file, mark.line, mark.column, words_characters(word),
                    format, arguments);
    va_end(arguments);
}

struct span
yaml_source(struct yaml_mark mark, uint32_t end_line)
{
    struct span first = source_line(mark.file, mark.line);
    struct span last = source_line(mark.file, end_line);
    if (first.data == NULL || last.data == NULL) {
        return span_of(NULL, 0);
    }
    struct span region = span_of(first.data, (size_t)(last.data - first.data) + last.len);
    for (uint32_t i = 1; i < mark.column && region.len > 0; i++) {
        do {
            region = span_of(region.data + 1, region.len - 1);
        } while (region.len > 0 && (region.data[0] & 0xc0) == 0x80);
    }
    return region;
}

struct yaml_mark
yaml_mark_of(const struct yaml_node *scalar, struct span piece)
{
    struct yaml_mark mark = scalar->mark;
    if (mark.file == NULL || piece.len == 0) {
        return mark;
    }
    struct span source = yaml_source(mark, scalar->end_line);
    struct span text = scalar->text;
    const uint8_t *found = NULL;
    /* The piece may stand in the text several times: count the same way through the source. */
    do {
        const uint8_t *in_text = memmem(text.data, text.len, piece.data, piece.len);
        found = source.len == 0 ? NULL : memmem(source.data, source.len, piece.data, piece.len);
        if (in_text == NULL || found == NULL) {
            return scalar->mark; /* written with escapes, or over a line's end */
        }
        for (; source.data < found; source.data++, source.len--) {
            mark.column += (source.data[0] & 0xc0) == 0x80 ? 0 : 1;
            if (source.data[0] == '\n') {
                mark.line++;
                mark.column = 1;
            }
        }
        if (in_text >= piece.data) {
            return mark;
        }
        text = span_of(in_text + 1, text.len - (size_t)(in_text + 1 - text.data));
        source = span_of(source.data + 1, source.len - 1);
        mark.column += found[0] == '\n' ? 0 : 1;
        while (source.len > 0 && (source.data[0] & 0xc0) == 0x80) {
            source = span_of(source.data + 1, source.len - 1);
        }
    } while (true);
}
