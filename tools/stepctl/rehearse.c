/* stepctl rehearse FILE...: runs rehearsal files and says how they differ from what they expect. */
#include "daemon/zones.h"
#include "tools/common/exchange.h"
#include "tools/stepctl/client.h"
#include "tools/stepctl/commands.h"
#include "tools/stepctl/rehearsal.h"
#include "tools/stepctl/rehearsal_line.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum verdict { VERDICT_AS_EXPECTED = 0, VERDICT_DIFFERS = 1, VERDICT_FILE_IS_WRONG = 2 };

static const struct {
    enum rehearsal_kill kill;
    const char *name;
} KILLS[] = {{KILL_NEVER, ""},
             {KILL_BEFORE_INPUT, "killed before every input"},
             {KILL_DECIDED, "killed when decided"},
             {KILL_SENT, "killed when sent"}};

/* One run of one variant of one file: a line of the report. */
struct report {
    struct span name;
    enum verdict verdict;
    struct span said; /* the diff, or what is wrong with the file */
    const struct rehearsal_differences *differences;
};

struct session {
    const struct invocation *invocation;
    struct zone_source zones;
    struct arena *arena;
    struct report *reports;
    uint32_t report_count;
    bool colour;
    FILE *requests; /* NULL: not asked for */
};

static struct report *
add_report(struct session *session, struct span name, enum verdict verdict, struct buf *said)
{
    session->reports = arena_grow(session->arena, session->reports, session->report_count,
                                  sizeof(*session->reports));
    struct report *report = &session->reports[session->report_count++];
    *report = (struct report){
        .name = name, .verdict = verdict, .said = arena_span(session->arena, buf_span(said))};
    buf_fini(said);
    return report;
}

static struct span
name_of(struct session *session, const char *path, const char *variant, const char *kill)
{
    struct buf name = {0};
    buf_append_cstr(&name, path);
    if (variant[0] != '\0') {
        buf_printf(&name, " [%s]", variant);
    }
    if (kill[0] != '\0') {
        buf_printf(&name, " (%s)", kill);
    }
    struct span copy = arena_span(session->arena, buf_span(&name));
    buf_fini(&name);
    return copy;
}

static void
write_requests(FILE *file, const struct rehearsal_result *result)
{
    for (uint32_t i = 0; i < result->accepted_count; i++) {
        const struct accepted *row = &result->accepted[i];
        if (row->again) {
            continue;
        }
        const struct exchange exchange = {.method = "POST",
                                          .path = line_endpoints[row->endpoint].path,
                                          .retry_key = row->reply ? (struct span){0} : row->key,
                                          .body = row->body,
                                          .status = 200};
        exchange_write(file, &exchange);
    }
}

static void
run_variant(struct session *session, const struct rehearsal *rehearsal,
            const struct rehearsal_variant *variant, size_t kill)
{
    struct diagnostics diagnostics;
    struct rehearsal_result result;
    struct rehearsal_differences *differences = arena_alloc(session->arena, sizeof(*differences));
    struct buf said = {0};
    diagnostics_init(&diagnostics);
    enum rc rc =
        rehearsal_run(rehearsal, variant, KILLS[kill].kill, session->arena, &diagnostics, &result);
    enum verdict verdict = VERDICT_AS_EXPECTED;
    if (rc != RC_OK) {
        verdict = rc == RC_INVALID ? VERDICT_FILE_IS_WRONG : VERDICT_DIFFERS;
        diagnostics_print(&diagnostics, session->colour, &said);
    } else {
        if (session->requests != NULL) {
            write_requests(session->requests, &result);
        }
        rehearsal_compare(variant, &result, session->arena, differences);
        rehearsal_print_differences(differences, session->colour, &said);
        verdict = differences->count > 0 ? VERDICT_DIFFERS : VERDICT_AS_EXPECTED;
    }
    diagnostics_fini(&diagnostics);
    struct span name = name_of(session, rehearsal->path, variant->name, KILLS[kill].name);
    add_report(session, name, verdict, &said)->differences = differences;
}

static void
run_file(struct session *session, const char *path)
{
    bool kills = invocation_has(session->invocation, "kill-at-every-input");
    size_t kill_count = kills ? sizeof(KILLS) / sizeof(KILLS[0]) : 1;
    struct rehearsal *rehearsal = NULL;
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics);
    if (rehearsal_read(path, session->zones, &diagnostics, &rehearsal) != RC_OK) {
        struct buf said = {0};
        diagnostics_print(&diagnostics, session->colour, &said);
        add_report(session, name_of(session, path, "", ""), VERDICT_FILE_IS_WRONG, &said);
    } else {
        for (uint32_t i = 0; i < rehearsal->variant_count; i++) {
            for (size_t kill = 0; kill < kill_count; kill++) {
                run_variant(session, rehearsal, &rehearsal->variants[i], kill);
            }
        }
    }
    diagnostics_fini(&diagnostics);
    rehearsal_free(rehearsal);
}

static enum verdict
worst(const struct session *session)
{
    enum verdict verdict = VERDICT_AS_EXPECTED;
    for (uint32_t i = 0; i < session->report_count; i++) {
        verdict = session->reports[i].verdict > verdict ? session->reports[i].verdict : verdict;
    }
    return verdict;
}

