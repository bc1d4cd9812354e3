/* import: a table of friends, checked whole, then taken in a slice a call (SPEC R44). */
#include "proto/csv.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROWS_A_CALL = 200, FILE_BYTES_MAX = 256 << 20 };

/* The whole table, its first row, and what became of the slices so far. */
struct importing {
    const struct invocation *invocation;
    const char *name;
    struct arena *arena;
    struct span header, rows; /* as text */
    long long updated;
    json_t *errors, *unknown, *triggers;
};

static bool
read_bytes(const char *path, struct buf *out)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    uint8_t block[1 << 16];
    size_t len;
    while ((len = fread(block, 1, sizeof(block), file)) > 0 && out->len < FILE_BYTES_MAX) {
        buf_append(out, block, len);
    }
    bool good = ferror(file) == 0 && out->len < FILE_BYTES_MAX;
    if (file != stdin) {
        fclose(file);
    }
    return good;
}

/* Cuts the first row off, and says where it ended. */
static enum rc
cut_row(struct importing *importing, struct span *rest, struct span *out_row)
{
    struct csv_row cells;
    const uint8_t *from = rest->data;
    enum rc rc = csv_row(rest, importing->arena, &cells);
    *out_row = span_of(from, (size_t)(rest->data - from));
    return rc;
}

/* How often each trigger would go off, summed over the slices. */
static void
add_triggers(struct importing *importing, const json_t *triggers)
{
    size_t index;
    const json_t *row;
    json_array_foreach(triggers, index, row)
    {
        const char *name = json_string_value(json_object_get(row, "trigger"));
        json_int_t before = json_integer_value(json_object_get(importing->triggers, name));
        json_object_set_new(
            importing->triggers, name,
            json_integer(before + json_integer_value(json_object_get(row, "friends"))));
    }
}

static int
call(struct importing *importing, struct span rows, long long first_row, bool dry_run)
{
    struct buf csv = {0};
    json_t *answer = NULL;
    unsigned status = 0;
    buf_append_span(&csv, importing->header);
    buf_append_byte(&csv, '\n');
    buf_append_span(&csv, rows);
    json_t *body =
        json_pack("{s:s,s:s#,s:I,s:b,s:b}", "name", importing->name, "csv", (const char *)csv.data,
                  csv.len, "first_row", (json_int_t)first_row, "dry_run", (int)dry_run, "quiet",
                  (int)invocation_has(importing->invocation, "quiet"));
    buf_fini(&csv);
    int code = client_request(importing->invocation, "POST", "/v1/import", body, &status, &answer);
    if (code == EXIT_DONE && status != 200 && status != 422) {
        code = client_refused(importing->invocation, status, answer);
    } else if (code == EXIT_DONE) {
        importing->updated += json_integer_value(json_object_get(answer, "updated"));
        json_array_extend(importing->errors, json_object_get(answer, "errors"));
        json_array_extend(importing->unknown, json_object_get(answer, "unknown"));
        add_triggers(importing, json_object_get(answer, "triggers"));
    }
    json_decref(answer);
    return code;
}

/* All rows, ROWS_A_CALL at a time. */
static int
run(struct importing *importing, bool dry_run)
{
    struct span rest = importing->rows, row;
    long long number = 2;
    importing->updated = 0;
    json_array_clear(importing->errors);
    json_array_clear(importing->unknown);
    json_object_clear(importing->triggers);
    for (enum rc rc = RC_OK; rc == RC_OK;) {
        const uint8_t *from = rest.data;
        int count = 0;
        while (count < ROWS_A_CALL && (rc = cut_row(importing, &rest, &row)) == RC_OK) {
            count++;
        }
        if (rc == RC_INVALID) {
            json_array_append_new(importing->errors,
                                  json_pack("{s:I,s:s}", "row", (json_int_t)(number + count),
                                            "message", "a quote is never closed"));
            return EXIT_DONE;
        }
        if (count == 0) {
            break;
        }
        int code = call(importing, span_of(from, (size_t)(rest.data - from)), number, dry_run);
        if (code != EXIT_DONE) {
            return code;
        }
        number += count;
    }
    return EXIT_DONE;
}

