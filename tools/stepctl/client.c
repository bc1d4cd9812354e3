#include "tools/stepctl/client.h"

#include "tools/common/http_call.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void
client_socket_path(const struct invocation *invocation, struct buf *out_path)
{
    const char *socket = invocation_option(invocation, "socket");
    const char *account = invocation_option(invocation, "account");
    const char *environment = getenv("STEPD_SOCKET");
    if (socket != NULL) {
        buf_append_cstr(out_path, socket);
    } else if (account == NULL && environment != NULL && environment[0] != '\0') {
        buf_append_cstr(out_path, environment);
    } else {
        buf_printf(out_path, "/run/stepd/%s/stepd.sock", account == NULL ? "default" : account);
    }
}

static int
say_unreachable(const struct invocation *invocation, enum rc rc, const char *socket,
                const char *reason)
{
    const char *account = invocation_option(invocation, "account");
    fprintf(stderr, "stepctl: no answer on %s: %s\n", socket, reason);
    if (rc == RC_REFUSED) {
        fprintf(stderr, "stepctl: the socket's group decides who may call; see 'ls -l %s'\n",
                socket);
        return EXIT_REFUSED;
    }
    if (rc == RC_NOT_FOUND) {
        fprintf(stderr,
                "stepctl: start the daemon with 'systemctl start stepd@%s', or name its socket "
                "with -s SOCKET\n",
                account == NULL ? "default" : account);
    }
    return EXIT_UNREACHABLE;
}

int
client_request(const struct invocation *invocation, const char *method, const char *path,
               json_t *body, unsigned *out_status, json_t **out_json)
{
    struct buf socket = {0}, url = {0}, error = {0};
    client_socket_path(invocation, &socket);
    buf_printf(&url, "http://stepd%s", path);
    const struct http_call call = {
        .socket_path = buf_cstr(&socket),
        .method = method,
        .url = buf_cstr(&url),
        .body = body,
    };
    json_t *json = NULL;
    enum rc rc = http_call(&call, out_status, &json, &error);
    int code = EXIT_DONE;
    if (rc != RC_OK) {
        code = say_unreachable(invocation, rc, buf_cstr(&socket), buf_cstr(&error));
    } else {
        *out_json = json;
    }
    json_decref(body);
    buf_fini(&socket);
    buf_fini(&url);
    buf_fini(&error);
    return code;
}

static int
exit_of(unsigned status)
{
    switch (status) {
    case 400:
    case 413:
    case 501:
        return EXIT_USAGE;
    case 403:
    case 409:
        return EXIT_REFUSED;
    case 404:
        return EXIT_NOT_FOUND;
    case 503:
        return EXIT_UNREACHABLE;
    default:
        return EXIT_FAILED;
    }
}

int
client_refused(const struct invocation *invocation, unsigned status, const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");
    const char *message = json_string_value(json_object_get(error, "message"));
    const char *hint = json_string_value(json_object_get(error, "hint"));
    if (client_wants_json(invocation) && answer != NULL) {
        client_print_json(answer);
    }
    if (message == NULL) {
        fprintf(stderr, "stepctl: the daemon answered %u\n", status);
    } else {
        fprintf(stderr, "stepctl: %s\n", message);
    }
    if (hint != NULL && hint[0] != '\0') {
        fprintf(stderr, "stepctl: try: %s\n", hint);
    }
    return exit_of(status);
}

int
client_call(const struct invocation *invocation, const char *method, const char *path, json_t *body,
            json_t **out_json)
{
    unsigned status = 0;
    json_t *answer = NULL;
    int code = client_request(invocation, method, path, body, &status, &answer);
    if (code == EXIT_DONE && status >= 300) {
        code = client_refused(invocation, status, answer);
    }
    if (code == EXIT_DONE) {
        *out_json = answer;
    } else {
        json_decref(answer);
    }
    return code;
}

static bool
wants(const struct invocation *invocation, const char *form)
{
    const char *output = invocation_option(invocation, "output");
    return output != NULL && strcmp(output, form) == 0;
}

