/* The roster of a calendar or an event, as CSV for people's spreadsheets (SPEC R39). */
#include "tools/common/http_call.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include <stdio.h>

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
    static const char *const COLUMNS[] = {"begins", "slot", "friend", "user_id", "name"};
    struct table *table = table_new();
    for (size_t i = 0; i < sizeof(COLUMNS) / sizeof(COLUMNS[0]); i++) {
        table_column(table, COLUMNS[i], TABLE_LEFT);
    }
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(answer, "bookings"), index, row)
    {
        table_row(table);
        for (size_t i = 0; i < sizeof(COLUMNS) / sizeof(COLUMNS[0]); i++) {
            cell_of(table, row, COLUMNS[i]);
        }
    }
    struct buf out = {0};
    table_print_csv(table, &out); /* a roster is for spreadsheets, -o csv or not */
    fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
    table_free(table);
    json_decref(answer);
    return EXIT_DONE;
}
