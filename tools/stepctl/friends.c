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

static const struct client_column FRIENDS[] = {
    {"friend", "number", CELL_NUMBER},        {"name", "name", CELL_TEXT},
    {"added", "added", CELL_INSTANT},         {"blocked", "blocked", CELL_TEXT},
    {"scenarios", "enrolments", CELL_NUMBER}, {"tags", "tags", CELL_TEXT},
    {"user id", "user_id", CELL_TEXT},
};
enum { FRIEND_COLUMNS = sizeof(FRIENDS) / sizeof(FRIENDS[0]) };

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
        client_print_rows(invocation, rows, FRIENDS, FRIEND_COLUMNS);
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

static void
show_count(const struct invocation *invocation, const json_t *answer)
{
    static const struct client_column COLUMNS[] = {{"friends", "friends", CELL_NUMBER},
                                                   {"reachable", "reachable", CELL_NUMBER},
                                                   {"of", "of", CELL_NUMBER}};
    client_print_rows(invocation, answer, COLUMNS, sizeof(COLUMNS) / sizeof(COLUMNS[0]));
}

int
command_segment_count(const struct invocation *invocation)
{
    struct buf where = {0}, path = {0};
    condition_argument(invocation, &where);
    buf_append_cstr(&path, "/v1/segments/count?where=");
    url_append_encoded(&path, buf_span(&where));
    int code = client_show(invocation, "GET", buf_cstr(&path), NULL, show_count);
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
show_friend(const struct invocation *invocation, const json_t *answer)
{
    static const struct client_column ENROLMENTS[] = {
        {"scenario", "scenario", CELL_TEXT}, {"next step", "step", CELL_TEXT},
        {"due", "due", CELL_INSTANT},        {"started", "started", CELL_INSTANT},
        {"state", "state", CELL_TEXT},       {"waits for", "deferred", CELL_TEXT},
    };
    const json_t *enrolments = json_object_get(answer, "scenarios");
    client_print_warnings(answer);
    client_print_rows(invocation, answer, FRIENDS, FRIEND_COLUMNS);
    show_fields(invocation, answer);
    if (json_array_size(enrolments) > 0) {
        putchar('\n');
        client_print_rows(invocation, enrolments, ENROLMENTS,
                          sizeof(ENROLMENTS) / sizeof(ENROLMENTS[0]));
    }
}

/* A call about the thing that the first argument names. */
static int
show_named(const struct invocation *invocation, const char *method, const char *folder,
           const char *below, json_t *body, client_show_fn show)
{
    struct buf path = {0};
    path_of(&path, folder, invocation->arguments[0], below);
    int code = client_show(invocation, method, buf_cstr(&path), body, show);
    buf_fini(&path);
    return code;
}

int
command_friend_show(const struct invocation *invocation)
{
    return show_named(invocation, "GET", "friends", "", NULL, show_friend);
}

static void
show_tags(const struct invocation *invocation, const json_t *answer)
{
    static const struct client_column COLUMNS[] = {{"friend", "friend", CELL_NUMBER},
                                                   {"tags", "tags", CELL_TEXT}};
    client_print_rows(invocation, answer, COLUMNS, sizeof(COLUMNS) / sizeof(COLUMNS[0]));
}

static int
change_tags(const struct invocation *invocation, bool add)
{
    json_t *names = json_array();
    for (unsigned i = 1; i < invocation->argument_count; i++) {
        const char *name = invocation->arguments[i];
        json_array_append_new(names, json_string(add && name[0] == '+' ? name + 1 : name));
    }
    return show_named(invocation, "POST", "friends", "/tags",
                      json_pack("{s:o}", add ? "add" : "remove", names), show_tags);
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
    return show_named(invocation, "POST", "friends", "/fields",
                      json_pack("{s:o, s:o}", "set", set, "clear", clear), show_fields);
}

static void
show_scenarios(const struct invocation *invocation, const json_t *answer)
{
    static const struct client_column COLUMNS[] = {
        {"scenario", "id", CELL_TEXT},       {"title", "title", CELL_TEXT},
        {"lane", "lane", CELL_TEXT},         {"steps", "steps", CELL_NUMBER},
        {"running", "running", CELL_NUMBER}, {"entered", "entered", CELL_NUMBER},
    };
    client_print_rows(invocation, json_object_get(answer, "scenarios"), COLUMNS,
                      sizeof(COLUMNS) / sizeof(COLUMNS[0]));
}

int
command_scenario_list(const struct invocation *invocation)
{
    return client_show(invocation, "GET", "/v1/scenarios", NULL, show_scenarios);
}

static void
show_steps(const struct invocation *invocation, const json_t *answer)
{
    static const struct client_column COLUMNS[] = {
        {"step", "id", CELL_TEXT},   {"when", "when", CELL_TEXT},         {"if", "if", CELL_TEXT},
        {"body", "body", CELL_TEXT}, {"waiting", "waiting", CELL_NUMBER},
    };
    client_print_rows(invocation, json_object_get(answer, "steps"), COLUMNS,
                      sizeof(COLUMNS) / sizeof(COLUMNS[0]));
}

int
command_scenario_show(const struct invocation *invocation)
{
    return show_named(invocation, "GET", "scenarios", "", NULL, show_steps);
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
