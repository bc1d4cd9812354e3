/* The roster of a calendar or an event, as CSV for people's spreadsheets (SPEC R39). */
#include "tools/common/http_call.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include <stdio.h>

/* A cell in quotes where it has to be; a leading =, +, - or @ is no formula (a friend chose the name). */
static void
csv_cell(const json_t *row, const char *member, const char *end, struct buf *out)
{
    const json_t *value = json_object_get(row, member);
    struct buf text = {0};
    if (json_is_string(value)) {
        buf_append_cstr(&text, json_string_value(value));
    } else if (json_is_integer(value)) {
        buf_printf(&text, "%lld", (long long)json_integer_value(value));
    }
    const char *cell = buf_cstr(&text);
    buf_append_byte(out, '"');
    if (strchr("=+-@", cell[0]) != NULL && cell[0] != '\0') {
        buf_append_byte(out, '\'');
    }
    for (; *cell != '\0'; cell++) {
        buf_append_cstr(out, *cell == '"' ? "\"" : "");
        buf_append_byte(out, (uint8_t)*cell);
    }
    buf_append_cstr(out, "\"");
    buf_append_cstr(out, end);
    buf_fini(&text);
}

int
command_roster(const struct invocation *invocation)
{
    struct buf path = {0};
    json_t *answer = NULL;
    buf_append_cstr(&path, "/v1/calendars/");
    url_append_encoded(&path, span_cstr(invocation->arguments[0]));
    buf_append_cstr(&path, "/roster?day=");
    url_append_encoded(&path, span_cstr(invocation->arguments[1]));
    int code = client_call(invocation, "GET", buf_cstr(&path), NULL, &answer);
    buf_fini(&path);
    if (code != EXIT_DONE) {
        return code;
    }
    if (client_wants_json(invocation)) {
        client_print_json(answer);
        json_decref(answer);
        return EXIT_DONE;
    }
    struct buf out = {0};
    buf_append_cstr(&out, "\xef\xbb\xbf" /* so that Excel reads UTF-8 */
                          "begins,slot,friend,user_id,name\r\n");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(answer, "bookings"), index, row)
    {
        csv_cell(row, "begins", ",", &out);
        csv_cell(row, "slot", ",", &out);
        csv_cell(row, "friend", ",", &out);
        csv_cell(row, "user_id", ",", &out);
        csv_cell(row, "name", "\r\n", &out);
    }
    fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
    json_decref(answer);
    return EXIT_DONE;
}