static void
print_errors(const struct importing *importing)
{
    size_t index;
    const json_t *row;
    json_array_foreach(importing->errors, index, row)
    {
        fprintf(stderr, "%s:%lld: error: %s\n", importing->name,
                (long long)json_integer_value(json_object_get(row, "row")),
                json_string_value(json_object_get(row, "message")));
    }
    fprintf(stderr, "%s: %zu error%s; nothing was changed\n", importing->name,
            json_array_size(importing->errors), json_array_size(importing->errors) == 1 ? "" : "s");
}

static void
print_outcome(const struct importing *importing, const char *said)
{
    const char *trigger;
    const json_t *friends;
    size_t index;
    const json_t *who;
    printf("%lld friend%s %s, %zu unknown, none made\n", importing->updated,
           importing->updated == 1 ? "" : "s", said, json_array_size(importing->unknown));
    json_array_foreach(importing->unknown, index, who)
    {
        printf("unknown  %s\n", json_is_string(who) ? json_string_value(who) : "?");
    }
    json_object_foreach(importing->triggers, trigger, friends)
    {
        printf("sets off %s for %lld\n", trigger, (long long)json_integer_value(friends));
    }
}

/* Whoever has looked at what it would set off; a table that sets off nothing is not asked about. */
static bool
confirmed(const struct importing *importing)
{
    const struct invocation *invocation = importing->invocation;
    if (json_object_size(importing->triggers) == 0 || invocation_has(invocation, "quiet") ||
        invocation_has(invocation, "yes") || isatty(STDIN_FILENO) != 1) {
        return true;
    }
    char answer[16];
    print_outcome(importing, "to be updated");
    fputs(client_is_japanese(invocation) ? "取り込みますか? [y/N] " : "take it in? [y/N] ", stdout);
    fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static int
take_in(struct importing *importing)
{
    bool dry_run = invocation_has(importing->invocation, "dry-run");
    int code = run(importing, true);
    if (code != EXIT_DONE) {
        return code;
    }
    bool good = json_array_size(importing->errors) == 0;
    if (good && !dry_run) {
        if (!confirmed(importing)) {
            puts("nothing was changed");
            return EXIT_FAILED;
        }
        code = run(importing, false);
    }
    if (code == EXIT_DONE && client_wants_json(importing->invocation)) {
        json_t *whole =
            json_pack("{s:b,s:b,s:I,s:O,s:O,s:O}", "ok", (int)good, "dry_run", (int)dry_run,
                      "updated", (json_int_t)importing->updated, "unknown", importing->unknown,
                      "triggers", importing->triggers, "errors", importing->errors);
        client_print_json(whole);
        json_decref(whole);
    } else if (code == EXIT_DONE && !good) {
        print_errors(importing);
    } else if (code == EXIT_DONE) {
        print_outcome(importing, dry_run ? "would be updated" : "updated");
    }
    return code != EXIT_DONE ? code : good ? EXIT_DONE : EXIT_FAILED;
}

int
command_import(const struct invocation *invocation)
{
    struct importing importing = {.invocation = invocation,
                                  .name = invocation->arguments[0],
                                  .arena = arena_new(),
                                  .errors = json_array(),
                                  .unknown = json_array(),
                                  .triggers = json_object()};
    struct buf bytes = {0};
    int code;
    if (!read_bytes(importing.name, &bytes)) {
        code = usage_error(invocation->program, "%s cannot be read: %s", importing.name,
                           strerror(errno));
    } else if (!csv_text(buf_span(&bytes), importing.arena, &importing.rows)) {
        code = usage_error(invocation->program, "%s is neither UTF-8 nor CP932", importing.name);
    } else if (cut_row(&importing, &importing.rows, &importing.header) != RC_OK) {
        code = usage_error(invocation->program, "%s has no first row", importing.name);
    } else {
        code = take_in(&importing);
    }
    buf_fini(&bytes);
    json_decref(importing.errors);
    json_decref(importing.unknown);
    json_decref(importing.triggers);
    arena_free(importing.arena);
    return code;
}
