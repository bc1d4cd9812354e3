/* broadcast list, cancel, fit. */
#include "tools/common/http_call.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include <stdio.h>

static const char *const COLUMNS[] = {"id", "at", "phase", "audience", "fit", "to", "title"};
enum { COLUMN_COUNT = sizeof(COLUMNS) / sizeof(COLUMNS[0]) };

static struct table *
new_table(void)
{
    struct table *table = table_new();
    for (int i = 0; i < COLUMN_COUNT; i++) {
        table_column(table, COLUMNS[i], i == 3 ? TABLE_RIGHT : TABLE_LEFT);
    }
    return table;
}

static void
add_row(struct table *table, const json_t *broadcast)
{
    table_row(table);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        if (i == 1) {
            cell_of_instant(table, broadcast, COLUMNS[i]);
        } else {
            cell_of(table, broadcast, COLUMNS[i]);
        }
    }
}

int
command_broadcast_list(const struct invocation *invocation)
{
    json_t *answer = NULL;
    int code = client_call(invocation, "GET", "/v1/broadcasts", NULL, &answer);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        client_print_json(answer);
    } else if (code == EXIT_DONE) {
        const json_t *list = json_object_get(answer, "broadcasts");
        struct table *table = new_table();
        for (size_t i = 0; i < json_array_size(list); i++) {
            add_row(table, json_array_get(list, i));
        }
        client_print_table(invocation, table);
        table_free(table);
    }
    json_decref(answer);
    return code;
}

static int
change(const struct invocation *invocation, const char *verb, json_t *body)
{
    struct buf path = {0};
    buf_append_cstr(&path, "/v1/broadcasts/");
    url_append_encoded(&path, span_cstr(invocation->arguments[0]));
    buf_printf(&path, "/%s", verb);
    json_t *answer = NULL;
    int code = client_call(invocation, "POST", buf_cstr(&path), body, &answer);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        client_print_json(answer);
    } else if (code == EXIT_DONE) {
        struct table *table = new_table();
        add_row(table, answer);
        client_print_table(invocation, table);
        table_free(table);
    }
    json_decref(answer);
    buf_fini(&path);
    return code;
}

int
command_broadcast_cancel(const struct invocation *invocation)
{
    return change(invocation, "cancel", json_object());
}

int
command_broadcast_fit(const struct invocation *invocation)
{
    return change(invocation, "fit", json_pack("{s:s}", "fit", invocation->arguments[1]));
}
