/* delivery unknown, mark, resend: what nobody knows the outcome of, and what is to become of it. */
#include "tools/common/http_call.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"

static const struct client_column COLUMNS[] = {
    {"delivery", "delivery", CELL_NUMBER},
    {"friend", "friend", CELL_NUMBER},
    {"name", "name", CELL_TEXT},
    {"due", "due", CELL_INSTANT},
    {"first sent", "first_sent", CELL_INSTANT},
    {"templates", "templates", CELL_TEXT},
    {"source", "source", CELL_TEXT},
    {"how", "how", CELL_TEXT},
    {"why", "why", CELL_TEXT},
    {"decision", "decision", CELL_TEXT},
    {"anew", "anew", CELL_NUMBER},
};

static void
show(const struct invocation *invocation, const json_t *answer)
{
    client_print_rows(invocation, json_object_get(answer, "deliveries"), COLUMNS,
                      sizeof(COLUMNS) / sizeof(COLUMNS[0]));
}

int
command_delivery_unknown(const struct invocation *invocation)
{
    return client_show(invocation, "GET", "/v1/deliveries/unknown", NULL, show);
}

static int
decide(const struct invocation *invocation, const char *verb, json_t *body)
{
    struct buf path = {0};
    const char *friend = invocation_option(invocation, "friend");
    if (friend != NULL) {
        json_object_set_new(body, "friend", json_string(friend));
    }
    buf_append_cstr(&path, "/v1/deliveries/");
    url_append_encoded(&path, span_cstr(invocation->arguments[0]));
    buf_printf(&path, "/%s", verb);
    int code = client_show(invocation, "POST", buf_cstr(&path), body, show);
    buf_fini(&path);
    return code;
}

int
command_delivery_mark(const struct invocation *invocation)
{
    return decide(invocation, "mark", json_pack("{s:s}", "result", invocation->arguments[1]));
}

int
command_delivery_resend(const struct invocation *invocation)
{
    return decide(invocation, "resend", json_object());
}
