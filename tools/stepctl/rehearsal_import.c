/* `operator import`: a table of the file as the API would take it (LANGUAGE 13, SPEC R44). */
#include "proto/import.h"
#include "tools/stepctl/rehearsal_run.h"

struct importing {
    struct import import;
    const struct rehearsal_edit *table;
    const struct rehearsal_importer *importer;
    uint32_t updated, unknown;
};

static enum rc
wrong(const struct importing *importing, const char *message)
{
    yaml_error(importing->importer->diagnostics, importing->table->mark, importing->table->name,
               "%s", message);
    return RC_INVALID;
}

static enum rc
take_row(struct importing *importing, const struct csv_row *row)
{
    const struct rehearsal_importer *importer = importing->importer;
    struct buf error = {0};
    struct span who;
    struct input *inputs = NULL;
    uint32_t count = 0;
    uint32_t friend =
        import_friend(&importing->import, importer->state(importer->context), row, &who);
    enum rc rc = RC_OK;
    if (!import_row(&importing->import, friend, row, importer->arena, &inputs, &count, &error)) {
        rc = wrong(importing, buf_cstr(&error));
    }
    buf_fini(&error);
    importing->updated += friend != NO_ID ? 1 : 0;
    importing->unknown += friend == NO_ID ? 1 : 0;
    for (uint32_t i = 0; friend != NO_ID && rc == RC_OK && i < count; i++) {
        rc = importer->decide(importer->context, &inputs[i]);
    }
    return rc;
}

enum rc
rehearsal_import(const struct rehearsal_importer *importer, const struct rehearsal_edit *table)
{
    struct importing importing = {.table = table, .importer = importer};
    struct span rest;
    struct csv_row row;
    struct buf error = {0};
    if (!csv_text(table->tree->text, importer->arena, &rest) ||
        csv_row(&rest, importer->arena, &row) != RC_OK) {
        return wrong(&importing, "a table without a first row");
    }
    enum rc rc = RC_OK;
    if (!import_begin(&importing.import, importer->definitions, &row, importer->arena, &error)) {
        rc = wrong(&importing, buf_cstr(&error));
    }
    buf_fini(&error);
    while (rc == RC_OK && (rc = csv_row(&rest, importer->arena, &row)) == RC_OK) {
        rc = take_row(&importing, &row);
    }
    if (rc != RC_END) {
        return rc == RC_INVALID ? rc : wrong(&importing, "a quote is never closed");
    }
    struct input done = {.kind = INPUT_IMPORTED,
                         .u.imported = {.name = table->name,
                                        .updated = importing.updated,
                                        .unknown = importing.unknown}};
    return importer->decide(importer->context, &done);
}
