/* check, diff and apply: definition files, first judged here, then by the daemon. */
#include "daemon/zones.h"
#include "tools/common/files.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include <stdio.h>
#include <unistd.h>

static void
print_diagnostics(const struct invocation *invocation, const struct diagnostics *diagnostics)
{
    struct buf out = {0};
    diagnostics_print(diagnostics, client_wants_colour(invocation, STDERR_FILENO), &out);
    fputs(buf_cstr(&out), stderr);
    buf_fini(&out);
}

/* Reads all paths into one set of files. */
static int
read_paths(const struct invocation *invocation, struct arena *arena, struct source_files *files)
{
    for (unsigned i = 0; i < invocation->argument_count; i++) {
        struct buf error = {0};
        enum rc rc = files_read(invocation->arguments[i], arena, files, &error);
        if (rc != RC_OK) {
            fprintf(stderr, "stepctl: %s\n", buf_cstr(&error));
        }
        buf_fini(&error);
        if (rc != RC_OK) {
            return rc == RC_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_FAILED;
        }
    }
    return EXIT_DONE;
}

/* In the form of the API's answer, so that one reader serves both. */
static void
print_diagnostics_json(const struct diagnostics *diagnostics)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < diagnostics->count; i++) {
        const struct diagnostic *item = &diagnostics->items[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:i, s:i, s:i, s:s, s:s?}", "severity",
                                        item->warning ? "warning" : "error", "file", item->file,
                                        "line", (int)item->line, "column", (int)item->column,
                                        "caret", (int)item->caret_columns, "message", item->message,
                                        "source", item->source_line));
    }
    json_t *whole =
        json_pack("{s:b, s:o}", "ok", diagnostics->error_count == 0, "diagnostics", list);
    client_print_json(whole);
    json_decref(whole);
}

/* Compiles here, without a daemon; every error is printed at once. */
static int
check_files(const struct invocation *invocation, const struct source_files *files, bool json)
{
    struct zones *zones = zones_new(NULL);
    struct diagnostics diagnostics;
    struct definitions *definitions = NULL;
    diagnostics_init(&diagnostics);
    enum rc rc = definition_compile(files->items, files->count, NULL, zones_source(zones),
                                    "rehearsal", &diagnostics, &definitions);
    if (json) {
        print_diagnostics_json(&diagnostics);
    } else {
        print_diagnostics(invocation, &diagnostics);
    }
    if (rc == RC_OK) {
        definitions_release(definitions);
    }
    diagnostics_fini(&diagnostics);
    zones_free(zones);
    return rc == RC_OK ? EXIT_DONE : EXIT_FAILED;
}

int
command_check(const struct invocation *invocation)
{
    struct arena *arena = arena_new();
    struct source_files files = {0};
    int code = read_paths(invocation, arena, &files);
    if (code == EXIT_DONE) {
        code = check_files(invocation, &files, client_wants_json(invocation));
    }
    code = code == EXIT_DONE ? EXIT_DONE : EXIT_FAILED;
    if (code == EXIT_DONE && !client_wants_json(invocation)) {
        printf("%u file%s, no errors\n", files.count, files.count == 1 ? "" : "s");
    }
    arena_free(arena);
    return code;
}

/* plan_id: the plan that was agreed to; NULL: whatever it is. */
static json_t *
request_of(const struct source_files *files, bool dry_run, const char *plan_id)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < files->count; i++) {
        struct span name = files->items[i].name, text = files->items[i].text;
        json_array_append_new(list, json_pack("{s:s%, s:s%}", "name", (const char *)name.data,
                                              name.len, "text", (const char *)text.data, text.len));
    }
    return json_pack("{s:o, s:b, s:s*}", "files", list, "dry_run", dry_run ? 1 : 0, "plan_id",
                     plan_id);
}

