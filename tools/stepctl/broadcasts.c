/* broadcast list, cancel, fit. */
#include "tools/common/http_call.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"

static const struct client_column COLUMNS[] = {
    {"id", "id", CELL_TEXT},       {"at", "at", CELL_INSTANT},
    {"phase", "phase", CELL_TEXT}, {"audience", "audience", CELL_NUMBER},
    {"fit", "fit", CELL_TEXT},     {"to", "to", CELL_TEXT},
    {"title", "title", CELL_TEXT},
};
enum { COLUMN_COUNT = sizeof(COLUMNS) / sizeof(COLUMNS[0]) };

static void
show_list(const struct invocation *invocation, const json_t *answer)
{
    client_print_rows(invocation, json_object_get(answer, "broadcasts"), COLUMNS, COLUMN_COUNT);
}

static void
show_one(const struct invocation *invocation, const json_t *answer)
{
    client_print_rows(invocation, answer, COLUMNS, COLUMN_COUNT);
}

int
command_broadcast_list(const struct invocation *invocation)
{
    return client_show(invocation, "GET", "/v1/broadcasts", NULL, show_list);
}

static int
change(const struct invocation *invocation, const char *verb, json_t *body)
{
    struct buf path = {0};
    buf_append_cstr(&path, "/v1/broadcasts/");
    url_append_encoded(&path, span_cstr(invocation->arguments[0]));
    buf_printf(&path, "/%s", verb);
    int code = client_show(invocation, "POST", buf_cstr(&path), body, show_one);
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
