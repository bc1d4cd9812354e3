/* simulate: a copy of what the daemon knows runs ahead in virtual time; nothing is sent, and nothing can be. */
#include "daemon/restore.h"
#include "daemon/zones.h"
#include "proto/event.h"
#include "proto/fold.h"
#include "proto/words.h"
#include "tools/common/files.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include "tools/stepctl/simulation.h"
#include <stdio.h>
#include <stdlib.h>

struct copy {
    struct log *log;
    struct zones *zones;
    struct engine *engine;
    uint64_t random; /* what draws are made of: the same seed, the same story */
    int64_t from_ms, until_ms;
};

/* Bodies are rendered for LINE, and there is none. */
static uint64_t
no_body(const struct definitions *definitions, const struct delivery_item *items,
        uint32_t item_count, const struct span *values, uint32_t value_count)
{
    (void)definitions, (void)items, (void)item_count, (void)values, (void)value_count;
    return 0;
}

static int64_t
draw(void *context, const struct draw *question)
{
    struct copy *copy = context;
    uint64_t z = copy->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return draw_answer(question, z ^ (z >> 31));
}

static void
note(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "stepctl: %s\n", text);
}

static const char *
directory_of(const struct invocation *invocation)
{
    const char *directory = invocation_option(invocation, "data");
    return directory != NULL ? directory : getenv("STEPD_DATA_DIR");
}

/* The state as of the newest event, from the log itself: the daemon is not asked and does not wait. */
static int
copy_open(struct copy *copy, const struct invocation *invocation)
{
    const char *directory = directory_of(invocation);
    const struct log_options log_options = {.mode = LOG_READ};
    const struct engine_calls calls = {
        .body_hash = no_body, .fold = fold_text, .draw = draw, .draw_context = copy};
    if (directory == NULL) {
        return usage_error(invocation->program,
                           "simulate reads a data directory: --data DIR or $STEPD_DATA_DIR");
    }
    copy->zones = zones_new(NULL);
    copy->engine = engine_new(&calls);
    enum rc rc = log_open(directory, &log_options, &copy->log);
    if (rc != RC_OK) {
        fprintf(stderr, "stepctl: %s: %s\n", directory, log_error(NULL));
        return rc == RC_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_FAILED;
    }
    const struct restore_options options = {
        .log = copy->log, .zones = zones_source(copy->zones), .directory = directory, .note = note};
    struct restored restored;
    struct buf error = {0};
    rc = restore_run(&options, copy->engine, &restored, &error);
    if (rc != RC_OK) {
        fprintf(stderr, "stepctl: %s\n", buf_cstr(&error));
    }
    buf_fini(&error);
    return rc == RC_OK ? EXIT_DONE : EXIT_FAILED;
}

static void
copy_close(struct copy *copy)
{
    engine_free(copy->engine);
    log_close(copy->log);
    zones_free(copy->zones);
}

/* A date, a date and a time, or (+30d) so long after the beginning. */
static bool
read_time(const char *text, const struct zone *zone, int64_t base_ms, int64_t *out_ms)
{
    int64_t day, length_ms;
    struct span span = span_cstr(text);
    if (text[0] == '+' && words_duration(span_cstr(text + 1), &length_ms)) {
        *out_ms = base_ms + length_ms;
        return true;
    }
    if (words_date(span, &day)) {
        *out_ms = civil_instant(zone, day, 0);
        return true;
    }
    return words_datetime(span, zone, out_ms);
}

static int
read_times(struct copy *copy, const struct invocation *invocation)
{
    const struct state *state = engine_state(copy->engine);
    const struct zone *zone = state->definitions->account.zone;
    const char *from = invocation_option(invocation, "from");
    const char *until = invocation_option(invocation, "until");
    if (zone == NULL) {
        fprintf(stderr, "stepctl: there are no definitions in force; stepctl apply FOLDER\n");
        return EXIT_NOT_FOUND;
    }
    copy->from_ms = state->latest_ms;
    if (from != NULL && (!read_time(from, zone, state->latest_ms, &copy->from_ms) ||
                         copy->from_ms < state->latest_ms)) {
        return usage_error(invocation->program,
                           "--from wants an instant after the newest event, not '%s'", from);
    }
    if (!read_time(until == NULL ? "+30d" : until, zone, copy->from_ms, &copy->until_ms) ||
        copy->until_ms <= copy->from_ms ||
        copy->until_ms - copy->from_ms > (SIMULATION_DAYS_MAX - 2) * MS_PER_DAY) {
        return usage_error(invocation->program,
                           "--until wants +30d or a date within %d days, not '%s'",
                           SIMULATION_DAYS_MAX - 2, until);
    }
    return EXIT_DONE;
}