/* What the daemon found and we did not (an id that changed its meaning, a newer checker). */
static void
print_answered_diagnostics(const struct invocation *invocation, const json_t *answer)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics);
    json_t *list = json_object_get(answer, "diagnostics");
    size_t count = json_array_size(list);
    struct diagnostic *items =
        arena_alloc(diagnostics.arena, (count + 1) * sizeof(struct diagnostic));
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(list, i);
        const char *severity = json_string_value(json_object_get(row, "severity"));
        const char *file = json_string_value(json_object_get(row, "file"));
        const char *message = json_string_value(json_object_get(row, "message"));
        items[i] = (struct diagnostic){
            .warning = severity != NULL && strcmp(severity, "warning") == 0,
            .file = file == NULL ? "?" : file,
            .line = (uint32_t)json_integer_value(json_object_get(row, "line")),
            .column = (uint32_t)json_integer_value(json_object_get(row, "column")),
            .caret_columns = (uint32_t)json_integer_value(json_object_get(row, "caret")),
            .message = message == NULL ? "?" : message,
            .source_line = json_string_value(json_object_get(row, "source")),
        };
        diagnostics.warning_count += items[i].warning ? 1 : 0;
        diagnostics.error_count += items[i].warning ? 0 : 1;
    }
    diagnostics.items = items;
    diagnostics.count = (uint32_t)count;
    print_diagnostics(invocation, &diagnostics);
    diagnostics_fini(&diagnostics);
}

/* One POST; *out_answer is the daemon's answer where it is 200. */
static int
post_definitions(const struct invocation *invocation, const struct source_files *files,
                 bool dry_run, const char *plan_id, json_t **out_answer)
{
    unsigned status = 0;
    json_t *answer = NULL;
    int code = client_request(invocation, "POST", "/v1/definitions",
                              request_of(files, dry_run, plan_id), &status, &answer);
    if (code == EXIT_DONE && status == 422) {
        if (client_wants_json(invocation)) {
            client_print_json(answer);
        } else {
            print_answered_diagnostics(invocation, answer);
        }
        code = EXIT_FAILED;
    } else if (code == EXIT_DONE && status >= 300) {
        code = client_refused(invocation, status, answer);
    }
    if (code == EXIT_DONE) {
        *out_answer = answer;
    } else {
        json_decref(answer);
    }
    return code;
}

static void
print_plan(const struct invocation *invocation, const json_t *answer)
{
    json_t *plan = json_object_get(answer, "plan");
    struct table *table = table_new();
    table_column(table, "change", TABLE_LEFT);
    table_column(table, "kind", TABLE_LEFT);
    table_column(table, "id", TABLE_LEFT);
    table_column(table, "detail", TABLE_LEFT);
    for (size_t i = 0; i < json_array_size(plan); i++) {
        const json_t *row = json_array_get(plan, i);
        const char *change = json_string_value(json_object_get(row, "change"));
        table_row(table);
        cell_of(table, row, "change");
        if (change != NULL) {
            table_style(table, strcmp(change, "added") == 0     ? STYLE_GOOD
                               : strcmp(change, "removed") == 0 ? STYLE_BAD
                                                                : STYLE_CAREFUL);
        }
        cell_of(table, row, "kind");
        cell_of(table, row, "id");
        cell_of(table, row, "detail");
    }
    client_print_table(invocation, table);
    table_free(table);
}

/* The plan as a person reads it: what changes, whom it moves, and what the month has room for. */
static void
print_answer(const struct invocation *invocation, const json_t *answer)
{
    const json_t *messages = json_object_get(answer, "messages");
    if (!json_is_true(json_object_get(answer, "changed"))) {
        puts("nothing to change: these definitions are in force");
        return;
    }
    print_plan(invocation, answer);
    if (json_is_object(messages)) {
        printf("%lld of %lld messages left this month\n",
               (long long)json_integer_value(json_object_get(messages, "left")),
               (long long)json_integer_value(json_object_get(messages, "limit")));
    }
    printf("plan %s\n", json_string_value(json_object_get(answer, "plan_id")));
}

