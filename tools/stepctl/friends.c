/* friend and scenario commands: who there is, what they run, and the operator's changes to it. */
#include "tools/common/http_call.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include <stdio.h>
#include <stdlib.h>

static void
path_of(struct buf *path, const char *folder, const char *id, const char *below)
{
    buf_printf(path, "/v1/%s/", folder);
    url_append_encoded(path, span_cstr(id));
    buf_append_cstr(path, below);
}

static void
row_of_friend(struct table *table, const json_t *row)
{
    table_row(table);
    cell_of(table, row, "number");
    cell_of(table, row, "name");
    cell_of_instant(table, row, "added");
    cell_of(table, row, "blocked");
    cell_of(table, row, "enrolments");
    cell_of(table, row, "tags");
    cell_of(table, row, "user_id");
}

static struct table *
table_of_friends(void)
{
    struct table *table = table_new();
    table_column(table, "friend", TABLE_RIGHT);
    table_column(table, "name", TABLE_LEFT);
    table_column(table, "added", TABLE_LEFT);
    table_column(table, "blocked", TABLE_LEFT);
    table_column(table, "scenarios", TABLE_RIGHT);
    table_column(table, "tags", TABLE_LEFT);
    table_column(table, "user id", TABLE_LEFT);
    return table;
}

/* Pages through the API until there is no more, or -n rows are there. where NULL: everybody. */
static int
collect_friends(const struct invocation *invocation, const char *where, size_t count_max,
                json_t *out_rows)
{
    long long after = -1;
    for (;;) {
        struct buf path = {0};
        size_t left = count_max - json_array_size(out_rows);
        buf_printf(&path, "/v1/friends?limit=%zu", left < 100 ? left : 100);
        if (after >= 0) {
            buf_printf(&path, "&after=%lld", after);
        }
        if (where != NULL) {
            buf_append_cstr(&path, "&where=");
            url_append_encoded(&path, span_cstr(where));
        }
        json_t *answer = NULL;
        int code = client_call(invocation, "GET", buf_cstr(&path), NULL, &answer);
        buf_fini(&path);
        if (code != EXIT_DONE) {
            return code;
        }
        json_t *next = json_object_get(answer, "next");
        bool more = json_is_integer(next) && json_integer_value(next) > after;
        after = json_integer_value(next);
        json_array_extend(out_rows, json_object_get(answer, "friends"));
        json_decref(answer);
        if (!more || json_array_size(out_rows) >= count_max) {
            return EXIT_DONE;
        }
    }
}

static int
list_friends(const struct invocation *invocation, const char *where)
{
    const char *count = invocation_option(invocation, "count");
    unsigned long long count_max = count == NULL ? SIZE_MAX : strtoull(count, NULL, 10);
    if (count_max == 0) {
        return usage_error(invocation->program, "-n wants a number from 1, not '%s'", count);
    }
    json_t *rows = json_array();
    int code = collect_friends(invocation, where, (size_t)count_max, rows);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        json_t *whole = json_pack("{s:O}", "friends", rows);
        client_print_json(whole);
        json_decref(whole);
    } else if (code == EXIT_DONE) {
        struct table *table = table_of_friends();
        for (size_t i = 0; i < json_array_size(rows); i++) {
            row_of_friend(table, json_array_get(rows, i));
        }
        client_print_table(invocation, table);
        table_free(table);
    }
    json_decref(rows);
    return code;
}

int
command_friend_list(const struct invocation *invocation)
{
    return list_friends(invocation, NULL);
}

/* A condition may be given as one argument or as its words. */
static void
condition_argument(const struct invocation *invocation, struct buf *out)
{
    for (unsigned i = 0; i < invocation->argument_count; i++) {
        buf_printf(out, "%s%s", i == 0 ? "" : " ", invocation->arguments[i]);
    }
}

int
command_segment_list(const struct invocation *invocation)
{
    struct buf where = {0};
    condition_argument(invocation, &where);
    int code = list_friends(invocation, buf_cstr(&where));
    buf_fini(&where);
    return code;
}

int
command_segment_count(const struct invocation *invocation)
{
    struct buf where = {0}, path = {0};
    json_t *answer = NULL;
    condition_argument(invocation, &where);
    buf_append_cstr(&path, "/v1/segments/count?where=");
    url_append_encoded(&path, buf_span(&where));
    int code = client_call(invocation, "GET", buf_cstr(&path), NULL, &answer);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        client_print_json(answer);
    } else if (code == EXIT_DONE) {
        struct table *table = table_new();
        table_column(table, "friends", TABLE_RIGHT);
        table_column(table, "reachable", TABLE_RIGHT);
        table_column(table, "of", TABLE_RIGHT);
        table_row(table);
        cell_of(table, answer, "friends");
        cell_of(table, answer, "reachable");
        cell_of(table, answer, "of");
        client_print_table(invocation, table);
        table_free(table);
    }
    json_decref(answer);
    buf_fini(&where);
    buf_fini(&path);
    return code;
}