/* --with FOLDER: its definitions come into force at the beginning, in the copy alone. */
static int
put_in_force(struct copy *copy, const struct invocation *invocation, const char *folder)
{
    struct arena *arena = arena_new();
    struct source_files files = {0};
    struct buf text = {0};
    struct diagnostics diagnostics;
    struct definitions *definitions = NULL;
    diagnostics_init(&diagnostics);
    enum rc rc = files_read(folder, arena, &files, &text);
    if (rc != RC_OK) {
        fprintf(stderr, "stepctl: %s\n", buf_cstr(&text));
    } else {
        rc = definition_compile(files.items, files.count, engine_state(copy->engine)->definitions,
                                zones_source(copy->zones), "rehearsal", &diagnostics, &definitions);
        diagnostics_print(&diagnostics, client_wants_colour(invocation, 2), &text);
        fputs(buf_cstr(&text), stderr);
    }
    if (rc == RC_OK) {
        struct events events;
        struct input input = {.kind = INPUT_DEFINITIONS,
                              .at_ms = copy->from_ms,
                              .u.definitions = {.definitions = definitions}};
        events_init(&events);
        engine_handle(copy->engine, &input, &events);
        events_fini(&events);
        definitions_release(definitions);
    }
    buf_fini(&text);
    diagnostics_fini(&diagnostics);
    arena_free(arena);
    return rc == RC_OK ? EXIT_DONE : EXIT_FAILED;
}

/* --- what it comes to --- */

static const char *
date_text(int64_t day, char out[16])
{
    struct civil_date date = civil_date_of(day);
    snprintf(out, 16, "%04d-%02d-%02d", date.year % 10000, date.month % 100, date.day % 100);
    return out;
}

static void
source_text(const struct simulation *simulation, const struct measure_row *row, struct buf *out)
{
    const struct source source = {(enum source_kind)row->unit.source_kind, row->unit.id,
                                  row->unit.sub};
    event_source_text(&source, engine_state(simulation->engine)->definitions, out);
}

static bool
is_of_source(const struct measure_row *row)
{
    return row->unit.source_kind != SOURCE_NONE && row->kind >= MEASURE_SENT_REPLY &&
           row->kind <= MEASURE_HELD;
}

struct gathering {
    const struct simulation *simulation;
    json_t *sources; /* by name */
};

static void
gather(void *context, const struct measure_row *row, uint64_t grown)
{
    static const char *const WORDS[] = {[MEASURE_SENT_REPLY] = "replies",
                                        [MEASURE_SENT_PUSH] = "pushes",
                                        [MEASURE_SKIPPED] = "skipped",
                                        [MEASURE_CANCELLED] = "cancelled",
                                        [MEASURE_HELD] = "held"};
    struct gathering *gathering = context;
    if (!is_of_source(row)) {
        return;
    }
    struct buf name = {0};
    source_text(gathering->simulation, row, &name);
    json_t *line = json_object_get(gathering->sources, buf_cstr(&name));
    if (line == NULL) {
        line = json_pack("{s:s,s:i,s:i,s:i,s:i,s:i,s:{}}", "source", buf_cstr(&name), "replies", 0,
                         "pushes", 0, "skipped", 0, "cancelled", 0, "held", 0, "reasons");
        json_object_set_new(gathering->sources, buf_cstr(&name), line);
    }
    json_int_t before = json_integer_value(json_object_get(line, WORDS[row->kind]));
    json_object_set_new(line, WORDS[row->kind], json_integer(before + (json_int_t)grown));
    const char *reason = row->detail == 0 ? NULL : reason_name((enum reason)row->detail);
    if (reason != NULL) {
        json_t *reasons = json_object_get(line, "reasons");
        before = json_integer_value(json_object_get(reasons, reason));
        json_object_set_new(reasons, reason, json_integer(before + (json_int_t)grown));
    }
    buf_fini(&name);
}

static json_t *
sources_json(const struct simulation *simulation)
{
    struct gathering gathering = {simulation, json_object()};
    simulation_each_grown(simulation, gather, &gathering);
    json_t *list = json_array();
    const char *name;
    json_t *line;
    json_object_foreach(gathering.sources, name, line)
    {
        json_array_append(list, line);
    }
    json_decref(gathering.sources);
    return list;
}

