/* expression - conditions as people write them (LANGUAGE 2) to the engine's postfix.
 *
 * Shape    `and` binds stronger than `or`; parentheses; `not`; facts and comparisons, by the type of
 *          what is compared (expression_terms.c). What LANGUAGE names beyond those is "not yet".
 * Units    none.
 * Errors   each is told to the reader with the word it is about; false when there was one. An unknown
 *          tag does not stop the reading, so all of them are told.
 * Owner    the condition is in the reader's arena; words point into the text.
 */
#ifndef PROTO_EXPRESSION_H
#define PROTO_EXPRESSION_H

#include "proto/definition_names.h"

struct expression_reader {
    struct name_table *tags, *marks, *fields, *scenarios, *buttons, *templates;
    struct name_table *forms, *questions, *calendars, *conversions, *routes, *links, *ranks,
        *rich_menus;
    const enum field_type *question_types; /* by question id: what an answer compares as */
    struct name_table *draws;              /* "draw:hand"; NULL: any name is taken */
    struct name_table *steps;              /* by scenario id */
    const struct field *field_items;
    const struct zone *zone; /* the account's */
    struct arena *arena;
    void (*error)(void *context, struct span word, const char *message);
    void *context;
};

bool expression_parse(struct span text, const struct expression_reader *reader,
                      struct condition *out_condition);

#endif