static void
print_text(const struct session *session)
{
    static const char *const WORDS[] = {"as expected", "differs", "wrong file"};
    static const enum terminal_style STYLES[] = {STYLE_GOOD, STYLE_BAD, STYLE_CAREFUL};
    for (uint32_t i = 0; i < session->report_count; i++) {
        const struct report *report = &session->reports[i];
        printf("%s%s%s: %.*s\n%.*s", terminal_begin(session->colour, STYLES[report->verdict]),
               WORDS[report->verdict], terminal_end(session->colour, STYLES[report->verdict]),
               span_fmt(report->name), span_fmt(report->said));
    }
}

static void
print_commented(struct span text)
{
    bool at_start = true;
    for (size_t i = 0; i < text.len; i++) {
        if (at_start) {
            fputs("# ", stdout);
        }
        putchar(text.data[i]);
        at_start = text.data[i] == '\n';
    }
}

static void
print_tap(const struct session *session)
{
    printf("TAP version 13\n1..%u\n", session->report_count);
    for (uint32_t i = 0; i < session->report_count; i++) {
        const struct report *report = &session->reports[i];
        printf("%s %u - %.*s\n", report->verdict == VERDICT_AS_EXPECTED ? "ok" : "not ok", i + 1,
               span_fmt(report->name));
        print_commented(report->said);
    }
}

static json_t *
json_of_differences(const struct rehearsal_differences *differences)
{
    json_t *list = json_array();
    for (uint32_t i = 0; differences != NULL && i < differences->count; i++) {
        const struct rehearsal_difference *row = &differences->items[i];
        json_t *each = json_pack("{s:s, s:s, s:s%}", "list", rehearsal_list_name(row->list),
                                 "difference", row->missing ? "missing" : "unexpected", "row",
                                 (const char *)row->text.data, row->text.len);
        if (row->with.len > 0) {
            json_object_set_new(each, "with",
                                json_stringn((const char *)row->with.data, row->with.len));
        }
        json_array_append_new(list, each);
    }
    return list;
}

static void
print_json(const struct session *session)
{
    static const char *const WORDS[] = {"as_expected", "differs", "file_is_wrong"};
    json_t *list = json_array();
    for (uint32_t i = 0; i < session->report_count; i++) {
        const struct report *report = &session->reports[i];
        json_array_append_new(list, json_pack("{s:s%, s:s, s:o, s:s%}", "name",
                                              (const char *)report->name.data, report->name.len,
                                              "verdict", WORDS[report->verdict], "differences",
                                              json_of_differences(report->differences), "text",
                                              (const char *)report->said.data, report->said.len));
    }
    json_t *whole = json_pack("{s:o}", "rehearsals", list);
    client_print_json(whole);
    json_decref(whole);
}

static void
write_xml(FILE *file, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        if (byte == '<' || byte == '>' || byte == '&' || byte == '"') {
            fprintf(file, "&#%d;", byte);
        } else if (byte >= 0x20 || byte == '\n' || byte == '\t') {
            fputc(byte, file);
        }
    }
}

static bool
write_junit(const struct session *session, const char *path)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        fprintf(stderr, "stepctl: cannot write %s\n", path);
        return false;
    }
    fprintf(file,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"rehearse\" "
            "tests=\"%u\">\n",
            session->report_count);
    for (uint32_t i = 0; i < session->report_count; i++) {
        const struct report *report = &session->reports[i];
        fputs("  <testcase classname=\"rehearse\" name=\"", file);
        write_xml(file, report->name);
        if (report->verdict == VERDICT_AS_EXPECTED) {
            fputs("\"/>\n", file);
            continue;
        }
        fputs("\">\n    <failure>", file);
        write_xml(file, report->said);
        fputs("</failure>\n  </testcase>\n", file);
    }
    fputs("</testsuite>\n", file);
    if (fclose(file) != 0) {
        fprintf(stderr, "stepctl: cannot write %s\n", path);
        return false;
    }
    return true;
}

int
command_rehearse(const struct invocation *invocation)
{
    struct zones *zones = zones_new(NULL);
    bool tap = invocation_has(invocation, "tap"), json = client_wants_json(invocation);
    struct session session = {.invocation = invocation,
                              .zones = zones_source(zones),
                              .arena = arena_new(),
                              .colour =
                                  !tap && !json && client_wants_colour(invocation, STDOUT_FILENO)};
    const char *requests = invocation_option(invocation, "requests");
    if (requests != NULL && (session.requests = fopen(requests, "w")) == NULL) {
        fprintf(stderr, "stepctl: cannot write %s: %s\n", requests, strerror(errno));
        arena_free(session.arena);
        zones_free(zones);
        return EXIT_FAILED;
    }
    for (unsigned i = 0; i < invocation->argument_count; i++) {
        run_file(&session, invocation->arguments[i]);
    }
    bool written = requests == NULL || fclose(session.requests) == 0;
    if (!written) {
        fprintf(stderr, "stepctl: cannot write %s: %s\n", requests, strerror(errno));
    }
    if (json) {
        print_json(&session);
    } else if (tap) {
        print_tap(&session);
    } else {
        print_text(&session);
    }
    const char *junit = invocation_option(invocation, "junit");
    written = (junit == NULL || write_junit(&session, junit)) && written;
    int code = (int)worst(&session);
    arena_free(session.arena);
    zones_free(zones);
    return code == EXIT_DONE && !written ? EXIT_FAILED : code;
}
