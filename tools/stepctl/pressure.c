/* quota, scenario cap: what holds messages back, and raising it. */
#include "tools/common/http_call.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include <stdio.h>
#include <stdlib.h>

enum { LIMIT_MAX = 1000000000 };

static bool
read_limit(const struct invocation *invocation, const char *text, json_t **out_body)
{
    char *end = NULL;
    long number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || number < 0 || number > LIMIT_MAX) {
        usage_error(invocation->program, "wants a number from 0 to %d, not '%s'", LIMIT_MAX, text);
        return false;
    }
    *out_body = json_pack("{s:I}", "limit", (json_int_t)number);
    return true;
}

static void
show(const struct invocation *invocation, const json_t *answer, const char *const *members)
{
    struct table *table = table_new();
    table_column(table, NULL, TABLE_LEFT);
    table_column(table, NULL, TABLE_LEFT);
    for (; *members != NULL; members++) {
        table_row(table);
        table_cell_cstr(table, *members);
        table_style(table, STYLE_FAINT);
        cell_of(table, answer, *members);
    }
    client_print_table(invocation, table);
    table_free(table);
}

static int
call_and_show(const struct invocation *invocation, const char *method, const char *path,
              json_t *body, const char *const *members)
{
    json_t *answer = NULL;
    int code = client_call(invocation, method, path, body, &answer);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        client_print_json(answer);
    } else if (code == EXIT_DONE) {
        show(invocation, answer, members);
    }
    json_decref(answer);
    return code;
}

int
command_quota(const struct invocation *invocation)
{
    static const char *const MEMBERS[] = {"limit",    "line_limit", "used", "elsewhere",
                                          "left",     "reserve",    "held", "replies",
                                          "forecast", "month",      NULL};
    json_t *body = NULL;
    if (invocation->argument_count == 0) {
        return call_and_show(invocation, "GET", "/v1/quota", NULL, MEMBERS);
    }
    if (!read_limit(invocation, invocation->arguments[0], &body)) {
        return EXIT_USAGE;
    }
    return call_and_show(invocation, "POST", "/v1/quota", body, MEMBERS);
}

int
command_scenario_cap(const struct invocation *invocation)
{
    static const char *const MEMBERS[] = {"scenario", "cap", "delivered", "auto_stopped", NULL};
    json_t *body = NULL;
    if (!read_limit(invocation, invocation->arguments[1], &body)) {
        return EXIT_USAGE;
    }
    struct buf path = {0};
    buf_append_cstr(&path, "/v1/scenarios/");
    url_append_encoded(&path, span_cstr(invocation->arguments[0]));
    buf_append_cstr(&path, "/cap");
    int code = call_and_show(invocation, "POST", buf_cstr(&path), body, MEMBERS);
    buf_fini(&path);
    return code;
}
