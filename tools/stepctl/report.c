/* report: what scenarios and broadcasts did, and friends by two dimensions (SPEC R52, R53). */
#include "tools/common/http_call.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include <stdio.h>

static void
add_parameter(const struct invocation *invocation, const char *name, struct buf *path)
{
    const char *value = invocation_option(invocation, name);
    if (value != NULL) {
        buf_printf(path, "%c%s=", strchr(buf_cstr(path), '?') == NULL ? '?' : '&', name);
        url_append_encoded(path, span_cstr(value));
    }
}

/* The counts of a step or a broadcast. */
static const struct {
    const char *member, *english, *japanese;
} COUNTS[] = {
    {"sent_reply", "replies", "返信"}, {"sent_push", "pushes", "プッシュ"},
    {"skipped", "skipped", "見送り"},  {"cancelled", "cancelled", "取消"},
    {"held", "held", "保留"},          {"failed", "failed", "失敗"},
    {"unknown", "unknown", "不明"},    {"blocked_24h", "blocked 24 h", "24時間以内のブロック"},
};
enum { COUNT_COUNT = sizeof(COUNTS) / sizeof(COUNTS[0]) };

/* "condition 12, stale 3" */
static void
append_count(struct buf *text, const char *name, const json_t *count)
{
    buf_printf(text, "%s%s %lld", text->len == 0 ? "" : ", ", name,
               (long long)json_integer_value(count));
}

static void
append_counts(struct buf *text, json_t *counts)
{
    const char *name;
    json_t *count;
    json_object_foreach(counts, name, count)
    {
        append_count(text, name, count);
    }
}

/* Takes the text. */
static void
cell_of_counts(struct table *table, struct buf *text)
{
    if (text->len == 0) {
        table_cell_none(table);
    } else {
        table_cell(table, buf_span(text));
    }
    buf_fini(text);
}

static void
cell_of_reasons(struct table *table, const json_t *row)
{
    static const char *const GROUPS[] = {"skipped_by", "cancelled_by", "held_by", "failed_by"};
    struct buf text = {0};
    for (size_t i = 0; i < sizeof(GROUPS) / sizeof(GROUPS[0]); i++) {
        append_counts(&text, json_object_get(row, GROUPS[i]));
    }
    cell_of_counts(table, &text);
}

static void
print_lines(const struct invocation *invocation, const json_t *rows, const char *name,
            const char *heading)
{
    bool japanese = client_is_japanese(invocation);
    struct table *table = table_new();
    table_column(table, heading, TABLE_LEFT);
    for (size_t i = 0; i < COUNT_COUNT; i++) {
        table_column(table, japanese ? COUNTS[i].japanese : COUNTS[i].english, TABLE_RIGHT);
    }
    table_column(table, japanese ? "内訳" : "reasons", TABLE_LEFT);
    size_t index;
    const json_t *row;
    json_array_foreach(rows, index, row)
    {
        table_row(table);
        cell_of(table, row, name);
        for (size_t i = 0; i < COUNT_COUNT; i++) {
            cell_of(table, row, COUNTS[i].member);
        }
        cell_of_reasons(table, row);
    }
    client_print_table(invocation, table);
    table_free(table);
}

static void
print_head(const struct invocation *invocation, const json_t *answer)
{
    bool japanese = client_is_japanese(invocation);
    struct table *table = table_new();
    table_column(table, japanese ? "開始" : "entered", TABLE_RIGHT);
    table_column(table, japanese ? "進行中" : "active", TABLE_RIGHT);
    table_column(table, japanese ? "離脱" : "left", TABLE_LEFT);
    table_column(table, japanese ? "コンバージョン" : "converted", TABLE_LEFT);
    table_row(table);
    cell_of(table, answer, "entered");
    cell_of(table, answer, "active");
    struct buf left = {0}, converted = {0};
    append_counts(&left, json_object_get(answer, "left_by"));
    cell_of_counts(table, &left);
    size_t index;
    const json_t *row;
    json_array_foreach(json_object_get(answer, "converted"), index, row)
    {
        append_count(&converted, json_string_value(json_object_get(row, "conversion")),
                     json_object_get(row, "friends"));
    }
    cell_of_counts(table, &converted);
    client_print_table(invocation, table);
    table_free(table);
    putchar('\n');
}

int
command_report_scenario(const struct invocation *invocation)
{
    struct buf path = {0};
    json_t *answer = NULL;
    buf_append_cstr(&path, "/v1/reports/scenarios/");
    url_append_encoded(&path, span_cstr(invocation->arguments[0]));
    add_parameter(invocation, "from", &path);
    add_parameter(invocation, "until", &path);
    int code = client_call(invocation, "GET", buf_cstr(&path), NULL, &answer);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        client_print_json(answer);
    } else if (code == EXIT_DONE) {
        if (!client_wants_csv(invocation)) {
            print_head(invocation, answer);
        }
        print_lines(invocation, json_object_get(answer, "steps"), "step",
                    client_is_japanese(invocation) ? "ステップ" : "step");
    }
    json_decref(answer);
    buf_fini(&path);
    return code;
}

