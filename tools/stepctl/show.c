/* status, next, why, clock: what the daemon knows, as tables. */
#include "tools/common/explain.h"
#include "tools/common/http_call.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include <stdio.h>
#include <stdlib.h>

static void
fact(struct table *table, const char *name)
{
    table_row(table);
    table_cell_cstr(table, name);
    table_style(table, STYLE_FAINT);
}

static void
show_status(const struct invocation *invocation, const json_t *answer)
{
    const char *const whole[] = {"account",    "version",    "bot_user_id", "friends",
                                 "forgetting", "enrolments", "due",         "in_flight",
                                 "deliveries", "webhooks",   "log"};
    struct table *table = table_new();
    table_column(table, NULL, TABLE_LEFT);
    table_column(table, NULL, TABLE_LEFT);
    fact(table, "state");
    bool held = json_is_string(json_object_get(answer, "held"));
    if (held) {
        struct buf text = {0};
        buf_printf(&text, "held: %s", json_string_value(json_object_get(answer, "held")));
        table_cell_cstr(table, buf_cstr(&text));
        buf_fini(&text);
    } else {
        table_cell_cstr(table, "sending");
    }
    table_style(table, held ? STYLE_CAREFUL : STYLE_GOOD);
    fact(table, json_is_true(json_object_get(answer, "virtual")) ? "now (virtual)" : "now");
    cell_of_instant(table, answer, "now");
    fact(table, "next due");
    cell_of_instant(table, answer, "next_due");
    fact(table, "definitions");
    const json_t *definitions = json_object_get(answer, "definitions");
    if (json_is_object(definitions)) {
        cell_of_instant(table, definitions, "applied_at");
    } else {
        table_cell_cstr(table, "none yet: stepctl apply FOLDER");
    }
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        fact(table, whole[i]);
        cell_of(table, answer, whole[i]);
    }
    client_print_table(invocation, table);
    table_free(table);
}

int
command_status(const struct invocation *invocation)
{
    return client_show(invocation, "GET", "/v1/status", NULL, show_status);
}

static void
show_digest(const struct invocation *invocation, const json_t *answer)
{
    (void)invocation;
    printf("%s as of event %" JSON_INTEGER_FORMAT "; the daemon was held for %.1f ms\n",
           json_string_value(json_object_get(answer, "digest")),
           json_integer_value(json_object_get(answer, "event")),
           (double)json_integer_value(json_object_get(answer, "held_us")) / 1000.0);
}

int
command_digest(const struct invocation *invocation)
{
    return client_show(invocation, "GET", "/v1/digest", NULL, show_digest);
}

/* -n as a number from 1; the API bounds it further. */
static int
count_option(const struct invocation *invocation, long default_count, long *out_count)
{
    const char *text = invocation_option(invocation, "count");
    *out_count = default_count;
    if (text == NULL) {
        return EXIT_DONE;
    }
    char *end = NULL;
    *out_count = strtol(text, &end, 10);
    if (end == text || *end != '\0' || *out_count < 1 || *out_count > 100000) {
        return usage_error(invocation->program, "-n wants a number from 1 to 100000, not '%s'",
                           text);
    }
    return EXIT_DONE;
}

static void
show_next(const struct invocation *invocation, const json_t *answer)
{
    json_t *rows = json_object_get(answer, "next");
    struct table *table = table_new();
    table_column(table, "due", TABLE_LEFT);
    table_column(table, "friend", TABLE_RIGHT);
    table_column(table, "name", TABLE_LEFT);
    table_column(table, "source", TABLE_LEFT);
    table_column(table, "templates", TABLE_LEFT);
    table_column(table, "waits for", TABLE_LEFT);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        table_row(table);
        cell_of_instant(table, row, "due");
        cell_of(table, row, "friend");
        cell_of(table, row, "name");
        cell_of(table, row, "source");
        cell_of(table, row, "templates");
        if (json_is_string(json_object_get(row, "deferred"))) {
            cell_of(table, row, "deferred");
            table_style(table, STYLE_CAREFUL);
        }
    }
    client_print_table(invocation, table);
    if (json_is_true(json_object_get(answer, "more"))) {
        fprintf(stderr, "... and more: -n N\n");
    }
    table_free(table);
}

int
command_next(const struct invocation *invocation)
{
    long count = 0;
    int code = count_option(invocation, 50, &count);
    if (code != EXIT_DONE) {
        return code;
    }
    struct buf path = {0};
    buf_printf(&path, "/v1/next?limit=%ld", count);
    const char *friend = invocation_option(invocation, "friend");
    if (friend != NULL) {
        buf_append_cstr(&path, "&friend=");
        url_append_encoded(&path, span_cstr(friend));
    }
    code = client_show(invocation, "GET", buf_cstr(&path), NULL, show_next);
    buf_fini(&path);
    return code;
}

/* STEP may be "scenario/step", or either part of it. */
static bool
source_matches(const json_t *row, const char *wanted)
{
    const char *source = json_string_value(json_object_get(row, "source"));
    if (wanted == NULL || source == NULL) {
        return wanted == NULL;
    }
    const char *slash = strchr(source, '/');
    return strcmp(source, wanted) == 0 || (slash != NULL && strcmp(slash + 1, wanted) == 0) ||
           (slash != NULL && strncmp(source, wanted, (size_t)(slash - source)) == 0 &&
            wanted[slash - source] == '\0');
}

