/* Prints the table of LINE's message objects (proto/line_object.h), a property a line, for
 * test_objects.py to hold against LINE's own description. */
#include "proto/line_object.h"

#include <stdio.h>

static const char *const VALUES[] = {
    [LINE_TEXT] = "string",    [LINE_LABEL] = "string",   [LINE_HTTPS] = "string",
    [LINE_URI] = "string",     [LINE_WORD] = "string",    [LINE_WHOLE] = "integer",
    [LINE_DECIMAL] = "number", [LINE_YES_NO] = "boolean", [LINE_OBJECT] = "object",
    [LINE_LIST] = "array",     [LINE_MAP] = "map"};

int
main(void)
{
    const struct line_family *family;
    for (uint32_t i = 0; (family = line_family_at(i)) != NULL; i++) {
        for (uint32_t k = 0; k < family->kind_count; k++) {
            const struct line_kind *kind = family->kinds[k];
            const struct line_property *property;
            const char *type = kind->type == NULL ? "" : kind->type;
            printf("%s\t%s\t\t\t\t\t\n", family->name, type);
            for (uint32_t p = 0; (property = line_property_at(family, kind, p)) != NULL; p++) {
                printf("%s\t%s\t%s\t%s\t%d\t%u\t%s\n", family->name, type, property->name,
                       VALUES[property->value], property->required, property->most,
                       property->of == NULL ? "" : property->of);
            }
        }
    }
    return 0;
}