static json_t *
days_json(const struct simulation *simulation)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < simulation->day_count; i++) {
        const struct simulation_day *day = &simulation->days[i];
        char text[16];
        json_t *hours = json_array(), *classes = json_object();
        for (int hour = 0; hour < 24; hour++) {
            json_array_append_new(hours, json_integer((json_int_t)day->by_hour[hour]));
        }
        for (int each = 0; each < CLASS_COUNT; each++) {
            json_object_set_new(classes, class_name((enum message_class)each),
                                json_integer((json_int_t)day->by_class[each]));
        }
        json_array_append_new(list, json_pack("{s:s,s:I,s:I,s:o,s:I,s:I,s:I,s:I,s:o}", "day",
                                              date_text(simulation->first_day + i, text), "pushes",
                                              (json_int_t)day->pushes, "replies",
                                              (json_int_t)day->replies, "pushes_by_class", classes,
                                              "people", (json_int_t)day->people, "people_twice",
                                              (json_int_t)day->people_twice, "skipped",
                                              (json_int_t)day->skipped, "held",
                                              (json_int_t)day->held, "hours", hours));
    }
    return list;
}

static json_t *
rows_json(const struct simulation *simulation)
{
    json_t *list = json_array();
    const struct definitions *definitions = engine_state(simulation->engine)->definitions;
    for (uint32_t i = 0; i < simulation->row_count; i++) {
        const struct simulation_row *row = &simulation->rows[i];
        struct buf at = {0}, source = {0};
        event_instant_text(row->at_ms, simulation->zone, &at);
        event_source_text(&row->source, definitions, &source);
        json_array_append_new(
            list, json_pack("{s:s,s:I,s:s,s:s,s:s}", "at", buf_cstr(&at), "friend",
                            (json_int_t)row->friend, "source", buf_cstr(&source), "template",
                            names_text(&definitions->template_names, row->template), "how",
                            how_name(row->how)));
        buf_fini(&at);
        buf_fini(&source);
    }
    return list;
}

static json_t *
whole_json(const struct simulation *simulation, const struct copy *copy)
{
    const struct state *state = engine_state(simulation->engine);
    struct buf from = {0}, until = {0};
    event_instant_text(copy->from_ms, simulation->zone, &from);
    event_instant_text(copy->until_ms, simulation->zone, &until);
    json_t *whole =
        json_pack("{s:s,s:s,s:I,s:I,s:o,s:o,s:o}", "from", buf_cstr(&from), "until",
                  buf_cstr(&until), "friends", (json_int_t)state->friends.count, "quota_used",
                  (json_int_t)simulation->quota_used, "days", days_json(simulation), "sources",
                  sources_json(simulation), "deliveries", rows_json(simulation));
    buf_fini(&from);
    buf_fini(&until);
    return whole;
}

/* --- for people --- */

static void
show_days(const struct invocation *invocation, const struct simulation *simulation)
{
    static const char SHADES[] = " .:-=+*#%@";
    bool japanese = client_is_japanese(invocation);
    uint64_t most = 1;
    for (int64_t i = 0; i < simulation->day_count * 24; i++) {
        uint64_t count = simulation->days[i / 24].by_hour[i % 24];
        most = count > most ? count : most;
    }
    struct table *table = table_new();
    table_column(table, japanese ? "日付" : "day", TABLE_LEFT);
    table_column(table, "|0     6     12    18    |", TABLE_LEFT);
    static const char *const HEADINGS[][2] = {
        {"pushes", "プッシュ"}, {"replies", "返信"},   {"marketing", "販促"}, {"people", "人数"},
        {"twice", "2通以上"},   {"skipped", "見送り"}, {"held", "保留"}};
    for (size_t i = 0; i < sizeof(HEADINGS) / sizeof(HEADINGS[0]); i++) {
        table_column(table, HEADINGS[i][japanese], TABLE_RIGHT);
    }
    for (int64_t i = 0; i < simulation->day_count; i++) {
        const struct simulation_day *day = &simulation->days[i];
        char text[16], picture[25];
        for (int hour = 0; hour < 24; hour++) {
            uint64_t count = day->by_hour[hour];
            picture[hour] = SHADES[count == 0 ? 0 : 1 + (count * 9 - 1) / most];
        }
        picture[24] = '\0';
        const uint64_t numbers[] = {day->pushes, day->replies,      day->by_class[CLASS_MARKETING],
                                    day->people, day->people_twice, day->skipped,
                                    day->held};
        table_row(table);
        table_cell_cstr(table, date_text(simulation->first_day + i, text));
        table_cell_printf(table, "|%s|", picture);
        for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
            table_cell_printf(table, "%llu", (unsigned long long)numbers[n]);
        }
    }
    client_print_table(invocation, table);
    table_free(table);
}