int
command_report_broadcast(const struct invocation *invocation)
{
    struct buf path = {0};
    json_t *answer = NULL;
    buf_append_cstr(&path, "/v1/reports/broadcasts");
    add_parameter(invocation, "from", &path);
    add_parameter(invocation, "until", &path);
    int code = client_call(invocation, "GET", buf_cstr(&path), NULL, &answer);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        client_print_json(answer);
    } else if (code == EXIT_DONE) {
        print_lines(invocation, json_object_get(answer, "broadcasts"), "broadcast",
                    client_is_japanese(invocation) ? "一斉配信" : "broadcast");
    }
    json_decref(answer);
    buf_fini(&path);
    return code;
}

/* A report without an argument: its rows under `list`, in these columns. */
struct plain_report {
    const char *path, *list;
    const char *columns[9][3]; /* member ("a.b": within a), English, Japanese */
};

static void
cell_within(struct table *table, const json_t *row, const char *member)
{
    const char *dot = strchr(member, '.');
    char outer[32];
    if (dot == NULL) {
        cell_of(table, row, member);
        return;
    }
    snprintf(outer, sizeof(outer), "%.*s", (int)(dot - member), member);
    cell_of(table, json_object_get(row, outer), dot + 1);
}

static int
report_plainly(const struct invocation *invocation, const struct plain_report *report)
{
    struct buf path = {0};
    json_t *answer = NULL;
    buf_append_cstr(&path, report->path);
    add_parameter(invocation, "from", &path);
    add_parameter(invocation, "until", &path);
    int code = client_call(invocation, "GET", buf_cstr(&path), NULL, &answer);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        client_print_json(answer);
    } else if (code == EXIT_DONE) {
        struct table *table = table_new();
        for (size_t i = 0; report->columns[i][0] != NULL; i++) {
            table_column(table, report->columns[i][1 + client_is_japanese(invocation)],
                         i == 0 ? TABLE_LEFT : TABLE_RIGHT);
        }
        size_t index;
        const json_t *row;
        json_array_foreach(json_object_get(answer, report->list), index, row)
        {
            table_row(table);
            for (size_t i = 0; report->columns[i][0] != NULL; i++) {
                cell_within(table, row, report->columns[i][0]);
            }
        }
        client_print_table(invocation, table);
        table_free(table);
    }
    json_decref(answer);
    buf_fini(&path);
    return code;
}

int
command_report_links(const struct invocation *invocation)
{
    static const struct plain_report REPORT = {
        "/v1/reports/links",
        "links",
        {{"link", "link", "リンク"},
         {"clicks", "clicks", "クリック"},
         {"friends", "friends", "人数"},
         {"seconds.quarter", "a quarter within s", "4分の1まで(秒)"},
         {"seconds.half", "half within s", "半数まで(秒)"},
         {"seconds.three_quarters", "three quarters within s", "4分の3まで(秒)"}}};
    return report_plainly(invocation, &REPORT);
}

int
command_report_route(const struct invocation *invocation)
{
    static const struct plain_report REPORT = {"/v1/reports/routes",
                                               "routes",
                                               {{"route", "route", "経路"},
                                                {"scanned", "opened", "開かれた数"},
                                                {"taken", "took effect", "友だち追加など"},
                                                {"friends", "friends ever", "人数(累計)"},
                                                {"reachable", "reachable", "うち配信可能"}}};
    return report_plainly(invocation, &REPORT);
}

/* A table is as wide as people read; JSON has all columns. */
enum { COLUMNS_SHOWN_MAX = 14 };

static int
print_cross(const struct invocation *invocation, const json_t *answer)
{
    const json_t *rows = json_object_get(answer, "rows");
    const json_t *columns = json_object_get(answer, "columns");
    const json_t *cells = json_object_get(answer, "cells");
    const char *none = client_is_japanese(invocation) ? "(なし)" : "(none)";
    if (json_array_size(columns) > COLUMNS_SHOWN_MAX) {
        fprintf(stderr,
                "stepctl: %zu columns are more than a table of %d shows; change the two, "
                "or -o json\n",
                json_array_size(columns), COLUMNS_SHOWN_MAX);
        return EXIT_FAILED;
    }
    struct table *table = table_new();
    table_column(table, "", TABLE_LEFT);
    for (size_t c = 0; c < json_array_size(columns); c++) {
        const char *label = json_string_value(json_array_get(columns, c));
        table_column(table, label == NULL ? none : label, TABLE_RIGHT);
    }
    for (size_t r = 0; r < json_array_size(rows); r++) {
        const char *label = json_string_value(json_array_get(rows, r));
        table_row(table);
        table_cell_cstr(table, label == NULL ? none : label);
        for (size_t c = 0; c < json_array_size(columns); c++) {
            const json_t *cell = json_array_get(json_array_get(cells, r), c);
            table_cell_printf(table, "%lld", (long long)json_integer_value(cell));
        }
    }
    client_print_table(invocation, table);
    table_free(table);
    return EXIT_DONE;
}

int
command_report_cross(const struct invocation *invocation)
{
    struct buf path = {0};
    json_t *answer = NULL;
    buf_append_cstr(&path, "/v1/reports/cross?rows=");
    url_append_encoded(&path, span_cstr(invocation->arguments[0]));
    buf_append_cstr(&path, "&columns=");
    url_append_encoded(&path, span_cstr(invocation->arguments[1]));
    add_parameter(invocation, "value", &path);
    add_parameter(invocation, "where", &path);
    int code = client_call(invocation, "GET", buf_cstr(&path), NULL, &answer);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        client_print_json(answer);
    } else if (code == EXIT_DONE) {
        code = print_cross(invocation, answer);
    }
    json_decref(answer);
    buf_fini(&path);
    return code;
}