static void
show_fields(const struct invocation *invocation, const json_t *answer)
{
    struct table *table = table_new();
    table_column(table, "field", TABLE_LEFT);
    table_column(table, "value", TABLE_LEFT);
    json_t *fields = json_object_get(answer, "fields");
    const char *field = NULL;
    json_t *value = NULL;
    json_object_foreach(fields, field, value)
    {
        table_row(table);
        table_cell_cstr(table, field);
        cell_of(table, fields, field);
    }
    if (table_row_count(table) > 0) {
        putchar('\n');
        client_print_table(invocation, table);
    }
    table_free(table);
}

static void
show_enrolments(const struct invocation *invocation, const json_t *answer)
{
    json_t *rows = json_object_get(answer, "scenarios");
    struct table *table = table_new();
    table_column(table, "scenario", TABLE_LEFT);
    table_column(table, "next step", TABLE_LEFT);
    table_column(table, "due", TABLE_LEFT);
    table_column(table, "started", TABLE_LEFT);
    table_column(table, "state", TABLE_LEFT);
    table_column(table, "waits for", TABLE_LEFT);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        table_row(table);
        cell_of(table, row, "scenario");
        cell_of(table, row, "step");
        cell_of_instant(table, row, "due");
        cell_of_instant(table, row, "started");
        cell_of(table, row, "state");
        cell_of(table, row, "deferred");
    }
    if (table_row_count(table) > 0) {
        putchar('\n');
        client_print_table(invocation, table);
    }
    table_free(table);
}

/* Calls, prints JSON when that is wanted, and leaves the answer to be shown otherwise. */
static int
call_or_json(const struct invocation *invocation, const char *method, struct buf *path,
             json_t *body, json_t **out_answer)
{
    json_t *answer = NULL;
    int code = client_call(invocation, method, buf_cstr(path), body, &answer);
    buf_fini(path);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        client_print_json(answer);
        json_decref(answer);
        answer = NULL;
    }
    *out_answer = answer;
    return code;
}

int
command_friend_show(const struct invocation *invocation)
{
    struct buf path = {0};
    path_of(&path, "friends", invocation->arguments[0], "");
    json_t *answer = NULL;
    int code = call_or_json(invocation, "GET", &path, NULL, &answer);
    if (answer == NULL) {
        return code;
    }
    struct table *table = table_of_friends();
    row_of_friend(table, answer);
    client_print_table(invocation, table);
    table_free(table);
    show_fields(invocation, answer);
    show_enrolments(invocation, answer);
    json_decref(answer);
    return code;
}

static int
change_tags(const struct invocation *invocation, bool add)
{
    json_t *names = json_array();
    for (unsigned i = 1; i < invocation->argument_count; i++) {
        const char *name = invocation->arguments[i];
        json_array_append_new(names, json_string(add && name[0] == '+' ? name + 1 : name));
    }
    struct buf path = {0};
    path_of(&path, "friends", invocation->arguments[0], "/tags");
    json_t *answer = NULL;
    int code = call_or_json(invocation, "POST", &path,
                            json_pack("{s:o}", add ? "add" : "remove", names), &answer);
    if (answer == NULL) {
        return code;
    }
    struct table *table = table_new();
    table_column(table, "friend", TABLE_RIGHT);
    table_column(table, "tags", TABLE_LEFT);
    table_row(table);
    cell_of(table, answer, "friend");
    cell_of(table, answer, "tags");
    client_print_table(invocation, table);
    table_free(table);
    json_decref(answer);
    return code;
}

int
command_friend_tag(const struct invocation *invocation)
{
    return change_tags(invocation, true);
}

int
command_friend_untag(const struct invocation *invocation)
{
    return change_tags(invocation, false);
}

int
command_friend_field(const struct invocation *invocation)
{
    json_t *set = json_object(), *clear = json_array();
    for (unsigned i = 1; i < invocation->argument_count; i++) {
        const char *argument = invocation->arguments[i];
        const char *equals = strchr(argument, '=');
        if (equals == NULL || equals == argument) {
            json_decref(set);
            json_decref(clear);
            return usage_error(invocation->program, "'%s' is not FIELD=VALUE", argument);
        }
        size_t len = (size_t)(equals - argument);
        if (equals[1] == '\0') {
            json_array_append_new(clear, json_stringn(argument, len));
        } else {
            json_object_setn_new(set, argument, len, json_string(equals + 1));
        }
    }
    struct buf path = {0};
    path_of(&path, "friends", invocation->arguments[0], "/fields");
    json_t *answer = NULL;
    int code = call_or_json(invocation, "POST", &path,
                            json_pack("{s:o, s:o}", "set", set, "clear", clear), &answer);
    if (answer != NULL) {
        show_fields(invocation, answer);
        json_decref(answer);
    }
    return code;
}