int
client_show(const struct invocation *invocation, const char *method, const char *path, json_t *body,
            client_show_fn show)
{
    json_t *answer = NULL;
    int code = client_call(invocation, method, path, body, &answer);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        client_print_json(answer);
    } else if (code == EXIT_DONE) {
        show(invocation, answer);
    }
    json_decref(answer);
    return code;
}

bool
client_wants_json(const struct invocation *invocation)
{
    return wants(invocation, "json");
}

bool
client_wants_csv(const struct invocation *invocation)
{
    return wants(invocation, "csv");
}

bool
client_is_japanese(const struct invocation *invocation)
{
    const char *language = invocation_option(invocation, "lang");
    if (client_wants_csv(invocation) && language == NULL) {
        return false;
    }
    return language == NULL ? terminal_is_japanese() : strcmp(language, "ja") == 0;
}

bool
client_wants_colour(const struct invocation *invocation, int fd)
{
    return terminal_has_colour(fd, invocation_has(invocation, "no-color"));
}

void
client_print_json(const json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    putchar('\n');
}

void
client_print_warnings(const json_t *answer)
{
    const json_t *warnings = json_object_get(answer, "warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        fprintf(stderr, "stepctl: warning: %s\n", json_string_value(json_array_get(warnings, i)));
    }
}

void
client_print_table(const struct invocation *invocation, const struct table *table)
{
    struct buf out = {0};
    if (client_wants_csv(invocation)) {
        table_print_csv(table, &out);
    } else {
        table_print(table, client_wants_colour(invocation, STDOUT_FILENO), &out);
    }
    fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
}

static void
append_value(struct buf *out, json_t *value)
{
    if (json_is_string(value)) {
        buf_append_cstr(out, json_string_value(value));
    } else if (json_is_integer(value)) {
        buf_printf(out, "%lld", (long long)json_integer_value(value));
    } else if (json_is_boolean(value)) {
        buf_append_cstr(out, json_is_true(value) ? "yes" : "no");
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            buf_append_cstr(out, i == 0 ? "" : ", ");
            append_value(out, json_array_get(value, i));
        }
    } else if (json_is_object(value)) {
        const char *key = NULL;
        json_t *member = NULL;
        json_object_foreach(value, key, member)
        {
            buf_printf(out, "%s%s=", out->len == 0 ? "" : " ", key);
            append_value(out, member);
        }
    }
}

void
cell_of(struct table *table, const json_t *object, const char *member)
{
    struct buf text = {0};
    append_value(&text, json_object_get(object, member));
    if (text.len == 0) {
        table_cell_none(table);
    } else {
        table_cell(table, buf_span(&text));
    }
    buf_fini(&text);
}

void
cell_of_instant(struct table *table, const json_t *object, const char *member)
{
    enum { DATE_BYTES = 10, SECONDS_BYTES = 19 };
    const char *text = json_string_value(json_object_get(object, member));
    if (text == NULL || strlen(text) < SECONDS_BYTES || text[DATE_BYTES] != 'T') {
        table_cell_cstr(table, text);
        return;
    }
    table_cell_printf(table, "%.10s %.8s", text, text + DATE_BYTES + 1);
}

static void
add_row(struct table *table, const json_t *row, const struct client_column *columns,
        size_t column_count)
{
    table_row(table);
    for (size_t i = 0; i < column_count; i++) {
        if (columns[i].cell == CELL_INSTANT) {
            cell_of_instant(table, row, columns[i].member);
        } else {
            cell_of(table, row, columns[i].member);
        }
    }
}

void
client_print_rows(const struct invocation *invocation, const json_t *rows,
                  const struct client_column *columns, size_t column_count)
{
    struct table *table = table_new();
    for (size_t i = 0; i < column_count; i++) {
        table_column(table, columns[i].heading,
                     columns[i].cell == CELL_NUMBER ? TABLE_RIGHT : TABLE_LEFT);
    }
    if (json_is_object(rows)) {
        add_row(table, rows, columns, column_count);
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        add_row(table, json_array_get(rows, i), columns, column_count);
    }
    client_print_table(invocation, table);
    table_free(table);
}
