/* calendar: how much is due when, as a picture of days and hours. */
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include <stdio.h>
#include <stdlib.h>

enum { HOURS = 24 };

/* A character an hour, from nothing to the fullest hour of all. Plain ASCII: blocks and dots are as wide as
 * one or as two columns, depending on whose terminal it is. */
static void
picture_of(const json_t *hours, json_int_t most, char out[HOURS + 1])
{
    static const char SHADES[] = ".:-=+*#%@";
    enum { SHADE_COUNT = sizeof(SHADES) - 1 };
    for (size_t i = 0; i < HOURS; i++) {
        json_int_t count = json_integer_value(json_array_get(hours, i));
        out[i] = count == 0 ? ' ' : SHADES[(count * SHADE_COUNT - 1) / most];
    }
    out[HOURS] = '\0';
}

static json_int_t
fullest(const json_t *days)
{
    json_int_t most = 1;
    size_t index, hour;
    const json_t *day, *count;
    json_array_foreach(days, index, day)
    {
        json_array_foreach(json_object_get(day, "hours"), hour, count)
        {
            most = json_integer_value(count) > most ? json_integer_value(count) : most;
        }
    }
    return most;
}

/* The fullest hour of a day; nothing where nothing is due. */
static void
cell_of_peak(struct table *table, const json_t *hours)
{
    size_t hour, peak = 0;
    const json_t *count;
    json_array_foreach(hours, hour, count)
    {
        if (json_integer_value(count) > json_integer_value(json_array_get(hours, peak))) {
            peak = hour;
        }
    }
    json_int_t most = json_integer_value(json_array_get(hours, peak));
    if (most == 0) {
        table_cell_none(table);
    } else {
        table_cell_printf(table, "%02zu:00 %lld", peak, (long long)most);
    }
}

static void
show_picture(const struct invocation *invocation, const json_t *answer, bool japanese)
{
    static const char *const WEEKDAYS[][2] = {{"Sun", "日"}, {"Mon", "月"}, {"Tue", "火"},
                                              {"Wed", "水"}, {"Thu", "木"}, {"Fri", "金"},
                                              {"Sat", "土"}};
    const json_t *days = json_object_get(answer, "days");
    json_int_t most = fullest(days);
    struct table *table = table_new();
    table_column(table, japanese ? "日付" : "day", TABLE_LEFT);
    table_column(table, NULL, TABLE_LEFT);
    table_column(table, "|0     6     12    18    |", TABLE_LEFT);
    table_column(table, japanese ? "合計" : "total", TABLE_RIGHT);
    table_column(table, japanese ? "最も多い時間" : "fullest hour", TABLE_LEFT);
    size_t index;
    const json_t *day;
    json_array_foreach(days, index, day)
    {
        char picture[HOURS + 1];
        const json_t *hours = json_object_get(day, "hours");
        json_int_t weekday = json_integer_value(json_object_get(day, "weekday"));
        picture_of(hours, most, picture);
        table_row(table);
        cell_of(table, day, "day");
        table_cell_cstr(table, WEEKDAYS[weekday % 7][japanese]);
        table_style(table, weekday == 0 ? STYLE_BAD : STYLE_PLAIN);
        table_cell_printf(table, "|%s|", picture);
        cell_of(table, day, "total");
        cell_of_peak(table, hours);
    }
    client_print_table(invocation, table);
    table_free(table);
    static const char *const OTHERS[][3] = {
        {"overdue", "due already and waiting to be taken", "予定時刻を過ぎ、配信待ち"},
        {"later", "later", "それ以降"},
        {"unknown", "count from a message that is still to come",
         "前の配信が決まってから数えるもの"},
    };
    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++) {
        json_int_t count = json_integer_value(json_object_get(answer, OTHERS[i][0]));
        if (count > 0) {
            printf("%lld %s\n", (long long)count, OTHERS[i][1 + japanese]);
        }
    }
}

/* A row an hour in which something is due. */
static void
show_rows(const struct invocation *invocation, const json_t *answer)
{
    struct table *table = table_new();
    table_column(table, "day", TABLE_LEFT);
    table_column(table, "hour", TABLE_RIGHT);
    table_column(table, "count", TABLE_RIGHT);
    size_t index, hour;
    const json_t *day, *count;
    json_array_foreach(json_object_get(answer, "days"), index, day)
    {
        json_array_foreach(json_object_get(day, "hours"), hour, count)
        {
            if (json_integer_value(count) > 0) {
                table_row(table);
                cell_of(table, day, "day");
                table_cell_printf(table, "%zu", hour);
                table_cell_printf(table, "%lld", (long long)json_integer_value(count));
            }
        }
    }
    client_print_table(invocation, table);
    table_free(table);
}

int
command_calendar(const struct invocation *invocation)
{
    const char *days = invocation_option(invocation, "days");
    char *end = NULL;
    long count = days == NULL ? 14 : strtol(days, &end, 10);
    if (days != NULL && (end == days || *end != '\0' || count < 1 || count > 62)) {
        return usage_error(invocation->program, "--days wants a number from 1 to 62, not '%s'",
                           days);
    }
    struct buf path = {0};
    json_t *answer = NULL;
    buf_printf(&path, "/v1/due?days=%ld", count);
    int code = client_call(invocation, "GET", buf_cstr(&path), NULL, &answer);
    if (code == EXIT_DONE && client_wants_json(invocation)) {
        client_print_json(answer);
    } else if (code == EXIT_DONE && client_wants_csv(invocation)) {
        show_rows(invocation, answer);
    } else if (code == EXIT_DONE) {
        show_picture(invocation, answer, client_is_japanese(invocation));
    }
    json_decref(answer);
    buf_fini(&path);
    return code;
}