int
command_scenario_list(const struct invocation *invocation)
{
    struct buf path = {0};
    buf_append_cstr(&path, "/v1/scenarios");
    json_t *answer = NULL;
    int code = call_or_json(invocation, "GET", &path, NULL, &answer);
    if (answer == NULL) {
        return code;
    }
    struct table *table = table_new();
    table_column(table, "scenario", TABLE_LEFT);
    table_column(table, "title", TABLE_LEFT);
    table_column(table, "lane", TABLE_LEFT);
    table_column(table, "steps", TABLE_RIGHT);
    table_column(table, "running", TABLE_RIGHT);
    table_column(table, "entered", TABLE_RIGHT);
    json_t *rows = json_object_get(answer, "scenarios");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        table_row(table);
        cell_of(table, row, "id");
        cell_of(table, row, "title");
        cell_of(table, row, "lane");
        cell_of(table, row, "steps");
        cell_of(table, row, "running");
        cell_of(table, row, "entered");
    }
    client_print_table(invocation, table);
    table_free(table);
    json_decref(answer);
    return code;
}

int
command_scenario_show(const struct invocation *invocation)
{
    struct buf path = {0};
    path_of(&path, "scenarios", invocation->arguments[0], "");
    json_t *answer = NULL;
    int code = call_or_json(invocation, "GET", &path, NULL, &answer);
    if (answer == NULL) {
        return code;
    }
    struct table *table = table_new();
    table_column(table, "step", TABLE_LEFT);
    table_column(table, "when", TABLE_LEFT);
    table_column(table, "if", TABLE_LEFT);
    table_column(table, "body", TABLE_LEFT);
    table_column(table, "waiting", TABLE_RIGHT);
    json_t *rows = json_object_get(answer, "steps");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        table_row(table);
        cell_of(table, row, "id");
        cell_of(table, row, "when");
        cell_of(table, row, "if");
        cell_of(table, row, "body");
        cell_of(table, row, "waiting");
    }
    client_print_table(invocation, table);
    table_free(table);
    json_decref(answer);
    return code;
}

/* Start and stop: what was asked may also mean nothing here (it runs already); that is no failure
 * of the call, but it is not what was asked either. */
static int
change_enrolment(const struct invocation *invocation, const char *below, const char *done,
                 json_t *body)
{
    struct buf path = {0};
    path_of(&path, "scenarios", invocation->arguments[0], below);
    json_t *answer = NULL;
    int code = client_call(invocation, "POST", buf_cstr(&path), body, &answer);
    buf_fini(&path);
    if (code != EXIT_DONE) {
        return code;
    }
    bool happened = json_is_true(json_object_get(answer, done));
    if (client_wants_json(invocation)) {
        client_print_json(answer);
    } else if (happened) {
        printf("%s %s: friend %s\n", invocation->arguments[0], done, invocation->arguments[1]);
    } else {
        const char *reason = json_string_value(json_object_get(answer, "reason"));
        fprintf(stderr, "stepctl: %s was not %s for friend %s: %s\n", invocation->arguments[0],
                done, invocation->arguments[1], reason == NULL ? "it does not run" : reason);
    }
    json_decref(answer);
    return happened ? EXIT_DONE : EXIT_REFUSED;
}

int
command_scenario_start(const struct invocation *invocation)
{
    const char *at_step = invocation_option(invocation, "at-step");
    json_t *body = json_pack("{s:s}", "friend", invocation->arguments[1]);
    if (at_step != NULL) {
        json_object_set_new(body, "at_step", json_string(at_step));
    }
    return change_enrolment(invocation, "/start", "started", body);
}

int
command_scenario_stop(const struct invocation *invocation)
{
    return change_enrolment(invocation, "/stop", "stopped",
                            json_pack("{s:s}", "friend", invocation->arguments[1]));
}

/* One flag of a friend, put to the daemon: hidden, or blocked by the operator. */
static int
set_flag(const struct invocation *invocation, const char *below, const char *key, bool on,
         const char *said)
{
    struct buf path = {0};
    json_t *answer = NULL;
    path_of(&path, "friends", invocation->arguments[0], below);
    int code =
        client_call(invocation, "POST", buf_cstr(&path), json_pack("{s:b}", key, (int)on), &answer);
    buf_fini(&path);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        client_print_json(answer);
    } else if (code == EXIT_DONE) {
        printf("friend %lld is %s\n",
               (long long)json_integer_value(json_object_get(answer, "friend")), said);
    }
    json_decref(answer);
    return code;
}

int
command_friend_hide(const struct invocation *invocation)
{
    return set_flag(invocation, "/list", "hidden", true, "hidden from lists; messages go on");
}

int
command_friend_unhide(const struct invocation *invocation)
{
    return set_flag(invocation, "/list", "hidden", false, "listed");
}

int
command_friend_block(const struct invocation *invocation)
{
    return set_flag(invocation, "/block", "blocked", true,
                    "blocked: tags, fields and score are gone, nothing is sent");
}

int
command_friend_unblock(const struct invocation *invocation)
{
    return set_flag(invocation, "/block", "blocked", false,
                    "not blocked any more; what was erased stays so");
}