/* Asks what would happen, and says it. */
static int
ask_for_plan(const struct invocation *invocation, const struct source_files *files,
             bool prints_json, json_t **out_answer)
{
    int code = post_definitions(invocation, files, true, NULL, out_answer);
    if (code == EXIT_DONE && !client_wants_json(invocation)) {
        print_answer(invocation, *out_answer);
    } else if (code == EXIT_DONE && prints_json) {
        client_print_json(*out_answer);
    }
    return code;
}

/* At a terminal a person confirms; a script has said what it wants by running us. */
static bool
confirmed(const struct invocation *invocation)
{
    if (invocation_has(invocation, "yes") || isatty(STDIN_FILENO) != 1) {
        return true;
    }
    char answer[16];
    fputs(terminal_is_japanese() ? "反映しますか? [y/N] " : "put this in force? [y/N] ", stdout);
    fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

/* The plan to insist on: the one named, or the one that a person has just looked at. */
static const char *
plan_agreed_to(const struct invocation *invocation, const json_t *answer)
{
    if (invocation_has(invocation, "plan")) {
        return invocation_option(invocation, "plan");
    }
    bool asked = !invocation_has(invocation, "yes") && isatty(STDIN_FILENO) == 1;
    return asked ? json_string_value(json_object_get(answer, "plan_id")) : NULL;
}

static int
apply_files(const struct invocation *invocation, const struct source_files *files)
{
    json_t *planned = NULL, *answer = NULL;
    bool json = client_wants_json(invocation), dry_run = invocation_has(invocation, "dry-run");
    int code = ask_for_plan(invocation, files, dry_run, &planned);
    bool changed = code == EXIT_DONE && json_is_true(json_object_get(planned, "changed"));
    if (code == EXIT_DONE && json && !dry_run && !changed) {
        client_print_json(planned);
    }
    if (code == EXIT_DONE && changed && !dry_run) {
        if (json || confirmed(invocation)) {
            code = post_definitions(invocation, files, false, plan_agreed_to(invocation, planned),
                                    &answer);
        } else {
            puts("nothing was changed");
            code = EXIT_FAILED;
        }
    }
    if (answer != NULL && json) {
        client_print_json(answer);
    } else if (answer != NULL) {
        printf("in force: event %lld\n",
               (long long)json_integer_value(json_object_get(answer, "seq")));
    }
    json_decref(planned);
    json_decref(answer);
    return code;
}

typedef int (*with_files_fn)(const struct invocation *invocation, const struct source_files *files);

/* Judged here first, so that most mistakes need no daemon. */
static int
with_checked_files(const struct invocation *invocation, with_files_fn then)
{
    struct arena *arena = arena_new();
    struct source_files files = {0};
    int code = read_paths(invocation, arena, &files);
    if (code == EXIT_DONE) {
        code = check_files(invocation, &files, false);
    }
    if (code == EXIT_DONE) {
        code = then(invocation, &files);
    }
    arena_free(arena);
    return code;
}

/* `check` and `apply` end with 0 or 1, `diff` with 0 same, 1 error, 2 changes, as diff(1). */
enum { EXIT_DIFFERENT = 2 };

int
command_apply(const struct invocation *invocation)
{
    return with_checked_files(invocation, apply_files) == EXIT_DONE ? EXIT_DONE : EXIT_FAILED;
}

static int
diff_files(const struct invocation *invocation, const struct source_files *files)
{
    json_t *answer = NULL;
    int code = ask_for_plan(invocation, files, true, &answer);
    if (code == EXIT_DONE && json_is_true(json_object_get(answer, "changed"))) {
        code = EXIT_DIFFERENT;
    } else if (code != EXIT_DONE) {
        code = EXIT_FAILED;
    }
    json_decref(answer);
    return code;
}

int
command_diff(const struct invocation *invocation)
{
    int code = with_checked_files(invocation, diff_files);
    return code == EXIT_DONE || code == EXIT_DIFFERENT ? code : EXIT_FAILED;
}
