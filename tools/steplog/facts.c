#include "tools/steplog/facts.h"

#include "tools/common/table.h"

#include <inttypes.h>
#include <stdio.h>

/* Prints {"name": value} pairs as lines for people, or as they are. Takes the object. */
void
facts_print(const struct reader *reader, json_t *facts)
{
    if (reader_wants_json(reader)) {
        json_dumpf(facts, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(facts);
        return;
    }
    struct table *table = table_new();
    table_column(table, NULL, TABLE_LEFT);
    table_column(table, NULL, TABLE_LEFT);
    const char *key;
    json_t *value;
    json_object_foreach(facts, key, value)
    {
        table_row(table);
        table_cell_cstr(table, key);
        if (json_is_string(value)) {
            table_cell_cstr(table, json_string_value(value));
        } else if (json_is_boolean(value)) {
            table_cell_cstr(table, json_is_true(value) ? "yes" : "no");
        } else {
            table_cell_printf(table, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        }
    }
    struct buf out = {0};
    table_print(table, false, &out);
    fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
    table_free(table);
    json_decref(facts);
}

void
facts_set_digest(json_t *facts, uint64_t digest)
{
    char text[17];
    snprintf(text, sizeof(text), "%016" PRIx64, digest);
    json_object_set_new(facts, "digest", json_string(text));
}

void
facts_set_count(json_t *facts, const char *name, uint64_t count)
{
    json_object_set_new(facts, name, json_integer((json_int_t)count));
}