static enum terminal_style
style_of_outcome(const char *outcome)
{
    if (outcome == NULL || strcmp(outcome, "pending") == 0) {
        return STYLE_PLAIN;
    }
    if (strcmp(outcome, "sent") == 0) {
        return STYLE_GOOD;
    }
    return strcmp(outcome, "failed") == 0 || strcmp(outcome, "unknown") == 0 ? STYLE_BAD
                                                                             : STYLE_CAREFUL;
}

static void
show_why(const struct invocation *invocation, const json_t *answer, const char *step)
{
    static const char *const HEADINGS[][2] = {
        {"due", "予定"},     {"at", "実際"},  {"source", "ステップ"}, {"templates", "内容"},
        {"outcome", "結果"}, {"why", "理由"}, {"rule", "規則"},       {"event", "イベント"},
    };
    bool japanese = client_is_japanese(invocation);
    client_print_warnings(answer);
    json_t *rows = json_object_get(answer, "deliveries");
    struct table *table = table_new();
    for (size_t i = 0; i < sizeof(HEADINGS) / sizeof(HEADINGS[0]); i++) {
        table_column(table, HEADINGS[i][japanese], TABLE_LEFT);
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (!source_matches(row, step)) {
            continue;
        }
        const char *outcome = json_string_value(json_object_get(row, "outcome"));
        const json_t *events = json_object_get(row, "events");
        const json_t *newest = json_array_get(events, json_array_size(events) - 1);
        struct buf why = {0};
        explain_delivery(row, japanese, &why);
        table_row(table);
        cell_of_instant(table, row, "due");
        cell_of_instant(table, row, "at");
        cell_of(table, row, "source");
        cell_of(table, row, "templates");
        table_cell_cstr(table, explain_outcome(outcome, japanese));
        table_style(table, style_of_outcome(outcome));
        table_cell(table, buf_span(&why));
        cell_of(table, row, "rule");
        if (json_is_integer(newest)) { /* with -o json all of them */
            table_cell_printf(table, "%lld", (long long)json_integer_value(newest));
        } else {
            table_cell_none(table);
        }
        buf_fini(&why);
    }
    client_print_table(invocation, table);
    table_free(table);
}

/* The API explains a friend; with STEP the JSON too keeps only that step's rows. */
static void
keep_matching(json_t *answer, const char *step)
{
    json_t *rows = json_object_get(answer, "deliveries");
    for (size_t i = json_array_size(rows); i > 0; i--) {
        if (!source_matches(json_array_get(rows, i - 1), step)) {
            json_array_remove(rows, i - 1);
        }
    }
}

int
command_why(const struct invocation *invocation)
{
    const char *step = invocation->argument_count > 1 ? invocation->arguments[1] : NULL;
    long count = 0;
    int code = count_option(invocation, 200, &count);
    if (code != EXIT_DONE) {
        return code;
    }
    struct buf path = {0};
    buf_append_cstr(&path, "/v1/friends/");
    url_append_encoded(&path, span_cstr(invocation->arguments[0]));
    buf_printf(&path, "/why?limit=%ld", count);
    json_t *answer = NULL;
    code = client_call(invocation, "GET", buf_cstr(&path), NULL, &answer);
    if (code == EXIT_DONE) {
        keep_matching(answer, step);
        if (step != NULL && json_array_size(json_object_get(answer, "deliveries")) == 0) {
            fprintf(stderr, "stepctl: nothing of '%s' for friend '%s'\n", step,
                    invocation->arguments[0]);
            code = EXIT_NOT_FOUND;
        } else if (client_wants_json(invocation)) {
            client_print_json(answer);
        } else {
            show_why(invocation, answer, step);
        }
    }
    json_decref(answer);
    buf_fini(&path);
    return code;
}

static void
show_clock(const struct invocation *invocation, const json_t *answer)
{
    (void)invocation;
    const char *now = json_string_value(json_object_get(answer, "now"));
    printf("%s%s\n", now == NULL ? "?" : now,
           json_is_true(json_object_get(answer, "virtual")) ? " (virtual)" : "");
}

int
command_clock(const struct invocation *invocation)
{
    return client_show(invocation, "GET", "/v1/clock", NULL, show_clock);
}

/* TIME is one argument, or a date and a time; all digits are UTC milliseconds. */
int
command_clock_advance(const struct invocation *invocation)
{
    struct buf text = {0};
    buf_append_cstr(&text, invocation->arguments[0]);
    if (invocation->argument_count > 1) {
        buf_printf(&text, " %s", invocation->arguments[1]);
    }
    const char *time = buf_cstr(&text);
    bool digits = time[0] != '\0' && strspn(time, "0123456789") == strlen(time);
    json_t *to = digits ? json_integer(strtoll(time, NULL, 10)) : json_string(time);
    int code = to == NULL ? usage_error(invocation->program, "'%s' is no time", time)
                          : client_show(invocation, "POST", "/v1/clock",
                                        json_pack("{s:o}", "advance_to", to), show_clock);
    buf_fini(&text);
    return code;
}