static void
show_list(const struct invocation *invocation, const json_t *list, const char *const *columns,
          const char *const *headings)
{
    struct table *table = table_new();
    for (size_t i = 0; columns[i] != NULL; i++) {
        table_column(table, headings[i], i == 0 ? TABLE_LEFT : TABLE_RIGHT);
    }
    size_t index;
    const json_t *line;
    json_array_foreach(list, index, line)
    {
        table_row(table);
        for (size_t i = 0; columns[i] != NULL; i++) {
            if (strcmp(columns[i], "at") == 0) {
                cell_of_instant(table, line, columns[i]);
            } else {
                cell_of(table, line, columns[i]);
            }
        }
    }
    client_print_table(invocation, table);
    table_free(table);
}

static void
show(const struct invocation *invocation, const struct simulation *simulation, const json_t *whole)
{
    static const char *const SOURCES[] = {"source",    "pushes", "replies", "skipped",
                                          "cancelled", "held",   NULL};
    static const char *const SOURCES_JA[] = {"配信元", "プッシュ", "返信", "見送り",
                                             "取消",   "保留",     NULL};
    static const char *const ROWS[] = {"at", "friend", "source", "template", "how", NULL};
    static const char *const ROWS_JA[] = {"時刻", "友だち", "配信元", "内容", "方法", NULL};
    bool japanese = client_is_japanese(invocation);
    if (simulation->rows_wanted > 0) { /* -n: who would get what when, and nothing else */
        show_list(invocation, json_object_get(whole, "deliveries"), ROWS,
                  japanese ? ROWS_JA : ROWS);
        return;
    }
    show_days(invocation, simulation);
    if (client_wants_csv(invocation)) {
        return;
    }
    putchar('\n');
    show_list(invocation, json_object_get(whole, "sources"), SOURCES,
              japanese ? SOURCES_JA : SOURCES);
    const struct state *state = engine_state(simulation->engine);
    printf(japanese ? "\n使用通数 (月ごとの最大): %u" : "\nmessages used (the most of a month): %u",
           simulation->quota_used);
    if (state->quota.limit != 0 && state->quota.limit != UINT32_MAX) {
        printf(" / %u", state->quota.limit);
    }
    putchar('\n');
}

static int
run(struct copy *copy, const struct invocation *invocation, uint32_t rows_wanted)
{
    struct simulation *simulation = calloc(1, sizeof(*simulation));
    if (simulation == NULL) {
        abort(); /* no memory: docs/adr/0001 */
    }
    const char *folder = invocation_option(invocation, "with");
    engine_wake(copy->engine, copy->from_ms);
    int code = folder == NULL ? EXIT_DONE : put_in_force(copy, invocation, folder);
    if (code == EXIT_DONE) {
        simulation_init(simulation, copy->engine, copy->from_ms, copy->until_ms, rows_wanted);
        struct ahead ahead = {
            .until_ms = copy->until_ms, .seen = simulation_see, .context = simulation};
        engine_run_ahead(copy->engine, copy->from_ms, &ahead);
        json_t *whole = whole_json(simulation, copy);
        if (client_wants_json(invocation)) {
            client_print_json(whole);
        } else {
            show(invocation, simulation, whole);
        }
        json_decref(whole);
        simulation_fini(simulation);
    }
    free(simulation);
    return code;
}

int
command_simulate(const struct invocation *invocation)
{
    const char *seed = invocation_option(invocation, "seed");
    const char *count = invocation_option(invocation, "count");
    struct copy copy = {.random = seed == NULL ? 1 : strtoull(seed, NULL, 10)};
    long rows = count == NULL ? 0 : strtol(count, NULL, 10);
    if (count != NULL && (rows < 1 || rows > SIMULATION_ROWS_MAX)) {
        return usage_error(invocation->program, "-n wants a number from 1 to %d, not '%s'",
                           SIMULATION_ROWS_MAX, count);
    }
    int code = copy_open(&copy, invocation);
    if (code == EXIT_DONE) {
        code = read_times(&copy, invocation);
    }
    if (code == EXIT_DONE) {
        code = run(&copy, invocation, (uint32_t)rows);
    }
    copy_close(&copy);
    return code;
}
